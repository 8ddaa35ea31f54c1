"""Passes over convolutions and pooling: work that a forward and a backward step can share."""

from __future__ import annotations

from typing import Any

import torch

from relight.engine.fusions import Uses, is_bias_gradient, is_node
from relight.engine.steps import Plan, Step, Value


def share_pool_indices(plan: Plan) -> None:
    """MaxPool keeps the places of its maxima for its MaxPoolGrad, which need not look for them."""
    from relight.ops import nn_pool

    forward = {
        s.outputs[0]: s
        for s in plan.steps
        if is_node(s, "MaxPool") and s.node._attrs["T"].is_floating  # type: ignore[union-attr]
    }
    for step in plan.steps:
        if not is_node(step, "MaxPoolGrad"):
            continue
        x, y, grad = step.inputs
        maker = forward.get(y)
        if maker is None or maker.inputs[0] is not x or not _same_window(maker, step):
            continue
        if len(maker.outputs) == 1:
            maker.outputs.append(Value(None, "T"))
            maker.function = nn_pool.max_pool_with_indices(maker.node)
            maker.what = "MaxPool with indices"
        indices = maker.outputs[1]
        step.what = "MaxPoolGrad by indices"
        step.function = nn_pool.max_pool_backward(step.node)
        step.inputs = [grad, x, indices]


def _same_window(a: Step, b: Step) -> bool:
    names = ("ksize", "strides", "padding", "data_format")
    return all(a.node._attrs.get(n) == b.node._attrs.get(n) for n in names)  # type: ignore[union-attr]


def pool_before_relu(plan: Plan) -> None:
    """Relu goes over what MaxPool leaves of its input, and ReluGrad over what MaxPoolGrad starts
    from: a quarter of the numbers for windows of 2 x 2.

    `max(relu(x)) = relu(max(x))`, and the place of a maximum above 0 is the same for both; to the
    other places no gradient comes.
    """
    uses = Uses(plan)
    for relu in [s for s in plan.steps if is_node(s, "Relu")]:
        x, y = relu.inputs[0], relu.outputs[0]
        if y is None or not relu.node._attrs["T"].is_floating:  # type: ignore[union-attr]
            continue
        by_what = {s.what if s is not None else "": s for s in uses.read_by.get(y, ())}
        pool = by_what.pop("MaxPool", None) or by_what.pop("MaxPool with indices", None)
        if pool is None or len(by_what) + 1 != len(uses.read_by[y]):
            continue
        gradients = _pooled_gradients(uses, by_what) if by_what else None
        if by_what and gradients is None:
            continue
        _swap(plan, relu, pool, x)
        if gradients is not None:
            _swap_gradients(plan, *gradients, x, relu.outputs[0])


def _pooled_gradients(uses: Uses, by_what: dict[str, Any]) -> tuple[Any, Any] | None:
    """(MaxPoolGrad, ReluGrad) where the first goes into the second and nowhere else."""
    if set(by_what) != {"MaxPoolGrad by indices", "ReluGrad"}:
        return None
    pool, relu = by_what["MaxPoolGrad by indices"], by_what["ReluGrad"]
    fits = pool is not None and relu is not None and uses.lone(relu.inputs[0]) is pool
    return (pool, relu) if fits else None


def _swap(plan: Plan, relu: Step, pool: Step, x: Value) -> None:
    pooled = pool.outputs[0]
    assert pooled is not None
    raw = Value(pooled.tensor, "T")  # of the same type and shape
    pool.inputs, pool.outputs[0] = [x], raw
    relu.inputs, relu.outputs = [raw], [pooled]
    plan.steps.remove(relu)
    plan.steps.insert(plan.steps.index(pool) + 1, relu)


def _swap_gradients(plan: Plan, pool: Step, relu: Step, x: Value, y: Value | None) -> None:
    grad, _, indices = pool.inputs
    held = Value(grad.tensor, "T")
    pool.inputs, pool.outputs, relu.outputs = [held, x, indices], relu.outputs, [held]
    relu.inputs = [grad, y]
    at, later = plan.steps.index(pool), plan.steps.index(relu)
    plan.steps[at], plan.steps[later] = relu, pool


