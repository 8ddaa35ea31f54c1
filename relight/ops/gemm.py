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
