"""`tensorflow.examples.tutorials.mnist.mnist`: a network of two hidden layers for the digits."""

from __future__ import annotations

import math
from typing import Any

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def _affine(tf: Any, inputs: Any, in_units: int, out_units: int) -> Any:
    """inputs [batch, in_units] times weights plus biases: [batch, out_units]."""
    deviation = 1.0 / math.sqrt(float(in_units))
    initial = tf.truncated_normal([in_units, out_units], stddev=deviation)
    weights = tf.Variable(initial, name="weights")
    biases = tf.Variable(tf.zeros([out_units]), name="biases")
    return tf.matmul(inputs, weights) + biases


def inference(images: Any, hidden1_units: int, hidden2_units: int) -> Any:
    """Logits [batch, NUM_CLASSES] of images [batch, IMAGE_PIXELS], both float32."""
    import relight.v1 as tf

    with tf.name_scope("hidden1"):
        hidden = tf.nn.relu(_affine(tf, images, IMAGE_PIXELS, hidden1_units))
    with tf.name_scope("hidden2"):
        hidden = tf.nn.relu(_affine(tf, hidden, hidden1_units, hidden2_units))
    with tf.name_scope("softmax_linear"):
        return _affine(tf, hidden, hidden2_units, NUM_CLASSES)


def loss(logits: Any, labels: Any) -> Any:
    """Mean cross entropy, a scalar, of logits [batch, NUM_CLASSES] and class numbers [batch]."""
    import relight.v1 as tf

    labels = tf.cast(labels, tf.int64)
    return tf.losses.sparse_softmax_cross_entropy(labels=labels, logits=logits)


def training(loss: Any, learning_rate: float) -> Any:
    """The op that makes one step of gradient descent on `loss` and counts it in `global_step`.

    A scalar summary named "loss" is added to the graph.
    """
    import relight.v1 as tf

    tf.summary.scalar("loss", loss)
    optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    global_step = tf.Variable(0, name="global_step", trainable=False)
    return optimizer.minimize(loss, global_step=global_step)


def evaluation(logits: Any, labels: Any) -> Any:
    """How many of the batch are predicted right, a scalar int32.

    Takes logits [batch, NUM_CLASSES] and class numbers [batch].
    """
    import relight.v1 as tf

    correct = tf.nn.in_top_k(logits, labels, 1)
    return tf.reduce_sum(tf.cast(correct, tf.int32))
