"""Copies of subgraphs, with other inputs or within another graph."""

from __future__ import annotations

import copy as copying
from collections.abc import Callable
from typing import Any

from relight.graph import attrs, graph_def
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import Graph
from relight.graph.node import Operation, Tensor
from relight.v1.contrib.graph_editor import reroute, select, util
from relight.v1.contrib.graph_editor.subgraph import SubGraphView, make_view


class _Copying:
    """What the handlers of one copy know.

    Attributes (a name ends in _ where it is about the copy):
      sgv, ops: the source.
      graph, graph_: the graphs.
      scope, scope_: the name scopes.
      transformed_ops, transformed_ts: the copies so far, by their originals.
    """

    def __init__(self, sgv: SubGraphView, graph_: Graph, scope_: str, scope: str) -> None:
        assert sgv.graph is not None
        self.sgv = sgv
        self.ops = frozenset(sgv.ops)
        self.sgv_inputs_set = frozenset(sgv.inputs)
        self.graph = sgv.graph
        self.graph_ = graph_
        self.scope = scope
        self.scope_ = scope_
        self.transformed_ops: dict[Operation, Operation] = {}
        self.transformed_ts: dict[Tensor, Tensor] = {}
        # Inputs that are copied only later, as in the loops of loaded graphs: (original, what
        # stands for its copy until then, who takes it).
        self.later: list[tuple[Tensor, Tensor, Operation]] = []
        keys = self.graph.get_all_collection_keys()
        self.collections = {key: self.graph.get_collection(key) for key in keys}

    def new_name(self, name: str) -> str:
        """The name with the scope of the copy in place of that of the source."""
        if not name.startswith(self.scope):
            raise ValueError(f"{name} does not belong to source scope: {self.scope}.")
        return self.scope_ + name[len(self.scope) :]


@export("contrib.graph_editor.replace_t_with_placeholder_handler")
def replace_t_with_placeholder_handler(info: Any, t: Tensor) -> Tensor:
    """A new placeholder in the graph of the copy, for an input."""
    with info.graph_.as_default():
        return util.make_placeholder_from_tensor(t, scope=info.scope_)


@export("contrib.graph_editor.keep_t_if_possible_handler")
def keep_t_if_possible_handler(info: Any, t: Tensor) -> Tensor:
    """The input itself when the copy is in the same graph, else a new placeholder."""
    return t if info.graph is info.graph_ else replace_t_with_placeholder_handler(info, t)


@export("contrib.graph_editor.assign_renamed_collections_handler")
def assign_renamed_collections_handler(info: Any, elem: Any, elem_: Any) -> None:
    """Adds a copy to the collections of its original; own collections get the copy's scope."""
    standard = {getattr(GraphKeys, key) for key in dir(GraphKeys) if not key.startswith("__")}
    for name, members in info.collections.items():
        if any(member is elem for member in members):
            info.graph_.add_to_collection(name if name in standard else info.new_name(name), elem_)


@export("contrib.graph_editor.transform_op_if_inside_handler")
def transform_op_if_inside_handler(
    info: Any, op: Operation, keep_if_possible: bool = True
) -> Operation | None:
    """The copy of an operation; else itself in the same graph, if that is wanted; else None."""
    if op in info.ops:
        return info.transformed_ops[op]
    return op if keep_if_possible and info.graph is info.graph_ else None


@export("contrib.graph_editor.copy_op_handler")
def copy_op_handler(
    info: Any,
    op: Operation,
    new_inputs: Any,
    copy_shape: bool = False,
    nodedef_fn: Callable[[Any], Any] | None = None,
) -> tuple[Operation, list[Tensor]]:
    """A copy of an operation: (operation, outputs).

    Args:
      info: what the copy knows.
      op: the original.
      new_inputs: the inputs of the copy.
      copy_shape: give its outputs the static shapes of the original's.
      nodedef_fn: makes of the copy's NodeDef another one.
    """
    if isinstance(new_inputs, bool):
        raise TypeError("the `new_inputs` argument must be an iterable.")
    graph = info.graph_
    with graph.as_default(), graph.name_scope(""):
        name = graph.unique_name(info.new_name(op.name))
    kind, device, values = op.type, op.device, dict(op._attrs)
    if nodedef_fn is not None:
        node = copying.deepcopy(graph_def.node_def(op))
        node.name = name
        node = nodedef_fn(node)
        name, kind, device = node.name, node.op, node.device
        values = {key: attrs.from_proto(value) for key, value in node.attr.items()}
    with graph.as_default(), graph.control_dependencies(None):
        made = graph._add(kind, list(new_inputs), [t.dtype for t in op.outputs], name + "/", values)
    made._set_device(device)
    if copy_shape:
        for t, t_ in zip(op.outputs, made.outputs, strict=True):
            t_.set_shape(t.shape)
    return made, made.outputs


