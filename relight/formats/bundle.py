"""TensorFlow's V2 checkpoint: the tensor bundle.

* `<prefix>.data-SSSSS-of-NNNNN`: tensor values one after the other, little-endian, row-major,
  no padding.
* `<prefix>.index`: a table (see `table.py`), from tensor name to `BundleEntryProto`; the empty
  name holds `BundleHeaderProto`.
* BundleHeaderProto: 1 num_shards, 2 endianness (0 little), 3 VersionDef {1 producer, 2
  min_consumer}.
* BundleEntryProto: 1 dtype, 2 TensorShapeProto, 3 shard_id, 4 offset, 5 size, 6 masked CRC-32C
  (fixed32), 7 slices (TensorSliceProto, repeated).
* String tensor: each length as a varint, the masked CRC-32C of the lengths (4 bytes), then the
  bytes of all strings. The lengths enter checksums as uint32 (uint64 where they do not fit).
* Partitioned tensor: its entry has the full shape, no bytes, and the list of slices. Each slice has
  an entry of its own whose key is 0x00, name, rank, and start and length of each dimension in
  ordered-code.

Sources: tensorflow/core/protobuf/tensor_bundle.proto, core/util/tensor_bundle/tensor_bundle.h
(comments), core/lib/strings/ordered_code.h (encoding).
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import ml_dtypes
import numpy as np

from relight.formats.crc import crc32c, mask, masked_crc32c
from relight.formats.errors import FormatError, located
from relight.formats.table import TableReader, TableWriter
from relight.formats.tensor_slice import (
    Slice,
    decode_shape,
    decode_slice,
    encode_shape,
    encode_slice,
    extents,
    format_slice,
    is_full,
    parse_slice_spec,
    slice_key,
)
from relight.formats.wire import (
    BYTES,
    FIXED32,
    VARINT,
    expect,
    field_bytes,
    field_fixed32,
    field_varint,
    read_fields,
    read_varint,
    signed,
    write_varint,
)

DT_STRING = 7
DT_BOOL = 10
# Members of TensorFlow's DataType that have a fixed width, and how numpy holds them. The quantized
# types (qint8 ...) are stored as plain integers.
NUMPY_DTYPES: dict[int, np.dtype] = {
    number: np.dtype(kind)
    for number, kind in {
        1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 8: "c8", 9: "i8", 10: "?", 11: "i1",
        12: "u1", 13: "i4", 14: ml_dtypes.bfloat16, 15: "i2", 16: "u2", 17: "u2", 18: "c16",
        19: "f2", 22: "u4", 23: "u8",
    }.items()
}  # fmt: skip
_QUANTIZED = (11, 12, 13, 15, 16)
_DTYPE_ENUMS = {kind: n for n, kind in NUMPY_DTYPES.items() if n not in _QUANTIZED}
_MAX_RANK = 32  # numpy 1 holds no more dimensions


@dataclass(slots=True)
class Entry:
    """One BundleEntryProto."""

    dtype: int = 0
    shape: tuple[int, ...] = ()
    shard_id: int = 0
    offset: int = 0
    size: int = 0
    crc32c: int = 0
    slices: list[Slice] = field(default_factory=list)

    def encode(self) -> bytes:
        out = bytearray(field_varint(1, self.dtype))
        out += field_bytes(2, encode_shape(self.shape))
        for number, value in ((3, self.shard_id), (4, self.offset), (5, self.size)):
            if value:
                out += field_varint(number, value)
        if self.crc32c:
            out += field_fixed32(6, self.crc32c)
        for piece in self.slices:
            out += field_bytes(7, encode_slice(piece))
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        entry = cls()
        for number, kind, a, b in read_fields(data, 0, len(data)):
            if number in (2, 7):
                expect(kind, BYTES, number, a)
                if number == 2:
                    entry.shape = decode_shape(data, a, b)
                else:
                    entry.slices.append(decode_slice(data, a, b))
            elif number == 6:
                expect(kind, FIXED32, number, b)
                entry.crc32c = a
            elif number in (1, 3, 4, 5):
                expect(kind, VARINT, number, b)
                if signed(a) < 0:
                    raise FormatError(None, b, f"field {number} of an entry is {signed(a)}")
                if number == 1:
                    entry.dtype = a
                elif number == 3:
                    entry.shard_id = a
                elif number == 4:
                    entry.offset = a
                else:
                    entry.size = a
        return entry


def _header(num_shards: int) -> bytes:
    return field_varint(1, num_shards) + field_bytes(3, field_varint(1, 1))


def _decode_header(data: bytes) -> int:
    """The number of shards."""
    shards = endianness = min_consumer = 0
    for number, kind, a, b in read_fields(data, 0, len(data)):
        if number in (1, 2):
            expect(kind, VARINT, number, b)
            if number == 1:
                shards = a
            else:
                endianness = a
        elif number == 3:
            expect(kind, BYTES, number, a)
            for inner, inner_kind, value, _ in read_fields(data, a, b):
                if inner == 2 and inner_kind == VARINT:
                    min_consumer = value
    if endianness:
        raise FormatError(None, 0, "bundle was written on a big-endian machine")
    if min_consumer > 1:
        raise FormatError(None, 0, f"bundle needs a reader of version {min_consumer}, this is 1")
    if not 0 < shards <= 99999:
        raise FormatError(None, 0, f"bundle header claims {shards} shards")
    return shards


def data_path(prefix: str, shard: int, num_shards: int) -> str:
    """The file that holds a shard's values."""
    return f"{prefix}.data-{shard:05d}-of-{num_shards:05d}"


