"""Parsing of Example protos, CSV lines, raw bytes, tensors."""

import gzip
import struct
import zlib


def _varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _field(number, data):
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _feature(values):
    """A Feature proto of floats, integers or byte strings, by the type of the first value."""
    if isinstance(values[0], float):
        return _field(2, _field(1, struct.pack("<%df" % len(values), *values)))
    if isinstance(values[0], int):
        return _field(3, _field(1, b"".join(map(_varint, values))))
    return _field(1, b"".join(_field(1, v) for v in values))


def _features(entries):
    return b"".join(
        _field(1, _field(1, k.encode()) + _field(2, _feature(v)))
        for k, v in sorted(entries.items())
    )


def _example(**entries):
    return _field(1, _features(entries))


def _sequence(context, **lists):
    made = b"".join(
        _field(
            1, _field(1, k.encode()) + _field(2, b"".join(_field(1, _feature(v)) for v in values))
        )
        for k, values in sorted(lists.items())
    )
    return _field(1, _features(context)) + _field(2, made)


FIRST = _example(x=[1.0, 2.0], y=[3], z=[b"a", b"bb"], i=[0, 3])
SECOND = _example(x=[3.0, 4.0], z=[b"c"], i=[1], w=[5.0, 6.0, 7.0, 8.0])


def _features_table(tf):
    L, V, S = tf.FixedLenFeature, tf.VarLenFeature, tf.FixedLenSequenceFeature
    return {
        "dense": {"x": L([2], tf.float32), "y": L([], tf.int64, -1)},
        "dense of a default shape": {"y": L([2], tf.int64, [8, 9])},
        "sparse": {"z": V(tf.string), "i": V(tf.int64), "none": V(tf.float32)},
        "sequence": {
            "w": S([2], tf.float32, allow_missing=True, default_value=9.0),
            "z": S([], tf.string, allow_missing=True),
        },
        "sparse feature": {"sp": tf.SparseFeature("i", "z", tf.string, 5)},
        "missing": {"y": L([], tf.int64)},
        "too many": {"x": L([], tf.float32)},
        "other type": {"x": L([2], tf.int64)},
        "unknown size": {"x": L([None], tf.float32)},
        "no feature": {"x": 3},
    }


def _batch(name):
    return lambda tf, np: tf.parse_example([FIRST, SECOND], _features_table(tf)[name])


def _single(name):
    def case(tf, np):
        return tf.parse_single_example(FIRST, _features_table(tf)[name])

    return case


_NAMES = (
    "dense",
    "dense of a default shape",
    "sparse",
    "sequence",
    "sparse feature",
    "missing",
    "too many",
    "other type",
    "unknown size",
    "no feature",
)
CASES = {"batch: " + n: _batch(n) for n in _NAMES}
CASES.update({"single: " + n: _single(n) for n in _NAMES if n != "missing"})


def named(tf, np):
    return tf.parse_single_example(
        FIRST,
        {"x": tf.FixedLenFeature([2], tf.float32), "z": tf.VarLenFeature(tf.string)},
        example_names="first",
    )


def named_batch(tf, np):
    return tf.parse_example(
        [FIRST, SECOND], {"y": tf.FixedLenFeature([], tf.int64)}, example_names=["first", "second"]
    )


def not_a_proto(tf, np):
    return tf.parse_example([b"xxx"], {"x": tf.FixedLenFeature([2], tf.float32)})


def no_features(tf, np):
    return tf.parse_example([FIRST], {})


def no_examples(tf, np):
    return tf.parse_example(
        tf.constant([], tf.string),
        {"x": tf.FixedLenFeature([2], tf.float32), "z": tf.VarLenFeature(tf.string)},
    )


def _sequence_proto():
    return _sequence({"c": [5], "d": [b"q"]}, f=[[1.0, 2.0], [3.0, 4.0]], g=[[1], [2, 3]])


def sequences(tf, np):
    context, lists = tf.parse_single_sequence_example(
        _sequence_proto(),
        {
            "c": tf.FixedLenFeature([], tf.int64),
            "d": tf.VarLenFeature(tf.string),
            "e": tf.FixedLenFeature([2], tf.float32, [1.0, 2.0]),
        },
        {
            "f": tf.FixedLenSequenceFeature([2], tf.float32),
            "g": tf.VarLenFeature(tf.int64),
            "h": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
        },
    )
    return {"context": context, "lists": lists}


def sequences_in_batches(tf, np):
    other = _sequence({"c": [6]}, f=[[5.0, 6.0]], g=[[4, 5, 6]], h=[[7]])
    context, lists, lengths = tf.io.parse_sequence_example(
        [_sequence_proto(), other],
        {
            "c": tf.FixedLenFeature([], tf.int64),
            "d": tf.VarLenFeature(tf.string),
            "e": tf.FixedLenFeature([2], tf.float32, [1.0, 2.0]),
        },
        {
            "f": tf.FixedLenSequenceFeature([2], tf.float32),
            "g": tf.VarLenFeature(tf.int64),
            "h": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
        },
    )
    return {"context": context, "lists": lists, "lengths": lengths}


