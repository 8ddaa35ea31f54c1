"""The ops: one record each, with kernel, shape rule and gradient, one file a family.

Importing this package declares them all.
"""

from relight.ops import (
    array,
    constants,
    control,
    gather,
    io,
    lists,
    math,
    math_binary,
    math_gradients,
    math_misc,
    matmul,
    placeholders,
    reduce,
    reduce_gradients,
    slicing,
    state,
    summary,
    unique,
)

__all__ = [
    "array",
    "constants",
    "control",
    "gather",
    "io",
    "lists",
    "math",
    "math_binary",
    "math_gradients",
    "math_misc",
    "matmul",
    "placeholders",
    "reduce",
    "reduce_gradients",
    "slicing",
    "state",
    "summary",
    "unique",
]
