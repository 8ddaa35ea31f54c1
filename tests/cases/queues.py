"""Queues, queue runners, readers, input producers, batches, fed input functions."""

import collections
import os
import shutil
import tempfile
import threading


def _run(tf, *steps):
    """Values of steps, run one after the other in one session; (class, message) of errors."""
    found = []
    with tf.Session() as session:
        for step in steps:
            try:
                value = session.run(step)
                found.append(list(value) if isinstance(value, tuple) else value)
            except tf.errors.OpError as error:
                text = error.message.split("\n")[0]
                # The number in a queue's name counts all resources of the process.
                words = [w if not w.startswith("'_") else "'...'" for w in text.split()]
                found.append([type(error).__name__, " ".join(words)])
    return {"steps": found}


def fifo(tf, np):
    queue = tf.FIFOQueue(4, [tf.int32, tf.float32], shapes=[[], [2]])
    rows = queue.enqueue_many([[1, 2, 3], np.arange(6, dtype=np.float32).reshape(3, 2)])
    return _run(
        tf,
        rows,
        queue.size(),
        queue.dequeue(),
        queue.enqueue([4, [9.0, 9.0]]),
        queue.dequeue_many(2),
        queue.dequeue_up_to(1),
        queue.size(),
    )


def fifo_closed(tf, np):
    queue = tf.FIFOQueue(4, tf.int32, shapes=[[]])
    return _run(
        tf,
        queue.enqueue_many([[1, 2, 3]]),
        queue.is_closed(),
        queue.close(),
        queue.is_closed(),
        queue.close(),
        queue.close(cancel_pending_enqueues=True),
        queue.enqueue(1),
        queue.enqueue_many([[1, 2]]),
        queue.dequeue_many(4),
        queue.dequeue_up_to(2),
        queue.dequeue(),
        queue.dequeue_up_to(3),
        queue.dequeue(),
    )


def fifo_of_any_shape(tf, np):
    queue = tf.FIFOQueue(4, [tf.int32, tf.string])
    return _run(
        tf,
        queue.enqueue([[1, 2], "a"]),
        queue.enqueue([[[3]], ["b", "c"]]),
        queue.dequeue(),
        queue.dequeue(),
        queue.dequeue_many(1),
        queue.enqueue_many([[[1, 2], [3, 4]], ["x", "y"]]),
        queue.dequeue(),
    )


def fifo_wraps_around(tf, np):
    queue = tf.FIFOQueue(7, tf.int64, shapes=[[]])
    put = queue.enqueue_many([np.arange(3)])
    steps = []
    for _ in range(4):
        steps += [put, queue.dequeue_many(3)]
    return _run(tf, put, *[*steps[:-1], queue.size()])


def fifo_without_limit(tf, np):
    queue = tf.FIFOQueue(-1, tf.int64, shapes=[[2]])
    put = queue.enqueue_many([np.arange(300).reshape(150, 2)])
    return _run(tf, put, put, queue.size(), queue.dequeue_many(299), queue.dequeue())


def fifo_shapes(tf, np):
    queue = tf.FIFOQueue(5, [tf.int64, tf.float32], shapes=[[], [2]], names=["a", "b"])
    count = tf.placeholder(tf.int32, [])
    one, some = queue.dequeue(), queue.dequeue_many(3)
    up_to, unknown = queue.dequeue_up_to(3), queue.dequeue_many(count)
    return {
        "shapes": [str(d[k].shape) for d in (one, some, up_to, unknown) for k in "ab"],
        "about": [queue.name, str(queue.dtypes), str(queue.shapes), str(queue.names)],
    }


def named_components(tf, np):
    queue = tf.FIFOQueue(5, [tf.int64, tf.float32], shapes=[[], [2]], names=["a", "b"])
    return _run(tf, queue.enqueue({"b": [1.0, 2.0], "a": np.int64(3)}), queue.dequeue())


def shapes_not_defined(tf, np):
    tf.FIFOQueue(3, [tf.int32], shapes=[[None]])


