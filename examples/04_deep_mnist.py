"""The deep digit network, and everything that TensorBoard can show about its training.

    relight run examples/04_deep_mnist.py --steps=1000
    relight board /tmp/mnist_deep

Two convolutions, two poolings, a layer of 1024 units with dropout, Adam. The name scopes become
the boxes of the graph page; summaries become curves, histograms, pictures and text; a traced step
gives each box its time and memory (choose "step 100" on the graph page) and a file
`timeline-100.json` for chrome://tracing; the last hidden layer of 1,000 test images goes to the
projector. Prints the accuracy of batches on the way and of the test set at the end: about 97 %
after 1,000 steps.
"""

import os

import numpy as np
import tensorflow as tf
from tensorflow.contrib.tensorboard.plugins import projector
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.python.client import timeline

tf.app.flags.DEFINE_integer("steps", 1000, "How many batches to train.")
tf.app.flags.DEFINE_integer("batch_size", 50, "How many images a batch has.")
tf.app.flags.DEFINE_integer("shown", 1000, "How many test images the projector shows.")
tf.app.flags.DEFINE_float("learning_rate", 1e-4, "Adam's learning rate.")
tf.app.flags.DEFINE_float("keep_prob", 0.5, "The share of units that dropout keeps.")
tf.app.flags.DEFINE_string("data_dir", "/tmp/mnist_data", "Where the images are kept.")
tf.app.flags.DEFINE_string("logdir", "/tmp/mnist_deep", "Where events and checkpoint go.")
FLAGS = tf.app.flags.FLAGS


def parameters(shape):
    """Weights of `shape` and biases for its last axis, both with a histogram."""
    weights = tf.Variable(tf.truncated_normal(shape, stddev=0.1), name="weights")
    biases = tf.Variable(tf.constant(0.1, shape=shape[-1:]), name="biases")
    tf.summary.histogram("histograms/weights", weights)
    tf.summary.histogram("histograms/biases", biases)
    return weights, biases


def convolution(images, channels, name):
    """[batch, h, w, n] -> [batch, h/2, w/2, channels]: 5x5 convolution, relu, 2x2 maximum."""
    with tf.name_scope(name):
        weights, biases = parameters([5, 5, int(images.shape[3]), channels])
        product = tf.nn.conv2d(images, weights, strides=[1, 1, 1, 1], padding="SAME")
        activations = tf.nn.relu(tf.nn.bias_add(product, biases))
        tf.summary.scalar("share_of_zeros", tf.nn.zero_fraction(activations))
        return tf.nn.max_pool(activations, [1, 2, 2, 1], [1, 2, 2, 1], padding="SAME")


def network(x, keep_prob):
    """(hidden [batch, 1024], logits [batch, 10]) of images [batch, 784]."""
    with tf.name_scope("input"):
        images = tf.reshape(x, [-1, 28, 28, 1])
        tf.summary.image("digits", images, max_outputs=4)
    pooled = convolution(convolution(images, 32, "conv1"), 64, "conv2")
    with tf.name_scope("hidden"):
        weights, biases = parameters([7 * 7 * 64, 1024])
        flat = tf.reshape(pooled, [-1, 7 * 7 * 64])
        hidden = tf.nn.relu(tf.matmul(flat, weights) + biases)
        dropped = tf.nn.dropout(hidden, rate=1 - keep_prob)
    with tf.name_scope("output"):
        weights, biases = parameters([1024, 10])
        return hidden, tf.matmul(dropped, weights) + biases


def traced_step(session, fetches, feed, writer, step):
    """A training step that notes when each op began and ended, for TensorBoard and for Chrome."""
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    summary, _ = session.run(fetches, feed, options=options, run_metadata=metadata)
    writer.add_summary(summary, step)
    writer.add_run_metadata(metadata, f"step {step}", step)
    trace = timeline.Timeline(metadata.step_stats).generate_chrome_trace_format()
    with open(os.path.join(FLAGS.logdir, f"timeline-{step}.json"), "w") as file:
        file.write(trace)


def show_in_projector(writer, vectors, data):
    """Tell TensorBoard where the vectors are, and their labels and pictures."""
    with open(os.path.join(FLAGS.logdir, "labels.tsv"), "w") as file:
        file.writelines(f"{label}\n" for label in data.labels[: FLAGS.shown])
    side = int(np.ceil(np.sqrt(FLAGS.shown)))
    sprites = np.zeros([side * side, 28, 28, 1])
    sprites[: FLAGS.shown] = 1 - data.images[: FLAGS.shown].reshape([-1, 28, 28, 1])
    rows = sprites.reshape([side, side, 28, 28]).swapaxes(1, 2).reshape([28 * side, 28 * side, 1])
    with tf.Graph().as_default(), tf.Session() as session:
        png = session.run(tf.image.encode_png((255 * rows).astype(np.uint8)))
    with open(os.path.join(FLAGS.logdir, "sprites.png"), "wb") as file:
        file.write(png)
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name=vectors.name, metadata_path="labels.tsv")
    embedding.sprite.image_path = "sprites.png"
    embedding.sprite.single_image_dim.extend([28, 28])
    projector.visualize_embeddings(writer, config)


def main(_):
    """Train with summaries, evaluate in batches, save the vectors for the projector."""
    mnist = input_data.read_data_sets(FLAGS.data_dir)
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y = tf.placeholder(tf.int64, [None], name="y")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")
    hidden, logits = network(x, keep_prob)
    with tf.name_scope("loss"):
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        loss = tf.reduce_mean(each)
    with tf.name_scope("train"):
        train = tf.train.AdamOptimizer(FLAGS.learning_rate).minimize(loss)
    with tf.name_scope("evaluation"):
        hits = tf.equal(tf.argmax(logits, axis=1), y)
        accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
    tf.summary.scalar("cross_entropy", loss)
    tf.summary.scalar("accuracy", accuracy)
    settings = f"{FLAGS.steps} steps of {FLAGS.batch_size} images"
    tf.summary.text("settings", tf.constant(settings), collections=["once"])
    vectors = tf.Variable(tf.zeros([FLAGS.shown, 1024]), trainable=False, name="vectors")
    keep_vectors = tf.assign(vectors, hidden)
    summaries = tf.summary.merge_all()

    with tf.Session() as session, tf.summary.FileWriter(FLAGS.logdir, session.graph) as writer:
        session.run(tf.global_variables_initializer())
        writer.add_summary(session.run(tf.summary.merge_all("once")))
        for step in range(1, FLAGS.steps + 1):
            images, labels = mnist.train.next_batch(FLAGS.batch_size)
            feed = {x: images, y: labels, keep_prob: FLAGS.keep_prob}
            if step % 100 == 0:
                traced_step(session, [summaries, train], feed, writer, step)
                value = session.run(accuracy, {x: images, y: labels})
                print(f"step {step}: accuracy {value:.2f}")
            elif step % 10 == 0:
                summary, _ = session.run([summaries, train], feed)
                writer.add_summary(summary, step)
            else:
                session.run(train, feed)
        batches = [mnist.test.next_batch(500, shuffle=False) for _ in range(20)]
        scores = [session.run(accuracy, {x: images, y: labels}) for images, labels in batches]
        print(f"test accuracy: {np.mean(scores):.4f}")
        session.run(keep_vectors, {x: mnist.test.images[: FLAGS.shown]})
        tf.train.Saver([vectors]).save(session, os.path.join(FLAGS.logdir, "model.ckpt"))
        show_in_projector(writer, vectors, mnist.test)


if __name__ == "__main__":
    tf.app.run()
