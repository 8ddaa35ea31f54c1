"""tf.estimator: configurations, specs and their errors, and a small seeded model."""

import os
import re
import shutil
import tempfile

CASES = {}


# -- RunConfig -------------------------------------------------------------------------------------


def _config_text(config):
    text = "\n".join("%s: %s" % item for item in sorted(vars(config).items()))
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def run_config(tf, np):
    return {
        "default": _config_text(tf.estimator.RunConfig()),
        "names": sorted(n for n in dir(tf.estimator.RunConfig) if n[0] != "_"),
    }


_CONFIGS = {
    "steps": dict(save_checkpoints_steps=10),
    "secs": dict(save_checkpoints_secs=5, model_dir="/tmp/x", tf_random_seed=3),
    "both": dict(save_checkpoints_secs=5, save_checkpoints_steps=10),
    "neither": dict(save_checkpoints_secs=None, save_checkpoints_steps=None),
    "empty dir": dict(model_dir=""),
    "negative summaries": dict(save_summary_steps=-1),
    "negative steps": dict(save_checkpoints_steps=-1),
    "negative secs": dict(save_checkpoints_secs=-1),
    "session": dict(session_config=3),
    "keep": dict(keep_checkpoint_max=-2),
    "hours": dict(keep_checkpoint_every_n_hours=0),
    "log": dict(log_step_count_steps=0),
    "seed": dict(tf_random_seed=1.5),
    "delay": dict(experimental_max_worker_delay_secs=1.5),
    "timeout": dict(session_creation_timeout_secs=0),
    "device_fn": dict(device_fn=lambda node: "/cpu:0"),
    "protocol": dict(protocol="http"),
    "ok": dict(
        protocol="grpc", keep_checkpoint_max=0, log_step_count_steps=None, save_summary_steps=0
    ),
}
for _name, _given in _CONFIGS.items():
    CASES["RunConfig " + _name] = lambda tf, np, _given=_given: {
        "text": _config_text(tf.estimator.RunConfig(**_given))
    }

_REPLACED = {
    "steps": dict(save_checkpoints_steps=10),
    "secs": dict(save_checkpoints_secs=7),
    "no steps": dict(save_checkpoints_steps=None),
    "both": dict(save_checkpoints_secs=7, save_checkpoints_steps=8),
    "unknown": dict(master="grpc://x"),
    "dir": dict(model_dir="/tmp/y", tf_random_seed=9),
}
for _name, _given in _REPLACED.items():
    CASES["replace " + _name] = lambda tf, np, _given=_given: {
        "text": _config_text(tf.estimator.RunConfig().replace(**_given))
    }

_CLUSTER = '{"chief": ["a:1"], "ps": ["p:1", "p:2"], "worker": ["w:1", "w:2"]}'
_TF_CONFIGS = {
    "empty": "{}",
    "dir": '{"model_dir": "/tmp/z"}',
    "empty dir": '{"model_dir": ""}',
    "worker": '{"task": {"type": "worker", "index": 0}}',
    "chief alone": '{"task": {"type": "chief", "index": 0}}',
    "index": '{"task": {"type": "worker", "index": 1}}',
    "service": '{"service": 3}',
    "session_master": '{"session_master": "x", "eval_session_master": "y"}',
    "one": '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    "no chief": '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}',
    "chiefs": '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
    "no task": '{"cluster": %s}' % _CLUSTER,
    "no index": '{"cluster": %s, "task": {"type": "worker"}}' % _CLUSTER,
    "negative": '{"cluster": %s, "task": {"type": "worker", "index": -1}}' % _CLUSTER,
    "high": '{"cluster": %s, "task": {"type": "worker", "index": 2}}' % _CLUSTER,
    "unknown type": '{"cluster": %s, "task": {"type": "x", "index": 0}}' % _CLUSTER,
    "chief": '{"cluster": %s, "task": {"type": "chief", "index": 0}}' % _CLUSTER,
    "worker 1": '{"cluster": %s, "task": {"type": "worker", "index": 1}}' % _CLUSTER,
    "ps 1": '{"cluster": %s, "task": {"type": "ps", "index": 1}}' % _CLUSTER,
    "evaluator": '{"cluster": %s, "task": {"type": "evaluator", "index": 0}}' % _CLUSTER,
    "master": '{"cluster": {"master": ["a:1"], "worker": ["b:1"]}, '
    '"task": {"type": "master", "index": 0}}',
    "master and chief": '{"cluster": {"master": ["a:1"], "chief": ["b:1"]}, '
    '"task": {"type": "master", "index": 0}}',
    "master evaluator": '{"cluster": {"master": ["a:1"]}, '
    '"task": {"type": "evaluator", "index": 0}}',
}
for _name, _text in _TF_CONFIGS.items():

    def _tf_config(tf, np, _text=_text):
        os.environ["TF_CONFIG"] = _text
        try:
            return {"text": _config_text(tf.estimator.RunConfig())}
        finally:
            del os.environ["TF_CONFIG"]

    CASES["TF_CONFIG " + _name] = _tf_config