def names_do_not_match(tf, np):
    queue = tf.FIFOQueue(3, [tf.int32, tf.float32], names=["a", "b"], shapes=[[], [2]])
    queue.enqueue({"a": 1, "c": [1.0, 2.0]})


def sizes_do_not_match(tf, np):
    queue = tf.FIFOQueue(3, [tf.int32, tf.float32], shapes=[[], [2]])
    queue.enqueue_many([[1, 2], np.zeros((3, 2), np.float32)])


def wrong_shape_at_run_time(tf, np):
    queue = tf.FIFOQueue(3, tf.float32, shapes=[[2]])
    value = tf.placeholder_with_default(np.float32([1, 2, 3]), None)
    return _run(tf, queue.enqueue(value))


def shuffle(tf, np):
    queue = tf.RandomShuffleQueue(50, 3, [tf.int32, tf.string], shapes=[[], [1]], seed=7)
    text = np.array([["s%d" % i] for i in range(20)])
    put = queue.enqueue_many([np.arange(20), text])
    return _run(
        tf,
        put,
        queue.dequeue_many(5),
        queue.dequeue(),
        put,
        queue.dequeue_many(30),
        queue.size(),
        queue.close(),
        queue.dequeue_up_to(10),
        queue.dequeue(),
    )


def shuffle_with_graph_seed(tf, np):
    tf.set_random_seed(5)
    queue = tf.RandomShuffleQueue(50, 3, tf.int32, shapes=[[]])
    named = tf.RandomShuffleQueue(50, 3, tf.int32, shapes=[[]], shared_name="both")
    return _run(
        tf,
        queue.enqueue_many([np.arange(20)]),
        queue.dequeue_many(10),
        named.enqueue_many([np.arange(20)]),
        named.dequeue_many(10),
    )


def shuffle_of_any_shape(tf, np):
    queue = tf.RandomShuffleQueue(50, 0, tf.int32, seed=3)
    puts = [queue.enqueue(np.arange(i, dtype=np.int32)) for i in range(4)]
    return _run(tf, *[*puts, queue.dequeue(), queue.dequeue(), queue.dequeue()])


def shuffle_with_little_room(tf, np):
    return _run(tf, tf.RandomShuffleQueue(3, 5, tf.int32, shapes=[[]]).size())


def padding(tf, np):
    queue = tf.PaddingFIFOQueue(10, [tf.int32, tf.string], shapes=[[None], [None, 1]])
    puts = [
        queue.enqueue([np.full(n, n, np.int32), np.full((4 - n, 1), b"x", object)])
        for n in (1, 3, 2, 2)
    ]
    return _run(tf, *[*puts, queue.dequeue_many(2), queue.close(), queue.dequeue_up_to(3)])


def padding_needs_shapes(tf, np):
    tf.PaddingFIFOQueue(10, [tf.int32], shapes=[])


def priority(tf, np):
    queue = tf.PriorityQueue(30, [tf.int32], shapes=[[]])
    order = np.array([3, 1, 2, 1, 3, 2, 1, 1, 2, 3, 0, 2], np.int64)
    return _run(
        tf,
        queue.enqueue_many([order, np.arange(12)]),
        queue.dequeue(),
        queue.dequeue_many(7),
        queue.enqueue([np.int64(0), 99]),
        queue.dequeue(),
        queue.close(),
        queue.dequeue_up_to(9),
    )


def shared(tf, np):
    first = tf.FIFOQueue(3, tf.int32, shapes=[[]], shared_name="shared", name="first")
    second = tf.FIFOQueue(3, tf.int32, shapes=[[]], shared_name="shared", name="second")
    other = tf.FIFOQueue(4, tf.int32, shapes=[[]], shared_name="shared", name="third")
    kind = tf.PaddingFIFOQueue(3, tf.int32, shapes=[[None]], shared_name="shared")
    return _run(tf, first.enqueue(5), second.dequeue(), other.size(), kind.size())


