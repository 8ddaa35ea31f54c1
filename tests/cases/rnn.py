"""Recurrent cells, and the functions that run them over sequences.

Nodes are not compared: relight builds While and If nodes where TensorFlow 1.15 by default builds
Switch, Merge and TensorArrayV3 (structured control flow, docs/design).
"""

NODES = False


def _weights(tf, np):
    """Give each variable values that depend on its name and size alone; (names, assignments)."""
    names, updates = [], []
    for v in tf.global_variables():
        count = int(np.prod(v.shape.as_list()))
        start = sum(map(ord, v.op.name)) % 7
        value = 0.5 * np.sin(start + 1.3 * np.arange(count)).reshape(v.shape.as_list())
        names.append("%s %s" % (v.name, v.shape.as_list()))
        updates.append(v.assign(value.astype(v.dtype.base_dtype.as_numpy_dtype)))
    return names, updates


def _data(np, *shape):
    return np.cos(0.7 * np.arange(int(np.prod(shape)))).reshape(shape).astype(np.float32)


def _run(tf, np, values, feeds=None):
    names, updates = _weights(tf, np)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(updates)
        return {"names": names, "values": sess.run(values, feeds)}


def _flat(tf, value):
    return tf.contrib.framework.nest.flatten(value)


CELLS = {
    "basic_rnn": lambda tf: tf.nn.rnn_cell.BasicRNNCell(3),
    "basic_rnn_relu": lambda tf: tf.nn.rnn_cell.BasicRNNCell(3, activation=tf.nn.relu),
    "gru": lambda tf: tf.nn.rnn_cell.GRUCell(3),
    "basic_lstm": lambda tf: tf.nn.rnn_cell.BasicLSTMCell(3),
    "basic_lstm_one_state": lambda tf: tf.nn.rnn_cell.BasicLSTMCell(
        3, forget_bias=0.5, state_is_tuple=False, name="mine"
    ),
    "lstm": lambda tf: tf.nn.rnn_cell.LSTMCell(3),
    "lstm_full": lambda tf: tf.nn.rnn_cell.LSTMCell(
        3, use_peepholes=True, cell_clip=0.4, num_proj=2, proj_clip=0.2, forget_bias=0.3
    ),
    "lstm_one_state": lambda tf: tf.nn.rnn_cell.LSTMCell(3, num_proj=2, state_is_tuple=False),
    "lstm_shards": lambda tf: tf.nn.rnn_cell.LSTMCell(4, num_unit_shards=2),
    "multi": lambda tf: tf.nn.rnn_cell.MultiRNNCell(
        [tf.nn.rnn_cell.BasicLSTMCell(3), tf.nn.rnn_cell.GRUCell(2)]
    ),
    "multi_one_state": lambda tf: tf.nn.rnn_cell.MultiRNNCell(
        [tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.GRUCell(2)], state_is_tuple=False
    ),
    "residual": lambda tf: tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(4)),
    "residual_fn": lambda tf: tf.nn.rnn_cell.ResidualWrapper(
        tf.nn.rnn_cell.GRUCell(4), residual_fn=lambda i, o: i * o
    ),
    "device": lambda tf: tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.GRUCell(3), "/cpu:0"),
    "dropout_none": lambda tf: tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.GRUCell(3), 1.0),
}


def _step(make):
    def case(tf, np):
        cell = make(tf)
        x = tf.constant(_data(np, 2, 4))
        state = cell.zero_state(2, tf.float32)
        first, state = cell(x, state)
        second, state = cell(x * 0.5, state)
        parts = _flat(tf, state)
        g = tf.gradients([second] + parts, [x])
        found = _run(tf, np, [first, second] + parts + g)
        found["sizes"] = str((cell.state_size, cell.output_size))
        if len(cell.weights) == len(tf.global_variables()):
            found["weights"] = [v.name for v in cell.weights]
        return found

    return case


def _dynamic(make):
    def case(tf, np):
        cell = make(tf)
        x = tf.placeholder(tf.float32, [None, None, 4])
        lengths = tf.placeholder(tf.int32, [None])
        y, state = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
        parts = _flat(tf, state)
        loss = tf.reduce_sum(y * y) + sum(tf.reduce_sum(p) for p in parts)
        weights = [v for v in tf.trainable_variables()]
        g = tf.gradients(loss, weights + [x])
        found = _run(tf, np, [y] + parts + g, {x: _data(np, 3, 5, 4), lengths: [5, 2, 3]})
        found["shape"] = str(y.shape)
        return found

    return case


CASES = {}
for _name in sorted(CELLS):
    CASES["step_" + _name] = _step(CELLS[_name])
    if _name != "lstm_shards":
        CASES["dynamic_" + _name] = _dynamic(CELLS[_name])


