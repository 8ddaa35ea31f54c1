"""tf.layers: graphs, values, variables, regularization, reuse, names, errors."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _pattern(tf, factor=1.7):
    """An initializer with fixed values."""

    def initializer(shape, dtype=None, partition_info=None):
        count = 1
        for size in shape:
            count *= int(size)
        values = tf.sin(tf.range(count, dtype=tf.float32) * factor)
        return tf.cast(tf.reshape(values, shape), dtype)

    return initializer


def _names(variables):
    return [v.name for v in variables]


def _described(tf, result):
    result["variables"] = _names(tf.global_variables())
    result["trainable"] = _names(tf.trainable_variables())
    result["keys"] = sorted(str(k) for k in tf.get_default_graph().get_all_collection_keys())
    return result


def _layer(function, shape, *arguments, **keywords):
    def case(tf, np):
        with tf.variable_scope("net", initializer=_pattern(tf)):
            x = tf.constant(_data(np, *shape), name="x")
            y = getattr(tf.layers, function)(x, *arguments, **keywords)
        result = {"y": y, "static": y.shape.as_list()}
        result["grads"] = tf.gradients(y, [x] + tf.trainable_variables())
        return _described(tf, result)

    return case


_IMAGE, _VOLUME, _SEQUENCE = (2, 7, 6, 3), (1, 4, 5, 6, 2), (2, 9, 3)
CASES = {
    "conv1d": _layer("conv1d", _SEQUENCE, 4, 3),
    "conv1d_causal": _layer("conv1d", _SEQUENCE, 4, 3, padding="causal", dilation_rate=2),
    "conv1d_strides": _layer("conv1d", _SEQUENCE, 4, 2, strides=2, padding="same"),
    "conv2d": _layer("conv2d", _IMAGE, 4, 3),
    "conv2d_same": _layer("conv2d", _IMAGE, 4, [3, 2], padding="same", strides=(2, 1)),
    "conv2d_dilated": _layer("conv2d", _IMAGE, 4, 2, dilation_rate=2, padding="SAME"),
    "conv2d_no_bias": _layer("conv2d", _IMAGE, 4, 2, use_bias=False, name="mine"),
    "conv3d": _layer("conv3d", _VOLUME, 3, 2, padding="same"),
    "conv2d_transpose": _layer("conv2d_transpose", _IMAGE, 4, 3, strides=2, padding="same"),
    "conv2d_transpose_valid": _layer("conv2d_transpose", _IMAGE, 4, (3, 2), strides=(1, 2)),
    "conv3d_transpose": _layer("conv3d_transpose", _VOLUME, 2, 3, strides=2, padding="same"),
    "separable_conv1d": _layer("separable_conv1d", _SEQUENCE, 4, 3, depth_multiplier=2),
    "separable_conv2d": _layer("separable_conv2d", _IMAGE, 4, 3, padding="same", strides=2),
    "separable_dilated": _layer("separable_conv2d", _IMAGE, 4, 2, dilation_rate=2),
    "max_pooling1d": _layer("max_pooling1d", _SEQUENCE, 3, 2),
    "average_pooling1d": _layer("average_pooling1d", _SEQUENCE, 3, 2, padding="same"),
    "max_pooling1d_first": _layer("max_pooling1d", _SEQUENCE, 2, 2, data_format="channels_first"),
    "max_pooling2d": _layer("max_pooling2d", _IMAGE, [2, 2], strides=2),
    "average_pooling2d": _layer("average_pooling2d", _IMAGE, 3, 2, padding="same", name="p"),
    "max_pooling3d": _layer("max_pooling3d", _VOLUME, 2, 2),
    "average_pooling3d": _layer("average_pooling3d", _VOLUME, 2, 2, padding="same"),
    "max_pooling3d_first": _layer("max_pooling3d", _VOLUME, 2, 2, data_format="channels_first"),
    "dense": _layer("dense", (4, 5), 3),
    "dense_3d": _layer("dense", (2, 3, 5), 4),
    "dense_no_bias": _layer("dense", (4, 5), 3, use_bias=False),
    "dense_untrainable": _layer("dense", (4, 5), 3, trainable=False, name="fixed"),
    "flatten": _layer("flatten", (2, 3, 4)),
    "flatten_first": _layer("flatten", (2, 3, 4), data_format="channels_first"),
    "dropout_off": _layer("dropout", (4, 5), 0.4),
    "dropout_zero": _layer("dropout", (4, 5), 0.0, training=True),
    "error_rank": _layer("dense", (4,), 3),
    "error_pool_rank": _layer("max_pooling2d", (4, 5, 6), 2, 2),
    "error_padding": _layer("conv2d", _IMAGE, 4, 3, padding="some"),
    "error_format": _layer("conv2d", _IMAGE, 4, 3, data_format="NHWC"),
    "error_kernel_size": _layer("conv2d", _IMAGE, 4, (3, 3, 3)),
    "error_strides": _layer("max_pooling2d", _IMAGE, 2, None),
    "error_keyword": _layer("conv2d", _IMAGE, 4, 3, activation="nothing"),
}


def default_initializers(tf, np):
    tf.set_random_seed(3)
    x = tf.constant(_data(np, 2, 8, 8, 1))
    y = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu)
    y = tf.layers.max_pooling2d(y, 2, 2)
    y = tf.layers.conv2d(y, 5, 2, activation="relu")
    y = tf.layers.dense(tf.layers.flatten(y), 6, activation=tf.nn.sigmoid)
    y = tf.layers.dropout(y, 0.3, training=True)
    y = tf.layers.dense(y, 2, activation="softmax")
    return _described(tf, {"y": y, "grads": tf.gradients(y[:, 0], tf.trainable_variables())})


def dropout_seeded(tf, np):
    x = tf.constant(_data(np, 6, 7))
    return {
        "y": tf.layers.dropout(x, 0.4, seed=11, training=True),
        "noise": tf.layers.dropout(x, 0.5, noise_shape=[None, 1], seed=5, training=True),
        "tensor": tf.layers.dropout(x, tf.constant(0.25), seed=4, training=tf.constant(True)),
    }


def dropout_fed(tf, np):
    training = tf.placeholder_with_default(False, [])
    x = tf.constant(_data(np, 6, 7))
    y = tf.layers.dropout(x, 0.4, seed=11, training=training)
    with tf.Session() as sess:
        off, on = sess.run(y), sess.run(y, {training: True})
    return {"off": off, "on": on}


dropout_fed.nodes = False  # tf.cond is an If node here, Switch and Merge in TensorFlow


def dropout_fed_scopes(tf, np):
    training = tf.placeholder_with_default(True, [])
    x = tf.constant(_data(np, 3, 4))
    y = tf.layers.dense(x, 5, kernel_initializer=_pattern(tf))
    y = tf.layers.dropout(y, 0.5, training=training)
    y = tf.layers.dense(y, 2, kernel_initializer=_pattern(tf))
    return {"names": _names(tf.global_variables())}


dropout_fed_scopes.nodes = False  # as above


def names(tf, np):
    x = tf.constant(_data(np, 2, 5))
    result = []
    for name in (None, None, "a", None):
        result.append(tf.layers.dense(x, 2, name=name, kernel_initializer=_pattern(tf)).name)
    with tf.variable_scope("s"):
        result.append(tf.layers.dense(x, 2, kernel_initializer=_pattern(tf)).name)
        result.append(tf.layers.dense(x, 2, kernel_initializer=_pattern(tf)).name)
    with tf.variable_scope("s"):
        result.append(tf.layers.dense(x, 2, kernel_initializer=_pattern(tf)).name)
    with tf.name_scope("n"):
        result.append(tf.layers.dense(x, 2, kernel_initializer=_pattern(tf)).name)
    result.append([tf.layers.Dense(3).name, tf.layers.Dense(3).name, tf.layers.Conv2D(3, 1).name])
    return _described(tf, {"tensors": result})


def reuse(tf, np):
    x = tf.constant(_data(np, 2, 5))
    a = tf.layers.dense(x, 3, name="d", kernel_initializer=_pattern(tf))
    b = tf.layers.dense(x * 2, 3, name="d", reuse=True)
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
        c = tf.layers.dense(x, 3, name="d", kernel_initializer=_pattern(tf))
    with tf.variable_scope("s", reuse=True):
        d = tf.layers.dense(x * 3, 3, name="d")
    with tf.variable_scope("t", reuse=tf.AUTO_REUSE):
        e = tf.layers.dense(x, 3, name="d", kernel_initializer=_pattern(tf))
        f = tf.layers.dense(x, 3, name="d", kernel_initializer=_pattern(tf))
    return _described(tf, {"all": [a, b, c, d, e, f]})


def reuse_missing(tf, np):
    return {"y": tf.layers.dense(tf.constant(_data(np, 2, 5)), 3, name="d", reuse=True)}


def reuse_forgotten(tf, np):
    x = tf.constant(_data(np, 2, 5))
    tf.layers.dense(x, 3, name="d")
    return {"y": tf.layers.dense(x, 3, name="d")}


def layer_called_twice(tf, np):
    layer = tf.layers.Dense(3, kernel_initializer=_pattern(tf), activation=tf.nn.tanh)
    a = layer(tf.constant(_data(np, 2, 5)))
    b = layer(tf.constant(_data(np, 3, 5)))
    c = layer.apply(tf.constant(_data(np, 1, 5)))
    return _described(
        tf,
        {
            "all": [a, b, c],
            "names": [a.name, b.name, c.name],
            "kernel": layer.kernel,
            "weights": _names(layer.weights),
            "params": layer.count_params(),
            "scope": layer.scope_name,
            "name": layer.name,
            "dtype": layer.dtype,
            "built": layer.built,
            "output shape": layer.compute_output_shape([None, 5]).as_list(),
        },
    )


def layer_wrong_input(tf, np):
    layer = tf.layers.Dense(3)
    layer(tf.constant(_data(np, 2, 5)))
    return {"y": layer(tf.constant(_data(np, 2, 4)))}


def layer_properties(tf, np):
    layer = tf.layers.Conv2D(3, [2, 3], strides=2, padding="SAME", name="c")
    config = layer.get_config()
    return {
        "shape": layer.compute_output_shape([None, 9, 8, 2]).as_list(),
        "config": [
            [k, str(config[k])]
            for k in (
                "name",
                "filters",
                "kernel_size",
                "strides",
                "padding",
                "data_format",
                "dilation_rate",
                "use_bias",
                "trainable",
                "dtype",
            )
        ],
        "spec": str(layer.input_spec),
        "pool": tf.layers.MaxPooling2D(3, 2).compute_output_shape([None, 9, 8, 2]).as_list(),
        "transposed": tf.layers.Conv2DTranspose(3, 2, strides=2)
        .compute_output_shape([None, 9, 8, 2])
        .as_list(),
        "flat": tf.layers.Flatten().compute_output_shape([None, 9, 8, 2]).as_list(),
    }


def scope_name_too_early(tf, np):
    return {"name": tf.layers.Dense(3).scope_name}


def count_too_early(tf, np):
    return {"count": tf.layers.Dense(3).count_params()}


def regularization(tf, np):
    def regularizer(weights):
        return tf.multiply(0.5, tf.reduce_sum(tf.square(weights)), name="half")

    x = tf.constant(_data(np, 2, 5))
    y = tf.layers.dense(
        x,
        3,
        kernel_initializer=_pattern(tf),
        kernel_regularizer=regularizer,
        bias_regularizer=regularizer,
        activity_regularizer=lambda t: tf.reduce_sum(tf.abs(t)),
        activation=tf.nn.relu,
        name="a",
    )
    z = tf.layers.dense(x, 3, kernel_regularizer=regularizer, name="a", reuse=True)
    with tf.variable_scope("s", regularizer=regularizer, initializer=_pattern(tf)):
        tf.layers.conv1d(tf.expand_dims(x, 2), 2, 2)
    losses = tf.losses.get_regularization_losses()
    return _described(
        tf,
        {
            "y": y,
            "z": z,
            "losses": losses,
            "names": _names(losses),
            "total": tf.losses.get_regularization_loss(),
            "of a": _names(tf.losses.get_regularization_losses("a")),
        },
    )


def constraint(tf, np):
    x = tf.constant(_data(np, 4, 3))
    y = tf.layers.dense(
        x, 2, kernel_initializer=_pattern(tf), kernel_constraint=lambda w: tf.clip_by_norm(w, 0.5)
    )
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y * y))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train)
        return {"kernel": sess.run(tf.trainable_variables()[0])}


def partitioned(tf, np):
    x = tf.constant(_data(np, 4, 6))
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        y = tf.layers.dense(x, 4, kernel_initializer=tf.ones_initializer())
    return _described(tf, {"y": y})


def resource_variables(tf, np):
    x = tf.constant(_data(np, 4, 6))
    with tf.variable_scope("s", use_resource=True):
        y = tf.layers.dense(x, 4, kernel_initializer=_pattern(tf))
        z = tf.layers.batch_normalization(y, training=True)
    return _described(
        tf, {"y": y, "z": z, "updates": _names(tf.get_collection(tf.GraphKeys.UPDATE_OPS))}
    )


def own_layer(tf, np):
    class Scale(tf.layers.Layer):
        def __init__(self, start, **kwargs):
            super(Scale, self).__init__(**kwargs)
            self.start = start

        def build(self, input_shape):
            self.factor = self.add_variable(
                "factor", [int(input_shape[-1])], initializer=tf.constant_initializer(self.start)
            )
            self.count = self.add_weight(
                "count", [], dtype=tf.int32, initializer=tf.zeros_initializer(), trainable=False
            )
            self.built = True

        def call(self, inputs, training=False):
            self.add_loss(tf.reduce_sum(self.factor), inputs=True)
            if training:
                self.add_update(tf.assign_add(self.count, 1))
            return inputs * self.factor

    layer = Scale(2.5)
    x = tf.constant(_data(np, 2, 3))
    y = layer(x, training=True)
    z = Scale(3.0, name="other")(x)
    return _described(
        tf,
        {
            "y": y,
            "z": z,
            "name": layer.name,
            "trainable of it": _names(layer.trainable_variables),
            "others of it": _names(layer.non_trainable_variables),
            "updates": _names(layer.updates),
            "losses": _names(layer.losses),
            "collected": _names(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)),
        },
    )


def layer_in_other_scope(tf, np):
    layer = tf.layers.Dense(2, kernel_initializer=_pattern(tf), name="d")
    with tf.variable_scope("a"):
        a = layer(tf.constant(_data(np, 2, 3)))
    with tf.variable_scope("b"):
        b = layer(tf.constant(_data(np, 2, 3)))
    return _described(tf, {"names": [a.name, b.name], "values": [a, b]})


def double_type(tf, np):
    x = tf.constant(_data(np, 2, 3).astype(np.float64))
    y = tf.layers.dense(x, 2, kernel_initializer=_pattern(tf))
    return {"y": y, "type": tf.trainable_variables()[0].dtype.name}


def integer_input(tf, np):
    return {"y": tf.layers.dense(tf.constant([[1, 2]]), 2)}


def unknown_channels(tf, np):
    return {"y": tf.layers.conv2d(tf.placeholder(tf.float32, [2, 5, 5, None]), 2, 2)}


def unknown_rank(tf, np):
    return {"y": tf.layers.dense(tf.placeholder(tf.float32), 2)}


def unknown_batch(tf, np):
    x = tf.placeholder_with_default(_data(np, 2, 8, 8, 1), [None, 8, 8, 1])
    y = tf.layers.conv2d(x, 2, 3, kernel_initializer=_pattern(tf))
    t = tf.layers.conv2d_transpose(y, 2, 3, strides=2, kernel_initializer=_pattern(tf))
    f = tf.layers.flatten(tf.layers.average_pooling2d(t, 2, 2))
    z = tf.layers.dense(f, 3, kernel_initializer=_pattern(tf))
    d = tf.layers.dense(y, 3, kernel_initializer=_pattern(tf))
    shapes = [str(v.shape) for v in (y, t, f, z, d)]
    return _described(tf, {"values": [y, t, f, z, d], "shapes": shapes})


def keras_style(tf, np):
    with tf.layers.experimental.keras_style_scope():
        tf.layers.Dense(3, _scope="a")


def input_spec(tf, np):
    spec = tf.layers.InputSpec(ndim=4, axes={-1: 3})
    return {"repr": repr(spec), "config": str(sorted(spec.get_config().items(), key=str))}


def get_and_set_weights(tf, np):
    layer = tf.layers.Dense(2, kernel_initializer=_pattern(tf))
    y = layer(tf.constant(_data(np, 2, 3)))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        before = sess.run(y)
        kernel, bias = sess.run(layer.weights)
        layer.kernel.load(kernel * 2, sess)
        return {"before": before, "after": sess.run(y), "bias": bias}
