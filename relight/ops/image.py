"""Colours of images [..., 3]: HSV, hue, saturation, contrast."""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.math import gradient
from relight.ops.shape_rules import sizes, with_rank_at_least


def _colors(node: Any) -> list[Any]:
    static = with_rank_at_least(sizes(node, 0), 1)
    if static is None:
        return [None]
    if static[-1] not in (None, 3):
        raise ShapeError(f"Dimension must be 3 but is {static[-1]}")
    return [(*static[:-1], 3)]


def _images(node: Any) -> list[Any]:
    return [with_rank_at_least(sizes(node, 0), 3)]


def _check_channels(images: torch.Tensor) -> None:
    if images.dim() < 1:
        raise errors.InvalidArgumentError(None, None, "input must be at least 1D[]")
    if images.shape[-1] != 3:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"input must have 3 channels but input only has {images.shape[-1]} channels.",
        )


def _to_hsv(rgb: torch.Tensor) -> torch.Tensor:
    red, green, blue = rgb.unbind(-1)
    value = rgb.amax(-1)
    span = value - rgb.amin(-1)
    zero = torch.zeros((), dtype=rgb.dtype, device=rgb.device)
    saturation = torch.where(value > 0, span / value, zero)
    norm = 1.0 / (6.0 * span)
    hue = torch.where(
        red == value,
        norm * (green - blue),
        torch.where(green == value, norm * (blue - red) + 2 / 6, norm * (red - green) + 4 / 6),
    )
    hue = torch.where(span > 0, hue, zero)
    hue = torch.where(hue < 0, hue + 1, hue)
    return torch.stack([hue, saturation, value], dim=-1)


def _to_rgb(hsv: torch.Tensor) -> torch.Tensor:
    hue, saturation, value = hsv.unbind(-1)
    sixth = hue * 6
    red = ((sixth - 3).abs() - 1).clamp(0, 1)
    green = (2 - (sixth - 2).abs()).clamp(0, 1)
    blue = (2 - (sixth - 4).abs()).clamp(0, 1)
    rest = 1 - saturation
    parts = [(rest + saturation * part) * value for part in (red, green, blue)]
    return torch.stack(parts, dim=-1)


@op("RGBToHSV", shape=_colors)
def RGBToHSV(images):
    """RGB in [0, 1] to hue, saturation, value, all in [0, 1] (Smith, 1978)."""
    _check_channels(images)
    return _to_hsv(images)


@op("HSVToRGB", shape=_colors)
def HSVToRGB(images):
    """Hue, saturation, value in [0, 1] to RGB."""
    _check_channels(images)
    return _to_rgb(images)


not_differentiable("HSVToRGB")


# -- gradient of RGBToHSV --------------------------------------------------------------------------


def _mask(condition: Any) -> Any:
    return nodes.cast(condition, dtypes.float32)


def _safe(x: Any) -> Any:
    """1 / x, and 0 for 0."""
    return nodes.div_no_nan(1.0, x)


