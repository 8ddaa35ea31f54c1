"""Files of one deflate stream, read piece by piece: GZIP (RFC 1952) and ZLIB (RFC 1950)."""

from __future__ import annotations

import io
import re
import zlib
from typing import BinaryIO

from relight.formats.errors import FormatError

CHUNK = 1 << 18
WINDOW_BITS = {"GZIP": 31, "ZLIB": 15}  # zlib's window parameter
_MAGIC = b"\x1f\x8b"  # the beginning of each member of a GZIP file


class CutOffError(FormatError):
    """A compressed stream that ends before its end mark."""


class DeflateError(FormatError):
    """A compressed stream that says what no such stream says."""

    def __init__(self, path: str, offset: int, error: zlib.error):
        super().__init__(path, offset, f"damaged stream: {error}")
        found = re.match(r"Error (-?\d+)[^:]*(.*)", str(error))
        what = f"inflate() failed with error {found[1]}{found[2]}" if found else str(error)
        self.status = f"{what} ({path}, before byte {offset})"


class Inflater:
    """`read(n)` of the uncompressed bytes of a deflate file, never much more than asked for.

    FormatError, with the place in the compressed file, when the stream is damaged or cut off. A
    GZIP file may have several members; what else is behind the end of a stream is left out.
    """

    def __init__(self, file: BinaryIO, path: str, window_bits: int):
        self._file = file
        self._path = path
        self._bits = window_bits
        self._stream = zlib.decompressobj(window_bits)
        self._input = b""
        self._buffer = bytearray()
        self._start = 0
        self._members = 0
        self._in_member = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        while len(self._buffer) - self._start < size and self._fill(size):
            pass
        end = min(self._start + size, len(self._buffer))
        out = bytes(self._buffer[self._start : end])
        self._start = end
        if self._start > CHUNK:
            del self._buffer[: self._start]
            self._start = 0
        return out

    def _fill(self, size: int) -> bool:
        """Inflate a piece; False at the end of the file."""
        if not self._input:
            self._input = self._file.read(CHUNK)
        if not self._input:
            if self._in_member or not self._members:
                if not self._in_member and self._file.tell() == 0:
                    return False  # an empty file holds nothing
                raise CutOffError(self._path, self._file.tell(), "compressed stream is cut off")
            return False
        if not self._in_member:
            if self._members and not self._has_another():
                return False
            self._stream = zlib.decompressobj(self._bits)
            self._in_member = True
        try:
            self._buffer += self._stream.decompress(self._input, max(CHUNK, min(size, 1 << 24)))
        except zlib.error as error:
            raise DeflateError(self._path, self._file.tell(), error) from error
        if self._stream.eof:
            self._input = self._stream.unused_data
            self._members += 1
            self._in_member = False
        else:
            self._input = self._stream.unconsumed_tail
        return True

    def _has_another(self) -> bool:
        """Whether the input goes on with another member."""
        if self._bits != WINDOW_BITS["GZIP"]:
            return False
        if len(self._input) < len(_MAGIC):
            self._input += self._file.read(CHUNK)
        return self._input.startswith(_MAGIC)


class _Raw(io.RawIOBase):
    def __init__(self, path: str, window_bits: int):
        self._file = open(path, "rb", buffering=CHUNK)
        self._inflater = Inflater(self._file, path, window_bits)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._inflater.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_inflated(path: str, compression: str) -> BinaryIO:
    """A "GZIP" or "ZLIB" file opened for reading what it holds. Errors as Inflater's."""
    return io.BufferedReader(_Raw(path, WINDOW_BITS[compression]), CHUNK)  # type: ignore
