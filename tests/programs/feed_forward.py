"""A 128-32 network in name scopes, batches of a fixed size, summaries, SGD 0.01."""

import math

from programs import digits, loop

BATCH = 100


def _layer(tf, scope, inputs, size, activation=None):
    width = int(inputs.get_shape()[1])
    with tf.name_scope(scope):
        spread = 1.0 / math.sqrt(float(width))
        weights = tf.Variable(tf.truncated_normal([width, size], stddev=spread), name="weights")
        biases = tf.Variable(tf.zeros([size]), name="biases")
        outputs = tf.matmul(inputs, weights) + biases
        return outputs if activation is None else activation(outputs)


def build(tf):
    """The graph; images [100, 784] and labels [100] are fed."""
    x = tf.placeholder(tf.float32, shape=(BATCH, 784))
    labels = tf.placeholder(tf.int32, shape=(BATCH))
    hidden = _layer(tf, "hidden1", x, 128, tf.nn.relu)
    hidden = _layer(tf, "hidden2", hidden, 32, tf.nn.relu)
    logits = _layer(tf, "softmax_linear", hidden, 10)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.to_int64(labels), logits=logits, name="xentropy"
    )
    loss = tf.reduce_mean(entropy, name="xentropy_mean")
    tf.summary.scalar("loss", loss)
    global_step = tf.Variable(0, name="global_step", trainable=False)
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss, global_step=global_step)
    correct = tf.reduce_sum(tf.cast(tf.nn.in_top_k(logits, labels, 1), tf.int32))
    return {
        "x": x,
        "labels": labels,
        "output": logits,
        "loss": loss,
        "train": train,
        "correct": correct,
        "summary": tf.summary.merge_all(),
        "saver": tf.train.Saver(),
    }


def feed(data, ends, step):
    """What one step feeds."""
    images, labels = digits.batch(data, step, BATCH)
    return {ends["x"]: images, ends["labels"]: labels}


def run(tf, np, data, steps, config=None):
    """Losses and variables of `steps` steps."""
    return loop.train(tf, build, lambda ends, i: feed(data, ends, i), steps, config)


def graphs(tf, np, data):
    """The one graph."""
    yield "train", loop.graph(tf, build)[0]


def export(tf, np, data, path):
    """Write the graph and its initial values; what a step feeds and gives."""
    return loop.export(tf, build, lambda ends, i: feed(data, ends, i), path)
