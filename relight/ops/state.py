"""Variables: reference variables (`VariableV2`) and resource variables (`VarHandleOp`)."""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import from_attr, merge, scalar, sizes


def torch_dtype(dtype: dtypes.DType) -> torch.dtype:
    """The torch type of a TensorFlow type; UnimplementedError where torch has none."""
    found = _TORCH.get(dtype.base_dtype.name)
    if found is None:
        raise errors.UnimplementedError(None, None, f"PyTorch has no type for {dtype.name}")
    return found


_TORCH = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
    "uint16": torch.uint16,
    "uint32": torch.uint32,
    "uint64": torch.uint64,
    "bool": torch.bool,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
    "qint8": torch.int8,
    "quint8": torch.uint8,
    "qint16": torch.int16,
    "quint16": torch.uint16,
    "qint32": torch.int32,
}


def _variable(node: Any) -> Any:
    name = node._attrs.get("shared_name") or node.name
    dtype, shape = node._attrs["dtype"], node._attrs["shape"]
    return lambda state: state.variable(name, dtype, shape)


op("VariableV2", shape=from_attr(), specialise=True, takes_session=True)(_variable)
op("Variable", shape=from_attr(), specialise=True, takes_session=True)(_variable)


@op("VarHandleOp", shape=scalar, specialise=True, takes_session=True)
def VarHandleOp(node: Any) -> Any:
    """The handle of a resource variable."""
    return _variable(node)


def _assign_shape(node: Any) -> list[Any]:
    if node._attrs.get("validate_shape", True):
        return [merge(sizes(node, 0), sizes(node, 1))]
    return [sizes(node, 1)]


@op("Assign", shape=_assign_shape, specialise=True, writes="ref")
def Assign(node: Any) -> Any:
    """Set a reference variable; its shape may change only without `validate_shape`."""
    validate = node._attrs.get("validate_shape", True)

    def assign(ref: Any, value: torch.Tensor) -> Any:
        if validate and ref.shape is not None and not _fits(ref.shape, value):
            raise errors.InvalidArgumentError(
                None,
                None,
                "Assign requires shapes of both tensors to match. lhs shape= "
                f"[{','.join(map(str, ref.shape.as_list()))}] rhs shape= "
                f"[{','.join(map(str, value.shape))}]",
            )
        ref.assign(value)
        return ref

    return assign


def _fits(shape: Any, value: Any) -> bool:
    static = shape._sizes
    return static is None or (
        len(static) == len(value.shape)
        and all(s is None or s == n for s, n in zip(static, value.shape, strict=True))
    )


def _in_place(ref: Any, function: Any) -> Any:
    ref.update(function)
    return ref


@op("AssignAdd", shape=_assign_shape, writes="ref")
def AssignAdd(ref, value):
    """Add to a reference variable."""
    return _in_place(ref, lambda v: _quiet(v.add_(value)))


@op("AssignSub", shape=_assign_shape, writes="ref")
def AssignSub(ref, value):
    """Subtract from a reference variable."""
    return _in_place(ref, lambda v: _quiet(v.sub_(value)))


def _quiet(_: Any) -> None:
    """The update was in place: nothing to store anew."""


@op("IsVariableInitialized", shape=scalar, host_out=False)
def IsVariableInitialized(ref):
    """Whether a reference variable has a value."""
    return torch.tensor(ref.is_initialized())


not_differentiable("Assign", "AssignAdd", "AssignSub", "VariableV2", "Variable")

