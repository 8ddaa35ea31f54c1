"""Event files, what TensorBoard reads.

* A TFRecord file of `Event` messages (see `tfrecord.py`), never compressed.
* Name: `events.out.tfevents.<seconds since 1970, ten digits>.<host name><suffix>`.
* The first event holds `file_version: "brain.Event:2"`.
* A file that is being written may end in the middle of a record.

Sources: tensorflow/core/util/event.proto, core/util/events_writer.h (comments).
"""

from __future__ import annotations

import copy
import glob
import os
import queue
import socket
import threading
import time
import weakref
from collections.abc import Iterator

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event

from relight.formats.errors import FormatError
from relight.formats.tfrecord import TFRecordReader, TFRecordWriter

FILE_VERSION = "brain.Event:2"
_STOP = object()


def read_events(path: str | os.PathLike, *, growing: bool = False) -> Iterator[Event]:
    """The events of one file, in file order.

    With `growing`, a record cut off at the end of the file ends the iteration, as for a file that
    somebody is writing. FormatError for any other damage.
    """
    with TFRecordReader(path) as reader:
        while True:
            start = reader.offset
            try:
                record = reader.read()
            except FormatError as error:
                if growing and error.reason.startswith("truncated"):
                    return
                raise
            if record is None:
                return
            try:
                yield Event.FromString(record)
            except DecodeError as error:
                raise FormatError(path, start, f"record is no Event: {error}") from error


def event_files(logdir: str | os.PathLike) -> list[str]:
    """The event files of a directory, oldest first."""
    return sorted(glob.glob(os.path.join(glob.escape(os.fspath(logdir)), "*tfevents*")))


class _Worker(threading.Thread):
    """Takes events from the queue and writes them. Keeps the first error for the next caller."""

    def __init__(self, prefix: str, suffix: str, max_queue: int, flush_secs: float):
        super().__init__(name="relight-events", daemon=True)
        # A queue of size 0 is without bound, as in queue.Queue.
        self.queue: queue.Queue = queue.Queue(max_queue)
        self.error: Exception | None = None
        self.path: str | None = None
        self.flush_lock = threading.Lock()
        self._prefix = prefix
        self._suffix = suffix
        self._flush_secs = flush_secs
        self._file: TFRecordWriter | None = None

    def open(self) -> TFRecordWriter:
        """The open file; made, with its version event, when first asked for."""
        if self._file is None:
            now = second = int(time.time())
            while self._file is None:
                path = f"{self._prefix}.out.tfevents.{second:010d}.{socket.gethostname()}"
                try:
                    # Two writers of one directory may begin in the same second: neither may
                    # truncate the other's file.
                    self._file = TFRecordWriter(path + self._suffix, mode="xb")
                except FileExistsError:
                    second += 1
            self.path = path + self._suffix
            event = Event(wall_time=now, file_version=FILE_VERSION)
            self._file.write(event.SerializeToString())
            self._file.flush()
        return self._file

    def run(self) -> None:
        next_flush = 0.0
        while True:
            event = self.queue.get()
            try:
                if event is _STOP:
                    return
                if self.error is None:
                    with self.flush_lock:
                        self.open().write(event.SerializeToString())
                        now = time.time()
                        if now > next_flush:
                            self.open().flush()
                            next_flush = now + self._flush_secs
            except Exception as error:  # told to the next caller; the thread must go on draining
                self._fail(error)
            finally:
                self.queue.task_done()

    def flush(self) -> None:
        self.queue.join()
        with self.flush_lock:
            if self.error is None and self._file is not None:
                try:
                    self._file.flush()
                except OSError as error:
                    self._fail(error)
        self.check()

    def check(self) -> None:
        """Raise the error that ended the writing, where there was one."""
        if self.error is not None:
            # A copy: a traceback would keep the callers, and with them the writer, alive.
            raise copy.copy(self.error)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = self.path
        self.error = self.error or error

    def stop(self) -> None:
        """Write what is queued, end the thread, close the file."""
        if self.is_alive():
            self.queue.put(_STOP)
            self.join()
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            self._fail(error)


class EventFileWriter:
    """Writes events to a new file in `logdir`, from a thread of its own.

    Args:
        logdir: directory, made if it is not there.
        max_queue: events that may wait; one more makes `add_event` wait.
        flush_secs: seconds between flushes (the first event is flushed at once).
        filename_suffix: end of the file name.

    Without a suffix the file is made with the first event, as TensorFlow does. A write error (a
    full disk) is raised, as the OSError it is, by the next `add_event`, `flush` or `close`; events
    after it are dropped. What is queued is written when the program ends without `close`.
    """

    def __init__(
        self,
        logdir: str | os.PathLike,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str | None = None,
    ):
        self._logdir = os.fspath(logdir)
        os.makedirs(self._logdir, exist_ok=True)
        self._arguments = (
            os.path.join(self._logdir, "events"),
            filename_suffix or "",
            max_queue,
            flush_secs,
        )
        self._start()
        if filename_suffix:
            with self._worker.flush_lock:
                self._worker.open()

    def _start(self) -> None:
        self._worker = _Worker(*self._arguments)
        self._worker.start()
        self._finalizer = weakref.finalize(self, self._worker.stop)
        self._closed = False

    @property
    def path(self) -> str | None:
        """The file being written, None before the first event."""
        return self._worker.path

    def get_logdir(self) -> str:
        """The directory of the event file."""
        return self._logdir

    def add_event(self, event: Event) -> None:
        """Queue an event. Nothing happens after `close`."""
        if self._closed:
            return
        self._worker.check()
        self._worker.queue.put(event)

    def flush(self) -> None:
        """Wait until everything queued is handed to the operating system."""
        if not self._closed:
            self._worker.flush()

    def close(self) -> None:
        """Write what is queued and close the file. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._finalizer.detach()
        self._worker.stop()
        self._worker.check()

    def reopen(self) -> None:
        """After `close`: go on in a new file. Otherwise nothing happens."""
        if self._closed:
            self._start()

    def __enter__(self) -> EventFileWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
