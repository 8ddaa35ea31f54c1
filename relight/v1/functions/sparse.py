"""`tf.sparse`: sparse tensors made, changed, reduced, multiplied and made dense."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import SparseTensor, SparseTensorValue
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value, static_value_as_shape
from relight.ops.sparse import reordered


def as_sparse(value: Any) -> SparseTensor:
    """A SparseTensor or SparseTensorValue as SparseTensor; TypeError for anything else."""
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError("Input must be a SparseTensor.")
    return value


def _int64(value: Any, name: str) -> Tensor:
    if isinstance(value, numbers.Integral):
        return convert_to_tensor(value, name=name, dtype=dtypes.int64)
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be an integer value")
    return value if value.dtype == dtypes.int64 else math_nodes.cast(value, dtypes.int64)


# -- making --------------------------------------------------------------------------------------


@export("sparse.from_dense")
def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The elements of a dense tensor that are not zero."""
    with name_scope(name, "dense_to_sparse"):
        tensor = convert_to_tensor(tensor)
        different = raw.NotEqual(tensor, constant(0, tensor.dtype))
        with name_scope(None, "Where", [different]) as scope:
            indices = raw.Where(different, name=scope)
        values = raw.GatherNd(tensor, indices)
        return SparseTensor(indices, values, arrays.shape(tensor, out_type=dtypes.int64))


