"""tf.contrib.learn: Estimators of arrays, monitors, MetricSpec; tf.contrib.metrics."""

import tempfile

# The graphs of an Estimator are its own.
NODES = False


def _data(np, classes=3):
    rng = np.random.RandomState(0)
    x = rng.rand(30, 4)
    return x, (x[:, 0] * classes).astype(np.int64)


def _numbers(found, np):
    return {
        "names": sorted(found),
        "values": np.array([float(found[k]) for k in sorted(found)], np.float32),
    }


def _with(prefix, values):
    return {prefix + "_" + k: v for k, v in values.items()}


def _config(tf, **kwargs):
    return tf.contrib.learn.RunConfig(tf_random_seed=3, model_dir=tempfile.mkdtemp(), **kwargs)


def dnn_classifier(tf, np):
    learn = tf.contrib.learn
    x, y = _data(np)
    spec = learn.MetricSpec(tf.contrib.metrics.streaming_accuracy, prediction_key="classes")
    monitor = learn.monitors.ValidationMonitor(
        x,
        y,
        every_n_steps=4,
        metrics={"right": spec},
        early_stopping_rounds=4,
        early_stopping_metric_minimize=False,
        check_interval_secs=None,
    )
    classifier = learn.DNNClassifier(
        feature_columns=[tf.contrib.layers.real_valued_column("", dimension=4)],
        hidden_units=[5, 4],
        n_classes=3,
        config=_config(tf, save_checkpoints_steps=4),
    )
    classifier.fit(x=x, y=y, steps=40, monitors=[monitor])
    found = _numbers(classifier.evaluate(x=x, y=y), np)
    found["classes"] = np.array(list(classifier.predict(x[:5])))
    found["all"] = classifier.predict(x[:5], as_iterable=False)["classes"].ravel()
    found["probabilities"] = np.array(list(classifier.predict_proba(x[:2])))
    found["variables"] = sorted(classifier.get_variable_names())
    found["best"] = [str(monitor.early_stopped), str(monitor.best_step)]
    return found


dnn_classifier.rtol = 1e-4


def dnn_two_classes(tf, np):
    learn = tf.contrib.learn
    x, y = _data(np, 2)
    classifier = learn.DNNClassifier(
        [3],
        learn.infer_real_valued_columns_from_input(x),
        optimizer=tf.train.AdamOptimizer(0.05),
        activation_fn="tanh",
        gradient_clip_norm=0.5,
        config=_config(tf),
    )
    classifier.fit(x, y, steps=12, batch_size=10)
    found = _numbers(classifier.evaluate(x, y, batch_size=10), np)
    found["probabilities"] = np.array(list(classifier.predict_proba(x[:3])))
    return found


dnn_two_classes.rtol = 1e-3


def dnn_regressor(tf, np):
    x, y = _data(np)
    features = {"a": x[:, :2].astype(np.float32), "b": x[:, 2].astype(np.float32)}
    columns = [tf.feature_column.numeric_column("a", 2), tf.feature_column.numeric_column("b")]
    regressor = tf.contrib.learn.DNNRegressor([3], columns, dropout=0.2, config=_config(tf))

    def input_fn():
        return {k: tf.constant(v) for k, v in features.items()}, tf.constant(y)

    regressor.fit(input_fn=input_fn, steps=5)
    found = _numbers(regressor.evaluate(input_fn=input_fn, steps=1), np)
    found["scores"] = np.array(list(regressor.predict_scores(input_fn=input_fn))[:4])
    return found


dnn_regressor.rtol = 1e-3


def model_of_tuples(tf, np):
    x, y = _data(np)
    x = x.astype(np.float32)

    def model(features, target):
        target = tf.one_hot(target, 3, 1, 0)
        logits = tf.contrib.layers.fully_connected(features, 3, tf.nn.softmax)
        loss = tf.losses.softmax_cross_entropy(target, logits)
        step = tf.contrib.framework.get_global_step()
        train = tf.contrib.layers.optimize_loss(loss, step, optimizer="Adam", learning_rate=0.01)
        return tf.argmax(logits, 1), loss, train

    learn = tf.contrib.learn
    classifier = learn.SKCompat(learn.Estimator(model_fn=model, config=_config(tf)))
    classifier.fit(x, y, steps=10, batch_size=8)
    found = _numbers(classifier.score(x, y), np)
    found["classes"] = classifier.predict(x)
    return found


model_of_tuples.rtol = 1e-3


def not_fitted(tf, np):
    classifier = tf.contrib.learn.DNNClassifier(
        [2], [tf.contrib.layers.real_valued_column("")], config=_config(tf)
    )
    classifier.evaluate(x=np.ones([2, 1]), y=np.ones([2]))


# The message has the model's directory.
not_fitted.message = False


def both_inputs(tf, np):
    classifier = tf.contrib.learn.DNNClassifier(
        [2], [tf.contrib.layers.real_valued_column("")], config=_config(tf)
    )
    classifier.fit(x=np.ones([2, 1]), input_fn=lambda: None)


