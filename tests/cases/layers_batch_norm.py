"""tf.layers.batch_normalization: fused and not, training and not, renorm, virtual batches."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _names(values):
    return [v.name for v in values]


def _trained(tf, np, shape, **keywords):
    x = tf.constant(_data(np, *shape), name="x")
    y = tf.layers.batch_normalization(x, **keywords)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    loss = tf.reduce_sum(y * tf.constant(_data(np, *shape)[..., ::-1]))
    grads = tf.gradients(loss, [x] + tf.trainable_variables())
    variables = tf.global_variables()
    result = {
        "updates": _names(updates),
        "variables": _names(variables),
        "trainable": _names(tf.trainable_variables()),
        "losses": _names(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)),
    }
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        result["y"], result["grads"] = sess.run([y, [g for g in grads if g is not None]])
        for _ in range(3):
            sess.run(updates)
        result["after"] = sess.run(variables)
        result["y after"] = sess.run(y)
    return result


def _case(shape, **keywords):
    def case(tf, np):
        return _trained(tf, np, shape, **keywords)

    case.rtol, case.atol = 1e-4, 1e-4
    return case


_IMAGE, _MATRIX, _SEQUENCE = (2, 4, 5, 3), (6, 4), (2, 5, 3)
CASES = {
    "inference": _case(_IMAGE),
    "training": _case(_IMAGE, training=True),
    "training_plain": _case(_IMAGE, training=True, fused=False),
    "inference_plain": _case(_IMAGE, fused=False),
    "matrix": _case(_MATRIX, training=True),
    "matrix_inference": _case(_MATRIX),
    "sequence": _case(_SEQUENCE, training=True, momentum=0.8, epsilon=0.1),
    "axis_1": _case(_IMAGE, training=True, axis=1, fused=False),
    "axes": _case(_IMAGE, training=True, axis=[1, 3]),
    "no_scale": _case(_IMAGE, training=True, scale=False),
    "no_center": _case(_IMAGE, training=True, center=False, name="bn"),
    "neither": _case(_MATRIX, training=True, center=False, scale=False),
    "untrainable": _case(_IMAGE, training=True, trainable=False),
    "renorm": _case(_MATRIX, training=True, renorm=True),
    "renorm_clipped": _case(
        _IMAGE,
        training=True,
        renorm=True,
        renorm_momentum=0.7,
        renorm_clipping={"rmin": 0.5, "rmax": 1.5, "dmax": 0.25},
    ),
    "renorm_inference": _case(_MATRIX, renorm=True),
    "virtual": _case((6, 4), training=True, virtual_batch_size=2),
    "one": _case(_MATRIX, training=1),
    "error_axis": _case(_MATRIX, axis=5),
    "error_axis_type": _case(_MATRIX, axis="all"),
    "error_clipping": _case(_MATRIX, renorm=True, renorm_clipping={"max": 1.0}),
    "error_virtual": _case(_MATRIX, virtual_batch_size=0),
}


def adjusted(tf, np):
    def adjustment(shape):
        return tf.ones([shape[0], 1]) * 2.0, tf.ones([shape[0], 1]) * 0.5

    return _trained(tf, np, _MATRIX, training=True, adjustment=adjustment)


adjusted.rtol = adjusted.atol = 1e-4


def _fed(shape, **keywords):
    def case(tf, np):
        training = tf.placeholder_with_default(False, [])
        x = tf.constant(_data(np, *shape))
        y = tf.layers.batch_normalization(x, training=training, **keywords)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        variables = tf.global_variables()
        gradient = tf.gradients(y * y * y, x)
        result = {"names": _names(variables), "trainable": _names(tf.trainable_variables())}
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            result["off"] = sess.run([y, gradient])
            sess.run(updates)
            result["untouched"] = sess.run(variables)
            result["on"] = sess.run([y, gradient], {training: True})
            sess.run(updates, {training: True})
            result["moved"] = sess.run(variables)
            result["then"] = sess.run(y)
        return result

    case.nodes = False  # tf.cond is an If node here, Switch and Merge in TensorFlow
    case.rtol, case.atol = 1e-4, 1e-4
    return case


CASES["fed"] = _fed(_IMAGE)
CASES["fed_plain"] = _fed(_MATRIX)
CASES["fed_renorm"] = _fed(_MATRIX, renorm=True)


def reused(tf, np):
    x = tf.constant(_data(np, *_IMAGE))
    a = tf.layers.batch_normalization(x, training=True, name="bn")
    b = tf.layers.batch_normalization(x * 2, training=True, name="bn", reuse=True)
    return {
        "values": [a, b],
        "variables": _names(tf.global_variables()),
        "updates": _names(tf.get_collection(tf.GraphKeys.UPDATE_OPS)),
    }


def two_layers_trained(tf, np):
    x = tf.constant(_data(np, 4, 6, 6, 1))
    ones = tf.ones_initializer()
    y = tf.layers.conv2d(x, 3, 3, kernel_initializer=ones, use_bias=False)
    y = tf.nn.relu(tf.layers.batch_normalization(y, training=True, momentum=0.9))
    y = tf.layers.dense(tf.layers.flatten(y), 4, kernel_initializer=ones)
    y = tf.layers.batch_normalization(y, training=True, momentum=0.9)
    loss = tf.reduce_mean(tf.square(y - tf.constant(_data(np, 4, 4))))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    losses = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            losses.append(sess.run([loss, train])[0])
        after = sess.run(tf.global_variables())
    return {"losses": losses, "after": after}


two_layers_trained.rtol = two_layers_trained.atol = 1e-3


def regularized(tf, np):
    def regularizer(w):
        return tf.reduce_sum(w)

    return _trained(
        tf, np, _MATRIX, training=True, beta_regularizer=regularizer, gamma_regularizer=regularizer
    )


regularized.rtol = regularized.atol = 1e-4


def layer(tf, np):
    bn = tf.layers.BatchNormalization(momentum=0.5)
    x = tf.constant(_data(np, *_MATRIX))
    y = bn(x, training=True)
    return {
        "y": y,
        "name": bn.name,
        "weights": _names(bn.weights),
        "trainable": _names(bn.trainable_weights),
        "updates": _names(bn.updates),
        "conditional": _names(bn.get_updates_for(x)),
        "unconditional": _names(bn.get_updates_for(None)),
        "config": [
            [k, str(v)] for k, v in sorted(bn.get_config().items()) if "initializer" not in k
        ],
    }
