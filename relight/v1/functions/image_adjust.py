"""`tf.image`: element types, brightness, contrast, colours, codecs."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import array, checks
from relight.v1.functions.control import control_dependencies, with_dependencies
from relight.v1.functions.control_flow import cond
from relight.v1.functions.einsum import tensordot
from relight.v1.functions.image import at_least_3d, check_grayscale, require, symbolic
from relight.v1.functions.math import reduce_std, saturate_cast
from relight.v1.functions.random import random_uniform
from relight.v1.functions.strings import substr

hsv_to_rgb = export("image.hsv_to_rgb")(raw.HSVToRGB)
rgb_to_hsv = export("image.rgb_to_hsv")(raw.RGBToHSV)

decode_and_crop_jpeg = export("image.decode_and_crop_jpeg", "io.decode_and_crop_jpeg")(
    raw.DecodeAndCropJpeg
)
decode_bmp = export("image.decode_bmp", "io.decode_bmp")(raw.DecodeBmp)
decode_gif = export("image.decode_gif", "io.decode_gif")(raw.DecodeGif)
decode_jpeg = export("image.decode_jpeg", "io.decode_jpeg")(raw.DecodeJpeg)
decode_png = export("image.decode_png", "io.decode_png")(raw.DecodePng)
encode_jpeg = export("image.encode_jpeg", "io.encode_jpeg")(raw.EncodeJpeg)
encode_png = export("image.encode_png")(raw.EncodePng)
extract_jpeg_shape = export("image.extract_jpeg_shape", "io.extract_jpeg_shape")(
    raw.ExtractJpegShape
)


# -- element types ---------------------------------------------------------------------------------


@export("image.convert_image_dtype")
def convert_image_dtype(
    image: Any, dtype: Any, saturate: bool = False, name: str | None = None
) -> Tensor:
    """Images of another type, values scaled: floats are in [0, 1), integers use their whole range.

    `saturate`: values outside of the new range are clipped to it.
    """
    image = convert_to_tensor(image, name="image")
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if dtype == image.dtype:
        return array_nodes.identity(image, name=name)
    cast = saturate_cast if saturate else nodes.cast
    with name_scope(name, "convert_image", [image]) as scope:
        old = image.dtype
        if old.is_integer and dtype.is_integer:
            most_in, most_out = old.max, dtype.max
            if most_in > most_out:
                return cast(nodes.div(image, (most_in + 1) // (most_out + 1)), dtype, name=scope)
            wide = cast(image, dtype)
            return nodes._multiply(wide, (most_out + 1) // (most_in + 1), name=scope)
        if old.is_floating and dtype.is_floating:
            return nodes.cast(image, dtype, name=scope)
        if old.is_integer:
            return nodes._multiply(nodes.cast(image, dtype), 1.0 / old.max, name=scope)
        # Half a unit more, because a cast cuts the fraction off.
        return cast(nodes._multiply(image, dtype.max + 0.5), dtype, name=scope)


def _as_float(image: Any, name: str = "image") -> tuple[Tensor, dtypes.DType]:
    """(the image as floats, its own type)."""
    image = convert_to_tensor(image, name=name)
    old = image.dtype
    if old not in (dtypes.float16, dtypes.float32):
        image = convert_image_dtype(image, dtypes.float32)
    return image, old


# -- brightness and contrast -----------------------------------------------------------------------


@export("image.per_image_standardization")
def per_image_standardization(image: Any) -> Tensor:
    """Each image [..., h, w, c] with mean 0 and variance 1: (x - mean) / max(stddev, 1/sqrt(n))."""
    with name_scope(None, "per_image_standardization", [image]) as scope:
        image = at_least_3d(convert_to_tensor(image, name="image"))
        image, old = _as_float(image)
        count = nodes.reduce_prod(array_nodes.shape(image)[-3:])
        mean = nodes.reduce_mean(image, axis=[-1, -2, -3], keepdims=True)
        stddev = reduce_std(image, axis=[-1, -2, -3], keepdims=True)
        least = raw.Rsqrt(nodes.cast(count, image.dtype))
        divisor = raw.Maximum(stddev, least)
        image = nodes.div(image - mean, divisor, name=scope)
        return convert_image_dtype(image, old, saturate=True)


@export("image.adjust_brightness")
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Images with `delta` added to their values as floats in [0, 1)."""
    with name_scope(None, "adjust_brightness", [image, delta]) as scope:
        floats, old = _as_float(image)
        adjusted = raw.Add(floats, nodes.cast(delta, floats.dtype), name=scope)
        return convert_image_dtype(adjusted, old, saturate=True)


