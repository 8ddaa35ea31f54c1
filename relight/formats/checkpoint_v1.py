"""TensorFlow's V1 checkpoints (Saver's format before 2017), for reading.

* One table (see `table.py`; blocks usually Snappy-compressed) a shard: a single file `<path>`, or
  `<path>-SSSSS-of-NNNNN`, each with its own part of the tensors.
* The empty key holds SavedTensorSlices {1 SavedTensorSliceMeta}: 1 tensor (repeated)
  {1 name, 2 TensorShapeProto, 3 DataType, 4 TensorSliceProto (repeated)}, 2 VersionDef.
* Every slice has a key (`tensor_slice.slice_key`) with SavedTensorSlices {2 SavedSlice}: 1 name,
  2 TensorSliceProto, 3 TensorProto, whose values stand in its typed repeated fields.

Source: tensorflow/core/util/saved_tensor_slice.proto.
"""

from __future__ import annotations

import glob
import math
import os
import re
from dataclasses import dataclass, field

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from relight.formats.bundle import DT_STRING, NUMPY_DTYPES
from relight.formats.errors import FormatError, located
from relight.formats.table import TableReader
from relight.formats.tensor_slice import (
    Slice,
    decode_shape,
    decode_slice,
    extents,
    format_slice,
    slice_key,
)
from relight.formats.wire import BYTES, VARINT, expect, read_fields

# Where TensorProto keeps the values of a DataType.
_FIELDS = {
    1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 5: "int_val", 6: "int_val",
    7: "string_val", 8: "scomplex_val", 9: "int64_val", 10: "bool_val", 11: "int_val",
    12: "int_val", 13: "int_val", 14: "half_val", 15: "int_val", 16: "int_val", 17: "int_val",
    18: "dcomplex_val", 19: "half_val", 22: "uint32_val", 23: "uint64_val",
}  # fmt: skip
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


@dataclass
class _Tensor:
    shape: tuple[int, ...] = ()
    dtype: int = 0
    slices: list[tuple[Slice, TableReader]] = field(default_factory=list)


def _decode_meta(data: bytes, table: TableReader, tensors: dict[str, _Tensor]) -> None:
    for number, kind, a, b in read_fields(data, 0, len(data)):
        if number != 1:
            continue
        expect(kind, BYTES, number, a)
        for inner, inner_kind, c, d in read_fields(data, a, b):
            if inner == 1:
                expect(inner_kind, BYTES, inner, c)
                _decode_tensor(data, c, d, table, tensors)


def _decode_tensor(
    data: bytes, start: int, end: int, table: TableReader, tensors: dict[str, _Tensor]
) -> None:
    name = ""
    tensor = _Tensor()
    for number, kind, a, b in read_fields(data, start, end):
        if number == 3:
            expect(kind, VARINT, number, b)
            tensor.dtype = a
            continue
        if number not in (1, 2, 4):
            continue
        expect(kind, BYTES, number, a)
        if number == 1:
            try:
                name = data[a:b].decode()
            except UnicodeDecodeError as error:
                raise FormatError(None, a, "tensor name is not UTF-8") from error
        elif number == 2:
            tensor.shape = decode_shape(data, a, b)
        else:
            tensor.slices.append((decode_slice(data, a, b), table))
    known = tensors.setdefault(name, tensor)
    if known is not tensor:
        if (known.shape, known.dtype) != (tensor.shape, tensor.dtype):
            raise FormatError(None, start, f"shards disagree about {name}")
        known.slices += tensor.slices
    for piece, _ in tensor.slices:
        if len(piece) != len(tensor.shape) or any(
            first + length > size
            for (first, length), size in zip(
                extents(piece, tensor.shape), tensor.shape, strict=True
            )
        ):
            raise FormatError(None, start, f"slice {format_slice(piece)} is outside of {name}")


