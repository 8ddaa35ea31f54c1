"""Graph: operations by name, and the scopes that shape what is added to it."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from relight.graph import device as devices
from relight.graph import opdef, stack
from relight.graph.collections import Collections
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape

_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\-/]*$")
_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\-/]*$")


class ShapeError(ValueError):
    """Raised by a shape rule: `message` without node name and input shapes, which Graph adds."""

    def __init__(self, message: str, with_inputs: bool = True):
        super().__init__(message)
        self.with_inputs = with_inputs


# What shape rules asked for of the inputs' values since the current rule began: a value as numpy
# array, or a partly known shape. The message of a ShapeError lists it, as TensorFlow's does.
shape_requests: list[tuple[Tensor, Any]] = []


def _summary(value: Any) -> str:
    """A value as TensorFlow's messages write it: `<3>`, `<1 2>`, `<[1 2][3 4]>`."""
    if value.ndim <= 1:
        return " ".join(str(v) for v in value.ravel().tolist()[:16])
    return "".join(f"[{_summary(v)}]" for v in value)


def _requested(op: Operation) -> str:
    values: dict[Any, Any] = {}
    shapes: dict[Any, Any] = {}
    for tensor, found in shape_requests:
        for i, given in enumerate(op._inputs):
            if given is tensor:
                (shapes if isinstance(found, TensorShape) else values)[i] = found
    text = ""
    if values:
        listed = ", ".join(f"input[{i}] = <{_summary(values[i])}>" for i in sorted(values))
        text += f" and with computed input tensors: {listed}"
    known = {i: s for i, s in shapes.items() if s._sizes is not None and i not in values}
    if known:
        listed = ", ".join(
            f"input[{i}] = [" + ",".join("?" if d is None else str(d) for d in s._sizes) + "]"
            for i, s in sorted(known.items())
        )
        text += f" and with input tensors computed as partial shapes: {listed}"
    return text


class _ControlScope:
    """One level of `tf.control_dependencies`: its operations, and those made inside it."""

    def __init__(self, graph: Graph, ops: Sequence[Operation], clear: bool = False):
        self.graph = graph
        self.ops = list(ops)
        self.clear = clear
        self.made: set[Operation] = set()

    def __enter__(self) -> _ControlScope:
        if self.clear:
            self._before = self.graph._control_scopes
            self.graph._control_scopes = []
        self.graph._control_scopes.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self.graph._control_scopes.pop()
        if self.clear:
            self.graph._control_scopes = self._before


