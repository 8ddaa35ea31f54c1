"""Graphs from `GraphDef` protos: checked node by node, then added to a graph.

Every node must be an op of TensorFlow 1.15 or a function of the GraphDef's library, with the attrs
and inputs that its signature asks for. Nodes with a Python function (`PyFunc`) are added, for the
graph may be used without them, but never run: a file must not choose what code is executed.
"""

from __future__ import annotations

import contextlib
import heapq
import re
from collections.abc import Iterator, Sequence
from typing import Any

from relight.graph import attrs as attr_values
from relight.graph import dtypes, errors, opdef
from relight.graph.graph import Graph, _ControlScope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape

_NODE_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\-/]*$")
_LOOP_BACK = ("NextIteration", "RefNextIteration")
_FIELDS = {"string": "s", "int": "i", "float": "f", "bool": "b"}
# What shape rules may raise for attrs and inputs that no program could have made.
_MALFORMED = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)
PYTHON_OPS = frozenset(("PyFunc", "PyFuncStateless", "EagerPyFunc"))


class LoadedFunction:
    """A function of a library that cannot be built (an op in it is unknown): kept as data."""

    def __init__(self, definition: Any):
        self.name = definition.signature.name
        self.definition = definition


def parse_tensor_name(name: str) -> tuple[str, int]:
    """`op:1` as (op, 1); no index is index 0."""
    op_name, colon, index = name.partition(":")
    if not colon:
        return name, 0
    if not index.isdigit():
        raise ValueError(f"Cannot convert {name!r} to a tensor name.")
    return op_name, int(index)


def _type_name(dtype: dtypes.DType) -> str:
    base = dtypes.runtime_name(dtype)
    return base + "_ref" if dtype._is_ref_dtype else base


def _signature(op_type: str) -> str:
    line = opdef.signature_lines()[op_type].partition("  # ")[0]
    return f"Op<{line}>"


def input_dtypes(op_type: str, attrs: dict[str, Any]) -> list[dtypes.DType]:
    """The types of the inputs of an op with these attrs."""
    result: list[dtypes.DType] = []
    for arg in opdef.op_def(op_type).inputs:
        if arg.type_list_attr is not None:
            types = [dtypes.as_dtype(t) for t in attrs[arg.type_list_attr]]
        else:
            one = arg.dtype if arg.type_attr is None else dtypes.as_dtype(attrs[arg.type_attr])
            assert one is not None
            types = [one] * (1 if arg.number_attr is None else attrs[arg.number_attr])
        result.extend(t._as_ref if arg.is_ref else t for t in types)
    return result


