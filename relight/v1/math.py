# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.math`."""

from relight.ops.math_nodes import (
    abs, conj, cumprod, cumsum, cumulative_logsumexp, div_no_nan as divide_no_nan, divide,
    floordiv, imag, logical_xor, multiply_no_nan, pow, real, reduce_all, reduce_any, reduce_max,
    reduce_mean, reduce_min, reduce_prod, reduce_sum, scalar_mul, truediv,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.functions.array import (
    invert_permutation,
)
from relight.v1.functions.counts import (
    bincount, confusion_matrix, is_non_decreasing, is_strictly_increasing,
)
from relight.v1.functions.math import (
    accumulate_n, acos, acosh, add, add_n, angle, argmax, argmin, asin, asinh, atan, atan2, atanh,
    bessel_i0, bessel_i0e, bessel_i1, bessel_i1e, betainc, ceil, cos, cosh, count_nonzero,
    digamma, equal, erf, erfc, exp, expm1, floor, floor_mod as floormod, floor_mod as mod,
    greater, greater_equal, igamma, igammac, is_finite, is_inf, is_nan, lbeta, less, less_equal,
    lgamma, log, log1p, log_sigmoid, logical_and, logical_not, logical_or, maximum, minimum,
    multiply, neg as negative, next_after as nextafter, not_equal, polygamma, polyval, reciprocal,
    reciprocal_no_nan, reduce_euclidean_norm, reduce_logsumexp, reduce_std, reduce_variance, rint,
    round, rsqrt, sigmoid, sign, sin, sinh, sqrt, square, squared_difference, subtract, tan, tanh,
    xdivy, xlogy, zeta,
)
from relight.v1.functions.nn import (
    in_top_k, log_softmax, softmax, softplus, softsign, top_k,
)
from relight.v1.functions.nn_norm import (
    l2_normalize, zero_fraction,
)
from relight.v1.functions.segment import (
    segment_max, segment_mean, segment_min, segment_prod, segment_sum, unsorted_segment_max,
    unsorted_segment_mean, unsorted_segment_min, unsorted_segment_prod, unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)

__getattr__ = missing("tf.math")

__all__ = [
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "angle", "argmax", "argmin", "asin",
    "asinh", "atan", "atan2", "atanh", "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e",
    "betainc", "bincount", "ceil", "confusion_matrix", "conj", "cos", "cosh", "count_nonzero",
    "cumprod", "cumsum", "cumulative_logsumexp", "digamma", "divide", "divide_no_nan", "equal",
    "erf", "erfc", "exp", "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal",
    "igamma", "igammac", "imag", "in_top_k", "invert_permutation", "is_finite", "is_inf",
    "is_nan", "is_non_decreasing", "is_strictly_increasing", "l2_normalize", "lbeta", "less",
    "less_equal", "lgamma", "log", "log1p", "log_sigmoid", "log_softmax", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "multiply_no_nan", "negative", "nextafter", "not_equal", "polygamma", "polyval", "pow",
    "real", "reciprocal", "reciprocal_no_nan", "reduce_all", "reduce_any",
    "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "rint", "round", "rsqrt",
    "scalar_mul", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum",
    "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "softsign", "sqrt", "square",
    "squared_difference", "subtract", "tan", "tanh", "top_k", "truediv", "unsorted_segment_max",
    "unsorted_segment_mean", "unsorted_segment_min", "unsorted_segment_prod",
    "unsorted_segment_sqrt_n", "unsorted_segment_sum", "xdivy", "xlogy", "zero_fraction", "zeta",
]
