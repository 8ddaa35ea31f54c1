"""`cond`, `case`, `while_loop` and what is built on them.

Nodes are not compared: relight builds If and While nodes, TensorFlow 1.15 Switch and Merge by
default (docs/design).
"""

NODES = False


def cond_both_ways(tf, np):
    x = tf.placeholder(tf.float32, [2])
    p = tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: tf.exp(x) * x, lambda: x + 1.0)
    g = tf.gradients(y, x)[0]
    with tf.Session() as sess:
        return {
            "true": sess.run([y, g], {x: [1.0, 2.0], p: True}),
            "false": sess.run([y, g], {x: [1.0, 2.0], p: False}),
        }


def cond_structures(tf, np):
    p = tf.constant(2) < tf.constant(3)
    a, b = tf.constant(1.0), tf.constant(2.0)
    pair = tf.cond(p, lambda: (a, b), lambda: (b, a))
    single = tf.cond(p, lambda: [a], lambda: [b])
    strict = tf.cond(p, lambda: [a], lambda: [b], strict=True)
    named = tf.cond(p, lambda: {"u": a, "v": b}, lambda: {"u": b, "v": a})
    plain = tf.cond(p, lambda: 5, lambda: 6)
    return {"pair": list(pair), "single": single, "strict": strict, "u": named["u"], "plain": plain}


def cond_assigns(tf, np):
    v = tf.Variable(1.0)
    p = tf.placeholder(tf.bool, [])
    step = tf.cond(p, lambda: tf.assign_add(v, 10.0), lambda: tf.assign_sub(v, 1.0))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        results = []
        for flag in (True, False, True):
            sess.run(step, {p: flag})
            results.append(sess.run(v))
        return {"values": results}


def cond_nested(tf, np):
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 0, lambda: tf.cond(x > 10, lambda: x * x, lambda: x * 3.0), lambda: -x)
    g = tf.gradients(y, x)[0]
    with tf.Session() as sess:
        return {"%g" % v: sess.run([y, g], {x: v}) for v in (-2.0, 2.0, 20.0)}


def cond_not_callable(tf, np):
    return {"y": tf.cond(tf.constant(True), tf.constant(1), lambda: tf.constant(2))}


def cond_python_bool(tf, np):
    return {"y": tf.cond(True, lambda: tf.constant(1), lambda: tf.constant(2))}


def cond_types_differ(tf, np):
    return {"y": tf.cond(tf.constant(True), lambda: tf.constant(1), lambda: tf.constant(2.0))}


cond_types_differ.message = False


def case_chain(tf, np):
    x = tf.placeholder(tf.int32, [])
    y = tf.case(
        [(x < 1, lambda: tf.constant(10)), (x < 5, lambda: tf.constant(20))],
        default=lambda: tf.constant(30),
    )
    with tf.Session() as sess:
        return {"values": [int(sess.run(y, {x: v})) for v in (0, 3, 9)]}


def loop_counts(tf, np):
    i = tf.constant(0)
    return {"i": tf.while_loop(lambda i: i < 10, lambda i: i + 1, [i])}


def loop_power(tf, np):
    x = tf.placeholder(tf.float32, [2])
    n = tf.placeholder(tf.int32, [])
    _, y = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * x), [0, x])
    g = tf.gradients(y, x)[0]
    with tf.Session() as sess:
        return {"n=%d" % k: sess.run([y, g], {x: [1.5, -2.0], n: k}) for k in (0, 1, 5)}


def loop_of_matmul(tf, np):
    w = tf.get_variable("w", initializer=np.float32([[0.5, 0.1], [-0.3, 0.8]]))
    x = tf.constant([[1.0, 2.0]])
    _, y = tf.while_loop(
        lambda i, h: i < 4, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w))), [tf.constant(0), x]
    )
    return {
        "y": y,
        "dw": tf.gradients(tf.reduce_sum(y), w)[0],
        "dx": tf.gradients(tf.reduce_sum(y), x)[0],
    }


def loop_nested(tf, np):
    x = tf.constant(1.1)

    def outer(i, a):
        _, b = tf.while_loop(
            lambda j, c: j < i + 1, lambda j, c: (j + 1, c * x), [tf.constant(0), a]
        )
        return i + 1, b

    _, y = tf.while_loop(lambda i, a: i < 3, outer, [tf.constant(0), tf.constant(2.0)])
    return {"y": y, "dx": tf.gradients(y, x)[0]}


def loop_with_cond(tf, np):
    x = tf.constant(1.5)

    def body(i, a):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: a * x, lambda: a + x)

    _, y = tf.while_loop(lambda i, a: i < 5, body, [tf.constant(0), tf.constant(1.0)])
    return {"y": y, "dx": tf.gradients(y, x)[0]}


def loop_shape_invariant(tf, np):
    i, a = tf.while_loop(
        lambda i, a: i < 3,
        lambda i, a: (i + 1, tf.concat([a, a], 0)),
        [tf.constant(0), tf.constant([[1.0]])],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 1])],
    )
    return {"a": a}


def loop_shape_changes(tf, np):
    return {
        "y": tf.while_loop(
            lambda i, a: i < 3,
            lambda i, a: (i + 1, tf.concat([a, a], 0)),
            [tf.constant(0), tf.constant([[1.0]])],
        )
    }


loop_shape_changes.message = False


def loop_maximum(tf, np):
    i = tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], maximum_iterations=4)
    return {"i": i}


def loop_second_gradient(tf, np):
    x = tf.constant(1.2)
    _, y = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [0, x])
    g = tf.gradients(y, x)[0]
    return {"y": y, "g": g}


def loop_empty_vars(tf, np):
    return {"y": tf.while_loop(lambda: True, lambda: 1, [])}
