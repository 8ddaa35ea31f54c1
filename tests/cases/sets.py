"""`tf.sets`, crossed features, constants as protos."""

CASES = {}


def _case(name, build):
    CASES[name] = lambda tf, np: {"y": build(tf)}


def _words(tf):
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 2])


def _letters(tf):
    return tf.SparseTensor([[0, 0], [1, 0]], ["x", "y"], [2, 1])


def _numbers(tf):
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 1, 2], [2, 2])


_SPECS = {
    "intersection": lambda tf: tf.sets.intersection(
        tf.constant([[1, 2, 3], [4, 5, 6]]), tf.constant([[2, 3, 9], [4, 4, 0]])
    ),
    "difference": lambda tf: tf.sets.difference(tf.constant([[1, 2, 3]]), tf.constant([[2, 8]])),
    "difference_other": lambda tf: tf.sets.set_difference(
        tf.constant([[1, 2, 3]]), tf.constant([[2, 8]]), aminusb=False
    ),
    "union": lambda tf: tf.sets.union(tf.constant([["b", "a"]]), tf.constant([["c", "a"]])),
    "sparse_union": lambda tf: tf.sets.union(_numbers(tf), _numbers(tf)),
    "mixed": lambda tf: tf.sets.difference(_numbers(tf), tf.constant([[7], [2]])),
    "dense_sparse": lambda tf: tf.sets.intersection(tf.constant([[1], [7]]), _numbers(tf)),
    "size": lambda tf: tf.sets.size(_numbers(tf)),
    "types_wrong": lambda tf: tf.sets.union(tf.constant([[1.0]]), tf.constant([[1.0]])),
    "groups_wrong": lambda tf: tf.sets.union(tf.constant([[1], [2]]), tf.constant([[1]])),
    "cross": lambda tf: tf.sparse.cross([_words(tf), _letters(tf)]),
    "cross_three": lambda tf: tf.sparse.cross(
        [_words(tf), _letters(tf), tf.constant([["q"], ["r"]])]
    ),
    "cross_number": lambda tf: tf.sparse.cross([_words(tf), tf.constant([[1], [2]], tf.int64)]),
    "cross_hashed": lambda tf: tf.sparse.cross_hashed([_words(tf), _letters(tf)], num_buckets=100),
    "cross_hashed_all": lambda tf: tf.sparse.cross_hashed([_words(tf), _letters(tf)]),
    "cross_hashed_key": lambda tf: tf.sparse.cross_hashed(
        [tf.constant([[1, 2]], tf.int64), tf.constant([[7]], tf.int64)], num_buckets=10, hash_key=5
    ),
    "cross_wrong": lambda tf: tf.sparse.cross(_words(tf)),
}
for _name, _build in sorted(_SPECS.items()):
    _case(_name, _build)


def protos(tf, np):
    values = [1, [1.5, 2.5], ["a", b"b"], True, np.arange(4.0).reshape(2, 2), [[1], [2]]]
    found = [tf.make_tensor_proto(v) for v in values]
    found += [tf.make_tensor_proto(7, shape=[2, 3]), tf.make_tensor_proto([1, 2], tf.int64, [2, 1])]
    text = [str(p) for p in found]
    found.append(tf.make_tensor_proto(1 + 2j))  # protobuf's versions write its text differently
    return {"text": text, "arrays": [np.asarray(tf.make_ndarray(p)) for p in found]}


def proto_too_large(tf, np):
    tf.make_tensor_proto([1, 2, 3], shape=[2])


def proto_other_shape(tf, np):
    tf.make_tensor_proto([1, 2], shape=[2, 1], verify_shape=True)


def proto_other_type(tf, np):
    tf.make_tensor_proto(["a"], tf.float32)


def static_values(tf, np):
    x = tf.placeholder(tf.float32, [2, None])
    return {
        "values": [tf.get_static_value(t) is None for t in (x, tf.shape(x), tf.constant(1))],
        "rank": tf.get_static_value(tf.rank(x)),
        "sum": tf.get_static_value(tf.stack([tf.constant(1), 2])),
        "ours": tf.get_static_value(tf.cast(tf.fill([2], 3), tf.float32)),
    }


def tensor_or_sparse(tf, np):
    f = tf.convert_to_tensor_or_sparse_tensor
    return {
        "dense": f([1, 2]),
        "sparse": f(_words(tf)),
        "value": f(tf.SparseTensorValue(np.array([[0]]), np.array([1]), np.array([2]))),
    }
