"""Reductions over segments: the public functions."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops.build import convert_to_tensor, raw

segment_max = export("math.segment_max", "segment_max")(raw.SegmentMax)
segment_mean = export("math.segment_mean", "segment_mean")(raw.SegmentMean)
segment_min = export("math.segment_min", "segment_min")(raw.SegmentMin)
segment_prod = export("math.segment_prod", "segment_prod")(raw.SegmentProd)
segment_sum = export("math.segment_sum", "segment_sum")(raw.SegmentSum)
unsorted_segment_max = export("math.unsorted_segment_max", "unsorted_segment_max")(
    raw.UnsortedSegmentMax
)
unsorted_segment_min = export("math.unsorted_segment_min", "unsorted_segment_min")(
    raw.UnsortedSegmentMin
)
unsorted_segment_prod = export("math.unsorted_segment_prod", "unsorted_segment_prod")(
    raw.UnsortedSegmentProd
)
unsorted_segment_sum = export("math.unsorted_segment_sum", "unsorted_segment_sum")(
    raw.UnsortedSegmentSum
)


def _segment_sizes(data: Tensor, segment_ids: Tensor, num_segments: Any) -> Tensor:
    """How many rows each segment has, at least 1, in a shape that divides sums of `data`."""
    shape = array_nodes.shape_internal(segment_ids)
    ones = array_nodes.ones(shape, dtype=data.dtype)
    count = raw.UnsortedSegmentSum(ones, segment_ids, num_segments)
    extra = data.shape.ndims - segment_ids.shape.ndims
    count = array_nodes.reshape(count, [num_segments] + [1] * extra)
    return raw.Maximum(count, 1)


@export("math.unsorted_segment_mean", "unsorted_segment_mean")
def unsorted_segment_mean(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The mean of the rows of each segment; 0 for a segment without rows."""
    with name_scope(name, "UnsortedSegmentMean"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _segment_sizes(data, segment_ids, num_segments)
        return raw.UnsortedSegmentSum(data, segment_ids, num_segments) / count


@export("math.unsorted_segment_sqrt_n", "unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sum of the rows of each segment divided by the root of their number."""
    with name_scope(name, "UnsortedSegmentSqrtN"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _segment_sizes(data, segment_ids, num_segments)
        return raw.UnsortedSegmentSum(data, segment_ids, num_segments) / raw.Sqrt(count)


@export("sparse.segment_sum", "sparse_segment_sum")
def sparse_segment_sum(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The sum of the rows `data[indices]` of each segment; the ids are in increasing order."""
    if num_segments is None:
        return raw.SparseSegmentSum(data, indices, segment_ids, name=name)
    return raw.SparseSegmentSumWithNumSegments(data, indices, segment_ids, num_segments, name=name)


@export("sparse.segment_mean", "sparse_segment_mean")
def sparse_segment_mean(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The mean of the rows `data[indices]` of each segment; the ids are in increasing order."""
    if num_segments is None:
        return raw.SparseSegmentMean(data, indices, segment_ids, name=name)
    return raw.SparseSegmentMeanWithNumSegments(data, indices, segment_ids, num_segments, name=name)


@export("sparse.segment_sqrt_n", "sparse_segment_sqrt_n")
def sparse_segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The sum of the rows `data[indices]` of each segment divided by the root of their number."""
    if num_segments is None:
        return raw.SparseSegmentSqrtN(data, indices, segment_ids, name=name)
    return raw.SparseSegmentSqrtNWithNumSegments(
        data, indices, segment_ids, num_segments, name=name
    )