def columns(tf, np):
    layers = tf.contrib.layers
    made = layers.real_valued_column("a", 2, default_value=1.0, normalizer=lambda v: v / 2)
    features = {"a": tf.constant([[2.0, 4.0]]), "b": tf.constant([[3]])}
    columns = [layers.real_valued_column("b", dtype=tf.int32), made]
    guessed = layers.infer_real_valued_columns(features)
    return {
        "input": layers.input_from_feature_columns(features, columns),
        "core": tf.feature_column.input_layer(features, columns),
        "guessed": [str(c) for c in guessed],
    }


def bad_column(tf, np):
    tf.contrib.layers.real_valued_column("a", dimension=0)


def bad_column_default(tf, np):
    tf.contrib.layers.real_valued_column("a", dimension=2, default_value=[1.0])


def streaming(tf, np):
    metrics = tf.contrib.metrics
    labels = tf.constant([1, 0, 1, 1])
    guess = tf.constant([1, 1, 0, 1])
    soft = tf.constant([0.9, 0.6, 0.4, 0.7])
    pairs = {
        "accuracy": metrics.streaming_accuracy(guess, labels),
        "precision": metrics.streaming_precision(guess, labels),
        "recall": metrics.streaming_recall(guess, labels),
        "tp": metrics.streaming_true_positives(guess, labels),
        "fn": metrics.streaming_false_negatives(guess, labels),
        "auc": metrics.streaming_auc(soft, labels),
        "mse": metrics.streaming_mean_squared_error(soft, tf.to_float(labels)),
        "rmse": metrics.streaming_root_mean_squared_error(soft, tf.to_float(labels)),
        "mean": metrics.streaming_mean(soft),
    }
    outcome = {"once": metrics.accuracy(guess, labels)}
    with tf.Session() as sess:
        sess.run(tf.local_variables_initializer())
        sess.run([update for _, update in pairs.values()])
        for name, (value, _) in pairs.items():
            outcome[name] = sess.run(value)
    return {k: v for k, v in outcome.items()}


def embedded(tf, np):
    layers = tf.contrib.layers
    ids = np.array([[1, 2, 1], [0, 3, 1]])
    init = tf.constant_initializer(np.arange(8).reshape(4, 2) / 7.0)
    first = layers.embed_sequence(ids, 4, 2, initializer=init, scope="e")
    second = layers.embed_sequence(ids, scope="e", reuse=True, unique=True)
    return {
        "first": first,
        "second": second,
        "names": [v.name for v in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)],
    }


embedded.nodes = True


def embedded_without_size(tf, np):
    tf.contrib.layers.embed_sequence(np.array([[1]]), 4)


def _experiment(tf, np, schedule, core=False, **kwargs):
    learn = tf.contrib.learn
    x, y = _data(np)
    x = x.astype(np.float32)

    def input_fn():
        return {"x": tf.constant(x)}, tf.constant(y)

    def make(run_config, hparams):
        columns = [tf.feature_column.numeric_column("x", 4)]
        library = tf.estimator if core else learn
        estimator = library.DNNClassifier(
            hidden_units=[hparams.units], feature_columns=columns, n_classes=3, config=run_config
        )
        return learn.Experiment(
            estimator,
            input_fn,
            input_fn,
            train_steps=9,
            eval_steps=1,
            eval_delay_secs=0,
            check_interval_secs=None,
            **kwargs,
        )

    config = _config(tf, save_checkpoints_steps=4)
    hparams = tf.contrib.training.HParams(units=3)
    return learn.learn_runner.run(make, run_config=config, schedule=schedule, hparams=hparams)


def experiment(tf, np):
    seen = []

    def export(estimator, path, checkpoint_path=None, eval_result=None):
        seen.append("%s %s" % (path.decode().split("/")[-2:], int(eval_result["global_step"])))
        return "there"

    strategy = tf.contrib.learn.ExportStrategy("mine", export)
    found, exported = _experiment(
        tf, np, "train_and_evaluate", min_eval_frequency=2, export_strategies=strategy
    )
    outcome = _numbers(found, np)
    outcome.update({"exported": exported, "seen": seen})
    return outcome


def experiment_of_core(tf, np):
    found, _ = _experiment(tf, np, None, core=True, checkpoint_and_export=True)
    return _numbers(found, np)


def experiment_in_turns(tf, np):
    found, _ = _experiment(tf, np, "continuous_train_and_eval", train_steps_per_iteration=5)
    return _numbers(found, np)


def experiment_tested(tf, np):
    return _numbers(_experiment(tf, np, "test"), np)


for _case in (experiment, experiment_of_core, experiment_in_turns, experiment_tested):
    _case.rtol = 1e-3


def experiment_without_task(tf, np):
    _experiment(tf, np, "fly")


def runner_without_directory(tf, np):
    tf.contrib.learn.learn_runner.run(lambda: None)
