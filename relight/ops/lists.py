"""Lists and optionals of tensors: `TensorList*` and `Optional*`, values of type variant.

A list is a Python tuple of torch tensors (None for an element that was reserved but not set), so it
never changes. An optional is an `Optional` with its components, or None.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape
from relight.ops.shape_rules import scalar
from relight.ops.state import torch_dtype


class ListValue:
    """The value of a tensor list: its elements and what is known of their shape."""

    __slots__ = ("element_shape", "items")

    def __init__(self, items: tuple[Any, ...], element_shape: Any):
        self.items = items
        self.element_shape = element_shape

    def pushed(self, tensor: Any) -> ListValue:
        """The list with one more element."""
        return ListValue((*self.items, tensor), self.element_shape)

    def zeros_like(self) -> ListValue:
        """A list of zeros: what a gradient that nothing contributed to is."""
        shape = self.element_shape
        if shape is not None and all(s >= 0 for s in shape):
            return ListValue((None,) * len(self.items), shape)  # made when one is read
        return ListValue(
            tuple(
                None
                if i is None
                else i.zeros_like()
                if isinstance(i, ListValue)
                else torch.zeros_like(i)
                for i in self.items
            ),
            self.element_shape,
        )

    def __add__(self, other: ListValue) -> ListValue:
        """Element by element: the sum of two gradients of one list."""
        if not isinstance(other, ListValue) or len(self.items) != len(other.items):
            raise errors.InvalidArgumentError(
                None, None, "Trying to add two lists of tensors of different lengths"
            )
        pairs = zip(self.items, other.items, strict=True)
        return ListValue(
            tuple(b if a is None else a if b is None else a + b for a, b in pairs),
            self.element_shape,
        )

    def zeros(self, dtype: torch.dtype, index: int) -> torch.Tensor:
        """What an element that was never set reads as."""
        shape = self.element_shape
        other = next((i for i in self.items if isinstance(i, torch.Tensor)), None)
        if shape is None or any(s < 0 for s in shape):
            if other is None:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Trying to read an uninitialized tensor (index {index}) of a list "
                    f"whose element shape is not fully defined: {shape}",
                )
            shape = other.shape
        if dtype is None:
            return np.full(shape, b"", object)
        return torch.zeros(shape, dtype=dtype, device=None if other is None else other.device)


class ShapeList(ListValue):
    """A list that nothing is read from but the shapes of its elements: it keeps nothing else."""

    __slots__ = ()

    def pushed(self, tensor: Any) -> ShapeList:
        """The list with the shape of one more element."""
        if isinstance(tensor, torch.Tensor):
            last = self.items[-1] if self.items else None
            same = last is not None and last.shape == tensor.shape
            tensor = last if same else tensor.new_zeros(()).expand(tensor.shape)
        return ShapeList((*self.items, tensor), self.element_shape)


def _element_type(node: Any) -> Any:
    """The torch type of a list's elements; None for strings and lists of lists."""
    dtype = node._attrs["element_dtype"]
    if dtype.base_dtype in (dtypes.variant, dtypes.string):
        return None
    return torch_dtype(dtype)


def _shape_of(value: np.ndarray) -> Any:
    return None if value.ndim == 0 and int(value) < 0 else tuple(np.ravel(value).tolist())


@op("EmptyTensorList", shape=scalar, host=("element_shape", "max_num_elements"))
def EmptyTensorList(element_shape, max_num_elements):
    """A list without elements."""
    return ListValue((), _shape_of(element_shape))


@op("TensorListReserve", shape=scalar, host=("element_shape", "num_elements"))
def TensorListReserve(element_shape, num_elements):
    """A list of elements that are not set yet."""
    return ListValue((None,) * int(num_elements), _shape_of(element_shape))


@op("TensorListPushBack", shape=scalar)
def TensorListPushBack(input_handle, tensor):
    """The list with one more element."""
    return input_handle.pushed(tensor)


@TensorListPushBack.gradient
def _(op, grad):
    taken = raw.TensorListPopBack(
        grad, _static_element(op._inputs[1]), element_dtype=op._attrs["element_dtype"]
    )
    return [taken[0], taken[1]]


def _static_element(tensor: Any) -> Any:
    static = tensor.shape._sizes
    if static is None or None in static:
        return raw.Shape(tensor)
    return np.array(static, np.int32)


def _pop_shape(node: Any) -> list[Any]:
    return [(), _element(node, 1)]


def _element(node: Any, index: int) -> Any:
    value = node._inputs[index]
    if value.shape.rank == 0:
        return None
    return constant_value_as_shape(value)


@op("TensorListPopBack", shape=_pop_shape, specialise=True, host=("element_shape",))
def TensorListPopBack(node: Any) -> Any:
    """The list without its last element, and that element."""
    dtype = _element_type(node)

    def pop(handle: ListValue, element_shape: np.ndarray) -> Any:
        if not handle.items:
            raise errors.InvalidArgumentError(None, None, "Trying to pop from an empty list.")
        last = handle.items[-1]
        if last is None:
            last = handle.zeros(dtype, len(handle.items) - 1)
        return ListValue(handle.items[:-1], handle.element_shape), last

    return pop


@TensorListPopBack.gradient
def _(op, grad_list, grad):
    if grad_list is None:
        grad_list = raw.EmptyTensorList(
            raw.Shape(grad), -1, element_dtype=op._attrs["element_dtype"]
        )
    return [raw.TensorListPushBack(grad_list, grad), None]


