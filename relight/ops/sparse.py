"""Sparse tensors: (indices [n, rank], values [n], shape [rank]); dense forms, products, parts.

`sparse_math.py` holds sums, reductions and element-wise operations.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relight.graph.composite import SparseTensor
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes as nodes
from relight.ops import call, math_nodes
from relight.ops.array import invalid, shape_text
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape
from relight.ops.gather import take
from relight.ops.shape_rules import from_input, sizes, with_rank


def strides_of(shape: list[int]) -> list[int]:
    """How many elements lie between neighbours of each dimension, row-major."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * shape[i + 1]
    return strides


def places(indices: torch.Tensor, shape: Any) -> torch.Tensor:
    """Row-major places [n] of coordinates [n, rank]."""
    strides = torch.tensor(
        strides_of([int(s) for s in shape]), dtype=torch.int64, device=indices.device
    )
    return (indices.to(torch.int64) * strides).sum(1)


def coordinates(flat: torch.Tensor, shape: Any) -> torch.Tensor:
    """Coordinates [n, rank] of row-major places [n]."""
    columns = []
    for stride, size in zip(strides_of([int(s) for s in shape]), shape, strict=True):
        columns.append((flat // stride) % max(int(size), 1))
    return torch.stack(columns, 1) if columns else flat.new_zeros((len(flat), 0))


def _listed(row: torch.Tensor) -> str:
    return "[" + ",".join(str(v) for v in row.tolist()) + "]"


def check_order(indices: torch.Tensor, shape: Any) -> None:
    """InvalidArgumentError unless the indices are in range, sorted and all different."""
    limits = torch.tensor([int(s) for s in shape], dtype=torch.int64, device=indices.device)
    outside = ((indices < 0) | (indices >= limits)).any(1)
    flat = places(indices, shape)
    steps = flat[1:] - flat[:-1] if len(flat) > 1 else flat[:0]
    wrong = outside.clone()
    wrong[1:] |= steps <= 0
    if not bool(wrong.any()):
        return
    row = int(wrong.nonzero()[0])
    if bool(outside[row]):
        raise invalid(
            f"indices[{row}] = {_listed(indices[row])} is out of bounds: need 0 <= index "
            f"< {_listed(limits)}"
        )
    what = (
        "is repeated"
        if int(steps[row - 1]) == 0
        else (
            "is out of order. Many sparse ops require sorted indices.\n    Use "
            "`tf.sparse.reorder` to create a correctly ordered copy."
        )
    )
    raise invalid(f"indices[{row}] = {_listed(indices[row])} {what}")


# -- dense forms ---------------------------------------------------------------------------------


@op("SparseToDense", shape=from_input(1), host=("output_shape",))
def SparseToDense(indices, output_shape, values, default, *, validate_indices):
    """A dense tensor: `default` but for `values` at `indices` (scalar, [n] or [n, rank])."""
    shape = output_shape.tolist()
    rows = indices.reshape(-1, 1) if indices.ndim < 2 else indices
    if rows.shape[1] != len(shape):
        raise invalid(
            f"output_shape has incorrect number of elements: {len(shape)} should be: "
            f"{rows.shape[1]}"
        )
    rows = rows.to(torch.int64)
    if values.ndim and len(values) != len(rows):
        raise invalid(
            f"sparse_values has incorrect shape {shape_text(values.shape)}, should be [] "
            f"or [{len(rows)}]"
        )
    if validate_indices:
        check_order(rows, shape)
    flat = places(rows, shape)
    count = math.prod(shape)
    if isinstance(values, np.ndarray):
        dense = np.full(count, default[()], object)
        dense[flat.numpy()] = values
        return dense.reshape(shape)
    dense = default.expand(count).clone()
    inside = _inside(rows, shape)
    if not validate_indices and not bool(inside.all()):
        flat = flat[inside]
        values = values[inside] if values.ndim else values
    dense[flat] = values
    return dense.reshape(shape)


def _inside(rows: torch.Tensor, shape: list[int]) -> torch.Tensor:
    limits = torch.tensor(shape, dtype=torch.int64, device=rows.device)
    return ((rows >= 0) & (rows < limits)).all(1)


@SparseToDense.gradient
def _(op, grad):
    indices, shape = op.inputs[0], op.inputs[1]
    values = raw.GatherNd(grad, indices)
    default = math_nodes.reduce_sum(grad) - math_nodes.reduce_sum(values)
    return [nodes.zeros_like(indices), nodes.zeros_like(shape), values, default]


def _dense_add_shape(node: Any) -> list[Any]:
    return [sizes(node, 3)]


@op("SparseTensorDenseAdd", shape=_dense_add_shape, host=("a_shape",))
def SparseTensorDenseAdd(indices, values, shape, dense):
    """A dense tensor with a sparse one of the same shape added."""
    if shape.tolist() != list(dense.shape):
        raise invalid(
            f"Dimension 0 does not equal (no broadcasting is supported): sparse side "
            f"{shape_text(shape)} vs dense side {shape_text(dense.shape)}"
        )
    result = dense.clone(memory_format=torch.contiguous_format)
    result.view(-1).index_add_(0, places(indices, dense.shape), values)
    return result


@SparseTensorDenseAdd.gradient
def _(op, grad):
    return [None, raw.GatherNd(grad, op.inputs[0]), None, grad]


# -- product -------------------------------------------------------------------------------------


def _matmul_shape(node: Any) -> list[Any]:
    attrs = node._attrs
    a = constant_value_as_shape(node._inputs[2])._sizes
    a = with_rank(a, 2)
    b = with_rank(sizes(node, 3), 2)
    assert a is not None and b is not None
    rows, inner_a = a[::-1] if attrs["adjoint_a"] else a
    inner_b, columns = b[::-1] if attrs["adjoint_b"] else b
    if inner_a is not None and inner_b is not None and inner_a != inner_b:
        raise ShapeError(f"Dimensions must be equal, but are {inner_a} and {inner_b}")
    return [(rows, columns)]


@op("SparseTensorDenseMatMul", shape=_matmul_shape, host=("a_shape",))
def SparseTensorDenseMatMul(indices, values, shape, b, *, adjoint_a, adjoint_b):
    """Sparse [m, k] x dense [k, n] -> dense [m, n], each side adjoint if asked for."""
    if len(shape) != 2:
        raise invalid(f"Tensor 'a_shape' must have 2 elements: {shape.tolist()}")
    m, k = shape.tolist()
    rows, columns = indices[:, 0].to(torch.int64), indices[:, 1].to(torch.int64)
    if adjoint_a:
        m, k, rows, columns = k, m, columns, rows
        values = values.conj().resolve_conj()
    if adjoint_b:
        b = b.mH
    if b.shape[0] != k:
        raise invalid(
            f"Cannot multiply A and B because inner dimension does not match: {k} vs. "
            f"{b.shape[0]}.  Did you forget a transpose?  Dimensions of A: [{m}, {k}).  "
            f"Dimensions of B: {shape_text(b.shape)}"
        )
    for index, limit, name in ((columns, k, "k"), (rows, m, "m")):
        if (
            index.numel()
            and call.at_hand(index)
            and (int(index.min()) < 0 or int(index.max()) >= limit)
        ):
            bad = int(((index < 0) | (index >= limit)).nonzero()[0])
            raise invalid(
                f"{name} ({int(index[bad])}) from index[{bad},"
                f"{1 if name == 'k' else 0}] out of bounds (>={limit})"
            )
    result = b.new_zeros((m, b.shape[1]))
    return result.index_add_(0, rows, values[:, None] * b.index_select(0, columns))


@SparseTensorDenseMatMul.gradient
def _(op, grad):
    indices, values, shape, b = op.inputs
    adjoint_a, adjoint_b = op.get_attr("adjoint_a"), op.get_attr("adjoint_b")
    if values.dtype.is_complex:
        raise NotImplementedError("SparseTensorDenseMatMul op does not support complex gradients.")
    b_grad = raw.SparseTensorDenseMatMul(indices, values, shape, grad, adjoint_a=not adjoint_a)
    if adjoint_b:
        b_grad = nodes.transpose(b_grad)
    rows, columns = indices[:, 0], indices[:, 1]
    parts_a = nodes.gather(grad, columns if adjoint_a else rows)
    parts_b = nodes.gather(nodes.transpose(b) if adjoint_b else b, rows if adjoint_a else columns)
    return [None, math_nodes.reduce_sum(parts_a * parts_b, axis=1), None, b_grad]


# -- order and shape -----------------------------------------------------------------------------


def _reorder_shape(node: Any) -> list[Any]:
    return [with_rank(sizes(node, 0), 2), with_rank(sizes(node, 1), 1)]


@op("SparseReorder", shape=_reorder_shape, host=("input_shape",))
def SparseReorder(indices, values, shape):
    """The same elements in row-major order."""
    order = places(indices, shape).argsort(stable=True)
    return indices[order], take(values, order, 0)


def reordered(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The same elements in row-major order."""
    indices, values = raw.SparseReorder(
        sp_input.indices, sp_input.values, sp_input.dense_shape, name=name
    )
    if sp_input.shape.is_fully_defined():
        return SparseTensor(indices, values, sp_input.shape.as_list())
    return SparseTensor(indices, values, nodes.identity(sp_input.dense_shape))


@SparseReorder.gradient
def _(op, _indices_grad, grad):
    indices, shape = op.inputs[0], op.inputs[2]
    count = nodes.shape(indices)[0]
    unordered = SparseTensor(indices, raw.Range(0, count, 1, name="range"), shape)
    ordered = reordered(unordered)
    back = raw.InvertPermutation(ordered.values)
    return [None, nodes.gather(grad, back), None]


def _reshape_shape(node: Any) -> list[Any]:
    indices, target = sizes(node, 0), sizes(node, 2)
    rank = None if target is None else target[0]
    return [(None if indices is None else indices[0], rank), (rank,)]


@op("SparseReshape", shape=_reshape_shape, host=("input_shape", "new_shape"))
def SparseReshape(indices, input_shape, new_shape):
    """The same elements of a tensor in another shape; one size may be -1."""
    old, new = input_shape.tolist(), new_shape.tolist()
    total = math.prod(old)
    if new.count(-1) > 1:
        raise invalid(
            "only one output dimension may be -1, not both "
            f"{new.index(-1)} and {new.index(-1, new.index(-1) + 1)}"
        )
    if -1 in new:
        rest = math.prod(s for s in new if s != -1)
        if rest == 0:
            raise invalid(
                "reshape cannot infer the missing input size for an empty tensor unless "
                "all specified input sizes are non-zero"
            )
        if total % rest:
            raise invalid(
                f"Input to reshape is a SparseTensor with {total} dense values, but the "
                f"requested shape requires a multiple of {rest}. input_shape="
                f"{shape_text(old)} output_shape={shape_text(new)}"
            )
        new = [total // rest if s == -1 else s for s in new]
    if math.prod(new) != total:
        raise invalid(
            f"Input to reshape is a tensor with {total} dense values, but the requested "
            f"shape has {math.prod(new)}. input_shape={shape_text(old)} output_shape="
            f"{shape_text(new)}"
        )
    return coordinates(places(indices, old), new), torch.tensor(new, dtype=torch.int64)


def _concat_shape(node: Any) -> list[Any]:
    count = node._attrs["N"]
    rank = None
    total: int | None = 0
    for i in range(count):
        known = sizes(node, i)
        if known is None or known[0] is None:
            total = None
        elif total is not None:
            total += known[0]
        if known is not None and known[1] is not None:
            rank = known[1]
    return [(total, rank), (total,), (rank,)]


@op("SparseConcat", shape=_concat_shape, host=("shapes",))
def SparseConcat(indices, values, shapes, *, concat_dim):
    """Sparse tensors joined along a dimension, in row-major order."""
    rank = len(shapes[0])
    axis = concat_dim + rank if concat_dim < 0 else concat_dim
    if not 0 <= axis < rank:
        raise invalid(f"Concat dimension must be in range [{-rank}, {rank}), got {concat_dim}")
    whole = [int(s) for s in shapes[0]]
    whole[axis] = 0
    moved = []
    for i, (part, shape) in enumerate(zip(indices, shapes, strict=True)):
        if len(shape) != rank:
            raise invalid(
                f"Ranks of all input tensors must match: expected {rank} but got "
                f"{len(shape)} at position {i}"
            )
        for d in range(rank):
            if d != axis and int(shape[d]) != whole[d]:
                raise invalid(
                    f"Input shapes must match: expected {whole[d]} for dimension {d} but "
                    f"got {int(shape[d])} at position {i}"
                )
        shifted = part.clone()
        shifted[:, axis] += whole[axis]
        moved.append(shifted)
        whole[axis] += int(shape[axis])
    joined = torch.cat(moved)
    strings = isinstance(values[0], np.ndarray)
    every = np.concatenate(values) if strings else torch.cat(values)
    order = places(joined, whole).argsort(stable=True)
    return joined[order], take(every, order, 0), torch.tensor(whole, dtype=torch.int64)


def _split_shape(node: Any) -> list[Any]:
    count = node._attrs["num_split"]
    rank = sizes(node, 3)
    size = None if rank is None else rank[0]
    return [(None, size)] * count + [(None,)] * count + [rank] * count


@op("SparseSplit", shape=_split_shape, host=("split_dim", "shape"))
def SparseSplit(split_dim, indices, values, shape, *, num_split):
    """Nearly equal parts along a dimension; the first ones are larger by one."""
    rank, axis = len(shape), int(split_dim)
    axis = axis + rank if axis < 0 else axis
    if not 0 <= axis < rank:
        raise invalid(f"Input split_dim should be between [{-rank}, {rank}), got {int(split_dim)}")
    whole = int(shape[axis])
    if not 1 <= num_split <= whole:
        raise invalid(
            f"Input num_split should be between 1 and the splitting dimension size "
            f"({whole}), got {num_split}"
        )
    small, extra = divmod(whole, num_split)
    result: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    start = 0
    for i in range(num_split):
        count = small + (1 if i < extra else 0)
        inside = (indices[:, axis] >= start) & (indices[:, axis] < start + count)
        chosen = inside.nonzero().squeeze(1)
        part = indices[chosen]
        part[:, axis] -= start
        size = [int(s) for s in shape]
        size[axis] = count
        result[0].append(part)
        result[1].append(take(values, chosen, 0))
        result[2].append(torch.tensor(size, dtype=torch.int64))
        start += count
    return result


def _slice_shape(node: Any) -> list[Any]:
    rank = sizes(node, 2)
    size = None if rank is None else rank[0]
    return [(None, size), (None,), rank]


@op("SparseSlice", shape=_slice_shape, host=("shape", "start", "size"))
def SparseSlice(indices, values, shape, start, size):
    """The part of `size` from `start` on (cut at the borders)."""
    whole = [int(s) for s in shape]
    first = [int(s) for s in start]
    if len(first) != len(whole) or len(size) != len(whole):
        raise invalid(f"Expected start and size to have {len(whole)} elements")
    kept = [
        max(min(a + int(n), s) - a, 0) if a < s else 0
        for a, n, s in zip(first, size, whole, strict=True)
    ]
    low = torch.tensor(first, dtype=torch.int64, device=indices.device)
    high = low + torch.tensor(kept, dtype=torch.int64, device=indices.device)
    chosen = ((indices >= low) & (indices < high)).all(1).nonzero().squeeze(1)
    return (
        indices[chosen] - low,
        take(values, chosen, 0),
        torch.tensor(kept, dtype=torch.int64),
    )


@SparseSlice.gradient
def _(op, _indices_grad, grad, _shape_grad):
    indices, values, start = op.inputs[0], op.inputs[1], op.inputs[3]
    value_grad = raw.SparseSliceGrad(grad, indices, start, op.outputs[0])
    value_grad.set_shape(values.shape)
    return [None, value_grad, None, None, None]


@op("SparseSliceGrad", shape=lambda node: [(_count(node, 1),)], host=("input_start",))
def SparseSliceGrad(grad, input_indices, start, output_indices):
    """The gradient of each input value: that of its copy, or zero."""
    low = torch.tensor(start.tolist(), dtype=torch.int64, device=grad.device)
    return scatter_matching(grad, input_indices, output_indices + low)


def _count(node: Any, index: int) -> int | None:
    known = sizes(node, index)
    return None if known is None else known[0]


def scatter_matching(grad: torch.Tensor, wanted: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    """For each of the rows `wanted` the element of `grad` whose row in `found` is equal, or 0."""
    result = grad.new_zeros(len(wanted))
    if not len(wanted) or not len(found):
        return result
    both = torch.cat([wanted, found])
    shape = (both.max(0).values + 1).tolist()
    a, b = places(wanted, shape), places(found, shape)
    order = b.argsort()
    at = torch.searchsorted(b[order], a).clamp(max=len(b) - 1)
    same = b[order][at] == a
    result[same] = grad[order[at[same]]]
    return result


# -- empty rows ----------------------------------------------------------------------------------


def _fill_shape(node: Any) -> list[Any]:
    indices = sizes(node, 0)
    rank = None if indices is None else indices[1]
    count = None if indices is None else indices[0]
    rows = constant_value_as_shape(node._inputs[2])._sizes
    return [(None, rank), (None,), (rows[0] if rows else None,), (count,)]


@op("SparseFillEmptyRows", shape=_fill_shape, host=("dense_shape",))
def SparseFillEmptyRows(indices, values, dense_shape, default):
    """(indices, values, empty rows, places of the old values); `default` fills empty rows."""
    count = int(dense_shape[0])
    rows = indices[:, 0]
    if len(rows) and (int(rows.min()) < 0 or int(rows.max()) >= count):
        bad = int(((rows < 0) | (rows >= count)).nonzero()[0])
        raise invalid(f"indices({bad}, 0) is invalid: {int(rows[bad])} >= {count}")
    if count == 0 and len(rows):
        raise invalid(
            f"Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = {len(rows)}"
        )
    filled = torch.zeros(count, dtype=torch.bool, device=indices.device)
    filled[rows] = True
    empty = ~filled
    new_rows = empty.nonzero().squeeze(1)
    extra = indices.new_zeros((len(new_rows), indices.shape[1]))
    extra[:, 0] = new_rows
    every = torch.cat([indices, extra])
    order = every[:, 0].argsort(stable=True)
    if isinstance(values, np.ndarray):
        joined = np.concatenate([values, np.full(len(new_rows), default[()], object)])
        all_values = joined[order.numpy()]
    else:
        all_values = torch.cat([values, default.expand(len(new_rows))])[order]
    reverse = torch.empty_like(order)
    reverse[order] = torch.arange(len(order), device=order.device)
    return every[order], all_values, empty, reverse[: len(indices)]


@SparseFillEmptyRows.gradient
def _(op, _indices, grad, _empty, _reverse):
    values, default = raw.SparseFillEmptyRowsGrad(op.outputs[3], grad)
    return [None, values, None, default]


@op("SparseFillEmptyRowsGrad", shape=lambda node: [with_rank(sizes(node, 0), 1), ()])
def SparseFillEmptyRowsGrad(reverse, grad):
    """(gradients of the old values, sum of those of the default value)."""
    kept = torch.zeros(len(grad), dtype=torch.bool, device=grad.device)
    kept[reverse] = True
    return grad[reverse], grad[~kept].sum().to(grad.dtype)


not_differentiable("SparseConcat", "SparseSplit", "SparseReshape")
