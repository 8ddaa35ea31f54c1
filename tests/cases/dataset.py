"""tf.data: datasets, transformations, iterators."""

import os
import shutil
import tempfile


def _all(tf, dataset, most=40):
    """The elements until the end, and the error that ended them."""
    value = dataset.make_one_shot_iterator().get_next()
    return _values(tf, value, most)


def _values(tf, value, most=40, before=()):
    found = []
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        for op in before:
            session.run(op)
        for _ in range(most):
            try:
                element = session.run(value)
                found.append(list(element) if isinstance(element, tuple) else element)
            except tf.errors.OutOfRangeError:
                found.append("end")
                break
            except tf.errors.OpError as error:
                found.append(type(error).__name__)
                break
    return found


def _pairs(np):
    return np.arange(6, dtype=np.float32), {"a": np.arange(12).reshape(6, 2)}


def _text(np):
    return np.array(["a", "bb", "ccc", "dddd"])


def _table(tf, np):
    D = tf.data.Dataset
    E = tf.data.experimental
    one = D.range(5)
    fill = D.from_tensor_slices([1, 3, 2, 4, 5]).map(lambda x: tf.fill([x], x))
    return {
        "slices": lambda: D.from_tensor_slices(_pairs(np)),
        "slices of text": lambda: D.from_tensor_slices(_text(np)),
        "tensors": lambda: D.from_tensors((1, "x", [2.0, 3.0])),
        "range": lambda: D.range(3, 12, 4),
        "range down": lambda: D.range(5, 0, -2),
        "zip": lambda: D.zip({"a": one, "b": (D.from_tensor_slices(_text(np)), one)}),
        "concatenate": lambda: one.concatenate(D.range(10, 12)),
        "repeat": lambda: one.take(2).repeat(3),
        "repeat for ever": lambda: one.repeat().take(12),
        "repeat nothing": lambda: one.take(0).repeat(),
        "take": lambda: one.take(3),
        "take all": lambda: one.take(-1),
        "skip": lambda: one.skip(2),
        "skip all": lambda: one.skip(-1),
        "shard": lambda: D.range(8).shard(3, 1),
        "enumerate": lambda: one.enumerate(start=7),
        "shuffle": lambda: D.range(20).shuffle(7, seed=3),
        "shuffle whole": lambda: D.range(12).shuffle(50, seed=4),
        "shuffle and repeat": lambda: one.shuffle(3, seed=5).repeat(3),
        "shuffle, then more, then repeat": lambda: one.shuffle(3, seed=5).take(5).repeat(3),
        "shuffle the same each time": lambda: one.shuffle(
            5, seed=5, reshuffle_each_iteration=False
        ).repeat(2),
        "fused shuffle and repeat": lambda: one.apply(E.shuffle_and_repeat(3, 2, seed=1)),
        "batch": lambda: D.from_tensor_slices(_pairs(np)).batch(4),
        "batch of text": lambda: D.from_tensor_slices(_text(np)).batch(3),
        "batch, no remainder": lambda: D.from_tensor_slices(_pairs(np)).batch(
            4, drop_remainder=True
        ),
        "batch shuffled": lambda: D.from_tensor_slices(_pairs(np)).shuffle(6, seed=9).batch(4),
        "batch of other shapes": lambda: fill.batch(2),
        "batch of nothing": lambda: one.batch(0),
        "padded batch": lambda: fill.padded_batch(2, [None]),
        "padded batch, set size": lambda: fill.padded_batch(2, [6], padding_values=-1),
        "padded batch, too small": lambda: fill.padded_batch(3, [2]),
        "padded batch of text": lambda: (
            D.from_tensor_slices([1, 2])
            .map(lambda n: (tf.fill([n], "x"), n))
            .padded_batch(2, ([None], []), ("?", 0))
        ),
        "unbatch": lambda: D.from_tensor_slices(_pairs(np)).batch(4).apply(E.unbatch()),
        "window": lambda: D.range(7).window(3, shift=2).flat_map(lambda w: w.batch(3)),
        "window, stride": lambda: D.range(9).window(3, 1, 2, True).flat_map(lambda w: w.batch(3)),
        "window with gaps": lambda: D.range(11).window(2, shift=5).flat_map(lambda w: w.batch(2)),
        "map": lambda: one.map(lambda x: {"x": x, "y": (x * 2, tf.as_string(x))}),
        "map of pairs": lambda: D.from_tensor_slices(_pairs(np)).map(
            lambda x, y: x + tf.cast(tf.reduce_sum(y["a"]), tf.float32)
        ),
        "map, random": lambda: one.map(
            lambda x: x + tf.random_uniform([], 0, 100, tf.int64, seed=4)
        ),
        "map, parallel": lambda: one.map(lambda x: x * x, num_parallel_calls=3),
        "map, python": lambda: one.map(
            lambda x: tf.py_func(lambda v: v * 3, [x], tf.int64), num_parallel_calls=2
        ),
        "map, error": lambda: D.from_tensor_slices(["1", "x", "3"]).map(tf.string_to_number),
        "ignored errors": lambda: (
            D.from_tensor_slices(["1", "x", "3"]).map(tf.string_to_number).apply(E.ignore_errors())
        ),
        "map and batch": lambda: D.range(7).apply(E.map_and_batch(lambda x: x + 1, 3)),
        "filter": lambda: D.range(9).filter(lambda x: tf.equal(x % 3, 0)),
        "take while": lambda: D.range(9).apply(E.take_while(lambda x: x < 4)),
        "flat map": lambda: one.flat_map(lambda x: D.from_tensors(x).repeat(x)),
        "interleave": lambda: one.interleave(
            lambda x: D.from_tensors(x).repeat(x + 1), cycle_length=2, block_length=2
        ),
        "interleave, parallel": lambda: one.interleave(
            lambda x: D.from_tensors(x).repeat(3), cycle_length=2, num_parallel_calls=2
        ),
        "parallel interleave": lambda: one.take(2).apply(
            E.parallel_interleave(lambda x: D.from_tensors(x).repeat(3), cycle_length=2)
        ),
        "cache": lambda: one.map(lambda x: x + 1).cache().repeat(2),
        "prefetch": lambda: one.prefetch(2),
        "group by window": lambda: D.range(9).apply(
            E.group_by_window(lambda x: x % 2, lambda k, d: d.batch(3), 3)
        ),
        "buckets": lambda: fill.apply(
            E.bucket_by_sequence_length(lambda x: tf.shape(x)[0], [3], [2, 2])
        ),
        "scan": lambda: one.apply(E.scan(np.int64(10), lambda s, x: (s + x, s * x))),
        "unique": lambda: D.from_tensor_slices([3, 1, 3, 2, 1]).apply(E.unique()),
        "choose": lambda: E.choose_from_datasets(
            [one, D.range(10, 12)], D.from_tensor_slices(np.array([1, 0, 0, 1, 1, 0], np.int64))
        ),
        "sampled": lambda: E.sample_from_datasets([one, D.range(10, 13)], seed=1),
        "sampled by weight": lambda: E.sample_from_datasets(
            [one, D.range(10, 13)], weights=[0.9, 0.1], seed=1
        ),
        "random": lambda: E.RandomDataset(seed=4).take(3).repeat(2),
        "sparse": lambda: one.map(lambda x: {"s": tf.SparseTensor([[x]], [x * 2], [9]), "d": x}),
        "sparse batch": lambda: one.map(lambda x: tf.SparseTensor([[x]], [x * 2], [9])).batch(3),
        "counter": lambda: E.Counter(3, 2).take(3),
        "generator": lambda: D.from_generator(
            lambda: ((i, "s%d" % i, [1.0] * i) for i in range(3)),
            (tf.int32, tf.string, tf.float32),
            ((), (), (None,)),
        ).repeat(2),
        "generator with arguments": lambda: D.from_generator(
            lambda n: iter(range(n)), tf.int64, (), args=[np.int64(3)]
        ),
        "generator, wrong type": lambda: D.from_generator(lambda: iter([1, "a"]), tf.int32),
        "generator, wrong shape": lambda: D.from_generator(
            lambda: iter([[1, 2], [3]]), tf.int32, [2]
        ),
        "options": lambda: one.shuffle(5, seed=5).repeat(2).with_options(_plain(tf)),
    }


