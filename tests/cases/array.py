"""Shapes, filled tensors, reshaping, joining, repeating, masks; their gradients and their errors."""

CASES = {}


def _case(name, build, inputs=(), grad=(), nodes=True):
    """A case: placeholders with defaults for `inputs`, `build(tf, *tensors)`, gradients by `grad`."""

    def run(tf, np):
        tensors = [_input(tf, np, i) for i in inputs]
        y = build(tf, *tensors)
        wanted = dict(y) if isinstance(y, dict) else {"y": y}
        if grad:
            first = wanted.get("y", wanted[sorted(wanted)[0]])
            first = list(first) if isinstance(first, (list, tuple)) else [first]
            for place, g in zip(grad, tf.gradients(first, [tensors[i] for i in grad])):
                if hasattr(g, "values"):
                    wanted["grad%d values" % place] = g.values
                    wanted["grad%d indices" % place] = g.indices
                elif g is not None:
                    wanted["grad%d" % place] = g
        return wanted

    run.nodes = nodes
    CASES[name] = run


def _input(tf, np, spec):
    """(shape, static shape or None) or (values, dtype, static shape): fed by its default."""
    if isinstance(spec, tuple) and len(spec) == 3:
        values, dtype, static = spec
        array = np.array(values, dtype)
    else:
        shape, static = spec if isinstance(spec, tuple) else (spec, spec)
        count = 1
        for s in shape:
            count *= s
        array = (np.arange(count, dtype=np.float32) * 0.5 - 1).reshape(shape)
    return tf.placeholder_with_default(array, None if static == "?" else static)


_U = "?"  # of unknown rank

_case("shape", lambda tf, x: {"a": tf.shape(x), "b": tf.shape(x, out_type=tf.int64)}, [[2, 3]])
_case(
    "shape_partial",
    lambda tf, x: {"a": tf.shape(x), "size": tf.size(x), "rank": tf.rank(x)},
    [([2, 3], [None, 3])],
)
_case(
    "shape_unknown",
    lambda tf, x: {"a": tf.shape(x), "size": tf.size(x), "rank": tf.rank(x)},
    [([2, 3], _U)],
)
_case("shape_n", lambda tf, x, y: {"n": tf.shape_n([x, y])}, [[2], ([3, 1], _U)])
_case("size_zero", lambda tf, x: tf.size(x), [([2, 0], [None, 0])])
_case("size_int64", lambda tf, x: tf.size(x, out_type=tf.int64), [([2, 1], _U)])
_case("fill", lambda tf, x: tf.fill([2, 3], x), [[]], [0])
_case("fill_dynamic", lambda tf, n, x: tf.fill(n, x), [([2, 3], "int32", [None]), ([], [])], [1])
_case("fill_negative", lambda tf, n: tf.fill(n, 1.0), [([-2], "int32", [1])])
_case("fill_negative_static", lambda tf: tf.fill([-2], 1.0))
_case("fill_string", lambda tf: tf.fill([2], "a"))
_case(
    "zeros",
    lambda tf: {
        "a": tf.zeros([2, 3]),
        "b": tf.zeros([], tf.int32),
        "c": tf.zeros((40, 30)),
        "d": tf.zeros([2], tf.string),
        "e": tf.zeros([2], tf.bool),
        "f": tf.zeros(3, tf.float64),
    },
)
_case(
    "zeros_tensor",
    lambda tf, n: {
        "a": tf.zeros(n),
        "b": tf.zeros([n[0], 2]),
        "c": tf.ones(tf.stack([n[0], 1]), tf.int64),
    },
    [([2, 3], "int32", [2])],
)
_case(
    "zeros_shape",
    lambda tf: {"a": tf.zeros(tf.TensorShape([2, 3])), "b": tf.zeros(tf.TensorShape([200, 30]))},
)
_case(
    "ones",
    lambda tf: {
        "a": tf.ones([2, 3]),
        "b": tf.ones([2], tf.bool),
        "c": tf.ones([1001], tf.int64),
        "d": tf.ones([3], tf.complex64),
    },
)
_case(
    "zeros_like",
    lambda tf, x, y: {
        "a": tf.zeros_like(x),
        "b": tf.zeros_like(y),
        "c": tf.zeros_like(y, dtype=tf.int32),
        "d": tf.zeros_like(x, dtype=tf.float64, name="z"),
        "e": tf.zeros_like(x, optimize=False),
    },
    [[2, 3], ([2, 3], [None, 3])],
)
_case("zeros_like_string", lambda tf: tf.zeros_like(tf.constant(["a", "b"])))
_case(
    "ones_like",
    lambda tf, x, y: {
        "a": tf.ones_like(x),
        "b": tf.ones_like(y),
        "c": tf.ones_like(y, dtype=tf.int32),
        "e": tf.ones_like(x, optimize=False),
    },
    [[2, 3], ([2, 3], [None, 3])],
)
_case("raw_ones_like", lambda tf, x: tf.raw_ops.OnesLike(x=x), [([2], _U)], nodes=False)

