"""Chosen and moved elements: gather, scatter, partitions, space and depth, sequences, patches."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops.array_nodes import (
    concat,
    deprecated_argument,
    gather,
    ones,
    rank,
    reshape,
    shape,
    stack,
    transpose,
    unstack,
    zeros,
)
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value

# -- gather and scatter --------------------------------------------------------------------------


@export("batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Elements of the last-but-batch dimension: the batch dimensions are all of `indices` but the
    last. ValueError for indices of unknown rank."""
    with name_scope(name, "BatchGather", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        if indices.shape.ndims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        return _batch_gather(params, indices, indices.shape.ndims - 1)


def _batch_gather(params: Tensor, indices: Tensor, batch: int) -> Tensor:
    count = indices.shape.ndims
    if not 0 <= batch < count:
        raise ValueError(f"batch_dims = {batch} must be less than rank(indices) = {count}")
    if params.shape.ndims is not None and batch >= params.shape.ndims:
        raise ValueError(
            f"batch_dims = {batch} must be less than rank(params) = {params.shape.ndims}"
        )
    indices_shape, params_shape = shape(indices), shape(params)
    flat_places = indices
    dtype = indices.dtype.base_dtype
    stride = ones((), dtype=dtype)
    cast_shape = raw.Cast(params_shape, DstT=dtype)
    for i in range(batch, 0, -1):
        size = cast_shape[i - 1]
        stride = raw.Mul(stride, cast_shape[i], name="mul")
        start, step = zeros((), dtype=dtype), ones((), dtype=dtype)
        along = raw.Range(start, size, step)
        along = raw.Mul(along, stride, name="mul")
        place = stack([1] * (i - 1) + [size] + [1] * (count - i), axis=0)
        flat_places = raw.AddV2(flat_places, reshape(along, place), name="add")
    flat_indices = reshape(flat_places, [-1])
    outer = params_shape[batch + 1 :]
    inner = raw.Prod(params_shape[: batch + 1], [0], keep_dims=False)
    flat = reshape(params, concat([[inner], outer], axis=0))
    found = gather(flat, flat_indices)
    result = reshape(found, concat([indices_shape, outer], axis=0))
    static = indices.shape[:batch].merge_with(params.shape[:batch])
    static = static.concatenate(indices.shape[batch:])
    result.set_shape(static.concatenate(params.shape[batch + 1 :]))
    return result


@export("gather_nd", "manip.gather_nd")
def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: Any = 0) -> Tensor:
    """params[indices[..., 0], indices[..., 1], ...]: indices.shape[:-1] + params.shape[depth:]."""
    static = constant_value(batch_dims)
    if static is not None:
        batch_dims = int(static)
    if batch_dims == 0:
        method = getattr(params, "gather_nd", None)
        if method is not None:
            return method(indices, name=name)
        return raw.GatherNd(params, indices, name=name)
    return _batch_gather_nd(params, indices, batch_dims, name)


