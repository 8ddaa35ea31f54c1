"""The CNN with layers and an Estimator, its loss taken from one-hot labels."""

from programs import estimator


def _loss(tf, labels, logits):
    labels = tf.one_hot(indices=tf.cast(labels, tf.int32), depth=10)
    return tf.losses.softmax_cross_entropy(onehot_labels=labels, logits=logits)


def _model(tf):
    return estimator.model(tf, lambda labels, logits: _loss(tf, labels, logits))


def run(tf, np, data, steps, config=None):
    """Losses and variables of `steps` steps."""
    return estimator.run(tf, data, _model(tf), steps, config)


def graphs(tf, np, data):
    """The graphs of training, evaluation and prediction."""
    return estimator.graphs(tf, data, _model(tf))


def export(tf, np, data, path):
    """Write the graph and its initial values; what a step feeds and gives."""
    return estimator.export(tf, data, _model(tf), path)
