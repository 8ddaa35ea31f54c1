"""Constants as `TensorProto`, written as TensorFlow writes them, and read in every form."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from tensorboard.compat.proto import tensor_pb2

from relight.graph import dtypes
from relight.graph.shapes import TensorShape

# Which `*_val` field holds the elements of a type.
_FIELD = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "int16": "int_val",
    "int8": "int_val",
    "qint8": "int_val",
    "quint8": "int_val",
    "qint16": "int_val",
    "quint16": "int_val",
    "qint32": "int_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "string": "string_val",
}


def numpy_dtype(dtype: dtypes.DType) -> np.dtype:
    """The plain numpy type of one element (quantised types by their stored integers)."""
    numpy_type = np.dtype(dtype.base_dtype.as_numpy_dtype)
    return numpy_type[0] if numpy_type.names else numpy_type


def is_filled(array: np.ndarray) -> bool:
    """Whether an array is one value broadcast over its shape (all strides zero)."""
    return array.size > 1 and not any(array.strides)


def to_proto(array: np.ndarray, dtype: dtypes.DType | None = None) -> Any:
    """A numpy array as TensorProto: one element in its field, more as raw bytes.

    A broadcast single value (see `is_filled`) is written once, with the full shape.
    """
    dtype = (dtype or dtypes.as_dtype(array.dtype)).base_dtype
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    proto.tensor_shape.CopyFrom(TensorShape.of(tuple(array.shape)).as_proto())
    filled = is_filled(array)
    if dtype is dtypes.string:
        items = [array.flat[0]] if filled else array.ravel().tolist()
        proto.string_val.extend(i.encode() if isinstance(i, str) else bytes(i) for i in items)
        return proto
    if array.dtype.names:
        array = array[array.dtype.names[0]]
    if array.size > 1 and not filled:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
        return proto
    values = array.ravel()[:1]
    field = getattr(proto, _FIELD[dtype.name])
    if dtype in (dtypes.float16, dtypes.bfloat16):
        field.extend(values.view(np.uint16).astype(np.int32).tolist())
    elif dtype.is_complex:
        for value in values.tolist():
            field.extend([value.real, value.imag])
    else:
        field.extend(values.tolist())
    return proto


def from_proto(proto: Any) -> np.ndarray:
    """A TensorProto as numpy array (a single stored value is broadcast without copying).

    Raises ValueError for an unknown shape, an unsupported type or contents that do not fit.
    """
    dtype = dtypes.as_dtype(proto.dtype)
    shape = TensorShape(proto.tensor_shape)
    if not shape.is_fully_defined():
        raise ValueError("a constant tensor must have a fully known shape")
    sizes = tuple(int(s or 0) for s in shape.as_list())
    count = shape.num_elements() or 0
    if dtype.name not in _FIELD:
        raise ValueError(f"a constant of type {dtype.name} cannot be read")
    numpy_type = numpy_dtype(dtype)
    if proto.tensor_content and dtype is not dtypes.string:
        wanted = count * numpy_type.itemsize
        if len(proto.tensor_content) != wanted:
            raise ValueError(
                f"a constant of shape {shape} holds {len(proto.tensor_content)} bytes, not {wanted}"
            )
        return np.frombuffer(proto.tensor_content, numpy_type).reshape(sizes)
    raw = getattr(proto, _FIELD[dtype.name])
    if dtype is dtypes.string:
        values = np.empty(len(raw), np.object_)
        values[:] = list(raw)
    elif dtype is dtypes.float16:
        values = np.array(raw, np.uint16).view(np.float16)
    elif dtype is dtypes.bfloat16:
        values = np.array(raw, np.uint16).view(ml_dtypes.bfloat16)
    elif dtype.is_complex:
        part = np.float32 if dtype is dtypes.complex64 else np.float64
        values = np.array(raw, part).view(numpy_type)
    else:
        values = np.array(raw, dtype=numpy_type)
    if values.size == count:
        return values.reshape(sizes)
    if values.size > count:
        raise ValueError(f"a constant of shape {shape} holds {values.size} values")
    if values.size == 0:
        fill = b"" if dtype is dtypes.string else np.zeros((), numpy_type)
        return np.broadcast_to(np.array(fill, numpy_type), sizes)
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), sizes)
    # A shorter list means: repeat the last value.
    return np.concatenate([values, np.repeat(values[-1:], count - values.size)]).reshape(sizes)
