"""The Estimator: its log lines, graphs and files, what it keeps and forgets, and its errors."""

from __future__ import annotations

import difflib
import gc
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import textwrap
import time
import weakref

import estimator_program
import numpy as np
import pytest

import relight
import relight.v1 as tf
from relight.graph.graph import Graph

TESTS = pathlib.Path(__file__).resolve().parent
EXAMPLE = TESTS.parent / "examples" / "mnist_cnn_estimator.py"
GOLDEN = TESTS / "golden"


# -- the example against real TensorFlow ---------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The CNN example's log, graphs and files."""
    relight.install()
    try:
        example = estimator_program.load(str(EXAMPLE))
        return estimator_program.record(tf, example, str(tmp_path_factory.mktemp("cnn") / "model"))
    finally:
        relight.alias.uninstall()


@pytest.mark.slow
def test_log_lines_are_tensorflows(recorded):
    golden = (GOLDEN / "logs" / "estimator.txt").read_text().splitlines()
    found = "\n".join([*recorded["log"], "FILES " + " ".join(recorded["files"])]).splitlines()
    difference = list(difflib.unified_diff(golden, found, "TensorFlow", "relight", lineterm=""))
    assert not difference, "\n".join(difference)


# Reasons why a node of TensorFlow is not among ours, or ours not among TensorFlow's.
KNOWN_DIFFERENCES = [
    (re.compile(r"global_step/cond(/|$)"), "tf.cond is an If node, not Switch and Merge"),
    (re.compile(r"global_step/add$"), "it reads what that conditional gives"),
]


def _known(name):
    return any(pattern.match(name) for pattern, _ in KNOWN_DIFFERENCES)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["train", "eval", "predict"])
def test_graph_is_tensorflows(recorded, mode):
    golden = json.loads((GOLDEN / "graphs" / f"{mode}.json").read_text())
    found = json.loads(json.dumps(recorded["graphs"][mode]))
    theirs = {n[0]: n for n in golden["nodes"] if not _known(n[0])}
    ours = {n[0]: n for n in found["nodes"] if not _known(n[0])}
    assert [n for n in theirs if n not in ours] == [], "missing nodes"
    assert [n for n in ours if n not in theirs] == [], "further nodes"
    wrong = [f"{theirs[n]}\n{ours[n]}" for n in theirs if ours[n] != theirs[n]]
    assert not wrong, f"{len(wrong)} nodes differ:\n" + "\n\n".join(wrong[:10])
    assert list(ours) == list(theirs), "the order differs"
    golden["collections"].pop("cond_context", None)  # contexts of the conditionals above
    assert found["collections"] == golden["collections"]


# -- a small model ---------------------------------------------------------------------------------


def data():
    random = np.random.RandomState(3)
    x = random.randn(60, 4).astype(np.float32)
    return x, (x.sum(axis=1) > 0).astype(np.int32)


def model_fn(features, labels, mode, params):
    kernel = tf.get_variable("kernel", [4, 2], initializer=tf.zeros_initializer())
    logits = tf.matmul(features["x"], kernel, name="product")
    predictions = {"classes": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
    if params.get("noise"):
        predictions["noise"] = tf.random_uniform(tf.shape(logits))
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    if mode == tf.estimator.ModeKeys.TRAIN:
        train_op = tf.train.GradientDescentOptimizer(params.get("rate", 0.5)).minimize(
            loss, global_step=tf.train.get_global_step()
        )
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
    metrics = {"accuracy": tf.metrics.accuracy(labels, predictions["classes"])}
    return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)


def inputs(epochs=None, shuffle=True, with_labels=True, rows=slice(None), batch=20):
    x, y = data()
    return tf.estimator.inputs.numpy_input_fn(
        {"x": x[rows]},
        y[rows] if with_labels else None,
        batch_size=batch,
        num_epochs=epochs,
        shuffle=shuffle,
    )


def make(folder, **params):
    return tf.estimator.Estimator(model_fn, str(folder), params=params)


@pytest.fixture
def trained(tmp_path):
    estimator = make(tmp_path)
    estimator.train(inputs(), steps=3)
    return estimator


def ask(rows=slice(None)):
    return inputs(epochs=1, shuffle=False, with_labels=False, rows=rows)


# -- predictions keep the model --------------------------------------------------------------------


