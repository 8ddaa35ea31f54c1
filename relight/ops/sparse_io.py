"""Sparse tensors as serialized `TensorProto` strings: [indices, values, shape]."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes, tensor_proto
from relight.graph.opdef import not_differentiable, op
from relight.ops.array import invalid


def _packed(array: np.ndarray, dtype: Any) -> bytes:
    """A `TensorProto` whose elements stand in `tensor_content`, as TensorFlow's runtime writes."""
    proto = tensor_proto.to_proto(np.ascontiguousarray(array), dtype)
    if dtype != dtypes.string and not proto.tensor_content and array.size:
        for field in (
            "float_val",
            "double_val",
            "int_val",
            "int64_val",
            "bool_val",
            "half_val",
            "scomplex_val",
            "dcomplex_val",
            "uint32_val",
            "uint64_val",
        ):
            proto.ClearField(field)
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto.SerializeToString()


def _unpacked(data: bytes) -> np.ndarray:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import tensor_pb2

    try:
        return tensor_proto.from_proto(tensor_pb2.TensorProto.FromString(data))
    except (DecodeError, ValueError, TypeError) as error:
        raise invalid(f"Could not parse serialized sparse tensor: {error}") from None


def _value_type(node: Any) -> Any:
    # As variants (in datasets) the three parts are the same strings: only the type differs.
    return node._inputs[1].dtype.base_dtype


@op(
    "SerializeSparse",
    shape=lambda node: [(3,)],
    specialise=True,
    host=("sparse_indices", "sparse_values", "sparse_shape"),
)
def SerializeSparse(node: Any) -> Any:
    """One sparse tensor as three strings."""
    dtype = _value_type(node)

    def serialize(indices, values, shape):
        result = np.empty(3, np.object_)
        result[:] = [
            _packed(indices, dtypes.int64),
            _packed(values, dtype),
            _packed(shape, dtypes.int64),
        ]
        return result

    return serialize


@op(
    "SerializeManySparse",
    shape=lambda node: [(None, 3)],
    specialise=True,
    host=("sparse_indices", "sparse_values", "sparse_shape"),
)
def SerializeManySparse(node: Any) -> Any:
    """Each row of the first dimension of a sparse tensor as three strings: [n, 3]."""
    dtype = _value_type(node)

    def serialize(indices, values, shape):
        count = int(shape[0])
        result = np.empty((count, 3), np.object_)
        rest = _packed(shape[1:], dtypes.int64)
        for row in range(count):
            chosen = indices[:, 0] == row
            result[row] = [
                _packed(indices[chosen, 1:], dtypes.int64),
                _packed(values[chosen], dtype),
                rest,
            ]
        return result

    return serialize


def _sparse_shape(node: Any) -> list[Any]:
    return [(None, None), (None,), (None,)]


def _row(data: Any, dtype: Any, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    indices, values, shape = (_unpacked(d) for d in data)
    found = dtypes.as_dtype(values.dtype) if values.dtype != object else dtypes.string
    if found != dtype:
        raise invalid(
            f"Requested SparseTensor of type {dtype.name} but SparseTensor[{place}].values.dtype() "
            f"== {found.name}"
        )
    if indices.ndim != 2 or len(indices) != len(values) or indices.shape[1] != len(shape):
        raise invalid("The parts of a serialized sparse tensor do not fit each other")
    return indices, values, shape


def _deserialize(node: Any) -> Any:
    dtype = node._attrs["dtype"]

    def run(serialized):
        if serialized.shape[-1:] != (3,):
            raise invalid(
                f"Serialized sparse should have 3 as the last dimension {list(serialized.shape)}"
            )
        outer = serialized.shape[:-1]
        parts = [_row(row, dtype, i) for i, row in enumerate(serialized.reshape(-1, 3))]
        if not parts:
            raise invalid(
                "Must have at least 1 serialized SparseTensor, but input matrix has 0 rows"
            )
        ranks = {len(shape) for _, _, shape in parts}
        if len(ranks) > 1:
            raise invalid(
                f"Inconsistent shape across SparseTensors: their ranks are {sorted(ranks)}"
            )
        indices = [
            np.concatenate([np.full((len(i), len(key)), key, np.int64), i], 1)
            for key, (i, _, _) in zip(np.ndindex(*outer), parts, strict=True)
        ]
        largest = np.max([shape for _, _, shape in parts], axis=0)
        return (
            np.concatenate(indices),
            np.concatenate([values for _, values, _ in parts]),
            np.array([*outer, *largest], np.int64),
        )

    return run


for _name in ("DeserializeSparse", "DeserializeManySparse"):
    op(_name, shape=_sparse_shape, specialise=True, host_out=True)(_deserialize)


not_differentiable(
    "SerializeSparse", "SerializeManySparse", "DeserializeSparse", "DeserializeManySparse"
)
