"""`tf.contrib.losses`, of TensorFlow 1.0: predictions come before labels, weights [batch, ...].

Losses are summed with their weights and divided by the number of elements whose weight is not zero.
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.functions import nn, nn_losses
from relight.v1.functions.array import where
from relight.v1.functions.math import add_n, multiply, subtract
from relight.v1.losses import util


def _float(x: Any) -> Any:
    return nodes.cast(x, dtypes.float32)


def _scaled_sum(losses: Tensor, weights: Tensor) -> Tensor:
    """The sum of the losses, each example's or element's times its weight."""
    axis = list(range(weights.shape.ndims, losses.shape.ndims))
    return nodes.reduce_sum(multiply(nodes.reduce_sum(losses, axis=axis), weights))


def _num_present(losses: Tensor, weights: Tensor, per_batch: bool = False) -> Tensor:
    """The number of elements with a weight that is not zero: a scalar, or [batch]."""
    rank = weights.shape.ndims
    if rank == 0:
        batch = array_nodes.reshape(raw.Slice(array_nodes.shape(losses), [0], [1]), [])
        count = nodes.div(_float(array_nodes.size(losses)), _float(batch))
        count = where(raw.Equal(weights, 0), 0.0, count)
        count = multiply(array_nodes.ones(array_nodes.reshape(batch, [1])), count)
    else:
        present = _float(raw.NotEqual(weights, 0))
        nonzero = nodes.reduce_sum(present, axis=list(range(1, rank)))
        rest = raw.Slice(array_nodes.shape(losses), [rank], [-1])
        count = multiply(nonzero, _float(nodes.reduce_prod(rest)))
    return count if per_batch else nodes.reduce_sum(count)


@export("contrib.losses.compute_weighted_loss", "contrib.slim.losses.compute_weighted_loss")
def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: str | None = None) -> Tensor:
    """The weighted mean of `losses` [batch, ...], a scalar, added to LOSSES."""
    with name_scope(scope, "weighted_loss", [losses, weights]):
        losses = convert_to_tensor(losses)
        given_type = losses.dtype
        losses = _float(losses)
        weights = _float(convert_to_tensor(weights))
        if losses.shape.ndims is None:
            raise ValueError("losses.get_shape().ndims cannot be None")
        if weights.shape.ndims is None:
            raise ValueError("weights.get_shape().ndims cannot be None")
        if weights.shape.ndims > 1 and weights.shape.dims[-1].is_compatible_with(1):
            weights = array_nodes.squeeze(weights, [-1])
        total = _scaled_sum(losses, weights)
        count = _num_present(losses, weights)
        mean = nodes.div_no_nan(nodes.reduce_sum(total), count, name="value")
        mean = nodes.cast(mean, given_type)
        add_loss(mean)
        return mean


@export("contrib.losses.add_loss", "contrib.slim.losses.add_loss")
@add_arg_scope
def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Add a loss to a collection; None adds it nowhere."""
    util.add_loss(loss, loss_collection)


