# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.saved_model.tag_constants`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.saved_model_signatures import (
    GPU, SERVING, TPU, TRAINING,
)

__getattr__ = missing("tf.saved_model.tag_constants")

__all__ = [
    "GPU", "SERVING", "TPU", "TRAINING",
]
