"""Summary ops: tags, scopes, and the protos that they make."""


def _parsed(tf, raw):
    """A summary as plain values; PNG bytes are left out."""
    found = []
    for v in tf.Summary.FromString(raw).value:
        entry = [v.tag, v.node_name, v.WhichOneof("value")]
        if v.HasField("simple_value"):
            entry.append(v.simple_value)
        if v.HasField("histo"):
            h = v.histo
            entry += [
                h.min,
                h.max,
                h.num,
                h.sum,
                h.sum_squares,
                list(h.bucket_limit),
                list(h.bucket),
            ]
        if v.HasField("image"):
            entry += [v.image.height, v.image.width, v.image.colorspace]
        if v.HasField("audio"):
            entry.append(v.audio.SerializeToString())
        if v.HasField("tensor"):
            entry.append(v.tensor.SerializeToString())
        entry.append(v.metadata.SerializeToString())
        found.append(entry)
    return found


def _run(tf, summaries):
    with tf.Session() as sess:
        return {k: _parsed(tf, r) for k, r in sess.run(summaries).items()}


def scalar(tf, np):
    with tf.name_scope("scope"):
        a = tf.summary.scalar("loss", 1.5)
        b = tf.summary.scalar("loss", 3)
    c = tf.summary.scalar("illegal name!", tf.constant(2.0), family="fam")
    with tf.name_scope("scope"):
        d = tf.summary.scalar("x", 1.0, collections=["mine"], family="fam")
    names = [t.name for t in tf.get_collection("summaries")]
    mine = [t.name for t in tf.get_collection("mine")]
    return dict(_run(tf, {"a": a, "b": b, "c": c, "d": d}), names=names, mine=mine)


def histogram(tf, np):
    values = np.array([[-3.0, -1e-13, 0.0, 0.0], [1e-12, 0.5, 7.25, 1e19]], np.float32)
    return _run(
        tf,
        {
            "mixed": tf.summary.histogram("h", values),
            "ints": tf.summary.histogram("i", np.arange(-3, 9)),
            "empty": tf.summary.histogram("e", np.zeros([0], np.float32)),
            "large": tf.summary.histogram("g", tf.constant([1e300, -1e300], tf.float64)),
            "one": tf.summary.histogram("o", np.array([2], np.uint8), family="f"),
        },
    )


def histogram_of_too_large_array(tf, np):
    return {"h": tf.summary.histogram("g", np.array([1e300, -1e300]))}


def histogram_nan(tf, np):
    return {"h": tf.summary.histogram("h", [1.0, float("nan")])}


def histogram_inf(tf, np):
    return {"h": tf.summary.histogram("h", [1.0, float("inf")])}


def merged(tf, np):
    tf.summary.scalar("a", 1.0)
    tf.summary.histogram("b", [1.0, 2.0])
    both = tf.summary.merge_all()
    some = tf.summary.merge([tf.summary.scalar("c", 2.0, collections=[])], collections=["kept"])
    kept = [t.name for t in tf.get_collection("kept")]
    return dict(_run(tf, {"both": both, "some": some}), kept=kept)


def merge_nothing(tf, np):
    return {"none": tf.summary.merge_all()}


def merged_twice(tf, np):
    a = tf.raw_ops.ScalarSummary(tags="a", values=1.0)
    return {"both": tf.summary.merge([a, a])}


def merged_garbage(tf, np):
    return {"both": tf.raw_ops.MergeSummary(inputs=["abc"])}


def raw_scalars(tf, np):
    two = tf.raw_ops.ScalarSummary(tags=["a", "b"], values=[1.0, 2.0])
    return _run(tf, {"two": two})


def raw_scalars_slip(tf, np):
    return {"two": tf.raw_ops.ScalarSummary(tags=["a"], values=[1.0, 2.0])}


def _pixels(tf, raw):
    return [
        sess_value.image.encoded_image_string for sess_value in tf.Summary.FromString(raw).value
    ]


def image(tf, np):
    grey = np.linspace(-1, 3, 24).astype(np.float32).reshape(4, 3, 2, 1)
    colours = np.arange(36).astype(np.uint8).reshape(1, 3, 4, 3)
    flat = np.array([[[[0.0, 1.0, float("nan")], [0.5, 0.25, 2.0]]]], np.float32)
    return _run(
        tf,
        {
            "three": tf.summary.image("grey", grey),
            "one": tf.summary.image("colours", colours, max_outputs=1),
            "bad": tf.summary.image("flat", flat, family="f"),
        },
    )


def image_slip(tf, np):
    odd = tf.placeholder_with_default(np.zeros([1, 2, 2, 2], np.float32), None)
    return {"i": tf.summary.image("i", odd)}


def audio(tf, np):
    clip = np.array([[0.0, 1, -1, 0.5, 2, -2, 0.1, -0.1]], np.float32)
    stereo = np.linspace(-1, 1, 24).astype(np.float32).reshape(2, 6, 2)
    return _run(
        tf,
        {
            "mono": tf.summary.audio("mono", clip, 8000.0, max_outputs=1),
            "stereo": tf.summary.audio("stereo", stereo, sample_rate=44100),
        },
    )


def audio_slip(tf, np):
    odd = tf.placeholder_with_default(np.zeros([1, 2, 2, 2], np.float32), None)
    return {"i": tf.summary.audio("i", odd, 1.0)}


def tensors(tf, np):
    return _run(
        tf,
        {
            "floats": tf.summary.tensor_summary(
                "t",
                np.arange(3).astype(np.float32),
                display_name="shown",
                summary_description="why",
            ),
            "text": tf.summary.text("words", tf.constant(["a", "b"])),
            "raw": tf.raw_ops.TensorSummary(tensor=[[1, 2], [3, 4]], name="node"),
            "strings": tf.raw_ops.TensorSummary(tensor="a"),
        },
    )


def text_slip(tf, np):
    return {"t": tf.summary.text("t", tf.constant(1.0))}


def events(tf, np):
    import os
    import shutil
    import tempfile

    folder = tempfile.mkdtemp()
    try:
        with tf.Graph().as_default() as g:
            tf.constant(1.0, name="c")
            text = tf.summary.text("t", tf.constant("x"))
            with tf.Session() as sess:
                raw = sess.run(text)
        with tf.summary.FileWriter(folder, graph=g, filename_suffix=".end") as writer:
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1.0)]), 1)
            writer.add_summary(raw, 2)
            writer.add_summary(raw, 3)
            writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 4)
            writer.add_run_metadata(tf.RunMetadata(), "run", 5)
            try:
                writer.add_run_metadata(tf.RunMetadata(), "run", 6)
                twice = "no error"
            except ValueError as error:
                twice = str(error)
            same = writer.get_logdir() == folder
        names = os.listdir(folder)
        found = []
        for event in tf.train.summary_iterator(os.path.join(folder, names[0])):
            values = [(v.tag, v.HasField("metadata")) for v in event.summary.value]
            found.append((event.WhichOneof("what"), event.step, values))
        return {"events": found, "twice": twice, "same": same, "end": names[0].endswith(".end")}
    finally:
        shutil.rmtree(folder)
