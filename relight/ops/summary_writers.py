"""Ops that write summaries into event files themselves: what `tf.contrib.summary` is made of."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2, graph_pb2, summary_pb2

from relight.formats.events import EventFileWriter
from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.array import invalid
from relight.ops.files import told
from relight.ops.shape_rules import scalar
from relight.ops.summary import AudioSummaryV2, ImageSummary, histogram, tensor_content


class Writer:
    """The resource of a SummaryWriter node: nothing until it is created, and again once closed."""

    def __init__(self, name: str):
        self._name = name
        self._lock = threading.Lock()
        self._file: EventFileWriter | None = None

    def create(self, logdir: str, max_queue: int, flush_millis: int, suffix: str) -> None:
        """Open a file in `logdir`. Nothing happens when that was done before."""
        with self._lock, told(logdir):
            if self._file is None:
                self._file = EventFileWriter(logdir, max_queue, flush_millis / 1000, suffix)

    def _opened(self) -> EventFileWriter:
        if self._file is None:
            raise errors.NotFoundError(
                None, None, f"Resource localhost/{self._name}/SummaryWriter does not exist."
            )
        return self._file

    def add(self, event: Any) -> None:
        """Write an Event. NotFoundError when the writer was not created, or is closed."""
        with self._lock:
            file = self._opened()
            with told(file.get_logdir()):
                file.add_event(event)

    def flush(self) -> None:
        """Hand what waits to the operating system."""
        with self._lock:
            file = self._opened()
            with told(file.get_logdir()):
                file.flush()

    def close(self) -> None:
        """Write what waits and close the file."""
        with self._lock:
            if self._file is not None:
                with told(self._file.get_logdir()):
                    self._file.close()
                self._file = None


@op("SummaryWriter", shape=scalar, specialise=True, takes_session=True)
def SummaryWriter(node: Any) -> Any:
    """A writer that nodes of one shared name have in common."""
    name = node._attrs["shared_name"] or node.name
    key = ("summary writer", node._attrs["container"], name)
    return lambda state: state.resource(key, lambda: Writer(name))


@op("CreateSummaryFileWriter")
def CreateSummaryFileWriter(writer, logdir, max_queue, flush_millis, filename_suffix):
    """Open a new event file for a writer, unless it has one."""
    writer.create(
        logdir[()].decode(),
        int(max_queue),
        int(flush_millis),
        filename_suffix[()].decode(),
    )


op("FlushSummaryWriter")(lambda writer: writer.flush())
op("CloseSummaryWriter")(lambda writer: writer.close())


def _text(tag: np.ndarray) -> str:
    raw: Any = tag[()]
    return raw.decode("utf-8", "replace")


def _write(writer: Writer, step: np.ndarray, summary: Any) -> None:
    writer.add(event_pb2.Event(wall_time=time.time(), step=int(step), summary=summary))


@op("WriteScalarSummary", host=("step", "tag", "value"))
def WriteScalarSummary(writer, step, tag, value):
    """A summary of one value."""
    summary = summary_pb2.Summary()
    summary.value.add(tag=_text(tag), simple_value=float(value))
    _write(writer, step, summary)


@op("WriteHistogramSummary", specialise=True, host=("step", "tag", "values"))
def WriteHistogramSummary(node: Any) -> Any:
    """A summary of the distribution of the elements of a tensor."""
    name = node.name

    def kernel(writer: Writer, step: np.ndarray, tag: np.ndarray, values: np.ndarray) -> None:
        exact = values.astype(np.float64)
        if not np.isfinite(exact).all():
            kind = "Nan" if np.isnan(exact[~np.isfinite(exact)][0]) else "Infinity"
            raise invalid(f"{kind} in summary histogram for: {name}")
        summary = summary_pb2.Summary()
        summary.value.add(tag=_text(tag)).histo.CopyFrom(histogram(exact))
        _write(writer, step, summary)

    return kernel


@op("WriteImageSummary", host=("step", "tag", "tensor", "bad_color"))
def WriteImageSummary(writer, step, tag, tensor, bad_color, *, max_images):
    """The first images of a batch [batch, height, width, 1, 3 or 4]."""
    serialized = ImageSummary.kernel(tag, tensor, max_images=max_images, bad_color=bad_color)
    _write(writer, step, summary_pb2.Summary.FromString(serialized[()]))


@op("WriteAudioSummary", host=("step", "tag", "tensor", "sample_rate"))
def WriteAudioSummary(writer, step, tag, tensor, sample_rate, *, max_outputs):
    """The first clips of a batch [batch, frames] or [batch, frames, channels]."""
    serialized = AudioSummaryV2.kernel(tag, tensor, sample_rate, max_outputs=max_outputs)
    _write(writer, step, summary_pb2.Summary.FromString(serialized[()]))


@op("WriteSummary", host=("step", "tensor", "tag", "summary_metadata"))
def WriteSummary(writer, step, tensor, tag, summary_metadata, *, T):
    """A whole tensor, with a serialized SummaryMetadata that says how to show it."""
    summary = summary_pb2.Summary()
    entry = summary.value.add(tag=_text(tag))
    entry.tensor.CopyFrom(tensor_content(tensor, T))
    try:
        entry.metadata.ParseFromString(summary_metadata[()])
    except DecodeError:
        raise invalid("Could not parse the serialized summary metadata") from None
    _write(writer, step, summary)


@op("WriteRawProtoSummary", host=("step", "tensor"))
def WriteRawProtoSummary(writer, step, tensor):
    """Serialized Summary protos, all in one event."""
    summary = summary_pb2.Summary()
    for raw in tensor.ravel().tolist():
        try:
            summary.MergeFromString(raw)
        except DecodeError:
            raise errors.DataLossError(
                None, None, "Bad tf.compat.v1.Summary binary proto tensor string"
            ) from None
    _write(writer, step, summary)


@op("WriteGraphSummary", host=("step", "tensor"))
def WriteGraphSummary(writer, step, tensor):
    """A serialized GraphDef."""
    raw: Any = tensor[()]
    try:
        graph_pb2.GraphDef.FromString(raw)
    except DecodeError:
        raise errors.DataLossError(
            None, None, "Bad tf.GraphDef binary proto tensor string"
        ) from None
    writer.add(event_pb2.Event(wall_time=time.time(), step=int(step), graph_def=raw))


@op("ImportEvent", host=("event",))
def ImportEvent(writer, event):
    """A serialized Event, written as it is."""
    try:
        parsed = event_pb2.Event.FromString(event[()])
    except DecodeError:
        raise errors.DataLossError(None, None, "Bad tf.Event binary proto tensor string") from None
    writer.add(parsed)


not_differentiable(
    "SummaryWriter", "CreateSummaryFileWriter", "FlushSummaryWriter", "CloseSummaryWriter",
    "WriteScalarSummary", "WriteHistogramSummary", "WriteImageSummary", "WriteAudioSummary",
    "WriteSummary", "WriteRawProtoSummary", "WriteGraphSummary", "ImportEvent",
)  # fmt: skip
