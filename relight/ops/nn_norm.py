"""Normalisation: FusedBatchNorm of all versions, local response normalisation; gradients."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn import functional

from relight.graph import dtypes
from relight.graph.opdef import op
from relight.ops import array_nodes, shape_rules
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.math import gradient
from relight.ops.shape_rules import merge_size, sizes, with_rank

_aten = torch.ops.aten


def _channel(node: Any) -> int:
    return 1 if node._attrs.get("data_format", "NHWC").startswith("NC") else 3


def _forward_shape(node: Any) -> list[Any]:
    x = with_rank(sizes(node, 0), 4)
    assert x is not None
    place = _channel(node)
    depth = x[place]
    for i in range(1, 3 if node._attrs.get("is_training", True) else 5):
        vector = with_rank(sizes(node, i), 1)
        assert vector is not None
        depth = merge_size(depth, vector[0])
    result = list(x)
    result[place] = depth
    outputs: list[Any] = [tuple(result), (depth,), (depth,), (depth,), (depth,)]
    if len(node._outputs) == 6:
        outputs.append(None)
    return outputs


def _inner(x: torch.Tensor, first: bool) -> torch.Tensor:
    x = x if first else x.permute(0, 3, 1, 2)
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _outer(y: torch.Tensor, first: bool, like: torch.Tensor) -> torch.Tensor:
    y = y if first else y.permute(0, 2, 3, 1)
    return y.to(like.dtype)


def _forward(node: Any) -> Any:
    """(y, mean, unbiased variance, mean, variance[, empty]) over all dimensions but the channels.

    Ioffe and Szegedy, "Batch Normalization" (2015). Not training, the given mean and variance are
    used and returned.
    """
    attrs = node._attrs
    epsilon, training = attrs["epsilon"], attrs.get("is_training", True)
    first = _channel(node) == 1
    third = len(node._outputs) == 6

    def kernel(x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        inner = _inner(x, first)
        saved_mean, saved_variance, unbiased = mean, variance, variance
        if training:
            count = inner.numel() // max(inner.shape[1], 1)
            if count:
                saved_mean, saved_variance = _aten.batch_norm_update_stats(inner, None, None, 0.0)
            else:
                saved_mean = saved_variance = torch.full_like(scale, torch.nan)
            unbiased = saved_variance * (count / max(count - 1, 1))
        y = _aten.native_batch_norm(
            inner, scale, offset, saved_mean, saved_variance, False, 0.0, epsilon
        )[0]
        outputs = (_outer(y, first, x), saved_mean, unbiased, saved_mean, saved_variance)
        return (*outputs, x.new_zeros((), dtype=torch.float32)) if third else outputs

    return kernel


for _version in ("", "V2", "V3"):
    op(f"FusedBatchNorm{_version}", shape=_forward_shape, specialise=True)(_forward)


def _backward_shape(node: Any) -> list[Any]:
    grad = with_rank(sizes(node, 0), 4)
    x = with_rank(sizes(node, 1), 4)
    assert grad is not None and x is not None
    place = _channel(node)
    depth = merge_size(grad[place], x[place])
    for i in (2, 3, 4):
        vector = with_rank(sizes(node, i), 1)
        assert vector is not None
        depth = merge_size(depth, vector[0])
    result = list(grad)
    result[place] = depth
    unused = 0 if node._attrs.get("is_training", True) else depth
    return [tuple(result), (depth,), (depth,), (unused,), (unused,)]


def _backward(node: Any) -> Any:
    """Gradients of (x, scale, offset), and two vectors that nothing reads."""
    attrs = node._attrs
    epsilon, training = attrs["epsilon"], attrs.get("is_training", True)
    first = _channel(node) == 1

    def kernel(grad: Any, x: Any, scale: Any, mean: Any, variance: Any, *_: Any) -> Any:
        unused = scale.new_zeros(0 if training else len(scale))
        if not x.numel():
            return x.clone(), *(torch.zeros_like(scale) for _ in range(2)), unused, unused
        gx, gscale, goffset = _aten.native_batch_norm_backward(
            _inner(grad, first),
            _inner(x, first),
            scale,
            mean,
            variance,
            mean,
            torch.rsqrt(variance + epsilon),
            training,
            epsilon,
            [True, True, True],
        )
        return _outer(gx, first, x), gscale, goffset, unused, unused

    return kernel


for _version in ("", "V2", "V3"):
    op(f"FusedBatchNormGrad{_version}", shape=_backward_shape, specialise=True)(_backward)


def _rule(version: str) -> None:
    backward = f"FusedBatchNormGrad{version}"

    @gradient(f"FusedBatchNorm{version}")
    def _(op, *grads):
        attrs = op._attrs
        x, grad, scale = op.inputs[0], grads[0], op.inputs[1]
        training, layout = attrs["is_training"], attrs["data_format"]
        first = layout in ("NCHW", b"NCHW")
        extra = {"reserve_space_3": op.outputs[5]} if version == "V3" else {}
        build = getattr(raw, backward)
        if training:
            return build(
                grad,
                x,
                scale,
                op.outputs[3],
                op.outputs[4],
                epsilon=attrs["epsilon"],
                data_format=layout,
                is_training=True,
                **extra,
            )
        if first:
            x = array_nodes.transpose(x, [0, 2, 3, 1])
            grad = array_nodes.transpose(grad, [0, 2, 3, 1])
        gx, gscale, goffset, _, _ = build(
            grad,
            x,
            scale,
            op.inputs[3],
            op.inputs[4],
            epsilon=attrs["epsilon"],
            data_format="NHWC",
            is_training=False,
            **extra,
        )
        if first:
            gx = array_nodes.transpose(gx, [0, 3, 1, 2])
        return gx, gscale, goffset, None, None

    @gradient(backward)
    def _(op, *grads):
        from relight.ops.gradients import gradients

        grad, x, scale, mean, variance = op.inputs[:5]
        attrs = op._attrs
        results = _written_out(
            grad,
            x,
            scale,
            mean,
            variance,
            attrs["epsilon"],
            _channel(op) == 1,
            attrs["is_training"],
        )
        sources = [grad, x, scale]
        found = gradients(
            list(results),
            sources,
            list(grads[:3]),
            stop_gradients=sources,
            unconnected_gradients="zero",
        )
        return [*found, *[None] * (len(op.inputs) - 3)]


def _written_out(
    grad: Any,
    x: Any,
    scale: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    first: bool,
    training: bool,
) -> tuple[Any, Any, Any]:
    """FusedBatchNormGrad's first three outputs of elementary nodes, for the second derivative."""
    x_type = x.dtype.base_dtype
    if x_type == dtypes.float16:
        x, grad = nodes.cast(x, dtypes.float32), nodes.cast(grad, dtypes.float32)
    axes = [0, 2, 3] if first else [0, 1, 2]
    if first:
        shape = [1, array_nodes.size(scale), 1, 1]
        scale = array_nodes.reshape(scale, shape)
        mean, variance = (array_nodes.reshape(v, shape) for v in (mean, variance))
    offset_grad = nodes.reduce_sum(grad, axes)
    if not training:
        root = raw.Rsqrt(variance + epsilon)
        scale_grad = nodes.reduce_sum(grad * (x - mean) * root, axes)
        return nodes.cast(grad * scale * root, x_type), scale_grad, offset_grad
    mean_grad = nodes.reduce_mean(grad, axes, keepdims=first)
    mean_x = nodes.reduce_mean(x, axes, keepdims=first)
    centre = raw.StopGradient(mean_x)
    spread = nodes.reduce_mean(raw.SquaredDifference(x, centre), axes, keepdims=first)
    centred = x - mean_x
    product = nodes.reduce_mean(grad * centred, axes, keepdims=first)
    root = raw.Rsqrt(spread + epsilon)
    gx = scale * root * ((grad - mean_grad) - raw.Reciprocal(spread + epsilon) * product * centred)
    gscale = root * nodes.reduce_sum(grad * centred, axes, keepdims=first)
    if first:
        gscale = array_nodes.squeeze(gscale)
    return nodes.cast(gx, x_type), gscale, offset_grad