class Graph(Collections):
    """A dataflow graph. Plans of it stay valid while it only grows.

    `_mutations` counts changes of operations that exist already, which make plans stale.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._nodes_by_name: dict[str, Operation] = {}
        self._nodes_by_id: list[Operation] = []
        self._names_in_use: dict[str, int] = {}
        self._mutations = 0
        self._last_id = 0
        # Nodes that TensorFlow's dataflow form of cond has beyond ours; its default seeds count
        # them.
        self._uncounted = 0
        self._name_stack = ""
        self._device_stack: list[Any] = []
        self._colocation_stack: list[Operation] = []
        self._control_scopes: list[_ControlScope] = []
        self._attr_scopes: dict[str, Any] = {}
        self._gradient_override: dict[str, str] = {}
        self._default_original_op: Operation | None = None
        self._container = ""
        self._finalized = False
        self._seed: int | None = None
        self._functions: dict[str, Any] = {}
        self._gradient_functions: dict[str, Any] = {}  # names from tf.custom_gradient
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._plans: dict[Any, Any] = {}  # the engine's plan cache
        self._graph_def_versions: tuple[int, int] = (134, 0)  # producer, min consumer of 1.15

    # -- what is in it ---------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Number of operations made so far, including later removed names."""
        return self._last_id

    @property
    def graph_def_versions(self) -> Any:
        """The VersionDef of GraphDefs made of this graph."""
        from tensorboard.compat.proto import versions_pb2

        producer, consumer = self._graph_def_versions
        return versions_pb2.VersionDef(producer=producer, min_consumer=consumer)

    @property
    def seed(self) -> int | None:
        """The graph-level seed."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._seed = seed

    @property
    def finalized(self) -> bool:
        """Whether nothing may be added any more."""
        return self._finalized

    def finalize(self) -> None:
        """Make the graph read-only."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    @property
    def building_function(self) -> bool:
        """Whether this is the body of a function."""
        return False

    def get_operations(self) -> list[Operation]:
        """All operations, in the order of their making."""
        return list(self._nodes_by_id)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of that name; KeyError when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=False, allow_operation=True)

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor `<op>:<index>`; KeyError when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=True, allow_operation=False)

    def _get_operation_by_name_unsafe(self, name: str) -> Operation:
        return self._nodes_by_name[name]

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Any:
        """The Tensor or Operation that `obj` is, names, or converts to.

        Raises TypeError for another kind of object, ValueError for a malformed name or an element
        of another graph, KeyError for a name that is not in the graph.
        """
        wanted = " or ".join(["Tensor"] * allow_tensor + ["Operation"] * allow_operation)
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            return self._element_by_name(obj, allow_tensor, allow_operation)
        if isinstance(obj, Tensor) and allow_tensor:
            if obj.graph is not self:
                raise ValueError(f"Tensor {obj} is not an element of this graph.")
            return obj
        if isinstance(obj, Operation) and allow_operation:
            if obj.graph is not self:
                raise ValueError(f"Operation {obj!r} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _element_by_name(self, name: str, allow_tensor: bool, allow_operation: bool) -> Any:
        if ":" in name and allow_tensor:
            op_name, _, index_text = name.partition(":")
            if not index_text.isdigit() or not op_name:
                raise ValueError(
                    f"The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor "
                    'names must be of the form "<op_name>:<output_index>".'
                )
            op = self._nodes_by_name.get(op_name)
            if op is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                    f"{op_name!r}, does not exist in the graph."
                )
            index = int(index_text)
            if index >= len(op.outputs):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                    f"{op_name!r}, exists but only has {len(op.outputs)} outputs."
                )
            return op.outputs[index]
        if ":" in name:
            raise ValueError(
                f"Name {name!r} appears to refer to a Tensor, not a Operation."
                if self._nodes_by_name.get(name.partition(":")[0]) is not None
                else f"Name {name!r} looks like a Tensor name, not an Operation name."
            )
        if name not in self._nodes_by_name:
            if allow_operation:
                raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
            raise ValueError(
                f"The name {name!r} looks like an (invalid) Operation name, "
                'not a Tensor. Tensor names must be of the form "<op_name>:'
                '<output_index>".'
            )
        if not allow_operation:
            raise ValueError(
                f"The name {name!r} refers to an Operation, not a Tensor. Tensor names must be of "
                'the form "<op_name>:<output_index>".'
            )
        return self._nodes_by_name[name]

    def is_feedable(self, tensor: Any) -> bool:
        """Whether `Session.run` may be fed this tensor."""
        return tensor not in self._unfeedable

    def prevent_feeding(self, tensor: Any) -> None:
        """Forbid feeding this tensor."""
        self._unfeedable.add(tensor)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Whether `Session.run` may fetch this element."""
        op = tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op
        return op not in self._unfetchable

    def prevent_fetching(self, op: Operation) -> None:
        """Forbid fetching this operation and its outputs."""
        self._unfetchable.add(op)

    def _note_mutation(self) -> None:
        self._mutations += 1

    # -- adding to it ----------------------------------------------------------------------------

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Any],
        dtypes: Sequence[Any] | None = None,
        input_types: Any = None,
        name: str | None = None,
        attrs: dict[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Add an operation and return it.

        `dtypes` are the output types, `attrs` plain values or AttrValue protos. A name that ends
        in "/" is taken as it is; another one is made unique within the current name scope.
        Raises ValueError when a static shape rule is broken and RuntimeError in a final graph.
        """
        del input_types, compute_shapes, compute_device, op_def
        from relight.graph import attrs as attr_values

        decoded = {k: attr_values.from_any(v) for k, v in (attrs or {}).items()}
        if dtypes is None:
            dtypes = attr_values.output_dtypes(op_type, decoded)
        return self._add(op_type, inputs, dtypes, name, decoded, skip=2)

    def _add(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[Any],
        name: str | None,
        attrs: dict[str, Any],
        skip: int = 1,
    ) -> Operation:
        self._check_not_finalized()
        inputs = [self._own(t) for t in inputs]
        if not name:
            name = op_type
        name = name[:-1] if name[-1] == "/" else self.unique_name(name)
        if not _OP_NAME.match(name):
            raise ValueError(f"'{name}' is not a valid node name")
        if self._attr_scopes:
            attrs.update(
                {k: v for k, v in self._attr_scopes.items() if k not in attrs and v is not None}
            )
        with self._lock:
            if name in self._nodes_by_name:
                raise ValueError(f"Duplicate node name in graph: '{name}'")
            control = self._control_dependencies_for(inputs)
            op = Operation(
                self, op_type, name, inputs, dtypes, control, attrs, stack.capture(skip + 1)
            )
            known = opdef._records.get(op_type)
            if known is not None and known.shape is not None:
                self._infer_shapes(op, known.shape)
            self._apply_scopes(op)
            for tensor in inputs:
                tensor._consumers.append(op)
            for before in control:
                before._control_outputs.append(op)
            self._last_id += 1
            op._id = self._last_id
            self._nodes_by_name[name] = op
            self._nodes_by_id.append(op)
            self._names_in_use.setdefault(name.lower(), 1)
            for scope in self._control_scopes:
                scope.made.add(op)
        return op

    def _own(self, tensor: Any) -> Tensor:
        """`tensor` as an element of this graph; a function body captures it (see FuncGraph)."""
        if not isinstance(tensor, Tensor):
            raise TypeError(f"Input tensor must be a Tensor, not {type(tensor).__name__}: {tensor}")
        if tensor.graph is not self:
            raise ValueError(f"{tensor} must be from the same graph as this graph's operations.")
        return tensor

    @staticmethod
    def _infer_shapes(op: Operation, rule: Callable[[Operation], Sequence[Any]]) -> None:
        shape_requests.clear()
        try:
            shapes = rule(op)
        except ShapeError as error:
            message = f"{error} for '{op.name}' (op: '{op.type}')"
            if error.with_inputs:
                described = ", ".join(
                    "<unknown>"
                    if t.shape._sizes is None
                    else "[" + ",".join("?" if s is None else str(s) for s in t.shape._sizes) + "]"
                    for t in op._inputs
                )
                message += f" with input shapes: {described}{_requested(op)}."
            raise ValueError(message) from None
        for tensor, shape in zip(op._outputs, shapes, strict=True):
            if type(shape) is tuple:
                tensor._shape = TensorShape.of(shape)
            elif shape is not None:
                tensor._shape = shape if isinstance(shape, TensorShape) else TensorShape(shape)

    def _apply_scopes(self, op: Operation) -> None:
        device = ""
        for entry in reversed(self._device_stack):
            if entry is None:  # tf.device(None): outer devices do not apply
                break
            if callable(entry):  # it sees what is asked for so far; its answer is all that holds
                op._device = device
                answer = entry(op)
                if answer is None:
                    raise TypeError("Expected binary or unicode string, got None")
                device = answer if isinstance(answer, str) else devices.device_name(answer)
            else:
                device = devices.merge(entry, device) if device else entry
        op._device = device
        if self._colocation_stack:
            groups: set[bytes] = set()
            for other in self._colocation_stack:
                if other is None:
                    groups.clear()
                    continue
                groups.update(other.colocation_groups())
                op._device = other._device
            if groups:
                op._attrs["_class"] = sorted(groups)
        if self._container and "container" in opdef.op_def(op.type).attrs:
            if not op._attrs.get("container"):
                op._attrs["container"] = self._container
        override = self._gradient_override.get(op.type)
        if override is not None and "_gradient_op_type" not in op._attrs:
            op._attrs["_gradient_op_type"] = override
        op._original_op = self._default_original_op

    def _control_dependencies_for(self, inputs: Sequence[Tensor]) -> list[Operation]:
        """Control inputs of the current scopes, less those that an input already implies."""
        result: list[Operation] = []
        input_ops = {t.op for t in inputs}
        for scope in self._control_scopes:
            if any(op in scope.made for op in input_ops):
                continue
            for op in scope.ops:
                if op not in input_ops and op not in result:
                    result.append(op)
        return result

    # -- scopes ----------------------------------------------------------------------------------

    @property
    def _node_count(self) -> int:
        """How many nodes TensorFlow's dataflow form of this graph has so far; seeds count them."""
        return self._last_id + self._uncounted

    @_node_count.setter
    def _node_count(self, count: int) -> None:
        self._uncounted = count - self._last_id

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` in the current name scope, numbered when it is taken already."""
        if self._name_stack:
            name = self._name_stack + "/" + name
        key = name.lower()
        with self._lock:
            count = self._names_in_use.get(key, 0)
            if mark_as_used:
                self._names_in_use[key] = count + 1
            if count > 0:
                base = key
                while key in self._names_in_use:
                    key = f"{base}_{count}"
                    count += 1
                if mark_as_used:
                    self._names_in_use[key] = 1
                name = f"{name}_{count - 1}"
        return name

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Prefix names of operations made inside; a name that ends in "/" is an absolute scope."""
        if name:
            if isinstance(name, bytes):
                name = name.decode()
            valid = _SCOPE_NAME if self._name_stack else _OP_NAME
            if not valid.match(name):
                raise ValueError(f"'{name}' is not a valid scope name")
        before = self._name_stack
        if not name:
            new = ""
        elif name[-1] == "/":
            new = name[:-1]
        else:
            new = self.unique_name(name)
        self._name_stack = new
        try:
            yield new + "/" if new else ""
        finally:
            self._name_stack = before

    def get_name_scope(self) -> str:
        """The current name scope."""
        return self._name_stack

    @contextlib.contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Ask for a device for operations made inside: a name, DeviceSpec, function or None."""
        entry = device_name_or_function
        if entry is not None and not callable(entry):
            entry = devices.device_name(entry)
        self._device_stack.append(entry)
        try:
            yield
        finally:
            self._device_stack.pop()

    @contextlib.contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Place operations made inside where `op` (operation, tensor, variable) is."""
        if op is None and not ignore_existing:
            raise ValueError(
                "Trying to reset colocation (op is None) but ignore_existing is not True"
            )
        if op is not None:
            op = operation_of(op)
        saved_devices = self._device_stack
        self._device_stack = []
        saved = self._colocation_stack
        self._colocation_stack = [] if ignore_existing else list(saved)
        if op is not None:
            self._colocation_stack.append(op)
        try:
            yield
        finally:
            self._device_stack = saved_devices
            self._colocation_stack = saved

    @contextlib.contextmanager
    def _colocate_with_for_gradient(
        self, op: Any, gradient_uid: Any, ignore_existing: bool = False
    ) -> Iterator[None]:
        with self.colocate_with(op, ignore_existing):
            yield

    def control_dependencies(self, control_inputs: Iterable[Any] | None) -> _ControlScope:
        """Let operations made inside run after `control_inputs`; None clears outer ones."""
        if control_inputs is None:
            return _ControlScope(self, [], clear=True)
        ops: list[Operation] = []
        for element in control_inputs:
            values = getattr(element, "_values", None)
            if values is not None and hasattr(element, "_indices"):  # sliced or sparse values
                element = values
            if isinstance(element, Tensor) or hasattr(element, "_handle"):
                element = element.op  # waiting for a resource variable does not read it
            element = getattr(element, "_as_graph_element", lambda e=element: e)()
            op = element.op if isinstance(element, Tensor) else element
            if not isinstance(op, Operation):
                raise TypeError(f"Control input must be Operation or Tensor: {element}")
            if op.graph is not self:
                op = self._own_control(op)
                if op is None:
                    continue
            if op not in ops:
                ops.append(op)
        return _ControlScope(self, ops)

    def _own_control(self, op: Operation) -> Operation | None:
        raise ValueError(f"Operation {op!r} is not an element of this graph.")

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Use other registered gradients for op types made inside: {op type: gradient name}."""
        if not isinstance(op_type_map, dict):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        saved = self._gradient_override
        self._gradient_override = {**saved, **op_type_map}
        try:
            yield
        finally:
            self._gradient_override = saved

    @contextlib.contextmanager
    def _attr_scope(self, attr_map: dict[str, Any]) -> Iterator[None]:
        from relight.graph import attrs as attr_values

        saved = self._attr_scopes
        self._attr_scopes = {
            **saved,
            **{k: None if v is None else attr_values.from_any(v) for k, v in attr_map.items()},
        }
        try:
            yield
        finally:
            self._attr_scopes = saved

    @contextlib.contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """Name the resource container of stateful operations made inside."""
        saved = self._container
        self._container = container_name
        try:
            yield container_name
        finally:
            self._container = saved

    @contextlib.contextmanager
    def _original_op(self, op: Operation) -> Iterator[None]:
        saved = self._default_original_op
        self._default_original_op = op
        try:
            yield
        finally:
            self._default_original_op = saved

    def as_default(self) -> contextlib.AbstractContextManager[Graph]:
        """Make this the default graph inside the `with` block."""
        return _graphs.enter(self)

    # -- as data ---------------------------------------------------------------------------------

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """This graph as a `GraphDef` proto."""
        from relight.graph import graph_def

        return graph_def.export(self, from_version, add_shapes)

    def _add_function(self, function: Any) -> None:
        self._functions[function.name] = function

    def _get_function(self, name: str) -> Any:
        return self._functions.get(name)

    def _is_function(self, name: str) -> bool:
        return name in self._functions


def operation_of(value: Any) -> Operation:
    """The operation behind an Operation, Tensor, variable or composite value."""
    if isinstance(value, Operation):
        return value
    op = getattr(value, "op", None)
    if isinstance(op, Operation):
        return op
    raise TypeError(f"Encountered unexpected object of type {type(value).__name__}: no operation")


class _DefaultStack(threading.local):
    """A per-thread stack of defaults (graphs, sessions)."""

    def __init__(self) -> None:
        self.stack: list[Any] = []

    @contextlib.contextmanager
    def enter(self, item: Any) -> Iterator[Any]:
        self.stack.append(item)
        try:
            yield item
        finally:
            if self.stack[-1] is not item:
                self.stack.remove(item)
                raise AssertionError(
                    f"Nesting violated for default stack of {type(item)} objects"
                    if item is not None
                    else "Nesting violated"
                )
            self.stack.pop()

    def top(self) -> Any:
        return self.stack[-1] if self.stack else None


_graphs = _DefaultStack()
_sessions = _DefaultStack()
_global_default: Graph | None = None
_global_lock = threading.Lock()


def get_default_graph() -> Graph:
    """The graph that operations are added to in this thread."""
    global _global_default
    top = _graphs.top()
    if top is not None:
        return top
    if _global_default is None:
        with _global_lock:
            if _global_default is None:
                _global_default = Graph()
    return _global_default


def reset_default_graph() -> None:
    """Forget the global default graph; AssertionError inside `with graph.as_default()`."""
    global _global_default
    if _graphs.stack:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared "
            "graph, exit the nesting and create a new graph."
        )
    _global_default = None


def get_default_session() -> Any:
    """The innermost default session of this thread, or None."""
    return _sessions.top()


def default_session(session: Any) -> contextlib.AbstractContextManager[Any]:
    """Make `session` the default inside the `with` block."""
    return _sessions.enter(session)


class name_scope:
    """Context manager that names the operations of a function: `with name_scope(name, "Default")`.

    `values` are the inputs: they choose the graph. Gives the scope with its final "/".
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None):
        self._name = default_name if name is None else name
        if name is not None and not isinstance(name, (str, bytes)):
            raise TypeError(f"name for name_scope must be a string, not {type(name).__name__}")
        self._default_name = default_name
        self._values = values

    @property
    def name(self) -> str | None:
        """The name that was asked for."""
        return self._name

    def __enter__(self) -> str:
        if self._name is None and self._values is not None:
            raise ValueError(
                f"At least one of name ({self._name}) and default_name ({self._default_name}) "
                "must be provided."
            )
        graph = graph_of(self._values) if self._values else get_default_graph()
        self._stack = contextlib.ExitStack()
        try:
            if graph is not get_default_graph():
                self._stack.enter_context(graph.as_default())
            return self._stack.enter_context(graph.name_scope(self._name))
        except BaseException:
            self._stack.close()
            raise

    def __exit__(self, *details: Any) -> Any:
        return self._stack.__exit__(*details)


def graph_of(values: Iterable[Any]) -> Graph:
    """The graph that the graph elements among `values` belong to, else the default graph.

    Raises ValueError when they belong to several graphs.
    """
    current = get_default_graph()
    if current.building_function:
        return current
    found: Graph | None = None
    first: Any = None
    for value in values:
        graph = getattr(value, "graph", None)
        if not isinstance(graph, Graph):
            continue
        if found is None:
            found, first = graph, value
        elif graph is not found:
            raise ValueError(f"{value} must be from the same graph as {first}.")
    return found or current
