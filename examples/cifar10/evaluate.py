"""Evaluate the checkpoints that `train.py` writes, while it writes them.

    relight run examples/cifar10/evaluate.py --data_dir=DIR --train_dir=DIR --eval_dir=DIR

Each new checkpoint's moving averages are restored into the variables, and the share of test images
whose best class is the right one is printed and written to an event file of its own.
"""

import datetime
import math

import cifar10_input
import cifar10_model
import numpy as np
import tensorflow as tf

tf.app.flags.DEFINE_string("data_dir", "/tmp/cifar10_data", "Where cifar-10-batches-bin is kept.")
tf.app.flags.DEFINE_string("train_dir", "/tmp/cifar10_train", "Where the checkpoints are.")
tf.app.flags.DEFINE_string("eval_dir", "/tmp/cifar10_eval", "For the events of the evaluation.")
tf.app.flags.DEFINE_integer("batch_size", 128, "How many images a batch has.")
tf.app.flags.DEFINE_integer("examples", cifar10_input.TEST_EXAMPLES, "How many images to look at.")
tf.app.flags.DEFINE_integer("threads", 16, "How many threads prepare images.")
tf.app.flags.DEFINE_integer("seconds", 300, "Least seconds from one evaluation to the next.")
tf.app.flags.DEFINE_boolean("once", False, "End after the newest checkpoint.")
tf.app.flags.DEFINE_boolean("on_training_files", False, "Look at the images trained on.")
tf.app.flags.DEFINE_integer("patience", 0, "End after so many seconds without a checkpoint; 0: no.")
FLAGS = tf.app.flags.FLAGS


def evaluated(session, hits, summaries):
    """The share of right answers over FLAGS.examples, in whole batches, and merged summaries.

    `hits` is a bool [batch]. Threads fill the input's queues meanwhile; their errors are raised
    here.
    """
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(session, coordinator)
    batches = math.ceil(FLAGS.examples / FLAGS.batch_size)
    right, merged = 0, b""
    with coordinator.stop_on_exception():
        for _ in range(batches):
            right += np.sum(session.run(hits))
        merged = session.run(summaries)
    coordinator.request_stop()
    coordinator.join(threads)
    return right / (batches * FLAGS.batch_size), merged


def main(_):
    """Evaluate each new checkpoint once."""
    with tf.device("/cpu:0"):
        images, labels = cifar10_input.test_batch(
            FLAGS.data_dir, FLAGS.batch_size, FLAGS.on_training_files, FLAGS.threads
        )
    hits = tf.nn.in_top_k(cifar10_model.logits(images), labels, 1)
    averages = tf.train.ExponentialMovingAverage(cifar10_model.AVERAGE_DECAY)
    saver = tf.train.Saver(averages.variables_to_restore())
    summaries = tf.summary.merge_all()
    writer = tf.summary.FileWriter(FLAGS.eval_dir, tf.get_default_graph())
    if FLAGS.once:
        newest = tf.train.latest_checkpoint(FLAGS.train_dir)
        if newest is None:
            raise SystemExit(f"no checkpoint in {FLAGS.train_dir}")
        checkpoints = [newest]
    else:
        checkpoints = tf.contrib.training.checkpoints_iterator(
            FLAGS.train_dir, FLAGS.seconds, FLAGS.patience or None
        )
    for path in checkpoints:
        step = int(path.rsplit("-", 1)[1])
        with tf.Session() as session:
            saver.restore(session, path)
            precision, merged = evaluated(session, hits, summaries)
        print(
            f"{datetime.datetime.now()}: step {step}, precision @ 1 = {precision:.4f}",
            flush=True,
        )
        summary = tf.Summary.FromString(merged)
        summary.value.add(tag="precision @ 1", simple_value=precision)
        writer.add_summary(summary, step)
        writer.flush()
    writer.close()


if __name__ == "__main__":
    tf.logging.set_verbosity(tf.logging.INFO)
    tf.app.run()
