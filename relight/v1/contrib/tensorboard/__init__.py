# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.tensorboard`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.tensorboard import (
    plugins,
)

__getattr__ = missing("tf.contrib.tensorboard")

__all__ = [
    "plugins",
]
