"""Input threads that prepare many rows in one run: the same rows, errors and ends as one by one."""

import threading

import numpy as np
import pytest
import torch

import relight.v1 as tf
from relight.engine import plan, producers, row_batches
from relight.engine.row_batches import CannotBatchError, RowBatch

RECORD = 13


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


def write_records(path, count, labels=None):
    random = np.random.RandomState(count)
    data = random.randint(0, 256, (count, RECORD)).astype(np.uint8)
    data[:, 0] = np.arange(count) % 10 if labels is None else labels
    path.write_bytes(data.tobytes())
    return data


def pipeline(path, epochs=1, capacity=50, distort=True, check=True):
    """Records of 13 bytes: a label and an image [2, 2, 3]."""
    names = tf.train.string_input_producer([str(path)], num_epochs=epochs, shuffle=False)
    key, value = tf.FixedLengthRecordReader(RECORD).read(names)
    record = tf.decode_raw(value, tf.uint8)
    label = tf.cast(record[0], tf.int32)
    if check:
        with tf.control_dependencies([tf.Assert(label < 10, ["bad label", key, label])]):
            label = tf.identity(label)
    image = tf.transpose(tf.reshape(record[1:13], [3, 2, 2]), [1, 2, 0])
    image = tf.cast(image, tf.float32)
    if distort:
        image = tf.random_crop(image, [2, 1, 3], seed=5)
        image = tf.image.random_flip_left_right(image, seed=6)
        image = tf.image.random_flip_up_down(image, seed=9)
        image = tf.image.random_brightness(image, 63, seed=7)
        image = tf.image.random_contrast(image, 0.2, 1.8, seed=8)
        image = tf.image.per_image_standardization(image)
    return tf.train.batch([image, label, key], 1, capacity=capacity)


def rows(batch, count, plain):
    """What a session's queue gives; `plain`: with one run for each row."""
    saved = producers.runner
    if plain:
        producers.runner = lambda session, op: session.make_callable(op)
    try:
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            found = [session.run(batch) for _ in range(count)]
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(batch)
            coordinator.request_stop()
            coordinator.join(threads)
    finally:
        producers.runner = saved
    return found


def test_rows_are_those_of_single_runs(tmp_path):
    write_records(tmp_path / "data", 97)
    batch = pipeline(tmp_path / "data")
    fast, plain = rows(batch, 97, False), rows(batch, 97, True)
    for (image, label, key), (image2, label2, key2) in zip(fast, plain, strict=True):
        np.testing.assert_allclose(image, image2, rtol=1e-5, atol=1e-6)
        assert label == label2 and key == key2


def test_the_cifar_pipeline_is_batched(tmp_path):
    write_records(tmp_path / "data", 20)
    pipeline(tmp_path / "data", epochs=None)
    enqueue = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[-1].enqueue_ops[0]
    names = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[0].enqueue_ops[0]
    with tf.Session() as session:
        session.run(names)
        producer = producers.runner(session, enqueue)
        assert isinstance(producer, producers.Producer)
        producer()
        assert session.run(enqueue.inputs[0].op.name + "_Size:0") == 20
        assert not producer._failures


def test_no_more_is_read_than_has_room(tmp_path):
    write_records(tmp_path / "data", 60)
    names = tf.train.string_input_producer([str(tmp_path / "data")])
    reader = tf.FixedLengthRecordReader(RECORD)
    value = tf.decode_raw(reader.read(names)[1], tf.uint8)
    value.set_shape([RECORD])
    queue = tf.FIFOQueue(10, tf.uint8, [RECORD])
    enqueue = queue.enqueue(value)
    with tf.Session() as session:
        session.run(tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[0].enqueue_ops[0])
        session.run(enqueue)
        producers.runner(session, enqueue)()
        assert session.run([queue.size(), reader.num_records_produced()]) == [10, 10]