_case("reshape", lambda tf, x: tf.reshape(x, [3, 2]), [[2, 3]], [0])
_case("reshape_minus_one", lambda tf, x: tf.reshape(x, [-1, 2]), [([2, 3], [None, 3])], [0])
_case("reshape_flat", lambda tf, x: tf.reshape(x, [-1], name="flat"), [([2, 3], _U)], [0])
_case("reshape_scalar", lambda tf, x: tf.reshape(x, []), [[1]], [0])
_case(
    "reshape_mixed",
    lambda tf, x: tf.reshape(x, [tf.shape(x)[0], 6]),
    [([2, 3, 2], [None, 3, 2])],
    [0],
)
_case("reshape_mixed_known", lambda tf, x, n: tf.reshape(x, [n, 2]), [[2, 3], (3, "int32", [])])
_case("reshape_string", lambda tf: tf.reshape(tf.constant(["a", "b", "c", "d"]), [2, 2]))
_case("reshape_wrong", lambda tf, x, n: tf.reshape(x, n), [[2, 3], ([4], "int32", [1])])
_case(
    "reshape_wrong_multiple", lambda tf, x, n: tf.reshape(x, n), [[2, 3], ([4, -1], "int32", [2])]
)
_case("reshape_two_holes", lambda tf, x, n: tf.reshape(x, n), [[2, 3], ([-1, -1], "int32", [2])])
_case("reshape_static_wrong", lambda tf, x: tf.reshape(x, [4]), [[2, 3]])
_case("reshape_static_indivisible", lambda tf, x: tf.reshape(x, [4, -1]), [[2, 3]])
_case(
    "expand_dims",
    lambda tf, x: {
        "y": tf.expand_dims(x, 1),
        "b": tf.expand_dims(x, -1),
        "c": tf.expand_dims(x, dim=0),
    },
    [([2, 3], [None, 3])],
    [0],
)
_case("expand_dims_unknown", lambda tf, x, a: tf.expand_dims(x, a), [[2], (1, "int32", [])], [0])
_case("expand_dims_wrong", lambda tf, x: tf.expand_dims(x, 3), [[2]])
_case(
    "expand_dims_wrong_at_run", lambda tf, x, a: tf.expand_dims(x, a), [([2], _U), (4, "int32", [])]
)
_case(
    "squeeze",
    lambda tf, x: {
        "y": tf.squeeze(x),
        "b": tf.squeeze(x, [0]),
        "c": tf.squeeze(x, 2),
        "d": tf.squeeze(x, squeeze_dims=[-1]),
    },
    [[1, 2, 1]],
    [0],
)
_case("squeeze_partial", lambda tf, x: tf.squeeze(x, 0), [([1, 2], [None, 2])], [0])
_case("squeeze_wrong", lambda tf, x: tf.squeeze(x, 1), [[1, 2]])
_case("squeeze_out_of_range", lambda tf, x: tf.squeeze(x, 4), [[1, 2]])
_case("transpose", lambda tf, x: tf.transpose(x), [[2, 3]], [0])
_case(
    "transpose_perm",
    lambda tf, x: {"y": tf.transpose(x, [2, 0, 1]), "b": tf.transpose(x, perm=[0, 2, 1], name="b")},
    [([2, 3, 2], [None, 3, 2])],
    [0],
)
_case("transpose_unknown", lambda tf, x: tf.transpose(x), [([2, 3], _U)], [0])
_case(
    "transpose_conjugate", lambda tf: tf.transpose(tf.constant([[1 + 1j, 2 - 1j]]), conjugate=True)
)
_case("transpose_wrong", lambda tf, x: tf.transpose(x, [0]), [[2, 3]])
_case("transpose_duplicate", lambda tf, x, p: tf.transpose(x, p), [[2, 3], ([0, 0], "int32", [2])])
_case("transpose_string", lambda tf: tf.transpose(tf.constant([["a", "b"]])))
_case("matrix_transpose", lambda tf, x: tf.matrix_transpose(x), [[2, 3, 2]], [0])
_case("matrix_transpose_unknown", lambda tf, x: tf.matrix_transpose(x), [([2, 3], _U)])
_case("invert_permutation", lambda tf: tf.invert_permutation([2, 0, 1]))
_case("invert_permutation_wrong", lambda tf, x: tf.invert_permutation(x), [([0, 5], "int32", [2])])

