# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.saved_model.builder`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.saved_model_builder import (
    SavedModelBuilder,
)

__getattr__ = missing("tf.saved_model.builder")

__all__ = [
    "SavedModelBuilder",
]
