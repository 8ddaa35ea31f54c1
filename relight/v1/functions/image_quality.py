"""`tf.image`: edges, total variation, and measures of how alike two images are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions import array, checks
from relight.v1.functions.control import control_dependencies
from relight.v1.functions.control_flow import cond
from relight.v1.functions.image_adjust import convert_image_dtype
from relight.v1.functions.nn import softmax
from relight.v1.functions.nn_conv import depthwise_conv2d
from relight.v1.functions.nn_pool import avg_pool


@export("image.total_variation")
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of absolute differences of neighbouring pixels, of each image [h, w, c]."""
    with name_scope(name, "total_variation"):
        rank = images.shape.ndims
        if rank == 3:
            down = images[1:, :, :] - images[:-1, :, :]
            right = images[:, 1:, :] - images[:, :-1, :]
            axis = None
        elif rank == 4:
            down = images[:, 1:, :, :] - images[:, :-1, :, :]
            right = images[:, :, 1:, :] - images[:, :, :-1, :]
            axis = [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        return nodes.reduce_sum(nodes.abs(down), axis=axis) + nodes.reduce_sum(
            nodes.abs(right), axis=axis
        )


@export("image.image_gradients")
def image_gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    """(dy, dx) of images [n, h, w, c]: differences to the next row and column, 0 at the end."""
    if image.shape.ndims != 4:
        raise ValueError(
            f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}."
        )
    whole = array_nodes.shape(image)
    batch, height, width, depth = array_nodes.unstack(whole)
    dy = image[:, 1:, :, :] - image[:, :-1, :, :]
    dx = image[:, :, 1:, :] - image[:, :, :-1, :]
    edge = array_nodes.stack([batch, 1, width, depth])
    dy = array_nodes.concat([dy, array_nodes.zeros(edge, image.dtype)], 1)
    dy = array_nodes.reshape(dy, whole)
    edge = array_nodes.stack([batch, height, 1, depth])
    dx = array_nodes.concat([dx, array_nodes.zeros(edge, image.dtype)], 2)
    return dy, array_nodes.reshape(dx, whole)


