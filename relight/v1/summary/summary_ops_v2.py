"""`tf.contrib.summary`: summaries that nodes of the graph write themselves.

A writer is a resource of the session; a summary is written whenever its operation runs and
recording is on, with the step that the global step, or `step`, has then.
"""

from __future__ import annotations

import abc
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tensorboard.compat.proto import graph_pb2

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph, get_default_session, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import identity
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1 import logging
from relight.v1.functions.array import placeholder
from relight.v1.functions.control_flow import smart_cond
from relight.v1.summary.summary_ops import all_v2_summary_ops, summary_scope
from relight.v1.train.training_util import get_or_create_global_step

_WRITER_INIT = "_SUMMARY_WRITER_V2"

all_summary_ops = export("contrib.summary.all_summary_ops")(all_v2_summary_ops)


class _Current(threading.local):
    """The writer and the condition of recording that are in force in a thread."""

    writer: Any = None
    recording: Any = None


_current = _Current()


# -- when to record ------------------------------------------------------------------------------


@export("contrib.summary.should_record_summaries")
def should_record_summaries() -> Tensor:
    """bool []: whether summaries are recorded here; not before one of the functions below said."""
    condition = _current.recording
    if callable(condition):
        condition = condition()
    return raw.LogicalAnd(x=True, y=False if condition is None else condition)


@contextlib.contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """Record inside where `condition` (a bool, a bool tensor, or a function of these) holds."""
    old = _current.recording
    _current.recording = condition
    try:
        yield
    finally:
        _current.recording = old


@export("contrib.summary.record_summaries_every_n_global_steps")
def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Any:
    """Record inside where the global step is a multiple of `n`."""
    if global_step is None:
        global_step = get_or_create_global_step()
    with get_default_graph().device("cpu:0"):
        return record_if(raw.Equal(x=global_step % n, y=0))


@export("contrib.summary.always_record_summaries")
def always_record_summaries() -> Any:
    """Record inside."""
    return record_if(True)


@export("contrib.summary.never_record_summaries")
def never_record_summaries() -> Any:
    """Do not record inside."""
    return record_if(False)


# -- writers -------------------------------------------------------------------------------------


@export("contrib.summary.SummaryWriter")
class SummaryWriter(abc.ABC):
    """What `create_file_writer` gives."""

    @abc.abstractmethod
    def set_as_default(self) -> None:
        """Write the summaries of this thread by this writer from here on."""

    @abc.abstractmethod
    def as_default(self) -> Any:
        """Write the summaries inside the `with` block by this writer."""

    def init(self) -> Any:
        """The operation that opens the file."""
        raise NotImplementedError()

    def flush(self) -> Any:
        """The operation that hands to the operating system what waits."""
        raise NotImplementedError()

    def close(self) -> Any:
        """The operation that closes the file."""
        raise NotImplementedError()


class ResourceSummaryWriter(SummaryWriter):
    """A writer that is a resource of the session."""

    def __init__(self, shared_name: str, init_op_fn: Callable[[Tensor], Operation]):
        self._resource = raw.SummaryWriter(shared_name=shared_name)
        self._init_op_fn = init_op_fn
        self._init_op = init_op_fn(self._resource)
        get_default_graph().add_to_collection(_WRITER_INIT, self._init_op)

    def set_as_default(self) -> None:
        """Write the summaries of this thread by this writer from here on."""
        _current.writer = self

    @contextlib.contextmanager
    def as_default(self) -> Iterator[ResourceSummaryWriter]:
        """Write the summaries inside the `with` block by this writer."""
        old = _current.writer
        _current.writer = self
        try:
            yield self
            self.flush()
        finally:
            _current.writer = old

    def init(self) -> Operation:
        """A new operation that opens the file."""
        return self._init_op_fn(self._resource)

    def flush(self) -> Operation:
        """A new operation that hands to the operating system what waits."""
        return flush(writer=self)

    def close(self) -> Operation:
        """A new operation that writes what waits and closes the file."""
        graph = get_default_graph()
        with graph.control_dependencies([self.flush()]), graph.device("cpu:0"):
            return raw.CloseSummaryWriter(writer=self._resource)


