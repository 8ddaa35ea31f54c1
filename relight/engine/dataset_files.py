"""Datasets of the lines and records of files."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from relight.engine.datasets import Context, Dataset, Element, invalid
from relight.formats.tfrecord import TFRecordReader
from relight.ops.files import told

_COMPRESSIONS = ("", "ZLIB", "GZIP")
_PIECE = 1 << 18


def boxed(value: bytes) -> np.ndarray:
    """A scalar string value."""
    array = np.empty((), np.object_)
    array[()] = value
    return array


def _texts(value: np.ndarray) -> list[str]:
    return [v.decode("utf-8", "surrogateescape") for v in value.ravel().tolist()]


def _compression(value: np.ndarray) -> str:
    name = value.item().decode()
    if name not in _COMPRESSIONS:
        raise invalid("compression_type must be one of ['', 'ZLIB', 'GZIP']")
    return name


def open_file(path: str, compression: str = "") -> BinaryIO:
    """A file opened for reading what it holds uncompressed."""
    if compression == "GZIP":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    file = open(path, "rb", buffering=_PIECE)
    if compression == "ZLIB":
        import io

        with file:
            return io.BytesIO(zlib.decompress(file.read()))
    return file


class _Files(Dataset):
    """Something in each of some files, one file after the other."""

    def __init__(self, state: Any, node: Any, filenames: np.ndarray, compression: np.ndarray):
        super().__init__(state, node)
        self._paths = _texts(filenames)
        self._compression = _compression(compression)

    def iterate(self, context: Context) -> Iterator[Element]:
        for path in self._paths:
            with told(path):
                for item in self._items(path):
                    yield (boxed(item),)

    def _items(self, path: str) -> Iterator[bytes]:
        raise NotImplementedError


class TextLine(_Files):
    """The lines, without their ends."""

    def __init__(self, state: Any, node: Any, filenames: Any, compression: Any, buffer_size: Any):
        super().__init__(state, node, filenames, compression)

    def _items(self, path: str) -> Iterator[bytes]:
        with open_file(path, self._compression) as file:
            for line in file:
                yield line.rstrip(b"\n").replace(b"\r", b"")


class TFRecord(_Files):
    """The records of TFRecord files."""

    def __init__(self, state: Any, node: Any, filenames: Any, compression: Any, buffer_size: Any):
        super().__init__(state, node, filenames, compression)

    def _items(self, path: str) -> Iterator[bytes]:
        with TFRecordReader(path, self._compression) as reader:
            yield from reader


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

    def _items(self, path: str) -> Iterator[bytes]:
        return fixed_records(
            path, self._header, self._record, self._footer, self._record, self._compression
        )


def fixed_records(
    path: str, header: int, record: int, footer: int, hop: int, compression: str = ""
) -> Iterator[bytes]:
    """Records of `record` bytes, `hop` bytes apart, between a header and a footer.

    InvalidArgumentError when what is between them is no whole number of records.
    """
    with open_file(path, compression) as file:
        size = len(file.read()) if compression else os.path.getsize(path)
        body = size - header - footer
        if body < 0 or (body % record and hop == record):
            raise invalid(
                f"Excluding the header ({header} bytes) and footer ({footer} bytes), input file "
                f'"{path}" has body length {body} bytes, which is not an exact multiple of the '
                f"record length ({record} bytes)."
            )
        file.seek(header)
        kept = b""
        for _ in range((body - record) // hop + 1 if body >= record else 0):
            kept += file.read(record - len(kept))
            yield kept
            kept = kept[hop:]
            if hop > record:
                file.read(hop - record)
