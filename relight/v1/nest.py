# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.nest`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.nest import (
    assert_same_structure, flatten, is_nested, map_structure, pack_sequence_as,
)

__getattr__ = missing("tf.nest")

__all__ = [
    "assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as",
]
