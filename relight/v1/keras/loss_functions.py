"""`tf.keras.losses` and `tf.keras.metrics`: those that are plain functions of tensors.

All take true values and predictions [batch, ..., n] and give [batch, ...].
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.clip import clip_by_value
from relight.v1.functions.control_flow import smart_cond
from relight.v1.functions.math import argmax
from relight.v1.functions.nn import (
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from relight.v1.functions.nn_losses import sigmoid_cross_entropy_with_logits
from relight.v1.functions.nn_norm import l2_normalize

_EPSILON = 1e-7
_FLOAT = dtypes.float32


def _pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    y_pred = convert_to_tensor(y_pred)
    return nodes.cast(y_true, y_pred.dtype), y_pred


def _mean(x: Tensor) -> Tensor:
    if x.dtype.base_dtype == dtypes.bool:
        x = nodes.cast(x, _FLOAT)
    return nodes.reduce_mean(x, -1)


def _clipped(x: Tensor, high: float | None = None) -> Tensor:
    """x, not below Keras's epsilon."""
    low = convert_to_tensor(_EPSILON, dtype=x.dtype.base_dtype)
    limit = convert_to_tensor(float("inf") if high is None else high, dtype=x.dtype.base_dtype)
    return clip_by_value(x, low, limit)


@export(
    "keras.losses.mean_squared_error",
    "keras.losses.mse",
    "keras.losses.MSE",
    "keras.metrics.mean_squared_error",
    "keras.metrics.mse",
    "keras.metrics.MSE",
)
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of (y_pred - y_true)^2."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(raw.SquaredDifference(y_pred, y_true))


@export(
    "keras.losses.mean_absolute_error",
    "keras.losses.mae",
    "keras.losses.MAE",
    "keras.metrics.mean_absolute_error",
    "keras.metrics.mae",
    "keras.metrics.MAE",
)
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of |y_pred - y_true|."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(nodes.abs(y_pred - y_true))


@export(
    "keras.losses.mean_absolute_percentage_error",
    "keras.losses.mape",
    "keras.losses.MAPE",
    "keras.metrics.mean_absolute_percentage_error",
    "keras.metrics.mape",
    "keras.metrics.MAPE",
)
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 times the mean of |y_true - y_pred| / |y_true|."""
    y_true, y_pred = _pair(y_true, y_pred)
    return 100.0 * _mean(nodes.abs((y_true - y_pred) / _clipped(nodes.abs(y_true))))


@export(
    "keras.losses.mean_squared_logarithmic_error",
    "keras.losses.msle",
    "keras.losses.MSLE",
    "keras.metrics.mean_squared_logarithmic_error",
    "keras.metrics.msle",
    "keras.metrics.MSLE",
)
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of (log(1 + y_pred) - log(1 + y_true))^2."""
    y_true, y_pred = _pair(y_true, y_pred)
    first = raw.Log(_clipped(y_pred) + 1.0)
    second = raw.Log(_clipped(y_true) + 1.0)
    return _mean(raw.SquaredDifference(first, second))


def _signed(y_true: Tensor) -> Tensor:
    """Labels 0 and 1 as -1 and 1; others as they are."""
    binary = nodes.reduce_all(raw.LogicalOr(raw.Equal(y_true, 0), raw.Equal(y_true, 1)))
    return smart_cond(binary, lambda: 2.0 * y_true - 1.0, lambda: y_true)


@export("keras.losses.squared_hinge", "keras.metrics.squared_hinge")
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of max(1 - y_true y_pred, 0)^2, with labels -1 and 1 (or 0 and 1)."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(raw.Square(raw.Maximum(1.0 - _signed(y_true) * y_pred, 0.0)))


@export("keras.losses.hinge", "keras.metrics.hinge")
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of max(1 - y_true y_pred, 0), with labels -1 and 1 (or 0 and 1)."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(raw.Maximum(1.0 - _signed(y_true) * y_pred, 0.0))


