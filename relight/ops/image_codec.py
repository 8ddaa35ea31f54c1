"""Image files: PNG, JPEG, GIF and BMP decoded and encoded, by Pillow.

JPEG differences from TensorFlow: its default DCT method is a less exact, faster one that Pillow
does not offer, so pixels may differ by a few units unless dct_method is "INTEGER_ACCURATE", and
chroma is always smoothly upsampled (`fancy_upscaling`).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from relight.graph import errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import shape_rules
from relight.ops.call import boxed
from relight.ops.constants import known_value
from relight.ops.shape_rules import sizes

_PNG = b"\x89PNG\r\n\x1a\n"


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _contents(value: np.ndarray) -> bytes:
    if value.ndim != 0:
        raise _invalid(f"contents must be scalar, got shape [{','.join(map(str, value.shape))}]")
    return value[()]


# -- 16-bit PNG, which Pillow reduces to 8 bits
# -----------------------------------------------------


def _unfilter(rows: np.ndarray, kinds: list[int], step: int) -> np.ndarray:
    """The bytes of PNG scan lines from their filtered form (PNG specification, section 9)."""
    result = np.zeros((rows.shape[0] + 1, rows.shape[1]), np.uint8)
    for y, kind in enumerate(kinds):
        row, above = rows[y].astype(np.int64), result[y].astype(np.int64)
        if kind == 0:
            line = row
        elif kind == 1:
            line = row.reshape(-1, step).cumsum(axis=0).reshape(-1)
        elif kind == 2:
            line = row + above
        elif kind in (3, 4):
            line = _unfilter_by_neighbours(row.tolist(), above.tolist(), kind, step)
        else:
            raise _invalid(f"Invalid PNG data: unknown filter {kind}")
        result[y + 1] = np.asarray(line) & 255
    return result[1:]


def _unfilter_by_neighbours(row: list[int], above: list[int], kind: int, step: int) -> list[int]:
    """Filters "average" and "Paeth", which need the pixel before."""
    line = [0] * step + row
    corner = [0] * step + above
    for i in range(step, len(line)):
        a, b, c = line[i - step], corner[i], corner[i - step]
        if kind == 3:
            guess = (a + b) // 2
        else:
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            guess = a if pa <= pb and pa <= pc else (b if pb <= pc else c)
        line[i] = (line[i] + guess) & 255
    return line[step:]


def _decode_deep_png(data: bytes) -> np.ndarray | None:
    """A 16-bit PNG as uint16 [h, w, channels]; None when its samples are not 16 bits."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if depth != 16:
        return None
    if interlaced:
        raise errors.UnimplementedError(None, None, "interlaced PNG files of 16 bits a sample")
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    body, place = b"", 8
    while place + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if name == b"IDAT":
            body += data[place + 8 : place + 8 + length]
        place += 12 + length
    try:
        flat = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, -1)
        if flat.shape[1] != 1 + 2 * channels * width:
            raise ValueError("row length")
    except (zlib.error, ValueError):
        raise _invalid("Invalid PNG data, size " + str(len(data))) from None
    rows = _unfilter(flat[:, 1:], flat[:, 0].tolist(), 2 * channels)
    return rows.view(">u2").astype(np.uint16).reshape(height, width, channels)