def test_a_bad_record_comes_after_the_rows_before_it(tmp_path):
    labels = np.arange(40) % 10
    labels[23] = 11
    write_records(tmp_path / "data", 40, labels)
    batch = pipeline(tmp_path / "data", capacity=64)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        for thread in threads:
            thread.join(20)
        found = []
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"bad label.*data:23.*11"):
            with coordinator.stop_on_exception():
                while True:
                    found.append(session.run(batch)[1].item())
            coordinator.join(threads)
    assert found == labels[:23].tolist()


def test_rows_that_no_rule_knows_run_one_by_one(tmp_path):
    for i in range(9):
        data = tf.image.encode_png(np.full([4, 4, 3], i, np.uint8))
        with tf.Session() as session:
            (tmp_path / f"{i}.png").write_bytes(session.run(data))
    files = sorted(str(p) for p in tmp_path.iterdir())
    names = tf.train.string_input_producer(files, num_epochs=1, shuffle=False)
    image = tf.image.decode_png(tf.WholeFileReader().read(names)[1], 3)
    image = tf.image.resize_images(image, [2, 2])
    batch = tf.train.batch([image], 1)
    assert [r.max() for r in rows(batch, 9, False)] == list(range(9))
    with tf.Session() as session:
        enqueue = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[-1].enqueue_ops[0]
        assert isinstance(producers.runner(session, enqueue), producers.Producer)


def test_effects_are_not_batched(tmp_path):
    write_records(tmp_path / "data", 20)
    counter = tf.Variable(0, trainable=False)
    names = tf.train.string_input_producer([str(tmp_path / "data")])
    value = tf.FixedLengthRecordReader(RECORD).read(names)[1]
    with tf.control_dependencies([counter.assign_add(1)]):
        label = tf.cast(tf.decode_raw(value, tf.uint8)[0], tf.int32)
    queue = tf.FIFOQueue(10, tf.int32, [[]])
    enqueue = queue.enqueue(label)
    with tf.Session() as session, pytest.raises(CannotBatchError, match="AssignAdd"):
        producers.Producer(session, enqueue)


def test_threads_end_with_their_session(tmp_path):
    write_records(tmp_path / "data", 20)
    batch = pipeline(tmp_path / "data", epochs=None, capacity=20)
    before = set(threading.enumerate())
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        tf.train.start_queue_runners(session, coordinator)
        session.run(batch)
    started = [t for t in threading.enumerate() if t not in before]
    for thread in started:
        thread.join(10)
    assert not any(t.is_alive() for t in started)


def test_seeded_shuffled_rows(tmp_path):
    write_records(tmp_path / "data", 80)
    names = tf.train.string_input_producer([str(tmp_path / "data")], num_epochs=1, shuffle=False)
    value = tf.FixedLengthRecordReader(RECORD).read(names)[1]
    label = tf.cast(tf.decode_raw(value, tf.uint8)[0], tf.int32)
    batch = tf.train.shuffle_batch([label], 8, 200, 50, seed=3)
    taken = []
    for plain in (False, True):
        taken.append(np.concatenate(rows(batch, 10, plain)))
    assert sorted(taken[0]) == sorted(taken[1]) == sorted(i % 10 for i in range(80))


def test_each_step_of_the_cifar_pipeline_takes_all_rows_at_once(tmp_path, monkeypatch):
    def unknown(step, flags):
        raise AssertionError(f"no rule for {step.what}")

    monkeypatch.setattr(row_batches, "_by_rows", unknown)
    write_records(tmp_path / "data", 20)
    pipeline(tmp_path / "data", epochs=None, check=False)
    enqueue = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[-1].enqueue_ops[0]
    names = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[0].enqueue_ops[0]
    with tf.Session() as session:
        session.run(names)
        producer = producers.runner(session, enqueue)
        producer()
        assert not producer._failures


def in_rows(fetch, feeds, values):
    """A RowBatch's result for rows of `values`, and that of a run for each row."""
    with tf.Session() as session, torch.inference_mode():
        session.run(tf.global_variables_initializer())
        made = plan.make(fetch.graph, [fetch], feeds)
        batch = RowBatch(made, [True] * len(feeds))
        (found,) = batch.run(session._state, len(values[0]), values)
        single = [
            session.run(fetch, dict(zip(feeds, row, strict=True)))
            for row in zip(*values, strict=True)
        ]
    return found, np.stack(single)