@export("image.random_brightness")
def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_brightness` by a uniform number in [-max_delta, max_delta)."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


@export("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Images with the deviation from each channel's mean multiplied by `contrast_factor`."""
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as scope:
        floats, old = _as_float(images, "images")
        adjusted = raw.AdjustContrastv2(floats, contrast_factor, name=scope)
        return convert_image_dtype(adjusted, old, saturate=True)


def _factor(lower: float, upper: float, seed: int | None) -> Tensor:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")
    return random_uniform([], lower, upper, seed=seed)


@export("image.random_contrast")
def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_contrast` by a uniform factor in [lower, upper)."""
    return adjust_contrast(image, _factor(lower, upper, seed))


@export("image.adjust_gamma")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * image ** gamma, on values as floats in [0, 1)."""
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        floats, old = _as_float(image)
        asserts = require(gamma >= 0, "Gamma should be a non-negative real number.")
        if asserts:
            gamma = with_dependencies(asserts, gamma)
        return convert_image_dtype(gain * floats**gamma, old, saturate=True)


# -- colours ---------------------------------------------------------------------------------------


@export("image.adjust_hue")
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """RGB images with `delta`, in [-1, 1], added to the hue (a turn of the colour circle is 1)."""
    with name_scope(name, "adjust_hue", [image]):
        floats, old = _as_float(image)
        return convert_image_dtype(raw.AdjustHue(floats, delta), old)


@export("image.random_hue")
def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_hue` by a uniform number in [-max_delta, max_delta), `max_delta` at most 0.5."""
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


@export("image.adjust_saturation")
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """RGB images with the saturation multiplied by `saturation_factor` and clipped to 1."""
    with name_scope(name, "adjust_saturation", [image]):
        floats, old = _as_float(image)
        return convert_image_dtype(raw.AdjustSaturation(floats, saturation_factor), old)


@export("image.random_saturation")
def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_saturation` by a uniform factor in [lower, upper)."""
    return adjust_saturation(image, _factor(lower, upper, seed))


@export("image.adjust_jpeg_quality")
def adjust_jpeg_quality(image: Any, jpeg_quality: Any, name: str | None = None) -> Tensor:
    """An image [h, w, 1 or 3] after JPEG encoding of quality 0 to 100, and decoding."""
    with name_scope(name, "adjust_jpeg_quality", [image]):
        image = convert_to_tensor(image, name="image")
        old = image.dtype
        image = convert_image_dtype(image, dtypes.uint8)
        if not symbolic(jpeg_quality):
            jpeg_quality = convert_to_tensor(jpeg_quality, dtype=dtypes.int32)
        encoded = raw.EncodeJpegVariableQuality(image, jpeg_quality)
        return convert_image_dtype(raw.DecodeJpeg(encoded), old)


@export("image.random_jpeg_quality")
def random_jpeg_quality(
    image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None
) -> Tensor:
    """`adjust_jpeg_quality` by a uniform integer in [min_jpeg_quality, max_jpeg_quality)."""
    if not (0 <= min_jpeg_quality <= 100 and 0 <= max_jpeg_quality <= 100):
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    quality = random_uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=dtypes.int32)
    return adjust_jpeg_quality(image, quality)


@export("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Images [..., 3] -> [..., 1]: 0.2989 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    with name_scope(name, "rgb_to_grayscale", [images]) as scope:
        images = convert_to_tensor(images, name="images")
        floats = convert_image_dtype(images, dtypes.float32)
        gray = tensordot(floats, [0.2989, 0.5870, 0.1140], [-1, -1])
        gray = array.expand_dims(gray, -1)
        return convert_image_dtype(gray, images.dtype, name=scope)


@export("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Images [..., 1] -> [..., 3], the value repeated."""
    with name_scope(name, "grayscale_to_rgb", [images]) as scope:
        images = check_grayscale(images)
        images = convert_to_tensor(images, name="images")
        lead = array.expand_dims(array_nodes.rank(images) - 1, 0)
        parts = [array_nodes.ones(lead, dtype=dtypes.int32), array.expand_dims(3, 0)]
        rgb = array.tile(images, array_nodes.concat(parts, 0), name=scope)
        rgb.set_shape(images.shape[:-1].concatenate([3]))
        return rgb


