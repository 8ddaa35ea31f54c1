"""Datasets at run time: threads, errors and memory."""

import threading
import time

import numpy as np
import pytest

import relight.v1 as tf


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


def ahead_threads():
    return [t for t in threading.enumerate() if t.name == "dataset-ahead"]


def wait_for_no_threads():
    for _ in range(500):
        if not ahead_threads():
            return
        time.sleep(0.01)
    raise AssertionError("a thread of a dataset is still there")


def test_prefetching_threads_end_with_the_session():
    wait_for_no_threads()
    dataset = tf.data.Dataset.range(10).repeat().prefetch(3)
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(value) for _ in range(12)] == [*range(10), 0, 1]
        assert len(ahead_threads()) == 1
    wait_for_no_threads()


def test_prefetching_threads_end_with_the_pass():
    wait_for_no_threads()
    iterator = tf.data.Dataset.range(5).prefetch(2).make_initializable_iterator()
    value = iterator.get_next()
    with tf.Session() as session:
        for _ in range(3):
            session.run(iterator.initializer)
            session.run(value)
        session.run(iterator.initializer)
        assert len(ahead_threads()) <= 1
    wait_for_no_threads()


def test_prefetching_works_ahead():
    made = []

    def note(x):
        made.append(int(x))
        return x

    dataset = tf.data.Dataset.range(50).map(lambda x: tf.py_func(note, [x], tf.int64))
    value = dataset.prefetch(5).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(value)
        for _ in range(200):
            if len(made) >= 6:
                break
            time.sleep(0.005)
        assert len(made) in (6, 7)


@pytest.mark.parametrize("ahead", [False, True])
def test_a_pass_goes_on_after_an_error(ahead):
    dataset = tf.data.Dataset.from_tensor_slices(["1", "x", "3"]).map(tf.string_to_number)
    if ahead:
        dataset = dataset.prefetch(4)
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(value) == 1
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(value)
        assert session.run(value) == 3
        for _ in range(2):
            with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
                session.run(value)


def test_elements_are_the_callers():
    data = np.zeros((4, 2))
    value = tf.data.Dataset.from_tensor_slices(data).cache().repeat().make_one_shot_iterator()
    value = value.get_next()
    with tf.Session() as session:
        for _ in range(9):
            row = session.run(value)
            assert not row.any()
            row += 1


def test_batches_of_rows_are_what_single_rows_are():
    data = np.random.RandomState(0).rand(30, 3).astype(np.float32)
    plain = tf.data.Dataset.from_tensor_slices(data).shuffle(10, seed=4)
    single = plain.make_one_shot_iterator().get_next()
    joined = plain.batch(7).make_one_shot_iterator().get_next()
    mapped = plain.map(lambda x: x + 0).batch(7).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        rows = np.stack([session.run(single) for _ in range(30)])
        for value in (joined, mapped):
            found = np.concatenate([session.run(value) for _ in range(5)])
            assert np.array_equal(found, rows)


def test_threads_share_an_iterator():
    value = tf.data.Dataset.range(200).make_one_shot_iterator().get_next()
    found = []
    with tf.Session() as session:

        def take():
            try:
                while True:
                    found.append(int(session.run(value)))
            except tf.errors.OutOfRangeError:
                return

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert sorted(found) == list(range(200))


def test_a_cache_file_is_refused():
    value = tf.data.Dataset.range(3).cache("/tmp/x").make_one_shot_iterator().get_next()
    with tf.Session() as session, pytest.raises(tf.errors.UnimplementedError, match="in memory"):
        session.run(value)


def test_unknown_options_are_refused():
    with pytest.raises(AttributeError, match="no_such"):
        tf.data.Options().no_such = 1


def test_a_placeholder_needs_an_initializable_iterator():
    dataset = tf.data.Dataset.from_tensor_slices(tf.placeholder(tf.float32, [None]))
    with pytest.raises(ValueError, match="make_initializable_iterator"):
        dataset.make_one_shot_iterator()
