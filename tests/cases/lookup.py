"""Lookup tables: static, from files, with hash buckets, mutable."""

import os
import tempfile


def _file(text):
    handle, path = tempfile.mkstemp(suffix=".txt")
    with os.fdopen(handle, "w") as f:
        f.write(text)
    return path


def _run(tf, *fetches):
    with tf.Session() as sess:
        sess.run(tf.tables_initializer())
        return sess.run(list(fetches))


def static_table(tf, np):
    init = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
    table = tf.lookup.StaticHashTable(init, -1)
    keys, values = table.export()
    found, size, k, v = _run(tf, table.lookup(tf.constant(["a", "z"])), table.size(), keys, values)
    return {
        "found": found,
        "size": size,
        "entries": sorted(zip(k.tolist(), v.tolist())),
        "types": [table.key_dtype.name, table.value_dtype.name],
        "name": table.name,
    }


def integer_keys(tf, np):
    init = tf.lookup.KeyValueTensorInitializer([3, 4], ["x", "y"], tf.int64, tf.string)
    table = tf.lookup.StaticHashTable(init, "none", name="t")
    return {"found": _run(tf, table.lookup(tf.constant([[4], [9]], tf.int64)))}


def sparse_keys(tf, np):
    table = tf.contrib.lookup.index_table_from_tensor(tf.constant(["q", "r"]))
    (found,) = _run(tf, table.lookup(tf.SparseTensor([[0], [1]], ["r", "s"], [2])))
    return {"values": found.values}


def not_initialized(tf, np):
    init = tf.lookup.KeyValueTensorInitializer(["a"], [1])
    table = tf.lookup.StaticHashTable(init, -1)
    with tf.Session() as sess:
        return {"y": sess.run(table.lookup(tf.constant(["a"])))}


def different_values(tf, np):
    init = tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2])
    tf.lookup.StaticHashTable(init, -1)
    return {"y": _run(tf)}


def wrong_keys(tf, np):
    init = tf.lookup.KeyValueTensorInitializer(["a"], [1])
    tf.lookup.StaticHashTable(init, -1).lookup(tf.constant([1]))


def from_file(tf, np):
    path = _file("a\nb\nc\n")
    table = tf.contrib.lookup.index_table_from_file(path, num_oov_buckets=2)
    found = _run(tf, table.lookup(tf.constant(["a", "z", "c"])), table.size())
    return {"found": found, "assets": len(tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS))}


def from_file_columns(tf, np):
    path = _file("a\t1\nb\t2\n")
    init = tf.lookup.TextFileInitializer(path, tf.string, 0, tf.int64, 1)
    table = tf.lookup.StaticHashTable(init, -1)
    return {"found": _run(tf, table.lookup(tf.constant(["a", "b", "c"])))}


def from_file_size(tf, np):
    path = _file("a\nb\nc\n")
    table = tf.contrib.lookup.index_table_from_file(path, vocab_size=2)
    return {"found": _run(tf, table.lookup(tf.constant(["a", "c"])), table.size())}


def from_file_too_large(tf, np):
    path = "vocabulary-of-three.txt"
    with open(path, "w") as f:
        f.write("a\nb\nc\n")
    try:
        table = tf.contrib.lookup.index_table_from_file(path, vocab_size=5)
        return {"found": _run(tf, table.size())}
    finally:
        os.remove(path)


def from_file_missing(tf, np):
    table = tf.contrib.lookup.index_table_from_file("no-such-file.txt")
    return {"found": _run(tf, table.size())}


def to_strings(tf, np):
    path = _file("a\nb\n")
    table = tf.contrib.lookup.index_to_string_table_from_file(path)
    other = tf.contrib.lookup.index_to_string_table_from_tensor(["x", "y"], default_value="?")
    ids = tf.constant([1, 7], tf.int64)
    return {"found": _run(tf, table.lookup(ids), other.lookup(ids))}


def buckets(tf, np):
    table = tf.contrib.lookup.index_table_from_tensor([5, 6], num_oov_buckets=3, dtype=tf.int64)
    alone = tf.contrib.lookup.IdTableWithHashBuckets(None, 4)
    strong = tf.contrib.lookup.index_table_from_tensor(
        ["a"], num_oov_buckets=10, hasher_spec=tf.contrib.lookup.StrongHashSpec([1, 2])
    )
    return {
        "found": _run(
            tf,
            table.lookup(tf.constant([5, 99], tf.int64)),
            alone.lookup(tf.constant(["k", "l"])),
            strong.lookup(tf.constant(["a", "k"])),
        )
    }


