# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.saved_model.utils`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.saved_model_signatures import (
    build_tensor_info, get_tensor_from_tensor_info,
)

__getattr__ = missing("tf.saved_model.utils")

__all__ = [
    "build_tensor_info", "get_tensor_from_tensor_info",
]
