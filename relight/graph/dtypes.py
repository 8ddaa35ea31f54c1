"""Element types of tensors: `DType` and the named constants, numbered as in `types.proto`."""

from __future__ import annotations

import builtins
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

_REF_OFFSET = 100  # types.proto numbers the reference form of a type 100 higher

# name, enum, numpy type. Quantised types keep TensorFlow's structured numpy types.
_TABLE: list[tuple[str, int, Any]] = [
    ("float32", 1, np.float32),
    ("float64", 2, np.float64),
    ("int32", 3, np.int32),
    ("uint8", 4, np.uint8),
    ("int16", 5, np.int16),
    ("int8", 6, np.int8),
    ("string", 7, np.object_),
    ("complex64", 8, np.complex64),
    ("int64", 9, np.int64),
    ("bool", 10, np.bool_),
    ("qint8", 11, np.dtype([("qint8", np.int8)])),
    ("quint8", 12, np.dtype([("quint8", np.uint8)])),
    ("qint32", 13, np.dtype([("qint32", np.int32)])),
    ("bfloat16", 14, ml_dtypes.bfloat16),
    ("qint16", 15, np.dtype([("qint16", np.int16)])),
    ("quint16", 16, np.dtype([("quint16", np.uint16)])),
    ("uint16", 17, np.uint16),
    ("complex128", 18, np.complex128),
    ("float16", 19, np.float16),
    ("resource", 20, np.object_),
    ("variant", 21, np.object_),
    ("uint32", 22, np.uint32),
    ("uint64", 23, np.uint64),
]
_ENUM_TO_NAME = {enum: name for name, enum, _ in _TABLE}
_NAME_TO_ENUM = {name: enum for name, enum, _ in _TABLE} | {"half": 19, "float": 1, "double": 2}
_ENUM_TO_NUMPY = {enum: np.dtype(t) for _, enum, t in _TABLE}

_FLOATING = {"float16", "bfloat16", "float32", "float64"}
_INTEGER = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
_COMPLEX = {"complex64", "complex128"}
_QUANTIZED = {"qint8", "quint8", "qint16", "quint16", "qint32"}


