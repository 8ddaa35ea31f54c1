"""`tf.graph_util`: GraphDefs cut down to what an output needs, with variables frozen."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from tensorboard.compat.proto import graph_pb2, node_def_pb2

from relight.graph import dtypes, tensor_proto
from relight.graph.export import export
from relight.graph.graph import Graph
from relight.graph.node import Operation
from relight.ops.constants import as_array
from relight.v1 import logging

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_VARIABLE_OPS = frozenset(
    [
        "Assign",
        "AssignAdd",
        "AssignSub",
        "Queue",
        "ScatterAdd",
        "ScatterSub",
        "ScatterUpdate",
        "TruncatedNormal",
        "Variable",
        "VariableV2",
    ]
)
_CARRIERS = ("Switch", "Enter", "Exit", "Identity", "Merge", "NextIteration")


@export("graph_util.must_run_on_cpu")
def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Whether a node (Operation or NodeDef) can run on the CPU only."""
    proto = node.node_def if isinstance(node, Operation) else node
    assert isinstance(proto, node_def_pb2.NodeDef)
    if pin_variables_on_cpu and proto.op in _VARIABLE_OPS:
        return True
    attr = {"Const": "dtype", "DynamicStitch": "T", "ParallelDynamicStitch": "T", "Cast": "SrcT"}
    if proto.op not in attr:
        return False
    dtype = dtypes.as_dtype(proto.attr[attr[proto.op]].type)
    return dtype == dtypes.int32 or (proto.op == "Const" and dtype == dtypes.string)


def _node_name(text: str) -> str:
    return text[1:] if text.startswith("^") else text.partition(":")[0]


@export("graph_util.extract_sub_graph")
def extract_sub_graph(graph_def: Any, dest_nodes: Sequence[str]) -> Any:
    """The GraphDef of `dest_nodes` and all that they need.

    Raises TypeError for arguments of another kind, AssertionError for a node that is not there.
    """
    if not isinstance(graph_def, graph_pb2.GraphDef):
        raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    needs: dict[str, list[str]] = {}
    for node in graph_def.node:
        found = [_node_name(i) for i in node.input]
        if "_class" in node.attr:
            groups = (s.decode("utf-8") for s in node.attr["_class"].list.s)
            found += [g[5:] for g in groups if g.startswith("loc:@")]
        needs[_node_name(node.name)] = found
    for name in dest_nodes:
        if name not in needs:
            raise AssertionError(f"{name} is not in graph")
    kept: set[str] = set()
    waiting = list(dest_nodes)
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept.add(name)
            waiting.extend(needs.get(name, ()))
    result = graph_pb2.GraphDef(library=graph_def.library, versions=graph_def.versions)
    result.node.extend(n for n in graph_def.node if _node_name(n.name) in kept)
    return result


@export("graph_util.tensor_shape_from_node_def_name")
def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> Any:
    """The static shape of a tensor given by name (`a` is `a:0`)."""
    return graph.get_tensor_by_name(input_name if ":" in input_name else input_name + ":0").shape


def _const(name: str, dtype: Any, value: Any) -> Any:
    """A Const node of a value, with the AttrValue `dtype`."""
    node = node_def_pb2.NodeDef(op="Const", name=name)
    node.attr["dtype"].CopyFrom(dtype)
    kind = dtypes.as_dtype(dtype.type)
    array, _ = as_array(value, kind)
    node.attr["value"].tensor.CopyFrom(tensor_proto.to_proto(array, kind))
    return node


def _handle_carriers(nodes: dict[str, Any]) -> dict[str, Any]:
    """Nodes that hand a variable's handle on -> the AttrValue of the variable's type."""
    types: dict[str, Any] = {}
    for node in nodes.values():
        if node.op not in ("ReadVariableOp", "ResourceGather"):
            continue
        waiting = [_node_name(node.input[0])]
        while waiting and nodes[waiting[0]].op in _CARRIERS:
            name = waiting.pop()
            if name in types:
                continue
            types[name] = node.attr["dtype"]
            waiting.append(_node_name(nodes[name].input[0]))
            if nodes[name].op == "Merge":
                waiting.append(_node_name(nodes[name].input[1]))
        for name in waiting:
            if nodes[name].op != "VarHandleOp":
                raise ValueError("Cannot find the variable that is an input to the ReadVariableOp.")
    return types


