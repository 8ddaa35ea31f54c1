"""Variables: reference variables (`VariableV2`) and resource variables (`VarHandleOp`).

A reference or resource reaches a kernel as the object that holds the value, with `read`, `assign`,
`update` (see `relight.engine.resources`). Ops that change parts of a value are in `scatter`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.shape_rules import from_attr, scalar, sizes, text


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
    return lambda state: state.variable(name, dtype, shape, node)


op("VariableV2", shape=from_attr(), specialise=True, takes_session=True)(_variable)
op("Variable", shape=from_attr(), specialise=True, takes_session=True)(_variable)


@op("VarHandleOp", shape=scalar, specialise=True, takes_session=True)
def VarHandleOp(node: Any) -> Any:
    """The handle of a resource variable."""
    return _variable(node)


def handle_shape(tensor: Any) -> Any:
    """The static sizes of the variable behind a resource tensor, None when they are not known."""
    for _ in range(100):  # handles may be captured by nested function bodies
        node = tensor.op
        if node.type == "VarHandleOp":
            return TensorShape(node._attrs["shape"])._sizes
        if node.type in ("Identity", "Enter", "Switch") and node._inputs:
            tensor = node._inputs[0]
            continue
        outer = node.graph.captured_by(tensor) if node.graph.building_function else tensor
        if outer is tensor:
            return None
        tensor = outer
    return None


def merge_shapes(a: Any, b: Any) -> Any:
    """What is known from either of two shapes that must be equal; ShapeError names both."""
    if a is None or b is None:
        return a if b is None else b
    if len(a) != len(b):
        raise ShapeError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if x is not None and y is not None and x != y:
            raise ShapeError(
                f"Dimension {i} in both shapes must be equal, but are {x} and {y}. Shapes are "
                f"{text(a)} and {text(b)}."
            )
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def held_shape(node: Any, index: int) -> Any:
    """The static sizes of a reference or resource input."""
    tensor = node._inputs[index]
    return handle_shape(tensor) if tensor.dtype is dtypes.resource else sizes(node, index)


def _assign_shape(node: Any) -> list[Any]:
    if node._attrs.get("validate_shape", True):
        return [merge_shapes(sizes(node, 0), sizes(node, 1))]
    return [sizes(node, 1)]


def _change_shape(node: Any) -> list[Any]:
    return [merge_shapes(sizes(node, 0), sizes(node, 1))]


def _described(shape: Any) -> str:
    return "[" + ",".join(str(s) for s in shape) + "]"


def _own_memory(value: Any) -> Any:
    """A value that a variable can keep: not one that repeats a part of its memory."""
    if isinstance(value, torch.Tensor) and 0 in value.stride() and not value.is_contiguous():
        return value.contiguous()
    return value


@op("Assign", shape=_assign_shape, specialise=True, writes="ref")
def Assign(node: Any) -> Any:
    """Set a reference variable; its shape may change only without `validate_shape`."""
    validate = node._attrs.get("validate_shape", True)

    def assign(ref: Any, value: Any) -> Any:
        if validate and ref.shape is not None and not _fits(ref.shape, value):
            raise errors.InvalidArgumentError(
                None,
                None,
                "Assign requires shapes of both tensors to match. lhs shape= "
                f"{_described(ref.shape.as_list())} rhs shape= {_described(value.shape)}",
            )
        ref.assign(_own_memory(value))
        return ref

    return assign


def _fits(shape: Any, value: Any) -> bool:
    static = shape._sizes
    return static is None or (
        len(static) == len(value.shape)
        and all(s is None or s == n for s, n in zip(static, value.shape, strict=True))
    )


def _changed(name: str, method: str) -> Callable[[Any, Any], Any]:
    """A kernel that changes the whole value by `value.<method>(delta)`, in place."""

    def kernel(ref: Any, delta: Any) -> Any:
        def change(value: torch.Tensor) -> None:
            if value.shape != delta.shape:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Cannot update variable with shape {_described(value.shape)} using a Tensor "
                    f"with shape {_described(delta.shape)}, shapes must be equal."
                    if name.endswith("Op")
                    else f"Incompatible shapes: {_described(value.shape)} vs. "
                    f"{_described(delta.shape)}",
                )
            getattr(value, method)(delta)

        ref.update(change)
        return ref

    kernel.__name__ = name
    kernel.__doc__ = f"`value.{method}(delta)` on a variable."
    return kernel


op("AssignAdd", shape=_change_shape, writes="ref")(_changed("AssignAdd", "add_"))
op("AssignSub", shape=_change_shape, writes="ref")(_changed("AssignSub", "sub_"))


def _handle_change_shape(node: Any) -> list[Any]:
    merge_shapes(handle_shape(node._inputs[0]), sizes(node, 1))
    return []


def _resource_change(name: str, method: str) -> None:
    change = _changed(name, method)

    def kernel(resource: Any, delta: Any) -> None:
        if not resource.is_initialized():
            raise errors.NotFoundError(
                None,
                None,
                f"Resource localhost/{resource.name}/N10tensorflow3VarE does not exist.",
            )
        change(resource, delta)

    op(name, shape=_handle_change_shape, writes="resource")(kernel)


_resource_change("AssignAddVariableOp", "add_")
_resource_change("AssignSubVariableOp", "sub_")


@op("AssignVariableOp", shape=_handle_change_shape, writes="resource")
def AssignVariableOp(resource, value):
    """Set a resource variable."""
    resource.assign(_own_memory(value))


def read_resource(resource: Any) -> Any:
    """The value of a resource variable; FailedPreconditionError when it has none."""
    if not resource.is_initialized():
        raise errors.FailedPreconditionError(
            None,
            None,
            f"Error while reading resource variable {resource.name} from Container: localhost. "
            "This could mean that the variable was uninitialized. Not found: Resource "
            f"localhost/{resource.name}/N10tensorflow3VarE does not exist.",
        )
    return resource.read()


@op("ReadVariableOp", shape=lambda node: [handle_shape(node._inputs[0])], views=0)
def ReadVariableOp(resource):
    """The value of a resource variable."""
    return read_resource(resource)


@ReadVariableOp.gradient
def _(op, grad):
    return [grad]


@op("VarIsInitializedOp", shape=scalar)
def VarIsInitializedOp(resource):
    """Whether a resource variable has a value."""
    return torch.tensor(resource.is_initialized())


@op("IsVariableInitialized", shape=scalar)
def IsVariableInitialized(ref):
    """Whether a reference variable has a value."""
    return torch.tensor(ref.is_initialized())


def _variable_shape(node: Any) -> list[Any]:
    known = handle_shape(node._inputs[0])
    return [(None if known is None else len(known),)]


@op("VariableShape", shape=_variable_shape, specialise=True, host_out=True)
def VariableShape(node: Any) -> Any:
    """The shape of a resource variable's value."""
    numpy_type = node._attrs["out_type"].as_numpy_dtype
    return lambda resource: np.array(read_resource(resource).shape, numpy_type)