def counted(monkeypatch, estimator):
    calls = []
    original = estimator._call_model_fn

    def call(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(estimator, "_call_model_fn", call)
    return calls


def test_predict_builds_the_model_once(trained, monkeypatch):
    calls = counted(monkeypatch, trained)
    whole = [p["probabilities"] for p in trained.predict(ask())]
    part = [p["probabilities"] for p in trained.predict(ask(slice(10, 15)))]
    assert len(calls) == 1
    assert len(whole) == 60 and len(part) == 5
    np.testing.assert_allclose(part, whole[10:15], rtol=1e-6)
    trained.train(inputs(), steps=1)
    list(trained.predict(ask()))
    assert len(calls) == 3  # another training, another checkpoint


def test_predict_keeps_nothing_that_may_change(tmp_path, monkeypatch):
    estimator = make(tmp_path, noise=True)
    estimator.train(inputs(), steps=1)
    calls = counted(monkeypatch, estimator)
    for _ in range(2):
        list(estimator.predict(ask()))
    list(estimator.predict(ask(), hooks=[tf.train.SessionRunHook()]))
    assert len(calls) == 3


def test_predictions_of_another_shape_or_checkpoint_are_built_anew(trained, monkeypatch):
    calls = counted(monkeypatch, trained)
    list(trained.predict(ask()))
    first = trained.latest_checkpoint()
    trained.train(inputs(), steps=2)
    del calls[:]
    list(trained.predict(ask(), checkpoint_path=first))
    list(trained.predict(ask()))
    assert len(calls) == 2

    def fixed():
        return {"x": tf.convert_to_tensor(data()[0][:2])}

    assert len([p for _, p in zip(range(2), trained.predict(fixed), strict=False)]) == 2
    assert len(calls) == 3


def test_two_generators_take_turns(trained):
    list(trained.predict(ask()))
    pairs = list(zip(trained.predict(ask()), trained.predict(ask(slice(30, 60))), strict=False))
    expected = [p["probabilities"] for p in trained.predict(ask())]
    np.testing.assert_allclose([a["probabilities"] for a, _ in pairs], expected[:30], rtol=1e-6)
    np.testing.assert_allclose([b["probabilities"] for _, b in pairs], expected[30:], rtol=1e-6)


def test_abandoned_predictions_end_their_threads(trained):
    import threading

    before = threading.active_count()
    for _ in range(3):
        next(trained.predict(ask()))
    gc.collect()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before


def test_default_graph_is_untouched_between_predictions(trained):
    graph = tf.get_default_graph()
    generator = trained.predict(ask())
    next(generator)
    assert tf.get_default_graph() is graph
    generator.close()


# -- memory ----------------------------------------------------------------------------------------


def test_evaluations_leave_no_graphs(trained):
    trained.evaluate(inputs(1, shuffle=False))
    made = []
    original = Graph.__init__

    def count(self, *args, **kwargs):
        original(self, *args, **kwargs)
        made.append(weakref.ref(self))

    Graph.__init__ = count
    try:
        for _ in range(3):
            trained.evaluate(inputs(1, shuffle=False))
    finally:
        Graph.__init__ = original
    gc.collect()
    assert made and not [g for g in made if g() is not None]


# -- files -----------------------------------------------------------------------------------------


def events(folder):
    (path,) = [p for p in pathlib.Path(folder).iterdir() if "tfevents" in p.name]
    return list(tf.train.summary_iterator(str(path)))


def test_event_files(tmp_path):
    config = tf.estimator.RunConfig(str(tmp_path), log_step_count_steps=5, save_summary_steps=4)
    estimator = tf.estimator.Estimator(model_fn, config=config, params={})
    estimator.train(inputs(), steps=11)
    estimator.evaluate(inputs(1, shuffle=False))
    tags = {}
    for event in events(tmp_path):
        for value in event.summary.value:
            tags.setdefault(value.tag, []).append(event.step)
    assert tags["loss"] == [1, 5, 9]
    assert tags["global_step/sec"] == [6, 11] or tags["global_step/sec"] == [6]
    assert any(e.graph_def for e in events(tmp_path))
    assert any(e.meta_graph_def for e in events(tmp_path))
    evaluated = events(tmp_path / "eval")
    names = {v.tag for e in evaluated for v in e.summary.value}
    assert names == {"accuracy", "loss", "checkpoint_path"}
    assert (tmp_path / "graph.pbtxt").read_text().startswith("node {")


def test_keep_checkpoint_max(tmp_path):
    config = tf.estimator.RunConfig(str(tmp_path), save_checkpoints_steps=1, keep_checkpoint_max=2)
    tf.estimator.Estimator(model_fn, config=config, params={}).train(inputs(), steps=5)
    kept = sorted(p.name for p in tmp_path.glob("*.index"))
    assert kept == ["model.ckpt-4.index", "model.ckpt-5.index"]


def test_a_damaged_checkpoint_falls_back(trained, caplog):
    trained.train(inputs(), steps=2)
    newest = pathlib.Path(trained.latest_checkpoint() + ".index")
    newest.write_bytes(newest.read_bytes()[:40])
    tf.logging.get_logger().propagate = True
    with caplog.at_level("WARNING", logger="tensorflow"):
        trained.train(inputs(), steps=1)
    assert "model.ckpt-5" in caplog.text and "model.ckpt-3" in caplog.text
    assert int(trained.get_variable_value("global_step")) == 4


# -- errors say what and where ---------------------------------------------------------------------


def test_another_network_in_the_directory(trained):
    def other(features, labels, mode):
        kernel = tf.get_variable("kernel", [4, 3])
        loss = tf.reduce_mean(tf.matmul(features["x"], kernel))
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    def further(features, labels, mode):
        extra = tf.get_variable("extra", [])
        return tf.estimator.EstimatorSpec(
            mode, loss=extra, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"kernel|\[4,3\]"):
        tf.estimator.Estimator(other, trained.model_dir).train(inputs(), steps=1)
    with pytest.raises(tf.errors.NotFoundError, match="extra"):
        tf.estimator.Estimator(further, trained.model_dir).train(inputs(), steps=1)


def test_labels_out_of_range_name_the_line(tmp_path):
    def wrong():
        x, y = data()
        return tf.constant(x), tf.constant(y + 5)

    def simple(features, labels, mode):
        logits = tf.matmul(features, tf.get_variable("kernel", [4, 2]))
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.estimator.Estimator(simple, str(tmp_path)).train(wrong, steps=1)
    text = str(caught.value)
    assert "label value" in text and "SparseSoftmaxCrossEntropyWithLogits" in text
    assert "test_estimator.py" in text


def test_nan_loss(tmp_path):
    def diverging(features, labels, mode):
        loss = tf.reduce_mean(features["x"]) * np.nan
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with pytest.raises(tf.train.NanLossDuringTrainingError, match="NaN loss during training"):
        tf.estimator.Estimator(diverging, str(tmp_path)).train(inputs(), steps=1)


def test_missing_feed_and_uninitialised_variable(tmp_path):
    def with_placeholder(features, labels, mode):
        loss = tf.reduce_mean(tf.placeholder(tf.float32, [2], name="missing"))
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match="missing"):
        tf.estimator.Estimator(with_placeholder, str(tmp_path / "a")).train(inputs(), steps=1)

    def with_forgotten(features, labels, mode):
        forgotten = tf.Variable(1.0, collections=["mine"], name="forgotten")
        return tf.estimator.EstimatorSpec(
            mode, loss=forgotten + 1.0, train_op=tf.assign_add(tf.train.get_global_step(), 1)
        )

    with pytest.raises(tf.errors.FailedPreconditionError, match="forgotten"):
        tf.estimator.Estimator(with_forgotten, str(tmp_path / "b")).train(inputs(), steps=1)


