"""`tf.image`: resizing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value_as_shape
from relight.v1.functions import array
from relight.v1.functions import image as geometry
from relight.v1.functions.control import with_dependencies
from relight.v1.functions.math import round as round_


@export("image.ResizeMethod")
class ResizeMethod:
    """The methods of `tf.image.resize_images`."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_RESIZERS = {
    ResizeMethod.BILINEAR: raw.ResizeBilinear,
    ResizeMethod.NEAREST_NEIGHBOR: raw.ResizeNearestNeighbor,
    ResizeMethod.BICUBIC: raw.ResizeBicubic,
    ResizeMethod.AREA: raw.ResizeArea,
    "bilinear": raw.ResizeBilinear,
    "nearest": raw.ResizeNearestNeighbor,
    "bicubic": raw.ResizeBicubic,
    "area": raw.ResizeArea,
}


def _float(value: Any) -> Tensor:
    return nodes.cast(value, dtypes.float32)


def _known(size: Tensor) -> tuple[int | None, int | None]:
    height, width = constant_value_as_shape(size).as_list()
    return height, width


def _keeping_aspect_ratio(images: Tensor, size: Tensor) -> Tensor:
    """The greatest size within `size` in which images keep their aspect ratio."""
    new_height, new_width = _known(size)
    _, height, width, _ = geometry.dimensions(images, rank=4)
    by_height = _float(new_height) / _float(height)
    by_width = _float(new_width) / _float(width)
    factor = raw.Minimum(by_height, by_width)
    scaled = [nodes.cast(round_(factor * _float(side)), dtypes.int32) for side in (height, width)]
    return convert_to_tensor(scaled, dtypes.int32, name="size")


@export("image.resize_images", "image.resize")
def resize_images(
    images: Any,
    size: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images [h, w, c] or [n, h, w, c] in another `size` (height, width).

    Images that have this size already are returned as they are, otherwise float32 for all methods
    but NEAREST_NEIGHBOR. `align_corners`: the centres of the corner pixels stay corners. ValueError
    for an unknown `method` and for shapes that do not fit.
    """
    with name_scope(name, "resize", [images, size]):
        images = convert_to_tensor(images, name="images")
        rank = images.shape.ndims
        if rank is None:
            raise ValueError("'images' contains no shape.")
        if rank not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        is_batch = rank == 4
        if not is_batch:
            images = array.expand_dims(images, 0)
        _, height, width, _ = images.shape.as_list()
        try:
            size = convert_to_tensor(size, dtypes.int32, name="size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not size.shape.is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        if preserve_aspect_ratio:
            size = _keeping_aspect_ratio(images, size)
        new_height, new_width = _known(size)
        if None in (height, width, new_height, new_width) or (height, width) != (
            new_height,
            new_width,
        ):
            resizer = _RESIZERS.get(method)
            if resizer is None:
                raise ValueError("Resize method is not implemented.")
            images = resizer(images, size, align_corners=align_corners)
            images.set_shape([None, new_height, new_width, None])
        return geometry.unbatched(images, is_batch)


@export("image.resize_area")
def resize_area(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None
) -> Tensor:
    """Images [n, h, w, c] in another size, each pixel the mean of the area it covers; float32."""
    return raw.ResizeArea(images, size, align_corners=align_corners, name=name)


def _resize(build: Callable[..., Tensor], what: str) -> Callable[..., Tensor]:
    def resize(
        images: Any,
        size: Any,
        align_corners: bool = False,
        name: str | None = None,
        half_pixel_centers: bool = False,
    ) -> Tensor:
        return build(
            images=images,
            size=size,
            align_corners=align_corners,
            half_pixel_centers=half_pixel_centers,
            name=name,
        )

    resize.__doc__ = f"Images [n, h, w, c] in another size by {what} interpolation."
    return resize


resize_bicubic = export("image.resize_bicubic")(_resize(raw.ResizeBicubic, "bicubic"))
resize_bilinear = export("image.resize_bilinear")(_resize(raw.ResizeBilinear, "bilinear"))
resize_nearest_neighbor = export("image.resize_nearest_neighbor")(
    _resize(raw.ResizeNearestNeighbor, "nearest neighbour")
)


@export("image.resize_image_with_pad")
def resize_image_with_pad(
    image: Any,
    target_height: Any,
    target_width: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
) -> Tensor:
    """Images resized into [target_height, target_width] with their aspect ratio, zeros around."""
    with name_scope(None, "resize_image_with_pad", [image]):
        images, is_batch = geometry.as_batch(image)
        asserts = geometry.check_at_least_3d(images)
        asserts += geometry.require(target_width > 0, "target_width must be > 0.")
        asserts += geometry.require(target_height > 0, "target_height must be > 0.")
        images = with_dependencies(asserts, images)
        _, height, width, _ = geometry.dimensions(images, rank=4)
        sides = [
            nodes.cast(side, dtypes.float64)
            for side in (height, width, target_height, target_width)
        ]
        height, width, wanted_height, wanted_width = sides
        ratio = geometry.greater_of(width / wanted_width, height / wanted_height)
        fit_height = height / ratio
        fit_width = width / ratio
        new_height = nodes.cast(raw.Floor(fit_height), dtypes.int32)
        new_width = nodes.cast(raw.Floor(fit_width), dtypes.int32)
        top = (wanted_height - fit_height) / 2
        left = (wanted_width - fit_width) / 2
        top, left = raw.Floor(top), raw.Floor(left)
        top = geometry.greater_of(0, nodes.cast(top, dtypes.int32))
        left = geometry.greater_of(0, nodes.cast(left, dtypes.int32))
        resized = resize_images(images, [new_height, new_width], method, align_corners)
        padded = geometry.pad_to_bounding_box(resized, top, left, target_height, target_width)
        if padded.shape.ndims is None:
            raise ValueError("padded contains no shape.")
        geometry.dimensions(padded, rank=4)
        return geometry.unbatched(padded, is_batch)
