"""Estimators of one's own head: tf.contrib.estimator's heads, and what they train."""

import tempfile

# The graphs of an Estimator are its own.
NODES = False


def _run(build, label, weights=False):
    def case(tf, np):
        rng = np.random.RandomState(5)
        features = {"a": rng.rand(12, 2).astype(np.float32)}
        if weights:
            features["w"] = rng.randint(1, 3, 12)
        total = features["a"].sum(1)
        targets = {
            "three": (total * 1.5).astype(np.int64),
            "two": (total > 1).astype(np.int64),
            "labels": np.stack([total > 1, features["a"][:, 0] > 0.5], 1).astype(np.int64),
            "number": total,
            "share": (total / 2).astype(np.float32),
            "count": (total * 3).astype(np.int32).astype(np.float32),
        }[label]

        def input_fn():
            data = tf.data.Dataset.from_tensor_slices((features, targets))
            return data.repeat(2).batch(4)

        config = tf.estimator.RunConfig(tf_random_seed=2, model_dir=tempfile.mkdtemp())
        columns = [tf.feature_column.numeric_column("a", 2)]
        estimator = build(tf, tf.contrib.estimator, columns, config)
        estimator.train(input_fn)
        metrics = estimator.evaluate(input_fn)
        rows = list(estimator.predict(input_fn))[:3]
        outcome = {
            "names": sorted(metrics),
            "values": np.array([float(metrics[k]) for k in sorted(metrics)], np.float32),
        }
        for key in sorted(rows[0]):
            values = np.array([row[key] for row in rows])
            if values.dtype != object:
                outcome["prediction_" + key] = values
        return outcome

    case.rtol = 1e-4
    case.slow = True
    return case


def _square(labels, logits):
    return (labels - logits) ** 4


CASES = {
    "multi_class": _run(
        lambda tf, ce, columns, config: tf.estimator.DNNEstimator(
            ce.multi_class_head(3, name="h"), [3], columns, config=config
        ),
        "three",
    ),
    "binary": _run(
        lambda tf, ce, columns, config: tf.estimator.LinearEstimator(
            ce.binary_classification_head(thresholds=[0.3, 0.7], weight_column="w"),
            columns,
            config=config,
        ),
        "two",
        weights=True,
    ),
    "regression": _run(
        lambda tf, ce, columns, config: tf.estimator.DNNLinearCombinedEstimator(
            ce.regression_head(loss_fn=_square, inverse_link_fn=lambda v: 2 * v),
            linear_feature_columns=columns,
            dnn_feature_columns=columns,
            dnn_hidden_units=[3],
            config=config,
        ),
        "number",
    ),
    "poisson": _run(
        lambda tf, ce, columns, config: tf.estimator.DNNEstimator(
            ce.poisson_regression_head(), [3], columns, config=config
        ),
        "count",
    ),
    "logistic": _run(
        lambda tf, ce, columns, config: tf.estimator.LinearEstimator(
            ce.logistic_regression_head(), columns, config=config
        ),
        "share",
    ),
    "baseline": _run(
        lambda tf, ce, columns, config: tf.estimator.BaselineEstimator(
            ce.multi_class_head(3), config=config
        ),
        "three",
    ),
    "more_metrics": _run(
        lambda tf, ce, columns, config: ce.add_metrics(
            tf.estimator.LinearRegressor(columns, config=config),
            lambda predictions, labels: {
                "mae": tf.metrics.mean_absolute_error(labels, predictions["predictions"][:, 0])
            },
        ),
        "number",
    ),
}
CASES["multi_label"] = _run(
    lambda tf, ce, columns, config: tf.estimator.DNNEstimator(
        ce.multi_label_head(2, thresholds=[0.5], classes_for_class_based_metrics=[1]),
        [3],
        columns,
        config=config,
    ),
    "labels",
)
CASES["multi_label_names"] = _run(
    lambda tf, ce, columns, config: tf.estimator.LinearEstimator(
        ce.multi_label_head(
            2, label_vocabulary=["p", "q"], classes_for_class_based_metrics=["q"], name="n"
        ),
        columns,
        config=config,
    ),
    "labels",
)
CASES["multi_class"].slow = False


def multi_label_loss(tf, np):
    labels = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], np.array(["b", "a", "c"]), [3, 2])
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], np.array([1, 0, 2]), [3, 2])
    head = tf.contrib.estimator.multi_label_head(3, label_vocabulary=["a", "b", "c"])
    logits = tf.constant(np.arange(9, dtype=np.float32).reshape(3, 3) / 4)
    losses = [
        head.create_loss({"x": logits}, tf.estimator.ModeKeys.EVAL, logits, given).training_loss
        for given in (labels, ids)
    ]
    with tf.Session() as sess:
        sess.run(tf.tables_initializer())
        return {"losses": sess.run(losses)}


def multi_label_vocabulary(tf, np):
    tf.contrib.estimator.multi_label_head(3, label_vocabulary=["a"])


def bad_loss(tf, np):
    tf.contrib.estimator.regression_head(loss_fn=lambda labels: labels)


def bad_thresholds(tf, np):
    tf.contrib.estimator.binary_classification_head(thresholds=[1.5])


def bad_dimension(tf, np):
    tf.contrib.estimator.regression_head(label_dimension=0)
