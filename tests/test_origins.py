"""Errors about data tell the file, and the place in it, that the data was read from."""

import contextlib
import gzip
import io
import os

import numpy as np
import pytest
from PIL import Image

import relight.v1 as tf


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


def write(path, data):
    path.write_bytes(data)
    return str(path)


def png(cut=None):
    data = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(data, "png")
    return data.getvalue()[:cut]


def example(image):
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    features = tf.train.Features(feature={"image": feature})
    return tf.train.Example(features=features).SerializeToString()


def examples(path, *images):
    """Write a TFRecord file; its name, and where its records begin."""
    places, place = [], 0
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for image in images:
            record = example(image)
            writer.write(record)
            places.append(place)
            place += len(record) + 16
    return str(path), places


def image_of(record):
    parsed = tf.parse_single_example(record, {"image": tf.FixedLenFeature([], tf.string)})
    return tf.image.decode_png(parsed["image"], 3)


def names(*paths):
    return tf.train.string_input_producer(list(paths), num_epochs=1, shuffle=False)


def from_queue(fetches):
    """The error of a training loop that is fed by queue runners."""
    with pytest.raises(tf.errors.OpError) as caught:
        with tf.train.MonitoredTrainingSession() as session:
            while not session.should_stop():
                session.run(fetches)
    return caught.value


def in_session(fetches):
    """The error of a run beside queue runners."""
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        with pytest.raises(tf.errors.OpError) as caught:
            for _ in range(100):
                session.run(fetches)
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=10)
    return caught.value


def elements(dataset):
    """The values of a dataset, and the error that ended it."""
    following = dataset.make_one_shot_iterator().get_next()
    found = []
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(following))
            except tf.errors.OpError as error:
                return found, error


def check(error, message, place):
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert error.message.startswith(message)
    assert f"\n\t read from {place}\n\t [[node " in error.message


@pytest.mark.parametrize("decode", [tf.image.decode_png, tf.image.decode_image])
@pytest.mark.parametrize("run", [from_queue, in_session])
def test_an_unreadable_image(tmp_path, decode, run):
    paths = [write(tmp_path / "a.png", png()), write(tmp_path / "b.png", png(30))]
    _, contents = tf.WholeFileReader().read(names(*paths))
    image = decode(contents, 3)
    image.set_shape([4, 4, 3])
    fetches = tf.train.batch([image], 1) if run is from_queue else image
    check(run(fetches), "Invalid PNG header, data size 30", paths[1])


@pytest.mark.parametrize("threads", [1, 3])
def test_an_unreadable_image_in_a_record(tmp_path, threads):
    path, places = examples(tmp_path / "a", png(), png(), png(-30), png())
    _, record = tf.TFRecordReader().read(names(path))
    image = image_of(record)
    image.set_shape([4, 4, 3])
    error = from_queue(tf.train.shuffle_batch([image], 1, 10, 1, num_threads=threads))
    check(error, "Invalid PNG data, size", f"{path}, byte {places[2]}")


def test_a_file_that_is_read_by_name(tmp_path):
    paths = [write(tmp_path / "a.png", png()), write(tmp_path / "b.png", b"no image")]
    image = tf.image.decode_png(tf.read_file(names(*paths).dequeue()))
    check(in_session(image), "Expected image (JPEG, PNG, or GIF)", paths[1])


def test_each_of_two_files_is_told(tmp_path):
    first, second = write(tmp_path / "a", b"12"), write(tmp_path / "b", b"123")
    texts = [tf.read_file(first), tf.read_file(second)]
    numbers = [tf.decode_raw(text, tf.int16) for text in texts]
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(numbers)
    check(caught.value, "Input to DecodeRaw has length 3", second)
    both = tf.concat([tf.decode_raw(text, tf.uint8) for text in texts], 0)
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(tf.reshape(both, [4]))
    assert first in caught.value.message and second in caught.value.message