_case("concat", lambda tf, x, y: tf.concat([x, y], 0), [[2, 3], [1, 3]], [0, 1])
_case(
    "concat_last",
    lambda tf, x, y: tf.concat([x, y], axis=-1),
    [([2, 3], [None, 3]), ([2, 1], [None, 1])],
    [0, 1],
)
_case("concat_one", lambda tf, x: tf.concat([x], 0), [[2, 3]], [0])
_case("concat_string", lambda tf: tf.concat([["a"], ["b", "c"]], 0))
_case("concat_python", lambda tf, x: tf.concat([[1.0], x, [[2.0]][0]], 0), [[2]], [0])
_case("concat_many", lambda tf, x: tf.concat([x] * 18, 0), [([2], [None])], [0])
_case("concat_static_wrong", lambda tf, x, y: tf.concat([x, y], 0), [[2, 3], [2, 2]])
_case("concat_rank_wrong", lambda tf, x, y: tf.concat([x, y], 0), [[2, 3], [2]])
_case("concat_scalars", lambda tf, x, y: tf.concat([x, y], 0), [[], []])
_case("concat_axis_wrong", lambda tf, x, y: tf.concat([x, y], 3), [[2], [2]])
_case("concat_run_wrong", lambda tf, x, y: tf.concat([x, y], 0), [([2, 3], _U), ([2, 2], _U)])
_case(
    "concat_unknown_axis",
    lambda tf, x, y, a: tf.concat([x, y], a),
    [[2, 3], [2, 3], (1, "int32", [])],
    [0],
)
_case(
    "concat_v1",
    lambda tf, x, y: tf.raw_ops.Concat(concat_dim=1, values=[x, y]),
    [[2, 3], [2, 1]],
    [0, 1],
)
_case(
    "concat_offset", lambda tf: {"o": tf.raw_ops.ConcatOffset(concat_dim=1, shape=[[2, 3], [2, 5]])}
)
_case("stack", lambda tf, x, y: tf.stack([x, y]), [[2], [2]], [0, 1])
_case(
    "stack_axis", lambda tf, x, y: tf.stack([x, y], axis=-1), [([2, 3], [None, 3]), [2, 3]], [0, 1]
)
_case("stack_numbers", lambda tf: {"a": tf.stack([1, 2]), "b": tf.stack([[1.0], [2.0]], axis=1)})
_case("stack_mixed", lambda tf, x: tf.stack([x, 2.0]), [[]], [0])
_case("stack_wrong", lambda tf, x, y: tf.stack([x, y]), [[2], [3]])
_case("stack_axis_wrong", lambda tf, x, y: tf.stack([x, y], axis=3), [[2], [2]])
_case("stack_run_wrong", lambda tf, x, y: tf.stack([x, y]), [([1], _U), ([2], _U)])
_case("unstack", lambda tf, x: {"y": tf.unstack(x), "b": tf.unstack(x, axis=1)}, [[2, 3]], [0])
_case("unstack_num", lambda tf, x: {"y": tf.unstack(x, num=2)}, [([2, 3], _U)], [0])
_case("unstack_unknown", lambda tf, x: {"y": tf.unstack(x)}, [([2, 3], [None, 3])])
_case("unstack_wrong", lambda tf, x: {"y": tf.unstack(x, num=3)}, [[2, 3]])
_case("unstack_run_wrong", lambda tf, x: {"y": tf.unstack(x, num=3)}, [([2], _U)])
_case("unstack_string", lambda tf: {"y": tf.unstack(tf.constant(["a", "b"]))})
_case("parallel_stack", lambda tf: tf.parallel_stack([tf.constant([1.0, 2.0]), [3.0, 4.0]]))

