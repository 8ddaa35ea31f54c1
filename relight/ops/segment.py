"""Reductions over segments: rows with the same segment number become one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import array_nodes, call
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant, known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import merge, sizes, with_rank


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _text(shape: Any) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


# -- kernels: rows into `count` segments ----------------------------------------------------------


def _total(rows: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
    result = rows.new_zeros((count, *rows.shape[1:]))
    return result.index_add_(0, ids, rows) if ids.numel() else result


def _per_row(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return values.reshape([-1] + [1] * (like.dim() - 1))


def _counts(ids: torch.Tensor, count: int) -> torch.Tensor:
    return torch.bincount(ids, minlength=count)[:count].clamp(min=1)


def _mean(rows: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
    total = _total(rows, ids, count)
    divisor = _per_row(_counts(ids, count), total)
    if total.is_floating_point() or total.is_complex():
        return total / divisor.to(total.dtype)
    return torch.div(total, divisor.to(total.dtype), rounding_mode="trunc")


def _root_mean(rows: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
    total = _total(rows, ids, count)
    return total / _per_row(torch.sqrt(_counts(ids, count).to(total.dtype)), total)


def _limit(dtype: torch.dtype, lowest: bool) -> Any:
    info = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
    return info.min if lowest else info.max


def _reduced(
    how: str, start: Callable[[torch.dtype], Any], with_start: bool = True
) -> Callable[..., torch.Tensor]:
    """`start` is what an empty segment gives; `with_start`: it takes part in the others too."""

    def reduce(rows: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
        shape = (count, *rows.shape[1:])
        if rows.is_complex():
            return _complex_product(rows, ids, shape)
        result = rows.new_full(shape, start(rows.dtype))
        if not ids.numel() or not rows.numel():
            return result
        places = _per_row(ids, rows).expand_as(rows)
        return result.scatter_reduce_(0, places, rows, how, include_self=with_start)

    return reduce


def _complex_product(rows: torch.Tensor, ids: torch.Tensor, shape: Any) -> torch.Tensor:
    result = rows.new_ones(shape)
    for i, segment in enumerate(ids.tolist()):
        result[segment] *= rows[i]
    return result


_prod = _reduced("prod", lambda dtype: 1)

# -- sorted segments -------------------------------------------------------------------------------


def _sorted_count(ids: torch.Tensor, rows: int) -> int:
    """The number of segments; InvalidArgumentError when the ids do not begin the rows in order."""
    if ids.dim() != 1:
        raise _invalid("segment_ids should be a vector.")
    if ids.shape[0] != rows:
        raise _invalid("segment_ids should be the same size as dimension 0 of input.")
    if not rows:
        return 0
    count = int(ids[-1]) + 1
    if bool((ids[1:] < ids[:-1]).any()):
        raise _invalid("segment ids are not increasing")
    if int(ids[0]) < 0:
        raise _invalid(
            f"Segment id {int(ids[0])} out of range [0, {count}), possibly because "
            "'segment_ids' input is not sorted."
        )
    return count


def _sorted_shape(node: Any) -> list[Any]:
    data = sizes(node, 0)
    ids = with_rank(sizes(node, 1), 1)
    del ids
    if data is None:
        return [None]
    if not data:
        raise ShapeError("Shape must be at least rank 1 but is rank 0")
    return [(None, *data[1:])]


def _sorted(reduce: Callable[..., torch.Tensor]) -> Any:
    def kernel(data: torch.Tensor, segment_ids: torch.Tensor) -> torch.Tensor:
        count = _sorted_count(segment_ids, data.shape[0])
        return reduce(data, segment_ids.to(torch.int64), count)

    return lambda node: kernel


def _zero(dtype: torch.dtype) -> Any:
    return 0


for _name, _reduce in {
    "SegmentSum": _total,
    "SegmentMean": _mean,
    "SegmentProd": _prod,
    "SegmentMax": _reduced("amax", _zero, with_start=False),
    "SegmentMin": _reduced("amin", _zero, with_start=False),
}.items():
    op(_name, shape=_sorted_shape, specialise=True)(_sorted(_reduce))

# -- unsorted segments -----------------------------------------------------------------------------


def _unsorted_shape(node: Any) -> list[Any]:
    data, ids = sizes(node, 0), sizes(node, 1)
    count = known_value(node._inputs[2])
    if ids is None or data is None:
        return [None]
    if len(ids) > len(data):
        raise ShapeError(f"Shape must be at least rank {len(ids)} but is rank {len(data)}")
    merge(data[: len(ids)], ids)
    return [(None if count is None else int(count), *data[len(ids) :])]


def _unsorted(reduce: Callable[..., torch.Tensor]) -> Any:
    def kernel(
        data: torch.Tensor, segment_ids: torch.Tensor, num_segments: np.ndarray
    ) -> torch.Tensor:
        rank, count = segment_ids.dim(), int(num_segments)
        if data.shape[:rank] != segment_ids.shape:
            raise _invalid(
                f"data.shape = {_text(data.shape)} does not start with segment_ids.shape = "
                f"{_text(segment_ids.shape)}"
            )
        if count < 0:
            raise _invalid(f"Input num_segments == {count} must not be negative.")
        ids = segment_ids.reshape(-1).to(torch.int64)
        rows = data.reshape(ids.shape[0], *data.shape[rank:])
        if not call.at_hand(ids):  # rows of no segment go to one that is left out
            outside = (ids < 0) | (ids >= count)
            return reduce(rows, ids.masked_fill(outside, count), count + 1)[:count]
        if bool((ids >= count).any()):
            first = int((ids >= count).nonzero()[0])
            place = np.unravel_index(first, tuple(segment_ids.shape)) if rank else ()
            raise _invalid(
                f"segment_ids{_text(place)} = {int(ids[first])} is out of range [0, {count})"
            )
        kept = ids >= 0
        if not bool(kept.all()):
            ids, rows = ids[kept], rows[kept]
        return reduce(rows, ids, count)

    return lambda node: kernel


for _name, _reduce in {
    "UnsortedSegmentSum": _total,
    "UnsortedSegmentProd": _prod,
    "UnsortedSegmentMax": _reduced("amax", lambda dtype: _limit(dtype, True)),
    "UnsortedSegmentMin": _reduced("amin", lambda dtype: _limit(dtype, False)),
}.items():
    op(_name, shape=_unsorted_shape, specialise=True, host=("num_segments",))(_unsorted(_reduce))

# -- sparse segments: some rows, in order of their segments ----------------------------------------


def _sparse_shape(node: Any) -> list[Any]:
    data = sizes(node, 0)
    merge(with_rank(sizes(node, 1), 1), with_rank(sizes(node, 2), 1))
    count: int | None = None
    if len(node._inputs) > 3:
        value = known_value(node._inputs[3])
        count = None if value is None else int(value)
        if count is not None and count < 0:
            raise ShapeError("Cannot specify a negative value for num_segments")
    return [None if data is None else (count, *data[1:])]


def _chosen(data: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    bad = (indices < 0) | (indices >= data.shape[0])
    if bool(bad.any()):
        place = int(bad.nonzero()[0])
        raise _invalid(
            f"Bad: indices[{place}] == {int(indices[place])} out of range [0, {data.shape[0]})"
        )
    return data.index_select(0, indices.to(torch.int64))


def _sparse(reduce: Callable[..., torch.Tensor]) -> Any:
    def kernel(
        data: torch.Tensor,
        indices: torch.Tensor,
        segment_ids: torch.Tensor,
        num_segments: np.ndarray | None = None,
    ) -> torch.Tensor:
        if indices.dim() != 1 or segment_ids.dim() != 1:
            raise _invalid("indices and segment_ids should be vectors.")
        if indices.shape != segment_ids.shape:
            raise _invalid("segment_ids and indices should have same size.")
        ids = segment_ids.to(torch.int64)
        if ids.numel() and bool((ids[1:] < ids[:-1]).any()):
            raise _invalid("segment ids are not increasing")
        count = int(ids[-1]) + 1 if ids.numel() else 0
        if num_segments is not None:
            if ids.numel() and count > int(num_segments):
                raise _invalid("segment ids must be < num_segments")
            count = int(num_segments)
        if ids.numel() and int(ids[0]) < 0:
            raise _invalid("segment ids must be >= 0")
        return reduce(_chosen(data, indices), ids, count)

    return lambda node: kernel


def _sparse_gradient(root: bool) -> Any:
    def kernel(
        grad: torch.Tensor,
        indices: torch.Tensor,
        segment_ids: torch.Tensor,
        output_dim0: np.ndarray,
    ) -> torch.Tensor:
        ids = segment_ids.to(torch.int64)
        count = grad.shape[0]
        if bool((ids >= count).any()) or bool((ids < 0).any()):
            bad = int(ids[(ids >= count) | (ids < 0)][0])
            raise _invalid(f"Segment id {bad} out of range [0, {count}).")
        places = indices.to(torch.int64)
        wrong = (places < 0) | (places >= int(output_dim0))
        if bool(wrong.any()):
            raise _invalid(f"Index {int(places[wrong][0])} out of range [0, {int(output_dim0)}).")
        sizes_of = _counts(ids, count).to(grad.dtype)
        scale = torch.sqrt(sizes_of) if root else sizes_of
        rows = (grad / _per_row(scale, grad)).index_select(0, ids)
        return _total(rows, places, int(output_dim0))

    return lambda node: kernel


def _sparse_gradient_shape(node: Any) -> list[Any]:
    data = sizes(node, 0)
    value = known_value(node._inputs[3])
    count = None if value is None else int(value)
    return [None if data is None else (count, *data[1:])]


for _name, _reduce in {"Sum": _total, "Mean": _mean, "SqrtN": _root_mean}.items():
    op(f"SparseSegment{_name}", shape=_sparse_shape, specialise=True)(_sparse(_reduce))
    op(
        f"SparseSegment{_name}WithNumSegments",
        shape=_sparse_shape,
        specialise=True,
        host=("num_segments",),
    )(_sparse(_reduce))
for _name, _root in {"Mean": False, "SqrtN": True}.items():
    op(
        f"SparseSegment{_name}Grad",
        shape=_sparse_gradient_shape,
        specialise=True,
        host=("output_dim0",),
    )(_sparse_gradient(_root))

# -- gradients -------------------------------------------------------------------------------------


@gradient("SegmentSum")
def _(op, grad):
    return array_nodes.gather(grad, op.inputs[1]), None


@gradient("SegmentMean")
def _(op, grad):
    data, ids = op.inputs
    rank = array_nodes.rank(data)
    ones_shape = array_nodes.concat(
        [array_nodes.shape(ids), array_nodes.fill(raw.ExpandDims(rank - 1, 0), 1)], 0
    )
    ones = array_nodes.fill(ones_shape, constant(1, dtype=grad.dtype))
    scaled = nodes.divide(grad, raw.SegmentSum(ones, ids))
    return array_nodes.gather(scaled, ids), None


@gradient("SegmentMin", "SegmentMax")
def _(op, grad):
    data, ids = op.inputs
    zeros = array_nodes.zeros_like(data, dtype=data.dtype)
    selected = raw.Equal(data, array_nodes.gather(op.outputs[0], ids))
    count = raw.SegmentSum(nodes.cast(selected, grad.dtype), ids)
    gathered = array_nodes.gather(nodes.divide(grad, count), ids)
    return raw.Select(selected, gathered, zeros), None


@gradient("SparseSegmentSum", "SparseSegmentSumWithNumSegments")
def _(op, grad):
    rows = array_nodes.shape(op.inputs[0])[0]
    gathered = array_nodes.gather(grad, op.inputs[2])
    first = raw.UnsortedSegmentSum(gathered, op.inputs[1], rows)
    return [first] + [None] * (len(op.inputs) - 1)


def _sparse_rule(build_name: str) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        rows = array_nodes.shape(op.inputs[0])[0]
        first = getattr(raw, build_name)(grad, op.inputs[1], op.inputs[2], rows)
        return [first] + [None] * (len(op.inputs) - 1)

    return rule


for _name in ("Mean", "SqrtN"):
    gradient(f"SparseSegment{_name}", f"SparseSegment{_name}WithNumSegments")(
        _sparse_rule(f"SparseSegment{_name}Grad")
    )


def _gather_kept(
    params: Any, ids: Any, clipped: Any = None, kept: Any = None
) -> tuple[Any, Any, Any]:
    """(rows of params, 0 for negative ids; the ids with 0 for negative ones; which were kept)."""
    if clipped is None:
        clipped = raw.Maximum(ids, array_nodes.zeros_like(ids))
    gathered = array_nodes.gather(params, clipped)
    if kept is None:
        kept = raw.GreaterEqual(ids, 0)
        for _ in range(gathered.shape.ndims - kept.shape.ndims):
            kept = raw.ExpandDims(kept, -1)
        kept = kept & array_nodes.ones_like(gathered, dtype=dtypes.bool)
    zeros = array_nodes.zeros_like(gathered)
    return raw.Select(kept, gathered, zeros), clipped, kept


@gradient("UnsortedSegmentSum")
def _(op, grad):
    return _gather_kept(grad, op.inputs[1])[0], None, None


@gradient("UnsortedSegmentMax", "UnsortedSegmentMin")
def _(op, grad):
    data, ids, count = op.inputs
    outputs, clipped, kept = _gather_kept(op.outputs[0], ids)
    selected = raw.LogicalAnd(raw.Equal(data, outputs), kept)
    number = raw.UnsortedSegmentSum(nodes.cast(selected, grad.dtype), ids, count)
    gathered, _, _ = _gather_kept(nodes.divide(grad, number), None, clipped, kept)
    return raw.Select(selected, gathered, array_nodes.zeros_like(gathered)), None, None


@gradient("UnsortedSegmentProd")
def _(op, grad):
    data, ids, count = op.inputs
    # With one zero in a segment only that element has a gradient, with two none has.
    is_zero = raw.Equal(data, 0)
    zeros = raw.UnsortedSegmentSum(nodes.cast(is_zero, dtype=dtypes.int32), ids, count)
    grad = raw.Select(raw.Greater(zeros, 1), array_nodes.zeros_like(grad), grad)
    others = raw.Select(is_zero, array_nodes.ones_like(data), data)
    product = raw.UnsortedSegmentProd(others, ids, count)
    clipped = raw.Maximum(ids, array_nodes.zeros_like(ids))
    gathered = array_nodes.gather(op.outputs[0], clipped)
    of_others = array_nodes.gather(product, clipped)
    divided = gathered / data
    partial = raw.Select(is_zero, of_others, divided)
    return _gather_kept(grad, ids, clipped)[0] * partial, None, None