class DType:
    """The element type of a tensor. Instances are interned: compare them with `==` or `is`."""

    __slots__ = ("__weakref__", "_enum", "_name", "_numpy")
    _enum: int
    _name: str
    _numpy: np.dtype
    _interned: ClassVar[dict[int, DType]] = {}

    def __new__(cls, type_enum: int) -> DType:
        enum = int(type_enum)
        known = cls._interned.get(enum)
        if known is not None:
            return known
        base = enum - _REF_OFFSET if enum > _REF_OFFSET else enum
        if base not in _ENUM_TO_NAME:
            raise TypeError(f"type_enum is not a valid types_pb2.DataType: {type_enum}")
        self = super().__new__(cls)
        self._enum = enum
        self._name = _ENUM_TO_NAME[base] + ("_ref" if enum > _REF_OFFSET else "")
        self._numpy = _ENUM_TO_NUMPY[base]
        cls._interned[enum] = self
        return self

    def __reduce__(self):
        return as_dtype, (self._name,)

    @property
    def name(self) -> str:
        """The name, such as `float32` or `float32_ref`."""
        return self._name

    @property
    def as_datatype_enum(self) -> int:
        """The number of this type in `types.proto`."""
        return self._enum

    @property
    def as_numpy_dtype(self) -> Any:
        """The numpy scalar type that holds one element."""
        return self._numpy.type if self._numpy.names is None else self._numpy

    @property
    def base_dtype(self) -> DType:
        """The non-reference form of this type."""
        return DType(self._enum - _REF_OFFSET) if self._is_ref_dtype else self

    @property
    def real_dtype(self) -> DType:
        """The type of the real part of a complex type, else the base type."""
        if self.base_dtype is complex64:
            return float32
        if self.base_dtype is complex128:
            return float64
        return self.base_dtype

    @property
    def _is_ref_dtype(self) -> builtins.bool:
        return self._enum > _REF_OFFSET

    @property
    def _as_ref(self) -> DType:
        return self if self._is_ref_dtype else DType(self._enum + _REF_OFFSET)

    @property
    def is_numpy_compatible(self) -> builtins.bool:
        """Whether numpy has arrays of this type."""
        return self.base_dtype.name not in ("resource", "variant")

    @property
    def is_bool(self) -> builtins.bool:
        """Whether this is `bool`."""
        return self.base_dtype is bool

    @property
    def is_integer(self) -> builtins.bool:
        """Whether this is a non-quantised integer type."""
        return self.base_dtype._name in _INTEGER

    @property
    def is_floating(self) -> builtins.bool:
        """Whether this is a (real) floating-point type."""
        return self.base_dtype._name in _FLOATING

    @property
    def is_complex(self) -> builtins.bool:
        """Whether this is a complex type."""
        return self.base_dtype._name in _COMPLEX

    @property
    def is_quantized(self) -> builtins.bool:
        """Whether this is a quantised type."""
        return self.base_dtype._name in _QUANTIZED

    @property
    def is_unsigned(self) -> builtins.bool:
        """Whether this is an unsigned integer type."""
        return self.base_dtype._name.startswith("uint")

    @property
    def min(self) -> Any:
        """The smallest representable finite value; TypeError for a type without an order."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest representable finite value; TypeError for a type without an order."""
        return self._limit("max")

    def _limit(self, which: str) -> Any:
        base = self.base_dtype
        if base.is_integer:
            return getattr(np.iinfo(base._numpy), which)
        if base.is_bool:
            return which == "max"
        if base is bfloat16:
            return getattr(ml_dtypes.finfo(ml_dtypes.bfloat16), which)
        if base.is_floating:
            return getattr(np.finfo(base._numpy), which)
        raise TypeError(f"Cannot find {which}imum value of {self!r}.")

    @property
    def limits(self, clip_negative: builtins.bool = True) -> tuple[Any, Any]:
        """(min, max) intensity of an image of this type; integers begin at 0."""
        if self.is_floating:
            return 0, 1
        return 0, self.max

    @property
    def size(self) -> int:
        """Bytes of one element; 1 for types without a fixed size."""
        if self.base_dtype._name in ("string", "resource", "variant"):
            return 1
        return self._numpy.itemsize

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Whether a tensor of type `other` can stand where this type is wanted."""
        other = as_dtype(other)
        return self._enum in (other._enum, other.base_dtype._enum)

    def __eq__(self, other: object) -> builtins.bool:
        if self is other:
            return True
        if other is None:
            return False
        try:
            return self._enum == as_dtype(other)._enum
        except TypeError:
            return False

    def __ne__(self, other: object) -> builtins.bool:
        return not self == other

    def __hash__(self) -> int:
        return self._enum

    def __int__(self) -> int:
        return self._enum

    def __str__(self) -> str:
        return f"<dtype: {self._name!r}>"

    def __repr__(self) -> str:
        return "tf." + self._name


_all = {name: DType(enum) for name, enum, _ in _TABLE}
float16, float32, float64 = _all["float16"], _all["float32"], _all["float64"]
bfloat16 = _all["bfloat16"]
int8, int16, int32, int64 = _all["int8"], _all["int16"], _all["int32"], _all["int64"]
uint8, uint16, uint32, uint64 = _all["uint8"], _all["uint16"], _all["uint32"], _all["uint64"]
complex64, complex128 = _all["complex64"], _all["complex128"]
string, resource, variant = _all["string"], _all["resource"], _all["variant"]
qint8, quint8, qint16 = _all["qint8"], _all["quint8"], _all["qint16"]
quint16, qint32 = _all["quint16"], _all["qint32"]
bool = _all["bool"]
half, double = float16, float64

QUANTIZED_DTYPES = frozenset(
    d for q in (qint8, quint8, qint16, quint16, qint32) for d in (q, q._as_ref)
)

_NUMPY_TO_DTYPE: dict[np.dtype, DType] = {
    np.dtype(t): DType(enum) for name, enum, t in _TABLE if name not in ("resource", "variant")
}
_PYTHON = {builtins.float: float32, builtins.bool: bool, builtins.object: string}


def as_dtype(type_value: Any) -> DType:
    """Turn a DType, its name or number, a numpy type or a Python type into a `DType`.

    Raises TypeError for anything else.
    """
    if isinstance(type_value, DType):
        return type_value
    if isinstance(type_value, (int, np.integer)) and not isinstance(type_value, builtins.bool):
        return DType(int(type_value))
    if isinstance(type_value, str):
        base = type_value.removesuffix("_ref")
        if base in _NAME_TO_ENUM:
            dtype = DType(_NAME_TO_ENUM[base])
            return dtype._as_ref if base != type_value else dtype
    try:
        known = _PYTHON.get(type_value)
    except TypeError:  # an unhashable value is no type
        known = None
    if known is not None:
        return known
    if type_value is not None:
        try:
            numpy_type = np.dtype(type_value)
        except TypeError:
            numpy_type = None
        if numpy_type is not None:
            if numpy_type.kind in "SU":
                return string
            found = _NUMPY_TO_DTYPE.get(numpy_type.newbyteorder("="))
            if found is not None:
                return found
    raise TypeError(
        f"Cannot convert value {type_value!r} to a TensorFlow DType."
        if not isinstance(type_value, np.dtype)
        else f"Cannot convert {type_value} to a dtype."
    )


_RUNTIME_NAMES = {"float32": "float", "float64": "double", "float16": "half"}


def runtime_name(dtype: DType) -> str:
    """A type's name in the messages of the runtime: "float" for float32."""
    name = dtype.base_dtype.name
    return _RUNTIME_NAMES.get(name, name)
