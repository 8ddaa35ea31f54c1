"""Session run hooks: when they act, what they log, what they ask for."""

import json
import os

import numpy as np
import pytest

import relight.v1 as tf


@pytest.fixture(autouse=True)
def _fresh(caplog):
    tf.reset_default_graph()
    tf.logging.set_verbosity(tf.logging.INFO)
    yield
    tf.logging.set_verbosity(tf.logging.WARN)
    tf.summary.FileWriterCache.clear()


def _train(hooks, runs=10, value=1.0):
    step = tf.train.get_or_create_global_step()
    loss = tf.constant(value, name="loss")
    train = tf.assign_add(step, 1)
    made = hooks(loss) if callable(hooks) else hooks
    count = 0
    with tf.train.MonitoredSession(hooks=made) as sess:
        while not sess.should_stop() and count < runs:
            sess.run([loss, train])
            count += 1
    return count


def _messages(caplog):
    return [r.getMessage() for r in caplog.records]


def test_stop_at_step():
    assert _train([tf.train.StopAtStepHook(last_step=4)]) == 4
    tf.reset_default_graph()
    assert _train([tf.train.StopAtStepHook(num_steps=3)]) == 3
    with pytest.raises(ValueError, match="One of num_steps"):
        tf.train.StopAtStepHook()
    with pytest.raises(ValueError, match="Only one"):
        tf.train.StopAtStepHook(1, 2)


def test_hooks_need_a_global_step():
    tf.constant(1.0)
    with pytest.raises(RuntimeError, match="Global step should be created to use StopAtStepHook"):
        tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(last_step=1)])


def test_logging_by_runs(caplog):
    _train(lambda loss: [tf.train.LoggingTensorHook({"l": loss, "again": "loss"}, every_n_iter=4)])
    lines = [m for m in _messages(caplog) if "l = " in m]
    assert len(lines) == 3
    assert lines[0] == "again = 1.0, l = 1.0"
    assert lines[1].startswith("again = 1.0, l = 1.0 (") and lines[1].endswith(" sec)")


def test_logged_values_have_the_digits_of_their_type(caplog):
    _train(lambda loss: [tf.train.LoggingTensorHook(["loss"], every_n_iter=100)], value=2.3397532)
    assert [m for m in _messages(caplog) if "loss" in m] == ["loss = 2.3397532"]


def test_logging_at_the_end_with_a_formatter(caplog):
    _train(
        lambda loss: [
            tf.train.LoggingTensorHook(
                ["loss"], at_end=True, formatter=lambda values: f"final {values['loss']}"
            )
        ]
    )
    assert [m for m in _messages(caplog) if m.startswith("final ")] == ["final 1.0"]


@pytest.mark.parametrize(
    "arguments", [{}, {"every_n_iter": 1, "every_n_secs": 1}, {"every_n_iter": 0}]
)
def test_logging_intervals_are_checked(arguments):
    with pytest.raises(ValueError, match="every_n_iter"):
        tf.train.LoggingTensorHook(["a"], **arguments)


def test_logging_an_ambiguous_name():
    step = tf.train.get_or_create_global_step()
    tf.split(tf.constant([1.0, 2.0]), 2, name="two")
    with pytest.raises(ValueError, match="ambiguous"):
        tf.train.MonitoredSession(hooks=[tf.train.LoggingTensorHook(["two"], every_n_iter=1)])
    assert step is not None


def test_nan_loss(caplog):
    with pytest.raises(tf.train.NanLossDuringTrainingError, match="NaN loss during training"):
        _train(lambda loss: [tf.train.NanTensorHook(loss)], value=float("nan"))
    tf.reset_default_graph()
    quiet = lambda loss: [tf.train.NanTensorHook(loss, fail_on_nan_loss=False)]
    assert _train(quiet, value=float("nan")) == 1
    assert _messages(caplog).count("Model diverged with loss = NaN.") == 2


def test_step_counter(tmp_path, caplog):
    hook = tf.train.StepCounterHook(every_n_steps=4, output_dir=str(tmp_path))
    _train([hook])
    lines = [m for m in _messages(caplog) if m.startswith("global_step/sec: ")]
    assert len(lines) == 2
    tf.summary.FileWriterCache.clear()
    (name,) = os.listdir(tmp_path)
    found = [
        (e.step, v.tag) for e in tf.train.summary_iterator(tmp_path / name) for v in e.summary.value
    ]
    assert found == [(5, "global_step/sec"), (9, "global_step/sec")]


