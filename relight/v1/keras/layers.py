# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.layers`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.feature_column.input_layer import (
    DenseFeatures,
)
from relight.v1.keras.core_layers import (
    Dense,
)
from relight.v1.layers.input_spec import (
    InputSpec,
)

__getattr__ = missing("tf.keras.layers")

__all__ = [
    "Dense", "DenseFeatures", "InputSpec",
]
