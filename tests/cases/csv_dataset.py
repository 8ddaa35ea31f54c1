"""Records of CSV files."""

import os
import tempfile


def records(tf, np):
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "a.csv")
    with open(path, "w") as file:
        file.write('x,y,name\n1,2.5,"a, ""b"""\n3,4,"two\nlines"\n,7,q\n')
    defaults = [[0], tf.float32, tf.string]
    dataset = tf.data.experimental.CsvDataset(path, defaults, header=True)
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        found = [session.run(value) for _ in range(3)]
    os.remove(path)
    return {"row %d" % i: list(row) for i, row in enumerate(found)}


def records_of_the_older_op(tf, np):
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "a.csv")
    with open(path, "w") as file:
        file.write("1;2.5\n3;NA\n")
    types = {"output_types": [tf.int32, tf.float32], "output_shapes": [[], []]}
    dataset = tf.raw_ops.ExperimentalCSVDataset(
        filenames=path,
        compression_type="",
        buffer_size=np.int64(1024),
        header=False,
        field_delim=";",
        use_quote_delim=True,
        na_value="NA",
        select_cols=np.zeros(0, np.int64),
        record_defaults=[np.int32([0]), np.float32([-1.0])],
        output_shapes=[[], []],
    )
    iterator = tf.raw_ops.IteratorV2(shared_name="", container="", **types)
    make = tf.raw_ops.MakeIterator(dataset=dataset, iterator=iterator)
    row = tf.raw_ops.IteratorGetNext(iterator=iterator, **types)
    with tf.Session() as session:
        session.run(make)
        found = [session.run(row) for _ in range(2)]
    os.remove(path)
    return {"row %d" % i: list(values) for i, values in enumerate(found)}
