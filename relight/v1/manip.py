# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.manip`."""

from relight.ops.array_nodes import (
    reshape,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.functions.array import (
    reverse, roll, tile,
)
from relight.v1.functions.array_gather import (
    batch_to_space_nd, gather_nd, scatter_nd, space_to_batch_nd,
)

__getattr__ = missing("tf.manip")

__all__ = [
    "batch_to_space_nd", "gather_nd", "reshape", "reverse", "roll", "scatter_nd",
    "space_to_batch_nd", "tile",
]
