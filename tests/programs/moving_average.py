"""A 784-500-10 network with L2, a decaying rate and moving averages of its variables.

The averages are updated after the step, not beside it: beside it, whether they see a variable
before or after its update is a race in TensorFlow.
"""

from programs import digits, loop

BATCH = 100


def _network(tf, x, variables, value):
    hidden_weights, hidden_bias, weights, bias = [value(v) for v in variables]
    hidden = tf.nn.relu(tf.matmul(x, hidden_weights) + hidden_bias)
    return tf.matmul(hidden, weights) + bias


def build(tf):
    """The graph; images [n, 784] and one-hot labels [n, 10] are fed."""
    x = tf.placeholder(tf.float32, shape=[None, 784], name="x-input")
    labels = tf.placeholder(tf.float32, shape=[None, 10], name="y-input")
    variables = [
        tf.Variable(tf.truncated_normal([784, 500], stddev=0.1)),
        tf.Variable(tf.constant(0.1, shape=[500])),
        tf.Variable(tf.truncated_normal([500, 10], stddev=0.1)),
        tf.Variable(tf.constant(0.1, shape=[10])),
    ]
    logits = _network(tf, x, variables, lambda v: v)
    global_step = tf.Variable(0, trainable=False)
    averages = tf.train.ExponentialMovingAverage(0.99, global_step)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
        logits=logits, labels=tf.argmax(labels, 1)
    )
    regularizer = tf.contrib.layers.l2_regularizer(0.0001)
    penalty = regularizer(variables[0]) + regularizer(variables[2])
    loss = tf.reduce_mean(entropy) + penalty
    rate = tf.train.exponential_decay(0.8, global_step, 550, 0.99)
    step = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=global_step)
    with tf.control_dependencies([step]):
        averaged = averages.apply(tf.trainable_variables())
    with tf.control_dependencies([step, averaged]):
        train = tf.no_op(name="train")
    average_logits = _network(tf, x, variables, averages.average)
    hits = tf.equal(tf.argmax(average_logits, 1), tf.argmax(labels, 1))
    return {
        "x": x,
        "labels": labels,
        "output": average_logits,
        "loss": loss,
        "loss_apart": True,  # the penalty reads the weights that the step writes
        "train": train,
        "accuracy": tf.reduce_mean(tf.cast(hits, tf.float32)),
        "saver": tf.train.Saver(),
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
