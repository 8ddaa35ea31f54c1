"""The CNN with layers and an Estimator: sparse cross entropy, dropout, SGD 0.001, batch 100."""

from programs import estimator


def _model(tf):
    return estimator.model(
        tf,
        lambda labels, logits: tf.losses.sparse_softmax_cross_entropy(labels=labels, logits=logits),
    )


def run(tf, np, data, steps, config=None):
    """Losses and variables of `steps` steps."""
    return estimator.run(tf, data, _model(tf), steps, config)


def graphs(tf, np, data):
    """The graphs of training, evaluation and prediction."""
    return estimator.graphs(tf, data, _model(tf))


def export(tf, np, data, path):
    """Write the graph and its initial values; what a step feeds and gives."""
    return estimator.export(tf, data, _model(tf), path)
