"""``tf.train.Coordinator`` and ``tf.train.LooperThread``: threads that stop together."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn

from relight.graph import errors
from relight.graph.export import export
from relight.v1 import logging

__all__ = ["Coordinator", "LooperThread"]

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def _reraise(info: _ExcInfo) -> NoReturn:
    raise info[1].with_traceback(info[2])


@export("train.Coordinator")
class Coordinator:
    """Tells a set of threads when to stop, and hands the exception of one to the one that waits.

    Each thread asks `should_stop` regularly; any of them calls `request_stop`, with the exception
    that made it stop if there is one; `join` waits for all and raises that exception.

    Args:
      clean_stop_exception_types: exceptions that mean a normal end, such as the end of the input.
        `(tf.errors.OutOfRangeError,)` by default.
    """

    def __init__(
        self, clean_stop_exception_types: Iterable[type[BaseException]] | None = None
    ) -> None:
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (errors.OutOfRangeError,)
        self._clean_stop_exception_types = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop_event = threading.Event()
        self._exc_info_to_raise: _ExcInfo | None = None
        self._joined = False
        self._registered_threads: set[threading.Thread] = set()

    @property
    def joined(self) -> bool:
        """Whether `join` has waited for the threads since the last `clear_stop`."""
        return self._joined

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop_event.is_set()

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits up to `timeout` seconds for a stop; whether one was requested."""
        return self._stop_event.wait(timeout)

    def request_stop(self, ex: BaseException | tuple[Any, Any, Any] | None = None) -> None:
        """Asks all threads to stop.

        Args:
          ex: the exception being handled, or what `sys.exc_info` returned. The first one reported
            is what `join` raises; one that comes after `join` is raised here.
        """
        with self._lock:
            error = ex[1] if isinstance(ex, tuple) else ex
            if isinstance(error, self._clean_stop_exception_types):
                ex = None
            if self._joined and ex is not None:
                _reraise(self._exc_info(ex))
            if self._stop_event.is_set():
                return
            if ex and self._exc_info_to_raise is None:
                if isinstance(ex, tuple):
                    logging.info("Error reported to Coordinator: %s", ex[1], exc_info=ex)
                else:
                    logging.info("Error reported to Coordinator: %s, %s", type(ex), ex)
                self._exc_info_to_raise = self._exc_info(ex)
            self._stop_event.set()

    @staticmethod
    def _exc_info(ex: BaseException | tuple[Any, Any, Any]) -> _ExcInfo:
        """`ex` as type, value and traceback; a ValueError in its place when it is not complete."""
        info: tuple[Any, ...] = ex if isinstance(ex, tuple) else sys.exc_info()
        if len(info) == 3 and info[0] and info[1]:
            return info  # type: ignore[return-value]
        error = ValueError(
            f"request_stop() takes what sys.exc_info() returns, or the exception being handled; "
            f"got {ex!r} with sys.exc_info() {info!r}"
        )
        return ValueError, error, None

    def clear_stop(self) -> None:
        """Forgets the stop, the exception and the `join`."""
        with self._lock:
            self._joined = False
            self._exc_info_to_raise = None
            self._stop_event.clear()

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """A context whose exceptions are reported by `request_stop` instead of raised."""
        try:
            yield
        except BaseException:  # whatever ends one thread has to end them all
            self.request_stop(ex=sys.exc_info())

    def register_thread(self, thread: threading.Thread) -> None:
        """Adds a thread to those that `join` waits for."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Waits until all threads have ended, then raises the exception reported, if any.

        Args:
          threads: threads to wait for besides the registered ones.
          stop_grace_period_secs: seconds that they have to end after `request_stop`.
          ignore_live_threads: only log, instead of raising, when some are alive after that.

        Raises:
          RuntimeError: when threads are alive after the grace period and no exception was reported.
        """
        with self._lock:
            waiting = list(self._registered_threads.union(threads or ()))

        def alive() -> list[str]:
            return [thread.name for thread in waiting if thread.is_alive()]

        while alive() and not self.wait_for_stop(1.0):
            continue
        # The pauses double up to what is left of the grace period.
        left, pause = float(stop_grace_period_secs), 0.001
        while alive() and left >= 0.0:
            time.sleep(pause)
            left -= pause
            pause = max(min(2 * pause, left), 0.001)
        stragglers = " ".join(alive())
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            if self._exc_info_to_raise:
                _reraise(self._exc_info_to_raise)
            if stragglers and ignore_live_threads:
                logging.info("Coordinator stopped with threads still running: %s", stragglers)
            elif stragglers:
                raise RuntimeError(f"Coordinator stopped with threads still running: {stragglers}")

    def raise_requested_exception(self) -> None:
        """Raises the exception that was reported, if there is one."""
        with self._lock:
            if self._exc_info_to_raise:
                _reraise(self._exc_info_to_raise)


@export("train.LooperThread")
class LooperThread(threading.Thread):
    """A daemon thread that runs a function, or `run_loop`, again and again until the stop.

    An exception ends the thread and is reported to the coordinator.

    Args:
      coord: the Coordinator, with which the thread registers.
      timer_interval_secs: seconds from one start to the next; None for one right after another.
      target: the function; `run_loop` of a subclass when None.
      args: its arguments.
      kwargs: its keyword arguments.

    Raises:
      ValueError: when `coord` is no Coordinator, or arguments come without a `target`.
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        super().__init__(daemon=True)
        self._coord = coord
        self._timer_interval_secs = timer_interval_secs
        self._loop_target = target
        self._loop_args = tuple(args or ())
        self._loop_kwargs = dict(kwargs or {})
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Makes a LooperThread, starts it and returns it."""
        thread = LooperThread(coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        thread.start()
        return thread

    def run(self) -> None:
        """The thread's body: `start_loop`, `run_loop` until the stop, `stop_loop`."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._timer_interval_secs is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                # Counted from the first start, so a slow call does not shift the later ones.
                next_time = time.time()
                while not self._coord.wait_for_stop(next_time - time.time()):
                    next_time += self._timer_interval_secs
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called once before the first `run_loop`; a subclass may override it."""

    def stop_loop(self) -> None:
        """Called once after a stop without exception; a subclass may override it."""

    def run_loop(self) -> None:
        """One round: calls the target; a subclass may override it."""
        if self._loop_target:
            self._loop_target(*self._loop_args, **self._loop_kwargs)