def test_step_counter_warns_when_nothing_is_counted(caplog):
    tf.train.get_or_create_global_step()
    with tf.train.MonitoredSession(hooks=[tf.train.StepCounterHook()]) as sess:
        sess.run("global_step:0")
        sess.run("global_step:0")
    assert any("has not been increased" in m for m in _messages(caplog))


def test_final_ops_feed_fn_and_waiter(caplog):
    step = tf.train.get_or_create_global_step()
    x = tf.placeholder_with_default(1.0, [], name="x")
    final = tf.train.FinalOpsHook({"twice": x * 2.0}, {x: 4.0})
    feed = tf.train.FeedFnHook(lambda: {x: 3.0})
    with tf.train.MonitoredSession(hooks=[final, feed, tf.train.GlobalStepWaiterHook(0)]) as sess:
        assert sess.run(x) == 3.0
        with pytest.raises(RuntimeError, match="fed by a SessionRunHook and user"):
            sess.run(x, {x: 5.0})
    assert final.final_ops_values == {"twice": 8.0}
    assert step is not None


def test_two_hooks_feed_the_same_tensor():
    x = tf.placeholder_with_default(1.0, [], name="x")
    hooks = [tf.train.FeedFnHook(lambda: {x: 3.0}), tf.train.FeedFnHook(lambda: {x: 4.0})]
    with tf.train.MonitoredSession(hooks=hooks) as sess:
        with pytest.raises(RuntimeError, match="fed by two hooks"):
            sess.run(x)


def test_checkpoint_listeners(tmp_path, caplog):
    seen = []

    class Listener(tf.train.CheckpointSaverListener):
        def begin(self):
            seen.append("begin")

        def before_save(self, session, global_step_value):
            seen.append(("before", int(global_step_value)))

        def after_save(self, session, global_step_value):
            seen.append(("after", int(global_step_value)))
            return global_step_value >= 4

        def end(self, session, global_step_value):
            seen.append(("end", int(global_step_value)))

    def hooks(loss):
        tf.train.Scaffold()
        return [
            tf.train.CheckpointSaverHook(
                str(tmp_path), save_steps=2, saver=tf.train.Saver(), listeners=[Listener()]
            )
        ]

    assert _train(hooks) == 4
    assert seen == ["begin", ("before", 0), ("after", 0), ("before", 2), ("after", 2),
                    ("before", 4), ("after", 4), ("end", 4)]  # fmt: skip
    messages = _messages(caplog)
    assert f"Saving checkpoints for 4 into {tmp_path}/model.ckpt." in messages
    assert any("requested that training be stopped" in m for m in messages)
    with pytest.raises(ValueError, match="both saver and scaffold"):
        tf.train.CheckpointSaverHook(
            str(tmp_path), saver=object(), scaffold=tf.train.Scaffold(), save_steps=1
        )


def test_summaries_are_saved(tmp_path):
    tf.summary.scalar("s", 2.5)
    merged = tf.summary.merge_all()
    _train([tf.train.SummarySaverHook(save_steps=4, output_dir=str(tmp_path), summary_op=merged)])
    tf.summary.FileWriterCache.clear()
    (name,) = os.listdir(tmp_path)
    steps = [e.step for e in tf.train.summary_iterator(tmp_path / name) if e.summary.value]
    assert steps == [1, 5, 9]
    with pytest.raises(ValueError, match="Exactly one"):
        tf.train.SummarySaverHook(save_steps=1)


def test_profiler(tmp_path):
    _train([tf.train.ProfilerHook(save_steps=4, output_dir=str(tmp_path))])
    found = sorted(n for n in os.listdir(tmp_path) if n.startswith("timeline"))
    assert found == ["timeline-4.json", "timeline-8.json"]
    trace = json.loads((tmp_path / found[0]).read_text())
    assert any(e.get("ph") == "X" for e in trace["traceEvents"])


def test_timer():
    timer = tf.train.SecondOrStepTimer(every_steps=3)
    assert timer.should_trigger_for_step(1)
    assert timer.update_last_triggered_step(1) == (None, None)
    assert not timer.should_trigger_for_step(3)
    assert timer.should_trigger_for_step(4)
    seconds, steps = timer.update_last_triggered_step(5)
    assert seconds >= 0 and steps == 4
    assert timer.last_triggered_step() == 5
    with pytest.raises(ValueError, match="Either"):
        tf.train.SecondOrStepTimer()
    with pytest.raises(ValueError, match="both"):
        tf.train.SecondOrStepTimer(1.0, 1)


def test_arguments_are_tuples():
    arguments = tf.train.SessionRunArgs("a")
    assert tuple(arguments) == ("a", None, None)
    values = tf.train.SessionRunValues(1, 2, 3)
    assert values.results == 1 and np.array(values).tolist() == [1, 2, 3]
