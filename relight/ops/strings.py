"""Strings: element by element on arrays of bytes; hashes, numbers, patterns, parts, joins."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.array import invalid, shape_text
from relight.ops.call import boxed
from relight.ops.constants import known_value
from relight.ops.hashing import fingerprint64, murmur64, siphash
from relight.ops.shape_rules import broadcast_sizes, same, scalar, sizes
from relight.ops.summarize import summary_v2


def _strings(values: list[Any], shape: Any) -> np.ndarray:
    result = np.empty(len(values), np.object_)
    result[:] = values
    return result.reshape(shape)


def each(array: np.ndarray, function: Callable[[bytes], Any]) -> np.ndarray:
    """A string function of every element."""
    return _strings([function(v) for v in array.ravel().tolist()], array.shape)


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value


# -- hashes --------------------------------------------------------------------------------------


def _buckets(array: np.ndarray, count: int, hashed: Callable[[bytes], int]) -> np.ndarray:
    found = [hashed(v) % count for v in array.ravel().tolist()]
    return np.array(found, np.int64).reshape(array.shape)


@op("StringToHashBucketFast", shape=same, host_out=True)
def StringToHashBucketFast(value, *, num_buckets):
    """FarmHash Fingerprint64 modulo `num_buckets`."""
    return _buckets(value, num_buckets, fingerprint64)


@op("StringToHashBucket", shape=same, host_out=True)
def StringToHashBucket(value, *, num_buckets):
    """TensorFlow's old hash (MurmurHash64A) modulo `num_buckets`."""
    return _buckets(value, num_buckets, murmur64)


@op("StringToHashBucketStrong", shape=same, host_out=True)
def StringToHashBucketStrong(value, *, num_buckets, key):
    """SipHash under a key of two numbers, modulo `num_buckets`."""
    if len(key) != 2:
        raise invalid("Key must have 2 elements")
    return _buckets(value, num_buckets, lambda v: siphash((key[0], key[1]), v))


# -- numbers -------------------------------------------------------------------------------------

_INTEGER = re.compile(rb"\s*[+-]?\d+\s*\Z")
_FLOAT = re.compile(
    rb"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)\s*\Z", re.IGNORECASE
)
_HEXADECIMAL = re.compile(rb"\s*[+-]?0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?\d+)?\s*\Z", re.IGNORECASE)


@op("StringToNumber", shape=same, specialise=True, host_out=True)
def StringToNumber(node: Any) -> Any:
    """The numbers that strings spell."""
    dtype = node._attrs["out_type"]
    numpy_type = dtype.as_numpy_dtype

    def parse(text: bytes) -> Any:
        if dtype.is_integer:
            if _INTEGER.match(text) and dtype.min <= int(text) <= dtype.max:
                return int(text)
        elif _FLOAT.match(text):
            return float(text)
        elif _HEXADECIMAL.match(text):
            return float.fromhex(text.decode())
        raise invalid(
            f"StringToNumberOp could not correctly convert string: {text.decode(errors='replace')}"
        )

    def convert(value):
        with np.errstate(over="ignore"):
            return np.array([parse(v) for v in value.ravel().tolist()], numpy_type).reshape(
                value.shape
            )

    return convert


@op("AsString", shape=same, specialise=True, host=("input",), host_out=True)
def AsString(node: Any) -> Any:
    """Numbers as strings, as C's printf writes them."""
    attrs = node._attrs
    dtype = node._inputs[0].dtype.base_dtype
    precision, width, fill = attrs["precision"], attrs["width"], attrs["fill"]
    real = dtype.is_floating or dtype.is_complex
    if attrs["scientific"] and attrs["shortest"]:
        raise invalid("Cannot select both scientific and shortest notation")
    if not real:
        for name in ("scientific", "shortest"):
            if attrs[name]:
                raise invalid(
                    f"scientific and shortest format not supported for datatype {dtype.name}"
                )
        if precision >= 0:
            raise invalid(f"precision not supported for datatype {dtype.name}")
    if fill not in ("", " ", "-", "0", "+", "#"):
        if len(fill) > 1:
            raise invalid(f"Fill string must be one or fewer characters, but received: {fill}")
        fill = ""
    form = "%" + (fill if width > -1 else "")
    form += (str(width) if width > -1 else "") + (f".{precision}" if precision > -1 else "")
    kind = "e" if attrs["scientific"] else "g" if attrs["shortest"] else "f"

    def write(value: Any) -> bytes:
        if dtype.is_bool:
            return b"true" if value else b"false"
        if dtype.is_complex:
            return f"({form}{kind},{form}{kind})".encode() % (value.real, value.imag)
        return ((form + (kind if real else "d")) % value).encode()

    return lambda value: _strings([write(v) for v in value.ravel().tolist()], value.shape)


