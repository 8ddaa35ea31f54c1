"""MonitoredSession: order of calls, log lines, recovery, errors, restarts from checkpoints."""

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


def _model():
    v = tf.Variable(10.0, name="v")
    step = tf.train.get_or_create_global_step()
    loss = tf.square(v)
    train = tf.group(v.assign_sub(1.0), tf.assign_add(step, 1), name="train")
    tf.summary.scalar("loss", loss)
    return v, loss, train


class Recorder(tf.train.SessionRunHook):
    def __init__(self):
        self.calls = []

    def begin(self):
        self.calls.append("begin")

    def after_create_session(self, session, coord):
        self.calls.append("after_create_session")

    def before_run(self, run_context):
        self.calls.append("before_run")
        return tf.train.SessionRunArgs("v:0")

    def after_run(self, run_context, run_values):
        self.calls.append(("after_run", float(run_values.results)))

    def end(self, session):
        self.calls.append("end")


def _train(folder, last_step, **kwargs):
    _v, loss, train = _model()
    hooks = [*kwargs.pop("hooks", ()), tf.train.StopAtStepHook(last_step=last_step)]
    losses = []
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=str(folder), hooks=hooks, save_checkpoint_steps=3, **kwargs
    ) as sess:
        while not sess.should_stop():
            losses.append(float(sess.run([loss, train])[0]))
    return losses


def test_log_lines_and_files(tmp_path, caplog):
    folder = tmp_path / "model"
    assert _train(folder, 4) == [100.0, 81.0, 64.0, 49.0]
    path = f"{folder}/model.ckpt"
    assert [r.getMessage() for r in caplog.records] == [
        "Create CheckpointSaverHook.",
        "Graph was finalized.",
        "Running local_init_op.",
        "Done running local_init_op.",
        f"Saving checkpoints for 0 into {path}.",
        f"Saving checkpoints for 3 into {path}.",
        f"Saving checkpoints for 4 into {path}.",
    ]
    caplog.clear()
    tf.reset_default_graph()
    assert _train(folder, 6) == [36.0, 25.0]
    assert [r.getMessage() for r in caplog.records] == [
        "Create CheckpointSaverHook.",
        "Graph was finalized.",
        f"Restoring parameters from {path}-4",
        "Running local_init_op.",
        "Done running local_init_op.",
        f"Saving checkpoints for 4 into {path}.",
        f"Saving checkpoints for 6 into {path}.",
    ]
    names = sorted(n for n in os.listdir(folder) if "tfevents" not in n)
    assert names == sorted(
        ["checkpoint", "graph.pbtxt"]
        + [
            f"model.ckpt-{step}.{kind}"
            for step in (0, 3, 4, 6)
            for kind in ("data-00000-of-00001", "index", "meta")
        ]
    )


def test_restarts_from_the_checkpoint_before_a_damaged_one(tmp_path, caplog):
    _train(tmp_path, 4)
    for name in os.listdir(tmp_path):
        if name.startswith("model.ckpt-4.data"):
            with open(tmp_path / name, "r+b") as file:
                file.write(b"\xff\xff")
    tf.reset_default_graph()
    caplog.clear()
    assert _train(tmp_path, 5) == [49.0, 36.0]
    assert "is damaged" in caplog.text


def test_order_of_hook_calls(tmp_path):
    recorder = Recorder()
    _train(tmp_path, 2, hooks=[recorder])
    assert recorder.calls == [
        "begin", "after_create_session", "before_run", ("after_run", 9.0), "before_run",
        ("after_run", 8.0), "end",
    ]  # fmt: skip


def test_graph_is_final_inside_and_open_after():
    _v, _loss, _ = _model()
    with tf.train.MonitoredSession() as sess:
        assert sess.graph is tf.get_default_graph()
        with pytest.raises(RuntimeError, match="finalized"):
            tf.constant(1.0)
    tf.constant(1.0)
    with pytest.raises(RuntimeError, match="already closed"):
        sess.close()


