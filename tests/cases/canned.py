"""Canned estimators: losses of seeded training, metrics, predictions, variables, node names."""

import hashlib
import tempfile

# The graphs of an Estimator are its own; `_nodes` records their nodes.
NODES = False

# tf.cond is an If here: nodes below these scopes are named otherwise, and checkpoint nodes differ
# with what is shared between devices.
_CONDITIONAL = ("/cond", "AssertGuard", "is_valid_shape", "zero_count")
_LEFT_OUT = ("save/", "report_uninitialized", "init", "global_step", "Iterator")


def _nodes(tf):
    rows = []
    for node in tf.get_default_graph().as_graph_def().node:
        if any(c in node.name for c in _CONDITIONAL) or node.name.startswith(_LEFT_OUT):
            continue
        rows.append("%s %s" % (node.name, node.op))
    text = "\n".join(sorted(rows))
    return "%d %s" % (len(rows), hashlib.sha1(text.encode()).hexdigest()[:12])


def _input(tf, np, labels, weights=False, epochs=3):
    rng = np.random.RandomState(7)
    features = {
        "a": rng.rand(20).astype(np.float32),
        "b": rng.rand(20, 2).astype(np.float32),
        "c": np.array(["x", "y", "z", "w"] * 5),
        "d": rng.randint(0, 4, [20, 3]),
    }
    if weights:
        features["w"] = rng.randint(1, 4, 20).astype(np.float32)
    targets = {
        "two": (features["a"] > 0.5).astype(np.int64),
        "three": (features["a"] * 3).astype(np.int32),
        "names": np.array(["low", "mid", "high"])[(features["a"] * 3).astype(np.int32)],
        "pair": np.array(["no", "yes"])[(features["a"] > 0.5).astype(np.int32)],
        "number": features["a"] + features["b"].sum(1),
        "vector": np.stack([features["a"], features["b"][:, 0]], 1),
    }[labels]

    def input_fn():
        data = tf.data.Dataset.from_tensor_slices((features, targets))
        return data.repeat(epochs).batch(5)

    return input_fn


def _columns(tf):
    fc = tf.feature_column
    numbers = [fc.numeric_column("a"), fc.numeric_column("b", shape=2)]
    words = fc.categorical_column_with_vocabulary_list("c", ["x", "y", "z"])
    ids = fc.categorical_column_with_identity("d", 4)
    return {
        "dense": numbers + [fc.indicator_column(words), fc.embedding_column(ids, 2)],
        "numbers": numbers,
        "wide": numbers + [words, ids, fc.crossed_column(["c", words], 11)],
        "shared": numbers
        + fc.shared_embedding_columns([ids, fc.categorical_column_with_identity("e", 4)], 3)[:1],
    }


def _hook(tf, nodes, losses):
    class Hook(tf.train.SessionRunHook):
        def after_create_session(self, session, coord):
            nodes.append(_nodes(tf))

        def before_run(self, run_context):
            graph = tf.get_default_graph()
            found = [t for t in graph.get_collection(tf.GraphKeys.LOSSES)][-1:]
            return tf.train.SessionRunArgs(found)

        def after_run(self, run_context, run_values):
            losses.extend(run_values.results)

    return Hook()


def _trained(build, labels, weights=False, seed=11, rtol=None, predict=True):
    def case(tf, np):
        config = tf.estimator.RunConfig(tf_random_seed=seed, model_dir=tempfile.mkdtemp())
        with tf.Graph().as_default():
            estimator = build(tf, _columns(tf), config)
            nodes, losses = [], []
            train = _input(tf, np, labels, weights)
            estimator.train(train, hooks=[_hook(tf, nodes, losses)])
            once = _input(tf, np, labels, weights, epochs=1)
            metrics = estimator.evaluate(once)
            found = list(estimator.predict(once)) if predict else []
        outcome = {
            "losses": np.array(losses),
            "metrics": np.array([float(metrics[k]) for k in sorted(metrics)], np.float32),
            "metric_names": sorted(metrics),
            "nodes": nodes,
            "variables": [
                "%s %s" % (v, list(np.shape(estimator.get_variable_value(v))))
                for v in sorted(estimator.get_variable_names())
            ],
        }
        for key in sorted(found[0] if found else []):
            values = np.array([row[key] for row in found[:4]])
            if values.dtype == object:
                values = [b" ".join(row.ravel()).decode() for row in values]
            outcome["prediction_" + key] = values
        return outcome

    case.rtol = rtol or 1e-4
    case.atol = 1e-5
    return case