def test_wrong_shape_names_the_node(tmp_path):
    def wrong(features, labels, mode):
        return tf.matmul(features["x"], tf.get_variable("kernel", [5, 2]), name="product")

    with pytest.raises(ValueError, match=r"product.*20,4.*5,2"):
        tf.estimator.Estimator(wrong, str(tmp_path)).train(inputs(), steps=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_model_dir(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(tf.errors.PermissionDeniedError, match="inside"):
            make(tmp_path / "inside").train(inputs(), steps=1)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_model_dir_is_a_file(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(tf.errors.OpError, match="file"):
        make(tmp_path / "file").train(inputs(), steps=1)


# -- killed while training -------------------------------------------------------------------------

KILLED = """
import sys
import numpy as np
import relight.v1 as tf

def model_fn(features, labels, mode):
    total = tf.get_variable("total", [200, 500], initializer=tf.zeros_initializer())
    step = tf.train.get_global_step()
    with tf.control_dependencies([tf.assign_add(total, tf.ones([200, 500]))]):
        train_op = tf.assign_add(step, 1)
    return tf.estimator.EstimatorSpec(mode, loss=tf.reduce_mean(features), train_op=train_op)

config = tf.estimator.RunConfig(sys.argv[1], save_checkpoints_steps=3, log_step_count_steps=None)
estimator = tf.estimator.Estimator(model_fn, config=config)
print("ready", flush=True)
estimator.train(lambda: tf.constant([1.0]), steps=int(sys.argv[2]))
"""


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    """After SIGKILL at any moment the newest checkpoint is whole, and training goes on from it."""
    program = tmp_path / "killed.py"
    program.write_text(textwrap.dedent(KILLED))
    folder = str(tmp_path / "model")
    random = np.random.RandomState(int.from_bytes(os.urandom(4), "little"))
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    last = 0
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, str(program), folder, "1000000"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True,
        )  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.05, 1.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        newest = tf.train.latest_checkpoint(folder)
        if newest is None:
            assert last == 0
            continue
        reader = tf.train.NewCheckpointReader(newest)
        step = int(reader.get_tensor("global_step"))
        assert step >= last
        assert (reader.get_tensor("total") == step).all()
        last = step
    done = subprocess.run(
        [sys.executable, str(program), folder, "4"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    reader = tf.train.NewCheckpointReader(tf.train.latest_checkpoint(folder))
    assert int(reader.get_tensor("global_step")) == last + 4
    assert (reader.get_tensor("total") == last + 4).all()