# -- patterns ------------------------------------------------------------------------------------


def _pattern(text: bytes) -> re.Pattern[bytes]:
    try:
        return re.compile(text)
    except re.error as error:
        raise invalid(f"Invalid pattern: {text.decode(errors='replace')}, error: {error}") from None


def _rewriter(rewrite: bytes, pattern: re.Pattern[bytes]) -> Callable[[re.Match[bytes]], bytes]:
    r"""RE2's rewrite strings: \0 is the whole match, \1 ... its groups, \\ a backslash."""
    parts: list[Any] = []
    at = 0
    while at < len(rewrite):
        if rewrite[at : at + 1] == b"\\":
            following = rewrite[at + 1 : at + 2]
            if following.isdigit():
                if int(following) > pattern.groups:
                    raise invalid(f"Invalid rewrite pattern: {rewrite.decode(errors='replace')}")
                parts.append(int(following))
            elif following == b"\\":
                parts.append(b"\\")
            else:
                raise invalid(f"Invalid rewrite pattern: {rewrite.decode(errors='replace')}")
            at += 2
        else:
            parts.append(rewrite[at : at + 1])
            at += 1

    def replace(match: re.Match[bytes]) -> bytes:
        return b"".join((match[p] or b"") if isinstance(p, int) else p for p in parts)

    return replace


def _replaced(value: np.ndarray, pattern: bytes, rewrite: bytes, everywhere: bool) -> np.ndarray:
    compiled = _pattern(pattern)
    replace = _rewriter(rewrite, compiled)
    return each(value, lambda v: _substituted(compiled, replace, v, everywhere))


def _substituted(pattern: Any, replace: Any, value: bytes, everywhere: bool) -> bytes:
    """Leftmost matches, as RE2 finds them: no empty match directly after another match."""
    result, at, last_end = [], 0, -1
    while at <= len(value):
        match = pattern.search(value, at)
        if match is None:
            break
        start, end = match.span()
        result.append(value[at:start])
        if start == end == last_end:
            result.append(value[start : start + 1])
            at = start + 1
            continue
        result.append(replace(match))
        at = last_end = end
        if not everywhere:
            break
    result.append(value[at:])
    return b"".join(result)


@op("RegexReplace", shape=same)
def RegexReplace(value, pattern, rewrite, *, replace_global):
    """The strings with matches of a pattern rewritten: all of them, or the first."""
    return _replaced(value, pattern.item(), rewrite.item(), replace_global)


@op("StaticRegexReplace", shape=same)
def StaticRegexReplace(value, *, pattern, rewrite, replace_global):
    """`RegexReplace` with a pattern that is an attr."""
    return _replaced(value, _bytes(pattern), _bytes(rewrite), replace_global)


def _full_match(value: np.ndarray, pattern: bytes) -> np.ndarray:
    compiled = _pattern(pattern)
    found = [compiled.fullmatch(v) is not None for v in value.ravel().tolist()]
    return np.array(found, np.bool_).reshape(value.shape)


@op("RegexFullMatch", shape=same, host_out=True)
def RegexFullMatch(value, pattern):
    """Whether whole strings match a pattern."""
    return _full_match(value, pattern.item())


@op("StaticRegexFullMatch", shape=same, host_out=True)
def StaticRegexFullMatch(value, *, pattern):
    """`RegexFullMatch` with a pattern that is an attr."""
    return _full_match(value, _bytes(pattern))


# -- parts ---------------------------------------------------------------------------------------


@op("StringLength", shape=same, host_out=True)
def StringLength(value, *, unit):
    """The number of bytes, or of UTF-8 characters."""
    count = _utf8_count if unit == "UTF8_CHAR" else len
    return np.array([count(v) for v in value.ravel().tolist()], np.int32).reshape(value.shape)


def _utf8_count(value: bytes) -> int:
    return sum(1 for byte in value if byte & 0xC0 != 0x80)


def _characters(value: bytes) -> list[bytes]:
    starts = [i for i, byte in enumerate(value) if byte & 0xC0 != 0x80] or [0]
    return [value[a:b] for a, b in zip(starts, [*starts[1:], len(value)], strict=True)]


