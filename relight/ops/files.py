"""Errors of the file system and of file formats, told as the runtime tells them."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from typing import Any

from relight.formats.errors import FormatError
from relight.graph import errors

_BY_NUMBER: dict[int, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EROFS: errors.PermissionDeniedError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.EBUSY: errors.UnavailableError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EDQUOT: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
    errno.EFBIG: errors.OutOfRangeError,
    errno.EINVAL: errors.InvalidArgumentError,
    errno.ENAMETOOLONG: errors.InvalidArgumentError,
}


def from_os_error(error: OSError, path: str = "") -> errors.OpError:
    """The `tf.errors` exception of an OSError: `<path>; No such file or directory`."""
    kind = _BY_NUMBER.get(error.errno or 0, errors.UnknownError)
    name = error.filename or path
    if isinstance(name, bytes):
        name = name.decode(errors="replace")
    return kind(None, None, f"{name}; {error.strerror or error}")


@contextlib.contextmanager
def told(path: str = "") -> Iterator[None]:
    """Turn OSError and FormatError raised inside into `tf.errors` exceptions."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, path) from error
    except FormatError as error:
        raise errors.DataLossError(None, None, error.status) from error


# -- what was read -------------------------------------------------------------------------------

Origin = tuple[Any, ...]
"""A function that tells a place in a file, and its arguments."""


class _Reads(threading.local):
    def __init__(self) -> None:
        self.by_name: dict[str, Origin] = {}


_reads = _Reads()
_READING = frozenset(
    ["ReadFile", "ReaderRead", "ReaderReadV2", "ReaderReadUpTo", "ReaderReadUpToV2"]
)


def note_read(name: str, *origin: Any) -> None:
    """Keep what the node `name` has just read, for errors about it."""
    _reads.by_name[name] = origin


def last_read(node: Any) -> Origin | None:
    """What a node that reads files read last in this thread; None for other nodes."""
    return _reads.by_name.get(node.name) if node.type in _READING else None
