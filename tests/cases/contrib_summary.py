"""`tf.contrib.summary`: summaries that operations write into event files themselves."""

import os
import shutil
import tempfile


def _value(v):
    entry = [v.tag, v.WhichOneof("value"), v.metadata.SerializeToString()]
    if v.HasField("simple_value"):
        entry.append(v.simple_value)
    if v.HasField("histo"):
        entry += [v.histo.num, v.histo.sum, list(v.histo.bucket_limit), list(v.histo.bucket)]
    if v.HasField("image"):
        entry += [v.image.height, v.image.width, v.image.colorspace]
    if v.HasField("audio"):
        entry.append(v.audio.SerializeToString())
    if v.HasField("tensor"):
        entry.append(v.tensor.SerializeToString())
    return entry


def _events(tf, folder):
    """Every event but its time; those of one step in no order of their own."""
    found = []
    for name in sorted(os.listdir(folder)):
        for event in tf.train.summary_iterator(os.path.join(folder, name)):
            kind = event.WhichOneof("what")
            found.append([kind, event.step, [_value(v) for v in event.summary.value]])
    return sorted(found, key=repr)


def _written(tf, build):
    """The events that two runs of the operations of `build` write, and what the runs give."""
    folder = tempfile.mkdtemp()
    try:
        with tf.Graph().as_default():
            step = tf.train.get_or_create_global_step()
            writer = tf.contrib.summary.create_file_writer(folder, name="writer")
            with writer.as_default():
                more = build()
                operations = tf.contrib.summary.all_summary_ops()
                following = tf.assign_add(step, 1)
                with tf.Session() as sess:
                    sess.run(tf.global_variables_initializer())
                    sess.run(tf.contrib.summary.summary_writer_initializer_op())
                    results = []
                    for _ in range(2):
                        results.append([bool(r) for r in sess.run(operations)])
                        sess.run(following)
                    if more is not None:
                        sess.run(more)
                    sess.run(writer.close())
            names = [(o.name, getattr(o, "op", o).type) for o in operations]
        ends = [name.endswith(".v2") for name in os.listdir(folder)]
        return {"events": _events(tf, folder), "gave": results, "names": names, "ends": ends}
    finally:
        shutil.rmtree(folder)


def kinds(tf, np):
    def build():
        with tf.contrib.summary.always_record_summaries():
            with tf.name_scope("scope"):
                tf.contrib.summary.scalar("loss", tf.constant(2.5))
                tf.contrib.summary.scalar("count", tf.constant(3), family="fam")
            tf.contrib.summary.histogram("h", tf.constant([1.0, 2.0, 3.0]), step=7)
            tf.contrib.summary.image("three", tf.ones([4, 2, 2, 1]))
            tf.contrib.summary.image("one", tf.ones([1, 2, 3, 3]), max_images=1)
            tf.contrib.summary.audio("sound", tf.zeros([1, 4]), 8000.0, 1)
            tf.contrib.summary.generic("numbers", tf.constant([1, 2]), family="fam")
            plugin = tf.SummaryMetadata.PluginData(plugin_name="text")
            metadata = tf.SummaryMetadata(plugin_data=plugin)
            tf.contrib.summary.generic("words", tf.constant("hi"), metadata=metadata)

    return _written(tf, build)


def recording(tf, np):
    def build():
        tf.contrib.summary.scalar("before", 1.0)
        with tf.contrib.summary.always_record_summaries():
            tf.contrib.summary.scalar("always", 1.0)
            with tf.contrib.summary.never_record_summaries():
                tf.contrib.summary.scalar("never", 1.0)
        tf.contrib.summary.scalar("after", 1.0)
        with tf.contrib.summary.record_summaries_every_n_global_steps(2):
            tf.contrib.summary.scalar("every second", tf.constant(1.0))

    found = _written(tf, build)
    del found["names"]  # tf.cond is an If here, Switch and Merge there
    return found


recording.nodes = False


def graphs_and_events(tf, np):
    def build():
        value = tf.Summary.Value(tag="given", simple_value=1.0)
        event = tf.Event(step=9, summary=tf.Summary(value=[value]))
        proto = tf.Graph().as_graph_def().SerializeToString()
        return [
            tf.contrib.summary.graph(tf.constant(proto), step=3),
            tf.contrib.summary.import_event(tf.constant(event.SerializeToString())),
            tf.contrib.summary.flush(),
        ]

    return _written(tf, build)


def raw_protos(tf, np):
    def build():
        writer = tf.raw_ops.SummaryWriter(shared_name="writer")
        value = tf.Summary.Value(tag="given", simple_value=1.0)
        raw = tf.Summary(value=[value]).SerializeToString()
        return tf.raw_ops.WriteRawProtoSummary(writer=writer, step=4, tensor=[raw, raw])

    return _written(tf, build)


def with_initialize(tf, np):
    folder = tempfile.mkdtemp()
    try:
        with tf.Graph().as_default() as graph, tf.Session():
            writer = tf.contrib.summary.create_summary_file_writer(folder, filename_suffix=".end")
            with writer.as_default():
                tf.contrib.summary.initialize(graph=graph)
            writer.close().run()
        return {"events": _events(tf, folder), "name": os.listdir(folder)[0][-4:]}
    finally:
        shutil.rmtree(folder)


def without_writer(tf, np):
    with tf.contrib.summary.always_record_summaries():
        nothing = tf.contrib.summary.scalar("a", 1.0)
        with tf.contrib.summary.create_file_writer(None).as_default():
            still = tf.contrib.summary.histogram("b", [1.0])
    types = [o.type for o in (nothing, still, tf.contrib.summary.flush())]
    return {"types": types, "dirs": [tf.contrib.summary.eval_dir("m", n) for n in (None, "x")]}


def _not_open(tf):
    writer = tf.contrib.summary.create_file_writer("nowhere", name="writer")
    with writer.as_default(), tf.contrib.summary.always_record_summaries():
        return tf.contrib.summary.scalar("a", 1.0, step=1)


def not_opened(tf, np):
    return {"a": _not_open(tf)}


not_opened.message = False  # it names a C++ class


def bad_graph(tf, np):
    return _written(tf, lambda: tf.contrib.summary.graph(tf.constant(b"\xff\xff"), step=1))


def graph_of_no_tensor(tf, np):
    tf.contrib.summary.graph(tf.Graph())


def nan_histogram(tf, np):
    def build():
        with tf.contrib.summary.always_record_summaries():
            tf.contrib.summary.histogram("h", tf.constant([1.0, float("nan")]), step=1)

    return _written(tf, build)


def initialize_without_writer(tf, np):
    tf.contrib.summary.initialize()