@export("contrib.losses.get_losses", "contrib.slim.losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Tensor]:
    """The losses of a collection whose names match `scope`."""
    return util.get_losses(scope, loss_collection)


@export("contrib.losses.get_regularization_losses", "contrib.slim.losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Tensor]:
    """The losses that regularizers gave."""
    return util.get_regularization_losses(scope)


@export("contrib.losses.get_total_loss", "contrib.slim.losses.get_total_loss")
def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Tensor:
    """The sum of all losses, a scalar."""
    losses = get_losses()
    if add_regularization_losses:
        losses = losses + get_regularization_losses()
    return add_n(losses, name=name)


def _as_floats(predictions: Any, labels: Any) -> tuple[Tensor, Tensor]:
    predictions.get_shape().assert_is_compatible_with(labels.get_shape())
    return _float(predictions), _float(labels)


@export("contrib.losses.absolute_difference", "contrib.slim.losses.absolute_difference")
def absolute_difference(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> Tensor:
    """|predictions - labels|."""
    with name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = nodes.abs(subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope=scope)


@export("contrib.losses.sigmoid_cross_entropy", "contrib.slim.losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    logits: Any,
    multi_class_labels: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
) -> Tensor:
    """Cross entropy of sigmoid(logits) against labels 0 or 1; smoothing moves them towards 1/2."""
    values = [logits, multi_class_labels, weights]
    with name_scope(scope, "sigmoid_cross_entropy_loss", values) as scope:
        logits.get_shape().assert_is_compatible_with(multi_class_labels.get_shape())
        labels = nodes.cast(multi_class_labels, logits.dtype)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = nn_losses.sigmoid_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope=scope)


@export("contrib.losses.softmax_cross_entropy", "contrib.slim.losses.softmax_cross_entropy")
def softmax_cross_entropy(
    logits: Any,
    onehot_labels: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
) -> Tensor:
    """Cross entropy of softmax(logits [batch, classes]) against distributions of that shape."""
    values = [logits, onehot_labels, weights]
    with name_scope(scope, "softmax_cross_entropy_loss", values) as scope:
        logits.get_shape().assert_is_compatible_with(onehot_labels.get_shape())
        labels = nodes.cast(onehot_labels, logits.dtype)
        if label_smoothing > 0:
            classes = nodes.cast(array_nodes.shape(labels)[1], logits.dtype)
            negative = label_smoothing / classes
            labels = labels * (1.0 - label_smoothing) + negative
        losses = nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


@export(
    "contrib.losses.sparse_softmax_cross_entropy",
    "contrib.slim.losses.sparse_softmax_cross_entropy",
)
def sparse_softmax_cross_entropy(
    logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None
) -> Tensor:
    """Cross entropy of softmax(logits [batch, classes]) against class numbers [batch(, 1)]."""
    values = [logits, labels, weights]
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", values) as scope:
        labels = array_nodes.reshape(labels, shape=[array_nodes.shape(labels)[0]])
        losses = nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope=scope)


@export("contrib.losses.log_loss", "contrib.slim.losses.log_loss")
def log_loss(
    predictions: Any,
    labels: Any = None,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
) -> Tensor:
    """- labels log(p + epsilon) - (1 - labels) log(1 - p + epsilon), p the predictions."""
    with name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        positive = -multiply(labels, raw.Log(predictions + epsilon))
        negative = multiply(1 - labels, raw.Log(1 - predictions + epsilon))
        return compute_weighted_loss(positive - negative, weights, scope=scope)


@export("contrib.losses.hinge_loss", "contrib.slim.losses.hinge_loss")
def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> Tensor:
    """max(0, 1 - y logits) with y = 2 labels - 1, of the shape of the logits, not collected."""
    with name_scope(scope, "hinge_loss", [logits, labels]) as scope:
        logits.get_shape().assert_is_compatible_with(labels.get_shape())
        labels = _float(labels)
        ones = array_nodes.ones_like(labels)
        labels = subtract(2 * labels, ones)
        return raw.Relu(subtract(ones, multiply(labels, logits)))


@export("contrib.losses.mean_squared_error", "contrib.slim.losses.mean_squared_error")
def mean_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> Tensor:
    """(predictions - labels)^2."""
    with name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = raw.SquaredDifference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope=scope)


@export(
    "contrib.losses.mean_pairwise_squared_error", "contrib.slim.losses.mean_pairwise_squared_error"
)
def mean_pairwise_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> Tensor:
    """The mean of ((p_i - p_j) - (l_i - l_j))^2 over all pairs of elements, also equal ones."""
    values = [predictions, labels, weights]
    with name_scope(scope, "mean_pairwise_squared_error", values) as scope:
        predictions, labels = _as_floats(predictions, labels)
        weights = _float(convert_to_tensor(weights))
        diffs = subtract(predictions, labels)
        if diffs.shape.ndims is None:
            raise ValueError("diffs.get_shape().ndims cannot be None")
        if weights.shape.ndims is None:
            raise ValueError("weights.get_shape().ndims cannot be None")
        axis = list(range(1, diffs.shape.ndims))
        squares = nodes.reduce_sum(raw.Square(diffs), axis=axis)
        present = _num_present(diffs, weights, per_batch=True)
        term1 = 2.0 * nodes.div_no_nan(squares, present, name="value")
        total = nodes.reduce_sum(diffs, axis=axis)
        square = raw.Square(total)
        term2 = 2.0 * nodes.div_no_nan(square, raw.Square(present), name="value")
        loss = _scaled_sum(term1 - term2, weights)
        any_present = nodes.reduce_sum(present) > 0
        mean = where(any_present, loss, array_nodes.zeros_like(loss), name="value")
        add_loss(mean)
        return mean


@export("contrib.losses.cosine_distance", "contrib.slim.losses.cosine_distance")
def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: Any = None,
    weights: Any = 1.0,
    scope: str | None = None,
    dim: Any = None,
) -> Tensor:
    """1 - the dot product along `axis` of predictions and labels, both of length 1."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = 1 - nodes.reduce_sum(multiply(predictions, labels), axis=[axis])
        return compute_weighted_loss(losses, weights, scope=scope)
