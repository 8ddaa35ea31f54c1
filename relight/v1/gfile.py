"""``tf.gfile``: files and folders, with the errors of ``tf.errors``.

Paths are local, with or without ``file://``; any other scheme raises UnimplementedError.
Text is UTF-8. Lines end with a newline; a carriage return before it is dropped by `readline`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any, BinaryIO

from relight.graph import errors
from relight.ops.file_patterns import matching
from relight.v1._missing import missing
from relight.v1.compat import as_bytes, as_str_any

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]

_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9.]*)://")

# errno to error class, as TensorFlow's POSIX file system translates it.
_CLASSES: dict[int, type[errors.OpError]] = {
    number: cls
    for cls, numbers in {
        errors.InvalidArgumentError: (
            "EINVAL ENAMETOOLONG E2BIG EDESTADDRREQ EDOM EFAULT EILSEQ ENOPROTOOPT ENOTSOCK "
            "ENOTTY EPROTOTYPE ESPIPE"
        ),
        errors.DeadlineExceededError: "ETIMEDOUT ETIME",
        errors.NotFoundError: "ENODEV ENOENT ENXIO ESRCH",
        errors.AlreadyExistsError: "EEXIST EADDRNOTAVAIL EALREADY",
        errors.PermissionDeniedError: "EPERM EACCES EROFS",
        errors.FailedPreconditionError: (
            "ENOTEMPTY EISDIR ENOTDIR EADDRINUSE EBADF EBUSY ECHILD EISCONN ENOTBLK ENOTCONN "
            "EPIPE ESHUTDOWN ETXTBSY"
        ),
        errors.ResourceExhaustedError: (
            "ENOSPC EDQUOT EMFILE EMLINK ENFILE ENOBUFS ENODATA ENOMEM ENOSR EUSERS"
        ),
        errors.OutOfRangeError: "EFBIG EOVERFLOW ERANGE",
        errors.UnimplementedError: (
            "ENOSYS ENOTSUP EAFNOSUPPORT EPFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EXDEV"
        ),
        errors.UnavailableError: (
            "EAGAIN ECONNREFUSED ECONNABORTED ECONNRESET EINTR EHOSTDOWN EHOSTUNREACH ENETDOWN "
            "ENETRESET ENETUNREACH ENOLCK ENOLINK"
        ),
        errors.AbortedError: "EDEADLK ESTALE",
        errors.CancelledError: "ECANCELED",
    }.items()
    for number in (getattr(errno, name, -1) for name in numbers.split())
}


@contextlib.contextmanager
def _translated(name: Any) -> Iterator[None]:
    """Turns an OSError into the error class that TensorFlow raises, naming the path."""
    try:
        yield
    except OSError as error:
        cls = _CLASSES.get(error.errno or 0, errors.UnknownError)
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise cls(None, None, f"{as_str_any(name)}; {reason}") from error  # type: ignore[call-arg]


def _path(name: Any) -> str:
    """The local path that `name` (str or bytes) stands for."""
    raw = as_bytes(name)
    scheme = _SCHEME.match(raw)
    if scheme is None:
        return os.fsdecode(raw)
    if scheme[1] != b"file":
        text = raw.decode(errors="replace")
        raise errors.UnimplementedError(
            None,
            None,
            f"File system scheme '{scheme[1].decode()}' not implemented (file: '{text}')",
        )
    host_and_path = raw[scheme.end() :]
    return os.fsdecode(host_and_path[host_and_path.find(b"/") :] if b"/" in host_and_path else b"")


class GFile:
    """A file, opened at the first reading or writing.

    Args:
      name: the path.
      mode: one of "r", "w", "a", "r+", "w+", "a+", with "b" for bytes instead of text.

    Raises:
      tf.errors.InvalidArgumentError: for another mode.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        self.__name = name
        self.__mode = mode
        self._binary = "b" in mode
        plain = mode.replace("b", "")
        if plain not in ("r", "w", "a", "r+", "w+", "a+"):
            raise errors.InvalidArgumentError(
                None, None, "mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+'"
            )
        self._may_read = plain in ("r", "r+", "w+", "a+")
        self._may_write = plain != "r"
        self._append = plain[0] == "a"
        self._reader: BinaryIO | None = None
        self._writer: BinaryIO | None = None

    @property
    def name(self) -> Any:
        """The path as it was given."""
        return self.__name

    @property
    def mode(self) -> str:
        """The mode as it was given."""
        return self.__mode

    def _for_reading(self) -> BinaryIO:
        if self._reader is None:
            if not self._may_read:
                raise errors.PermissionDeniedError(None, None, "File isn't open for reading")
            with _translated(self.__name):
                self._reader = open(_path(self.__name), "rb")
        return self._reader

    def _for_writing(self) -> BinaryIO:
        if self._writer is None:
            if not self._may_write:
                raise errors.PermissionDeniedError(None, None, "File isn't open for writing")
            with _translated(self.__name):
                self._writer = open(_path(self.__name), "ab" if self._append else "wb")
        return self._writer

    def _value(self, data: bytes) -> Any:
        return data if self._binary else data.decode("utf-8")

    def size(self) -> int:
        """The file's size in bytes."""
        return Stat(self.__name).length

    def write(self, file_content: Any) -> None:
        """Writes `file_content`, text or bytes, at the end of the file."""
        writer = self._for_writing()
        data = as_bytes(file_content)
        with _translated(self.__name):
            writer.write(data)

    def read(self, n: int = -1) -> Any:
        """The next `n` bytes, or all up to the end for -1: text, or bytes in a "b" mode."""
        reader = self._for_reading()
        if not isinstance(n, int):
            raise TypeError(f"read(): n must be an int, got {n!r}")
        if n < -1:
            raise OverflowError(f"read(): n must be -1 or at least 0, got {n}")
        with _translated(self.__name):
            return self._value(reader.read(n))

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Moves the reading position: `whence` 0 is the start, 1 the position now, 2 the end.

        Raises:
          tf.errors.OutOfRangeError: for a position after the end.
          tf.errors.InvalidArgumentError: for a position before the start, or another `whence`.
        """
        reader = self._for_reading()
        if offset is None and position is None:
            raise TypeError("seek(): offset argument required")
        if offset is not None and position is not None:
            raise TypeError("seek(): offset and position may not be set simultaneously.")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(
                None, None, f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2."
            )
        start = {0: 0, 1: reader.tell(), 2: self.size()}[whence]
        target = start + (offset if offset is not None else position or 0)
        if target < 0:
            raise errors.InvalidArgumentError(
                None, None, f"Seeking to a negative position: {target}"
            )
        if target > self.size():
            reader.seek(0, io.SEEK_END)
            raise errors.OutOfRangeError(None, None, "reached end of file")
        reader.seek(target)

    def readline(self) -> Any:
        """The next line with its newline; empty at the end of the file."""
        reader = self._for_reading()
        with _translated(self.__name):
            line = reader.readline()
        # TensorFlow's line reader drops every carriage return.
        return self._value(line.replace(b"\r", b""))

    def readlines(self) -> list[Any]:
        """All lines from the position on."""
        return list(iter(self.readline, b"" if self._binary else ""))

    def tell(self) -> int:
        """The position of reading, or of writing for a file that is only written."""
        return self._for_reading().tell() if self._may_read else self._for_writing().tell()

    def seekable(self) -> bool:
        """True: every file allows `seek`."""
        return True

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def __iter__(self) -> GFile:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def next(self) -> Any:
        """The next line; StopIteration at the end."""
        return self.__next__()

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        if self._writer is not None:
            with _translated(self.__name):
                self._writer.flush()

    def close(self) -> None:
        """Closes the file. A later read or write opens it again."""
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        with _translated(self.__name):
            if reader is not None:
                reader.close()
            if writer is not None:
                writer.close()


class FastGFile(GFile):
    """The older name of `GFile`."""


Open = GFile


class FileStatistics:
    """What `Stat` knows about a path.

    Attributes:
      length: the size in bytes.
      mtime_nsec: the time of the last change, in nanoseconds since 1970.
      is_directory: whether it is a folder.
    """

    def __init__(self, length: int, mtime_nsec: int, is_directory: bool) -> None:
        self.length = length
        self.mtime_nsec = mtime_nsec
        self.is_directory = is_directory

    def __repr__(self) -> str:
        return (
            f"FileStatistics(length={self.length}, mtime_nsec={self.mtime_nsec}, "
            f"is_directory={self.is_directory})"
        )


def Stat(filename: Any) -> FileStatistics:
    """Size, time of change and kind of a path.

    Raises:
      tf.errors.NotFoundError: when there is nothing.
    """
    with _translated(filename):
        found = os.stat(_path(filename))
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(_path(filename)))


def Exists(filename: Any) -> bool:
    """Whether a file or folder is there."""
    return os.path.exists(_path(filename))


def IsDirectory(dirname: Any) -> bool:
    """Whether `dirname` is a folder."""
    return os.path.isdir(_path(dirname))


def Remove(filename: Any) -> None:
    """Deletes a file; FailedPreconditionError for a folder."""
    with _translated(filename):
        os.unlink(_path(filename))


def MkDir(dirname: Any) -> None:
    """Makes one folder; its parent must exist, and the folder itself may."""
    try:
        with _translated(dirname):
            os.mkdir(_path(dirname))
    except errors.AlreadyExistsError:
        return


def MakeDirs(dirname: Any) -> None:
    """Makes a folder and its parents; nothing happens when it exists."""
    path = _path(dirname)
    if not path or os.path.exists(path):
        return
    with _translated(dirname):
        os.makedirs(path, exist_ok=True)


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copies a file's contents.

    Raises:
      tf.errors.AlreadyExistsError: when `newpath` exists and `overwrite` is False.
      tf.errors.NotFoundError: when `oldpath` does not exist.
      tf.errors.InvalidArgumentError: when it is a folder.
    """
    _check_free(newpath, overwrite)
    if IsDirectory(oldpath):
        raise errors.InvalidArgumentError(
            None, None, f"{as_str_any(newpath)}; {os.strerror(errno.EINVAL)}"
        )
    with _translated(oldpath):
        source = open(_path(oldpath), "rb")
    with source, _translated(newpath), open(_path(newpath), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Renames or moves a file or folder; errors as for `Copy`."""
    _check_free(newname, overwrite)
    with _translated(oldname):
        os.rename(_path(oldname), _path(newname))


def _check_free(path: Any, overwrite: bool) -> None:
    if not overwrite and Exists(path):
        raise errors.AlreadyExistsError(None, None, "file already exists")


def DeleteRecursively(dirname: Any) -> None:
    """Deletes a folder with all that is in it.

    Raises:
      tf.errors.NotFoundError: when it does not exist.
      tf.errors.FailedPreconditionError: when it is not a folder.
    """
    path = _path(dirname)
    if not os.path.exists(path):
        raise errors.NotFoundError(None, None, f"{as_str_any(dirname)} not found")
    with _translated(dirname):
        shutil.rmtree(path)


def ListDirectory(dirname: Any) -> list[str]:
    """The names in a folder, in no particular order, without "." and "..".

    Raises:
      tf.errors.NotFoundError: when it is not a folder.
    """
    if not IsDirectory(dirname):
        raise errors.NotFoundError(None, None, f"Could not find directory {as_str_any(dirname)}")
    with _translated(dirname):
        return os.listdir(_path(dirname))


def Glob(filename: Any) -> list[str]:
    """The paths that match a pattern, or any of several patterns.

    ``*`` and ``?`` match within one path component, hidden names too; ``[...]`` is a set of
    characters.
    A pattern without a folder gives paths that begin with "./", as TensorFlow's matcher does.

    Raises:
      tf.errors.NotFoundError: when the part of the path before the first wildcard does not exist.
    """
    if not isinstance(filename, str):
        return [p for pattern in filename for p in matching(as_str_any(pattern), _path)]
    return matching(filename, _path)


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, names of its folders, names of its files) for `top` and every folder under it.

    A folder comes before its subfolders when `in_order`, after them otherwise. One that cannot
    be listed is left out.
    """
    return walk(as_str_any(top), in_order, None)


def walk(top: str, topdown: bool, onerror: Any) -> Iterator[tuple[str, list[str], list[str]]]:
    try:
        names = ListDirectory(top)
    except errors.NotFoundError as error:
        if onerror:
            onerror(error)
        return
    folders = [name for name in names if IsDirectory(os.path.join(top, name))]
    files = [name for name in names if name not in set(folders)]
    if topdown:
        yield top, folders, files
    for name in folders:
        yield from walk(os.path.join(top, name), topdown, onerror)
    if not topdown:
        yield top, folders, files


__getattr__ = missing("tf.gfile")
