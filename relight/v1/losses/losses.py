"""`tf.losses`: losses, weighted by example or element, summed up and collected.

All take `weights`, a scalar or a tensor of the losses' rank (sizes 1 or theirs), and `reduction`,
by default the sum divided by the number of weights that are not zero.
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import nn, nn_losses
from relight.v1.functions.array import where
from relight.v1.functions.counts import remove_squeezable_dimensions
from relight.v1.functions.math import multiply, subtract
from relight.v1.functions.weights_broadcast import assert_broadcastable, broadcast_weights
from relight.v1.losses.util import add_loss


@export("losses.Reduction")
class Reduction:
    """How the losses of the elements become one."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Every way."""
        return (
            cls.NONE,
            cls.SUM,
            cls.MEAN,
            cls.SUM_OVER_BATCH_SIZE,
            cls.SUM_OVER_NONZERO_WEIGHTS,
            cls.SUM_BY_NONZERO_WEIGHTS,
        )

    @classmethod
    def validate(cls, key: Any) -> None:
        """ValueError for an unknown way."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


def _float(x: Any) -> Any:
    return nodes.cast(x, dtypes.float32)


def _safe_mean(losses: Any, count: Any) -> Tensor:
    """The sum over `count`, 0 when `count` is."""
    return nodes.div_no_nan(nodes.reduce_sum(losses), count, name="value")


def _num_present(losses: Any, weights: Any, per_batch: bool = False) -> Tensor:
    """The number of elements whose weight is not zero: a scalar, or [batch, 1, ...]."""
    if isinstance(weights, float) and weights != 0.0:
        return _num_elements(losses)
    with name_scope(None, "num_present", (losses, weights)) as scope:
        weights = _float(weights)
        present = where(
            raw.Equal(weights, 0.0), array_nodes.zeros_like(weights), array_nodes.ones_like(weights)
        )
        present = broadcast_weights(present, losses)
        if per_batch:
            axes = nodes.range(1, array_nodes.rank(present))
            return nodes.reduce_sum(present, axis=axes, keepdims=True, name=scope)
        return nodes.reduce_sum(present, name=scope)


def _num_elements(losses: Tensor) -> Tensor:
    with name_scope(None, "num_elements", values=[losses]) as scope:
        return nodes.cast(array_nodes.size(losses, name=scope), losses.dtype)


@export("losses.compute_weighted_loss")
def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Losses times weights, reduced as `reduction` says and added to the collection.

    ValueError when the shape of the weights does not fit.
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss", (losses, weights)):
        graph = get_default_graph()
        # The Estimator's replicas ask how the last loss was reduced.
        graph._last_loss_reduction = reduction  # type: ignore[attr-defined]
        with graph.control_dependencies((assert_broadcastable(weights, losses),)):
            losses = convert_to_tensor(losses)
            given_type = losses.dtype
            losses = _float(losses)
            weights = _float(weights)
            loss = multiply(losses, weights)
            if reduction != Reduction.NONE:
                loss = nodes.reduce_sum(loss)
                if reduction == Reduction.MEAN:
                    ones = array_nodes.ones_like(losses)
                    loss = _safe_mean(loss, nodes.reduce_sum(ones * weights))
                elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                    loss = _safe_mean(loss, _num_present(losses, weights))
                elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                    loss = _safe_mean(loss, _num_elements(losses))
            loss = nodes.cast(loss, given_type)
            add_loss(loss, loss_collection)
            return loss


def _check_given(**values: Any) -> None:
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must not be None.")


def _as_floats(predictions: Any, labels: Any) -> tuple[Tensor, Tensor]:
    predictions, labels = _float(predictions), _float(labels)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return predictions, labels


@export("losses.absolute_difference")
def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """|predictions - labels|."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "absolute_difference", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = nodes.abs(subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.cosine_distance")
def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: Any = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: Any = None,
) -> Tensor:
    """1 - the dot product along `axis` of labels and predictions, both of length 1."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "cosine_distance_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        products = multiply(predictions, labels)
        losses = 1 - nodes.reduce_sum(products, axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.hinge_loss")
def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """max(0, 1 - y logits) with y = 2 labels - 1; labels are 0 or 1."""
    _check_given(labels=labels, logits=logits)
    with name_scope(scope, "hinge_loss", (logits, labels, weights)) as scope:
        logits, labels = _as_floats(logits, labels)
        ones = array_nodes.ones_like(labels)
        labels = subtract(2 * labels, ones)
        losses = raw.Relu(subtract(ones, multiply(labels, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.huber_loss")
def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """d^2 / 2 where d = |predictions - labels| <= delta, delta (d - delta / 2) elsewhere: Huber,
    "Robust Estimation of a Location Parameter" (1964).
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "huber_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        error = nodes.abs(subtract(predictions, labels))
        quadratic = raw.Minimum(error, delta)
        linear = subtract(error, quadratic)
        half = convert_to_tensor(0.5, dtype=quadratic.dtype)
        losses = raw.Add(multiply(half, multiply(quadratic, quadratic)), multiply(delta, linear))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.log_loss")
