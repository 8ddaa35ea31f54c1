"""tf.variable_scope and tf.get_variable: names, reuse, defaults, errors."""


def nested(tf, np):
    with tf.variable_scope("a"):
        x = tf.get_variable("x", [2, 2], initializer=tf.ones_initializer())
        with tf.variable_scope("b", reuse=tf.AUTO_REUSE) as inner:
            y = tf.get_variable("y", [2], dtype=tf.int32)
            again = tf.get_variable("y", [2], dtype=tf.int32)
            tf.constant(1)
    with tf.variable_scope("a", reuse=True):
        z = tf.get_variable("x")
        tf.constant(1)
    with tf.variable_scope(inner):
        tf.constant(2)
        w = tf.get_variable("w", [1])
    return {
        "same": [x is z, y is again],
        "x": x,
        "y": y,
        "name": w.name,
        "scope": inner.name,
        "original": inner.original_name_scope,
    }


def default_names(tf, np):
    names = []
    for _ in range(3):
        with tf.variable_scope(None, "layer") as scope:
            names.append(tf.get_variable("w", initializer=3.0).name)
            names.append(scope.name)
            names.append(tf.constant(1).name)
    with tf.variable_scope("outer"):
        for _ in range(2):
            with tf.variable_scope(None, default_name="layer"):
                names.append(tf.get_variable("w", initializer=3.0).name)
    return {"names": names}


def repeated(tf, np):
    """A scope that is opened again has its variables' names, but new names of operations."""
    names = []
    for _ in range(2):
        with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
            names.append(tf.get_variable("w", initializer=3.0).name)
            names.append(tf.constant(1).name)
    with tf.variable_scope("s") as scope:
        pass
    with tf.variable_scope(scope, reuse=True):
        names.append(tf.get_variable("w").name)
        names.append(tf.constant(1).name)
    with tf.name_scope(scope.original_name_scope):
        names.append(tf.constant(1).name)
    return {"names": names}


def reentered(tf, np):
    """One scope object, opened twice."""
    scope = tf.variable_scope("s", reuse=tf.AUTO_REUSE)
    names = []
    for _ in range(2):
        with scope:
            names.append(tf.get_variable("w", initializer=1.0).name)
            names.append(tf.constant(1).name)
    return {"names": names}


def name_scopes(tf, np):
    """Name scopes are no part of the names that get_variable gives."""
    with tf.name_scope("n"):
        with tf.variable_scope("v"):
            a = tf.get_variable("a", initializer=1.0)
            b = tf.Variable(1.0, name="b")
            c = tf.add(1.0, 2.0, name="c")
    with tf.variable_scope("aux", auxiliary_name_scope=False):
        d = tf.get_variable("d", initializer=1.0)
        e = tf.constant(1, name="e")
    with tf.variable_scope(""):
        f = tf.get_variable("f", initializer=1.0)
    return {"names": [t.name for t in (a, b, c, d, e, f)]}


def defaults(tf, np):
    """A scope's initializer, type, regularizer; inner scopes inherit them."""
    with tf.variable_scope(
        "s",
        initializer=tf.constant_initializer(0.5),
        dtype=tf.float64,
        regularizer=lambda v: tf.reduce_sum(v, axis=0),
    ) as scope:
        a = tf.get_variable("a", [2])
        with tf.variable_scope("t"):
            b = tf.get_variable("b", [1])
        c = tf.get_variable("c", [1], regularizer=tf.no_regularizer)
        d = tf.get_variable("d", [1], initializer=tf.zeros_initializer(), dtype=tf.float32)
        scope.set_initializer(tf.ones_initializer())
        e = tf.get_variable("e", [1])
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    return {"a": a, "b": b, "c": c, "d": d, "e": e, "losses": [t.name for t in losses]}


def default_initializers(tf, np):
    tf.set_random_seed(1)
    return {
        "float": tf.get_variable("float", [3, 2]),
        "int": tf.get_variable("int", [2], dtype=tf.int64),
        "bool": tf.get_variable("bool", [2], dtype=tf.bool),
    }


def values_as_initializers(tf, np):
    return {
        "number": tf.get_variable("number", initializer=3.0),
        "array": tf.get_variable("array", initializer=np.array([1, 2])),
        "tensor": tf.get_variable("tensor", initializer=tf.fill([2], 7)),
        "function": tf.get_variable("function", initializer=lambda: tf.zeros([2])),
        "class": tf.get_variable("class", [2], initializer=tf.ones_initializer),
        "own": tf.get_variable(
            "own", [2], initializer=lambda shape, dtype, partition_info: tf.fill(shape, 4.0)
        ),
    }


def local(tf, np):
    with tf.variable_scope("s"):
        a = tf.get_local_variable("a", initializer=1.0)
        b = tf.get_local_variable(
            "b", [2], collections=["mine"], initializer=tf.zeros_initializer()
        )
    return {
        "local": [v.name for v in tf.local_variables()],
        "global": [v.name for v in tf.global_variables()],
        "trainable": [v.name for v in tf.trainable_variables()],
        "mine": [v.name for v in tf.get_collection("mine")],
        "a": a,
        "b": b,
    }


def resources(tf, np):
    with tf.variable_scope("s", use_resource=True):
        a = tf.get_variable("a", initializer=1.0)
        b = tf.Variable(1.0, name="b")
    with tf.variable_scope("t"):
        c = tf.get_variable("c", initializer=1.0, use_resource=True)
        d = tf.get_variable("d", initializer=1.0)
    return {"types": [v.op.type for v in (a, b, c, d)], "a": a + b + c + d}


