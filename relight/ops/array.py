"""Arrays: shapes, constants of a shape, reshaping, joining, repeating, reordering.

Kernels take torch tensors, or numpy arrays for strings and for values that stay on the host.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.composite import IndexedSlices
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes as nodes
from relight.ops.array_shapes import (
    axis_of,
    broadcast_to,
    concat,
    expand_dims,
    pack,
    reshape,
    squeeze,
    tile,
    transpose,
    unpack,
)
from relight.ops.build import raw
from relight.ops.constants import constant, constant_value
from relight.ops.lists import ListValue
from relight.ops.shape_rules import (
    broadcast_sizes,
    from_input,
    same,
    scalar,
    sizes,
    with_rank,
)
from relight.ops.state import torch_dtype


def invalid(message: str) -> errors.InvalidArgumentError:
    """The error of a kernel that gets values it cannot work on."""
    return errors.InvalidArgumentError(None, None, message)


def shape_text(shape: Any) -> str:
    """A run-time shape as TensorFlow's messages write it: `[2,3]`."""
    return "[" + ",".join(str(int(s)) for s in shape) + "]"


# -- what is known of a tensor without its values ------------------------------------------------


def _shape_shape(node: Any) -> list[Any]:
    ranks = [sizes(node, i) for i in range(len(node._inputs))]
    return [(None if r is None else len(r),) for r in ranks]


@op("Shape", shape=_shape_shape, specialise=True, host_out=True)
def Shape(node: Any) -> Any:
    """The sizes of a tensor, [rank]."""
    numpy_type = node._attrs["out_type"].as_numpy_dtype
    return lambda value: np.array(value.shape, numpy_type)


@op("ShapeN", shape=_shape_shape, specialise=True, host_out=True)
def ShapeN(node: Any) -> Any:
    """The sizes of several tensors."""
    numpy_type = node._attrs["out_type"].as_numpy_dtype
    return lambda values: [np.array(v.shape, numpy_type) for v in values]


@op("Size", shape=scalar, specialise=True, host_out=True)
def Size(node: Any) -> Any:
    """The number of elements."""
    numpy_type = node._attrs["out_type"].as_numpy_dtype
    return lambda value: np.array(int(np.prod(value.shape, dtype=np.int64)), numpy_type)


@op("Rank", shape=scalar, host_out=True)
def Rank(value):
    """The number of dimensions."""
    return np.array(value.ndim, np.int32)


not_differentiable("Shape", "ShapeN", "Size", "Rank")


# -- constants of a shape ------------------------------------------------------------------------


@op("Fill", shape=from_input(0), host=("dims",))
def Fill(dims, value):
    """A tensor of shape `dims` full of the scalar `value`."""
    target = dims.tolist()
    if any(s < 0 for s in target):
        raise invalid(f"Dimension {min(target)} must be >= 0")
    if isinstance(value, np.ndarray):
        return np.full(target, value[()], value.dtype)
    return value.expand(target).clone(memory_format=torch.contiguous_format)


@Fill.gradient
def _(op, grad):
    return [None, raw.Sum(grad, nodes.all_dimensions(grad))]


@op("ZerosLike", shape=same)
def ZerosLike(value):
    """Zeros (empty strings) with the shape and type of the input."""
    if isinstance(value, np.ndarray):
        return np.full(value.shape, b"" if value.dtype == object else 0, value.dtype)
    if isinstance(value, ListValue):
        return value.zeros_like()
    return torch.zeros_like(value)


@op("OnesLike", shape=same)
def OnesLike(value):
    """Ones with the shape and type of the input."""
    return torch.ones_like(value)


not_differentiable("ZerosLike", "OnesLike")


@op("Empty", shape=from_input(0), host=("shape",), specialise=True)
def Empty(node: Any) -> Any:
    """A tensor of a given shape without meaningful values: zeros here."""
    dtype = node._attrs["dtype"]
    if dtype is dtypes.string:
        return lambda shape: np.full(shape.tolist(), b"", object)
    element = torch_dtype(dtype)
    return lambda shape: torch.zeros(shape.tolist(), dtype=element)


