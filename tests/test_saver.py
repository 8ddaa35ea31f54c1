"""Savers beside the cases: TensorFlow's own files, damage, interruptions, restarts."""

import glob
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import relight.v1 as tf
from relight.formats.checkpoint import damage

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data", "saver")


def _fixture_tool():
    path = os.path.join(HERE, "tools", "make_saver_fixtures.py")
    spec = importlib.util.spec_from_file_location("make_saver_fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _fresh_graph():
    tf.reset_default_graph()


def test_reads_what_tensorflow_wrote():
    found = _fixture_tool().read(tf, "tensorflow")
    with open(os.path.join(DATA, "read_by_tensorflow.json")) as file:
        wanted = json.load(file)
    assert found == wanted


def test_tensorflow_read_what_relight_writes(tmp_path):
    """The file that TensorFlow read when the fixture was made is what is written today."""
    tool = _fixture_tool()
    tool.FOLDER = str(tmp_path)
    tool.write(tf, "relight")
    for name in ("relight.index", *(f"relight.data-0000{i}-of-00001" for i in range(1))):
        assert (tmp_path / name).read_bytes() == open(os.path.join(DATA, name), "rb").read()
    tool.FOLDER = DATA
    with open(os.path.join(DATA, "read_by_tensorflow.json")) as file:
        assert tool.read(tf, "relight") == json.load(file)


def _save_steps(folder, steps, **kwargs):
    v = tf.Variable(np.zeros(1000, np.float32), name="v")
    saver = tf.train.Saver(**kwargs)
    with tf.Session() as sess:
        for step in steps:
            v.load(np.full(1000, step, np.float32), sess)
            saver.save(sess, str(folder / "model.ckpt"), global_step=step)
    return v, saver


def _truncate(path):
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def _flip(path):
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)[0]
        file.seek(100)
        file.write(bytes([byte ^ 64]))


def test_latest_checkpoint_passes_over_a_truncated_one(tmp_path, caplog):
    _save_steps(tmp_path, [1, 2, 3])
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-3")
    _truncate(tmp_path / "model.ckpt-3.data-00000-of-00001")
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-2")
    assert "is damaged" in caplog.text
    _truncate(tmp_path / "model.ckpt-2.index")
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-1")


def test_latest_checkpoint_without_its_files(tmp_path):
    _save_steps(tmp_path, [1])
    for path in glob.glob(str(tmp_path / "model*")):
        os.remove(path)
    assert tf.train.latest_checkpoint(str(tmp_path)) is None


def test_session_restores_the_checkpoint_before_a_damaged_one(tmp_path, caplog):
    v, saver = _save_steps(tmp_path, [1, 2])
    _flip(tmp_path / "model.ckpt-2.data-00000-of-00001")
    manager = tf.train.SessionManager()
    sess = manager.prepare_session("", saver=saver, checkpoint_dir=str(tmp_path), init_op=None)
    assert sess.run(v)[0] == 1
    assert "restoring" in caplog.text
    _flip(tmp_path / "model.ckpt-1.data-00000-of-00001")
    with pytest.raises(tf.errors.DataLossError):
        manager.prepare_session("", saver=saver, checkpoint_dir=str(tmp_path), init_op=None)


def test_restore_of_a_damaged_file_names_it(tmp_path):
    _, saver = _save_steps(tmp_path, [1])
    _flip(tmp_path / "model.ckpt-1.data-00000-of-00001")
    with tf.Session() as sess, pytest.raises(tf.errors.DataLossError, match="checksum of v"):
        saver.restore(sess, str(tmp_path / "model.ckpt-1"))
    assert damage(str(tmp_path / "model.ckpt-1")) is not None


def test_damaged_state_file_is_ignored(tmp_path, caplog):
    (tmp_path / "checkpoint").write_text("model_checkpoint_path 17 {")
    assert tf.train.get_checkpoint_state(str(tmp_path)) is None
    assert "Checkpoint ignored" in caplog.text


def test_unwritable_folder_leaves_what_was_there(tmp_path):
    _, saver = _save_steps(tmp_path, [1])
    (tmp_path / "file").write_text("x")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        with pytest.raises(ValueError, match="Parent directory"):
            saver.save(sess, str(tmp_path / "file" / "m"))
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-1")


def test_failed_save_leaves_no_files(tmp_path, monkeypatch):
    v, saver = _save_steps(tmp_path, [1])
    before = sorted(os.listdir(tmp_path))
    from relight.formats import bundle

    def full(*_args):
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(bundle, "_write_index", full)
    with tf.Session() as sess:
        v.load(np.zeros(1000, np.float32), sess)
        with pytest.raises(tf.errors.ResourceExhaustedError, match="No space left"):
            saver.save(sess, str(tmp_path / "model.ckpt"), global_step=2)
    assert sorted(os.listdir(tmp_path)) == before


