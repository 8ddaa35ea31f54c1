"""tf.losses: values, graphs, weights of all shapes, reductions, gradients, errors."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _names(values):
    return [v.name for v in values]


def _loss(function, labels, predictions, *arguments, **keywords):
    def case(tf, np):
        truth, x = labels(np), tf.constant(predictions(np), name="x")
        given = dict(keywords)
        if callable(given.get("weights")):
            given["weights"] = given["weights"](tf, np)
        loss = getattr(tf.losses, function)(tf.constant(truth), x, *arguments, **given)
        return {
            "loss": loss,
            "static": str(loss.shape),
            "grads": tf.gradients(loss, x),
            "collected": _names(tf.losses.get_losses()),
            "collection": _names(tf.get_collection("mine")),
        }

    return case


def _reals(np):
    return _data(np, 4, 3) * 0.5


def _others(np):
    return _data(np, 3, 4).T.copy()


def _probabilities(np):
    return np.abs(_data(np, 4, 3))


def _bits(np):
    return (np.arange(12).reshape(4, 3) % 2).astype(np.float32)


def _integer_bits(np):
    return (np.arange(12).reshape(4, 3) % 2).astype(np.int32)


def _one_hot(np):
    return np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]


def _classes(np):
    return np.array([0, 2, 1, 1], np.int32)


def _class_column(np):
    return np.array([[0], [2], [1], [1]], np.int64)


def _units(np):
    x = _data(np, 4, 3)
    return x / np.sqrt((x * x).sum(1, keepdims=True))


def _row_weights(tf, np):
    return tf.constant([[1.0], [0.0], [0.5], [2.0]])


def _all_weights(tf, np):
    return tf.constant(np.abs(_data(np, 4, 3)) * (_data(np, 4, 3) > 0.2))


def _vector_weights(tf, np):
    return tf.constant([1.0, 0.0, 0.5, 2.0])


def _no_weights(tf, np):
    return tf.zeros([4, 1])


_KINDS = {
    "absolute_difference": (_others, _reals),
    "cosine_distance": (_units, _reals, 1),
    "hinge_loss": (_bits, _reals),
    "huber_loss": (_others, _reals),
    "log_loss": (_bits, _probabilities),
    "mean_squared_error": (_others, _reals),
    "sigmoid_cross_entropy": (_bits, _reals),
}
CASES = {}
for _kind, _given in _KINDS.items():
    CASES[_kind] = _loss(_kind, *_given)
    CASES[_kind + "_rows"] = _loss(_kind, *_given, weights=_row_weights)
    CASES[_kind + "_none"] = _loss(_kind, *_given, weights=2.0, reduction="none")
for _reduction in (
    "none",
    "weighted_sum",
    "weighted_mean",
    "weighted_sum_over_batch_size",
    "weighted_sum_by_nonzero_weights",
):
    CASES["mean_squared_" + _reduction] = _loss(
        "mean_squared_error", _others, _reals, weights=_all_weights, reduction=_reduction
    )
    CASES["sparse_" + _reduction] = _loss(
        "sparse_softmax_cross_entropy", _classes, _reals, weights=0.5, reduction=_reduction
    )
CASES.update(
    {
        "zero_weights": _loss("mean_squared_error", _others, _reals, weights=_no_weights),
        "zero_weight": _loss("mean_squared_error", _others, _reals, weights=0.0),
        "scope": _loss("mean_squared_error", _others, _reals, scope="mine", loss_collection="mine"),
        "no_collection": _loss("mean_squared_error", _others, _reals, loss_collection=None),
        "huber_delta": _loss("huber_loss", _others, _reals, delta=0.3),
        "log_epsilon": _loss("log_loss", _bits, _probabilities, epsilon=0.1),
        "pairwise": _loss("mean_pairwise_squared_error", _others, _reals),
        "pairwise_rows": _loss(
            "mean_pairwise_squared_error", _others, _reals, weights=_row_weights
        ),
        "pairwise_none": _loss("mean_pairwise_squared_error", _others, _reals, weights=_no_weights),
        "sigmoid_smooth": _loss("sigmoid_cross_entropy", _bits, _reals, label_smoothing=0.1),
        "sigmoid_integers": _loss("sigmoid_cross_entropy", _integer_bits, _reals),
        "softmax": _loss("softmax_cross_entropy", _one_hot, _reals),
        "softmax_rows": _loss("softmax_cross_entropy", _one_hot, _reals, weights=_vector_weights),
        "softmax_smooth": _loss("softmax_cross_entropy", _one_hot, _reals, label_smoothing=0.2),
        "softmax_integers": _loss("softmax_cross_entropy", _integer_bits, _reals),
        "sparse": _loss("sparse_softmax_cross_entropy", _classes, _reals),
        "sparse_column": _loss("sparse_softmax_cross_entropy", _class_column, _reals),
        "sparse_rows": _loss(
            "sparse_softmax_cross_entropy", _classes, _reals, weights=_vector_weights
        ),
        "sparse_column_weights": _loss(
            "sparse_softmax_cross_entropy", _classes, _reals, weights=_row_weights
        ),
        "error_shape": _loss("mean_squared_error", _classes, _reals),
        "error_weights": _loss("mean_squared_error", _others, _reals, weights=_vector_weights),
        "error_weights_size": _loss(
            "mean_squared_error", _others, _reals, weights=lambda tf, np: tf.ones([2, 3])
        ),
        "error_reduction": _loss("mean_squared_error", _others, _reals, reduction="all"),
    }
)


def error_none(tf, np):
    tf.losses.mean_squared_error(None, tf.constant(1.0))


def error_no_axis(tf, np):
    tf.losses.cosine_distance(tf.ones([2, 2]), tf.ones([2, 2]))


def cosine_dim(tf, np):
    return {"loss": tf.losses.cosine_distance(_units(np), _reals(np), dim=0)}


def half_precision(tf, np):
    losses = tf.constant(_data(np, 3, 2).astype(np.float16))
    loss = tf.losses.compute_weighted_loss(losses, 2.0)
    return {"loss": loss, "type": loss.dtype.name}


half_precision.rtol = 1e-3


def integer_losses(tf, np):
    return {"loss": tf.losses.compute_weighted_loss(tf.constant([3, 4, 6]), [1, 0, 1])}


def weighted_gradient(tf, np):
    weights = tf.constant([[0.5], [1.5]])
    losses = tf.constant(_data(np, 2, 3))
    loss = tf.losses.compute_weighted_loss(losses, weights)
    return {"loss": loss, "grads": tf.gradients(loss, [losses, weights])}


def _feed(feed, weights, value):
    result = dict(feed)
    result[weights] = value
    return result


def fed_weights(tf, np):
    labels = tf.placeholder(tf.float32)
    predictions = tf.placeholder(tf.float32)
    weights = tf.placeholder(tf.float32)
    loss = tf.losses.mean_squared_error(labels, predictions, weights)
    feed = {labels: _others(np), predictions: _reals(np)}
    with tf.Session() as sess:
        result = {
            "scalar": sess.run(loss, _feed(feed, weights, 2.0)),
            "rows": sess.run(loss, _feed(feed, weights, [[1.0], [0.0], [2.0], [1.0]])),
        }
        try:
            sess.run(loss, _feed(feed, weights, [1.0, 2.0]))
        except tf.errors.InvalidArgumentError as error:
            result["error"] = type(error).__name__
    return result


fed_weights.nodes = False  # tf.cond is an If node here, Switch and Merge in TensorFlow


def sparse_fed(tf, np):
    labels = tf.placeholder(tf.int32)
    logits = tf.placeholder(tf.float32, [None, 3])
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    with tf.Session() as sess:
        return {
            "vector": sess.run(loss, {labels: _classes(np), logits: _reals(np)}),
            "column": sess.run(loss, {labels: _class_column(np), logits: _reals(np)}),
        }


sparse_fed.nodes = False  # as above


def total(tf, np):
    a = tf.losses.mean_squared_error(_others(np), _reals(np), scope="a")
    tf.losses.absolute_difference(_others(np), _reals(np), scope="b")
    tf.losses.add_loss(tf.constant(3.0, name="c"))
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(0.25, name="r"))
    return {
        "total": tf.losses.get_total_loss(),
        "plain": tf.losses.get_total_loss(add_regularization_losses=False, name="p"),
        "of a": tf.losses.get_total_loss(False, scope="a"),
        "a": a,
        "regularization": tf.losses.get_regularization_loss(),
        "names": _names(tf.losses.get_losses()),
        "scoped": _names(tf.losses.get_losses(scope="b")),
    }


def no_losses(tf, np):
    return {"regularization": tf.losses.get_regularization_loss()}


def no_total(tf, np):
    return {"total": tf.losses.get_total_loss()}


def reductions(tf, np):
    return {"all": list(tf.losses.Reduction.all()), "same": tf.losses.Reduction.SUM}
