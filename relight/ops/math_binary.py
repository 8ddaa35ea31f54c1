"""Element-wise maths of two inputs with broadcasting: arithmetic, comparisons, logic, bits."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops import call
from relight.ops.math import SIGNED
from relight.ops.shape_rules import Sizes, broadcast, broadcast_sizes, merge, sizes

Binary = Callable[[Any, Any], Any]


def incompatible(x: Any, y: Any) -> errors.InvalidArgumentError | None:
    """The error about two shapes that cannot be broadcast, None when they can."""
    try:
        np.broadcast_shapes(tuple(x.shape), tuple(y.shape))
    except ValueError:
        a, b = (",".join(map(str, v.shape)) for v in (x, y))
        return errors.InvalidArgumentError(None, None, f"Incompatible shapes: [{a}] vs. [{b}]")
    return None


def checked(function: Binary) -> Binary:
    """The function, with TensorFlow's words for shapes that do not fit."""

    def kernel(x: Any, y: Any) -> Any:
        try:
            return function(x, y)
        except (RuntimeError, ValueError):
            error = incompatible(x, y)
            if error is None:
                raise
            raise error from None

    return kernel


def fits_statically(node: Any) -> bool:
    """Whether the static shapes of both inputs rule out a broadcasting error."""
    x, y = sizes(node, 0), sizes(node, 1)
    if x is None or y is None:
        return x == () or y == ()
    return (None not in x and None not in y) or x == () or y == ()


# -- division --------------------------------------------------------------------------------------


def _of_integers(function: Binary, internal: bool = False) -> Binary:
    """Integer division: the divisor is checked, since TensorFlow raises for zeros.

    `internal`: whether it is one of the ops that report them as an unexpected error.
    """

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if call.at_hand(y) and not y.all() and x.numel():
            if internal:
                raise errors.InternalError(
                    None,
                    None,
                    "Unexpected error in binary operator (only integer div and mod should have "
                    "errors)",
                )
            raise errors.InvalidArgumentError(None, None, "Integer division by zero")
        return function(x, y)

    return kernel