def _batch_gather_nd(params: Any, indices: Any, batch: Any, name: str | None) -> Tensor:
    from relight.v1.functions.array import meshgrid, tile

    with name_scope(name, "BatchGatherND", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        if not isinstance(batch, int):
            raise TypeError(f"batch_dims must be an int; got {batch!r}")
        if batch < 0:
            raise ValueError("tf.gather_nd does not allow negative batch_dims.")
        for value, what in ((indices, "indices"), (params, "params")):
            if value.shape.ndims is not None and batch >= value.shape.ndims:
                raise ValueError(
                    f"batch_dims = {batch} must be less than rank({what}) = {value.shape.ndims}"
                )
        params_shape, indices_shape = shape(params), shape(indices)
        batch_shape = params_shape[:batch]
        batch_size = raw.Prod(batch_shape, [0])
        inner_count = raw.Sub(raw.Sub(rank(indices), batch, name="sub"), 1, name="sub")
        inner_shape = indices_shape[batch:-1]
        sizes = unstack(batch_shape, axis=0)
        ranges = [raw.Cast(raw.Range(0, s, 1), DstT=indices.dtype) for s in sizes]
        mesh = meshgrid(*ranges, indexing="ij")
        flat = [reshape(m, shape=(-1,)) for m in mesh]
        grid = transpose(stack(flat, axis=0))
        grid_shape = shape(grid)
        grid = reshape(
            grid,
            concat([grid_shape[:1], ones(inner_count, dtype=dtypes.int32), grid_shape[1:]], axis=0),
        )
        grid = tile(grid, multiples=concat(((1,), inner_shape, (1,)), axis=0))
        flat_shape = concat(([batch_size], indices_shape[batch:]), axis=0)
        flat_indices = reshape(indices, shape=flat_shape)
        found = raw.GatherNd(params, concat((grid, flat_indices), axis=-1))
        found_shape = shape(found)
        return reshape(found, shape=concat((batch_shape, found_shape[1:]), axis=0))


@export("scatter_nd", "manip.scatter_nd")
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of `shape` with `updates` added at `indices` [..., depth]."""
    return raw.ScatterNd(indices, updates, shape, name=name)


@export("tensor_scatter_add", "tensor_scatter_nd_add")
def tensor_scatter_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """The tensor with `updates` added at `indices` [..., depth]."""
    return raw.TensorScatterAdd(tensor, indices, updates, name=name)


@export("tensor_scatter_sub", "tensor_scatter_nd_sub")
def tensor_scatter_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """The tensor with `updates` subtracted at `indices` [..., depth]."""
    return raw.TensorScatterSub(tensor, indices, updates, name=name)


@export("tensor_scatter_update", "tensor_scatter_nd_update")
def tensor_scatter_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """The tensor with `updates` in place of the elements at `indices` [..., depth]."""
    return raw.TensorScatterUpdate(tensor, indices, updates, name=name)


@export("dynamic_partition")
def dynamic_partition(
    data: Any, partitions: Any, num_partitions: int, name: str | None = None
) -> list[Tensor]:
    """The rows of `data` with each of the numbers in `partitions`, in order."""
    return raw.DynamicPartition(data, partitions, num_partitions=num_partitions, name=name)


@export("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """One tensor with row data[m][i] at indices[m][i]."""
    return raw.DynamicStitch(indices, data, name=name)


@export("unravel_index")
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """The coordinates [rank, n] of row-major places in an array of shape `dims`."""
    return raw.UnravelIndex(indices, dims, name=name)


@export("fingerprint")
def fingerprint(data: Any, method: str = "farmhash64", name: str | None = None) -> Tensor:
    """uint8 [n, 8]: a hash of each row."""
    return raw.Fingerprint(data, method, name=name)


@export("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor itself, known to have `shape`; InvalidArgumentError when it has not."""
    from relight.graph.shapes import TensorShape

    return raw.EnsureShape(x, shape=TensorShape(shape), name=name)


# -- sequences -----------------------------------------------------------------------------------


@export("reverse_sequence")
def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """The first `seq_lengths[b]` elements along `seq_axis` of each example in reverse order."""
    seq_axis = deprecated_argument("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch_axis = deprecated_argument("batch_axis", batch_axis, "batch_dim", batch_dim)
    return raw.ReverseSequence(
        input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis, name=name
    )


# -- space, depth, batch -------------------------------------------------------------------------


@export("space_to_batch", "nn.space_to_batch")
def space_to_batch(
    input: Any,
    paddings: Any,
    block_size: int | None = None,
    name: str | None = None,
    block_shape: Any = None,
) -> Tensor:
    """Blocks of pixels of NHWC images moved to the batch dimension."""
    block_size = deprecated_argument("block_shape", block_shape, "block_size", block_size)
    block = np.array([block_size, block_size], np.int64)
    result = raw.SpaceToBatchND(input, block, paddings, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


@export("batch_to_space")
def batch_to_space(
    input: Any, crops: Any, block_size: int, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """Blocks of the batch dimension moved to the pixels of NHWC images, which are cropped."""
    block_size = deprecated_argument("block_shape", block_shape, "block_size", block_size)
    block = np.array([block_size, block_size], np.int64)
    result = raw.BatchToSpaceND(input, block, crops, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


@export("space_to_batch_nd", "manip.space_to_batch_nd")
def space_to_batch_nd(
    input: Any, block_shape: Any, paddings: Any, name: str | None = None
) -> Tensor:
    """Blocks of the (padded) spatial dimensions moved to the batch dimension."""
    return raw.SpaceToBatchND(input, block_shape, paddings, name=name)


@export("batch_to_space_nd", "manip.batch_to_space_nd")
def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Blocks of the batch dimension moved to the spatial dimensions, which are cropped."""
    return raw.BatchToSpaceND(input, block_shape, crops, name=name)


@export("space_to_depth", "nn.space_to_depth")
def space_to_depth(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """Blocks of pixels become channels: [n, h, w, c] -> [n, h/b, w/b, b*b*c]."""
    return raw.SpaceToDepth(input, block_size=block_size, data_format=data_format, name=name)


@export("depth_to_space", "nn.depth_to_space")
def depth_to_space(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """Channels become blocks of pixels: [n, h, w, b*b*c] -> [n, h*b, w*b, c]."""
    return raw.DepthToSpace(input, block_size=block_size, data_format=data_format, name=name)


@export("required_space_to_batch_paddings")
def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Any, Any]:
    """(paddings, crops), both [dimensions, 2], that make sizes divisible by the block sizes."""
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        input_shape = convert_to_tensor(input_shape, dtype=dtypes.int32, name="input_shape")
        block_shape = convert_to_tensor(block_shape, dtype=dtypes.int32, name="block_shape")
        block_shape.shape.assert_is_fully_defined()
        block_shape.shape.assert_has_rank(1)
        count = block_shape.shape.as_list()[0]
        if count == 0:
            return zeros([0, 2], dtypes.int32), zeros([0, 2], dtypes.int32)
        input_shape.shape.assert_is_compatible_with([count])
        if base_paddings is not None:
            base_paddings = convert_to_tensor(
                base_paddings, dtype=dtypes.int32, name="base_paddings"
            )
            base_paddings.shape.assert_is_compatible_with([count, 2])
        else:
            base_paddings = zeros([count, 2], dtypes.int32)
        known = [constant_value(t) for t in (block_shape, input_shape, base_paddings)]
        if all(k is not None for k in known):
            block_shape, input_shape, base_paddings = known
        start, original_end = base_paddings[:, 0], base_paddings[:, 1]
        full = input_shape + start + original_end
        extra = (block_shape - full % block_shape) % block_shape
        end = original_end + extra
        paddings = stack([[start[i], end[i]] for i in range(count)], name="paddings")
        crops = stack([[0, extra[i]] for i in range(count)], name="crops")
        return paddings, crops


# -- patches -------------------------------------------------------------------------------------


@export("extract_image_patches", "image.extract_image_patches")
def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    sizes: Any = None,
) -> Tensor:
    """Sliding windows of images [n, h, w, c] -> [n, h', w', window height * width * c]."""
    ksizes = deprecated_argument("sizes", sizes, "ksizes", ksizes)
    return raw.ExtractImagePatches(
        images, ksizes=ksizes, strides=strides, rates=rates, padding=padding, name=name
    )


@export("image.extract_patches")
def extract_patches(
    images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None
) -> Tensor:
    """`extract_image_patches` under its later name."""
    return raw.ExtractImagePatches(
        images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name
    )


@export("extract_volume_patches")
def extract_volume_patches(
    input: Any, ksizes: Any, strides: Any, padding: Any, name: str | None = None
) -> Tensor:
    """Sliding windows of volumes [n, d, h, w, c] -> [n, d', h', w', volume * c]."""
    return raw.ExtractVolumePatches(
        input, ksizes=ksizes, strides=strides, padding=padding, name=name
    )