_SOBEL = [
    [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
]


@export("image.sobel_edges")
def sobel_edges(image: Tensor) -> Tensor:
    """Sobel's gradients of images [n, h, w, c]: [n, h, w, c, 2], (dy, dx) in the last dimension."""
    whole = array_nodes.shape(image)
    kernels = np.expand_dims(np.transpose(np.asarray(_SOBEL), (1, 2, 0)), -2)
    filters = constant(kernels, dtype=image.dtype)
    filters = array.tile(filters, [1, 1, whole[-1], 1], name="sobel_filters")
    padded = array.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    edges = depthwise_conv2d(padded, filters, [1, 1, 1, 1], "VALID")
    edges = array_nodes.reshape(edges, array_nodes.concat([whole, [len(_SOBEL)]], 0))
    edges.set_shape(image.shape.concatenate([len(_SOBEL)]))
    return edges


# -- likeness --------------------------------------------------------------------------------------


def _checked_shapes(img1: Tensor, img2: Tensor) -> tuple[Tensor, Tensor, list[Any]]:
    """(the shapes of both, the operations that check that their last 3 sizes are equal)."""
    static1, static2 = img1.shape.with_rank_at_least(3), img2.shape.with_rank_at_least(3)
    static1[-3:].assert_is_compatible_with(static2[-3:])
    if static1.ndims is not None and static2.ndims is not None:
        leads = zip(
            reversed(static1.as_list()[:-3]), reversed(static2.as_list()[:-3]), strict=False
        )
        for size1, size2 in leads:
            if None not in (size1, size2) and 1 not in (size1, size2) and size1 != size2:
                raise ValueError(f"Two images are not compatible: {static1} and {static2}")
    shape1, shape2 = array.shape_n([img1, img2])
    asserts = [
        checks.Assert(
            raw.GreaterEqual(array_nodes.size(shape1), 3), [shape1, shape2], summarize=10
        ),
        checks.Assert(
            nodes.reduce_all(raw.Equal(shape1[-3:], shape2[-3:])), [shape1, shape2], summarize=10
        ),
    ]
    return shape1, shape2, asserts


@export("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Peak signal-to-noise ratio, in decibels, of images [..., h, w, c]: [...]."""
    with name_scope(name, "PSNR", [a, b]):
        peak = nodes.cast(max_val, a.dtype)
        peak = convert_image_dtype(peak, dtypes.float32)
        a = convert_image_dtype(a, dtypes.float32)
        b = convert_image_dtype(b, dtypes.float32)
        error = nodes.reduce_mean(raw.SquaredDifference(a, b), [-3, -2, -1])
        ratio = raw.Sub(
            20 * raw.Log(peak) / raw.Log(10.0),
            np.float32(10 / np.log(10)) * raw.Log(error),
            name="psnr",
        )
        _, _, asserts = _checked_shapes(a, b)
        with control_dependencies(asserts):
            return array_nodes.identity(ratio)


def _ssim_parts(
    x: Tensor, y: Tensor, blur: Callable[[Tensor], Tensor], max_val: Any, k1: float, k2: float
) -> tuple[Tensor, Tensor]:
    """(luminance, contrast-structure) of Wang et al., 2004, from means under a blur."""
    c1 = (k1 * max_val) ** 2
    c2 = (k2 * max_val) ** 2
    mean0, mean1 = blur(x), blur(y)
    num0 = mean0 * mean1 * 2.0
    den0 = raw.Square(mean0) + raw.Square(mean1)
    luminance = (num0 + c1) / (den0 + c1)
    num1 = blur(x * y) * 2.0
    den1 = blur(raw.Square(x) + raw.Square(y))
    c2 = c2 * 1.0  # the sample covariance is not corrected for the blur's weights
    structure = (num1 - num0 + c2) / (den1 - den0 + c2)
    return luminance, structure


def _gaussian(size: Any, sigma: Any) -> Tensor:
    """A Gaussian window [size, size, 1, 1] of sum 1."""
    size = convert_to_tensor(size, dtypes.int32)
    sigma = convert_to_tensor(sigma)
    places = nodes.cast(nodes.range(size), sigma.dtype)
    places = places - nodes.cast(size - 1, sigma.dtype) / 2.0
    g = raw.Square(places)
    g = g * (-0.5 / raw.Square(sigma))
    g = array_nodes.reshape(g, shape=[1, -1]) + array_nodes.reshape(g, shape=[-1, 1])
    g = softmax(array_nodes.reshape(g, shape=[1, -1]))
    return array_nodes.reshape(g, shape=[size, size, 1, 1])


def _ssim_per_channel(
    img1: Tensor,
    img2: Tensor,
    max_val: Any,
    filter_size: int,
    filter_sigma: float,
    k1: float,
    k2: float,
) -> tuple[Tensor, Tensor]:
    size = constant(filter_size, dtype=dtypes.int32)
    sigma = constant(filter_sigma, dtype=img1.dtype)
    shape1, shape2 = array.shape_n([img1, img2])
    asserts = [
        checks.Assert(
            nodes.reduce_all(raw.GreaterEqual(shape[-3:-1], size)), [shape, size], summarize=8
        )
        for shape in (shape1, shape2)
    ]
    with control_dependencies(asserts):
        img1 = array_nodes.identity(img1)
    kernel = array.tile(_gaussian(size, sigma), multiples=[1, 1, shape1[-1], 1])

    def blur(x: Tensor) -> Tensor:
        whole = array_nodes.shape(x)
        x = array_nodes.reshape(x, shape=array_nodes.concat([[-1], whole[-3:]], 0))
        y = depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
        return array_nodes.reshape(y, array_nodes.concat([whole[:-3], array_nodes.shape(y)[1:]], 0))

    luminance, structure = _ssim_parts(img1, img2, blur, max_val, k1, k2)
    axes = constant([-3, -2], dtype=dtypes.int32)
    return (
        nodes.reduce_mean(luminance * structure, axes),
        nodes.reduce_mean(structure, axes),
    )


@export("image.ssim")
def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Structural similarity (Wang et al., 2004) of images [..., h, w, c]: [...], 1 when equal."""
    _, _, asserts = _checked_shapes(img1, img2)
    with control_dependencies(asserts):
        img1 = array_nodes.identity(img1)
    peak = nodes.cast(max_val, img1.dtype)
    peak = convert_image_dtype(peak, dtypes.float32)
    img1 = convert_image_dtype(img1, dtypes.float32)
    img2 = convert_image_dtype(img2, dtypes.float32)
    by_channel, _ = _ssim_per_channel(img1, img2, peak, filter_size, filter_sigma, k1, k2)
    return nodes.reduce_mean(by_channel, [-1])


def _evened(images: list[Tensor], remainder: Tensor) -> list[Tensor]:
    """Images with a row or column repeated at the end where `remainder` says so."""
    padding = array.expand_dims(remainder, -1)
    padding = array.pad(padding, [[1, 0], [1, 0]])
    return [array.pad(x, padding, mode="SYMMETRIC") for x in images]


def _halved(images: list[Tensor], heads: list[Tensor], tails: list[Tensor], divisor: Tensor) -> Any:
    """(images of half the size, their last 3 sizes)."""
    flat = [
        array_nodes.reshape(x, array_nodes.concat([[-1], tail], 0))
        for x, tail in zip(images, tails, strict=True)
    ]
    remainder = tails[0] % divisor
    uneven = nodes.reduce_any(raw.NotEqual(remainder, 0))
    even = cond(uneven, lambda: _evened(flat, remainder), lambda: flat)
    window = [1, 2, 2, 1]
    small = [avg_pool(x, ksize=window, strides=window, padding="VALID") for x in even]
    tails = [x[1:] for x in array.shape_n(small)]
    images = [
        array_nodes.reshape(x, array_nodes.concat([head, tail], 0))
        for x, head, tail in zip(small, heads, tails, strict=True)
    ]
    return images, tails


@export("image.ssim_multiscale")
def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Sequence[float] = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Structural similarity over scales, each half the size of the last (Wang et al., 2003)."""
    with name_scope(None, "MS-SSIM", [img1, img2]):
        img1 = convert_to_tensor(img1, name="img1")
        img2 = convert_to_tensor(img2, name="img2")
        shape1, shape2, asserts = _checked_shapes(img1, img2)
        with control_dependencies(asserts):
            img1 = array_nodes.identity(img1)
        peak = nodes.cast(max_val, img1.dtype)
        peak = convert_image_dtype(peak, dtypes.float32)
        img1 = convert_image_dtype(img1, dtypes.float32)
        img2 = convert_image_dtype(img2, dtypes.float32)
        images = [img1, img2]
        heads = [s[:-3] for s in (shape1, shape2)]
        tails = [s[-3:] for s in (shape1, shape2)]
        divisor = constant([2, 2, 1], dtype=dtypes.int32)
        structures: list[Tensor] = []
        for k in range(len(power_factors)):
            with name_scope(None, f"Scale{k}", images):
                if k > 0:
                    images, tails = _halved(images, heads, tails, divisor)
                by_channel, structure = _ssim_per_channel(
                    images[0], images[1], peak, filter_size, filter_sigma, k1, k2
                )
                structures.append(raw.Relu(structure))
        structures[-1] = raw.Relu(by_channel)  # the last scale counts with its luminance
        parts = array_nodes.stack(structures, axis=-1)
        whole = nodes.reduce_prod(nodes.pow(parts, power_factors), [-1])
        return nodes.reduce_mean(whole, [-1])
