"""Convolutions: Conv2D, Conv3D, DepthwiseConv2dNative, their transposes, and the gradients of all.

TensorFlow's filters are [*window, in, out]. NHWC tensors are handed to PyTorch as permuted views,
which it knows as `channels_last`: nothing is copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from relight.graph import errors
from relight.graph.opdef import op
from relight.ops import array_nodes, shape_rules
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape
from relight.ops.math import gradient

Pads = tuple[tuple[int, int], ...]
_convolution = torch.ops.aten.convolution
_convolution_backward = torch.ops.aten.convolution_backward


def window_pads(size: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What "SAME" adds (before, after) one dimension: half each, the odd one after."""
    reach = (window - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


class Convolution:
    """The geometry of one convolution node: layouts, strides, padding, dilations.

    `forward` and `backward` take and give tensors in the node's own layout: [batch, *spatial,
    channels] or, for an `NC...` data format, [batch, channels, *spatial]; filters are
    [*window, in, out], for a depthwise convolution [*window, in, multiplier].
    """

    def __init__(self, node: Any, depthwise: bool = False):
        attrs = node._attrs
        strides = attrs["strides"]
        rank = len(strides)
        self.depthwise = depthwise
        self.channels_first = attrs.get("data_format", "NHWC").startswith("NC")
        first = 2 if self.channels_first else 1
        self.places = range(first, first + rank - 2)
        self.padding = attrs["padding"]
        self.strides = [strides[i] for i in self.places]
        dilations = attrs.get("dilations") or [1] * rank
        self.dilations = [dilations[i] for i in self.places]
        explicit = attrs.get("explicit_paddings") or [0] * (2 * rank)
        self.explicit = [(explicit[2 * i], explicit[2 * i + 1]) for i in self.places]
        self.zeros = [0] * (rank - 2)
        self.to_first = (0, rank - 1, *range(1, rank - 1))
        self.to_last = (0, *range(2, rank), 1)
        self.filter_to_torch = (rank - 1, rank - 2, *range(rank - 2))
        self.filter_from_torch = (*range(2, rank), 1, 0)
        self._known_pads: dict[Any, tuple[list[int], list[int] | None]] = {}

    # -- layouts -----------------------------------------------------------------------------------

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor as PyTorch sees it, [batch, channels, *spatial]: a view."""
        return x if self.channels_first else x.permute(self.to_first)

    def outer(self, y: torch.Tensor) -> torch.Tensor:
        """What PyTorch gives, in the layout of the node: a view."""
        return y if self.channels_first else y.permute(self.to_last)

    def inner_filter(self, w: torch.Tensor) -> torch.Tensor:
        """The filter as PyTorch wants it: [out, in, *window]."""
        if self.depthwise:
            *window, channels, multiplier = w.shape
            return w.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, *window)
        return w.permute(self.filter_to_torch)

    def outer_filter(self, w: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
        """A gradient of `inner_filter` as [*window, in, out]."""
        if self.depthwise:
            channels, multiplier = shape[-2:]
            return w.reshape(channels, multiplier, *w.shape[2:]).permute(2, 3, 0, 1).contiguous()
        return w.permute(self.filter_from_torch).contiguous()

    # -- padding -----------------------------------------------------------------------------------

    def pads(self, spatial: Sequence[int], window: Sequence[int]) -> tuple[list[int], Any]:
        """(symmetric padding, list for `pad` or None): unequal sides are padded beforehand."""
        key = (*spatial, *window)
        found = self._known_pads.get(key)
        if found is not None:
            return found
        if self.padding == "VALID":
            sides = [(0, 0)] * len(self.strides)
        elif self.padding == "EXPLICIT":
            sides = self.explicit
        else:
            sides = [
                window_pads(size, w, s, d)
                for size, w, s, d in zip(spatial, window, self.strides, self.dilations, strict=True)
            ]
        if all(a == b for a, b in sides):
            found = [a for a, _ in sides], None
        else:
            found = self.zeros, [p for pair in reversed(sides) for p in pair]
        self._known_pads[key] = found
        return found

    # -- computing ---------------------------------------------------------------------------------

    def forward(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The convolution of `x` with the filter `w`, plus a bias [out] of the channels."""
        inner = self.inner(x)
        kernel = self.inner_filter(w)
        symmetric, uneven = self.pads(inner.shape[2:], kernel.shape[2:])
        if uneven is not None:
            inner = functional.pad(inner, uneven)
        groups = inner.shape[1] // kernel.shape[1]
        try:
            y = _convolution(
                inner,
                kernel,
                bias,
                self.strides,
                symmetric,
                self.dilations,
                False,
                self.zeros,
                groups,
            )
        except RuntimeError:
            self._explain(inner, kernel)
            raise
        return self.outer(y)

    def _explain(self, inner: torch.Tensor, kernel: torch.Tensor) -> None:
        depth = kernel.shape[1]
        if inner.shape[1] % depth:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"input depth must be evenly divisible by filter depth: {inner.shape[1]} vs "
                f"{depth}",
            ) from None

    def backward(
        self,
        x: torch.Tensor | None,
        w: torch.Tensor | None,
        grad: torch.Tensor,
        mask: Sequence[bool],
        x_shape: Sequence[int] = (),
        w_shape: Sequence[int] = (),
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Gradients of (input, filter, bias), those that `mask` asks for, from the output's `grad`.

        `x` or `w` may be None where only its shape matters: `x_shape`, `w_shape`.
        """
        x = grad.new_empty(tuple(x_shape)) if x is None else x
        w = grad.new_empty(tuple(w_shape)) if w is None else w
        inner, kernel, flow = self.inner(x), self.inner_filter(w), self.inner(grad)
        spatial = inner.shape[2:]
        symmetric, uneven = self.pads(spatial, kernel.shape[2:])
        if uneven is not None:
            inner = functional.pad(inner, uneven)
        groups = max(inner.shape[1] // kernel.shape[1], 1)
        if inner.numel() == 0 or flow.numel() == 0:
            return (
                torch.zeros_like(x) if mask[0] else None,
                torch.zeros_like(w) if mask[1] else None,
                grad.new_zeros(flow.shape[1]) if mask[2] else None,
            )
        gx, gw, gb = _convolution_backward(
            flow,
            inner,
            kernel,
            [kernel.shape[0]],
            self.strides,
            symmetric,
            self.dilations,
            False,
            self.zeros,
            groups,
            list(mask),
        )
        if gx is not None and mask[0]:
            if uneven is not None:
                gx = functional.pad(gx, [-p for p in uneven])
            gx = self.outer(gx)
        if gw is not None and mask[1]:
            gw = self.outer_filter(gw, w.shape)
        return gx if mask[0] else None, gw if mask[1] else None, gb if mask[2] else None


def conv2d_with_bias(node: Any) -> Callable[..., Any] | None:
    """For a Conv2D node, `(x, filter, bias) -> output`: the bias is added by the convolution."""
    if node._attrs.get("data_format", "NHWC") != "NHWC":
        return None
    return Convolution(node).forward


def conv2d_backward(node: Any) -> Callable[..., Any]:
    """For a Conv2D (backprop) node, `(x, filter, grad, mask) -> gradients of (x, filter, bias)`."""
    return Convolution(node).backward


def _forward(node: Any) -> Any:
    return Convolution(node).forward


op("Conv2D", shape=shape_rules.conv, specialise=True)(_forward)
op("Conv3D", shape=shape_rules.conv, specialise=True)(_forward)


def _shape_from(index: int, rank: int) -> shape_rules.Rule:
    """The shape that input `index` describes, known to have `rank` dimensions."""

    def rule(node: Any) -> list[Any]:
        return [shape_rules.with_rank(constant_value_as_shape(node._inputs[index])._sizes, rank)]

    return rule


def _input_gradient(depthwise: bool) -> Callable[[Any], Any]:
    def specialise(node: Any) -> Any:
        geometry = Convolution(node, depthwise)

        def kernel(input_sizes: Any, w: torch.Tensor, grad: torch.Tensor) -> Any:
            sizes = _full_sizes(input_sizes.tolist(), geometry, w, grad)
            return geometry.backward(None, w, grad, (True, False, False), x_shape=sizes)[0]

        return kernel

    return specialise


def _full_sizes(sizes: list[int], geometry: Convolution, w: Any, grad: Any) -> list[int]:
    """The input's sizes; two numbers are its height and width only."""
    if len(sizes) == grad.dim():
        return sizes
    channels = w.shape[-2]
    if geometry.channels_first:
        return [grad.shape[0], channels, *sizes]
    return [grad.shape[0], *sizes, channels]


def _filter_gradient(depthwise: bool) -> Callable[[Any], Any]:
    def specialise(node: Any) -> Any:
        geometry = Convolution(node, depthwise)

        def kernel(x: torch.Tensor, filter_sizes: Any, grad: torch.Tensor) -> Any:
            sizes = filter_sizes.tolist()
            return geometry.backward(x, None, grad, (False, True, False), w_shape=sizes)[1]

        return kernel

    return specialise


for _op_type, _depthwise, _rank in (
    ("Conv2D", False, 4),
    ("Conv3D", False, 5),
    ("DepthwiseConv2dNative", True, 4),
):
    _version = "V2" if _rank == 5 else ""
    op(
        f"{_op_type}BackpropInput{_version}",
        shape=_shape_from(0, _rank),
        specialise=True,
        host=("input_sizes",),
    )(_input_gradient(_depthwise))
    op(
        f"{_op_type}BackpropFilter{_version}",
        shape=_shape_from(1, _rank),
        specialise=True,
        host=("filter_sizes",),
    )(_filter_gradient(_depthwise))


def _depthwise_shape(node: Any) -> list[Any]:
    x = shape_rules.with_rank(shape_rules.sizes(node, 0), 4)
    w = shape_rules.with_rank(shape_rules.sizes(node, 1), 4)
    assert x is not None and w is not None
    places, channel = shape_rules.spatial(node, 4)
    attrs = node._attrs
    shape_rules.merge_size(x[channel], w[2])
    result = list(x)
    dilations = attrs.get("dilations") or [1] * 4
    for window, place in zip(w[:2], places, strict=True):
        result[place] = (
            None
            if window is None
            else shape_rules.window_size(
                x[place], window, attrs["strides"][place], attrs["padding"], dilations[place]
            )
        )
    known = None not in w[2:]
    result[channel] = math.prod(w[2:]) if known else None  # type: ignore[arg-type]
    return [tuple(result)]


@op("DepthwiseConv2dNative", shape=_depthwise_shape, specialise=True)
def DepthwiseConv2dNative(node: Any) -> Any:
    """Each channel with filters of its own: [..., c] x [h, w, c, m] -> [..., c * m]."""
    return Convolution(node, depthwise=True).forward


# -- gradients -------------------------------------------------------------------------------------

_CONV2D = (
    "strides",
    "use_cudnn_on_gpu",
    "padding",
    "explicit_paddings",
    "data_format",
    "dilations",
)
_OTHERS = ("strides", "padding", "data_format", "dilations")


def _attrs(op_: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: op_._attrs[name] for name in names if name in op_._attrs}


@gradient("Conv2D")
def _(op, grad):
    attrs = _attrs(op, _CONV2D)
    x, w = op.inputs
    x_shape, w_shape = raw.ShapeN([x, w])
    return [
        raw.Conv2DBackpropInput(x_shape, w, grad, **attrs),
        raw.Conv2DBackpropFilter(x, w_shape, grad, **attrs),
    ]


def _second_gradients(forward: str, suffix: str, names: Sequence[str]) -> None:
    """Gradients of a convolution's gradients, by the same three ops."""
    backward_input = f"{forward}BackpropInput{suffix}"
    backward_filter = f"{forward}BackpropFilter{suffix}"

    @gradient(backward_input)
    def _(op, grad):
        attrs = _attrs(op, names)
        shape = array_nodes.shape(op.inputs[1])
        return [
            None,
            getattr(raw, backward_filter)(grad, shape, op.inputs[2], **attrs),
            getattr(raw, forward)(grad, op.inputs[1], **attrs),
        ]

    @gradient(backward_filter)
    def _(op, grad):
        attrs = _attrs(op, names)
        shape = array_nodes.shape(op.inputs[0])
        return [
            getattr(raw, backward_input)(shape, grad, op.inputs[2], **attrs),
            None,
            getattr(raw, forward)(op.inputs[0], grad, **attrs),
        ]


def _first_gradients(forward: str, suffix: str) -> None:
    @gradient(forward)
    def _(op, grad):
        attrs = _attrs(op, _OTHERS)
        x, w = op.inputs
        to_input = getattr(raw, f"{forward}BackpropInput{suffix}")
        to_filter = getattr(raw, f"{forward}BackpropFilter{suffix}")
        gx = to_input(array_nodes.shape(x), w, grad, **attrs)
        return [gx, to_filter(x, array_nodes.shape(w), grad, **attrs)]


_second_gradients("Conv2D", "", _CONV2D)
for _forward_type, _suffix in (("Conv3D", "V2"), ("DepthwiseConv2dNative", "")):
    _first_gradients(_forward_type, _suffix)
    _second_gradients(_forward_type, _suffix, _OTHERS)
