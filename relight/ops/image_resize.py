"""Images resized: bilinear, nearest neighbour, bicubic, area; boxes cut out and resized.

TensorFlow 1's pixel grid: output pixel i lies at i * scale of the input, with scale = in / out, or
(in - 1) / (out - 1) under `align_corners`; at (i + 0.5) * scale - 0.5 under `half_pixel_centers`.
Images are [n, h, w, c]. All is separable: columns first, then rows.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import array_nodes, shape_rules
from relight.ops.build import raw
from relight.ops.constants import known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import sizes
from relight.ops.state import torch_dtype

_f = np.float32


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


# -- the grid --------------------------------------------------------------------------------------


def _scale(size: int, new_size: int, align_corners: bool) -> np.float32:
    if align_corners and new_size > 1:
        return _f(size - 1) / _f(new_size - 1)
    return _f(size) / _f(new_size)


def _locations(size: int, new_size: int, align_corners: bool, half_pixel: bool) -> np.ndarray:
    """Where the output pixels lie in the input, [new_size] float32."""
    scale = _scale(size, new_size, align_corners)
    places = np.arange(new_size, dtype=_f)
    if half_pixel:
        return (places + _f(0.5)) * scale - _f(0.5)
    return places * scale


@functools.lru_cache(maxsize=256)
def _linear(size: int, new_size: int, align: bool, half: bool) -> tuple[torch.Tensor, ...]:
    """(lower pixels, upper pixels, weights of the upper ones), each [new_size]."""
    where = _locations(size, new_size, align, half)
    floor = np.floor(where)
    lower = np.maximum(floor.astype(np.int64), 0)
    upper = np.minimum(np.ceil(where).astype(np.int64), size - 1)
    return torch.from_numpy(lower), torch.from_numpy(upper), torch.from_numpy(where - floor)


@functools.lru_cache(maxsize=256)
def _nearest(size: int, new_size: int, align: bool, half: bool) -> torch.Tensor:
    """The nearest input pixel of each output pixel."""
    scale = _scale(size, new_size, align)
    places = np.arange(new_size, dtype=_f)
    where = (places + _f(0.5)) * scale if half else places * scale
    # Half a pixel is rounded away from zero.
    whole = np.floor(where.astype(np.float64) + 0.5) if align else np.floor(where)
    return torch.from_numpy(np.clip(whole.astype(np.int64), 0, size - 1))


_TABLE_SIZE = 1024


@functools.lru_cache(maxsize=2)
def _cubic_table(a: float) -> np.ndarray:
    """[_TABLE_SIZE + 1, 2]: weights at distances x and x + 1 for x in [0, 1] (Keys, 1981)."""
    x = np.arange(_TABLE_SIZE + 1, dtype=np.float64) / _TABLE_SIZE
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.stack([near, far], axis=1).astype(_f)


@functools.lru_cache(maxsize=256)
def _cubic(size: int, new_size: int, align: bool, half: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """(four pixels, their weights), each [new_size, 4].

    Under half pixel centres a = -0.5, and pixels outside of the image have no weight; otherwise
    a = -0.75, and the edge pixels stand in for them.
    """
    where = _locations(size, new_size, align, half)
    floor = np.floor(where)
    offset = np.rint((where - floor) * _f(_TABLE_SIZE)).astype(np.int64)
    table = _cubic_table(-0.5 if half else -0.75)
    rest = _TABLE_SIZE - offset
    weights = np.stack([table[offset, 1], table[offset, 0], table[rest, 0], table[rest, 1]], axis=1)
    pixels = floor.astype(np.int64)[:, None] + np.arange(-1, 3)
    bounded = np.clip(pixels, 0, size - 1)
    if half:
        weights = np.where(pixels == bounded, weights, _f(0))
        total = weights.sum(axis=1, keepdims=True, dtype=_f)
        usable = np.abs(total) >= 1000 * np.finfo(_f).tiny
        weights = np.where(usable, weights / np.where(usable, total, _f(1)), weights)
    return torch.from_numpy(bounded), torch.from_numpy(weights.astype(_f))


@functools.lru_cache(maxsize=256)
def _cover(size: int, new_size: int, align: bool) -> torch.Tensor:
    """[new_size, size]: how much of each input pixel an output pixel covers."""
    scale = _scale(size, new_size, align)
    weights = np.zeros((new_size, size), _f)
    for place in range(new_size):
        first, last = _f(place) * scale, _f(place + 1) * scale
        for i in range(int(np.floor(first)), int(np.ceil(last))):
            if i < first:
                share = scale if i + 1 > last else _f(i + 1) - first
            else:
                share = last - _f(i) if i + 1 > last else _f(1)
            weights[place, min(max(i, 0), size - 1)] += share
    return torch.from_numpy(weights)


# -- checks ----------------------------------------------------------------------------------------


def _new_size(images: torch.Tensor, size: np.ndarray) -> tuple[int, int]:
    if images.dim() != 4:
        shape = ",".join(map(str, images.shape))
        raise _invalid(f"input must be 4-dimensional[{shape}]")
    if size.shape != (2,):
        shape = ",".join(map(str, size.shape))
        raise _invalid(f"shape_t must be 1-dimensional with 2 elements[{shape}]")
    height, width = int(size[0]), int(size[1])
    if height <= 0 or width <= 0:
        raise _invalid("output dimensions must be positive")
    if images.shape[1] <= 0 or images.shape[2] <= 0:
        raise _invalid("input image must be of non-zero size")
    return height, width


def _sized(node: Any) -> list[Any]:
    images = shape_rules.with_rank(sizes(node, 0), 4)
    static = sizes(node, 1)
    if static is not None and len(static) != 1:
        raise ShapeError(f"Shape must be rank 1 but is rank {len(static)}")
    if static is not None and static[0] not in (None, 2):
        raise ShapeError(f"Dimension must be 2 but is {static[0]}")
    assert images is not None
    size = known_value(node._inputs[1])
    height, width = (None, None) if size is None else (int(size[0]), int(size[1]))
    return [(images[0], height, width, images[3])]


def _grid(node: Any) -> tuple[bool, bool]:
    align = node._attrs["align_corners"]
    half = node._attrs.get("half_pixel_centers", False)
    if align and half:
        raise _invalid("If half_pixel_centers is True, align_corners must be False.")
    return align, half


def _on(device: torch.device, tensors: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    return [t.to(device) for t in tensors]


# -- bilinear --------------------------------------------------------------------------------------


def _lerp(x: torch.Tensor, dim: int, taps: tuple[torch.Tensor, ...]) -> torch.Tensor:
    lower, upper, weight = _on(x.device, taps)
    low = x.index_select(dim, lower)
    shape = [1] * x.dim()
    shape[dim] = -1
    return low + (x.index_select(dim, upper) - low) * weight.reshape(shape)


@op("ResizeBilinear", shape=_sized, specialise=True, host=("size",))
def ResizeBilinear(node: Any) -> Any:
    """Images [n, h, w, c] in another size, float32, by bilinear interpolation."""

    def kernel(images: torch.Tensor, size: Any) -> torch.Tensor:
        align, half = _grid(node)
        height, width = _new_size(images, size)
        x = images.float()
        if (height, width) == tuple(images.shape[1:3]):
            return x.clone() if x is images else x
        x = _lerp(x, 2, _linear(images.shape[2], width, align, half))
        return _lerp(x, 1, _linear(images.shape[1], height, align, half))

    return kernel


def _spread(
    grad: torch.Tensor, dim: int, size: int, pixels: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """The transposed interpolation: [.., new, ..] -> [.., size, ..]; taps are [new, k]."""
    shape = list(grad.shape)
    shape[dim] = size
    result = grad.new_zeros(shape)
    flat = [1] * grad.dim()
    flat[dim] = -1
    for tap in range(pixels.shape[1]):
        part = grad * weights[:, tap].to(grad.dtype).reshape(flat)
        result.index_add_(dim, pixels[:, tap], part)
    return result


def _spread_linear(
    grad: torch.Tensor, dim: int, size: int, align: bool, half: bool
) -> torch.Tensor:
    lower, upper, weight = _on(grad.device, _linear(size, grad.shape[dim], align, half))
    pixels = torch.stack([lower, upper], 1)
    return _spread(grad, dim, size, pixels, torch.stack([1 - weight, weight], 1))


@op("ResizeBilinearGrad", shape=shape_rules.like_input(1), specialise=True)
def ResizeBilinearGrad(node: Any) -> Any:
    """The gradient of ResizeBilinear's images."""
    dtype = torch_dtype(node._attrs["T"])

    def kernel(grads: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
        align, half = _grid(node)
        wide = grads.double() if dtype == torch.float64 else grads
        rows = _spread_linear(wide, 1, original.shape[1], align, half)
        return _spread_linear(rows, 2, original.shape[2], align, half).to(dtype)

    return kernel


@gradient("ResizeBilinear")
def _(op, grad):
    attrs = op._attrs
    return [
        raw.ResizeBilinearGrad(
            grad,
            op.inputs[0],
            align_corners=attrs["align_corners"],
            half_pixel_centers=attrs["half_pixel_centers"],
        ),
        None,
    ]


# -- nearest neighbour -----------------------------------------------------------------------------


@op("ResizeNearestNeighbor", shape=_sized, specialise=True, host=("size",))
def ResizeNearestNeighbor(node: Any) -> Any:
    """Images [n, h, w, c] in another size: the nearest pixels, in their own type."""

    def kernel(images: torch.Tensor, size: Any) -> torch.Tensor:
        align, half = _grid(node)
        height, width = _new_size(images, size)
        rows = _nearest(images.shape[1], height, align, half).to(images.device)
        columns = _nearest(images.shape[2], width, align, half).to(images.device)
        return images.index_select(1, rows).index_select(2, columns)

    return kernel


@op("ResizeNearestNeighborGrad", shape=_sized, specialise=True, host=("size",))
def ResizeNearestNeighborGrad(node: Any) -> Any:
    """The gradient of images of the given size: each pixel's is the sum over its copies."""

    def kernel(grads: torch.Tensor, size: Any) -> torch.Tensor:
        align, half = _grid(node)
        height, width = _new_size(grads, size)
        batch, rows, columns, depth = grads.shape
        across = grads.new_zeros((batch, height, columns, depth))
        across.index_add_(1, _nearest(height, rows, align, half).to(grads.device), grads)
        result = grads.new_zeros((batch, height, width, depth))
        result.index_add_(2, _nearest(width, columns, align, half).to(grads.device), across)
        return result

    return kernel


@gradient("ResizeNearestNeighbor")
def _(op, grad):
    image, attrs = op.inputs[0], op._attrs
    static = image.shape[1:3]
    size = static if static.is_fully_defined() else array_nodes.shape(image)[1:3]
    return [
        raw.ResizeNearestNeighborGrad(
            grad,
            size,
            align_corners=attrs["align_corners"],
            half_pixel_centers=attrs["half_pixel_centers"],
        ),
        None,
    ]


# -- bicubic ---------------------------------------------------------------------------------------


def _weighted(x: torch.Tensor, dim: int, taps: tuple[torch.Tensor, ...]) -> torch.Tensor:
    pixels, weights = _on(x.device, taps)
    shape = [1] * x.dim()
    shape[dim] = -1
    total = x.index_select(dim, pixels[:, 0]) * weights[:, 0].reshape(shape)
    for tap in range(1, pixels.shape[1]):
        total = total + x.index_select(dim, pixels[:, tap]) * weights[:, tap].reshape(shape)
    return total


@op("ResizeBicubic", shape=_sized, specialise=True, host=("size",))
def ResizeBicubic(node: Any) -> Any:
    """Images [n, h, w, c] in another size, float32, by cubic convolution (Keys, 1981)."""

    def kernel(images: torch.Tensor, size: Any) -> torch.Tensor:
        align, half = _grid(node)
        height, width = _new_size(images, size)
        x = _weighted(images.float(), 1, _cubic(images.shape[1], height, align, half))
        return _weighted(x, 2, _cubic(images.shape[2], width, align, half))

    return kernel


@op("ResizeBicubicGrad", shape=shape_rules.like_input(1), specialise=True)
def ResizeBicubicGrad(node: Any) -> Any:
    """The gradient of ResizeBicubic's images."""
    dtype = torch_dtype(node._attrs["T"])

    def kernel(grads: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
        align, half = _grid(node)
        result = grads.to(dtype)
        for dim in (1, 2):
            size = original.shape[dim]
            taps = _cubic(size, grads.shape[dim], align, half)
            result = _spread(result, dim, size, *_on(grads.device, taps))
        return result

    return kernel


@gradient("ResizeBicubic")
def _(op, grad):
    image, attrs = op.inputs[0], op._attrs
    if image.dtype.base_dtype not in (dtypes.float32, dtypes.float64):
        return [None, None]
    return [
        raw.ResizeBicubicGrad(
            grad,
            image,
            align_corners=attrs["align_corners"],
            half_pixel_centers=attrs["half_pixel_centers"],
        ),
        None,
    ]


# -- area ------------------------------------------------------------------------------------------


@op("ResizeArea", shape=_sized, specialise=True, host=("size",))
def ResizeArea(node: Any) -> Any:
    """Images [n, h, w, c] in another size, float32: the mean over the area of each pixel."""
    align = node._attrs["align_corners"]

    def kernel(images: torch.Tensor, size: Any) -> torch.Tensor:
        height, width = _new_size(images, size)
        rows, columns = images.shape[1:3]
        by_row = _cover(rows, height, align).to(images.device)
        by_column = _cover(columns, width, align).to(images.device)
        total = torch.einsum("nhwc,yh,xw->nyxc", images.float(), by_row, by_column)
        area = _scale(rows, height, align) * _scale(columns, width, align)
        return total * float(_f(1) / area)

    return kernel


# -- boxes cut out and resized ---------------------------------------------------------------------


def _box_places(boxes: torch.Tensor, first: int, size: int, new_size: int) -> torch.Tensor:
    """Where the pixels of each crop lie along one dimension, [boxes, new_size]."""
    low, high = boxes[:, first : first + 1], boxes[:, first + 2 : first + 3]
    if new_size > 1:
        step = (high - low) * (size - 1) / (new_size - 1)
        return low * (size - 1) + torch.arange(new_size, device=boxes.device) * step
    return 0.5 * (low + high) * (size - 1)


class _Crops:
    """The pixels that a set of crops interpolates between."""

    def __init__(
        self,
        boxes: torch.Tensor,
        box_ind: torch.Tensor,
        image: tuple[int, ...],
        crop: tuple[int, int],
    ):
        count, height, width = image[:3]
        if boxes.dim() != 2 or boxes.shape[1] != 4:
            raise _invalid("boxes must have 4 columns")
        if crop[0] <= 0 or crop[1] <= 0:
            raise _invalid("crop dimensions must be positive")
        wrong = (box_ind < 0) | (box_ind >= count)
        if bool(wrong.any()):
            raise errors.OutOfRangeError(
                None, None, f"box_ind has values outside [0, batch_size={count})"
            )
        self.index = box_ind.long()[:, None, None]
        self.y = _box_places(boxes, 0, height, crop[0])
        self.x = _box_places(boxes, 1, width, crop[1])
        inside_y = (self.y >= 0) & (self.y <= height - 1)
        inside_x = (self.x >= 0) & (self.x <= width - 1)
        self.inside = inside_y[:, :, None] & inside_x[:, None, :]
        self.limits = (height - 1, width - 1)

    def _bounded(self, rows: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, ...]:
        y = rows.clamp(0, self.limits[0]).long()[:, :, None]
        x = columns.clamp(0, self.limits[1]).long()[:, None, :]
        return torch.broadcast_tensors(self.index, y, x)

    def corners(self) -> dict[str, tuple[torch.Tensor, ...]]:
        """The indices (image, row, column), each [boxes, height, width], of the four neighbours."""
        top, bottom = self.y.floor(), self.y.ceil()
        left, right = self.x.floor(), self.x.ceil()
        return {
            "top left": self._bounded(top, left),
            "top right": self._bounded(top, right),
            "bottom left": self._bounded(bottom, left),
            "bottom right": self._bounded(bottom, right),
        }

    def nearest(self) -> tuple[torch.Tensor, ...]:
        """The indices of the nearest pixels, halves rounded away from zero."""
        return self._bounded((self.y + 0.5).floor(), (self.x + 0.5).floor())

    def shares(self) -> tuple[torch.Tensor, torch.Tensor]:
        """How far each pixel is to its bottom and right neighbours, [boxes, h or 1, w or 1, 1]."""
        down = (self.y - self.y.floor())[:, :, None, None]
        right = (self.x - self.x.floor())[:, None, :, None]
        return down, right


def _crop_shape(node: Any) -> list[Any]:
    image = shape_rules.with_rank(sizes(node, 0), 4)
    boxes = shape_rules.with_rank(sizes(node, 1), 2)
    indices = shape_rules.with_rank(sizes(node, 2), 1)
    assert image is not None and boxes is not None and indices is not None
    count = shape_rules.merge_size(boxes[0], indices[0])
    shape_rules.merge_size(boxes[1], 4)
    crop = known_value(node._inputs[3])
    height, width = (None, None) if crop is None else (int(crop[0]), int(crop[1]))
    return [(count, height, width, image[3])]


@op("CropAndResize", shape=_crop_shape, host=("crop_size",))
def CropAndResize(image, boxes, box_ind, crop_size, *, method, extrapolation_value):
    """Boxes [k, 4] of images [n, h, w, c], resized: [k, *crop_size, c] float32."""
    crops = _Crops(boxes, box_ind, tuple(image.shape), (int(crop_size[0]), int(crop_size[1])))
    x = image.float()
    if method == "nearest":
        result = x[crops.nearest()]
    else:
        down, right = crops.shares()
        corners = {name: x[place] for name, place in crops.corners().items()}
        top = corners["top left"] + (corners["top right"] - corners["top left"]) * right
        bottom = corners["bottom left"] + (corners["bottom right"] - corners["bottom left"]) * right
        result = top + (bottom - top) * down
    return torch.where(crops.inside[..., None], result, result.new_tensor(extrapolation_value))


def _image_shape(node: Any) -> list[Any]:
    size = known_value(node._inputs[3])
    return [(None,) * 4 if size is None else tuple(int(s) for s in size)]


@op("CropAndResizeGradImage", shape=_image_shape, specialise=True, host=("image_size",))
def CropAndResizeGradImage(node: Any) -> Any:
    """The gradient of CropAndResize's images [image_size]."""
    dtype, method = torch_dtype(node._attrs["T"]), node._attrs["method"]

    def kernel(
        grads: torch.Tensor, boxes: torch.Tensor, box_ind: torch.Tensor, image_size: Any
    ) -> torch.Tensor:
        shape = tuple(int(s) for s in image_size)
        crops = _Crops(boxes, box_ind, shape, tuple(grads.shape[1:3]))
        result = grads.new_zeros(shape)
        grads = torch.where(crops.inside[..., None], grads, grads.new_zeros(()))
        if method == "nearest":
            result.index_put_(crops.nearest(), grads, accumulate=True)
            return result.to(dtype)
        down, right = crops.shares()
        weights = {
            "top left": (1 - down) * (1 - right),
            "top right": (1 - down) * right,
            "bottom left": down * (1 - right),
            "bottom right": down * right,
        }
        for name, place in crops.corners().items():
            result.index_put_(place, grads * weights[name], accumulate=True)
        return result.to(dtype)

    return kernel


@op("CropAndResizeGradBoxes", shape=shape_rules.like_input(2))
def CropAndResizeGradBoxes(grads, image, boxes, box_ind):
    """The gradient of CropAndResize's boxes [k, 4], of bilinear interpolation."""
    crop = tuple(grads.shape[1:3])
    crops = _Crops(boxes, box_ind, tuple(image.shape), crop)
    x = image.float()
    down, right = crops.shares()
    corner = {name: x[place] for name, place in crops.corners().items()}
    dy = (1 - right) * (corner["bottom left"] - corner["top left"]) + right * (
        corner["bottom right"] - corner["top right"]
    )
    dx = (1 - down) * (corner["top right"] - corner["top left"]) + down * (
        corner["bottom right"] - corner["bottom left"]
    )
    grads = torch.where(crops.inside[..., None], grads, grads.new_zeros(()))
    dy, dx = (dy * grads).sum(-1), (dx * grads).sum(-1)  # [k, h, w]
    columns = []
    for flow, size, new_size in (
        (dy.sum(2), image.shape[1], crop[0]),
        (dx.sum(1), image.shape[2], crop[1]),
    ):
        if new_size > 1:
            high = torch.arange(new_size, device=x.device) * ((size - 1) / (new_size - 1))
            low = (size - 1) - high
        else:
            high = low = flow.new_full((1,), 0.5 * (size - 1))
        columns.append(((flow * low).sum(1), (flow * high).sum(1)))
    (y1, y2), (x1, x2) = columns
    return torch.stack([y1, x1, y2, x2], dim=1)


@gradient("CropAndResize")
def _(op, grad):
    image, boxes, box_ind, _ = op.inputs
    static = image.shape
    size = static.as_list() if static.is_fully_defined() else array_nodes.shape(image)
    of_image = None
    if image.dtype.base_dtype in (dtypes.float16, dtypes.float32, dtypes.float64):
        of_image = raw.CropAndResizeGradImage(
            grad, boxes, box_ind, size, T=op._attrs["T"], method=op._attrs["method"]
        )
    of_boxes = raw.CropAndResizeGradBoxes(grad, image, boxes, box_ind)
    return [of_image, of_boxes, None, None]