def cluster_spec(tf, np):
    spec = tf.train.ClusterSpec({"worker": ["a:1", "b:2"], "ps": {1: "c:3"}, "none": []})
    same = tf.train.ClusterSpec(spec.as_cluster_def())
    return {
        "text": str(spec),
        "dict": str(sorted(spec.as_dict().items())),
        "jobs": sorted(spec.jobs),
        "tasks": spec.num_tasks("worker"),
        "indices": spec.task_indices("ps"),
        "address": spec.task_address("worker", 1),
        "job": spec.job_tasks("ps"),
        "proto": str(spec.as_cluster_def()),
        "equal": same == tf.train.ClusterSpec(same),
        "true": bool(spec),
        "false": bool(tf.train.ClusterSpec({})),
    }


_SPEC_ERRORS = {
    "kind": lambda tf: tf.train.ClusterSpec(3),
    "tasks": lambda tf: tf.train.ClusterSpec({"a": 3}),
    "address": lambda tf: tf.train.ClusterSpec({"a": [3]}),
    "job": lambda tf: tf.train.ClusterSpec({"a": ["b"]}).num_tasks("c"),
    "task": lambda tf: tf.train.ClusterSpec({"a": ["b"]}).task_address("a", 4),
}
for _name, _make in _SPEC_ERRORS.items():
    CASES["ClusterSpec " + _name] = lambda tf, np, _make=_make: {"x": str(_make(tf))}


# -- EstimatorSpec ---------------------------------------------------------------------------------


def _foreign(tf):
    with tf.Graph().as_default():
        return tf.constant(1.0, name="far")


_SPECS = {
    "train": lambda tf: dict(mode="train", loss=tf.constant(1.0), train_op=tf.no_op()),
    "no loss": lambda tf: dict(mode="train", train_op=tf.no_op()),
    "no train_op": lambda tf: dict(mode="train", loss=tf.constant(1.0)),
    "no predictions": lambda tf: dict(mode="infer"),
    "eval no loss": lambda tf: dict(mode="eval"),
    "loss vector": lambda tf: dict(mode="eval", loss=tf.constant([1.0, 2.0])),
    "loss one": lambda tf: dict(mode="eval", loss=tf.constant([1.0])),
    "loss number": lambda tf: dict(mode="eval", loss=1.0),
    "train_op number": lambda tf: dict(mode="train", loss=tf.constant(1.0), train_op=1.0),
    "predictions list": lambda tf: dict(mode="infer", predictions=[tf.constant(1.0)]),
    "predictions value": lambda tf: dict(mode="infer", predictions={"a": 1.0}),
    "predictions": lambda tf: dict(mode="infer", predictions={"a": tf.constant(1.0)}),
    "one prediction": lambda tf: dict(mode="infer", predictions=tf.constant(1.0)),
    "metrics list": lambda tf: dict(mode="eval", loss=tf.constant(1.0), eval_metric_ops=[1]),
    "metrics value": lambda tf: dict(
        mode="eval", loss=tf.constant(1.0), eval_metric_ops={"a": tf.constant(1.0)}
    ),
    "metrics": lambda tf: dict(
        mode="eval", loss=tf.constant(1.0), eval_metric_ops={"a": tf.metrics.mean(tf.constant(1.0))}
    ),
    "hooks": lambda tf: dict(
        mode="train", loss=tf.constant(1.0), train_op=tf.no_op(), training_hooks=["a"]
    ),
    "scaffold": lambda tf: dict(
        mode="train", loss=tf.constant(1.0), train_op=tf.no_op(), scaffold="a"
    ),
    "foreign loss": lambda tf: dict(mode="eval", loss=_foreign(tf)),
    "foreign train_op": lambda tf: dict(mode="train", loss=tf.constant(1.0), train_op=_foreign(tf)),
    "foreign predictions": lambda tf: dict(mode="infer", predictions={"a": _foreign(tf)}),
    "foreign prediction": lambda tf: dict(mode="infer", predictions=_foreign(tf)),
    "foreign metric": lambda tf: dict(
        mode="eval", loss=tf.constant(1.0), eval_metric_ops={"a": (_foreign(tf), _foreign(tf))}
    ),
    "variable train_op": lambda tf: dict(
        mode="train", loss=tf.constant(1.0), train_op=tf.Variable(1.0)
    ),
    "exports": lambda tf: dict(
        mode="infer",
        predictions=tf.constant(1.0),
        export_outputs={"x": tf.estimator.export.PredictOutput(tf.constant(1.0))},
    ),
    "exports list": lambda tf: dict(mode="infer", predictions=tf.constant(1.0), export_outputs=[1]),
    "exports value": lambda tf: dict(
        mode="infer", predictions=tf.constant(1.0), export_outputs={"a": 1}
    ),
    "exports many": lambda tf: dict(
        mode="infer",
        predictions=tf.constant(1.0),
        export_outputs={
            "x": tf.estimator.export.PredictOutput(tf.constant(1.0)),
            "y": tf.estimator.export.RegressionOutput(tf.constant(1.0)),
        },
    ),
}


