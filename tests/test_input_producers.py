"""Errors of input pipelines reach the main thread, with file and offset; nothing hangs."""

import pytest

import relight.v1 as tf


def drain(fetches, most=100):
    """The error that a coordinator raises at the end, and how many runs went well before."""
    coord = tf.train.Coordinator()
    count = 0
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        threads = tf.train.start_queue_runners(session, coord)
        try:
            while count < most:
                session.run(fetches)
                count += 1
        except tf.errors.OutOfRangeError:
            pass
        finally:
            coord.request_stop()
            try:
                coord.join(threads, stop_grace_period_secs=10)
            except tf.errors.OpError as error:
                return error, count
    return None, count


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


def records(path, *items):
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for item in items:
            writer.write(item)
    return str(path)


def batches(reader, *names):
    queue = tf.train.string_input_producer(list(names), num_epochs=1, shuffle=False)
    return tf.train.batch(list(reader.read(queue)), 1)


def test_a_cut_record_names_file_and_offset(tmp_path):
    path = records(tmp_path / "a", b"whole", b"cut off")
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[:-3])
    error, count = drain(batches(tf.TFRecordReader(), path))
    assert isinstance(error, tf.errors.DataLossError)
    assert path in error.message and "byte 21" in error.message
    assert count == 1


def test_a_flipped_bit_is_found(tmp_path):
    path = records(tmp_path / "a", b"a record")
    data = bytearray((tmp_path / "a").read_bytes())
    data[14] ^= 1
    (tmp_path / "a").write_bytes(bytes(data))
    error, _ = drain(batches(tf.TFRecordReader(), path))
    assert isinstance(error, tf.errors.DataLossError) and "checksum" in error.message


@pytest.mark.parametrize("reader", [tf.TextLineReader, tf.TFRecordReader, tf.WholeFileReader])
def test_a_missing_file(tmp_path, reader):
    name = str(tmp_path / "none")
    error, count = drain(batches(reader(), name))
    assert isinstance(error, tf.errors.NotFoundError)
    assert error.message.startswith(name + "; No such file or directory") and count == 0


def test_a_folder_is_no_file(tmp_path):
    error, _ = drain(batches(tf.TextLineReader(), str(tmp_path)))
    assert isinstance(error, tf.errors.FailedPreconditionError)


def test_an_empty_folder(tmp_path):
    names = tf.train.match_filenames_once(str(tmp_path / "*"))
    queue = tf.train.string_input_producer(names, num_epochs=1)
    error, count = drain(tf.train.batch([queue.dequeue()], 1))
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert "string_input_producer requires a non-null input tensor" in error.message
    assert count == 0


@pytest.mark.parametrize("header, footer, place", [(0, 0, 8), (1, 0, 9), (2, 1, 6)])
def test_records_of_another_length_are_told_of(tmp_path, header, footer, place):
    path = tmp_path / "a"
    path.write_bytes(bytes(header + footer) + b"0123456789"[: place - header + 2])
    reader = tf.FixedLengthRecordReader(4, header, footer)
    error, count = drain(batches(reader, str(path)))
    assert isinstance(error, tf.errors.InvalidArgumentError) and count == 0
    assert error.message.startswith("Excluding the header")
    assert f"the record that begins at byte {place} there are only 2 bytes" in error.message
    assert str(path) in error.message


def test_overlapping_records_may_leave_a_rest(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    reader = tf.FixedLengthRecordReader(4, hop_bytes=3)
    error, count = drain(batches(reader, str(tmp_path / "a")))
    assert error is None and count == 3


def test_a_python_function_that_fails(tmp_path):
    def fail(_):
        raise ValueError("no such picture")

    name = tf.train.string_input_producer(["a"], num_epochs=1).dequeue()
    value = tf.py_func(fail, [name], tf.float32)
    value.set_shape([])
    error, _ = drain(tf.train.batch([value], 1))
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert "no such picture" in error.message


def test_functions_of_a_loaded_graph_are_refused():
    tf.identity(tf.py_func(lambda: 1.0, [], tf.float64), name="out")
    definition = tf.get_default_graph().as_graph_def()
    with tf.Graph().as_default():
        (out,) = tf.import_graph_def(definition, return_elements=["out:0"], name="")
        with tf.Session() as session, pytest.raises(tf.errors.OpError, match="PyFunc"):
            session.run(out)


def test_batches_of_sparse_tensors_are_refused():
    sparse = tf.SparseTensor([[0]], [1], [3])
    with pytest.raises(TypeError, match="SparseTensors"):
        tf.train.batch([sparse], 2)
