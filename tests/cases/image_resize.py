"""tf.image: resizing by every method and grid, crops resized, and their gradients."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return (np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape) * 3).astype(np.float32)


def _resized(method, size, options, dtype):
    def case(tf, np):
        x = tf.constant((_data(np, 2, 5, 7, 3) * 40).astype(dtype))
        build = getattr(tf.image, "resize_" + method)
        y = build(x, size, **options)
        results = {"y": y}
        if dtype == "float32" and method != "area":
            weight = tf.constant(_data(np, *y.shape.as_list()))
            grads = tf.gradients(y, x, grad_ys=weight)
            results["grads"] = grads
        return results

    return case


CASES = {}
_GRIDS = {"": {}, "_corners": {"align_corners": True}, "_half": {"half_pixel_centers": True}}
for _method in ("bilinear", "nearest_neighbor", "bicubic", "area"):
    for _grid, _options in _GRIDS.items():
        if _method == "area" and _grid == "_half":
            continue
        for _way, _size in (("up", (11, 9)), ("down", (3, 4)), ("one", (1, 1)), ("same", (5, 7))):
            CASES["%s%s_%s" % (_method, _grid, _way)] = _resized(
                _method, _size, _options, "float32"
            )
    CASES[_method + "_int"] = _resized(_method, (4, 8), {}, "int32")


def _both_grids(tf, np):
    x = tf.constant(_data(np, 1, 4, 4, 1))
    return {"y": tf.image.resize_bilinear(x, [2, 2], align_corners=True, half_pixel_centers=True)}


CASES["both_grids"] = _both_grids


def resize_images(tf, np):
    x = tf.constant(_data(np, 6, 8, 3))
    u = tf.constant(np.arange(96, dtype=np.uint8).reshape(1, 4, 8, 3))
    return {
        "bilinear": tf.image.resize_images(x, [3, 4]),
        "nearest": tf.image.resize_images(u, [3, 4], tf.image.ResizeMethod.NEAREST_NEIGHBOR),
        "bicubic": tf.image.resize_images(x, [3, 5], tf.image.ResizeMethod.BICUBIC),
        "area": tf.image.resize(u, [2, 2], tf.image.ResizeMethod.AREA),
        "same": tf.image.resize_images(u, [4, 8]),
        "corners": tf.image.resize_images(x, (4, 4), align_corners=True),
        "by word": tf.image.resize(x, (4, 4), "nearest", name="word"),
    }


def resize_keeping_aspect(tf, np):
    x = tf.constant(_data(np, 6, 8, 3))
    return {"y": tf.image.resize_images(x, [5, 4], preserve_aspect_ratio=True)}


def resize_unknown_size(tf, np):
    x = tf.placeholder_with_default(_data(np, 1, 6, 8, 3), [None, None, None, 3])
    size = tf.placeholder_with_default(np.array([4, 3], np.int32), [2])
    return {
        "fixed": tf.image.resize_images(x, [3, 4]),
        "fed": tf.image.resize_images(x, size),
        "grads": tf.gradients(tf.image.resize_nearest_neighbor(x, size), x),
        "aspect": tf.image.resize_images(x, [4, 4], preserve_aspect_ratio=True),
    }


def resize_with_pad(tf, np):
    x = tf.constant(_data(np, 6, 8, 3))
    y = tf.constant(_data(np, 2, 6, 8, 3))
    return {
        "wide": tf.image.resize_image_with_pad(x, 4, 9),
        "tall": tf.image.resize_image_with_pad(y, 9, 4),
        "nearest": tf.image.resize_image_with_pad(x, 5, 5, method=1, align_corners=True),
    }


def resize_wrong_rank(tf, np):
    return {"y": tf.image.resize_images(tf.constant(_data(np, 6, 8)), [3, 3])}


def resize_wrong_size(tf, np):
    return {"y": tf.image.resize_images(tf.constant(_data(np, 6, 8, 1)), [3, 3, 3])}


def resize_wrong_method(tf, np):
    return {"y": tf.image.resize_images(tf.constant(_data(np, 6, 8, 1)), [3, 3], method=9)}


def resize_negative(tf, np):
    size = tf.placeholder_with_default(np.array([0, 3], np.int32), [2])
    return {"y": tf.image.resize_bilinear(tf.constant(_data(np, 1, 6, 8, 1)), size)}


_BOXES = [[0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.0, 1.0], [0.9, 0.7, 0.2, 0.1], [-0.3, 0.2, 1.2, 0.7]]


def _crops(method, size, outside):
    def case(tf, np):
        x = tf.constant(_data(np, 2, 6, 7, 3))
        boxes = tf.constant(_BOXES, tf.float32)
        y = tf.image.crop_and_resize(
            x, boxes, [0, 1, 1, 0], size, method=method, extrapolation_value=outside
        )
        grads = tf.gradients(y, [x, boxes], grad_ys=tf.constant(_data(np, 4, size[0], size[1], 3)))
        return {"y": y, "grads": grads}

    return case


CASES["crop_and_resize"] = _crops("bilinear", [4, 5], 0)
CASES["crop_and_resize_one"] = _crops("bilinear", [1, 1], 0)
CASES["crop_and_resize_outside"] = _crops("bilinear", [3, 8], 2.5)
CASES["crop_and_resize_nearest"] = _crops("nearest", [4, 5], 1.0)


def crop_and_resize_uint8(tf, np):
    x = tf.constant(np.arange(72, dtype=np.uint8).reshape(1, 6, 4, 3))
    return {"y": tf.image.crop_and_resize(x, _BOXES, box_indices=[0, 0, 0, 0], crop_size=[2, 2])}


def crop_and_resize_wrong_image(tf, np):
    x = tf.constant(_data(np, 2, 6, 7, 3))
    return {"y": tf.image.crop_and_resize(x, _BOXES, [0, 1, 2, 0], [2, 2])}
