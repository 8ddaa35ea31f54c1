"""`tf.image`: flips, rotations, crops, padding."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import array, checks
from relight.v1.functions.control import with_dependencies
from relight.v1.functions.control_flow import case, cond
from relight.v1.functions.math import round as round_
from relight.v1.functions.random import random_uniform
from relight.v1.functions.variables import Variable

_RANK_ERROR = "'image' must have either 3 or 4 dimensions."


# -- checks and sizes ------------------------------------------------------------------------------


def symbolic(value: Any) -> bool:
    """Whether a size is known only when the graph runs."""
    return isinstance(value, (Tensor, Variable))


def require(condition: Any, message: str) -> list[Any]:
    """ValueError now unless `condition` holds, or the operations that check it at run time."""
    if symbolic(condition):
        return [checks.Assert(condition, [message])]
    if not condition:
        raise ValueError(message)
    return []


def dimensions(image: Tensor, rank: int) -> list[Any]:
    """The sizes of an image: integers where known, scalar tensors elsewhere."""
    if image.shape.is_fully_defined():
        return image.shape.as_list()
    static = image.shape.with_rank(rank).as_list()
    dynamic = array_nodes.unstack(array_nodes.shape(image), rank)
    return [d if s is None else s for s, d in zip(static, dynamic, strict=True)]


def check_at_least_3d(image: Tensor) -> list[Any]:
    """The operations that check that an image has 3 dimensions or more, none of them 0."""
    try:
        if image.shape.ndims is None:
            static = image.shape.with_rank(3)
        else:
            static = image.shape.with_rank_at_least(3)
    except ValueError:
        raise ValueError("'image' must be at least three-dimensional.") from None
    if any(size == 0 for size in static.as_list()):
        raise ValueError(f"all dims of 'image.shape' must be > 0: {static}")
    if static.is_fully_defined():
        return []
    return [
        checks.assert_positive(
            array_nodes.shape(image), ["all dims of 'image.shape' must be > 0."]
        ),
        checks.assert_greater_equal(
            array_nodes.rank(image), 3, message="'image' must be at least three-dimensional."
        ),
    ]


def at_least_3d(image: Tensor) -> Tensor:
    """The image, checked to have 3 dimensions or more."""
    return with_dependencies(check_at_least_3d(image), image)


def as_batch(image: Any) -> tuple[Tensor, bool]:
    """(images [n, h, w, c], whether they came as a batch)."""
    image = convert_to_tensor(image, name="image")
    rank = image.shape.ndims
    if rank == 4:
        return image, True
    if rank not in (3, None):
        raise ValueError(_RANK_ERROR)
    wide = array.expand_dims(image, 0)
    if rank is None:
        wide.set_shape([None] * 4)
    return wide, False


def unbatched(images: Tensor, is_batch: bool) -> Tensor:
    """What `as_batch` was given again."""
    return images if is_batch else array_nodes.squeeze(images, axis=[0])


def greater_of(x: Any, y: Any) -> Any:
    """The maximum of two sizes."""
    return raw.Maximum(x, y) if symbolic(x) or symbolic(y) else max(x, y)


def lesser_of(x: Any, y: Any) -> Any:
    """The minimum of two sizes."""
    return raw.Minimum(x, y) if symbolic(x) or symbolic(y) else min(x, y)


def _static(sizes: list[Any]) -> list[Any]:
    return [None if symbolic(s) else s for s in sizes]


# -- mirror images and turns -----------------------------------------------------------------------


def _keep_shape(image: Tensor, result: Tensor) -> Tensor:
    if image.shape.ndims is None:
        result.set_shape([None, None, None])
    else:
        result.set_shape(image.shape)
    return result


def _is_single(image: Tensor) -> bool:
    """True for [h, w, c] (or an unknown rank), False for a batch; ValueError for other ranks."""
    rank = image.shape.ndims
    if rank not in (3, 4, None):
        raise ValueError(_RANK_ERROR)
    return rank != 4


def _flip(image: Any, axis: int, scope_name: str) -> Tensor:
    with name_scope(None, scope_name, [image]):
        image = at_least_3d(convert_to_tensor(image, name="image"))
        if _is_single(image):
            return _keep_shape(image, array.reverse(image, [axis]))
        return array.reverse(image, [axis + 1])


@export("image.flip_left_right")
def flip_left_right(image: Any) -> Tensor:
    """Images [h, w, c] or [n, h, w, c] with their columns in reverse order."""
    return _flip(image, 1, "flip_left_right")


@export("image.flip_up_down")
def flip_up_down(image: Any) -> Tensor:
    """Images [h, w, c] or [n, h, w, c] with their rows in reverse order."""
    return _flip(image, 0, "flip_up_down")


def _random_flip(image: Any, axis: int, seed: int | None, scope_name: str) -> Tensor:
    with name_scope(None, scope_name, [image]) as scope:
        image = at_least_3d(convert_to_tensor(image, name="image"))
        if _is_single(image):
            drawn = random_uniform([], 0, 1.0, seed=seed)
            result = cond(
                raw.Less(drawn, 0.5),
                lambda: array.reverse(image, [axis]),
                lambda: image,
                name=scope,
            )
            return _keep_shape(image, result)
        count = array_nodes.shape(image)[0]
        drawn = random_uniform([count], 0, 1.0, seed=seed)
        flips = round_(array_nodes.reshape(drawn, [count, 1, 1, 1]))
        flips = nodes.cast(flips, image.dtype)
        flipped = array.reverse(image, [axis + 1])
        return flips * flipped + (1 - flips) * image


@export("image.random_flip_left_right")
def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Each image mirrored left to right with probability 1/2."""
    return _random_flip(image, 1, seed, "random_flip_left_right")


