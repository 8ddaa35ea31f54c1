"""Waiting for a condition that may never come: what ends a wait, and with which error."""

from __future__ import annotations

import threading
from collections.abc import Callable

from relight.engine import lanes
from relight.graph import errors


class Waits:
    """Shared by what threads wait at: the end of a session, of a run, or a timeout ends the wait.

    `what` names the operation in the error.
    """

    def __init__(self, what: str):
        self._what = what
        self._condition = threading.Condition(threading.RLock())
        self._ended = False

    def _wait(self, ready: Callable[[], bool], timeout: float | None) -> None:
        """Until `ready`; the condition is held.

        CancelledError when it will not come any more; DeadlineExceededError when it has not come
        after `timeout` seconds.
        """
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
            raise errors.CancelledError(None, None, f"{self._what} operation was cancelled")
        if not in_time:
            raise errors.DeadlineExceededError(None, None, "Timed out waiting for notification")

    def cancel(self) -> None:
        """The session ends: the waiting calls raise CancelledError, and so do later ones."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()
