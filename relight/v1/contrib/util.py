# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.util`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.tensor_util import (
    get_static_value as constant_value, make_ndarray, make_tensor_proto,
)

__getattr__ = missing("tf.contrib.util")

__all__ = [
    "constant_value", "make_ndarray", "make_tensor_proto",
]
