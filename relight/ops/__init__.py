"""The ops: one record each, with kernel, shape rule and gradient, one file a family.

Importing this package declares them all.
"""

from relight.ops import (
    array,
    constants,
    control,
    data_flow,
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
    space,
    state,
    summary,
    training,
    unique,
    variable_scatter,
)

__all__ = [
    "array",
    "constants",
    "control",
    "data_flow",
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
    "space",
    "state",
    "summary",
    "training",
    "unique",
    "variable_scatter",
]
