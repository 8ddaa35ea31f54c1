# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.datasets.cifar10`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras.data_sets import (
    cifar10 as load_data,
)

__getattr__ = missing("tf.keras.datasets.cifar10")

__all__ = [
    "load_data",
]