for _version in ("", "V2", "V3"):
    _rule(_version)


# -- local response --------------------------------------------------------------------------------


def _window_sum(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Sums over channels d - radius .. d + radius."""
    return functional.pad(x, (radius, radius)).unfold(-1, 2 * radius + 1, 1).sum(-1)


def _four(node: Any) -> list[Any]:
    return [with_rank(sizes(node, 0), 4)]


_ROWS = 512  # pixels whose intermediate values stay in a core's cache
_WIDEST_BAND = 256  # channels up to which a product with a band matrix is quickest


@functools.lru_cache(maxsize=32)
def _band(depth: int, radius: int, scale: float, device: torch.device) -> torch.Tensor:
    """[depth, depth]: `scale` where two channels are neighbours; x @ band sums each window."""
    place = torch.arange(depth, device=device)
    near = (place[:, None] - place[None, :]).abs() <= radius
    return near.to(torch.float32) * scale


def _power_over(norm: torch.Tensor, beta: float) -> torch.Tensor:
    """norm ** -beta, written over `norm`."""
    if beta == 0.75:  # roots cost a fifth of a power
        norm.rsqrt_()
        return norm.mul_(norm.sqrt())
    return norm.rsqrt_() if beta == 0.5 else norm.pow_(-beta)


def _blocks(x: torch.Tensor) -> tuple[torch.Tensor, list[slice]] | None:
    """The pixels of float32 images as rows [pixels, depth], and slices of them to work on in turn.

    None where the window's sum is quicker.
    """
    depth = x.shape[-1]
    if x.dtype is not torch.float32 or not 0 < depth <= _WIDEST_BAND:
        return None
    rows = x.reshape(-1, depth)
    step = _ROWS * torch.get_num_threads() if x.is_cpu else max(len(rows), 1)
    return rows, [slice(i, i + step) for i in range(0, len(rows), step)]


@op("LRN", shape=_four)
def LRN(x, *, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5):
    """x / (bias + alpha * sum of squares of neighbouring channels) ** beta: Krizhevsky (2012)."""
    found = _blocks(x)
    if found is None:
        return x * torch.pow(bias + alpha * _window_sum(torch.square(x), depth_radius), -beta)
    rows, blocks = found
    band = _band(x.shape[-1], depth_radius, alpha, x.device)
    start = band.new_full((band.shape[0],), bias)
    result = torch.empty_like(rows)
    for block in blocks:
        part = rows[block]
        norm = torch.addmm(start, torch.square(part), band)
        torch.mul(part, _power_over(norm, beta), out=result[block])
    return result.view(x.shape)


def _four_alike(node: Any) -> list[Any]:
    return [with_rank(shape_rules.all_same(node)[0], 4)]


@op("LRNGrad", shape=_four_alike)
def LRNGrad(grad, x, y, *, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5):
    """The gradient of LRN's input."""
    found = _blocks(x)
    if found is None or grad.dtype is not x.dtype:
        norm = bias + alpha * _window_sum(torch.square(x), depth_radius)
        shared = _window_sum(grad * y / norm, depth_radius)
        return grad * torch.pow(norm, -beta) - 2.0 * alpha * beta * x * shared
    rows, blocks = found
    depth = x.shape[-1]
    flow, above = grad.reshape(-1, depth), y.reshape(-1, depth)
    band = _band(depth, depth_radius, alpha, x.device)
    back = _band(depth, depth_radius, -2.0 * alpha * beta, x.device)
    start = band.new_full((depth,), bias)
    result = torch.empty_like(rows)
    for block in blocks:
        part, flowing = rows[block], flow[block]
        norm = torch.addmm(start, torch.square(part), band)
        shared = torch.mm(torch.mul(flowing, above[block]).div_(norm), back).mul_(part)
        torch.addcmul(shared, flowing, _power_over(norm, beta), out=result[block])
    return result.view(x.shape)


@gradient("LRN")
def _(op, grad):
    attrs = {n: op._attrs[n] for n in ("depth_radius", "bias", "alpha", "beta")}
    return [raw.LRNGrad(grad, op.inputs[0], op.outputs[0], **attrs)]