@export("contrib.graph_editor.TransformerInfo")
class TransformerInfo:
    """Which copy belongs to which original."""

    def __init__(self, info: Any) -> None:
        self._ops = info.transformed_ops
        self._ts = info.transformed_ts
        self._graphs = (info.graph, info.graph_)
        self._scopes = (info.scope, info.scope_)

    def _map(self, element: Any) -> dict[Any, Any]:
        if not isinstance(element, (Operation, Tensor)):
            raise TypeError(f"Expected a tf.Tensor or a tf.Operation, got a {type(element)}")
        return self._ops if isinstance(element, Operation) else self._ts

    def transformed(self, original: Any, missing_fn: Callable[[Any], Any] | None = None) -> Any:
        """The copies of operations and tensors, in the same nested structure.

        `missing_fn` makes what stands for those that have none; otherwise that is None.
        """

        def one(element: Any) -> Any:
            found = self._map(element).get(element)
            return missing_fn(element) if found is None and missing_fn is not None else found

        return util.map_leaves(original, one)

    def original(self, transformed: Any, missing_fn: Callable[[Any], Any] | None = None) -> Any:
        """The originals of copies, in the same nested structure; `missing_fn` as above."""

        def one(element: Any) -> Any:
            for original, copied in self._map(element).items():
                if copied is element:
                    return original
            return None if missing_fn is None else missing_fn(element)

        return util.map_leaves(transformed, one)

    def __str__(self) -> str:
        lines = ["Transform result info:"]
        source, target = self._graphs
        if source is target:
            in_place = "" if self._scopes[1] else " IN-PLACE"
            lines.append(f"  Within graph[{id(source)}]{in_place}")
        else:
            lines.append(f"  graph[{id(source)}] => graph[{id(target)}]")
        if self._scopes[0]:
            lines.append(f"  Relative to source scope: {self._scopes[0]}")
        if self._scopes[1]:
            lines.append(f"  Scope destination: {self._scopes[1]}")
        lines.append("Operations mapping:")
        lines += [f"  {op.name} => {op_.name}" for op, op_ in self._ops.items()]
        return "\n".join(lines) + "\n"


@export("contrib.graph_editor.Transformer")
class Transformer:
    """Copies subgraphs; its handlers, functions of what the copy knows, can be replaced.

    Attributes:
      transform_op_handler: copies an operation, given its new inputs.
      transform_control_input_handler: what a copy waits for in place of an operation, or None.
      assign_collections_handler: adds a copy to collections.
      transform_external_input_handler: what stands for an input of the subgraph.
      transform_external_hidden_input_handler: what stands for an input that the view leaves out.
      transform_original_op_handler: kept for programs that set it; copies carry no such operation.
    """

    def __init__(self) -> None:
        self.transform_op_handler: Callable[..., Any] = copy_op_handler
        self.transform_control_input_handler: Callable[..., Any] = transform_op_if_inside_handler
        self.assign_collections_handler: Callable[..., Any] = assign_renamed_collections_handler
        self.transform_external_input_handler: Callable[..., Any] = (
            replace_t_with_placeholder_handler
        )
        self.transform_external_hidden_input_handler: Callable[..., Any] = (
            keep_t_if_possible_handler
        )
        self.transform_original_op_handler: Callable[..., Any] = transform_op_if_inside_handler

    def __call__(
        self,
        sgv: Any,
        dst_graph: Graph,
        dst_scope: str,
        src_scope: str = "",
        reuse_dst_scope: bool = False,
    ) -> tuple[SubGraphView, TransformerInfo]:
        """Copies a subgraph: (view of the copy, which copy belongs to which original).

        Args:
          sgv: what `make_view` takes.
          dst_graph: where to copy to.
          dst_scope: the name scope of the copy.
          src_scope: the part of the originals' names that it replaces.
          reuse_dst_scope: do not make the scope's name unique.
        """
        view = make_view(sgv)
        if not isinstance(dst_graph, Graph):
            raise TypeError(f"Expected a tf.Graph, got: {type(dst_graph)}")
        scope = util.scope_finalize(dst_scope)
        if scope and not reuse_dst_scope:
            with dst_graph.as_default(), dst_graph.name_scope(""):
                scope = util.scope_finalize(dst_graph.unique_name(scope[:-1]))
        info = _Copying(view, dst_graph, scope, util.scope_finalize(src_scope))
        for op in sorted(view.ops, key=lambda op: op._id):
            self._copy(info, op)
        self._close_loops(info)
        for op in view.ops:
            waits = (self.transform_control_input_handler(info, c) for c in op.control_inputs)
            reroute.add_control_inputs(info.transformed_ops[op], [c for c in waits if c])
        return self._view_of_copy(info), TransformerInfo(info)

    def _copy(self, info: _Copying, op: Operation) -> None:
        inputs = [self._input(info, t, op) for t in op.inputs]
        made, outputs = self.transform_op_handler(info, op, inputs)
        if made is op:
            raise ValueError("In-place transformation not allowed.")
        info.transformed_ops[op] = made
        self.assign_collections_handler(info, op, made)
        for t, t_ in zip(op.outputs, outputs, strict=True):
            info.transformed_ts[t] = t_
            self.assign_collections_handler(info, t, t_)

    def _input(self, info: _Copying, t: Tensor, op: Operation) -> Tensor:
        if t in info.transformed_ts:
            return info.transformed_ts[t]
        if t in info.sgv_inputs_set:
            return self.transform_external_input_handler(info, t)
        if t.op not in info.ops:
            return self.transform_external_hidden_input_handler(info, t)
        if op.type == "Merge" and op.inputs[0] is not t:
            stand_in = self._input(info, op.inputs[0], op)
        else:
            with info.graph_.as_default():
                stand_in = util.make_placeholder_from_tensor(t, info.scope_, prefix="geph_tmp")
        info.later.append((t, stand_in, op))
        return stand_in

    def _close_loops(self, info: _Copying) -> None:
        for t, _, op in info.later:
            made = info.transformed_ops[op]
            for i, given in enumerate(op.inputs):
                if given is t:
                    made._update_input(i, info.transformed_ts[t])

    @staticmethod
    def _view_of_copy(info: _Copying) -> SubGraphView:
        """The view of the copies, with inputs and outputs in the order of the source's."""
        view = SubGraphView(list(info.transformed_ops.values()))
        inputs = [info.transformed_ts.get(t) for t in info.sgv.inputs]
        outputs = [info.transformed_ts.get(t) for t in info.sgv.outputs]
        return view.remap(
            [t for t in inputs if t is not None and t in view.inputs],
            [t for t in outputs if t is not None and t in view.outputs],
        )


