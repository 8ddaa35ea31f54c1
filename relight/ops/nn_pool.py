"""Pooling: MaxPool and AvgPool in two and three dimensions, with argmax, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from relight.graph import errors
from relight.graph.opdef import op
from relight.ops import array_nodes, shape_rules
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.math import gradient
from relight.ops.nn_conv import window_pads

_aten = torch.ops.aten


class Pool:
    """The geometry of one pooling node; tensors are in the node's layout at every entrance.

    A window over the channels (TensorFlow allows it for MaxPool with a spatial window of 1) becomes
    a spatial window of a view [batch * positions, 1, 1, channels].
    """

    def __init__(self, ksize: Sequence[int], strides: Sequence[int], padding: str, layout: str):
        rank = len(ksize)
        self.channels_first = layout.startswith("NC")
        first = 2 if self.channels_first else 1
        places = range(first, first + rank - 2)
        channel = 1 if self.channels_first else rank - 1
        self.spatial = rank - 2
        self.over_channels = ksize[channel] > 1
        if ksize[0] != 1 or strides[0] != 1:
            raise errors.UnimplementedError(
                None, None, "Pooling is not yet supported on the batch dimension."
            )
        if self.over_channels:
            if any(ksize[i] != 1 for i in places):
                raise errors.UnimplementedError(
                    None,
                    None,
                    "MaxPooling supports exactly one of pooling across depth or pooling across "
                    "width/height.",
                )
            self.window, self.strides = [1, ksize[channel]], [1, strides[channel]]
            self.spatial = 2
        else:
            self.window = [ksize[i] for i in places]
            self.strides = [strides[i] for i in places]
        self.padding = padding
        self.to_first = (0, rank - 1, *range(1, rank - 1))
        self.to_last = (0, *range(2, rank), 1)
        self.zeros, self.ones = [0] * self.spatial, [1] * self.spatial
        # Whether no two windows share an input, so that nothing adds up in a gradient of maxima.
        self.puts_gradients = self.spatial == 2 and all(
            s >= w for s, w in zip(self.strides, self.window, strict=True)
        )
        self._pads: dict[Any, tuple[list[int], list[int] | None]] = {}

    @classmethod
    def of(cls, node: Any) -> Pool:
        """The geometry that the attrs of a node say."""
        attrs = node._attrs
        layout = attrs.get("data_format", "NHWC")
        return cls(attrs["ksize"], attrs["strides"], attrs["padding"], layout)

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, channels, *spatial], a view."""
        if self.over_channels:
            x = x.movedim(1, -1) if self.channels_first else x
            return x.reshape(-1, 1, 1, x.shape[-1])
        return x if self.channels_first else x.permute(self.to_first)

    def outer(self, y: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """What PyTorch gives, in the layout of the node; `like`: any tensor of the right batch."""
        if self.over_channels:
            lead = like.movedim(1, -1) if self.channels_first else like
            y = y.reshape(*lead.shape[:-1], y.shape[-1])
            return y.movedim(-1, 1) if self.channels_first else y
        return y if self.channels_first else y.permute(self.to_last)

    def pads(self, spatial: Sequence[int]) -> tuple[list[int], list[int] | None]:
        """(symmetric padding, list for `pad` or None): unequal sides are padded beforehand."""
        key = tuple(spatial)
        found = self._pads.get(key)
        if found is None:
            sides = [(0, 0)] * len(self.window)
            if self.padding == "SAME":
                sides = [
                    window_pads(size, w, s)
                    for size, w, s in zip(spatial, self.window, self.strides, strict=True)
                ]
            if all(a == b for a, b in sides):
                found = [a for a, _ in sides], None
            else:
                found = self.zeros, [p for pair in reversed(sides) for p in pair]
            self._pads[key] = found
        return found

    # -- maxima ------------------------------------------------------------------------------------

    def _max_pads(self, spatial: Sequence[int]) -> tuple[list[int], list[int] | None, bool]:
        """As `pads`, and whether the last windows may reach over the edge instead (`ceil_mode`).

        They may where "SAME" adds one more at the end and windows are two or more apart: that costs
        no padded copy.
        """
        symmetric, uneven = self.pads(spatial)
        if uneven is None:
            return symmetric, None, False
        sides = list(zip(uneven[::2], uneven[1::2], strict=True))[::-1]
        over = all(
            a == b or (a + 1 == b and s > 1) for (a, b), s in zip(sides, self.strides, strict=True)
        )
        return ([a for a, _ in sides], None, True) if over else (symmetric, uneven, False)

    def _max_input(self, inner: torch.Tensor) -> tuple[torch.Tensor, list[int], bool]:
        symmetric, uneven, over = self._max_pads(inner.shape[2:])
        if uneven is not None:
            lowest = -math.inf if inner.is_floating_point() else torch.iinfo(inner.dtype).min
            inner = functional.pad(inner, uneven, value=lowest)
        return inner, symmetric, over

    def max_with_indices(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(maxima, places in the padded plane): the second is for `max_backward`, not for users."""
        inner, padding, over = self._max_input(self.inner(x))
        compute = (
            _aten.max_pool2d_with_indices if self.spatial == 2 else _aten.max_pool3d_with_indices
        )
        y, indices = compute(inner, self.window, self.strides, padding, self.ones, over)
        return self.outer(y, x), indices

    def max(self, x: torch.Tensor) -> torch.Tensor:
        """The maxima alone."""
        if not x.is_floating_point():
            return self._max_of_integers(x)
        inner, padding, over = self._max_input(self.inner(x))
        compute = functional.max_pool2d if self.spatial == 2 else functional.max_pool3d
        return self.outer(compute(inner, self.window, self.strides, padding, ceil_mode=over), x)

    def _max_of_integers(self, x: torch.Tensor) -> torch.Tensor:
        """PyTorch pools floats only: a window's maximum is taken dimension by dimension."""
        y = self.inner(x)
        symmetric, uneven = self.pads(y.shape[2:])
        if uneven is None:
            uneven = [p for s in reversed(symmetric) for p in (s, s)]
        y = functional.pad(y, uneven, value=torch.iinfo(y.dtype).min)
        for i, (window, stride) in enumerate(zip(self.window, self.strides, strict=True)):
            y = y.unfold(2 + i, window, stride).amax(-1)
        return self.outer(y, x)

    def max_backward(
        self, grad: torch.Tensor, x: torch.Tensor, indices: torch.Tensor
    ) -> torch.Tensor:
        """The gradient of `x` from that of the maxima: it goes to the places `indices`."""
        plain = self.inner(x)
        inner, padding, over = self._max_input(plain)
        compute = (
            _aten.max_pool2d_with_indices_backward
            if self.spatial == 2
            else _aten.max_pool3d_with_indices_backward
        )
        flow = self.inner(grad)
        if self.puts_gradients and flow.dtype is torch.bfloat16 and flow.is_cpu:
            result = _aten.max_unpool2d(flow, indices, inner.shape[2:])  # 0.4 ms in place of 0.6
        else:
            result = compute(
                flow, inner, self.window, self.strides, padding, self.ones, over, indices
            )
        _, uneven, _ = self._max_pads(plain.shape[2:])
        return self.outer(self._cut(result, uneven), x)

    def max_gathered(self, values: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """`values`, of the input's shape, at the places of the maxima."""
        plain = self.inner(values)
        _, uneven, _ = self._max_pads(plain.shape[2:])
        if uneven is not None:
            plain = functional.pad(plain, uneven)
        picked = plain.flatten(2).gather(2, indices.flatten(2)).reshape(indices.shape)
        return self.outer(picked, values)

    @staticmethod
    def _cut(result: torch.Tensor, uneven: Sequence[int] | None) -> torch.Tensor:
        return result if uneven is None else functional.pad(result, [-p for p in uneven])

    def places(self, x: torch.Tensor, indices: torch.Tensor, with_batch: bool) -> torch.Tensor:
        """TensorFlow's argmax: ((row * width) + column) * channels + channel, per image or not."""
        batch, channels, height, width = self.inner(x).shape
        _, uneven, _ = self._max_pads((height, width))
        left, right, top = (uneven[0], uneven[1], uneven[2]) if uneven is not None else (0, 0, 0)
        row = indices // (width + left + right) - top
        column = indices % (width + left + right) - left
        channel = torch.arange(channels, device=x.device).reshape(1, -1, 1, 1)
        flat = (row * width + column) * channels + channel
        if with_batch:
            image = torch.arange(batch, device=x.device).reshape(-1, 1, 1, 1)
            flat = flat + image * (height * width * channels)
        return self.outer(flat, x)

    # -- averages ----------------------------------------------------------------------------------

    def _counts(self, spatial: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """How many elements of the input each window covers, [1, 1, *output]."""
        ones = like.new_ones((1, 1, *spatial))
        _, uneven = self.pads(spatial)
        compute = functional.avg_pool2d if self.spatial == 2 else functional.avg_pool3d
        return compute(
            functional.pad(ones, uneven),
            self.window,
            self.strides,
            divisor_override=1,  # type: ignore[arg-type]
        )

    def average(self, x: torch.Tensor) -> torch.Tensor:
        """The means over windows; what "SAME" adds does not count."""
        inner = self.inner(x)
        compute = functional.avg_pool2d if self.spatial == 2 else functional.avg_pool3d
        symmetric, uneven = self.pads(inner.shape[2:])
        if uneven is None:
            y = compute(inner, self.window, self.strides, symmetric, count_include_pad=False)
        else:
            padded = functional.pad(inner, uneven)
            y = compute(padded, self.window, self.strides, divisor_override=1)
            y = y / self._counts(inner.shape[2:], inner)
        return self.outer(y, x)

    def _pooled(self, size: int, window: int, stride: int) -> int:
        return -(-size // stride) if self.padding == "SAME" else (size - window) // stride + 1

    def average_backward(self, shape: Sequence[int], grad: torch.Tensor) -> torch.Tensor:
        """The gradient of an input of the given shape from that of the means."""
        flow = self.inner(grad)
        like = self.inner(grad.new_empty(tuple(shape)))
        spatial = like.shape[2:]
        expected = [*like.shape[:2], *map(self._pooled, spatial, self.window, self.strides)]
        if list(flow.shape) != expected:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Expected gradients of means over {tuple(shape)} to be {expected} with the "
                f"channels second, got {list(flow.shape)}",
            )
        symmetric, uneven = self.pads(spatial)
        compute = _aten.avg_pool2d_backward if self.spatial == 2 else _aten.avg_pool3d_backward
        if uneven is None:
            result = compute(flow, like, self.window, self.strides, symmetric, False, False, None)
        else:
            flow = flow / self._counts(spatial, flow)
            padded = functional.pad(like, uneven)
            result = compute(flow, padded, self.window, self.strides, self.zeros, False, True, 1)
            result = self._cut(result, uneven)
        return self.outer(result, grad)


# -- ops -------------------------------------------------------------------------------------------


def max_pool_with_indices(node: Any) -> Any:
    """For a MaxPool node, `x -> (maxima, indices)`; the indices are for `max_pool_backward`."""
    return Pool.of(node).max_with_indices


def max_pool_backward(node: Any) -> Any:
    """For a MaxPool or MaxPoolGrad node, `(grad, x, indices) -> gradient of x`."""
    return Pool.of(node).max_backward


def _max(node: Any) -> Any:
    return Pool.of(node).max


def _max_gradient(node: Any) -> Any:
    pool = Pool.of(node)

    def kernel(x: torch.Tensor, y: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        return pool.max_backward(grad, x, pool.max_with_indices(x)[1])

    return kernel


def _max_second_gradient(node: Any) -> Any:
    pool = Pool.of(node)
    return lambda x, y, grad: pool.max_gathered(grad, pool.max_with_indices(x)[1])


def _of_images(node: Any) -> list[Any]:
    return [shape_rules.with_rank(shape_rules.sizes(node, 0), 5 if "3D" in node.type else 4)]


def _pool_of_images(node: Any) -> list[Any]:
    """Input 0 pooled; input 2 has its shape."""
    shape_rules.merge(shape_rules.sizes(node, 0), shape_rules.sizes(node, 2))
    return shape_rules.pool(node)


for _suffix in ("", "3D"):
    op(f"MaxPool{_suffix}", shape=shape_rules.pool, specialise=True)(_max)
    op(f"MaxPool{_suffix}Grad", shape=_of_images, specialise=True)(_max_gradient)
    op(f"MaxPool{_suffix}GradGrad", shape=_pool_of_images, specialise=True)(_max_second_gradient)


def _layout(node: Any) -> tuple[str, str]:
    return node._attrs["padding"], node._attrs.get("data_format", "NHWC")


def _pool_v2_shape(node: Any) -> list[Any]:
    x = shape_rules.with_rank(shape_rules.sizes(node, 0), 4)
    window, strides = (known_value(t) for t in node._inputs[-2:])
    if window is None or strides is None:
        return [None]
    assert x is not None
    return [shape_rules.pooled(x, window.tolist(), strides.tolist(), node._attrs["padding"])]


@op("MaxPoolV2", shape=_pool_v2_shape, specialise=True, host=("ksize", "strides"))
def MaxPoolV2(node: Any) -> Any:
    """MaxPool whose window and strides are inputs [4]."""
    padding, layout = _layout(node)
    return lambda x, ksize, strides: Pool(ksize.tolist(), strides.tolist(), padding, layout).max(x)


def _max_v2(second: bool) -> Any:
    def specialise(node: Any) -> Any:
        padding, layout = _layout(node)

        def kernel(x: Any, y: Any, grad: Any, ksize: Any, strides: Any) -> torch.Tensor:
            pool = Pool(ksize.tolist(), strides.tolist(), padding, layout)
            indices = pool.max_with_indices(x)[1]
            if second:
                return pool.max_gathered(grad, indices)
            return pool.max_backward(grad, x, indices)

        return kernel

    return specialise


op("MaxPoolGradV2", shape=_of_images, specialise=True, host=("ksize", "strides"))(_max_v2(False))
op(
    "MaxPoolGradGradV2",
    shape=_pool_v2_shape,
    specialise=True,
    host=("ksize", "strides"),
)(_max_v2(True))


@op("MaxPoolWithArgmax", shape=shape_rules.pool, specialise=True)
def MaxPoolWithArgmax(node: Any) -> Any:
    """(maxima, their places): flat within the image, or, if asked, within the batch."""
    pool = Pool.of(node)
    with_batch = bool(node._attrs.get("include_batch_in_index"))
    narrow = node._attrs["Targmax"].name == "int32"

    def kernel(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y, indices = pool.max_with_indices(x)
        places = pool.places(x, indices, with_batch)
        return y, places.to(torch.int32) if narrow else places

    return kernel


@op("MaxPoolGradWithArgmax", shape=_of_images, specialise=True)
def MaxPoolGradWithArgmax(node: Any) -> Any:
    """Gradients summed into the places that MaxPoolWithArgmax gave."""
    with_batch = bool(node._attrs.get("include_batch_in_index"))

    def kernel(x: torch.Tensor, grad: torch.Tensor, argmax: torch.Tensor) -> torch.Tensor:
        places = argmax.long()
        if not with_batch:
            size = x[0].numel() if x.shape[0] else 0
            image = torch.arange(x.shape[0], device=x.device).reshape(-1, 1, 1, 1)
            places = places + image * size
        flat = torch.zeros(x.numel(), dtype=grad.dtype, device=grad.device)
        flat.index_add_(0, places.reshape(-1), grad.reshape(-1))
        return flat.reshape(x.shape)

    return kernel


def _average(node: Any) -> Any:
    pool = Pool.of(node)
    if pool.over_channels:
        raise errors.UnimplementedError(
            None, None, "Non-spatial pooling is not yet supported. Volunteers? :)"
        )
    return pool.average


def _average_gradient(node: Any) -> Any:
    pool = Pool.of(node)
    return lambda shape, grad: pool.average_backward(shape.tolist(), grad)


def _shape_of_input(rank: int) -> shape_rules.Rule:
    def rule(node: Any) -> list[Any]:
        found = constant_value_as_shape(node._inputs[0])._sizes
        return [shape_rules.with_rank(found, rank)]

    return rule


for _suffix, _rank in (("", 4), ("3D", 5)):
    op(f"AvgPool{_suffix}", shape=shape_rules.pool, specialise=True)(_average)
    op(
        f"AvgPool{_suffix}Grad",
        shape=_shape_of_input(_rank),
        specialise=True,
        host=("orig_input_shape",),
    )(_average_gradient)


# -- gradients -------------------------------------------------------------------------------------


def _attrs(op_: Any) -> dict[str, Any]:
    names = ("ksize", "strides", "padding", "data_format")
    return {name: op_._attrs[name] for name in names if name in op_._attrs}


def _zeros_like_input(op_: Any, index: int) -> Any:
    tensor = op_.inputs[index]
    return array_nodes.zeros(array_nodes.shape(tensor), tensor.dtype)


def _max_rules(suffix: str) -> None:
    forward, first, second = f"MaxPool{suffix}", f"MaxPool{suffix}Grad", f"MaxPool{suffix}GradGrad"

    @gradient(forward)
    def _(op, grad):
        return getattr(raw, first)(op.inputs[0], op.outputs[0], grad, **_attrs(op))

    @gradient(first)
    def _(op, grad):
        zeros = _zeros_like_input(op, 0), _zeros_like_input(op, 1)
        return (*zeros, getattr(raw, second)(op.inputs[0], op.inputs[1], grad, **_attrs(op)))

    @gradient(second)
    def _(op, grad):
        zeros = _zeros_like_input(op, 0), _zeros_like_input(op, 1)
        return (*zeros, getattr(raw, first)(op.inputs[0], op.inputs[1], grad, **_attrs(op)))


def _average_rules(suffix: str) -> None:
    forward, first = f"AvgPool{suffix}", f"AvgPool{suffix}Grad"

    @gradient(forward)
    def _(op, grad):
        return getattr(raw, first)(array_nodes.shape(op.inputs[0]), grad, **_attrs(op))

    @gradient(first)
    def _(op, grad):
        stopped = raw.StopGradient(op.inputs[0])
        return stopped, getattr(raw, forward)(grad, **_attrs(op))


for _suffix in ("", "3D"):
    _max_rules(_suffix)
    _average_rules(_suffix)


@gradient("MaxPoolV2")
def _(op, grad):
    attrs = _attrs(op)
    return (
        raw.MaxPoolGradV2(op.inputs[0], op.outputs[0], grad, op.inputs[1], op.inputs[2], **attrs),
        None,
        None,
    )


@gradient("MaxPoolGradV2")
def _(op, grad):
    zeros = _zeros_like_input(op, 0), _zeros_like_input(op, 1)
    second = raw.MaxPoolGradGradV2(
        op.inputs[0], op.inputs[1], grad, op.inputs[3], op.inputs[4], **_attrs(op)
    )
    return (*zeros, second, None, None)


@gradient("MaxPoolWithArgmax")
def _(op, grad, _):
    return raw.MaxPoolGradWithArgmax(
        op.inputs[0],
        grad,
        op.outputs[1],
        op._attrs["ksize"],
        op._attrs["strides"],
        padding=op._attrs["padding"],
        include_batch_in_index=op._attrs["include_batch_in_index"],
    )
