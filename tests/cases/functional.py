"""`map_fn`, `foldl`, `foldr`, `scan`.

Nodes are not compared: relight builds While nodes (structured control flow, docs/design).
"""

NODES = False


def map_rows(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    y = tf.map_fn(lambda row: row * row + 1.0, x)
    g = tf.gradients(y, x)[0]
    data = np.arange(6.0).reshape(3, 2)
    with tf.Session() as sess:
        return {
            "shape": str(y.shape),
            "y": sess.run([y, g], {x: data}),
            "one": sess.run([y, g], {x: data[:1]}),
            "none": sess.run(y, {x: data[:0]}),
        }


map_rows.message = False


def map_types(tf, np):
    x = tf.constant([1, 2, 3])
    y = tf.map_fn(lambda v: tf.cast(v, tf.float32) / 2.0, x, dtype=tf.float32)
    a, b = tf.map_fn(lambda v: (v, tf.cast(-v, tf.int64)), x, dtype=(tf.int32, tf.int64))
    return {"y": y, "a": a, "b": b}


def map_structures(tf, np):
    x = {"u": tf.constant([1.0, 2.0]), "v": (tf.constant([[3.0], [4.0]]), tf.constant([5.0, 6.0]))}
    y = tf.map_fn(lambda e: e["u"] * e["v"][0] + e["v"][1], x, dtype=tf.float32)
    return {"y": y, "shape": str(y.shape), "grads": tf.gradients(y, [x["u"], x["v"][0], x["v"][1]])}


def map_variable(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])

    def row(r):
        w = tf.get_variable("w", [2], initializer=tf.constant_initializer(0.5))
        return tf.reduce_sum(r * w)

    y = tf.map_fn(row, x)
    names = [v.name for v in tf.trainable_variables()]
    return {"y": y, "names": names, "dw": tf.gradients(y, tf.trainable_variables())[0]}


def map_shapes_vary(tf, np):
    x = tf.constant([3, 3, 3])
    y = tf.map_fn(lambda n: tf.range(n), x, infer_shape=False)
    return {"y": y}


def map_scalar(tf, np):
    return {"y": tf.map_fn(lambda v: v, tf.constant(1.0))}


def map_not_callable(tf, np):
    return {"y": tf.map_fn(3, tf.constant([1.0]))}


def map_sparse(tf, np):
    return {"y": tf.map_fn(lambda v: v, tf.SparseTensor([[0, 0]], [1.0], [1, 1]))}


map_sparse.message = False


def map_of_map(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    y = tf.map_fn(lambda row: tf.map_fn(lambda v: v * v, row), x)
    return {"y": y, "dx": tf.gradients(y, x)[0]}


def folds(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    left = tf.foldl(lambda a, e: a * 0.5 + e, x)
    right = tf.foldr(lambda a, e: a * 0.5 + e, x)
    start = tf.foldl(lambda a, e: a - e, x, initializer=tf.constant([10.0, 20.0]))
    back = tf.foldr(lambda a, e: a - e, x, initializer=tf.constant([10.0, 20.0]))
    return {
        "left": left,
        "right": right,
        "start": start,
        "back": back,
        "dl": tf.gradients(left, x)[0],
        "dr": tf.gradients(right, x)[0],
    }


def fold_pairs(tf, np):
    x, y = tf.constant([1.0, 2.0, 3.0]), tf.constant([4.0, 5.0, 6.0])
    z = tf.foldl(lambda a, e: a + e[0] * e[1], (x, y), initializer=tf.constant(0.0))
    return {"z": z, "grads": tf.gradients(z, [x, y])}


def scans(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    y = tf.scan(lambda a, e: a * e, x)
    r = tf.scan(lambda a, e: a * 0.5 + e, x, reverse=True)
    s = tf.scan(lambda a, e: a * 2.0 + tf.reduce_sum(e), x, initializer=tf.constant(1.0))
    b = tf.scan(lambda a, e: a - e, x, initializer=tf.zeros([2]), reverse=True)
    return {
        "y": y,
        "r": r,
        "s": s,
        "b": b,
        "shape": str(y.shape),
        "sshape": str(s.shape),
        "dy": tf.gradients(y, x)[0],
        "dr": tf.gradients(r, x)[0],
        "ds": tf.gradients(s, x)[0],
    }


def scan_structure(tf, np):
    x = tf.placeholder(tf.float32, [None])
    a, b = tf.scan(
        lambda s, e: (s[0] + e, s[1] * e), x, initializer=(tf.constant(0.0), tf.constant(1.0))
    )
    g = tf.gradients([a, b], x)[0]
    with tf.Session() as sess:
        return {"y": sess.run([a, b, g], {x: [1.0, 2.0, 3.0, 4.0]})}


def scan_two(tf, np):
    x = (tf.constant([1, 2, 3]), tf.constant([4, 5, 6]))
    return {"y": list(tf.scan(lambda a, e: (a[0] + e[0], a[1] * e[1]), x))}


def scan_fibonacci(tf, np):
    start = (np.array(0), np.array(1))
    y = tf.scan(lambda a, _: (a[1], a[0] + a[1]), tf.zeros([10]), initializer=start)
    return {"y": y[0]}


def scan_not_callable(tf, np):
    return {"y": tf.scan(None, tf.constant([1.0]))}