def _values(proto: TensorProto, dtype: int, shape: tuple[int, ...]) -> np.ndarray:
    """The values of a TensorProto as an array of `shape`; one value stands for all."""
    count = math.prod(shape)
    kind = np.dtype(object) if dtype == DT_STRING else NUMPY_DTYPES[dtype]
    if proto.tensor_content and dtype != DT_STRING:
        if len(proto.tensor_content) != count * kind.itemsize:
            raise FormatError(None, None, f"{len(proto.tensor_content)} bytes for shape {shape}")
        return np.frombuffer(proto.tensor_content, kind.newbyteorder("<")).reshape(shape).copy()
    values = getattr(proto, _FIELDS[dtype])
    if dtype == DT_STRING:
        array = np.empty(len(values), object)
        array[:] = list(values)
    elif _FIELDS[dtype] == "half_val":
        array = np.array(values, "<i4").astype("<u2").view(kind)
    elif kind.kind == "c":
        array = np.array(values, "f4" if dtype == 8 else "f8")
        array = array[: len(array) // 2 * 2].view(kind)
    else:
        array = np.array(values, np.int64 if _FIELDS[dtype] == "int_val" else kind).astype(kind)
    if len(array) != count:
        raise FormatError(None, None, f"{len(array)} values for shape {list(shape)}")
    return array.reshape(shape)


def shard_paths(path: str | os.PathLike) -> list[str]:
    """The files of a V1 checkpoint: `path` itself, or its shards. FileNotFoundError if none."""
    path = os.fspath(path)
    if os.path.isfile(path):
        return [path]
    found = sorted(name for name in glob.glob(glob.escape(path) + "-*-of-*") if _SHARD.search(name))
    if not found:
        raise FileNotFoundError(f"no V1 checkpoint {path}")
    expected = int(found[0][-5:])
    if len(found) != expected:
        raise FormatError(path, None, f"{len(found)} of {expected} shards are there")
    return found


class CheckpointV1Reader:
    """Reads a V1 checkpoint, with the interface of `bundle.BundleReader`.

    `path` is the checkpoint's name, or one of its shards' (or TensorFlow's `-?????-of-NNNNN`).
    """

    def __init__(self, path: str | os.PathLike):
        self.prefix = os.fspath(path)
        self._tensors: dict[str, _Tensor] = {}
        self._tables: list[TableReader] = []
        base = re.sub(r"-\?{5}-of-\d{5}$", "", self.prefix)
        try:
            for shard in shard_paths(base):
                table = TableReader(shard)
                self._tables.append(table)
                meta = table.get(b"")
                if meta is None:
                    raise FormatError(shard, None, "no V1 checkpoint: it has no list of tensors")
                with located(shard, None):
                    _decode_meta(meta, table, self._tensors)
        except BaseException:
            self.close()
            raise

    def names(self) -> list[str]:
        """Names of the tensors, sorted."""
        return sorted(self._tensors)

    def has(self, name: str) -> bool:
        """Whether the checkpoint holds the tensor."""
        return name in self._tensors

    def _tensor(self, name: str) -> _Tensor:
        if name not in self._tensors:
            raise KeyError(f"{name} is not in checkpoint {self.prefix}")
        return self._tensors[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape."""
        return self._tensor(name).shape

    def dtype_enum(self, name: str) -> int:
        """The tensor's DataType number."""
        return self._tensor(name).dtype

    def read(self, name: str) -> np.ndarray:
        """A tensor's values; strings as an object array of bytes.

        KeyError if it is not there, FormatError if it is damaged.
        """
        tensor = self._tensor(name)
        if tensor.dtype not in _FIELDS:
            raise FormatError(self.prefix, None, f"{name} has dtype {tensor.dtype}, not readable")
        if len(tensor.shape) > 32 or math.prod(n or 1 for n in tensor.shape) >= 1 << 58:
            raise FormatError(self.prefix, None, f"{name} has an impossible shape")
        # A slice listed again would be read again: a small file could ask for any amount of memory.
        if len({piece for piece, _ in tensor.slices}) != len(tensor.slices):
            raise FormatError(self.prefix, None, f"slices of {name} do not cover it once")
        pieces = []
        for piece, table in tensor.slices:
            shape = tuple(length for _, length in extents(piece, tensor.shape))
            with located(table.path, None):
                raw = table.get(slice_key(name.encode(), piece))
                if raw is None:
                    raise FormatError(None, None, f"{name} lacks slice {format_slice(piece)}")
                pieces.append((piece, _values(_slice_proto(raw, name), tensor.dtype, shape)))
        covered = sum(array.size for _, array in pieces)
        if covered != math.prod(tensor.shape):
            raise FormatError(self.prefix, None, f"slices of {name} do not cover it once")
        if len(pieces) == 1:
            return pieces[0][1]
        kind = np.dtype(object) if tensor.dtype == DT_STRING else NUMPY_DTYPES[tensor.dtype]
        out = np.empty(tensor.shape, kind)
        seen = np.zeros(tensor.shape, bool)
        for piece, array in pieces:
            index = tuple(slice(a, a + n) for a, n in extents(piece, tensor.shape))
            out[index] = array
            seen[index] = True
        if not seen.all():
            raise FormatError(self.prefix, None, f"slices of {name} do not cover it once")
        return out

    def close(self) -> None:
        """Close the files."""
        for table in self._tables:
            table.close()

    def __enter__(self) -> CheckpointV1Reader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _slice_proto(raw: bytes, name: str) -> TensorProto:
    """The TensorProto in a SavedTensorSlices message."""
    for number, kind, a, b in read_fields(raw, 0, len(raw)):
        if number != 2:
            continue
        expect(kind, BYTES, number, a)
        for inner, inner_kind, c, d in read_fields(raw, a, b):
            if inner == 3:
                expect(inner_kind, BYTES, inner, c)
                try:
                    return TensorProto.FromString(raw[c:d])
                except DecodeError as error:
                    raise FormatError(None, c, f"{name}: {error}") from error
    raise FormatError(None, 0, f"{name} has no values")