class NoopSummaryWriter(SummaryWriter):
    """A writer of nothing, nowhere."""

    def set_as_default(self) -> None:
        """Nothing."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[None]:
        """Nothing."""
        yield

    def init(self) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@export("contrib.summary.create_file_writer")
def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
) -> SummaryWriter:
    """A writer of event files in `logdir`; of nothing when that is None.

    At most `max_queue` (10) events wait, at most `flush_millis` (120,000); file names end with
    `filename_suffix` (`.v2`). Writers of one `name` in one session are one.
    """
    if logdir is None:
        return NoopSummaryWriter()
    logdir = str(logdir)
    with get_default_graph().device("cpu:0"):
        queue = constant(10) if max_queue is None else max_queue
        millis = constant(2 * 60 * 1000) if flush_millis is None else flush_millis
        suffix = constant(".v2") if filename_suffix is None else filename_suffix

        def create(resource: Tensor) -> Operation:
            return raw.CreateSummaryFileWriter(
                writer=resource,
                logdir=logdir,
                max_queue=queue,
                flush_millis=millis,
                filename_suffix=suffix,
            )

        return ResourceSummaryWriter("logdir:" + logdir if name is None else name, create)


@export("contrib.summary.create_summary_file_writer")
def create_summary_file_writer(*args: Any, **kwargs: Any) -> SummaryWriter:
    """The older name of `create_file_writer`."""
    logging.warning(
        "Deprecation Warning: create_summary_file_writer was renamed to create_file_writer"
    )
    return create_file_writer(*args, **kwargs)


@export("contrib.summary.summary_writer_initializer_op")
def summary_writer_initializer_op() -> list[Any]:
    """The operations that open the files of all writers of the default graph."""
    return get_default_graph().get_collection(_WRITER_INIT)


@export("summary.initialize", "contrib.summary.initialize")
def initialize(graph: Any = None, session: Any = None) -> None:
    """Open the files of all writers, and write `graph` (a Graph or GraphDef) when it is given.

    Raises RuntimeError without a default writer, ValueError without a session.
    """
    if _current.writer is None:
        raise RuntimeError("No default tf.contrib.summary.SummaryWriter found")
    if session is None:
        session = get_default_session()
        if session is None:
            raise ValueError("session must be passed if no default session exists")
    session.run(summary_writer_initializer_op())
    if graph is not None:
        data = _serialized(graph)
        x = placeholder(dtypes.string)
        session.run(_graph(x, 0), feed_dict={x: data})


@export("contrib.summary.flush")
def flush(writer: Any = None, name: str | None = None) -> Operation:
    """The operation that hands to the operating system what waits in a writer, or the default's."""
    if writer is None:
        writer = _current.writer
        if writer is None:
            return raw.NoOp()
    resource = writer._resource if isinstance(writer, ResourceSummaryWriter) else writer
    with get_default_graph().device("cpu:0"):
        return raw.FlushSummaryWriter(writer=resource, name=name)


@export("contrib.summary.eval_dir")
def eval_dir(model_dir: str, name: str | None = None) -> str:
    """The directory of an evaluation's events."""
    return os.path.join(model_dir, f"eval_{name}" if name else "eval")


# -- summaries -----------------------------------------------------------------------------------


def _step(step: Any) -> Any:
    if step is None:
        return get_or_create_global_step()
    return step if isinstance(step, Tensor) else convert_to_tensor(step, dtypes.int64)


def _record(
    name: str, tensor: Any, write: Callable[[Tensor, str, str], Operation], family: str | None
) -> Any:
    """bool []: whether was recorded what `write` (resource, tag, name scope) writes."""
    writer = _current.writer
    if writer is None:
        return raw.NoOp()
    scope = get_default_graph().get_name_scope()
    outer = scope + "/" if scope else scope

    def record() -> Tensor:
        with name_scope(outer), summary_scope(name, family, values=[tensor]) as (tag, inner):
            done = write(writer._resource, tag, inner)
            with get_default_graph().control_dependencies([done]):
                return constant(True)

    with get_default_graph().device("cpu:0"):
        result = smart_cond(should_record_summaries(), record, lambda: constant(False), name="")
        get_default_graph().add_to_collection(GraphKeys._SUMMARY_COLLECTION, result)
    return result


