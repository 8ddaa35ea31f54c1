"""Elements moved between space, depth and batch; patches of images; sequences turned round."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.graph import ShapeError, name_scope
from relight.graph.opdef import op
from relight.ops import array_nodes as nodes
from relight.ops import call
from relight.ops.array import invalid
from relight.ops.build import raw
from relight.ops.constants import known_value
from relight.ops.shape_rules import Sizes, merge, sizes, text, with_rank

# -- batch ---------------------------------------------------------------------------------------


def _pairs(node: Any, index: int) -> Any:
    value = known_value(node._inputs[index])
    return None if value is None else value.tolist()


def _to_batch_sizes(known: Sizes, block: list[int], paddings: Any) -> Any:
    if known is None:
        return None
    if len(known) < len(block) + 1:
        raise ShapeError(f"Shape must be at least rank {len(block) + 1} but is rank {len(known)}")
    result = list(known)
    for i, size in enumerate(block):
        whole = known[i + 1]
        if size < 1:
            raise ShapeError("block_shape must be positive")
        if paddings is None or whole is None:
            result[i + 1] = None
            continue
        padded = whole + sum(paddings[i])
        if padded % size:
            raise ShapeError(f"Dimension size must be evenly divisible by {size} but is {padded}")
        result[i + 1] = padded // size
    batch = known[0]
    result[0] = None if batch is None else batch * math.prod(block)
    return tuple(result)


def _to_batch_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if node.type == "SpaceToBatch":
        block = [node._attrs["block_size"]] * 2
        return [_to_batch_sizes(with_rank(known, 4), block, _pairs(node, 1))]
    block_value = known_value(node._inputs[1])
    if block_value is None:
        return [_blocks_unknown(known, sizes(node, 1))]
    return [_to_batch_sizes(known, block_value.tolist(), _pairs(node, 2))]


def _from_batch_sizes(known: Sizes, block: list[int], crops: Any) -> Any:
    if known is None:
        return None
    if len(known) < len(block) + 1:
        raise ShapeError(f"Shape must be at least rank {len(block) + 1} but is rank {len(known)}")
    result = list(known)
    for i, size in enumerate(block):
        whole = known[i + 1]
        result[i + 1] = None if crops is None or whole is None else whole * size - sum(crops[i])
        if result[i + 1] is not None and result[i + 1] < 0:  # type: ignore[operator]
            raise ShapeError(
                f"Negative dimension size caused by subtracting {sum(crops[i])} from {whole * size}"  # type: ignore[operator]
            )
    product = math.prod(block)
    if known[0] is not None and known[0] % product:
        raise ShapeError(f"Dimension size must be evenly divisible by {product} but is {known[0]}")
    result[0] = None if known[0] is None else known[0] // product
    return tuple(result)


def _blocks_unknown(known: Any, block: Any) -> Any:
    """The result's shape when only the number of blocked dimensions is known."""
    if not block or block[0] is None:
        raise ShapeError("block_shape must have known size.")
    if known is None:
        return None
    count = block[0] + 1
    if len(known) < count:
        raise ShapeError(f"Shape must be at least rank {count} but is rank {len(known)}")
    return (*[None] * count, *known[count:])


def _from_batch_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if node.type == "BatchToSpace":
        block = [node._attrs["block_size"]] * 2
        return [_from_batch_sizes(with_rank(known, 4), block, _pairs(node, 1))]
    block_value = known_value(node._inputs[1])
    if block_value is None:
        return [_blocks_unknown(known, sizes(node, 1))]
    return [_from_batch_sizes(known, block_value.tolist(), _pairs(node, 2))]