@export("graph_util.convert_variables_to_constants")
def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Sequence[str],
    variable_names_whitelist: Sequence[str] | None = None,
    variable_names_blacklist: Sequence[str] | None = None,
) -> Any:
    """The GraphDef that `output_node_names` need, with variables replaced by their values."""
    graph_def = extract_sub_graph(input_graph_def, output_node_names)
    nodes = {n.name: n for n in graph_def.node}
    fetches: dict[str, str] = {}
    for node in graph_def.node:
        if node.op not in _VARIABLES:
            continue
        if variable_names_whitelist is not None and node.name not in variable_names_whitelist:
            continue
        if variable_names_blacklist is not None and node.name in variable_names_blacklist:
            continue
        read = "/Read/ReadVariableOp:0" if node.op == "VarHandleOp" else ":0"
        fetches[node.name] = node.name + read
    carriers = _handle_carriers(nodes)
    values = dict(zip(fetches, sess.run(list(fetches.values())), strict=True)) if fetches else {}
    logging.info("Froze %d variables.", len(values))
    result = graph_pb2.GraphDef(library=graph_def.library)
    for node in graph_def.node:
        if node.name in values:
            result.node.append(_const(node.name, node.attr["dtype"], values[node.name]))
        elif node.name in carriers:
            made = copy.deepcopy(node)
            made.attr.pop("_output_shapes", None)
            made.attr["T"].CopyFrom(carriers[node.name])
            result.node.append(made)
        elif node.op == "ReadVariableOp":
            made = node_def_pb2.NodeDef(op="Identity", name=node.name, input=[node.input[0]])
            made.attr["T"].CopyFrom(node.attr["dtype"])
            _copy_class(node, made)
            result.node.append(made)
        elif node.op == "ResourceGather":
            result.node.extend(_gather(node))
        else:
            result.node.append(node)
    logging.info("Converted %d variables to const ops.", len(values))
    return result


def _copy_class(source: Any, target: Any) -> None:
    if "_class" in source.attr:
        target.attr["_class"].CopyFrom(source.attr["_class"])


def _gather(node: Any) -> list[Any]:
    if "batch_dims" in node.attr and node.attr["batch_dims"].i != 0:
        raise ValueError("batch_dims != 0 is not supported by freeze_graph.")
    axis = _const(node.name + "/axis", node.attr["Tindices"], 0)
    made = node_def_pb2.NodeDef(
        op="GatherV2", name=node.name, input=[node.input[0], node.input[1], axis.name]
    )
    made.attr["Tparams"].CopyFrom(node.attr["dtype"])
    made.attr["Tindices"].CopyFrom(node.attr["Tindices"])
    made.attr["Taxis"].CopyFrom(node.attr["Tindices"])
    _copy_class(node, made)
    return [axis, made]


@export("graph_util.remove_training_nodes")
def remove_training_nodes(input_graph: Any, protected_nodes: Sequence[str] | None = None) -> Any:
    """The GraphDef without CheckNumerics nodes, and without Identity nodes that only hand on."""
    protected = set(protected_nodes or ())
    removed = {n.name for n in input_graph.node if n.op == "CheckNumerics"} - protected
    nodes = []
    for node in input_graph.node:
        if node.name in removed:
            continue
        kept = node_def_pb2.NodeDef()
        kept.CopyFrom(node)
        del kept.input[:]
        kept.input.extend(i for i in node.input if re.sub(r"^\^", "", i) not in removed)
        nodes.append(kept)
    controlling = {i.replace("^", "") for n in nodes for i in n.input if "^" in i}
    controlled = {n.name for n in nodes if any("^" in i for i in n.input)}
    spliced = {
        n.name: n.input[0]
        for n in nodes
        if n.op == "Identity"
        and n.name not in protected
        and n.name not in controlled
        and n.name not in controlling
    }
    result = graph_pb2.GraphDef()
    for node in nodes:
        if node.name in spliced:
            continue
        inputs = []
        for text in node.input:
            name = re.sub(r"^\^", "", text)
            while name in spliced:
                text = spliced[name]
                name = re.sub(r"^\^", "", text)
            inputs.append(text)
        del node.input[:]
        node.input.extend(inputs)
        result.node.append(node)
    return result