@export("contrib.summary.generic")
def generic(
    name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None
) -> Any:
    """Write a whole tensor, with `metadata`: a SummaryMetadata, or one serialized in a tensor."""

    def write(resource: Tensor, tag: str, scope: str) -> Operation:
        if metadata is None:
            serialized = constant("")
        elif hasattr(metadata, "SerializeToString"):
            serialized = constant(metadata.SerializeToString())
        else:
            serialized = metadata
        return raw.WriteSummary(
            writer=resource,
            step=_step(step),
            tensor=identity(tensor),
            tag=tag,
            summary_metadata=serialized,
            name=scope,
        )

    return _record(name, tensor, write, family)


@export("contrib.summary.scalar")
def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write one value."""

    def write(resource: Tensor, tag: str, scope: str) -> Operation:
        return raw.WriteScalarSummary(
            writer=resource, step=_step(step), tag=tag, value=identity(tensor), name=scope
        )

    return _record(name, tensor, write, family)


@export("contrib.summary.histogram")
def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write the distribution of the elements of a tensor."""

    def write(resource: Tensor, tag: str, scope: str) -> Operation:
        return raw.WriteHistogramSummary(
            writer=resource, step=_step(step), tag=tag, values=identity(tensor), name=scope
        )

    return _record(name, tensor, write, family)


@export("contrib.summary.image")
def image(
    name: str,
    tensor: Any,
    bad_color: Any = None,
    max_images: int = 3,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Write the first images of a batch [batch, height, width, 1, 3 or 4]."""

    def write(resource: Tensor, tag: str, scope: str) -> Operation:
        red = constant([255, 0, 0, 255], dtype=dtypes.uint8) if bad_color is None else bad_color
        return raw.WriteImageSummary(
            writer=resource,
            step=_step(step),
            tag=tag,
            tensor=identity(tensor),
            bad_color=red,
            max_images=max_images,
            name=scope,
        )

    return _record(name, tensor, write, family)


@export("contrib.summary.audio")
def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Write the first clips of a batch [batch, frames (, channels)]; `sample_rate` in Hz."""

    def write(resource: Tensor, tag: str, scope: str) -> Operation:
        return raw.WriteAudioSummary(
            writer=resource,
            step=_step(step),
            tag=tag,
            tensor=identity(tensor),
            sample_rate=sample_rate,
            max_outputs=max_outputs,
            name=scope,
        )

    return _record(name, tensor, write, family)


@export("contrib.summary.graph")
def graph(param: Any, step: Any = None, name: str | None = None) -> Operation:
    """The operation that writes a serialized GraphDef, a string tensor; TypeError otherwise."""
    if not isinstance(param, Tensor):
        raise TypeError(
            f"graph() needs a tf.Tensor (e.g. tf.placeholder) in graph mode, but was: {type(param)}"
        )
    writer = _current.writer
    if writer is None:
        return raw.NoOp()
    with get_default_graph().device("cpu:0"):
        tensor = identity(param)
        return raw.WriteGraphSummary(
            writer=writer._resource, step=_step(step), tensor=tensor, name=name
        )


_graph = graph  # for functions with an argument of that name


@export("contrib.summary.import_event")
def import_event(tensor: Any, name: str | None = None) -> Operation:
    """The operation that writes a serialized Event as it is."""
    return raw.ImportEvent(writer=_current.writer._resource, event=tensor, name=name)


def _serialized(graph: Any) -> bytes:
    if isinstance(graph, Graph):
        return graph.as_graph_def(add_shapes=True).SerializeToString()
    assert isinstance(graph, graph_pb2.GraphDef)
    return graph.SerializeToString()
