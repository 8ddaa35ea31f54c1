"""Learning rates that change with the global step. Each gives a scalar tensor.

The formulas are in the docstrings; t is the global step, T is `decay_steps`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops.build import convert_n, convert_to_tensor, raw
from relight.ops.constants import constant
from relight.ops.math_nodes import cast, divide
from relight.ops.math_nodes import pow as power_of
from relight.v1.functions.control_flow import case, cond
from relight.v1.functions.math import multiply
from relight.v1.functions.random import random_normal


def _start(global_step: Any, learning_rate: Any, *others: Any) -> list[Any]:
    """The learning rate as tensor, then the others and the step in its type."""
    rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
    return [rate, *(cast(o, rate.dtype) for o in others), cast(global_step, rate.dtype)]


def _exponential(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool,
    name: str | None,
) -> Tensor:
    with name_scope(name or "ExponentialDecay") as scope:
        rate, steps, factor, step = _start(global_step, learning_rate, decay_steps, decay_rate)
        p = step / steps
        if staircase:
            p = raw.Floor(p)
        return multiply(rate, power_of(factor, p), name=scope)


@export("train.exponential_decay")
def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * decay_rate ** (t / T), with `staircase` the floor of t / T."""
    return _exponential(learning_rate, global_step, decay_steps, decay_rate, staircase, name)


@export("train.natural_exp_decay")
def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * exp(-decay_rate * t / T), with `staircase` the floor of t / T."""
    factor = raw.Exp(raw.Neg(decay_rate))
    return _exponential(learning_rate, global_step, decay_steps, factor, staircase, name)


@export("train.inverse_time_decay")
def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate / (1 + decay_rate * t / T), with `staircase` the floor of t / T."""
    with name_scope(name or "InverseTimeDecay") as scope:
        rate, steps, factor, step = _start(global_step, learning_rate, decay_steps, decay_rate)
        p = step / steps
        if staircase:
            p = raw.Floor(p)
        one = cast(constant(1), rate.dtype)
        return divide(rate, raw.Add(one, multiply(factor, p)), name=scope)


@export("train.piecewise_constant", "train.piecewise_constant_decay")
def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Any:
    """values[0] for x <= boundaries[0], values[i] for boundaries[i-1] < x <= boundaries[i], ...

    Raises ValueError when there is not one value more than boundaries, or when types differ (int32
    boundaries suit an int64 x).
    """
    boundaries = convert_n(boundaries)
    values = convert_n(values)
    x_type = convert_to_tensor(x).dtype.base_dtype
    for i, boundary in enumerate(boundaries):
        found = boundary.dtype.base_dtype
        if found == x_type:
            continue
        if found is not dtypes.int32 or x_type is not dtypes.int64:
            raise ValueError(f"Boundaries ({found}) must have the same dtype as x ({x_type}).")
        boundaries[i] = cast(boundary, x_type)
    for value in values[1:]:
        if value.dtype.base_dtype != values[0].dtype.base_dtype:
            raise ValueError(
                f"Values must have elements all with the same dtype ({values[0].dtype.base_dtype} "
                f"vs {value.dtype.base_dtype})."
            )
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name or "PiecewiseConstant"):
        x = convert_to_tensor(x)

        def give(value: Tensor) -> Callable[[], Tensor]:
            return lambda: value

        pairs = [
            (x <= boundaries[0], give(values[0])),
            (x > boundaries[-1], give(values[-1])),
        ]
        for low, high, value in zip(boundaries[:-1], boundaries[1:], values[1:-1], strict=True):
            pairs.append(((x > low) & (x <= high), give(value)))
        return case(pairs, give(values[0]), exclusive=True)


