"""`tf.TensorArray`: alone, in loops, and its gradients.

Nodes are not compared: relight keeps the elements in TensorList ops, TensorFlow 1.15 by default in
TensorArrayV3 ops (structured control flow, docs/design).
"""

NODES = False


def write_read_stack(tf, np):
    a = tf.TensorArray(tf.float32, size=3, clear_after_read=False)
    a = a.write(0, [1.0, 2.0]).write(2, [5.0, 6.0]).write(1, tf.constant([3.0, 4.0]))
    gathered = a.gather([2, 0])  # its static shape: [?, 2] from TensorArrayGatherV3, [2, 2] here
    with tf.Session() as sess:
        gathered = sess.run(gathered)
    return {
        "stack": a.stack(),
        "gather": gathered,
        "size": a.size(),
        "dtype": a.dtype.name,
        "dynamic": bool(a.dynamic_size),
        "shape": str(a.stack().shape),
    }


def read_one(tf, np):
    a = tf.TensorArray(tf.int32, size=2, clear_after_read=False)
    a = a.write(0, 7).write(1, 8)
    return {"first": a.read(0), "again": a.read(0), "second": a.read(tf.constant(1))}


def unstack(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    a = tf.TensorArray(tf.float32, size=3).unstack(x)
    y = a.read(1) * 2.0 + a.read(2) * a.read(0)
    return {"y": y, "dx": tf.gradients(y, x)[0], "n": a.size()}


def scatter(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    a = (
        tf.TensorArray(tf.float32, size=3, clear_after_read=False)
        .scatter([2, 0], x)
        .write(1, [9.0, 9.0])
    )
    y = a.stack()
    w = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    return {"y": y, "dx": tf.gradients(y * w, x)[0]}


def gather_gradient(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    a = tf.TensorArray(tf.float32, size=3).unstack(x)
    y = a.gather([2, 0]) * tf.constant([[2.0, 3.0], [4.0, 5.0]])
    return {"y": y, "dx": tf.gradients(y, x)[0]}


def concat(tf, np):
    x = tf.constant([[1.0], [2.0]])
    z = tf.constant([[3.0]])
    a = tf.TensorArray(tf.float32, size=2, infer_shape=False).write(0, x).write(1, z)
    y = a.concat() * tf.constant([[2.0], [3.0], [4.0]])
    return {"y": y, "grads": tf.gradients(y, [x, z])}


def split(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    a = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, [1, 2])
    y0, y1 = a.read(0) * 2.0, a.read(1) * 3.0
    return {"y0": y0, "y1": y1, "dx": tf.gradients([y0, y1], x)[0]}


def split_equal(tf, np):
    x = tf.reshape(tf.range(8.0), [4, 2])
    a = tf.TensorArray(tf.float32, size=2, clear_after_read=False).split(x, [2, 2])
    return {"y": a.stack(), "c": a.concat()}


def grows(tf, np):
    a = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    n = tf.placeholder(tf.int32, [])
    _, a = tf.while_loop(
        lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, tf.cast(i, tf.float32) * 2.0)), [0, a]
    )
    y, size = a.stack(), a.size()
    with tf.Session() as sess:
        return {"n=%d" % k: sess.run([y, size], {n: k}) for k in (1, 4)}


def loop_gradient(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.get_variable("w", initializer=np.float32([[0.5, -0.2], [0.1, 0.9]]))
    n = tf.shape(x)[0]
    source = tf.TensorArray(tf.float32, size=n).unstack(x)
    target = tf.TensorArray(tf.float32, size=n)

    def body(i, h, target):
        h = tf.tanh(tf.matmul(h + source.read(i)[None], w))
        return i + 1, h, target.write(i, h[0])

    _, h, target = tf.while_loop(lambda i, *_: i < n, body, [0, tf.zeros([1, 2]), target])
    y = target.stack()
    loss = tf.reduce_sum(y * y) + tf.reduce_sum(h)
    grads = tf.gradients(loss, [x, w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        feeds = {}
        for k in (1, 3, 5):
            data = np.linspace(-1, 1, 2 * k).reshape(k, 2)
            feeds["n=%d" % k] = sess.run([y, h, loss] + grads, {x: data})
        return feeds


def loop_reads_what_it_wrote(tf, np):
    x = tf.constant(1.5)
    a = tf.TensorArray(tf.float32, size=6, clear_after_read=False)
    a = a.write(0, x).write(1, x * x)

    def body(i, a):
        return i + 1, a.write(i, a.read(i - 1) + x * a.read(i - 2))

    _, a = tf.while_loop(lambda i, a: i < 6, body, [2, a])
    y = a.stack()
    return {"y": y, "last": a.read(5)}


def second_order(tf, np):
    x = tf.constant([1.0, 2.0, 3.0])
    a = tf.TensorArray(tf.float32, size=3).unstack(x)
    b = (
        tf.TensorArray(tf.float32, size=3)
        .write(0, a.read(2) ** 3)
        .write(1, a.read(0))
        .write(2, a.read(1) ** 2)
    )
    y = b.stack()
    return {"y": y, "dx": tf.gradients(y, x)[0]}


def identity_and_close(tf, np):
    a = tf.TensorArray(tf.float32, size=1).write(0, 3.0)
    return {"y": a.identity().read(0)}


def in_cond(tf, np):
    p = tf.placeholder(tf.bool, [])
    x = tf.constant([1.0, 2.0])
    y = tf.cond(
        p,
        lambda: tf.TensorArray(tf.float32, size=2).unstack(x).read(1) * 3.0,
        lambda: tf.constant(0.0),
    )
    g = tf.gradients(y, x)[0]
    with tf.Session() as sess:
        return {str(v): sess.run([y, g], {p: v}) for v in (True, False)}


def strings(tf, np):
    a = tf.TensorArray(tf.string, size=2).write(0, "a").write(1, "bc")
    return {"y": a.stack()}


def no_size(tf, np):
    return {"a": tf.TensorArray(tf.float32).size()}


no_size.message = False


def wrong_type(tf, np):
    a = tf.TensorArray(tf.float32, size=1)
    return {"a": a.write(0, tf.constant(1)).size()}


wrong_type.message = False


def wrong_shape(tf, np):
    a = tf.TensorArray(tf.float32, size=2).write(0, [1.0, 2.0])
    return {"a": a.write(1, [1.0, 2.0, 3.0]).size()}


wrong_shape.message = False
