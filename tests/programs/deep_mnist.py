"""A deep CNN of plain ops: two convolutions, dropout fed by a placeholder, Adam 1e-4, batch 50."""

from programs import digits, loop

BATCH = 50


def _weights(tf, shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def _bias(tf, shape):
    return tf.Variable(tf.constant(0.1, shape=shape))


def _convolved(tf, x, weights, bias):
    x = tf.nn.relu(tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding="SAME") + bias)
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def build(tf):
    """The graph; images [n, 784], one-hot labels [n, 10] and what dropout keeps are fed."""
    x = tf.placeholder(tf.float32, [None, 784], name="images")
    labels = tf.placeholder(tf.float32, [None, 10])
    weights, bias = _weights(tf, [5, 5, 1, 32]), _bias(tf, [32])
    hidden = _convolved(tf, tf.reshape(x, [-1, 28, 28, 1]), weights, bias)
    weights, bias = _weights(tf, [5, 5, 32, 64]), _bias(tf, [64])
    tf.summary.histogram("weights2", weights)
    tf.summary.histogram("bias2", bias)
    hidden = _convolved(tf, hidden, weights, bias)
    flat = tf.reshape(hidden, [-1, 7 * 7 * 64])
    weights, bias = _weights(tf, [7 * 7 * 64, 1024]), _bias(tf, [1024])
    hidden = tf.nn.relu(tf.matmul(flat, weights) + bias)
    keep = tf.placeholder(tf.float32)
    hidden = tf.nn.dropout(hidden, keep)
    weights, bias = _weights(tf, [1024, 10]), _bias(tf, [10])
    probabilities = tf.nn.softmax(tf.matmul(hidden, weights) + bias)
    loss = -tf.reduce_sum(labels * tf.log(probabilities))
    train = tf.train.AdamOptimizer(1e-4).minimize(loss)
    tf.summary.scalar("cross_entropy", loss)
    hits = tf.equal(tf.argmax(probabilities, 1), tf.argmax(labels, 1))
    return {
        "x": x,
        "labels": labels,
        "keep": keep,
        "output": probabilities,
        "loss": loss,
        "train": train,
        "accuracy": tf.reduce_mean(tf.cast(hits, tf.float32)),
        "summary": tf.summary.merge_all(),
    }


def feed(data, ends, step):
    """What one step feeds."""
    images, labels = digits.batch(data, step, BATCH)
    return {ends["x"]: images, ends["labels"]: digits.one_hot(labels), ends["keep"]: 0.5}


def run(tf, np, data, steps, config=None):
    """Losses and variables of `steps` steps."""
    return loop.train(tf, build, lambda ends, i: feed(data, ends, i), steps, config)


def graphs(tf, np, data):
    """The one graph."""
    yield "train", loop.graph(tf, build)[0]


def export(tf, np, data, path):
    """Write the graph and its initial values; what a step feeds and gives."""
    return loop.export(tf, build, lambda ends, i: feed(data, ends, i), path)