def index_path(prefix: str) -> str:
    """The file that holds a bundle's table."""
    return f"{prefix}.index"


def dtype_enum_of(dtype: np.dtype) -> int:
    """TensorFlow's DataType number of a numpy dtype. TypeError if it has none."""
    if dtype.kind in "OSU":
        return DT_STRING
    number = _DTYPE_ENUMS.get(dtype.newbyteorder("=") if dtype.byteorder == ">" else dtype)
    if number is None:
        raise TypeError(f"numpy dtype {dtype} has no TensorFlow type that a checkpoint holds")
    return number


def _lengths_bytes(lengths: list[int]) -> bytes:
    """The lengths as they enter the checksum."""
    if not lengths or max(lengths) <= 0xFFFFFFFF:
        return np.array(lengths, "<u4").tobytes()
    return b"".join(n.to_bytes(4 if n <= 0xFFFFFFFF else 8, "little") for n in lengths)


def _encode_strings(array: np.ndarray) -> tuple[bytes, int]:
    """The stored bytes of a string tensor, and their masked checksum."""
    values = []
    for value in array.reshape(-1).tolist():
        if isinstance(value, str):
            value = value.encode()
        elif not isinstance(value, bytes):
            raise TypeError(f"string tensor holds a {type(value).__name__}, not bytes")
        values.append(value)
    lengths = [len(value) for value in values]
    crc = crc32c(_lengths_bytes(lengths))
    checksum = mask(crc).to_bytes(4, "little")
    body = b"".join(values)
    crc = crc32c(body, crc32c(checksum, crc))
    return b"".join(map(write_varint, lengths)) + checksum + body, mask(crc)


def _decode_strings(data: bytes, shape: tuple[int, ...], stored_crc: int) -> np.ndarray:
    """The object array of bytes that `_encode_strings` stored; errors give places in `data`."""
    count = math.prod(shape)
    if count > len(data):
        raise FormatError(None, 0, f"{count} strings cannot be in {len(data)} bytes")
    lengths = []
    pos = 0
    for _ in range(count):
        length, pos = read_varint(data, pos, len(data))
        lengths.append(length)
    if pos + 4 + sum(lengths) != len(data):
        raise FormatError(
            None, 0, f"string lengths add up to {pos + 4 + sum(lengths)} bytes, not {len(data)}"
        )
    crc = crc32c(_lengths_bytes(lengths))
    if mask(crc) != int.from_bytes(data[pos : pos + 4], "little"):
        raise FormatError(None, pos, "checksum of the string lengths is wrong")
    if masked_crc32c(data[pos:], crc) != stored_crc:
        raise FormatError(None, 0, "checksum of the string tensor is wrong")
    pos += 4
    out = np.empty(count, object)
    for i, length in enumerate(lengths):
        out[i] = data[pos : pos + length]
        pos += length
    return out.reshape(shape)


