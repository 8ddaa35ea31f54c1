"""Attr values: between plain Python, `AttrValue` protos and what `Operation.get_attr` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tensorboard.compat.proto import attr_value_pb2

from relight.graph import dtypes, opdef, tensor_proto
from relight.graph.shapes import TensorShape


class FunctionName(str):
    """The value of a `func` attr: the name of a function of the graph."""

    __slots__ = ()


def _text(value: bytes) -> Any:
    """Bytes as str where they are text, so that kernels can compare with plain strings."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def from_any(value: Any) -> Any:
    """Decode an AttrValue proto; leave other values as they are."""
    return from_proto(value) if isinstance(value, attr_value_pb2.AttrValue) else value


def from_proto(proto: Any) -> Any:
    """The Python value of an AttrValue (None for one without a value)."""
    which = proto.WhichOneof("value")
    if which is None:
        return None
    if which == "list":
        parts = proto.list
        for field, decode in _DECODE.items():
            items = getattr(parts, field)
            if len(items):
                return [decode(i) for i in items]
        return []
    if which == "placeholder":
        raise ValueError(f"attr placeholder {proto.placeholder!r} outside a function")
    return _DECODE[which](getattr(proto, which))


_DECODE: dict[str, Callable[[Any], Any]] = {
    "s": _text,
    "i": int,
    "f": float,
    "b": bool,
    "type": dtypes.as_dtype,
    "shape": TensorShape,
    "tensor": tensor_proto.from_proto,
    "func": lambda f: FunctionName(f.name),
}


def _field(value: Any, kind: str | None) -> str:
    """The AttrValue field that holds a (list element's) value."""
    by_kind = {"string": "s", "int": "i", "float": "f", "bool": "b"}
    if kind is not None:
        return by_kind.get(kind, kind)
    if isinstance(value, FunctionName):
        return "func"
    if isinstance(value, (bytes, str)):
        return "s"
    if isinstance(value, (bool, np.bool_)):
        return "b"
    if isinstance(value, (int, np.integer)):
        return "i"
    if isinstance(value, (float, np.floating)):
        return "f"
    if isinstance(value, dtypes.DType):
        return "type"
    if isinstance(value, TensorShape):
        return "shape"
    if isinstance(value, np.ndarray):
        return "tensor"
    raise TypeError(f"{value!r} cannot be an attr value")


def _encode(value: Any, field: str, dtype: dtypes.DType | None) -> Any:
    if field == "s":
        return value.encode() if isinstance(value, str) else value
    if field == "type":
        return dtypes.as_dtype(value).as_datatype_enum
    if field == "shape":
        return TensorShape(value).as_proto()
    if field == "tensor":
        return tensor_proto.to_proto(value, dtype)
    if field == "func":
        return attr_value_pb2.NameAttrList(name=str(value))
    return value


def to_proto(value: Any, kind: str | None = None, dtype: dtypes.DType | None = None) -> Any:
    """A Python value as AttrValue; `kind` as in the op's signature, `dtype` for a tensor."""
    proto = attr_value_pb2.AttrValue()
    if isinstance(value, attr_value_pb2.AttrValue):
        proto.CopyFrom(value)
        return proto
    if isinstance(value, (list, tuple)) or (kind or "").startswith("list("):
        element = kind[5:-1] if kind and kind.startswith("list(") else None
        proto.list.SetInParent()
        for item in value:
            field = _field(item, element)
            encoded = _encode(item, field, None)
            target = getattr(proto.list, field)
            if hasattr(encoded, "CopyFrom"):
                target.add().CopyFrom(encoded)
            else:
                target.append(encoded)
        return proto
    field = _field(value, kind)
    encoded = _encode(value, field, dtype)
    if hasattr(encoded, "CopyFrom"):
        getattr(proto, field).CopyFrom(encoded)
    else:
        setattr(proto, field, encoded)
    return proto


def public_value(graph: Any, op_type: str, name: str, value: Any) -> Any:
    """An attr as `Operation.get_attr` gives it: bytes, protos for shapes, tensors, functions."""
    if isinstance(value, list):
        return [public_value(graph, op_type, name, v) for v in value]
    if isinstance(value, FunctionName):
        return attr_value_pb2.NameAttrList(name=str(value))
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, TensorShape):
        return value.as_proto()
    if isinstance(value, np.ndarray):
        return tensor_proto.to_proto(value)
    return value


def output_dtypes(op_type: str, attrs: dict[str, Any]) -> list[dtypes.DType]:
    """The types of the outputs of an op with these attrs."""
    result: list[dtypes.DType] = []
    definition = opdef.op_def(op_type)

    def value(name: str) -> Any:
        return attrs[name] if name in attrs else definition.attrs[name].default

    for arg in definition.outputs:
        if arg.type_list_attr is not None:
            types = [dtypes.as_dtype(t) for t in value(arg.type_list_attr)]
        else:
            one = arg.dtype if arg.type_attr is None else dtypes.as_dtype(value(arg.type_attr))
            assert one is not None
            types = [one] * (1 if arg.number_attr is None else value(arg.number_attr))
        result.extend(t._as_ref if arg.is_ref else t for t in types)
    return result


def with_defaults(op_type: str, attrs: dict[str, Any]) -> dict[str, Any]:
    """`attrs` with the defaults of the signature for those that are missing."""
    for name, attr in opdef.op_def(op_type).attrs.items():
        if name not in attrs and attr.has_default:
            attrs[name] = list(attr.default) if isinstance(attr.default, list) else attr.default
    return attrs
