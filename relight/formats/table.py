"""Sorted string tables: the LevelDB table format, as TensorFlow's checkpoint indexes use it.

* File: data blocks, one meta-index block (empty here), one index block, a 48-byte footer.
* Block on disk: contents, one byte of compression (0 none, 1 Snappy), the masked CRC-32C of both.
* Block contents: entries, then restart points (uint32 each), then their number (uint32).
* Entry: varint `shared`, varint `unshared`, varint value length, the last `unshared` bytes of the
  key, the value. The first `shared` bytes of the key are those of the key before. At a restart
  point (every 16th entry of a data block, every entry of the index) `shared` is 0.
* Index block: one entry a data block; key: a short string not below the block's last key and below
  the next block's first; value: the block's handle (varint offset, varint size without trailer).
* Footer: handles of meta-index and index, zeros up to 40 bytes, 0xdb4775248b80fb57 little-endian.
* Keys ascend strictly, compared as bytes. TensorFlow closes a data block at 262,144 bytes.

Source: github.com/google/leveldb, doc/table_format.md; Snappy: google/snappy,
format_description.txt.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Iterator
from typing import BinaryIO

from relight.formats.crc import masked_crc32c
from relight.formats.errors import FormatError, located
from relight.formats.wire import read_varint, write_varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER_SIZE = 48
TRAILER_SIZE = 5
BLOCK_SIZE = 262144
RESTART_INTERVAL = 16
# Writers restart prefix compression every 16 keys, so real keys expand at most 16-fold. A file that
# asks for more than this wants memory, not keys.
_MAX_KEY_EXPANSION = 64


def snappy_decompress(data: bytes) -> bytes:
    """Decode one raw Snappy block.

    Memory is bounded: a copy element turns three bytes into at most 64, so a claimed size above
    22 times the input is refused before anything is allocated.
    """
    size, pos = read_varint(data, 0, len(data))
    if size > 22 * len(data):
        raise FormatError(None, 0, f"Snappy block of {len(data)} bytes claims {size} bytes")
    out = bytearray()
    end = len(data)
    while pos < end:
        tag = data[pos]
        at = pos
        pos += 1
        kind = tag & 3
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                width = length - 60
                length = int.from_bytes(data[pos : pos + width], "little") + 1
                pos += width
            if length > end - pos:
                raise FormatError(None, at, "Snappy literal is cut off")
            out += data[pos : pos + length]
            pos += length
        else:
            if kind == 1:
                length = ((tag >> 2) & 7) + 4
                offset = (tag >> 5) << 8 | int.from_bytes(data[pos : pos + 1], "little")
                pos += 1
            else:
                width = 2 if kind == 2 else 4
                length = (tag >> 2) + 1
                offset = int.from_bytes(data[pos : pos + width], "little")
                pos += width
            if pos > end or not 0 < offset <= len(out):
                raise FormatError(None, at, f"Snappy copy from {offset} bytes back of {len(out)}")
            if offset >= length:
                start = len(out) - offset
                out += out[start : start + length]
            else:  # the copy overlaps what it writes: its source repeats
                piece = bytes(out[-offset:])
                out += (piece * (length // offset + 1))[:length]
        if len(out) > size:
            raise FormatError(None, at, f"Snappy block is longer than the {size} bytes it claims")
    if len(out) != size:
        raise FormatError(None, end, f"Snappy block has {len(out)} bytes, claims {size}")
    return bytes(out)


def _block_entries(block: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """(key, value, position of the entry) of each entry, in file order."""
    if len(block) < 4:
        raise FormatError(None, 0, "block is too short for its restart count")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise FormatError(None, len(block) - 4, f"block cannot hold {restarts} restart points")
    key = b""
    pos = 0
    while pos < end:
        at = pos
        shared, pos = read_varint(block, pos, end)
        unshared, pos = read_varint(block, pos, end)
        size, pos = read_varint(block, pos, end)
        if shared > len(key) or unshared + size > end - pos:
            raise FormatError(None, at, "entry reaches outside its block")
        key = key[:shared] + block[pos : pos + unshared]
        pos += unshared
        yield key, block[pos : pos + size], at
        pos += size


def _handle(data: bytes, pos: int, end: int) -> tuple[int, int, int]:
    """A block handle: (offset, size, position behind the handle)."""
    offset, pos = read_varint(data, pos, end)
    size, pos = read_varint(data, pos, end)
    return offset, size, pos


class TableReader:
    """A table file, open for reading. Blocks are read when they are needed, and verified.

    Raises FormatError if the footer or the index block is damaged, OSError as `open` does.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self._file: BinaryIO = open(self.path, "rb")
        self._lock = threading.Lock()
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self._read_index()
        except BaseException:
            self._file.close()
            raise

    def _read_index(self) -> None:
        start = self.size - FOOTER_SIZE
        if start < 0:
            raise FormatError(self.path, 0, f"{self.size} bytes are too few for a table's footer")
        self._file.seek(start)
        footer = self._file.read(FOOTER_SIZE)
        if footer[40:] != MAGIC:
            raise FormatError(self.path, start + 40, "no table: the magic number is not there")
        with located(self.path, start):
            _, _, pos = _handle(footer, 0, 40)  # the meta-index holds nothing for us
            offset, size, _ = _handle(footer, pos, 40)
        block, _ = self._read_block(offset, size)
        self._last_keys: list[bytes] = []
        self._handles: list[tuple[int, int]] = []
        reached = 0
        for key, value, at in self._entries(block, offset, _Budget(self.path, self.size)):
            with located(self.path, None):
                block_offset, block_size, _ = _handle(value, 0, len(value))
            if block_offset < reached:
                raise FormatError(self.path, at, "index block: data blocks overlap")
            reached = block_offset + block_size + TRAILER_SIZE
            self._last_keys.append(key)
            self._handles.append((block_offset, block_size))

    def _read_block(self, offset: int, size: int) -> tuple[bytes, bool]:
        """The contents of a block, and whether they were stored as they are."""
        if offset + size + TRAILER_SIZE > self.size:
            raise FormatError(
                self.path, offset, f"block of {size} bytes reaches beyond the file's {self.size}"
            )
        with self._lock:
            self._file.seek(offset)
            raw = self._file.read(size + TRAILER_SIZE)
        if len(raw) != size + TRAILER_SIZE:
            raise FormatError(self.path, offset, "file became shorter while it was read")
        stored = int.from_bytes(raw[-4:], "little")
        if masked_crc32c(raw[:-4]) != stored:
            raise FormatError(self.path, offset, f"checksum of the block of {size} bytes is wrong")
        kind = raw[size]
        if kind == 0:
            return raw[:size], True
        if kind == 1:
            with located(self.path, offset):
                return snappy_decompress(raw[:size]), False
        raise FormatError(self.path, offset + size, f"unknown compression {kind} of a block")

    def _entries(
        self, block: bytes, offset: int, budget: _Budget, last: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes, int]]:
        """Checked entries of a block that starts at `offset`: (key, value, position)."""
        with located(self.path, offset):
            for key, value, at in _block_entries(block):
                if last is not None and key <= last:
                    raise FormatError(None, at, f"key {key[:80]!r} is not above the one before")
                budget.spend(len(key), offset + at)
                last = key
                yield key, value, offset + at

    def items(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Every (key, value, position in the file), keys ascending.

        In a compressed block the position is that of the block plus the one inside it.
        """
        budget = _Budget(self.path, self.size)
        last = None
        for offset, size in self._handles:
            block, stored = self._read_block(offset, size)
            if not stored:
                budget.grow(len(block))
            for entry in self._entries(block, offset, budget, last):
                last = entry[0]
                yield entry

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None. Reads one block."""
        index = bisect_left(self._last_keys, key)
        if index == len(self._handles):
            return None
        offset, size = self._handles[index]
        block, _ = self._read_block(offset, size)
        budget = _Budget(self.path, self.size)
        budget.grow(len(block))
        for found, value, _ in self._entries(block, offset, budget):
            if found == key:
                return value
            if found > key:
                return None
        return None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> TableReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Budget:
    """Bounds how far shared prefixes may blow up the keys of a file."""

    def __init__(self, path: str, size: int):
        self._path = path
        self._left = _MAX_KEY_EXPANSION * size + 65536

    def grow(self, size: int) -> None:
        self._left += _MAX_KEY_EXPANSION * size

    def spend(self, size: int, at: int) -> None:
        self._left -= size
        if self._left < 0:
            raise FormatError(self._path, at, "shared key prefixes expand beyond any real table")


class _BlockBuilder:
    def __init__(self, interval: int):
        self._interval = interval
        self.reset()

    def reset(self) -> None:
        self.data = bytearray()
        self._restarts = [0]
        self._since_restart = 0
        self.last_key = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._since_restart < self._interval:
            shared = _common_prefix(self.last_key, key)
        else:
            self._restarts.append(len(self.data))
            self._since_restart = 0
        self.data += write_varint(shared)
        self.data += write_varint(len(key) - shared)
        self.data += write_varint(len(value))
        self.data += key[shared:]
        self.data += value
        self.last_key = key
        self._since_restart += 1

    def size(self) -> int:
        return len(self.data) + 4 * len(self._restarts) + 4

    def finish(self) -> bytes:
        for restart in self._restarts:
            self.data += restart.to_bytes(4, "little")
        self.data += len(self._restarts).to_bytes(4, "little")
        return bytes(self.data)


def _common_prefix(a: bytes, b: bytes) -> int:
    limit = min(len(a), len(b))
    if a[:limit] == b[:limit]:
        return limit
    return next(i for i in range(limit) if a[i] != b[i])


def _separator(low: bytes, high: bytes) -> bytes:
    """A short key k with low <= k < high."""
    same = _common_prefix(low, high)
    if same < min(len(low), len(high)) and low[same] < 0xFF and low[same] + 1 < high[same]:
        return low[:same] + bytes((low[same] + 1,))
    return low


def _successor(key: bytes) -> bytes:
    """A short key not below `key`."""
    for i, byte in enumerate(key):
        if byte != 0xFF:
            return key[:i] + bytes((byte + 1,))
    return key


class TableWriter:
    """Writes a table, uncompressed, to a binary file that the caller opens and closes."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._offset = 0
        self._data = _BlockBuilder(RESTART_INTERVAL)
        self._index = _BlockBuilder(1)
        self._last_key: bytes | None = None
        self._pending: bytes | None = None

    def add(self, key: bytes, value: bytes) -> None:
        """Append an entry. Keys must ascend strictly; ValueError if they do not."""
        if self._last_key is not None and key <= self._last_key:
            raise ValueError(f"table keys must ascend: {key!r} after {self._last_key!r}")
        if self._pending is not None and self._last_key is not None:
            self._index.add(_separator(self._last_key, key), self._pending)
            self._pending = None
        self._data.add(key, value)
        self._last_key = key
        if self._data.size() >= BLOCK_SIZE:
            self._flush()

    def _write_block(self, contents: bytes) -> bytes:
        handle = write_varint(self._offset) + write_varint(len(contents))
        body = contents + b"\0"
        self._file.write(body)
        self._file.write(masked_crc32c(body).to_bytes(4, "little"))
        self._offset += len(contents) + TRAILER_SIZE
        return handle

    def _flush(self) -> None:
        if self._data.data:
            self._pending = self._write_block(self._data.finish())
            self._data.reset()

    def finish(self) -> None:
        """Write what is left: last data block, meta-index, index, footer."""
        self._flush()
        meta = self._write_block(_BlockBuilder(RESTART_INTERVAL).finish())
        if self._pending is not None and self._last_key is not None:
            self._index.add(_successor(self._last_key), self._pending)
        index = self._write_block(self._index.finish())
        self._file.write((meta + index).ljust(40, b"\0") + MAGIC)
