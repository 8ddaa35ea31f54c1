"""Matrix products of float32 and bfloat16 matrices on the CPU by the quickest library at hand.

PyTorch's `mm` goes to MKL, whose AVX-512 kernels only run on Intel's processors; oneDNN, which
PyTorch carries too, generates its kernels for the processor at hand. [100, 3136] x [3136, 1024] on
two cores of an AMD EPYC: MKL 3.8 ms, oneDNN 1.6 ms. Small products stay with `mm`: oneDNN's call
costs some microseconds more. `RELIGHT_MATMUL=mkl` (or `onednn`) chooses by hand.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

SMALL = 1 << 19  # multiply-adds below which a call costs more than the product
NARROW = 16  # columns of a result up to which either library is slow with a transposed left side
# The same as SMALL for such results: MKL takes 38 us for [100, 500] x [500, 10], oneDNN 18.
SMALL_NARROW = 1 << 18


def _available() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _chosen() -> bool:
    wish = os.environ.get("RELIGHT_MATMUL", "")
    if wish not in ("", "mkl", "onednn"):
        raise ValueError(f"RELIGHT_MATMUL must be 'mkl' or 'onednn', not {wish!r}")
    return wish != "mkl" and _available()


_USE_ONEDNN = _chosen()
_linear: Callable[..., torch.Tensor] = torch.ops.mkldnn._linear_pointwise if _USE_ONEDNN else None  # type: ignore[assignment]


def _suits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (
        _USE_ONEDNN
        and a.dtype is b.dtype
        and (a.dtype is torch.float32 or a.dtype is torch.bfloat16)
        and a.is_cpu
        and a.dim() == 2
        and b.dim() == 2
        and a.shape[1] == b.shape[0]
        and _work(a, b) >= (SMALL_NARROW if b.shape[1] <= NARROW else SMALL)
    )


def _work(a: torch.Tensor, b: torch.Tensor) -> int:
    return a.shape[0] * a.shape[1] * b.shape[1]


def mm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """[m, k] x [k, n] -> [m, n]. RuntimeError for matrices that do not fit."""
    if _suits(a, b):
        if b.shape[1] <= NARROW and a.stride(0) == 1:
            # The gradient of narrow weights, x^T [784, 100] x [100, 10]: 56 us, as (b^T a^T)^T 25.
            return _linear(b.t(), a, None, "none", [], "").t().contiguous()
        return _linear(a, b.t(), None, "none", [], "")
    return torch.mm(a, b)


def addmm(bias: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """[m, k] x [k, n] + [n] -> [m, n]. RuntimeError for matrices that do not fit."""
    if _suits(a, b) and bias.dim() == 1:
        return _linear(a, b.t(), bias, "none", [], "")
    return torch.addmm(bias, a, b)


_GATHERED = 1 << 21  # bytes of factors: what stays in the processor's caches
_MANY_ROWS = 512  # from here on a product of its own is as quick


class SumOfProducts:
    """`total + a1^T b1 + a2^T b2 + ...` of factors [rows, m] and [rows, n] that come one by one.

    Products of a few rows are made together, of all rows that have come: 28 of [156, 128] x
    [128, 512], added up, take 2.5 ms; of seven times the rows at once 1.9, the copies included.
    """

    def __init__(self, total: torch.Tensor, rows: torch.Tensor | None = None):
        self._total, self._rows = total, rows
        self._left: list[torch.Tensor] = []
        self._right: list[torch.Tensor] = []
        self._bytes = 0

    def add(self, a: torch.Tensor, b: torch.Tensor) -> None:
        """Add `a^T b`. RuntimeError for factors that do not fit."""
        if a.shape[0] >= _MANY_ROWS or a.shape[0] != b.shape[0]:
            self._take(a, b)
            return
        self._left.append(a)
        self._right.append(b)
        self._bytes += a.nbytes + b.nbytes
        if self._bytes >= _GATHERED:
            self._take_gathered()

    def total(self) -> torch.Tensor:
        """The sum [m, n] of all that was added."""
        self._take_gathered()
        return self._total

    def rows(self) -> torch.Tensor:
        """The sum [n] of all rows of b1, b2, ..., and of what it began with."""
        self._take_gathered()
        assert self._rows is not None, "rows were not asked for"
        return self._rows

    def _take_gathered(self) -> None:
        left, right, self._left, self._right, self._bytes = self._left, self._right, [], [], 0
        if left:
            self._take(torch.cat(left), torch.cat(right))

    def _take(self, a: torch.Tensor, b: torch.Tensor) -> None:
        self._total = mm(a.mT, b).add_(self._total)
        if self._rows is not None:
            self._rows = b.sum(0).add_(self._rows)


class RowsOf:
    """The other sum of a SumOfProducts, of the rows of its right factors."""

    __slots__ = ("of",)

    def __init__(self, of: SumOfProducts):
        self.of = of

    def total(self) -> torch.Tensor:
        """The sum [n]."""
        return self.of.rows()


def gather_product(
    total: torch.Tensor | SumOfProducts, a: torch.Tensor, b: torch.Tensor
) -> SumOfProducts:
    """`total + a^T b`, of a tensor or of a sum that has begun, which it changes."""
    sums = SumOfProducts(total) if isinstance(total, torch.Tensor) else total
    sums.add(a, b)
    return sums


def gather_layer(
    total: torch.Tensor | SumOfProducts,
    a: torch.Tensor,
    b: torch.Tensor,
    rows: torch.Tensor | RowsOf,
) -> tuple[SumOfProducts, RowsOf]:
    """The same, and `rows` + the sum of the rows of b: the gradients of weights and of a bias."""
    if isinstance(total, torch.Tensor):
        assert isinstance(rows, torch.Tensor)
        total = SumOfProducts(total, rows)
        rows = RowsOf(total)
    total.add(a, b)
    return total, rows
