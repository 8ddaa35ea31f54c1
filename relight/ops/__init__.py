"""The ops: one record each, with kernel, shape rule and gradient, one file a family.

Importing this package declares them all.
"""

from relight.ops import (
    constants,
    io,
    placeholders,
    state,
    summary,
)

__all__ = [
    "constants",
    "io",
    "placeholders",
    "state",
    "summary",
]
