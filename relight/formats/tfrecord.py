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
from relight.formats.deflate import CHUNK as _CHUNK
from relight.formats.deflate import WINDOW_BITS, CutOffError, Inflater
from relight.formats.errors import FormatError

_HEADER = struct.Struct("<QI")
# Deflate turns one byte into at most 1032 (zlib's technical notes): a longer record is a lie.
_MAX_DEFLATE_RATIO = 1032


def _window_bits(compression: str | None) -> int:
    """zlib's window parameter; 0 for no compression. ValueError for an unknown name."""
    if not compression:
        return 0
    if compression not in WINDOW_BITS:
        raise ValueError(f"compression {compression!r} is not '', 'GZIP' or 'ZLIB'")
    return WINDOW_BITS[compression]


class RecordError(FormatError):
    """A damaged record.

    Args:
        path: the file.
        offset: where the record begins.
        kind: "truncated" or "corrupted".
        detail: what is wrong.
        at: the byte that TensorFlow names, where that is another one.
    """

    def __init__(self, path: str, offset: int, kind: str, detail: str, at: int | None = None):
        super().__init__(path, offset, f"{kind} record: {detail}")
        where = offset if at is None else at
        self.status = f"{kind} record at {where} ({path}, record at byte {offset}: {detail})"


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
        self._source = Inflater(self._file, self.path, bits) if bits else self._file

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
        try:
            return self._record()
        except CutOffError as error:
            detail = f"the {error.reason} at byte {error.offset} of the file"
            raise RecordError(self.path, self.offset, "truncated", detail) from error

    def _record(self) -> bytes | None:
        header = self._source.read(12)
        if not header:
            return None
        if len(header) < 12:
            raise self._damaged("truncated", "its header is cut off")
        length, checksum = _HEADER.unpack(header)
        if masked_crc32c(header[:8]) != checksum:
            raise self._damaged("corrupted", "length checksum is wrong")
        if length + 4 > self._limit():
            raise self._damaged("truncated", f"{length} bytes are claimed, the file is too short")
        body = self._read(length + 4)
        if len(body) < length + 4:
            raise self._damaged("truncated", f"{length} bytes are claimed, the file ends before")
        record = body[:length]
        if masked_crc32c(record) != int.from_bytes(body[length:], "little"):
            raise self._damaged("corrupted", "data checksum is wrong", self.offset + 12)
        self.offset += length + 16
        return record

    def _damaged(self, kind: str, detail: str, at: int | None = None) -> RecordError:
        return RecordError(self.path, self.offset, kind, detail, at)

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