@export("sparse.eye")
def eye(
    num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> SparseTensor:
    """A matrix with ones on its diagonal."""
    with name_scope(name, "eye", [num_rows, num_columns]):
        num_rows = _int64(num_rows, "num_rows")
        num_columns = num_rows if num_columns is None else _int64(num_columns, "num_columns")
        count = raw.Minimum(num_rows, num_columns)
        places = math_nodes.range(count, dtype=dtypes.int64)
        return SparseTensor(
            arrays.stack([places, places], axis=1),
            arrays.ones(count, dtype=dtype),
            [num_rows, num_columns],
        )


@export("sparse_to_dense")
def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A dense tensor: `default_value` but for the values at `sparse_indices`, which are sorted."""
    return raw.SparseToDense(
        sparse_indices,
        output_shape,
        sparse_values,
        default_value,
        validate_indices=validate_indices,
        name=name,
    )


@export("sparse_tensor_to_dense", "sparse.to_dense")
def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The dense form of a sparse tensor; InvalidArgumentError for unsorted indices."""
    sp_input = as_sparse(sp_input)
    if default_value is None:
        default_value = arrays.zeros([], dtype=sp_input.dtype)
    return raw.SparseToDense(
        sp_input.indices,
        sp_input.dense_shape,
        sp_input.values,
        default_value,
        validate_indices=validate_indices,
        name=name,
    )


# -- shape and order -----------------------------------------------------------------------------


@export("sparse.expand_dims")
def expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """The sparse tensor with a dimension of size 1 inserted at `axis` (last by default)."""
    rank = sp_input.dense_shape.shape.as_list()[0]
    axis = -1 if axis is None else axis
    with name_scope(name, "expand_dims", [sp_input]):
        if isinstance(axis, numbers.Integral):
            axis = convert_to_tensor(axis, name="axis", dtype=dtypes.int32)
        elif not isinstance(axis, Tensor):
            raise TypeError(
                "axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]"
            )
        condition = axis >= 0
        axis = raw.SelectV2(condition, axis, axis + rank + 1)
        rows = arrays.shape(sp_input.indices)[0]
        column = arrays.zeros([rows, 1], dtype=dtypes.int64)
        before = raw.Slice(sp_input.indices, [0, 0], [-1, axis])
        after = raw.Slice(sp_input.indices, [0, axis], [-1, -1])
        indices = arrays.concat([before, column, after], axis=1)
        shape_before = raw.Slice(sp_input.dense_shape, [0], [axis])
        shape_after = raw.Slice(sp_input.dense_shape, [axis], [-1])
        one = convert_to_tensor([1], name="new_shape", dtype=dtypes.int64)
        shape = arrays.concat([shape_before, one, shape_after], axis=0)
        return SparseTensor(indices, sp_input.values, shape)


@export("sparse_reorder", "sparse.reorder")
def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same elements in row-major order."""
    return reordered(as_sparse(sp_input), name)


@export("sparse_reshape", "sparse.reshape")
def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same elements in another shape; one size may be -1.

    ValueError when the numbers of elements are known to differ.
    """
    sp_input = as_sparse(sp_input)
    shape = math_nodes.cast(shape, dtypes.int64)
    with name_scope(name, "SparseReshape", [sp_input]) as scope:
        indices, new_shape = raw.SparseReshape(
            sp_input.indices, sp_input.dense_shape, shape, name=scope
        )
        known = static_value_as_shape(shape)
        if known.ndims is not None and sp_input.shape.is_fully_defined():
            given = constant_value(shape)
            if given is not None and (given == -1).sum() > 1:
                raise ValueError(f"At most one dimension can be inferred (-1). Found: {given}")
            sizes = known.as_list()
            total = int(np.prod(sp_input.shape.as_list()))
            if sizes.count(None) == 1:
                rest = int(np.prod([s for s in sizes if s is not None]))
                filled = [total // rest if s is None else s for s in sizes]
            else:
                filled = sizes
            if None not in filled:
                count = int(np.prod(filled))
                if count != total:
                    raise ValueError(
                        f"Cannot reshape a tensor with {total} elements to shape {sizes} ({count} "
                        "elements)."
                    )
                new_shape = constant(filled, dtype=dtypes.int64)
        return SparseTensor(indices, arrays.identity(sp_input.values), new_shape)


@export("sparse_transpose", "sparse.transpose")
def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The sparse tensor with its dimensions reordered (reversed by default)."""
    with name_scope(name, "SparseTranspose", [sp_input]):
        if perm is None:
            rank = arrays.rank(sp_input)
            perm = rank - 1 - math_nodes.range(0, rank, 1)
        indices = arrays.transpose(arrays.gather(arrays.transpose(sp_input.indices), perm))
        order = constant_value(convert_to_tensor(perm))
        if order is not None and sp_input.shape.is_fully_defined():
            old = sp_input.shape.as_list()
            shape: Any = [old[p] for p in order.tolist()]
        else:
            shape = arrays.gather(sp_input.dense_shape, perm)
        return sparse_reorder(SparseTensor(indices, sp_input.values, shape))


@export("sparse_reset_shape", "sparse.reset_shape")
def sparse_reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same elements in a larger shape, or in the smallest that holds them."""
    from relight.v1.functions.checks import assert_equal, assert_less_equal
    from relight.v1.functions.control import with_dependencies

    sp_input = as_sparse(sp_input)
    indices = arrays.identity(sp_input.indices)
    values = arrays.identity(sp_input.values)
    old = arrays.identity(sp_input.dense_shape)
    if new_shape is None:
        last = math_nodes.reduce_max(indices, axis=0)
        shape = raw.Maximum(constant(0, dtype=dtypes.int64), raw.Add(last, arrays.ones_like(old)))
    else:
        shape = convert_to_tensor(new_shape)
        shape.shape.assert_has_rank(1)
        shape = math_nodes.cast(shape, dtypes.int64)
        if shape.shape.ndims is not None:
            shape.shape[0].merge_with(old.shape[0])
        known = constant_value(shape)
        if known is not None and sp_input.shape.is_fully_defined():
            before = np.array(sp_input.shape.as_list())
            if not np.all(before <= known):
                raise ValueError(
                    "Requested new_shape should have dimension sizes >= sp_input.shape.  Found "
                    f"new_shape ({before}), sp_input.shape ({known})."
                )
            shape = known
        else:
            same = assert_equal(arrays.shape(old), arrays.shape(shape))
            shape = with_dependencies([same], shape)
            shape = with_dependencies([assert_less_equal(old, shape)], shape)
    return SparseTensor(indices, values, shape)


# -- parts ---------------------------------------------------------------------------------------


@export("sparse_concat", "sparse.concat")
def sparse_concat(
    axis: Any,
    sp_inputs: Any,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: Any = None,
) -> SparseTensor:
    """Sparse tensors joined along `axis`; with `expand_nonconcat_dim` other sizes may differ."""
    expand = expand_nonconcat_dim if expand_nonconcat_dims is None else expand_nonconcat_dims
    axis = deprecated_argument("axis", axis, "concat_dim", concat_dim)
    if not isinstance(sp_inputs, (list, tuple)):
        raise TypeError("Inputs must be a list or tuple.")
    inputs = [as_sparse(s) for s in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    shapes: list[Any] = [s.dense_shape for s in inputs]
    if expand:
        every = arrays.concat([arrays.reshape(s, [1, -1]) for s in shapes], 0)
        largest = math_nodes.reduce_max(every, 0)
        shapes = [
            arrays.concat(
                [
                    largest[:axis],
                    s[-1:] if axis == -1 else s[axis : axis + 1],
                    [] if axis == -1 else largest[axis + 1 :],
                ],
                0,
            )
            for s in shapes
        ]
    indices, values, shape = raw.SparseConcat(
        [s.indices for s in inputs], [s.values for s in inputs], shapes, concat_dim=axis, name=name
    )
    known = [constant_value(s) for s in shapes]
    if all(k is not None for k in known):
        whole = known[0].copy()
        whole[axis] = sum(k[axis] for k in known)
        shape = convert_to_tensor(whole)
    return SparseTensor(indices, values, shape)


class KeywordRequired:
    """The default of an argument that says: name the arguments that follow."""

    def __repr__(self) -> str:
        return "KeywordRequired()"


@export("sparse_split", "sparse.split")
def sparse_split(
    keyword_required: Any = KeywordRequired(),
    sp_input: Any = None,
    num_split: int | None = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """`num_split` nearly equal parts along `axis`. All arguments must be named."""
    if not isinstance(keyword_required, KeywordRequired):
        raise ValueError("Keyword arguments are required for this function.")
    for value, what in ((sp_input, "sp_input"), (num_split, "num_split")):
        if value is None:
            raise ValueError(f"{what} is required")
    axis = deprecated_argument("axis", axis, "split_dim", split_dim)
    if axis is None:
        raise ValueError("axis is required")
    sp_input = as_sparse(sp_input)
    indices, values, shapes = raw.SparseSplit(
        axis,
        sp_input.indices,
        sp_input.values,
        sp_input.dense_shape,
        num_split=num_split,
        name=name,
    )
    return [SparseTensor(*parts) for parts in zip(indices, values, shapes, strict=True)]


@export("sparse_slice", "sparse.slice")
def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part of `size` from `start` on, cut at the borders."""
    sp_input = as_sparse(sp_input)
    start = convert_to_tensor(start, dtypes.int64)
    size = convert_to_tensor(size, dtypes.int64)
    with name_scope(name, "SparseSlice", [sp_input]) as scope:
        return SparseTensor(
            *raw.SparseSlice(
                sp_input.indices, sp_input.values, sp_input.dense_shape, start, size, name=scope
            )
        )


@export("sparse_retain", "sparse.retain")
def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The elements whose flag in `to_retain` [n] is True."""
    sp_input = as_sparse(sp_input)
    to_retain = convert_to_tensor(to_retain)
    to_retain.shape.assert_has_rank(1)
    if sp_input.values.shape.ndims is not None and to_retain.shape.ndims is not None:
        sp_input.values.shape[0].merge_with(to_retain.shape[0])
    with name_scope(None, "Where", [to_retain]) as scope:
        places = raw.Where(to_retain, name=scope)
    places = arrays.reshape(places, [-1])
    return SparseTensor(
        arrays.gather(sp_input.indices, places),
        arrays.gather(sp_input.values, places),
        arrays.identity(sp_input.dense_shape),
    )


@export("sparse_fill_empty_rows", "sparse.fill_empty_rows")
def sparse_fill_empty_rows(
    sp_input: Any, default_value: Any, name: str | None = None
) -> tuple[SparseTensor, Tensor]:
    """(a matrix with `default_value` first in each empty row, which rows were empty)."""
    sp_input = as_sparse(sp_input)
    with name_scope(name, "SparseFillEmptyRows", [sp_input]):
        default_value = convert_to_tensor(default_value, dtype=sp_input.values.dtype)
        found = raw.SparseFillEmptyRows(
            sp_input.indices, sp_input.values, sp_input.dense_shape, default_value
        )
        return SparseTensor(found[0], found[1], sp_input.dense_shape), found[2]


@export("sparse_to_indicator", "sparse.to_indicator")
def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """bool [..., vocab_size]: True at the numbers that the last dimension lists."""
    sp_input = as_sparse(sp_input)
    with name_scope(name, "SparseToIndicator", [sp_input]) as scope:
        count = arrays.shape(sp_input.indices)[0]
        values = arrays.fill(raw.ExpandDims(count, 0), True)
        marks = SparseTensor(sp_input.indices, values, sp_input.dense_shape)
        merged = sparse_merge(sp_input, marks, vocab_size, scope)
        return sparse_tensor_to_dense(
            merged, default_value=False, validate_indices=False, name=scope
        )


@export("sparse_merge", "sparse.merge")
def sparse_merge(
    sp_ids: Any,
    sp_values: Any,
    vocab_size: Any,
    name: str | None = None,
    already_sorted: bool = False,
) -> SparseTensor:
    """Values at the places that ids (one sparse tensor or several) name: [..., vocab_size...]."""
    if isinstance(sp_ids, (SparseTensor, SparseTensorValue)):
        sp_ids = [sp_ids]
        if not isinstance(vocab_size, (Tensor, numbers.Integral)):
            raise TypeError(
                f"vocab_size has to be a Tensor or Python int. Found {type(vocab_size)}"
            )
        vocab_size = [vocab_size]
    else:
        if not hasattr(sp_ids, "__iter__"):
            raise TypeError(
                f"sp_ids has to be a SparseTensor or list thereof. Found {type(sp_ids)}"
            )
        if not hasattr(vocab_size, "__iter__"):
            raise TypeError(
                f"vocab_size has to be a list of Tensors or Python ints. Found {type(vocab_size)}"
            )
        for size in vocab_size:
            if not isinstance(size, (Tensor, numbers.Integral)):
                raise TypeError(
                    f"vocab_size has to be a list of Tensors or Python ints. Found {type(size)}"
                )
    if len(sp_ids) != len(vocab_size):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with name_scope(name, "SparseMerge", [*sp_ids, sp_values]):
        sp_ids = [as_sparse(s) for s in sp_ids]
        sp_values = as_sparse(sp_values)
        ids = []
        for one in sp_ids:
            column = one.values
            if one.dtype != dtypes.int64:
                column = math_nodes.cast(column, dtypes.int64)
            ids.append(raw.ExpandDims(column, 1))
        sizes = [math_nodes.cast(s, dtypes.int64) for s in vocab_size]
        kept = sp_ids[0].indices[:, :-1]
        indices = arrays.concat([kept, *ids], 1)
        shape = arrays.concat([sp_ids[0].dense_shape[:-1], sizes], 0)
        result = SparseTensor(indices, sp_values.values, shape)
        if already_sorted:
            return result
        ordered = sparse_reorder(result)
        return SparseTensor(ordered.indices, ordered.values, shape)


# -- arithmetic ----------------------------------------------------------------------------------


@export("sparse_add", "sparse.add")
def sparse_add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """The sum of two tensors of which one or both are sparse (both: sparse, else dense).

    Of two sparse ones, sums smaller than `threshold` in magnitude are left out.
    """
    threshold = deprecated_argument("threshold", threshold, "thresh", thresh)
    if threshold is None:
        threshold = 0
    kinds = (SparseTensor, SparseTensorValue)
    if not isinstance(a, kinds) and not isinstance(b, kinds):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if isinstance(a, kinds) and isinstance(b, kinds):
        from relight.v1.functions.array import broadcast_static_shape

        a, b = as_sparse(a), as_sparse(b)
        threshold = convert_to_tensor(
            threshold, dtype=a.values.dtype.real_dtype.base_dtype, name="threshold"
        )
        indices, values, shape = raw.SparseAdd(
            a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, threshold
        )
        a.shape.assert_is_compatible_with(b.shape)
        static = broadcast_static_shape(a.shape, b.shape)
        if static.is_fully_defined():
            shape = static.as_list()
        return SparseTensor(indices, values, shape)
    if isinstance(b, kinds):
        a, b = b, a
    return raw.SparseTensorDenseAdd(a.indices, a.values, a.dense_shape, b)


@export("sparse_tensor_dense_matmul", "sparse.sparse_dense_matmul", "sparse.matmul")
def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Sparse [m, k] x dense [k, n] -> dense [m, n], each side adjoint if asked for."""
    sp_a = as_sparse(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul", [sp_a.indices, sp_a.values, b]):
        b = convert_to_tensor(b, name="b")
        return raw.SparseTensorDenseMatMul(
            sp_a.indices,
            sp_a.values,
            sp_a.dense_shape,
            b,
            adjoint_a=adjoint_a,
            adjoint_b=adjoint_b,
        )


@export("sparse_softmax", "sparse.softmax")
def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Softmax over the present elements of the last dimension."""
    with name_scope(name, "SparseSoftmax", [sp_input.indices, sp_input.values]):
        values = raw.SparseSoftmax(sp_input.indices, sp_input.values, sp_input.dense_shape)
        return SparseTensor(sp_input.indices, values, sp_input.dense_shape)


def _extreme(build: Any, default: str, a: Any, b: Any, name: str | None) -> SparseTensor:
    with name_scope(name, default, [a.indices, a.values, b.indices, b.values]) as scope:
        indices, values = build(
            a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, name=scope
        )
    return SparseTensor(indices, values, a.dense_shape)


@export("sparse_maximum", "sparse.maximum")
def sparse_maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The greater of each pair of elements; absent ones count as zero."""
    return _extreme(raw.SparseSparseMaximum, "SparseSparseMaximum", sp_a, sp_b, name)


@export("sparse_minimum", "sparse.minimum")
def sparse_minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller of each pair of elements; absent ones count as zero."""
    return _extreme(raw.SparseSparseMinimum, "SparseSparseMinimum", sp_a, sp_b, name)


def _reduce(
    build: Any, sp_input: Any, axis: Any, keepdims: Any, reduction_axes: Any, keep_dims: Any
) -> Any:
    keepdims = deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims)
    axis = deprecated_argument("axis", axis, "reduction_axes", reduction_axes)
    if axis is None:
        axis = _every_axis(sp_input)
    return build(
        sp_input.indices, sp_input.values, sp_input.dense_shape, axis, keep_dims=bool(keepdims)
    )


def _every_axis(sp_input: SparseTensor) -> Tensor:
    static = sp_input.dense_shape.shape
    if static.is_fully_defined():
        return constant(np.arange(static.as_list()[0]), dtype=dtypes.int32)
    return math_nodes.range(0, arrays.rank(sp_input))


@export("sparse_reduce_sum", "sparse.reduce_sum")
def sparse_reduce_sum(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    reduction_axes: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """Sums over dimensions (all by default), as a dense tensor."""
    return _reduce(raw.SparseReduceSum, sp_input, axis, keepdims, reduction_axes, keep_dims)


@export("sparse_reduce_max", "sparse.reduce_max")
def sparse_reduce_max(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    reduction_axes: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The greatest present elements over dimensions, as a dense tensor."""
    return _reduce(raw.SparseReduceMax, sp_input, axis, keepdims, reduction_axes, keep_dims)


@export("sparse_reduce_sum_sparse", "sparse.reduce_sum_sparse")
def sparse_reduce_sum_sparse(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    reduction_axes: Any = None,
    keep_dims: Any = None,
) -> SparseTensor:
    """Sums over dimensions (all by default), as a sparse tensor."""
    build = raw.SparseReduceSumSparse
    return SparseTensor(*_reduce(build, sp_input, axis, keepdims, reduction_axes, keep_dims))


@export("sparse_reduce_max_sparse", "sparse.reduce_max_sparse")
def sparse_reduce_max_sparse(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    reduction_axes: Any = None,
    keep_dims: Any = None,
) -> SparseTensor:
    """The greatest present elements over dimensions, as a sparse tensor."""
    build = raw.SparseReduceMaxSparse
    return SparseTensor(*_reduce(build, sp_input, axis, keepdims, reduction_axes, keep_dims))


# -- as strings ------------------------------------------------------------------------------------


@export("serialize_sparse", "io.serialize_sparse")
def serialize_sparse(
    sp_input: Any, name: str | None = None, out_type: Any = dtypes.string
) -> Tensor:
    """A sparse tensor as three strings [3]."""
    sp_input = as_sparse(sp_input)
    return raw.SerializeSparse(
        sp_input.indices, sp_input.values, sp_input.dense_shape, name=name, out_type=out_type
    )


@export("serialize_many_sparse", "io.serialize_many_sparse")
def serialize_many_sparse(
    sp_input: Any, name: str | None = None, out_type: Any = dtypes.string
) -> Tensor:
    """Each row of the first dimension of a sparse tensor as three strings [n, 3]."""
    sp_input = as_sparse(sp_input)
    return raw.SerializeManySparse(
        sp_input.indices, sp_input.values, sp_input.dense_shape, name=name, out_type=out_type
    )


@export("deserialize_many_sparse", "io.deserialize_many_sparse")
def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """The sparse tensor whose rows were serialized to [n, 3] strings."""
    indices, values, shape = raw.DeserializeManySparse(serialized_sparse, dtype=dtype, name=name)
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)
