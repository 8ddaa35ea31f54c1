"""Operation and Tensor: the nodes of a graph and the values that flow between them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from relight.graph import dtypes, stack
from relight.graph.errors import OperatorNotAllowedInGraphError
from relight.graph.shapes import TensorShape, as_shape, unknown_shape

if TYPE_CHECKING:
    from relight.graph.graph import Graph


class Tensor:
    """The symbolic value of one output of an operation: a type and a static shape, no data.

    Tensors compare and hash by identity, as in TensorFlow 1. Arithmetic operators are set by
    `relight.ops.operators`, which knows the ops that they build.
    """

    __slots__ = ("__dict__", "__weakref__", "_consumers", "_dtype", "_op", "_shape", "_value_index")
    __array_priority__ = 100  # so that `ndarray + Tensor` asks the Tensor

    def __init__(self, op: Operation, value_index: int, dtype: Any):
        self._op = op
        self._value_index = value_index
        self._dtype = dtypes.as_dtype(dtype)
        self._shape = unknown_shape()
        self._consumers: list[Operation] = []

    @property
    def op(self) -> Operation:
        """The operation that produces this tensor."""
        return self._op

    @property
    def value_index(self) -> int:
        """Which output of `op` this is."""
        return self._value_index

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return self._dtype

    @property
    def graph(self) -> Graph:
        """The graph that holds this tensor."""
        return self._op.graph

    @property
    def name(self) -> str:
        """`<op name>:<output index>`."""
        return f"{self._op.name}:{self._value_index}"

    @property
    def device(self) -> str:
        """The device of the producing operation."""
        return self._op.device

    @property
    def shape(self) -> TensorShape:
        """The static shape, as far as it is known."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """The static shape: the same as `shape`."""
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Add what the caller knows of the shape; ValueError when it contradicts what is known."""
        self._shape = self._shape.merge_with(as_shape(shape))

    def _shape_as_list(self) -> list[int | None] | None:
        return None if self._shape._sizes is None else list(self._shape._sizes)

    @property
    def _rank(self) -> int | None:
        return self._shape.rank

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input."""
        return list(self._consumers)

    def _as_node_def_input(self) -> str:
        return self._op.name if self._value_index == 0 else self.name

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value in `session` (the default session when None) as a numpy array."""
        return _default_session(session, self.graph, "evaluate tensor", "eval").run(self, feed_dict)

    def experimental_ref(self) -> Any:
        """A hashable reference to this tensor."""
        return _Reference(self)

    def __len__(self) -> int:
        raise TypeError(
            f"len is not well defined for symbolic Tensors. ({self.name}) "
            "Please call `x.shape` rather than `len(x)` for shape information."
        )

    def __bool__(self) -> bool:
        raise OperatorNotAllowedInGraphError(
            "using a `tf.Tensor` as a Python `bool` is not allowed in Graph execution. Use Eager "
            "execution or decorate this function with @tf.function."
        )

    __nonzero__ = __bool__

    def __iter__(self) -> Iterator[Any]:
        raise OperatorNotAllowedInGraphError(
            "iterating over `tf.Tensor` is not allowed in Graph execution. Use Eager execution or "
            "decorate this function with @tf.function."
        )
        yield  # as in TensorFlow, the error comes with the first item, not with `iter`

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(
            f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array."
        )

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict) -> Tensor:
        raise TypeError(f"Tensor {self.name!r} cannot be copied: it belongs to its graph")

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self._shape} dtype={self._dtype.name}>"

    def __str__(self) -> str:
        shape = ", ".join(
            [f"shape={self._shape}"] if self._shape.ndims is not None else ["shape=<unknown>"]
        )
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}", {shape}, dtype={self._dtype.name}{device})'


class _Reference:
    """Wraps a tensor so that it can be a dictionary key whatever its `__eq__`."""

    def __init__(self, tensor: Any):
        self._tensor = tensor

    def deref(self) -> Any:
        """The tensor."""
        return self._tensor

    def __hash__(self) -> int:
        return id(self._tensor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reference) and self._tensor is other._tensor


def _default_session(session: Any, graph: Graph, what: str, method: str) -> Any:
    if session is None:
        from relight.graph.graph import get_default_session

        session = get_default_session()
        if session is None:
            raise ValueError(
                f"Cannot {what} using `{method}()`: No default session is registered. Use `with "
                f"sess.as_default()` or pass an explicit session to `{method}(session=sess)`"
            )
        if session.graph is not graph:
            raise ValueError(
                "Cannot use the default session to {}: the {}'s graph is different from the "
                "session's graph. Pass an explicit session to `{}(session=sess)`.".format(
                    what, "tensor" if method == "eval" else "operation", method
                )
            )
    elif session.graph is not graph:
        raise ValueError(
            "Cannot use the given session to {}: the {}'s graph is different from the session's "
            "graph.".format(what, "tensor" if method == "eval" else "operation")
        )
    return session


