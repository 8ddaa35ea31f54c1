"""Unicode: decoding, encoding, transcoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph.opdef import op
from relight.ops.array import invalid
from relight.ops.shape_rules import same, sizes
from relight.ops.strings import each

_CODECS = {
    "UTF-8": "utf-8",
    "UTF-16-BE": "utf-16-be",
    "UTF-32-BE": "utf-32-be",
    "UTF-16": "utf-16",
    "UTF-32": "utf-32",
}


def _codec(name: str) -> str:
    known = _CODECS.get(name, name)
    try:
        "".encode(known)
    except LookupError:
        raise invalid(f"Could not create converter for input encoding: {name}") from None
    return known


def decoder(node: Any) -> Callable[[bytes], list[tuple[int, int]]]:
    """A function from bytes to [(code point, where it begins)] as a node's attrs ask for it."""
    attrs = node._attrs
    codec = _codec(attrs["input_encoding"])
    errors, replacement = attrs["errors"], attrs["replacement_char"]
    controls = attrs.get("replace_control_characters", False)

    def decode(data: bytes) -> list[tuple[int, int]]:
        found, at = [], 0
        while at < len(data):
            try:
                text = data[at:].decode(codec)
                bad = None
            except UnicodeDecodeError as error:
                text = data[at : at + error.start].decode(codec)
                bad = (at + error.start, at + max(error.end, error.start + 1))
            for character in text:
                found.append((ord(character), at))
                at += len(character.encode(codec))
            if bad is None:
                break
            if errors == "strict":
                raise invalid("Invalid formatting on input string")
            if errors == "replace":
                found.append((replacement, bad[0]))
            at = bad[1]
        if controls:
            found = [(replacement if c <= 0x1F or 0x7F <= c <= 0x9F else c, i) for c, i in found]
        return found

    return decode


def encode_point(point: int, codec: str, errors: str, replacement: int) -> bytes:
    """A code point in an encoding, with the asked-for treatment of what is no character."""
    if 0 <= point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF:
        return chr(point).encode(codec)
    if errors == "strict":
        raise invalid("Code point is out of range for Unicode, or a noncharacter.")
    return chr(replacement).encode(codec) if errors == "replace" else b""


@op("UnicodeTranscode", shape=same, specialise=True)
def UnicodeTranscode(node: Any) -> Any:
    """Strings in another encoding."""
    decode = decoder(node)
    codec = _codec(node._attrs["output_encoding"])
    return lambda value: each(value, lambda v: b"".join(chr(c).encode(codec) for c, _ in decode(v)))


def _decode_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    count = None
    if known is not None and None not in known:
        count = int(np.prod(known, dtype=np.int64)) + 1
    return [(count,), (None,), (None,)][: len(node._outputs)]


def _decode(node: Any, offsets: bool) -> Any:
    decode = decoder(node)
    splits_type = node._attrs["Tsplits"].as_numpy_dtype

    def run(value):
        rows = [decode(v) for v in value.ravel().tolist()]
        splits = np.cumsum([0, *(len(r) for r in rows)]).astype(splits_type)
        points = np.array([c for r in rows for c, _ in r], np.int32)
        if not offsets:
            return splits, points
        return splits, points, np.array([i for r in rows for _, i in r], np.int64)

    return run


@op("UnicodeDecode", shape=_decode_shape, specialise=True, host_out=True)
def UnicodeDecode(node: Any) -> Any:
    """The code points of all strings in a row, and where each string's begin."""
    return _decode(node, False)


@op("UnicodeDecodeWithOffsets", shape=_decode_shape, specialise=True, host_out=True)
def UnicodeDecodeWithOffsets(node: Any) -> Any:
    """`UnicodeDecode`, and the byte at which each character begins."""
    return _decode(node, True)


def _encode_shape(node: Any) -> list[Any]:
    splits = sizes(node, 1)
    known = splits is not None and splits[0] is not None
    return [(splits[0] - 1,) if known else (None,)]  # type: ignore[index,operator]


@op("UnicodeEncode", shape=_encode_shape, specialise=True, host=("input_values", "input_splits"))
def UnicodeEncode(node: Any) -> Any:
    """Strings of runs of code points."""
    attrs = node._attrs
    codec = _codec(attrs["output_encoding"])

    def run(values, splits):
        result = np.empty(len(splits) - 1, np.object_)
        for i, (a, b) in enumerate(zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True)):
            result[i] = b"".join(
                encode_point(p, codec, attrs["errors"], attrs["replacement_char"])
                for p in values[a:b].tolist()
            )
        return result

    return run
