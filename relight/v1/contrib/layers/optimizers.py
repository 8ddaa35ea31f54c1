"""`tf.contrib.layers.optimize_loss`: a training operation with clipping, decay and summaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.array import where
from relight.v1.functions.clip import clip_by_global_norm, global_norm
from relight.v1.functions.control import with_dependencies
from relight.v1.functions.init import Constant, Zeros
from relight.v1.functions.random import truncated_normal
from relight.v1.functions.variable_lists import trainable_variables
from relight.v1.functions.variable_scope import get_variable, variable_scope
from relight.v1.summary import summary_ops as summary
from relight.v1.train import training_util
from relight.v1.train.adagrad import AdagradOptimizer
from relight.v1.train.adam import AdamOptimizer
from relight.v1.train.ftrl import FtrlOptimizer
from relight.v1.train.gradient_descent import GradientDescentOptimizer
from relight.v1.train.momentum import MomentumOptimizer
from relight.v1.train.moving_averages import assign_moving_average
from relight.v1.train.optimizer import Optimizer
from relight.v1.train.rmsprop import RMSPropOptimizer


def _momentum(learning_rate: Any) -> MomentumOptimizer:
    return MomentumOptimizer(learning_rate, momentum=0.9)


OPTIMIZER_CLS_NAMES = export(
    "contrib.layers.OPTIMIZER_CLS_NAMES", "contrib.slim.OPTIMIZER_CLS_NAMES"
)(
    {
        "Adagrad": AdagradOptimizer,
        "Adam": AdamOptimizer,
        "Ftrl": FtrlOptimizer,
        "Momentum": _momentum,
        "RMSProp": RMSPropOptimizer,
        "SGD": GradientDescentOptimizer,
    }
)

OPTIMIZER_SUMMARIES = export(
    "contrib.layers.OPTIMIZER_SUMMARIES", "contrib.slim.OPTIMIZER_SUMMARIES"
)(["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"])

Pairs = list[tuple[Any, Any]]


@export("contrib.layers.optimize_loss", "contrib.slim.optimize_loss")
def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: float | None = None,
    gradient_multipliers: Any = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Any = None,
    update_ops: Any = None,
    variables: Any = None,
    name: str | None = None,
    summaries: Any = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Tensor:
    """The loss, a scalar, whose evaluation also trains one step.

    `optimizer` is a name of OPTIMIZER_CLS_NAMES, a class, an optimizer, or a function that makes
    one (of the learning rate, when there is one). `clip_gradients` is a greatest global norm or a
    function of (gradient, variable) pairs; `gradient_multipliers` factors by variable or name.
    `update_ops` (UPDATE_OPS by default) run before. `summaries`: names of OPTIMIZER_SUMMARIES.
    """
    loss = convert_to_tensor(loss)
    if loss.shape.ndims not in (None, 0):
        raise ValueError(
            f"Expected scalar shape for {loss.name}, saw shape: {tuple(loss.shape.as_list())}."
        )
    if global_step is None:
        global_step = training_util.get_global_step()
    else:
        training_util.assert_global_step(global_step)
    with variable_scope(name, "OptimizeLoss", [loss, global_step]):
        if update_ops is None:
            update_ops = get_default_graph().get_collection(GraphKeys.UPDATE_OPS)
        if update_ops:
            loss = with_dependencies(list(dict.fromkeys(update_ops)), loss)
        rate = _learning_rate(learning_rate)
        summaries = _checked_summaries(summaries)
        if learning_rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in summaries:
                summary.scalar("learning_rate", rate)
        opt = _optimizer(optimizer, rate)
        gradients = opt.compute_gradients(
            loss,
            trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gradient_noise_scale is not None:
            gradients = [(_with_noise(g, gradient_noise_scale), v) for g, v in gradients]
        if gradient_multipliers is not None:
            gradients = [(_multiplied(g, v, gradient_multipliers), v) for g, v in gradients]
            if not gradients:
                raise ValueError(
                    "Empty list of (gradient, var) pairs encountered. This is most likely to be "
                    "caused by an improper value of gradient_multipliers."
                )
        norms = "global_gradient_norm" in summaries or "gradient_norm" in summaries
        if norms:
            _norm_summary("global_norm/gradient_norm", gradients)
        if isinstance(clip_gradients, float):
            clipped, _ = clip_by_global_norm([g for g, _ in gradients], clip_gradients)
            gradients = list(zip(clipped, [v for _, v in gradients], strict=True))
        elif callable(clip_gradients):
            gradients = clip_gradients(gradients)
        elif clip_gradients is not None:
            raise ValueError(f"Unknown type {type(clip_gradients)} for clip_gradients")
        if "loss" in summaries:
            summary.scalar("loss", loss)
        _gradient_summaries(gradients, summaries)
        if clip_gradients is not None and norms:
            _norm_summary("global_norm/clipped_gradient_norm", gradients)
        train = opt.apply_gradients(
            gradients, global_step=global_step if increment_global_step else None, name="train"
        )
        return with_dependencies([train], loss)


def _learning_rate(given: Any) -> Any:
    if given is None or (isinstance(given, Tensor) and given.shape.ndims == 0):
        return given
    if isinstance(given, float):
        if given < 0.0:
            raise ValueError("Invalid learning_rate %s.", given)
        return get_variable("learning_rate", [], trainable=False, initializer=Constant(given))
    raise ValueError(
        f"Learning rate should be 0d Tensor or float. Got {given} of type {type(given)}"
    )


def _checked_summaries(given: Any) -> Any:
    if given is None:
        return ["loss", "learning_rate", "global_gradient_norm"]
    for item in given:
        if item not in OPTIMIZER_SUMMARIES:
            raise ValueError(
                f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided "
                f"{item}."
            )
    return given


def _optimizer(given: Any, rate: Any) -> Optimizer:
    needs_rate = "Learning rate is None, but should be specified if optimizer is"
    if isinstance(given, str):
        if rate is None:
            raise ValueError(f"{needs_rate} string ({given}).")
        if given not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided "
                f"{given}."
            )
        return OPTIMIZER_CLS_NAMES[given](learning_rate=rate)
    if isinstance(given, type) and issubclass(given, Optimizer):
        if rate is None:
            raise ValueError(f"{needs_rate} class ({given}).")
        return given(learning_rate=rate)  # type: ignore[call-arg]
    if isinstance(given, Optimizer):
        return given
    if callable(given):
        made = given() if rate is None else given(rate)
        if not isinstance(made, Optimizer):
            raise ValueError(
                f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}."
            )
        return made
    raise ValueError(
        "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of "
        f"Optimizer or function with one argument. Got {given}."
    )


def _norm_summary(name: str, gradients: Pairs) -> None:
    summary.scalar(name, global_norm([g for g, _ in gradients]))


def _gradient_summaries(gradients: Pairs, summaries: Any) -> None:
    for gradient, variable in gradients:
        values = gradient.values if isinstance(gradient, IndexedSlices) else gradient
        if values is None:
            continue
        name = variable.name.replace(":", "_")
        if "gradients" in summaries:
            summary.histogram(f"gradients/{name}", values)
        if "gradient_norm" in summaries:
            summary.scalar(f"gradient_norm/{name}", global_norm([values]))


def _with_noise(gradient: Any, scale: float) -> Any:
    if gradient is None:
        return None
    slices = isinstance(gradient, IndexedSlices)
    shape = gradient.dense_shape if slices else gradient.shape
    return convert_to_tensor(gradient) + truncated_normal(shape) * scale


def _multiplied(gradient: Any, variable: Any, multipliers: Any) -> Any:
    if gradient is None:
        return None
    key = variable if variable in multipliers else variable.name
    if key not in multipliers:
        return gradient
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(
            gradient.values * multipliers[key], gradient.indices, gradient.dense_shape
        )
    return gradient * nodes.cast(multipliers[key], gradient.dtype)


def _adaptive_norm(
    norm: Any, std_factor: float, decay: Any, global_step: Any, epsilon: float, name: str | None
) -> tuple[Any, Any]:
    """(greatest usual norm, mean of the logarithm), by moving averages of log norms."""
    with variable_scope(name, "AdaptiveMaxNorm", [norm]):
        log_norm = raw.Log(norm + epsilon)

        def average(what: str, value: Any) -> Any:
            variable = get_variable(
                what, shape=value.shape, dtype=value.dtype, initializer=Zeros(), trainable=False
            )
            return assign_moving_average(variable, value, decay, zero_debias=False)

        if global_step is not None:
            # Early steps count more, so that the averages do not begin at zero.
            n = nodes.cast(global_step, dtypes.float32)
            decay = raw.Minimum(decay, n / (n + 1.0))
        mean = average("mean", log_norm)
        square = average("sq_mean", raw.Square(log_norm))
        variance = square - raw.Square(mean)
        std = raw.Sqrt(raw.Maximum(epsilon, variance))
        return raw.Exp(mean + std_factor * std), mean


@export("contrib.slim.adaptive_clipping_fn")
def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: float = 0.95,
    static_max_norm: float | None = None,
    global_step: Any = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[Pairs], Pairs]:
    """A `clip_gradients` that clips norms which are unusually great for this training."""

    def clip(pairs: Pairs) -> Pairs:
        gradients = [g for g, _ in pairs]
        norm = global_norm(gradients)
        greatest, log_mean = _adaptive_norm(norm, std_factor, decay, global_step, epsilon, name)
        if report_summary:
            summary.scalar("global_norm/adaptive_max_gradient_norm", greatest)
        factor = where(norm < greatest, array_nodes.ones_like(norm), raw.Exp(log_mean) / norm)
        if static_max_norm is not None:
            factor = raw.Minimum(static_max_norm / norm, factor)

        def clipped(gradient: Any) -> Any:
            if gradient is None:
                return None
            if isinstance(gradient, IndexedSlices):
                values = gradient.values * factor
                return IndexedSlices(values, gradient.indices, gradient.dense_shape)
            return gradient * factor

        return [(clipped(g), v) for g, v in pairs]

    return clip
