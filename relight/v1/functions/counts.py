"""Counting: histograms, bincount, confusion matrices; and monotonic sequences."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.clip import clip_by_value
from relight.v1.functions.control import with_dependencies


@export("histogram_fixed_width_bins")
def histogram_fixed_width_bins(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """The index of the bin (of `nbins` equal parts of `value_range`) that each value falls into.

    Values outside fall into the first and the last bin. int32, shape of `values`.
    """
    del dtype
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        values = convert_to_tensor(values, name="values")
        shape = array_nodes.shape(values)
        values = array_nodes.reshape(values, [-1])
        value_range = convert_to_tensor(value_range, name="value_range")
        nbins = convert_to_tensor(nbins, dtype=dtypes.int32, name="nbins")
        count = nodes.cast(nbins, values.dtype)
        scaled = nodes.truediv(
            values - value_range[0], value_range[1] - value_range[0], name="scaled_values"
        )
        indices = raw.Floor(count * scaled, name="indices")
        indices = nodes.cast(clip_by_value(indices, 0, count - 1), dtypes.int32)
        return array_nodes.reshape(indices, shape)


@export("histogram_fixed_width")
def histogram_fixed_width(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How many values fall into each of `nbins` equal parts of `value_range`; [nbins]."""
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as scope:
        return raw.HistogramFixedWidth(values, value_range, nbins, dtype=dtype, name=scope)


@export("math.bincount", "bincount")
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
) -> Tensor:
    """How often each of 0, 1, ... max(arr) occurs, or the sum of its `weights`.

    At least `minlength` and at most `maxlength` counts; without weights they have type `dtype`.
    """
    with name_scope("bincount"):
        arr = convert_to_tensor(arr, name="arr", dtype=dtypes.int32)
        not_empty = nodes.reduce_prod(array_nodes.shape(arr)) > 0
        size = nodes.cast(not_empty, dtypes.int32) * (nodes.reduce_max(arr) + 1)
        if minlength is not None:
            shortest = convert_to_tensor(minlength, name="minlength", dtype=dtypes.int32)
            size = raw.Maximum(shortest, size)
        if maxlength is not None:
            longest = convert_to_tensor(maxlength, name="maxlength", dtype=dtypes.int32)
            size = raw.Minimum(longest, size)
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
            return raw.UnsortedSegmentSum(weights, arr, size)
        return raw.Bincount(arr, size, constant([], dtype))


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Labels and predictions, a last dimension of size 1 removed where their ranks ask for it.

    `expected_rank_diff` is the wanted rank of the predictions less that of the labels.
    """
    from relight.v1.functions.control_flow import cond

    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        predictions, labels = convert_to_tensor(predictions), convert_to_tensor(labels)
        rank_p, rank_l = predictions.shape.ndims, labels.shape.ndims
        if rank_p is not None and rank_l is not None:
            difference = rank_p - rank_l
            if difference == expected_rank_diff + 1:
                predictions = array_nodes.squeeze(predictions, [-1])
            elif difference == expected_rank_diff - 1:
                labels = array_nodes.squeeze(labels, [-1])
            return labels, predictions
        difference = array_nodes.rank(predictions) - array_nodes.rank(labels)
        if rank_p is None or predictions.shape.dims[-1].is_compatible_with(1):
            before = predictions
            predictions = cond(
                raw.Equal(expected_rank_diff + 1, difference),
                lambda: array_nodes.squeeze(before, [-1]),
                lambda: before,
            )
        if rank_l is None or labels.shape.dims[-1].is_compatible_with(1):
            given = labels
            labels = cond(
                raw.Equal(expected_rank_diff - 1, difference),
                lambda: array_nodes.squeeze(given, [-1]),
                lambda: given,
            )
        return labels, predictions


@export("math.confusion_matrix", "confusion_matrix")
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """How often (or with which weight) label i was predicted as j: [num_classes, num_classes].

    Labels and predictions are 1-D class numbers. InvalidArgumentError for negative ones and for
    those that `num_classes` excludes.
    """
    from relight.v1.functions.checks import assert_less, assert_non_negative
    from relight.v1.functions.sparse import sparse_add

    elements = [v for v in (predictions, labels, num_classes, weights) if v is not None]
    with name_scope(name, "confusion_matrix", elements):
        labels, predictions = remove_squeezable_dimensions(
            convert_to_tensor(labels, name="labels"),
            convert_to_tensor(predictions, name="predictions"),
        )
        predictions = nodes.cast(predictions, dtypes.int64)
        labels = nodes.cast(labels, dtypes.int64)
        labels = with_dependencies(
            [assert_non_negative(labels, message="`labels` contains negative values")], labels
        )
        predictions = with_dependencies(
            [assert_non_negative(predictions, message="`predictions` contains negative values")],
            predictions,
        )
        if num_classes is None:
            num_classes = raw.Maximum(nodes.reduce_max(predictions), nodes.reduce_max(labels)) + 1
        else:
            bound = nodes.cast(num_classes, dtypes.int64)
            labels = with_dependencies(
                [assert_less(labels, bound, message="`labels` out of bound")], labels
            )
            predictions = with_dependencies(
                [assert_less(predictions, bound, message="`predictions` out of bound")],
                predictions,
            )
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
            predictions.shape.assert_is_compatible_with(weights.shape)
            weights = nodes.cast(weights, dtype)
        shape = array_nodes.stack([num_classes, num_classes])
        indices = array_nodes.stack([labels, predictions], axis=1)
        values = array_nodes.ones_like(predictions, dtype) if weights is None else weights
        found = SparseTensor(indices, values, nodes.cast(shape, dtypes.int64))
        zeros = array_nodes.zeros(nodes.cast(shape, dtypes.int32), dtype)
        return sparse_add(zeros, found)


# -- monotonic sequences ---------------------------------------------------------------------------


def _differences(x: Any) -> Tensor:
    from relight.v1.functions.control_flow import cond

    x = array_nodes.reshape(x, [-1])
    if not (x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_complex):
        raise TypeError(f"Expected x to be numeric, instead found: {x}")
    short = raw.Less(array_nodes.size(x), 2)
    count = array_nodes.shape(x) - 1

    def differences() -> Tensor:
        upper = array_nodes.strided_slice(x, [1], [1] + count)  # noqa: RUF005
        return upper - array_nodes.strided_slice(x, [0], count)

    return cond(short, lambda: convert_to_tensor([], dtype=x.dtype), differences)


@export("math.is_non_decreasing", "debugging.is_non_decreasing", "is_non_decreasing")
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether x, read row by row, never decreases."""
    with name_scope(name, "is_non_decreasing", [x]):
        difference = _differences(x)
        zero = convert_to_tensor(0, dtype=difference.dtype)
        return nodes.reduce_all(raw.LessEqual(zero, difference))


@export("math.is_strictly_increasing", "debugging.is_strictly_increasing", "is_strictly_increasing")
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether x, read row by row, always increases."""
    with name_scope(name, "is_strictly_increasing", [x]):
        difference = _differences(x)
        zero = convert_to_tensor(0, dtype=difference.dtype)
        return nodes.reduce_all(raw.Less(zero, difference))
