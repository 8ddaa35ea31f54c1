"""Runs, threads and processes end: by an error, a closed session, Ctrl-C, or the program's end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import relight.v1 as tf
from relight.engine import ending

ROOT = Path(__file__).parents[1]
SECONDS = 10  # by then all must have ended


@pytest.fixture(autouse=True)
def ends():
    """A graph; after the test no thread more than before it."""
    before = set(threading.enumerate())
    with tf.Graph().as_default():
        yield
    limit = time.monotonic() + SECONDS
    while set(threading.enumerate()) - before:
        assert time.monotonic() < limit, threading.enumerate()
        time.sleep(0.01)


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records"
    path.write_bytes(bytes(range(250)) * 8)
    return str(path)


def batch(path, threads=3):
    """Endless batches of the records of 10 bytes of a file, prepared by threads."""
    names = tf.train.string_input_producer([path])
    _, value = tf.FixedLengthRecordReader(10).read(names)
    row = tf.decode_raw(value, tf.uint8)
    row.set_shape([10])
    return tf.train.shuffle_batch([row], 2, 20, 5, num_threads=threads)


@contextlib.contextmanager
def in_time():
    """An alarm for what waits for ever."""

    def ring(*_):
        raise AssertionError(f"still waiting after {SECONDS} s")

    old = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def test_an_error_in_one_of_two_inputs(records, tmp_path):
    good, bad = batch(records), batch(str(tmp_path / "none"))
    with in_time(), pytest.raises(tf.errors.NotFoundError, match=r"none; No such file"):
        with tf.train.MonitoredTrainingSession() as session:
            while not session.should_stop():
                session.run([good, bad])


def test_an_error_in_an_input_that_is_not_waited_for(records, tmp_path):
    good, _ = batch(records), batch(str(tmp_path / "none"))
    with in_time(), tf.Session() as session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        with pytest.raises(tf.errors.NotFoundError, match=r"none; No such file"):
            while not coord.should_stop():
                try:
                    session.run(good)
                except (tf.errors.OutOfRangeError, tf.errors.CancelledError) as error:
                    coord.request_stop(error)
            coord.join(threads, stop_grace_period_secs=SECONDS)


def test_an_error_of_the_program(records):
    rows = batch(records)
    with in_time(), pytest.raises(KeyError, match="mine"):
        with tf.train.MonitoredTrainingSession() as session:
            session.run(rows)
            raise KeyError("mine")


def test_a_session_closed_under_its_threads(records):
    rows = batch(records)
    with in_time():
        session = tf.Session()
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        session.run(rows)
        session.close()
        with contextlib.suppress(tf.errors.CancelledError, RuntimeError):
            coord.join(threads, stop_grace_period_secs=SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            session.run(rows)


@pytest.mark.parametrize("waits", ["dequeue", "enqueue", "read", "next"])
def test_closing_ends_a_run_that_waits(waits, records):
    queue = tf.FIFOQueue(1, tf.string, shapes=[[]])
    fetch = {
        "dequeue": lambda: queue.dequeue(),
        "enqueue": lambda: tf.group(queue.enqueue("a"), queue.enqueue("b")),
        "read": lambda: tf.TFRecordReader().read(queue),
        "next": lambda: (
            tf.data.Dataset.range(9)
            .map(lambda i: tf.py_func(lambda i: released.wait(SECONDS) or i, [i], tf.int64))
            .prefetch(1)
            .make_one_shot_iterator()
            .get_next()
        ),
    }
    released = threading.Event()
    fetches = fetch[waits]()
    session = tf.Session()
    caught = []

    def run():
        try:
            session.run(fetches)
        except tf.errors.OpError as error:
            caught.append(type(error))

    with in_time():
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.1)
        session.close()
        thread.join(SECONDS)
        released.set()
    assert caught == [tf.errors.CancelledError]


@pytest.mark.parametrize("monitored", [False, True])
def test_ctrl_c(records, monitored):
    rows, waits = batch(records), tf.FIFOQueue(1, tf.float32).dequeue()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    with in_time(), pytest.raises(KeyboardInterrupt):
        with tf.train.MonitoredTrainingSession() if monitored else tf.Session() as session:
            session.run(rows if monitored else tf.constant(1))
            timer.start()
            session.run(waits)
    timer.join()


_FORGETFUL = """
import sys
import tensorflow as tf
names = tf.train.string_input_producer([sys.argv[1]])
_, value = tf.FixedLengthRecordReader(10).read(names)
row = tf.decode_raw(value, tf.uint8)
row.set_shape([10])
rows = tf.train.shuffle_batch([tf.random_crop(row, [7])], 2, 2000, 5, num_threads=3)
numbers = tf.data.Dataset.range(10**9).map(lambda i: i + 1, num_parallel_calls=3).prefetch(2)
number = numbers.make_one_shot_iterator().get_next()
session = tf.Session()
tf.train.start_queue_runners(session)
print(session.run([rows, number])[1])
{}
"""


@pytest.mark.slow
@pytest.mark.parametrize("end, code", [("sys.exit(3)", 3), ("1 / 0", 1)])
def test_a_program_that_leaves_all_running(records, tmp_path, end, code):
    """Threads in the midst of kernels must not abort the process; they end without a word."""
    program = tmp_path / "program.py"
    program.write_text(_FORGETFUL.format(end))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "relight", "run", str(program), records]
    runs = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out) == (code, "1\n"), err
        assert "QueueRunner" not in err and "terminate" not in err


def test_a_session_that_cannot_be_closed_does_not_keep_the_others_open(monkeypatch):
    closed = []

    class Open:
        def __init__(self, error):
            self.error = error

        def close(self):
            closed.append(self)
            if self.error:
                raise RuntimeError("it cannot be closed")

    sessions = [Open(True), Open(False), Open(True)]
    for name, value in (("_sessions", sessions), ("_threads", []), ("_begun", False)):
        monkeypatch.setattr(ending, name, value)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    with pytest.raises(RuntimeError, match="cannot be closed"):
        ending._end()
    assert closed == sessions


def test_only_closed_sessions_go_unsaid():
    """Errors of the program's own threads are told at its end as before."""
    told = []
    closed = RuntimeError(ending.CLOSED)
    for error in (ValueError("own"), tf.errors.CancelledError(None, None, "gone"), closed):
        arguments = threading.ExceptHookArgs((type(error), error, None, None))
        ending._tell(told.append, arguments)
    assert [str(a.exc_value) for a in told] == ["own"]
