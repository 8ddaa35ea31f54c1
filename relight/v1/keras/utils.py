# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.utils`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras.data_utils import (
    get_file,
)

__getattr__ = missing("tf.keras.utils")

__all__ = [
    "get_file",
]
