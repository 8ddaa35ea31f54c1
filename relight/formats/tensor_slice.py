"""Tensor shapes and slices as checkpoints hold them.

* TensorShapeProto: 2 dim (repeated) {1 size}, 3 unknown_rank.
* TensorSliceProto: 1 extent (repeated) {1 start, 2 length}; without a length the slice takes all of
  the dimension.
* As text: "start,length" or "-" for each dimension, joined by ":"; SaveV2 and RestoreV2 put the
  full
  shape before it: "10 4 0,5:-".
* As part of a table key ("ordered code", so that bytes sort like numbers): 0x00, the name with
  0x00 -> 00 ff and 0xff -> ff 00, the terminator 00 01, the rank (a length byte, then big-endian),
  and for each dimension start and length (-1 for all) as signed numbers: as many leading one bits
  as there are bytes, then the value; inverted throughout where it is negative.
"""

from __future__ import annotations

from collections.abc import Sequence

from relight.formats.errors import FormatError
from relight.formats.wire import (
    BYTES,
    VARINT,
    expect,
    field_bytes,
    field_varint,
    read_fields,
    signed,
)

FULL = -1
_ESCAPES = {0x00: b"\x00\xff", 0xFF: b"\xff\x00"}
Slice = tuple[tuple[int, int], ...]


def encode_shape(shape: Sequence[int]) -> bytes:
    """A TensorShapeProto."""
    return b"".join(field_bytes(2, field_varint(1, n) if n else b"") for n in shape)


def decode_shape(data: bytes, start: int, end: int) -> tuple[int, ...]:
    """The sizes in the TensorShapeProto at `data[start:end]`."""
    sizes: list[int] = []
    for number, kind, a, b in read_fields(data, start, end):
        if number == 2:
            expect(kind, BYTES, number, a)
            size = 0
            for inner, inner_kind, value, at in read_fields(data, a, b):
                if inner == 1:
                    expect(inner_kind, VARINT, inner, at)
                    size = signed(value)
            if size < 0:
                raise FormatError(None, a, f"dimension {len(sizes)} has size {size}")
            sizes.append(size)
        elif number == 3 and kind == VARINT and a:
            raise FormatError(None, b, "a stored tensor has an unknown rank")
    return tuple(sizes)


def encode_slice(piece: Slice) -> bytes:
    """A TensorSliceProto."""
    out = b""
    for start, length in piece:
        extent = b""
        if length != FULL:
            extent = (field_varint(1, start) if start else b"") + field_varint(2, length)
        out += field_bytes(1, extent)
    return out


def decode_slice(data: bytes, start: int, end: int) -> Slice:
    """The (start, length) pairs in the TensorSliceProto at `data[start:end]`."""
    piece = []
    for number, kind, a, b in read_fields(data, start, end):
        if number != 1:
            continue
        expect(kind, BYTES, number, a)
        first, length = 0, FULL
        for inner, inner_kind, value, at in read_fields(data, a, b):
            if inner in (1, 2):
                expect(inner_kind, VARINT, inner, at)
                if signed(value) < 0:
                    raise FormatError(None, at, f"slice extent is {signed(value)}")
                if inner == 1:
                    first = value
                else:
                    length = value
        piece.append((first, length))
    return tuple(piece)


def parse_slice_spec(text: str) -> tuple[tuple[int, ...], Slice]:
    """SaveV2's "10 4 0,5:-" as (full shape, slice). ValueError if it is malformed."""
    *sizes, last = text.split(" ")
    try:
        shape = tuple(map(int, sizes))
        piece = tuple(
            (0, FULL) if part == "-" else tuple(map(int, part.split(",")))
            for part in last.split(":")
        )
        if any(len(pair) != 2 for pair in piece) or len(piece) != len(shape):
            raise ValueError("wrong number of parts")
        for size, (start, length) in zip(shape, piece, strict=True):
            inside = length == FULL or (start >= 0 and length >= 0 and start + length <= size)
            if size < 0 or not inside:
                raise ValueError("slice is outside its shape")
    except ValueError as error:
        raise ValueError(f"malformed shape and slice {text!r}: {error}") from error
    return shape, piece  # type: ignore[return-value]


def format_slice(piece: Slice) -> str:
    """The slice as text."""
    return ":".join("-" if length == FULL else f"{start},{length}" for start, length in piece)


def extents(piece: Slice, shape: Sequence[int]) -> list[tuple[int, int]]:
    """(start, length) of each dimension, with the lengths that "all" stands for."""
    return [
        (0, size) if length == FULL else (start, length)
        for (start, length), size in zip(piece, shape, strict=True)
    ]


def is_full(piece: Slice, shape: Sequence[int]) -> bool:
    """Whether the slice is the whole tensor."""
    return all(pair == (0, size) for pair, size in zip(extents(piece, shape), shape, strict=True))


def _ordered_unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes((size,)) + value.to_bytes(size, "big")


def _ordered_signed(value: int) -> bytes:
    size = 1
    while not -(1 << (7 * size - 1)) <= value < 1 << (7 * size - 1):
        size += 1
    header = ((1 << size) - 1) << (7 * size)
    return ((value & ((1 << (8 * size)) - 1)) ^ header).to_bytes(size, "big")


def slice_key(name: bytes, piece: Slice) -> bytes:
    """The table key of one slice of a tensor."""
    escaped = b"".join(_ESCAPES.get(byte) or bytes((byte,)) for byte in name)
    out = b"\0" + escaped + b"\x00\x01" + _ordered_unsigned(len(piece))
    for start, length in piece:
        out += _ordered_signed(start) + _ordered_signed(length)
    return out
