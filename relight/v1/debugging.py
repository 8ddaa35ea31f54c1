# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.debugging`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.checks import (
    Assert, assert_equal, assert_greater, assert_greater_equal, assert_integer, assert_less,
    assert_less_equal, assert_near, assert_negative, assert_non_negative, assert_non_positive,
    assert_none_equal, assert_positive, assert_same_float_dtype, assert_type, check_numerics,
    is_numeric_tensor, verify_tensor_all_finite as assert_all_finite,
)
from relight.v1.functions.counts import (
    is_non_decreasing, is_strictly_increasing,
)
from relight.v1.functions.math import (
    is_finite, is_inf, is_nan,
)
from relight.v1.functions.rank_checks import (
    assert_proper_iterable, assert_rank, assert_rank_at_least, assert_rank_in, assert_scalar,
    assert_shapes,
)

__getattr__ = missing("tf.debugging")

__all__ = [
    "Assert", "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal",
    "assert_integer", "assert_less", "assert_less_equal", "assert_near", "assert_negative",
    "assert_non_negative", "assert_non_positive", "assert_none_equal", "assert_positive",
    "assert_proper_iterable", "assert_rank", "assert_rank_at_least", "assert_rank_in",
    "assert_same_float_dtype", "assert_scalar", "assert_shapes", "assert_type", "check_numerics",
    "is_finite", "is_inf", "is_nan", "is_non_decreasing", "is_numeric_tensor",
    "is_strictly_increasing",
]
