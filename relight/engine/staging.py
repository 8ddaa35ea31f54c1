"""Staging areas: tuples of values that wait between runs, in the order in which they were put."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from relight.engine import lanes
from relight.graph import errors


def _bytes(values: Sequence[Any]) -> int:
    return sum(getattr(v, "nbytes", 0) for v in values)


class StagingArea:
    """A buffer of tuples, safe to use from many threads.

    `capacity`: most tuples in it; `memory_limit`: most bytes of all of them. 0: no limit.
    """

    def __init__(self, capacity: int, memory_limit: int):
        self._capacity, self._limit = capacity, memory_limit
        self._rows: deque[list[Any]] = deque()
        self._held = 0
        self._condition = threading.Condition(threading.RLock())
        self._ended = False

    def _wait(self, ready: Callable[[], bool], timeout: float | None) -> None:
        """Until `ready`; the condition is held. CancelledError when it will not come any more."""
        called_off = False

        def call_off() -> None:
            nonlocal called_off
            with self._condition:
                called_off = True
                self._condition.notify_all()

        if ready() and not self._ended:
            return
        with lanes.cancellable(call_off):
            in_time = self._condition.wait_for(
                lambda: ready() or self._ended or called_off, timeout
            )
        if self._ended or (called_off and not ready()):
            raise errors.CancelledError(None, None, "Staging operation was cancelled")
        if not in_time:
            raise errors.DeadlineExceededError(None, None, "Timed out waiting for notification")

    def put(self, values: Sequence[Any], timeout: float | None = None) -> None:
        """Put a tuple in; waits while there is no room. ResourceExhaustedError when it is larger
        than the memory limit."""
        size = _bytes(values)
        if self._limit and size > self._limit:
            raise errors.ResourceExhaustedError(
                None,
                None,
                f"Attempted to insert tensors with combined size of '{size}' bytes into Staging "
                f"Area with a memory limit of '{self._limit}'.",
            )

        def room() -> bool:
            full = self._capacity and len(self._rows) >= self._capacity
            heavy = self._limit and self._held + size > self._limit
            return not full and not heavy

        with self._condition:
            self._wait(room, timeout)
            self._rows.append(list(values))
            self._held += size
            self._condition.notify_all()

    def get(self, timeout: float | None = None) -> list[Any]:
        """Take the first tuple out; waits for one."""
        with self._condition:
            self._wait(lambda: bool(self._rows), timeout)
            values = self._rows.popleft()
            self._held -= _bytes(values)
            self._condition.notify_all()
            return values

    def peek(self, index: int, timeout: float | None = None) -> list[Any]:
        """The tuple at a place, which stays; waits until there are so many."""
        with self._condition:
            self._wait(lambda: len(self._rows) > index, timeout)
            return list(self._rows[index])

    def size(self) -> int:
        """How many tuples there are."""
        return len(self._rows)

    def clear(self) -> None:
        """Drop all tuples."""
        with self._condition:
            self._rows.clear()
            self._held = 0
            self._condition.notify_all()

    def cancel(self) -> None:
        """The session ends: all that wait get CancelledError."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()