@export("keras.losses.categorical_hinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(0, 1 + the best wrong class - the right class)."""
    y_true, y_pred = _pair(y_true, y_pred)
    right = nodes.reduce_sum(y_true * y_pred, axis=-1)
    wrong = nodes.reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return raw.Maximum(0.0, wrong - right + 1.0)


@export("keras.losses.logcosh")
def logcosh(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of log(cosh(y_pred - y_true))."""
    y_true, y_pred = _pair(y_true, y_pred)
    x = y_pred - y_true
    return _mean(x + raw.Softplus(-2.0 * x) - raw.Log(2.0))


def _smoothed(y_true: Tensor, smoothing: Any, smooth: Any) -> Tensor:
    smoothing = convert_to_tensor(smoothing, dtype=_FLOAT)
    return smart_cond(smoothing, lambda: smooth(smoothing), lambda: y_true)


def _logits_of(y_pred: Any, op_type: str) -> Tensor | None:
    """What the activation that made y_pred was given; None when another operation made it."""
    op = getattr(y_pred, "op", None)
    return op.inputs[0] if op is not None and op.type == op_type else None


def _of_probabilities(y_pred: Any) -> Tensor:
    low = convert_to_tensor(_EPSILON, dtype=y_pred.dtype.base_dtype)
    return clip_by_value(y_pred, low, 1.0 - low)


@export("keras.losses.categorical_crossentropy", "keras.metrics.categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0
) -> Tensor:
    """-sum of y_true log(y_pred) over classes [..., n]; of logits if `from_logits`.

    The logits of a softmax are used directly, which is more exact.
    """
    y_true, y_pred = _pair(y_true, y_pred)

    def smooth(by: Tensor) -> Tensor:
        classes = nodes.cast(array_nodes.shape(y_true)[1], y_pred.dtype)
        return y_true * (1.0 - by) + by / classes

    target = _smoothed(y_true, label_smoothing, smooth)
    if not from_logits:
        logits = _logits_of(y_pred, "Softmax")
        if logits is None:
            y_pred = y_pred / nodes.reduce_sum(y_pred, -1, True)
            return -nodes.reduce_sum(target * raw.Log(_of_probabilities(y_pred)), -1)
        y_pred = logits
    return softmax_cross_entropy_with_logits_v2(labels=target, logits=y_pred, axis=-1)


@export(
    "keras.losses.sparse_categorical_crossentropy",
    "keras.metrics.sparse_categorical_crossentropy",
)
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-log(y_pred[..., y_true]) of class numbers; of logits if `from_logits`.

    `axis` is the dimension of the classes.
    """
    if not from_logits:
        logits = _logits_of(y_pred, "Softmax")
        y_pred = raw.Log(_of_probabilities(y_pred)) if logits is None else logits
    rank = y_pred.shape.ndims
    if rank is not None:
        axis %= rank
        if axis != rank - 1:
            order = [*range(axis), *range(axis + 1, rank), axis]
            y_pred = array_nodes.transpose(y_pred, perm=order)
    elif axis != -1:
        raise ValueError(
            f"Cannot compute sparse categorical crossentropy with `axis={axis}` on an output "
            "tensor with unknown rank"
        )
    y_true = nodes.cast(y_true, dtypes.int64)
    shape = array_nodes.shape(y_pred)
    flat = None not in (y_true.shape.ndims, rank) and y_true.shape.ndims != rank - 1
    if flat:
        y_true = array_nodes.reshape(y_true, [-1])
        y_pred = array_nodes.reshape(y_pred, [-1, shape[-1]])
    loss = sparse_softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)
    return array_nodes.reshape(loss, shape[:-1]) if flat and rank >= 3 else loss


@export("keras.losses.binary_crossentropy", "keras.metrics.binary_crossentropy")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0
) -> Tensor:
    """Mean of -y_true log(y_pred) - (1 - y_true) log(1 - y_pred); of logits if `from_logits`.

    The logits of a sigmoid are used directly, which is more exact.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    target = _smoothed(y_true, label_smoothing, lambda by: y_true * (1.0 - by) + 0.5 * by)
    if not from_logits:
        logits = _logits_of(y_pred, "Sigmoid")
        if logits is None:
            y_pred = _of_probabilities(y_pred)
            loss = target * raw.Log(y_pred + _EPSILON)
            loss += (1 - target) * raw.Log(1 - y_pred + _EPSILON)
            return _mean(-loss)
        y_pred = logits
    return _mean(sigmoid_cross_entropy_with_logits(labels=target, logits=y_pred))


@export(
    "keras.losses.kullback_leibler_divergence",
    "keras.losses.kld",
    "keras.losses.KLD",
    "keras.metrics.kullback_leibler_divergence",
    "keras.metrics.kld",
    "keras.metrics.KLD",
)
def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """Sum of y_true log(y_true / y_pred)."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true, y_pred = _clipped(y_true, 1), _clipped(y_pred, 1)
    return nodes.reduce_sum(y_true * raw.Log(y_true / y_pred), axis=-1)


@export("keras.losses.poisson", "keras.metrics.poisson")
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of y_pred - y_true log(y_pred)."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(y_pred - y_true * raw.Log(y_pred + _EPSILON))


@export(
    "keras.losses.cosine_proximity",
    "keras.losses.cosine",
    "keras.losses.cosine_similarity",
    "keras.metrics.cosine_proximity",
    "keras.metrics.cosine",
)
def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The cosine of the angle between the two along `axis`."""
    return nodes.reduce_sum(
        l2_normalize(y_true, axis=axis) * l2_normalize(y_pred, axis=axis), axis=axis
    )


@export("keras.metrics.categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1.0 where the largest elements [..., n] are at the same place."""
    same = raw.Equal(argmax(y_true, axis=-1), argmax(y_pred, axis=-1))
    return nodes.cast(same, _FLOAT)


@export("keras.metrics.sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1.0 where the largest element [..., n] is at the place that y_true [...] says."""
    y_pred, y_true = convert_to_tensor(y_pred), convert_to_tensor(y_true)
    ranks = y_pred.shape.ndims, y_true.shape.ndims
    if None not in ranks and ranks[0] == ranks[1]:
        y_true = array_nodes.squeeze(y_true, [-1])
    found = argmax(y_pred, axis=-1)
    if found.dtype != y_true.dtype:
        found = nodes.cast(found, y_true.dtype)
    return nodes.cast(raw.Equal(y_true, found), _FLOAT)


@export("keras.metrics.binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """The share of elements whose side of `threshold` is the true one."""
    limit = nodes.cast(threshold, y_pred.dtype)
    return _mean(raw.Equal(y_true, nodes.cast(y_pred > limit, y_pred.dtype)))
