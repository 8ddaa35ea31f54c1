"""Special functions that PyTorch lacks: the incomplete beta function, gamma derivatives.

Both are computed in double precision, by series and continued fractions of Abramowitz & Stegun,
"Handbook of Mathematical Functions" (26.5.8 and 6.5.29), until the terms no longer count.
"""

from __future__ import annotations

from typing import Any

import torch

from relight.graph.opdef import op
from relight.ops.math_binary import checked
from relight.ops.shape_rules import broadcast, merge, sizes

_MOST_TERMS = 10000


def _beta_fraction(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300

    def bounded(v: torch.Tensor) -> torch.Tensor:
        return torch.where(v.abs() < tiny, tiny, v)

    c = torch.ones_like(x)
    d = 1 / bounded(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / bounded(1 + even * d)
        c = bounded(1 + even / c)
        result = result * d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / bounded(1 + odd * d)
        c = bounded(1 + odd / c)
        factor = d * c
        result = result * factor
        if not bool(((factor - 1).abs() > 1e-16 * 4).any()):
            break
    return result


def _betainc(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The regularised incomplete beta function I_x(a, b)."""
    dtype = x.dtype
    a, b, x = (v.double() for v in torch.broadcast_tensors(a, b, x))
    swapped = x > (a + 1) / (a + b + 2)
    p, q = torch.where(swapped, b, a), torch.where(swapped, a, b)
    z = torch.where(swapped, 1 - x, x)
    inside = z.clamp(1e-300, 1.0)
    log_factor = (
        torch.lgamma(p + q)
        - torch.lgamma(p)
        - torch.lgamma(q)
        + p * torch.log(inside)
        + q * torch.log1p(-inside)
    )
    value = torch.exp(log_factor) * _beta_fraction(p, q, inside) / p
    value = torch.where(swapped, 1 - value, value)
    value = torch.where(x <= 0, 0.0, torch.where(x >= 1, 1.0, value))
    bad = (a <= 0) | (b <= 0) | (x < 0) | (x > 1) | (a != a) | (b != b) | (x != x)
    return torch.where(bad, torch.nan, value).to(dtype)


def _betainc_shape(node: Any) -> list[Any]:
    known: Any = None
    others: Any = None  # the last input that is no scalar
    scalars = 0
    for i in range(3):
        static = sizes(node, i)
        if static is None:
            others = None
        elif not static:
            scalars += 1
        else:
            others = known = merge(known, static)
    return [{2: others, 3: ()}.get(scalars, known)]


@op("Betainc", shape=_betainc_shape, specialise=True)
def Betainc(node: Any) -> Any:
    """The regularised incomplete beta function I_x(a, b); scalars go with any shape."""
    return _betainc


def _igamma_derivative(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """d P(a, x) / da, by differentiating the series of P term by term."""
    dtype = x.dtype
    a, x = (v.double() for v in torch.broadcast_tensors(a, x))
    safe = x.clamp(min=1e-300)
    term = 1 / a
    harmonic = 1 / a
    total, weighted = term, term * harmonic
    for n in range(1, _MOST_TERMS):
        term = term * safe / (a + n)
        harmonic = harmonic + 1 / (a + n)
        total = total + term
        weighted = weighted + term * harmonic
        if not bool((term * harmonic > weighted * 1e-17).any()):
            break
    log_x = torch.log(safe)
    factor = torch.exp(a * log_x - safe - torch.lgamma(a))
    value = factor * ((log_x - torch.digamma(a)) * total - weighted)
    # Far out, P is 1 and does not change any more.
    value = torch.where((x > a + 40 * torch.sqrt(a) + 60) | (x == 0), 0.0, value)
    return torch.where((x < 0) | (a <= 0), torch.nan, value).to(dtype)


@op("IgammaGradA", shape=broadcast, specialise=True)
def IgammaGradA(node: Any) -> Any:
    """The derivative of the lower incomplete gamma function by its order."""
    return checked(_igamma_derivative)