@op("DestroyResourceOp", takes_session=True, specialise=True, writes="resource")
def DestroyResourceOp(node: Any) -> Any:
    """Forget the value of a resource variable."""
    quiet = node._attrs.get("ignore_lookup_error", True)

    def destroy(state: Any, resource: Any) -> None:
        if not quiet and not resource.is_initialized():
            raise errors.NotFoundError(
                None, None, f"Resource localhost/{resource.name} does not exist."
            )
        resource.assign(None)

    return destroy


# -- counting and temporary variables --------------------------------------------------------------


def _count_up(node: Any) -> Any:
    """The value before one is added; OutOfRangeError once it is `limit`."""
    limit = node._attrs["limit"]

    def count(ref: Any) -> Any:
        before: list[torch.Tensor] = []

        def step(value: torch.Tensor) -> torch.Tensor:
            if int(value) >= limit:
                raise errors.OutOfRangeError(None, None, f"Reached limit of {limit}")
            before.append(value)
            return value + 1

        ref.update(step)
        return before[0]

    return count


op("CountUpTo", shape=scalar, specialise=True, writes="ref")(_count_up)
op("ResourceCountUpTo", shape=scalar, specialise=True, writes="resource")(_count_up)


@op("TemporaryVariable", shape=from_attr(), specialise=True, takes_session=True)
def TemporaryVariable(node: Any) -> Any:
    """A variable that lives until its `DestroyTemporaryVariable`, with undefined first values."""
    name = node._attrs["var_name"] or node.name
    dtype, shape = node._attrs["dtype"], TensorShape(node._attrs["shape"])

    def make(state: Any) -> Any:
        holder = state.variable("tmp:" + name, dtype, shape)
        holder.assign(torch.zeros(shape.as_list(), dtype=torch_dtype(dtype), device=state.device))
        return holder

    return make


@op("DestroyTemporaryVariable", shape=lambda node: [sizes(node, 0)], writes="ref")
def DestroyTemporaryVariable(ref):
    """The last value of a temporary variable, which is gone after this."""
    value = ref.read()
    ref.assign(None)
    return value


not_differentiable(
    "Assign",
    "AssignAdd",
    "AssignSub",
    "Variable",
    "VariableV2",
    "VarHandleOp",
    "VarIsInitializedOp",
    "IsVariableInitialized",
    "VariableShape",
    "CountUpTo",
    "ResourceCountUpTo",
    "TemporaryVariable",
    "DestroyTemporaryVariable",
)
