"""`tf.metrics`: means over the whole data set, and what is a mean of something."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes as maths
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.array import where
from relight.v1.functions.assign import assign_add, scatter_add
from relight.v1.functions.counts import confusion_matrix, remove_squeezable_dimensions
from relight.v1.functions.math import equal, multiply, not_equal, subtract
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.functions.weights_broadcast import broadcast_weights
from relight.v1.metrics.streaming import collect, metric_variable, squeezed

Metric = tuple[Tensor, Tensor]


def _ratio(total: Any, count: Any, name: str | None) -> Tensor:
    """total / count; 0 where nothing was counted."""
    return maths.div_no_nan(total, raw.Maximum(count, 0), name=name)


@export("metrics.mean")
def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The (weighted) mean of all values seen: (its value, the operation that adds a batch).

    `weights` must be broadcastable to `values` [any shape].
    """
    with variable_scope(name, "mean", (values, weights)):
        values = maths.cast(values, dtypes.float32)
        total = metric_variable([], dtypes.float32, name="total")
        count = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            number = maths.cast(arrays.size(values), dtypes.float32)
        else:
            values, _, weights = squeezed(values, None, weights)
            weights = broadcast_weights(maths.cast(weights, dtypes.float32), values)
            values = multiply(values, weights)
            number = maths.reduce_sum(weights)
        new_total = assign_add(total, maths.reduce_sum(values))
        with get_default_graph().control_dependencies([values]):
            new_count = assign_add(count, number)
        value = _ratio(total, count, "value")
        collect(metrics_collections, value)
        update = _ratio(new_total, new_count, "update_op")
        collect(updates_collections, update)
        return value, update


@export("metrics.mean_tensor")
def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The element-wise (weighted) mean of all tensors seen: (value, update), in their shape."""
    with variable_scope(name, "mean", (values, weights)):
        values = maths.cast(values, dtypes.float32)
        total = metric_variable(values.shape, dtypes.float32, name="total_tensor")
        count = metric_variable(values.shape, dtypes.float32, name="count_tensor")
        number = arrays.ones_like(values)
        if weights is not None:
            values, _, weights = squeezed(values, None, weights)
            weights = broadcast_weights(maths.cast(weights, dtypes.float32), values)
            values = multiply(values, weights)
            number = multiply(number, weights)
        new_total = assign_add(total, values)
        with get_default_graph().control_dependencies([values]):
            new_count = assign_add(count, number)
        value = _ratio(total, count, "value")
        collect(metrics_collections, value)
        update = _ratio(new_total, new_count, "update_op")
        collect(updates_collections, update)
        return value, update


@export("metrics.accuracy")
def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often `predictions` equals `labels` (same shape), weighted: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    predictions.shape.assert_is_compatible_with(labels.shape)
    if labels.dtype != predictions.dtype:
        predictions = maths.cast(predictions, labels.dtype)
    correct = maths.cast(equal(predictions, labels), dtypes.float32)
    return mean(correct, weights, metrics_collections, updates_collections, name or "accuracy")


@export("metrics.mean_absolute_error")
def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |predictions - labels|: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    errors = maths.abs(predictions - labels)
    name = name or "mean_absolute_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


@export("metrics.mean_squared_error")
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of (labels - predictions)²: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    errors = raw.SquaredDifference(labels, predictions)
    name = name or "mean_squared_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


@export("metrics.root_mean_squared_error")
def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The square root of the mean of (labels - predictions)²: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    value, update = mean_squared_error(
        labels, predictions, weights, None, None, name or "root_mean_squared_error"
    )
    value = raw.Sqrt(value)
    collect(metrics_collections, value)
    update = raw.Sqrt(update)
    collect(updates_collections, update)
    return value, update


@export("metrics.mean_relative_error")
def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |labels - predictions| / normalizer, 0 where that is 0: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    errors = where(
        equal(normalizer, 0.0),
        arrays.zeros_like(labels),
        maths.div(maths.abs(labels - predictions), normalizer),
    )
    name = name or "mean_relative_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


@export("metrics.mean_cosine_distance")
def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """1 less the mean of the dot products along `dim` of vectors of length 1: (value, update)."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    products = maths.reduce_sum(multiply(predictions, labels), axis=[dim], keepdims=True)
    value, update = mean(products, weights, None, None, name or "mean_cosine_distance")
    value = subtract(1.0, value)
    update = subtract(1.0, update)
    collect(metrics_collections, value)
    collect(updates_collections, update)
    return value, update


