"""`tf.sets` and crossed features (`tf.sparse.cross`)."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor, SparseTensorValue
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops import math_nodes
from relight.ops.build import convert_to_tensor, raw

_TYPES = frozenset(
    map(dtypes.as_dtype, ["int8", "int16", "int32", "int64", "uint8", "uint16", "string"])
)
_HASH_KEY = 956888297470


@export("convert_to_tensor_or_sparse_tensor")
def convert_to_tensor_or_sparse_tensor(
    value: Any, dtype: Any = None, name: str | None = None
) -> Any:
    """A SparseTensor as it is, anything else as Tensor; RuntimeError for another `dtype`."""
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if isinstance(value, SparseTensor):
        if dtype and not dtype.is_compatible_with(value.dtype):
            raise RuntimeError(
                f"Sparse dtype: requested = {dtype.name}, actual = {value.dtype.name}"
            )
        return value
    return convert_to_tensor(value, dtype=dtype, name=name)


@export("sets.size", "sets.set_size")
def size(a: Any, validate_indices: bool = True) -> Tensor:
    """int32: the number of different elements in the last dimension of a SparseTensor."""
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    if a.values.dtype.base_dtype not in _TYPES:
        raise TypeError(f"Invalid dtype {a.values.dtype}.")
    return raw.SetSize(a.indices, a.values, a.dense_shape, validate_indices=validate_indices)


def _operands(a: Any, b: Any) -> tuple[Any, Any, bool]:
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base_dtype not in _TYPES:
        raise TypeError(f"'a' invalid dtype {a.dtype}.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base_dtype != a.dtype.base_dtype:
        raise TypeError(f"Types don't match, {a.dtype} vs {b.dtype}.")
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        return b, a, True
    return a, b, False


def _operation(a: Any, b: Any, how: str, validate: bool) -> SparseTensor:
    options = {"set_operation": how, "validate_indices": validate}
    if isinstance(a, SparseTensor):
        found = raw.SparseToSparseSetOperation(
            a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, **options
        )
    elif isinstance(b, SparseTensor):
        found = raw.DenseToSparseSetOperation(a, b.indices, b.values, b.dense_shape, **options)
    else:
        found = raw.DenseToDenseSetOperation(a, b, **options)
    return SparseTensor(*found)


@export("sets.intersection", "sets.set_intersection")
def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The elements of the last dimension that both have, sorted."""
    a, b, _ = _operands(a, b)
    return _operation(a, b, "intersection", validate_indices)


@export("sets.difference", "sets.set_difference")
def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """The elements of the last dimension that only a (or, without `aminusb`, only b) has."""
    a, b, flipped = _operands(a, b)
    return _operation(a, b, "a-b" if aminusb != flipped else "b-a", validate_indices)


@export("sets.union", "sets.set_union")
def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The elements of the last dimension that either has, sorted."""
    a, b, _ = _operands(a, b)
    return _operation(a, b, "union", validate_indices)


@export("sparse.cross")
def cross(inputs: Any, name: str | None = None) -> SparseTensor:
    """Strings `a_X_b`: every combination of one feature an input, row by row."""
    return _cross(inputs, False, 0, None, name)


@export("sparse.cross_hashed")
def cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """int64 hashes, modulo `num_buckets` unless 0, of every combination of features."""
    return _cross(inputs, True, num_buckets, hash_key, name)


def _cross(
    inputs: Any, hashed: bool, buckets: int, key: int | None, name: str | None
) -> SparseTensor:
    if not isinstance(inputs, list):
        raise TypeError("Inputs must be a list")
    if not all(isinstance(i, (SparseTensor, Tensor)) for i in inputs):
        raise TypeError("All inputs must be SparseTensors")
    sparse = [i for i in inputs if isinstance(i, SparseTensor)]
    dense = [i for i in inputs if not isinstance(i, SparseTensor)]
    values = [s.values for s in sparse]
    internal = dtypes.string
    for group in (values, dense):
        for i, value in enumerate(group):
            if value.dtype != dtypes.string:
                group[i] = math_nodes.cast(value, dtypes.int64)
                internal = dtypes.int64
    found = raw.SparseCross(
        [s.indices for s in sparse],
        values,
        [s.dense_shape for s in sparse],
        dense,
        hashed_output=hashed,
        num_buckets=buckets,
        hash_key=key or _HASH_KEY,
        out_type=dtypes.int64 if hashed else dtypes.string,
        internal_type=internal,
        name=name,
    )
    return SparseTensor(*found)
