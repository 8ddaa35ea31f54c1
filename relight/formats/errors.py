"""The one exception of this room: a file that does not say what its format says it must."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class FormatError(ValueError):
    """A file is damaged, truncated, or not of the expected format.

    Attributes:
        path: the file, or None while a parser works on bytes that it does not know the origin of.
        offset: the byte in the file (uncompressed position for compressed files) where the
            damage was noticed, or None where no single byte is to blame.
        reason: one sentence saying what is wrong.
        status: all of it as the runtime tells it, in TensorFlow's words where it has some.
    """

    def __init__(self, path: str | os.PathLike | None, offset: int | None, reason: str):
        self.path = None if path is None else os.fspath(path)
        self.offset = offset
        self.reason = reason
        where = self.path or "data"
        if offset is not None:
            where += f", byte {offset}"
        self.status = f"{where}: {reason}"
        super().__init__(self.status)


@contextmanager
def located(path: str | os.PathLike, base: int | None = 0) -> Iterator[None]:
    """Give the file (and the position `base` of the parsed bytes in it) to errors raised inside.

    With `base=None` the parsed bytes have no position of their own in the file (they were
    compressed), so only the path is added.
    """
    try:
        yield
    except FormatError as error:
        if error.path is not None:
            raise
        offset = None if base is None or error.offset is None else base + error.offset
        raise FormatError(path, offset, error.reason) from error.__cause__
