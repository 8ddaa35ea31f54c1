"""tf.image: files of images decoded and encoded."""

import io
import struct
import zlib


def _data(np, *shape):
    n = int(np.prod(shape))
    waves = np.sin(np.arange(n) * 0.05 + len(shape)) + 0.3 * np.sin(np.arange(n) * 0.011)
    return (0.5 + 0.38 * waves).reshape(shape).astype(np.float32)


def _bytes(np, *shape):
    return (_data(np, *shape) * 255).astype(np.uint8)


def _deep(np, *shape):
    return (_data(np, *shape) * 65535).astype(np.uint16)


def _png(rows, width, depth, kind, *extra):
    """A PNG file of filtered rows."""
    height = len(rows)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    chunks += list(extra) + [(b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    file = io.BytesIO(b"")
    file.write(b"\x89PNG\r\n\x1a\n")
    for name, body in chunks:
        file.write(struct.pack(">I", len(body)) + name + body)
        file.write(struct.pack(">I", zlib.crc32(name + body) & 0xFFFFFFFF))
    return file.getvalue()


def _bmp(np, channels, height, width):
    line = (channels * width + 3) // 4 * 4
    body = _bytes(np, abs(height) * line).tobytes()
    head = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54)
    head += struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, channels * 8, 0, len(body), 1, 1, 0, 0
    )
    return head + body


# Two frames of 4 x 3 pixels.
_GIF = (
    b"GIF89a\x04\x00\x03\x00\x91\x00\x00\xff\x00\x00\x00\xff\x00\x00\x00\xff\xff\xff\xff"
    b"!\xf9\x04\x00\x0a\x00\x00\x00,\x00\x00\x00\x00\x04\x00\x03\x00\x00\x02"
    b"\x06\x44\x34\x62\xa3\x56\x00\x00"
    b"!\xf9\x04\x00\x0a\x00\x00\x00,\x00\x00\x00\x00\x04\x00\x03\x00\x00\x02"
    b"\x06\x44\x34\x62\xa3\x56\x00\x00;"
)


def png_round(tf, np):
    results = {}
    for channels in (1, 2, 3, 4):
        for kind, image in (("8", _bytes(np, 3, 4, channels)), ("16", _deep(np, 3, 4, channels))):
            file = tf.image.encode_png(tf.constant(image))
            name = "%d of %s" % (channels, kind)
            results[name] = tf.image.decode_png(file, dtype=image.dtype)
            for wanted in (1, 3, 4):
                results["%s to %d" % (name, wanted)] = tf.image.decode_png(file, wanted)
            results[name + " deep"] = tf.image.decode_png(file, dtype=tf.uint16)
    return results


def png_filters(tf, np):
    noise = (np.arange(5 * 24) * 37 % 251).astype(np.uint8).reshape(5, 24)
    rows = [bytes(bytearray([i])) + noise[i].tobytes() for i in range(5)]
    return {
        "deep": tf.image.decode_png(_png(rows, 4, 16, 2), dtype=tf.uint16),
        "cut": tf.image.decode_png(_png(rows, 4, 16, 2)),
        "plain": tf.image.decode_png(_png(rows, 8, 8, 2)),
    }


def png_palette(tf, np):
    rows = [b"\0\x1b", b"\0\xe4", b"\0\x27"]
    palette = (b"PLTE", bytes(bytearray(range(10, 130, 10))))
    clear = (b"tRNS", b"\x00\x80\xff\x40")
    return {
        "colours": tf.image.decode_png(_png(rows, 4, 2, 3, palette)),
        "alpha": tf.image.decode_png(_png(rows, 4, 2, 3, palette, clear)),
        "no alpha": tf.image.decode_png(_png(rows, 4, 2, 3, palette, clear), 3),
        "gray": tf.image.decode_png(_png(rows, 4, 2, 0)),
        "bits": tf.image.decode_png(_png(rows, 8, 1, 0)),
    }


def png_level(tf, np):
    file = tf.image.encode_png(_bytes(np, 9, 9, 3), compression=9)
    return {"y": tf.image.decode_png(file)}


def png_broken(tf, np):
    return {"y": tf.image.decode_png(b"\x89PNG\r\n\x1a\nbroken")}


def png_unknown(tf, np):
    return {"y": tf.image.decode_png(b"something else")}


def png_wrong_channels(tf, np):
    return {"y": tf.image.encode_png(_bytes(np, 4, 4, 5))}