def waiting_calls_are_cancelled(tf, np):
    queue = tf.FIFOQueue(1, tf.int32, shapes=[[]])
    put = queue.enqueue(1)
    cancel = queue.close(cancel_pending_enqueues=True)
    found = []
    with tf.Session() as session:
        session.run(put)

        def wait():
            try:
                session.run(put)
            except tf.errors.CancelledError as error:
                found.append(error.message.split("\n")[0])

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        session.run(cancel)
        thread.join(10)
    return {"found": found}


def waiting_calls_are_served_in_order(tf, np):
    queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
    many, close = queue.enqueue_many([np.arange(9)]), queue.close()
    with tf.Session() as session:
        threads = [threading.Thread(target=session.run, args=(op,)) for op in (many, close)]
        threads[0].start()
        batches = [session.run(queue.dequeue_many(4))]
        threads[1].start()  # waits until all rows are in
        for _ in range(2):
            batches.append(session.run(queue.dequeue_up_to(4)))
        for thread in threads:
            thread.join(10)
    return {"batches": batches}


def reference_handles(tf, np):
    raw = tf.raw_ops
    found = []
    for kind in (raw.FIFOQueue, raw.PaddingFIFOQueue, raw.RandomShuffleQueue):
        queue = kind(component_types=[tf.int32], shapes=[[]], capacity=8)
        put = raw.QueueEnqueue(handle=queue, components=[tf.constant(7)])
        many = raw.QueueEnqueueMany(handle=queue, components=[tf.constant([7, 7, 7])])
        one = raw.QueueDequeue(handle=queue, component_types=[tf.int32])
        some = raw.QueueDequeueMany(handle=queue, n=2, component_types=[tf.int32])
        rest = raw.QueueDequeueUpTo(handle=queue, n=2, component_types=[tf.int32])
        size, closed = raw.QueueSize(handle=queue), raw.QueueIsClosed(handle=queue)
        found += _run(tf, put, many, one, size, some, raw.QueueClose(handle=queue), closed, rest)[
            "steps"
        ]
    queue = raw.PriorityQueue(component_types=[tf.int32], shapes=[[]], capacity=8)
    put = raw.QueueEnqueue(handle=queue, components=[tf.constant(2, tf.int64), tf.constant(7)])
    one = raw.QueueDequeue(handle=queue, component_types=[tf.int64, tf.int32])
    return {"found": found + _run(tf, put, one)["steps"]}


# -- runners and producers ---------------------------------------------------------------------


def _drain(tf, fetches, most=20):
    """What runners and a session give until the end, and the error that stopped them."""
    coord = tf.train.Coordinator()
    found = []
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        threads = tf.train.start_queue_runners(session, coord)
        for _ in range(most):
            try:
                value = session.run(fetches)
                found.append(list(value) if isinstance(value, tuple) else value)
            except tf.errors.OpError as error:
                found.append(type(error).__name__)
                break
        coord.request_stop()
        try:
            coord.join(threads)
        except tf.errors.OpError as error:
            found.append([type(error).__name__])
    return {"found": found}


def producer_of_strings(tf, np):
    queue = tf.train.string_input_producer(["a", "b", "c"], num_epochs=2, seed=3)
    return _drain(tf, queue.dequeue())


def producer_of_slices(tf, np):
    row, label = tf.train.slice_input_producer(
        [np.arange(8).reshape(4, 2), ["p", "q", "r", "s"]], num_epochs=2, seed=5
    )
    return _drain(tf, [row, label])


def producer_of_ranges(tf, np):
    return _drain(tf, tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue())


def producer_of_nothing(tf, np):
    tf.train.string_input_producer([])


def producer_of_nothing_at_run_time(tf, np):
    names = tf.constant([], tf.string)
    return _drain(tf, tf.train.string_input_producer(names, num_epochs=1).dequeue())


def batches(tf, np):
    value = tf.train.range_input_producer(7, num_epochs=1, shuffle=False).dequeue()
    return _drain(tf, tf.train.batch([value, tf.cast(value, tf.float32) / 2], 3))


