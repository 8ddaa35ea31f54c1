"""Datasets at run time: threads, errors and memory."""

import sys
import threading
import time
import types

import numpy as np
import pytest
import torch

import relight.v1 as tf
from relight.engine import dataset_ahead, dataset_blocks, dataset_threads, datasets


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


def _cached(path, counter=None):
    def source():
        for i in range(3):
            if counter is not None:
                counter.append(i)
            yield np.float32(i), b"%d" % i, [i, i]

    dataset = tf.data.Dataset.from_generator(
        source, (tf.float32, tf.string, tf.int64), ([], [], [2])
    )
    return dataset.cache(str(path))


def test_a_cache_file_is_read_by_later_passes(tmp_path):
    counter = []
    value = _cached(tmp_path / "c", counter).repeat(3).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        for i in range(9):
            number, text, pair = session.run(value)
            assert number == i % 3 and text == b"%d" % (i % 3) and pair.tolist() == [i % 3] * 2
            assert (tmp_path / "c_0.lockfile").exists() == (i < 3)
    assert counter == [0, 1, 2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.data-00000-of-00001", "c.index"]
    assert tf.train.list_variables(str(tmp_path / "c"))[-1] == ("      2_2", [2])
    value = _cached(tmp_path / "c", counter).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(value)[1] for _ in range(3)] == [b"0", b"1", b"2"]
    assert counter == [0, 1, 2]


def test_two_passes_cannot_write_one_cache(tmp_path):
    first = _cached(tmp_path / "c").make_one_shot_iterator().get_next()
    second = _cached(tmp_path / "c").make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(first)
        with pytest.raises(tf.errors.AlreadyExistsError, match="lockfile"):
            session.run(second)


def test_a_damaged_cache(tmp_path):
    value = _cached(tmp_path / "c").repeat(2).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        for _ in range(3):
            session.run(value)
        with pytest.raises(tf.errors.OutOfRangeError):
            for _ in range(4):
                session.run(value)
    data = tmp_path / "c.data-00000-of-00001"
    changed = bytearray(data.read_bytes())
    changed[2] ^= 1
    data.write_bytes(changed)
    value = _cached(tmp_path / "c").make_one_shot_iterator().get_next()
    with tf.Session() as session, pytest.raises(tf.errors.DataLossError, match="c.data-00000"):
        session.run(value)


def test_a_cache_in_an_absent_folder(tmp_path):
    value = _cached(tmp_path / "a" / "b" / "c").make_one_shot_iterator().get_next()
    with tf.Session() as session, pytest.raises(tf.errors.NotFoundError, match="a/b/c_0.lockfile"):
        session.run(value)


# -- several threads -------------------------------------------------------------------------------


class _State:
    def __init__(self):
        self.on_close = []


def test_map_runs_in_several_threads():
    """All of them are in the function at once; values come in order."""
    together = threading.Barrier(8, timeout=20)

    def wait(i):
        together.wait()
        return i

    assert list(dataset_threads.Together(_State(), wait, iter(range(40)), 8)) == list(range(40))


def _doubled_singly(x):
    """With an operation that cannot take many elements at once."""
    return tf.cumsum([x, x])[1]


def test_parallel_map_keeps_the_order_and_its_threads_end(monkeypatch):
    monkeypatch.setattr(dataset_ahead, "_WORTH_A_THREAD", float("inf"))  # no thread of another kind
    before = set(threading.enumerate())
    dataset = tf.data.Dataset.range(100).map(_doubled_singly, num_parallel_calls=4)
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(value) for _ in range(30)] == list(range(0, 60, 2))
        started = [t for t in threading.enumerate() if t not in before]
        assert len(started) == 4
    for thread in started:
        thread.join(5)
        assert not thread.is_alive()