@export("image.random_flip_up_down")
def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Each image mirrored upside down with probability 1/2."""
    return _random_flip(image, 0, seed, "random_flip_up_down")


@export("image.rot90")
def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Images turned counter-clockwise by `k` (an integer or a scalar int32 tensor) quarters."""
    with name_scope(name, "rot90", [image, k]) as scope:
        image = at_least_3d(convert_to_tensor(image, name="image"))
        k = convert_to_tensor(k, dtype=dtypes.int32, name="k")
        k.shape.assert_has_rank(0)
        k = raw.FloorMod(k, 4)
        single = _is_single(image)
        order = [1, 0, 2] if single else [0, 2, 1, 3]
        rows, columns = (0, 1) if single else (1, 2)

        def quarter() -> Tensor:
            return array_nodes.transpose(array.reverse(image, [columns]), order)

        def half() -> Tensor:
            return array.reverse(image, [rows, columns])

        def three_quarters() -> Tensor:
            return array.reverse(array_nodes.transpose(image, order), [columns])

        turns = [
            (raw.Equal(k, 1), quarter),
            (raw.Equal(k, 2), half),
            (raw.Equal(k, 3), three_quarters),
        ]
        result = case(turns, default=lambda: image, exclusive=True, name=scope)
        if single:
            result.set_shape([None, None, image.shape[2]])
        else:
            result.set_shape([image.shape[0], None, None, image.shape[3]])
        return result


@export("image.transpose", "image.transpose_image")
def transpose(image: Any, name: str | None = None) -> Tensor:
    """Images with rows and columns exchanged."""
    with name_scope(name, "transpose", [image]):
        image = at_least_3d(convert_to_tensor(image, name="image"))
        order = [1, 0, 2] if _is_single(image) else [0, 2, 1, 3]
        return array_nodes.transpose(image, order, name=name or "transpose")


# -- crops and frames ------------------------------------------------------------------------------


def _size_of(image: Tensor, axis: int) -> Any:
    static = image.shape.as_list()[axis]
    return array_nodes.shape(image)[axis] if static is None else static


def _margin(size: Any, fraction: float) -> Any:
    """The pixels to cut off at each side."""
    if symbolic(size):
        wide = nodes.cast(size, dtypes.float64)
        return nodes.cast((wide - wide * fraction) / 2, dtypes.int32)
    return int((float(size) - float(size) * fraction) / 2)


@export("image.central_crop")
def central_crop(image: Any, central_fraction: float) -> Tensor:
    """The middle of images [h, w, c] or [n, h, w, c]: `central_fraction` of each side's length."""
    with name_scope(None, "central_crop", [image]):
        image = convert_to_tensor(image, name="image")
        if central_fraction <= 0.0 or central_fraction > 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if central_fraction == 1.0:
            return image
        at_least_3d(image)
        rank = image.shape.ndims
        if rank not in (3, 4):
            raise ValueError(
                f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {rank}."
            )
        first = rank - 3
        height, width = _size_of(image, first), _size_of(image, first + 1)
        top, left = _margin(height, central_fraction), _margin(width, central_fraction)
        rows, columns = height - top * 2, width - left * 2
        lead = image.shape.as_list()[:first]
        begin = array_nodes.stack([*[0] * first, top, left, 0])
        size = array_nodes.stack([*[-1] * first, rows, columns, -1])
        cropped = array.slice(image, begin, size)
        cropped.set_shape([*lead, *_static([rows, columns]), image.shape.as_list()[-1]])
        return cropped


