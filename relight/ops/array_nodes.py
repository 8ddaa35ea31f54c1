"""Builders of array nodes that gradient rules, libraries and the public functions share.

They choose the nodes that TensorFlow chooses: `shape` is a constant when the shape is known, small
`zeros` and `ones` are constants, larger ones a `Fill`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import SparseTensor, SparseTensorValue
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import Dimension, TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant

_SMALL = 1000  # elements; below, zeros and ones are constants

SLICE_TYPE_ERROR = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
    "tf.int32/tf.int64 tensors are valid indices"
)


def shape_internal(
    input: Any, name: str | None = None, optimize: bool = True, out_type: Any = dtypes.int32
) -> Tensor:
    """The shape of `input` [rank]; with `optimize`, a constant where it is known."""
    with name_scope(name, "Shape", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            return raw.Cast(input.dense_shape, DstT=out_type)
        tensor = convert_to_tensor(input)
        static = tensor.shape
        if optimize and static.is_fully_defined():
            return constant(static.as_list(), out_type, name=scope)
        return raw.Shape(tensor, name=scope, out_type=out_type)


@export("shape")
def shape(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Tensor:
    """The shape of a tensor (or of the dense form of a SparseTensor) as a 1-D integer tensor."""
    return shape_internal(input, name, optimize=True, out_type=out_type)


def size_internal(
    input: Any, name: str | None = None, optimize: bool = True, out_type: Any = dtypes.int32
) -> Tensor:
    """The number of elements; with `optimize`, a constant where it is known."""
    with name_scope(name, "Size", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            return raw.Prod(raw.Cast(input.dense_shape, DstT=out_type), 0, name=scope)
        tensor = convert_to_tensor(input)
        if optimize:
            static = tensor.shape
            if static.is_fully_defined():
                return constant(static.num_elements(), out_type, name=scope)
            if static._sizes and 0 in static._sizes:
                return constant(0, out_type, name=scope)
        return raw.Size(tensor, name=scope, out_type=out_type)


@export("size")
def size(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Tensor:
    """The number of elements of a tensor, as a scalar."""
    return size_internal(input, name, optimize=True, out_type=out_type)


def rank_internal(input: Any, name: str | None = None, optimize: bool = True) -> Tensor:
    """The number of dimensions; with `optimize`, a constant where it is known."""
    with name_scope(name, "Rank", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            return raw.Size(input.dense_shape, name=scope)
        tensor = convert_to_tensor(input)
        if optimize and tensor.shape.ndims is not None:
            return constant(tensor.shape.ndims, dtypes.int32, name=scope)
        return raw.Rank(tensor, name=scope)


@export("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of dimensions of a tensor, as an int32 scalar."""
    return rank_internal(input, name, optimize=True)


def all_dimensions(tensor: Any) -> Tensor:
    """Every dimension, [rank]: what a reduction without an axis reduces."""
    if tensor.shape.ndims is not None:
        return constant(np.arange(tensor.shape.ndims), dtype=dtypes.int32)
    return raw.Range(0, rank(tensor), 1, name="range")


