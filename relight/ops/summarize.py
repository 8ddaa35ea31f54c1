"""Values in words, as `Print`, `Assert`, `tf.print` and `as_string` of TensorFlow write them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import torch

from relight.ops.call import to_numpy

_ESCAPES = {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    ord("'"): "\\'",
    ord("\\"): "\\\\",
}


def number_text(value: Any) -> str:
    """A floating-point number with the digits that its type needs, and no more."""
    wide = float(value)
    if np.isnan(wide):
        return "nan"
    if np.isinf(wide):
        return "inf" if wide > 0 else "-inf"
    double = isinstance(value, (np.float64, float))
    short = f"{wide:.15g}" if double else f"{wide:.6g}"
    same = float(short) == wide if double else np.float32(short) == np.float32(wide)
    if same:
        return short
    return f"{wide:.17g}" if double else f"{wide:.9g}"


def escaped(value: bytes) -> str:
    """Bytes as text with C escapes."""
    parts = []
    for byte in value:
        if byte in _ESCAPES:
            parts.append(_ESCAPES[byte])
        elif 32 <= byte < 127:
            parts.append(chr(byte))
        else:
            parts.append(f"\\{byte:03o}")
    return "".join(parts)


def _element(value: Any, quoted: bool) -> str:
    if isinstance(value, bytes):
        return f'"{escaped(value)}"' if quoted else escaped(value)
    if isinstance(value, (np.bool_, bool)):
        return "1" if value else "0"
    if isinstance(value, (np.complexfloating, complex)):
        return "?"
    if isinstance(value, (np.floating, float, ml_dtypes.bfloat16)):
        return number_text(value)
    return str(int(value))


def as_array(value: Any) -> np.ndarray:
    """A kernel's value as numpy array."""
    return to_numpy(value) if isinstance(value, torch.Tensor) else np.asarray(value)


def summary(value: Any, limit: int) -> str:
    """The first `limit` elements (all when negative): `1 2 3...`, `[1 2][3...]...`."""
    array = as_array(value)
    if np.iscomplexobj(array):
        return "?"
    count = array.size
    limit = count if limit < 0 else min(limit, count)
    flat = array.reshape(-1)
    if array.ndim == 0:
        return _element(flat[0], False) if limit else "..."
    parts: list[str] = []
    done = _one_dimension(array.shape, 0, limit, flat, 0, parts)
    del done
    return "".join(parts) + ("..." if count > limit else "")


def _one_dimension(
    shape: tuple[int, ...], axis: int, limit: int, flat: Any, at: int, parts: list[str]
) -> int:
    if at >= limit:
        return at
    if axis == len(shape) - 1:
        for i in range(shape[axis]):
            if at >= limit:
                if axis != 0:
                    parts.append("...")
                return at
            parts.append((" " if i else "") + _element(flat[at], False))
            at += 1
        return at
    for _ in range(shape[axis]):
        opened = at < limit
        if opened:
            parts.append("[")
        at = _one_dimension(shape, axis + 1, limit, flat, at, parts)
        if opened:
            parts.append("]")
    return at


def summary_v2(value: Any, ends: int) -> str:
    """The first and last `ends` elements of each dimension (all when negative), in brackets."""
    array = as_array(value)
    if np.iscomplexobj(array):
        return "?"
    if ends < 0:
        ends = max([*array.shape, 1])
    return _bracketed(array, ends, 0, array.ndim)


def _bracketed(array: np.ndarray, ends: int, axis: int, rank: int) -> str:
    if axis == rank:
        return _element(array[()] if isinstance(array, np.ndarray) else array, True)
    count = len(array)
    lines = rank - axis - 1
    between = "\n" * lines + " " * (axis + 1) if lines else " "
    items = [_bracketed(array[i], ends, axis + 1, rank) for i in range(min(ends, count))]
    if count > 2 * ends:
        items.append("...")
    items += [
        _bracketed(array[i], ends, axis + 1, rank) for i in range(max(ends, count - ends), count)
    ]
    return "[" + between.join(items) + "]"
