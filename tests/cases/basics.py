"""Constants, placeholders, the first products."""


def matmul(tf, np):
    a = tf.constant([[3.0, 3.0]])
    b = tf.constant([[2.0], [2.0]])
    return {"product": tf.matmul(a, b)}


def matmul_slip(tf, np):
    a = tf.constant([[3.0, 3.0]])
    b = tf.constant([[2.0, 2.0]])
    return {"product": tf.matmul(a, b)}


def feed_and_fetch(tf, np):
    a = tf.placeholder(tf.float32)
    b = tf.placeholder(tf.float32, [2], name="b")
    c = tf.multiply(a, b)
    with tf.Session() as sess:
        return {
            "c": sess.run([c], {a: [7.0], b: [2.0, 3.0]}),
            "any": sess.run(c, {"Mul:0": [5, 5]}),
        }


def missing_feed(tf, np):
    a = tf.placeholder(tf.float32, [None, 2])
    return {"y": a + 1.0}


def constants(tf, np):
    return {
        "int": tf.constant(3),
        "big": tf.constant(3000000000),
        "float": tf.constant(1.5),
        "bool": tf.constant([True, False]),
        "string": tf.constant(["a", "bc"]),
        "filled": tf.constant(0.1, shape=[2, 3]),
        "half": tf.constant([1.0, 2.0], dtype=tf.float16),
        "complex": tf.constant(1 + 2j),
        "tail": tf.constant([1, 2], shape=[4]),
        "empty": tf.constant([]),
        "numpy": tf.constant(np.arange(6).reshape(2, 3)),
    }


def names(tf, np):
    with tf.name_scope("outer"):
        a = tf.constant(1.0, name="a")
        with tf.name_scope("inner"):
            b = tf.add(a, 2.0)
        with tf.name_scope("inner"):
            c = tf.add(a, 2.0)
    d = tf.add(b, c, name="outer/d")
    return {"names": [t.name for t in (a, b, c, d)]}
