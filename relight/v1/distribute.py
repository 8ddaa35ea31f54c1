# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.distribute`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.train.server_lib import (
    Server,
)

__getattr__ = missing("tf.distribute")

__all__ = [
    "Server",
]
