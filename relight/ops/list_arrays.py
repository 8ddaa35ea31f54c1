"""Tensor lists used as arrays: gather, scatter, split, concatenate, resize."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.build import raw
from relight.ops.lists import ListValue, _element, _element_type, _shape_of
from relight.ops.shape_rules import scalar


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _known(shape: Any) -> bool:
    return shape is not None and all(s >= 0 for s in shape)


def _filled(handle: ListValue, shape: Any, dtype: torch.dtype) -> list[torch.Tensor]:
    """The elements, zeros for those that were never set."""
    if all(i is not None for i in handle.items):
        return list(handle.items)
    known = ListValue(handle.items, shape if _known(shape) else handle.element_shape)
    return [known.zeros(dtype, k) if i is None else i for k, i in enumerate(handle.items)]


@op("TensorListElementShape", shape=lambda node: [None], host_out=True)
def TensorListElementShape(input_handle, *, shape_type):
    """What is known of the elements' shape: sizes, -1 for an unknown one or an unknown rank."""
    shape = input_handle.element_shape
    return np.array(-1 if shape is None else shape, shape_type.as_numpy_dtype)


@op("TensorListResize", shape=scalar, host=("size",))
def TensorListResize(input_handle, size):
    """The list cut to `size` elements, or with elements added that are not set."""
    count = int(size)
    if count < 0:
        raise _invalid(f"TensorListSlice expects size to be non-negative. Got: {count}")
    items = input_handle.items[:count]
    return ListValue((*items, *(None,) * (count - len(items))), input_handle.element_shape)


@TensorListResize.gradient
def _(op, grad):
    return [raw.TensorListResize(grad, raw.TensorListLength(op._inputs[0])), None]


@op("TensorListConcatLists", shape=scalar)
def TensorListConcatLists(input_a, input_b):
    """The elements of one list, then those of the other."""
    return ListValue(input_a.items + input_b.items, input_a.element_shape)


def _rows_shape(node: Any) -> list[Any]:
    inner, indices = _element(node, 2), node._inputs[1].shape
    if inner is None or inner._sizes is None:
        return [None]
    count = None if indices._sizes is None else indices._sizes[0]
    return [(count, *inner._sizes)]


@op("TensorListGather", specialise=True, host=("indices", "element_shape"), shape=_rows_shape)
def TensorListGather(node: Any) -> Any:
    """The elements with the given indices as one tensor [n, ...]."""
    dtype = _element_type(node)

    def gather(handle: ListValue, indices: np.ndarray, element_shape: np.ndarray) -> torch.Tensor:
        count = len(handle.items)
        wanted = []
        for i in indices.tolist():
            if not 0 <= i < count:
                raise _invalid(f"Trying to gather element {i} in a list with {count} elements.")
            wanted.append(handle.items[i])
        shape = _shape_of(element_shape)
        if not wanted:
            shape = shape if _known(shape) else handle.element_shape
            if not _known(shape):
                raise _invalid(
                    "Tried to gather from an empty list with non-fully-defined element_shape: "
                    f"{element_shape}"
                )
            return (
                np.empty((0, *shape), object)
                if dtype is None
                else torch.empty((0, *shape), dtype=dtype)
            )
        items = _filled(ListValue(tuple(wanted), handle.element_shape), shape, dtype)
        return np.stack(items) if dtype is None else torch.stack(items)

    return gather


@TensorListGather.gradient
def _(op, grad):
    handle, indices = op._inputs[:2]
    shape = raw.TensorListElementShape(handle, shape_type=np.int32)
    empty = raw.TensorListReserve(
        shape, raw.TensorListLength(handle), element_dtype=grad.dtype.base_dtype
    )
    return [raw.TensorListScatterIntoExistingList(empty, grad, indices), None, None]


def _scattered(
    items: list[Any], tensor: torch.Tensor, indices: np.ndarray, element_shape: Any
) -> ListValue:
    for i, row in zip(indices.tolist(), tensor.unbind(0), strict=True):
        if i < 0:
            raise _invalid(f"Indices in TensorListScatter must all be non-negative, but saw {i}.")
        if i >= len(items):
            items.extend([None] * (i + 1 - len(items)))
        items[i] = row
    return ListValue(tuple(items), element_shape)


def _element_rows(tensor: Any) -> Any:
    """The shape of the rows of a tensor: a constant where it is known."""
    static = tensor.shape._sizes
    if static is None:
        return raw.Slice(raw.Shape(tensor), [1], [-1])
    return np.array([-1 if s is None else s for s in static[1:]], np.int32)


@op("TensorListScatterIntoExistingList", shape=scalar, host=("indices",))
def TensorListScatterIntoExistingList(input_handle, tensor, indices):
    """The list with the rows of a tensor at the given indices; it grows when it must."""
    return _scattered(list(input_handle.items), tensor, indices, input_handle.element_shape)


@TensorListScatterIntoExistingList.gradient
def _(op, grad):
    _, tensor, indices = op._inputs
    element = raw.TensorListGather(
        grad, indices, _element_rows(tensor), element_dtype=tensor.dtype.base_dtype
    )
    cleared = raw.TensorListScatterIntoExistingList(grad, raw.ZerosLike(tensor), indices)
    return [cleared, element, None]