_case("tile", lambda tf, x: tf.tile(x, [2, 3]), [[2, 2]], [0])
_case(
    "tile_dynamic",
    lambda tf, x, n: tf.tile(x, n),
    [([2, 2], [None, 2]), ([1, 2], "int32", [2])],
    [0],
)
_case("tile_wrong", lambda tf, x: tf.tile(x, [2]), [[2, 2]])
_case("tile_negative", lambda tf, x, n: tf.tile(x, n), [[2], ([-1], "int32", [1])])
_case("tile_string", lambda tf: tf.tile(tf.constant(["a"]), [2]))
_case("tile_scalar", lambda tf, x, n: tf.tile(x, n), [[], ([], "int32", [0])])
_case("broadcast_to", lambda tf, x: tf.broadcast_to(x, [2, 3]), [[3]], [0])
_case("broadcast_to_wrong", lambda tf, x: tf.broadcast_to(x, [2, 4]), [[2, 3]])
_case(
    "broadcast_to_run_wrong",
    lambda tf, x, n: tf.broadcast_to(x, n),
    [([2], _U), ([3], "int32", [1])],
)
_case(
    "broadcast_dynamic_shape",
    lambda tf: {
        "a": tf.broadcast_dynamic_shape([2, 1], [1, 3]),
        "b": tf.broadcast_dynamic_shape([4, 2, 1], [3]),
    },
)
_case(
    "broadcast_dynamic_wrong",
    lambda tf, x: tf.broadcast_dynamic_shape(x, [2, 2]),
    [([2, 3], "int32", [2])],
)
_case(
    "repeat",
    lambda tf, x: {
        "y": tf.repeat(x, 2, axis=0),
        "b": tf.repeat(x, [1, 2], axis=0),
        "c": tf.repeat(x, [1, 0, 2], axis=1),
        "d": tf.repeat(x, 2),
    },
    [[2, 3]],
    [0],
)
_case(
    "roll", lambda tf, x: {"y": tf.roll(x, 1, 0), "b": tf.roll(x, [1, -1], [0, 1])}, [[2, 3]], [0]
)
_case("roll_wrong", lambda tf, x, a: tf.roll(x, 1, a), [[2], (3, "int32", [])])
_case(
    "meshgrid",
    lambda tf: {
        "m": tf.meshgrid([1, 2, 3], [4, 5]),
        "ij": tf.meshgrid([1.0, 2.0], [3.0], [4.0, 5.0], indexing="ij"),
    },
)

_case("identity", lambda tf, x: tf.identity(x, name="same"), [[2]], [0])
_case("identity_n", lambda tf, x, y: {"y": tf.identity_n([x, y])}, [[2], [3]], [0, 1])
_case("stop_gradient", lambda tf, x: {"y": tf.stop_gradient(x) * x}, [[2]], [0])
_case("guarantee_const", lambda tf, x: tf.guarantee_const(x), [[2]])
_case("snapshot", lambda tf, x: tf.raw_ops.Snapshot(input=x), [[2]])
_case("deep_copy", lambda tf, x: tf.raw_ops.DeepCopy(x=x), [[2]])
_case(
    "empty",
    lambda tf: {
        "a": tf.raw_ops.Empty(shape=[2], dtype=tf.float32, init=True),
        "b": tf.raw_ops.Empty(shape=[0, 2], dtype=tf.string),
    },
)
_case(
    "prevent_gradient", lambda tf, x: tf.raw_ops.PreventGradient(input=x, message="no"), [[2]], [0]
)
_case(
    "bitcast",
    lambda tf, x: {
        "a": tf.bitcast(x, tf.int32),
        "b": tf.bitcast(x, tf.uint8),
        "c": tf.bitcast(x, tf.float64),
    },
    [[3, 2]],
)
_case("bitcast_wrong", lambda tf, x: tf.bitcast(x, tf.float64), [[3]])
_case("ensure_shape", lambda tf, x: tf.ensure_shape(x, [None, 3]), [([2, 3], _U)], [0])
_case("ensure_shape_wrong", lambda tf, x: tf.ensure_shape(x, [None, 2]), [([2, 3], _U)])
_case(
    "broadcast_gradient_args",
    lambda tf: {
        "a": list(tf.raw_ops.BroadcastGradientArgs(s0=[1, 2, 1], s1=[1, 2, 3])),
        "b": list(tf.raw_ops.BroadcastGradientArgs(s0=[2, 1], s1=[2, 1])),
        "c": list(tf.raw_ops.BroadcastGradientArgs(s0=[2, 1, 1], s1=[1, 1])),
    },
)

