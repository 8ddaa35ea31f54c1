"""Errors of the file system and of file formats, told as the runtime tells them."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

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
        raise errors.DataLossError(None, None, str(error)) from error