def _to_batch(value: torch.Tensor, block: list[int], paddings: list[list[int]]) -> torch.Tensor:
    count = len(block)
    if value.ndim < 1 + count:
        raise invalid(f"input rank should be >= {1 + count} instead of {value.ndim}")
    amounts: list[int] = []
    for i in range(count - 1, -1, -1):
        amounts += paddings[i]
    padded = functional.pad(value, [0, 0] * (value.ndim - 1 - count) + amounts)
    batch, rest = padded.shape[0], padded.shape[1 + count :]
    split: list[int] = []
    for i, size in enumerate(block):
        whole = padded.shape[i + 1]
        if whole % size:
            raise invalid(f"padded_shape[{i}]={whole} is not divisible by block_shape[{i}]={size}")
        split += [whole // size, size]
    order = [2 * i + 2 for i in range(count)] + [0] + [2 * i + 1 for i in range(count)]
    order += range(1 + 2 * count, 1 + 2 * count + len(rest))
    moved = padded.reshape(batch, *split, *rest).permute(order)
    return moved.reshape(batch * math.prod(block), *split[::2], *rest)


def _from_batch(value: torch.Tensor, block: list[int], crops: list[list[int]]) -> torch.Tensor:
    count = len(block)
    if value.ndim < 1 + count:
        raise invalid(f"input rank should be >= {1 + count} instead of {value.ndim}")
    product = math.prod(block)
    if value.shape[0] % product:
        raise invalid(
            f"Input batch dimension ({value.shape[0]}) is not divisible by product of block sizes "
            f"({product})"
        )
    batch, space, rest = (
        value.shape[0] // product,
        value.shape[1 : 1 + count],
        value.shape[1 + count :],
    )
    order = [count]
    for i in range(count):
        order += [count + 1 + i, i]
    order += range(1 + 2 * count, 1 + 2 * count + len(rest))
    moved = value.reshape(*block, batch, *space, *rest).permute(order)
    moved = moved.reshape(batch, *(s * b for s, b in zip(space, block, strict=True)), *rest)
    index = [slice(None)] + [slice(a, moved.shape[i + 1] - b) for i, (a, b) in enumerate(crops)]
    return moved[tuple(index)].contiguous()


@op("SpaceToBatchND", shape=_to_batch_shape, host=("block_shape", "paddings"), views=0)
def SpaceToBatchND(value, block_shape, paddings):
    """Blocks of the (padded) spatial dimensions moved to the batch dimension."""
    return _to_batch(value, block_shape.tolist(), paddings.tolist())


@op("BatchToSpaceND", shape=_from_batch_shape, host=("block_shape", "crops"), views=0)
def BatchToSpaceND(value, block_shape, crops):
    """Blocks of the batch dimension moved back to the spatial dimensions, which are cropped."""
    return _from_batch(value, block_shape.tolist(), crops.tolist())


@op("SpaceToBatch", shape=_to_batch_shape, host=("paddings",), views=0)
def SpaceToBatch(value, paddings, *, block_size):
    """`SpaceToBatchND` of the two spatial dimensions of NHWC images."""
    return _to_batch(value, [block_size] * 2, paddings.tolist())


@op("BatchToSpace", shape=_from_batch_shape, host=("crops",), views=0)
def BatchToSpace(value, crops, *, block_size):
    """`BatchToSpaceND` of the two spatial dimensions of NHWC images."""
    return _from_batch(value, [block_size] * 2, crops.tolist())


@SpaceToBatchND.gradient
def _(op, grad):
    return [raw.BatchToSpaceND(grad, op.inputs[1], op.inputs[2]), None, None]


@BatchToSpaceND.gradient
def _(op, grad):
    return [raw.SpaceToBatchND(grad, op.inputs[1], op.inputs[2]), None, None]


@SpaceToBatch.gradient
def _(op, grad):
    size = op.get_attr("block_size")
    block = np.array([size, size], np.int64)
    return [raw.BatchToSpaceND(grad, block, op.inputs[1]), None]


@BatchToSpace.gradient
def _(op, grad):
    size = op.get_attr("block_size")
    block = np.array([size, size], np.int64)
    return [raw.SpaceToBatchND(grad, block, op.inputs[1]), None]


# -- depth ---------------------------------------------------------------------------------------


def _depth_shape(node: Any) -> list[Any]:
    known = with_rank(sizes(node, 0), 4)
    assert known is not None
    block = node._attrs["block_size"]
    layout = node._attrs["data_format"]
    batch, height, width, depth = (
        known if layout == "NHWC" else (known[0], known[2], known[3], known[1])
    )
    if node.type == "SpaceToDepth":
        for size in (height, width):
            if size is not None and size % block:
                raise ShapeError(
                    f"Dimension size must be evenly divisible by {block} but is {size}"
                )
        height = None if height is None else height // block
        width = None if width is None else width // block
        depth = None if depth is None else depth * block * block
    else:
        if depth is not None and depth % (block * block):
            raise ShapeError(
                f"Dimension size must be evenly divisible by {block * block} but is {depth}"
            )
        height = None if height is None else height * block
        width = None if width is None else width * block
        depth = None if depth is None else depth // (block * block)
    if layout == "NHWC":
        return [(batch, height, width, depth)]
    return [(batch, depth, height, width)]


def _as_nhwc(value: torch.Tensor, layout: str) -> torch.Tensor:
    return value if layout == "NHWC" else value.permute(0, 2, 3, 1)


def _as_given(value: torch.Tensor, layout: str) -> torch.Tensor:
    return value if layout == "NHWC" else value.permute(0, 3, 1, 2)


@op("SpaceToDepth", shape=_depth_shape, views=0)
def SpaceToDepth(value, *, block_size, data_format):
    """Blocks of pixels become channels: [n, h, w, c] -> [n, h/b, w/b, b*b*c]."""
    batch, height, width, depth = _as_nhwc(value, data_format).shape
    if height % block_size or width % block_size:
        raise invalid(
            f"Image width {width} and height {height} should be divisible by block_size: "
            f"{block_size}"
        )
    blocks = _as_nhwc(value, data_format).reshape(
        batch, height // block_size, block_size, width // block_size, block_size, depth
    )
    moved = blocks.permute(0, 1, 3, 2, 4, 5).reshape(
        batch, height // block_size, width // block_size, block_size * block_size * depth
    )
    return _as_given(moved, data_format)


@op("DepthToSpace", shape=_depth_shape, views=0)
def DepthToSpace(value, *, block_size, data_format):
    """Channels become blocks of pixels: [n, h, w, b*b*c] -> [n, h*b, w*b, c]."""
    batch, height, width, depth = _as_nhwc(value, data_format).shape
    square = block_size * block_size
    if depth % square:
        raise invalid(f"Input depth dimension {depth} should be divisible by: {square}")
    blocks = _as_nhwc(value, data_format).reshape(
        batch, height, width, block_size, block_size, depth // square
    )
    moved = blocks.permute(0, 1, 3, 2, 4, 5).reshape(
        batch, height * block_size, width * block_size, depth // square
    )
    return _as_given(moved, data_format)


@SpaceToDepth.gradient
def _(op, grad):
    return [
        raw.DepthToSpace(
            grad, block_size=op.get_attr("block_size"), data_format=op.get_attr("data_format")
        )
    ]


@DepthToSpace.gradient
def _(op, grad):
    return [
        raw.SpaceToDepth(
            grad, block_size=op.get_attr("block_size"), data_format=op.get_attr("data_format")
        )
    ]


# -- sequences -----------------------------------------------------------------------------------


def _sequence_shape(node: Any) -> list[Any]:
    known, lengths = sizes(node, 0), sizes(node, 1)
    batch, sequence = node._attrs["batch_dim"], node._attrs["seq_dim"]
    if lengths is not None and len(lengths) != 1:
        raise ShapeError(f"Shape must be rank 1 but is rank {len(lengths)}")
    if known is None:
        return [None]
    if batch >= len(known):
        raise ShapeError(f"batch_dim must be < input rank: {batch} vs. {len(known)}")
    if sequence >= len(known):
        raise ShapeError(f"seq_dim must be < input rank: {sequence} vs. {len(known)}")
    whole = known[batch]
    if lengths is not None and lengths[0] is not None:
        if whole is not None and whole != lengths[0]:
            raise ShapeError(f"Dimensions must be equal, but are {whole} and {lengths[0]}")
        whole = lengths[0]
    return [tuple(whole if i == batch else s for i, s in enumerate(known))]


@op("ReverseSequence", shape=_sequence_shape)
def ReverseSequence(value, seq_lengths, *, seq_dim, batch_dim):
    """The first `seq_lengths[b]` elements along `seq_dim` of each example in reverse order."""
    host = isinstance(value, np.ndarray)
    if len(seq_lengths) != value.shape[batch_dim]:
        raise invalid(
            f"len(seq_lens) != input.dims({batch_dim}), ({len(seq_lengths)} vs. "
            f"{value.shape[batch_dim]})"
        )
    whole = value.shape[seq_dim]
    lengths = seq_lengths.to(torch.int64)
    if call.at_hand(lengths) and len(lengths):
        if int(lengths.max()) > whole:
            raise invalid(
                f"seq_lens({int((lengths > whole).nonzero()[0])}) > input.dims({seq_dim})"
            )
        if int(lengths.min()) < 0:
            raise invalid(f"seq_lens({int((lengths < 0).nonzero()[0])}) < 0")
    places = torch.arange(whole, device=lengths.device)
    index = torch.where(
        places < lengths[:, None], lengths[:, None] - 1 - places, places
    )  # [batch, sequence]
    shape = [1] * value.ndim
    shape[batch_dim], shape[seq_dim] = index.shape
    if batch_dim > seq_dim:
        index = index.T
    index = index.reshape(shape)
    if host:
        return np.take_along_axis(value, index.numpy(), seq_dim)
    return value.gather(seq_dim, index.expand(value.shape))


@ReverseSequence.gradient
def _(op, grad):
    return [
        raw.ReverseSequence(
            grad,
            op.inputs[1],
            seq_dim=op.get_attr("seq_dim"),
            batch_dim=op.get_attr("batch_dim"),
        ),
        None,
    ]


# -- patches -------------------------------------------------------------------------------------


def _window(size: int | None, reach: int, stride: int, padding: str) -> int | None:
    if size is None:
        return None
    if padding == "SAME":
        return -(-size // stride)
    if size < reach:
        raise ShapeError(f"Negative dimension size caused by subtracting {reach} from {size}")
    return (size - reach) // stride + 1


def _patch_geometry(node: Any) -> tuple[list[int], list[int], list[int], str]:
    attrs = node._attrs
    windows, strides = attrs["ksizes"][1:-1], attrs["strides"][1:-1]
    rates = attrs.get("rates", [1] * len(attrs["ksizes"]))[1:-1]
    return windows, strides, rates, attrs["padding"]


def _patches_shape(node: Any) -> list[Any]:
    windows, strides, rates, padding = _patch_geometry(node)
    known = with_rank(sizes(node, 0), len(windows) + 2)
    assert known is not None
    space = [
        _window(s, (w - 1) * r + 1, t, padding)
        for s, w, t, r in zip(known[1:-1], windows, strides, rates, strict=True)
    ]
    depth = None if known[-1] is None else known[-1] * math.prod(windows)
    return [(known[0], *space, depth)]


def _patches(node: Any) -> Any:
    windows, strides, rates, padding = _patch_geometry(node)

    def extract(value):
        amounts: list[int] = []
        for i in range(len(windows) - 1, -1, -1):
            reach = (windows[i] - 1) * rates[i] + 1
            size = value.shape[i + 1]
            total = 0
            if padding == "SAME":
                total = max((-(-size // strides[i]) - 1) * strides[i] + reach - size, 0)
            amounts += [total // 2, total - total // 2]
        padded = functional.pad(value, [0, 0, *amounts])
        for i, (window, stride, rate) in enumerate(zip(windows, strides, rates, strict=True)):
            padded = padded.unfold(i + 1, (window - 1) * rate + 1, stride)
            padded = padded[..., ::rate]
        # [batch, *space, channels, *window] -> [batch, *space, window..., channels]
        channel = len(windows) + 1
        order = [*range(channel), *range(channel + 1, padded.ndim), channel]
        return padded.permute(order).reshape(*padded.shape[:channel], -1)

    return extract


@op("ExtractImagePatches", shape=_patches_shape, specialise=True)
def ExtractImagePatches(node: Any) -> Any:
    """Sliding windows [n, h, w, c] -> [n, h', w', window height * window width * c]."""
    return _patches(node)


@op("ExtractVolumePatches", shape=_patches_shape, specialise=True)
def ExtractVolumePatches(node: Any) -> Any:
    """Sliding windows of volumes: [n, d, h, w, c] -> [n, d', h', w', volume * c]."""
    return _patches(node)


def _product(*factors: Any) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _jacobian(inputs: Any, outputs: Any, index: Any, dtype: Any) -> SparseTensor:
    """[inputs, outputs] with 1 where an output is a copy of an input; row 0 (padding) is cut."""
    ones = nodes.ones([outputs], dtype=dtype)
    full = SparseTensor(index, ones, (inputs, outputs))
    extent = (inputs - 1, outputs)
    start = nodes.convert_to_tensor((1, 0), dtypes.int64)
    size = nodes.convert_to_tensor(extent, dtypes.int64)
    first = raw.SparseSlice(full.indices, full.values, full.dense_shape, start, size)
    return SparseTensor(*first)


@ExtractImagePatches.gradient
def _(op, grad):
    shape = nodes.shape(op.inputs[0], out_type=dtypes.int64)
    batch, rows, columns, channels = (shape[i] for i in range(4))
    inputs = 1 + _product(rows, columns)
    numbers = _int64_range(1, inputs)
    places = raw.ExtractImagePatches(
        nodes.reshape(numbers, (1, rows, columns, 1)),
        ksizes=op.get_attr("ksizes"),
        strides=op.get_attr("strides"),
        rates=op.get_attr("rates"),
        padding=op.get_attr("padding"),
    )
    out_shape = nodes.shape(op.outputs[0], out_type=dtypes.int64)
    out_rows, out_columns = out_shape[1], out_shape[2]
    _, height, width, _ = op.get_attr("ksizes")
    outputs = _product(out_rows, out_columns, height, width)
    targets = nodes.reshape(_int64_range(0, outputs), (1, out_rows, out_columns, height * width))
    pairs = nodes.concat([raw.ExpandDims(places, -1), raw.ExpandDims(targets, -1)], axis=-1)
    matrix = _jacobian(inputs, outputs, nodes.reshape(pairs, (-1, 2)), grad.dtype)
    parts = nodes.reshape(grad, (batch, out_rows, out_columns, height, width, channels))
    moved = nodes.transpose(parts, (1, 2, 3, 4, 0, 5))
    flat = nodes.reshape(moved, (-1, _product(batch, channels)))
    with name_scope(None, "SparseTensorDenseMatMul", [matrix.indices, matrix.values, flat]):
        result = raw.SparseTensorDenseMatMul(
            matrix.indices, matrix.values, matrix.dense_shape, flat
        )
    result = nodes.reshape(result, (rows, columns, batch, channels))
    return [nodes.transpose(result, (2, 0, 1, 3))]


def _int64_range(start: Any, limit: Any) -> Any:
    with name_scope(None, "range") as scope:
        start = nodes.convert_to_tensor(start, dtype=dtypes.int64, name="start")
        limit = nodes.convert_to_tensor(limit, dtype=dtypes.int64, name="limit")
        delta = nodes.convert_to_tensor(1, dtype=dtypes.int64, name="delta")
        return raw.Range(start, limit, delta, name=scope)


@ExtractVolumePatches.gradient
def _(op, grad):
    static = op.inputs[0].shape.as_list()
    _, planes, rows, columns, _ = static
    shape = nodes.shape(op.inputs[0])
    batch, channels = shape[0], shape[4]
    inputs = 1 + planes * rows * columns
    places = raw.ExtractVolumePatches(
        nodes.reshape(_int64_range(1, inputs), (1, planes, rows, columns, 1)),
        ksizes=op.get_attr("ksizes"),
        strides=op.get_attr("strides"),
        padding=op.get_attr("padding"),
    )
    _, out_planes, out_rows, out_columns, _ = op.outputs[0].shape.as_list()
    _, depth, height, width, _ = op.get_attr("ksizes")
    window = depth * height * width
    outputs = out_planes * out_rows * out_columns * window
    targets = nodes.reshape(
        _int64_range(0, outputs), (1, out_planes, out_rows, out_columns, window)
    )
    pairs = nodes.concat([raw.ExpandDims(places, -1), raw.ExpandDims(targets, -1)], axis=-1)
    matrix = _jacobian(inputs, outputs, nodes.reshape(pairs, (-1, 2)), grad.dtype)
    parts = nodes.reshape(
        grad, (batch, out_planes, out_rows, out_columns, depth, height, width, channels)
    )
    moved = nodes.transpose(parts, (1, 2, 3, 4, 5, 6, 0, 7))
    flat = nodes.reshape(moved, (-1, _product(batch, channels)))
    with name_scope(None, "SparseTensorDenseMatMul", [matrix.indices, matrix.values, flat]):
        result = raw.SparseTensorDenseMatMul(
            matrix.indices, matrix.values, matrix.dense_shape, flat
        )
    result = nodes.reshape(result, (planes, rows, columns, batch, channels))
    return [nodes.transpose(result, (3, 0, 1, 2, 4))]


def _ensure_shape(node: Any) -> list[Any]:
    return [merge(node._attrs["shape"]._sizes, sizes(node, 0))]


@op("EnsureShape", shape=_ensure_shape, views=0, specialise=True)
def EnsureShape(node: Any) -> Any:
    """The input itself; an error when its shape does not fit."""
    wanted = node._attrs["shape"]
    name = node._inputs[0].op.name

    def ensure(value):
        if not wanted.is_compatible_with(list(value.shape)):
            raise invalid(
                f"Shape of tensor {name} {text(value.shape)} is not compatible with expected shape "
                f"{text(wanted._sizes)}."
            )
        return value

    return ensure


@EnsureShape.gradient
def _(op, grad):
    return [grad]