not_differentiable("Empty")


# -- the same values -----------------------------------------------------------------------------


def _hand_on(name: str, **options: Any) -> Any:
    @op(name, shape=same, views=0, **options)
    def kernel(value):
        return value

    return kernel


for _name in ("StopGradient", "Snapshot", "GuaranteeConst", "DeepCopy"):
    _hand_on(_name)
PreventGradient = _hand_on("PreventGradient")
not_differentiable("StopGradient")


@PreventGradient.gradient
def _(op, grad):
    message = op.get_attr("message")
    raise LookupError(
        f"Gradient explicitly disabled. Reason: {message}"  # as TensorFlow: bytes and all
    )


def _each(node: Any) -> list[Any]:
    return [sizes(node, i) for i in range(len(node._inputs))]


@op("IdentityN", shape=_each, views=0)
def IdentityN(values):
    """The inputs, each available only when all are."""
    return list(values)


@IdentityN.gradient
def _(op, *grads):
    return list(grads)


def _bitcast_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if known is None:
        return [None]
    old, new = node._inputs[0].dtype.size, node._attrs["type"].size
    if old > new:
        return [(*known, old // new)]
    if old == new:
        return [known]
    if known and known[-1] is not None and known[-1] != new // old:
        raise ShapeError(f"Cannot bitcast due to shape. {known[-1]} does not match {new // old}")
    return [known[:-1]]


@op("Bitcast", shape=_bitcast_shape, specialise=True, views=0)
def Bitcast(node: Any) -> Any:
    """The same bytes as another type; a last dimension appears or disappears with the sizes."""
    target = torch_dtype(node._attrs["type"])
    old, new = node._inputs[0].dtype.size, node._attrs["type"].size

    def bitcast(value):
        value = value.contiguous()
        if old > new:
            return value.unsqueeze(-1).view(target)
        return value.view(target) if old == new else value.view(target).squeeze(-1)

    return bitcast


not_differentiable("Bitcast")


# -- other shapes of the same elements -----------------------------------------------------------


@op("Reshape", shape=reshape, host=("shape",), views=0)
def Reshape(value, shape):
    """The elements in row-major order in another shape; one size may be -1."""
    target = shape.tolist()
    if 0 in target and target.count(-1) == 1 and not value.numel():
        # Zeros aside, the sizes must match.
        have, want = (math.prod(s for s in sizes if s > 0) for sizes in (value.shape, target))
        target[target.index(-1)] = have // want
    try:
        return value.reshape(target)
    except (RuntimeError, ValueError):
        raise invalid(_reshape_error(value, target)) from None


def _reshape_error(value: Any, target: list[int]) -> str:
    count = int(np.prod(value.shape, dtype=np.int64))
    if target.count(-1) > 1:
        first = target.index(-1)
        second = target.index(-1, first + 1)
        return f"Only one input size may be -1, not both {first} and {second}"
    if any(s < -1 for s in target):
        place = next(i for i, s in enumerate(target) if s < -1)
        return f"Size {place} must be non-negative, not {target[place]}"
    known = int(np.prod([s for s in target if s >= 0], dtype=np.int64))
    if -1 not in target:
        return (
            f"Input to reshape is a tensor with {count} values, but the requested shape has {known}"
        )
    if known == 0:
        return (
            "reshape cannot infer the missing input size for an empty tensor unless all specified "
            "input sizes are non-zero"
        )
    return (
        f"Input to reshape is a tensor with {count} values, but the requested shape requires a "
        f"multiple of {known}"
    )


def _to_input(op: Any, grad: Any) -> Any:
    return raw.Reshape(grad, nodes.shape(op.inputs[0]))


@Reshape.gradient
def _(op, grad):
    return [_to_input(op, grad), None]


@op("ExpandDims", shape=expand_dims, host=("dim",), views=0)
def ExpandDims(value, dim):
    """A dimension of size 1 inserted at `dim`."""
    place = int(dim.reshape(-1)[0])
    if not -value.ndim - 1 <= place <= value.ndim:
        raise invalid(f"Tried to expand dim index {place} for tensor with {value.ndim} dimensions.")
    if isinstance(value, np.ndarray):
        return np.expand_dims(value, place)
    return value.unsqueeze(place)


@ExpandDims.gradient
def _(op, grad):
    return [_to_input(op, grad), None]


@op("Squeeze", shape=squeeze, views=0)
def Squeeze(value, *, squeeze_dims):
    """The tensor without dimensions of size 1: those listed, or all."""
    shape = value.shape
    if not squeeze_dims:
        return value.reshape([s for s in shape if s != 1])
    dropped = {axis_of(d, len(shape)) for d in squeeze_dims}
    for place in dropped:
        if shape[place] != 1:
            raise invalid(
                f"Can not squeeze dim[{place}], expected a dimension of 1, got {shape[place]}"
            )
    return value.reshape([s for i, s in enumerate(shape) if i not in dropped])


@Squeeze.gradient
def _(op, grad):
    return [_to_input(op, grad)]


@op("Transpose", shape=transpose, host=("perm",), views=0)
def Transpose(value, perm):
    """Dimension i of the result is dimension perm[i] of the input."""
    order = _permutation(value, perm)
    if isinstance(value, np.ndarray):
        return value.transpose(order)
    return value.permute(order)


@op("ConjugateTranspose", shape=transpose, host=("perm",), views=0)
def ConjugateTranspose(value, perm):
    """`Transpose`, and the complex conjugate of each element."""
    return value.permute(_permutation(value, perm)).conj().resolve_conj()


def _permutation(value: Any, perm: np.ndarray) -> list[int]:
    order = perm.tolist()
    if len(order) != value.ndim:
        raise invalid(
            f"transpose expects a vector of size {value.ndim}. But input(1) is a vector of size "
            f"{len(order)}"
        )
    order = [p + value.ndim if p < 0 else p for p in order]
    if sorted(order) != list(range(value.ndim)):
        bad = [p for p in order if not 0 <= p < value.ndim]
        if bad:
            raise invalid(f"{bad[0]} is out of range [0 .. {value.ndim})")
        missing = next(i for i in range(value.ndim) if i not in order)
        raise invalid(f"{missing} is missing from {{{','.join(map(str, order))}}}.")
    return order


@Transpose.gradient
def _(op, grad):
    return [nodes.transpose(grad, raw.InvertPermutation(op.inputs[1])), None]


@ConjugateTranspose.gradient
def _(op, grad):
    return [nodes.transpose(grad, raw.InvertPermutation(op.inputs[1]), conjugate=True), None]


def _vector_like(node: Any) -> list[Any]:
    return [with_rank(sizes(node, 0), 1)]


@op("InvertPermutation", shape=_vector_like, host=("x",), host_out=True)
def InvertPermutation(x):
    """y with y[x[i]] = i."""
    count = x.size
    result = np.full(count, -1, x.dtype)
    for i, place in enumerate(x.tolist()):
        if not 0 <= place < count:
            raise invalid(f"{place} is not between 0 and {count}")
        if result[place] != -1:
            raise invalid(f"{place} is duplicated in the input.")
        result[place] = i
    return result


not_differentiable("InvertPermutation")


# -- joining and parting -------------------------------------------------------------------------


def _join(values: Any, axis: Any) -> Any:
    place = int(axis.reshape(-1)[0])
    first = values[0]
    if not -first.ndim <= place < max(first.ndim, 1):
        raise invalid(
            "ConcatOp : Expected concatenating dimensions in the range "
            f"[{-first.ndim}, {first.ndim}), but got {place}"
        )
    if isinstance(first, np.ndarray):
        return np.concatenate(values, place)
    try:
        return torch.cat(values, place)
    except RuntimeError:
        place %= first.ndim
        for i, value in enumerate(values):
            if value.ndim != first.ndim:
                raise invalid(
                    f"ConcatOp : Ranks of all input tensors should match: shape[0] = "
                    f"{shape_text(first.shape)} vs. shape[{i}] = {shape_text(value.shape)}"
                ) from None
            if any(a != b for j, (a, b) in enumerate(zip(first.shape, value.shape)) if j != place):
                raise invalid(
                    f"ConcatOp : Dimensions of inputs should match: shape[0] = "
                    f"{shape_text(first.shape)} vs. shape[{i}] = {shape_text(value.shape)}"
                ) from None
        raise


@op("ConcatV2", shape=concat, host=("axis",))
def ConcatV2(values, axis):
    """Tensors joined along `axis`."""
    return _join(values, axis)


@op("Concat", shape=concat, host=("concat_dim",))
def Concat(concat_dim, values):
    """`ConcatV2` with the axis first."""
    return _join(values, concat_dim)


def _concat_gradients(op: Any, grad: Any, values: list[Any], axis: Any) -> list[Any]:
    """What of the gradient of a concatenation belongs to each value."""
    if len(values) == 1:
        return [grad]
    place = raw.FloorMod(axis, nodes.rank(values[0]), name="mod")
    if isinstance(grad, IndexedSlices):
        return _concat_slices(grad, values, axis, place)
    shapes = (
        [nodes.shape(v) for v in values]
        if all(v.shape.is_fully_defined() for v in values)
        else _unknown_shapes(values)
    )
    if len(values) > 16:
        column = raw.Slice(nodes.stack(shapes, axis=1), [place, 0], [1, -1])
        parts = nodes.squeeze(column)
        return raw.SplitV(grad, parts, place, num_split=len(values), name="split")
    offsets = raw.ConcatOffset(place, shapes)
    return [raw.Slice(grad, b, s) for b, s in zip(offsets, shapes, strict=True)]


def _unknown_shapes(values: list[Any]) -> Any:
    """ShapeN of all; TensorFlow leaves the nodes of its first attempts in the graph, so do we."""
    for value in values:
        if nodes.shape(value).op.type != "Const":
            break
    return raw.ShapeN(values)


def _concat_slices(grad: Any, values: list[Any], axis: Any, place: Any) -> list[Any]:
    static = constant_value(axis)
    if static is None:
        raise ValueError("Can only compute IndexedSlices gradient with statically-known concat_dim")
    along = int(static)
    if along < 0:
        rank = constant_value(nodes.rank(values[0]))
        if rank is None:
            raise ValueError(
                "Can only compute IndexedSlices gradient with negative concat_dim when first value "
                "rank is statically-known."
            )
        along %= int(rank)
    shapes = [nodes.shape(v) for v in values]
    result = []
    if along > 0:
        count = nodes.shape(shapes[0])
        mask = nodes.concat(
            [
                nodes.fill(raw.ExpandDims(place, 0), 0),
                [1],
                nodes.fill(raw.Sub(raw.Sub(count, place, name="sub"), 1, name="sub"), 0),
            ],
            0,
        )
        begin = nodes.fill(count, 0)
        for shape in shapes:
            extent = nodes.concat([[-1], raw.Slice(shape, [1], [-1])], 0)
            result.append(IndexedSlices(raw.Slice(grad.values, begin, extent), grad.indices, shape))
            begin = raw.Add(begin, raw.Mul(shape, mask, name="mul"), name="Add")
        return result
    start: Any = constant(0, dtype=grad.indices.dtype)
    for shape in shapes:
        rows = nodes.gather(shape, place)
        if rows.dtype != grad.indices.dtype:
            rows = raw.Cast(rows, DstT=grad.indices.dtype)
        end = raw.AddV2(start, rows, name="add")
        inside = raw.LogicalAnd(raw.GreaterEqual(grad.indices, start), raw.Less(grad.indices, end))
        chosen = nodes.squeeze(raw.Where(inside), axis=[1])
        indices = raw.Sub(nodes.gather(grad.indices, chosen), start, name="sub")
        result.append(IndexedSlices(nodes.gather(grad.values, chosen), indices, shape))
        start = end
    return result


@ConcatV2.gradient
def _(op, grad):
    values = list(op.inputs)
    return [*_concat_gradients(op, grad, values[:-1], values[-1]), None]


@Concat.gradient
def _(op, grad):
    values = list(op.inputs)
    return [None, *_concat_gradients(op, grad, values[1:], values[0])]


def _concat_offset_shape(node: Any) -> list[Any]:
    return [sizes(node, i) for i in range(1, len(node._inputs))]


@op("ConcatOffset", shape=_concat_offset_shape, host=("concat_dim", "shape"), host_out=True)
def ConcatOffset(concat_dim, shape):
    """Where each of the tensors with these shapes begins in their concatenation."""
    place, result, start = int(concat_dim) % shape[0].size, [], 0
    for one in shape:
        offset = np.zeros_like(one)
        offset[place] = start
        start += int(one[place])
        result.append(offset)
    return result


not_differentiable("ConcatOffset")


@op("Pack", shape=pack)
def Pack(values, *, axis):
    """Tensors of one shape joined along a new dimension."""
    first = values[0].shape
    for i, value in enumerate(values):
        if value.shape != first:
            raise invalid(
                f"Shapes of all inputs must match: values[0].shape = {shape_text(first)} != "
                f"values[{i}].shape = {shape_text(value.shape)}"
            )
    if isinstance(values[0], np.ndarray):
        return np.stack(values, axis)
    return torch.stack(values, axis)


@Pack.gradient
def _(op, grad):
    return nodes.unstack(grad, num=op.get_attr("N"), axis=op.get_attr("axis"))


@op("Unpack", shape=unpack, views=0)
def Unpack(value, *, num, axis):
    """The slices along a dimension, which disappears."""
    if value.shape[axis] != num:
        raise invalid(
            f"Input shape axis {axis} must equal {num}, got shape {shape_text(value.shape)}"
        )
    if isinstance(value, np.ndarray):
        moved = np.moveaxis(value, axis, 0)
        return [moved[i, ...] for i in range(num)]  # the dots keep a scalar an array
    return list(value.unbind(axis))


@Unpack.gradient
def _(op, *grads):
    return [nodes.stack(list(grads), axis=op.get_attr("axis"))]


def _parallel_concat_shape(node: Any) -> list[Any]:
    if not all(t.shape.is_fully_defined() for t in node._inputs):
        raise ShapeError("All input shapes must be fully defined.")
    for i in range(len(node._inputs)):
        known = sizes(node, i)
        if not known or known[0] != 1:
            raise ShapeError("Size of first dimension must be 1.")
    return [node._attrs["shape"]]


@op("ParallelConcat", shape=_parallel_concat_shape)
def ParallelConcat(values):
    """Tensors whose first dimension is 1 joined along it."""
    return np.concatenate(values) if isinstance(values[0], np.ndarray) else torch.cat(values)


# -- repeating -----------------------------------------------------------------------------------


@op("Tile", shape=tile, host=("multiples",))
def Tile(value, multiples):
    """The tensor repeated `multiples[i]` times along dimension i."""
    times = multiples.tolist()
    if len(times) != value.ndim:
        raise invalid(
            f"Expected multiples argument to be a vector of length {value.ndim} but got "
            f"length {len(times)}"
        )
    if any(t < 0 for t in times):
        place = next(i for i, t in enumerate(times) if t < 0)
        raise invalid(f"Expected multiples[{place}] >= 0, but got {times[place]}")
    if isinstance(value, np.ndarray):
        return np.tile(value, times)
    return value.repeat(times) if times else value.clone()


@Tile.gradient
def _(op, grad):
    multiples = op.inputs[1]
    shape = nodes.shape(op.inputs[0], out_type=multiples.dtype)
    split = nodes.reshape(nodes.transpose(nodes.stack([multiples, shape])), [-1])
    axes = raw.Range(0, nodes.size(split), 2, name="range")
    if isinstance(grad, IndexedSlices):
        rows = (
            raw.Cast(shape[0], DstT=grad.indices.dtype)
            if (grad.indices.dtype != shape.dtype)
            else shape[0]
        )
        grad = raw.UnsortedSegmentSum(
            grad.values, raw.FloorMod(grad.indices, rows, name="mod"), rows
        )
        split = nodes.concat([[1], split[1:]], axis=0)
    result = raw.Sum(nodes.reshape(grad, split), axes)
    result.set_shape(op.inputs[0].shape)
    return [result, None]


@op("BroadcastTo", shape=broadcast_to, host=("shape",), views=0)
def BroadcastTo(value, shape):
    """The tensor repeated along dimensions of size 1, as in numpy's broadcasting."""
    target = shape.tolist()
    try:
        if isinstance(value, np.ndarray):
            return np.broadcast_to(value, target)
        return value.expand(target)
    except (RuntimeError, ValueError):
        raise invalid(
            f"Incompatible shapes: {shape_text(value.shape)} vs. {shape_text(target)}"
        ) from None


@BroadcastTo.gradient
def _(op, grad):
    value, shape = op.inputs
    before = nodes.shape(value)
    _, axes = raw.BroadcastGradientArgs(shape, before)
    return [raw.Reshape(raw.Sum(grad, axes), before), None]


def _args_shape(node: Any) -> list[Any]:
    a, b = sizes(node, 0), sizes(node, 1)
    if a is None or b is None or a[0] is None or b[0] is None:
        return [(None,)]
    return [(max(a[0], b[0]),)]


@op("BroadcastArgs", shape=_args_shape, host=("s0", "s1"), host_out=True)
def BroadcastArgs(s0, s1):
    """The shape that two shapes broadcast to."""
    try:
        found = broadcast_sizes(tuple(s0.tolist()), tuple(s1.tolist()))
    except ShapeError:
        raise invalid(
            "Incompatible shapes: ["
            + ",".join(map(str, s0.tolist()))
            + "] vs. ["
            + ",".join(map(str, s1.tolist()))
            + "]"
        ) from None
    assert found is not None
    exact = [0 if 0 in (a, b) else s for s, a, b in _aligned(found, s0.tolist(), s1.tolist())]
    return np.array(exact, s0.dtype)


def _aligned(found: Any, a: list[int], b: list[int]) -> Any:
    count = len(found)
    return zip(found, [1] * (count - len(a)) + a, [1] * (count - len(b)) + b, strict=True)


def _two_vectors(node: Any) -> list[Any]:
    return [(None,), (None,)]


@op("BroadcastGradientArgs", shape=_two_vectors, host=("s0", "s1"), host_out=True)
def BroadcastGradientArgs(s0, s1):
    """The dimensions over which the gradients of a broadcast pair with these shapes are summed."""
    a, b = s0.tolist(), s1.tolist()
    count = max(len(a), len(b))
    a, b = [1] * (count - len(a)) + a, [1] * (count - len(b)) + b
    left, right = [], []
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if x != y and x != 1 and y != 1:
            raise invalid(
                f"Incompatible shapes: {shape_text(s0.tolist())} vs. {shape_text(s1.tolist())}"
            )
        # A dimension that is 1 on both sides is listed on both: summing over it changes nothing.
        if x == 1:
            left.append(i)
        if y == 1:
            right.append(i)
    if s0.tolist() == s1.tolist():
        left, right = [], []
    return np.array(left, s0.dtype), np.array(right, s0.dtype)


not_differentiable("BroadcastArgs", "BroadcastGradientArgs")