def vocabulary_table(tf, np):
    init = tf.lookup.KeyValueTensorInitializer(["a", "b"], [0, 1], value_dtype=tf.int64)
    table = tf.lookup.StaticVocabularyTable(init, 2)
    return {"found": _run(tf, table.lookup(tf.constant(["b", "zz", "yy"])), table.size())}


def mutable_table(tf, np):
    table = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, -1)
    insert = table.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64))
    remove = table.remove(tf.constant(["a"]))
    found, size = table.lookup(tf.constant(["a", "b"])), table.size()
    with tf.Session() as sess:
        before = sess.run([found, size])
        sess.run(insert)
        between = sess.run([found, size])
        sess.run(remove)
        return {"before": before, "between": between, "after": sess.run([found, size])}


def mutable_table_vectors(tf, np):
    table = tf.contrib.lookup.MutableHashTable(tf.int64, tf.float32, [0.0, -1.0])
    insert = table.insert(tf.constant([7], tf.int64), tf.constant([[1.0, 2.0]]))
    found = table.lookup(tf.constant([[7], [8]], tf.int64))
    keys, values = table.export()
    with tf.Session() as sess:
        sess.run(insert)
        return {"found": sess.run(found), "all": sess.run([keys, values])}


def dense_table(tf, np):
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, 0, -2)
    insert = table.insert(tf.constant([5, 6], tf.int64), tf.constant([1, 2], tf.int64))
    found = table.lookup(tf.constant([5, 9], tf.int64))
    with tf.Session() as sess:
        sess.run(insert)
        return {"found": sess.run(found), "size": sess.run(table.size())}


def dense_table_forbidden(tf, np):
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, 0, -2)
    return {"y": table.lookup(tf.constant([0], tf.int64))}


def saved_table(tf, np):
    table = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, -1, name="t")
    insert = table.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64))
    clear = table.remove(tf.constant(["a", "b"]))
    found = table.lookup(tf.constant(["a", "b"]))
    saver = tf.train.Saver()
    with tempfile.TemporaryDirectory() as folder, tf.Session() as sess:
        sess.run(insert)
        path = saver.save(sess, os.path.join(folder, "model"))
        sess.run(clear)
        saver.restore(sess, path)
        return {"found": sess.run(found)}


saved_table.nodes = False  # shared names and paths are random


def raw_tables(tf, np):
    handle = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    fill = tf.raw_ops.InitializeTableV2(
        table_handle=handle, keys=["a"], values=tf.constant([4], tf.int64)
    )
    found = tf.raw_ops.LookupTableFindV2(
        table_handle=handle, keys=["a", "b"], default_value=tf.constant(0, tf.int64)
    )
    with tf.Session() as sess:
        sess.run(fill)
        return {"found": sess.run(found)}


def reference_tables(tf, np):
    raw = tf.raw_ops
    handle = raw.HashTable(key_dtype=tf.string, value_dtype=tf.int64)
    four = tf.constant([4], tf.int64)
    fill = raw.InitializeTable(table_handle=handle, keys=["a"], values=four)
    zero = tf.constant(0, tf.int64)
    found = raw.LookupTableFind(table_handle=handle, keys=["a", "b"], default_value=zero)
    path = _file("x\ny\n")
    lines = raw.HashTable(key_dtype=tf.string, value_dtype=tf.int64, shared_name="lines")
    read = raw.InitializeTableFromTextFile(
        table_handle=lines, filename=path, key_index=-2, value_index=-1
    )
    mutable = raw.MutableHashTable(key_dtype=tf.string, value_dtype=tf.int64)
    insert = raw.LookupTableInsert(table_handle=mutable, keys=["k"], values=four)
    other = raw.LookupTableImport(table_handle=mutable, keys=["l"], values=four)
    entries = raw.LookupTableExport(table_handle=mutable, Tkeys=tf.string, Tvalues=tf.int64)
    vectors = raw.MutableHashTableOfTensors(
        key_dtype=tf.int64, value_dtype=tf.float32, value_shape=[2]
    )
    put = raw.LookupTableInsert(table_handle=vectors, keys=four, values=[[1.0, 2.0]])
    got = raw.LookupTableFind(table_handle=vectors, keys=four, default_value=[0.0, 0.0])
    with tf.Session() as sess:
        sess.run([fill, read, insert, put])
        first = sess.run(list(entries))
        sess.run(other)
        return {
            "found": sess.run(found),
            "lines": sess.run(
                raw.LookupTableFind(table_handle=lines, keys=["y"], default_value=zero)
            ),
            "got": sess.run(got),
            "size": sess.run(raw.LookupTableSize(table_handle=lines)),
            "entries": [first, sess.run(list(entries))],
        }


reference_tables.nodes = False  # the name of the file is random
