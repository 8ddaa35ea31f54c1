"""GraphDefs in and out: `tf.import_graph_def`, `tf.train.write_graph`."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format
from tensorboard.compat.proto import graph_pb2

from relight.graph import importer
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor
from relight.ops.files import told


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def as_graph_def(value: Any) -> Any:
    """`value` as GraphDef; TypeError for something else."""
    if isinstance(value, graph_pb2.GraphDef):
        return value
    serialize = getattr(value, "SerializeToString", None)
    name = getattr(getattr(value, "DESCRIPTOR", None), "name", None)
    if serialize is None or name != "GraphDef":
        raise TypeError("graph_def must be a GraphDef proto.")
    return graph_pb2.GraphDef.FromString(serialize())  # made by another copy of the proto classes


@export("import_graph_def", "graph_util.import_graph_def")
def import_graph_def(
    graph_def: Any,
    input_map: dict[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Add the nodes of a GraphDef to the default graph, under the name scope `name` ("import").

    `input_map` maps tensor names of the GraphDef (or `^name` for control inputs) to tensors that
    stand in for them. Gives the tensors (`"a:0"`) and operations (`"a"`) of `return_elements`.
    Raises TypeError for arguments of another kind, ValueError for a malformed GraphDef.
    """
    del op_dict
    graph_def = as_graph_def(graph_def)
    if input_map is None:
        input_map = {}
    elif not isinstance(input_map, dict) or not all(isinstance(k, (str, bytes)) for k in input_map):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    if return_elements is not None:
        if not all(isinstance(e, (str, bytes)) for e in return_elements):
            raise TypeError("return_elements must be a list of strings.")
        return_elements = [_text(e) for e in return_elements]
    graph = get_default_graph()
    with name_scope(name, "import", list(input_map.values())) as scope:
        graph = get_default_graph()
        prefix = scope[:-1] if scope else ""
        mapped = {_text(k): v for k, v in input_map.items()}
        if not all(isinstance(v, Tensor) for v in mapped.values()):
            if name == "":
                raise ValueError(
                    "tf.import_graph_def() requires a non-empty `name` if `input_map` contains "
                    "non-Tensor values. Try calling tf.convert_to_tensor() on `input_map` values "
                    "before calling tf.import_graph_def()."
                )
            with name_scope("_inputs"):
                mapped = {
                    k: v if k.startswith("^") and isinstance(v, Operation) else convert_to_tensor(v)
                    for k, v in mapped.items()
                }
    return importer.import_graph_def(
        graph, graph_def, prefix, mapped, return_elements, producer_op_list
    )


def write_atomically(path: str, contents: bytes, sync: bool = False) -> None:
    """Write a file under a temporary name and rename it, so that it is whole or absent."""
    temporary = f"{path}.tmp{secrets.token_hex(8)}"
    with told(path):
        try:
            with open(temporary, "xb") as file:
                file.write(contents)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


@export("train.write_graph", "io.write_graph")
def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a Graph or a GraphDef (or another proto) to `logdir/name`; gives that path.

    The directory is made when it is missing. Raises a `tf.errors` exception when it cannot be
    written.
    """
    proto = graph_or_graph_def
    if isinstance(proto, Graph):
        proto = proto.as_graph_def()
    logdir = os.fspath(logdir)
    if logdir:
        with told(logdir):
            os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    contents = text_format.MessageToString(proto).encode() if as_text else proto.SerializeToString()
    write_atomically(path, contents)
    return path