class Operation:
    """A node: an op type with attrs, the tensors that it takes and those that it makes.

    Made by `Graph.create_op` only. `_attrs` holds decoded values: str or bytes, int, float, bool,
    DType, TensorShape, numpy array (for `tensor`), function name (for `func`), or lists of these.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_attrs",
        "_control_inputs",
        "_control_outputs",
        "_device",
        "_frames",
        "_graph",
        "_id",
        "_inputs",
        "_name",
        "_original_op",
        "_outputs",
        "_type",
    )

    def __init__(
        self,
        graph: Graph,
        op_type: str,
        name: str,
        inputs: Sequence[Tensor],
        output_dtypes: Sequence[Any],
        control_inputs: Sequence[Operation],
        attrs: dict[str, Any],
        frames: stack.Frames,
    ):
        self._graph = graph
        self._type = op_type
        self._name = name
        self._inputs = list(inputs)
        self._control_inputs = list(control_inputs)
        self._control_outputs: list[Operation] = []
        self._attrs = attrs
        self._device = ""
        self._frames = frames
        self._original_op: Operation | None = None
        self._outputs = [Tensor(self, i, d) for i, d in enumerate(output_dtypes)]
        self._id = -1

    @property
    def name(self) -> str:
        """The full name, scopes included."""
        return self._name

    @property
    def type(self) -> str:
        """The op type, such as `MatMul`."""
        return self._type

    @property
    def graph(self) -> Graph:
        """The graph that holds this operation."""
        return self._graph

    @property
    def inputs(self) -> _Inputs:
        """The tensors that this operation takes."""
        return _Inputs(self._inputs)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that this operation makes."""
        return self._outputs

    def values(self) -> tuple[Tensor, ...]:
        """The outputs, as a tuple."""
        return tuple(self._outputs)

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that must run before this one without giving it a value."""
        return list(self._control_inputs)

    @property
    def device(self) -> str:
        """The device name that was asked for, or ""."""
        return self._device

    def _set_device(self, device: Any) -> None:
        from relight.graph.device import device_name

        self._device = device_name(device)
        self._graph._note_mutation()

    @property
    def _input_types(self) -> list[dtypes.DType]:
        return [t.dtype.base_dtype for t in self._inputs]

    @property
    def _output_types(self) -> list[int]:
        return [t.dtype.as_datatype_enum for t in self._outputs]

    @property
    def traceback(self) -> list[tuple[str, int, str, str]]:
        """Where it was made: (file, line, function, text), outermost frame first."""
        return stack.extract(self._frames)

    @property
    def user_line(self) -> tuple[str, int] | None:
        """(file, line) of the program that made this operation, or None."""
        return stack.user_line(self._frames)

    def colocation_groups(self) -> list[bytes]:
        """The `loc:@name` groups that this operation belongs to."""
        classes = self._attrs.get("_class")
        own = [b"loc:@" + self._name.encode()]
        if not classes:
            return own
        groups = [
            c.encode() if isinstance(c, str) else c
            for c in classes
            if (c if isinstance(c, str) else c.decode()).startswith("loc:@")
        ]
        return groups or own

    def get_attr(self, name: str) -> Any:
        """The value of an attr as TensorFlow gives it (strings as bytes); ValueError if none."""
        if name not in self._attrs:
            raise ValueError(f"Operation '{self._name}' has no attr named '{name}'.")
        value = self._attrs[name]
        from relight.graph import attrs

        return attrs.public_value(self._graph, self._type, name, value)

    def _set_attr(self, name: str, attr_value: Any) -> None:
        from relight.graph import attrs

        self._attrs[name] = attrs.from_proto(attr_value)
        self._graph._note_mutation()

    def _add_control_input(self, op: Operation) -> None:
        self._add_control_inputs([op])

    def _add_control_inputs(self, ops: Sequence[Operation]) -> None:
        for op in ops:
            if not isinstance(op, Operation):
                raise TypeError(f"op must be an Operation: {op}")
            if op not in self._control_inputs:
                self._control_inputs.append(op)
                op._control_outputs.append(self)
        self._graph._note_mutation()

    def _remove_all_control_inputs(self) -> None:
        for op in self._control_inputs:
            op._control_outputs.remove(self)
        self._control_inputs.clear()
        self._graph._note_mutation()

    def _update_input(self, index: int, tensor: Tensor) -> None:
        if tensor.graph is not self._graph:
            raise ValueError(f"{tensor} must be from the same graph as {self}.")
        self._inputs[index]._consumers.remove(self)
        self._inputs[index] = tensor
        tensor._consumers.append(self)
        self._graph._note_mutation()

    @property
    def node_def(self) -> Any:
        """This operation as a `NodeDef` proto (a fresh copy)."""
        from relight.graph import graph_def

        return graph_def.node_def(self)

    @property
    def op_def(self) -> Any:
        """The signature of this operation's type as an `OpDef` proto."""
        from relight.graph import graph_def

        return graph_def.op_def_proto(self._type)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run this operation in `session` (the default session when None)."""
        _default_session(session, self._graph, "execute operation", "run").run(self, feed_dict)

    def __copy__(self) -> Operation:
        return self

    def __deepcopy__(self, memo: dict) -> Operation:
        raise TypeError(f"Operation {self._name!r} cannot be copied: it belongs to its graph")

    def __repr__(self) -> str:
        return f"<tf.Operation {self._name!r} type={self._type}>"

    def __str__(self) -> str:
        return str(self.node_def)


class _Inputs(Sequence):
    """The inputs of an operation: a read-only list."""

    __slots__ = ("_items",)

    def __init__(self, items: list[Tensor]):
        self._items = items

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(copy.copy(self._items))

    def __add__(self, other: Any) -> list[Tensor]:
        return list(self._items) + list(other)

    def __radd__(self, other: Any) -> list[Tensor]:
        return list(other) + list(self._items)

    def __eq__(self, other: object) -> bool:
        return list(self._items) == list(other) if isinstance(other, (list, _Inputs)) else False

    def __repr__(self) -> str:
        return repr(list(self._items))
