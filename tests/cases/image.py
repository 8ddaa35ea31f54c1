"""tf.image: geometry, colours, adjustments, boxes, measures."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return (0.5 + 0.5 * np.sin(np.arange(n) * 0.7 + len(shape))).reshape(shape).astype(np.float32)


def _bytes(np, *shape):
    return (_data(np, *shape) * 255).astype(np.uint8)


# -- geometry --------------------------------------------------------------------------------------


def flips(tf, np):
    x, batch = tf.constant(_data(np, 3, 4, 2)), tf.constant(_bytes(np, 2, 3, 4, 1))
    return {
        "lr": tf.image.flip_left_right(x),
        "ud": tf.image.flip_up_down(x),
        "lr batch": tf.image.flip_left_right(batch),
        "ud batch": tf.image.flip_up_down(batch),
        "transposed": tf.image.transpose_image(x),
        "transposed batch": tf.image.transpose(batch, name="t"),
        "grads": tf.gradients(tf.image.flip_up_down(x) * x, x),
    }


def flips_unknown(tf, np):
    x = tf.placeholder_with_default(_data(np, 3, 4, 2), None)
    y = tf.placeholder_with_default(_data(np, 3, 4, 2), [None, None, 2])
    return {"lr": tf.image.flip_left_right(x), "ud": tf.image.flip_up_down(y)}


# TensorFlow's Assert of unknown shapes and its tf.case are made of Switch and Merge nodes.
flips_unknown.nodes = False


def flip_wrong_rank(tf, np):
    return {"y": tf.image.flip_left_right(tf.constant(_data(np, 3, 4)))}


def flip_empty(tf, np):
    return {"y": tf.image.flip_left_right(tf.constant(_data(np, 3, 0, 2)))}


def random_flips(tf, np):
    tf.set_random_seed(7)
    x = _data(np, 3, 4, 2)
    images = [tf.image.random_flip_left_right(x, seed=i) for i in range(4)]
    images += [tf.image.random_flip_up_down(x, seed=i) for i in range(4)]
    return {"images": images}


random_flips.nodes = False  # conditions are If nodes


def random_flips_of_batch(tf, np):
    x = tf.constant(_data(np, 6, 3, 4, 2))
    return {
        "lr": tf.image.random_flip_left_right(x, seed=3),
        "ud": tf.image.random_flip_up_down(x, seed=4),
    }


def rot90(tf, np):
    x, batch = tf.constant(_data(np, 3, 4, 2)), tf.constant(_data(np, 2, 3, 4, 1))
    return {
        "turns": [tf.image.rot90(x, k) for k in range(-1, 5)],
        "batch": [tf.image.rot90(batch, k) for k in range(4)],
    }


rot90.nodes = False  # tf.case is made of If nodes


def central_crop(tf, np):
    x, batch = tf.constant(_data(np, 7, 8, 2)), tf.constant(_data(np, 2, 9, 4, 1))
    unknown = tf.placeholder_with_default(_data(np, 2, 9, 5, 1), [2, None, None, 1])
    return {
        "half": tf.image.central_crop(x, 0.5),
        "whole": tf.image.central_crop(x, 1.0),
        "batch": tf.image.central_crop(batch, 0.875),
        "unknown": tf.image.central_crop(unknown, 0.3),
    }


central_crop.nodes = False  # checks of unknown shapes are If nodes


def central_crop_known(tf, np):
    return {"half": tf.image.central_crop(tf.constant(_data(np, 7, 8, 2)), 0.5)}


def central_crop_wrong(tf, np):
    return {"y": tf.image.central_crop(tf.constant(_data(np, 7, 8, 2)), 1.5)}


def boxes_of_pixels(tf, np):
    x, batch = tf.constant(_data(np, 5, 6, 2)), tf.constant(_data(np, 2, 4, 5, 1))
    return {
        "crop": tf.image.crop_to_bounding_box(x, 1, 2, 3, 3),
        "crop batch": tf.image.crop_to_bounding_box(batch, 0, 1, 4, 2),
        "pad": tf.image.pad_to_bounding_box(x, 1, 2, 8, 9),
        "pad batch": tf.image.pad_to_bounding_box(batch, 0, 1, 4, 7),
    }


def crop_or_pad(tf, np):
    x, batch = tf.constant(_data(np, 5, 6, 2)), tf.constant(_data(np, 2, 4, 5, 1))
    return {
        "smaller": tf.image.resize_image_with_crop_or_pad(x, 3, 3),
        "larger": tf.image.resize_image_with_crop_or_pad(x, 8, 9),
        "both": tf.image.resize_with_crop_or_pad(batch, 7, 2),
    }


def crop_or_pad_unknown(tf, np):
    x = tf.placeholder_with_default(_data(np, 5, 6, 2), [None, None, 2])
    size = tf.placeholder_with_default(np.int32(4), [])
    return {
        "fixed": tf.image.resize_image_with_crop_or_pad(x, 3, 9),
        "fed": tf.image.resize_image_with_crop_or_pad(x, size, size),
    }


crop_or_pad_unknown.nodes = False  # checks of unknown shapes are If nodes


def crop_too_large(tf, np):
    return {"y": tf.image.crop_to_bounding_box(tf.constant(_data(np, 5, 6, 2)), 3, 2, 3, 3)}


def pad_too_small(tf, np):
    return {"y": tf.image.pad_to_bounding_box(tf.constant(_data(np, 5, 6, 2)), 3, 2, 6, 9)}


def crop_too_large_when_run(tf, np):
    x = tf.placeholder_with_default(_data(np, 5, 6, 2), [None, None, 2])
    return {"y": tf.image.crop_to_bounding_box(x, 3, 2, 3, 3)}


def random_crop(tf, np):
    tf.set_random_seed(3)
    x = tf.constant(_data(np, 8, 9, 2))
    return {"crops": [tf.random_crop(x, [4, 5, 2]), tf.image.random_crop(x, [3, 3, 1], seed=5)]}


def random_crop_too_large(tf, np):
    return {"y": tf.random_crop(tf.constant(_data(np, 8, 9, 2)), [9, 5, 2])}


# -- element types, brightness, contrast -----------------------------------------------------------


def _converted(old, new, saturate):
    def case(tf, np):
        if "float" in old:
            x = np.array([-0.1, 0.0, 0.2, 0.4999, 0.5, 0.999, 1.0, 1.3]).astype(old)
            x = x if saturate else np.clip(x, 0, 1).astype(old)
        else:
            top = np.iinfo(old).max
            x = np.array([0, 1, top // 3, top // 2, top]).astype(old)
        return {"y": tf.image.convert_image_dtype(tf.constant(x), new, saturate)}

    return case


CASES = {}
for _old in ("uint8", "int16", "int32", "float32", "float64"):
    for _new in ("uint8", "int16", "uint16", "float32", "float16"):
        for _saturate in (False, True):
            if _old == "int32" and _new in ("uint16",):
                continue
            _name = "convert_%s_%s%s" % (_old, _new, "_saturate" if _saturate else "")
            CASES[_name] = _converted(_old, _new, _saturate)


def convert_to_string(tf, np):
    return {"y": tf.image.convert_image_dtype(tf.constant(_data(np, 2, 2, 3)), tf.string)}


def standardization(tf, np):
    x = tf.constant(_data(np, 4, 5, 3))
    return {
        "one": tf.image.per_image_standardization(x),
        "batch": tf.image.per_image_standardization(tf.constant(_data(np, 2, 4, 5, 3))),
        "uniform": tf.image.per_image_standardization(tf.ones([4, 5, 3])),
        "bytes": tf.image.per_image_standardization(tf.constant(_bytes(np, 4, 5, 3))),
        "grads": tf.gradients(tf.image.per_image_standardization(x) * x, x),
    }


def _adjusted(name, *arguments, **options):
    def case(tf, np):
        function = getattr(tf.image, name)
        return {
            "floats": function(tf.constant(_data(np, 4, 5, 3)), *arguments, **options),
            "bytes": function(tf.constant(_bytes(np, 4, 5, 3)), *arguments, **options),
        }

    return case


def _batch_adjusted(name, *arguments):
    def case(tf, np):
        x = tf.constant(_data(np, 2, 3, 4, 3))
        return {"y": getattr(tf.image, name)(x, *arguments)}

    return case


for _name, _values in (
    ("adjust_brightness", (0.2, -0.3)),
    ("adjust_contrast", (0.5, 2.0)),
    ("adjust_hue", (0.2, -0.45)),
    ("adjust_saturation", (0.3, 2.5)),
    ("adjust_gamma", (0.5, 2)),
):
    for _i, _value in enumerate(_values):
        CASES["%s_%d" % (_name, _i)] = _adjusted(_name, _value)
    CASES[_name + "_batch"] = _batch_adjusted(_name, _values[0])
CASES["random_brightness"] = _adjusted("random_brightness", 0.4, seed=3)
CASES["random_contrast"] = _adjusted("random_contrast", 0.2, 1.8, seed=3)
CASES["random_hue"] = _adjusted("random_hue", 0.3, seed=3)
CASES["random_saturation"] = _adjusted("random_saturation", 0.2, 1.8, seed=3)


def adjust_gradients(tf, np):
    x = tf.constant(_data(np, 4, 5, 3))
    y = tf.image.adjust_brightness(x, 0.3) + tf.image.adjust_gamma(x, 2.0, 0.5)
    return {"grads": tf.gradients(y, x)}


def adjust_contrast_gradient(tf, np):
    x = tf.constant(_data(np, 4, 5, 3))
    return {"grads": tf.gradients(tf.image.adjust_contrast(x, 0.3), x)}


def gamma_negative(tf, np):
    return {"y": tf.image.adjust_gamma(tf.constant(_data(np, 4, 5, 3)), -1)}


def random_contrast_wrong(tf, np):
    return {"y": tf.image.random_contrast(tf.constant(_data(np, 4, 5, 3)), 1.0, 0.5)}


def random_brightness_wrong(tf, np):
    return {"y": tf.image.random_brightness(tf.constant(_data(np, 4, 5, 3)), -1.0)}


# -- colours ---------------------------------------------------------------------------------------


def hsv(tf, np):
    x = tf.constant(_data(np, 2, 3, 4, 3))
    special = tf.constant([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.2]])
    return {
        "to": tf.image.rgb_to_hsv(x),
        "back": tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(x)),
        "from": tf.image.hsv_to_rgb(x),
        "special": tf.image.rgb_to_hsv(special),
    }


def hsv_gradient(tf, np):
    x = tf.constant(_data(np, 2, 4, 3))
    y = tf.image.rgb_to_hsv(x)
    return {"grads": tf.gradients(y, x, grad_ys=tf.constant(_data(np, 2, 4, 3) + 1))}


hsv_gradient.rtol = 1e-4


def hsv_wrong(tf, np):
    return {"y": tf.image.rgb_to_hsv(tf.constant(_data(np, 2, 4, 2)))}


def gray(tf, np):
    x = tf.constant(_data(np, 2, 3, 4, 3))
    return {
        "gray": tf.image.rgb_to_grayscale(x),
        "bytes": tf.image.rgb_to_grayscale(tf.constant(_bytes(np, 3, 4, 3))),
        "rgb": tf.image.grayscale_to_rgb(tf.constant(_data(np, 3, 4, 1))),
        "grads": tf.gradients(tf.image.rgb_to_grayscale(x), x),
    }


def gray_wrong(tf, np):
    return {"y": tf.image.grayscale_to_rgb(tf.constant(_data(np, 3, 4, 3)))}


def television(tf, np):
    x = tf.constant(_data(np, 3, 4, 3))
    return {
        name: getattr(tf.image, name)(x)
        for name in ("rgb_to_yiq", "yiq_to_rgb", "rgb_to_yuv", "yuv_to_rgb")
    }


# -- measures --------------------------------------------------------------------------------------


def edges(tf, np):
    x = tf.constant(_data(np, 2, 5, 6, 3))
    dy, dx = tf.image.image_gradients(x)
    return {
        "dy": dy,
        "dx": dx,
        "sobel": tf.image.sobel_edges(x),
        "variation": tf.image.total_variation(x),
        "variation of one": tf.image.total_variation(x[0]),
        "grads": tf.gradients(tf.image.total_variation(x), x),
    }


def psnr(tf, np):
    a, b = _data(np, 2, 5, 6, 3), _data(np, 2, 5, 6, 3) * 0.9
    return {
        "floats": tf.image.psnr(tf.constant(a), tf.constant(b), 1.0),
        "bytes": tf.image.psnr(
            tf.constant(_bytes(np, 5, 6, 3)), tf.constant((b[0] * 255).astype(np.uint8)), 255
        ),
    }


psnr.nodes = False  # TensorFlow guards its Assert of bool data with Switch and Merge


def ssim(tf, np):
    a, b = _data(np, 2, 16, 14, 3), _data(np, 2, 16, 14, 3) * 0.9
    x = tf.constant(a)
    y = tf.image.ssim(x, tf.constant(b), 1.0)
    return {
        "floats": y,
        "small": tf.image.ssim(x, tf.constant(b), 1.0, filter_size=5, filter_sigma=0.8, k1=0.02),
        "bytes": tf.image.ssim(
            tf.constant(_bytes(np, 12, 12, 1)), tf.constant(_bytes(np, 12, 12, 1) // 2), 255
        ),
    }


ssim.rtol, ssim.atol = 1e-4, 1e-5


def ssim_gradient(tf, np):
    x = tf.constant(_data(np, 1, 12, 13, 1))
    y = tf.image.ssim(x, tf.constant(_data(np, 1, 12, 13, 1) ** 2), 1.0)
    return {"grads": tf.gradients(y, x)}


ssim_gradient.rtol, ssim_gradient.atol = 1e-3, 1e-5


def ssim_multiscale(tf, np):
    a = _data(np, 1, 46, 45, 1)
    y = tf.image.ssim_multiscale(
        tf.constant(a), tf.constant(a * 0.8 + 0.1), 1.0, power_factors=(0.3, 0.4, 0.3)
    )
    return {"y": y}


ssim_multiscale.nodes = False  # the padding of uneven sizes is an If node
ssim_multiscale.rtol = 1e-4


def ssim_incompatible(tf, np):
    return {
        "y": tf.image.ssim(
            tf.constant(_data(np, 2, 16, 14, 3)), tf.constant(_data(np, 3, 16, 14, 3)), 1.0
        )
    }


# -- boxes -----------------------------------------------------------------------------------------

_BOXES = [[0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.2, 0.1], [-0.3, 0.2, 1.2, 0.7]]


def draw_boxes(tf, np):
    x = tf.constant(_data(np, 2, 9, 8, 3))
    gray_, rgba = tf.constant(_data(np, 1, 9, 8, 1)), tf.constant(_data(np, 1, 9, 8, 4))
    colors = [[0.25, 0.5, 0.75], [0.1, 0.9, 0.4]]
    return {
        "rgb": tf.image.draw_bounding_boxes(x, [_BOXES, _BOXES[::-1]]),
        "gray": tf.image.draw_bounding_boxes(gray_, [_BOXES]),
        "rgba": tf.image.draw_bounding_boxes(rgba, [_BOXES]),
        "colors": tf.image.draw_bounding_boxes(x, [_BOXES, _BOXES], colors=colors),
    }


def distorted_boxes(tf, np):
    boxes = tf.constant([[[0.1, 0.2, 0.8, 0.9]]])
    size = tf.constant([50, 60, 3])
    picture = tf.constant(_data(np, 50, 60, 3))
    results = {}
    for i in range(4):
        begin, shape, box = tf.image.sample_distorted_bounding_box(
            size, boxes, seed=i + 1, seed2=5, min_object_covered=0.3
        )
        results["begin %d" % i], results["size %d" % i], results["box %d" % i] = begin, shape, box
    begin, shape, _ = tf.image.sample_distorted_bounding_box(
        size,
        tf.zeros([1, 0, 4]),
        seed=2,
        seed2=9,
        aspect_ratio_range=[0.5, 2.0],
        area_range=[0.2, 0.6],
        max_attempts=20,
        use_image_if_no_bounding_boxes=True,
    )
    results["cut"] = tf.slice(picture, begin, shape)
    return results


def distorted_boxes_missing(tf, np):
    begin, _, _ = tf.image.sample_distorted_bounding_box(
        [50, 60, 3], tf.zeros([1, 0, 4]), seed=2, seed2=9
    )
    return {"begin": begin}


def glimpses(tf, np):
    x = tf.constant(_data(np, 2, 8, 9, 2))
    return {
        "centered": tf.image.extract_glimpse(x, [4, 5], [[0.0, 0.0], [0.2, -0.3]]),
        "pixels": tf.image.extract_glimpse(x, [3, 4], [[1.0, 1.0], [-1.0, 2.0]], normalized=False),
        "corner": tf.image.extract_glimpse(
            x, [2, 3], [[3.0, 4.0], [4.0, 3.0]], centered=False, normalized=False
        ),
        "shares": tf.image.extract_glimpse(x, [2, 3], [[0.3, 0.4], [0.5, 0.6]], centered=False),
    }


def glimpses_outside(tf, np):
    x = tf.constant(_data(np, 2, 8, 9, 2))
    places = [[0.9, 0.9], [-2.0, 1.0]]
    return {
        "zero": tf.raw_ops.ExtractGlimpse(
            input=x, size=[5, 6], offsets=places, uniform_noise=False, noise="zero"
        )
    }


_RIVALS = [
    [0, 0, 1, 1],
    [0, 0.1, 1, 1.1],
    [0, -0.1, 1, 0.9],
    [0, 10, 1, 11],
    [0, 10.1, 1, 11.1],
    [0, 100, 1, 101],
    [1, 101, 0, 100],
]
_SCORES = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.3]


def suppression(tf, np):
    boxes, scores = tf.constant(_RIVALS, tf.float32), tf.constant(_SCORES)
    padded = tf.image.non_max_suppression_padded(boxes, scores, 6, pad_to_max_output_size=True)
    soft = tf.image.non_max_suppression_with_scores(boxes, scores, 6, soft_nms_sigma=0.5)
    hard = tf.image.non_max_suppression_with_scores(boxes, scores, 6, iou_threshold=0.4)
    return {
        "plain": tf.image.non_max_suppression(boxes, scores, 3),
        "all": tf.image.non_max_suppression(boxes, scores, 10, iou_threshold=0.9),
        "scores": tf.image.non_max_suppression(boxes, scores, 10, score_threshold=0.5),
        "padded": list(padded),
        "unpadded": list(tf.image.non_max_suppression_padded(boxes, scores, 6)),
        "soft": list(soft),
        "hard": list(hard),
        "v1": tf.raw_ops.NonMaxSuppression(boxes=boxes, scores=scores, max_output_size=4),
        "v2": tf.raw_ops.NonMaxSuppressionV2(
            boxes=boxes, scores=scores, max_output_size=4, iou_threshold=0.3
        ),
    }


def suppression_of_overlaps(tf, np):
    overlaps = tf.constant(_data(np, 5, 5))
    return {"chosen": tf.image.non_max_suppression_overlaps(overlaps, _SCORES[:5], 4, 0.7, 0.2)}


def suppression_combined(tf, np):
    boxes = tf.constant(np.array(_RIVALS, np.float32).reshape(1, 7, 1, 4) / 10)
    scores = np.stack([_SCORES, _SCORES[::-1]], axis=-1).astype(np.float32)[None]
    shared = tf.image.combined_non_max_suppression(boxes, scores, 4, 6)
    per_class = tf.image.combined_non_max_suppression(
        tf.tile(boxes, [1, 1, 2, 1]),
        scores,
        2,
        9,
        score_threshold=0.4,
        pad_per_class=True,
        clip_boxes=False,
    )
    return {"shared": list(shared), "per class": list(per_class)}


def suppression_wrong_threshold(tf, np):
    return {"y": tf.image.non_max_suppression(tf.constant(_RIVALS, tf.float32), _SCORES, 3, 1.5)}


def suppression_without_area(tf, np):
    boxes = tf.constant([[0.2, 0.2, 0.2, 0.6], [0, 0, 1, 1], [0, 0, 0.95, 1], [0.5, 0.5, 0.5, 0.5]])
    corner = np.arange(9, dtype=np.float32)[:, None]
    squares = tf.constant(corner + np.array([[0, 0, 0.8, 0.9]], np.float32))
    return {
        "plain": tf.image.non_max_suppression(boxes, [0.4, 0.9, 0.8, 0.4], 4),
        "ties": tf.image.non_max_suppression(squares, [0.5] * 9, 7),
    }