def jpeg_round(tf, np):
    color, gray = tf.constant(_bytes(np, 16, 24, 3)), tf.constant(_bytes(np, 17, 13, 1))
    exact = {"dct_method": "INTEGER_ACCURATE"}
    colored, grayed = tf.image.encode_jpeg(color), tf.image.encode_jpeg(gray, quality=60)
    full = tf.image.encode_jpeg(color, chroma_downsampling=False, progressive=True, quality=80)
    return {
        "color": tf.image.decode_jpeg(colored, **exact),
        "gray": tf.image.decode_jpeg(grayed, **exact),
        "full": tf.image.decode_jpeg(full, **exact),
        "to gray": tf.image.decode_jpeg(colored, 1, **exact),
        "to color": tf.image.decode_jpeg(grayed, 3, **exact),
        "half": tf.image.decode_jpeg(full, ratio=2, **exact),
        "window": tf.image.decode_and_crop_jpeg(full, [2, 3, 8, 9], **exact),
        "shape": tf.image.extract_jpeg_shape(colored),
        "gray shape": tf.image.extract_jpeg_shape(grayed, output_type=tf.int64),
        "is": tf.image.is_jpeg(colored),
        "png is": tf.image.is_jpeg(tf.image.encode_png(color)),
    }


def jpeg_header(tf, np):
    image = tf.constant(_bytes(np, 8, 8, 3))
    file = tf.image.encode_jpeg(
        image, density_unit="cm", x_density=70, y_density=80, xmp_metadata="<x/>"
    )
    return {"head": tf.substr(file, 0, 40)}


def jpeg_bytes(tf, np):
    image = tf.constant(_bytes(np, 16, 16, 3))
    return {
        "length": tf.strings.length(tf.image.encode_jpeg(image, quality=75)),
        "gray": tf.strings.length(tf.image.encode_jpeg(image[:, :, :1], format="grayscale")),
    }


def jpeg_default_method(tf, np):
    # The default DCT differs from Pillow's by a few units: only shape and type are held.
    return {"y": tf.image.decode_jpeg(tf.image.encode_jpeg(_bytes(np, 16, 24, 3)))}


jpeg_default_method.seeded = False


def jpeg_quality(tf, np):
    x = tf.constant(_bytes(np, 16, 16, 3))
    return {
        "adjusted": tf.image.adjust_jpeg_quality(x, 75),
        "random": tf.image.random_jpeg_quality(x, 60, 90, seed=4),
    }


jpeg_quality.seeded = False  # decoded by the default DCT


def jpeg_broken(tf, np):
    return {"y": tf.image.decode_jpeg(b"\xff\xd8\xffbroken")}


def jpeg_wrong_quality(tf, np):
    return {"y": tf.image.encode_jpeg(_bytes(np, 4, 4, 3), quality=101)}


def bmp(tf, np):
    return {
        "color": tf.image.decode_bmp(_bmp(np, 3, 4, 5)),
        "alpha": tf.image.decode_bmp(_bmp(np, 4, 3, 2)),
        "gray": tf.image.decode_bmp(_bmp(np, 1, 3, 5)),
        "from the top": tf.image.decode_bmp(_bmp(np, 3, -4, 5), channels=3),
    }


def bmp_wrong_channels(tf, np):
    return {"y": tf.image.decode_bmp(_bmp(np, 3, 4, 5), channels=4)}


def gif(tf, np):
    png = tf.image.encode_png(_bytes(np, 4, 5, 3))
    return {"frames": tf.image.decode_gif(_GIF), "of png": tf.image.decode_gif(png)}


def any_format(tf, np):
    image = tf.constant(_bytes(np, 8, 8, 3))
    return {
        "png": tf.image.decode_image(tf.image.encode_png(image)),
        "png floats": tf.image.decode_image(tf.image.encode_png(image), dtype=tf.float32),
        "png gray": tf.image.decode_image(tf.image.encode_png(image), channels=1),
        "bmp": tf.image.decode_image(_bmp(np, 3, 4, 5)),
        "gif": tf.image.decode_image(_GIF),
        "first": tf.image.decode_image(_GIF, expand_animations=False),
    }


any_format.nodes = False  # its choices are If nodes


def any_format_unknown(tf, np):
    return {"y": tf.image.decode_image(b"something else")}


def png_file_as_jpeg(tf, np):
    image = _bytes(np, 4, 5, 3)
    return {"y": tf.image.decode_jpeg(tf.image.encode_png(image), channels=3)}