def _substr_shape(node: Any) -> list[Any]:
    position, length = sizes(node, 1), sizes(node, 2)
    if position is not None and length is not None and len(position) != len(length):
        raise ShapeError("pos and len must have the same rank")
    return [broadcast_sizes(sizes(node, 0), position)]


@op("Substr", shape=_substr_shape, host=("pos", "len"))
def Substr(value, pos, length, *, unit):
    """`len` bytes (or UTF-8 characters) from `pos` on, which counts from the end when negative."""
    if pos.shape != length.shape:
        raise invalid(
            f"pos and len should have the same shape, got: {shape_text(pos.shape)} vs. "
            f"{shape_text(length.shape)}"
        )
    value, pos, length = np.broadcast_arrays(value, pos, length)
    result = []
    listed = zip(value.ravel().tolist(), pos.ravel().tolist(), length.ravel().tolist(), strict=True)
    for i, (text, start, count) in enumerate(listed):
        units: Any = _characters(text) if unit == "UTF8_CHAR" and text else text
        if not -len(units) <= start <= len(units):
            where = f" at index {i}" if value.ndim == 1 else ""
            raise invalid(
                f"pos {start} out of range for string b'{text.decode(errors='replace')}'{where}"
            )
        first = start + len(units) if start < 0 else start
        part = units[first : first + max(count, 0)]
        result.append(b"".join(part) if isinstance(part, list) else part)
    return _strings(result, value.shape)


_WHITE = b" \t\n\v\f\r"


@op("StringStrip", shape=same)
def StringStrip(value):
    """The strings without white space at both ends."""
    return each(value, lambda v: v.strip(_WHITE))


def _cased(how: str) -> Any:
    def kernel(value, *, encoding):
        if encoding == "utf-8":
            return each(value, lambda v: getattr(v.decode(errors="replace"), how)().encode())
        if encoding:
            raise invalid(f"Unknown encoding: {encoding}")
        return each(value, lambda v: getattr(v, how)())

    return kernel


StringLower = op("StringLower", shape=same)(_cased("lower"))
StringUpper = op("StringUpper", shape=same)(_cased("upper"))


def _split_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if known is not None and len(known) != 1:
        raise ShapeError(f"Shape must be rank 1 but is rank {len(known)}")
    return [(None, 2), (None,), (2,)]


def _ragged(rows: list[list[bytes]]) -> Any:
    """(indices, values, shape) of the sparse matrix with these rows."""
    indices = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    values = [v for row in rows for v in row]
    widest = max((len(r) for r in rows), default=0)
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        _strings(values, (len(values),)),
        np.array([len(rows), widest], np.int64),
    )


@op("StringSplit", shape=_split_shape, host_out=True)
def StringSplit(value, delimiter, *, skip_empty):
    """Strings cut at each of the delimiter's bytes (into bytes, for no delimiter)."""
    if delimiter.ndim:
        raise invalid(f"delimiter must scalar but got {shape_text(delimiter.shape)}")
    marks = delimiter.item()
    rows = []
    for text in value.tolist():
        if not marks:
            row = [text[i : i + 1] for i in range(len(text))]
        else:
            row = re.split(b"[" + re.escape(marks) + b"]", text) if text else []
        rows.append([r for r in row if r] if skip_empty else row)
    return _ragged(rows)


@op("StringSplitV2", shape=_split_shape, host_out=True)
def StringSplitV2(value, sep, *, maxsplit):
    """Strings cut as Python's `split` does: at a separator, or at runs of white space."""
    mark = sep.item()
    if mark:
        rows = [text.split(mark, maxsplit) for text in value.tolist()]
    else:
        rows = [text.split(None, maxsplit) for text in value.tolist()]
    return _ragged(rows)


# -- joins ---------------------------------------------------------------------------------------


def _reduce_join_shape(node: Any) -> list[Any]:
    known, axes = sizes(node, 0), known_value(node._inputs[1])
    keep = node._attrs["keep_dims"]
    if known is None:
        return [None]
    if axes is None:
        return [(None,) * len(known) if keep else None]
    dropped = set()
    for axis in np.ravel(axes).tolist():
        if not -len(known) <= axis < len(known):
            raise ShapeError(
                f"Invalid reduction dimension {axis} for input with {len(known)} dimensions"
            )
        if axis % len(known) in dropped:
            raise ShapeError(f"Duplicate reduction index {axis}")
        dropped.add(axis % len(known))
    if not dropped and not np.ravel(axes).size:
        return [known]
    if keep:
        return [tuple(1 if i in dropped else s for i, s in enumerate(known))]
    return [tuple(s for i, s in enumerate(known) if i not in dropped)]