@op("TensorListLength", shape=scalar, host_out=True)
def TensorListLength(input_handle):
    """Number of elements."""
    return np.array(len(input_handle.items), np.int32)


@op(
    "TensorListGetItem",
    specialise=True,
    host=("index", "element_shape"),
    shape=lambda node: [_element(node, 2)],
)
def TensorListGetItem(node: Any) -> Any:
    """One element."""
    dtype = _element_type(node)

    def get(handle: ListValue, index: np.ndarray, element_shape: np.ndarray) -> torch.Tensor:
        i = int(index)
        if not 0 <= i < len(handle.items):
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Trying to access element {i} in a list with {len(handle.items)} elements.",
            )
        item = handle.items[i]
        if item is not None:
            return item
        shape = _shape_of(element_shape)
        known = shape is not None and all(s >= 0 for s in shape)
        return ListValue(handle.items, shape if known else handle.element_shape).zeros(dtype, i)

    return get


@TensorListGetItem.gradient
def _(op, grad):
    size = raw.TensorListLength(op._inputs[0])
    shape = raw.Shape(grad)
    empty = raw.TensorListReserve(shape, size, element_dtype=op._attrs["element_dtype"])
    return [raw.TensorListSetItem(empty, op._inputs[1], grad), None, None]


@op("TensorListSetItem", shape=scalar, host=("index",))
def TensorListSetItem(input_handle, index, item):
    """The list with one element replaced."""
    i = int(index)
    items = input_handle.items
    if not 0 <= i < len(items):
        raise errors.InvalidArgumentError(
            None, None, f"Trying to modify element {i} in a list with {len(items)} elements."
        )
    return ListValue((*items[:i], item, *items[i + 1 :]), input_handle.element_shape)


@TensorListSetItem.gradient
def _(op, grad):
    element = raw.TensorListGetItem(
        grad,
        op._inputs[1],
        _static_element(op._inputs[2]),
        element_dtype=op._attrs["element_dtype"],
    )
    cleared = raw.TensorListSetItem(grad, op._inputs[1], raw.ZerosLike(op._inputs[2]))
    return [cleared, None, element]


def _stack_shape(node: Any) -> list[Any]:
    inner = _element(node, 1)
    count = node._attrs.get("num_elements", -1)
    if inner is None or inner._sizes is None:
        return [None]
    return [(None if count < 0 else count, *inner._sizes)]


@op("TensorListStack", specialise=True, host=("element_shape",), shape=_stack_shape)
def TensorListStack(node: Any) -> Any:
    """All elements as one tensor [n, ...]."""
    dtype = _element_type(node)

    def stack(handle: ListValue, element_shape: np.ndarray) -> torch.Tensor:
        shape = _shape_of(element_shape)
        if not handle.items:
            if shape is None or any(s < 0 for s in shape):
                shape = handle.element_shape
            if shape is None or any(s < 0 for s in shape):
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    "Tried to stack elements of an empty list with non-fully-defined "
                    f"element_shape: {element_shape}",
                )
            return (
                np.empty((0, *shape), object)
                if dtype is None
                else torch.empty((0, *shape), dtype=dtype)
            )
        known = ListValue(
            handle.items,
            shape if shape is not None and all(s >= 0 for s in shape) else handle.element_shape,
        )
        items = [known.zeros(dtype, i) if t is None else t for i, t in enumerate(handle.items)]
        return np.stack(items) if dtype is None else torch.stack(items)

    return stack


@TensorListStack.gradient
def _(op, grad):
    return [raw.TensorListFromTensor(grad, op._inputs[1]), None]


@op("TensorListFromTensor", shape=scalar, host=("element_shape",))
def TensorListFromTensor(tensor, element_shape):
    """The rows of a tensor as a list."""
    rows = tensor.unbind(0) if isinstance(tensor, torch.Tensor) else map(np.asarray, tensor)
    return ListValue(tuple(rows), _shape_of(element_shape))


@TensorListFromTensor.gradient
def _(op, grad):
    tensor = op._inputs[0]
    static = tensor.shape._sizes
    shape = -1 if static is None else [-1 if s is None else s for s in static[1:]]
    return [
        raw.TensorListStack(grad, np.array(shape, np.int32), element_dtype=tensor.dtype.base_dtype),
        None,
    ]


@dataclasses.dataclass(frozen=True)
class Optional:
    """What an optional's handle stands for: some components; none is None itself."""

    components: tuple[Any, ...]


@op("OptionalFromValue", shape=scalar)
def OptionalFromValue(components):
    """An optional with these components."""
    return Optional(tuple(components))


@op("OptionalNone", shape=scalar)
def OptionalNone():
    """An optional without a value."""
    return None


@op("OptionalHasValue", shape=scalar, host_out=True)
def OptionalHasValue(optional):
    """Whether an optional has a value."""
    return np.array(optional is not None)


def _optional_shapes(node: Any) -> list[Any]:
    return [TensorShape(s) for s in node._attrs["output_shapes"]]


@op("OptionalGetValue", shape=_optional_shapes)
def OptionalGetValue(optional):
    """The components of an optional."""
    if optional is None:
        raise errors.InvalidArgumentError(None, None, "The given optional does not have a value.")
    return list(optional.components)


not_differentiable("EmptyTensorList", "TensorListReserve", "TensorListLength")