def _truncated(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.div(x, y, rounding_mode="trunc")


_int_floor = _of_integers(lambda x, y: torch.div(x, y, rounding_mode="floor"))
_int_trunc = _of_integers(_truncated)
_int_fmod = _of_integers(torch.fmod)
_int_remainder = _of_integers(torch.remainder)


def _floor_quotient(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.floor(x / y)


def _int_pow(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if call.at_hand(y) and (y < 0).any():
        raise errors.InvalidArgumentError(
            None, None, "Integers to negative integer powers are not allowed"
        )
    return torch.pow(x, y)


def _no_nan(function: Binary) -> Binary:
    """0 where the second operand is 0."""

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.where(y == 0, 0, function(x, y)).to(x.dtype)

    return kernel


def _zero_times(function: Binary) -> Binary:
    """0 where the first operand is 0."""

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.where(x == 0, 0, function(x, y)).to(x.dtype)

    return kernel


def _xlogy(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x * torch.log(y)


# -- the table: kernel for floats (and complex numbers), kernel for integers ----------------------


def _maximum(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The greater one; when either is NaN, the first, as TensorFlow's vector code has it."""
    return torch.where(x < y, y, x)


def _minimum(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The smaller one; when either is NaN, the first, as TensorFlow's vector code has it."""
    return torch.where(y < x, y, x)


def _squared_difference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    difference = x - y
    if difference.is_complex():
        return difference * difference.conj()
    return difference * difference


def _polygamma(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The polygamma function of order a: digamma at 0, (-1)^(a+1) a! zeta(a + 1, x) above."""
    order, wide = a.double(), x.double()
    sign = torch.where(torch.remainder(order, 2) == 1, 1.0, -1.0)
    general = sign * torch.exp(torch.lgamma(order + 1)) * torch.special.zeta(order + 1, wide)
    result = torch.where(order == 0, torch.digamma(wide), general)
    return torch.where((order < 0) | (order != torch.floor(order)), torch.nan, result).to(x.dtype)


def _gamma(function: Binary, at_zero: float | None = None) -> Binary:
    """Incomplete gamma functions, in double precision; NaN outside a > 0, x >= 0.

    `at_zero` is the value at x = 0 whatever a is.
    """

    def kernel(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        wide_a, wide_x = a.double(), x.double()
        result = function(wide_a, wide_x)
        result = torch.where((wide_x < 0) | (wide_a <= 0), torch.nan, result)
        if at_zero is not None:
            result = torch.where(wide_x == 0, at_zero, result)
        return result.to(a.dtype)

    return kernel


_ARITHMETIC: dict[str, tuple[Binary, Binary | None]] = {
    "Add": (torch.add, None),
    "AddV2": (torch.add, None),
    "Sub": (torch.sub, None),
    "Mul": (torch.mul, None),
    "RealDiv": (torch.div, _int_trunc),
    "Div": (torch.div, _int_trunc),
    "TruncateDiv": (torch.div, _of_integers(_truncated, internal=True)),
    "FloorDiv": (_floor_quotient, _int_floor),
    "Mod": (torch.fmod, _int_fmod),
    "TruncateMod": (torch.fmod, _of_integers(torch.fmod, internal=True)),
    "FloorMod": (torch.remainder, _int_remainder),
    "DivNoNan": (_no_nan(torch.div), None),
    "MulNoNan": (_no_nan(torch.mul), None),
    "Maximum": (_maximum, torch.maximum),
    "Minimum": (_minimum, torch.minimum),
    "SquaredDifference": (_squared_difference, None),
    "Pow": (torch.pow, _int_pow),
    "Atan2": (torch.atan2, None),
    "Xdivy": (_zero_times(torch.div), None),
    "Xlogy": (_zero_times(_xlogy), None),
    "Complex": (torch.complex, None),
    "NextAfter": (torch.nextafter, None),
    "Zeta": (lambda x, q: torch.special.zeta(x.double(), q.double()).to(x.dtype), None),
    "Polygamma": (_polygamma, None),
    "Igamma": (_gamma(torch.special.gammainc, 0.0), None),
    "Igammac": (_gamma(torch.special.gammaincc), None),
    "Less": (torch.lt, None),
    "LessEqual": (torch.le, None),
    "Greater": (torch.gt, None),
    "GreaterEqual": (torch.ge, None),
    "LogicalAnd": (torch.logical_and, None),
    "LogicalOr": (torch.logical_or, None),
}

# Wide unsigned types, for which torch lacks arithmetic, as signed ones of the same bits.
_BITS: dict[str, Binary] = {
    "BitwiseAnd": torch.bitwise_and,
    "BitwiseOr": torch.bitwise_or,
    "BitwiseXor": torch.bitwise_xor,
}


def _join(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Strings one behind the other; numpy makes plain bytes of scalars, which must stay arrays."""
    joined = x + y
    return joined if isinstance(joined, np.ndarray) else call.boxed(joined)


def _specialised(name: str, function: Binary, integer: Binary | None) -> Any:
    def specialise(node: Any) -> Binary:
        dtype = node._inputs[0].dtype
        chosen = integer if integer is not None and dtype.is_integer else function
        if dtype.base_dtype.name == "string":
            chosen = _join
        return chosen if fits_statically(node) else checked(chosen)

    specialise.__doc__ = f"{name}, element by element, with broadcasting."
    return specialise


for _name, (_function, _integer) in _ARITHMETIC.items():
    op(_name, shape=broadcast, specialise=True)(_specialised(_name, _function, _integer))


def _bits(function: Binary) -> Any:
    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        signed = SIGNED.get(x.dtype)
        if signed is None:
            return function(x, y)
        return function(x.view(signed), y.view(signed)).view(x.dtype)

    return lambda node: checked(kernel)


for _name, _function in _BITS.items():
    op(_name, shape=broadcast, specialise=True)(_bits(_function))


def _shifted(x: torch.Tensor, y: torch.Tensor, left: bool) -> torch.Tensor:
    """Shifts by at least 0 and less than the width: other amounts are brought into that range."""
    bits = x.element_size() * 8
    wide, amount = x.to(torch.int64), y.to(torch.int64)
    amount = torch.clamp(amount, 0, bits - 1)
    if x.dtype is torch.uint64:
        if left:
            return (wide << amount).to(x.dtype)
        filled = wide >> amount  # arithmetic: the copies of the top bit are masked off
        mask = torch.where(amount == 0, -1, (1 << (64 - amount.clamp(min=1))) - 1)
        return (filled & mask).to(x.dtype)
    return (wide << amount if left else wide >> amount).to(x.dtype)


op("LeftShift", shape=broadcast, specialise=True)(
    lambda node: checked(lambda x, y: _shifted(x, y, True))
)
op("RightShift", shape=broadcast, specialise=True)(
    lambda node: checked(lambda x, y: _shifted(x, y, False))
)


# -- equality --------------------------------------------------------------------------------------


def _equality_shape(node: Any) -> list[Sizes]:
    if node._attrs.get("incompatible_shape_error", True):
        return broadcast(node)
    from relight.graph.graph import ShapeError

    try:
        return [broadcast_sizes(sizes(node, 0), sizes(node, 1))]
    except ShapeError:
        return [()]


def _equality(function: Binary, strings: Binary, otherwise: bool) -> Any:
    def specialise(node: Any) -> Binary:
        if node._inputs[0].dtype.base_dtype.name == "string":
            chosen: Binary = lambda x, y: torch.from_numpy(
                np.asarray(strings(x, y), dtype=np.bool_)
            )
        else:
            chosen = function
        if fits_statically(node) and node._attrs.get("incompatible_shape_error", True):
            return chosen
        if node._attrs.get("incompatible_shape_error", True):
            return checked(chosen)

        def tolerant(x: Any, y: Any) -> Any:
            return torch.tensor(otherwise) if incompatible(x, y) else chosen(x, y)

        return tolerant

    return specialise


op("Equal", shape=_equality_shape, specialise=True)(_equality(torch.eq, operator.eq, False))
op("NotEqual", shape=_equality_shape, specialise=True)(_equality(torch.ne, operator.ne, True))


def _equal_shapes(node: Any) -> list[Any]:
    merge(sizes(node, 0), sizes(node, 1))
    return [sizes(node, 0)]


@op("ApproximateEqual", shape=_equal_shapes)
def ApproximateEqual(x, y, *, tolerance=1e-5):
    """Whether |x - y| < tolerance; the shapes must be equal."""
    if x.shape != y.shape:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"x and y must be of the same shape. x shape: [{','.join(map(str, x.shape))}]. "
            f"y shape: [{','.join(map(str, y.shape))}]",
        )
    return torch.abs(x - y) < tolerance


not_differentiable(
    "Less",
    "LessEqual",
    "Greater",
    "GreaterEqual",
    "Equal",
    "ApproximateEqual",
    "NotEqual",
    "LogicalAnd",
    "LogicalOr",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "LeftShift",
    "RightShift",
)
