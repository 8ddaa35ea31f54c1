"""Hooks that end an Estimator's training early, and evaluation in memory."""

import tempfile

NODES = False


def _estimator(tf, **kwargs):
    def model_fn(features, labels, mode):
        w = tf.get_variable("w", initializer=4.0)
        loss = tf.square(w) * tf.reduce_mean(features)
        train = tf.train.GradientDescentOptimizer(0.1).minimize(
            loss, global_step=tf.train.get_global_step()
        )
        metrics = {"w": tf.metrics.mean(w)}
        return tf.estimator.EstimatorSpec(
            mode, predictions=w, loss=loss, train_op=train, eval_metric_ops=metrics
        )

    config = tf.estimator.RunConfig(
        model_dir=tempfile.mkdtemp(), save_checkpoints_steps=2, log_step_count_steps=2, **kwargs
    )
    return tf.estimator.Estimator(model_fn, config=config)


def _input(tf):
    return tf.data.Dataset.from_tensors([1.0]).repeat(30)


def _stopped(make):
    def case(tf, np):
        estimator = _estimator(tf)
        hook = make(tf.estimator.experimental, estimator)
        train = tf.estimator.TrainSpec(lambda: _input(tf), max_steps=20, hooks=[hook])
        test = tf.estimator.EvalSpec(lambda: _input(tf), steps=1, throttle_secs=0)
        tf.estimator.train_and_evaluate(estimator, train, test)
        return {"step": estimator.get_variable_value("global_step")}

    return case


_EVERY = {"run_every_secs": None, "run_every_steps": 1}
CASES = {
    "lower": _stopped(lambda x, e: x.stop_if_lower_hook(e, "loss", 2.0, **_EVERY)),
    "higher": _stopped(lambda x, e: x.stop_if_higher_hook(e, "w", 1.0, min_steps=5, **_EVERY)),
    "no_increase": _stopped(lambda x, e: x.stop_if_no_increase_hook(e, "loss", 4, **_EVERY)),
    "no_decrease": _stopped(lambda x, e: x.stop_if_no_decrease_hook(e, "loss", 4, **_EVERY)),
    "own": _stopped(lambda x, e: x.make_early_stopping_hook(e, lambda: True, **_EVERY)),
    "at_step": _stopped(lambda x, e: x.make_stop_at_checkpoint_step_hook(e, 7)),
}


def both_intervals(tf, np):
    tf.estimator.experimental.make_early_stopping_hook(
        _estimator(tf), lambda: True, run_every_secs=1, run_every_steps=1
    )


def no_estimator(tf, np):
    tf.estimator.experimental.make_early_stopping_hook(None, lambda: True)


def in_memory(tf, np):
    estimator = _estimator(tf)
    hook = tf.estimator.experimental.InMemoryEvaluatorHook(
        estimator, lambda: _input(tf), steps=2, name="m", every_n_iter=3
    )
    estimator.train(lambda: _input(tf), hooks=[hook], steps=7)
    import glob
    import os

    path = glob.glob(os.path.join(estimator.model_dir, "eval_m", "*"))[0]
    rows = []
    for event in tf.train.summary_iterator(path):
        values = {v.tag: v.simple_value for v in event.summary.value}
        if "loss" in values:
            rows.append([event.step, values["loss"], values["w"]])
    return {"events": np.array(rows, np.float32)}
