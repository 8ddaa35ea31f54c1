# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.sets`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.sets import (
    difference, difference as set_difference, intersection, intersection as set_intersection,
    size, size as set_size, union, union as set_union,
)

__getattr__ = missing("tf.sets")

__all__ = [
    "difference", "intersection", "set_difference", "set_intersection", "set_size", "set_union",
    "size", "union",
]