def _sync_directory(path: str) -> None:
    """Make renames in the directory of `path` durable, where the system has directory handles."""
    if os.name != "posix":
        return
    handle = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush(file: BinaryIO, sync: bool) -> None:
    file.flush()
    if sync:
        os.fsync(file.fileno())
    file.close()


def _write_index(path: str, num_shards: int, entries: dict[bytes, Entry], sync: bool) -> None:
    """Write an index under a name that nobody reads yet."""
    with open(path, "xb") as file:
        table = TableWriter(file)
        table.add(b"", _header(num_shards))
        for key in sorted(entries):
            table.add(key, entries[key].encode())
        table.finish()
        _flush(file, sync)


class BundleWriter:
    """Writes one bundle of one shard: `add` tensors, then `finish`.

    Values go to temporary files beside the prefix; `finish` makes them durable (`sync`) and renames
    them, the index last, so a bundle is whole or absent. `abort`, or leaving a `with` block by an
    exception, removes the temporary files, and the directory when it was made for them. The
    directory of the prefix is made if only its last component is missing. OSError as the file
    system gives it.
    """

    def __init__(self, prefix: str | os.PathLike, *, sync: bool = True):
        self.prefix = os.fspath(prefix)
        self._sync = sync
        self._entries: dict[bytes, Entry] = {}
        self._offset = 0
        directory = os.path.dirname(self.prefix)
        self._made_directory = ""
        if directory:
            with contextlib.suppress(FileExistsError):
                os.mkdir(directory)
                self._made_directory = directory
        suffix = f".tempstate{secrets.token_hex(8)}"
        self._temporary_data = data_path(self.prefix, 0, 1) + suffix
        self._temporary_index = index_path(self.prefix) + suffix
        self._file: BinaryIO | None = open(self._temporary_data, "xb", buffering=1 << 16)

    def add(
        self,
        name: str,
        array: np.ndarray,
        slice_spec: str | None = None,
        dtype_enum: int | None = None,
    ) -> None:
        """Append a tensor.

        Args:
            name: the tensor's name, not empty.
            array: its values; object, bytes and str arrays become string tensors.
            slice_spec: None or "" for a whole tensor; else SaveV2's form "10 4 0,5:-": the full
                shape, then start,length of each dimension ("-" for all of it).
            dtype_enum: TensorFlow's DataType number where the array's dtype does not say it
                (quantized types).

        Raises:
            ValueError: the name is there already, or the slice does not fit shape or dtype.
            TypeError: TensorFlow has no such type.
        """
        if self._file is None:
            raise ValueError(f"bundle {self.prefix} is finished")
        key = name.encode()
        if not key or key[0] == 0:
            raise ValueError(f"tensor name {name!r} is empty or begins with a NUL")
        array = np.asarray(array)
        dtype = dtype_enum if dtype_enum is not None else dtype_enum_of(array.dtype)
        width = None if dtype == DT_STRING else NUMPY_DTYPES.get(dtype)
        if dtype != DT_STRING and (width is None or width.itemsize != array.dtype.itemsize):
            raise TypeError(f"{name}: dtype {dtype} cannot hold values of {array.dtype}")
        try:
            if not slice_spec:
                self._append(key, name, array, dtype)
                return
            shape, piece = parse_slice_spec(slice_spec)
            wanted = tuple(length for _, length in extents(piece, shape))
            if wanted != array.shape:
                raise ValueError(f"{name}: slice {slice_spec!r} of shape {array.shape}")
            if is_full(piece, shape):
                self._append(key, name, array, dtype)
                return
            whole = self._entries.get(key)
            if whole is not None and not whole.slices:
                raise ValueError(f"{name}: tensor is there already")
            if whole is not None and (whole.dtype, whole.shape) != (dtype, shape):
                raise ValueError(f"{name}: slices disagree about dtype or shape")
            self._append(slice_key(key, piece), f"{name} {slice_spec}", array, dtype)
            if whole is None:
                whole = self._entries[key] = Entry(dtype, shape)
            whole.slices.append(piece)
        except OSError:
            self.abort()
            raise

    def _append(self, key: bytes, name: str, array: np.ndarray, dtype: int) -> None:
        file = self._file
        if file is None or key in self._entries:
            raise ValueError(f"{name}: tensor is there already")
        body: bytes | np.ndarray
        if dtype == DT_STRING:
            body, crc = _encode_strings(array)
            size = len(body)
        else:
            little = array.dtype.newbyteorder("<")
            contiguous = np.asarray(array, dtype=little, order="C")
            body = contiguous.reshape(-1).view(np.uint8)
            crc = masked_crc32c(body)
            size = contiguous.nbytes
        file.write(body)  # type: ignore[arg-type]  # an array is a buffer
        self._entries[key] = Entry(dtype, array.shape, 0, self._offset, size, crc)
        self._offset += size

    def finish(self) -> None:
        """Make the bundle appear under its prefix."""
        if self._file is None:
            raise ValueError(f"bundle {self.prefix} is finished")
        try:
            _flush(self._file, self._sync)
            self._file = None
            _write_index(self._temporary_index, 1, self._entries, self._sync)
            os.replace(self._temporary_data, data_path(self.prefix, 0, 1))
            os.replace(self._temporary_index, index_path(self.prefix))
            if self._sync:
                _sync_directory(self.prefix)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Remove what was written. Nothing happens after `finish`."""
        if self._file is not None:
            # Closing flushes; on a full disk that fails again, and the first error is the one told.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        for path in (self._temporary_data, self._temporary_index):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        if self._made_directory:
            with contextlib.suppress(OSError):  # not empty: somebody else's files stay
                os.rmdir(self._made_directory)

    def __enter__(self) -> BundleWriter:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is not None:
            self.abort()
        elif self._file is not None:
            self.finish()


class BundleReader:
    """Reads a bundle of any number of shards. Safe to use from several threads.

    Opening reads the whole index; values are read, and their checksums verified, by `read`.
    FormatError says what is damaged; a missing file is FileNotFoundError.
    """

    def __init__(self, prefix: str | os.PathLike):
        self.prefix = os.fspath(prefix)
        self._path = index_path(self.prefix)
        self._raw: dict[bytes, bytes] = {}
        self._files: dict[int, tuple[io.FileIO, int]] = {}
        self._lock = threading.Lock()
        with TableReader(self._path) as table:
            for key, value, _ in table.items():
                self._raw[key] = value
        header = self._raw.pop(b"", None)
        if header is None:
            raise FormatError(self._path, None, "bundle has no header")
        with located(self._path, None):
            self.num_shards = _decode_header(header)
        self._names: dict[str, bytes] = {}
        for key in self._raw:
            if key[0]:
                try:
                    self._names[key.decode()] = key
                except UnicodeDecodeError as error:
                    raise FormatError(
                        self._path, None, f"tensor name {key[:80]!r} is not UTF-8"
                    ) from error

    def names(self) -> list[str]:
        """Names of the tensors, sorted bytewise; a partitioned tensor is one name."""
        return list(self._names)

    def has(self, name: str) -> bool:
        """Whether the bundle holds the tensor."""
        return name in self._names

    def _entry(self, key: bytes) -> Entry:
        with located(self._path, None):
            return Entry.decode(self._raw[key])

    def entry(self, name: str) -> Entry:
        """The tensor's index entry. KeyError if it is not there."""
        if name not in self._names:
            raise KeyError(f"{name} is not in checkpoint {self.prefix}")
        return self._entry(self._names[name])

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's (full) shape."""
        return self.entry(name).shape

    def dtype_enum(self, name: str) -> int:
        """The tensor's DataType number, as TensorFlow counts them."""
        return self.entry(name).dtype

    def read(self, name: str, slice_spec: str | None = None) -> np.ndarray:
        """A tensor's values, little-endian or native; strings as an object array of bytes.

        Args:
            name: the tensor's name.
            slice_spec: None or "" for all of it, else "10 4 0,5:-" as in SaveV2.

        Raises:
            KeyError: no such tensor.
            ValueError: the slice is malformed or of another shape than the tensor.
            FormatError: the bytes are damaged, truncated or do not fit the index.
        """
        entry = self.entry(name)
        wanted = None
        if slice_spec:
            shape, wanted = parse_slice_spec(slice_spec)
            if shape != entry.shape:
                raise ValueError(
                    f"{name}: slice {slice_spec!r} is of shape {list(shape)}, "
                    f"checkpoint {self.prefix} has {list(entry.shape)}"
                )
            exact = slice_key(name.encode(), wanted)
            if exact in self._raw:  # saved under the same partitioning: one piece is enough
                return self._read_entry(f"{name} {slice_spec}", self._entry(exact))
        array = self._assemble(name, entry) if entry.slices else self._read_entry(name, entry)
        if wanted is not None and not is_full(wanted, entry.shape):
            index = tuple(slice(a, a + n) for a, n in extents(wanted, entry.shape))
            array = array[index].copy()
        return array

    def _file(self, shard: int) -> tuple[io.FileIO, int]:
        """The open data file of a shard and its size."""
        if shard not in self._files:
            file = io.FileIO(data_path(self.prefix, shard, self.num_shards), "r")
            self._files[shard] = (file, os.fstat(file.fileno()).st_size)
        return self._files[shard]

    def _bytes(self, name: str, entry: Entry) -> np.ndarray:
        """The stored bytes of an entry."""
        if entry.shard_id >= self.num_shards:
            raise FormatError(
                self._path, None, f"{name} is in shard {entry.shard_id} of {self.num_shards}"
            )
        with self._lock:
            file, size = self._file(entry.shard_id)
            if entry.offset + entry.size > size:
                raise FormatError(
                    file.name,
                    entry.offset,
                    f"{name} needs {entry.size} bytes, the file ends at {size}",
                )
            out = np.empty(entry.size, np.uint8)
            file.seek(entry.offset)
            view = memoryview(out)  # type: ignore[arg-type]
            done = 0
            while done < entry.size:
                count = file.readinto(view[done:])
                if not count:
                    raise FormatError(file.name, entry.offset + done, f"{name} is cut off")
                done += count
        return out

    def _read_entry(self, name: str, entry: Entry) -> np.ndarray:
        kind = NUMPY_DTYPES.get(entry.dtype)
        if entry.dtype != DT_STRING and kind is None:
            raise FormatError(self._path, None, f"{name} has dtype {entry.dtype}, not readable")
        _check_shape(self._path, name, entry.shape)
        if kind is not None and entry.size != math.prod(entry.shape) * kind.itemsize:
            raise FormatError(
                self._path,
                None,
                f"{name} of shape {list(entry.shape)} and dtype {kind} cannot be "
                f"{entry.size} bytes",
            )
        raw = self._bytes(name, entry)
        path = data_path(self.prefix, entry.shard_id, self.num_shards)
        if kind is None:
            with located(path, entry.offset):
                return _decode_strings(raw.tobytes(), entry.shape, entry.crc32c)
        if masked_crc32c(raw) != entry.crc32c:
            raise FormatError(path, entry.offset, f"checksum of {name} is wrong")
        if entry.dtype == DT_BOOL:
            return (raw != 0).reshape(entry.shape)
        return raw.view(kind.newbyteorder("<")).reshape(entry.shape)

    def _assemble(self, name: str, entry: Entry) -> np.ndarray:
        """Put the slices of a partitioned tensor together."""
        kind = np.dtype(object) if entry.dtype == DT_STRING else NUMPY_DTYPES.get(entry.dtype)
        if kind is None:
            raise FormatError(self._path, None, f"{name} has dtype {entry.dtype}, not readable")
        _check_shape(self._path, name, entry.shape)
        pieces: list[tuple[Slice, Entry]] = []
        stored = covered = 0
        for piece in entry.slices:
            key = slice_key(name.encode(), piece)
            if key not in self._raw:
                raise FormatError(self._path, None, f"{name} lacks slice {format_slice(piece)}")
            part = self._entry(key)
            if len(piece) != len(entry.shape) or not _inside(piece, entry.shape):
                raise FormatError(
                    self._path, None, f"{name} has a slice {format_slice(piece)} outside its shape"
                )
            shape = tuple(n for _, n in extents(piece, entry.shape))
            if part.shape != shape or part.dtype != entry.dtype or part.slices:
                raise FormatError(
                    self._path, None, f"{name}: entry of slice {format_slice(piece)} does not fit"
                )
            stored += part.size
            covered += math.prod(shape)
            pieces.append((piece, part))
        # Several entries may point at the same bytes, so the sizes are added up before the whole
        # is allocated: what is not in the files cannot be asked for.
        available = 0
        with self._lock:
            for shard in {part.shard_id for _, part in pieces}:
                if shard < self.num_shards:
                    available += self._file(shard)[1]
        if stored > available:
            raise FormatError(
                self._path, None, f"slices of {name} claim {stored} bytes of {available}"
            )
        if covered != math.prod(entry.shape) or covered > max(stored, 1):
            raise FormatError(self._path, None, f"slices of {name} do not cover it once")
        out = np.empty(entry.shape, kind)
        seen = np.zeros(entry.shape, bool)
        for piece, part in pieces:
            index = tuple(slice(a, a + n) for a, n in extents(piece, entry.shape))
            out[index] = self._read_entry(f"{name} {format_slice(piece)}", part)
            seen[index] = True
        if not seen.all():
            raise FormatError(self._path, None, f"slices of {name} do not cover it once")
        return out

    def close(self) -> None:
        """Close the data files."""
        with self._lock:
            for file, _ in self._files.values():
                file.close()
            self._files.clear()

    def __enter__(self) -> BundleReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _inside(piece: Slice, shape: tuple[int, ...]) -> bool:
    return all(
        length == -1 or (start >= 0 and length >= 0 and start + length <= size)
        for (start, length), size in zip(piece, shape, strict=True)
    )


