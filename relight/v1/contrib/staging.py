# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.staging`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.staging import (
    StagingArea,
)

__getattr__ = missing("tf.contrib.staging")

__all__ = [
    "StagingArea",
]
