"""Arrays: placeholders, shapes, reshaping, joining, parting, padding, masks."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices, SparseTensor, SparseTensorValue
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.array_nodes import (
    all_dimensions,
    concat,
    deprecated_argument,
    gather,
    ones,
    rank,
    reshape,
    shape,
    size,
    stack,
)
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value

newaxis = export("newaxis")(None)


# -- placeholders --------------------------------------------------------------------------------


@export("placeholder")
def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor that must be fed; `shape` may be partly known or None."""
    return raw.Placeholder(
        dtype=dtype, shape=None if shape is None else TensorShape(shape), name=name
    )


@export("placeholder_with_default")
def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor that may be fed, and is `input` otherwise."""
    return raw.PlaceholderWithDefault(input, TensorShape(shape), name=name)


@export("sparse_placeholder", "sparse.placeholder")
def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor that must be fed (a SparseTensorValue, or a tuple of its three arrays).

    A fully known `shape` becomes a constant, which need not be fed.
    """
    shape_name = f"{name}/shape" if name is not None else None
    count = None
    if isinstance(shape, Tensor):
        count = shape.shape[0]
    elif shape is not None:
        count = len(shape)
        if None in list(shape):
            shape = None
    if shape is None:
        shape = placeholder(dtypes.int64, shape=[count], name=shape_name)
    else:
        shape = convert_to_tensor(shape, dtype=dtypes.int64, name=shape_name)
    values = placeholder(dtype, [None], f"{name}/values" if name is not None else None)
    indices = placeholder(
        dtypes.int64, [None, count], f"{name}/indices" if name is not None else None
    )
    return SparseTensor(indices, values, shape)


# -- the same values -----------------------------------------------------------------------------


@export("identity_n")
def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """The inputs themselves, each available only when all are."""
    return raw.IdentityN(input, name=name)


