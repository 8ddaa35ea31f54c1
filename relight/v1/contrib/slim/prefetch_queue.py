# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.slim.prefetch_queue`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.train.prefetching import (
    prefetch_queue,
)

__getattr__ = missing("tf.contrib.slim.prefetch_queue")

__all__ = [
    "prefetch_queue",
]