def _spec_text(spec):
    found = {"mode": str(spec.mode)}
    for field in ("loss", "train_op", "predictions"):
        value = getattr(spec, field)
        found[field] = str(
            type(value).__name__ if isinstance(value, dict) else getattr(value, "name", value)
        )
    found["metrics"] = sorted(spec.eval_metric_ops)
    found["exports"] = sorted(
        "%s %s" % (k, type(v).__name__) for k, v in (spec.export_outputs or {}).items()
    )
    found["hooks"] = [
        len(spec.training_hooks),
        len(spec.evaluation_hooks),
        len(spec.prediction_hooks),
        len(spec.training_chief_hooks),
    ]
    found["scaffold"] = type(spec.scaffold).__name__
    return found


for _name, _make in _SPECS.items():

    def _spec(tf, np, _make=_make):
        return _spec_text(tf.estimator.EstimatorSpec(**_make(tf)))

    CASES["spec " + _name] = _spec


def spec_replace(tf, np):
    spec = tf.estimator.EstimatorSpec("infer", predictions=tf.constant(1.0))
    return _spec_text(spec._replace(loss=tf.constant(2.0)))


def spec_replace_mode(tf, np):
    spec = tf.estimator.EstimatorSpec("infer", predictions=tf.constant(1.0))
    return _spec_text(spec._replace(mode="eval"))


_OUTPUTS = {
    "scores": lambda tf, e: e.ClassificationOutput(scores=tf.constant([1])),
    "classes": lambda tf, e: e.ClassificationOutput(classes=tf.constant([1])),
    "nothing": lambda tf, e: e.ClassificationOutput(),
    "regression": lambda tf, e: e.RegressionOutput(tf.constant("a")),
    "predict key": lambda tf, e: e.PredictOutput({1: tf.constant(1)}),
    "predict value": lambda tf, e: e.PredictOutput({"a": 1}),
    "tuple": lambda tf, e: e.PredictOutput({("a", "b"): tf.constant(1)}),
}
for _name, _make in _OUTPUTS.items():
    CASES["output " + _name] = lambda tf, np, _make=_make: {
        "keys": sorted(_make(tf, tf.estimator.export).outputs)
    }


# -- specs of train_and_evaluate, arguments of Estimator -------------------------------------------


def _nothing():
    return None