def _dnn(name, **kwargs):
    def build(tf, columns, config):
        given = {k: v(tf) if callable(v) else v for k, v in kwargs.items()}
        which = columns[given.pop("columns", "dense")]
        return getattr(tf.estimator, name)([4, 3], which, config=config, **given)

    return build


def _linear(name, **kwargs):
    def build(tf, columns, config):
        given = {k: v(tf) if callable(v) else v for k, v in kwargs.items()}
        which = columns[given.pop("columns", "wide")]
        return getattr(tf.estimator, name)(which, config=config, **given)

    return build


def _both(name, **kwargs):
    def build(tf, columns, config):
        given = {k: v(tf) if callable(v) else v for k, v in kwargs.items()}
        return getattr(tf.estimator, name)(
            linear_feature_columns=columns["wide"],
            dnn_feature_columns=columns["dense"],
            dnn_hidden_units=[4],
            config=config,
            **given,
        )

    return build


def _baseline(name, **kwargs):
    def build(tf, columns, config):
        return getattr(tf.estimator, name)(config=config, **kwargs)

    return build


_NAMES = ["low", "mid", "high"]
CASES = {
    "dnn_three": _trained(_dnn("DNNClassifier", n_classes=3), "three"),
    "dnn_two": _trained(_dnn("DNNClassifier"), "two"),
    "dnn_names": _trained(
        _dnn("DNNClassifier", n_classes=3, label_vocabulary=_NAMES, columns="numbers"), "names"
    ),
    "dnn_pair": _trained(_dnn("DNNClassifier", label_vocabulary=["no", "yes"]), "pair"),
    "dnn_weights": _trained(_dnn("DNNClassifier", weight_column="w"), "two", weights=True),
    "dnn_weights_three": _trained(
        _dnn(
            "DNNClassifier",
            n_classes=3,
            weight_column=lambda tf: tf.feature_column.numeric_column("w"),
            loss_reduction=lambda tf: tf.losses.Reduction.SUM_OVER_BATCH_SIZE,
        ),
        "three",
        weights=True,
    ),
    "dnn_batch_norm": _trained(
        _dnn("DNNClassifier", n_classes=3, batch_norm=True, columns="numbers"), "three"
    ),
    "dnn_dropout": _trained(
        _dnn("DNNClassifier", n_classes=3, dropout=0.4, columns="numbers"), "three"
    ),
    "dnn_adam": _trained(
        _dnn(
            "DNNClassifier",
            n_classes=3,
            optimizer=lambda tf: tf.train.AdamOptimizer(0.01),
            activation_fn=lambda tf: tf.nn.tanh,
        ),
        "three",
    ),
    "dnn_sgd": _trained(_dnn("DNNClassifier", optimizer="SGD"), "two"),
    "dnn_rmsprop": _trained(_dnn("DNNRegressor", optimizer="RMSProp"), "number"),
    "dnn_regressor": _trained(_dnn("DNNRegressor"), "number"),
    "dnn_regressor_vector": _trained(_dnn("DNNRegressor", label_dimension=2), "vector"),
    "dnn_shared": _trained(_dnn("DNNClassifier", columns="shared"), "two"),
    "linear_two": _trained(_linear("LinearClassifier"), "two"),
    "linear_three": _trained(_linear("LinearClassifier", n_classes=3), "three"),
    "linear_mean": _trained(_linear("LinearClassifier", sparse_combiner="mean"), "two"),
    "linear_names": _trained(
        _linear("LinearClassifier", n_classes=3, label_vocabulary=_NAMES), "names"
    ),
    "linear_adagrad": _trained(_linear("LinearClassifier", optimizer="Adagrad"), "two"),
    "linear_l1": _trained(
        _linear(
            "LinearClassifier",
            optimizer=lambda tf: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.05),
        ),
        "two",
    ),
    "linear_regressor": _trained(_linear("LinearRegressor"), "number"),
    "linear_regressor_weights": _trained(
        _linear("LinearRegressor", weight_column="w"), "number", weights=True
    ),
    "combined_two": _trained(_both("DNNLinearCombinedClassifier"), "two"),
    "combined_three": _trained(
        _both("DNNLinearCombinedClassifier", n_classes=3, dnn_optimizer="Adam", dnn_dropout=0.3),
        "three",
    ),
    "combined_regressor": _trained(_both("DNNLinearCombinedRegressor"), "number"),
    "baseline_three": _trained(_baseline("BaselineClassifier", n_classes=3), "three"),
    "baseline_two": _trained(_baseline("BaselineClassifier"), "two"),
    "baseline_regressor": _trained(_baseline("BaselineRegressor"), "number"),
}


