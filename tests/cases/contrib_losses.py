"""tf.contrib.losses and tf.contrib.slim.losses: values, graphs, weights, collections."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _loss(function, labels, *arguments, **keywords):
    def case(tf, np):
        x = tf.constant(_data(np, 4, 3), name="x")
        given = dict(keywords)
        if "weights" in given:
            given["weights"] = tf.constant(given["weights"])
        losses = getattr(tf.contrib, "slim" if given.pop("slim", False) else "contrib_losses", None)
        losses = losses.losses if losses is not None else tf.contrib.losses
        predictions = tf.abs(x) if function == "log_loss" else x
        y = getattr(losses, function)(predictions, tf.constant(labels), *arguments, **given)
        return {
            "loss": y,
            "grads": tf.gradients(y, x),
            "collected": [loss.name for loss in tf.losses.get_losses()],
        }

    return case


_BITS = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
_HOT = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
_ROWS = [1.0, 0.0, 0.5, 2.0]
CASES = {}
for _name in (
    "absolute_difference",
    "log_loss",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "mean_pairwise_squared_error",
):
    CASES[_name] = _loss(_name, _HOT)
    CASES[_name + "_rows"] = _loss(_name, _BITS, weights=_ROWS)
    CASES[_name + "_zero"] = _loss(_name, _BITS, weights=0.0)
CASES["cosine"] = _loss("cosine_distance", _BITS, 1)
CASES["hinge"] = _loss("hinge_loss", _BITS)
CASES["sparse"] = _loss("sparse_softmax_cross_entropy", [0, 2, 1, 1])
CASES["sparse_column"] = _loss("sparse_softmax_cross_entropy", [[0], [2], [1], [1]], weights=_ROWS)
CASES["smooth"] = _loss("softmax_cross_entropy", _HOT, label_smoothing=0.1)
CASES["elements"] = _loss("mean_squared_error", _BITS, weights=_HOT)
CASES["column"] = _loss("mean_squared_error", _BITS, weights=[[1.0], [0.0], [0.5], [2.0]])
CASES["slim"] = _loss("mean_squared_error", _BITS, slim=True, scope="mine")


def total(tf, np):
    losses = tf.contrib.losses
    losses.mean_squared_error(tf.constant(_data(np, 2, 2)), tf.zeros([2, 2]))
    losses.add_loss(tf.constant(2.0))
    tf.add_to_collection("regularization_losses", tf.constant(0.5))
    return {"total": losses.get_total_loss(), "plain": losses.get_total_loss(False, "p")}
