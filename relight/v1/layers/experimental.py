# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.layers.experimental`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.layers.base import (
    keras_style_scope, set_keras_style,
)

__getattr__ = missing("tf.layers.experimental")

__all__ = [
    "keras_style_scope", "set_keras_style",
]