# Rows are the channels before, columns those after (ITU-R BT.601, NTSC and PAL).
_RGB_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_YIQ_TO_RGB = [
    [1, 1, 1],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
_RGB_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
_YUV_TO_RGB = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


def _mixed(images: Any, matrix: list[list[float]]) -> Tensor:
    images = convert_to_tensor(images, name="images")
    kernel = convert_to_tensor(matrix, dtype=images.dtype, name="kernel")
    return tensordot(images, kernel, axes=[[images.shape.ndims - 1], [0]])


@export("image.rgb_to_yiq")
def rgb_to_yiq(images: Any) -> Tensor:
    """RGB images [..., 3] in [0, 1] as YIQ."""
    return _mixed(images, _RGB_TO_YIQ)


@export("image.yiq_to_rgb")
def yiq_to_rgb(images: Any) -> Tensor:
    """YIQ images [..., 3] as RGB."""
    return _mixed(images, _YIQ_TO_RGB)


@export("image.rgb_to_yuv")
def rgb_to_yuv(images: Any) -> Tensor:
    """RGB images [..., 3] in [0, 1] as YUV."""
    return _mixed(images, _RGB_TO_YUV)


@export("image.yuv_to_rgb")
def yuv_to_rgb(images: Any) -> Tensor:
    """YUV images [..., 3] as RGB."""
    return _mixed(images, _YUV_TO_RGB)


# -- decoding --------------------------------------------------------------------------------------


@export("image.is_jpeg", "io.is_jpeg")
def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether a string begins as a JPEG file does."""
    with name_scope(name, "is_jpeg"):
        return raw.Equal(substr(contents, 0, 3), b"\xff\xd8\xff", name=name)


def _is_png(contents: Any) -> Tensor:
    with name_scope(None, "is_png"):
        return raw.Equal(substr(contents, 0, 3), b"\211PN")


@export("image.decode_image", "io.decode_image")
def decode_image(
    contents: Any,
    channels: int | None = None,
    dtype: Any = dtypes.uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """The image in the contents of a JPEG, PNG, GIF or BMP file.

    [h, w, channels]; a GIF gives [frames, h, w, 3], or its first frame without `expand_animations`.
    `channels`: None or 0 for the file's own, 1, 3 or 4.
    """
    with name_scope(name, "decode_image"):
        if channels not in (None, 0, 1, 3, 4):
            raise ValueError("channels must be in (None, 0, 1, 3, 4)")
        first = substr(contents, 0, 3)
        wanted = 0 if channels is None else channels

        def bmp() -> Tensor:
            signature = substr(contents, 0, 2)
            is_bmp = raw.Equal(signature, "BM", name="is_bmp")
            known = checks.Assert(is_bmp, ["Unable to decode bytes as JPEG, PNG, GIF, or BMP"])
            good = raw.NotEqual(wanted, 1, name="check_channels")
            fits = checks.Assert(
                good, ["Channels must be in (None, 0, 3) when decoding BMP images"]
            )
            with control_dependencies([known, fits]):
                return convert_image_dtype(raw.DecodeBmp(contents), dtype)

        def gif() -> Tensor:
            good = raw.LogicalAnd(
                raw.NotEqual(wanted, 1, name="check_gif_channels"),
                raw.NotEqual(wanted, 4, name="check_gif_channels"),
            )
            fits = checks.Assert(
                good, ["Channels must be in (None, 0, 3) when decoding GIF images"]
            )
            with control_dependencies([fits]):
                result = convert_image_dtype(raw.DecodeGif(contents), dtype)
                return result if expand_animations else array_nodes.gather(result, 0)

        def png() -> Tensor:
            own = dtypes.uint8 if dtype == dtypes.uint8 else dtypes.uint16
            return convert_image_dtype(raw.DecodePng(contents, wanted, dtype=own), dtype)

        def jpeg() -> Tensor:
            good = raw.NotEqual(wanted, 4, name="check_jpeg_channels")
            fits = checks.Assert(
                good, ["Channels must be in (None, 0, 1, 3) when decoding JPEG images"]
            )
            with control_dependencies([fits]):
                return convert_image_dtype(raw.DecodeJpeg(contents, wanted), dtype)

        def check_gif() -> Tensor:
            return cond(raw.Equal(first, b"GIF", name="is_gif"), gif, bmp, name="cond_gif")

        def check_png() -> Tensor:
            return cond(_is_png(contents), png, check_gif, name="cond_png")

        return cond(is_jpeg(contents), jpeg, check_png, name="cond_jpeg")
