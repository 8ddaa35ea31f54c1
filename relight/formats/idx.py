"""IDX files, the format of the MNIST digits: one array, plain or gzipped.

* Magic: two zero bytes, a type byte (8 uint8, 9 int8, 11 int16, 12 int32, 13 float32, 14 float64),
  the number of dimensions (one byte).
* The sizes, uint32 big-endian each; then the values, big-endian, row-major.
* Nothing follows the last value.

Source: yann.lecun.com/exdb/mnist, "The IDX file format".
"""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import secrets
import zlib
from typing import BinaryIO

import numpy as np

from relight.formats.errors import FormatError

_DTYPES: dict[int, np.dtype] = {
    8: np.dtype(">u1"),
    9: np.dtype(">i1"),
    11: np.dtype(">i2"),
    12: np.dtype(">i4"),
    13: np.dtype(">f4"),
    14: np.dtype(">f8"),
}
_TYPES = {(kind.kind, kind.itemsize): number for number, kind in _DTYPES.items()}
_MAX_RANK = 32
_CHUNK = 1 << 20


def _inflate(data: bytes, path: str | None, limit: int) -> bytes:
    """The gzip members in `data`, at most `limit` bytes and a chunk of them."""
    out = bytearray()
    while data:
        stream = zlib.decompressobj(31)
        try:
            while data and not stream.eof and len(out) <= limit:
                out += stream.decompress(data, _CHUNK)
                data = stream.unconsumed_tail
        except zlib.error as error:
            raise FormatError(path, None, f"damaged gzip stream: {error}") from error
        if len(out) > limit:
            break
        if not stream.eof:
            raise FormatError(path, None, "gzip stream is cut off")
        data = stream.unused_data
    return bytes(out)


def parse_idx(data: bytes, path: str | None = None) -> np.ndarray:
    """The array in the bytes of an IDX file, gzipped or not. FormatError if they are malformed.

    The result is a native-endian array; uint8 and int8 ones are read-only views of the bytes.
    """
    zipped = data[:2] == b"\x1f\x8b"
    head = _inflate(data, path, 4 + 4 * _MAX_RANK) if zipped else data
    if len(head) < 4:
        raise FormatError(path, 0, f"{len(head)} bytes are too few for an IDX header")
    kind = _DTYPES.get(head[2])
    rank = head[3]
    if head[:2] != b"\0\0" or kind is None:
        raise FormatError(path, 0, f"no IDX file: it begins with {head[:4].hex()}")
    start = 4 + 4 * rank
    if rank > _MAX_RANK or len(head) < start:
        raise FormatError(path, 3, f"header with {rank} dimensions is cut off or too long")
    shape = tuple(int.from_bytes(head[i : i + 4], "big") for i in range(4, start, 4))
    if math.prod(size or 1 for size in shape) >= 1 << 58:
        raise FormatError(path, 4, f"impossible shape {list(shape)}")
    size = math.prod(shape) * kind.itemsize
    body = _inflate(data, path, start + size) if zipped else data
    if len(body) != start + size:
        raise FormatError(
            path,
            min(len(body), start + size),
            f"shape {list(shape)} needs {start + size} bytes, "
            f"the file has {'more' if len(body) > start + size else len(body)}",
        )
    array = np.frombuffer(body, kind, offset=start).reshape(shape)
    return array.astype(kind.newbyteorder("="), copy=False)


def read_idx(source: str | os.PathLike | BinaryIO) -> np.ndarray:
    """The array in a file, given by path or as an open binary file. Errors as `parse_idx`."""
    if hasattr(source, "read"):
        return parse_idx(source.read(), getattr(source, "name", None))
    with open(source, "rb") as file:
        return parse_idx(file.read(), os.fspath(source))


def format_idx(array: np.ndarray) -> bytes:
    """The bytes of an (uncompressed) IDX file. TypeError if IDX has no such dtype."""
    array = np.asarray(array)
    number = _TYPES.get((array.dtype.kind, array.dtype.itemsize))
    if number is None:
        raise TypeError(f"IDX cannot hold dtype {array.dtype}")
    if array.ndim > _MAX_RANK or any(size > 0xFFFFFFFF for size in array.shape):
        raise ValueError(f"IDX cannot hold shape {array.shape}")
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, number, array.ndim)) + sizes + array.astype(_DTYPES[number]).tobytes()


def write_idx(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array atomically; gzipped (without a time stamp) if the path ends in .gz."""
    path = os.fspath(path)
    data = format_idx(array)
    if path.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    temporary = f"{path}.tmp{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
