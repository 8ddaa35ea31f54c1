# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.experimental`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.feature_column.sequence import (
    SequenceFeatures,
)

__getattr__ = missing("tf.keras.experimental")

__all__ = [
    "SequenceFeatures",
]
