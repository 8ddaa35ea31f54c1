"""`tf.metrics`: precision and recall of the k highest predictions, with sets of labels.

Labels are int64 [D1, ..., DN, number of labels] or a SparseTensor of that shape; the dimension of
the labels may be left out when there is one. Predictions are [D1, ..., DN, classes].
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor, SparseTensorValue, is_sparse
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes as maths
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.array import expand_dims, tile, where_v2
from relight.v1.functions.array import slice as slice_
from relight.v1.functions.assign import assign_add
from relight.v1.functions.control_flow import cond
from relight.v1.functions.math import equal, multiply
from relight.v1.functions.weights_broadcast import assert_broadcastable, broadcast_weights
from relight.v1.metrics.streaming import collect, metric_variable

Metric = tuple[Tensor, Tensor]
Labels = Tensor | SparseTensor


def _tensor_or_sparse(value: Any) -> Labels:
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    return value if isinstance(value, SparseTensor) else convert_to_tensor(value)


def _scope_name(name: str, k: int | None = None, class_id: int | None = None) -> str:
    name = f"{name}_at_k" if k is None else f"{name}_at_{k:d}"
    return name if class_id is None else f"{name}_class{class_id:d}"


def _expanded(labels: Any, predictions: Tensor) -> Labels:
    """The labels with a last dimension of 1 where they have one dimension less."""
    from relight.v1.functions.sparse import sparse_reshape

    with name_scope(None, "expand_labels", (labels, predictions)) as scope:
        labels = _tensor_or_sparse(labels)
        if isinstance(labels, SparseTensor):
            return cond(
                raw.Equal(arrays.rank(predictions), arrays.size(labels.dense_shape) + 1),
                lambda: sparse_reshape(
                    labels, shape=arrays.concat((labels.dense_shape, (1,)), 0), name=scope
                ),
                lambda: labels,
            )
        rank_l, rank_p = labels.shape.ndims, predictions.shape.ndims
        if rank_l is not None and rank_p is not None:
            if rank_p == rank_l:
                return labels
            if rank_p == rank_l + 1:
                return expand_dims(labels, -1, name=scope)
            raise ValueError(
                f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}."
            )
        return cond(
            raw.Equal(arrays.rank(predictions), arrays.rank(labels) + 1),
            lambda: expand_dims(labels, -1, name=scope),
            lambda: labels,
        )


def _only_class(ids: Any, class_id: int) -> SparseTensor:
    """Of each set only `class_id`, if it is in it."""
    from relight.v1.functions.sets import intersection
    from relight.v1.functions.sparse import sparse_retain

    ids = _tensor_or_sparse(ids)
    if isinstance(ids, SparseTensor):
        return sparse_retain(ids, equal(ids.values, class_id))
    shape = arrays.shape(ids, out_type=dtypes.int64)
    last = arrays.size(shape) - 1
    wanted_shape = maths.reduced_shape(shape, arrays.reshape(last, [1]))
    wanted = arrays.fill(wanted_shape, maths.cast(class_id, dtypes.int64))
    found = intersection(wanted, ids)
    return SparseTensor(found.indices, found.values, shape)


def _set_sizes(kind: str, labels: Any, predictions: Any, class_id: int | None) -> Tensor:
    """How many members each set of true positives (or false ones, or misses) has."""
    from relight.v1.functions.sets import difference, intersection, size

    if class_id is not None:
        labels, predictions = _only_class(labels, class_id), _only_class(predictions, class_id)
    if kind == "true_positive":
        found = intersection(predictions, labels)
    else:
        found = difference(predictions, labels, aminusb=kind == "false_positive")
    return maths.cast(size(found), dtypes.float64)


def _counts(
    kind: str,
    labels: Any,
    predictions: Any,
    class_id: int | None,
    weights: Any,
    name: str | None = None,
) -> Tensor:
    """The weighted sizes of `_set_sizes`; float64 [D1, ..., DN]."""
    with name_scope(name, kind + "s", (predictions, labels, weights)):
        sizes = _set_sizes(kind, labels, predictions, class_id)
        if weights is not None:
            check = assert_broadcastable(weights, sizes)
            with get_default_graph().control_dependencies((check,)):
                sizes = multiply(sizes, maths.cast(weights, dtypes.float64))
        return sizes


def _streamed(
    kind: str, labels: Any, predictions: Any, k: int | None, class_id: int | None, weights: Any
) -> tuple[Any, Any]:
    """The variable that adds up `_counts`, and its update."""
    scope_name = _scope_name(kind, k, class_id)
    with name_scope(None, scope_name, (predictions, labels, weights)) as scope:
        batch = _counts(kind, labels, predictions, class_id, weights)
        batch = maths.cast(maths.reduce_sum(batch), dtypes.float64)
        variable = metric_variable([], dtypes.float64, name=scope)
        return variable, assign_add(variable, batch, name="update")


def _at_top_k(
    what: str,
    other: str,
    labels: Any,
    predictions_idx: Any,
    k: int | None,
    class_id: int | None,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    """tp / (tp + other) of the class numbers `predictions_idx`."""
    scope_name = _scope_name(what, k, class_id)
    with name_scope(name, scope_name, (predictions_idx, labels, weights)) as scope:
        predictions_idx = convert_to_tensor(predictions_idx)
        labels = _expanded(labels, predictions_idx)
        top = maths.cast(predictions_idx, dtypes.int64)
        hits, more_hits = _streamed("true_positive", labels, top, k, class_id, weights)
        rest, more_rest = _streamed(other, labels, top, k, class_id, weights)
        value = maths.div(hits, raw.Add(hits, rest), name=scope)
        collect(metrics_collections, value)
        update = maths.div(more_hits, raw.Add(more_hits, more_rest), name="update")
        collect(updates_collections, update)
        return value, update


@export("metrics.precision_at_top_k")
def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the predicted class numbers is among the labels: (value, update), float64.

    `predictions_idx` int [D1, ..., DN, k]; with `class_id` only that class counts.
    """
    return _at_top_k(
        "precision", "false_positive", labels, predictions_idx, k, class_id, weights,
        metrics_collections, updates_collections, name,
    )  # fmt: skip