@pytest.mark.slow
def test_a_line_that_is_no_number(tmp_path):
    path = write(tmp_path / "a.csv", b"head\n1,2\n3,x\n")
    _, line = tf.TextLineReader(skip_header_lines=1).read(names(path))
    fields = tf.decode_csv(line, [[0], [0]])
    error = from_queue(tf.train.batch(fields, 1))
    check(error, "Field 1 in record 0 is not a valid int32: x", f"{path}, line 3")


def test_a_record_of_fixed_length(tmp_path):
    path = write(tmp_path / "a", b"head" + b"\1abc\2abc\x0cabc")
    _, record = tf.FixedLengthRecordReader(4, header_bytes=4).read(names(path))
    label = tf.cast(tf.decode_raw(record, tf.uint8)[0], tf.int32)
    with tf.control_dependencies([tf.Assert(label < 10, ["label above 9:", label])]):
        label = tf.identity(label)
    error = from_queue(tf.train.batch([label], 1))
    check(error, "assertion failed: [label above 9:] [12]", f"{path}, byte 12")


def test_several_records_at_once(tmp_path):
    path = write(tmp_path / "a", b"1\n2\nx\n")
    _, lines = tf.TextLineReader().read_up_to(names(path), 3)
    error = in_session(tf.string_to_number(lines))
    place = f"{path}, line 1 to {path}, line 3"
    check(error, "StringToNumberOp could not correctly convert string: x", place)


def test_a_row_of_another_shape(tmp_path):
    path = write(tmp_path / "a", bytes(30))
    _, record = tf.FixedLengthRecordReader(6).read(names(path))
    row = tf.decode_raw(record, tf.uint8)
    row.set_shape([10])
    error = from_queue(tf.train.batch([row], 2))
    check(error, "Shape mismatch in tuple component 0. Expected [10], got [6]", f"{path}, byte 0")


@pytest.mark.parametrize("threads", [None, 3])
def test_a_dataset_of_records(tmp_path, threads):
    path, places = examples(tmp_path / "a", png(), png(30), png())
    dataset = tf.data.TFRecordDataset(path).map(lambda record: record)
    dataset = dataset.shuffle(2, seed=1).map(image_of, num_parallel_calls=threads).prefetch(1)
    _, error = elements(dataset)
    check(error, "Invalid PNG header, data size 30", f"{path}, byte {places[1]}")


def test_a_dataset_of_lines(tmp_path):
    path = write(tmp_path / "a", b"1\n2\nx\n")
    dataset = tf.data.Dataset.from_tensors(path).flat_map(tf.data.TextLineDataset)
    found, error = elements(dataset.map(tf.string_to_number))
    assert found == [1, 2]
    place = f"{path}, line 3"
    check(error, "StringToNumberOp could not correctly convert string: x", place)


def test_a_dataset_of_records_of_fixed_length(tmp_path):
    path = write(tmp_path / "a", b"head" + bytes(10))
    dataset = tf.data.FixedLengthRecordDataset(path, 5, header_bytes=4).skip(1)
    _, error = elements(dataset.map(lambda record: tf.decode_raw(record, tf.int16)))
    check(error, "Input to DecodeRaw has length 5", f"{path}, byte 9")


def test_a_dataset_of_file_names(tmp_path):
    paths = [write(tmp_path / "a.png", png()), write(tmp_path / "b.png", b"GIF8")]
    dataset = tf.data.Dataset.from_tensor_slices(paths)
    _, error = elements(dataset.map(lambda name: tf.image.decode_image(tf.read_file(name))))
    check(error, "Invalid GIF data (size 4), failed to open gif file", paths[1])


def test_other_errors_tell_no_file(tmp_path):
    """A closed queue is no matter of the record that was to be put in."""
    path = write(tmp_path / "a", b"1\n2\n")
    _, line = tf.TextLineReader().read(names(path))
    queue = tf.FIFOQueue(5, tf.string, shapes=[[]])
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        session.run(queue.close())
        with pytest.raises(tf.errors.CancelledError) as caught:
            session.run(queue.enqueue(line))
        assert "read from" not in caught.value.message
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=10)


