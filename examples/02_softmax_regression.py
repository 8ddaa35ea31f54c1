"""Softmax regression: the smallest model that reads handwritten digits, trained by hand.

    relight run examples/02_softmax_regression.py --steps=1000

One matrix and one vector turn 784 pixels into 10 scores; gradient descent finds them. One sees a
whole training program: data, placeholders, model, loss, `minimize`, a loop, an evaluation. Prints
the loss every 100 steps, the accuracy on the 10,000 test images (about 92 %), and for each digit
how often it is read as which.
"""

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.app.flags.DEFINE_integer("steps", 1000, "How many batches to train.")
tf.app.flags.DEFINE_integer("batch_size", 100, "How many images a batch has.")
tf.app.flags.DEFINE_float("learning_rate", 0.5, "The learning rate.")
tf.app.flags.DEFINE_string("data_dir", "/tmp/mnist_data", "Where the images are kept.")
FLAGS = tf.app.flags.FLAGS


def main(_):
    """Build the graph, train, evaluate."""
    mnist = input_data.read_data_sets(FLAGS.data_dir, one_hot=True)

    x = tf.placeholder(tf.float32, [None, 784], name="x")
    weights = tf.Variable(tf.zeros([784, 10]), name="weights")
    biases = tf.Variable(tf.zeros([10]), name="biases")
    logits = tf.matmul(x, weights) + biases

    # -sum(y * log(softmax(logits))) is the same number, until a probability is so small that its
    # logarithm is infinite: then it is NaN. This op works on the logits and never is.
    y = tf.placeholder(tf.float32, [None, 10], name="y")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
    train = tf.train.GradientDescentOptimizer(FLAGS.learning_rate).minimize(loss)

    found, wanted = tf.argmax(logits, axis=1), tf.argmax(y, axis=1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(found, wanted), tf.float32))
    confusion = tf.confusion_matrix(wanted, found, num_classes=10)

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(1, FLAGS.steps + 1):
            images, labels = mnist.train.next_batch(FLAGS.batch_size)
            _, value = session.run([train, loss], {x: images, y: labels})
            if step % 100 == 0:
                print(f"step {step:4d}: loss {value:.4f}")
        test = {x: mnist.test.images, y: mnist.test.labels}
        score, table = session.run([accuracy, confusion], test)
        print(f"test accuracy: {score:.4f}")
        print("digit  read as 0 ... 9")
        for digit, counts in enumerate(table):
            print(f"{digit:5d} ", " ".join(f"{n:4d}" for n in counts))


if __name__ == "__main__":
    tf.app.run()