_ARGUMENTS = {
    "TrainSpec": lambda tf, e: sorted(e.TrainSpec(_nothing, 5)._asdict().items()),
    "TrainSpec input": lambda tf, e: e.TrainSpec(3),
    "TrainSpec steps": lambda tf, e: e.TrainSpec(_nothing, 0),
    "TrainSpec hooks": lambda tf, e: e.TrainSpec(_nothing, hooks=[1]),
    "EvalSpec": lambda tf, e: sorted(e.EvalSpec(_nothing, name="a")._asdict().items())[1:],
    "EvalSpec steps": lambda tf, e: e.EvalSpec(_nothing, steps=0),
    "EvalSpec name": lambda tf, e: e.EvalSpec(_nothing, name=3),
    "EvalSpec exporters": lambda tf, e: e.EvalSpec(_nothing, exporters=[3]),
    "EvalSpec exporter": lambda tf, e: e.EvalSpec(_nothing, exporters=3),
    "EvalSpec delay": lambda tf, e: e.EvalSpec(_nothing, start_delay_secs=-1),
    "EvalSpec throttle": lambda tf, e: e.EvalSpec(_nothing, throttle_secs=-1),
    "train_and_evaluate": lambda tf, e: e.train_and_evaluate(1, 2, 3),
    "warm start": lambda tf, e: e.WarmStartSettings(""),
    "warm start defaults": lambda tf, e: str(e.WarmStartSettings("/tmp/a")),
    "vocab": lambda tf, e: str(e.VocabInfo("a", 1, 0, "b")),
    "vocab axis": lambda tf, e: e.VocabInfo("a", 1, 0, "b", axis=2),
    "no model_fn": lambda tf, e: e.Estimator(None, "/tmp/none"),
    "no features": lambda tf, e: e.Estimator(lambda x, labels: 1, "/tmp/none"),
    "params": lambda tf, e: e.Estimator(lambda features: 1, "/tmp/none", params={"a": 1}),
    "unknown argument": lambda tf, e: e.Estimator(lambda features, x: 1, "/tmp/none"),
    "config": lambda tf, e: e.Estimator(lambda features: 1, config=3),
    "two dirs": lambda tf, e: e.Estimator(
        lambda features: 1, "/tmp/none", e.RunConfig(model_dir="/tmp/some")
    ),
    "warm start from": lambda tf, e: e.Estimator(
        lambda features: 1, "/tmp/none", warm_start_from=3
    ),
}
for _name, _make in _ARGUMENTS.items():

    def _arguments(tf, np, _make=_make):
        return {"text": re.sub(r"0x[0-9a-f]+", "0x", str(_make(tf, tf.estimator)))}

    # Messages print functions and classes, whose names have modules in them.
    _arguments.message = _name not in (
        "no features",
        "params",
        "unknown argument",
        "train_and_evaluate",
    )
    CASES["arguments " + _name] = _arguments


# -- a small model ---------------------------------------------------------------------------------


def _data(np):
    random = np.random.RandomState(3)
    x = random.randn(60, 4).astype(np.float32)
    return x, (x.sum(axis=1) > 0).astype(np.int32)


def _model_fn(tf):
    def model_fn(features, labels, mode, params):
        x = features["x"] if isinstance(features, dict) else features
        kernel = tf.get_variable("kernel", [4, 2], initializer=tf.glorot_uniform_initializer())
        bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
        logits = tf.matmul(x, kernel) + bias
        predictions = {"classes": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions=predictions)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
        if mode == tf.estimator.ModeKeys.TRAIN:
            train_op = tf.train.GradientDescentOptimizer(params["rate"]).minimize(
                loss, global_step=tf.train.get_global_step()
            )
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
        metrics = {"accuracy": tf.metrics.accuracy(labels, predictions["classes"])}
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)

    return model_fn


class _Folder(object):
    """A temporary directory."""

    def __enter__(self):
        self.name = tempfile.mkdtemp()
        return os.path.join(self.name, "model")

    def __exit__(self, *details):
        shutil.rmtree(self.name)


def _losses(tf):
    class Losses(tf.train.SessionRunHook):
        def begin(self):
            self.tensor = tf.get_collection("losses")[-1]
            self.found = []

        def before_run(self, context):
            return tf.train.SessionRunArgs(self.tensor)

        def after_run(self, context, values):
            self.found.append(values.results)

    return Losses()


def _inputs(tf, np, epochs=1, batch=20, features_only=False):
    def dataset_fn():
        x, y = _data(np)
        found = tf.data.Dataset.from_tensor_slices({"x": x} if features_only else ({"x": x}, y))
        return found.repeat(epochs).batch(batch)

    return dataset_fn


