# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.dtypes`."""

from relight.ops.math_nodes import (
    cast, complex,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.functions.framework import (
    DType, QUANTIZED_DTYPES, as_dtype, bfloat16, bool, complex128, complex64, double, float16,
    float32, float64, half, int16, int32, int64, int8, qint16, qint32, qint8, quint16, quint8,
    resource, string, uint16, uint32, uint64, uint8, variant,
)
from relight.v1.functions.math import (
    saturate_cast,
)
from relight.v1.functions.strings import (
    as_string,
)

__getattr__ = missing("tf.dtypes")

__all__ = [
    "DType", "QUANTIZED_DTYPES", "as_dtype", "as_string", "bfloat16", "bool", "cast", "complex",
    "complex128", "complex64", "double", "float16", "float32", "float64", "half", "int16",
    "int32", "int64", "int8", "qint16", "qint32", "qint8", "quint16", "quint8", "resource",
    "saturate_cast", "string", "uint16", "uint32", "uint64", "uint8", "variant",
]