@gradient("RGBToHSV")
def _(op, grad):
    image, result = op.inputs[0], op.outputs[0]
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    s, v = result[..., 1], result[..., 2]
    r_most = _mask((r >= b) & (r >= g))
    g_most = _mask((g > r) & (g >= b))
    b_most = _mask((b > r) & (b > g))
    r_least = _mask((r < b) & (r < g))
    g_least = _mask((g <= r) & (g < b))
    b_least = _mask((b <= r) & (b <= g))
    add, square = raw.Add, raw.Square
    # Saturation is 1 - least / most.
    ds_dr = _mask(r > 0) * add(
        r_most * add(g_least * g, b_least * b) * _safe(square(r)),
        r_least * -1 * _safe((g_most * g) + (b_most * b)),
    )
    ds_dg = _mask(g > 0) * add(
        g_most * add(r_least * r, b_least * b) * _safe(square(g)),
        g_least * -1 * _safe((r_most * r) + (b_most * b)),
    )
    ds_db = _mask(b > 0) * add(
        b_most * add(g_least * g, r_least * r) * _safe(square(b)),
        b_least * -1 * _safe((g_most * g) + (r_most * r)),
    )
    # Hue in degrees: by the greatest colour, and for it by the least one.
    dh_dr = _total(
        60 * (_mask(r > 0) * r_most * -1 * (g - b) * _safe(square(s)) * _safe(square(v))),
        60 * (_mask(g > 0) * g_most * r_least * (b - g) * _safe(square(r - g))),
        60 * (_mask(g > 0) * g_most * b_least * -1 * _safe(g - b)),
        60 * (_mask(b > 0) * b_most * r_least * (b - g) * _safe(square(b - r))),
        60 * (_mask(b > 0) * b_most * g_least * _safe(b - g)),
    )
    dh_dg = _total(
        60 * (_mask(g > 0) * g_most * -1 * (b - r) * _safe(square(s)) * _safe(square(v))),
        60 * (_mask(r > 0) * r_most * g_least * (r - b) * _safe(square(r - g))),
        60 * (_mask(r > 0) * r_most * b_least * _safe(r - b)),
        60 * (_mask(b > 0) * b_most * g_least * (r - b) * _safe(square(b - g))),
        60 * (_mask(b > 0) * b_most * r_least * -1 * _safe(b - r)),
    )
    dh_db = _total(
        60 * (_mask(b > 0) * b_most * -1 * (r - g) * _safe(square(s)) * _safe(square(v))),
        60 * (_mask(r > 0) * r_most * b_least * (g - r) * _safe(square(r - b))),
        60 * (_mask(r > 0) * r_most * g_least * -1 * _safe(r - g)),
        60 * (_mask(g > 0) * g_most * b_least * (g - r) * _safe(square(g - b))),
        60 * (_mask(g > 0) * g_most * r_least * _safe(g - r)),
    )
    of_value = _stacked(grad, 2, (r_most, g_most, b_most))
    of_saturation = _stacked(grad, 1, (ds_dr, ds_dg, ds_db))
    of_hue = _stacked(grad, 0, (dh_dr, dh_dg, dh_db))
    return add(add(of_value, of_saturation), of_hue)


def _total(*terms: Any) -> Any:
    whole = terms[0]
    for term in terms[1:]:
        whole = whole + term
    return whole / 360


def _stacked(grad: Any, channel: int, parts: Any) -> Any:
    return array_nodes.stack([grad[..., channel] * part for part in parts], axis=-1)


# -- adjustments -----------------------------------------------------------------------------------


@op("AdjustContrastv2", shape=_images)
def AdjustContrastv2(images, contrast_factor):
    """(x - mean) * factor + mean, the mean of each channel of each image [..., h, w, c].

    The factor multiplies [..., h, w * c]: a number, or one of that rank for each image.
    """
    *front, height, width, channels = images.shape
    x = images.float()
    mean = x.mean(-3, keepdim=True).mean(-2, keepdim=True)
    # Loops over few channels are slow: a whole line of pixels goes with its line of means.
    line = mean.expand(*front, 1, width, channels).reshape(*front, 1, width * channels)
    moved = x.reshape(*front, height, width * channels) - line
    return moved.mul_(contrast_factor.float()).add_(line).reshape(images.shape).to(images.dtype)


@op("AdjustHue", shape=_images)
def AdjustHue(images, delta):
    """RGB images with `delta` turns added to the hue; value and least colour stay."""
    _check_channels(images)
    x = images.float()
    most, least = x.amax(-1), x.amin(-1)
    span = most - least
    sixth = torch.remainder(_to_hsv(x)[..., 0] * 6 + delta.float() * 6, 6)
    parts = (
        ((sixth - 3).abs() - 1).clamp(0, 1),
        (2 - (sixth - 2).abs()).clamp(0, 1),
        (2 - (sixth - 4).abs()).clamp(0, 1),
    )
    return torch.stack([least + part * span for part in parts], dim=-1).to(images.dtype)


@op("AdjustSaturation", shape=_images)
def AdjustSaturation(images, scale):
    """RGB images with the saturation multiplied by `scale`, clipped to [0, 1]."""
    _check_channels(images)
    hue, saturation, value = _to_hsv(images.float()).unbind(-1)
    saturation = (saturation * scale.float()).clamp(0, 1)
    return _to_rgb(torch.stack([hue, saturation, value], dim=-1)).to(images.dtype)
