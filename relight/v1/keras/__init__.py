# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras import (
    backend, datasets, experimental, layers, losses, metrics, utils,
)

__getattr__ = missing("tf.keras")

__all__ = [
    "backend", "datasets", "experimental", "layers", "losses", "metrics", "utils",
]