def test_an_exception_passes_and_ends_without_end(tmp_path):
    recorder = Recorder()
    _, loss, _ = _model()
    with pytest.raises(KeyError), tf.train.MonitoredSession(hooks=[recorder]) as sess:
        sess.run(loss)
        raise KeyError("x")
    assert "end" not in recorder.calls


def test_end_of_input_ends_quietly():
    recorder = Recorder()
    _model()
    with tf.train.MonitoredSession(hooks=[recorder]) as sess:
        assert not sess.should_stop()
        raise tf.errors.OutOfRangeError(None, None, "end of input")
    assert recorder.calls[-1] == "end"
    tf.reset_default_graph()
    _model()
    with tf.train.MonitoredSession() as sess:

        def step_fn(step_context):
            step_context.request_stop()

        sess.run_step_fn(step_fn)
        pytest.fail("request_stop ends the block")


def test_step_function_runs_with_and_without_hooks():
    recorder = Recorder()
    v, loss, _ = _model()

    def step_fn(step_context):
        return step_context.session.run(v), step_context.run_with_hooks(loss)

    with tf.train.MonitoredSession(hooks=[recorder]) as sess:
        assert sess.run_step_fn(step_fn) == (10.0, 100.0)
        with pytest.raises(ValueError, match="step_context"):
            sess.run_step_fn(lambda other: None)
    assert recorder.calls.count("before_run") == 1


def test_lost_session_is_made_anew(tmp_path, caplog):
    _v, loss, train = _model()
    losing = [2]

    class Lose(tf.train.SessionRunHook):
        def __init__(self):
            self.sessions = 0

        def after_create_session(self, session, coord):
            self.sessions += 1

        def before_run(self, run_context):
            if run_context.session.run("global_step:0") == 3 and losing:
                losing.pop()
                raise tf.errors.AbortedError(None, None, "worker lost")

    hook = Lose()
    losses = []
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=str(tmp_path), hooks=[hook, tf.train.StopAtStepHook(last_step=5)],
        save_checkpoint_steps=1,
    ) as sess:  # fmt: skip
        while not sess.should_stop():
            losses.append(float(sess.run([loss, train])[0]))
    assert hook.sessions == 2
    assert losses == [100.0, 81.0, 64.0, 49.0, 36.0]
    assert "A new session will be created" in caplog.text


def test_singular_session_is_not_made_anew():
    _, loss, _ = _model()
    sess = tf.train.SingularMonitoredSession()
    assert sess.raw_session().run(loss) == 100.0

    class Fail(tf.train.SessionRunHook):
        def before_run(self, run_context):
            raise tf.errors.AbortedError(None, None, "lost")

    sess.close()
    assert sess.should_stop()
    with pytest.raises(tf.errors.AbortedError):
        with tf.train.SingularMonitoredSession(hooks=[Fail()]) as other:
            other.run(loss)


def test_run_after_stop_is_an_error():
    _, loss, train = _model()
    with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(last_step=1)]) as sess:
        sess.run(train)
        with pytest.raises(RuntimeError, match="even after should_stop"):
            sess.run(loss)


def test_scaffold_functions_and_feeds():
    x = tf.placeholder(tf.float32, [], name="x")
    v = tf.Variable(x, name="v")
    seen = []
    scaffold = tf.train.Scaffold(
        init_feed_dict={x: 5.0}, init_fn=lambda scaffold, sess: seen.append(sess.run(v))
    )
    with tf.train.MonitoredSession(tf.train.ChiefSessionCreator(scaffold=scaffold)) as sess:
        assert sess.run(v) == 5.0
    assert seen == [5.0]
    copied = tf.train.Scaffold(copy_from_scaffold=scaffold)
    assert copied.init_op is scaffold.init_op and copied.saver is scaffold.saver
    with pytest.raises(TypeError, match="not a Scaffold"):
        tf.train.Scaffold(copy_from_scaffold=3)


