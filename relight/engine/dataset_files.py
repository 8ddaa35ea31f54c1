"""Datasets of the lines and records of files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from relight.engine.datasets import Context, Dataset, Element, invalid
from relight.engine.origins import FromFile
from relight.formats.deflate import open_inflated
from relight.formats.tfrecord import RecordError, TFRecordReader
from relight.ops.call import boxed
from relight.ops.files import told

_COMPRESSIONS = ("", "ZLIB", "GZIP")
_PIECE = 1 << 18


def _texts(value: np.ndarray) -> list[str]:
    return [v.decode("utf-8", "surrogateescape") for v in value.ravel().tolist()]


def _compression(value: np.ndarray) -> str:
    name = value.item().decode()
    if name not in _COMPRESSIONS:
        raise invalid("compression_type must be one of ['', 'ZLIB', 'GZIP']")
    return name


def open_file(path: str, compression: str = "") -> BinaryIO:
    """A file opened for reading what it holds uncompressed."""
    return open_inflated(path, compression) if compression else open(path, "rb", buffering=_PIECE)


def tell_byte(path: str, number: int) -> str:
    """A place in a file, for messages."""
    return f"{path}, byte {number}"


def tell_line(path: str, number: int) -> str:
    """A line of a file, for messages."""
    return f"{path}, line {number}"


class _Files(Dataset):
    """Something in each of some files, one file after the other."""

    _tell = staticmethod(tell_byte)

    def __init__(self, state: Any, node: Any, filenames: np.ndarray, compression: np.ndarray):
        super().__init__(state, node)
        self._paths = _texts(filenames)
        self._compression = _compression(compression)

    def iterate(self, context: Context) -> Iterator[Element]:
        tell = self._tell
        for path in self._paths:
            with told(path):
                for place, item in self._items(path):
                    element = FromFile((boxed(item),))
                    element.origin = (tell, path, place)
                    yield element

    def _items(self, path: str) -> Iterator[tuple[int, bytes]]:
        """Places in a file, and what is there."""
        raise NotImplementedError


class TextLine(_Files):
    """The lines, without their ends."""

    _tell = staticmethod(tell_line)

    def __init__(self, state: Any, node: Any, filenames: Any, compression: Any, buffer_size: Any):
        super().__init__(state, node, filenames, compression)

    def _items(self, path: str) -> Iterator[tuple[int, bytes]]:
        with open_file(path, self._compression) as file:
            for number, line in enumerate(file, 1):
                yield number, line.rstrip(b"\n").replace(b"\r", b"")


class TFRecord(_Files):
    """The records of TFRecord files."""

    def __init__(self, state: Any, node: Any, filenames: Any, compression: Any, buffer_size: Any):
        super().__init__(state, node, filenames, compression)

    def _items(self, path: str) -> Iterator[tuple[int, bytes]]:
        with TFRecordReader(path, self._compression) as reader:
            offset = 0
            while (record := reader.read()) is not None:
                yield offset, record
                offset = reader.offset


class FixedLengthRecord(_Files):
    """Records of one length, between a header and a footer."""

    def __init__(
        self,
        state: Any,
        node: Any,
        filenames: Any,
        header: Any,
        record: Any,
        footer: Any,
        buffer_size: Any,
        compression: Any = None,
    ):
        super().__init__(state, node, filenames, boxed(b"") if compression is None else compression)
        self._header, self._record, self._footer = int(header), int(record), int(footer)
        if self._header < 0 or self._footer < 0:
            raise invalid("header_bytes and footer_bytes must be >= 0")
        if self._record <= 0:
            raise invalid("record_bytes must be > 0")

    def _items(self, path: str) -> Iterator[tuple[int, bytes]]:
        return fixed_records(
            path, self._header, self._record, self._footer, self._record, self._compression
        )


def fixed_records(
    path: str, header: int, record: int, footer: int, hop: int, compression: str = ""
) -> Iterator[tuple[int, bytes]]:
    """Records of `record` bytes, `hop` bytes apart, between a header and a footer, and where in the
    (uncompressed) file they begin.

    InvalidArgumentError when what is between header and footer is no whole number of records. When
    records overlap or have gaps (another `hop`), what is left behind the last one is left out.
    """
    with open_file(path, compression) as opened:
        file: BinaryIO = io.BytesIO(opened.read()) if compression else opened
        size = file.seek(0, os.SEEK_END)
        body = size - header - footer
        if body < 0 or (body % record and hop == record):
            raise invalid(
                f"Excluding the header ({header} bytes) and footer ({footer} bytes), input file "
                f'"{path}" has body length {body} bytes, which is not an exact multiple of the '
                f"record length ({record} bytes)." + _what_is_left(path, header, body, record)
            )
        file.seek(header)
        kept = b""
        for start in range(header, header + body - record + 1, hop):
            item = kept + file.read(record - len(kept)) if kept else file.read(record)
            if len(item) < record:
                raise RecordError(path, start, "truncated", "the file became shorter meanwhile")
            yield start, item
            if hop != record:
                kept = item[hop:]
                if hop > record:
                    file.read(hop - record)


def _what_is_left(path: str, header: int, body: int, record: int) -> str:
    if body < 0:
        return " The file is too short for them."
    left = body % record
    return (
        f" Of the record that begins at byte {header + body - left} there are only {left} bytes: "
        "the file is cut short, or its records have another length."
    )