@export("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The input itself; no gradient flows through it."""
    return raw.StopGradient(input, name=name)


@export("guarantee_const")
def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """The input itself, promised not to change."""
    return raw.GuaranteeConst(input, name=name)


@export("bitcast")
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The same bytes read as another type."""
    return raw.Bitcast(input, type=type, name=name)


@export("is_tensor")
def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor, SparseTensor, IndexedSlices or Variable."""
    return isinstance(x, (Tensor, SparseTensor, IndexedSlices)) or (
        hasattr(x, "_as_graph_element") and hasattr(x, "initializer")
    )


# -- shapes --------------------------------------------------------------------------------------


@export("shape_n")
def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors."""
    return raw.ShapeN(input, out_type=out_type, name=name)


@export("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape, a 1-D integer tensor, that two shapes broadcast to."""
    return raw.BroadcastArgs(shape_x, shape_y)


@export("broadcast_static_shape")
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The TensorShape that two shapes broadcast to; ValueError when they do not."""
    x, y = as_shape(shape_x), as_shape(shape_y)
    if x.ndims is None or y.ndims is None:
        return TensorShape(None)
    a, b = x.as_list(), y.as_list()
    count = max(len(a), len(b))
    a, b = [1] * (count - len(a)) + a, [1] * (count - len(b)) + b
    result: list[int | None] = []
    for m, n in zip(a, b, strict=True):
        if m is None or n is None:
            known = n if m is None else m
            result.append(known if known is not None and known > 1 else None)
        elif m == 1 or n == 1 or m == n:
            result.append(n if m == 1 else m)
        else:
            raise ValueError(f"Incompatible shapes for broadcasting: {shape_x} and {shape_y}")
    return TensorShape(result)


@export("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor repeated along dimensions of size 1 to `shape`."""
    return raw.BroadcastTo(input, shape, name=name)


@export("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """The tensor with a dimension of size 1 inserted at `axis`."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return raw.ExpandDims(input, axis, name=name)


@export("invert_permutation", "math.invert_permutation")
def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The inverse y of a permutation x [n]: y[x[i]] = i."""
    return raw.InvertPermutation(x, name=name)


# -- joining, parting, repeating -----------------------------------------------------------------


@export("slice")
def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """`size[i]` elements (-1: all that follow) from `begin[i]` on along dimension i."""
    return raw.Slice(input_, begin, size, name=name)


@export("split")
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """Parts of a tensor along `axis`: so many equal ones, or ones of the given sizes."""
    sizes = convert_to_tensor(num_or_size_splits)
    if isinstance(num_or_size_splits, int) or hasattr(num_or_size_splits, "_value"):
        return raw.Split(axis, value, num_split=num_or_size_splits, name=name)
    if sizes.shape.ndims == 0:
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. "
            f"Argument provided: {num_or_size_splits}"
        )
    if num is None:
        if sizes.shape.ndims is not None:
            num = sizes.shape.as_list()[0]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {num_or_size_splits}")
    return raw.SplitV(value, sizes, axis, num_split=num, name=name)


@export("parallel_stack")
def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """Tensors of one fully known shape joined along a new first dimension."""
    with name_scope(name):
        first = convert_to_tensor(values[0])
        whole = TensorShape([len(values)]).concatenate(convert_to_tensor(first).shape)
        return raw.ParallelConcat([expand_dims(v, 0) for v in values], shape=whole)


@export("tile", "manip.tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The tensor repeated `multiples[i]` times along dimension i."""
    return raw.Tile(input, multiples, name=name)


@export("reverse", "reverse_v2", "manip.reverse")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The elements in reverse order along the dimensions of `axis` [n]."""
    return raw.ReverseV2(tensor, axis, name=name)


@export("roll", "manip.roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Elements moved by `shift` along `axis`, the last ones coming in again at the front."""
    return raw.Roll(input, shift, axis, name=name)


@export("meshgrid")
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Coordinates of a grid: each of the 1-D tensors repeated along the others' dimensions.

    `indexing` is "xy" (the first two dimensions exchanged) or "ij".
    """
    indexing = kwargs.pop("indexing", "xy")
    name = kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", args):
        count = len(args)
        ones_before = (1,) * count
        output = [
            reshape(stack(x), (*ones_before[:i], -1, *ones_before[i + 1 :]))
            for i, x in enumerate(args)
        ]
        shapes = [size(x) for x in args]
        element_type = convert_to_tensor(args[0]).dtype.base_dtype
        if indexing == "xy" and count > 1:
            output[0] = reshape(output[0], (1, -1) + (1,) * (count - 2))
            output[1] = reshape(output[1], (-1, 1) + (1,) * (count - 2))
            shapes[0], shapes[1] = shapes[1], shapes[0]
        factor = ones(shapes, element_type)
        return [raw.Mul(x, factor, name="mul") for x in output]


@export("pad")
def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    name: str | None = None,
    constant_values: Any = 0,
) -> Tensor:
    """`paddings[i] = (before, after)` elements around dimension i [rank, 2].

    They are `constant_values`, or mirrored: without the border (REFLECT) or with it (SYMMETRIC).
    """
    mode = mode.upper()
    if mode == "CONSTANT":
        if not is_tensor(constant_values) and constant_values == 0:
            result = raw.Pad(tensor, paddings, name=name)
        else:
            result = raw.PadV2(tensor, paddings, constant_values, name=name)
    elif mode in ("REFLECT", "SYMMETRIC"):
        result = raw.MirrorPad(tensor, paddings, mode=mode, name=name)
    else:
        raise ValueError(f"Unknown padding mode: {mode}")
    amounts = constant_value(result.op.inputs[1], partial=True)
    known = result.op.inputs[0].shape
    if known.ndims is not None and not result.shape.is_fully_defined() and amounts is not None:
        sizes: list[int | None] = []
        for pair, size_before in zip(amounts, known.as_list(), strict=False):
            unknown = size_before is None or pair is None or any(p is None for p in pair)
            sizes.append(None if unknown else int(sum(pair)) + size_before)
        result.set_shape(sizes)
    return result


# -- chosen elements -----------------------------------------------------------------------------


@export("where")
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """The indices [n, rank] of True elements; with x and y, elements of x where True, else of y.

    `condition` has the shape of x and y, or is a vector that chooses rows.
    """
    return _where(condition, x, y, name, "Select")


@export("where_v2")
def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """`where` whose three arguments broadcast."""
    return _where(condition, x, y, name, "SelectV2")


def _where(condition: Any, x: Any, y: Any, name: str | None, op_type: str) -> Tensor:
    if x is None and y is None:
        with name_scope(name, "Where", [condition]) as scope:
            condition = convert_to_tensor(condition, preferred_dtype=dtypes.bool, name="condition")
            return raw.Where(condition, name=scope)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return getattr(raw, op_type)(condition, x, y, name=name)


@export("one_hot")
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """A new dimension of size `depth`: `on_value` at the place that the index names, else
    `off_value`.

    TypeError when the types of the values differ from each other or from `dtype`.
    """
    with name_scope(name, "one_hot", [indices, depth, on_value, off_value, axis, dtype]) as scope:
        on_dtype = None if on_value is None else convert_to_tensor(on_value).dtype.base_dtype
        off_dtype = None if off_value is None else convert_to_tensor(off_value).dtype.base_dtype
        if on_dtype is not None or off_dtype is not None:
            for what, found in (("on_value", on_dtype), ("off_value", off_dtype)):
                if dtype is not None and found is not None and found != dtype:
                    raise TypeError(
                        f"dtype {found} of {what} does not match dtype parameter {dtype}"
                    )
            if dtype is None:
                dtype = off_dtype if on_dtype is None else on_dtype
        elif dtype is None:
            dtype = dtypes.float32
        if on_dtype is None:
            on_value, on_dtype = convert_to_tensor(1, dtype, name="on_value"), dtype
        if off_dtype is None:
            off_value, off_dtype = convert_to_tensor(0, dtype, name="off_value"), dtype
        if on_dtype != off_dtype:
            raise TypeError(
                f"dtype {on_dtype} of on_value does not match dtype {off_dtype} of off_value"
            )
        return raw.OneHot(indices, depth, on_value, off_value, axis=axis, name=scope)


@export("sequence_mask")
def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None
) -> Tensor:
    """[..., maxlen]: True at the first `lengths[...]` places. `maxlen` is the greatest length by
    default."""
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = convert_to_tensor(lengths)
        if maxlen is None:
            maxlen = raw.Max(lengths, _dimensions(lengths))
            maxlen = raw.Maximum(constant(0, maxlen.dtype), maxlen)
        else:
            maxlen = convert_to_tensor(maxlen)
        if maxlen.shape.ndims not in (None, 0):
            raise ValueError("maxlen must be scalar for sequence_mask")
        row = raw.Range(constant(0, maxlen.dtype), maxlen, constant(1, maxlen.dtype))
        column = _cast(expand_dims(lengths, -1), maxlen.dtype)
        result = raw.Less(row, column)
        if dtype is None or result.dtype.base_dtype == dtypes.as_dtype(dtype).base_dtype:
            return result
        return raw.Cast(result, DstT=dtype)


def _cast(tensor: Tensor, dtype: Any) -> Tensor:
    return raw.Cast(tensor, DstT=dtype)


def _dimensions(tensor: Any) -> Tensor:
    if tensor.shape.ndims is not None:
        return all_dimensions(tensor)
    return raw.Range(0, rank(tensor), 1)


@export("unique")
def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """(y, idx): the different elements of x [n] in order of appearance, and x = y[idx]."""
    return raw.Unique(x, out_idx=out_idx, name=name)


@export("unique_with_counts")
def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """(y, idx, count): `unique`, and how often each element occurs."""
    return raw.UniqueWithCounts(x, out_idx=out_idx, name=name)


@export("setdiff1d")
def setdiff1d(x: Any, y: Any, index_dtype: Any = dtypes.int32, name: str | None = None) -> Any:
    """(out, idx): the elements of x [n] that are not in y [m], and where they stand in x."""
    return raw.ListDiff(x, y, out_idx=index_dtype, name=name)


@export("sparse_mask", "sparse.mask")
def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """IndexedSlices without the rows whose index is among `mask_indices`."""
    with name_scope(name, "sparse_mask", [a, mask_indices]) as scope:
        kept, places = raw.ListDiff(a.indices, mask_indices)
        return IndexedSlices(gather(a.values, places, name=scope), kept, a.dense_shape)


@export("edit_distance")
def edit_distance(
    hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance"
) -> Tensor:
    """The Levenshtein distance of the sequences in two SparseTensors, over their last dimension.

    With `normalize`, divided by the length of the truth.
    """
    for value, what in ((hypothesis, "Hypothesis"), (truth, "Truth")):
        if not isinstance(value, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"{what} must be a SparseTensor.")
    return raw.EditDistance(
        hypothesis.indices,
        hypothesis.values,
        hypothesis.dense_shape,
        truth.indices,
        truth.values,
        truth.dense_shape,
        normalize=normalize,
        name=name,
    )


@export("searchsorted")
def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Where `values` [..., m] would be inserted in `sorted_sequence` [..., n]."""
    count = shape(sorted_sequence)[-1]
    wanted = shape(values)[-1]
    rows = reshape(sorted_sequence, [-1, count])
    value_rows = reshape(values, [-1, wanted])
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'.  Saw: {side}.")
    build = raw.UpperBound if side == "right" else raw.LowerBound
    return reshape(build(rows, value_rows, out_type=out_type, name=name), shape(values))


@export("repeat")
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each element repeated `repeats` (or its own number of) times along `axis`."""
    if axis is None:
        input, axis = reshape(input, [-1]), 0
    return _repeat(input, repeats, axis, name)


def _repeat(data: Any, repeats: Any, axis: int, name: str | None) -> Tensor:
    if not isinstance(axis, int):
        raise TypeError(f"axis must be an int; got {type(axis).__name__}")
    with name_scope(name, "Repeat", [data, repeats]):
        data = convert_to_tensor(data, name="data")
        repeats = convert_to_tensor(repeats, name="repeats", preferred_dtype=dtypes.int32)
        if not repeats.dtype.is_integer:
            raise TypeError(f"repeats must be an integer tensor; dtype={repeats.dtype}")
        repeats = _cast(repeats, dtypes.int32)
        repeats.shape.with_rank_at_most(1)
        data = _with_nonzero_rank(data)
        data_shape = shape(data)
        axis = _positive_axis(axis, data.shape.ndims)
        if repeats.shape.ndims == 1 and data.shape.ndims is not None:
            data.shape[axis].assert_is_compatible_with(repeats.shape[0])
        if repeats.shape.ndims == 0:
            tiled = _tile_one(expand_dims(data, axis + 1), axis + 1, repeats)
            whole = concat([data_shape[:axis], [-1], data_shape[axis + 1 :]], axis=0)
            return reshape(tiled, whole)
        if repeats.shape.ndims != axis + 1:
            repeats_shape, count = shape(repeats), rank(repeats)
            stop = raw.Sub(axis + 1, count, name="sub")
            repeats = broadcast_to(repeats, concat([data_shape[:stop], repeats_shape], axis=0))
            repeats.set_shape([None] * (axis + 1))
        most = raw.Maximum(0, raw.Max(repeats, _dimensions(repeats)))
        mask = sequence_mask(repeats, most)
        tiled = _tile_one(expand_dims(data, axis + 1), axis + 1, most)
        from relight.ops.array_nodes import boolean_mask

        result = boolean_mask(tiled, mask)
        if axis != 0:
            result = reshape(
                result, concat([data_shape[:axis], [-1], data_shape[axis + 1 :]], axis=0)
            )
        if data.shape.ndims is not None:
            size_along = 0 if repeats.shape.as_list()[0] == 0 else None
            result.set_shape(
                data.shape[:axis].concatenate([size_along]).concatenate(data.shape[axis + 1 :])
            )
        return result


def _positive_axis(axis: int, count: int | None) -> int:
    if count is not None:
        if -count <= axis < count:
            return axis % count
        raise ValueError(f"axis={axis} out of bounds: expected {-count}<=axis<{count}")
    if axis < 0:
        raise ValueError("axis may only be negative if ndims is statically known.")
    return axis


def _tile_one(data: Tensor, axis: int, multiple: Any) -> Tensor:
    if data.shape.ndims is not None:
        multiples: list[Any] = [1] * data.shape.ndims
        multiples[axis] = multiple
        return tile(data, multiples)
    one = ones(rank(data), dtypes.int32)
    return tile(data, concat([one[:axis], [multiple], one[axis + 1 :]], axis=0))


def _with_nonzero_rank(data: Tensor) -> Tensor:
    if data.shape.ndims is not None:
        return stack([data]) if data.shape.ndims == 0 else data
    data_shape, count = shape(data), rank(data)
    return reshape(data, concat([[1], data_shape], axis=0)[raw.Neg(count, name="Neg") :])
