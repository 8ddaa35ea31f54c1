"""A convolutional network for handwritten digits, trained, evaluated and asked with an Estimator.

    relight run examples/mnist_cnn_estimator.py --steps=1000

Ordinary TensorFlow 1 code: real TensorFlow 1.15 runs it as well. The network is the classic one:
5x5 convolution to 32 channels, 2x2 max-pooling, 5x5 convolution to 64 channels, 2x2 max-pooling,
1024 units with dropout, 10 logits.
"""

import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

OPTIMIZERS = {
    "adagrad": tf.train.AdagradOptimizer,
    "adam": tf.train.AdamOptimizer,
    "momentum": lambda learning_rate: tf.train.MomentumOptimizer(learning_rate, momentum=0.9),
    "rmsprop": tf.train.RMSPropOptimizer,
    "sgd": tf.train.GradientDescentOptimizer,
}

tf.app.flags.DEFINE_enum("optimizer", "adam", sorted(OPTIMIZERS), "How the network is trained.")
tf.app.flags.DEFINE_float("learning_rate", 0.001, "The learning rate.")
tf.app.flags.DEFINE_integer("steps", 1000, "How many batches to train.")
tf.app.flags.DEFINE_integer("batch_size", 100, "How many images a batch has.")
tf.app.flags.DEFINE_string("model_dir", "/tmp/mnist_cnn", "Where checkpoints and events are kept.")
tf.app.flags.DEFINE_string("data_dir", "/tmp/mnist_data", "Where the images are kept.")
FLAGS = tf.app.flags.FLAGS


def cnn_model_fn(features, labels, mode, params):
    """The network: images float32 [batch, 784] in `features["x"]`, labels int32 [batch]."""
    images = tf.reshape(features["x"], [-1, 28, 28, 1])
    conv1 = tf.layers.conv2d(images, 32, [5, 5], padding="same", activation=tf.nn.relu)
    pool1 = tf.layers.max_pooling2d(conv1, pool_size=[2, 2], strides=2)
    conv2 = tf.layers.conv2d(pool1, 64, [5, 5], padding="same", activation=tf.nn.relu)
    pool2 = tf.layers.max_pooling2d(conv2, pool_size=[2, 2], strides=2)
    dense = tf.layers.dense(tf.reshape(pool2, [-1, 7 * 7 * 64]), 1024, activation=tf.nn.relu)
    dropout = tf.layers.dropout(dense, rate=0.4, training=mode == tf.estimator.ModeKeys.TRAIN)
    logits = tf.layers.dense(dropout, 10)

    predictions = {
        "classes": tf.argmax(logits, axis=1),
        "probabilities": tf.nn.softmax(logits, name="softmax_tensor"),
    }
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)

    loss = tf.losses.sparse_softmax_cross_entropy(labels=labels, logits=logits)
    if mode == tf.estimator.ModeKeys.TRAIN:
        optimizer = OPTIMIZERS[params["optimizer"]](learning_rate=params["learning_rate"])
        train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    accuracy = tf.metrics.accuracy(labels=labels, predictions=predictions["classes"])
    return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"accuracy": accuracy})


def make_classifier(model_dir, optimizer="adam", learning_rate=0.001):
    """An Estimator of the network."""
    return tf.estimator.Estimator(
        model_fn=cnn_model_fn,
        model_dir=model_dir,
        params={"optimizer": optimizer, "learning_rate": learning_rate},
    )


def train(classifier, data, steps, batch_size=100, hooks=None):
    """Train on random batches of `data`, a DataSet of images and labels."""
    input_fn = tf.estimator.inputs.numpy_input_fn(
        x={"x": data.images},
        y=np.asarray(data.labels, dtype=np.int32),
        batch_size=batch_size,
        num_epochs=None,
        shuffle=True,
    )
    classifier.train(input_fn=input_fn, steps=steps, hooks=hooks)


def evaluate(classifier, data):
    """The metrics of the newest checkpoint on all of `data`."""
    input_fn = tf.estimator.inputs.numpy_input_fn(
        x={"x": data.images},
        y=np.asarray(data.labels, dtype=np.int32),
        num_epochs=1,
        shuffle=False,
    )
    return classifier.evaluate(input_fn=input_fn)


def predict(classifier, images):
    """Yield the prediction of each image: {"classes": int64, "probabilities": float32 [10]}."""
    input_fn = tf.estimator.inputs.numpy_input_fn(x={"x": images}, num_epochs=1, shuffle=False)
    return classifier.predict(input_fn=input_fn)


def main(_):
    """Train, evaluate, and predict a few digits."""
    mnist = input_data.read_data_sets(FLAGS.data_dir)
    classifier = make_classifier(FLAGS.model_dir, FLAGS.optimizer, FLAGS.learning_rate)
    train(classifier, mnist.train, FLAGS.steps, FLAGS.batch_size)
    print(evaluate(classifier, mnist.test))
    for label, found in zip(mnist.test.labels, predict(classifier, mnist.test.images[:10])):
        sure = found["probabilities"].max()
        print(f"label {label}, predicted {found['classes']} with probability {sure:.3f}")


if __name__ == "__main__":
    tf.logging.set_verbosity(tf.logging.INFO)
    tf.app.run()