@export("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Images in a frame of zeros [target_height, target_width], from the given offsets on."""
    with name_scope(None, "pad_to_bounding_box", [image]):
        image, is_batch = as_batch(image)
        asserts = check_at_least_3d(image)
        batch, height, width, depth = dimensions(image, rank=4)
        right = target_width - offset_width - width
        bottom = target_height - offset_height - height
        asserts += require(offset_height >= 0, "offset_height must be >= 0")
        asserts += require(offset_width >= 0, "offset_width must be >= 0")
        asserts += require(right >= 0, "width must be <= target - offset")
        asserts += require(bottom >= 0, "height must be <= target - offset")
        image = with_dependencies(asserts, image)
        sides = array_nodes.stack([0, 0, offset_height, bottom, offset_width, right, 0, 0])
        padded = array.pad(image, array_nodes.reshape(sides, [4, 2]))
        padded.set_shape(_static([batch, target_height, target_width, depth]))
        return unbatched(padded, is_batch)


@export("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The window [target_height, target_width] of images, from the given offsets on."""
    with name_scope(None, "crop_to_bounding_box", [image]):
        image, is_batch = as_batch(image)
        asserts = check_at_least_3d(image)
        batch, height, width, depth = dimensions(image, rank=4)
        asserts += require(offset_width >= 0, "offset_width must be >= 0.")
        asserts += require(offset_height >= 0, "offset_height must be >= 0.")
        asserts += require(target_width > 0, "target_width must be > 0.")
        asserts += require(target_height > 0, "target_height must be > 0.")
        asserts += require(
            width >= (target_width + offset_width), "width must be >= target + offset."
        )
        asserts += require(
            height >= (target_height + offset_height), "height must be >= target + offset."
        )
        image = with_dependencies(asserts, image)
        cropped = array.slice(
            image,
            array_nodes.stack([0, offset_height, offset_width, 0]),
            array_nodes.stack([-1, target_height, target_width, -1]),
        )
        cropped.set_shape(_static([batch, target_height, target_width, depth]))
        return unbatched(cropped, is_batch)


@export("image.resize_with_crop_or_pad", "image.resize_image_with_crop_or_pad")
def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images cut or framed with zeros, about their centre, to [target_height, target_width]."""
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        image, is_batch = as_batch(image)
        asserts = check_at_least_3d(image)
        asserts += require(target_width > 0, "target_width must be > 0.")
        asserts += require(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(asserts, image)
        if symbolic(target_height):
            target_height = with_dependencies(asserts, target_height)
        if symbolic(target_width):
            target_width = with_dependencies(asserts, target_width)
        _, height, width, _ = dimensions(image, rank=4)
        extra = target_width - width
        crop_left, pad_left = greater_of(-extra // 2, 0), greater_of(extra // 2, 0)
        extra = target_height - height
        crop_top, pad_top = greater_of(-extra // 2, 0), greater_of(extra // 2, 0)
        cropped = crop_to_bounding_box(
            image,
            crop_top,
            crop_left,
            lesser_of(target_height, height),
            lesser_of(target_width, width),
        )
        resized = pad_to_bounding_box(cropped, pad_top, pad_left, target_height, target_width)
        if resized.shape.ndims is None:
            raise ValueError("resized contains no shape.")
        _, height, width, _ = dimensions(resized, rank=4)
        asserts = require(_equal(height, target_height), "resized height is not correct.")
        asserts += require(_equal(width, target_width), "resized width is not correct.")
        resized = with_dependencies(asserts, resized)
        return unbatched(resized, is_batch)


def _equal(x: Any, y: Any) -> Any:
    return raw.Equal(x, y) if symbolic(x) or symbolic(y) else x == y


def check_grayscale(image: Any) -> Tensor:
    """The image, checked to have one channel."""
    static = image.shape if isinstance(image, Tensor) else TensorShape(None)
    try:
        static = static.with_rank(2) if static.ndims is None else static.with_rank_at_least(2)
    except ValueError:
        raise ValueError("A grayscale image must be at least two-dimensional.") from None
    if static.is_fully_defined():
        if static.as_list()[-1] != 1:
            raise ValueError("Last dimension of a grayscale image should be size 1.")
        return with_dependencies([], image)
    asserts = [
        checks.assert_equal(
            array_nodes.shape(image)[-1],
            1,
            message="Last dimension of a grayscale image should be size 1.",
        ),
        checks.assert_greater_equal(
            array_nodes.rank(image),
            3,
            message="A grayscale image must be at least two-dimensional.",
        ),
    ]
    return with_dependencies(asserts, image)
