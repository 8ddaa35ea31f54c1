"""TensorArrays of graphs that TensorFlow 1.x wrote: `TensorArrayV3` and what reads and writes it.

`tf.TensorArray` of a program here is a tensor list (`list_arrays`); these ops run what is loaded.
An array is written once per index; its gradient array sums what is written to one index. What was
never written reads as zeros where the shape of the elements is known. `flow` is a float whose edges
keep the order of writes and reads.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.shape_rules import scalar, sizes, text
from relight.ops.state import torch_dtype


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _fits(shape: Any, found: tuple[int, ...]) -> bool:
    """Whether a tensor of shape `found` can be an element where `shape` is asked for."""
    if shape is None:
        return True
    pairs = zip(shape, found, strict=False)
    return len(shape) == len(found) and all(s is None or s == n for s, n in pairs)


class Array:
    """The tensors of one array. InvalidArgumentError, in TensorFlow's words, for what is not
    allowed: an index out of range, a second write, a read after the value was cleared."""

    def __init__(
        self,
        name: str,
        dtype: Any,
        size: int,
        shape: Any,
        dynamic: bool,
        clears: bool,
        identical: bool,
        sums: bool = False,
    ):
        self.name = name
        self.dtype = dtype
        self.shape = shape  # of the elements: sizes or None each; None: unknown rank
        self.dynamic = dynamic
        self.clears = clears
        self.identical = identical
        self.sums = sums
        self.items: list[Any] = [None] * size
        self.was_read = [False] * size
        self.cleared = [False] * size
        self.shapes: list[Any] = [None] * size  # of each element, once it is known
        self.closed = False
        self.gradients: dict[str, Array] = {}
        self.lock = threading.RLock()

    def check(self, dtype: Any, what: str) -> None:
        """Raise unless the array is open and holds tensors of this type."""
        if self.closed:
            raise _invalid(f"TensorArray {self.name} has already been closed.")
        if dtype is not None and dtype.base_dtype != self.dtype:
            raise _invalid(
                f"TensorArray dtype is {dtypes.runtime_name(self.dtype)} but Op {what} dtype "
                f"{dtypes.runtime_name(dtype)}."
            )

    def grow(self, size: int) -> None:
        """Make room for `size` elements."""
        more = size - len(self.items)
        if more > 0:
            self.items.extend([None] * more)
            self.was_read.extend([False] * more)
            self.cleared.extend([False] * more)
            self.shapes.extend([None] * more)

    def write(self, index: int, value: Any) -> None:
        """Set one element; a gradient array adds to it."""
        if index < 0 or (index >= len(self.items) and not self.dynamic):
            raise _invalid(
                f"TensorArray {self.name}: Tried to write to index {index} but array is not "
                f"resizeable and size is: {len(self.items)}"
            )
        self.grow(index + 1)
        found = tuple(value.shape)
        start = f"TensorArray {self.name}: Could not write to TensorArray index {index} because "
        if self.shape != found and not _fits(self.shape, found):
            raise _invalid(
                f"{start}the value shape is {text(found)} which is incompatible with the "
                f"TensorArray's inferred element shape: {text(self.shape)} (consider setting "
                "infer_shape=False)."
            )
        if self.identical:
            self.shape = found
        if self.was_read[index]:
            raise _invalid(start + "it has already been read.")
        self.shapes[index] = found
        before = self.items[index]
        if before is None:
            self.items[index] = value
        elif not self.sums:
            raise _invalid(start + "it has already been written to.")
        elif tuple(before.shape) != found:
            raise _invalid(
                f"{start}the existing shape is {text(before.shape)} but the new input shape is "
                f"{text(found)}."
            )
        else:
            self.items[index] = before + value

    def read(self, index: int) -> Any:
        """One element; it is dropped when the array clears after reading."""
        if not 0 <= index < len(self.items):
            raise _invalid(f"Tried to read from index {index} but array size is: {len(self.items)}")
        if self.cleared[index]:
            raise _invalid(
                f"TensorArray {self.name}: Could not read index {index} twice because it was "
                "cleared after a previous read (perhaps try setting clear_after_read = false?)."
            )
        value = self.items[index]
        if value is None:
            value = self._zeros(index)
        self.was_read[index] = True
        if self.clears:
            self.cleared[index] = True
            self.items[index] = None
        return value

    def _zeros(self, index: int) -> Any:
        shape = self.shapes[index]
        if shape is None:
            shape = self.shape
        if shape is None or None in shape:
            raise _invalid(
                f"TensorArray {self.name}: Could not read from TensorArray index {index}.  "
                f"Furthermore, the element shape is not fully defined: {text(self.shape)}.  It is "
                "possible you are working with a resizeable TensorArray and stop_gradients is not "
                "allowing the gradients to be written.  If you set the full element_shape property "
                "on the forward TensorArray, the proper all-zeros tensor will be returned instead "
                "of incurring this error."
            )
        return self.empty(shape)

    def empty(self, shape: Any) -> Any:
        """Zeros (empty strings) of a shape."""
        if self.dtype is dtypes.string:
            return np.full(tuple(shape), b"", np.object_)
        other = next((t for t in self.items if isinstance(t, torch.Tensor)), None)
        device = None if other is None else other.device
        return torch.zeros(tuple(shape), dtype=torch_dtype(self.dtype), device=device)

    def gradient(self, source: str, prepend: tuple[int, ...] = ()) -> Array:
        """The array of gradients of that name: of the size that this one has by now."""
        with self.lock:
            found = self.gradients.get(source)
            if found is None:
                self.check(None, "")
                shape = None if self.shape is None else (*prepend, *self.shape)
                found = self.gradients[source] = Array(
                    f"{self.name}@{source}",
                    self.dtype,
                    len(self.items),
                    shape,
                    dynamic=False,
                    clears=False,
                    identical=self.identical,
                    sums=True,
                )
                found.shapes = [None if t is None else (*prepend, *t) for t in self.shapes]
            return found


def element_shape(tensor: Any) -> Any:
    """The static sizes of the elements of the array behind a handle; None when not known."""
    node = tensor.op
    more: tuple[None, ...] = ()
    while node.type in _HANDED_ON and node._inputs:
        if node.type == "TensorArrayGradWithShape":
            prepended = sizes(node, 2)
            if prepended is None or prepended[0] is None:
                return None
            more = (None,) * prepended[0] + more
        node = node._inputs[0].op
    if node.type != "TensorArrayV3":
        return None
    element = TensorShape(node._attrs["element_shape"])._sizes
    return None if element is None else (*more, *element)


_HANDED_ON = ("Identity", "Enter", "Switch", "TensorArrayGradV3", "TensorArrayGradWithShape")


def _element(node: Any) -> Any:
    return TensorShape(node._attrs.get("element_shape"))._sizes


@op(
    "TensorArrayV3",
    shape=lambda node: [(2,), ()],
    specialise=True,
    host=("size",),
    takes_session=True,
)
def TensorArrayV3(node: Any) -> Any:
    """A new array of `size` elements, and its flow."""
    attrs = node._attrs
    name = attrs.get("tensor_array_name") or node.name
    name = name.decode() if isinstance(name, bytes) else name
    dtype, shape = dtypes.as_dtype(attrs["dtype"]).base_dtype, _element(node)
    flow = torch.zeros(())

    def make(state: Any, size: np.ndarray) -> tuple[Array, torch.Tensor]:
        if size.ndim != 0:
            raise _invalid(
                f"TensorArray size must be scalar, but had shape: {text(tuple(size.shape))}"
            )
        if size < 0:
            raise _invalid("Size should be >= 0.")
        array = Array(
            name,
            dtype,
            int(size),
            shape,
            attrs["dynamic_size"],
            attrs["clear_after_read"],
            attrs["identical_element_shapes"],
        )
        return array, flow

    return make


def _gradient_of(node: Any) -> Any:
    source = node._attrs["source"]
    source = source.decode() if isinstance(source, bytes) else source

    def gradient(state: Any, handle: Array, flow: Any, prepend: Any = ()) -> tuple[Array, Any]:
        return handle.gradient(source, tuple(int(n) for n in prepend)), flow

    return gradient


op("TensorArrayGradV3", shape=lambda node: [(2,), ()], specialise=True, takes_session=True)(
    _gradient_of
)
op(
    "TensorArrayGradWithShape",
    shape=lambda node: [(2,), ()],
    specialise=True,
    host=("shape_to_prepend",),
    takes_session=True,
)(_gradient_of)


@op("TensorArrayWriteV3", shape=scalar, specialise=True, host=("index",), views=3)
def TensorArrayWriteV3(node: Any) -> Any:
    """Set the element `index`; hands the flow on."""
    dtype = node._attrs["T"]

    def write(handle: Array, index: np.ndarray, value: Any, flow: Any) -> Any:
        with handle.lock:
            handle.check(dtype, "is trying to write")
            handle.write(int(index), value)
        return flow

    return write


@op(
    "TensorArrayReadV3",
    shape=lambda node: [element_shape(node._inputs[0])],
    specialise=True,
    host=("index",),
    views=0,
)
def TensorArrayReadV3(node: Any) -> Any:
    """The element `index`."""
    dtype = node._attrs["dtype"]

    def read(handle: Array, index: np.ndarray, flow: Any) -> Any:
        with handle.lock:
            handle.check(dtype, "requested")
            return handle.read(int(index))

    return read


def _gather_shape(node: Any) -> list[Any]:
    element = _element(node)
    if element is None:
        element = element_shape(node._inputs[0])
    indices = sizes(node, 1)
    if element is None or indices is None:
        return [None]
    return [(*indices, *element)]


@op("TensorArrayGatherV3", shape=_gather_shape, specialise=True, host=("indices",))
def TensorArrayGatherV3(node: Any) -> Any:
    """The elements at `indices` [n] as one tensor [n, ...]."""
    dtype, wanted = node._attrs["dtype"], _element(node)

    def gather(handle: Array, indices: np.ndarray, flow: Any) -> Any:
        with handle.lock:
            handle.check(dtype, "requested")
            if not TensorShape(wanted).is_compatible_with(TensorShape(handle.shape)):
                raise _invalid(
                    f"TensorArray was passed element_shape {text(wanted)} which does not match "
                    f"the Tensor at index 0: {text(handle.shape)}"
                )
            if indices.size == 0:
                return handle.empty((0, *_known(handle, wanted)))
            values = [handle.read(int(i)) for i in indices]
        first = tuple(values[0].shape)
        for i, value in enumerate(values):
            if tuple(value.shape) != first:
                raise _invalid(
                    f"TensorArray has inconsistent shapes.  Index 0 has shape: {text(first)} but "
                    f"index {i} has shape: {text(tuple(value.shape))}"
                )
        return np.stack(values) if handle.dtype is dtypes.string else torch.stack(values)

    return gather


def _known(handle: Array, wanted: Any) -> Any:
    for shape in (wanted, handle.shape):
        if shape is not None and None not in shape:
            return shape
    raise errors.UnimplementedError(
        None,
        None,
        f"TensorArray has size zero, but element shape {text(wanted)} is not fully defined. "
        "Currently only static shapes are supported when packing zero-size TensorArrays.",
    )


@op("TensorArrayScatterV3", shape=scalar, specialise=True, host=("indices",), views=3)
def TensorArrayScatterV3(node: Any) -> Any:
    """Write the rows of `value` [n, ...] to `indices` [n]."""
    dtype = node._attrs["T"]

    def scatter(handle: Array, indices: np.ndarray, value: Any, flow: Any) -> Any:
        with handle.lock:
            handle.check(dtype, "is trying to write")
            if len(indices) != len(value):
                raise _invalid(
                    "Expected len(indices) == values.shape[0], but saw: "
                    f"{len(indices)} vs. {len(value)}"
                )
            top = int(indices.max()) if len(indices) else -1
            if top >= len(handle.items) and not handle.dynamic:
                raise _invalid(
                    f"Max scatter index must be < array size ({top} vs. {len(handle.items)})"
                )
            for i, row in zip(indices.tolist(), _rows(value), strict=True):
                handle.write(i, row)
        return flow

    return scatter


def _rows(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.unbind(0)
    return [np.asarray(row, dtype=np.object_) for row in value]


@op("TensorArrayConcatV3", shape=lambda node: [None, (None,)], specialise=True)
def TensorArrayConcatV3(node: Any) -> Any:
    """All elements one after another along their first dimension, and the length of each."""
    dtype = node._attrs["dtype"]
    rest = TensorShape(node._attrs.get("element_shape_except0"))._sizes

    def concat(handle: Array, flow: Any) -> tuple[Any, Any]:
        with handle.lock:
            handle.check(dtype, "requested")
            if not handle.items:
                if rest is None or None in rest:
                    raise errors.UnimplementedError(
                        None,
                        None,
                        "TensorArray has size zero, but element_shape_except0 "
                        f"{text(rest)} is not fully defined. Currently only static shapes are "
                        "supported when concatenating zero-size TensorArrays.",
                    )
                return handle.empty((0, *rest)), torch.zeros(0, dtype=torch.int64)
            values = [handle.read(i) for i in range(len(handle.items))]
        for i, value in enumerate(values):
            if value.ndim == 0:
                raise _invalid(
                    f"Concat saw a scalar shape at index {i} but requires at least vectors.  Did "
                    "you mean to call pack?"
                )
            if value.shape[1:] != values[0].shape[1:]:
                raise _invalid(
                    "TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) "
                    f"shape: {text(tuple(values[0].shape[1:]))} but index {i} has (excepting "
                    f"dimension 0) shape: {text(tuple(value.shape[1:]))}"
                )
        lengths = torch.tensor([len(v) for v in values], dtype=torch.int64)
        joined = np.concatenate(values) if handle.dtype is dtypes.string else torch.cat(values)
        return joined, lengths

    return concat


@op("TensorArraySplitV3", shape=scalar, specialise=True, host=("lengths",), views=3)
def TensorArraySplitV3(node: Any) -> Any:
    """Write parts of `value`, `lengths` [n] long along its first dimension."""
    dtype = node._attrs["T"]

    def split(handle: Array, value: Any, lengths: np.ndarray, flow: Any) -> Any:
        with handle.lock:
            handle.check(dtype, "is trying to write")
            if int(lengths.sum()) != value.shape[0]:
                raise _invalid(
                    "Expected sum of lengths to be equal to values.shape[0], but sum of lengths "
                    f"is {int(lengths.sum())} and value's shape is: {text(tuple(value.shape))}"
                )
            size = len(handle.items)
            if size != len(lengths) and not handle.dynamic:
                raise _invalid(
                    f"TensorArray's size is not equal to the size of lengths ({size} vs. "
                    f"{len(lengths)}), and the TensorArray is not marked as dynamically resizeable"
                )
            start = 0
            for i, length in enumerate(lengths.tolist()):
                handle.write(i, value[start : start + length])
                start += length
        return flow

    return split


@op("TensorArraySizeV3", shape=scalar, host_out=True)
def TensorArraySizeV3(handle: Array, flow_in: Any) -> np.ndarray:
    """Number of elements."""
    handle.check(None, "")
    return np.array(len(handle.items), np.int32)


@op("TensorArrayCloseV3")
def TensorArrayCloseV3(handle: Array) -> None:
    """Drop all elements."""
    handle.closed = True
    handle.items.clear()


not_differentiable("TensorArrayV3", "TensorArrayGradV3", "TensorArrayGradWithShape")
not_differentiable("TensorArraySizeV3", "TensorArrayCloseV3")
