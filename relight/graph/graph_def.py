"""Graphs as `GraphDef` protos: export here; import in `relight.graph.importer`."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import graph_pb2, node_def_pb2, op_def_pb2, versions_pb2

from relight.graph import attrs, dtypes, opdef


def node_def(op: Any, add_shapes: bool = False) -> Any:
    """One operation as `NodeDef`."""
    proto = node_def_pb2.NodeDef(name=op.name, op=op.type, device=op.device)
    proto.input.extend(t._as_node_def_input() for t in op._inputs)
    proto.input.extend("^" + c.name for c in op._control_inputs)
    known = opdef.signature_lines()
    definitions = opdef.op_def(op.type).attrs if op.type in known else {}
    for name, value in op._attrs.items():
        if value is None:
            continue
        kind = definitions[name].kind if name in definitions else None
        dtype = op._attrs.get("dtype") if kind == "tensor" else None
        proto.attr[name].CopyFrom(attrs.to_proto(value, kind, dtype))
    if add_shapes and op.outputs:
        shapes = proto.attr["_output_shapes"].list
        shapes.shape.extend(t.shape.as_proto() for t in op.outputs)
    return proto


def export(graph: Any, from_version: int | None = None, add_shapes: bool = False) -> Any:
    """A graph (its operations made after `from_version`) as `GraphDef`, functions included."""
    producer, consumer = graph._graph_def_versions
    proto = graph_pb2.GraphDef(
        versions=versions_pb2.VersionDef(producer=producer, min_consumer=consumer)
    )
    for op in graph._nodes_by_id:
        if from_version is None or op._id > from_version:
            node = node_def(op, add_shapes)
            if len(op._control_inputs) > 1:  # a serialized graph has them sorted by name
                first = len(op._inputs)
                node.input[first:] = sorted(node.input[first:], key=str.encode)
            proto.node.append(node)
    for function in graph._functions.values():
        proto.library.function.append(function.definition)
    return proto


def _arg_proto(proto: Any, arg: opdef.ArgDef) -> None:
    proto.name = arg.name
    if arg.dtype is not None:
        proto.type = arg.dtype.as_datatype_enum
    if arg.type_attr is not None:
        proto.type_attr = arg.type_attr
    if arg.number_attr is not None:
        proto.number_attr = arg.number_attr
    if arg.type_list_attr is not None:
        proto.type_list_attr = arg.type_list_attr
    proto.is_ref = arg.is_ref


def op_def_proto(op_type: str) -> Any:
    """The signature of an op type as `OpDef`."""
    definition = opdef.op_def(op_type)
    proto = op_def_pb2.OpDef(name=op_type)
    for arg in definition.inputs:
        _arg_proto(proto.input_arg.add(), arg)
    for arg in definition.outputs:
        _arg_proto(proto.output_arg.add(), arg)
    for attr in definition.attrs.values():
        item = proto.attr.add(name=attr.name, type=attr.kind)
        if attr.has_default:
            item.default_value.CopyFrom(attrs.to_proto(attr.default, attr.kind))
        if attr.minimum is not None:
            item.has_minimum = True
            item.minimum = attr.minimum
        if attr.allowed is not None:
            for value in attr.allowed:
                if isinstance(value, dtypes.DType):
                    item.allowed_values.list.type.append(value.as_datatype_enum)
                else:
                    item.allowed_values.list.s.append(value.encode())
    for flag in definition.flags:
        setattr(proto, flag, True)
    return proto
