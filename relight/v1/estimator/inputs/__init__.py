# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.estimator.inputs`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.estimator.inputs.numpy_io import (
    numpy_input_fn,
)
from relight.v1.estimator.inputs.pandas_io import (
    pandas_input_fn,
)

__getattr__ = missing("tf.estimator.inputs")

__all__ = [
    "numpy_input_fn", "pandas_input_fn",
]