def _estimator(tf, folder, **more):
    return tf.estimator.Estimator(
        _model_fn(tf),
        folder,
        tf.estimator.RunConfig(tf_random_seed=7),
        params={"rate": 0.5},
        **more,
    )


def life(tf, np):
    """Training, evaluation and prediction, twice, and what is read from the checkpoint."""
    found = {}
    with _Folder() as folder:
        for run in ("first", "second"):
            estimator, losses = _estimator(tf, folder), _losses(tf)
            estimator.train(_inputs(tf, np, epochs=None), steps=5, hooks=[losses])
            found[run + " losses"] = losses.found
            found[run + " metrics"] = dict(estimator.evaluate(_inputs(tf, np)))
        found["one batch"] = dict(estimator.evaluate(_inputs(tf, np), steps=1, name="one"))
        predictions = list(estimator.predict(_inputs(tf, np, features_only=True)))
        found["count"] = len(predictions)
        found["predicted"] = predictions[:3]
        again = list(estimator.predict(_inputs(tf, np, features_only=True)))
        found["again"] = again[-2:]
        found["keys"] = list(
            estimator.predict(_inputs(tf, np, features_only=True), predict_keys=["classes"])
        )[0]
        batches = list(
            estimator.predict(_inputs(tf, np, features_only=True), yield_single_examples=False)
        )
        found["batches"] = [b["classes"].shape for b in batches]
        found["names"] = estimator.get_variable_names()
        found["bias"] = estimator.get_variable_value("bias")
        found["latest"] = os.path.basename(estimator.latest_checkpoint())
        found["files"] = sorted(re.sub("tfevents.*", "tfevents", f) for f in os.listdir(folder))
        found["eval dirs"] = [os.path.basename(estimator.eval_dir(n)) for n in (None, "one")]
        old = estimator.evaluate(
            _inputs(tf, np), checkpoint_path=os.path.join(folder, "model.ckpt-5")
        )
        found["old"] = dict(old)
        estimator.train(_inputs(tf, np, epochs=None), max_steps=8)
        found["after max_steps"] = estimator.get_variable_value("global_step")
        estimator.train(_inputs(tf, np, epochs=None), max_steps=12)
        found["after more"] = estimator.get_variable_value("global_step")
        estimator.train(_inputs(tf, np, epochs=1))
        found["after the input"] = estimator.get_variable_value("global_step")
    return found


def warm_start(tf, np):
    found = {}
    with _Folder() as folder:
        estimator = _estimator(tf, folder)
        estimator.train(_inputs(tf, np, epochs=None), steps=5)
        found["bias"] = estimator.get_variable_value("bias")
        for name, start in (
            ("all", folder),
            ("bias only", tf.estimator.WarmStartSettings(folder, "bias")),
            (
                "renamed",
                tf.estimator.WarmStartSettings(folder, var_name_to_prev_var_name={"bias": "bias"}),
            ),
        ):
            losses = _losses(tf)
            other = _estimator(tf, folder + name, warm_start_from=start)
            found[name + " before"] = dict(other.evaluate(_inputs(tf, np)))
            other.train(_inputs(tf, np, epochs=None), steps=2, hooks=[losses])
            found[name] = losses.found
    return found


def warm_start_unknown(tf, np):
    with _Folder() as folder:
        _estimator(tf, folder).train(_inputs(tf, np, epochs=None), steps=1)
        start = tf.estimator.WarmStartSettings(folder, var_name_to_prev_var_name={"nothing": "x"})
        _estimator(tf, folder + "2", warm_start_from=start).train(_inputs(tf, np), steps=1)
    return {}


def train_and_evaluate(tf, np):
    with _Folder() as folder:
        config = tf.estimator.RunConfig(tf_random_seed=7, save_checkpoints_steps=4)
        estimator = tf.estimator.Estimator(_model_fn(tf), folder, config, params={"rate": 0.5})
        metrics, exports = tf.estimator.train_and_evaluate(
            estimator,
            tf.estimator.TrainSpec(_inputs(tf, np, epochs=None), max_steps=10),
            tf.estimator.EvalSpec(_inputs(tf, np), throttle_secs=0, name="x"),
        )
        return {
            "metrics": dict(metrics),
            "exports": exports,
            "step": estimator.get_variable_value("global_step"),
            "checkpoints": sorted(f for f in os.listdir(folder) if f.endswith(".index")),
            "evaluations": len(os.listdir(os.path.join(folder, "eval_x"))),
        }


