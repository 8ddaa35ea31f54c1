"""`tf.train.QueueRunner`: threads that keep a queue filled."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from relight.engine import ending, producers, threads
from relight.engine.session import BaseSession
from relight.formats.protos import QueueRunnerDef
from relight.graph import errors
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, get_default_session
from relight.graph.node import Operation
from relight.v1 import logging
from relight.v1.functions.variables import prepend_scope, strip_scope

_SESSION_LOOK_SECONDS = 1.0


@export("train.QueueRunner", "train.queue_runner.QueueRunner")
class QueueRunner:
    """Enqueue operations of one queue, each to be run again and again in a thread of its own.

    A thread ends when the queue (or one before it) is closed; the last one closes the queue. With a
    Coordinator the threads end when it stops, and their errors reach it.

    Args:
      queue: the queue.
      enqueue_ops: operations that put rows in it, one a thread.
      close_op: closes the queue and lets waiting rows in; made when None.
      cancel_op: closes the queue at once; made when None.
      queue_closed_exception_types: error classes that mean that there is no more input;
        `(tf.errors.OutOfRangeError,)` by default.
      queue_runner_def: a QueueRunnerDef to take all of it from, in place of the other arguments.
      import_scope: name scope that the names of `queue_runner_def` are in.

    Raises:
      ValueError: both `queue_runner_def` and others, or no queue or operations.
      TypeError: `queue_closed_exception_types` is no tuple of error classes.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: Any = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if queue_runner_def:
            if queue or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._from_proto(queue_runner_def, import_scope)
        else:
            if not queue or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            types = queue_closed_exception_types
            if types is not None and (
                not isinstance(types, tuple)
                or not types
                or not all(issubclass(t, errors.OpError) for t in types)
            ):
                raise TypeError(
                    "queue_closed_exception_types, when provided, must be a tuple of tf.error "
                    f"types, but saw: {types}"
                )
            self._queue = queue
            self._enqueue_ops = enqueue_ops
            self._close_op = queue.close() if close_op is None else close_op
            self._cancel_op = (
                queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
            )
            self._queue_closed_exception_types = types or (errors.OutOfRangeError,)
        self._lock = threading.Lock()
        self._runs_per_session: Any = weakref.WeakKeyDictionary()  # threads that still run
        self._exceptions_raised: list[Exception] = []

    def _from_proto(self, proto: Any, scope: str | None) -> None:
        element = get_default_graph().as_graph_element

        def found(name: str) -> Any:
            return element(prepend_scope(name, scope))

        self._queue = found(proto.queue_name)
        self._enqueue_ops = [found(name) for name in proto.enqueue_op_name]
        self._close_op = found(proto.close_op_name)
        self._cancel_op = found(proto.cancel_op_name)
        self._queue_closed_exception_types = tuple(
            errors.exception_type_from_error_code(code)
            for code in proto.queue_closed_exception_types
        ) or (errors.OutOfRangeError,)

    @property
    def queue(self) -> Any:
        """The queue, or its operation when it comes from a proto."""
        return self._queue

    @property
    def enqueue_ops(self) -> Sequence[Any]:
        """The operations that the threads run."""
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        """Closes the queue; rows that wait still get in."""
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        """Closes the queue at once."""
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type, ...]:
        """Error classes that mean that there is no more input."""
        return self._queue_closed_exception_types

    @property
    def exceptions_raised(self) -> list[Exception]:
        """What threads without a Coordinator raised."""
        return self._exceptions_raised

    @property
    def name(self) -> str:
        """Name of the queue."""
        return self._queue.name

    # -- threads -----------------------------------------------------------------------------------

    def _enqueuer(self, sess: Any, place: int) -> Callable[[], Any]:
        """What thread number `place` calls again and again."""
        op = self._enqueue_ops[place]
        if isinstance(sess, BaseSession) and isinstance(op, Operation):
            return producers.runner(sess, op)
        return sess.make_callable(op)

    def _run(self, sess: Any, place: int, coord: Any = None) -> None:
        counted = True
        threads.use_one_core()
        try:
            enqueue = self._enqueuer(sess, place)
            while not (coord and coord.should_stop()):
                try:
                    enqueue()
                except self._queue_closed_exception_types:
                    with self._lock:
                        self._runs_per_session[sess] -= 1
                        counted = False
                        if self._runs_per_session[sess] == 0:
                            self._close_quietly(sess, self._close_op)
                    return
        except Exception as error:  # it belongs to the thread that waits for the rows
            if ending.has_begun():
                return
            if coord:
                coord.request_stop(error)
            else:
                logging.error("Exception in QueueRunner: %s", str(error))
                with self._lock:
                    self._exceptions_raised.append(error)
                raise
        finally:
            if counted:
                with self._lock:
                    self._runs_per_session[sess] -= 1

    @staticmethod
    def _close_quietly(sess: Any, op: Any) -> None:
        """Close the queue; that it is closed already, or the session, does not matter."""
        try:
            sess.run(op)
        except (errors.OpError, RuntimeError) as error:
            logging.vlog(1, "Ignored exception: %s", str(error))

    def _close_on_stop(self, sess: Any, cancel_op: Any, coord: Any) -> None:
        while not coord.wait_for_stop(_SESSION_LOOK_SECONDS):
            if getattr(sess, "_closed", False):
                return
        self._close_quietly(sess, cancel_op)

    def create_threads(
        self, sess: Any, coord: Any = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """The threads that run the enqueue operations in `sess`, and with a `coord` one more that
        closes the queue when it stops.

        Gives [] when threads made before for this session still run. `daemon`: they do not keep the
        program from ending. `start`: they are started.
        """
        with self._lock:
            if self._runs_per_session.get(sess, 0) > 0:
                return []
            self._runs_per_session[sess] = len(self._enqueue_ops)
            self._exceptions_raised = []
        threads = [
            ending.wait_at_exit(
                threading.Thread(
                    target=self._run,
                    args=(sess, place, coord),
                    name=f"QueueRunnerThread-{self.name}-{op.name}",
                )
            )
            for place, op in enumerate(self._enqueue_ops)
        ]
        if coord:
            threads.append(
                threading.Thread(
                    target=self._close_on_stop,
                    args=(sess, self._cancel_op, coord),
                    name=f"QueueRunnerThread-{self.name}-close_on_stop",
                )
            )
        for thread in threads:
            if coord:
                coord.register_thread(thread)
            if daemon:
                thread.daemon = True
            if start:
                thread.start()
        return threads

    # -- protos ------------------------------------------------------------------------------------

    def to_proto(self, export_scope: str | None = None) -> Any:
        """This runner as QueueRunnerDef; None when the queue is not in `export_scope`."""
        if export_scope is not None and not self.queue.name.startswith(export_scope):
            return None
        return QueueRunnerDef(
            queue_name=strip_scope(self.queue.name, export_scope),
            enqueue_op_name=[strip_scope(op.name, export_scope) for op in self.enqueue_ops],
            close_op_name=strip_scope(self.close_op.name, export_scope),
            cancel_op_name=strip_scope(self.cancel_op.name, export_scope),
            queue_closed_exception_types=[
                errors.error_code_from_exception_type(c) for c in self._queue_closed_exception_types
            ],
        )

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a QueueRunnerDef describes, with nodes of the default graph."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


@export("train.add_queue_runner", "train.queue_runner.add_queue_runner")
def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Add a runner to the collection that `start_queue_runners` starts."""
    get_default_graph().add_to_collection(collection, qr)


@export("train.start_queue_runners", "train.queue_runner.start_queue_runners")
def start_queue_runners(
    sess: Any = None,
    coord: Any = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """Start all runners of the graph's collection in a session and return their threads.

    Args:
      sess: the session; the default session when None.
      coord: Coordinator that ends the threads and gets their errors.
      daemon: the threads do not keep the program from ending.
      start: False only makes the threads.
      collection: name of the collection.

    Raises:
      ValueError: no session given and none is the default.
      TypeError: `sess` is no session.
    """
    if sess is None:
        sess = get_default_session()
        if not sess:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with "
                "sess.as_default()` or pass an explicit session to "
                "tf.start_queue_runners(sess=sess)"
            )
    if not isinstance(sess, BaseSession):
        # These start the runners themselves.
        if sess.__class__.__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            return []
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {sess.__class__}")
    runners = get_default_graph().get_collection(collection)
    if not runners:
        logging.warning(
            "`tf.train.start_queue_runners()` was called when no queue runners were defined. You "
            "can safely remove the call to this deprecated function."
        )
    threads: list[threading.Thread] = []
    with sess.graph.as_default():
        for runner in get_default_graph().get_collection(collection):
            threads += runner.create_threads(sess, coord=coord, daemon=daemon, start=start)
    return threads
