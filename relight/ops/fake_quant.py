"""Simulated quantisation: floats rounded to the levels that integers of a few bits would give.

The range is moved so that 0 is one of the levels (Jacob et al. 2017, "Quantization and training of
neural networks for efficient integer-arithmetic-only inference", section 3).
"""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import errors
from relight.graph.opdef import op
from relight.ops.build import raw
from relight.ops.math import gradient
from relight.ops.shape_rules import merge, merge_size, same, sizes, with_rank, with_rank_at_least


def _levels(node: Any) -> tuple[int, int]:
    """The lowest and the highest integer."""
    bits = node._attrs["num_bits"]
    if not 2 <= bits <= 16:
        raise errors.InvalidArgumentError(
            None, node, f"num_bits must be between 2 and 16, inclusive, but is: {bits}"
        )
    return int(node._attrs["narrow_range"]), (1 << bits) - 1


def _nudged(low: Any, high: Any, levels: tuple[int, int]) -> tuple[Any, Any, Any]:
    """(lowest value, highest value, step) of the range moved so that 0 is a level."""
    first, last = levels
    step = (high - low) / (last - first)
    zero = first - low / step
    zero = torch.floor(zero.clamp(first, last) + 0.5)
    return (first - zero) * step, (last - zero) * step, step


def _rounded(x: torch.Tensor, low: Any, high: Any, levels: tuple[int, int]) -> torch.Tensor:
    least, most, step = _nudged(low, high, levels)
    shifted = torch.minimum(torch.maximum(x, least), most) - least
    found = torch.floor(shifted / step + 0.5) * step + least
    return torch.where((low == 0) & (high == 0), torch.zeros_like(x), found)


def _parts(
    grad: torch.Tensor, x: torch.Tensor, low: Any, high: Any, levels: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradient inside of the range, below and above it."""
    least, most, _ = _nudged(low, high, levels)
    none = (low == 0) & (high == 0)
    zeros = torch.zeros_like(grad)
    below = torch.where((x < least) & ~none, grad, zeros)
    above = torch.where((x > most) & ~none, grad, zeros)
    inside = torch.where(((x >= least) & (x <= most)) | none, grad, zeros)
    return inside, below, above


def _bounds(node: Any) -> tuple[torch.Tensor, torch.Tensor]:
    low, high = node._attrs["min"], node._attrs["max"]
    if low >= high:
        raise errors.InvalidArgumentError(
            None, node, f"min has to be smaller than max, was: {low:g} >= {high:g}"
        )
    return torch.tensor(low, dtype=torch.float32), torch.tensor(high, dtype=torch.float32)


def _alike(node: Any) -> list[Any]:
    return [merge(sizes(node, 0), sizes(node, 1))]


def _gradients_shape(node: Any) -> list[Any]:
    _alike(node)
    return [sizes(node, 0)]


@op("FakeQuantWithMinMaxArgs", shape=same, specialise=True)
def FakeQuantWithMinMaxArgs(node: Any) -> Any:
    """The nearest level of a fixed range."""
    levels = _levels(node)
    low, high = _bounds(node)
    return lambda x: _rounded(x, low.to(x.device), high.to(x.device), levels)


@op("FakeQuantWithMinMaxArgsGradient", shape=_gradients_shape, specialise=True)
def FakeQuantWithMinMaxArgsGradient(node: Any) -> Any:
    """The gradient where the input lies in the range, 0 elsewhere."""
    levels = _levels(node)
    low, high = _bounds(node)
    return lambda grad, x: _parts(grad, x, low.to(x.device), high.to(x.device), levels)[0]


def _vars_shape(node: Any) -> list[Any]:
    for i in (1, 2):
        with_rank(sizes(node, i), 0)
    return [sizes(node, 0)]


def _channels_shape(node: Any) -> list[Any]:
    known = with_rank_at_least(sizes(node, 0), 1)
    depth = _depth(node, 1, known)
    return [None if known is None else (*known[:-1], depth)]


def _depth(node: Any, first: int, known: Any) -> int | None:
    depth = None if known is None else known[-1]
    for i in (first, first + 1):
        vector = with_rank(sizes(node, i), 1)
        assert vector is not None
        depth = merge_size(depth, vector[0])
    return depth


def _quantised(node: Any) -> Any:
    """The nearest level of a range (of one for each channel) that is given as tensors."""
    levels = _levels(node)
    return lambda x, low, high: _rounded(x, low, high, levels)


op("FakeQuantWithMinMaxVars", shape=_vars_shape, specialise=True)(_quantised)
op("FakeQuantWithMinMaxVarsPerChannel", shape=_channels_shape, specialise=True)(_quantised)


def _vars_gradient_shape(node: Any) -> list[Any]:
    for i in (2, 3):
        with_rank(sizes(node, i), 0)
    return [*_alike(node), (), ()]


def _channels_gradient_shape(node: Any) -> list[Any]:
    known = with_rank_at_least(_alike(node)[0], 1)
    depth = _depth(node, 2, known)
    return [None if known is None else (*known[:-1], depth), (depth,), (depth,)]


def _backward(node: Any) -> Any:
    """Gradients of (input, min, max): what lies outside moves the bounds."""
    levels = _levels(node)
    each = node.type == "FakeQuantWithMinMaxVarsPerChannelGradient"

    def kernel(grad: torch.Tensor, x: torch.Tensor, low: Any, high: Any) -> Any:
        inside, below, above = _parts(grad, x, low, high, levels)
        if each:
            return inside, *(p.reshape(-1, p.shape[-1]).sum(0) for p in (below, above))
        return inside, below.sum(), above.sum()

    return kernel


op("FakeQuantWithMinMaxVarsGradient", shape=_vars_gradient_shape, specialise=True)(_backward)
op(
    "FakeQuantWithMinMaxVarsPerChannelGradient",
    shape=_channels_gradient_shape,
    specialise=True,
)(_backward)


# -- gradients -------------------------------------------------------------------------------------


@gradient("FakeQuantWithMinMaxArgs")
def _(op, grad):
    attrs = {n: op.get_attr(n) for n in ("min", "max", "num_bits", "narrow_range")}
    return raw.FakeQuantWithMinMaxArgsGradient(grad, op.inputs[0], **attrs)


@gradient("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def _(op, grad):
    attrs = {n: op.get_attr(n) for n in ("num_bits", "narrow_range")}
    return list(getattr(raw, op.type + "Gradient")(grad, *op.inputs, **attrs))
