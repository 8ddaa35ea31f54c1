"""`tf.sparse`: dense forms, products, parts, order, arithmetic; gradients and errors."""

CASES = {}


def _matrix(tf, static=True):
    """[[1, 0, 2], [0, 0, 0], [0, -3, 0]], its values fed by default."""
    values = tf.placeholder_with_default([1.0, 2.0, -3.0], [3])
    shape = [3, 3] if static else tf.placeholder_with_default(tf.constant([3, 3], tf.int64), [2])
    return tf.SparseTensor([[0, 0], [0, 2], [2, 1]], values, shape), values


def _other(tf):
    return tf.SparseTensor([[0, 0], [1, 1], [2, 1]], [4.0, 5.0, 3.0], [3, 3])


def _words(tf):
    return tf.SparseTensor([[0, 1], [2, 0]], ["a", "b"], [3, 2])


def _case(name, build, grad=True, static=True, nodes=True):
    def run(tf, np):
        sparse, values = _matrix(tf, static)
        y = build(tf, sparse)
        wanted = y if isinstance(y, dict) else {"y": y}
        if grad:
            first = wanted["y"]
            first = first.values if isinstance(first, tf.SparseTensor) else first
            g = tf.gradients(first * first, values)[0]
            if g is not None:
                wanted["grad"] = g
        return wanted

    run.nodes = nodes
    CASES[name] = run


