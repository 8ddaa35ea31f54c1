# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.bitwise`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.math import (
    bitwise_and, bitwise_or, bitwise_xor, invert, left_shift, right_shift,
)

__getattr__ = missing("tf.bitwise")

__all__ = [
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift",
]