def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """- labels log(p + epsilon) - (1 - labels) log(1 - p + epsilon), p the predictions."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "log_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        positive = -multiply(labels, raw.Log(predictions + epsilon))
        negative = multiply(1 - labels, raw.Log(1 - predictions + epsilon))
        return compute_weighted_loss(
            positive - negative, weights, scope, loss_collection, reduction=reduction
        )


@export("losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
) -> Tensor:
    """The mean of ((p_i - p_j) - (l_i - l_j))^2 over the pairs of elements of each example."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_pairwise_squared_error", (predictions, labels, weights)) as scope:
        weights, labels = _float(weights), _float(labels)
        with get_default_graph().control_dependencies((assert_broadcastable(weights, labels),)):
            predictions = _float(predictions)
            predictions.shape.assert_is_compatible_with(labels.shape)
            diffs = subtract(predictions, labels)
            axis = nodes.range(1, array_nodes.rank(diffs))
            squares = nodes.reduce_sum(raw.Square(diffs), axis=axis, keepdims=True)
            present = _num_present(diffs, weights, per_batch=True)
            term1 = 2.0 * nodes.div_no_nan(squares, raw.Maximum(present - 1, 0), name="value")
            total = nodes.reduce_sum(diffs, axis=axis, keepdims=True)
            square = raw.Square(total)
            pairs = raw.Maximum(multiply(present, present - 1), 0)
            term2 = 2.0 * nodes.div_no_nan(square, pairs, name="value")
            loss = nodes.reduce_sum(multiply(term1 - term2, weights))
            mean = where(
                nodes.reduce_sum(present) > 0, loss, array_nodes.zeros_like(loss), name="value"
            )
            add_loss(mean, loss_collection)
            return mean


@export("losses.mean_squared_error")
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """(predictions - labels)^2."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_squared_error", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = raw.SquaredDifference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Cross entropy of sigmoid(logits) against labels 0 or 1, element by element.

    `label_smoothing` s moves the labels towards 1/2: labels (1 - s) + s / 2.
    """
    _check_given(multi_class_labels=multi_class_labels, logits=logits)
    values = (logits, multi_class_labels, weights)
    with name_scope(scope, "sigmoid_cross_entropy_loss", values) as scope:
        logits = convert_to_tensor(logits)
        labels = nodes.cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = nn_losses.sigmoid_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


@export("losses.softmax_cross_entropy")
def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Cross entropy of softmax(logits [..., classes]) against distributions [..., classes].

    `label_smoothing` s moves the labels towards the uniform: labels (1 - s) + s / classes.
    """
    _check_given(onehot_labels=onehot_labels, logits=logits)
    values = (logits, onehot_labels, weights)
    with name_scope(scope, "softmax_cross_entropy_loss", values) as scope:
        logits = convert_to_tensor(logits)
        labels = nodes.cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = nodes.cast(array_nodes.shape(labels)[-1], logits.dtype)
            negative = label_smoothing / classes
            labels = labels * (1.0 - label_smoothing) + negative
        labels = raw.StopGradient(labels, name="labels_stop_gradient")
        losses = nn.softmax_cross_entropy_with_logits_v2(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def _squeezed(labels: Any, predictions: Any, weights: Any, rank_difference: int) -> Any:
    """Labels, predictions and weights without the last dimension of size 1 that is too many."""
    from relight.v1.functions.control_flow import cond

    labels, predictions = remove_squeezable_dimensions(
        labels, predictions, expected_rank_diff=rank_difference
    )
    if weights is None:
        return labels, predictions, None
    weights = convert_to_tensor(weights)
    rank, weights_rank = labels.shape.ndims, weights.shape.ndims
    if rank is not None and weights_rank is not None:
        if weights_rank - rank == 1:
            weights = array_nodes.squeeze(weights, [-1])
        return labels, predictions, weights
    difference = array_nodes.rank(weights) - array_nodes.rank(labels)
    if weights_rank is None or (weights_rank > 0 and weights.shape.dims[-1].is_compatible_with(1)):
        given = weights
        weights = cond(
            raw.Equal(1, difference), lambda: array_nodes.squeeze(given, [-1]), lambda: given
        )
    return labels, predictions, weights


@export("losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Cross entropy of softmax(logits [..., classes]) against class numbers [...]."""
    _check_given(labels=labels, logits=logits)
    values = (logits, labels, weights)
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", values) as scope:
        labels, logits, weights = _squeezed(labels, logits, weights, 1)
        losses = nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)