def smaller_last_batch(tf, np):
    value = tf.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
    made = tf.train.batch(
        {"a": value, "b": tf.fill([value], value)},
        2,
        dynamic_pad=True,
        allow_smaller_final_batch=True,
    )
    return _drain(tf, made)


def batches_of_many(tf, np):
    values = tf.train.limit_epochs(tf.constant(np.arange(10)), 2)
    return _drain(tf, tf.train.batch([values], 7, enqueue_many=True))


def batches_of_some(tf, np):
    value = tf.train.range_input_producer(8, num_epochs=1, shuffle=False).dequeue()
    return _drain(tf, tf.train.maybe_batch([value], tf.equal(value % 2, 0), 2))


# TensorFlow 1's cond is dataflow (Switch, Merge), relight's is an If node.
batches_of_some.nodes = False


def batches_of_some_of_many(tf, np):
    values = tf.train.limit_epochs(tf.constant(np.arange(6)), 1)
    return _drain(tf, tf.train.maybe_batch([values], values > 1, 2, enqueue_many=True))


def joined_batches(tf, np):
    value = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    return _drain(tf, tf.reduce_sum(tf.train.batch_join([[value], [value]], 6)))


def shuffled_batches(tf, np):
    values = tf.train.limit_epochs(tf.constant(np.arange(9)), 1)
    # The queue is full before the first batch is taken: its order does not hang on timing.
    made = tf.train.shuffle_batch(
        [values], 3, 20, 6, seed=4, enqueue_many=True, allow_smaller_final_batch=True
    )
    return _drain(tf, made)


def shuffled_joined_batches(tf, np):
    value = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    made = tf.train.shuffle_batch_join([[value], [value]], 6, 20, 0, seed=4)
    return _drain(tf, tf.reduce_sum(made))


def shuffled_batches_without_room(tf, np):
    tf.train.shuffle_batch([tf.constant(1)], 3, 4, 4)


def runner_protos(tf, np):
    queue = tf.FIFOQueue(3, tf.int32, shapes=[[]])
    runner = tf.train.QueueRunner(queue, [queue.enqueue(1)] * 2)
    proto = runner.to_proto()
    again = tf.train.QueueRunner.from_proto(proto)
    return {
        "text": str(proto),
        "again": [
            again.name,
            [o.name for o in again.enqueue_ops],
            again.close_op.name,
            again.cancel_op.name,
        ],
    }


def runner_errors_reach_the_coordinator(tf, np):
    bad = tf.check_numerics(tf.constant(np.float32("nan")), "bad input")
    return _drain(tf, tf.train.batch([bad], 2))


# -- readers -----------------------------------------------------------------------------------


def _with_files(read):
    """A case that reads files: their folder is left out of what it gives."""

    def case(tf, np):
        folder = tempfile.mkdtemp()
        try:

            def write(name, data):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
                return os.path.join(folder, name)

            found = read(tf, np, write)
        finally:
            shutil.rmtree(folder)
        return _without(found, folder.encode() + b"/")

    case.nodes = getattr(read, "nodes", True)
    return case


def _without(value, folder):
    if isinstance(value, dict):
        return {k: _without(v, folder) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(v, folder) for v in value]
    if isinstance(value, bytes):
        return value.replace(folder, b"")
    if str(getattr(value, "dtype", "")) == "object":
        return [_without(v, folder) for v in value.tolist()]
    return value


def _read(tf, reader, *paths):
    queue = tf.train.string_input_producer(list(paths), num_epochs=1, shuffle=False)
    return _drain(tf, reader.read(queue))


def _records(tf, np, write, kind=None, name="a.tfrecord"):
    path = write(name, b"")
    options = kind and tf.python_io.TFRecordOptions(kind)
    with tf.python_io.TFRecordWriter(path, options) as writer:
        for i in range(3):
            writer.write(b"record %d" % i)
    return path


def _lines(tf, np, write):
    return _read(
        tf,
        tf.TextLineReader(skip_header_lines=1),
        write("a", b"ab\r\nc\n\nlast"),
        write("b", b""),
        write("c", b"head\nx\n"),
    )


