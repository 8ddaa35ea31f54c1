"""Damaged files and data: which error TensorFlow gives, and what it begins with."""

import gzip
import os
import shutil
import tempfile
import zlib


def _told(tf, runs):
    """Class and first line of the error of each run; None where there is none."""
    found = []
    for run in runs:
        try:
            run()
            found.append(None)
        except tf.errors.OpError as error:
            found.append([type(error).__name__, error.message.split("\n")[0].split(" (/")[0]])
    return found


def images(tf, np):
    pixels = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    contents = tf.placeholder(tf.string, [])
    decode = {
        "png": tf.image.decode_png(contents),
        "jpeg": tf.image.decode_jpeg(contents),
        "crop": tf.image.decode_and_crop_jpeg(contents, [0, 0, 2, 2]),
        "bmp": tf.image.decode_bmp(contents),
        "shape": tf.image.extract_jpeg_shape(contents),
        "any": tf.image.decode_image(contents),
    }
    with tf.Session() as session:
        png, jpeg = session.run([tf.image.encode_png(pixels), tf.image.encode_jpeg(pixels)])
        return {
            "%s of %s" % (how, what): _told(
                tf, [lambda h=how, d=data: session.run(decode[h], {contents: d})]
            )
            for how, what, data in (
                ("png", "nothing", b""),
                ("png", "text", b"hello"),
                ("png", "a signature", png[:10]),
                ("png", "a header", png[:30]),
                ("png", "a part", png[:50]),
                ("jpeg", "text", b"hello"),
                ("jpeg", "a marker", jpeg[:4]),
                ("jpeg", "a header", jpeg[:20]),
                ("crop", "a header", jpeg[:20]),
                ("crop", "text", b"hello"),
                ("shape", "a header", jpeg[:20]),
                ("bmp", "text", b"hello"),
                ("any", "text", b"hello"),
                ("any", "a png header", png[:30]),
            )
        }


images.nodes = False  # the conditions of decode_image


def an_image_without_its_end(tf, np):
    png = tf.image.encode_png(np.zeros([4, 4, 3], np.uint8))
    length = tf.strings.length(png)
    with tf.Session() as session:
        whole = session.run(png)
        error = _told(tf, [lambda: session.run(tf.image.decode_png(whole[:-12]))])[0]
        return {"class": error[0], "begins": error[1].split(",")[0], "length": length > 0}


def numbers(tf, np):
    def raw(dtype):
        return lambda: session.run(tf.decode_raw(b"abc", dtype))

    with tf.Session() as session:
        types = [tf.float16, tf.float32, tf.float64, tf.int16, tf.int64]
        return {"raw": _told(tf, [raw(t) for t in types])}


def labels(tf, np):
    def loss(values):
        logits = tf.zeros([len(values), 10])
        return lambda: session.run(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=values, logits=logits)
        )

    with tf.Session() as session:
        return {"losses": _told(tf, [loss([1, 12, 3]), loss([12, -1]), loss([11, 13]), loss([9])])}


def files(tf, np):
    folder = tempfile.mkdtemp()

    def write(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
        return os.path.join(folder, name)

    def drain(dataset):
        following = dataset.make_one_shot_iterator().get_next()

        def run():
            with tf.Session() as session:
                while True:
                    session.run(following)

        return run

    try:
        path = os.path.join(folder, "good")
        with tf.python_io.TFRecordWriter(path) as writer:
            for i in range(3):
                writer.write(b"record %d" % i)
        with open(path, "rb") as file:
            good = file.read()
        flipped = bytearray(good)
        flipped[24 + 14] ^= 1
        length = bytearray(good)
        length[24 + 3] ^= 1
        fixed = write("fixed", b"0123456789")
        record = tf.data.TFRecordDataset
        found = _told(
            tf,
            [
                drain(record(write("cut", good[:-3]))),
                drain(record(write("flipped", bytes(flipped)))),
                drain(record(write("length", bytes(length)))),
                drain(record(fixed, "ZLIB")),
                drain(record(fixed, "GZIP")),
                drain(tf.data.TextLineDataset(fixed, "ZLIB")),
                drain(tf.data.FixedLengthRecordDataset(fixed, 5)),
                lambda: list(tf.python_io.tf_record_iterator(write("cut", good[:-3]))),
            ],
        )
        return {"found": found}
    finally:
        shutil.rmtree(folder)


def what_is_behind_a_compressed_stream(tf, np):
    folder = tempfile.mkdtemp()
    lines = [gzip.compress(b"a\nbb\n"), zlib.compress(b"a\nbb\n")]

    def read(make, data):
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(data)
        following = make(path).make_one_shot_iterator().get_next()
        found = []
        with tf.Session() as session:
            try:
                while True:
                    found.append(session.run(following))
            except tf.errors.OutOfRangeError:
                return found

    try:
        return {
            "%s %s %s" % (kind, name, what): read(make, stream + rest)
            for kind, stream in zip(["GZIP", "ZLIB"], lines)
            for name, rest in (("zeros", bytes(20)), ("one", b"\x1f"), ("text", b"no stream"))
            for what, make in (
                ("lines", lambda path: tf.data.TextLineDataset(path, kind)),
                (
                    "records",
                    lambda path: tf.data.FixedLengthRecordDataset(path, 1, compression_type=kind),
                ),
            )
        }
    finally:
        shutil.rmtree(folder)