_case("pad", lambda tf, x: tf.pad(x, [[1, 0], [0, 2]]), [[2, 3]], [0])
_case("pad_value", lambda tf, x: tf.pad(x, [[1, 1]], constant_values=7.0), [([3], [None])], [0])
_case("pad_dynamic", lambda tf, x, n: tf.pad(x, [[n, 0], [0, 1]]), [[2, 3], (1, "int32", [])], [0])
_case("pad_reflect", lambda tf, x: tf.pad(x, [[1, 1], [2, 0]], "REFLECT"), [[2, 3]], [0])
_case("pad_symmetric", lambda tf, x: tf.pad(x, [[1, 2], [3, 0]], mode="symmetric"), [[2, 3]], [0])
_case(
    "pad_mirror_second",
    lambda tf, x: tf.gradients(tf.pad(x, [[1, 1]], "REFLECT") ** 2, x)[0],
    [[3]],
    [0],
)
_case("pad_string", lambda tf: tf.pad(tf.constant(["a"]), [[1, 0]]))
_case("pad_wrong", lambda tf, x: tf.pad(x, [[1, 0]]), [[2, 3]])
_case("pad_negative", lambda tf, x, p: tf.pad(x, p), [[2], ([[-1, 0]], "int32", [1, 2])])
_case("pad_reflect_wrong", lambda tf, x: tf.pad(x, [[2, 0]], "REFLECT"), [([2], _U)])
_case("pad_mode_wrong", lambda tf, x: tf.pad(x, [[2, 0]], "WRAP"), [[2]])