def _target(sgv: SubGraphView, dst_graph: Any) -> Graph:
    graph = sgv.graph if dst_graph is None else dst_graph
    if not isinstance(graph, Graph):
        raise TypeError(f"Expected a tf.Graph, got: {type(graph)}")
    return graph


@export("contrib.graph_editor.copy")
def copy(
    sgv: Any,
    dst_graph: Graph | None = None,
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a subgraph, with placeholders for its inputs; see `Transformer.__call__`.

    The copy is in the same graph by default.
    """
    view = make_view(sgv)
    graph = _target(view, dst_graph)
    return Transformer()(view, graph, dst_scope, src_scope, reuse_dst_scope=reuse_dst_scope)


@export("contrib.graph_editor.copy_with_input_replacements")
def copy_with_input_replacements(
    sgv: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_graph: Graph | None = None,
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of a subgraph, some of whose inputs are replaced: {original: replacement}.

    Other inputs stay, or become placeholders in another graph; see `Transformer.__call__`.
    """
    view = make_view(sgv)
    graph = _target(view, dst_graph)
    copier = Transformer()

    def replaced(info: Any, t: Tensor) -> Tensor:
        return replacement_ts[t] if t in replacement_ts else keep_t_if_possible_handler(info, t)

    copier.transform_external_input_handler = replaced
    return copier(view, graph, dst_scope, src_scope, reuse_dst_scope=reuse_dst_scope)


@export("contrib.graph_editor.graph_replace")
def graph_replace(
    target_ts: Any,
    replacement_ts: dict[Tensor, Tensor],
    dst_scope: str = "",
    src_scope: str = "",
    reuse_dst_scope: bool = False,
) -> Any:
    """The targets (a tensor or nested ones) as they are when some tensors are replaced by others.

    What lies between the replaced tensors and the targets is copied within the graph. ValueError
    when nothing does.
    """
    targets = util.leaves_of(target_ts)
    control_ios = util.ControlOutputs(util.unique_graph(targets, Tensor))
    ops = select.get_walks_intersection_ops(list(replacement_ts), targets, control_ios=control_ios)
    if not ops:
        raise ValueError("Targets and replacements are not connected!")
    _, info = copy_with_input_replacements(
        ops, replacement_ts, None, dst_scope, src_scope, reuse_dst_scope
    )
    return info.transformed(target_ts, lambda original: original)
