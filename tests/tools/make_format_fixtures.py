"""Write the fixtures of tests/data/formats with TensorFlow 1.15: python make_format_fixtures.py
DIR.

Everything is seeded or constant, but event files carry the host's name in their file name and the
time of writing inside; they are renamed and rewritten with fixed times.
"""

import glob
import os
import sys

import numpy as np
import tensorflow as tf

TYPES = ["float16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "int64"]
TYPES += ["bool", "complex64", "complex128", "bfloat16", "uint32", "uint64", "qint8"]


def bundles(sess):
    """types: one tensor a dtype, strings, empty and scalar; parts: partitioned; merged: shards."""
    names, tensors = [], []
    for name in TYPES:
        names.append("type/" + name)
        base = tf.constant(np.arange(6).reshape(3, 2), tf.float32)
        if name in (
            "complex64",
            "complex128",
            "uint16",
            "uint32",
            "uint64",
            "bool",
            "int8",
            "uint8",
            "int16",
        ):
            tensors.append(tf.constant(np.arange(6).reshape(3, 2).astype(name)))
        else:
            tensors.append(tf.cast(base, getattr(tf, name)))
    names += ["text", "text/scalar", "zero"]
    tensors += [tf.constant([b"a", b"", b"z" * 300]), tf.constant(b"x\x00y"), tf.zeros([0, 3])]
    sess.run(
        tf.raw_ops.SaveV2(
            prefix="types", tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
        )
    )
    full = np.arange(40, dtype=np.float32).reshape(10, 4)
    specs = ["10 4 0,4:0,4", "10 4 4,3:0,4", "10 4 7,3:-"]
    pieces = [full[:4], full[4:7], full[7:]]
    sess.run(
        tf.raw_ops.SaveV2(
            prefix="parts", tensor_names=["w"] * 3, shape_and_slices=specs, tensors=pieces
        )
    )
    for i in range(2):
        prefix = "temp%d/part-%05d-of-00002" % (i, i)
        sess.run(
            tf.raw_ops.SaveV2(
                prefix=prefix,
                tensor_names=["p", "q%d" % i],
                shape_and_slices=["4 2 %d,2:0,2" % (2 * i), ""],
                tensors=[np.full((2, 2), i, np.float32), np.int32(i)],
            )
        )
    parts = ["temp%d/part-%05d-of-00002" % (i, i) for i in range(2)]
    sess.run(tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix="merged"))


def version_1():
    """v1: a single-file checkpoint with a Snappy block, a partitioned variable, several dtypes."""
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.Variable(np.zeros((20, 30), np.float32), name="zeros")
        tf.Variable(np.arange(6, dtype=np.int64).reshape(2, 3), name="count")
        tf.Variable([b"abc", b"", b"x" * 50], name="text")
        tf.Variable([True, False], name="flag")
        tf.Variable(np.array([1.5, -2.0], np.float16), name="half")
        tf.Variable(np.array([1 + 2j], np.complex64), name="complex")
        tf.Variable(np.float64(0.1), name="double")
        tf.Variable(np.array([1, 255], np.uint8), name="byte")
        tf.get_variable(
            "part",
            shape=[10, 4],
            initializer=lambda shape, dtype, partition_info: (
                tf.reshape(tf.range(float(np.prod(shape))), shape)
                + 4.0 * partition_info.var_offset[0]
            ),
            partitioner=tf.fixed_size_partitioner(3),
        )
        sess.run(tf.global_variables_initializer())
        tf.train.Saver(write_version=tf.train.SaverDef.V1).save(
            sess, "./v1", write_meta_graph=False
        )
        tf.train.Saver(write_version=tf.train.SaverDef.V1, sharded=True).save(
            sess, "./v1s", write_meta_graph=False
        )


def records():
    """Three records in each of TensorFlow's containers."""
    kinds = tf.io.TFRecordCompressionType
    for suffix, kind in (("", kinds.NONE), (".gz", kinds.GZIP), (".zlib", kinds.ZLIB)):
        with tf.io.TFRecordWriter("three.tfrecord" + suffix, tf.io.TFRecordOptions(kind)) as writer:
            for record in (b"first", b"", b"third" * 100):
                writer.write(record)


def states():
    """The text file `checkpoint`, with and without what is rare in it."""
    from google.protobuf import text_format
    from tensorflow.python.training.checkpoint_state_pb2 import CheckpointState

    state = CheckpointState(
        model_checkpoint_path='a "quoted" \\ b\n\t\x01 \u00e9\'', last_preserved_timestamp=1.5
    )
    state.all_model_checkpoint_paths.extend(["x-1", "x-2"])
    state.all_model_checkpoint_timestamps.extend([1574312345.1234567, 1e22])
    with open("checkpoint.escapes", "w") as out:
        out.write(text_format.MessageToString(state))
    state = CheckpointState(model_checkpoint_path="model.ckpt-2")
    state.all_model_checkpoint_paths.extend(["model.ckpt-1", "model.ckpt-2"])
    with open("checkpoint.plain", "w") as out:
        out.write(text_format.MessageToString(state))


def events():
    """An event file with a graph, a scalar and a session log, at fixed times."""
    writer = tf.summary.FileWriter("events_dir", graph=tf.Graph())
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 3)
    writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 3)
    writer.close()
    (path,) = glob.glob("events_dir/*")
    with tf.io.TFRecordWriter("events.out.tfevents.0000000007.host") as out:
        for i, event in enumerate(tf.train.summary_iterator(path)):
            event.wall_time = 7.0 + i
            out.write(event.SerializeToString())
    os.remove(path)
    os.rmdir("events_dir")


def main():
    os.chdir(sys.argv[1])
    with tf.Graph().as_default(), tf.Session() as sess:
        bundles(sess)
    version_1()
    records()
    states()
    events()
    os.remove("checkpoint")


if __name__ == "__main__":
    main()