_case(
    "one_hot",
    lambda tf: {
        "a": tf.one_hot([0, 2, -1, 5], 3),
        "b": tf.one_hot(1, 3),
        "c": tf.one_hot([[0], [1]], 2, axis=0),
        "d": tf.one_hot([0, 1], 2, on_value=5, off_value=-1),
        "e": tf.one_hot([0, 1], 2, on_value=True, off_value=False),
        "f": tf.one_hot([1], 2, dtype=tf.int64),
        "g": tf.one_hot([1], 2, "y", "n"),
    },
)
_case(
    "one_hot_dynamic",
    lambda tf, i, n: tf.one_hot(i, n),
    [([0, 1], "int32", [None]), (3, "int32", [])],
)
_case("one_hot_wrong", lambda tf, n: tf.one_hot([0], n), [(-1, "int32", [])])
_case("one_hot_types", lambda tf: tf.one_hot([0], 2, on_value=1.0, dtype=tf.int32))
_case(
    "sequence_mask",
    lambda tf: {
        "a": tf.sequence_mask([1, 3, 0]),
        "b": tf.sequence_mask([[1], [2]], 3, tf.float32),
        "c": tf.sequence_mask(tf.constant(2), 4),
    },
)
_case(
    "boolean_mask",
    lambda tf, x: {
        "y": tf.boolean_mask(x, [True, False]),
        "b": tf.boolean_mask(x, [[True, False, True]] * 2),
        "c": tf.boolean_mask(x, [True, False, True], axis=1),
    },
    [[2, 3]],
    [0],
)
_case(
    "boolean_mask_dynamic",
    lambda tf, x, m: tf.boolean_mask(x, m),
    [([3, 2], [None, 2]), ([True, False, True], "bool", [None])],
    [0],
)
_case("boolean_mask_scalar", lambda tf, x: tf.boolean_mask(x, True), [[2]])
_case(
    "where",
    lambda tf: {
        "a": tf.where([[True, False], [False, True]]),
        "b": tf.where(tf.constant([0.0, 2.0, 0.0, -1.0])),
        "c": tf.where(tf.constant(True)),
    },
)
_case("where_select", lambda tf, x, y: {"y": tf.where([True, False], x, y)}, [[2], [2]], [0, 1])
_case("where_half", lambda tf, x: tf.where([True], x, None), [[1]])
_case(
    "searchsorted",
    lambda tf: {
        "a": tf.searchsorted([[1, 3, 5], [2, 4, 6]], [[3], [5]]),
        "b": tf.searchsorted([1.0, 1.0, 2.0], [1.0, 3.0], side="right"),
        "c": tf.searchsorted([1, 2], [0], out_type=tf.int64),
    },
)
_case(
    "unique",
    lambda tf: {
        "a": list(tf.unique([3, 1, 3, 2, 1])),
        "b": list(tf.unique(["b", "a", "b"], out_idx=tf.int64)),
        "c": list(tf.unique_with_counts([1.5, 2.5, 1.5])),
    },
)
_case(
    "unique_v2",
    lambda tf: {
        "a": list(tf.raw_ops.UniqueV2(x=[[1, 2], [1, 2], [3, 4]], axis=[0])),
        "b": list(tf.raw_ops.UniqueWithCountsV2(x=[[1, 2, 1], [3, 4, 3]], axis=[1])),
    },
    nodes=False,
)
_case("unique_wrong", lambda tf, x: list(tf.unique(x)), [([2, 2], _U)])
_case(
    "setdiff1d",
    lambda tf: {
        "a": list(tf.setdiff1d([1, 2, 3, 4], [2, 4])),
        "b": list(tf.setdiff1d(["a", "b"], ["a"], index_dtype=tf.int64)),
    },
)
_case(
    "edit_distance",
    lambda tf: tf.edit_distance(
        tf.SparseTensor([[0, 0, 0], [1, 0, 0], [1, 0, 1]], ["a", "b", "c"], [2, 1, 2]),
        tf.SparseTensor(
            [[0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], ["a", "b", "d", "e"], [2, 2, 2]
        ),
    ),
)
_case(
    "edit_distance_raw",
    lambda tf: tf.edit_distance(
        tf.SparseTensor([[0, 0]], [1], [1, 1]),
        tf.SparseTensor([[0, 0], [0, 1]], [1, 2], [1, 2]),
        normalize=False,
    ),
)
_case(
    "fingerprint",
    lambda tf: {"a": tf.fingerprint([[1, 2], [3, 4]]), "b": tf.fingerprint(["a", "hello world"])},
)


def placeholders(tf, np):
    a = tf.placeholder(tf.float32, [None, 2], name="a")
    b = tf.placeholder(tf.string)
    c = tf.placeholder_with_default([1.0, 2.0], [None], name="c")
    d = tf.placeholder(tf.int32, ())
    with tf.Session() as sess:
        return {
            "shapes": [str(t.shape) for t in (a, b, c, d)],
            "fed": sess.run([a, c, tf.identity(b), d], {a: [[1, 2]], c: [5, 6, 7], b: "x", d: 3}),
            "default": sess.run(c),
        }


def placeholder_wrong_shape(tf, np):
    a = tf.placeholder(tf.float32, [None, 2])
    with tf.Session() as sess:
        return {"a": sess.run(a, {a: [1.0, 2.0, 3.0]})}


def placeholder_unfed(tf, np):
    return {"a": tf.placeholder(tf.int32, [2, None], name="here") + 1}


def sparse_placeholders(tf, np):
    a = tf.sparse_placeholder(tf.float32, name="a")
    b = tf.sparse_placeholder(tf.float32, [2, 3])
    c = tf.sparse_placeholder(tf.int32, [2, None])
    with tf.Session() as sess:
        value = tf.SparseTensorValue(
            np.array([[0, 1]], np.int64), np.array([2.0], np.float32), np.array([2, 3], np.int64)
        )
        found = sess.run(a, {a: value})
        return {
            "indices": found.indices,
            "values": found.values,
            "shape": found.dense_shape,
            "static": [str(b.shape), str(c.indices.shape)],
        }


def is_tensor(tf, np):
    v = tf.Variable([1.0])
    sparse = tf.SparseTensor([[0]], [1.0], [2])
    return {
        "found": [
            tf.is_tensor(v),
            tf.is_tensor(sparse),
            tf.is_tensor(tf.constant(1)),
            tf.is_tensor(np.zeros(2)),
            tf.is_tensor([1]),
        ]
    }


def broadcast_static_shape(tf, np):
    f = tf.broadcast_static_shape
    s = tf.TensorShape
    return {
        "shapes": [
            str(f(s([2, 1]), s([3]))),
            str(f(s([None, 2]), s([1, 2]))),
            str(f(s(None), s([2]))),
        ]
    }


def broadcast_static_shape_wrong(tf, np):
    return {"s": str(tf.broadcast_static_shape(tf.TensorShape([2, 3]), tf.TensorShape([2, 2])))}


def fetched_values_are_own(tf, np):
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    parts = tf.split(x, 2, 0)
    view = tf.reshape(x, [-1])
    add = tf.assign_add(x, tf.ones([2, 2]))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        before = sess.run([view, parts[1], tf.transpose(x), x[1]])
        sess.run(add)
        before[1][:] = 0.0
        return {"before": before, "after": sess.run(x)}