def dynamic_static_shape(tf, np):
    cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    x = tf.constant(_data(np, 2, 4, 3))
    y, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    g = tf.gradients(tf.reduce_sum(y[:, -1]), tf.trainable_variables() + [x])
    found = _run(tf, np, [y, state.c, state.h] + g)
    found["shapes"] = [str(t.shape) for t in (y, state.c, state.h)]
    return found


def dynamic_time_major(tf, np):
    cell = tf.nn.rnn_cell.GRUCell(3)
    x = tf.constant(_data(np, 4, 2, 3))
    start = tf.constant(_data(np, 2, 3))
    y, state = tf.nn.dynamic_rnn(
        cell, x, initial_state=start, time_major=True, swap_memory=True, scope="mine"
    )
    return _run(tf, np, [y, state] + tf.gradients(state, [x, start]))


def dynamic_twice(tf, np):
    cell = tf.nn.rnn_cell.GRUCell(3)
    x = tf.constant(_data(np, 2, 4, 3))
    y, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    with tf.variable_scope("rnn", reuse=True):
        pass
    z, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    return _run(tf, np, [y, z])


def dynamic_new_lengths(tf, np):
    cell = tf.nn.rnn_cell.BasicRNNCell(2)
    x = tf.placeholder(tf.float32, [None, None, 2])
    y, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    g = tf.gradients(tf.reduce_sum(y), tf.trainable_variables())
    _, updates = _weights(tf, np)
    found = {}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(updates)
        for batch, steps in ((1, 1), (2, 3), (3, 2), (2, 6), (1, 4), (4, 4), (5, 2), (1, 2)):
            data = _data(np, batch, steps, 2)
            found["%d %d" % (batch, steps)] = sess.run([y, state] + g, {x: data})
    return found


def dynamic_no_dtype(tf, np):
    cell = tf.nn.rnn_cell.GRUCell(3)
    return {"y": tf.nn.dynamic_rnn(cell, tf.zeros([2, 3, 4]))}


def dynamic_not_a_cell(tf, np):
    return {"y": tf.nn.dynamic_rnn(3, tf.zeros([2, 3, 4]), dtype=tf.float32)}


def dynamic_bad_lengths(tf, np):
    cell = tf.nn.rnn_cell.GRUCell(3)
    x = tf.placeholder(tf.float32, [None, 3, 4])
    n = tf.placeholder(tf.int32, [None])
    y, _ = tf.nn.dynamic_rnn(cell, x, n, dtype=tf.float32)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return {"y": sess.run(y, {x: np.zeros([2, 3, 4]), n: [1, 2, 3]})}


dynamic_bad_lengths.message = False


def cell_of_integers(tf, np):
    return {"y": tf.nn.rnn_cell.GRUCell(3)(tf.constant([[1]]), tf.constant([[1, 2, 3]]))}


cell_of_integers.message = False


def bidirectional(tf, np):
    fw, bw = tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.BasicLSTMCell(3)
    x = tf.constant(_data(np, 2, 4, 3))
    (a, b), (s, t) = tf.nn.bidirectional_dynamic_rnn(fw, bw, x, dtype=tf.float32)
    return _run(
        tf, np, [a, b, s, t.c, t.h] + tf.gradients(tf.reduce_sum(a) + tf.reduce_sum(b), [x])
    )


def bidirectional_lengths(tf, np):
    fw, bw = tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.GRUCell(2)
    x = tf.constant(_data(np, 2, 4, 3))
    (a, b), (s, t) = tf.nn.bidirectional_dynamic_rnn(fw, bw, x, [2, 4], dtype=tf.float32)
    return _run(tf, np, [a, b, s, t] + tf.gradients(tf.reduce_sum(a) + tf.reduce_sum(b), [x]))


def static(tf, np):
    cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    x = tf.constant(_data(np, 2, 4, 3))
    ys, state = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float32)
    g = tf.gradients(ys[-1], tf.trainable_variables() + [x])
    return _run(tf, np, ys + [state.c, state.h] + g)


static.nodes = True


def static_lengths(tf, np):
    cell = tf.nn.rnn_cell.GRUCell(3)
    x = tf.placeholder(tf.float32, [None, 4, 3])
    n = tf.placeholder(tf.int32, [None])
    ys, state = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float32, sequence_length=n)
    g = tf.gradients([state] + ys, tf.trainable_variables() + [x])
    return _run(tf, np, ys + [state] + g, {x: _data(np, 3, 4, 3), n: [1, 3, 2]})


def static_bidirectional(tf, np):
    fw, bw = tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.GRUCell(2)
    x = tf.constant(_data(np, 2, 3, 3))
    ys, s, t = tf.nn.static_bidirectional_rnn(fw, bw, tf.unstack(x, axis=1), dtype=tf.float32)
    return _run(tf, np, ys + [s, t])


