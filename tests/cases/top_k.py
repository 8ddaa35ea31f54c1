"""The largest elements of rows."""


def values_and_indices(tf, np):
    x = tf.constant([[1.0, 5.0, 3.0, 5.0], [2.0, 2.0, -1.0, 7.0]])
    top = tf.nn.top_k(x, 3)
    return {"values": top.values, "indices": top.indices}


def gradient(tf, np):
    x = tf.constant(np.random.RandomState(0).randn(3, 5).astype(np.float32))
    top = tf.nn.top_k(x, 2)
    return {"dx": tf.gradients(top.values * [[1.0, 2.0]], x)[0]}


def vector(tf, np):
    x = tf.placeholder(tf.int32, [None])
    top = tf.nn.top_k(x, k=2)
    with tf.Session() as sess:
        return {"top": list(sess.run(top, {x: [3, 9, 4]})), "static": str(top.values.shape)}


def in_top(tf, np):
    p = tf.constant([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.2, 0.2, 0.2], [1.0, np.nan, 0.0]])
    return {"k=%d" % k: tf.nn.in_top_k(p, [1, 0, 2, 0], k) for k in (1, 2, 3)}


def in_top_old(tf, np):
    p = tf.constant([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4]])
    return {"y": tf.raw_ops.InTopK(predictions=p, targets=[1, 0], k=1)}


def too_many(tf, np):
    return {"y": tf.nn.top_k(tf.constant([1.0, 2.0]), 3).values}


def in_top_mismatch(tf, np):
    p = tf.placeholder(tf.float32)
    t = tf.placeholder(tf.int32)
    y = tf.nn.in_top_k(p, t, 1)
    with tf.Session() as sess:
        return {"y": sess.run(y, {p: [[1.0, 2.0]], t: [0, 1]})}
