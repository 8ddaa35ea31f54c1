"""`tf.summary.scalar` and its like: nodes that make serialized `Summary` protos."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf import json_format
from tensorboard.compat.proto import event_pb2, summary_pb2

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.v1 import logging

Summary = export("Summary", "summary.Summary")(summary_pb2.Summary)
SummaryMetadata = export("SummaryMetadata")(summary_pb2.SummaryMetadata)
SummaryDescription = export("summary.SummaryDescription")(summary_pb2.SummaryDescription)
HistogramProto = export("HistogramProto")(summary_pb2.HistogramProto)
Event = export("Event", "summary.Event")(event_pb2.Event)
SessionLog = export("SessionLog", "summary.SessionLog")(event_pb2.SessionLog)
LogMessage = export("LogMessage")(event_pb2.LogMessage)
TaggedRunMetadata = export("summary.TaggedRunMetadata")(event_pb2.TaggedRunMetadata)

_INVALID = re.compile(r"[^-/\w\.]")


def clean_tag(name: str | None) -> str | None:
    """The name with every character that names may not have replaced by `_`."""
    if name is None:
        return None
    clean = _INVALID.sub("_", name).lstrip("/")
    if clean != name:
        logging.info(f"Summary name {name} is illegal; using {clean} instead.")
    return clean


@contextlib.contextmanager
def summary_scope(
    name: str, family: str | None = None, default_name: str | None = None, values: Any = None
) -> Iterator[tuple[str, str]]:
    """(tag, name scope) of a summary: with a family, both begin with it."""
    name, family = clean_tag(name), clean_tag(family)
    base = name if family is None else f"{family}/{name}"
    with name_scope(base, default_name, values) as scope:
        tag = scope.rstrip("/")
        yield (tag if family is None else f"{family}/{tag}"), scope


def collect(value: Tensor, collections: Sequence[Any] | None, default: Sequence[Any]) -> None:
    """Add a summary to the collections that were asked for."""
    for key in default if collections is None else collections:
        get_default_graph().add_to_collection(key, value)


_SUMMARIES = (GraphKeys.SUMMARIES,)


@export("summary.scalar")
def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A summary of one value; a scalar string tensor."""
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        value = raw.ScalarSummary(tags=tag, values=tensor, name=scope)
        collect(value, collections, _SUMMARIES)
    return value


@export("summary.image")
def image(
    name: str,
    tensor: Any,
    max_outputs: int = 3,
    collections: Any = None,
    family: str | None = None,
) -> Tensor:
    """A summary of the first images of a batch [batch, height, width, 1, 3 or 4]."""
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        value = raw.ImageSummary(tag=tag, tensor=tensor, max_images=max_outputs, name=scope)
        collect(value, collections, _SUMMARIES)
    return value


@export("summary.histogram")
def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A summary of the distribution of the elements of a tensor."""
    with summary_scope(name, family, "HistogramSummary", [values]) as (tag, scope):
        value = raw.HistogramSummary(tag=tag, values=values, name=scope)
        collect(value, collections, _SUMMARIES)
    return value


@export("summary.audio")
def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Any = None,
    family: str | None = None,
) -> Tensor:
    """A summary of the first clips of a batch [batch, frames (, channels)]; `sample_rate` in Hz."""
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        rate = convert_to_tensor(sample_rate, dtype=dtypes.float32, name="sample_rate")
        value = raw.AudioSummaryV2(
            tag=tag, tensor=tensor, max_outputs=max_outputs, sample_rate=rate, name=scope
        )
        collect(value, collections, _SUMMARIES)
    return value


@export("summary.text")
def text(name: str, tensor: Tensor, collections: Any = None) -> Tensor:
    """A summary of a string tensor, shown as Markdown. ValueError for another dtype."""
    if tensor.dtype != dtypes.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    plugin = SummaryMetadata.PluginData(plugin_name="text")
    return tensor_summary(
        name, tensor, summary_metadata=SummaryMetadata(plugin_data=plugin), collections=collections
    )


@export("summary.tensor_summary")
def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: Any = None,
    collections: Any = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A summary of a whole tensor, with metadata that tells TensorBoard how to show it."""
    metadata = SummaryMetadata() if summary_metadata is None else summary_metadata
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        value = raw.TensorSummaryV2(
            tensor=tensor,
            tag=tag,
            name=scope,
            serialized_summary_metadata=metadata.SerializeToString(),
        )
        collect(value, collections, _SUMMARIES)
    return value


@export("summary.merge")
def merge(inputs: Sequence[Any], collections: Any = None, name: str | None = None) -> Tensor:
    """One summary of several; running it fails when a tag is there twice."""
    name = clean_tag(name)
    with name_scope(name, "Merge", inputs):
        value = raw.MergeSummary(inputs=list(inputs), name=name)
        collect(value, collections, ())
    return value


@export("summary.merge_all")
def merge_all(
    key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None
) -> Tensor | None:
    """One summary of all in a collection, or None when there is none."""
    items = get_default_graph().get_collection(key, scope)
    return merge(items, name=name) if items else None


@export("summary.all_v2_summary_ops")
def all_v2_summary_ops() -> list[Any]:
    """The summary operations of `tf.contrib.summary` in the default graph."""
    return get_default_graph().get_collection(GraphKeys._SUMMARY_COLLECTION)


@export("summary.get_summary_description")
def get_summary_description(node_def: Any) -> Any:
    """The SummaryDescription of a TensorSummary node. ValueError for another node."""
    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    return json_format.Parse(node_def.attr["description"].s.decode(), SummaryDescription())
