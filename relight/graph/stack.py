"""Where in the user's program an operation was made: cheap to record, formatted when asked for."""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Frames = tuple[tuple[CodeType, int], ...]


def capture(skip: int = 1, limit: int = 60) -> Frames:
    """The calling frames, innermost first, as (code, line number) pairs."""
    frames: list[tuple[CodeType, int]] = []
    frame = sys._getframe(skip)
    while frame is not None and len(frames) < limit:
        frames.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(frames)


def is_user_code(filename: str) -> bool:
    """Whether a file belongs to the program rather than to relight or to Python's start-up."""
    return not filename.startswith((_PACKAGE, "<frozen"))


def user_line(frames: Frames) -> tuple[str, int] | None:
    """(file, line) of the innermost frame of the user's program, or None."""
    for code, line in frames:
        if is_user_code(code.co_filename):
            return code.co_filename, line
    return None


def extract(frames: Frames) -> list[tuple[str, int, str, str]]:
    """(file, line, function, text) of each frame, outermost first, as `Operation.traceback`."""
    return [
        (code.co_filename, line, code.co_name, linecache.getline(code.co_filename, line).strip())
        for code, line in reversed(frames)
        if not code.co_filename.startswith("<frozen")
    ]
