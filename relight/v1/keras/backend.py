# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.backend`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.framework import (
    name_scope,
)

__getattr__ = missing("tf.keras.backend")

__all__ = [
    "name_scope",
]
