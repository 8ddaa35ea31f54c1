"""Optimizers of tf.contrib.opt: variables after several steps."""


def _step(make, sparse=False, resource=False, dtype="float32", steps=3, global_step=True, **apply):
    """A case: `steps` of the optimizer that `make(tf, global_step)` gives, on a small loss."""

    def case(tf, np):
        w = tf.Variable(
            np.array([[1.0, -2.0], [3.0, 4.0], [0.5, 0.6]], dtype), name="w", use_resource=resource
        )
        b = tf.Variable(np.array([0.1, -0.2], dtype), name="b", use_resource=resource)
        if sparse:
            y = tf.reduce_sum(tf.square(tf.gather(w, [0, 2, 0]) + b))
        else:
            x = tf.constant(np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.25]], dtype))
            y = tf.reduce_mean(tf.square(tf.matmul(x, w) + b))
        count = tf.Variable(0, trainable=False, name="global_step", dtype=tf.int64)
        optimizer = make(tf, count)
        step = optimizer.minimize(y, global_step=count if global_step else None, **apply)
        found = {
            "train op": step.name,
        }
        initialize = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(initialize)
            for _ in range(steps):
                session.run(step)
            for v in tf.global_variables():
                found[v.name] = session.run(v)
        return found

    return case


_MAKERS = {
    "lazy_adam": lambda tf, g: tf.contrib.opt.LazyAdamOptimizer(0.1),
    "nadam": lambda tf, g: tf.contrib.opt.NadamOptimizer(0.1),
    "adamax": lambda tf, g: tf.contrib.opt.AdaMaxOptimizer(0.1),
    "adamw": lambda tf, g: tf.contrib.opt.AdamWOptimizer(0.01, learning_rate=0.1),
    "momentumw": lambda tf, g: tf.contrib.opt.MomentumWOptimizer(0.01, 0.1, 0.9),
    "lars": lambda tf, g: tf.contrib.opt.LARSOptimizer(0.5, weight_decay=0.01, eeta=0.1),
    "lars_nesterov": lambda tf, g: tf.contrib.opt.LARSOptimizer(
        0.5, 0.8, skip_list=["b:"], use_nesterov=True
    ),
    "extended": lambda tf, g: tf.contrib.opt.extend_with_decoupled_weight_decay(
        tf.train.GradientDescentOptimizer
    )(weight_decay=0.01, learning_rate=0.1),
}
_DENSE = {
    "add_sign": lambda tf, g: tf.contrib.opt.AddSignOptimizer(0.1),
    "power_sign": lambda tf, g: tf.contrib.opt.PowerSignOptimizer(0.1),
    "moving_average": lambda tf, g: tf.contrib.opt.MovingAverageOptimizer(
        tf.train.GradientDescentOptimizer(0.1), average_decay=0.5
    ),
}
CASES = {}
for _name, _make in list(_MAKERS.items()) + list(_DENSE.items()):
    # With reference variables TensorFlow's decay races with the reads of the same step.
    if _name not in ("adamw", "momentumw", "extended"):
        CASES["dense_" + _name] = _step(_make)
        if _name in _MAKERS:
            CASES["sparse_" + _name] = _step(_make, sparse=True)
    CASES["resource_dense_" + _name] = _step(_make, resource=True)
    if _name in _MAKERS:
        CASES["resource_sparse_" + _name] = _step(_make, sparse=True, resource=True)
for _name in ("sparse_nadam", "resource_sparse_nadam", "sparse_adamax", "resource_sparse_adamax"):
    CASES[_name].nodes = False  # the sums of rows are built with fewer nodes
for _name in ("dense_moving_average", "resource_dense_moving_average"):
    CASES[_name].nodes = False  # a variable's initialized value is an If node


def swapping_saver(tf, np):
    """A checkpoint of the swapping saver holds averages under the variables' names."""
    import os
    import tempfile

    w = tf.Variable(1.0, name="w")
    optimizer = tf.contrib.opt.MovingAverageOptimizer(
        tf.train.GradientDescentOptimizer(0.5), average_decay=0.5
    )
    step = optimizer.minimize(w * w)
    saver = optimizer.swapping_saver()
    with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        saved = saver.save(session, os.path.join(folder, "model"))
        reader = tf.train.NewCheckpointReader(saved)
        return {
            "w": reader.get_tensor("w"),
            "average": reader.get_tensor("w/ExponentialMovingAverage"),
        }


swapping_saver.nodes = False  # temporary names


def error_saver_too_early(tf, np):
    tf.contrib.opt.MovingAverageOptimizer(tf.train.GradientDescentOptimizer(0.5)).swapping_saver()
