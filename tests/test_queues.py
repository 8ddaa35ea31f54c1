"""Queues at run time: waiting, closing, cancelling, and that no thread outlives its session."""

import threading
import time

import numpy as np
import pytest

import relight.v1 as tf
from relight.engine import queues, rows
from relight.graph import dtypes, errors
from relight.graph.shapes import TensorShape


def make(capacity=4, kind=queues.FIFOQueue, **settings):
    return kind("q", [dtypes.int64], [TensorShape([])], capacity, **settings)


def many(*values):
    return [np.array(values, np.int64)]


def in_thread(function, *args):
    """Start `function`; a list that gets its result or its error, and the thread."""
    found = []

    def run():
        try:
            found.append(function(*args))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return found, thread


def test_a_batch_may_be_larger_than_the_queue():
    queue = make(2)
    found, thread = in_thread(queue.dequeue_many, 7)
    queue.enqueue_many(many(*range(7)))
    thread.join(5)
    assert found[0][0].tolist() == list(range(7))
    assert queue.size() == 0


def test_rows_taken_in_vain_come_back_in_order():
    queue = make(8)
    queue.enqueue_many(many(1, 2, 3))
    found, thread = in_thread(queue.dequeue_many, 5)
    while queue.size():
        time.sleep(0.001)
    queue.close()
    thread.join(5)
    assert isinstance(found[0], errors.OutOfRangeError)
    assert queue.dequeue_many(3)[0].tolist() == [1, 2, 3]


def test_shuffled_rows_taken_in_vain_come_back():
    queue = make(8, queues.RandomShuffleQueue, seed=1, seed2=2)
    queue.enqueue_many(many(1, 2, 3))
    found, thread = in_thread(queue.dequeue_many, 5)
    while queue.size():
        time.sleep(0.001)
    queue.close()
    thread.join(5)
    assert isinstance(found[0], errors.OutOfRangeError)
    assert sorted(queue.dequeue_up_to(5)[0].tolist()) == [1, 2, 3]


def test_a_deadline_gives_rows_back():
    queue = make(8)
    queue.enqueue_many(many(1, 2))
    with pytest.raises(errors.DeadlineExceededError):
        queue.dequeue_many(3, timeout=0.02)
    assert queue.dequeue_many(2)[0].tolist() == [1, 2]
    with pytest.raises(errors.DeadlineExceededError):
        queue.dequeue(timeout=0.01)


def test_what_is_enqueued_is_copied_and_so_is_what_is_dequeued():
    queue = make(8)
    values = np.arange(3, dtype=np.int64)
    queue.enqueue_many([values])
    values += 10
    first = queue.dequeue_many(2)[0]
    assert first.tolist() == [0, 1]
    queue.enqueue_many([np.full(8 - 1, 5, np.int64)])
    assert first.tolist() == [0, 1]


@pytest.mark.parametrize("kind", [rows.Ring, rows.Shuffled])
def test_rows_grow(kind):
    seeds = (3, 4) if kind is rows.Shuffled else ()
    kept = kind([(2,), ()], [dtypes.float32, dtypes.string], 2**31 - 1, *seeds)
    values = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    names = np.array([b"%d" % i for i in range(1000)], object)
    for start in range(0, 1000, 10):
        kept.add([values, names], start, start + 10)
        if start == 500:
            kept.put_back(kept.take(37))
    taken, text = kept.take(1000)
    assert kept.size == 0
    order = np.argsort(taken[:, 0])
    assert np.array_equal(taken[order], values)
    assert all(int(t) * 2 == v[0] for t, v in zip(text, taken, strict=True))


def test_cancel_wakes_all_and_stays():
    queue = make(1)
    queue.enqueue([np.array(1)])
    waiting = [in_thread(queue.enqueue, [np.array(2)]), in_thread(queue.enqueue_many, many(1, 2))]
    other = make(1)
    waiting.append(in_thread(other.dequeue))
    time.sleep(0.02)
    queue.cancel()
    other.cancel()
    for found, thread in waiting:
        thread.join(5)
        assert isinstance(found[0], errors.CancelledError)
    with pytest.raises(errors.CancelledError):
        queue.dequeue()


def test_many_producers_and_consumers_lose_nothing():
    queue = make(7)
    threads = [
        in_thread(lambda: [queue.enqueue_many(many(*range(50))) for _ in range(4)])
        for _ in range(3)
    ]
    takers = [in_thread(lambda: [queue.dequeue_many(30)[0] for _ in range(10)]) for _ in range(2)]
    for _, thread in threads + takers:
        thread.join(10)
    values = np.concatenate([v for found, _ in takers for v in found[0]])
    assert np.array_equal(np.bincount(values), np.full(50, 12))


def test_closing_the_session_ends_what_waits():
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
        value = queue.dequeue()
        session = tf.Session()
        session.run(queue.size())
        found, thread = in_thread(session.run, value)
        time.sleep(0.02)
        session.close()
        thread.join(5)
    assert isinstance(found[0], tf.errors.CancelledError)


def test_sessions_have_their_own_queues():
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(2, tf.int32, shapes=[[]], shared_name="q")
        with tf.Session() as first, tf.Session() as second:
            first.run(queue.enqueue(1))
            assert first.run(queue.size()) == 1
            assert second.run(queue.size()) == 0


def runner_threads():
    return [t for t in threading.enumerate() if t.name.startswith("QueueRunnerThread")]


def wait_for_no_threads():
    for _ in range(500):
        if not runner_threads():
            return
        time.sleep(0.01)
    raise AssertionError([t.name for t in runner_threads()])


def test_no_runner_thread_outlives_its_session(monkeypatch):
    from relight.v1.train import queue_runner

    monkeypatch.setattr(queue_runner, "_SESSION_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(1)] * 2))
        with tf.Session() as session:  # the coordinator is never told to stop
            tf.train.start_queue_runners(session, tf.train.Coordinator())
            assert session.run(queue.dequeue()) == 1
        wait_for_no_threads()
        with tf.Session() as session:
            tf.train.start_queue_runners(session)
            assert session.run(queue.dequeue_many(3)).tolist() == [1, 1, 1]
        wait_for_no_threads()


def test_runners_are_started_once_a_session():
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(1)]))
        coord = tf.train.Coordinator()
        with tf.Session() as session:
            assert len(tf.train.start_queue_runners(session, coord)) == 2
            assert tf.train.start_queue_runners(session, coord) == []
            coord.request_stop()
            coord.join()
        wait_for_no_threads()