@pytest.mark.parametrize("branches", ["kept", "moved", "both", "neither"])
def test_a_condition_moves_only_the_rows_that_it_must(branches):
    x, y = tf.placeholder(tf.float32, [2, 3]), tf.placeholder(tf.float32, [2, 3])
    condition = tf.placeholder(tf.bool, [])
    then, other = {
        "kept": (lambda: x, lambda: tf.reverse(y, [1])),
        "moved": (lambda: tf.reverse(y, [1]), lambda: x),
        "both": (lambda: x, lambda: y),
        "neither": (lambda: x + 1, lambda: y * 2),
    }[branches]
    values = [np.random.RandomState(i).rand(8, 2, 3).astype(np.float32) for i in range(2)]
    before = [v.copy() for v in values]
    for truths in (np.arange(8) % 3 == 0, np.ones(8, bool), np.zeros(8, bool)):
        found, single = in_rows(
            tf.cond(condition, then, other), [condition, x, y], [truths, *values]
        )
        np.testing.assert_array_equal(found, single)
    np.testing.assert_array_equal(values, before)


def test_windows_of_a_transposed_image():
    image = tf.placeholder(tf.float32, [3, 5, 4])
    place = tf.placeholder(tf.int32, [3])
    window = tf.slice(tf.transpose(image, [1, 2, 0]), place, [2, 3, 3])
    random = np.random.RandomState(0)
    places = np.stack([random.randint(0, n, 8) for n in (4, 2, 1)], 1).astype(np.int32)
    images = random.rand(8, 3, 5, 4).astype(np.float32)
    found, single = in_rows(window, [image, place], [images, places])
    np.testing.assert_array_equal(found, single)
    assert found.flags.c_contiguous


def test_nothing_is_added_to_what_all_rows_share():
    weights = tf.Variable(tf.ones([2, 2]))
    x = tf.placeholder(tf.float32, [2, 2])
    total = tf.matmul(weights, weights) + x * 3.0
    with tf.Session():
        made = plan.make(total.graph, [total], [x])
    assert [s.what for s in made.steps if s.what.endswith("in place")]
    with pytest.raises(CannotBatchError, match="all rows share"):
        RowBatch(made, [True])


def _row_functions():
    return {
        "pad": lambda x, i: tf.pad(x, [[1, 0], [0, 2]]),
        "pad with a value": lambda x, i: tf.pad(x, [[1, 0], [0, 2]], constant_values=7.0),
        "mirror": lambda x, i: tf.pad(x, [[1, 0], [0, 2]], "REFLECT"),
        "squeeze": lambda x, i: tf.squeeze(tf.expand_dims(tf.expand_dims(x, 0), -1)),
        "squeeze some": lambda x, i: tf.squeeze(tf.expand_dims(tf.expand_dims(x, 0), -1), [-1]),
        "clip": lambda x, i: tf.clip_by_value(x, 0.25, 0.75),
        "pack": lambda x, i: tf.stack([x, tf.ones([2, 3]), x + 1], axis=1),
        "pack behind": lambda x, i: tf.stack([x, x + 1], axis=-1),
        "concat": lambda x, i: tf.concat([x, tf.ones([1, 3])], 0),
        "concat behind": lambda x, i: tf.concat([x, x * 2], -1),
        "one hot": lambda x, i: tf.one_hot(i, 4, 2.0, 3.0),
    }


@pytest.mark.parametrize("name", list(_row_functions()))
def test_rules_give_what_single_rows_give(name, monkeypatch):
    x, i = tf.placeholder(tf.float32, [2, 3]), tf.placeholder(tf.int32, [])
    fetch = _row_functions()[name](x, i)
    images = np.random.RandomState(1).rand(5, 2, 3).astype(np.float32)
    values = [images, np.arange(5, dtype=np.int32)]

    def unknown(step, flags):
        raise AssertionError(f"no rule for {step.what}")

    monkeypatch.setattr(row_batches, "_by_rows", unknown)
    found, single = in_rows(fetch, [x, i], values)
    np.testing.assert_array_equal(found, single)
