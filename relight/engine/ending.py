"""The end of the process: sessions are closed before Python takes itself down.

A thread that comes back from a PyTorch kernel when Python is already being taken down is ended
there and then, in the middle of C++ code, which aborts the whole process. Programs often end
without stopping the threads of their input queues and datasets, so that is done for them.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from relight.graph import errors

CLOSED = "Attempted to use a closed Session."  # what runs of closed sessions raise
_FOLDER = os.path.dirname(__file__) + os.sep
_PATIENCE = 3.0  # seconds; a thread may be blocked in Python code of the program, which is harmless

_sessions: weakref.WeakSet[Any] = weakref.WeakSet()
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_begun = False


def close_at_exit(session: Any) -> None:
    """Close a session when the process ends, unless it is gone by then."""
    _sessions.add(session)


def wait_at_exit(thread: threading.Thread) -> threading.Thread:
    """Wait for a thread, which ends with its session, when the process ends; gives the thread."""
    _threads.add(thread)
    return thread


def has_begun() -> bool:
    """Whether the process is ending."""
    return _begun


def _runs_plans() -> bool:
    """Whether a thread besides the calling one is inside of a run."""
    for thread, frame in sys._current_frames().items():
        if thread == threading.get_ident():
            continue
        while frame is not None:
            if frame.f_code.co_filename.startswith(_FOLDER):
                return True
            frame = frame.f_back  # type: ignore[assignment]
    return False


def _tell(hook: Callable[[Any], Any], arguments: threading.ExceptHookArgs) -> None:
    """Hand an error that ended a thread on: but that a session was closed under it is none now."""
    error = arguments.exc_value
    if not isinstance(error, errors.CancelledError) and str(error) != CLOSED:
        hook(arguments)


@atexit.register
def _end() -> None:
    global _begun
    _begun = True
    if not _sessions:
        return
    threading.excepthook = functools.partial(_tell, threading.excepthook)
    failure = None
    for session in list(_sessions):
        try:
            session.close()
        except Exception as error:  # the others have to be closed all the same
            failure = error
    deadline = time.monotonic() + _PATIENCE
    for thread in list(_threads):
        if thread.is_alive():
            thread.join(max(deadline - time.monotonic(), 0))
    while _runs_plans() and time.monotonic() < deadline:
        time.sleep(0.002)
    if failure is not None:
        raise failure