# Each trains, evaluates and predicts: `make check` runs one of a kind.
_QUICK = ("dnn_three", "linear_two", "combined_regressor", "baseline_two")
for _name in CASES:
    CASES[_name].slow = _name not in _QUICK


def label_out_of_range(tf, np):
    config = tf.estimator.RunConfig(model_dir=tempfile.mkdtemp())
    estimator = tf.estimator.LinearClassifier(_columns(tf)["numbers"], config=config)
    estimator.train(_input(tf, np, "three"))


# The message of an assertion shows the nodes' names and values, at which a cond is an If here.
label_out_of_range.message = False


def float_labels(tf, np):
    config = tf.estimator.RunConfig(model_dir=tempfile.mkdtemp())
    estimator = tf.estimator.LinearClassifier(_columns(tf)["numbers"], n_classes=3, config=config)
    estimator.train(_input(tf, np, "number"))


def wide_labels(tf, np):
    config = tf.estimator.RunConfig(model_dir=tempfile.mkdtemp())
    tf.estimator.LinearRegressor(_columns(tf)["numbers"], config=config).train(
        _input(tf, np, "vector")
    )


def no_columns(tf, np):
    tf.estimator.DNNLinearCombinedClassifier(dnn_hidden_units=[2])


def bad_optimizer(tf, np):
    config = tf.estimator.RunConfig(model_dir=tempfile.mkdtemp())
    estimator = tf.estimator.LinearClassifier(
        _columns(tf)["numbers"], optimizer="Best", config=config
    )
    estimator.train(_input(tf, np, "two"))


def bad_vocabulary(tf, np):
    tf.estimator.DNNClassifier([2], _columns(tf)["numbers"], label_vocabulary="ab")


def bad_reduction(tf, np):
    tf.estimator.DNNClassifier([2], _columns(tf)["numbers"], loss_reduction="none")


def parse_specs(tf, np):
    columns = _columns(tf)["numbers"]
    one = tf.estimator.classifier_parse_example_spec(columns, "y", weight_column="w")
    two = tf.estimator.regressor_parse_example_spec(columns, "y", label_dimension=2)
    return {
        "one": ["%s %s" % (k, one[k]) for k in sorted(one)],
        "two": ["%s %s" % (k, two[k]) for k in sorted(two)],
    }


def served(tf, np):
    """A SavedModel's signatures, and what they give for serialized examples."""
    config = tf.estimator.RunConfig(tf_random_seed=3, model_dir=tempfile.mkdtemp())
    columns = _columns(tf)["numbers"]
    estimator = tf.estimator.LinearClassifier(columns, n_classes=3, config=config)
    estimator.train(_input(tf, np, "three"))
    spec = tf.feature_column.make_parse_example_spec(columns)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)
    path = estimator.export_savedmodel(tempfile.mkdtemp(), receiver)
    example = tf.train.Example()
    example.features.feature["a"].float_list.value.append(0.3)
    example.features.feature["b"].float_list.value.extend([0.1, 0.7])
    with tf.Session(graph=tf.Graph()) as sess:
        model = tf.saved_model.loader.load(sess, ["serve"], path.decode())
        rows, values = [], []
        for key in sorted(model.signature_def):
            signature = model.signature_def[key]
            for name in sorted(signature.outputs):
                rows.append("%s %s %s" % (key, name, signature.outputs[name].name))
                tensor = signature.inputs[sorted(signature.inputs)[0]].name
                found = sess.run(
                    signature.outputs[name].name, {tensor: [example.SerializeToString()]}
                )
                if found.dtype != object:
                    values.append(found.astype(np.float32).ravel())
            rows.append("%s %s" % (key, signature.method_name))
    return {"rows": rows, "values": np.concatenate(values)}


served.rtol = 1e-4
