"""Train the CIFAR-10 network.

    relight run examples/cifar10/train.py --data_dir=DIR --train_dir=DIR --steps=3000

Ordinary TensorFlow 1 code: real TensorFlow 1.15 runs it as well. Started again on the same
`train_dir`, it goes on from the newest checkpoint there. `evaluate.py` follows it from a second
process.
"""

import datetime
import time

import cifar10_input
import cifar10_model
import tensorflow as tf

tf.app.flags.DEFINE_string("data_dir", "/tmp/cifar10_data", "Where cifar-10-batches-bin is kept.")
tf.app.flags.DEFINE_string("train_dir", "/tmp/cifar10_train", "For checkpoints and events.")
tf.app.flags.DEFINE_integer("steps", 100000, "The global step at which training ends.")
tf.app.flags.DEFINE_integer("batch_size", 128, "How many images a batch has.")
tf.app.flags.DEFINE_integer("threads", 16, "How many threads distort images.")
tf.app.flags.DEFINE_integer("shuffle_over", 20000, "How many images a batch is drawn from.")
tf.app.flags.DEFINE_integer("log_steps", 10, "Steps from one line of the log to the next.")
tf.app.flags.DEFINE_integer("save_seconds", 600, "Seconds from one checkpoint to the next.")
tf.app.flags.DEFINE_integer("summary_steps", 100, "Steps from one summary to the next.")
FLAGS = tf.app.flags.FLAGS


class Logger(tf.train.SessionRunHook):
    """Prints loss and speed every `every` steps."""

    def __init__(self, loss, global_step, batch_size, every):
        self._loss, self._global_step = loss, global_step
        self._batch_size, self._every = batch_size, every

    def begin(self):
        """Start the clock."""
        self._runs, self._start = 0, time.time()

    def before_run(self, run_context):
        """Ask for loss and step."""
        del run_context
        return tf.train.SessionRunArgs([self._loss, self._global_step])

    def after_run(self, run_context, run_values):
        """Print a line when it is time."""
        del run_context
        self._runs += 1
        if self._runs % self._every:
            return
        now = time.time()
        seconds = (now - self._start) / self._every
        self._start = now
        loss, step = run_values.results
        print(
            f"{datetime.datetime.now()}: step {step}, loss = {loss:.2f} "
            f"({self._batch_size / seconds:.1f} examples/s, {seconds:.3f} s/batch)",
            flush=True,
        )


def main(_):
    """Train until the last step."""
    global_step = tf.train.get_or_create_global_step()
    with tf.device("/cpu:0"):
        images, labels = cifar10_input.training_batch(
            FLAGS.data_dir, FLAGS.batch_size, FLAGS.threads, FLAGS.shuffle_over
        )
    tf.summary.image("images", images)
    total, parts = cifar10_model.losses(cifar10_model.logits(images), labels)
    train_op = cifar10_model.training(total, parts, global_step, FLAGS.batch_size)
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=FLAGS.train_dir,
        hooks=[
            tf.train.StopAtStepHook(last_step=FLAGS.steps),
            tf.train.NanTensorHook(total),
            Logger(total, global_step, FLAGS.batch_size, FLAGS.log_steps),
        ],
        save_checkpoint_secs=FLAGS.save_seconds,
        save_summaries_steps=FLAGS.summary_steps,
        log_step_count_steps=FLAGS.summary_steps,
    ) as session:
        while not session.should_stop():
            session.run(train_op)


if __name__ == "__main__":
    tf.logging.set_verbosity(tf.logging.INFO)
    tf.app.run()