@export("metrics.percentage_below")
def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part (0 to 1) of the values is below `threshold`: (value, update)."""
    below = maths.cast(raw.Less(values, threshold), dtypes.float32)
    name = name or "percentage_below_threshold"
    return mean(below, weights, metrics_collections, updates_collections, name)


# -- by class ------------------------------------------------------------------------------------


def _flat(tensor: Any) -> Tensor:
    tensor = convert_to_tensor(tensor)
    rank = tensor.shape.ndims
    return arrays.reshape(tensor, [-1]) if rank is not None and rank > 1 else tensor


@export("metrics.mean_per_class_accuracy")
def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the classes of each class's accuracy: (value [], update [num_classes])."""
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels = _flat(maths.cast(labels, dtypes.int64))
        predictions = _flat(predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
        total = metric_variable([num_classes], dtypes.float32, name="total")
        count = metric_variable([num_classes], dtypes.float32, name="count")
        ones = arrays.ones([arrays.size(labels)], dtypes.float32)
        if labels.dtype != predictions.dtype:
            predictions = maths.cast(predictions, labels.dtype)
        correct = maths.cast(equal(predictions, labels), dtypes.float32)
        if weights is not None:
            weights = maths.cast(_flat(weights), dtypes.float32)
            correct *= weights
            ones *= weights
        new_total = scatter_add(total, labels, ones)
        new_count = scatter_add(count, labels, correct)
        value = maths.reduce_mean(_ratio(count, total, None), name="mean_accuracy")
        collect(metrics_collections, value)
        update = _ratio(new_count, new_total, "update_op")
        collect(updates_collections, update)
        return value, update


def _added_confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any, weights: Any
) -> tuple[Any, Any]:
    """The sum of the batches' confusion matrices float64 [num_classes, num_classes], its update."""
    shape = [num_classes, num_classes]
    total = metric_variable(shape, dtypes.float64, name="total_confusion_matrix")
    predictions = maths.cast(predictions, dtypes.int64)
    labels = maths.cast(labels, dtypes.int64)
    num_classes = maths.cast(num_classes, dtypes.int64)
    predictions, labels = _flat(predictions), _flat(labels)
    if weights is not None:
        weights = _flat(weights)
    batch = confusion_matrix(
        labels, predictions, num_classes, weights=weights, dtype=dtypes.float64
    )
    return total, assign_add(total, batch)


@export("metrics.mean_iou")
def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the classes of intersection over union, tp / (tp + fp + fn).

    Classes that occur neither as label nor as prediction do not count. Gives (value [], update
    [num_classes, num_classes]: the confusion matrix so far).
    """
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions, labels = convert_to_tensor(predictions), convert_to_tensor(labels)
        predictions.shape.assert_is_compatible_with(labels.shape)
        matrix, update = _added_confusion_matrix(labels, predictions, num_classes, weights)
        rows = maths.cast(maths.reduce_sum(matrix, 0), dtypes.float32)
        columns = maths.cast(maths.reduce_sum(matrix, 1), dtypes.float32)
        diagonal = maths.cast(raw.DiagPart(matrix), dtypes.float32)
        union = rows + columns - diagonal
        seen = maths.reduce_sum(maths.cast(not_equal(union, 0), dtypes.float32))
        union = where(raw.Greater(union, 0), union, arrays.ones_like(union))
        parts = maths.div(diagonal, union)
        value = where(raw.Greater(seen, 0), maths.reduce_sum(parts, name="mean_iou") / seen, 0)
        collect(metrics_collections, value)
        collect(updates_collections, update)
        return value, update
