"""Static shapes that follow from shape tensors of which only some sizes are known."""


def of_shape_n(tf, np):
    """Every op that takes a shape looks through ShapeN, and through slices and joins of it."""
    x = tf.placeholder(tf.float32, [None, 14, 14, 3])
    kernel = tf.zeros([5, 5, 3, 8])
    shape, other = tf.shape_n([x, tf.placeholder(tf.float32, [None, 2])])
    grad = tf.placeholder(tf.float32, [None, 14, 14, 8])
    found = {
        "conv": tf.nn.conv2d_backprop_input(
            shape, kernel, grad, strides=[1, 1, 1, 1], padding="SAME"
        ),
        "depthwise": tf.nn.depthwise_conv2d_native_backprop_input(
            shape,
            tf.zeros([3, 3, 3, 2]),
            tf.placeholder(tf.float32, [None, 14, 14, 6]),
            [1, 1, 1, 1],
            "SAME",
        ),
        "reshape": tf.reshape(tf.placeholder(tf.float32), shape),
        "fill": tf.fill(shape, 1.0),
        "random": tf.random_uniform(shape),
        "concat": tf.fill(tf.concat([shape, other], 0), 1.0),
        "slice": tf.fill(shape[1:3], 1.0),
        "stack": tf.fill(tf.stack([shape[0], shape[1]]), 1.0),
    }
    return {label: str(tensor.shape) for label, tensor in found.items()}


def of_gradients(tf, np):
    """Gradients of convolutions know the sizes that their inputs know."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    y = tf.nn.conv2d(x, tf.zeros([3, 3, 3, 8]), [1, 2, 2, 1], "VALID")
    y3 = tf.placeholder(tf.float32, [None, 4, 4, 4, 3])
    z = tf.nn.conv3d(y3, tf.zeros([3, 3, 3, 3, 8]), [1, 1, 1, 1, 1], "SAME")
    return {
        "conv2d": str(tf.gradients(y, x)[0].shape),
        "conv3d": str(tf.gradients(z, y3)[0].shape),
    }
