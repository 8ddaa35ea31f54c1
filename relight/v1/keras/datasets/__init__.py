# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.datasets`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras.datasets import (
    cifar10, fashion_mnist, mnist,
)

__getattr__ = missing("tf.keras.datasets")

__all__ = [
    "cifar10", "fashion_mnist", "mnist",
]
