# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.datasets.mnist`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras.data_sets import (
    mnist as load_data,
)

__getattr__ = missing("tf.keras.datasets.mnist")

__all__ = [
    "load_data",
]