@pytest.mark.parametrize("kind", ["GZIP", "ZLIB"])
@pytest.mark.parametrize("dataset", [tf.data.TextLineDataset, tf.data.TFRecordDataset])
def test_a_damaged_compressed_file(tmp_path, kind, dataset):
    path = write(tmp_path / "a", b"this is no deflate stream")
    _, error = elements(dataset(path, kind))
    assert isinstance(error, tf.errors.DataLossError)
    assert error.message.startswith("inflate() failed with error -3: incorrect header check")
    assert f"({path}, before byte 25)" in error.message


def test_a_compressed_file_that_is_cut_off(tmp_path):
    path = write(tmp_path / "a", gzip.compress(os.urandom(1000))[:500])
    _, error = elements(tf.data.TextLineDataset(path, "GZIP"))
    assert isinstance(error, tf.errors.DataLossError)
    assert f"{path}, byte 500: compressed stream is cut off" in error.message
    _, error = elements(tf.data.FixedLengthRecordDataset(path, 10, compression_type="GZIP"))
    assert f"{path}, byte 500: compressed stream is cut off" in error.message


@pytest.mark.slow
def test_compressed_lines_and_records(tmp_path):
    text = b"".join(b"%d\n" % i for i in range(10**5))
    path = write(tmp_path / "a", gzip.compress(text[:1000]) + gzip.compress(text[1000:]))
    following = tf.data.TextLineDataset(path, "GZIP").batch(10**6).make_one_shot_iterator()
    records = tf.data.FixedLengthRecordDataset(path, 10, compression_type="GZIP").batch(10**6)
    with tf.Session() as session:
        lines = session.run(following.get_next())
        found = session.run(records.make_one_shot_iterator().get_next())
    assert lines.tolist() == text.split(b"\n")[:-1]
    assert b"".join(found.tolist()) == text


@pytest.mark.parametrize("reader", [True, False])
def test_a_file_that_becomes_shorter(tmp_path, reader):
    path = write(tmp_path / "a", bytes(1 << 20))
    if reader:
        fetch = tf.FixedLengthRecordReader(1 << 18).read(names(path))[0]
    else:
        fetch = tf.data.FixedLengthRecordDataset(path, 1 << 18).make_one_shot_iterator().get_next()
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(tf.Session())
        session.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        session.run(fetch)
        os.truncate(path, 1 << 19)
        with pytest.raises(
            tf.errors.DataLossError, match=r"truncated record at \d+ \(.*/a, record"
        ):
            for _ in range(3):
                session.run(fetch)
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=10)


@pytest.mark.parametrize("labels, row, bad", [([1, 12, 3], 1, 12), ([2, 11, -1], 2, -1)])
def test_a_label_that_no_class_has(labels, row, bad):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=tf.zeros([3, 10]))
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(loss)
    message = caught.value.message
    assert message.startswith(f"Received a label value of {bad} which is outside the valid range")
    assert f"row {row} of 3 has the label {bad}" in message


def test_an_image_without_its_end():
    whole = png()
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(tf.image.decode_png(whole[:-12]))
    assert caught.value.message.startswith(f"Invalid PNG data, size {len(whole) - 12}")


@pytest.mark.parametrize("concerned", [True, False])
def test_in_a_branch_only_what_the_failing_operation_takes_is_named(tmp_path, concerned):
    path = write(tmp_path / "a", b"zz")
    text = tf.read_file(path)
    other = tf.constant(b"zz") if not concerned else text
    on = tf.placeholder(tf.bool, [])
    number = tf.cond(on, lambda: tf.string_to_number(other), lambda: tf.string_to_number(text))
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(number, {on: True})
    assert (f"read from {path}" in caught.value.message) == concerned
