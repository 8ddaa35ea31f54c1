"""Checkpoints that real TensorFlow 1.15 wrote and read.

PYTHON37 tests/tools/make_saver_fixtures.py write    TensorFlow writes tests/data/saver/tensorflow.*
python   tests/tools/make_saver_fixtures.py relight  relight writes tests/data/saver/relight.*
PYTHON37 tests/tools/make_saver_fixtures.py read     TensorFlow reads relight's files and stores
                                                     what it found in read_by_tensorflow.json
"""

import json
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "saver")


def build(tf):
    """A graph with variables of several kinds, and an output `y` of a fed `x`."""

    def filled(value):
        def initializer(shape, dtype=None, partition_info=None):
            return tf.fill(shape, tf.cast(value, dtype))

        return initializer

    v = tf.Variable([[1.5, 2.0], [3.0, -4.0]], name="v")
    tf.get_variable("r", [2], use_resource=True, initializer=filled(5.0))
    tf.get_variable("p", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=filled(6.0))
    tf.Variable(["a", "bc"], name="s")
    tf.Variable(tf.constant(110, tf.int64), name="global_step", trainable=False)
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.matmul(x, v, name="y")
    tf.add_to_collection("outputs", y)
    return y


def write(tf, name):
    """Write a sharded checkpoint and its MetaGraph."""
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    with tf.Graph().as_default(), tf.Session() as sess:
        build(tf)
        saver = tf.train.Saver(sharded=True)
        sess.run(tf.global_variables_initializer())
        saver.save(sess, os.path.join(FOLDER, name), write_state=False)


def read(tf, name):
    """What a fresh graph restores: by variables, and by the MetaGraph."""
    path = os.path.join(FOLDER, name)
    with tf.Graph().as_default(), tf.Session() as sess:
        y = build(tf)
        tf.train.Saver().restore(sess, path)
        first = sess.run(y, {"x:0": [[1.0, 10.0]]}).tolist()
        parts = [sess.run(v).tolist() for v in tf.global_variables() if v.name != "s:0"]
        words = [w.decode() for w in sess.run("s:0")]
    with tf.Graph().as_default(), tf.Session() as sess:
        saver = tf.train.import_meta_graph(path + ".meta")
        saver.restore(sess, path)
        second = sess.run(tf.get_collection("outputs")[0], {"x:0": [[1.0, 10.0]]}).tolist()
        names = [v.name for v in tf.global_variables()]
    shapes = tf.train.NewCheckpointReader(path).get_variable_to_shape_map()
    return {
        "y": [first, second],
        "values": parts,
        "words": words,
        "variables": names,
        "shapes": shapes,
    }


if __name__ == "__main__":
    if sys.argv[1] == "relight":
        import relight.v1

        write(relight.v1, "relight")
    else:
        import tensorflow

        if sys.argv[1] == "write":
            write(tensorflow, "tensorflow")
        else:
            with open(os.path.join(FOLDER, "read_by_tensorflow.json"), "w") as out:
                json.dump(read(tensorflow, "relight"), out, indent=1, sort_keys=True)