def _check_shape(path: str, name: str, shape: tuple[int, ...]) -> None:
    """FormatError for a shape that numpy cannot hold even without elements."""
    if len(shape) > _MAX_RANK:
        raise FormatError(path, None, f"{name} has {len(shape)} dimensions, at most {_MAX_RANK}")
    if math.prod(size or 1 for size in shape) >= 1 << 58:
        raise FormatError(path, None, f"{name} has the impossible shape {list(shape)}")


def merge_bundles(
    prefixes: Sequence[str | os.PathLike],
    dest: str | os.PathLike,
    *,
    delete_old_dirs: bool = True,
    sync: bool = True,
) -> None:
    """Make one sharded bundle `dest` of several: data files are renamed, the indexes merged.

    This is what MergeV2Checkpoints does after a sharded save. The parts disappear; with
    `delete_old_dirs` their directories do, too, once they are empty.

    Raises ValueError if two parts hold the same tensor (slices of one tensor may be in several),
    FormatError if a part's index is damaged.
    """
    dest = os.fspath(dest)
    sources = [os.fspath(prefix) for prefix in prefixes]
    merged: dict[bytes, Entry] = {}
    shards: dict[str, int] = {}
    for prefix in sources:
        with BundleReader(prefix) as part:
            for key in part._raw:
                entry = part._entry(key)
                path = data_path(prefix, entry.shard_id, part.num_shards)
                known = merged.get(key)
                if known is not None:
                    if not known.slices or not entry.slices:
                        raise ValueError(f"{key.decode()} is in {prefix} and in a part before it")
                    if (known.dtype, known.shape) != (entry.dtype, entry.shape):
                        raise ValueError(f"{key.decode()}: parts disagree about dtype or shape")
                    known.slices += entry.slices
                    continue
                entry.shard_id = shards.setdefault(path, len(shards))
                merged[key] = entry
            # A part without tensors has a data file all the same.
            for shard in range(part.num_shards):
                shards.setdefault(data_path(prefix, shard, part.num_shards), len(shards))
    directory = os.path.dirname(dest)
    if directory:
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory)
    temporary = f"{index_path(dest)}.tempstate{secrets.token_hex(8)}"
    try:
        _write_index(temporary, len(shards), merged, sync)
        for path, shard in shards.items():
            os.replace(path, data_path(dest, shard, len(shards)))
        os.replace(temporary, index_path(dest))
        if sync:
            _sync_directory(dest)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    for prefix in sources:
        if index_path(prefix) != index_path(dest):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(index_path(prefix))
        if delete_old_dirs and os.path.dirname(prefix) != directory:
            with contextlib.suppress(OSError):  # not empty: somebody else's files stay
                os.rmdir(os.path.dirname(prefix))
