"""Sets in the last dimension of tensors, and crossed features: `tf.sets`, `tf.sparse.cross`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.opdef import not_differentiable, op
from relight.graph.tensor_proto import numpy_dtype
from relight.ops.array import invalid
from relight.ops.hashing import fingerprint64
from relight.ops.shape_rules import merge, sizes, unknown

_MASK = (1 << 64) - 1
_FACTOR = 0xC6A4A7935BD1E995

Groups = dict[tuple[int, ...], set[Any]]

_OPERATIONS: dict[str, Callable[[set[Any], set[Any]], set[Any]]] = {
    "a-b": lambda a, b: a - b,
    "b-a": lambda a, b: b - a,
    "intersection": lambda a, b: a & b,
    "union": lambda a, b: a | b,
}


def _of_dense(values: np.ndarray) -> Groups:
    rows = values.reshape(-1, values.shape[-1]).tolist()
    return dict(zip(np.ndindex(*values.shape[:-1]), map(set, rows), strict=True))


def _of_sparse(indices: np.ndarray, values: np.ndarray) -> Groups:
    groups: Groups = {}
    for place, value in zip(indices.tolist(), values.tolist(), strict=True):
        groups.setdefault(tuple(place[:-1]), set()).add(value)
    return groups


def _result(a: Groups, b: Groups, outer: Any, how: str, dtype: Any) -> Any:
    combine = _OPERATIONS.get(how)
    if combine is None:
        raise invalid(f"Invalid set_operation {how}.")
    indices, values, widest = [], [], 0
    for key in sorted({*a, *b}):
        row = sorted(combine(a.get(key, set()), b.get(key, set())))
        widest = max(widest, len(row))
        values += row
        indices += [(*key, i) for i in range(len(row))]
    array = np.empty(len(values), np.object_ if dtype == dtypes.string else numpy_dtype(dtype))
    array[:] = values
    rank = len(outer) + 1
    return (
        np.array(indices, np.int64).reshape(-1, rank),
        array,
        np.array([*outer, widest], np.int64),
    )


def _set_shape(node: Any) -> list[Any]:
    if node.type == "SparseToSparseSetOperation":
        vector = sizes(node, 2)
        rank = None if vector is None else vector[0]
    else:
        known = sizes(node, 0)
        other = sizes(node, 1) if node.type == "DenseToDenseSetOperation" else None
        if known is not None and other is not None:
            merge(known[:-1], other[:-1])
        if known is not None or other is not None:
            rank = len(known or other)
        else:
            vector = sizes(node, 3) if node.type == "DenseToSparseSetOperation" else None
            rank = None if vector is None else vector[0]
    return [(None, rank), (None,), (rank,)]


def _same_outer(a: Any, b: Any) -> list[int]:
    a, b = [int(s) for s in a[:-1]], [int(s) for s in b[:-1]]
    if a != b:
        raise invalid(
            f"Mismatched group shapes [{','.join(map(str, a))}] vs [{','.join(map(str, b))}]."
        )
    return a


@op(
    "DenseToDenseSetOperation",
    shape=_set_shape,
    specialise=True,
    host=("set1", "set2"),
    host_out=True,
)
def DenseToDenseSetOperation(node: Any) -> Any:
    """The sets of the last dimension of two dense tensors, combined."""
    how, dtype = node._attrs["set_operation"], node._attrs["T"]
    return lambda a, b: _result(
        _of_dense(a), _of_dense(b), _same_outer(a.shape, b.shape), how, dtype
    )


@op(
    "DenseToSparseSetOperation",
    shape=_set_shape,
    specialise=True,
    host_out=True,
    host=("set1", "set2_indices", "set2_values", "set2_shape"),
)
def DenseToSparseSetOperation(node: Any) -> Any:
    """The sets of the last dimension of a dense and a sparse tensor, combined."""
    how, dtype = node._attrs["set_operation"], node._attrs["T"]
    return lambda a, indices, values, shape: _result(
        _of_dense(a), _of_sparse(indices, values), _same_outer(a.shape, shape), how, dtype
    )


@op(
    "SparseToSparseSetOperation",
    shape=_set_shape,
    specialise=True,
    host_out=True,
    host=("set1_indices", "set1_values", "set1_shape", "set2_indices", "set2_values", "set2_shape"),
)
def SparseToSparseSetOperation(node: Any) -> Any:
    """The sets of the last dimension of two sparse tensors, combined."""
    how, dtype = node._attrs["set_operation"], node._attrs["T"]
    return lambda i1, v1, s1, i2, v2, s2: _result(
        _of_sparse(i1, v1), _of_sparse(i2, v2), _same_outer(s1, s2), how, dtype
    )


@op("SetSize", shape=unknown, host=("set_indices", "set_values", "set_shape"), host_out=True)
def SetSize(indices, values, shape):
    """The number of different elements in the last dimension of a sparse tensor."""
    result = np.zeros([int(s) for s in shape[:-1]], np.int32)
    for key, group in _of_sparse(indices, values).items():
        result[key] = len(group)
    return result


# -- crossed features ----------------------------------------------------------------------------


def _joined_fingerprint(first: int, second: int) -> int:
    """One 64-bit fingerprint of two."""
    mixed = (second * _FACTOR) & _MASK
    mixed = ((mixed ^ (mixed >> 47)) * _FACTOR) & _MASK
    value = ((first ^ _FACTOR ^ mixed) * _FACTOR) & _MASK
    value = ((value ^ (value >> 47)) * _FACTOR) & _MASK
    return value ^ (value >> 47)


def _columns(indices: Any, values: Any, shapes: Any, dense: Any) -> tuple[list[Any], int]:
    """(features of each column by row, number of rows)."""
    count = int(shapes[0][0]) if shapes else len(dense[0])
    columns = []
    for places, column in zip(indices, values, strict=True):
        rows: list[list[Any]] = [[] for _ in range(count)]
        for place, value in zip(places[:, 0].tolist(), column.tolist(), strict=True):
            rows[place].append(value)
        columns.append(rows)
    columns += [d.tolist() for d in dense]
    if any(len(c) != count for c in columns):
        raise invalid(f"Expected batch size {count}")
    return columns, count


def _hashed(features: Any, key: int, buckets: int) -> int:
    value = key
    for feature in features:
        number = fingerprint64(feature) if isinstance(feature, bytes) else feature & _MASK
        value = _joined_fingerprint(value, number)
    return value % (buckets or (1 << 63) - 1)


def _text(feature: Any) -> bytes:
    return feature if isinstance(feature, bytes) else str(feature).encode()


@op(
    "SparseCross",
    shape=lambda node: [(None, 2), (None,), (2,)],
    specialise=True,
    host_out=True,
    host=("indices", "values", "shapes", "dense_inputs"),
)
def SparseCross(node: Any) -> Any:
    """Every combination of one feature a column, row by row: joined by `_X_`, or hashed."""
    attrs = node._attrs
    hashed, key, buckets = attrs["hashed_output"], attrs["hash_key"], attrs["num_buckets"]

    def cross(indices, values, shapes, dense):
        columns, count = _columns(indices, values, shapes, dense)
        places, made, widest = [], [], 0
        for row in range(count):
            combinations = list(itertools.product(*(c[row] for c in columns)))
            widest = max(widest, len(combinations))
            for i, features in enumerate(combinations):
                places.append((row, i))
                made.append(
                    _hashed(features, key, buckets)
                    if hashed
                    else b"_X_".join(_text(f) for f in features)
                )
        output = np.empty(len(made), np.int64 if hashed else np.object_)
        output[:] = made
        return (
            np.array(places, np.int64).reshape(-1, 2),
            output,
            np.array([count, widest], np.int64),
        )

    return cross


not_differentiable(
    "SetSize",
    "DenseToDenseSetOperation",
    "DenseToSparseSetOperation",
    "SparseToSparseSetOperation",
    "SparseCross",
)