@op("ReduceJoin", shape=_reduce_join_shape, host=("reduction_indices",))
def ReduceJoin(value, axes, *, keep_dims, separator):
    """Strings joined along one dimension after the other."""
    order = []
    for axis in np.ravel(axes).tolist():
        if not -value.ndim <= axis < value.ndim:
            raise invalid(
                f"Invalid reduction dimension {axis} for input with {value.ndim} dimension(s)"
            )
        order.append(axis % value.ndim)
    if not order:
        return value.copy()
    kept = [i for i in range(value.ndim) if i not in order]
    rows = value.transpose(kept + order[::-1]).reshape(
        int(np.prod([value.shape[i] for i in kept], dtype=np.int64)), -1
    )
    between = _bytes(separator)
    joined = [between.join(r) for r in rows.tolist()]
    shape = (
        [1 if i in order else s for i, s in enumerate(value.shape)]
        if keep_dims
        else [value.shape[i] for i in kept]
    )
    return _strings(joined, shape)


def _segment_join_shape(node: Any) -> list[Any]:
    known, segments, count = sizes(node, 0), sizes(node, 1), known_value(node._inputs[2])
    if known is None or segments is None:
        return [None]
    return [(None if count is None else int(count), *known[len(segments) :])]


@op("UnsortedSegmentJoin", shape=_segment_join_shape, host=("segment_ids", "num_segments"))
def UnsortedSegmentJoin(value, segment_ids, num_segments, *, separator):
    """The strings of each segment joined, in order."""
    count = int(num_segments)
    tail = value.shape[segment_ids.ndim :]
    rows = value.reshape(segment_ids.size, -1)
    groups: list[list[list[bytes]]] = [[[] for _ in range(rows.shape[1])] for _ in range(count)]
    for segment, row in zip(segment_ids.ravel().tolist(), rows.tolist(), strict=True):
        if segment >= count:
            raise invalid(f"segment_ids must be in [0, {count}), got {segment}")
        if segment >= 0:
            for column, text in zip(groups[segment], row, strict=True):
                column.append(text)
    between = _bytes(separator)
    return _strings([between.join(c) for g in groups for c in g], (count, *tail))


@op("StringFormat", shape=scalar, host_out=True)
def StringFormat(inputs, *, template, placeholder, summarize):
    """A template whose placeholders are replaced by values, in order."""
    pieces = template.split(placeholder)
    if len(pieces) - 1 != len(inputs):
        raise invalid(
            f"num placeholders in template and num inputs must match: "
            f"{len(pieces) - 1} vs. {len(inputs)}"
        )
    text = pieces[0]
    for value, piece in zip(inputs, pieces[1:], strict=True):
        text += summary_v2(value, summarize) + piece
    return boxed(text.encode())


# -- base 64 -------------------------------------------------------------------------------------


@op("EncodeBase64", shape=same)
def EncodeBase64(value, *, pad):
    """Web-safe base 64, with or without `=` at the end."""

    def encode(text: bytes) -> bytes:
        coded = base64.urlsafe_b64encode(text)
        return coded if pad else coded.rstrip(b"=")

    return each(value, encode)


_BASE64 = re.compile(rb"[A-Za-z0-9_-]*={0,2}\Z")


@op("DecodeBase64", shape=same)
def DecodeBase64(value):
    """What web-safe base 64, padded or not, stands for."""

    def decode(text: bytes) -> bytes:
        bare = text.rstrip(b"=")
        if not _BASE64.match(text):
            raise invalid("Invalid character found in base64.")
        if len(bare) % 4 == 1:
            raise invalid("Base64 string length cannot be 1 modulo 4.")
        try:
            return base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4))
        except binascii.Error as error:
            raise invalid(f"Invalid base64: {error}") from None

    return each(value, decode)


not_differentiable(
    "RegexReplace",
    "StringToHashBucket",
    "StringToHashBucketFast",
    "StringToHashBucketStrong",
    "ReduceJoin",
    "StringSplit",
    "AsString",
    "EncodeBase64",
    "DecodeBase64",
)
