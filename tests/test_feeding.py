"""Input functions of arrays and data frames: which rows come, and in which order."""

import numpy as np
import pytest

import relight.v1 as tf
from relight.graph import errors
from relight.v1.estimator.inputs.queues import feeding_functions as feeding
from relight.v1.estimator.inputs.queues.feeding_queue_runner import FeedingQueueRunner


def rows(length, batch, epochs, start=0):
    walk = feeding._Rows(length, batch, False, None, epochs)
    walk._next, walk._epoch_end = start, (start - 1) % length
    found = []
    try:
        while len(found) < 50:
            numbers, key = walk.take()
            assert np.array_equal(np.arange(length)[key], numbers)
            found.append(numbers.tolist())
    except errors.OutOfRangeError:
        pass
    return found


@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize("length", [1, 4, 7])
@pytest.mark.parametrize("batch", [1, 3, 4, 9])
@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_each_row_comes_once_an_epoch(length, batch, epochs, start):
    start %= length
    found = rows(length, batch, epochs, start)
    flat = [n for one in found for n in one]
    assert flat == [(start + i) % length for i in range(length * epochs)]
    assert all(len(one) == batch for one in found[:-1])


def test_without_end():
    assert len(rows(4, 3, None)) == 50


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


def drain(tensors):
    coord = tf.train.Coordinator()
    found = []
    with tf.Session() as session:
        threads = tf.train.start_queue_runners(session, coord)
        try:
            while True:
                found.append(session.run(tensors))
        except tf.errors.OutOfRangeError:
            coord.request_stop()
        coord.join(threads, stop_grace_period_secs=10)
    return found


def test_shuffled_rows_stay_together():
    x = np.arange(60, dtype=np.float32).reshape(30, 2)
    made = tf.estimator.inputs.numpy_input_fn(
        {"x": x}, np.arange(30), batch_size=4, num_epochs=3, shuffle=True, queue_capacity=20
    )()
    found = drain(made)
    labels = np.concatenate([y for _, y in found])
    values = np.concatenate([f["x"] for f, _ in found])
    assert np.array_equal(np.bincount(labels), np.full(30, 3))
    assert np.array_equal(values, x[labels])
    assert not np.array_equal(labels, np.arange(90) % 30)


def test_two_threads_read_everything_twice():
    made = tf.estimator.inputs.numpy_input_fn(
        np.arange(10), batch_size=3, num_epochs=1, shuffle=True, num_threads=2
    )()
    assert np.array_equal(np.bincount(np.concatenate(drain(made))), np.full(10, 2))


@pytest.mark.slow
def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"p": np.arange(5.0), "q": list("abcde")}, index=np.arange(5) + 50)
    target = pandas.Series(np.arange(5), index=frame.index)
    made = tf.estimator.inputs.pandas_input_fn(frame, target, batch_size=3, shuffle=False)()
    (first, y), (second, _) = drain(made)
    assert first["q"].tolist() == [b"a", b"b", b"c"] and second["p"].tolist() == [3, 4]
    assert y.tolist() == [0, 1, 2]
    assert sorted(frame) == ["p", "q"]
    with pytest.raises(ValueError, match="mismatched"):
        tf.estimator.inputs.pandas_input_fn(frame, target.reset_index(drop=True), shuffle=False)
    with pytest.raises(ValueError, match="Cannot use name p"):
        tf.estimator.inputs.pandas_input_fn(frame, target, shuffle=False, target_column="p")


def test_generators_are_filled_up():
    def generator():
        for n in (1, 3, 2, 2):
            yield {"a": np.full(n, n), "b": np.array(n)}

    queue = feeding.enqueue_data(
        generator, 10, enqueue_size=4, num_epochs=1, pad_value=0, name="gen"
    )
    session = tf.Session()
    with session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        a, b = session.run(queue.dequeue_many(4))
        coord.request_stop()
        coord.join(threads)
    assert a.tolist() == [[1, 0, 0], [3, 3, 3], [2, 2, 0], [2, 2, 0]]
    assert b.tolist() == [1, 3, 2, 2]


def test_a_failing_feed_function_reaches_the_main_thread():
    queue = tf.FIFOQueue(3, tf.int32, shapes=[[]])
    fed = tf.placeholder(tf.int32)

    def fail():
        raise KeyError("no row")

    tf.train.add_queue_runner(
        FeedingQueueRunner(queue=queue, enqueue_ops=[queue.enqueue(fed)], feed_fns=[fail])
    )
    coord = tf.train.Coordinator()
    with tf.Session() as session:
        threads = tf.train.start_queue_runners(session, coord)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(queue.dequeue())
        with pytest.raises(KeyError, match="no row"):
            coord.join(threads)


def test_feeding_runners_have_no_protos():
    queue = tf.FIFOQueue(3, tf.int32, shapes=[[]])
    runner = FeedingQueueRunner(queue=queue, enqueue_ops=[queue.enqueue(1)])
    with pytest.raises(NotImplementedError):
        runner.to_proto()
