"""``tf.compat``: text and bytes, number types, and the namespace ``v1``."""

from __future__ import annotations

import datetime
import importlib
import numbers
import os
from typing import Any

import numpy as np

from relight.graph.export import export
from relight.v1._missing import missing

# A package to the import system: `import tensorflow.compat.v1` passes through here.
__path__: list[str] = []

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "dimension_at_index",
    "dimension_value",
    "forward_compatible",
    "integral_types",
    "path_to_str",
    "real_types",
]

integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)
bytes_or_text_types = (bytes, str)

# The day from which TensorFlow 1.15.0 may write what only newer readers understand.
_FORWARD_COMPATIBILITY_HORIZON = datetime.date(2019, 8, 21)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """`bytes_or_text` as bytes; text is encoded.

    Raises:
      TypeError: for anything but bytes, bytearray and str.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, (bytes, bytearray)):
        return bytes(bytes_or_text)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """`bytes_or_text` as str; bytes are decoded.

    Raises:
      TypeError: for anything but bytes and str.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: Any) -> str:
    """Bytes decoded, everything else by ``str(value)``."""
    return as_str(value) if isinstance(value, bytes) else str(value)


def path_to_str(path: Any) -> Any:
    """A path object as str; anything else as it is."""
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path


def forward_compatible(year: int, month: int, day: int) -> bool:
    """True when the horizon of TensorFlow 1.15.0 lies after the given day."""
    return datetime.date(year, month, day) < _FORWARD_COMPATIBILITY_HORIZON


@export("dimension_value")
def dimension_value(dimension: Any) -> int | None:
    """The size of a Dimension, an int or None as int or None."""
    return getattr(dimension, "value", dimension)


@export("dimension_at_index")
def dimension_at_index(shape: Any, index: int) -> Any:
    """The Dimension at `index` of a TensorShape; an unknown one when the rank is not known."""
    from relight.graph.shapes import Dimension

    return Dimension(None) if shape.rank is None else shape.dims[index]


def _v1() -> Any:
    return importlib.import_module("relight.v1")


__getattr__ = missing("tf.compat", lazy={"v1": _v1})
