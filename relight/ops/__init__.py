"""The ops: one record each, with kernel, shape rule and gradient, one file a family.

Importing this package declares them all.
"""

from relight.ops import (
    array,
    constants,
    io,
    placeholders,
    slicing,
    state,
    summary,
)

__all__ = [
    "array",
    "constants",
    "io",
    "placeholders",
    "slicing",
    "state",
    "summary",
]
