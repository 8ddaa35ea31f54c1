# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.seq2seq`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.seq2seq.loss import (
    sequence_loss,
)

__getattr__ = missing("tf.contrib.seq2seq")

__all__ = [
    "sequence_loss",
]
