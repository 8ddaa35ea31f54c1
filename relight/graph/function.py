"""Function bodies: graphs that `If`, `While` and other nodes of another graph run.

A tensor of an enclosing graph that is used in a body is *captured*: the body gets a placeholder for
it, and the node that runs the body takes the tensor as a further input.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

from tensorboard.compat.proto import function_pb2

from relight.graph import attrs as attr_values
from relight.graph import dtypes, graph_def, opdef
from relight.graph.graph import Graph, _ControlScope, get_default_graph
from relight.graph.node import Operation, Tensor

_uids = itertools.count(1)


def unique_function_name(scope: str, kind: str) -> str:
    """A name such as `cond_true_3` for a body of the node that is made in `scope`."""
    return f"{scope.replace('/', '_')}{kind}_{next(_uids)}".replace("__", "_")


class FuncGraph(Graph):
    """The body of a function: `inputs` (placeholders) to `outputs`; `captures` outer -> inner."""

    def __init__(self, name: str, outer_graph: Graph | None = None):
        super().__init__()
        self.name = name
        self.outer_graph = get_default_graph() if outer_graph is None else outer_graph
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}
        # Whether nodes are counted on from the enclosing graph: a branch or a loop, whose nodes
        # are in that graph itself in TensorFlow's dataflow form.
        self._counts_on = False
        self._captured: dict[Tensor, Tensor] = {}
        self._seed = self.outer_graph.seed
        # What is added to a collection in a body is meant for the program's graph.
        self._collections = self.outer_graph._collections
        self._functions = self.outer_graph._functions
        self._gradient_functions = self.outer_graph._gradient_functions
        self._device_stack = list(self.outer_graph._device_stack)
        self._gradient_override = self.outer_graph._gradient_override

    @property
    def building_function(self) -> bool:
        """True: this is the body of a function."""
        return True

    @property
    def outermost(self) -> Graph:
        """The program's graph around all bodies."""
        graph: Graph = self
        while isinstance(graph, FuncGraph):
            graph = graph.outer_graph
        return graph

    def add_input(self, dtype: Any, shape: Any = None, name: str = "placeholder") -> Tensor:
        """A further input of the function."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.as_default())
            stack.enter_context(_ControlScope(self, [], clear=True))
            stack.enter_context(self.device(None))
            node = self._add(
                "Placeholder",
                [],
                [dtype],
                name,
                {"dtype": dtypes.as_dtype(dtype).base_dtype, "shape": _shape(shape)},
            )
        tensor = node.outputs[0]
        self.inputs.append(tensor)
        return tensor

    def capture(self, tensor: Tensor, name: str | None = None) -> Tensor:
        """The placeholder that stands for a tensor of an enclosing graph."""
        inner = self.captures.get(tensor)
        if inner is None:
            inner = self._make_capture(tensor, name or tensor.op.name.rpartition("/")[2])
        return inner

    def _make_capture(self, tensor: Tensor, name: str) -> Tensor:
        inner = self.add_input(tensor.dtype, tensor.shape, name)
        self.captures[tensor] = inner
        self._captured[inner] = tensor
        return inner

    def captured_by(self, tensor: Tensor) -> Tensor:
        """The outer tensor that a placeholder stands for; other tensors are given back."""
        return self._captured.get(tensor, tensor)

    def _own(self, tensor: Any) -> Tensor:
        if isinstance(tensor, Tensor) and tensor.graph is not self:
            return self.capture(tensor)
        return super()._own(tensor)

    def _own_control(self, op: Operation) -> Operation | None:
        # Whatever an enclosing graph does before the call is done when the body runs.
        return None

    @property
    def definition(self) -> Any:
        """This function as `FunctionDef`."""
        return to_function_def(self)


def _shape(shape: Any) -> Any:
    from relight.graph.shapes import TensorShape

    return TensorShape(shape)


@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """Add to the program's own graph although a function body is being built.

    Control dependencies are cleared; the name scope is that of the program's graph.
    """
    graph = get_default_graph()
    if not isinstance(graph, FuncGraph):
        yield
        return
    outer = graph.outermost
    if graph._counts_on:
        outer._node_count = graph._node_count
    with outer.as_default(), outer.control_dependencies(None):
        yield
    if graph._counts_on:
        graph._node_count = outer._node_count


def _argument_names(graph: FuncGraph) -> list[str]:
    """Input names in the form that FunctionDefs ask for: lower case, no slashes, unique."""
    names: list[str] = []
    for tensor in graph.inputs:
        base = "".join(c if c.isalnum() else "_" for c in tensor.op.name).lower()
        if not base[:1].isalpha():
            base = "arg" + base
        name, number = base, 0
        while name in names:
            name = f"{base}_{number}"
            number += 1
        names.append(name)
    return names


def _output_place(tensor: Tensor) -> str:
    """`<node>:<output name>:<index>`: how a FunctionDef names an output of a node."""
    node = tensor.op
    position = tensor.value_index
    for arg in opdef.op_def(node.type).outputs:
        count = arg.count(node._attrs)
        if position < count:
            return f"{node.name}:{arg.name}:{position}"
        position -= count
    raise ValueError(f"{tensor.name} is no output of its node")


def to_function_def(graph: FuncGraph) -> Any:
    """A body as `FunctionDef` proto."""
    proto = function_pb2.FunctionDef()
    proto.signature.name = graph.name
    arguments = dict(zip(graph.inputs, _argument_names(graph), strict=True))
    for tensor, name in arguments.items():
        proto.signature.input_arg.add(name=name, type=tensor.dtype.base_dtype.as_datatype_enum)
    input_nodes = {t.op for t in graph.inputs}
    for op in graph._nodes_by_id:
        if op in input_nodes:
            continue
        node = graph_def.node_def(op)
        del node.input[:]
        node.input.extend(arguments.get(t) or _output_place(t) for t in op._inputs)
        node.input.extend("^" + c.name for c in op._control_inputs if c not in input_nodes)
        proto.node_def.append(node)
        if opdef.record(op.type).is_stateful:
            proto.signature.is_stateful = True
    used: set[str] = set()
    for i, tensor in enumerate(graph.outputs):
        name = "".join(c if c.isalnum() else "_" for c in tensor.op.name).lower()
        name = name if name[:1].isalpha() and name not in used else f"output_{i}"
        used.add(name)
        proto.signature.output_arg.add(name=name, type=tensor.dtype.base_dtype.as_datatype_enum)
        proto.ret[name] = arguments.get(tensor) or _output_place(tensor)
    return proto


def from_function_def(proto: Any, outer: Graph) -> FuncGraph:
    """The body that a `FunctionDef` describes. ValueError when it names what it does not have."""
    graph = FuncGraph(proto.signature.name, outer)
    places: dict[str, Tensor] = {}
    with graph.as_default():
        for arg in proto.signature.input_arg:
            places[arg.name] = graph.add_input(dtypes.as_dtype(arg.type), None, arg.name)
        waiting = list(proto.node_def)
        known = {n.name: n for n in waiting}
        late: list[tuple[Operation, int, str]] = []
        while waiting:
            later = []
            for node in waiting:
                if not _add_function_node(graph, node, places, known, late):
                    later.append(node)
            if len(later) == len(waiting):
                raise ValueError(
                    f"function {graph.name!r}: the inputs of {later[0].name!r} are not in it"
                )
            waiting = later
        for op, index, text in late:
            op._update_input(index, places[text])
        for arg in proto.signature.output_arg:
            place = proto.ret[arg.name]
            if place not in places:
                raise ValueError(f"function {graph.name!r}: its output {place!r} is not in it")
            graph.outputs.append(places[place])
    return graph


def _comes_round(text: str, known: dict[str, Any]) -> bool:
    source = known.get(text.partition(":")[0])
    return source is not None and source.op in ("NextIteration", "RefNextIteration")


def _add_function_node(
    graph: FuncGraph,
    node: Any,
    places: dict[str, Tensor],
    known: dict[str, Any],
    late: list[tuple[Operation, int, str]],
) -> bool:
    """Add a node unless inputs are missing. `late`: inputs that a loop brings round."""
    inputs: list[Any] = []
    control: list[Operation] = []
    back: list[tuple[int, str]] = []
    for text in node.input:
        if text.startswith("^"):
            name = text[1:]
            if name not in graph._nodes_by_name:
                if name in known:
                    return False
                continue
            control.append(graph._nodes_by_name[name])
        elif text in places:
            inputs.append(places[text])
        elif node.op in ("Merge", "RefMerge") and _comes_round(text, known):
            back.append((len(inputs), text))
            inputs.append(None)
        else:
            return False
    there = next((t for t in inputs if t is not None), None)
    if back and there is None:
        return False
    inputs = [there if t is None else t for t in inputs]
    decoded = {k: attr_values.from_proto(v) for k, v in node.attr.items()}
    attr_values.with_defaults(node.op, decoded)
    with graph.control_dependencies(control):
        op = graph._add(
            node.op, inputs, attr_values.output_dtypes(node.op, decoded), node.name + "/", decoded
        )
    late.extend((op, index, text) for index, text in back)
    if node.device:
        op._set_device(node.device)
    for tensor in op.outputs:
        places[_output_place(tensor)] = tensor
    return True
