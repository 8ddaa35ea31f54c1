"""Operations of one run that wait for each other; staging areas."""

import threading
import time

import numpy as np
import pytest

import relight.v1 as tf
from relight.engine import interpreter, session


@pytest.fixture(autouse=True, params=["generated", "interpreted"])
def fresh_graph(request, monkeypatch):
    if request.param == "interpreted":
        monkeypatch.setattr(session, "_run_instead", interpreter.run)
    with tf.Graph().as_default():
        yield


def cancelled_at_close(*fetches):
    """How many of the runs that wait, each in a thread, closing their session ends."""
    session = tf.Session()
    found = []

    def wait(fetch):
        try:
            session.run(fetch)
        except tf.errors.CancelledError as error:
            found.append(str(error))

    threads = [threading.Thread(target=wait, args=(fetch,)) for fetch in fetches]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    session.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return found


def test_the_trace_of_steps_that_wait():
    queue = tf.FIFOQueue(3, tf.int32, [[]], name="queue")
    taken = tf.multiply(queue.dequeue(name="take"), 10, name="scaled")
    put = queue.enqueue(tf.constant(4), name="put")
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    with tf.Session() as running:
        assert running.run([taken, put], options=options, run_metadata=metadata)[0] == 40
    (device,) = metadata.step_stats.dev_stats
    stats = {entry.node_name: entry for entry in device.node_stats}
    assert {"take", "put", "scaled"} <= set(stats)
    for before in ("take", "put"):
        assert stats["scaled"].all_start_micros >= stats[before].all_start_micros


def test_a_dequeue_made_before_its_enqueue():
    queue = tf.FIFOQueue(3, tf.int32, [[]])
    taken = queue.dequeue() * 10
    put = queue.enqueue(tf.constant(4))
    with tf.Session() as session:
        assert session.run([taken, put])[0] == 40
        assert session.run([put, taken])[1] == 40


def test_an_enqueue_that_waits_for_a_dequeue():
    queue = tf.FIFOQueue(1, tf.int32, [[]])
    put, taken = queue.enqueue(tf.constant(4)), queue.dequeue()
    with tf.Session() as session:
        session.run(put)
        assert session.run([put, taken])[1] == 4
        assert session.run(queue.size()) == 1


def test_a_row_of_queues():
    """Each dequeue but the first waits for an enqueue that was made after it."""
    queues = [tf.FIFOQueue(2, tf.int32, [[]]) for _ in range(4)]
    last = queues[3].dequeue()
    puts = []
    for i in (3, 2, 1):
        puts.append(queues[i].enqueue(queues[i - 1].dequeue() + 1))
    puts.append(queues[0].enqueue(tf.constant(5)))
    with tf.Session() as session:
        assert session.run([last, *puts])[0] == 8