def add_metrics(tf, np):
    def more(features, labels):
        return {
            "positive": tf.metrics.mean(tf.cast(labels, tf.float32)),
            "size": tf.metrics.mean(tf.abs(features["x"])),
        }

    with _Folder() as folder:
        estimator = _estimator(tf, folder)
        estimator.train(_inputs(tf, np, epochs=None), steps=2)
        return dict(tf.estimator.add_metrics(estimator, more).evaluate(_inputs(tf, np)))


def untrained(tf, np):
    with _Folder() as folder:
        estimator = _estimator(tf, folder)
        found = {
            "metrics": dict(estimator.evaluate(_inputs(tf, np))),
            "latest": estimator.latest_checkpoint(),
            "predicted": next(estimator.predict(_inputs(tf, np, features_only=True))),
        }
        return found


_MISTAKES = {
    "names": lambda tf, e, inputs: e.get_variable_names(),
    "steps": lambda tf, e, inputs: e.train(inputs, steps=0),
    "max_steps": lambda tf, e, inputs: e.train(inputs, max_steps=0),
    "both": lambda tf, e, inputs: e.train(inputs, steps=1, max_steps=1),
    "hooks": lambda tf, e, inputs: e.train(inputs, hooks=[1]),
    "listeners": lambda tf, e, inputs: e.train(inputs, saving_listeners=[1]),
    "eval steps": lambda tf, e, inputs: e.evaluate(inputs, steps=0),
    "predict keys": lambda tf, e, inputs: next(e.predict(inputs, predict_keys=["x"])),
    "three": lambda tf, e, inputs: e.train(lambda: (1, 2, 3)),
}
for _name, _make in _MISTAKES.items():

    def _mistake(tf, np, _make=_make):
        with _Folder() as folder:
            _make(tf, _estimator(tf, folder), _inputs(tf, np))
        return {}

    _mistake.message = _name not in ("names",)  # names the folder
    CASES["mistake " + _name] = _mistake


def no_labels_argument(tf, np):
    estimator = tf.estimator.Estimator(lambda features, mode: None, "/tmp/none")
    estimator.train(_inputs(tf, np), steps=1)
    return {}


def no_spec(tf, np):
    with _Folder() as folder:
        tf.estimator.Estimator(lambda features, labels: 3, folder).train(_inputs(tf, np), steps=1)
    return {}


def reserved_metric(tf, np):
    def model_fn(features, labels, mode):
        loss = tf.constant(1.0)
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, eval_metric_ops={"loss": tf.metrics.mean(loss)}
        )

    with _Folder() as folder:
        tf.estimator.Estimator(model_fn, folder).evaluate(_inputs(tf, np), steps=1)
    return {}


def subclass(tf, np):
    class Mine(tf.estimator.Estimator):
        def evaluate(self, *args):
            return 1

    Mine(lambda features: 1, "/tmp/none")
    return {}


subclass.message = False  # names the class with its module


def nan_loss(tf, np):
    def model_fn(features, labels, mode):
        loss = tf.reduce_mean(features["x"]) * np.nan
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with _Folder() as folder:
        tf.estimator.Estimator(model_fn, folder).train(_inputs(tf, np), steps=2)
    return {}


# -- export ----------------------------------------------------------------------------------------


def _serving(tf):
    def receiver():
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        return tf.estimator.export.ServingInputReceiver({"x": x}, {"x": x})

    return receiver


def export(tf, np):
    """A SavedModel is written and served: values as those of predict."""
    found = {}
    with _Folder() as folder:
        estimator = _estimator(tf, folder)
        estimator.train(_inputs(tf, np, epochs=None), steps=3)
        for method in ("export_saved_model", "export_savedmodel"):
            path = getattr(estimator, method)(folder + method, _serving(tf))
            found[method + " type"] = type(path).__name__
            found[method + " files"] = sorted(os.listdir(path.decode()))
            with tf.Session(graph=tf.Graph()) as session:
                meta = tf.saved_model.loader.load(session, ["serve"], path.decode())
                signature = meta.signature_def["serving_default"]
                found[method + " signature"] = [
                    signature.method_name,
                    sorted(
                        "%s %s %s" % (k, v.name, str(v.tensor_shape).split())
                        for m in (signature.inputs, signature.outputs)
                        for k, v in m.items()
                    ),
                ]
                outputs = {k: v.name for k, v in signature.outputs.items()}
                found[method] = session.run(outputs, {"x:0": _data(np)[0][:2]})
    return found


