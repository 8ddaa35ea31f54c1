"""How many floating-point operations a step of a plan takes in products of matrices.

A multiply and an add count as two. Everything else (sums, activations, updates) moves memory more
than it computes and counts as nothing: divided by the machine's rate of matrix products, the count
is a floor under the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch


def _product(arguments: Sequence[Any], results: Sequence[Any]) -> int:
    """[..., m, k] x [..., k, n] -> [..., m, n], transposed or not: 2 m k n."""
    a, out = arguments[0], results[0]
    rows = out.shape[-2]
    return 0 if rows == 0 else 2 * out.numel() * (math.prod(a.shape[-2:]) // rows)


def _convolution(filters: Any, out: Any) -> int:
    """Filters [..., in, out] at each of the positions of `out` [..., out]."""
    channels = filters.shape[-1]
    return 0 if channels == 0 else 2 * out.numel() * (filters.numel() // channels)


def _depthwise(filters: Any, out: Any) -> int:
    """Filters [h, w, in, multiplier]: each result channel reads one input channel."""
    return 2 * out.numel() * math.prod(filters.shape[:2])


def _conv_gradients(arguments: Sequence[Any], results: Sequence[Any]) -> int:
    """(x, filters or None, flow) -> the gradients asked for; the filters' has their shape."""
    _, weights, flow = arguments
    matrices = [r for r in results if r is not None and r.ndim > 1]
    filters = weights if weights is not None else matrices[-1]
    return len(matrices) * _convolution(filters, flow)


def _added_product(arguments: Sequence[Any], results: Sequence[Any]) -> int:
    """A sum, a [rows, m] and b [rows, n]: `a^T b` is multiplied now or with later ones."""
    _, a, b, *_ = arguments
    return 2 * a.numel() * b.shape[-1]


_COUNTS: dict[str, Callable[[Sequence[Any], Sequence[Any]], int]] = {
    "MatMul": _product,
    "MatMul+Bias": _product,
    "Sum of products": _added_product,
    "BatchMatMul": _product,
    "BatchMatMulV2": _product,
    "Conv2D": lambda a, r: _convolution(a[1], r[0]),
    "Conv2D+Bias": lambda a, r: _convolution(a[1], r[0]),
    "Conv2D gradients": _conv_gradients,
    "Conv2DBackpropInput": lambda a, r: _convolution(a[1], a[2]),
    "Conv2DBackpropFilter": lambda a, r: _convolution(r[0], a[2]),
    "Conv3D": lambda a, r: _convolution(a[1], r[0]),
    "Conv3DBackpropInputV2": lambda a, r: _convolution(a[1], a[2]),
    "Conv3DBackpropFilterV2": lambda a, r: _convolution(r[0], a[2]),
    "DepthwiseConv2dNative": lambda a, r: _depthwise(a[1], r[0]),
    "DepthwiseConv2dNativeBackpropInput": lambda a, r: _depthwise(a[1], a[2]),
    "DepthwiseConv2dNativeBackpropFilter": lambda a, r: _depthwise(r[0], a[2]),
}


def counts(what: str) -> bool:
    """Whether steps of that kind multiply matrices."""
    return what in _COUNTS


def count(what: str, arguments: Sequence[Any], results: Sequence[Any]) -> int:
    """The operations of the step `what` from these arguments to these results."""
    counting = _COUNTS.get(what)
    if counting is None:
        return 0
    if counting is not _added_product and not all(
        isinstance(r, torch.Tensor) for r in results if r is not None
    ):
        return 0
    return counting(arguments, results)
