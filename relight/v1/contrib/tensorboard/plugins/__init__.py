# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.tensorboard.plugins`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.tensorboard.plugins import (
    projector,
)

__getattr__ = missing("tf.contrib.tensorboard.plugins")

__all__ = [
    "projector",
]