def _whole(tf, np, write):
    return _read(tf, tf.WholeFileReader(), write("a", b"one"), write("b", b"two\n"))


def _fixed(tf, np, write):
    return _read(tf, tf.FixedLengthRecordReader(4, 1), write("a", b"0123456789abc"))


def _fixed_hops(tf, np, write):
    queue = tf.train.string_input_producer([write("a", b"0123456789abc")], num_epochs=1)
    reader = tf.FixedLengthRecordReader(5, 1, 2, hop_bytes=2)
    return _drain(tf, reader.read_up_to(queue, 2))


def _tfrecords(tf, np, write):
    return _read(tf, tf.TFRecordReader(), _records(tf, np, write))


def _tfrecords_zipped(tf, np, write):
    path = _records(tf, np, write, tf.python_io.TFRecordCompressionType.GZIP)
    options = tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)
    return _read(tf, tf.TFRecordReader(options=options), path)


def _tfrecords_cut(tf, np, write):
    path = _records(tf, np, write)
    with open(path, "rb") as file:
        data = file.read()
    return _read(tf, tf.TFRecordReader(), write("b", data[:-3]))


def _missing(tf, np, write):
    return _read(tf, tf.TextLineReader(), "/no/such/file")


def _identity(tf, np, write):
    queue = tf.FIFOQueue(5, tf.string, shapes=[[]])
    reader = tf.IdentityReader()
    read, state = reader.read(queue), reader.serialize_state()
    count, done = reader.num_records_produced(), reader.num_work_units_completed()
    steps = [
        queue.enqueue_many([["a", "b", "c"]]),
        read,
        read,
        count,
        done,
        reader.restore_state(state),
        count,
        reader.reset(),
        count,
        read,
    ]
    found = _run(tf, *steps)["steps"]
    return {"found": found}


# Names of files are in the constants of the graph, not in its nodes' names: nodes are compared.
CASES = {
    name[1:].replace("_", " ") + " reader": _with_files(function)
    for name, function in (
        ("_lines", _lines),
        ("_whole", _whole),
        ("_fixed", _fixed),
        ("_fixed_hops", _fixed_hops),
        ("_tfrecords", _tfrecords),
        ("_tfrecords_zipped", _tfrecords_zipped),
        ("_tfrecords_cut", _tfrecords_cut),
        ("_missing", _missing),
        ("_identity", _identity),
    )
}


def _matching(tf, np, write):
    write("b.x", b""), write("a.x", b""), write("c.y", b"")
    pattern = os.path.dirname(write("d", b"")) + "/*.x"
    queue = tf.train.string_input_producer(
        tf.train.match_filenames_once(pattern), shuffle=False, num_epochs=1
    )
    return _drain(tf, queue.dequeue())


def _iterated(tf, np, write):
    path = _records(tf, np, write)
    zipped = _records(tf, np, write, tf.python_io.TFRecordCompressionType.ZLIB, "z")
    return {
        "plain": list(tf.python_io.tf_record_iterator(path)),
        "zipped": list(
            tf.python_io.tf_record_iterator(
                zipped, tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.ZLIB)
            )
        ),
    }


CASES["matching files"] = _with_files(_matching)
CASES["records iterated"] = _with_files(_iterated)


# -- input functions ---------------------------------------------------------------------------


def _fed(make):
    def case(tf, np):
        with tf.device("/cpu:0"):
            return _drain(tf, make(tf, np))

    return case


