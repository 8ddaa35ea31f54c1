"""Train the CIFAR-10 network with one tower a device.

    relight run examples/cifar10/train_towers.py --towers=2 --device=cpu --data_dir=DIR

Every tower has the whole network on a device of its own and a batch of its own; the variables are
shared and stay on the CPU. A step waits for the gradients of all towers and applies their mean, so
it is a step of one large batch. Without that many devices, `allow_soft_placement` puts the towers
where there is one.
"""

import datetime
import time

import cifar10_input
import cifar10_model
import tensorflow as tf

tf.app.flags.DEFINE_string("data_dir", "/tmp/cifar10_data", "Where cifar-10-batches-bin is kept.")
tf.app.flags.DEFINE_string("train_dir", "/tmp/cifar10_towers", "For checkpoints and events.")
tf.app.flags.DEFINE_integer("steps", 100000, "How many steps to train.")
tf.app.flags.DEFINE_integer("batch_size", 128, "How many images the batch of a tower has.")
tf.app.flags.DEFINE_integer("towers", 2, "How many towers there are.")
tf.app.flags.DEFINE_string("device", "gpu", "What they run on: gpu or cpu.")
tf.app.flags.DEFINE_integer("threads", 16, "How many threads distort images.")
tf.app.flags.DEFINE_integer("shuffle_over", 20000, "How many images a batch is drawn from.")
tf.app.flags.DEFINE_integer("log_steps", 10, "Steps from one line of the log to the next.")
tf.app.flags.DEFINE_integer("summary_steps", 100, "Steps from one summary to the next.")
tf.app.flags.DEFINE_integer("save_steps", 1000, "Steps from one checkpoint to the next.")
FLAGS = tf.app.flags.FLAGS


def tower(batches, scope):
    """(total loss, its parts) of one tower on a batch of its own: scalars."""
    images, labels = batches.dequeue()
    return cifar10_model.losses(cifar10_model.logits(images), labels, scope)


def mean_gradients(by_tower):
    """The mean over towers of lists of (gradient, variable), as one such list."""
    means = []
    for pairs in zip(*by_tower):
        gradients = [gradient for gradient, _ in pairs]
        means.append((tf.reduce_mean(tf.stack(gradients), axis=0), pairs[0][1]))
    return means


def build():
    """(the op of a step, the last tower's loss)"""
    global_step = tf.train.get_or_create_global_step()
    images, labels = cifar10_input.training_batch(
        FLAGS.data_dir, FLAGS.batch_size, FLAGS.threads, FLAGS.shuffle_over
    )
    batches = tf.contrib.slim.prefetch_queue.prefetch_queue(
        [images, labels], capacity=2 * FLAGS.towers
    )
    rate = cifar10_model.learning_rate(global_step, FLAGS.batch_size * FLAGS.towers)
    optimizer = tf.train.GradientDescentOptimizer(rate)
    by_tower = []
    for i in range(FLAGS.towers):
        with tf.variable_scope(tf.get_variable_scope(), reuse=i > 0):
            with tf.device(f"/{FLAGS.device}:{i}"):
                with tf.name_scope(f"{cifar10_model.TOWER}_{i}") as scope:
                    loss, parts = tower(batches, scope)
                    by_tower.append(optimizer.compute_gradients(loss))
    updated = cifar10_model.update(optimizer, mean_gradients(by_tower), global_step)
    return tf.group(updated, cifar10_model.averaged_losses(loss, parts)), loss


def main(_):
    """Train until the last step, with checkpoints and summaries on the way."""
    with tf.device("/cpu:0"):
        train_op, loss = build()
    saver = tf.train.Saver()
    summaries = tf.summary.merge_all()
    devices = {"CPU": FLAGS.towers} if FLAGS.device == "cpu" else {}
    config = tf.ConfigProto(allow_soft_placement=True, device_count=devices)
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        writer = tf.summary.FileWriter(FLAGS.train_dir, session.graph)
        start = time.time()
        with coordinator.stop_on_exception():
            for step in range(1, FLAGS.steps + 1):
                _, value = session.run([train_op, loss])
                if value != value:
                    raise ValueError(f"the loss is not a number at step {step}")
                if step % FLAGS.log_steps == 0:
                    seconds = (time.time() - start) / FLAGS.log_steps
                    start = time.time()
                    rate = FLAGS.batch_size * FLAGS.towers / seconds
                    print(
                        f"{datetime.datetime.now()}: step {step}, loss = {value:.2f} "
                        f"({rate:.1f} examples/s, {seconds:.3f} s/batch)",
                        flush=True,
                    )
                if step % FLAGS.summary_steps == 0:
                    writer.add_summary(session.run(summaries), step)
                if step % FLAGS.save_steps == 0 or step == FLAGS.steps:
                    saver.save(session, FLAGS.train_dir + "/model.ckpt", global_step=step)
        writer.close()
        coordinator.request_stop()
        coordinator.join(threads)


if __name__ == "__main__":
    tf.app.run()
