"""Passes that give a few element-wise steps, as gradients are made of, to one kernel."""

from __future__ import annotations

from typing import Any

import torch

from relight.engine.folding import scalar
from relight.engine.fusions import is_node, makers, readers
from relight.engine.steps import Plan, Step, Value

_softmax_backward = torch.ops.aten._softmax_backward_data


class _Plan:
    """Who makes and reads what, for the search of patterns."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.read_by, self.made_by = readers(plan), makers(plan)

    def only_for(self, value: Any, *types: str) -> Step | None:
        """The step of one of these types that makes a value for a single reader."""
        step = self.made_by.get(value)
        if step is None or not is_node(step, *types) or len(self.read_by[value]) != 1:
            return None
        return step


def join_softmax_gradient(plan: Plan) -> None:
    """`(g - sum(g * y, -1, keepdims)) * y`, the gradient of y = softmax, is one kernel."""
    known = _Plan(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        found = _softmax_parts(known, step)
        if found is None:
            continue
        grad, y, inner = found
        gone.update(inner)
        dtype = step.node._attrs["T"]  # type: ignore[union-attr]
        torch_dtype = getattr(torch, dtype.name)
        step.what = "Softmax gradient"
        step.function = lambda g, y, dtype=torch_dtype: _softmax_backward(g, y, -1, dtype)
        step.inputs = [grad, y]
        step.nodes = tuple(n for s in (*inner, step) for n in s.nodes)
    plan.steps = [s for s in plan.steps if s not in gone]


def _softmax_parts(known: _Plan, step: Step) -> tuple[Value, Value, list[Step]] | None:
    if not is_node(step, "Mul"):
        return None
    moved, y = step.inputs
    difference = known.only_for(moved, "Sub")
    if difference is None or not is_node(known.made_by.get(y), "Softmax"):
        return None
    grad, total = difference.inputs
    summed = known.only_for(total, "Sum")
    if summed is None or not summed.node._attrs.get("keep_dims"):  # type: ignore[union-attr]
        return None
    product = known.only_for(summed.inputs[0], "Mul")
    if product is None or product.inputs != [grad, y]:
        return None
    rank = step.node._inputs[1].shape.ndims  # type: ignore[union-attr]
    axes = known.plan.constants.get(summed.inputs[1])
    if rank is None or axes is None or axes.reshape(-1).tolist() not in ([-1], [rank - 1]):
        return None
    shapes = [t.shape for t in product.node._inputs]  # type: ignore[union-attr]
    if not all(s.is_fully_defined() for s in shapes) or shapes[0] != shapes[1]:
        return None
    return grad, y, [product, summed, difference]


def add_scaled(plan: Plan) -> None:
    """`a + x * c` with a number c is one kernel; it writes over `a` when that is new memory that
    nothing else reads."""
    known = _Plan(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        found = _scaled_parts(known, step, gone)
        if found is None:
            continue
        whole, part, number, scaling = found
        gone.add(scaling)
        maker = known.made_by.get(whole)
        own = maker is not None and maker.what in _FRESH and len(known.read_by[whole]) == 1
        step.what = "add scaled in place" if own else "add scaled"
        step.function = _adding(number, own)
        step.inputs = [whole, part]
        step.nodes = (*scaling.nodes, *step.nodes)
        step.views = None
    plan.steps = [s for s in plan.steps if s not in gone]


_FRESH = frozenset(("MatMul", "Conv2DBackpropFilter", "Conv2D gradients", "add scaled"))


def _adding(number: float, own: bool) -> Any:
    if own:
        return lambda a, x: a.add_(x, alpha=number)
    return lambda a, x: torch.add(a, x, alpha=number)


def _scaled_parts(
    known: _Plan, step: Step, gone: set[Step]
) -> tuple[Value, Value, float, Step] | None:
    if is_node(step, "AddN"):
        pair = step.inputs[0]
        shapes = [t.shape for t in step.node._inputs]  # type: ignore[union-attr]
    elif is_node(step, "AddV2", "Add"):
        pair = step.inputs
        shapes = [t.shape for t in step.node._inputs]  # type: ignore[union-attr]
    else:
        return None
    if len(pair) != 2 or not step.node._attrs["T"].is_floating:  # type: ignore[union-attr]
        return None
    if not all(s.is_fully_defined() for s in shapes) or shapes[0] != shapes[1]:
        return None
    for whole, part in ((pair[0], pair[1]), (pair[1], pair[0])):
        scaling = known.only_for(part, "Mul")
        if scaling is None or scaling in gone:
            continue
        for x, factor in (scaling.inputs, reversed(scaling.inputs)):
            number = scalar(known.plan, factor)
            if number is not None and x.kind == "T":
                return whole, x, number, scaling
    return None
