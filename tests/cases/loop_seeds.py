"""Random numbers around and inside loops: default seeds count the nodes that TensorFlow makes.

There a loop is Enter, Merge, Switch, Identity, NextIteration and Exit nodes in the graph itself;
here it is a While with bodies, and its TensorArrays are lists.
"""

NODES = False


def around(tf, np):
    tf.set_random_seed(5)
    x = tf.placeholder_with_default(2.0, [])
    c = tf.constant(3.0)
    result = [tf.random_uniform([])]
    loop = tf.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, v * c + x), [0, 1.0])
    result.append(tf.random_uniform([]))
    limited = tf.while_loop(lambda v: v < 50, lambda v: v * x, [tf.constant(1.0)],
                            maximum_iterations=3)  # fmt: skip
    result.append(tf.random_uniform([]))
    shared = tf.while_loop(lambda v: v < c, lambda v: v + c, [x])
    result.append(tf.random_uniform([]))
    return {"random": result, "loops": [loop, limited, shared]}


def inside(tf, np):
    tf.set_random_seed(6)

    def body(i, v):
        first = tf.random_uniform([])
        w = tf.get_variable("w%d" % len(tf.global_variables()), initializer=tf.random_normal([]))
        return i + 1, v + first + tf.random_uniform([]) * w

    loop = tf.while_loop(lambda i, v: i < 1, body, [0, 0.0])
    return {"loop": loop, "after": tf.random_uniform([])}


def nested(tf, np):
    tf.set_random_seed(7)
    x = tf.constant(2.0)
    y = tf.constant(1.5)

    def outer(i, v):
        _, inner = tf.while_loop(lambda j, u: j < 2, lambda j, u: (j + 1, u * x), [0, v])
        return i + 1, inner + y

    loop = tf.while_loop(lambda i, v: i < 2, outer, [0, 1.0])
    a = tf.random_uniform([])

    def choosing(i, v):
        return i + 1, tf.cond(v > 3, lambda: v, lambda: v + x)

    other = tf.while_loop(lambda i, v: i < 3, choosing, [0, 1.0])
    return {"loops": [loop, other], "random": [a, tf.random_uniform([])]}


def arrays(tf, np):
    tf.set_random_seed(8)
    x = tf.reshape(tf.range(6.0), [3, 2])
    source = tf.TensorArray(tf.float32, size=3).unstack(x)
    random = [tf.random_uniform([])]
    target = tf.TensorArray(tf.float32, size=3)
    _, target = tf.while_loop(
        lambda i, _: i < 3,
        lambda i, t: (i + 1, t.write(i, source.read(i) * 2 + source.read(0))),
        [0, target],
    )
    random.append(tf.random_uniform([]))
    stacked = target.stack()
    random.append(tf.random_uniform([]))
    picked = target.gather([2, 0])
    random.append(tf.random_uniform([]))
    joined = tf.TensorArray(tf.float32, size=2).write(0, x).write(1, x[:1]).concat()
    random.append(tf.random_uniform([]))
    scattered = tf.TensorArray(tf.float32, size=3).scatter([2, 1, 0], x).stack()
    random.append(tf.random_uniform([]))
    split = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, [1, 2]).read(1)
    random.append(tf.random_uniform([]))
    return {"values": [stacked, picked, joined, scattered, split], "random": random}


def functions(tf, np):
    tf.set_random_seed(9)
    x = tf.reshape(tf.range(6.0), [3, 2])
    values, random = [], []
    values.append(tf.map_fn(lambda row: row * 2, x))
    random.append(tf.random_uniform([]))
    values.append(tf.foldl(lambda a, row: a + row, x))
    random.append(tf.random_uniform([]))
    values.append(tf.foldr(lambda a, row: a * 2 + row, x, initializer=tf.zeros([2])))
    random.append(tf.random_uniform([]))
    values.append(tf.scan(lambda a, row: a + row, x))
    random.append(tf.random_uniform([]))
    return {"values": values, "random": random}


def _rnn(make, batch=2, lengths=None, dtype=True, values=True):
    def case(tf, np):
        tf.set_random_seed(777)
        x = tf.constant(np.sin(np.arange(2 * 3 * 4)).reshape(2, 3, 4).astype(np.float32))
        if batch is None:
            x = tf.placeholder_with_default(x, [None, 3, 4])
        cell = make(tf)
        start = (
            {"dtype": tf.float32} if dtype else {"initial_state": cell.zero_state(2, tf.float32)}
        )
        outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, **start)
        result = {
            "outputs": outputs,
            "after": tf.random_uniform([]),
            "dense": tf.layers.dense(outputs, 2),
            "weights": [v.initialized_value() for v in tf.trainable_variables()],
        }
        if not values:
            del result["outputs"], result["dense"]
        return result

    return case


def _lstm(tf):
    return tf.nn.rnn_cell.BasicLSTMCell(4)


CASES = {
    "lstm": _rnn(_lstm),
    "lstm_batch": _rnn(_lstm, batch=None),
    "lstm_lengths": _rnn(_lstm, lengths=[2, 3]),
    "lstm_lengths_batch": _rnn(_lstm, batch=None, lengths=[3, 1]),
    "lstm_state": _rnn(_lstm, dtype=False),
    "gru": _rnn(lambda tf: tf.nn.rnn_cell.GRUCell(3)),
    "basic": _rnn(lambda tf: tf.nn.rnn_cell.BasicRNNCell(3), batch=None),
    "full_lstm": _rnn(lambda tf: tf.nn.rnn_cell.LSTMCell(3, use_peepholes=True, num_proj=2)),
    "layers": _rnn(lambda tf: tf.nn.rnn_cell.MultiRNNCell([_lstm(tf), _lstm(tf)]), batch=None),
    # TensorFlow runs steps of a loop at once: which step draws which mask differs from run to run.
    "dropout": _rnn(
        lambda tf: tf.nn.rnn_cell.DropoutWrapper(_lstm(tf), 0.7, 0.6, state_keep_prob=0.5),
        values=False,
    ),
}


def both_ways(tf, np):
    tf.set_random_seed(10)
    x = tf.placeholder_with_default(np.ones([2, 3, 4], np.float32), [None, 3, 4])
    outputs, state = tf.nn.bidirectional_dynamic_rnn(_lstm(tf), _lstm(tf), x, dtype=tf.float32)
    return {"outputs": outputs, "dense": tf.layers.dense(outputs[0], 2)}