@export("train.polynomial_decay")
def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """(learning_rate - end) * (1 - min(t, T) / T) ** power + end.

    With `cycle` the decay starts anew: T is multiplied by ceil(t / T) instead.
    """
    with name_scope(name or "PolynomialDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        dtype = rate.dtype
        end, exponent = cast(end_learning_rate, dtype), cast(power, dtype)
        step, steps = cast(global_step, dtype), cast(decay_steps, dtype)
        if cycle:
            multiplier = cond(raw.Equal(step, 0), lambda: 1.0, lambda: raw.Ceil(step / decay_steps))
            steps = multiply(steps, multiplier)
        else:
            step = raw.Minimum(step, decay_steps)
        p = divide(step, steps)
        return raw.Add(multiply(rate - end, power_of(1 - p, exponent)), end, name=scope)


def _cosine(fraction: Tensor) -> Tensor:
    return 1.0 + raw.Cos(constant(math.pi) * fraction)


@export("train.cosine_decay")
def cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """learning_rate * ((1 - alpha) * (1 + cos(pi * min(t, T) / T)) / 2 + alpha).

    Loshchilov and Hutter 2016.
    """
    with name_scope(name or "CosineDecay"):
        rate, steps, step = _start(global_step, learning_rate, decay_steps)
        completed = raw.Minimum(step, steps) / steps
        decayed = (1 - alpha) * (0.5 * _cosine(completed)) + alpha
        return multiply(rate, decayed)


@export("train.cosine_decay_restarts")
def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: Any = 2.0,
    m_mul: Any = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """`cosine_decay` that starts anew after `first_decay_steps`, then after t_mul times as many ...

    Each new start is at m_mul times the rate of the one before. Loshchilov and Hutter 2016.
    """
    with name_scope(name or "SGDRDecay") as scope:
        rate, steps, low, t_factor, m_factor, step = _start(
            global_step, learning_rate, first_decay_steps, alpha, t_mul, m_mul
        )
        completed = step / steps

        def growing() -> tuple[Tensor, Tensor]:
            restart = raw.Floor(raw.Log(1.0 - completed * (1.0 - t_factor)) / raw.Log(t_factor))
            before = (1.0 - t_factor**restart) / (1.0 - t_factor)
            return restart, (completed - before) / t_factor**restart

        def equal() -> tuple[Tensor, Tensor]:
            restart = raw.Floor(completed)
            return restart, completed - restart

        restart, fraction = cond(raw.Equal(t_factor, 1.0), equal, growing)
        decayed = 0.5 * m_factor**restart * _cosine(fraction)
        return multiply(rate, (1 - low) * decayed + low, name=scope)


@export("train.linear_cosine_decay")
def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """learning_rate * ((alpha + linear) * cosine + beta), for t limited to T.

    linear = (T - t) / T, cosine = (1 + cos(2 pi num_periods t / T)) / 2. Bello et al. 2017.
    """
    with name_scope(name or "LinearCosineDecay") as scope:
        rate, steps, periods, low, floor, step = _start(
            global_step, learning_rate, decay_steps, num_periods, alpha, beta
        )
        step = raw.Minimum(step, steps)
        linear = (steps - step) / steps
        completed = step / steps
        cosine = 0.5 * _cosine(2.0 * periods * completed)
        return multiply(rate, (low + linear) * cosine + floor, name=scope)


@export("train.noisy_linear_cosine_decay")
def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay` with noise of variance initial_variance / (1 + t) ** variance_decay."""
    with name_scope(name or "NoisyLinearCosineDecay") as scope:
        rate, steps, variance, decay, periods, low, floor, step = _start(
            global_step,
            learning_rate,
            decay_steps,
            initial_variance,
            variance_decay,
            num_periods,
            alpha,
            beta,
        )
        step = raw.Minimum(step, steps)
        linear = (steps - step) / steps
        deviation = raw.Sqrt(variance / power_of(1.0 + step, decay))
        noisy = linear + random_normal(linear.shape, stddev=deviation)
        completed = step / steps
        cosine = 0.5 * _cosine(2.0 * periods * completed)
        return multiply(rate, (low + noisy) * cosine + floor, name=scope)