def _plain(tf):
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.experimental_optimization.autotune = False
    return options


def _case(name):
    def case(tf, np):
        dataset = _table(tf, np)[name]()
        found = _all(tf, dataset)
        return {
            "found": found,
            "types": str(dataset.output_types),
            "shapes": str(dataset.output_shapes),
        }

    # All datasets of the table are begun before the one that is looked at.
    return case


_NAMES = """slices|slices of text|tensors|range|range down|zip|concatenate|repeat|repeat for ever|
repeat nothing|take|take all|skip|skip all|shard|enumerate|shuffle|shuffle whole|shuffle and repeat|
shuffle, then more, then repeat|shuffle the same each time|fused shuffle and repeat|batch|
batch of text|batch, no remainder|batch shuffled|batch of other shapes|batch of nothing|
padded batch|padded batch, set size|padded batch, too small|padded batch of text|unbatch|window|
window, stride|window with gaps|map|map of pairs|map, random|map, parallel|map, python|map, error|
ignored errors|map and batch|filter|take while|flat map|interleave|interleave, parallel|
parallel interleave|cache|prefetch|group by window|buckets|scan|unique|choose|sampled|
sampled by weight|random|sparse|sparse batch|counter|generator|
generator with arguments|generator, wrong type|generator, wrong shape|options"""
CASES = {n: _case(n) for n in _NAMES.replace("\n", "").split("|")}


