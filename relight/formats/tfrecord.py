"""TFRecord files: a row of byte strings with checksums. Event files are made of them, too.

* Record: length (uint64), masked CRC-32C of those eight bytes (uint32), the bytes, masked CRC-32C
  of the bytes (uint32); everything little-endian; no header, no index.
* GZIP and ZLIB files are that row inside one deflate stream (RFC 1952, RFC 1950; a GZIP file may
  have several members). Offsets in errors are those of the uncompressed row.

Source: tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details".
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from relight.formats.crc import masked_crc32c
from relight.formats.errors import FormatError

_HEADER = struct.Struct("<QI")
_CHUNK = 1 << 18
# Deflate turns one byte into at most 1032 (zlib's technical notes): a longer record is a lie.
_MAX_DEFLATE_RATIO = 1032
_WINDOW_BITS = {"GZIP": 31, "ZLIB": 15}


def _window_bits(compression: str | None) -> int:
    """zlib's window parameter; 0 for no compression. ValueError for an unknown name."""
    if not compression:
        return 0
    if compression not in _WINDOW_BITS:
        raise ValueError(f"compression {compression!r} is not '', 'GZIP' or 'ZLIB'")
    return _WINDOW_BITS[compression]


class _Inflater:
    """`read(n)` of the uncompressed bytes of a deflate file, never much more than asked for."""

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
        while len(self._buffer) - self._start < size and self._fill(size):
            pass
        end = min(self._start + size, len(self._buffer))
        out = bytes(self._buffer[self._start : end])
        self._start = end
        if self._start > _CHUNK:
            del self._buffer[: self._start]
            self._start = 0
        return out

    def _fill(self, size: int) -> bool:
        """Inflate a piece; False at the end of the file."""
        if not self._input:
            self._input = self._file.read(_CHUNK)
        if not self._input:
            if self._in_member or not self._members:
                if not self._in_member and self._file.tell() == 0:
                    return False  # an empty file has no records
                raise FormatError(self._path, self._file.tell(), "compressed stream is cut off")
            return False
        if not self._in_member:
            if self._members and self._bits != 31:
                raise FormatError(self._path, None, "bytes behind the end of the ZLIB stream")
            self._stream = zlib.decompressobj(self._bits)
            self._in_member = True
        try:
            self._buffer += self._stream.decompress(self._input, max(_CHUNK, min(size, 1 << 24)))
        except zlib.error as error:
            raise FormatError(self._path, self._file.tell(), f"damaged stream: {error}") from error
        if self._stream.eof:
            self._input = self._stream.unused_data
            self._members += 1
            self._in_member = False
        else:
            self._input = self._stream.unconsumed_tail
        return True


class TFRecordReader:
    """Iterates over the records of a file.

    Args:
        path: the file.
        compression: "" or None, "GZIP", "ZLIB".

    A record that is cut off, whose checksum is wrong or whose length is more than the file can hold
    raises FormatError with the offset of the record; nothing of the claimed size is allocated
    before. `offset` is the position behind the last good record.
    """

    def __init__(self, path: str | os.PathLike, compression: str | None = None):
        self.path = os.fspath(path)
        self.offset = 0
        bits = _window_bits(compression)
        self._file: BinaryIO = open(self.path, "rb", buffering=_CHUNK)
        self._compressed = bool(bits)
        self._source = _Inflater(self._file, self.path, bits) if bits else self._file

    def _limit(self) -> int:
        """How many bytes can follow the current header."""
        size = os.fstat(self._file.fileno()).st_size
        return size * _MAX_DEFLATE_RATIO if self._compressed else size - self.offset - 12

    def _read(self, size: int) -> bytes:
        if not self._compressed or size <= _CHUNK:
            return self._source.read(size)
        pieces = []
        while size:
            piece = self._source.read(min(size, _CHUNK))
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read(self) -> bytes | None:
        """The next record, or None at the end of the file."""
        header = self._source.read(12)
        if not header:
            return None
        if len(header) < 12:
            raise FormatError(self.path, self.offset, "truncated record: its header is cut off")
        length, checksum = _HEADER.unpack(header)
        if masked_crc32c(header[:8]) != checksum:
            raise FormatError(self.path, self.offset, "corrupted record: length checksum is wrong")
        if length + 4 > self._limit():
            raise FormatError(
                self.path,
                self.offset,
                f"truncated record: {length} bytes are claimed, the file is too short",
            )
        body = self._read(length + 4)
        if len(body) < length + 4:
            raise FormatError(
                self.path,
                self.offset,
                f"truncated record: {length} bytes are claimed, the file ends before",
            )
        record = body[:length]
        if masked_crc32c(record) != int.from_bytes(body[length:], "little"):
            raise FormatError(self.path, self.offset, "corrupted record: data checksum is wrong")
        self.offset += length + 16
        return record

    def __iter__(self) -> Iterator[bytes]:
        while (record := self.read()) is not None:
            yield record

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> TFRecordReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_records(path: str | os.PathLike, compression: str | None = None) -> Iterator[bytes]:
    """The records of a file, which is closed at the end. Errors as TFRecordReader's."""
    with TFRecordReader(path, compression) as reader:
        yield from reader


def encode_record(record: bytes) -> bytes:
    """A record as it stands in an uncompressed file."""
    length = len(record).to_bytes(8, "little")
    return b"".join(
        (
            length,
            masked_crc32c(length).to_bytes(4, "little"),
            record,
            masked_crc32c(record).to_bytes(4, "little"),
        )
    )


class TFRecordWriter:
    """Writes records to a new file (`mode` "wb"; "xb" refuses to replace one).

    `compression` is "" or None, "GZIP" or "ZLIB"; `level` is zlib's, 0 to 9, -1 for its default.
    OSError, of a full disk for example, comes from the call that meets it.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        compression: str | None = None,
        level: int = -1,
        mode: str = "wb",
    ):
        self.path = os.fspath(path)
        bits = _window_bits(compression)
        self._file = open(self.path, mode, buffering=_CHUNK)
        self._stream = zlib.compressobj(level, zlib.DEFLATED, bits) if bits else None

    def write(self, record: bytes) -> None:
        """Append a record."""
        data = encode_record(record)
        self._file.write(self._stream.compress(data) if self._stream else data)

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        if self._stream:
            self._file.write(self._stream.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finish the stream and close the file. A second call does nothing."""
        if self._file.closed:
            return
        try:
            if self._stream:
                self._file.write(self._stream.flush(zlib.Z_FINISH))
        finally:
            self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
