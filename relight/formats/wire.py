"""The protocol buffer wire format, for the few messages that have no generated class here.

* A message is a row of fields: a varint tag (field number << 3 | wire type), then the value.
* Wire types: 0 varint, 1 eight bytes little-endian, 2 varint length and that many bytes,
  5 four bytes little-endian. (3 and 4, groups, are not used by TensorFlow's files.)
* A varint holds seven bits a byte, low bits first; the top bit says that more follow; at most ten
  bytes. A negative int64 is its 64-bit two's complement.
* Unknown fields are skipped; of a repeated scalar the last one counts.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

from relight.formats.errors import FormatError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_varint(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """The unsigned varint at `pos` and the position behind it. FormatError if it leaves `end`."""
    result = shift = 0
    start = pos
    while pos < end:
        byte = data[pos]
        pos += 1
        if byte < 0x80:
            result |= byte << shift
            if result >> 64:
                raise FormatError(None, start, "varint is wider than 64 bits")
            return result, pos
        result |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise FormatError(None, start, "varint is longer than ten bytes")
    raise FormatError(None, start, "varint is cut off")


def write_varint(value: int) -> bytes:
    """`value` (an int64 or a uint64) as a varint."""
    value &= 0xFFFFFFFFFFFFFFFF
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> int:
    """The int64 whose two's complement a varint holds."""
    return value - (1 << 64) if value >> 63 else value


def read_fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Fields of the message in `data[start:end]`, as (number, wire type, a, b).

    For BYTES the payload is `data[a:b]`; for the others `a` is the unsigned value and `b` the
    position of the field.
    """
    pos = start
    while pos < end:
        at = pos
        tag, pos = read_varint(data, pos, end)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise FormatError(None, at, f"field number {number} is not valid")
        if kind == VARINT:
            value, pos = read_varint(data, pos, end)
            yield number, kind, value, at
        elif kind == BYTES:
            size, pos = read_varint(data, pos, end)
            if size > end - pos:
                raise FormatError(
                    None, at, f"field {number} claims {size} bytes, {end - pos} are left"
                )
            yield number, kind, pos, pos + size
            pos += size
        elif kind in (FIXED32, FIXED64):
            width = 4 if kind == FIXED32 else 8
            if width > end - pos:
                raise FormatError(None, at, f"field {number} is cut off")
            yield number, kind, int.from_bytes(data[pos : pos + width], "little"), at
            pos += width
        else:
            raise FormatError(None, at, f"field {number} has unknown wire type {kind}")


def expect(kind: int, wanted: int, number: int, at: int) -> None:
    """FormatError unless a known field came with its wire type."""
    if kind != wanted:
        raise FormatError(None, at, f"field {number} has wire type {kind}, not {wanted}")


def field_varint(number: int, value: int) -> bytes:
    """A varint field."""
    return write_varint(number << 3) + write_varint(value)


def field_bytes(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    return write_varint(number << 3 | BYTES) + write_varint(len(payload)) + payload


def field_fixed32(number: int, value: int) -> bytes:
    """A four-byte field."""
    return write_varint(number << 3 | FIXED32) + value.to_bytes(4, "little")
