"""Convolutions: values, nodes, first and second gradients."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _with_gradients(tf, np, build, *shapes):
    inputs = [tf.constant(_data(np, *s), name="x%d" % i) for i, s in enumerate(shapes)]
    y = build(*inputs)
    weight = tf.constant(_data(np, *y.shape.as_list()), name="weight")
    grads = tf.gradients(y, inputs, grad_ys=weight)
    return {"y": y, "grads": grads}


def _conv2d(**options):
    def case(tf, np):
        return _with_gradients(
            tf, np, lambda x, w: tf.nn.conv2d(x, w, **options), (2, 7, 6, 3), (3, 2, 3, 4)
        )

    return case


CASES = {
    "conv2d_same": _conv2d(strides=[1, 1, 1, 1], padding="SAME"),
    "conv2d_valid": _conv2d(strides=[1, 1, 1, 1], padding="VALID"),
    "conv2d_strided_same": _conv2d(strides=[1, 2, 2, 1], padding="SAME"),
    "conv2d_strided_valid": _conv2d(strides=2, padding="VALID"),
    "conv2d_uneven_strides": _conv2d(strides=[1, 3, 2, 1], padding="SAME"),
    "conv2d_explicit": _conv2d(strides=1, padding=[[0, 0], [2, 1], [0, 3], [0, 0]]),
    "conv2d_explicit_even": _conv2d(strides=1, padding=[[0, 0], [1, 1], [2, 2], [0, 0]]),
}


def conv2d_dilated(tf, np):
    # TensorFlow has no CPU kernel for the gradients of a dilated convolution.
    x, w = tf.constant(_data(np, 2, 9, 8, 2)), tf.constant(_data(np, 3, 3, 2, 3))
    return {
        "same": tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME", dilations=[1, 2, 2, 1]),
        "valid": tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID", dilations=[1, 2, 3, 1]),
    }


def conv2d_unknown_batch(tf, np):
    x = tf.placeholder(tf.float32, [None, 28, 28, 1])
    w = tf.get_variable("w", [5, 5, 1, 4], initializer=tf.zeros_initializer())
    y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
    g = tf.gradients(y, [x, w])
    z = tf.nn.conv2d(x, w, strides=[1, 2, 2, 1], padding="VALID")
    return {"y": str(y.shape), "g": [str(t.shape) for t in g], "z": str(z.shape)}


def conv2d_second_gradient(tf, np):
    x, w = tf.constant(_data(np, 1, 5, 5, 2)), tf.constant(_data(np, 3, 3, 2, 2))
    y = tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME")
    gx, gw = tf.gradients(tf.reduce_sum(y * y), [x, w])
    second = tf.gradients(tf.reduce_sum(gx * gx) + tf.reduce_sum(gw * gw), [x, w])
    return {"first": [gx, gw], "second": second}


def conv2d_wrong_depth(tf, np):
    tf.nn.conv2d(tf.zeros([1, 5, 5, 3]), tf.zeros([3, 3, 2, 4]), [1, 1, 1, 1], "SAME")


def conv2d_too_small(tf, np):
    tf.nn.conv2d(tf.zeros([1, 2, 5, 3]), tf.zeros([3, 3, 3, 4]), [1, 1, 1, 1], "VALID")


def conv2d_wrong_rank(tf, np):
    tf.nn.conv2d(tf.zeros([1, 5, 3]), tf.zeros([3, 3, 3, 4]), [1, 1, 1, 1], "VALID")


def conv2d_backprop(tf, np):
    x, w, g = (tf.constant(_data(np, *s)) for s in ((2, 4, 5, 2), (3, 3, 2, 3), (2, 4, 5, 3)))
    return {
        "input": tf.nn.conv2d_backprop_input([2, 4, 5, 2], w, g, [1, 1, 1, 1], "SAME"),
        "filter": tf.nn.conv2d_backprop_filter(x, [3, 3, 2, 3], g, [1, 1, 1, 1], "SAME"),
    }


def conv2d_transpose(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.conv2d_transpose(x, w, [2, 6, 7, 4], [1, 2, 2, 1], "SAME"),
        (2, 3, 4, 3),
        (3, 3, 4, 3),
    )


def conv2d_transpose_valid(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.conv2d_transpose(x, w, [1, 7, 9, 2], 2, "VALID"),
        (1, 3, 4, 3),
        (3, 3, 2, 3),
    )


def conv1d(tf, np):
    return _with_gradients(tf, np, lambda x, w: tf.nn.conv1d(x, w, 2, "SAME"), (2, 9, 3), (4, 3, 2))


def conv1d_transpose(tf, np):
    x, w = tf.constant(_data(np, 2, 4, 3)), tf.constant(_data(np, 3, 2, 3))
    return {"y": tf.nn.conv1d_transpose(x, w, [2, 8, 2], 2)}


def conv3d(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.conv3d(x, w, [1, 1, 2, 1, 1], "SAME"),
        (1, 4, 5, 4, 2),
        (2, 3, 2, 2, 3),
    )


def conv3d_valid(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.conv3d(x, w, [1, 1, 1, 1, 1], "VALID"),
        (1, 4, 5, 4, 2),
        (2, 3, 2, 2, 3),
    )


def conv3d_transpose(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.conv3d_transpose(x, w, [1, 4, 6, 4, 3], [1, 2, 2, 2, 1]),
        (1, 2, 3, 2, 2),
        (3, 3, 3, 3, 2),
    )


def conv3d_second_gradient(tf, np):
    x, w = tf.constant(_data(np, 1, 3, 3, 3, 1)), tf.constant(_data(np, 2, 2, 2, 1, 2))
    y = tf.nn.conv3d(x, w, [1, 1, 1, 1, 1], "VALID")
    gx, gw = tf.gradients(tf.reduce_sum(y * y), [x, w])
    return {"second": tf.gradients(tf.reduce_sum(gx * gx) + tf.reduce_sum(gw * gw), [x, w])}


def depthwise(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
        (2, 5, 6, 3),
        (3, 2, 3, 2),
    )


def depthwise_strided(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID"),
        (2, 5, 6, 3),
        (3, 2, 3, 1),
    )


def depthwise_dilated(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", rate=[2, 2]),
        (1, 6, 7, 2),
        (3, 3, 2, 2),
    )


def depthwise_second_gradient(tf, np):
    x, w = tf.constant(_data(np, 1, 4, 4, 2)), tf.constant(_data(np, 2, 2, 2, 2))
    y = tf.nn.depthwise_conv2d_native(x, w, [1, 1, 1, 1], "SAME")
    gx, gw = tf.gradients(tf.reduce_sum(y * y), [x, w])
    return {"second": tf.gradients(tf.reduce_sum(gx * gx) + tf.reduce_sum(gw * gw), [x, w])}


def separable(tf, np):
    return _with_gradients(
        tf,
        np,
        lambda x, d, p: tf.nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "SAME"),
        (2, 5, 6, 3),
        (3, 2, 3, 2),
        (1, 1, 6, 4),
    )


def convolution(tf, np):
    x1, w1 = tf.constant(_data(np, 2, 9, 3)), tf.constant(_data(np, 3, 3, 2))
    x2, w2 = tf.constant(_data(np, 2, 7, 8, 2)), tf.constant(_data(np, 3, 3, 2, 3))
    x3, w3 = tf.constant(_data(np, 1, 4, 4, 5, 2)), tf.constant(_data(np, 2, 2, 2, 2, 2))
    return {
        "1d": tf.nn.convolution(x1, w1, "SAME"),
        "1d dilated": tf.nn.convolution(x1, w1, "VALID", dilation_rate=[2]),
        "2d": tf.nn.convolution(x2, w2, "VALID", strides=[2, 1]),
        "2d dilated": tf.nn.convolution(x2, w2, "SAME", dilation_rate=[2, 3]),
        "3d": tf.nn.convolution(x3, w3, "SAME"),
        "3d dilated": tf.nn.convolution(x3, w3, "SAME", dilation_rate=[1, 2, 1]),
    }


def atrous(tf, np):
    return _with_gradients(
        tf, np, lambda x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME"), (1, 7, 8, 2), (3, 3, 2, 2)
    )


def atrous_unknown_size(tf, np):
    x = tf.placeholder_with_default(_data(np, 1, 7, 8, 2), [None, None, None, 2])
    w = tf.constant(_data(np, 3, 3, 2, 2))
    return {
        "same": tf.nn.atrous_conv2d(x, w, 2, "SAME"),
        "valid": tf.nn.atrous_conv2d(x, w, 2, "VALID"),
    }


def atrous_transpose(tf, np):
    x, w = tf.constant(_data(np, 1, 5, 5, 2)), tf.constant(_data(np, 3, 3, 3, 2))
    return {"y": tf.nn.atrous_conv2d_transpose(x, w, [1, 5, 5, 3], 2, "SAME")}


def conv_transpose(tf, np):
    x, w = tf.constant(_data(np, 1, 4, 2)), tf.constant(_data(np, 3, 3, 2))
    x2, w2 = tf.constant(_data(np, 1, 3, 3, 2)), tf.constant(_data(np, 3, 3, 3, 2))
    return {
        "1d": tf.nn.conv_transpose(x, w, [1, 8, 3], 2),
        "2d": tf.nn.conv_transpose(x2, w2, [1, 6, 6, 3], 2),
    }


def double_and_half(tf, np):
    x, w = tf.constant(_data(np, 1, 4, 4, 2)), tf.constant(_data(np, 3, 3, 2, 2))
    half = tf.nn.conv2d(tf.cast(x, tf.float16), tf.cast(w, tf.float16), 1, "SAME")
    double = tf.nn.conv2d(tf.cast(x, tf.float64), tf.cast(w, tf.float64), 1, "SAME")
    return {"half": half, "double": double}