# -- iterators ---------------------------------------------------------------------------------


def initializable(tf, np):
    limit = tf.placeholder_with_default(np.int64(3), [])
    iterator = tf.data.Dataset.range(limit).make_initializable_iterator()
    value = iterator.get_next()
    found = []
    with tf.Session() as session:
        try:
            session.run(value)
        except tf.errors.FailedPreconditionError as error:
            found.append(error.message.split("\n")[0])
        session.run(iterator.initializer)
        found += [session.run(value) for _ in range(3)]
        session.run(iterator.initializer, {limit: 1})
        found.append(session.run(value))
        try:
            session.run(value)
        except tf.errors.OutOfRangeError as error:
            found.append(error.message.split("\n")[0])
    return {"found": found}


def reshuffled_at_each_initialization(tf, np):
    dataset = tf.data.Dataset.range(6).shuffle(6, seed=2)
    iterator = dataset.make_initializable_iterator()
    value = iterator.get_next()
    found = []
    with tf.Session() as session:
        for _ in range(2):
            session.run(iterator.initializer)
            found += [session.run(value) for _ in range(6)]
    return {"found": found}


def from_structure(tf, np):
    first = tf.data.Dataset.from_tensor_slices(({"a": np.arange(3)}, ["x", "y", "z"]))
    second = tf.data.Dataset.from_tensor_slices(({"a": np.arange(7, 9)}, ["p", "q"]))
    iterator = tf.data.Iterator.from_structure(first.output_types, first.output_shapes)
    value = iterator.get_next()
    found = _values(tf, value, before=[iterator.make_initializer(first, name="first")])
    return {"found": found + _values(tf, value, before=[iterator.make_initializer(second)])}


def from_structure_of_other_types(tf, np):
    iterator = tf.data.Iterator.from_structure(tf.int32, [])
    iterator.make_initializer(tf.data.Dataset.range(3))


def from_string_handle(tf, np):
    one = tf.data.Dataset.range(3).make_one_shot_iterator()
    other = tf.data.Dataset.range(10, 13).make_initializable_iterator()
    handle = tf.placeholder(tf.string, [])
    value = tf.data.Iterator.from_string_handle(handle, one.output_types, one.output_shapes)
    value = value.get_next()
    with tf.Session() as session:
        handles = session.run([one.string_handle(), other.string_handle("again")])
        session.run(other.initializer)
        found = [session.run(value, {handle: handles[i]}) for i in (0, 1, 0, 1, 1)]
    return {"found": found}


def captured_tensors(tf, np):
    offset = tf.constant(10, tf.int64)
    return {"found": _all(tf, tf.data.Dataset.range(3).map(lambda x: x + offset))}


def captured_variable(tf, np):
    variable = tf.get_variable("v", initializer=np.int64(5), use_resource=True)
    iterator = tf.data.Dataset.range(3).map(lambda x: x + variable).make_initializable_iterator()
    return {"found": _values(tf, iterator.get_next(), before=[iterator.initializer])}


def captured_variable_in_one_shot(tf, np):
    variable = tf.get_variable("v", initializer=np.int64(5), use_resource=True)
    tf.data.Dataset.range(3).map(lambda x: x + variable).make_one_shot_iterator()


captured_variable_in_one_shot.message = False  # it quotes another error with the node's text


def reduced(tf, np):
    dataset = tf.data.Dataset.from_tensor_slices(_pairs(np))
    count, total = dataset.reduce(
        (np.int64(0), np.float32(0)), lambda s, e: (s[0] + 1, s[1] + e[0])
    )
    return {"count": count, "total": total}


reduced.nodes = False


def reduced_simply(tf, np):
    return {"sum": tf.data.Dataset.range(5).reduce(np.int64(0), lambda a, x: a + x)}


def single_element(tf, np):
    dataset = tf.data.Dataset.from_tensor_slices(_pairs(np)).batch(6)
    return {"element": tf.data.experimental.get_single_element(dataset)}


def no_single_element(tf, np):
    return {"element": tf.data.experimental.get_single_element(tf.data.Dataset.range(0))}