def custom_getters(tf, np):
    def inner(getter, name, *args, **kwargs):
        return getter(name + "_inner", *args, **kwargs)

    def outer(getter, name, *args, **kwargs):
        return tf.identity(getter(name + "_outer", *args, **kwargs), name="got")

    with tf.variable_scope("a", custom_getter=outer):
        with tf.variable_scope("b", custom_getter=inner):
            x = tf.get_variable("x", initializer=1.0)
        y = tf.get_variable("y", initializer=2.0, custom_getter=inner)
    return {"x": x, "y": y, "names": [v.name for v in tf.global_variables()]}


def collections_of_scope(tf, np):
    with tf.variable_scope("a") as scope:
        tf.get_variable("x", initializer=1.0)
        tf.get_variable("y", initializer=1.0, trainable=False)
    tf.get_variable("ab", initializer=1.0)
    return {
        "global": [v.name for v in scope.global_variables()],
        "trainable": [v.name for v in scope.trainable_variables()],
        "local": scope.local_variables(),
        "current": tf.get_variable_scope().name,
        "reuse": tf.get_variable_scope().reuse,
    }


def reuse_variables(tf, np):
    with tf.variable_scope("a") as scope:
        x = tf.get_variable("x", initializer=1.0)
        scope.reuse_variables()
        y = tf.get_variable("x")
    return {"same": x is y, "reuse": scope.reuse}


def op_scope(tf, np):
    with tf.variable_op_scope([tf.constant(1)], None, "d") as scope:
        return {"name": tf.get_variable("x", initializer=1.0).name, "scope": scope.name}


def constraints(tf, np):
    with tf.variable_scope("s", constraint=lambda v: v * 2.0):
        x = tf.get_variable("x", initializer=1.0)
    return {"constraint": x.constraint(3.0)}


def partitioned(tf, np):
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        x = tf.get_variable("x", [5, 2], initializer=tf.ones_initializer())
        scalar = tf.get_variable("scalar", [], initializer=tf.zeros_initializer())
    y = tf.get_variable(
        "y",
        initializer=tf.constant([[1.0, 2.0], [3.0, 4.0]]),
        partitioner=tf.fixed_size_partitioner(2, axis=1),
    )
    with tf.variable_scope("s", reuse=True):
        again = tf.get_variable("x", [5, 2], partitioner=tf.fixed_size_partitioner(2))
    return {
        "x": tf.convert_to_tensor(x),
        "y": y.as_tensor(),
        "scalar": scalar,
        "same": again is x,
        "specs": [v._get_save_slice_info().spec for v in x],
        "names": [v.name for v in tf.global_variables()],
        "sum": tf.add(x, 1.0),
    }


def partitioned_glorot(tf, np):
    """Each part gets numbers of its own, scaled by the whole."""
    tf.set_random_seed(2)
    x = tf.get_variable("x", [4, 3], partitioner=tf.fixed_size_partitioner(2))
    return {"x": tf.convert_to_tensor(x)}


def partitioners(tf, np):
    shape = tf.TensorShape([1000, 10])
    return {
        "size": tf.variable_axis_size_partitioner(4000)(shape, tf.float32),
        "most": tf.variable_axis_size_partitioner(4000, max_shards=3)(shape, tf.float32),
        "text": tf.variable_axis_size_partitioner(4000, axis=1)(shape, tf.string),
        "min": tf.min_max_variable_partitioner(8, min_slice_size=10000)(shape, tf.float32),
        "fixed": tf.fixed_size_partitioner(5)(shape=shape, dtype=tf.float32),
    }


def created_parts(tf, np):
    parts = tf.create_partitioned_variables([4, 2], [2, 1], tf.ones_initializer(), name="x")
    return {"names": [p.name for p in parts], "sum": tf.add_n(parts)}


def error_exists(tf, np):
    tf.get_variable("x", [3, 2], initializer=tf.zeros_initializer())
    tf.get_variable("x", [3, 2])


def error_missing(tf, np):
    with tf.variable_scope("a", reuse=True):
        tf.get_variable("x", [3, 2])


def error_shape(tf, np):
    tf.get_variable("x", [3, 2], initializer=tf.zeros_initializer())
    with tf.variable_scope("", reuse=True):
        tf.get_variable("x", [3, 3])


def error_dtype(tf, np):
    tf.get_variable("x", [3, 2], initializer=tf.zeros_initializer())
    with tf.variable_scope("", reuse=True):
        tf.get_variable("x", [3, 2], dtype=tf.int32)


def error_initializer_dtype(tf, np):
    tf.get_variable("x", initializer=3.0, dtype=tf.int32)


def error_initializer_shape(tf, np):
    tf.get_variable("x", [2], initializer=[3.0, 4.0])


def error_no_shape(tf, np):
    tf.get_variable("x")


def error_no_name(tf, np):
    tf.variable_scope(None)


def error_reuse_value(tf, np):
    tf.variable_scope("a", reuse=3)


def error_reuse_default(tf, np):
    with tf.variable_scope(None, "a", reuse=True):
        pass


def error_scope_type(tf, np):
    with tf.variable_scope(3):
        pass


def error_getter(tf, np):
    tf.get_variable("x", [1], custom_getter=3)


def error_partitioned_exists(tf, np):
    tf.get_variable("x", [4], partitioner=tf.fixed_size_partitioner(2))
    tf.get_variable("x", [4])


def error_partitioned_again(tf, np):
    tf.get_variable("x", [4], partitioner=tf.fixed_size_partitioner(2))
    tf.get_variable("x", [4], partitioner=tf.fixed_size_partitioner(2))


def error_two_axes(tf, np):
    tf.get_variable("x", [4, 4], partitioner=lambda shape, dtype: [2, 2])