_FEEDS = {
    "array in order": lambda tf, np: tf.estimator.inputs.numpy_input_fn(
        np.arange(10.0).reshape(5, 2), batch_size=2, shuffle=False
    )(),
    "dictionary in order": lambda tf, np: tf.estimator.inputs.numpy_input_fn(
        {"b": np.arange(5.0), "a": np.array(["x%d" % i for i in range(5)])},
        np.arange(5),
        batch_size=3,
        num_epochs=2,
        shuffle=False,
    )()[1],
    "several targets": lambda tf, np: tf.estimator.inputs.numpy_input_fn(
        {"b": np.arange(5.0)},
        {"t": np.arange(5), "s": np.arange(5, 10)},
        batch_size=4,
        shuffle=False,
    )(),
    "more rows than the queue holds": lambda tf, np: tf.estimator.inputs.numpy_input_fn(
        np.arange(23), batch_size=5, shuffle=False, queue_capacity=7
    )(),
}
for _name, _make in _FEEDS.items():
    CASES["fed " + _name] = _fed(_make)


def fed_shuffled(tf, np):
    tf.set_random_seed(3)
    made = tf.estimator.inputs.numpy_input_fn(np.arange(12), batch_size=12, shuffle=True)()
    # The first row is drawn without a seed: only which rows come is the same each time.
    with tf.Session() as session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        found = np.sort(session.run(made))
        coord.request_stop()
        coord.join(threads)
    return {"found": found}


def fed_lengths_differ(tf, np):
    tf.estimator.inputs.numpy_input_fn({"a": np.arange(3), "b": np.arange(4)}, shuffle=False)()


def fed_without_shuffle(tf, np):
    tf.estimator.inputs.numpy_input_fn(np.arange(3))


def fed_key_twice(tf, np):
    tf.estimator.inputs.numpy_input_fn({"a": np.arange(3)}, {"a": np.arange(3)}, shuffle=False)()


def python_functions(tf, np):
    double, text = tf.py_func(
        lambda a, s: (a * 2, s + b"!"), [[1.0, 2.0], "a"], [tf.float32, tf.string]
    )
    eager = tf.py_function(lambda a: a.numpy() + 1, [3.0], tf.float32)
    plain = tf.numpy_function(lambda a: a.sum(), [np.arange(4)], tf.int64)
    pure = tf.py_func(lambda: np.float64(2.5), [], tf.float64, stateful=False)
    return {"double": double, "text": text, "eager": eager, "plain": plain, "pure": pure}


def _raised(error):
    def function():
        raise error("what went wrong")

    return function


def python_errors(tf, np):
    kinds = (ValueError, TypeError, KeyError, StopIteration, NotImplementedError, MemoryError)
    return {
        "found": [
            s[0]
            for s in _run(tf, *[tf.py_func(_raised(k), [], tf.float32) for k in kinds])["steps"]
        ]
    }


def python_wrong_type(tf, np):
    return {"x": tf.py_func(lambda: 1.5, [], tf.int64)}


# The message names the function's token, which counts functions of the process.
python_wrong_type.message = False


def python_wrong_count(tf, np):
    return {"x": tf.py_func(lambda: (1.5, 2.5), [], [tf.float64])}


python_wrong_count.message = False


def ordered_dictionaries(tf, np):
    data = collections.OrderedDict([("b", np.arange(3)), ("a", np.arange(3.0))])
    made = tf.estimator.inputs.numpy_input_fn(data, batch_size=3, shuffle=False)()
    return {"keys": sorted(made), "static": [str(made[k].shape) for k in sorted(made)]}


def _prefetched(dynamic_pad, named):
    def case(tf, np):
        a, b = tf.ones([2, 3], name="a"), tf.constant([1, 2], name="b")
        tensors = {"y": b, "x": a} if named else [a, b]
        prefetch_queue = tf.contrib.slim.prefetch_queue.prefetch_queue
        queue = prefetch_queue(tensors, capacity=4, num_threads=2, dynamic_pad=dynamic_pad)
        found = queue.dequeue()
        runners = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
        summaries = [t.op.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)]
        values = [found["x"], found["y"]] if named else found
        return {
            "shapes": [str(t.shape) for t in values],
            "names": [op.name for r in runners for op in r.enqueue_ops],
            "summaries": summaries,
        }

    return case


for _pad in (False, True):
    for _named in (False, True):
        CASES["prefetch_queue_%s_%s" % (_pad, _named)] = _prefetched(_pad, _named)