def two_single_elements(tf, np):
    return {"element": tf.data.experimental.get_single_element(tf.data.Dataset.range(2))}


def sizes_differ(tf, np):
    tf.data.Dataset.from_tensor_slices((np.arange(3), np.arange(4)))


def scalars_have_no_slices(tf, np):
    tf.data.Dataset.from_tensor_slices(3)


def predicate_of_other_type(tf, np):
    tf.data.Dataset.range(3).filter(lambda x: x)


def flat_map_of_no_dataset(tf, np):
    tf.data.Dataset.range(3).flat_map(lambda x: x)


flat_map_of_no_dataset.message = False  # it shows an internal class


def described(tf, np):
    dataset = tf.data.Dataset.from_tensor_slices({"a": [1, 2], "b": ([3, 4], [[5.0], [6.0]])})
    iterator = dataset.batch(2).make_one_shot_iterator()
    return {
        "text": repr(dataset.batch(2, drop_remainder=True)),
        "types": str(iterator.output_types),
        "shapes": str(iterator.output_shapes),
    }


def values_are_not_shared(tf, np):
    value = tf.data.Dataset.from_tensors(np.zeros(3)).repeat(2).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        first = session.run(value)
        first += 1
        return {"second": session.run(value)}


# -- files -------------------------------------------------------------------------------------


def _files(make):
    def case(tf, np):
        folder = tempfile.mkdtemp()
        try:

            def write(name, data):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
                return os.path.join(folder, name)

            found = make(tf, np, write)
        finally:
            shutil.rmtree(folder)
        return {
            "found": [v.replace(folder.encode(), b"") if isinstance(v, bytes) else v for v in found]
        }

    return case


def _lines(tf, np, write):
    paths = [write("a", b"one\r\ntwo\n\nlast"), write("b", b""), write("c", b"x\n")]
    return _all(tf, tf.data.TextLineDataset(paths).skip(1))


def _records(tf, np, write):
    path = write("a", b"")
    with tf.python_io.TFRecordWriter(path) as writer:
        for i in range(3):
            writer.write(b"record %d" % i)
    return _all(tf, tf.data.TFRecordDataset(tf.data.Dataset.from_tensors(path)))


def _records_in_turn(tf, np, write):
    paths = [write("a", b""), write("b", b"")]
    for k, path in enumerate(paths):
        with tf.python_io.TFRecordWriter(
            path, tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)
        ) as writer:
            for i in range(2):
                writer.write(b"%d %d" % (k, i))
    return _all(tf, tf.data.TFRecordDataset(paths, "GZIP", num_parallel_reads=2))


def _records_cut(tf, np, write):
    path = write("a", b"")
    with tf.python_io.TFRecordWriter(path) as writer:
        writer.write(b"whole")
        writer.write(b"cut")
    with open(path, "rb") as file:
        data = file.read()
    return _all(tf, tf.data.TFRecordDataset(write("b", data[:-2])))


def _fixed(tf, np, write):
    path = write("a", b"h0123456789ff")
    return _all(tf, tf.data.FixedLengthRecordDataset(path, 5, 1, 2))


def _fixed_not_whole(tf, np, write):
    return _all(tf, tf.data.FixedLengthRecordDataset(write("a", b"0123456789"), 4))


def _missing(tf, np, write):
    return _all(tf, tf.data.TextLineDataset("/no/such/file"))


def _listed(tf, np, write):
    pattern = os.path.dirname(write("b.x", b"")) + "/*.x"
    write("a.x", b""), write("c.y", b"")
    return _all(tf, tf.data.Dataset.list_files(pattern, shuffle=False))


def _listed_shuffled(tf, np, write):
    for name in "abcdef":
        pattern = os.path.dirname(write(name + ".x", b"")) + "/*.x"
    return _all(tf, tf.data.Dataset.list_files(pattern, seed=3))


CASES.update(
    {
        "file " + f.__name__[1:].replace("_", " "): _files(f)
        for f in (
            _lines,
            _records,
            _records_in_turn,
            _records_cut,
            _fixed,
            _fixed_not_whole,
            _missing,
            _listed,
            _listed_shuffled,
        )
    }
)