def static_bidirectional_lengths(tf, np):
    fw, bw = tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.GRUCell(2)
    x = tf.constant(_data(np, 2, 3, 3))
    ys, s, t = tf.nn.static_bidirectional_rnn(
        fw, bw, tf.unstack(x, axis=1), dtype=tf.float32, sequence_length=[1, 3]
    )
    return _run(tf, np, ys + [s, t])


def static_not_a_list(tf, np):
    return {"y": tf.nn.static_rnn(tf.nn.rnn_cell.GRUCell(2), tf.zeros([2, 3]), dtype=tf.float32)}


def state_saving(tf, np):
    class Saver(object):
        def __init__(self):
            self.saved = tf.Variable(tf.ones([2, 3]), name="saved", trainable=False)

        def state(self, name):
            return self.saved.read_value()

        def save_state(self, name, value):
            return tf.assign(self.saved, value)

    cell = tf.nn.rnn_cell.GRUCell(3)
    x = tf.constant(_data(np, 2, 2, 3))
    saver = Saver()
    ys, state = tf.nn.static_state_saving_rnn(cell, tf.unstack(x, axis=1), saver, "s")
    names, updates = _weights(tf, np)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(updates)
        first = sess.run([ys[-1], state])
        return {
            "names": names,
            "first": first,
            "second": sess.run([ys[-1], state]),
            "saved": sess.run(saver.saved),
        }


def raw(tf, np):
    cell = tf.nn.rnn_cell.LSTMCell(3)
    x = tf.placeholder(tf.float32, [None, None, 4])
    n = tf.placeholder(tf.int32, [None])
    steps = tf.shape(x)[0]
    rows = tf.TensorArray(tf.float32, size=steps, clear_after_read=False).unstack(x)

    def loop_fn(time, output, state, loop_state):
        next_state = cell.zero_state(tf.shape(x)[1], tf.float32) if output is None else state
        finished = time >= n
        inputs = tf.cond(
            tf.reduce_all(finished), lambda: tf.zeros([tf.shape(x)[1], 4]), lambda: rows.read(time)
        )
        inputs.set_shape([None, 4])
        return finished, inputs, next_state, output, None

    array, state, _ = tf.nn.raw_rnn(cell, loop_fn)
    y = array.stack()
    g = tf.gradients(tf.reduce_sum(y) + tf.reduce_sum(state.c), tf.trainable_variables() + [x])
    return _run(tf, np, [y, state.c, state.h] + g, {x: _data(np, 4, 2, 4), n: [4, 2]})


def dropout_seeded(tf, np):
    cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicLSTMCell(6), 0.7, 0.6, 0.5, seed=3)
    x = tf.constant(_data(np, 3, 4))
    y, state = cell(x, cell.zero_state(3, tf.float32))
    return _run(tf, np, [y, state.c, state.h])


def dropout_variational(tf, np):
    cell = tf.nn.rnn_cell.DropoutWrapper(
        tf.nn.rnn_cell.BasicLSTMCell(6),
        0.7,
        0.6,
        0.5,
        variational_recurrent=True,
        input_size=4,
        dtype=tf.float32,
        seed=5,
    )
    x = tf.constant(_data(np, 3, 4))
    y, state = cell(x, cell.zero_state(3, tf.float32))
    return _run(tf, np, [y, state.c, state.h])


def dropout_keeps_how_many(tf, np):
    cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicRNNCell(50), output_keep_prob=0.5)
    y, _ = tf.nn.dynamic_rnn(cell, tf.ones([20, 10, 3]), dtype=tf.float32)
    share = tf.reduce_mean(tf.cast(tf.equal(y, 0.0), tf.float32))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return {"half": bool(0.45 < sess.run(share) < 0.55)}


def dropout_bad(tf, np):
    return {"c": tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.GRUCell(2), 1.5)}


def own_cell(tf, np):
    class Cell(tf.nn.rnn_cell.RNNCell):
        @property
        def state_size(self):
            return 2

        @property
        def output_size(self):
            return 3

        def call(self, inputs, state):
            w = tf.get_variable("w", [4, 2])
            u = tf.get_variable("u", [2, 3])
            state = tf.tanh(tf.matmul(inputs, w) + state)
            return tf.matmul(state, u), state

    cell = Cell()
    y, state = tf.nn.dynamic_rnn(cell, tf.constant(_data(np, 2, 3, 4)), dtype=tf.float32)
    found = _run(tf, np, [y, state] + tf.gradients(y, tf.trainable_variables()))
    found["weights"] = [v.name for v in cell.trainable_weights]
    return found


def trains(tf, np):
    x = tf.placeholder(tf.float32, [None, 6, 2])
    t = tf.placeholder(tf.float32, [None])
    y, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(5), x, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(tf.reduce_sum(y[:, -1], axis=1) - t))
    _, updates = _weights(tf, np)
    train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    data, target = _data(np, 8, 6, 2), _data(np, 8)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(updates)
        return {"losses": [sess.run([loss, train], {x: data, t: target})[0] for _ in range(10)]}
