"""``tf.logging``: the logger named "tensorflow", one line ``LEVEL:tensorflow:message`` on stderr.

The levels are those of Python's `logging`. The first threshold is WARN, as in TensorFlow 1.15.
"""

from __future__ import annotations

import collections
import logging as _logging
import sys
import threading
import types
from collections.abc import Hashable
from logging import DEBUG, ERROR, FATAL, INFO, WARN
from typing import Any, TextIO

from relight.graph.export import export
from relight.v1._missing import missing

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "TaskLevelStatusMessage",
    "debug",
    "error",
    "fatal",
    "flush",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]

_lock = threading.Lock()
_logger: _logging.Logger | None = None
_counts: collections.Counter[Hashable] = collections.Counter()


class _CurrentStream(_logging.StreamHandler):
    """A handler that writes to `sys.stderr` as it is at that moment, so redirections hold."""

    def __init__(self, name: str) -> None:
        _logging.Handler.__init__(self)
        self._stream_name = name

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The stream of that name in `sys`."""
        return getattr(sys, self._stream_name)


class _Logger(_logging.Logger):
    """Finds the caller outside of this file, so that %(filename)s in a format is the program."""

    def findCaller(
        self, stack_info: bool = False, stacklevel: int = 1
    ) -> tuple[str, int, str, str | None]:
        """File, line and function of the call, as `logging.Logger.findCaller` returns them."""
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename in (__file__, _logging.__file__):
            frame = frame.f_back
        return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None


@export("get_logger")
def get_logger() -> _logging.Logger:
    """The logger of ``tf.get_logger``.

    It gets a handler of its own only where the root logger has none: a program that has
    configured `logging` before sees each line once, in its own format. In an interactive
    interpreter lines go to stdout from INFO on.
    """
    global _logger
    with _lock:
        if _logger is None:
            logger = _logging.getLogger("tensorflow")
            if type(logger) is _logging.Logger:
                logger.__class__ = _Logger
            if not _logging.getLogger().handlers:
                interactive = bool(getattr(sys, "ps1", None)) or bool(sys.flags.interactive)
                if interactive:
                    logger.setLevel(INFO)
                handler = _CurrentStream("stdout" if interactive else "stderr")
                handler.setFormatter(_logging.Formatter(_logging.BASIC_FORMAT))
                logger.addHandler(handler)
            _logger = logger
        return _logger


def log(level: int, msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at `level`."""
    get_logger().log(level, msg, *args, **kwargs)


def debug(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level DEBUG."""
    get_logger().debug(msg, *args, **kwargs)


def info(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level INFO."""
    get_logger().info(msg, *args, **kwargs)


def warn(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level WARN."""
    get_logger().warning(msg, *args, **kwargs)


def warning(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level WARN."""
    get_logger().warning(msg, *args, **kwargs)


def error(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level ERROR."""
    get_logger().error(msg, *args, **kwargs)


def fatal(msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at level FATAL, printed as CRITICAL; the program goes on."""
    get_logger().critical(msg, *args, **kwargs)


def vlog(level: int, msg: object, *args: Any, **kwargs: Any) -> None:
    """Logs ``msg % args`` at `level`, the same as `log`."""
    get_logger().log(level, msg, *args, **kwargs)


def TaskLevelStatusMessage(msg: object) -> None:
    """Logs `msg` at level ERROR."""
    error(msg)


def flush() -> None:
    """Not available in TensorFlow 1.15 either.

    Raises:
      NotImplementedError: always.
    """
    raise NotImplementedError()


def log_if(level: int, msg: object, condition: object, *args: Any) -> None:
    """Logs ``msg % args`` at `level` when `condition` is true."""
    if condition:
        vlog(level, msg, *args)


def _next_count(caller: types.FrameType | None) -> int:
    """How many counted calls came before this one from the same place.

    As in TensorFlow 1.15 the place is the line of the nearest frame outside the calling file:
    calls written in the main program itself all share one count.
    """
    frame = caller
    while frame is not None and caller and frame.f_code.co_filename == caller.f_code.co_filename:
        frame = frame.f_back
    token = (frame.f_code.co_filename, frame.f_lineno) if frame else ("<unknown>", 0)
    _counts[token] += 1
    return _counts[token] - 1


def log_every_n(level: int, msg: object, n: int, *args: Any) -> None:
    """Logs ``msg % args`` at `level` at the first of every `n` calls from one place."""
    log_if(level, msg, _next_count(sys._getframe(1)) % n == 0, *args)


def log_first_n(level: int, msg: object, n: int, *args: Any) -> None:
    """Logs ``msg % args`` at `level` at the first `n` calls from one place."""
    log_if(level, msg, _next_count(sys._getframe(1)) < n, *args)


def get_verbosity() -> int:
    """The threshold: messages below it are not shown."""
    return get_logger().getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Sets the threshold, a level or its name."""
    get_logger().setLevel(v)


__getattr__ = missing("tf.logging")

# Made at import, as TensorFlow does: a root logger configured later does not take our handler away.
get_logger()