def old_kinds(tf, np):
    raw = tf.raw_ops
    shapes = {"output_types": [tf.int64], "output_shapes": [[None]]}
    source = raw.RangeDataset(
        start=np.int64(0),
        stop=np.int64(5),
        step=np.int64(1),
        output_types=[tf.int64],
        output_shapes=[[]],
    )
    batched = raw.BatchDataset(input_dataset=source, batch_size=np.int64(2), **shapes)
    padded = raw.PaddedBatchDataset(
        input_dataset=batched,
        batch_size=np.int64(3),
        padded_shapes=[np.array([-1], np.int64)],
        padding_values=[np.int64(7)],
        output_shapes=[[None, None]],
    )
    with tf.Session() as session:
        iterator = raw.IteratorV2(
            shared_name="", container="", output_types=[tf.int64], output_shapes=[[None, None]]
        )
        session.run(raw.MakeIterator(dataset=padded, iterator=iterator))
        value = raw.IteratorGetNextSync(
            iterator=iterator, output_types=[tf.int64], output_shapes=[[None, None]]
        )
        return {"found": session.run(value)}


def threading_options(tf, np):
    options = tf.data.Options()
    options.experimental_threading.max_intra_op_parallelism = 1
    options.experimental_threading.private_threadpool_size = 2
    iterator = tf.data.Dataset.range(3).with_options(options).make_initializable_iterator()
    return {"found": _values(tf, iterator.get_next(), before=[iterator.initializer])}


def twins_of_earlier_versions(tf, np):
    raw = tf.raw_ops
    scalars = {"output_types": [tf.int64], "output_shapes": [[]]}

    def numbers(stop):
        return raw.RangeDataset(start=np.int64(0), stop=np.int64(stop), step=np.int64(1), **scalars)

    source = numbers(4)
    batched = raw.BatchDatasetV2(
        input_dataset=source,
        batch_size=np.int64(2),
        drop_remainder=False,
        output_types=[tf.int64],
        output_shapes=[[None]],
    )
    datasets = [
        raw.ExperimentalIgnoreErrorsDataset(input_dataset=source, **scalars),
        raw.ExperimentalMaxIntraOpParallelismDataset(
            input_dataset=source, max_intra_op_parallelism=np.int64(1), **scalars
        ),
        raw.ExperimentalPrivateThreadPoolDataset(
            input_dataset=source, num_threads=np.int64(1), **scalars
        ),
        raw.ExperimentalNonSerializableDataset(input_dataset=source, **scalars),
        raw.NonSerializableDataset(input_dataset=source, **scalars),
        raw.ExperimentalUnbatchDataset(input_dataset=batched, **scalars),
        raw.ExperimentalUniqueDataset(input_dataset=source, **scalars),
        raw.TakeDataset(
            input_dataset=raw.ExperimentalRandomDataset(
                seed=np.int64(1), seed2=np.int64(2), **scalars
            ),
            count=np.int64(3),
            **scalars,
        ),
        raw.ExperimentalDirectedInterleaveDataset(
            selector_input_dataset=numbers(2), data_input_datasets=[source, numbers(3)], **scalars
        ),
    ]
    iterator = raw.Iterator(shared_name="", container="", **scalars)
    handle = raw.IteratorToStringHandle(resource_handle=iterator)
    again = raw.IteratorFromStringHandle(string_handle=handle)
    value = raw.IteratorGetNext(iterator=again, **scalars)
    return {
        "found": [
            _values(tf, value, before=[raw.MakeIterator(dataset=d, iterator=iterator)])
            for d in datasets
        ]
    }


def _old_files(tf, np, write):
    raw = tf.raw_ops
    text = write("a", b"0123\n5678\n")
    record = write("b", b"")
    with tf.python_io.TFRecordWriter(record) as writer:
        writer.write(b"record")
    size = np.int64(100)
    datasets = [
        raw.TextLineDataset(filenames=[text], compression_type="", buffer_size=size),
        raw.TFRecordDataset(filenames=record, compression_type="", buffer_size=size),
        raw.FixedLengthRecordDataset(
            filenames=text,
            header_bytes=np.int64(1),
            record_bytes=np.int64(2),
            footer_bytes=np.int64(1),
            buffer_size=size,
        ),
        raw.FixedLengthRecordDatasetV2(
            filenames=text,
            header_bytes=np.int64(1),
            record_bytes=np.int64(2),
            footer_bytes=np.int64(1),
            buffer_size=size,
            compression_type="",
        ),
    ]
    strings = {"output_types": [tf.string], "output_shapes": [[]]}
    iterator = raw.IteratorV2(shared_name="", container="", **strings)
    value = raw.IteratorGetNext(iterator=iterator, **strings)
    found = []
    for dataset in datasets:
        begin = raw.MakeIterator(dataset=dataset, iterator=iterator)
        found += _values(tf, value, before=[begin])
    return [v[0] if isinstance(v, list) else v for v in found]


CASES["file kinds of earlier versions"] = _files(_old_files)