def _encode_deep_png(image: np.ndarray, level: int) -> bytes:
    height, width, channels = image.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = image.astype(">u2").reshape(height, -1).view(np.uint8)
    lines = np.zeros((height, rows.shape[1] + 1), np.uint8)  # each line begins with filter 0
    lines[:, 1:] = rows
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes(), level)),
        (b"IEND", b""),
    ]
    parts = [_PNG]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body]
        parts.append(struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(parts)


# -- decoding --------------------------------------------------------------------------------------


def _open(data: bytes, wrong: str) -> Any:
    """The image; an error with the message `wrong` when its header cannot be read."""
    try:
        return Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise _invalid(wrong) from None


def _png_array(data: bytes) -> np.ndarray:
    """The PNG's own samples, [h, w, 1 to 4] uint8 or uint16."""
    if len(data) >= 29:
        deep = _decode_deep_png(data)
        if deep is not None:
            return deep
    image = _open(data, f"Invalid PNG header, data size {len(data)}")
    try:
        if data.rfind(b"IEND") < 0:  # the last chunk, which Pillow does not miss
            raise ValueError("cut off")
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode == "1":
            image = image.convert("L")
        array = np.asarray(image)
    except (OSError, SyntaxError, ValueError):
        raise _invalid(f"Invalid PNG data, size {len(data)}") from None
    return array[:, :, None] if array.ndim == 2 else array


def _with_channels(array: np.ndarray, channels: int) -> np.ndarray:
    """[h, w, n] as [h, w, channels]: alpha dropped or added, colours mixed or grey repeated."""
    have = array.shape[2]
    if channels in (0, have):
        return array
    color, alpha = (
        (array[..., : have - 1], array[..., have - 1 :])
        if have % 2 == 0
        else (
            array,
            None,
        )
    )
    if channels < 3 and color.shape[2] == 3:
        color = _gray(color)
    elif channels >= 3 and color.shape[2] == 1:
        color = color.repeat(3, axis=2)
    if channels % 2:
        return color
    if alpha is None:
        alpha = np.full((*array.shape[:2], 1), np.iinfo(array.dtype).max, array.dtype)
    return np.concatenate([color, alpha], axis=2)


# Red, green and blue in libpng's 15-bit fractions: 0.299, 0.587 and the rest.
_GRAY = np.array([9797, 19234, 3737], np.int64)


def _gray(color: np.ndarray) -> np.ndarray:
    """RGB as grey like libpng, which rounds samples of 16 bits and cuts those of 8 bits."""
    rounding = 16384 if color.dtype == np.uint16 else 0
    mixed = (color.astype(np.int64) @ _GRAY + rounding) >> 15
    return mixed.astype(color.dtype)[..., None]


def _decode_png(data: bytes, channels: int, depth: type) -> np.ndarray:
    array = _with_channels(_png_array(data), channels)
    if depth is np.uint8 and array.dtype != np.uint8:
        return (array >> 8).astype(np.uint8)
    if depth is np.uint16 and array.dtype == np.uint8:
        return array.astype(np.uint16) * 257
    return array


def _decode_jpeg(
    data: bytes,
    channels: int,
    ratio: int = 1,
    recover: bool = False,
    window: tuple[int, int, int, int] | None = None,
) -> np.ndarray:
    """A JPEG as uint8 [h, w, 1 or 3]; `window`: (top, left, height, width)."""
    if recover:
        data = data + b"\xff\xd9"  # an end mark: what is missing becomes grey
    wrong = f"Invalid JPEG data or crop window, data size {len(data)}"
    image = _open(data, wrong)
    try:
        size = (max(image.width // ratio, 1), max(image.height // ratio, 1))
        if ratio > 1 or (channels == 1 and image.mode == "RGB"):
            image.draft("L" if channels == 1 else None, size)
        image.load()
    except (OSError, SyntaxError, ValueError):
        raise _invalid(wrong) from None
    array = np.asarray(image)
    if image.mode == "CMYK":
        ink = 255 - array.astype(np.int64)
        array = (ink[..., :3] * ink[..., 3:] // 255).astype(np.uint8)
    if array.ndim == 2:
        array = array[:, :, None]
    if channels == 3 and array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    elif channels == 1 and array.shape[2] == 3:
        array = np.asarray(Image.fromarray(array).convert("L"))[:, :, None]
    if window is not None:
        top, left, height, width = window
        rows, columns = array.shape[:2]
        if (
            min(window) < 0
            or not height
            or not width
            or top + height > rows
            or (left + width > columns)
        ):
            raise _invalid(wrong)
        array = array[top : top + height, left : left + width]
    return array


def _decode_gif(data: bytes) -> np.ndarray:
    """All frames of a GIF, each drawn over those before: uint8 [frames, h, w, 3]."""
    wrong = f"Invalid GIF data (size {len(data)}), failed to"
    image = _open(data, f"{wrong} open gif file: its header is damaged or cut off")
    try:
        frames = [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(image)]
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _invalid(f"{wrong} slurp gif file: {error}") from None
    return np.stack(frames)


def _kind(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG"):
        return "png"
    return "gif" if data.startswith(b"GIF8") else "unknown"


def _decode(
    data: bytes, channels: int, depth: type, frames: bool, ratio: int = 1, recover: bool = False
) -> np.ndarray:
    """Any of the three formats, as TensorFlow's decoders take each other's files."""
    kind = _kind(data)
    if kind == "gif":
        found = _decode_gif(data)
        if not frames:
            if len(found) != 1:
                raise _invalid(
                    "Got " + str(len(found)) + " frames, but animated gifs can only be "
                    "decoded by tf.io.decode_gif or tf.io.decode_image"
                )
            found = found[0]
        return found
    if kind == "png":
        array = _decode_png(data, 3 if frames else channels, depth)
    elif kind == "jpeg":
        array = _decode_jpeg(data, 3 if frames else channels, ratio, recover)
    else:
        raise _no_image(data)
    return array[None] if frames else array


def _no_image(data: bytes) -> errors.InvalidArgumentError:
    found = "unknown format starting with " + repr(data[:16])[1:] if data else "empty file"
    return _invalid(f"Expected image (JPEG, PNG, or GIF), got {found}")


def _image_shape(node: Any) -> list[Any]:
    static = sizes(node, 0)
    if static is not None and len(static) != 0:
        raise ShapeError(f"Shape must be rank 0 but is rank {len(static)}")
    if node.type == "DecodeGif":
        return [(None, None, None, 3)]
    channels = node._attrs["channels"]
    if channels < 0:
        raise ShapeError(f"channels must be non-negative, got {channels}")
    if node.type == "DecodeAndCropJpeg":
        window = known_value(node._inputs[1])
        if window is not None:
            return [(int(window[2]), int(window[3]), channels or None)]
    return [(None, None, channels or None)]


def _check_channels(channels: int, allowed: tuple[int, ...]) -> None:
    if channels not in allowed:
        raise _invalid(
            f"channels must be {', '.join(map(str, allowed[:-1]))}, or {allowed[-1]}, "
            f"got {channels}"
        )


@op("DecodePng", shape=_image_shape, host=("contents",), host_out=True)
def DecodePng(contents, *, channels, dtype):
    """A PNG file as [h, w, channels]; 0 channels: as many as the file has."""
    _check_channels(channels, (0, 1, 3, 4))
    return _decode(_contents(contents), channels, dtype.as_numpy_dtype, False)


@op("DecodeJpeg", shape=_image_shape, host=("contents",), host_out=True)
def DecodeJpeg(contents, *, channels, ratio, try_recover_truncated):
    """A JPEG file as [h, w, channels], reduced `ratio` times (1, 2, 4 or 8)."""
    _check_channels(channels, (0, 1, 3))
    _check_ratio(ratio)
    return _decode(_contents(contents), channels, np.uint8, False, ratio, try_recover_truncated)


def _check_ratio(ratio: int) -> None:
    if ratio not in (1, 2, 4, 8):
        raise _invalid(f"ratio must be 1, 2, 4, or 8, got {ratio}")


@op("DecodeAndCropJpeg", shape=_image_shape, host=("contents", "crop_window"), host_out=True)
def DecodeAndCropJpeg(contents, crop_window, *, channels, ratio, try_recover_truncated):
    """The window (top, left, height, width) of a JPEG file."""
    _check_channels(channels, (0, 1, 3))
    _check_ratio(ratio)
    if crop_window.shape != (4,):
        raise _invalid(f"crop must have four elements {list(crop_window.shape)}")
    window = tuple(int(v) for v in crop_window)
    data = _contents(contents)
    if _kind(data) == "unknown":
        raise _no_image(data)
    return _decode_jpeg(
        data,
        channels,
        ratio,
        try_recover_truncated,
        window,  # type: ignore[arg-type]
    )


@op("DecodeGif", shape=_image_shape, host=("contents",), host_out=True)
def DecodeGif(contents):
    """A GIF file as [frames, h, w, 3]."""
    return _decode(_contents(contents), 3, np.uint8, True)


@op("DecodeBmp", shape=_image_shape, host=("contents",), host_out=True)
def DecodeBmp(contents, *, channels):
    """An uncompressed BMP file of 8 (grey), 24 or 32 bits a pixel as [h, w, 1, 3 or 4]."""
    _check_channels(channels, (0, 1, 3, 4))
    data = _contents(contents)
    if len(data) < 32:
        raise _invalid(
            f"Incomplete bmp content, requires at least 32 bytes to find the header "
            f"size, width, height, and bpp, got {len(data)} bytes"
        )
    start, width, height, depth = (
        *struct.unpack_from("<i4xii", data, 10),
        struct.unpack_from("<H", data, 28)[0],
    )
    found = depth // 8
    if channels not in (0, found):
        raise _invalid(
            f"channels attribute {channels} does not match bits per pixel from file {found}"
        )
    if found not in (1, 3, 4):
        raise _invalid(f"Number of channels must be 1, 3 or 4, was {found}")
    rows, line = abs(height), (found * width * 8 + 31) // 32 * 4
    if width <= 0 or len(data) < start + line * (rows - 1) + found * width:
        raise _invalid(
            f"Incomplete bmp content, requires at least {start + line * rows} bytes, "
            f"got {len(data)} bytes"
        )
    body = data[start : start + line * rows].ljust(line * rows, b"\0")
    flat = np.frombuffer(body, np.uint8).reshape(rows, line)[:, : found * width]
    pixels = flat.reshape(rows, width, found)
    if height > 0:  # stored from the bottom up
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3][:found]] if found > 1 else pixels)


def _shape_shape(node: Any) -> list[Any]:
    return [(3,)]


@op("ExtractJpegShape", shape=_shape_shape, host=("contents",), host_out=True)
def ExtractJpegShape(contents, *, output_type):
    """(height, width, channels) of a JPEG file, from its header."""
    data = _contents(contents)
    wrong = f"Invalid JPEG data, size {len(data)}"
    if _kind(data) != "jpeg":
        raise _invalid(wrong)
    image = _open(data, wrong)
    return np.array([image.height, image.width, len(image.getbands())], output_type.as_numpy_dtype)


# -- encoding --------------------------------------------------------------------------------------


@op("EncodePng", shape=shape_rules.scalar, host=("image",), host_out=True)
def EncodePng(image, *, compression):
    """An image [h, w, 1 to 4], uint8 or uint16, as a PNG file."""
    if image.ndim != 3:
        raise _invalid(f"image must be 3-dimensional[{','.join(map(str, image.shape))}]")
    if image.shape[2] not in (1, 2, 3, 4):
        raise _invalid(f"image must have 1, 2, 3, or 4 channels, got {image.shape[2]}")
    if not -1 <= compression <= 9:
        raise _invalid(f"compression should be in [-1,9], got {compression}")
    if image.dtype == np.uint16:
        return boxed(_encode_deep_png(image, compression))
    target = io.BytesIO()
    level = {} if compression < 0 else {"compress_level": compression}
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(target, "PNG", **level)
    return boxed(target.getvalue())


def _jpeg(
    image: np.ndarray,
    quality: int,
    format: str = "",
    progressive: bool = False,
    optimize: bool = False,
    subsample: bool = True,
) -> bytes:
    if image.ndim != 3:
        raise _invalid(f"image must be 3-dimensional[{','.join(map(str, image.shape))}]")
    wanted = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}[format]
    if image.shape[2] not in wanted:
        if format:
            raise _invalid(f"format {format} expects {wanted[0]} channels, got {image.shape[2]}")
        raise _invalid(f"image must have 1 or 3 channels, got {image.shape[2]}")
    if not 0 <= quality <= 100:
        raise _invalid(f"quality must be in [0,100], got {quality}")
    target = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(
        target,
        "JPEG",
        quality=quality or 1,
        progressive=progressive,
        optimize=optimize,
        subsampling=2 if subsample else 0,
        dpi=(300, 300),
    )
    return target.getvalue()


def _with_header(data: bytes, unit: str, x_density: int, y_density: int, xmp: bytes) -> bytes:
    """The JPEG with its JFIF density and an XMP segment."""
    density = struct.pack(">BHH", 2 if unit == "cm" else 1, x_density, y_density)
    head, rest = data[:13] + density + data[18:20], data[20:]
    if not xmp:
        return head + rest
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    return head + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + rest


@op("EncodeJpeg", shape=shape_rules.scalar, specialise=True, host=("image",), host_out=True)
def EncodeJpeg(node: Any) -> Any:
    """An image uint8 [h, w, 1 or 3] as a JPEG file."""
    attrs = node._attrs
    xmp = attrs["xmp_metadata"]
    xmp = xmp.encode() if isinstance(xmp, str) else xmp

    def kernel(image: np.ndarray) -> np.ndarray:
        data = _jpeg(
            image,
            attrs["quality"],
            attrs["format"],
            attrs["progressive"],
            attrs["optimize_size"],
            attrs["chroma_downsampling"],
        )
        return boxed(
            _with_header(data, attrs["density_unit"], attrs["x_density"], attrs["y_density"], xmp)
        )

    return kernel


@op(
    "EncodeJpegVariableQuality", shape=shape_rules.scalar, host=("images", "quality"), host_out=True
)
def EncodeJpegVariableQuality(images, quality):
    """An image uint8 [h, w, 1 or 3] as a JPEG file of the given quality."""
    return boxed(_jpeg(images, int(quality)))
