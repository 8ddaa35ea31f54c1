"""Chosen elements: gather, scatter, partition and stitch, one-hot, where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices
from relight.graph.graph import ShapeError, get_default_graph
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes as nodes
from relight.ops import call
from relight.ops.array import invalid, shape_text
from relight.ops.array_shapes import axis_of
from relight.ops.build import raw
from relight.ops.constants import constant_value, constant_value_as_shape, known_value
from relight.ops.shape_rules import merge, same, sizes, text

_UNSIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


def take(values: Any, indices: torch.Tensor, axis: int) -> Any:
    """values[..., indices, ...] along `axis` for indices [n] that are known to be in range."""
    if isinstance(values, np.ndarray):
        return values.take(indices.numpy(), axis)
    stand_in = _UNSIGNED.get(values.dtype)
    if stand_in is not None:
        return values.view(stand_in).index_select(axis, indices).view(values.dtype)
    return values.index_select(axis, indices)


def _bad_index(indices: torch.Tensor, limit: int) -> Exception:
    outside = ((indices < 0) | (indices >= limit)).nonzero()[0].tolist()
    value = int(indices[tuple(outside)])
    place = ",".join(map(str, outside))
    where = f"indices[{place}]" if outside else "indices"
    return invalid(f"{where} = {value} is not in [0, {limit})")


def gather_rows(params: Any, indices: torch.Tensor, axis: int = 0) -> Any:
    """params.shape[:axis] + indices.shape + params.shape[axis + 1:].

    An index out of range is an error on the CPU and gives zeros on a GPU, as in TensorFlow.
    """
    limit = params.shape[axis]
    flat = indices.reshape(-1)
    shape = (*params.shape[:axis], *indices.shape, *params.shape[axis + 1 :])
    if isinstance(params, torch.Tensor) and not call.at_hand(params):
        inside = (flat >= 0) & (flat < limit)
        rows = take(params, flat.where(inside, 0), axis)
        mask_shape = [1] * rows.ndim
        mask_shape[axis] = flat.numel()
        return rows.masked_fill(~inside.reshape(mask_shape), 0).reshape(shape)
    try:
        return take(params, flat, axis).reshape(shape)
    except (IndexError, RuntimeError):
        if flat.numel() and (int(flat.min()) < 0 or int(flat.max()) >= limit):
            raise _bad_index(indices, limit) from None
        raise


def _gather_shape(node: Any) -> list[Any]:
    params, indices = sizes(node, 0), sizes(node, 1)
    batch = node._attrs.get("batch_dims", 0)
    place: Any = 0
    if node.type == "GatherV2":
        place = known_value(node._inputs[2])
        if place is None:
            if params is None or indices is None:
                return [None]
            count = batch + len(indices) if batch < 0 else batch
            return [(None,) * (len(params) + len(indices) - 1 - count)]
        place = int(place)
    if params is None:
        return [None]
    needed = place + 1 if place >= 0 else -place
    if len(params) < needed:
        raise ShapeError(f"Shape must be at least rank {needed} but is rank {len(params)}")
    if indices is None:
        return [None]
    if not -len(indices) <= batch <= len(indices):
        raise ShapeError(f"Shape must be at least rank {abs(batch)} but is rank {len(indices)}")
    place %= len(params)
    count = batch + len(indices) if batch < 0 else batch
    common = merge(params[:count], indices[:count]) or ()
    return [(*common, *params[count:place], *indices[count:], *params[place + 1 :])]


@op("Gather", shape=_gather_shape)
def Gather(params, indices):
    """Rows of `params`: indices.shape + params.shape[1:]."""
    return gather_rows(params, indices)


@op("GatherV2", shape=_gather_shape, host=("axis",))
def GatherV2(params, indices, axis, *, batch_dims):
    """Slices along `axis`; the first `batch_dims` dimensions of both inputs go together."""
    place = int(axis)
    if not -params.ndim <= place < params.ndim:
        raise invalid(
            f"Expected axis in the range [{-params.ndim}, {params.ndim}), but got {place}"
        )
    place %= params.ndim
    if not batch_dims:
        return gather_rows(params, indices, place)
    count = batch_dims + indices.ndim if batch_dims < 0 else batch_dims
    if place < count:
        raise invalid(f"batch_dims ({count}) must be less than or equal to axis ({place}).")
    batch = params.shape[:count]
    if tuple(batch) != tuple(indices.shape[:count]):
        raise invalid(
            f"params.shape[:batch_dims] {shape_text(batch)} should be equal to "
            f"indices.shape[:batch_dims] {shape_text(indices.shape[:count])}"
        )
    outer = math.prod(batch)
    rows = params.reshape(outer, *params.shape[count:])
    picks = indices.reshape(outer, *indices.shape[count:])
    parts = [gather_rows(rows[i], picks[i], place - count) for i in range(outer)]
    if not parts:
        shape = (
            *batch,
            *params.shape[count:place],
            *indices.shape[count:],
            *params.shape[place + 1 :],
        )
        return params.reshape(-1)[:0].reshape(shape)
    stacked = np.stack(parts) if isinstance(params, np.ndarray) else torch.stack(parts)
    return stacked.reshape(*batch, *parts[0].shape)


def _int32_shape(params: Any) -> Any:
    with get_default_graph().colocate_with(params.op):
        return raw.Cast(nodes.shape(params, out_type=dtypes.int64), DstT=dtypes.int32)


def _rows_gradient(op: Any, grad: Any) -> IndexedSlices:
    params, indices = op.inputs[0], op.inputs[1]
    shape = _int32_shape(params)
    count = raw.ExpandDims(nodes.size(indices), 0)
    tail = shape[1:]
    values = nodes.reshape(grad, nodes.concat([count, tail], 0))
    return IndexedSlices(values, nodes.reshape(indices, count), shape)


@Gather.gradient
def _(op, grad):
    return [_rows_gradient(op, grad), None]


@GatherV2.gradient
def _(op, grad):
    params, indices, axis = op.inputs
    shape = _int32_shape(params)
    count = raw.ExpandDims(nodes.size(indices), 0)
    batch = op.get_attr("batch_dims")
    if batch < 0:
        batch += indices.shape.ndims
    static = constant_value(axis)
    if static is not None and static == 0:
        tail = shape[1:]
        values = nodes.reshape(grad, nodes.concat([count, tail], 0))
        return [IndexedSlices(values, nodes.reshape(indices, count), shape), None, None]
    return [_axis_gradient(grad, shape, indices, axis, batch), None, None]


def _range(*bounds: Any) -> Any:
    return raw.Range(*bounds, 1, name="range")


def _axis_gradient(grad: Any, shape: Any, indices: Any, axis: Any, batch: int) -> Any:
    """The axis moves behind the batch dimensions, rows are summed there, and it moves back."""
    outer = shape[:axis]
    inner = shape[axis:][1:]
    values_shape = nodes.concat([outer, [-1], inner], 0)
    dims, outer_dims = nodes.size(values_shape), nodes.size(outer)
    batches = raw.Range(0, batch, 1, name="range")
    before = _range(batch, outer_dims)
    after = _range(raw.AddV2(outer_dims, 1, name="add"), dims)
    values = nodes.reshape(grad, values_shape)
    order = nodes.concat([batches, [outer_dims], before, after], 0)
    moved = nodes.transpose(values, order)
    summed = _batch_sum(shape, moved, indices, batch, shape[axis])
    back = nodes.concat([batches, raw.AddV2(before, 1, name="add"), [batch], after], 0)
    return nodes.transpose(summed, back)


def _batch_sum(shape: Any, values: Any, indices: Any, batch: int, rows: Any) -> Any:
    count = raw.ExpandDims(nodes.size(indices), 0)
    outer = flat_shape = None
    if batch:
        values_shape = nodes.shape(values)
        outer = values_shape[:batch]
        inner = values_shape[batch:][1:]
        batch_size = raw.Prod(outer, [0], keep_dims=False)
        flat_shape = nodes.concat([[-1], inner], 0)
        rows = raw.Mul(rows, batch_size, name="mul")
        indices = _batch_indices(shape, indices, batch)
        values = nodes.reshape(values, flat_shape)
    indices = nodes.reshape(indices, count)
    result = raw.UnsortedSegmentSum(values, indices, rows)
    if batch:
        result = nodes.reshape(result, nodes.concat([outer, flat_shape], 0))
    return result


def _batch_indices(shape: Any, indices: Any, batch: int) -> Any:
    """Indices into the flattened batch and axis dimensions."""
    dtype = indices.dtype.base_dtype
    if shape.dtype != dtype:
        shape = raw.Cast(shape, DstT=dtype)
    count = indices.shape.ndims
    stride = nodes.ones((), dtype=dtype)
    for i in range(batch, 0, -1):
        size = shape[i - 1]
        stride = raw.Mul(stride, shape[i], name="mul")
        start, step = nodes.zeros((), dtype=dtype), nodes.ones((), dtype=dtype)
        along = raw.Range(start, size, step, name="range")
        along = raw.Mul(along, stride, name="mul")
        place = nodes.stack([1] * (i - 1) + [size] + [1] * (count - i), axis=0)
        indices = raw.AddV2(indices, nodes.reshape(along, place), name="add")
    return indices


# -- by coordinates ------------------------------------------------------------------------------


def _flat_places(indices: torch.Tensor, shape: Any, what: str) -> torch.Tensor:
    """The row-major place of each coordinate [..., depth] in the first `depth` dimensions [...].

    On a GPU -1 for what is outside, elsewhere an error.
    """
    depth = indices.shape[-1]
    coordinates = indices.reshape(math.prod(indices.shape[:-1]), depth).to(torch.int64)
    strides = [1] * depth
    for i in range(depth - 2, -1, -1):
        strides[i] = strides[i + 1] * int(shape[i + 1])
    if not call.at_hand(indices):  # without a tensor that would have to be copied there
        flat, wrong = indices.new_zeros(len(coordinates), dtype=torch.int64), False
        for c, limit, stride in zip(coordinates.unbind(1), shape[:depth], strides, strict=True):
            flat = flat + c * stride
            wrong = (c < 0) | (c >= int(limit)) | wrong
        return flat.masked_fill(wrong, -1) if depth else flat
    limits = torch.tensor([int(s) for s in shape[:depth]], dtype=torch.int64)
    outside = (coordinates < 0) | (coordinates >= limits)
    if bool(outside.any()):
        row = int(outside.any(1).nonzero()[0])
        place = np.unravel_index(row, tuple(indices.shape[:-1])) if indices.ndim > 1 else (row,)
        listed = ", ".join(str(c) for c in coordinates[row].tolist())
        where = ",".join(str(int(p)) for p in place)
        raise invalid(f"indices[{where}] = [{listed}] does not index into {what}")
    return (coordinates * torch.tensor(strides, dtype=torch.int64)).sum(1)


def _gather_nd_shape(node: Any) -> list[Any]:
    params, indices = sizes(node, 0), sizes(node, 1)
    if params is None or indices is None or indices[-1] is None:
        return [None]
    if indices[-1] > len(params):
        raise ShapeError(
            "indices.shape[-1] must be <= params.rank, but saw indices shape: "
            f"{text(indices)} and params shape: {text(params)}"
        )
    return [(*indices[:-1], *params[indices[-1] :])]


@op("GatherNd", shape=_gather_nd_shape)
def GatherNd(params, indices):
    """params[indices[i, 0], indices[i, 1], ...]: indices.shape[:-1] + params.shape[depth:]."""
    depth = indices.shape[-1]
    if depth > params.ndim:
        raise invalid(
            "index innermost dimension length must be <= params rank; saw: "
            f"{depth} vs. {params.ndim}"
        )
    flat = _flat_places(indices, params.shape, f"param shape {shape_text(params.shape)}")
    rows = params.reshape(math.prod(params.shape[:depth]), *params.shape[depth:])
    if isinstance(params, torch.Tensor) and not call.at_hand(params):
        result = take(rows, flat.clamp(min=0), 0)
        result = result.masked_fill((flat < 0).reshape(-1, *[1] * (result.ndim - 1)), 0)
    else:
        result = take(rows, flat, 0)
    return result.reshape(*indices.shape[:-1], *params.shape[depth:])


@GatherNd.gradient
def _(op, grad):
    params, indices = op.inputs
    shape = nodes.shape(params, out_type=indices.dtype)
    if indices.shape.ndims == 2 and indices.shape.as_list()[-1] == 1:
        return [IndexedSlices(grad, nodes.squeeze(indices, axis=-1), shape), None]
    return [raw.ScatterNd(indices, grad, shape), None]


def _check_updates(indices: Any, updates: Any, shape: Any) -> int:
    depth = indices.shape[-1]
    if tuple(indices.shape[:-1]) != tuple(updates.shape[: indices.ndim - 1]):
        raise invalid(
            "Outer dimensions of indices and update must match. Indices shape: "
            f"{shape_text(indices.shape)}, updates shape:{shape_text(updates.shape)}"
        )
    if depth > len(shape) or tuple(updates.shape[indices.ndim - 1 :]) != tuple(shape[depth:]):
        raise invalid(
            "Inner dimensions of output shape must match inner dimensions of updates shape. "
            f"Output: {shape_text(shape)} updates: {shape_text(updates.shape)}"
        )
    return depth


def scatter_nd_(target: torch.Tensor, indices: Any, updates: Any, how: str) -> torch.Tensor:
    """Combine `updates` into `target` at `indices`, in place: add, sub, update, min, max, mul."""
    shape = list(target.shape)
    depth = _check_updates(indices, updates, shape)
    flat = _flat_places(indices, shape, f"shape {shape_text(shape)}")
    rows = target.view(-1, *shape[depth:]) if depth else target.view(1, *shape)
    parts = updates.reshape(-1, *shape[depth:])
    if not call.at_hand(flat) and how in ("add", "sub") and target.dtype is not torch.bool:
        outside = (flat < 0).reshape(-1, *[1] * (parts.ndim - 1))
        flat, parts = flat.clamp(min=0), parts.masked_fill(outside, 0)
    elif not call.at_hand(flat):
        kept = (flat >= 0).nonzero().squeeze(1)
        flat, parts = flat[kept], parts[kept]
    if how in ("add", "sub"):
        if target.dtype is torch.bool:
            rows.index_copy_(0, flat, rows[flat] | parts)
        else:
            rows.index_add_(0, flat, parts, alpha=1 if how == "add" else -1)
    elif how == "update":
        if call.at_hand(flat):
            rows[flat] = parts  # of equal indices the last one counts
        else:
            rows.index_copy_(0, flat, parts)
    else:
        name = {"min": "amin", "max": "amax", "mul": "prod"}[how]
        rows.index_reduce_(0, flat, parts, name)
    return target


def _scatter_nd_shape(node: Any) -> list[Any]:
    target = constant_value_as_shape(node._inputs[2])
    indices, updates = sizes(node, 0), sizes(node, 1)
    if target._sizes is None:
        return [None]
    if indices and indices[-1] is not None and updates is not None:
        outer, depth = len(indices) - 1, indices[-1]
        if len(updates) >= outer and not _fits(indices[:-1], updates[:outer]):
            raise ShapeError(
                f"The outer {outer} dimensions of indices.shape={text(indices)} must match the "
                f"outer {outer} dimensions of updates.shape={text(updates)}: "
                + _why(indices[:-1], updates[:outer])
            )
        if not _fits(target._sizes[depth:], updates[outer:]):
            raise ShapeError(
                f"The inner {len(target._sizes) - depth} dimensions of input.shape="
                f"{text(target._sizes)} must match the inner {len(updates) - outer} dimensions of "
                f"updates.shape={text(updates)}: " + _why(target._sizes[depth:], updates[outer:])
            )
    return [target]


def _fits(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(
        x is None or y is None or x == y for x, y in zip(a, b, strict=True)
    )


def _why(a: Any, b: Any) -> str:
    try:
        merge(tuple(a), tuple(b))
    except ShapeError as error:
        return str(error)
    return ""


@op("ScatterNd", shape=_scatter_nd_shape, host=("shape",))
def ScatterNd(indices, updates, shape):
    """Zeros of `shape` with `updates` added at `indices`."""
    target = shape.tolist()
    if isinstance(updates, np.ndarray):
        depth = _check_updates(indices, updates, target)
        flat = _flat_places(indices, target, f"shape {shape_text(target)}")
        result = np.full(target, b"", object)
        rows = result.reshape(-1, *target[depth:])
        parts = updates.reshape(-1, *target[depth:])
        for place, part in zip(flat.tolist(), parts, strict=True):
            rows[place] = rows[place] + part
        return result
    return scatter_nd_(updates.new_zeros(target), indices, updates, "add")


@ScatterNd.gradient
def _(op, grad):
    return [None, raw.GatherNd(grad, op.inputs[0]), None]


def _updating(name: str, how: str) -> Any:
    @op(name, shape=same)
    def kernel(tensor, indices, updates):
        if isinstance(tensor, np.ndarray):
            raise invalid(f"{name} does not work on strings")
        target = tensor.clone(memory_format=torch.contiguous_format)
        return scatter_nd_(target, indices, updates, how)

    return kernel


TensorScatterAdd = _updating("TensorScatterAdd", "add")
TensorScatterSub = _updating("TensorScatterSub", "sub")
TensorScatterUpdate = _updating("TensorScatterUpdate", "update")
ScatterNdNonAliasingAdd = _updating("ScatterNdNonAliasingAdd", "add")


@TensorScatterUpdate.gradient
def _(op, grad):
    indices, updates = op.inputs[1], op.inputs[2]
    update_grad = raw.GatherNd(grad, indices)
    zeros = nodes.zeros_like
    rest = raw.TensorScatterUpdate(nodes.identity(grad), indices, zeros(updates, dtype=grad.dtype))
    return [rest, None, update_grad]


@TensorScatterAdd.gradient
def _(op, grad):
    update_grad = raw.GatherNd(grad, op.inputs[1])
    return [nodes.identity(grad), None, update_grad]


@TensorScatterSub.gradient
def _(op, grad):
    update_grad = raw.GatherNd(grad, op.inputs[1])
    return [nodes.identity(grad), None, raw.Neg(update_grad)]


@ScatterNdNonAliasingAdd.gradient
def _(op, grad):
    return [grad, None, raw.GatherNd(grad, op.inputs[1])]


# -- partition and stitch ------------------------------------------------------------------------


def _partition_shape(node: Any) -> list[Any]:
    data, parts = sizes(node, 0), sizes(node, 1)
    count = len(node._outputs)
    if data is None or parts is None:
        return [None] * count
    merge(data[: len(parts)], parts)
    return [(None, *data[len(parts) :])] * count


@op("DynamicPartition", shape=_partition_shape)
def DynamicPartition(data, partitions, *, num_partitions):
    """The rows of `data` of each partition number, in order."""
    rank = partitions.ndim
    if tuple(data.shape[:rank]) != tuple(partitions.shape):
        raise invalid(
            "data.shape must start with partitions.shape, got data.shape = "
            f"{shape_text(data.shape)}, partitions.shape = {shape_text(partitions.shape)}"
        )
    flat = partitions.reshape(-1)
    if flat.numel() and (int(flat.min()) < 0 or int(flat.max()) >= num_partitions):
        where = ((partitions < 0) | (partitions >= num_partitions)).nonzero()[0].tolist()
        place = f"[{','.join(map(str, where))}]" if where else ""
        raise invalid(
            f"partitions{place} = {int(partitions[tuple(where)])} is not in [0, {num_partitions})"
        )
    rows = data.reshape(-1, *data.shape[rank:])
    return [take(rows, (flat == i).nonzero().squeeze(1), 0) for i in range(num_partitions)]


@DynamicPartition.gradient
def _(op, *grads):
    data, partitions = op.inputs
    count = op.get_attr("num_partitions")
    prefix = nodes.shape(partitions)
    places = raw.Range(0, raw.Prod(prefix, nodes.all_dimensions(prefix)), 1, name="range")
    places = nodes.reshape(places, prefix)
    parts = raw.DynamicPartition(places, partitions, num_partitions=count)
    joined = raw.DynamicStitch(parts, list(grads))
    return [nodes.reshape(joined, nodes.shape(data)), None]


def _stitch_shape(node: Any) -> list[Any]:
    count = node._attrs["N"]
    tail: Any = None
    largest: int | None = 0
    for i in range(count):
        indices, data = sizes(node, i), sizes(node, count + i)
        if indices is not None and data is not None:
            try:
                merge(data[: len(indices)], indices)
                tail = merge(tail, data[len(indices) :])
            except ShapeError as error:
                raise ShapeError(str(error)) from None
        value = known_value(node._inputs[i])
        if value is None:
            largest = None
        elif largest is not None and value.size:
            largest = max(largest, int(value.max()) + 1)
    return [None if tail is None else (largest, *tail)]


def _stitch(indices: list[Any], data: list[Any]) -> Any:
    tail = data[0].shape[indices[0].ndim :]
    for i, (index, part) in enumerate(zip(indices, data, strict=True)):
        if tuple(part.shape[: index.ndim]) != tuple(index.shape):
            raise invalid(
                f"data[{i}].shape = {shape_text(part.shape)} does not start with indices[{i}].shape"
                f" = {shape_text(index.shape)}"
            )
        if tuple(part.shape[index.ndim :]) != tuple(tail):
            raise invalid(
                f"Need data[0].shape[{indices[0].ndim}:] = data[{i}].shape[{index.ndim}:], got "
                f"data[0].shape = {shape_text(data[0].shape)}, data[{i}].shape = "
                f"{shape_text(part.shape)}, indices[0].shape = {shape_text(indices[0].shape)}, "
                f"indices[{i}].shape = {shape_text(index.shape)}"
            )
    places = torch.cat([i.reshape(-1) for i in indices]).to(torch.int64)
    size = int(places.max()) + 1 if places.numel() else 0
    if places.numel() and int(places.min()) < 0:
        raise invalid(f"indices[0] = {int(places.min())} is out of range [0, {size})")
    if isinstance(data[0], np.ndarray):
        result = np.full((size, *tail), b"", object)
        result[places.numpy()] = np.concatenate([d.reshape(-1, *tail) for d in data])
        return result
    rows = torch.cat([d.reshape(-1, *tail) for d in data])
    merged_rows = rows.new_zeros((size, *tail))
    if call.at_hand(rows):
        merged_rows[places] = rows  # of equal indices the last one counts
        return merged_rows
    last = torch.full((size,), -1, dtype=torch.int64, device=rows.device)
    last.scatter_reduce_(0, places, torch.arange(len(places), device=rows.device), "amax")
    found = last >= 0
    merged_rows[found] = rows[last[found]]
    return merged_rows


@op("DynamicStitch", shape=_stitch_shape)
def DynamicStitch(indices, data):
    """merged[indices[m][i]] = data[m][i]; later ones win."""
    return _stitch(indices, data)


@op("ParallelDynamicStitch", shape=_stitch_shape)
def ParallelDynamicStitch(indices, data):
    """`DynamicStitch` whose indices should be different."""
    return _stitch(indices, data)


def _stitch_gradient(op: Any, grad: Any) -> list[Any]:
    count = len(op.inputs) // 2
    indices = [op.inputs[i] for i in range(count)]
    return [None] * count + [nodes.gather(grad, i) for i in indices]


for _record in (DynamicStitch, ParallelDynamicStitch):
    _record.gradient(_stitch_gradient)


# -- places --------------------------------------------------------------------------------------


def _one_hot_shape(node: Any) -> list[Any]:
    depth, indices = known_value(node._inputs[1]), sizes(node, 0)
    axis = node._attrs["axis"]
    if axis < -1:
        raise ShapeError("axis must be >= -1")
    if depth is not None and int(depth) < 0:
        raise ShapeError(
            f"Dimension size, given by scalar input 1, must be non-negative but is {int(depth)}"
        )
    if indices is None:
        return [None]
    place = len(indices) if axis == -1 else axis
    axis_of(place, len(indices) + 1)
    return [(*indices[:place], None if depth is None else int(depth), *indices[place:])]


@op("OneHot", shape=_one_hot_shape, host=("depth",))
def OneHot(indices, depth, on_value, off_value, *, axis):
    """A new dimension of size `depth`: `on_value` at the place of the index, else `off_value`."""
    count = int(depth)
    if count < 0:
        raise invalid(f"depth must be non-negative, got: {count}")
    place = indices.ndim if axis == -1 else axis
    shape = [1] * (indices.ndim + 1)
    shape[place] = count
    hot = torch.arange(count, device=indices.device).reshape(shape) == indices.unsqueeze(place)
    if isinstance(on_value, np.ndarray):
        return np.where(hot.numpy(), on_value[()], off_value[()]).astype(object)
    return torch.where(hot, on_value, off_value)


def _where_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    return [(None, None if known is None else len(known))]


@op("Where", shape=_where_shape)
def Where(value):
    """The indices of the elements that are not zero, [n, rank]."""
    if value.ndim == 0:
        raise invalid("WhereOp : Unhandled input dimensions: 0")
    return value.nonzero()


@op(
    "UnravelIndex",
    shape=lambda node: [_unravel_shape(node)],
    host=("indices", "dims"),
    host_out=True,
)
def UnravelIndex(indices, dims):
    """Coordinates [rank, n] (or [rank] of a scalar) of row-major places in a shape `dims`."""
    total = int(np.prod(dims, dtype=np.int64))
    if indices.size and (int(indices.max()) >= total):
        raise invalid("index is out of bound as with dims")
    strides = np.concatenate([np.cumprod(dims[::-1])[::-1][1:], [1]])
    flat = indices.reshape(-1)
    table = (flat[None, :] // strides[:, None]) % dims[:, None]
    return table.reshape(len(dims), *indices.shape).astype(indices.dtype)


def _unravel_shape(node: Any) -> Any:
    indices, dims = sizes(node, 0), sizes(node, 1)
    if indices is None or dims is None:
        return None
    if not indices:
        return dims
    total = None if None in indices else math.prod(indices)  # type: ignore[arg-type]
    return (dims[0], total)


def _bound_shape(node: Any) -> list[Any]:
    return [sizes(node, 1)]


@op("LowerBound", shape=_bound_shape, specialise=True)
def LowerBound(node: Any) -> Any:
    """Row by row: the first place where each value could be inserted in sorted order."""
    wide = node._attrs["out_type"] is dtypes.int64
    return lambda rows, values: torch.searchsorted(
        rows.contiguous(), values.contiguous(), out_int32=not wide
    )


@op("UpperBound", shape=_bound_shape, specialise=True)
def UpperBound(node: Any) -> Any:
    """Row by row: the last place where each value could be inserted in sorted order."""
    wide = node._attrs["out_type"] is dtypes.int64
    return lambda rows, values: torch.searchsorted(
        rows.contiguous(), values.contiguous(), out_int32=not wide, right=True
    )


def _rows_in_place(how: str) -> Any:
    def kernel(x, i, v):
        result = x.clone()
        rows = i.to(torch.int64).reshape(-1)
        part = v.reshape(-1, *x.shape[1:])
        if how == "update":
            result[rows] = part
            return result
        return result.index_add_(0, rows, part, alpha=1 if how == "add" else -1)

    return kernel


for _name, _how in (("InplaceUpdate", "update"), ("InplaceAdd", "add"), ("InplaceSub", "sub")):
    op(_name, shape=same)(_rows_in_place(_how))

not_differentiable(
    "OneHot",
    "Where",
    "UnravelIndex",
    "LowerBound",
    "UpperBound",
    "InplaceUpdate",
    "InplaceAdd",
    "InplaceSub",
)
