"""Grey-scale morphology: Dilation2D (erosion is dilation of negatives) and its gradients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import shape_rules
from relight.ops.build import raw
from relight.ops.math import gradient
from relight.ops.nn_conv import window_pads


def _dilation_shape(node: Any) -> list[Any]:
    x = shape_rules.with_rank(shape_rules.sizes(node, 0), 4)
    w = shape_rules.with_rank(shape_rules.sizes(node, 1), 3)
    assert x is not None and w is not None
    attrs = node._attrs
    if len(attrs["strides"]) != 4 or len(attrs["rates"]) != 4:
        raise ShapeError("Dilation2D requires the stride and rate attributes to contain 4 values")
    depth = shape_rules.merge_size(x[3], w[2])
    rows, columns = (
        None
        if w[i] is None
        else shape_rules.window_size(
            x[i + 1], w[i], attrs["strides"][i + 1], attrs["padding"], attrs["rates"][i + 1]
        )
        for i in (0, 1)
    )
    return [(x[0], rows, columns, depth)]


class Dilation:
    """The windows of Dilation2D: max over (dy, dx) of input[y s + dy r, x s + dx r] + filter."""

    def __init__(self, node: Any):
        self.strides = node._attrs["strides"][1:3]
        self.rates = node._attrs["rates"][1:3]
        self.padding = node._attrs["padding"]

    def windows(self, x: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(values [b, y, x, c, dy * dx] with the filter added, flat places in the padded input)."""
        sides = [(0, 0), (0, 0)]
        if self.padding == "SAME":
            sides = [
                window_pads(x.shape[i + 1], w.shape[i], self.strides[i], self.rates[i])
                for i in (0, 1)
            ]
        (top, bottom), (left, right) = self.sides = sides
        lowest = -math.inf if x.is_floating_point() else torch.iinfo(x.dtype).min
        padded = functional.pad(x, [0, 0, left, right, top, bottom], value=lowest)
        self.padded_shape = padded.shape
        place = torch.arange(padded[0, :, :, 0].numel(), device=x.device)
        grid = place.reshape(1, *padded.shape[1:3], 1)
        return self._unfold(padded, w) + w.permute(2, 0, 1).flatten(1), self._unfold(grid, w)

    def _unfold(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        for i in (0, 1):
            reach = (w.shape[i] - 1) * self.rates[i] + 1
            x = x.unfold(1 + i, reach, self.strides[i])
        return x[..., :: self.rates[0], :: self.rates[1]].flatten(-2)

    def input_gradient(self, x: torch.Tensor, w: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """Each gradient goes to the element that gave its maximum."""
        values, places = self.windows(x, w)
        chosen = values.argmax(-1, keepdim=True)
        where = places.expand(values.shape).gather(-1, chosen)[..., 0]
        batch, rows, columns, depth = self.padded_shape
        flat = grad.new_zeros((batch, rows * columns, depth))
        flat.scatter_add_(1, where.flatten(1, 2), grad.flatten(1, 2))
        full = flat.reshape(batch, rows, columns, depth)
        (top, _), (left, _) = self.sides
        return full[:, top : top + x.shape[1], left : left + x.shape[2]].contiguous()

    def filter_gradient(self, x: torch.Tensor, w: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """Each gradient goes to the filter element that gave its maximum."""
        values, _ = self.windows(x, w)
        chosen = values.argmax(-1)
        flat = grad.new_zeros((w.shape[0] * w.shape[1], w.shape[2]))
        depth = w.shape[2]
        flat.scatter_add_(0, chosen.reshape(-1, depth), grad.reshape(-1, depth))
        return flat.reshape(w.shape)


@op("Dilation2D", shape=_dilation_shape, specialise=True)
def Dilation2D(node: Any) -> Any:
    """Grey-scale dilation: input [b, h, w, c], filter [rows, columns, c]."""
    geometry = Dilation(node)
    return lambda x, w: geometry.windows(x, w)[0].amax(-1)


@op("Dilation2DBackpropInput", shape=shape_rules.like_input(0), specialise=True)
def Dilation2DBackpropInput(node: Any) -> Any:
    """The gradient of Dilation2D's input."""
    return Dilation(node).input_gradient


@op("Dilation2DBackpropFilter", shape=shape_rules.like_input(1), specialise=True)
def Dilation2DBackpropFilter(node: Any) -> Any:
    """The gradient of Dilation2D's filter."""
    return Dilation(node).filter_gradient


@gradient("Dilation2D")
def _(op, grad):
    x, w = op.inputs
    attrs = (op._attrs["strides"], op._attrs["rates"], op._attrs["padding"])
    return [
        raw.Dilation2DBackpropInput(x, w, grad, *attrs),
        raw.Dilation2DBackpropFilter(x, w, grad, *attrs),
    ]