@export("reshape", "manip.reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape; one size may be -1 and follows from the others."""
    return raw.Reshape(tensor, shape, name=name)


@export("fill")
def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` [rank] whose elements all are the scalar `value`."""
    return raw.Fill(dims, value, name=name)


@export("identity")
def identity(input: Any, name: str | None = None) -> Tensor:
    """The input itself, under another name."""
    return raw.Identity(input, name=name)


@export("concat")
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors joined along `axis`; the other sizes must be equal."""
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        with name_scope(name):
            place = convert_to_tensor(axis, name="concat_dim", dtype=dtypes.int32)
            place.shape.assert_has_rank(0)
            return identity(values[0], name=name)
    return raw.ConcatV2(values, axis, name=name)


@export("stack")
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape joined along a new dimension `axis`.

    ValueError when `axis` does not fit the rank.
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)
        except (TypeError, ValueError):  # a list that needs the op: it converts item by item
            return raw.Pack(values, axis=axis, name=name)
    static = convert_to_tensor(values[0], name=name).shape.ndims
    if static is not None and not -(static + 1) <= axis < static + 1:
        raise ValueError(f"axis = {axis} not in [{-(static + 1)}, {static + 1})")
    return raw.Pack(values, axis=axis, name=name)


@export("unstack")
def unstack(
    value: Any, num: int | None = None, axis: int = 0, name: str = "unstack"
) -> list[Tensor]:
    """The slices of a tensor along `axis`, which disappears; `num` when its size is not known."""
    if num is None:
        value = convert_to_tensor(value)
        static = value.shape
        if static.ndims is not None:
            if not -static.ndims <= axis < static.ndims:
                raise ValueError(f"axis = {axis} not in [{-static.ndims}, {static.ndims})")
            num = static.as_list()[axis]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {static}")
    return raw.Unpack(value, num=num, axis=axis, name=name)


@export("transpose")
def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its dimensions reordered by `perm` (reversed by default)."""
    with name_scope(name, "transpose", [a]) as scope:
        build = raw.ConjugateTranspose if conjugate and a.dtype.is_complex else raw.Transpose
        if perm is not None:
            return build(a, perm, name=scope)
        a = convert_to_tensor(a, name="a")
        if not a.shape.ndims:
            count = raw.Rank(a)
            perm = raw.Sub(raw.Sub(count, 1, name="sub"), raw.Range(0, count, 1), name="sub")
        else:
            perm = np.arange(a.shape.ndims)[::-1]
        result = build(a, perm, name=scope)
        static = result.op.inputs[0].shape
        if static._sizes is not None:
            result.set_shape(static.as_list()[::-1])
        return result


def _constant_if_small(value: Any, shape: Any, dtype: Any, name: str) -> Tensor | None:
    if isinstance(shape, TensorShape):
        shape = shape._sizes
    if not isinstance(shape, (list, tuple, np.ndarray)):
        return None
    items = [s.value if isinstance(s, Dimension) else s for s in shape]
    if any(isinstance(s, Tensor) for s in items):
        # TensorFlow compares the product of the sizes with its limit before it finds out that they
        # are tensors, and leaves these nodes in the graph.
        raw.Less(functools.reduce(_product, items), _SMALL)
        return None
    if (
        all(isinstance(s, (int, np.integer)) for s in items)
        and np.prod(np.array(items, np.int64)) < _SMALL
    ):
        return constant(value, shape=tuple(items), dtype=dtype, name=name)
    return None


def _product(a: Any, b: Any) -> Any:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return raw.Mul(a, b, name="mul")
    return a * b


def _filled(value: Any, shape: Any, dtype: Any, name: str) -> Tensor:
    if not isinstance(shape, Tensor):
        small = _constant_if_small(value, shape, dtype, name)
        if small is not None:
            return small
        try:
            shape = convert_to_tensor(TensorShape(shape))
        except (TypeError, ValueError):
            shape = convert_to_tensor(shape, dtype=dtypes.int32)
    if not shape.shape._sizes:  # a scalar, or of unknown rank
        shape = reshape(shape, [-1])
    return fill(shape, constant(value, dtype=dtype), name=name)


@export("zeros")
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Zeros (False, empty strings) of the given shape: list, TensorShape or 1-D integer tensor."""
    dtype = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "zeros", [shape]) as scope:
        zero = False if dtype == dtypes.bool else "" if dtype == dtypes.string else 0
        return _filled(zero, shape, dtype, scope)


@export("ones")
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Ones (True) of the given shape: list, TensorShape or 1-D integer tensor."""
    dtype = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "ones", [shape]) as scope:
        return _filled(True if dtype == dtypes.bool else 1, shape, dtype, scope)


@export("zeros_like")
def zeros_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Zeros with the shape of a tensor, of its type or of `dtype`.

    With `optimize`, the node depends on the static shape only, where that is known.
    """
    with name_scope(name, "zeros_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        if optimize and tensor.shape.is_fully_defined() and tensor.dtype != dtypes.variant:
            return zeros(tensor.shape, dtype=dtype or tensor.dtype, name=scope)
        if dtype is not None and dtype != tensor.dtype and dtype != dtypes.variant:
            return zeros(shape_internal(tensor, optimize=optimize), dtype=dtype, name=scope)
        return raw.ZerosLike(tensor, name=scope)


@export("ones_like")
def ones_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Ones with the shape of a tensor, of its type or of `dtype`."""
    with name_scope(name, "ones_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        sizes = shape_internal(tensor, optimize=optimize)
        result = ones(sizes, dtype=tensor.dtype if dtype is None else dtype, name=scope)
        result.set_shape(tensor.shape)
        return result


# -- slices --------------------------------------------------------------------------------------


def _check_index(index: Any) -> None:
    if isinstance(index, (int, Dimension)):
        return
    dtype = getattr(index, "dtype", None)
    if (
        dtype is None
        or dtypes.as_dtype(dtype).base_dtype not in (dtypes.int32, dtypes.int64)
        or (index.shape and len(index.shape) == 1)
    ):
        raise TypeError(f"{SLICE_TYPE_ERROR}, got {index!r}")


class _Spec:
    """What `tensor[...]` was asked for, as the inputs and masks of a StridedSlice."""

    def __init__(self, items: Sequence[Any]):
        self.begin: list[Any] = []
        self.end: list[Any] = []
        self.strides: list[Any] = []
        self.masks = dict.fromkeys(
            ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0
        )
        for i, item in enumerate(items):
            self._add(i, item)

    def _add(self, index: int, item: Any) -> None:
        bit = 1 << index
        if isinstance(item, slice):
            self.begin.append(self._bound(item.start, "begin_mask", bit))
            self.end.append(self._bound(item.stop, "end_mask", bit))
            if item.step is not None:
                _check_index(item.step)
            self.strides.append(1 if item.step is None else item.step)
            return
        if item is Ellipsis or item is None:
            self.masks["ellipsis_mask" if item is Ellipsis else "new_axis_mask"] |= bit
            self.begin.append(0)
            self.end.append(0)
        else:
            _check_index(item)
            self.begin.append(item)
            self.end.append(item + 1)
            self.masks["shrink_axis_mask"] |= bit
        self.strides.append(1)

    def _bound(self, value: Any, mask: str, bit: int) -> Any:
        if value is None or (isinstance(value, int) and value == _MAXSIZE):
            self.masks[mask] |= bit
            return 0
        _check_index(value)
        return value


_MAXSIZE = 2**63 - 1


def slice_helper(tensor: Any, slice_spec: Any, var: Any = None) -> Tensor:
    """`tensor[slice_spec]`: integers, slices, `...`, `tf.newaxis`, scalar tensors, boolean masks.

    TypeError for anything else among the indices.
    """
    if (
        isinstance(slice_spec, bool)
        or (isinstance(slice_spec, Tensor) and slice_spec.dtype == dtypes.bool)
        or (isinstance(slice_spec, np.ndarray) and slice_spec.dtype == bool)
    ):
        return boolean_mask(tensor=tensor, mask=slice_spec)
    if not isinstance(slice_spec, (list, tuple)):
        slice_spec = [slice_spec]
    spec = _Spec(slice_spec)
    elements = [tensor, *spec.begin, *spec.end, *spec.strides]
    with name_scope(None, "strided_slice", elements) as scope:
        if spec.begin:
            bounds = [stack(spec.begin), stack(spec.end), stack(spec.strides)]
            if any(b.dtype == dtypes.int64 for b in bounds):
                bounds = [
                    b if b.dtype == dtypes.int64 else raw.Cast(b, DstT=dtypes.int64) for b in bounds
                ]
        else:
            bounds = [constant([], dtype=dtypes.int32)] * 3
        return strided_slice(tensor, *bounds, **spec.masks, var=var, name=scope)


@export("strided_slice")
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """`input_[begin:end:strides]`, one entry a dimension; bit i of a mask concerns entry i.

    `begin_mask`, `end_mask`: the bound is absent. `ellipsis_mask`: `...`. `new_axis_mask`: a new
    dimension. `shrink_axis_mask`: an index, whose dimension disappears. With a variable `var` the
    result has an `assign` method.
    """
    if strides is None:
        strides = ones_like(begin)
    masks = {
        "begin_mask": begin_mask,
        "end_mask": end_mask,
        "ellipsis_mask": ellipsis_mask,
        "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }
    result = raw.StridedSlice(input_, begin, end, strides, name=name, **masks)
    parent = name

    def assign(val: Any, name: str | None = None) -> Any:
        if var is None:
            raise ValueError("Sliced assignment is only supported for variables")
        return var._strided_slice_assign(
            begin=begin,
            end=end,
            strides=strides,
            value=val,
            name=f"{parent}_assign" if name is None else name,
            **masks,
        )

    result.assign = assign  # type: ignore[attr-defined]
    return result


def slice_helper_var(var: Any, slice_spec: Any) -> Tensor:
    """`variable[slice_spec]`, whose result can be assigned to."""
    return slice_helper(var.value(), slice_spec, var)


Tensor.__getitem__ = slice_helper  # type: ignore[attr-defined]


@export("gather")
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Tensor:
    """Slices of `params` along `axis` at `indices`.

    Shape: params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:].
    """
    from relight.ops.constants import constant_value

    del validate_indices
    if axis is None:
        axis = batch_dims
    place = constant_value(axis)
    if place is None or place != 0:
        return raw.GatherV2(params, indices, axis, batch_dims=batch_dims, name=name)
    sparse_read = getattr(params, "sparse_read", None)
    if sparse_read is not None:
        return sparse_read(indices, name=name)
    return raw.GatherV2(params, indices, axis, name=name)


@export("squeeze")
def squeeze(
    input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None
) -> Tensor:
    """A tensor without its dimensions of size 1 (all, or those of `axis`)."""
    axis = deprecated_argument("axis", axis, "squeeze_dims", squeeze_dims)
    if np.isscalar(axis):
        axis = [axis]
    return raw.Squeeze(input, squeeze_dims=axis, name=name)


@export("boolean_mask")
def boolean_mask(
    tensor: Any, mask: Any, name: str = "boolean_mask", axis: int | None = None
) -> Tensor:
    """The elements of `tensor` where `mask` (of known rank, not scalar) is True.

    The dimensions [axis, axis + rank(mask)) become one.
    """
    with name_scope(name, values=[tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        count = mask.shape.ndims
        if count == 0:
            raise ValueError("mask cannot be scalar.")
        if count is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        axis = 0 if axis is None else axis
        static = tensor.shape
        static[axis : axis + count].assert_is_compatible_with(mask.shape)
        leading = raw.Prod(shape(tensor)[axis : axis + count], [0])
        before, after = shape(tensor)[:axis], shape(tensor)[axis + count :]
        tensor = reshape(tensor, concat([before, [leading], after], 0))
        tensor.set_shape(
            static[:axis]
            .concatenate([static[axis : axis + count].num_elements()])
            .concatenate(static[axis + count :])
        )
        mask = reshape(mask, [-1])
        indices = squeeze(raw.Where(mask), axis=[1])
        return gather(tensor, indices, axis=axis)


def deprecated_argument(new: str, new_value: Any, old: str, old_value: Any) -> Any:
    """The one of a new and a deprecated argument that is given; ValueError when both are."""
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old}' and '{new}'")
    return old_value
