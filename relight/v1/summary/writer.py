"""`tf.summary.FileWriter`: summaries, graphs and run metadata as events in a file."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

from tensorboard.compat.proto import event_pb2, graph_pb2, meta_graph_pb2, summary_pb2

from relight.formats.events import EventFileWriter, read_events
from relight.graph.export import export
from relight.graph.graph import Graph
from relight.ops.files import told
from relight.v1 import logging


class SummaryToEventTransformer:
    """Wraps summaries and other records as `Event` protos and hands them to an event writer."""

    def __init__(self, event_writer: Any, graph: Any = None, graph_def: Any = None):
        self.event_writer = event_writer
        self._session_run_tags: set[str] = set()
        self._seen_summary_tags: set[str] = set()
        if graph is not None or graph_def is not None:
            from relight.v1.train.meta_graph import create_meta_graph_def

            self.add_graph(graph=graph, graph_def=graph_def)
            proto = graph.as_graph_def(add_shapes=True) if isinstance(graph, Graph) else graph
            self.add_meta_graph(create_meta_graph_def(graph_def=graph_def or proto))

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write a Summary proto, or one serialized; a tag's metadata is written once only."""
        if isinstance(summary, bytes):
            summary = summary_pb2.Summary.FromString(summary)
        for value in summary.value:
            if not value.HasField("metadata"):
                continue
            if value.tag in self._seen_summary_tags:
                value.ClearField("metadata")
            else:
                self._seen_summary_tags.add(value.tag)
        self._add_event(event_pb2.Event(summary=summary), global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Write a SessionLog proto."""
        self._add_event(event_pb2.Event(session_log=session_log), global_step)

    def add_graph(self, graph: Any = None, global_step: Any = None, graph_def: Any = None) -> None:
        """Write a Graph (or, deprecated, a GraphDef) for TensorBoard to show.

        Raises ValueError when both are given, TypeError when neither is.
        """
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        given = graph if graph is not None else graph_def
        if isinstance(given, Graph):
            if graph is None:
                logging.warning(
                    "When passing a `Graph` object, please use the `graph` named argument instead "
                    "of `graph_def`."
                )
            given = given.as_graph_def(add_shapes=True)
        elif isinstance(given, graph_pb2.GraphDef):
            logging.warning(
                "Passing a `GraphDef` to the SummaryWriter is deprecated. Pass a `Graph` object "
                "instead, such as `sess.graph`."
            )
        else:
            raise TypeError(
                "The passed graph must be an instance of `Graph` or the deprecated `GraphDef`"
            )
        self._add_event(event_pb2.Event(graph_def=given.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Write a MetaGraphDef. TypeError for something else."""
        if not isinstance(meta_graph_def, meta_graph_pb2.MetaGraphDef):
            raise TypeError(
                f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}"
            )
        event = event_pb2.Event(meta_graph_def=meta_graph_def.SerializeToString())
        self._add_event(event, global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Write the trace of one run under `tag`. ValueError when the tag was used already."""
        if tag in self._session_run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._session_run_tags.add(tag)
        tagged = event_pb2.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add_event(event_pb2.Event(tagged_run_metadata=tagged), global_step)

    def _add_event(self, event: Any, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        with told():
            self.event_writer.add_event(event)


@export("summary.FileWriter")
class FileWriter(SummaryToEventTransformer):
    """Writes events to a new file in `logdir`, from a thread of its own.

    At most `max_queue` events wait; the file is flushed every `flush_secs` seconds. `graph` is
    written first. With a `session` events are written at once. Raises a `tf.errors` exception when
    the directory cannot be made.
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ):
        del session  # the runtime's writer and this one are the same thing here
        logdir = os.fspath(logdir)
        with told(logdir):
            writer = EventFileWriter(logdir, max_queue, flush_secs, filename_suffix)
        self._closed = False
        super().__init__(writer, graph, graph_def)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The directory of the event file."""
        return self.event_writer.get_logdir()

    def _warn_if_closed(self) -> None:
        if self._closed:
            warnings.warn(
                "Attempting to use a closed FileWriter. The operation will be a noop unless the "
                "FileWriter is explicitly reopened.",
                stacklevel=3,
            )

    def _add_event(self, event: Any, step: Any) -> None:
        self._warn_if_closed()
        super()._add_event(event, step)

    def add_event(self, event: Any) -> None:
        """Write an Event proto as it is."""
        self._warn_if_closed()
        with told():
            self.event_writer.add_event(event)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._warn_if_closed()
        with told(self.get_logdir()):
            self.event_writer.flush()

    def close(self) -> None:
        """Write what waits and close the file."""
        self._closed = True
        with told(self.get_logdir()):
            self.event_writer.close()

    def reopen(self) -> None:
        """After `close`: go on in a new file. Otherwise nothing happens."""
        self.event_writer.reopen()
        self._closed = False


@export("summary.FileWriterCache")
class FileWriterCache:
    """One FileWriter for each directory, shared by the hooks of a program."""

    _cache: ClassVar[dict[str, FileWriter]] = {}
    _lock = threading.RLock()

    @staticmethod
    def clear() -> None:
        """Close and forget all writers."""
        with FileWriterCache._lock:
            for item in FileWriterCache._cache.values():
                if item:
                    item.close()
            FileWriterCache._cache = {}

    @staticmethod
    def get(logdir: str) -> FileWriter:
        """The writer of a directory, made when it is new."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._cache:
                from relight.graph.graph import get_default_graph

                FileWriterCache._cache[logdir] = FileWriter(logdir, graph=get_default_graph())
            return FileWriterCache._cache[logdir]


@export("train.summary_iterator")
def summary_iterator(path: Any) -> Iterator[Any]:
    """The events of an event file. DataLossError (a `tf.errors` exception) when it is damaged."""
    with told(os.fspath(path)):
        yield from read_events(path)
