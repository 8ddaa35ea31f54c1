"""Threads beside the training step compute on one core, and leave the others' teams alone."""

import threading

import numpy as np
import pytest
import torch

import relight.v1 as tf
from relight.engine import threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _in_a_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(threads.setter() is None, reason="no OpenMP library that is known")
def test_only_the_calling_thread_is_changed(two_threads):
    assert _in_a_thread(lambda: (threads.use_one_core(), torch.get_num_threads())) == (True, 1)
    assert torch.get_num_threads() == 2
    assert _in_a_thread(torch.get_num_threads) == 2


@pytest.mark.skipif(threads.setter() is None, reason="no OpenMP library that is known")
def test_input_threads_use_one_core(two_threads):
    """A queue's enqueue operation and a dataset's parallel map run with one core."""
    seen = []

    def note(value):
        seen.append(torch.get_num_threads())
        return value

    with tf.Graph().as_default(), tf.Session() as session:
        queue = tf.FIFOQueue(4, tf.float32, shapes=[[]])
        enqueue = queue.enqueue(tf.py_func(note, [np.float32(1)], tf.float32))
        runner = tf.train.QueueRunner(queue, [enqueue])
        coordinator = tf.train.Coordinator()
        running = runner.create_threads(session, coord=coordinator, start=True)
        assert session.run(queue.dequeue()) == 1
        coordinator.request_stop()
        session.run(queue.close(cancel_pending_enqueues=True))
        coordinator.join(running)
        assert set(seen) == {1}
        del seen[:]
        numbers = tf.data.Dataset.range(8).map(
            lambda x: tf.py_func(note, [x], tf.int64), num_parallel_calls=2
        )
        value = numbers.prefetch(2).make_one_shot_iterator().get_next()
        assert [int(session.run(value)) for _ in range(8)] == list(range(8))
        assert set(seen) == {1}
    assert torch.get_num_threads() == 2