_case("to_dense", lambda tf, s: tf.sparse_tensor_to_dense(s))
_case("to_dense_dynamic", lambda tf, s: tf.sparse_tensor_to_dense(s, 7.0, name="d"), static=False)
_case("to_dense_string", lambda tf, s: tf.sparse_tensor_to_dense(_words(tf), ""), grad=False)
_case(
    "to_dense_unsorted",
    lambda tf, s: tf.sparse_tensor_to_dense(tf.SparseTensor([[1, 0], [0, 0]], [1.0, 2.0], [2, 2])),
    grad=False,
)
_case(
    "to_dense_repeated",
    lambda tf, s: tf.sparse_tensor_to_dense(tf.SparseTensor([[1, 0], [1, 0]], [1.0, 2.0], [2, 2])),
    grad=False,
)
_case(
    "to_dense_outside",
    lambda tf, s: tf.sparse_tensor_to_dense(tf.SparseTensor([[5, 0]], [1.0], [2, 2])),
    grad=False,
)
_case(
    "to_dense_unchecked",
    lambda tf, s: tf.sparse_tensor_to_dense(
        tf.SparseTensor([[1, 0], [0, 0]], [1.0, 2.0], [2, 2]), validate_indices=False
    ),
    grad=False,
)
_case(
    "sparse_to_dense",
    lambda tf, s: {
        "a": tf.sparse_to_dense([1, 3], [5], 1.0),
        "b": tf.sparse_to_dense([[0, 1]], [2, 2], [3], 9),
        "c": tf.sparse_to_dense(2, [4], True, False),
    },
    grad=False,
)
_case(
    "to_dense_default_gradient",
    lambda tf, s: tf.gradients(tf.sparse_to_dense([1], [3], [1.0], s.values[0]) ** 2, s.values)[0],
    grad=False,
)
_case("from_dense", lambda tf, s: tf.sparse.from_dense([[0, 2], [3, 0]]), grad=False)
_case("eye", lambda tf, s: {"a": tf.sparse.eye(2), "b": tf.sparse.eye(2, 3, tf.int32)}, grad=False)
_case("matmul", lambda tf, s: tf.sparse_tensor_dense_matmul(s, tf.reshape(tf.range(6.0), [3, 2])))
_case(
    "matmul_adjoint",
    lambda tf, s: tf.sparse_tensor_dense_matmul(
        s, tf.reshape(tf.range(6.0), [2, 3]), adjoint_a=True, adjoint_b=True
    ),
)
_case(
    "matmul_dense_gradient",
    lambda tf, s: (
        lambda b: tf.gradients(tf.sparse_tensor_dense_matmul(s, b, adjoint_a=True), b)[0]
    )(tf.ones([3, 2])),
    grad=False,
)
_case("matmul_wrong", lambda tf, s: tf.sparse_tensor_dense_matmul(s, tf.ones([2, 2])), grad=False)
_case(
    "matmul_run_wrong",
    lambda tf, s: tf.sparse_tensor_dense_matmul(s, tf.placeholder_with_default([[1.0]], None)),
    grad=False,
)
_case(
    "matmul_outside",
    lambda tf, s: tf.sparse_tensor_dense_matmul(
        tf.SparseTensor([[0, 4]], [1.0], [2, 2]), tf.ones([2, 2])
    ),
    grad=False,
)
_case(
    "reorder",
    lambda tf, s: tf.sparse_reorder(tf.SparseTensor([[2, 1], [0, 2], [0, 0]], s.values, [3, 3])),
)
_case("reorder_dynamic", lambda tf, s: tf.sparse_reorder(s), static=False)
_case("reorder_string", lambda tf, s: tf.sparse_reorder(_words(tf)), grad=False)
_case("reshape", lambda tf, s: tf.sparse_reshape(s, [9, -1]))
_case("reshape_dynamic", lambda tf, s: tf.sparse_reshape(s, [1, 9]), static=False)
_case("reshape_wrong", lambda tf, s: tf.sparse_reshape(s, [2, 2]), grad=False)
_case("reshape_run_wrong", lambda tf, s: tf.sparse_reshape(s, [2, 2]), grad=False, static=False)
_case("transpose", lambda tf, s: tf.sparse_transpose(s))
_case("transpose_perm", lambda tf, s: tf.sparse_transpose(s, [1, 0]), static=False)
_case(
    "expand_dims", lambda tf, s: {"y": tf.sparse.expand_dims(s), "b": tf.sparse.expand_dims(s, 0)}
)
_case(
    "reset_shape",
    lambda tf, s: {"y": tf.sparse_reset_shape(s), "b": tf.sparse_reset_shape(s, [4, 5])},
)
_case("reset_shape_wrong", lambda tf, s: tf.sparse_reset_shape(s, [1, 5]), grad=False)
_case(
    "reset_shape_dynamic", lambda tf, s: tf.sparse_reset_shape(s, [4, 5]), static=False, nodes=False
)  # guards of assertions: Switch and Merge there, If here
_case(
    "concat",
    lambda tf, s: {
        "a": tf.sparse_concat(0, [s, _other(tf)]),
        "b": tf.sparse_concat(-1, [s, _other(tf)]),
    },
    grad=False,
)
_case(
    "concat_dynamic", lambda tf, s: tf.sparse_concat(1, [s, _other(tf)]), grad=False, static=False
)
_case(
    "concat_expand",
    lambda tf, s: tf.sparse_concat(
        0, [s, tf.SparseTensor([[0, 3]], [1.0], [1, 4])], expand_nonconcat_dim=True
    ),
    grad=False,
)
_case("concat_string", lambda tf, s: tf.sparse_concat(0, [_words(tf), _words(tf)]), grad=False)
_case("split", lambda tf, s: {"y": tf.sparse_split(sp_input=s, num_split=2, axis=1)}, grad=False)
_case(
    "split_old",
    lambda tf, s: {"y": tf.sparse_split(sp_input=_words(tf), num_split=3, axis=0)},
    grad=False,
)
_case("slice", lambda tf, s: tf.sparse_slice(s, [0, 1], [3, 5]))
_case("retain", lambda tf, s: tf.sparse_retain(s, [True, False, True]), grad=False)
_case(
    "retain_gradient",
    lambda tf, s: tf.convert_to_tensor(
        tf.gradients(tf.sparse_retain(s, [True, False, True]).values ** 2, s.values)[0]
    ),
    grad=False,
)
_case(
    "fill_empty_rows",
    lambda tf, s: {
        "y": tf.sparse_fill_empty_rows(s, 9.0)[0],
        "b": tf.sparse_fill_empty_rows(s, 9.0)[1],
    },
)
_case(
    "fill_empty_rows_default",
    lambda tf, s: tf.gradients(tf.sparse_fill_empty_rows(s, s.values[0])[0].values ** 2, s.values)[
        0
    ],
    grad=False,
)
_case(
    "fill_empty_rows_string", lambda tf, s: tf.sparse_fill_empty_rows(_words(tf), "x"), grad=False
)
_case(
    "fill_empty_rows_wrong",
    lambda tf, s: tf.sparse_fill_empty_rows(tf.SparseTensor([[5, 0]], [1.0], [2, 2]), 0.0)[0],
    grad=False,
)
_case(
    "to_indicator",
    lambda tf, s: tf.sparse_to_indicator(
        tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 3, 0], [2, 2]), 4
    ),
    grad=False,
)
_case(
    "merge",
    lambda tf, s: tf.sparse_merge(
        tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [3, 1, 0], [2, 2]),
        tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2]),
        4,
    ),
    grad=False,
)
_case("add", lambda tf, s: tf.sparse_add(s, _other(tf)))
_case("add_threshold", lambda tf, s: tf.sparse_add(s, _other(tf), threshold=2.5))
_case("add_dense", lambda tf, s: tf.sparse_add(s, tf.ones([3, 3])))
_case("add_dense_first", lambda tf, s: tf.sparse_add(tf.ones([3, 3]), s))
_case("add_wrong", lambda tf, s: tf.sparse_add(tf.ones([1]), tf.ones([1])), grad=False)
_case("times_dense", lambda tf, s: s * tf.constant([[1.0], [2.0], [3.0]]))
_case("by_dense", lambda tf, s: s / tf.constant([1.0, 2.0, 4.0]))
_case(
    "times_dense_gradient",
    lambda tf, s: (lambda d: tf.gradients((s * d).values, d)[0])(tf.constant([[1.0, 2.0, 3.0]])),
    grad=False,
)
_case(
    "plus_dense_raw",
    lambda tf, s: tf.raw_ops.SparseDenseCwiseAdd(
        sp_indices=s.indices, sp_values=s.values, sp_shape=s.dense_shape, dense=[1.0, 2.0, 3.0]
    ),
    grad=False,
)
_case("softmax", lambda tf, s: tf.sparse_softmax(s))
_case(
    "maximum",
    lambda tf, s: {"a": tf.sparse_maximum(s, _other(tf)), "b": tf.sparse_minimum(s, _other(tf))},
    grad=False,
)
_case("reduce_sum", lambda tf, s: tf.sparse_reduce_sum(s))
_case("reduce_sum_axis", lambda tf, s: tf.sparse_reduce_sum(s, 1))
_case("reduce_sum_keep", lambda tf, s: tf.sparse_reduce_sum(s, [0], keep_dims=True))
_case(
    "reduce_max",
    lambda tf, s: {"a": tf.sparse_reduce_max(s, 0), "b": tf.sparse_reduce_max(s)},
    grad=False,
)
_case(
    "reduce_sum_sparse",
    lambda tf, s: {
        "a": tf.sparse_reduce_sum_sparse(s, 1),
        "b": tf.sparse_reduce_sum_sparse(s, 0, keepdims=True),
    },
    grad=False,
)
_case("reduce_max_sparse", lambda tf, s: tf.sparse_reduce_max_sparse(s, 1), grad=False)
_case("reduce_wrong", lambda tf, s: tf.sparse_reduce_sum(s, 5), grad=False)


def not_sparse(tf, np):
    tf.sparse_reorder(tf.constant([1.0]))


def sparse_mask(tf, np):
    a = tf.IndexedSlices(tf.constant([[1.0], [2.0], [3.0]]), tf.constant([5, 6, 7]))
    b = tf.sparse_mask(a, [6])
    return {"values": b.values, "indices": b.indices}


def serialized(tf, np):
    sparse, _ = _matrix(tf)
    one, many = tf.serialize_sparse(sparse), tf.serialize_many_sparse(sparse)
    words = tf.serialize_many_sparse(_words(tf))
    back = tf.deserialize_many_sparse(many, tf.float32, rank=2)
    words_back = tf.deserialize_many_sparse(words, tf.string)
    single = tf.raw_ops.DeserializeSparse(serialized_sparse=one, dtype=tf.float32)
    return {
        "one": one,
        "many": many,
        "back": [back.indices, back.values, back.dense_shape],
        "words": [words_back.indices, words_back.values, words_back.dense_shape],
        "single": list(single),
    }


def serialized_other_type(tf, np):
    sparse, _ = _matrix(tf)
    return {"y": tf.deserialize_many_sparse(tf.serialize_many_sparse(sparse), tf.int32).values}