def test_variables_keep_their_order():
    counter = tf.Variable(1)
    queue = tf.FIFOQueue(3, tf.int32, [[]])
    taken = queue.dequeue()
    with tf.control_dependencies([taken]):
        added = counter.assign_add(taken)
    put = queue.enqueue(counter.read_value() + 1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run([added, put])[0] == 3
        assert session.run([added, put])[0] == 7


def test_an_error_ends_the_waits_of_its_run():
    queue, other = tf.FIFOQueue(3, tf.int32, [[]]), tf.FIFOQueue(3, tf.int32, [[]])
    taken = queue.dequeue()
    put = other.enqueue(tf.constant(1) // tf.placeholder_with_default(0, []))
    before = threading.active_count()
    with tf.Session() as session:
        start = time.time()
        with pytest.raises(tf.errors.InvalidArgumentError, match="zero"):
            session.run([taken, put])
        session.run(queue.enqueue(7))
        assert session.run(taken) == 7  # nobody waits for it any more
        assert time.time() - start < 5
    deadline = time.time() + 5
    while threading.active_count() > before and time.time() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_closing_the_session_ends_the_waits():
    queue, other = tf.FIFOQueue(3, tf.int32, [[]]), tf.FIFOQueue(3, tf.int32, [[]])
    fetches = [queue.dequeue(), other.enqueue(1)]
    (said,) = cancelled_at_close(fetches)
    assert "Dequeue operation was cancelled" in said


# -- staging areas ---------------------------------------------------------------------------------


def area_with(capacity=0, memory_limit=0):
    area = tf.contrib.staging.StagingArea(
        [tf.float32, tf.int32], [[2], []], capacity=capacity, memory_limit=memory_limit
    )
    x = tf.placeholder(tf.float32, [2])
    return area, x, area.put([x, tf.cast(x[0], tf.int32)])


def test_values_come_in_order():
    area, x, put = area_with()
    peek, get, size, clear = area.peek(1), area.get(), area.size(), area.clear()
    assert [t.shape.as_list() for t in get] == [[2], []]
    with tf.Session() as session:
        for i in range(3):
            session.run(put, {x: [i, i + 1]})
        assert session.run(size) == 3
        assert session.run(peek)[1] == 1
        assert [session.run(get)[1] for _ in range(2)] == [0, 1]
        session.run(clear)
        assert session.run(size) == 0


@pytest.mark.parametrize("filled", [0, 1])
def test_put_and_get_in_one_run(filled):
    """A software pipeline: whether or not the area is full, one run does both."""
    area, x, put = area_with(capacity=1)
    get = area.get()
    with tf.Session() as session:
        for i in range(filled):
            session.run(put, {x: [i, 0]})
        found = [session.run([get, put], {x: [i, 0]})[0][1] for i in range(filled, 6)]
        assert found == list(range(6 - filled))


def test_a_memory_limit():
    area, x, put = area_with(memory_limit=30)
    with tf.Session() as session:
        session.run(put, {x: [1, 2]})
        session.run(put, {x: [1, 2]})
        done = threading.Thread(target=session.run, args=(put, {x: [5, 6]}))
        done.start()
        time.sleep(0.1)
        assert done.is_alive()
        assert session.run(area.get())[1] == 1
        done.join(5)
        assert session.run(area.size()) == 2
    area, x, put = area_with(memory_limit=4)
    with tf.Session() as session, pytest.raises(tf.errors.ResourceExhaustedError, match="12"):
        session.run(put, {x: [1, 2]})


def test_names_and_wrong_components():
    area = tf.contrib.staging.StagingArea([tf.float32, tf.int32], names=["a", "b"])
    put = area.put({"b": tf.constant(3), "a": tf.constant([1.5])})
    get = area.get()
    with tf.Session() as session:
        session.run(put)
        found = session.run(get)
        assert found["b"] == 3 and np.array_equal(found["a"], [1.5])
    with pytest.raises(ValueError, match="do not match names"):
        area.put({"c": tf.constant(1)})
    with pytest.raises(ValueError, match="must enqueue a dictionary"):
        area.put([tf.constant(1.0), tf.constant(1)])
    plain = tf.contrib.staging.StagingArea([tf.float32])
    with pytest.raises(ValueError, match="Datatypes do not match"):
        plain.put([tf.constant(1)])
    with pytest.raises(ValueError, match="Unexpected number of inputs"):
        plain.put([tf.constant(1.0), tf.constant(1.0)])


def test_a_get_that_waits_ends_with_the_session():
    area, _, _ = area_with()
    get = area.get()
    assert len(cancelled_at_close(get)) == 1


# -- maps and barriers -----------------------------------------------------------------------------


def staged_map(prefix="Map", **limits):
    settings = dict(dtypes=[tf.float32], shared_name="m", **limits)

    def make(name, **arguments):
        return getattr(tf.raw_ops, prefix + name)(**settings, **arguments)

    return make


def stage(make, key, value=1.0):
    return make("Stage", key=np.int64(key), indices=[0], values=[tf.constant(value)])


@pytest.mark.parametrize("prefix", ["Map", "OrderedMap"])
def test_a_map_waits_for_a_key_and_for_room(prefix):
    make = staged_map(prefix, capacity=1)
    put, other = stage(make, 1, 2.0), stage(make, 2, 3.0)
    get = make("Unstage", key=np.int64(1), indices=[0])[0]
    rest = make("UnstageNoKey", indices=[0])
    with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=60)) as session:
        for waits in (get, make("Peek", key=np.int64(1), indices=[0]), rest):
            with pytest.raises(tf.errors.DeadlineExceededError):
                session.run(waits)
        assert session.run([put, get])[1] == 2.0  # of one run: neither depends on the other
        session.run(put)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(other)
        thread = threading.Thread(target=session.run, args=(other,))
        thread.start()
        assert session.run(get) == 2.0
        thread.join(10)
        key, values = session.run(rest)
        assert key == 2 and values[0] == 3.0


