# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.lookup.experimental`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.mutable_tables import (
    DenseHashTable,
)

__getattr__ = missing("tf.lookup.experimental")

__all__ = [
    "DenseHashTable",
]