class _Import:
    """One call of `import_graph_def`."""

    def __init__(
        self,
        graph: Graph,
        graph_def: Any,
        prefix: str,
        input_map: dict[str, Any],
        producer_op_list: Any,
    ):
        self.graph = graph
        self.graph_def = graph_def
        self.prefix = prefix
        self.mapped: dict[tuple[str, int], Tensor] = {}
        self.mapped_control: dict[str, Operation] = {}
        for key, value in input_map.items():
            if key.startswith("^"):
                self.mapped_control[key[1:]] = value.op if isinstance(value, Tensor) else value
            else:
                self.mapped[parse_tensor_name(key)] = value
        self.used: set[Any] = set()
        self.producer = {o.name: o for o in producer_op_list.op} if producer_op_list else {}
        self.functions = {f.signature.name: f.signature for f in graph_def.library.function}
        self.nodes = {n.name: n for n in graph_def.node}
        self.made: dict[str, Operation] = {}
        self.new_names: dict[str, str] = {}
        self.late: list[tuple[Operation, int, str, int]] = []

    # -- order -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Add every node; ValueError (NotFoundError for an unknown op) before the first is added
        when the GraphDef is malformed as such."""
        self._check_names()
        self._choose_names()
        for node in self._ordered():
            self._add(node)
        for op, place, name, index in self.late:
            op._update_input(place, self._source(op.name, name, index))
        self._colocate()

    def _check_names(self) -> None:
        if len(self.nodes) < len(self.graph_def.node):
            seen: set[str] = set()
            for node in self.graph_def.node:
                if node.name in seen:
                    raise ValueError(f"Node '{node.name}' is not unique")
                seen.add(node.name)
        for node in self.graph_def.node:
            if not _NODE_NAME.match(node.name):
                raise ValueError(f"Node '{node.name}': Node name contains invalid characters")
            if node.op not in opdef.signature_lines() and node.op not in self.functions:
                if not self.graph._is_function(node.op):
                    raise errors.NotFoundError(
                        None,
                        None,
                        f"Op type not registered '{node.op}' (node '{node.name}'): it is neither "
                        "an op of TensorFlow 1.15 nor a function of the graph",
                    )
            control = False
            for text in node.input:
                if text.startswith("^"):
                    control = True
                elif control:
                    raise ValueError(
                        f"Node '{node.name}': Control dependencies must come after regular "
                        "dependencies"
                    )
                name, _ = self._parts(node, text)
                if name not in self.nodes and not self._is_mapped(text):
                    raise ValueError(f"Node '{node.name}': Unknown input node '{text}'")
            for group in node.attr["_class"].list.s if "_class" in node.attr else ():
                other = group.decode("utf-8", "replace")
                if other.startswith("loc:@") and other[5:] not in self.nodes:
                    raise ValueError(
                        f"Node '{node.name}' expects to be colocated with unknown node "
                        f"'{other[5:]}'"
                    )

    def _parts(self, node: Any, text: str) -> tuple[str, int]:
        try:
            return parse_tensor_name(text.removeprefix("^"))
        except ValueError:
            raise ValueError(f"Node '{node.name}': Malformed input '{text}'") from None

    def _is_mapped(self, text: str) -> bool:
        if text.startswith("^"):
            return text[1:] in self.mapped_control
        return parse_tensor_name(text) in self.mapped

    def _choose_names(self) -> None:
        existing = self.graph._nodes_by_name
        if self.prefix:
            self.new_names = {n: f"{self.prefix}/{n}" for n in self.nodes}
            return
        taken = set(existing)
        for name in existing:
            parts = name.split("/")[:-1]
            taken.update("/".join(parts[: i + 1]) for i in range(len(parts)))
        for name in self.nodes:
            unique, count = name, 0
            while unique in taken or (unique != name and unique in self.nodes):
                count += 1
                unique = f"{name}_{count}"
            self.new_names[name] = unique

    def _ordered(self) -> Iterator[Any]:
        """The nodes so that inputs come first, those that stand first in the GraphDef before."""
        place = {name: i for i, name in enumerate(self.nodes)}
        after: dict[str, list[str]] = {n: [] for n in self.nodes}
        waiting: dict[str, int] = {}
        for name, node in self.nodes.items():
            needs = set()
            for text in node.input:
                source = parse_tensor_name(text.removeprefix("^"))[0]
                if self._is_mapped(text) or source not in self.nodes:
                    continue
                if node.op in ("Merge", "RefMerge") and self.nodes[source].op in _LOOP_BACK:
                    continue
                needs.add(source)
            waiting[name] = len(needs)
            for source in needs:
                after[source].append(name)
        ready = [place[n] for n, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        order = list(self.nodes)
        done = 0
        while ready:
            name = order[heapq.heappop(ready)]
            done += 1
            yield self.nodes[name]
            for follower in after[name]:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    heapq.heappush(ready, place[follower])
        if done < len(order):
            raise ValueError(f"{len(order) - done} nodes in a cycle")

    # -- one node --------------------------------------------------------------------------------

    def _add(self, node: Any) -> None:
        name = self.new_names[node.name]
        if node.op in opdef.signature_lines():
            attrs = self._attrs(node, name)
            wanted = input_dtypes(node.op, attrs)
            types = attr_values.output_dtypes(node.op, attrs)
            described = _signature(node.op)
        else:
            attrs = {k: attr_values.from_proto(v) for k, v in node.attr.items()}
            wanted, types = self._function_types(node)
            described = f"function {node.op}"
        shapes = attrs.pop("_output_shapes", None)
        if "_class" in attrs:
            attrs["_class"] = [self._new_group(c) for c in attrs["_class"]]
        inputs, control = self._inputs(node, name, wanted, described)
        op = self._make(node, name, inputs, control, types, attrs)
        if node.op in PYTHON_OPS:
            op.__dict__["_loaded"] = True
        for late_op, place, source, index in self._late_of(node, op):
            self.late.append((late_op, place, source, index))
        self._set_shapes(op, shapes)
        self.made[node.name] = op

    def _attrs(self, node: Any, name: str) -> dict[str, Any]:
        definition = opdef.op_def(node.op)
        producer = self.producer.get(node.op)
        attrs: dict[str, Any] = {}
        for key, value in node.attr.items():
            known = definition.attrs.get(key)
            if known is None and not key.startswith("_"):
                if producer is not None and _is_producer_default(producer, key, value):
                    continue
                raise ValueError(
                    f"NodeDef mentions attr '{key}' not in {_signature(node.op)}; NodeDef: "
                    f"{{{{node {name}}}}}. (Check whether your GraphDef-interpreting binary is up "
                    "to date with your GraphDef-generating binary.)."
                )
            if value.WhichOneof("value") is None:
                continue
            if known is not None:
                self._check_kind(node, name, known, value)
            try:
                attrs[key] = attr_values.from_proto(value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"attr '{key}' of node '{name}': {error}") from None
            if known is not None:
                _check_allowed(name, known, attrs[key])
        if node.op == "Const" and "value" in attrs and "dtype" in attrs:
            found = dtypes.as_dtype(node.attr["value"].tensor.dtype)
            if found != attrs["dtype"]:
                raise ValueError(
                    f"node '{name}': a constant of type {attrs['dtype'].name} holds a value of "
                    f"type {found.name}"
                )
        attr_values.with_defaults(node.op, attrs)
        for key in definition.attrs:
            if key not in attrs:
                raise ValueError(
                    f"NodeDef missing attr '{key}' from {_signature(node.op)}; NodeDef: "
                    f"{{{{node {name}}}}}"
                )
        return attrs

    @staticmethod
    def _check_kind(node: Any, name: str, known: opdef.AttrDef, value: Any) -> None:
        found = value.WhichOneof("value")
        wanted = "list" if known.kind.startswith("list(") else _FIELDS.get(known.kind, known.kind)
        if found == "list" and wanted == "list":
            element = _FIELDS.get(known.kind[5:-1], known.kind[5:-1])
            for field, _ in value.list.ListFields():
                if field.name != element:
                    found = f"list({field.name})"
                    break
            else:
                return
        if found != wanted:
            raise ValueError(
                f"AttrValue had value with type '{found}' when '{known.kind}' expected\n\t for "
                f"attr '{known.name}' of node '{name}' (op: '{node.op}')"
            )

    def _function_types(self, node: Any) -> tuple[list[dtypes.DType], list[dtypes.DType]]:
        signature = self.functions.get(node.op)
        if signature is None:
            signature = self.graph._get_function(node.op).definition.signature
        return (
            [dtypes.as_dtype(a.type) for a in signature.input_arg],
            [dtypes.as_dtype(a.type) for a in signature.output_arg],
        )

    def _inputs(
        self, node: Any, name: str, wanted: list[dtypes.DType], described: str
    ) -> tuple[list[Any], list[Operation]]:
        texts = [t for t in node.input if not t.startswith("^")]
        if len(texts) != len(wanted):
            raise ValueError(
                f"NodeDef expected inputs '{', '.join(map(_type_name, wanted))}' do not match "
                f"{len(texts)} inputs specified; {described}; NodeDef: {{{{node {name}}}}}"
            )
        inputs: list[Any] = []
        for place, (text, dtype) in enumerate(zip(texts, wanted, strict=True)):
            source, index = parse_tensor_name(text)
            if (source, index) not in self.mapped and source not in self.made:
                inputs.append(None)  # the way back of a loop, joined when it is there
                continue
            tensor = self._source(node.name, source, index)
            fits = tensor.dtype.base_dtype == dtype.base_dtype
            if not fits or (dtype._is_ref_dtype and not tensor.dtype._is_ref_dtype):
                raise ValueError(
                    f"Input {place} of node {name} was passed {_type_name(tensor.dtype)} from "
                    f"{tensor.name} incompatible with expected {_type_name(dtype)}."
                )
            inputs.append(tensor)
        control = []
        for text in node.input[len(texts) :]:
            source = text[1:]
            if source in self.mapped_control:
                self.used.add("^" + source)
                control.append(self.mapped_control[source])
            else:
                control.append(self.made[parse_tensor_name(source)[0]])
        return inputs, control

    def _late_of(self, node: Any, op: Operation) -> Iterator[tuple[Operation, int, str, int]]:
        for place, text in enumerate(node.input):
            if text.startswith("^"):
                break
            source, index = parse_tensor_name(text)
            if (source, index) not in self.mapped and source not in self.made:
                yield op, place, source, index

    def _source(self, reader: str, name: str, index: int) -> Tensor:
        if (name, index) in self.mapped:
            self.used.add((name, index))
            return self.mapped[name, index]
        outputs = self.made[name].outputs
        if index >= len(outputs):
            raise ValueError(
                f"Node '{reader}': Connecting to invalid output {index} of source node {name} "
                f"which has {len(outputs)} outputs."
            )
        return outputs[index]

    def _make(
        self,
        node: Any,
        name: str,
        inputs: list[Any],
        control: list[Operation],
        types: Sequence[Any],
        attrs: dict[str, Any],
    ) -> Operation:
        if None in inputs:
            there = next((t for t in inputs if t is not None), None)
            if there is None:
                raise ValueError(f"Node '{node.name}': no input comes from outside of its loop")
            inputs = [there if t is None else t for t in inputs]
        colocated = any(
            c.startswith("loc:@") and c[5:] != name for c in map(_as_text, attrs.get("_class", ()))
        )
        # Every loaded node waits for the control dependencies around the call, also one whose
        # inputs were loaded with it.
        outer = [op for scope in self.graph._control_scopes for op in scope.ops]
        scopes = _plain_scopes(self.graph, "" if colocated else node.device)
        try:
            with scopes, _ControlScope(self.graph, [*control, *outer], clear=True):
                op = self.graph._add(node.op, inputs, types, name + "/", attrs)
        except ValueError:
            raise
        except _MALFORMED as error:
            raise ValueError(
                f"node '{name}' (op: '{node.op}') is malformed: {type(error).__name__}: {error}"
            ) from error
        for before in control:  # edges that an input implies already are kept as they were
            if before not in op._control_inputs:
                op._control_inputs.append(before)
                before._control_outputs.append(op)
        return op

    def _set_shapes(self, op: Operation, shapes: Any) -> None:
        if not shapes or len(shapes) != len(op.outputs):
            return
        for i, (tensor, shape) in enumerate(zip(op.outputs, shapes, strict=True)):
            known = TensorShape(shape)
            if not known.is_compatible_with(tensor.shape):
                raise ValueError(
                    f"Node '{op.name}' has an _output_shapes attribute inconsistent with the "
                    f"GraphDef for output #{i}: Shapes are {tensor.shape} and {known}."
                )
            tensor._shape = tensor.shape.merge_with(known)

    def _new_group(self, group: Any) -> str:
        text = _as_text(group)
        if text.startswith("loc:@"):
            return "loc:@" + self.new_names.get(text[5:], text[5:])
        return text

    def _colocate(self) -> None:
        for op in self.made.values():
            for group in op._attrs.get("_class", ()):
                other = self.graph._nodes_by_name.get(_as_text(group).removeprefix("loc:@"))
                if other is not None and other is not op and other.device:
                    op._device = other.device
                    break


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_producer_default(producer: Any, key: str, value: Any) -> bool:
    for attr in producer.attr:
        if attr.name == key:
            return attr.HasField("default_value") and attr.default_value == value
    return False


def _check_allowed(name: str, known: opdef.AttrDef, value: Any) -> None:
    values = value if known.kind.startswith("list(") else [value]
    if known.allowed is not None:
        for item in values:
            if item not in known.allowed:
                shown = item.name if isinstance(item, dtypes.DType) else repr(item)
                allowed = ", ".join(
                    a.name if isinstance(a, dtypes.DType) else a for a in known.allowed
                )
                raise ValueError(
                    f"Value for attr '{known.name}' of {shown} is not in the list of allowed "
                    f"values: {allowed}; NodeDef: {{{{node {name}}}}}"
                )
    if known.minimum is not None:
        size = len(value) if known.kind.startswith("list(") else value
        if size < known.minimum:
            raise ValueError(
                f"Value for attr '{known.name}' of {size} must be at least minimum "
                f"{known.minimum}; NodeDef: {{{{node {name}}}}}"
            )


@contextlib.contextmanager
def _plain_scopes(graph: Graph, device: str) -> Iterator[None]:
    """Of the scopes around us, only devices and control dependencies apply to a loaded node."""
    saved = (
        graph._attr_scopes,
        graph._colocation_stack,
        graph._container,
        graph._gradient_override,
        graph._default_original_op,
    )
    graph._attr_scopes, graph._colocation_stack, graph._container = {}, [], ""
    graph._gradient_override, graph._default_original_op = {}, None
    try:
        with graph.device(device) if device else contextlib.nullcontext():
            yield
    finally:
        (
            graph._attr_scopes,
            graph._colocation_stack,
            graph._container,
            graph._gradient_override,
            graph._default_original_op,
        ) = saved


def _add_library(graph: Graph, library: Any) -> None:
    from relight.graph.function import from_function_def

    for proto in library.function:
        if graph._is_function(proto.signature.name):
            continue
        try:
            function: Any = from_function_def(proto, graph)
        except (*_MALFORMED, ValueError, errors.OpError):
            function = LoadedFunction(proto)
        else:
            for op in function.get_operations():
                if op.type in PYTHON_OPS:
                    op._loaded = True
        graph._add_function(function)


def import_graph_def(
    graph: Graph,
    graph_def: Any,
    prefix: str = "",
    input_map: dict[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Add the nodes of `graph_def` to `graph`, their names under `prefix`.

    `input_map` gives tensors (for `^name`: operations) in place of those that nodes of the GraphDef
    read. Gives the tensors and operations that `return_elements` names. Raises ValueError for what
    is malformed, with the node named, and NotFoundError for an unknown op.
    """
    call = _Import(graph, graph_def, prefix, input_map or {}, producer_op_list)
    _add_library(graph, graph_def.library)
    call.run()
    unused = [
        k
        for k in input_map or {}
        if (k if k.startswith("^") else parse_tensor_name(k)) not in call.used
        and parse_tensor_name(k.removeprefix("^"))[0] not in call.nodes
    ]
    if unused:
        raise ValueError(
            "Attempted to map inputs that were not found in graph_def: [" + ", ".join(unused) + "]"
        )
    if return_elements is None:
        return None
    found: list[Any] = []
    for text in return_elements:
        name, index = parse_tensor_name(text)
        if ":" in text and (name, index) in call.mapped:
            found.append(call.mapped[name, index])
            continue
        if name not in call.made:
            raise ValueError(f"Requested return node '{name}' not found in graph def")
        op = call.made[name]
        if ":" not in text:
            found.append(op)
        elif index >= len(op.outputs):
            raise ValueError(
                f"Invalid return output {index} of node '{name}', which has "
                f"{len(op.outputs)} output(s)"
            )
        else:
            found.append(op.outputs[index])
    return found
