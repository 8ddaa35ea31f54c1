"""``relight inspect``: what is in a checkpoint, an event file, a graph or a SavedModel."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from typing import Any

import click
import numpy as np
from google.protobuf.message import DecodeError
from rich.console import Console
from rich.table import Table
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef
from tensorboard.compat.proto.types_pb2 import DataType

from relight.formats.bundle import index_path
from relight.formats.checkpoint import open_checkpoint
from relight.formats.checkpoint_state import read_state
from relight.formats.errors import FormatError
from relight.formats.events import event_files, read_events
from relight.formats.protos import SavedModel


def inspect(path: str, tensor: str | None = None) -> int:
    """Prints what `path` holds and returns the command's exit code: 1 when it cannot be read."""
    console = Console(markup=False, highlight=False)
    try:
        if tensor is not None:
            _tensor(console, _prefix(path) or path, tensor)
        else:
            _dispatch(console, path)
    except (FormatError, DecodeError, OSError, KeyError) as error:
        text = error.args[0] if isinstance(error, KeyError) else error
        click.echo(f"relight: cannot inspect {path}: {text}", err=True)
        return 1
    return 0


def _prefix(path: str) -> str | None:
    """The checkpoint that `path` names: a prefix, one of its files, or a folder's latest."""
    if os.path.isdir(path):
        state = os.path.join(path, "checkpoint")
        if not os.path.exists(state):
            return None
        return os.path.join(path, read_state(state).model_checkpoint_path)
    if os.path.basename(path) == "checkpoint":
        return os.path.join(os.path.dirname(path), read_state(path).model_checkpoint_path)
    stem, dot, end = path.rpartition(".")
    if dot and (end == "index" or end.startswith("data-")):
        return stem
    return path if os.path.exists(index_path(path)) else None


def _dispatch(console: Console, path: str) -> None:
    model = os.path.join(path, "saved_model.pb")
    name = os.path.basename(path)
    if os.path.isdir(path) and os.path.exists(model):
        _saved_model(console, model)
    elif name == "saved_model.pb":
        _saved_model(console, path)
    elif "tfevents" in name:
        _events(console, path)
    elif name.endswith(".meta"):
        meta = MetaGraphDef.FromString(_bytes(path))
        _collections(console, meta)
        _graph(console, meta.graph_def, path)
    elif name.endswith(".pb"):
        _graph(console, GraphDef.FromString(_bytes(path)), path)
    elif os.path.isdir(path) and _prefix(path) is None and event_files(path):
        for file in event_files(path):
            _events(console, file)
    else:
        _checkpoint(console, _prefix(path) or path)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _dtype(number: int) -> str:
    """DT_FLOAT as "float32", by TensorFlow's own names."""
    name = DataType.Name(number).removeprefix("DT_").lower() if number in DataType.values() else "?"
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def _checkpoint(console: Console, prefix: str) -> None:
    table = _table(
        f"checkpoint {prefix}", "tensor", "dtype", "shape", "elements", right=("elements",)
    )
    total = 0
    with open_checkpoint(prefix) as reader:
        for name in reader.names():
            shape = tuple(reader.shape(name))
            count = int(np.prod(shape, dtype=np.int64))
            total += count
            table.add_row(name, _dtype(reader.dtype_enum(name)), str(list(shape)), f"{count:,}")
    console.print(table)
    console.print(f"{table.row_count} tensors, {total:,} elements")


def _tensor(console: Console, prefix: str, name: str) -> None:
    with open_checkpoint(prefix) as reader:
        if not reader.has(name):
            raise KeyError(f"the checkpoint has no tensor {name!r}")
        value = reader.read(name)
    console.print(f"{name}  {value.dtype}  {list(value.shape)}")
    console.print(np.array2string(value, threshold=10_000))


def _events(console: Console, path: str) -> None:
    tags: dict[tuple[str, str], list[tuple[int, float | None]]] = defaultdict(list)
    other: Counter[str] = Counter()
    for event in read_events(path, growing=True):
        kind = event.WhichOneof("what")
        if kind != "summary":
            other[kind or "empty"] += 1
            continue
        for value in event.summary.value:
            what = value.WhichOneof("value") or "empty"
            number = value.simple_value if what == "simple_value" else None
            tags[value.tag, what].append((event.step, number))
    table = _table(
        f"events {path}", "tag", "kind", "events", "steps", "last value",
        right=("events", "steps", "last value"),
    )  # fmt: skip
    for (tag, what), points in sorted(tags.items()):
        steps = [step for step, _ in points]
        last = points[-1][1]
        shown = "" if last is None else f"{last:.6g}"
        table.add_row(tag, what, str(len(points)), f"{min(steps)}–{max(steps)}", shown)
    console.print(table)
    if other:
        text = ", ".join(f"{count} {kind}" for kind, count in sorted(other.items()))
        console.print(f"other events: {text}")


def _graph(console: Console, graph: Any, title: str) -> None:
    counts = Counter(node.op for node in graph.node)
    table = _table(f"graph {title}", "op", "nodes", "first of them", right=("nodes",))
    first: dict[str, str] = {}
    for node in graph.node:
        first.setdefault(node.op, node.name)
    for op, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(op, str(count), first[op])
    console.print(table)
    functions = len(graph.library.function)
    console.print(
        f"{len(graph.node)} nodes, {functions} functions, "
        f"producer version {graph.versions.producer}"
    )


def _collections(console: Console, meta: Any) -> None:
    table = _table(
        f"meta graph of TensorFlow {meta.meta_info_def.tensorflow_version or '?'}",
        "collection", "kind", "items", right=("items",),
    )  # fmt: skip
    for name, collection in sorted(meta.collection_def.items()):
        kind = collection.WhichOneof("kind") or "empty"
        items = len(getattr(collection, kind).value) if kind != "empty" else 0
        table.add_row(name, kind, str(items))
    console.print(table)


def _saved_model(console: Console, path: str) -> None:
    model = SavedModel.FromString(_bytes(path))
    for meta in model.meta_graphs:
        tags = ", ".join(meta.meta_info_def.tags)
        table = _table(
            f"signatures of the graph tagged [{tags}]",
            "signature", "method", "direction", "key", "tensor", "dtype", "shape",
        )  # fmt: skip
        for name, signature in sorted(meta.signature_def.items()):
            for way, infos in (("input", signature.inputs), ("output", signature.outputs)):
                for key, info in sorted(infos.items()):
                    unknown = info.tensor_shape.unknown_rank
                    sizes = [d.size if d.size >= 0 else None for d in info.tensor_shape.dim]
                    table.add_row(
                        name, signature.method_name, way, key, info.name, _dtype(info.dtype),
                        "?" if unknown else str(sizes),
                    )  # fmt: skip
        console.print(table)
        _graph(console, meta.graph_def, os.path.dirname(path) or ".")
