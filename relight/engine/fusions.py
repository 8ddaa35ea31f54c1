"""Passes that join steps into fewer, quicker ones. Each keeps every value that something reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from relight.engine.resources import update_all
from relight.engine.steps import Plan, Step, Value
from relight.ops.gemm import addmm


def readers(plan: Plan) -> dict[Value, list[Step | None]]:
    """Value -> the steps that read it, once a reading; None stands for a fetch."""
    found: dict[Value, list[Step | None]] = {}
    for step in plan.steps:
        for value in step.flat_inputs():
            found.setdefault(value, []).append(step)
    for value in plan.fetched_values:
        found.setdefault(value, []).append(None)
    return found


def makers(plan: Plan) -> dict[Value, Step]:
    """Value -> the step that makes it."""
    return {v: s for s in plan.steps for v in s.outputs if v is not None}


def is_node(step: Step | None, *types: str) -> bool:
    """Whether a step is still the plain node of one of these op types."""
    return step is not None and step.node is not None and step.what in types


# -- bias ------------------------------------------------------------------------------------------


def fuse_bias(plan: Plan) -> None:
    """MatMul or Conv2D whose result goes into one BiasAdd (or `+ vector`) alone: one kernel."""
    read_by, made_by = readers(plan), makers(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        parts = _bias_parts(step)
        if parts is None:
            continue
        product, bias = parts
        maker = made_by.get(product)
        if maker is None or maker in gone or len(read_by[product]) != 1:
            continue
        function = _with_bias(maker)
        if function is None:
            continue
        gone.add(maker)
        step.what = maker.what + "+Bias"
        step.function = function
        step.inputs = [*maker.inputs, bias]
        step.nodes = (*maker.nodes, *step.nodes)
        step.views = None
    plan.steps = [s for s in plan.steps if s not in gone]


def _bias_parts(step: Step) -> tuple[Value, Value] | None:
    """(product, bias) of a BiasAdd, or of an addition of a vector to rows."""
    if is_node(step, "BiasAdd"):
        assert step.node is not None
        if step.node._attrs.get("data_format", "NHWC") != "NHWC":
            return None
        return step.inputs[0], step.inputs[1]
    if not is_node(step, "Add", "AddV2"):
        return None
    assert step.node is not None
    a, b = (t.shape._sizes for t in step.node._inputs)
    if a is None or b is None or len(b) != 1 or len(a) < 2 or a[-1] != b[0] or b[0] is None:
        return None
    return step.inputs[0], step.inputs[1]


def _with_bias(maker: Step) -> Callable[..., Any] | None:
    if is_node(maker, "MatMul"):
        assert maker.node is not None
        attrs = maker.node._attrs
        if not attrs["T"].is_floating:
            return None
        return _matmul_bias(bool(attrs["transpose_a"]), bool(attrs["transpose_b"]))
    if is_node(maker, "Conv2D"):
        from relight.ops import nn_conv

        return nn_conv.conv2d_with_bias(maker.node)
    return None


def _matmul_bias(transpose_a: bool, transpose_b: bool) -> Callable[..., Any]:
    if not transpose_a and not transpose_b:
        return lambda a, b, bias: addmm(bias, a, b)
    return lambda a, b, bias: addmm(bias, a.mT if transpose_a else a, b.mT if transpose_b else b)


# -- relu ------------------------------------------------------------------------------------------

_NEW_MEMORY = frozenset(
    [
        "MatMul",
        "Conv2D",
        "BiasAdd",
        "Add",
        "AddV2",
        "MatMul+Bias",
        "Conv2D+Bias",
        "FusedBatchNorm",
        "FusedBatchNormV3",
        "Mul",
        "Sub",
        "DepthwiseConv2dNative",
    ]
)


def relu_in_place(plan: Plan) -> None:
    """A Relu that alone reads fresh memory writes its result there."""
    read_by, made_by = readers(plan), makers(plan)
    for step in plan.steps:
        if not is_node(step, "Relu"):
            continue
        source = step.inputs[0]
        maker = made_by.get(source)
        if maker is None or maker.what not in _NEW_MEMORY or len(read_by[source]) != 1:
            continue
        step.what = "Relu in place"
        step.function = torch.relu_
        step.fresh = True
        step.views = None


# -- updates ---------------------------------------------------------------------------------------


def update_together(plan: Plan) -> None:
    """All ApplyGradientDescent (or Momentum, Adam) steps with the same rates become one update."""
    for kind, groups in _GROUPED.items():
        _update_kind(plan, kind, groups)


def _update_kind(plan: Plan, kind: str, split: tuple[int, tuple[int, ...]]) -> None:
    state_count, rate_places = split
    places = [i for i, s in enumerate(plan.steps) if is_node(s, kind)]
    by_rates: dict[Any, list[int]] = {}
    for i in places:
        step = plan.steps[i]
        attrs = step.node._attrs  # type: ignore[union-attr]
        key = (
            tuple(step.inputs[p] for p in rate_places),
            attrs["T"],
            attrs.get("use_nesterov", False),
        )
        by_rates.setdefault(key, []).append(i)
    for indices in by_rates.values():
        if len(indices) < 2 or not _may_join(plan, indices, state_count):
            continue
        steps = [plan.steps[i] for i in indices]
        joined = _joined(kind, steps, state_count, rate_places)
        mapping = {o: s.inputs[0] for s in steps for o in s.outputs if o is not None}
        plan.steps[indices[-1]] = joined
        gone = set(steps)
        plan.steps = [s for s in plan.steps if s not in gone]
        from relight.engine.folding import replace

        replace(plan, mapping)
        _update_kind(plan, kind, split)  # places have moved
        return


def _may_join(plan: Plan, indices: list[int], state_count: int) -> bool:
    """Whether nothing between the first and the last step touches their variables."""
    steps = [plan.steps[i] for i in indices]
    touched: list[Value] = [v for s in steps for v in s.inputs[:state_count]]
    if len(set(touched)) != len(touched):
        return False
    outputs = {o for s in steps for o in s.outputs}
    inside = set(steps)
    for step in plan.steps[indices[0] : indices[-1]]:
        if step in inside:
            continue
        for value in step.flat_inputs():
            if value in outputs or value in touched:
                return False
            if value.kind == "R" and step.takes_session:
                return False
    return True


def _joined(kind: str, steps: list[Step], state_count: int, rate_places: tuple[int, ...]) -> Step:
    first = steps[0]
    count = len(first.inputs)
    grad_place = next(i for i in range(state_count, count) if i not in rate_places)
    states = [[s.inputs[i] for s in steps] for i in range(state_count)]
    grads = [s.inputs[grad_place] for s in steps]
    rates = [first.inputs[p] for p in rate_places]
    nesterov = bool(first.node._attrs.get("use_nesterov", False))  # type: ignore[union-attr]
    function = _UPDATES[kind]
    return Step(
        f"{kind} x {len(steps)}",
        lambda rates, grads, *states: function(rates, grads, states, nesterov),
        [rates, grads, *states],
        [],
        first.node,
        nodes=tuple(n for s in steps for n in s.nodes),
    )


def _gradient_descent(rates: list[Any], grads: list[Any], states: Any, _: bool) -> None:
    rate = float(rates[0])
    update_all(states[0], lambda values: torch._foreach_add_(values, grads, alpha=-rate))


def _momentum(rates: list[Any], grads: list[Any], states: Any, nesterov: bool) -> None:
    rate, momentum = float(rates[0]), float(rates[1])
    count = len(states[0])

    def change(values: list[torch.Tensor]) -> None:
        variables, sums = values[:count], values[count:]
        torch._foreach_mul_(sums, momentum)
        torch._foreach_add_(sums, grads)
        if nesterov:
            torch._foreach_add_(variables, grads, alpha=-rate)
            torch._foreach_add_(variables, sums, alpha=-rate * momentum)
        else:
            torch._foreach_add_(variables, sums, alpha=-rate)

    update_all([*states[0], *states[1]], change)


def _adam(rates: list[Any], grads: list[Any], states: Any, nesterov: bool) -> None:
    """Kingma and Ba, "Adam" (2015), §2 last formula: epsilon is not scaled by the correction."""
    beta1_power, beta2_power, rate, beta1, beta2, epsilon = (float(r) for r in rates)
    step = rate * (1 - beta2_power) ** 0.5 / (1 - beta1_power)
    count = len(states[0])

    def change(values: list[torch.Tensor]) -> None:
        variables, means, squares = values[:count], values[count : 2 * count], values[2 * count :]
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, epsilon)
        if nesterov:
            moved = torch._foreach_mul(means, beta1)
            torch._foreach_add_(moved, grads, alpha=1 - beta1)
            torch._foreach_addcdiv_(variables, moved, roots, -step)
        else:
            torch._foreach_addcdiv_(variables, means, roots, -step)

    update_all([*states[0], *states[1], *states[2]], change)


# op type -> (number of variable inputs, places of the scalar rates)
_GROUPED: dict[str, tuple[int, tuple[int, ...]]] = {
    "ApplyGradientDescent": (1, (1,)),
    "ResourceApplyGradientDescent": (1, (1,)),
    "ApplyMomentum": (2, (2, 4)),
    "ResourceApplyMomentum": (2, (2, 4)),
    "ApplyAdam": (3, (3, 4, 5, 6, 7, 8)),
    "ResourceApplyAdam": (3, (3, 4, 5, 6, 7, 8)),
}
_UPDATES: dict[str, Callable[..., None]] = {
    "ApplyGradientDescent": _gradient_descent,
    "ResourceApplyGradientDescent": _gradient_descent,
    "ApplyMomentum": _momentum,
    "ResourceApplyMomentum": _momentum,
    "ApplyAdam": _adam,
    "ResourceApplyAdam": _adam,
}
