"""Feeding: keys of several tensors, such as the state of an LSTM."""


def _state(tf):
    c = tf.placeholder(tf.float32, [2], name="c")
    h = tf.placeholder(tf.float32, [2], name="h")
    return tf.nn.rnn_cell.LSTMStateTuple(c, h), c + 10 * h


def state(tf, np):
    key, total = _state(tf)
    one, two = np.ones(2, np.float32), np.full(2, 2, np.float32)
    with tf.Session() as sess:
        return {
            "same": sess.run(total, {key: tf.nn.rnn_cell.LSTMStateTuple(one, two)}),
            "tuple": sess.run(total, {key: (one, two)}),
            "list": sess.run(total, {key: [two, one]}),
            "dict": sess.run(total, {key: {"b": one, "a": two}}),
        }


def nested(tf, np):
    first, total = _state(tf)
    x = tf.placeholder(tf.float32, [], name="x")
    values = [np.arange(2.0), np.arange(2.0, 4.0)]
    with tf.Session() as sess:
        return {
            "deep": sess.run(total + x, {(first, x): (values, 100.0)}),
            "flat": sess.run(total + x, {(first, x): [[values[0]], values[1], 1.0]}),
            "mixed": sess.run(total + x, {(first,): [values], x: 2.0}),
        }


def numbers_are_not_arrays(tf, np):
    key, total = _state(tf)
    with tf.Session() as sess:
        sess.run(total, {key: [[1.0, 2.0], [3.0, 4.0]]})


def an_array_is_one(tf, np):
    key, total = _state(tf)
    with tf.Session() as sess:
        sess.run(total, {key: np.ones([2, 2], np.float32)})


def twice(tf, np):
    key, total = _state(tf)
    value = np.ones(2, np.float32)
    with tf.Session() as sess:
        sess.run(total, {key: (value, value), key.c: value})


def not_a_tensor(tf, np):
    key, total = _state(tf)
    with tf.Session() as sess:
        sess.run(total, {(key.c, 3): (np.ones(2, np.float32), 4)})


# The messages print the keys and values as the two libraries' own objects print themselves.
numbers_are_not_arrays.message = False
an_array_is_one.message = False