def test_a_map_waits_for_bytes():
    make = staged_map(memory_limit=4)
    with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=100)) as session:
        session.run(stage(make, 1))
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(stage(make, 2))
        session.run(make("Clear"))
        session.run(stage(make, 2))
        assert session.run(make("Size")) == 1


def test_closing_ends_what_waits_in_maps_and_barriers():
    get = staged_map()("Unstage", key=np.int64(1), indices=[0])
    taken = taking(barrier(), 1)
    assert len(cancelled_at_close(get, taken)) == 2


def barrier():
    return tf.raw_ops.Barrier(component_types=[tf.string, tf.int32], shapes=[[], []])


def taking(handle, n, **settings):
    types = [tf.string, tf.int32]
    return tf.raw_ops.BarrierTakeMany(
        handle=handle, num_elements=n, component_types=types, **settings
    )


def inserting(handle, component, keys, values):
    return tf.raw_ops.BarrierInsertMany(
        handle=handle, component_index=component, keys=keys, values=values
    )


def test_a_barrier_waits_until_rows_are_whole():
    handle = barrier()
    first, second = inserting(handle, 0, ["a", "b"], ["x", "y"]), inserting(handle, 1, ["b"], [2])
    last, taken = inserting(handle, 1, ["a"], [1]), taking(handle, 2)
    with tf.Session() as session:
        session.run(first)
        session.run(second)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(taken, options=tf.RunOptions(timeout_in_ms=100))
        assert session.run(tf.raw_ops.BarrierReadySize(handle=handle)) == 1
        _, found = session.run([last, taken])
        assert sorted(zip(found.keys, *found.values, strict=True)) == [
            (b"a", b"x", 1),
            (b"b", b"y", 2),
        ]


def test_closing_a_barrier_ends_what_waits_for_rows():
    handle = barrier()
    some, taken = inserting(handle, 0, ["a"], ["x"]), taking(handle, 1)
    close = tf.raw_ops.BarrierClose(handle=handle)
    cancel = tf.raw_ops.BarrierClose(handle=handle, cancel_pending_enqueues=True)
    with tf.Session() as session:
        session.run(some)
        session.run(close)  # the row that was begun may still come
        found = []

        def wait():
            try:
                session.run(taken)
            except tf.errors.OutOfRangeError as error:
                found.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        assert thread.is_alive()
        session.run(cancel)
        thread.join(10)
        assert found


@pytest.mark.parametrize("sparse", [False, True])
def test_a_gradient_that_does_not_come(sparse):
    made = tf.SparseConditionalAccumulator if sparse else tf.ConditionalAccumulator
    accumulator = made(tf.float32, shape=[2])
    mean = accumulator.take_indexed_slices_grad(1) if sparse else accumulator.take_grad(1)
    with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=50)) as running:
        with pytest.raises(tf.errors.DeadlineExceededError, match="Timed out waiting"):
            running.run(mean)
