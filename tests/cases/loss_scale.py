"""Loss scaling: `tf.train.experimental`'s loss scales and the optimizer that uses them."""


def _train(tf, loss_scale, factors):
    """A variable, its scale and its slot after each step; a step multiplies the loss by a factor."""
    factor = tf.placeholder(tf.float32, [])
    w = tf.get_variable("w", initializer=[1.0, -2.0])
    step = tf.train.get_or_create_global_step()
    inner = tf.train.MomentumOptimizer(0.1, 0.5)
    optimizer = tf.train.experimental.MixedPrecisionLossScaleOptimizer(inner, loss_scale)
    loss = tf.reduce_sum(w * w) * factor
    train = optimizer.minimize(loss, global_step=step)
    names = sorted(v.name for v in tf.global_variables())
    history = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for value in factors:
            session.run(train, {factor: value})
            history.append(session.run([w, step, optimizer._loss_scale()]))
        slot = session.run(inner.get_slot(w, "momentum"))
    return {
        "w": [h[0] for h in history],
        "step": [int(h[1]) for h in history],
        "scale": [float(h[2]) for h in history],
        "slot": slot,
        "names": names,
        "slots": optimizer.get_slot_names(),
    }


def fixed(tf, np):
    return _train(tf, 128, [1.0, 1.0, 0.5])


def dynamic_grows(tf, np):
    scale = tf.train.experimental.DynamicLossScale(4, increment_period=2, multiplier=3.0)
    return _train(tf, scale, [1.0, 1.0, 1.0, 0.5, 0.5])


def dynamic_skips(tf, np):
    scale = tf.train.experimental.DynamicLossScale(4, increment_period=2)
    return _train(tf, scale, [1.0, 3e38, float("nan"), float("inf"), 1.0, 1.0, 1.0])


# relight's conditionals are If nodes with functions; TensorFlow's are Switch and Merge.
dynamic_grows.nodes = dynamic_skips.nodes = False


def gradients_are_scaled_back(tf, np):
    w = tf.get_variable("w", initializer=[1.0, -2.0])
    inner = tf.train.GradientDescentOptimizer(0.1)
    optimizer = tf.train.experimental.MixedPrecisionLossScaleOptimizer(inner, 1024)
    table = tf.get_variable("table", initializer=np.ones([4, 2], np.float32))
    loss = tf.reduce_sum(w * w) + tf.reduce_sum(tf.nn.embedding_lookup(table, [1, 3]))
    (dense, _), (sparse, _), (none, _) = optimizer.compute_gradients(
        loss, [w, table, tf.get_variable("unused", initializer=1.0)]
    )
    return {"dense": dense, "values": sparse.values, "rows": sparse.indices, "none": none is None}


def configs(tf, np):
    e = tf.train.experimental
    fixed_scale = e.FixedLossScale.from_config(e.FixedLossScale(8).get_config())
    dynamic = e.DynamicLossScale(16, increment_period=3, multiplier=4)
    return {
        "fixed": str(fixed_scale),
        "fixed_config": str(sorted(fixed_scale.get_config().items())),
        "dynamic": str(sorted(dynamic.get_config().items())),
        "properties": [dynamic.initial_loss_scale, dynamic.increment_period, dynamic.multiplier],
        "value": fixed_scale(),
        "update": fixed_scale.update([1.0])[1],
    }


def _fails(build):
    def case(tf, np):
        build(tf)

    return case


CASES = {
    "fails_" + name: _fails(build)
    for name, build in {
        "below_one": lambda tf: tf.train.experimental.FixedLossScale(0.5),
        "no_number": lambda tf: tf.train.experimental.FixedLossScale("1"),
        "unknown": lambda tf: tf.train.experimental.MixedPrecisionLossScaleOptimizer(
            tf.train.AdamOptimizer(), "static"
        ),
        "no_optimizer": lambda tf: tf.train.experimental.MixedPrecisionLossScaleOptimizer(3, 2),
        "enable_for_nothing": lambda tf: tf.train.experimental.enable_mixed_precision_graph_rewrite(
            3
        ),
        "enable_twice": lambda tf: tf.train.experimental.enable_mixed_precision_graph_rewrite(
            tf.train.experimental.MixedPrecisionLossScaleOptimizer(tf.train.AdamOptimizer(), 2)
        ),
    }.items()
}