def test_parallel_map_goes_on_after_an_error():
    dataset = tf.data.Dataset.from_tensor_slices([4, 2, 0, 1]).map(lambda x: 8 // x, 3)
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(value) == 2 and session.run(value) == 4
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(value)
        assert session.run(value) == 8
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(value)


def test_random_functions_keep_one_thread():
    def drawn(parallel):
        with tf.Graph().as_default():
            tf.set_random_seed(3)
            dataset = tf.data.Dataset.range(20).map(lambda x: tf.random.uniform([]), parallel)
            value = dataset.make_one_shot_iterator().get_next()
            with tf.Session() as session:
                return [session.run(value) for _ in range(20)]

    assert drawn(4) == drawn(None)


def test_unknown_options_are_refused():
    with pytest.raises(AttributeError, match="no_such"):
        tf.data.Options().no_such = 1


def test_a_placeholder_needs_an_initializable_iterator():
    dataset = tf.data.Dataset.from_tensor_slices(tf.placeholder(tf.float32, [None]))
    with pytest.raises(ValueError, match="make_initializable_iterator"):
        dataset.make_one_shot_iterator()


def _map_functions():
    table = tf.Variable(np.arange(10.0), dtype=tf.float64, use_resource=True)
    return {
        "plain": (lambda x: x * 2, True),
        "condition": (lambda x: tf.cond(x > 3, lambda: x + 1, lambda: x * 2), True),
        "random": (lambda x: x + tf.random_uniform([], 0, 5, tf.int64), True),
        "seeded": (lambda x: x + tf.random_uniform([], 0, 5, tf.int64, seed=3), False),
        "python": (lambda x: tf.py_func(lambda v: v + 1, [x], tf.int64), False),
        "pure": (lambda x: tf.py_func(lambda v: v + 1, [x], tf.int64, stateful=False), False),
        "printed": (lambda x: tf.Print(x, [x]), False),
        "variable": (lambda x: tf.gather(table, x), False),
    }


@pytest.mark.parametrize(
    "name", ["plain", "condition", "random", "seeded", "python", "pure", "printed", "variable"]
)
def test_only_what_nobody_can_tell_is_made_ahead(name, monkeypatch):
    """Random numbers of a seed, effects and values that change stay with the step that asks."""
    monkeypatch.setattr(dataset_ahead, "_WORTH_A_THREAD", 0.0)
    monkeypatch.setattr(dataset_ahead, "_cores", lambda: 2)
    function, quiet = _map_functions()[name]
    wait_for_no_threads()
    dataset = tf.data.Dataset.range(8).map(function).repeat()
    iterator = dataset.make_initializable_iterator()
    value = iterator.get_next()
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), iterator.initializer])
        for _ in range(6):
            session.run(value)
        assert len(ahead_threads()) == quiet
    wait_for_no_threads()


def _two_passes():
    dataset = tf.data.Dataset.range(12).shuffle(5, seed=2).map(lambda x: 60 // (x - 7)).batch(1)
    iterator = dataset.make_initializable_iterator()
    value = iterator.get_next()
    found = []
    with tf.Session() as session:
        for _ in range(2):
            session.run(iterator.initializer)
            while True:
                try:
                    found.append(session.run(value).item())
                except tf.errors.OutOfRangeError:
                    break
                except tf.errors.InvalidArgumentError:
                    found.append("error")
    return found


def test_elements_made_ahead_are_the_same(monkeypatch):
    """Values, errors at their place, the end, and a second pass."""
    monkeypatch.setattr(dataset_ahead, "_cores", lambda: 2)
    monkeypatch.setattr(dataset_ahead, "_WORTH_A_THREAD", float("inf"))
    asked_for = _two_passes()
    monkeypatch.setattr(dataset_ahead, "_WORTH_A_THREAD", 0.0)
    assert _two_passes() == asked_for
    assert len(asked_for) == 24 and asked_for.count("error") == 2


def test_an_element_nobody_asked_for_takes_no_seeded_number(monkeypatch):
    """A pass that is left half-way is followed by TensorFlow's next numbers."""
    monkeypatch.setattr(dataset_ahead, "_WORTH_A_THREAD", 0.0)
    monkeypatch.setattr(dataset_ahead, "_cores", lambda: 2)

    def drawn(passes, each):
        draw = tf.data.Dataset.range(9).map(lambda x: tf.random_uniform([], seed=4))
        iterator = draw.make_initializable_iterator()
        value = iterator.get_next()
        with tf.Session() as session:
            found = []
            for _ in range(passes):
                session.run(iterator.initializer)
                found += [session.run(value) for _ in range(each)]
        return found

    assert drawn(2, 4) == drawn(1, 8)


def _in_blocks(monkeypatch, make, most):
    """What a dataset gives, its map made in blocks of up to `most` elements (1: singly)."""
    made = []
    monkeypatch.setattr(dataset_blocks, "_MOST_ROWS", most)
    call = dataset_blocks.RowFunction.__call__

    def note(self, columns, rows):
        made.append(rows)
        return call(self, columns, rows)

    monkeypatch.setattr(dataset_blocks.RowFunction, "__call__", note)
    found = []
    value = make().make_one_shot_iterator().get_next()
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(value))
            except tf.errors.OutOfRangeError:
                break
            except tf.errors.InvalidArgumentError as error:
                found.append(error.message.partition("\n")[0])
    monkeypatch.undo()
    return found, made


