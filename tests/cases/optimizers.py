"""Optimizers: nodes of a training step, slots, and variables after several steps."""


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
            "slot names": optimizer.get_slot_names(),
            "variables": [v.name for v in optimizer.variables()],
            "train op": step.name,
            "collections": sorted(tf.get_default_graph().get_all_collection_keys()),
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


OPTIMIZERS = {
    "sgd": lambda tf, g: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda tf, g: tf.train.MomentumOptimizer(0.1, 0.9),
    "nesterov": lambda tf, g: tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "adam": lambda tf, g: tf.train.AdamOptimizer(0.1),
    "adagrad": lambda tf, g: tf.train.AdagradOptimizer(0.1),
    "adagrad_da": lambda tf, g: tf.train.AdagradDAOptimizer(
        0.1, g, l1_regularization_strength=0.01, l2_regularization_strength=0.1
    ),
    "adagrad_da_plain": lambda tf, g: tf.train.AdagradDAOptimizer(0.1, g),
    "adadelta": lambda tf, g: tf.train.AdadeltaOptimizer(1.0),
    "rmsprop": lambda tf, g: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "rmsprop_centered": lambda tf, g: tf.train.RMSPropOptimizer(0.1, centered=True, momentum=0.3),
    "ftrl": lambda tf, g: tf.train.FtrlOptimizer(
        0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.1
    ),
    "ftrl_shrinkage": lambda tf, g: tf.train.FtrlOptimizer(
        0.1, l1_regularization_strength=0.01, l2_shrinkage_regularization_strength=0.1
    ),
    "ftrl_power": lambda tf, g: tf.train.FtrlOptimizer(0.1, learning_rate_power=-0.7),
    "proximal_sgd": lambda tf, g: tf.train.ProximalGradientDescentOptimizer(0.1, 0.1, 0.2),
    "proximal_sgd_plain": lambda tf, g: tf.train.ProximalGradientDescentOptimizer(0.1),
    "proximal_adagrad": lambda tf, g: tf.train.ProximalAdagradOptimizer(
        0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2
    ),
}

CASES = {}
for _name, _make in OPTIMIZERS.items():
    CASES["dense_" + _name] = _step(_make)
    CASES["sparse_" + _name] = _step(_make, sparse=True)
    CASES["resource_dense_" + _name] = _step(_make, resource=True)
    CASES["resource_sparse_" + _name] = _step(_make, sparse=True, resource=True)
CASES["float64_adam"] = _step(OPTIMIZERS["adam"], dtype="float64")
CASES["float64_momentum"] = _step(OPTIMIZERS["momentum"], dtype="float64")
CASES["no_global_step"] = _step(OPTIMIZERS["sgd"], global_step=False)
CASES["gate_none"] = _step(OPTIMIZERS["sgd"], gate_gradients=0)
CASES["gate_graph"] = _step(OPTIMIZERS["sgd"], gate_gradients=2)
CASES["named"] = _step(OPTIMIZERS["momentum"], name="train")
CASES["colocated"] = _step(OPTIMIZERS["sgd"], colocate_gradients_with_ops=True)


def rate_from_schedule(tf, np):
    """A learning rate that is a tensor, here of the global step."""
    return _step(
        lambda tf, g: tf.train.GradientDescentOptimizer(tf.train.exponential_decay(0.1, g, 1, 0.5))
    )(tf, np)


def rate_is_callable(tf, np):
    return _step(lambda tf, g: tf.train.AdamOptimizer(lambda: 0.2))(tf, np)


def variables_by_list(tf, np):
    """Only the listed variables change; the others have no gradients."""
    v, w = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="w")
    optimizer = tf.train.GradientDescentOptimizer(0.5)
    pairs = optimizer.compute_gradients(v * w * w, var_list=[w])
    step = optimizer.apply_gradients(pairs)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        return {"v": session.run(v), "w": session.run(w), "pairs": len(pairs)}


def none_gradients(tf, np):
    """A variable that the loss does not depend on keeps its value."""
    v, w = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="w")
    optimizer = tf.train.MomentumOptimizer(0.5, 0.9)
    pairs = optimizer.compute_gradients(v * v)
    step = optimizer.apply_gradients(pairs)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        return {
            "v": session.run(v),
            "w": session.run(w),
            "none": [g is None for g, _ in pairs],
            "slot of w": optimizer.get_slot(w, "momentum") is None,
            "slot of v": optimizer.get_slot(v, "momentum").name,
        }


def clipped(tf, np):
    """Gradients changed between computing and applying them."""
    w = tf.Variable([3.0, -4.0], name="w")
    optimizer = tf.train.AdamOptimizer(0.1)
    pairs = optimizer.compute_gradients(tf.reduce_sum(tf.square(w)))
    step = optimizer.apply_gradients([(tf.clip_by_norm(g, 1.0), v) for g, v in pairs])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([step])
        session.run([step])
        return {"w": session.run(w)}


def constraint(tf, np):
    """A constraint is applied after each update."""
    w = tf.get_variable(
        "w", initializer=[3.0, -4.0], constraint=lambda v: tf.clip_by_value(v, -1.0, 1.0)
    )
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(w)))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        return {"w": session.run(w)}


def two_optimizers(tf, np):
    """Slots of two optimizers of one kind get different names."""
    w = tf.Variable([3.0, -4.0], name="w")
    loss = tf.reduce_sum(tf.square(w))
    first = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    second = tf.train.MomentumOptimizer(0.2, 0.9).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(first)
        session.run(second)
        return {"w": session.run(w), "names": [v.name for v in tf.global_variables()]}


def partitioned(tf, np):
    """Slots of the parts of a partitioned variable are parts too."""
    w = tf.get_variable(
        "w", [4, 2], initializer=tf.ones_initializer(), partitioner=tf.fixed_size_partitioner(2)
    )
    optimizer = tf.train.AdagradOptimizer(0.1)
    step = optimizer.minimize(tf.reduce_sum(tf.square(tf.convert_to_tensor(w))))
    infos = [optimizer.get_slot(v, "accumulator")._get_save_slice_info() for v in w]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        return {
            "w": session.run(w.as_tensor()),
            "slices": [i.full_name + " " + i.spec for i in infos],
        }


def error_no_variables(tf, np):
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1.0))


def error_no_gradients(tf, np):
    w = tf.Variable(1.0, name="w")
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1.0), var_list=[w])


def error_integer_loss(tf, np):
    tf.Variable(1, name="w")
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1))


error_integer_loss.message = False  # it lists a set, in any order


def error_gate(tf, np):
    w = tf.Variable(1.0, name="w")
    tf.train.GradientDescentOptimizer(0.1).minimize(w * w, gate_gradients=7)


def error_empty(tf, np):
    tf.train.GradientDescentOptimizer(0.1).apply_gradients([])


def error_all_none(tf, np):
    w = tf.Variable(1.0, name="w")
    tf.train.GradientDescentOptimizer(0.1).apply_gradients([(None, w)])


def error_name(tf, np):
    tf.train.GradientDescentOptimizer(0.1, name="")


def error_adagrad(tf, np):
    tf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.0)


def error_ftrl(tf, np):
    tf.train.FtrlOptimizer(0.1, learning_rate_power=0.5)


def error_uninitialized(tf, np):
    w = tf.Variable(1.0, name="w")
    step = tf.train.GradientDescentOptimizer(0.1).minimize(w * 2.0)
    with tf.Session() as session:
        session.run(step)


error_uninitialized.message = False  # which of two reads fails first is not fixed
