"""The larger benchmarked programs: an LSTM over rows, a ResNet-20, a transformer encoder.

Written in TensorFlow 1 as they were at the time; the syntax is Python 3.7's.
"""

import numpy as np

ROWS, ROW, UNITS = 28, 28, 128
WORDS, LENGTH, WIDTH, HEADS, LAYERS = 1000, 32, 128, 4, 2


def lstm_rows(tf):
    """An LSTM of 128 units that reads digits row by row, batch 128, Adam."""
    random = np.random.RandomState(0)
    images = random.rand(128, ROWS, ROW).astype(np.float32)
    labels = random.randint(0, 10, 128)
    x = tf.placeholder(tf.float32, [None, ROWS, ROW])
    t = tf.placeholder(tf.int64, [None])
    cell = tf.nn.rnn_cell.BasicLSTMCell(UNITS)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    logits = tf.layers.dense(outputs[:, -1, :], 10)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=t, logits=logits)
    train = tf.train.AdamOptimizer(0.001).minimize(loss)
    return _step(tf, train, {x: images, t: labels})


def _step(tf, op, feed):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return lambda: session.run(op, feed_dict=feed)


def resnet20(tf):
    """He et al. 2015, §4.2, n = 3: three stages of three blocks, batch 64, momentum."""
    random = np.random.RandomState(0)
    images = random.rand(64, 32, 32, 3).astype(np.float32)
    labels = random.randint(0, 10, 64)
    x = tf.placeholder(tf.float32, [None, 32, 32, 3])
    t = tf.placeholder(tf.int64, [None])

    def convolved(h, filters, stride, activation):
        h = tf.layers.conv2d(h, filters, 3, stride, padding="same", use_bias=False)
        h = tf.layers.batch_normalization(h, training=True)
        return tf.nn.relu(h) if activation else h

    h = convolved(x, 16, 1, True)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage and not block else 1
            short = h
            if stride == 2:
                # Identity shortcuts: every other pixel, new channels zero.
                more = filters - int(h.shape[-1])
                short = tf.pad(h[:, ::2, ::2, :], [[0, 0], [0, 0], [0, 0], [0, more]])
            inner = convolved(h, filters, stride, True)
            h = tf.nn.relu(convolved(inner, filters, 1, False) + short)
    logits = tf.layers.dense(tf.reduce_mean(h, [1, 2]), 10)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=t, logits=logits)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return _step(tf, train, {x: images, t: labels})


def transformer(tf):
    """An encoder (Vaswani et al. 2017, §3) of two layers over 32 words, batch 32, Adam."""
    random = np.random.RandomState(0)
    words = random.randint(0, WORDS, (32, LENGTH))
    x = tf.placeholder(tf.int32, [None, LENGTH])
    t = tf.placeholder(tf.int32, [None, LENGTH])

    def norm(h, name):
        with tf.variable_scope(name):
            mean, variance = tf.nn.moments(h, [-1], keep_dims=True)
            scale = tf.get_variable("scale", [WIDTH], initializer=tf.ones_initializer())
            offset = tf.get_variable("offset", [WIDTH], initializer=tf.zeros_initializer())
            return tf.nn.batch_normalization(h, mean, variance, offset, scale, 1e-6)

    def heads(h):
        parts = tf.reshape(h, [-1, LENGTH, HEADS, WIDTH // HEADS])
        return tf.transpose(parts, [0, 2, 1, 3])

    def attention(h):
        q, k, v = (heads(tf.layers.dense(h, WIDTH)) for _ in range(3))
        scores = tf.matmul(q, k, transpose_b=True) * (WIDTH // HEADS) ** -0.5
        mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
        return tf.layers.dense(tf.reshape(mixed, [-1, LENGTH, WIDTH]), WIDTH)

    table = tf.get_variable("embedding", [WORDS, WIDTH])
    places = tf.get_variable("places", [LENGTH, WIDTH])
    h = tf.nn.embedding_lookup(table, x) + places
    for layer in range(LAYERS):
        h = norm(h + attention(h), f"attended_{layer}")
        inner = tf.layers.dense(h, 4 * WIDTH, activation=tf.nn.relu)
        h = norm(h + tf.layers.dense(inner, WIDTH), f"fed_{layer}")
    logits = tf.layers.dense(h, WORDS)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=logits))
    train = tf.train.AdamOptimizer(0.001).minimize(loss)
    return _step(tf, train, {x: words, t: words})


# name -> (builder, timed steps)
PROGRAMS = {
    "lstm_rows": (lstm_rows, 100),
    "resnet20": (resnet20, 20),
    "transformer": (transformer, 60),
}