def _image_pairs(count=50):
    random = np.random.RandomState(0)
    images = random.rand(count, 4, 3, 2).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((images, np.arange(count, dtype=np.int32)))


def _moved(image, label):
    padded = tf.pad(image, [[1, 1], [0, 0], [0, 0]])
    return tf.cond(label % 2 > 0, lambda: padded * 2, lambda: padded), tf.one_hot(label, 50)


def _checked(image, label):
    with tf.control_dependencies([tf.Assert(tf.not_equal(label, 17), ["bad", label])]):
        return tf.reduce_sum(image), label * 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: _image_pairs().map(_moved).batch(7),
        lambda: _image_pairs().map(_moved, num_parallel_calls=2).batch(7, drop_remainder=True),
        lambda: _image_pairs().repeat(2).map(_moved).shuffle(9, seed=1).batch(4),
        lambda: _image_pairs().map(_checked),
        lambda: _image_pairs().map(_checked).map(lambda a, b: (b, a + 1)).prefetch(2),
        lambda: _image_pairs().apply(tf.data.experimental.map_and_batch(_moved, 8)),
    ],
)
def test_blocks_of_elements_are_what_single_elements_are(make, monkeypatch):
    """Values, their order, and an error at its place."""
    single, none = _in_blocks(monkeypatch, make, 1)
    blocks, made = _in_blocks(monkeypatch, make, 16)
    assert not none and max(made) == 16
    assert len(single) == len(blocks)
    for a, b in zip(single, blocks, strict=True):
        assert isinstance(a, str) == isinstance(b, str)
        if isinstance(a, str):
            assert a == b
        else:
            for x, y in zip(a, b, strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-6)


def test_random_numbers_of_a_block_differ_and_seeds_forbid_blocks(monkeypatch):
    def drawn(seed):
        draw = tf.data.Dataset.range(40).map(lambda x: tf.random_uniform([], seed=seed))
        return _in_blocks(monkeypatch, lambda: draw, 16)

    found, made = drawn(None)
    assert len(set(found)) == 40 and max(made) == 16
    assert not drawn(3)[1]


def test_a_function_that_takes_no_blocks_takes_nothing_ahead_of_time():
    """Once it is known that its elements differ in shape."""
    taken = []

    def source():
        for i in range(100):
            taken.append(i)
            yield (torch.zeros(i % 3 + 1),)

    rows = types.SimpleNamespace(at_once=True)
    blocks = dataset_blocks.Blocks(lambda element: element, rows, source())
    found = [len(next(blocks)[0]) for _ in range(40)]
    assert found == [i % 3 + 1 for i in range(40)]
    assert len(taken) == 40


@pytest.mark.parametrize("parallel", [None, 3])
def test_an_exit_in_a_thread_is_told_to_the_step(parallel):
    def leave(x):
        sys.exit(f"at {x}")

    dataset = tf.data.Dataset.range(3).map(lambda x: tf.py_func(leave, [x], tf.int64), parallel)
    value = dataset.prefetch(1).make_one_shot_iterator().get_next()
    with tf.Session() as session, pytest.raises(tf.errors.UnknownError, match="SystemExit: at 0"):
        session.run(value)


def test_whatever_ends_the_work_ahead_is_told():
    def source():
        yield (torch.zeros(1),)
        raise GeneratorExit

    state = types.SimpleNamespace(on_close=[])
    elements = dataset_ahead.Ahead(state, source(), 2)
    next(elements)
    with pytest.raises(GeneratorExit):
        next(elements)


def test_a_shuffled_row_does_not_keep_its_block():
    row = datasets.Row([torch.zeros(64, 100), np.array([b"a"] * 64, object)], 3)
    number, text = row.alone()
    assert number.shape == (100,) and number.untyped_storage().nbytes() == 400
    assert text.item() == b"a" and text.base is None
