"""How a program that trains for hours is built: functions, checkpoints, evaluations, restarts.

    relight run examples/05_feed_forward.py --max_steps=2000
    relight run examples/05_feed_forward.py --fake_data --max_steps=100    (needs no images)

The network is plain, 784-128-32-10. What one learns is the mechanics around it: four functions
that each add one thing to the graph (inference, loss, training, evaluation), placeholders with the
batch size baked in, a loss summary for TensorBoard, a checkpoint every 1,000 steps that the next
run goes on from, and an evaluation over the whole of each data set, batch by batch. Prints the
loss every 100 steps and how many images of each set are right: about 90 % after 2,000 steps.
"""

import argparse
import math
import os
import sys
import time

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

CLASSES, PIXELS = 10, 28 * 28
FLAGS = None


def dense(inputs, units, name, activation=None):
    """A fully connected layer: [batch, n] -> [batch, units]. Its nodes are in the scope `name`."""
    size = int(inputs.shape[1])
    with tf.name_scope(name):
        start = tf.truncated_normal([size, units], stddev=1.0 / math.sqrt(size))
        weights = tf.Variable(start, name="weights")
        biases = tf.Variable(tf.zeros([units]), name="biases")
        outputs = tf.matmul(inputs, weights) + biases
        return outputs if activation is None else activation(outputs)


def inference(images):
    """Logits [batch, CLASSES] of images [batch, PIXELS]."""
    hidden1 = dense(images, FLAGS.hidden1, "hidden1", tf.nn.relu)
    hidden2 = dense(hidden1, FLAGS.hidden2, "hidden2", tf.nn.relu)
    return dense(hidden2, CLASSES, "softmax_linear")


def loss_of(logits, labels):
    """The mean cross entropy, a scalar."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(each, name="loss")


def training(loss):
    """The op that makes one step and counts it."""
    tf.summary.scalar("loss", loss)
    optimizer = tf.train.GradientDescentOptimizer(FLAGS.learning_rate)
    return optimizer.minimize(loss, global_step=tf.train.get_or_create_global_step())


def evaluation(logits, labels):
    """How many images of the batch have the largest logit at their label."""
    return tf.reduce_sum(tf.cast(tf.nn.in_top_k(logits, labels, 1), tf.int32))


def evaluate(session, count_right, next_feed, data, name):
    """Print the precision over one pass of `data`, as many whole batches as it has."""
    batches = data.num_examples // FLAGS.batch_size
    right = sum(int(session.run(count_right, next_feed(data))) for _ in range(batches))
    images = batches * FLAGS.batch_size
    print(f"{name}: {right} of {images} right, precision {right / images:.4f}")


def run():
    """Build the graph and train, from the newest checkpoint if there is one."""
    data = input_data.read_data_sets(FLAGS.data_dir, FLAGS.fake_data)
    images = tf.placeholder(tf.float32, [FLAGS.batch_size, PIXELS], name="images")
    labels = tf.placeholder(tf.int32, [FLAGS.batch_size], name="labels")
    logits = inference(images)
    loss = loss_of(logits, labels)
    train = training(loss)
    count_right = evaluation(logits, labels)
    summaries = tf.summary.merge_all()
    saver = tf.train.Saver(max_to_keep=3)

    def next_feed(data_set):
        """The placeholders with the next batch of `data_set`."""
        batch = data_set.next_batch(FLAGS.batch_size, FLAGS.fake_data)
        return {images: batch[0], labels: batch[1]}

    with tf.Session() as session:
        state = tf.train.get_checkpoint_state(FLAGS.logdir)
        if state:
            saver.restore(session, state.model_checkpoint_path)
            saver.recover_last_checkpoints(state.all_model_checkpoint_paths)  # deleted in turn
            print("going on from", state.model_checkpoint_path)
        else:
            session.run(tf.global_variables_initializer())
        first = int(session.run(tf.train.get_global_step()))
        writer = tf.summary.FileWriter(FLAGS.logdir, session.graph)
        begin = time.time()
        for step in range(first + 1, FLAGS.max_steps + 1):
            feed = next_feed(data.train)
            _, value = session.run([train, loss], feed)
            if step % 100 == 0:
                milliseconds = 1000 * (time.time() - begin) / 100
                print(f"step {step}: loss {value:.2f} ({milliseconds:.2f} ms a step)")
                writer.add_summary(session.run(summaries, feed), step)
                begin = time.time()
            if step % 1000 == 0 or step == FLAGS.max_steps:
                path = os.path.join(FLAGS.logdir, "model.ckpt")
                print("saved", saver.save(session, path, global_step=step))
                evaluate(session, count_right, next_feed, data.train, "training")
                evaluate(session, count_right, next_feed, data.validation, "validation")
                evaluate(session, count_right, next_feed, data.test, "test")
                begin = time.time()
        writer.close()


def main(_):
    """Make the folder; train."""
    tf.gfile.MakeDirs(FLAGS.logdir)
    run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max_steps", type=int, default=2000, help="The step to train to.")
    parser.add_argument("--batch_size", type=int, default=100, help="Images in a batch.")
    parser.add_argument("--hidden1", type=int, default=128, help="Units of the first layer.")
    parser.add_argument("--hidden2", type=int, default=32, help="Units of the second layer.")
    parser.add_argument("--learning_rate", type=float, default=0.01, help="The learning rate.")
    parser.add_argument("--data_dir", default="/tmp/mnist_data", help="Where the images are kept.")
    parser.add_argument("--logdir", default="/tmp/mnist_feed_forward", help="Where results go.")
    parser.add_argument("--fake_data", action="store_true", help="Made-up images, for a trial.")
    FLAGS, rest = parser.parse_known_args()
    tf.app.run(main=main, argv=[sys.argv[0], *rest])
