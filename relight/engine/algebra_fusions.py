"""Passes that give a few element-wise steps, as gradients are made of, to one kernel."""

from __future__ import annotations

from typing import Any

import torch

from relight.engine.folding import scalar
from relight.engine.fusions import Uses, is_node, same_known_shapes
from relight.engine.steps import Plan, Step, Value
from relight.ops.state import torch_dtype

_softmax_backward = torch.ops.aten._softmax_backward_data


def join_softmax_gradient(plan: Plan) -> None:
    """`(g - sum(g * y, -1, keepdims)) * y`, the gradient of y = softmax, is one kernel."""
    uses = Uses(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        found = _softmax_parts(plan, uses, step)
        if found is None:
            continue
        grad, y, inner = found
        gone.update(inner)
        dtype = torch_dtype(step.node._attrs["T"])  # type: ignore[union-attr]
        step.what = "Softmax gradient"
        step.function = lambda g, y, dtype=dtype: _softmax_backward(g, y, -1, dtype)
        step.inputs = [grad, y]
        step.nodes = tuple(n for s in (*inner, step) for n in s.nodes)
    plan.steps = [s for s in plan.steps if s not in gone]


def _softmax_parts(plan: Plan, uses: Uses, step: Step) -> tuple[Value, Value, list[Step]] | None:
    if not is_node(step, "Mul"):
        return None
    moved, y = step.inputs
    difference = uses.lone(moved, "Sub")
    if difference is None or not is_node(uses.made_by.get(y), "Softmax"):
        return None
    grad, total = difference.inputs
    summed = uses.lone(total, "Sum")
    if summed is None or not summed.node._attrs.get("keep_dims"):  # type: ignore[union-attr]
        return None
    product = uses.lone(summed.inputs[0], "Mul")
    if product is None or product.inputs != [grad, y]:
        return None
    rank = step.node._inputs[1].shape.ndims  # type: ignore[union-attr]
    axes = plan.constants.get(summed.inputs[1])
    if rank is None or axes is None or axes.reshape(-1).tolist() not in ([-1], [rank - 1]):
        return None
    if not same_known_shapes(product.node):
        return None
    return grad, y, [product, summed, difference]


def add_scaled(plan: Plan) -> None:
    """`a + x * c` with a number c is one kernel; it writes over `a` when that is new memory that
    nothing else reads."""
    uses = Uses(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        found = _scaled_parts(plan, uses, step, gone)
        if found is None:
            continue
        whole, part, number, scaling = found
        gone.add(scaling)
        own = uses.lone_of(whole, _FRESH) is not None
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
    plan: Plan, uses: Uses, step: Step, gone: set[Step]
) -> tuple[Value, Value, float, Step] | None:
    if is_node(step, "AddN"):
        pair = step.inputs[0]
    elif is_node(step, "AddV2", "Add"):
        pair = step.inputs
    else:
        return None
    if len(pair) != 2 or not step.node._attrs["T"].is_floating:  # type: ignore[union-attr]
        return None
    if not same_known_shapes(step.node):
        return None
    for whole, part in ((pair[0], pair[1]), (pair[1], pair[0])):
        scaling = uses.lone(part, "Mul")
        if scaling is None or scaling in gone:
            continue
        for x, factor in (scaling.inputs, reversed(scaling.inputs)):
            number = scalar(plan, factor)
            if number is not None and x.kind == "T":
                return whole, x, number, scaling
    return None