def join_conv_gradients(plan: Plan) -> None:
    """The gradients of one convolution (input, filter, bias) come from one call.

    Steps with the same output gradient join at the place of the first; what the others need must
    have been made before it.
    """
    from relight.ops import nn_conv

    place = {s: i for i, s in enumerate(plan.steps)}
    made_at = {v: i for i, s in enumerate(plan.steps) for v in s.outputs if v is not None}
    by_flow: dict[Value, dict[str, Step]] = {}
    for step in plan.steps:
        if is_node(step, "Conv2DBackpropInput", "Conv2DBackpropFilter"):
            by_flow.setdefault(step.inputs[2], {}).setdefault(step.what, step)
        elif is_bias_gradient(plan, step, rank=4):
            by_flow.setdefault(step.inputs[0], {}).setdefault("bias", step)
    gone: set[Step] = set()
    for flow, group in by_flow.items():
        filter_step = group.get("Conv2DBackpropFilter")
        if filter_step is None or len(group) < 2:
            continue
        x, sizes = filter_step.inputs[0], filter_step.inputs[1]
        input_step = group.get("Conv2DBackpropInput")
        bias_step = group.get("bias")
        shape = plan.constants.get(sizes)
        if filter_step.node._attrs["data_format"] != "NHWC" or shape is None:  # type: ignore[union-attr]
            continue
        if input_step is not None and not _same_geometry(filter_step, input_step):
            input_step = None
        steps = [s for s in (bias_step, input_step, filter_step) if s is not None]
        if len(steps) < 2:
            continue
        first = min(steps, key=place.__getitem__)
        weights = None if input_step is None else input_step.inputs[1]
        needs = [v for v in (x, weights, flow) if v is not None and v not in plan.constants]
        if any(made_at.get(v, -1) >= place[first] for v in needs):
            continue
        mask = (input_step is not None, True, bias_step is not None)
        joined = Step(
            "Conv2D gradients",
            _joined(nn_conv.conv2d_backward(filter_step.node), mask, tuple(shape.tolist())),
            [x, weights, flow],
            [s.outputs[0] for s in (input_step, filter_step, bias_step) if s is not None],
            filter_step.node,
            nodes=tuple(n for s in steps for n in s.nodes),
        )
        plan.steps[place[first]] = joined
        gone.update(s for s in steps if s is not first)
    plan.steps = [s for s in plan.steps if s not in gone]


def _same_geometry(a: Step, b: Step) -> bool:
    names = ("strides", "padding", "data_format", "dilations", "explicit_paddings")
    return all(a.node._attrs.get(n) == b.node._attrs.get(n) for n in names)  # type: ignore[union-attr]


def _joined(backward: Any, mask: tuple[bool, bool, bool], w_shape: tuple[int, ...]) -> Any:
    def run(x: torch.Tensor, w: torch.Tensor | None, grad: torch.Tensor) -> list[torch.Tensor]:
        found = backward(x, w, grad, mask, w_shape=w_shape)
        return [g for g, wanted in zip(found, mask, strict=True) if wanted]

    return run


def relu_gradient_in_place(plan: Plan) -> None:
    """ReluGrad writes over a gradient that nothing else reads."""
    uses = Uses(plan)
    for step in plan.steps:
        if not is_node(step, "ReluGrad") or uses.lone_of(step.inputs[0], _NEW_GRADIENTS) is None:
            continue
        step.what = "ReluGrad in place"
        step.function = _relu_gradient


_NEW_GRADIENTS = frozenset(("MaxPoolGrad by indices", "Conv2D gradients", "MatMul"))


def _relu_gradient(grad: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.ops.aten.threshold_backward.grad_input(grad, y, 0, grad_input=grad)
