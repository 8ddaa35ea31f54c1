# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.saved_model.signature_def_utils`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.saved_model_signatures import (
    build_signature_def, classification_signature_def, is_valid_signature, predict_signature_def,
    regression_signature_def,
)

__getattr__ = missing("tf.saved_model.signature_def_utils")

__all__ = [
    "build_signature_def", "classification_signature_def", "is_valid_signature",
    "predict_signature_def", "regression_signature_def",
]