@export("metrics.recall_at_top_k")
def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the labels is among the predicted class numbers: (value, update), float64.

    `predictions_idx` int [D1, ..., DN, k]; with `class_id` only that class counts.
    """
    return _at_top_k(
        "recall", "false_negative", labels, predictions_idx, k, class_id, weights,
        metrics_collections, updates_collections, name,
    )  # fmt: skip


@export("metrics.precision_at_k", "metrics.sparse_precision_at_k")
def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the k classes with the highest predictions is among the labels."""
    scope_name = _scope_name("precision", k, class_id)
    with name_scope(name, scope_name, (predictions, labels, weights)) as scope:
        return precision_at_top_k(
            labels, raw.TopKV2(predictions, k).indices, k, class_id, weights,
            metrics_collections, updates_collections, scope,
        )  # fmt: skip


@export("metrics.recall_at_k")
def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the labels is among the k classes with the highest predictions."""
    scope_name = _scope_name("recall", k, class_id)
    with name_scope(name, scope_name, (predictions, labels, weights)) as scope:
        return recall_at_top_k(
            labels, raw.TopKV2(predictions, k).indices, k, class_id, weights,
            metrics_collections, updates_collections, scope,
        )  # fmt: skip


# -- average precision -----------------------------------------------------------------------------


def _repeated(tensor: Labels, multiple: int, dim: int, name: str) -> Labels:
    """`tensor` with a new dimension of size `multiple` before dimension `dim`."""
    from relight.v1.functions.sparse import sparse_concat, sparse_reshape

    if multiple < 1:
        raise ValueError(f"Invalid multiple {multiple}, must be > 0.")
    with name_scope(name, "expand_and_tile", (tensor, multiple, dim)) as scope:
        tensor = _tensor_or_sparse(tensor)
        if isinstance(tensor, SparseTensor):
            place: Any = [dim]
            if dim < 0:
                place = arrays.reshape(arrays.size(tensor.dense_shape) + dim, [1])
            shape = arrays.concat(
                (
                    slice_(tensor.dense_shape, [0], place),
                    [1],
                    slice_(tensor.dense_shape, place, [-1]),
                ),
                0,
                name="expanded_shape",
            )
            wider = sparse_reshape(tensor, shape=shape, name="expand")
            if multiple == 1:
                return wider
            axis = dim - 1 if dim < 0 else dim
            return sparse_concat(axis, [wider] * multiple, name=scope)
        wider = expand_dims(tensor, dim if dim >= 0 else dim - 1, name="expand")
        if multiple == 1:
            return wider
        ones = arrays.ones_like(arrays.shape(tensor))
        times = arrays.concat((ones[:dim], (multiple,), ones[dim:]), 0, name="multiples")
        return tile(wider, times, name=scope)


def _relevant(labels: Any, k: int) -> Tensor:
    """How many labels there are, at most k; negative ones do not count."""
    from relight.v1.functions.sets import size

    with name_scope(None, "num_relevant", (labels,)) as scope:
        labels = _tensor_or_sparse(labels)
        if isinstance(labels, SparseTensor):
            return raw.Minimum(size(labels), k, name=scope)
        counted = where_v2(
            raw.GreaterEqual(labels, 0), arrays.ones_like(labels), arrays.zeros_like(labels)
        )
        return raw.Minimum(maths.reduce_sum(counted, axis=-1), k, name=scope)


def _average_precision(labels: Any, predictions_idx: Any) -> Tensor:
    """The mean of the precisions at each right prediction; float64 [D1, ..., DN]."""
    with name_scope(None, "average_precision", (predictions_idx, labels)) as scope:
        predictions_idx = maths.cast(predictions_idx, dtypes.int64, name="predictions_idx")
        if predictions_idx.shape.ndims == 0:
            raise ValueError("The rank of predictions_idx must be at least 1.")
        k = predictions_idx.shape.as_list()[-1]
        if k is None:
            raise ValueError("The last dimension of predictions_idx must be set.")
        labels = _expanded(labels, predictions_idx)
        each = expand_dims(predictions_idx, -1, name="predictions_idx_per_k")
        labels_each = _repeated(labels, multiple=k, dim=-1, name="labels_per_k")
        right = _counts("true_positive", labels_each, each, None, None, name="relevant_per_k")
        hits = maths.cumsum(right, axis=-1, name="tp_per_k")
        tried = maths.cumsum(arrays.ones_like(right), axis=-1, name="retrieved_per_k")
        precision = maths.div(
            maths.cast(hits, dtypes.float64),
            maths.cast(tried, dtypes.float64),
            name="precision_per_k",
        )
        counted = multiply(
            precision, maths.cast(right, dtypes.float64), name="relevant_precision_per_k"
        )
        total = maths.reduce_sum(counted, axis=(-1,), name="precision_sum")
        return maths.div(total, maths.cast(_relevant(labels, k), dtypes.float64), name=scope)


def _without_unknown_classes(labels: Any, num_classes: Tensor) -> Any:
    """The labels, those that are no class replaced by -1."""

    def clean(values: Any) -> Tensor:
        return where_v2(
            raw.GreaterEqual(values, num_classes), -1 * arrays.ones_like(values), values
        )

    def clean_labels() -> Any:
        if is_sparse(labels):
            return SparseTensor(labels.indices, clean(labels.values), labels.dense_shape)
        return clean(labels)

    if isinstance(labels, SparseTensorValue):
        labels = SparseTensor.from_value(labels)
    highest = maths.reduce_max(labels.values if is_sparse(labels) else labels)
    return cond(raw.GreaterEqual(highest, num_classes), clean_labels, lambda: labels)


def _safe_ratio(total: Any, count: Any, name: str) -> Tensor:
    total.shape.with_rank_at_most(1)
    count.shape.with_rank_at_most(1)
    return maths.div_no_nan(total, count, name=name)


@export("metrics.average_precision_at_k", "metrics.sparse_average_precision_at_k")
def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean average precision of the k highest predictions: (value, update), float64.

    Raises ValueError for k < 1.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}.")
    scope_name = _scope_name("average_precision", k)
    with name_scope(name, scope_name, (predictions, labels, weights)) as outer:
        predictions_idx = raw.TopKV2(predictions, k).indices
        if not is_sparse(labels):
            labels = convert_to_tensor(labels)
        classes = maths.cast(arrays.shape(predictions)[-1], dtypes.int64)
        labels = _without_unknown_classes(labels, classes)
        values = (predictions_idx, labels, weights)
        with name_scope(outer, "average_precision_at_top_k", values) as scope:
            return _streamed_average(
                labels, predictions_idx, weights, metrics_collections, updates_collections, scope
            )


def _streamed_average(
    labels: Any,
    predictions_idx: Tensor,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    scope: str,
) -> Metric:
    average = _average_precision(labels, predictions_idx)
    if weights is not None:
        weights = broadcast_weights(maths.cast(weights, dtypes.float64), average)
        average = multiply(average, weights)
    with name_scope(None, "max", (average,)) as max_scope:
        highest = metric_variable([], dtypes.float64, name=max_scope)
        if weights is None:
            batch = maths.cast(arrays.size(average, name="batch_max"), dtypes.float64)
        else:
            batch = maths.reduce_sum(weights, name="batch_max")
        more_highest = assign_add(highest, batch, name="update")
    with name_scope(None, "total", (average,)) as total_scope:
        total = metric_variable([], dtypes.float64, name=total_scope)
        batch = maths.reduce_sum(average, name="batch_total")
        more_total = assign_add(total, batch, name="update")
    value = _safe_ratio(total, highest, "mean")
    collect(metrics_collections, value)
    update = _safe_ratio(more_total, more_highest, scope)
    collect(updates_collections, update)
    return value, update
