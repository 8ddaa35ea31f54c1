"""A recurrent network that reads handwritten digits row by row.

    relight run examples/mnist_rows_lstm.py --steps=1200

Ordinary TensorFlow 1 code: real TensorFlow 1.15 runs it as well. Each image is a sequence of 28
rows of 28 pixels; the last output of an LSTM of 128 units gives the 10 logits.
"""

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.app.flags.DEFINE_integer("steps", 1200, "How many batches to train.")
tf.app.flags.DEFINE_integer("batch_size", 128, "How many images a batch has.")
tf.app.flags.DEFINE_integer("units", 128, "How many units the LSTM has.")
tf.app.flags.DEFINE_float("learning_rate", 0.003, "The learning rate.")
tf.app.flags.DEFINE_string("data_dir", "/tmp/mnist_data", "Where the images are kept.")
FLAGS = tf.app.flags.FLAGS


def network(images, units):
    """Logits [batch, 10] of images [batch, 784]."""
    rows = tf.reshape(images, [-1, 28, 28])
    cell = tf.nn.rnn_cell.BasicLSTMCell(units)
    outputs, _ = tf.nn.dynamic_rnn(cell, rows, dtype=tf.float32)
    weights = tf.get_variable("weights", [units, 10])
    biases = tf.get_variable("biases", [10], initializer=tf.zeros_initializer())
    return tf.matmul(outputs[:, -1], weights) + biases


def main(_):
    """Train, and print the accuracy on the test images."""
    mnist = input_data.read_data_sets(FLAGS.data_dir)
    images = tf.placeholder(tf.float32, [None, 784])
    labels = tf.placeholder(tf.int64, [None])
    logits = network(images, FLAGS.units)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    train = tf.train.AdamOptimizer(FLAGS.learning_rate).minimize(loss)
    hits = tf.equal(tf.argmax(logits, axis=1), labels)
    accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(1, FLAGS.steps + 1):
            x, y = mnist.train.next_batch(FLAGS.batch_size)
            value, _ = session.run([loss, train], {images: x, labels: y})
            if step % 100 == 0:
                print(f"step {step}: loss {value:.4f}", flush=True)
        test = {images: mnist.test.images, labels: mnist.test.labels}
        print(f"test accuracy: {session.run(accuracy, test):.4f}")


if __name__ == "__main__":
    tf.app.run()
