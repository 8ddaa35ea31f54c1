"""Passes that join the updates of several variables into one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import torch

from relight.engine.folding import replace, token
from relight.engine.fusions import Uses, is_node, same_known_shapes
from relight.engine.resources import update_all
from relight.engine.steps import Plan, Step, Value
from relight.ops import training


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
            None if plan.placed is None else plan.placed.get(step.node),  # type: ignore[arg-type]
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
        replace(plan, mapping)
        _update_kind(plan, kind, split)  # places have moved
        return


def _may_join(plan: Plan, indices: list[int], state_count: int) -> bool:
    """Whether the updates of these places can all be made at the last one."""
    steps = [plan.steps[i] for i in indices]
    held: list[Value] = [v for s in steps for v in s.inputs[:state_count]]
    outputs = {o for s in steps for o in s.outputs if o is not None}
    between = plan.steps[indices[0] : indices[-1]]
    return len(set(held)) == len(held) and _untouched(between, set(steps), {*held, *outputs})


def _untouched(between: list[Step], own: set[Step], values: set[Value]) -> bool:
    """Whether no step `between`, but `own` ones, reads `values` or could by the session's state."""
    for step in between:
        if step in own:
            continue
        inputs = step.flat_inputs()
        if any(v in values for v in inputs):
            return False
        if step.takes_session and any(v.kind == "R" for v in inputs):
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
    step = training.adam_step(rate, beta1_power, beta2_power)
    count = len(states[0])

    def change(values: list[torch.Tensor]) -> None:
        variables, means, squares = values[:count], values[count : 2 * count], values[2 * count :]
        if not nesterov and training.fuses_adam(values, beta1, beta2):
            training.adam_in_one_pass(
                variables,
                means,
                squares,
                grads,
                step=step,
                beta1=beta1,
                beta2=beta2,
                epsilon=epsilon,
            )
            return
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, epsilon)
        moved: Any = means
        if nesterov:
            moved = torch._foreach_mul(means, beta1)
            torch._foreach_add_(moved, grads, alpha=1 - beta1)
        torch._foreach_addcdiv_(variables, moved, roots, -step)

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


# -- moving averages -------------------------------------------------------------------------------


def average_together(plan: Plan) -> None:
    """`variable -= (variable - value) * rate`, the step of a moving average, in one pass over each.

    All averages that have the same rate and that nothing comes in between are taken at once.
    """
    by_rate: dict[Any, list[_Average]] = {}
    for average in _averages(plan):
        by_rate.setdefault(token(plan, average.rate), []).append(average)
    gone: set[Step] = set()
    for averages in by_rate.values():
        indices = [plan.steps.index(a.update) for a in averages]
        if not _nothing_between(plan, averages, indices):
            continue
        variables = [a.variable for a in averages]
        values = [a.value for a in averages]
        joined = Step(
            f"MovingAverage x {len(averages)}",
            _move_averages,
            [averages[0].rate, values, variables],
            [],
            averages[0].update.node,
            nodes=tuple(n for a in averages for s in a.steps for n in s.nodes),
        )
        plan.steps[indices[-1]] = joined
        gone.update(s for a in averages for s in a.steps)
    plan.steps = [s for s in plan.steps if s not in gone]


@dataclasses.dataclass(frozen=True)
class _Average:
    variable: Value  # its resource
    value: Value
    rate: Value
    steps: tuple[Step, ...]  # read, difference, product, update

    @property
    def update(self) -> Step:
        return self.steps[-1]


def _averages(plan: Plan) -> Iterator[_Average]:
    """AssignSub(v, Mul(Sub(read v, value), scalar)) whose inner values nothing else reads."""
    uses = Uses(plan)
    for step in plan.steps:
        if not is_node(step, "AssignSub", "AssignSubVariableOp"):
            continue
        if any(o is not None and uses.read_by.get(o) for o in step.outputs):
            continue
        variable, product = step.inputs
        scaled = uses.lone(product, "Mul")
        if scaled is None:
            continue
        moved = uses.lone(scaled.inputs[0], "Sub")
        if moved is None:
            continue
        before, value = moved.inputs
        read = uses.lone(before)
        if read is None or read.what != "read" or read.inputs[0] is not variable:
            continue
        if _suits_average(scaled, moved):
            yield _Average(variable, value, scaled.inputs[1], (read, moved, scaled, step))


def _suits_average(scaled: Step, moved: Step) -> bool:
    assert scaled.node is not None
    rate = scaled.node._inputs[1]
    return (
        rate.shape.ndims == 0
        and rate.dtype.base_dtype.is_floating
        and same_known_shapes(moved.node)
    )


def _nothing_between(plan: Plan, averages: list[_Average], indices: list[int]) -> bool:
    """Whether no other step touches the averages between the first reading and the last update."""
    own = {s for a in averages for s in a.steps}
    variables = {a.variable for a in averages}
    first = min(plan.steps.index(a.steps[0]) for a in averages)
    between = plan.steps[first : indices[-1]]
    return len(variables) == len(averages) and _untouched(between, own, variables)


def _move_averages(rate: Any, values: list[torch.Tensor], variables: list[Any]) -> None:
    weight = float(rate)

    def change(held: list[torch.Tensor]) -> None:
        torch._foreach_lerp_(held, values, weight)

    update_all(variables, change)