def test_two_items_in_a_collection():
    for _ in range(2):
        tf.add_to_collection(tf.GraphKeys.INIT_OP, tf.no_op())
    with pytest.raises(RuntimeError, match="More than one item"):
        tf.train.Scaffold().finalize()


def test_not_ready_says_which_variable():
    v = tf.Variable(1.0, name="forgotten")
    scaffold = tf.train.Scaffold(init_op=tf.no_op())
    with pytest.raises(RuntimeError, match="forgotten"):
        tf.train.MonitoredSession(tf.train.ChiefSessionCreator(scaffold=scaffold))
    assert v is not None


def test_a_failing_thread_ends_the_session():
    _, loss, _ = _model()

    class Thread(tf.train.SessionRunHook):
        def after_create_session(self, session, coord):
            self.coord = coord

        def after_run(self, run_context, run_values):
            self.coord.request_stop(ValueError("from a thread"))

    with pytest.raises(ValueError, match="from a thread"):
        with tf.train.MonitoredSession(hooks=[Thread()]) as sess:
            while not sess.should_stop():
                sess.run(loss)


def test_queue_runners_are_started():
    queue = tf.FIFOQueue(10, tf.int32, [[]])
    numbers = tf.FIFOQueue(10, tf.int32, [[]])
    fill = tf.group(numbers.enqueue_many([[1, 2, 3]]), name="fill")
    with tf.control_dependencies([fill]):
        fill = tf.group(numbers.close())
    tf.add_to_collection(tf.GraphKeys.LOCAL_INIT_OP, fill)
    runner = tf.train.QueueRunner(queue, [queue.enqueue(numbers.dequeue())])
    tf.train.add_queue_runner(runner)
    item = queue.dequeue()
    seen = []
    with tf.train.MonitoredSession() as sess:
        while not sess.should_stop():
            seen.append(int(sess.run(item)))
    assert seen == [1, 2, 3]


def test_supervisor(tmp_path, caplog):
    for last in (3, 5):
        tf.reset_default_graph()
        v, _loss, train = _model()
        supervisor = tf.train.Supervisor(
            logdir=str(tmp_path), save_model_secs=0, save_summaries_secs=0
        )
        with supervisor.managed_session() as sess:
            while not supervisor.should_stop():
                sess.run(train)
                if sess.run(supervisor.global_step) >= last:
                    break
            supervisor.saver.save(sess, supervisor.save_path, supervisor.global_step)
            value = sess.run(v)
        assert value == 10.0 - last
    assert "Starting queue runners." in caplog.text
    assert np.isclose(tf.train.load_variable(str(tmp_path), "v"), 5.0)
    tf.reset_default_graph()
    _model()
    with pytest.raises(KeyError), tf.train.Supervisor(logdir=None).managed_session():
        raise KeyError("x")


def test_global_step():
    assert tf.train.get_global_step() is None
    step = tf.train.create_global_step()
    assert step.op.name == "global_step" and step.dtype.base_dtype == tf.int64
    assert tf.train.get_or_create_global_step() is step
    with pytest.raises(ValueError, match="already exists"):
        tf.train.create_global_step()
    with tf.Session() as sess:
        sess.run(step.initializer)
        assert tf.train.global_step(sess, step) == 0
    for bad in (tf.constant(1.0), tf.constant([1, 2])):
        with pytest.raises(TypeError, match="global_step"):
            tf.train.assert_global_step(bad)


def test_basic_train_loop(tmp_path):
    _, _, train = _model()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_model_secs=0)
    lost = [1]

    def step(sess, last):
        if lost and sess.run(supervisor.global_step) == 1:
            lost.pop()
            supervisor.saver.save(sess, supervisor.save_path)
            raise tf.errors.AbortedError(None, None, "lost")
        sess.run(train)
        if sess.run(supervisor.global_step) == last:
            supervisor.request_stop()

    tf.train.basic_train_loop(supervisor, step, (3,))
    assert not lost
