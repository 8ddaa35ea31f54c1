"""Softmax regression: one matrix and one bias, zeros at first; sum of cross entropies, SGD 0.01."""

from programs import digits, loop

BATCH = 100


def build(tf):
    """The graph; images [n, 784] and one-hot labels [n, 10] are fed."""
    x = tf.placeholder(tf.float32, [None, 784], name="images")
    labels = tf.placeholder(tf.float32, [None, 10], name="labels")
    weights = tf.Variable(tf.zeros([784, 10]), name="weights")
    bias = tf.Variable(tf.zeros([10]), name="bias")
    probabilities = tf.nn.softmax(tf.matmul(x, weights) + bias)
    loss = -tf.reduce_sum(labels * tf.log(probabilities))
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    hits = tf.equal(tf.argmax(probabilities, 1), tf.argmax(labels, 1))
    accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
    return {
        "x": x,
        "labels": labels,
        "output": probabilities,
        "loss": loss,
        "train": train,
        "accuracy": accuracy,
    }


def feed(data, ends, step):
    """What one step feeds."""
    images, labels = digits.batch(data, step, BATCH)
    return {ends["x"]: images, ends["labels"]: digits.one_hot(labels)}


def run(tf, np, data, steps, config=None):
    """Losses and variables of `steps` steps."""
    return loop.train(tf, build, lambda ends, i: feed(data, ends, i), steps, config)


def graphs(tf, np, data):
    """The one graph."""
    yield "train", loop.graph(tf, build)[0]


def export(tf, np, data, path):
    """Write the graph and its initial values; what a step feeds and gives."""
    return loop.export(tf, build, lambda ends, i: feed(data, ends, i), path)
