"""`tf.TensorArray` on tensor lists: an array of tensors that loops write and read by index.

As TensorFlow's own version for structured control flow, it has no handle: its state is a list
value (`flow`, of type variant), and each write gives a new array with a new flow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from relight.graph import dtypes, errors
from relight.graph.export import export
from relight.graph.function import FuncGraph
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value


def _shape_argument(shape: TensorShape) -> Any:
    """A static shape as list ops take it: -1 for unknown sizes or an unknown rank."""
    if shape._sizes is None:
        return -1
    if not shape._sizes:
        return constant([], dtypes.int32)
    return [-1 if s is None else s for s in shape._sizes]


@export("TensorArray")
class TensorArray:
    """An array of tensors of one type, for `tf.while_loop`, `tf.map_fn` and the like.

    `size` (int32 scalar) is needed unless `flow` is given; with `dynamic_size` writes past the end
    make it longer. `element_shape` and, with `infer_shape`, the first shape written bind all
    elements. Always use the array that a write gives. `clear_after_read`, `tensor_array_name` and
    `colocate_with_first_write_call` are accepted and change nothing.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ):
        del clear_after_read, colocate_with_first_write_call
        if handle is not None and tensor_array_name:
            raise ValueError("Cannot construct with both handle and tensor_array_name")
        if handle is not None and not isinstance(handle, Tensor):
            raise TypeError("Handle must be a Tensor")
        if flow is None and size is None:
            raise ValueError("Size must be provided if handle is not provided")
        if flow is not None and size is not None:
            raise ValueError("Cannot provide both a handle and size at the same time")
        if flow is not None and element_shape is not None:
            raise ValueError("Cannot provide both a handle and element_shape at the same time")
        if flow is not None and not (
            isinstance(flow, Tensor) and flow.dtype.base_dtype is dtypes.variant
        ):
            raise TypeError("flow must be a variant tensor")
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._dynamic_size = dynamic_size or False
        self._infer_shape = infer_shape
        # A list, so that arrays of one origin share what they learn of their elements' shape.
        self._element_shape = [TensorShape(element_shape)]
        # What stands for the handle that TensorFlow's dataflow form has: the graph that made it.
        self._origin: list[Any] = [get_default_graph()]
        with name_scope(name, "TensorArray", [size, flow]) as scope:
            if flow is None:
                length = convert_to_tensor(size, dtype=dtypes.int32)
                with self._counted(1):
                    flow = raw.TensorListReserve(
                        _shape_argument(self.element_shape),
                        length,
                        element_dtype=self._dtype,
                        name=scope,
                    )
            self._flow = flow

    def _with_flow(self, flow: Tensor) -> TensorArray:
        array = TensorArray(
            self._dtype, dynamic_size=self._dynamic_size, flow=flow, infer_shape=self._infer_shape
        )
        array._element_shape = self._element_shape
        array._origin = self._origin
        return array

    @contextlib.contextmanager
    def _counted(self, nodes: int) -> Iterator[None]:
        """What is made in here counts as so many nodes for seeds, as in TensorFlow's dataflow form.

        A body takes in what is not its own: our list, as a capture, and there the handle, once.
        """
        graph = get_default_graph()
        before = graph._node_count + nodes
        if not (isinstance(graph, FuncGraph) and graph._counts_on):
            yield
            graph._node_count = before
            return
        captured = len(graph.captures)
        yield
        before += len(graph.captures) - captured
        if not any(g is graph for g in self._origin):
            self._origin.append(graph)
            before += 1
        graph._node_count = before

    def _flow_components(self) -> list[Tensor]:
        """What control flow carries for this array."""
        return [self._flow]

    def _from_components(self, parts: Any) -> TensorArray:
        """An array like this one, of what control flow gave back."""
        return self._with_flow(parts[0])

    @property
    def flow(self) -> Tensor:
        """The list that is this state of the array."""
        return self._flow

    @property
    def dtype(self) -> dtypes.DType:
        """The type of the elements."""
        return self._dtype

    @property
    def handle(self) -> None:
        """None: the flow is all there is."""
        return None

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shape."""
        return self._element_shape[0]

    @property
    def dynamic_size(self) -> bool:
        """Whether writes past the end make the array longer."""
        return self._dynamic_size

    def identity(self) -> TensorArray:
        """The same array, after the control dependencies that are in force here."""
        return self._with_flow(raw.Identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> TensorArray:
        """Not there: gradients of lists are lists, made by `tf.gradients`."""
        raise NotImplementedError(
            "TensorArray.grad: gradients flow through the array itself; use tf.gradients"
        )

    def _value(self, value: Any) -> Tensor:
        """What is written, as a tensor; InvalidArgumentError when it has another type."""
        tensor = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
        if tensor.dtype.base_dtype is not self._dtype:
            raise errors.InvalidArgumentError(
                None,
                tensor.op,
                f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype "
                f"{tensor.dtype.base_dtype.name} ({tensor.name}).",
            )
        return tensor

    def _check_shape(self, shape: TensorShape) -> None:
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(
                f"Inconsistent shapes: saw {shape} but expected {self.element_shape} "
                "(and infer_shape=True)"
            )
        if self._infer_shape:
            self._element_shape[0] = self.element_shape.merge_with(shape)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element with this index (int32 scalar)."""
        with name_scope(name, "TensorArrayRead", [self._flow, index]) as scope:
            place = convert_to_tensor(index, dtype=dtypes.int32)
            with self._counted(1):
                return raw.TensorListGetItem(
                    self._flow,
                    place,
                    _shape_argument(self.element_shape),
                    element_dtype=self._dtype,
                    name=scope,
                )

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with `value` as the element with this index.

        InvalidArgumentError for a value of another type, ValueError for a shape that contradicts
        earlier ones.
        """
        with name_scope(name, "TensorArrayWrite", [self._flow, index, value]) as scope:
            tensor = self._value(value)
            self._check_shape(tensor.shape)
            place = convert_to_tensor(index, dtype=dtypes.int32)
            flow = self._flow
            with self._counted(1):
                if self._dynamic_size:
                    length = raw.TensorListLength(flow)
                    flow = raw.TensorListResize(flow, raw.Maximum(length, raw.AddV2(place, 1)))
                flow = raw.TensorListSetItem(
                    flow, place, tensor, element_dtype=self._dtype, name=scope
                )
            return self._with_flow(flow)

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor [size, ...]."""
        with name_scope(name, "TensorArrayStack", [self._flow]), self._counted(5):
            return raw.TensorListStack(
                self._flow, _shape_argument(self.element_shape), element_dtype=self._dtype
            )

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements with these indices [n] as one tensor [n, ...]."""
        with name_scope(name, "TensorArrayGather", [self._flow, indices]) as scope:
            places = convert_to_tensor(indices, dtype=dtypes.int32)
            with self._counted(1):
                return raw.TensorListGather(
                    self._flow,
                    places,
                    _shape_argument(self.element_shape),
                    element_dtype=self._dtype,
                    name=scope,
                )

    def concat(self, name: str | None = None) -> Tensor:
        """All elements joined along their first axis, which may differ between them."""
        sizes = self.element_shape._sizes
        shape = TensorShape(None if sizes is None else [None, *sizes[1:]])
        with name_scope(name, "TensorArrayConcat", [self._flow]) as scope, self._counted(1):
            return raw.TensorListConcatV2(
                self._flow,
                _shape_argument(shape),
                constant([], dtypes.int64),
                element_dtype=self._dtype,
                name=scope,
            )[0]

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array with the rows of a tensor [n, ...] as its elements."""
        with name_scope(name, "TensorArrayUnstack", [self._flow, value]):
            tensor = self._value(value)
            self._check_shape(tensor.shape[1:])
            with self._counted(9):
                flow = raw.TensorListFromTensor(
                    tensor, _shape_argument(tensor.shape[1:]), element_dtype=self._dtype
                )
            return self._with_flow(flow)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of a tensor [n, ...] at these indices [n]."""
        with name_scope(name, "TensorArrayScatter", [self._flow, value, indices]):
            tensor = self._value(value)
            self._check_shape(tensor.shape[1:])
            places = convert_to_tensor(indices, dtype=dtypes.int32)
            with self._counted(1):
                flow = raw.TensorListScatterIntoExistingList(
                    self._flow, tensor, places, element_dtype=self._dtype
                )
            return self._with_flow(flow)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """An array with pieces of a tensor [n, ...], `lengths` rows each, as its elements."""
        with name_scope(name, "TensorArraySplit", [self._flow, value, lengths]) as scope:
            tensor = self._value(value)
            sizes = raw.Cast(convert_to_tensor(lengths), DstT=dtypes.int64)
            known = constant_value(sizes)
            if known is not None and tensor.shape._sizes is not None and known.ndim == 1:
                if known.size and known.max() == known.min():
                    rows = TensorShape([int(known[0])])
                    self._check_shape(rows.concatenate(tensor.shape[1:]))
            with self._counted(1):
                flow = raw.TensorListSplit(
                    tensor,
                    _shape_argument(self.element_shape),
                    sizes,
                    element_dtype=self._dtype,
                    name=scope,
                )
            return self._with_flow(flow)

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are, an int32 scalar."""
        return raw.TensorListLength(self._flow, name=name)

    def close(self, name: str | None = None) -> Operation:
        """An operation that does nothing: lists need no closing."""
        return raw.NoOp(name=name)
