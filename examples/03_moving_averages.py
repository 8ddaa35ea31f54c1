"""A hidden layer, weight decay, a falling learning rate, and averages of all parameters.

    relight run examples/03_moving_averages.py --steps=5000

The network is 784-500-10. Besides the parameters that gradient descent moves, a shadow of each
follows them slowly (`ExponentialMovingAverage`); evaluation uses the shadows, which jump about
less. One learns to write the network once and build it twice, to tie ops together with control
dependencies, and to save a model and bring it back in a graph that knows nothing about it, by
names alone. Prints validation accuracy on the way, and test accuracy before and after restoring:
about 98.3 % after 5,000 steps.
"""

import os

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.app.flags.DEFINE_integer("steps", 5000, "How many batches to train.")
tf.app.flags.DEFINE_integer("batch_size", 100, "How many images a batch has.")
tf.app.flags.DEFINE_float("learning_rate", 0.8, "The learning rate to begin with.")
tf.app.flags.DEFINE_float("learning_rate_decay", 0.99, "Its factor after each pass of the data.")
tf.app.flags.DEFINE_float("weight_decay", 0.0001, "The factor of the L2 penalty.")
tf.app.flags.DEFINE_float("average_decay", 0.99, "How slowly the averages follow.")
tf.app.flags.DEFINE_string("data_dir", "/tmp/mnist_data", "Where the images are kept.")
tf.app.flags.DEFINE_string("model_dir", "/tmp/mnist_averages", "Where the checkpoint is kept.")
FLAGS = tf.app.flags.FLAGS


def layer(name, size):
    """The weights and biases of a layer; `size` is [inputs, outputs]."""
    with tf.variable_scope(name):
        weights = tf.get_variable(
            "weights",
            size,
            initializer=tf.truncated_normal_initializer(stddev=0.1),
            regularizer=tf.contrib.layers.l2_regularizer(FLAGS.weight_decay),
        )
        biases = tf.get_variable("biases", size[1:], initializer=tf.constant_initializer(0.1))
    return weights, biases


def network(images, hidden, output, value_of=lambda variable: variable):
    """Logits [batch, 10]; `value_of` says which value of a variable to compute with."""
    weights, biases = [value_of(v) for v in hidden]
    activations = tf.nn.relu(tf.matmul(images, weights) + biases)
    weights, biases = [value_of(v) for v in output]
    return tf.matmul(activations, weights) + biases


def train(mnist, path):
    """Train and save to `path`; the accuracy of the averages on the test images."""
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y = tf.placeholder(tf.int64, [None], name="y")
    hidden, output = layer("hidden", [784, 500]), layer("output", [500, 10])
    step = tf.train.get_or_create_global_step()

    loss = (
        tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=y, logits=network(x, hidden, output)
            )
        )
        + tf.losses.get_regularization_loss()
    )
    passes = mnist.train.num_examples // FLAGS.batch_size
    rate = tf.train.exponential_decay(
        FLAGS.learning_rate, step, passes, FLAGS.learning_rate_decay, staircase=True
    )
    descend = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=step)

    # The averages have to follow the step, not go beside it.
    averages = tf.train.ExponentialMovingAverage(FLAGS.average_decay, step)
    with tf.control_dependencies([descend]):
        train_op = averages.apply(tf.trainable_variables())
    averaged = network(x, hidden, output, averages.average)
    hits = tf.equal(tf.argmax(averaged, axis=1), y)
    accuracy = tf.reduce_mean(tf.cast(hits, tf.float32), name="accuracy")

    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for count in range(1, FLAGS.steps + 1):
            images, labels = mnist.train.next_batch(FLAGS.batch_size)
            session.run(train_op, {x: images, y: labels})
            if count % 500 == 0:
                checked = {x: mnist.validation.images, y: mnist.validation.labels}
                now, score = session.run([rate, accuracy], checked)
                print(f"step {count:5d}: learning rate {now:.4f}, validation accuracy {score:.4f}")
        print("saved", saver.save(session, path, global_step=step))
        return session.run(accuracy, {x: mnist.test.images, y: mnist.test.labels})


def restore(mnist, model_dir):
    """The same accuracy from the files alone: the graph comes from the `.meta` file."""
    path = tf.train.latest_checkpoint(model_dir)
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(path + ".meta")
        saver.restore(session, path)
        return session.run("accuracy:0", {"x:0": mnist.test.images, "y:0": mnist.test.labels})


def main(_):
    """Train, save, restore."""
    mnist = input_data.read_data_sets(FLAGS.data_dir)
    tf.gfile.MakeDirs(FLAGS.model_dir)
    score = train(mnist, os.path.join(FLAGS.model_dir, "model.ckpt"))
    print(f"test accuracy: {score:.4f}")
    print(f"after restoring: {restore(mnist, FLAGS.model_dir):.4f}")


if __name__ == "__main__":
    tf.app.run()
