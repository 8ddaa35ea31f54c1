"""A full folder: each writer raises a `tf.errors` exception that names the file, leaves no
temporary file behind, and what was good before stays good."""

import builtins
import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import relight.v1 as tf

ROOT = Path(__file__).parents[1]


class Disk:
    """A folder with room for some bytes more; without a number for all."""

    def __init__(self, folder):
        self.folder = folder
        self.room = None

    def open(self, path, mode="r", buffering=-1, encoding=None, **settings):
        """`open`, for new files in the folder with a limit."""
        inside = isinstance(path, (str, os.PathLike)) and str(path).startswith(str(self.folder))
        if not inside or not set("wxa") & set(mode):
            return _open(path, mode, buffering, encoding=encoding, **settings)
        file = io.BufferedWriter(_Limited(self, path, mode.replace("b", "").replace("t", "")))
        return file if "b" in mode else io.TextIOWrapper(file, encoding)


_open = builtins.open


class _Limited(io.FileIO):
    def __init__(self, disk, path, mode):
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data):
        size = memoryview(data).nbytes
        if self._disk.room is not None:
            if size > self._disk.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._disk.room -= size
        return super().write(data)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    found = Disk(tmp_path)
    monkeypatch.setattr(builtins, "open", found.open)
    with tf.Graph().as_default():
        yield found


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("room", [0, 3000, 4040, 4100])
@pytest.mark.parametrize("sharded", [False, True])
def test_a_checkpoint(disk, tmp_path, room, sharded):
    """The room ends in the first tensor, between tensors, or in the index."""
    first = tf.get_variable("first", [1000])
    tf.get_variable("second", [20])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(sharded=sharded)
        good = saver.save(session, str(tmp_path / "model"), 1)
        kept, values = files(tmp_path), session.run(first)
        session.run(first.initializer)
        disk.room = room
        with pytest.raises(tf.errors.ResourceExhaustedError) as caught:
            saver.save(session, str(tmp_path / "model"), 2)
        disk.room = None
        assert str(tmp_path / "model-2") in caught.value.message
        assert "No space left on device" in caught.value.message
        if room < 4080:
            assert files(tmp_path) == kept
        assert not [name for name in files(tmp_path) if ".temp" in name]
        assert tf.train.latest_checkpoint(str(tmp_path)) == good
        saver.restore(session, good)
        assert np.array_equal(session.run(first), values)
        assert saver.save(session, str(tmp_path / "model"), 2).endswith("-2")


def test_the_same_checkpoint_again(disk, tmp_path):
    """Nothing half-written takes the place of a checkpoint of the same name."""
    variable = tf.get_variable("v", [1000])
    with tf.Session() as session:
        session.run(variable.initializer)
        for version in (tf.train.SaverDef.V1, tf.train.SaverDef.V2):
            saver = tf.train.Saver(write_version=version)
            path = str(tmp_path / f"model{version}")
            saver.save(session, path, write_meta_graph=False)
            kept, values = files(tmp_path), session.run(variable)
            session.run(variable.initializer)
            disk.room = 2000
            with pytest.raises(tf.errors.ResourceExhaustedError, match="model"):
                saver.save(session, path, write_meta_graph=False)
            disk.room = None
            assert files(tmp_path) == kept
            saver.restore(session, path)
            assert np.array_equal(session.run(variable), values)


def test_the_meta_graph_or_the_state(disk, tmp_path):
    tf.get_variable("v", [10])
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        good = saver.save(session, str(tmp_path / "m"), 1)
        for room in (500, os.path.getsize(good + ".meta") + 300):
            disk.room = room
            with pytest.raises(tf.errors.ResourceExhaustedError):
                saver.save(session, str(tmp_path / "m"), 2)
            disk.room = None
            assert tf.train.latest_checkpoint(str(tmp_path)) == good
            assert not [name for name in files(tmp_path) if "tmp" in name or "temp" in name]


def test_training_goes_on_from_the_last_good_checkpoint(disk, tmp_path):
    tf.get_variable("w", [1000])
    count = tf.assign_add(tf.train.get_or_create_global_step(), 1)
    folder = str(tmp_path / "train")
    before = set(threading.enumerate())

    def session():
        return tf.train.MonitoredTrainingSession(
            checkpoint_dir=folder, save_checkpoint_steps=2, save_summaries_steps=None,
            save_summaries_secs=None, log_step_count_steps=None,
        )  # fmt: skip

    with pytest.raises(tf.errors.ResourceExhaustedError, match="model.ckpt-4"):
        with session() as running:
            while running.run(count) < 3:
                pass
            disk.room = 100
            for _ in range(10):
                running.run(count)
    disk.room = None
    assert tf.train.latest_checkpoint(folder).endswith("model.ckpt-2")
    with session() as running:
        assert running.run(count) == 3
    tf.summary.FileWriterCache.clear()
    assert set(threading.enumerate()) <= before