@op("TensorListScatter", shape=scalar, host=("indices", "element_shape"))
def TensorListScatter(tensor, indices, element_shape):
    """A list with the rows of a tensor at the given indices."""
    return _scattered([], tensor, indices, _shape_of(element_shape))


@op("TensorListScatterV2", shape=scalar, host=("indices", "element_shape", "num_elements"))
def TensorListScatterV2(tensor, indices, element_shape, num_elements):
    """A list of `num_elements` (-1: as many as needed), rows of a tensor at the given indices."""
    count = int(num_elements)
    highest = max(indices.tolist(), default=-1)
    if 0 <= count <= highest:
        raise _invalid(
            f"TensorListScatter: Trying to scatter at index {highest} in list with size {count}"
        )
    return _scattered([None] * max(count, 0), tensor, indices, _shape_of(element_shape))


@TensorListScatter.gradient
def _(op, grad):
    tensor, indices = op._inputs[:2]
    gathered = raw.TensorListGather(
        grad, indices, _element_rows(tensor), element_dtype=tensor.dtype.base_dtype
    )
    return [gathered, *[None] * (len(op._inputs) - 1)]


TensorListScatterV2.gradient(TensorListScatter.gradient_function)


@op("TensorListSplit", shape=scalar, host=("element_shape", "lengths"))
def TensorListSplit(tensor, element_shape, lengths):
    """A list of pieces of a tensor, `lengths` rows each."""
    if tensor.ndim < 1:
        raise _invalid("Tensor must be at least a vector, but saw shape: []")
    if lengths.ndim != 1:
        raise _invalid(f"Expected lengths to be a vector, received shape: {list(lengths.shape)}")
    sizes = lengths.tolist()
    if any(n < 0 for n in sizes) or sum(sizes) != tensor.shape[0]:
        raise _invalid(
            f"Invalid value in lengths: lengths must sum up to {tensor.shape[0]} rows, not "
            f"{sum(sizes)}"
        )
    return ListValue(tuple(tensor.split(sizes)), _shape_of(element_shape))


@TensorListSplit.gradient
def _(op, grad):
    tensor, _, lengths = op._inputs
    rows = raw.Slice(raw.Shape(tensor), [1], [-1])
    joined = raw.TensorListConcatV2(
        grad, raw.ConcatV2([[-1], rows], 0), lengths, element_dtype=tensor.dtype.base_dtype
    )
    return [joined[0], None, None]


def _concatenated(
    handle: ListValue, shape: Any, leading: list[int], dtype: torch.dtype
) -> tuple[torch.Tensor, np.ndarray]:
    shape = handle.element_shape if shape is None else shape
    items: list[Any] = []
    for k, item in enumerate(handle.items):
        if item is None:
            rows = leading[k] if k < len(leading) else (shape[0] if shape else -1)
            if rows < 0 or shape is None or not _known(shape[1:]):
                raise _invalid(
                    "Concat requires elements that were never set to have a known shape; "
                    f"element {k} has {shape}"
                )
            item = torch.zeros((rows, *shape[1:]), dtype=dtype)
        if item.ndim == 0:
            raise _invalid(f"Concat saw a scalar shape at index {k} but requires at least vectors.")
        items.append(item)
    if not items:
        if shape is None or not _known(shape[1:]):
            raise _invalid(
                "All except the first dimension must be fully defined when concating an empty "
                f"tensor list. element_shape: {shape}"
            )
        return torch.empty((0, *shape[1:]), dtype=dtype), np.zeros([0], np.int64)
    return torch.cat(items), np.array([i.shape[0] for i in items], np.int64)


def _concat_shape(inner: Any) -> list[Any]:
    if inner is None or inner._sizes is None:
        return [None, (None,)]
    return [(None, *inner._sizes[1:]), (None,)]


@op(
    "TensorListConcatV2",
    specialise=True,
    host=("element_shape", "leading_dims"),
    shape=lambda node: _concat_shape(_element(node, 1)),
)
def TensorListConcatV2(node: Any) -> Any:
    """All elements joined along their first axis, and how many rows each has."""
    dtype = _element_type(node)

    def concat(handle: ListValue, element_shape: np.ndarray, leading_dims: np.ndarray) -> Any:
        joined, lengths = _concatenated(
            handle, _shape_of(element_shape), leading_dims.tolist(), dtype
        )
        return joined, torch.from_numpy(lengths)

    return concat


@op(
    "TensorListConcat",
    specialise=True,
    shape=lambda node: _concat_shape(node._attrs["element_shape"]),
)
def TensorListConcat(node: Any) -> Any:
    """All elements joined along their first axis, and how many rows each has."""
    dtype = _element_type(node)
    sizes = node._attrs["element_shape"]._sizes
    shape = None if sizes is None else (-1, *(-1 if s is None else s for s in sizes))

    def concat(handle: ListValue) -> Any:
        joined, lengths = _concatenated(handle, shape, [], dtype)
        return joined, torch.from_numpy(lengths)

    return concat


def _concat_gradient(op: Any, grad: Any, grad_lengths: Any) -> list[Any]:
    del grad_lengths
    shape = raw.TensorListElementShape(op._inputs[0], shape_type=np.int32)
    pieces = raw.TensorListSplit(grad, shape, op._outputs[1])
    return [pieces, *[None] * (len(op._inputs) - 1)]


TensorListConcatV2.gradient(_concat_gradient)
TensorListConcat.gradient(_concat_gradient)

not_differentiable("TensorListElementShape")
