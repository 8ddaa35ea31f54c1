"""MetaGraphs: a graph with its collections and saver, written to a file and read again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import (
    attr_value_pb2,
    graph_pb2,
    meta_graph_pb2,
    node_def_pb2,
    op_def_pb2,
    saver_pb2,
    variable_pb2,
)

from relight.graph import attrs as attr_values
from relight.graph import graph_def as graph_defs
from relight.graph import opdef
from relight.graph.collections import GraphKeys
from relight.graph.graph import Graph, get_default_graph
from relight.graph.node import Tensor
from relight.v1 import logging
from relight.v1.functions.graph_io import import_graph_def, write_graph
from relight.v1.functions.variables import Variable, prepend_scope, strip_scope

UNBOUND_PREFIX = "$unbound_inputs_"
_TENSORFLOW_VERSION = "1.15.0"
_VARIABLE_COLLECTIONS = (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.GLOBAL_STEP,
    GraphKeys.METRIC_VARIABLES,
)
_OLD_KINDS = (GraphKeys.LOCAL_VARIABLES, GraphKeys.MODEL_VARIABLES, GraphKeys.METRIC_VARIABLES)
_CONTEXTS = (GraphKeys.COND_CONTEXT, GraphKeys.WHILE_CONTEXT)
_SAVER_OPS = frozenset(
    [
        "SaveV2",
        "Save",
        "SaveSlice",
        "LegacySave",
        "LegacySaveSlice",
        "RestoreV2",
        "Restore",
        "RestoreSlice",
        "LegacyRestore",
        "LegacyRestoreSlice",
    ]
)


class _Conversion(NamedTuple):
    proto_type: Any
    to_proto: Callable[..., Any]
    from_proto: Callable[..., Any]


_conversions: dict[str, _Conversion] = {}


def register_proto_function(
    collection_name: str,
    proto_type: Any,
    to_proto: Callable[..., Any],
    from_proto: Callable[..., Any],
) -> None:
    """How the items of a collection become protos (`to_proto(item, export_scope=)`) and back."""
    if not callable(to_proto) or not callable(from_proto):
        raise TypeError("to_proto and from_proto must be callable.")
    _conversions[collection_name] = _Conversion(proto_type, to_proto, from_proto)


def _variable_to_proto(variable: Any, export_scope: str | None = None) -> Any:
    return variable.to_proto(export_scope=export_scope)


for _name in _VARIABLE_COLLECTIONS:
    register_proto_function(
        _name, variable_pb2.VariableDef, _variable_to_proto, Variable.from_proto
    )


def conversion(key: str) -> _Conversion | None:
    """How items of a collection are converted, or None when they are nodes or plain values."""
    if key == GraphKeys.QUEUE_RUNNERS and key not in _conversions:
        from relight.formats.protos import QueueRunnerDef
        from relight.v1.train.queue_runner import QueueRunner

        register_proto_function(key, QueueRunnerDef, QueueRunner.to_proto, QueueRunner.from_proto)
    return _conversions.get(key)


# -- from the graph ------------------------------------------------------------------------------


def used_ops(graph_def: Any) -> set[str]:
    """The op types of a GraphDef and of the functions that it calls, without function names."""
    functions = {f.signature.name: f for f in graph_def.library.function}
    used: set[str] = set()
    waiting = [n.op for n in graph_def.node]
    while waiting:
        op = waiting.pop()
        if op in used:
            continue
        used.add(op)
        if op in functions:
            waiting.extend(n.op for n in functions[op].node_def)
    return used - set(functions)


def stripped_op_list_for_graph(graph_def: Any) -> Any:
    """The signatures of the ops that a GraphDef uses, as OpList. ValueError for an unknown op."""
    used = used_ops(graph_def)
    known = opdef.signature_lines()
    for op in sorted(used):
        if op not in known and op not in ("_Arg", "_Retval", "_ListToArray", "_ArrayToList"):
            raise ValueError(f"Op {op} is used by the graph, but is not registered")
    return op_def_pb2.OpList(op=[graph_defs.op_def_proto(o) for o in sorted(used) if o in known])


def _stripped_node(node: Any, scope: str | None, unbound: list[str], clear_devices: bool) -> Any:
    """A node without its export scope; inputs from outside get a marked name."""
    result = node_def_pb2.NodeDef()
    result.CopyFrom(node)
    for i, text in enumerate(node.input):
        if scope and not text.lstrip("^").startswith(scope):
            result.input[i] = re.sub(r"([\^]|^)(.*)", r"\1" + UNBOUND_PREFIX + r"\2", text)
            unbound.append(result.input[i])
        else:
            result.input[i] = strip_scope(text, scope)
    result.name = strip_scope(node.name, scope)
    if "_class" in node.attr:
        kept = [
            strip_scope(s.decode(), scope).encode()
            for s in node.attr["_class"].list.s
            if not scope or s.decode().split("@")[1].startswith(scope)
        ]
        result.attr["_class"].CopyFrom(
            attr_value_pb2.AttrValue(list=attr_value_pb2.AttrValue.ListValue(s=kept))
        )
    if node.op in ("Enter", "RefEnter") and scope and "frame_name" in node.attr:
        frame = node.attr["frame_name"].s.decode()
        if frame.startswith(scope):
            result.attr["frame_name"].s = strip_scope(frame, scope).encode()
    if clear_devices:
        result.device = ""
    return result


def _op_name(name: str) -> str:
    return name.lstrip("^").partition(":")[0]


def _extraneous_saver_nodes(graph_def: Any, saver_def: Any) -> set[str]:
    """The nodes of savers other than that of `saver_def`."""
    scopes = {
        n.name.rpartition("/")[0] + "/"
        for n in graph_def.node
        if n.op in _SAVER_OPS and "/" in n.name
    }
    if saver_def is not None:
        for name in (saver_def.save_tensor_name, saver_def.restore_op_name):
            scopes.discard(_op_name(name).rpartition("/")[0] + "/")
    return {n.name for n in graph_def.node if any(n.name.startswith(s) for s in scopes)}


def _included(item: Any, scope: str | None, excluded: set[str] | None) -> bool:
    name = item if isinstance(item, str) else getattr(item, "name", None)
    if not isinstance(name, str):
        return True
    if excluded and (name in excluded or _op_name(name) in excluded):
        return False
    return name.startswith(UNBOUND_PREFIX) or not scope or name.startswith(scope)


def _kind(item: Any) -> str:
    if isinstance(item, (str, bytes)):
        return "bytes_list"
    if isinstance(item, int):
        return "int64_list"
    if isinstance(item, float):
        return "float_list"
    if type(item).__name__ == "Any" and hasattr(item, "type_url"):
        return "any_list"
    return "node_list"


def add_collection_def(
    meta_graph_def: Any,
    key: Any,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: set[str] | None = None,
    override_contents: list[Any] | None = None,
) -> None:
    """Write one collection into a MetaGraphDef; one that cannot be written is warned about."""
    if not isinstance(key, (str, bytes)):
        logging.warning(
            "Only collections with string type keys will be serialized. This key has %s", type(key)
        )
        return
    graph = graph or get_default_graph()
    items = override_contents or graph.get_collection(key)
    items = [x for x in items if _included(x, export_scope, exclude_nodes)]
    if not items or (key in _CONTEXTS and (export_scope or not isinstance(items[0], bytes))):
        return
    try:
        target = meta_graph_def.collection_def[key]
        known = conversion(key)
        if known is not None:
            for item in items:
                proto = known.to_proto(item, export_scope=export_scope)
                if proto is not None:
                    target.bytes_list.value.append(proto.SerializeToString())
            return
        kind = _kind(items[0])
        values = getattr(target, kind).value
        if kind == "node_list":
            for item in items:
                if not export_scope or item.name.startswith(export_scope):
                    values.append(strip_scope(item.name, export_scope))
        elif kind == "bytes_list":
            values.extend(x.encode() if isinstance(x, str) else x for x in items)
        else:
            values.extend(items)
    except (TypeError, ValueError, AttributeError, AssertionError) as error:
        logging.warning(
            "Issue encountered when serializing %s.\nType is unsupported, or the types of the "
            "items don't match field type in CollectionDef. Note this is a warning and probably "
            "safe to ignore.\n%s",
            key,
            str(error),
        )
        meta_graph_def.collection_def.pop(key, None)


def strip_default_attrs_of(meta_graph_def: Any) -> None:
    """Remove every attr that has its default value."""
    functions = {f.signature.name for f in meta_graph_def.graph_def.library.function}
    known = opdef.signature_lines()
    nodes = list(meta_graph_def.graph_def.node)
    for function in meta_graph_def.graph_def.library.function:
        nodes.extend(function.node_def)
    for node in nodes:
        if node.op in functions or node.op not in known:
            continue
        for attr in opdef.op_def(node.op).attrs.values():
            if attr.has_default and attr.name in node.attr:
                if node.attr[attr.name] == attr_values.to_proto(attr.default, attr.kind):
                    del node.attr[attr.name]
    meta_graph_def.meta_info_def.stripped_default_attrs = True


def create_meta_graph_def(
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Sequence[Any] | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: set[str] | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> Any:
    """A MetaGraphDef of a graph, its collections and a saver. TypeError for other protos."""
    if graph and not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph, not {type(graph)}")
    info_type = meta_graph_pb2.MetaGraphDef.MetaInfoDef
    if meta_info_def and not isinstance(meta_info_def, info_type):
        raise TypeError(f"meta_info_def must be of type MetaInfoDef, not {type(meta_info_def)}")
    if graph_def and not isinstance(graph_def, graph_pb2.GraphDef):
        raise TypeError(f"graph_def must be of type GraphDef, not {type(graph_def)}")
    if saver_def and not isinstance(saver_def, saver_pb2.SaverDef):
        raise TypeError(f"saver_def must be of type SaverDef, not {type(saver_def)}")
    graph = graph or get_default_graph()
    result = meta_graph_pb2.MetaGraphDef()
    if meta_info_def:
        result.meta_info_def.CopyFrom(meta_info_def)
    result.meta_info_def.tensorflow_version = _TENSORFLOW_VERSION
    result.meta_info_def.tensorflow_git_version = "relight"
    result.graph_def.CopyFrom(graph_def or graph.as_graph_def(add_shapes=True))
    if not result.meta_info_def.stripped_op_list.op:
        result.meta_info_def.stripped_op_list.CopyFrom(stripped_op_list_for_graph(result.graph_def))
    if strip_default_attrs:
        strip_default_attrs_of(result)
    if saver_def:
        result.saver_def.CopyFrom(saver_def)
    keys = graph.get_all_collection_keys() if collection_list is None else collection_list
    for key in keys:
        override = None
        if clear_extraneous_savers and key == GraphKeys.SAVERS:
            known = conversion(key)
            assert known is not None
            override = [known.from_proto(saver_def)]
        add_collection_def(result, key, graph, export_scope, exclude_nodes, override)
    return result


def export_scoped_meta_graph(
    filename: str | None = None,
    graph_def: Any = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    as_text: bool = False,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    clear_devices: bool = False,
    saver_def: Any = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> tuple[Any, dict[str, Any]]:
    """(MetaGraphDef, {name in the scope: variable}) of a graph or of one name scope of it."""
    del save_debug_info
    graph = graph or get_default_graph()
    exclude: set[str] | None = None
    unbound: list[str] = []
    if export_scope or clear_extraneous_savers or clear_devices:
        whole = graph_def or graph.as_graph_def(add_shapes=True)
        if clear_extraneous_savers:
            exclude = _extraneous_saver_nodes(whole, saver_def)
        graph_def = graph_pb2.GraphDef(versions=whole.versions, library=whole.library)
        for node in whole.node:
            if _included(node.name, export_scope, exclude):
                graph_def.node.append(_stripped_node(node, export_scope, unbound, clear_devices))
        if unbound_inputs_col_name:
            finalized, graph._finalized = graph._finalized, False
            try:
                graph.clear_collection(unbound_inputs_col_name)
                for name in unbound:
                    graph.add_to_collection(unbound_inputs_col_name, name)
            finally:
                graph._finalized = finalized
    variables = {
        strip_scope(v.name, export_scope): v
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=export_scope)
        if _included(v, export_scope, exclude)
    }
    made = create_meta_graph_def(
        graph_def=graph_def,
        graph=graph,
        export_scope=export_scope,
        exclude_nodes=exclude,
        clear_extraneous_savers=clear_extraneous_savers,
        saver_def=saver_def,
        strip_default_attrs=strip_default_attrs,
        **kwargs,
    )
    if filename:
        write_graph(made, os.path.dirname(filename), os.path.basename(filename), as_text=as_text)
    return made, variables


# -- into a graph --------------------------------------------------------------------------------


def read_meta_graph_file(filename: str) -> Any:
    """The MetaGraphDef in a binary or text file. OSError when it is missing or neither."""
    filename = os.fspath(filename)
    if not os.path.exists(filename):
        raise OSError(f"File {filename} does not exist.")
    with open(filename, "rb") as file:
        contents = file.read()
    result = meta_graph_pb2.MetaGraphDef()
    try:
        result.ParseFromString(contents)
        return result
    except DecodeError:
        result.Clear()
    try:
        text_format.Merge(contents.decode("utf-8"), result)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {filename}: {error}.") from None
    return result


def _check_unbound(meta_graph_def: Any, name: str, input_map: Any) -> None:
    if name not in meta_graph_def.collection_def:
        return
    wanted = list(meta_graph_def.collection_def[name].bytes_list.value)
    texts = [w.decode() for w in wanted]
    if texts and (not input_map or sorted(texts) != sorted(input_map)):
        missing = ",".join(t for t in texts if not input_map or t not in input_map)
        raise ValueError(
            f"Graph contains unbound inputs: {missing}. Must provide these inputs through "
            "input_map."
        )


def _older_than_1_9(version: str) -> bool:
    numbers = re.findall(r"\d+", version)[:2]
    return bool(numbers) and tuple(map(int, numbers)) < (1, 9)


def _add_collection(
    graph: Graph, key: str, value: Any, scope: str, variables: dict[bytes, Any], old: bool
) -> None:
    kind = value.WhichOneof("kind")
    if kind is None:
        logging.error("Cannot identify data type for collection %s. Skipping.", key)
        return
    if key in _CONTEXTS:
        # Old control flow is raised from the nodes themselves; what TensorFlow wants to know of it
        # is kept as it is, for a meta graph that is exported again.
        if kind == "bytes_list" and not scope:
            for item in value.bytes_list.value:
                graph.add_to_collection(key, item)
        return
    known = conversion(key)
    if known is not None and kind == "bytes_list":
        for item in value.bytes_list.value:
            if key in _VARIABLE_COLLECTIONS and item in variables:
                graph.add_to_collection(key, variables[item])
                continue
            try:
                proto = known.proto_type.FromString(item)
            except DecodeError as error:
                raise ValueError(f"collection {key!r} holds a damaged proto: {error}") from None
            if key in _VARIABLE_COLLECTIONS and old:
                proto.trainable = key == GraphKeys.TRAINABLE_VARIABLES
            made = known.from_proto(proto, import_scope=scope)
            variables[item] = made
            graph.add_to_collection(key, made)
        return
    values = getattr(value, kind).value
    if key in _OLD_KINDS:
        logging.warning(
            "The saved meta_graph is possibly from an older release:\n'%s' collection should be of "
            "type 'byte_list', but instead is of type '%s'.",
            key,
            kind,
        )
    for item in values:
        if kind == "node_list":
            graph.add_to_collection(key, graph.as_graph_element(prepend_scope(item, scope)))
        elif kind == "bytes_list":
            text = item.decode("utf-8", "surrogateescape")
            graph.add_to_collection(key, prepend_scope(text, scope) if scope else item)
        elif kind == "int64_list":
            graph.add_to_collection(key, int(item))
        else:
            graph.add_to_collection(key, item)


def import_scoped_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: dict[str, Tensor] | None = None,
    unbound_inputs_col_name: str = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Sequence[str] | None = None,
) -> tuple[dict[str, Any], Any]:
    """Add a MetaGraph to a graph: ({name in the scope: variable}, returned elements)."""
    proto = meta_graph_or_file
    if not isinstance(proto, meta_graph_pb2.MetaGraphDef):
        proto = read_meta_graph_file(proto)
    _check_unbound(proto, unbound_inputs_col_name, input_map)
    graph = graph or get_default_graph()
    with graph.as_default():
        producer = None
        if proto.meta_info_def.HasField("stripped_op_list"):
            producer = proto.meta_info_def.stripped_op_list
        if clear_devices:
            for node in proto.graph_def.node:
                node.device = ""
        scope = graph.unique_name(import_scope or "", mark_as_used=False) if import_scope else ""
        if not import_scope and graph.get_name_scope():
            scope = graph.get_name_scope() + "/"
        returned = import_graph_def(
            proto.graph_def,
            name=import_scope or scope,
            input_map=input_map,
            producer_op_list=producer,
            return_elements=return_elements,
        )
        old = _older_than_1_9(proto.meta_info_def.tensorflow_version)
        keys = sorted(proto.collection_def, key=lambda k: (k != GraphKeys.TRAINABLE_VARIABLES, k))
        variables: dict[bytes, Any] = {}
        for key in keys:
            if key != unbound_inputs_col_name and restore_collections_predicate(key):
                _add_collection(graph, key, proto.collection_def[key], scope, variables, old)
        found = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope or None)
        return {strip_scope(v.name, scope): v for v in found}, returned