KILLED = """
import sys
import numpy as np
import relight.v1 as tf
v = tf.Variable(np.zeros(200000, np.float32), name="v")
saver = tf.train.Saver(max_to_keep=3)
with tf.Session() as sess:
    for step in range(1, 10000):
        v.load(np.full(200000, step, np.float32), sess)
        saver.save(sess, sys.argv[1] + "/m", global_step=step, write_meta_graph=False)
        print(step, flush=True)
"""


@pytest.mark.slow
def test_killed_while_saving_leaves_a_whole_newest_checkpoint(tmp_path):
    script = tmp_path / "save.py"
    script.write_text(textwrap.dedent(KILLED))
    folder = tmp_path / "ckpt"
    folder.mkdir()
    env = dict(os.environ, PYTHONPATH=os.path.dirname(HERE))
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, env=env
    )
    done = 0
    for _ in range(4):
        done = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    newest = tf.train.latest_checkpoint(str(folder))
    assert damage(newest) is None
    step = int(newest.rpartition("-")[2])
    assert step >= done
    assert (tf.train.load_variable(newest, "v") == step).all()


def test_keeps_one_checkpoint_every_so_often(tmp_path):
    _, saver = _save_steps(tmp_path, [1, 2, 3], max_to_keep=1, keep_checkpoint_every_n_hours=1e-9)
    kept = sorted(os.path.basename(p) for p in glob.glob(str(tmp_path / "*.index")))
    assert kept == ["model.ckpt-1.index", "model.ckpt-2.index", "model.ckpt-3.index"]
    assert [os.path.basename(p) for p in saver.last_checkpoints] == ["model.ckpt-3"]


def test_recovers_the_list_of_checkpoints(tmp_path):
    _save_steps(tmp_path, [1, 2])
    saver = tf.train.Saver(max_to_keep=2)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    gone = str(tmp_path / "model.ckpt-0")
    saver.recover_last_checkpoints([gone, *state.all_model_checkpoint_paths])
    assert [os.path.basename(p) for p in saver.last_checkpoints] == ["model.ckpt-1", "model.ckpt-2"]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver.save(sess, str(tmp_path / "model.ckpt"), global_step=3)
    assert not os.path.exists(tmp_path / "model.ckpt-1.index")


def test_moved_folder_with_relative_paths(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    _save_steps(old, [1], save_relative_paths=True)
    shutil.move(old, new)
    assert tf.train.latest_checkpoint(str(new)) == str(new / "model.ckpt-1")


def test_checkpoints_iterator_ends_after_its_timeout(tmp_path):
    _save_steps(tmp_path, [1])
    assert list(tf.train.checkpoints_iterator(str(tmp_path), timeout=0)) == [
        str(tmp_path / "model.ckpt-1")
    ]


def test_old_checkpoint_object_graph_is_read_by_names(tmp_path):
    """A checkpoint of tf.train.Checkpoint: keys differ from variable names."""
    from tensorboard.compat.proto import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    attribute = graph.nodes.add().attributes.add()
    attribute.name, attribute.full_name = "VARIABLE_VALUE", "v"
    attribute.checkpoint_key = "model/v/.ATTRIBUTES/VARIABLE_VALUE"
    path = str(tmp_path / "ckpt-1")
    with tf.Session() as sess:
        sess.run(
            tf.raw_ops.SaveV2(
                prefix=path,
                tensor_names=["_CHECKPOINTABLE_OBJECT_GRAPH", attribute.checkpoint_key],
                shape_and_slices=["", ""],
                tensors=[graph.SerializeToString(), np.array([3.0, 4.0], np.float32)],
            )
        )
    v = tf.Variable([0.0, 0.0], name="v")
    saver = tf.train.Saver()
    with tf.Session() as sess:
        saver.restore(sess, path)
        assert sess.run(v).tolist() == [3.0, 4.0]


def test_inspecting_a_checkpoint(tmp_path, capsys):
    from relight.v1.train.inspect_checkpoint import print_tensors_in_checkpoint_file

    tf.Variable([1.0, 2.0], name="a")
    tf.Variable([[3]], name="b")
    path = str(tmp_path / "m")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, path)
    print_tensors_in_checkpoint_file(path, "", True)
    print_tensors_in_checkpoint_file(path, "", False, True, "^a$")
    print_tensors_in_checkpoint_file(path, "", False)
    assert capsys.readouterr().out.splitlines() == [
        "tensor_name:  a", "[1. 2.]", "tensor_name:  b", "[[3]]", "# Total number of params: 3",
        "tensor_name:  a", "tensor_name:  b",
        "# Excluding 1 tensors (2 params) that match ^a$ when counting.",
        "# Total number of params: 1",
        "a (DT_FLOAT) [2]", "b (DT_INT32) [1,1]", "", "# Total number of params: 3",
    ]  # fmt: skip
    print_tensors_in_checkpoint_file(path + ".no", "", True)
    assert "Failed to find any matching files" in capsys.readouterr().out