def export_all(tf, np):
    def supervised():
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        y = tf.placeholder(tf.int32, [None], name="y")
        return tf.estimator.experimental.build_raw_supervised_input_receiver_fn({"x": x}, y)

    found = {}
    with _Folder() as folder:
        estimator = _estimator(tf, folder)
        estimator.train(_inputs(tf, np, epochs=None), steps=3)
        with tf.Graph().as_default():
            receiver = supervised()
        path = estimator.experimental_export_all_saved_models(
            folder + "all", {"train": receiver, "eval": receiver, "infer": _serving(tf)}
        )
        for tag in ("train", "eval", "serve"):
            with tf.Session(graph=tf.Graph()) as session:
                meta = tf.saved_model.loader.load(session, [tag], path.decode())
                found[tag] = {
                    key: sorted(list(s.inputs) + list(s.outputs)) + [s.method_name]
                    for key, s in meta.signature_def.items()
                }
    return found


def exporters(tf, np):
    found = {}
    with _Folder() as folder:
        config = tf.estimator.RunConfig(tf_random_seed=7, save_checkpoints_steps=4)
        estimator = tf.estimator.Estimator(_model_fn(tf), folder, config, params={"rate": 0.5})
        made = [
            tf.estimator.LatestExporter("latest", _serving(tf), exports_to_keep=1),
            tf.estimator.FinalExporter("final", _serving(tf)),
            tf.estimator.BestExporter("best", _serving(tf)),
        ]
        metrics, exports = tf.estimator.train_and_evaluate(
            estimator,
            tf.estimator.TrainSpec(_inputs(tf, np, epochs=None), max_steps=8),
            tf.estimator.EvalSpec(_inputs(tf, np), throttle_secs=0, exporters=made),
        )
        found["exports"] = [type(e).__name__ for e in exports]
        for name in ("latest", "final", "best"):
            path = os.path.join(folder, "export", name)
            found[name] = len(os.listdir(path)) > 0
    return found


_RECEIVERS = {
    "no features": lambda tf, e, t: e.ServingInputReceiver(None, t),
    "no tensors": lambda tf, e, t: e.ServingInputReceiver(t, None),
    "key": lambda tf, e, t: e.ServingInputReceiver({1.5: t}, t),
    "receiver key": lambda tf, e, t: e.ServingInputReceiver(t, {1: t}),
    "value": lambda tf, e, t: e.ServingInputReceiver({"a": 1}, t),
    "alternatives": lambda tf, e, t: e.ServingInputReceiver(t, t, [t]),
    "fine": lambda tf, e, t: e.ServingInputReceiver(t, t, {"a": t}),
    "one tensor": lambda tf, e, t: e.TensorServingInputReceiver(t, t),
    "dict": lambda tf, e, t: e.TensorServingInputReceiver({"a": t}, t),
    "raw": lambda tf, e, t: e.build_raw_serving_input_receiver_fn({"a": t}, 3)(),
    "parsing": lambda tf, e, t: e.build_parsing_serving_input_receiver_fn(
        {"a": tf.FixedLenFeature([2], tf.float32)}
    )(),
}
for _name, _make in _RECEIVERS.items():

    def _receiver(tf, np, _make=_make):
        tensor = tf.placeholder(tf.float32, [None, 2], name="t")
        made = _make(tf, tf.estimator.export, tensor)
        features = made.features if isinstance(made.features, dict) else {"": made.features}
        return {
            "features": sorted("%s %s %s" % (k, v.name, v.shape) for k, v in features.items()),
            "tensors": sorted("%s %s" % (k, v.name) for k, v in made.receiver_tensors.items()),
            "others": sorted(made.receiver_tensors_alternatives or {}),
        }

    CASES["receiver " + _name] = _receiver


def export_untrained(tf, np):
    with _Folder() as folder:
        _estimator(tf, folder).export_saved_model(folder + "x", _serving(tf))
    return {}


export_untrained.message = False  # names the folder


def export_nothing(tf, np):
    with _Folder() as folder:
        _estimator(tf, folder).export_saved_model(folder + "x", None)
    return {}
