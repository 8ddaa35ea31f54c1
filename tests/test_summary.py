"""Event files and images, beside the cases of summary ops."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

import relight.v1 as tf
from relight.formats.errors import FormatError
from relight.ops.summary import bucket_limits, encode_wav, histogram, normalise_image
from relight.v1.train.timeline import Timeline


@pytest.fixture(autouse=True)
def _fresh_graph():
    tf.reset_default_graph()
    yield
    tf.summary.FileWriterCache.clear()


def _images(summary_tensor):
    with tf.Session() as sess:
        raw = sess.run(summary_tensor)
    values = tf.Summary.FromString(raw).value
    return [np.asarray(Image.open(io.BytesIO(v.image.encoded_image_string))) for v in values]


def test_uint8_images_are_kept_exactly():
    for depth in (1, 3, 4):
        pixels = np.random.RandomState(0).randint(0, 256, (2, 5, 7, depth)).astype(np.uint8)
        found = _images(tf.summary.image("i", tf.constant(pixels)))
        assert len(found) == 2
        for image, wanted in zip(found, pixels, strict=True):
            assert (image.reshape(5, 7, depth) == wanted).all()


def test_float_images_are_scaled_by_the_largest_value():
    (image,) = _images(tf.summary.image("i", np.array([[[[0.0], [1.0]], [[2.0], [4.0]]]], "f4")))
    assert image.tolist() == [[0, 63], [127, 255]]


def test_images_with_negative_values_are_centred():
    (image,) = _images(tf.summary.image("i", np.array([[[[-1.0], [0.0], [1.0]]]], "f4")))
    assert image.tolist() == [[1, 128, 255]]


def test_a_pixel_that_is_no_number_gets_the_bad_colour():
    bad = np.array([255, 0, 0, 255], np.uint8)
    image = np.array([[[0.0, 1.0, np.nan], [1.0, 0.5, 0.0]]], np.float32)
    assert normalise_image(image, bad).tolist() == [[[255, 0, 0], [255, 127, 0]]]
    assert normalise_image(np.full((1, 1, 1), np.inf, np.float32), bad).tolist() == [[[255]]]
    assert normalise_image(np.zeros((1, 1, 1), np.float32), bad).tolist() == [[[0]]]


def test_histogram_counts_every_value_once():
    values = np.random.RandomState(1).standard_normal(1000)
    proto = histogram(values)
    assert sum(proto.bucket) == proto.num == 1000
    assert list(proto.bucket_limit) == sorted(proto.bucket_limit)
    assert abs(proto.sum - values.sum()) < 1e-9
    counts, _ = np.histogram(values, [-np.inf, *bucket_limits()])
    by_limit = dict(zip(proto.bucket_limit, proto.bucket, strict=True))
    for limit, count in zip(bucket_limits(), counts, strict=True):
        if count:
            assert by_limit[limit] == count


def test_wav_of_silence():
    data = encode_wav(np.zeros((3, 2), np.float32), 8000)
    assert data[:4] == b"RIFF" and len(data) == 44 + 12


def test_audio_summary_of_old_graphs():
    """Real TensorFlow runs this op in GraphDefs of versions before 15 only: there is no golden."""
    clip = np.array([[0.0, 0.5, -0.5]], np.float32)
    with tf.Session() as sess:
        raw = sess.run(tf.raw_ops.AudioSummary(tag="a", tensor=clip, sample_rate=10.0))
    (value,) = tf.Summary.FromString(raw).value
    assert value.tag == "a/audio/0"
    assert (value.audio.sample_rate, value.audio.length_frames) == (10.0, 3)
    assert value.audio.encoded_audio_string == encode_wav(clip.T, 10)


def test_writer_suffix_and_reopen(tmp_path):
    writer = tf.summary.FileWriter(str(tmp_path / "a" / "b"), filename_suffix=".x")
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1.0)]), 1)
    writer.close()
    with pytest.warns(UserWarning, match="closed FileWriter"):
        writer.add_event(tf.Event(step=2))
    writer.reopen()
    writer.add_event(tf.Event(step=3))
    writer.close()
    names = sorted(os.listdir(tmp_path / "a" / "b"))
    assert len(names) == 2 and all(n.endswith(".x") for n in names)
    steps = [[e.step for e in tf.train.summary_iterator(tmp_path / "a" / "b" / n)] for n in names]
    assert steps == [[0, 1], [0, 3]]


def test_writer_of_a_graph(tmp_path):
    tf.constant(1.0, name="c")
    with tf.summary.FileWriter(str(tmp_path), graph=tf.get_default_graph()):
        pass
    (name,) = os.listdir(tmp_path)
    kinds = [e.WhichOneof("what") for e in tf.train.summary_iterator(tmp_path / name)]
    assert kinds == ["file_version", "graph_def", "meta_graph_def"]
    with pytest.raises(TypeError, match="must be an instance"):
        tf.summary.FileWriter(str(tmp_path), graph=3)
    with tf.summary.FileWriter(str(tmp_path)) as writer, pytest.raises(ValueError, match="both"):
        writer.add_graph(tf.get_default_graph(), graph_def=tf.GraphDef())


def test_writer_cannot_make_its_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(tf.errors.OpError, match="file"):
        tf.summary.FileWriter(str(tmp_path / "file" / "logs"))


def test_damaged_event_file(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_event(tf.Event(step=1))
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(tf.errors.DataLossError) as caught:
        list(tf.train.summary_iterator(path))
    assert isinstance(caught.value.__cause__, FormatError)


def test_writer_cache(tmp_path):
    tf.constant(1.0)
    first = tf.summary.FileWriterCache.get(str(tmp_path))
    assert tf.summary.FileWriterCache.get(str(tmp_path)) is first
    tf.summary.FileWriterCache.clear()
    assert tf.summary.FileWriterCache.get(str(tmp_path)) is not first


def test_tensorboard_reads_what_is_written(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tf.summary.scalar("loss", tf.placeholder(tf.float32, [], name="x"))
    tf.summary.histogram("h", tf.constant([1.0, 2.0]))
    merged = tf.summary.merge_all()
    with tf.Session() as sess, tf.summary.FileWriter(str(tmp_path), sess.graph) as writer:
        for step in range(3):
            metadata = tf.RunMetadata()
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            raw = sess.run(merged, {"x:0": step * 0.5}, options, metadata)
            writer.add_summary(raw, step)
            writer.add_run_metadata(metadata, f"step{step}", step)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(s.step, s.value) for s in events.Scalars("loss")] == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert events.Histograms("h")[0].histogram_value.num == 2
    assert events.RunMetadata("step1").step_stats.dev_stats[0].node_stats
    assert events.Graph().node


def test_trace_has_every_step_and_becomes_a_timeline():
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    tf.matmul(x, tf.ones([3, 4]), name="y")
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
    with tf.Session() as sess:
        value = sess.run("y:0", {x: np.ones((2, 3))}, options, metadata)
        assert value.tolist() == [[3.0] * 4] * 2
    (device,) = metadata.step_stats.dev_stats
    assert device.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    (node,) = [n for n in device.node_stats if n.node_name == "y"]
    assert node.timeline_label.startswith("y = MatMul(x, ")
    description = node.output[0].tensor_description
    assert [d.size for d in description.shape.dim] == [2, 4]
    assert description.allocation_description.requested_bytes == 32
    assert "y" in [n.name for n in metadata.partition_graphs[0].node]
    trace = json.loads(Timeline(metadata.step_stats).generate_chrome_trace_format(show_memory=True))
    ops = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert [e["args"]["name"] for e in ops if e["name"] == "MatMul"] == ["y"]


def test_trace_tells_memory_and_every_node_of_a_fused_step():
    x = tf.placeholder(tf.float32, [4, 3], name="x")
    w, b = tf.Variable(tf.ones([3, 2]), name="w"), tf.Variable(tf.zeros([2]), name="b")
    y = tf.nn.relu(tf.matmul(x, w, name="product") + b, name="y")
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y))
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run([y, train], {x: np.ones((4, 3))}, options, metadata)
    (device,) = metadata.step_stats.dev_stats
    nodes = {n.node_name: n for n in device.node_stats}
    assert len(nodes) == len(device.node_stats)
    update = "GradientDescent/update_{}/ApplyGradientDescent"
    # What one kernel does together is told as all of its nodes, one after the other in time.
    for first, second in (("product", "add"), (update.format("w"), update.format("b"))):
        end = nodes[first].all_start_nanos + nodes[first].all_end_rel_nanos
        assert nodes[second].all_start_nanos == end
    assert nodes["w"].memory_stats.persistent_memory_size == 24
    assert [d.size for d in nodes["w"].output[0].tensor_description.shape.dim] == [3, 2]
    assert nodes["add"].memory[0].total_bytes == 32
    assert not nodes["y"].memory  # computed in the place of what it was computed from


def test_errors_in_a_traced_run_name_the_node():
    x = tf.placeholder(tf.float32, name="x")
    y = tf.matmul(x, tf.ones([3, 4]), name="y")
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError, match="node y"):
        sess.run(y, {x: np.ones((2, 2))}, options, tf.RunMetadata())
