"""The benchmarked programs, in the TensorFlow 1 that relight, TensorFlow 1.15 and 2.15 understand.

Each gives `step()`, which runs one training step, after building graph and session. The syntax is
Python 3.7's.
"""

import numpy as np

from benchmarks import cifar10, networks


def _digits(one_hot):
    """Random digits of MNIST's shape: the arithmetic does not look at what is on them."""
    random = np.random.RandomState(0)
    images = random.rand(5000, 784).astype(np.float32)
    labels = random.randint(0, 10, 5000).astype(np.int32)
    return images, np.eye(10, dtype=np.float32)[labels] if one_hot else labels


def _batches(images, labels, size):
    """An endless supply of (images, labels)."""
    at = 0
    while True:
        yield images[at : at + size], labels[at : at + size]
        at = (at + size) % (len(images) - size)


def _session_step(tf, op, feed):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return lambda: session.run(op, feed_dict=feed())


def constant_sum(tf):
    """`sess.run` of 3.0 + 4.0: what a run costs that computes nothing."""
    total = tf.add(tf.constant(3.0), tf.placeholder_with_default(4.0, []))
    session = tf.Session()
    return lambda: session.run(total)


def softmax(tf):
    """Softmax regression, batch 100."""
    images, labels = _digits(one_hot=True)
    x = tf.placeholder(tf.float32, [None, 784])
    t = tf.placeholder(tf.float32, [None, 10])
    y = tf.nn.softmax(tf.matmul(x, tf.Variable(tf.zeros([784, 10]))) + tf.Variable(tf.zeros([10])))
    loss = -tf.reduce_sum(t * tf.log(y))
    train = tf.train.GradientDescentOptimizer(0.0001).minimize(loss)
    batches = _batches(images, labels, 100)
    return _session_step(tf, train, lambda: dict(zip((x, t), next(batches))))


def _weights(tf, shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def moving_average(tf):
    """784-500-10 with moving averages, L2 and decay, batch 100."""
    images, labels = _digits(one_hot=True)
    x = tf.placeholder(tf.float32, [None, 784])
    t = tf.placeholder(tf.float32, [None, 10])
    w1, b1 = _weights(tf, [784, 500]), tf.Variable(tf.constant(0.1, shape=[500]))
    w2, b2 = _weights(tf, [500, 10]), tf.Variable(tf.constant(0.1, shape=[10]))
    y = tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2) + b2
    step = tf.Variable(0, trainable=False)
    average = tf.train.ExponentialMovingAverage(0.99, step)
    average_op = average.apply(tf.trainable_variables())
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=y, labels=tf.argmax(t, 1))
    loss = tf.reduce_mean(entropy) + 0.0001 * (tf.nn.l2_loss(w1) + tf.nn.l2_loss(w2))
    rate = tf.train.exponential_decay(0.1, step, 55000, 0.99)
    train = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=step)
    with tf.control_dependencies([train, average_op]):
        both = tf.no_op()
    batches = _batches(images, labels, 100)
    return _session_step(tf, both, lambda: dict(zip((x, t), next(batches))))


def feed_forward(tf):
    """784-128-32-10 with the batch size in the placeholders, batch 100."""
    images, labels = _digits(one_hot=False)
    x = tf.placeholder(tf.float32, (100, 784))
    t = tf.placeholder(tf.int32, (100,))
    h = x
    for size, width in ((784, 128), (128, 32)):
        h = tf.nn.relu(tf.matmul(h, _weights(tf, [size, width])) + tf.Variable(tf.zeros([width])))
    y = tf.matmul(h, _weights(tf, [32, 10])) + tf.Variable(tf.zeros([10]))
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=y, labels=tf.cast(t, tf.int64))
    loss = tf.reduce_mean(entropy)
    step = tf.Variable(0, trainable=False)
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss, global_step=step)
    batches = _batches(images, labels, 100)
    return _session_step(tf, [train, loss], lambda: dict(zip((x, t), next(batches))))


def deep_mnist(tf):
    """The deep CNN with dropout and Adam, batch 50."""
    images, labels = _digits(one_hot=True)
    x = tf.placeholder(tf.float32, [None, 784])
    t = tf.placeholder(tf.float32, [None, 10])
    keep = tf.placeholder(tf.float32)

    def layer(value, shape):
        convolved = tf.nn.conv2d(value, _weights(tf, shape), [1, 1, 1, 1], "SAME")
        value = tf.nn.relu(convolved + tf.Variable(tf.constant(0.1, shape=shape[-1:])))
        return tf.nn.max_pool(value, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")

    h = layer(layer(tf.reshape(x, [-1, 28, 28, 1]), [5, 5, 1, 32]), [5, 5, 32, 64])
    h = tf.reshape(h, [-1, 7 * 7 * 64])
    h = tf.nn.relu(tf.matmul(h, _weights(tf, [3136, 1024])) + tf.Variable(tf.zeros([1024])))
    h = tf.nn.dropout(h, keep)
    y = tf.nn.softmax(tf.matmul(h, _weights(tf, [1024, 10])) + tf.Variable(tf.zeros([10])))
    loss = -tf.reduce_sum(t * tf.log(y))
    train = tf.train.AdamOptimizer(1e-4).minimize(loss)
    batches = _batches(images, labels, 50)
    return _session_step(tf, train, lambda: dict(zip((x, t, keep), (*next(batches), 0.5))))


def cnn(tf):
    """The Estimator program's network with tf.layers, batch 100, gradient descent."""
    images, labels = _digits(one_hot=False)
    x = tf.placeholder(tf.float32, [100, 784])
    t = tf.placeholder(tf.int32, [100])
    h = tf.reshape(x, [-1, 28, 28, 1])
    for filters in (32, 64):
        h = tf.layers.conv2d(h, filters, [5, 5], padding="same", activation=tf.nn.relu)
        h = tf.layers.max_pooling2d(h, [2, 2], 2)
    h = tf.layers.dense(tf.reshape(h, [-1, 7 * 7 * 64]), 1024, activation=tf.nn.relu)
    h = tf.layers.dropout(h, rate=0.4, training=True)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=t, logits=tf.layers.dense(h, 10))
    train = tf.train.GradientDescentOptimizer(0.001).minimize(loss)
    batches = _batches(images, labels, 100)
    return _session_step(tf, train, lambda: dict(zip((x, t), next(batches))))


# name -> (builder, timed steps)
PROGRAMS = {
    "cnn": (cnn, 60),
    "deep_mnist": (deep_mnist, 120),
    "softmax": (softmax, 4000),
    "moving_average": (moving_average, 1200),
    "feed_forward": (feed_forward, 3000),
    "constant_sum": (constant_sum, 10000),
    **networks.PROGRAMS,
    **cifar10.PROGRAMS,
}
