"""Pooling and grey-scale morphology: values, nodes, first and second gradients."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _with_gradients(tf, np, build, *shapes):
    inputs = [tf.constant(_data(np, *s), name="x%d" % i) for i, s in enumerate(shapes)]
    y = build(*inputs)
    weight = tf.constant(_data(np, *y.shape.as_list()), name="weight")
    grads = tf.gradients(y, inputs, grad_ys=weight)
    second = tf.gradients(grads[0] * grads[0], weight)
    return {"y": y, "grads": grads, "second": second}


def _pool(name, shape, *arguments):
    def case(tf, np):
        return _with_gradients(tf, np, lambda x: getattr(tf.nn, name)(x, *arguments), shape)

    return case


_IMAGE, _VOLUME, _SEQUENCE = (2, 7, 6, 3), (1, 4, 5, 6, 2), (2, 9, 3)
CASES = {}
for _kind in ("max_pool", "avg_pool"):
    CASES[_kind + "_valid"] = _pool(_kind, _IMAGE, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    CASES[_kind + "_same"] = _pool(_kind, _IMAGE, [1, 3, 2, 1], [1, 2, 2, 1], "SAME")
    CASES[_kind + "_overlap_same"] = _pool(_kind, _IMAGE, 3, 1, "SAME")
    CASES[_kind + "_even_same"] = _pool(_kind, _IMAGE, 2, 1, "SAME")
    CASES[_kind + "_overlap_valid"] = _pool(_kind, _IMAGE, 3, 2, "VALID")
    CASES[_kind + "_3d"] = _pool(_kind + "3d", _VOLUME, 2, 2, "SAME")
    CASES[_kind + "_3d_valid"] = _pool(
        _kind + "3d", _VOLUME, [1, 2, 3, 2, 1], [1, 1, 2, 2, 1], "VALID"
    )
    CASES[_kind + "_1d"] = _pool(_kind + "1d", _SEQUENCE, 3, 2, "SAME")


def others(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    return {
        "max2d": tf.nn.max_pool2d(x, 2, 2, "VALID"),
        "avg2d": tf.nn.avg_pool2d(x, 2, 2, "VALID"),
        "max_v2": tf.nn.max_pool_v2(x, 2, 2, "VALID"),
        "avg_v2": tf.nn.avg_pool_v2(x, 2, 2, "VALID"),
    }


def pool_function(tf, np):
    x1 = tf.constant(_data(np, *_SEQUENCE))
    x2 = tf.constant(_data(np, *_IMAGE))
    return {
        "max1": tf.nn.pool(x1, [3], "MAX", "SAME", strides=[2]),
        "avg2": tf.nn.pool(x2, [2, 3], "AVG", "VALID"),
        "max2 dilated": tf.nn.pool(x2, [2, 2], "MAX", "VALID", dilation_rate=[2, 2]),
    }


def max_pool_over_channels(tf, np):
    x = tf.constant(_data(np, 2, 3, 3, 6))
    y = tf.nn.max_pool(x, [1, 1, 1, 3], [1, 1, 1, 3], "VALID")
    return {"y": y}


def max_pool_integers(tf, np):
    x = tf.constant((_data(np, *_IMAGE) * 100).astype(np.int32))
    return {"y": tf.nn.max_pool(x, 3, 2, "SAME")}


def max_pool_v2_op(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    y = tf.raw_ops.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    g = tf.gradients(y, x)[0]
    return {"y": y, "g": g}


def max_pool_argmax(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    y, where = tf.nn.max_pool_with_argmax(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    z, narrow = tf.nn.max_pool_with_argmax(
        x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID", include_batch_in_index=True
    )
    return {"y": y, "where": where, "z": z, "narrow": narrow}


def max_pool_ties(tf, np):
    x = tf.constant(np.ones([1, 4, 4, 1], np.float32))
    y = tf.nn.max_pool(x, 2, 2, "VALID")
    return {"g": tf.gradients(y, x)}


def unknown_size(tf, np):
    x = tf.placeholder_with_default(_data(np, *_IMAGE), [None, None, None, 3])
    y = tf.nn.max_pool(x, 3, 2, "SAME")
    z = tf.nn.avg_pool(x, 3, 2, "VALID")
    return {"y": y, "z": z, "g": tf.gradients([y, z], x)}


def too_small(tf, np):
    tf.nn.max_pool(tf.zeros([1, 2, 2, 1]), 3, 1, "VALID")


def morphology(tf, np):
    def build(x, w):
        return tf.nn.dilation2d(x, w, [1, 2, 1, 1], [1, 1, 2, 1], "SAME")

    x, w = tf.constant(_data(np, 1, 5, 6, 2)), tf.constant(_data(np, 2, 3, 2))
    y = build(x, w)
    return {
        "y": y,
        "grads": tf.gradients(y * y, [x, w]),
        "valid": tf.nn.dilation2d(x, w, [1, 1, 1, 1], [1, 1, 1, 1], "VALID"),
        "eroded": tf.nn.erosion2d(x, w, [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
    }


def max_pool_v2_second(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    y = tf.raw_ops.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    weight = tf.constant(_data(np, *y.shape.as_list()))
    g = tf.gradients(y, x, grad_ys=weight)[0]
    return {"g": g, "second": tf.gradients(g * g, weight)}


def max_pool_argmax_gradient(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    y, _ = tf.nn.max_pool_with_argmax(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    return {"g": tf.gradients(y * y, x)}