def sequence_missing(tf, np):
    lists = {"h": tf.FixedLenSequenceFeature([], tf.int64)}
    return tf.parse_single_sequence_example(_sequence_proto(), None, lists)[1]


def sequence_of_other_shape(tf, np):
    lists = {"f": tf.FixedLenSequenceFeature([3], tf.float32)}
    return tf.parse_single_sequence_example(_sequence_proto(), None, lists)[1]


def json(tf, np):
    text = '{"features":{"feature":{"x":{"floatList":{"value":[1,2]}}}}}'
    return tf.parse_example(
        tf.decode_json_example([text]), {"x": tf.FixedLenFeature([2], tf.float32)}
    )


def _csv(*args, **kwargs):
    return lambda tf, np: {str(i): c for i, c in enumerate(tf.decode_csv(*args, **kwargs))}


CASES.update(
    {
        "csv": _csv(["1,2.5,abc", '2,,"x,y""z"'], [[1], [0.5], ["q"]]),
        "csv of one line": _csv("7|x", [[1], [""]], field_delim="|"),
        "csv, not available": _csv(
            "1|NA|3", [[1.0], [2.0]], field_delim="|", na_value="NA", select_cols=[0, 1]
        ),
        "csv without quotes": _csv('"a",b', [[""], [""]], use_quote_delim=False),
        "csv, too many": _csv("1,2", [[1]]),
        "csv, no number": _csv("x", [[1]]),
        "csv, columns fall": _csv("1,2", [[1], [1]], select_cols=[1, 0]),
    }
)


def csv_required(tf, np):
    return {"x": tf.decode_csv(",2", [tf.constant([], tf.int32), [1]])}


def raw_bytes(tf, np):
    text = ["abcd", "efgh"]
    return {
        "int16": tf.decode_raw(text, tf.int16),
        "uint8": tf.decode_raw("abc", tf.uint8),
        "big": tf.decode_raw(text, tf.int16, little_endian=False),
        "float": tf.decode_raw([[struct.pack("<2f", 1.5, -2.0)]], tf.float32),
    }


def raw_bytes_padded(tf, np):
    pad = tf.raw_ops.DecodePaddedRaw
    return {
        "x": pad(input_bytes=["abc", "d"], fixed_length=4, out_type=tf.uint8),
        "y": pad(
            input_bytes=["abcdef", "d"], fixed_length=4, out_type=tf.int16, little_endian=True
        ),
    }


def raw_bytes_not_whole(tf, np):
    return {"x": tf.decode_raw(["abc"], tf.int16)}


def raw_bytes_of_other_sizes(tf, np):
    return {"x": tf.decode_raw(["abc", "a"], tf.uint8)}


def tensors(tf, np):
    found = {}
    for i, value in enumerate(
        (np.arange(6, dtype=np.float32).reshape(2, 3), np.int64(-3), np.array([[True, False]]))
    ):
        found[str(i)] = tf.parse_tensor(tf.serialize_tensor(value), tf.as_dtype(value.dtype))
    found["text"] = tf.parse_tensor(tf.serialize_tensor(["a", "bc"]), tf.string)
    return found


def tensor_of_other_type(tf, np):
    return {"x": tf.parse_tensor(tf.serialize_tensor([["a", "b"]]), tf.int32)}


def uncompressed(tf, np):
    return {
        "zlib": tf.decode_compressed([zlib.compress(b"some text")], "ZLIB"),
        "gzip": tf.decode_compressed([gzip.compress(b"other text")], "GZIP"),
        "none": tf.decode_compressed(["plain"]),
    }


def single_example_used(tf, np):
    """Scalar features go on to other ops."""
    feature = tf.train.Feature
    features = {
        "raw": feature(bytes_list=tf.train.BytesList(value=[b"\x01\x02\xff"])),
        "n": feature(int64_list=tf.train.Int64List(value=[7])),
        "x": feature(float_list=tf.train.FloatList(value=[0.5])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    parsed = tf.parse_single_example(
        tf.constant(example.SerializeToString()),
        {
            "raw": tf.FixedLenFeature([], tf.string),
            "n": tf.FixedLenFeature([], tf.int64),
            "x": tf.FixedLenFeature([], tf.float32),
        },
    )
    return {
        "bytes": tf.decode_raw(parsed["raw"], tf.uint8),
        "joined": tf.string_join([parsed["raw"], "!"]),
        "sum": tf.cast(parsed["n"], tf.float32) + parsed["x"],
        "hot": tf.one_hot(parsed["n"], 9),
    }
