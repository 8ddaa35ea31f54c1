"""The network: two convolutions with pooling and normalisation, three dense layers.

    conv1 - pool1 - norm1 - conv2 - norm2 - pool2 - local3 - local4 - softmax_linear

1,068,298 parameters for images [24, 24, 3]. Variables are made with `tf.get_variable` and stay on
the CPU, so that towers on several devices can share them.
"""

import re

import cifar10_input
import tensorflow as tf

FIRST_RATE = 0.1  # learning rate at the start
RATE_FACTOR = 0.1  # what it is multiplied with ...
EPOCHS_PER_RATE = 350.0  # ... each time so many epochs are over
AVERAGE_DECAY = 0.9999  # of the moving averages of variables
TOWER = "tower"


def _variable(name, shape, initializer):
    with tf.device("/cpu:0"):
        return tf.get_variable(name, shape, tf.float32, initializer)


def _weights(shape, deviation, decay=0.0):
    """Weights of a truncated normal distribution; their L2 penalty goes to the losses."""
    weights = _variable("weights", shape, tf.truncated_normal_initializer(stddev=deviation))
    if decay:
        penalty = tf.multiply(tf.nn.l2_loss(weights), decay, name="weight_decay")
        tf.add_to_collection(tf.GraphKeys.LOSSES, penalty)
    return weights


def _biases(size, value):
    return _variable("biases", [size], tf.constant_initializer(value))


def _watched(activation):
    """An activation, with summaries of its distribution and of the share of zeros in it."""
    name = re.sub(TOWER + "_[0-9]*/", "", activation.op.name)  # one name for all towers
    tf.summary.histogram(name + "/activations", activation)
    tf.summary.scalar(name + "/sparsity", tf.nn.zero_fraction(activation))
    return activation


def _convolution(images, filters, first_bias):
    depth = images.shape[3].value
    convolved = tf.nn.conv2d(images, _weights([5, 5, depth, filters], 0.05), [1, 1, 1, 1], "SAME")
    return tf.nn.relu(tf.nn.bias_add(convolved, _biases(filters, first_bias)))


def _pooled(images, name):
    return tf.nn.max_pool(images, [1, 3, 3, 1], [1, 2, 2, 1], "SAME", name=name)


def _normalised(images, name):
    return tf.nn.lrn(images, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name=name)


def _dense(values, units, deviation, decay, first_bias):
    weights = _weights([values.shape[1].value, units], deviation, decay)
    return tf.nn.xw_plus_b(values, weights, _biases(units, first_bias))


def logits(images):
    """Unscaled log-probabilities [batch, 10] of the classes of images [batch, 24, 24, 3]."""
    with tf.variable_scope("conv1"):
        conv1 = _convolution(images, 64, 0.0)
    norm1 = _normalised(_pooled(_watched(conv1), "pool1"), "norm1")
    with tf.variable_scope("conv2"):
        conv2 = _convolution(norm1, 64, 0.1)
    pool2 = _pooled(_normalised(_watched(conv2), "norm2"), "pool2")
    flat = tf.reshape(pool2, [-1, pool2.shape[1:].num_elements()])
    with tf.variable_scope("local3"):
        local3 = tf.nn.relu(_dense(flat, 384, 0.04, 0.004, 0.1))
    _watched(local3)
    with tf.variable_scope("local4"):
        local4 = tf.nn.relu(_dense(local3, 192, 0.04, 0.004, 0.1))
    _watched(local4)
    with tf.variable_scope("softmax_linear"):
        linear = _dense(local4, cifar10_input.CLASSES, 1 / 192.0, 0.0, 0.0)
    return _watched(linear)


def losses(logits, labels, scope=None):
    """What training makes small: mean cross entropy of labels [batch], and the weights' penalties.

    Returns (total, parts): scalars. `scope` takes in only what was made under a name scope.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    tf.add_to_collection(tf.GraphKeys.LOSSES, tf.reduce_mean(entropy, name="cross_entropy"))
    parts = tf.get_collection(tf.GraphKeys.LOSSES, scope)
    return tf.add_n(parts, name="total_loss"), parts


def averaged_losses(total, parts):
    """Summaries of losses, raw and as moving averages. Returns the op that updates these."""
    averages = tf.train.ExponentialMovingAverage(0.9, name="avg")
    update = averages.apply([*parts, total])
    for loss in [*parts, total]:
        name = re.sub(TOWER + "_[0-9]*/", "", loss.op.name)
        tf.summary.scalar(name + "/raw", loss)
        tf.summary.scalar(name + "/averaged", averages.average(loss))
    return update


def learning_rate(global_step, batch_size):
    """The rate at a step: a tenth after every 350 epochs."""
    steps = int(cifar10_input.TRAINING_EXAMPLES / batch_size * EPOCHS_PER_RATE)
    rate = tf.train.exponential_decay(FIRST_RATE, global_step, steps, RATE_FACTOR, staircase=True)
    tf.summary.scalar("learning_rate", rate)
    return rate


def update(optimizer, gradients, global_step):
    """The op of one step: apply (gradient, variable) pairs, then move the variables' averages."""
    for gradient, variable in gradients:
        tf.summary.histogram(variable.op.name + "/values", variable)
        tf.summary.histogram(variable.op.name + "/gradients", gradient)
    applied = optimizer.apply_gradients(gradients, global_step=global_step)
    averages = tf.train.ExponentialMovingAverage(AVERAGE_DECAY, global_step)
    with tf.control_dependencies([applied]):
        return averages.apply(tf.trainable_variables())


def training(total, parts, global_step, batch_size):
    """The op of one step for one device: gradients of `total` and the `update` by them."""
    with tf.control_dependencies([averaged_losses(total, parts)]):
        optimizer = tf.train.GradientDescentOptimizer(learning_rate(global_step, batch_size))
        gradients = optimizer.compute_gradients(total)
    return update(optimizer, gradients, global_step)