def test_events(disk, tmp_path):
    """The thread that writes tells the next caller, and ends with the writer."""
    before = set(threading.enumerate())
    writer = tf.summary.FileWriter(str(tmp_path))
    summary = tf.Summary(value=[tf.Summary.Value(tag="a" * 1000, simple_value=1.0)])
    writer.add_summary(summary, 1)
    writer.flush()
    disk.room = 2500
    (name,) = files(tmp_path)
    with pytest.raises(tf.errors.ResourceExhaustedError) as caught:
        for step in range(2, 10):
            writer.add_summary(summary, step)
        writer.flush()
    assert caught.value.message == f"{tmp_path / name}; No space left on device"
    with pytest.raises(tf.errors.ResourceExhaustedError):
        writer.add_summary(summary, 10)
    del writer, caught
    assert set(threading.enumerate()) <= before
    events = tf.train.summary_iterator(str(tmp_path / name))
    assert [next(events).step, next(events).step] == [0, 1]


def test_a_writer_of_events_is_closed_all_the_same(disk, tmp_path):
    before = set(threading.enumerate())
    writer = tf.summary.FileWriter(str(tmp_path))
    disk.room = 50
    with pytest.raises(tf.errors.ResourceExhaustedError):
        writer.add_graph(tf.get_default_graph())
        writer.flush()
    with pytest.raises(tf.errors.ResourceExhaustedError):
        writer.close()
    writer.close()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("room", [0, 100, 2000])
def test_a_cache_of_a_dataset(disk, tmp_path, room):
    dataset = tf.data.Dataset.range(9).map(lambda i: tf.fill([50], i)).cache(str(tmp_path / "c"))
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()

    def drain(session):
        session.run(iterator.initializer)
        count = 0
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                session.run(following)
                count += 1
        return count

    with tf.Session() as session:
        disk.room = room
        with pytest.raises(tf.errors.ResourceExhaustedError, match="/c.*No space left on device"):
            drain(session)
        assert files(tmp_path) == []
        disk.room = None
        assert drain(session) == drain(session) == 9


def test_a_saved_model(disk, tmp_path):
    value = tf.placeholder(tf.float32, [1])
    variable = tf.get_variable("v", [1000])
    with tf.Session() as session:
        session.run(variable.initializer)
        disk.room = 5000
        with pytest.raises(tf.errors.ResourceExhaustedError) as caught:
            total = value + tf.reduce_sum(variable)
            tf.saved_model.simple_save(session, str(tmp_path / "m"), {"x": value}, {"y": total})
    assert str(tmp_path / "m" / "saved_model.pb") in caught.value.message
    assert not os.path.exists(tmp_path / "m" / "saved_model.pb")
    assert not [name for name in files(tmp_path) if "temp" in name or "tmp" in name]


def _record_writer(path):
    with tf.python_io.TFRecordWriter(path) as writer:
        writer.write(b"record")


def _zipped_writer(path):
    kind = tf.python_io.TFRecordCompressionType.GZIP
    with tf.python_io.TFRecordWriter(path, tf.python_io.TFRecordOptions(kind)) as writer:
        writer.write(b"record")
        writer.flush()


def _write_file(path):
    with tf.Session() as session:
        session.run(tf.write_file(path, "contents"))


def _print(path):
    with tf.Session() as session:
        session.run(tf.print("text", output_stream="file://" + path))


def _gfile(path):
    with tf.gfile.GFile(path, "w") as file:
        file.write("text")


def _copy(path):
    tf.gfile.Copy(__file__, path, overwrite=True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
@pytest.mark.parametrize(
    "write", [_record_writer, _zipped_writer, _write_file, _print, _gfile, _copy]
)
def test_a_full_device(write):
    with tf.Graph().as_default(), pytest.raises(tf.errors.ResourceExhaustedError) as caught:
        write("/dev/full")
    assert caught.value.message.startswith("/dev/full; No space left on device")


_TOO_LARGE = """
import resource, signal, sys
import tensorflow as tf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, resource.RLIM_INFINITY))
folder = sys.argv[1]
variable = tf.get_variable("v", [5000])
small = tf.get_variable("small", [10])
dataset = tf.data.Dataset.range(9).map(lambda i: tf.fill([500], i)).cache(folder + "/c")
following = dataset.make_one_shot_iterator().get_next()
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver([small]).save(session, folder + "/m", 1, write_meta_graph=False)
    for run in (
        lambda: tf.train.Saver().save(session, folder + "/m", 2, write_meta_graph=False),
        lambda: [session.run(following) for _ in range(10)],
        lambda: session.run(tf.write_file(folder + "/w", "x" * 20000)),
    ):
        try:
            run()
        except tf.errors.OpError as error:
            print(type(error).__name__, error.message.split("\\n")[0])
print(tf.train.latest_checkpoint(folder))
"""


@pytest.mark.slow
def test_a_limit_of_the_size_of_files(tmp_path):
    """Real: RLIMIT_FSIZE. TensorFlow's class for it is that of an end of input."""
    program = tmp_path / "program.py"
    program.write_text(_TOO_LARGE)
    folder = tmp_path / "files"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "relight", "run", str(program), str(folder)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=100, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"OutOfRangeError {folder}/m-2; File too large",
        f"InternalError {folder}/c; File too large",
        f"OutOfRangeError {folder}/w; File too large",
        f"{folder}/m-1",
    ]
    assert not [name for name in files(folder) if "temp" in name or name == "c_0.lockfile"]
