"""`tensor[...]`, slice, strided_slice, split, reverse; their gradients and their errors."""

CASES = {}


def _case(name, build, shape=(3, 4), static="same", grad=True, extra=()):
    def run(tf, np):
        count = 1
        for s in shape:
            count *= s
        array = (np.arange(count, dtype=np.float32) * 0.5 - 1).reshape(shape)
        x = tf.placeholder_with_default(array, list(shape) if static == "same" else static)
        others = [tf.placeholder_with_default(np.array(v, d), s) for v, d, s in extra]
        y = build(tf, x, *others)
        wanted = y if isinstance(y, dict) else {"y": y}
        if grad and "y" in wanted:
            first = wanted["y"] if isinstance(wanted["y"], (list, tuple)) else [wanted["y"]]
            g = tf.gradients(list(first), x)[0]
            if g is not None:
                wanted["grad"] = g
        return wanted

    CASES[name] = run


_SPECS = {
    "index": lambda tf, x: x[1],
    "negative_index": lambda tf, x: x[-1],
    "two_indices": lambda tf, x: x[1, 2],
    "range": lambda tf, x: x[1:],
    "range_end": lambda tf, x: x[:2, 1:3],
    "negative_range": lambda tf, x: x[-2:, :-1],
    "step": lambda tf, x: x[::2, ::3],
    "negative_step": lambda tf, x: x[::-1],
    "negative_step_bounds": lambda tf, x: x[2:0:-1, 3::-2],
    "ellipsis": lambda tf, x: x[..., 0],
    "ellipsis_front": lambda tf, x: x[0, ...],
    "ellipsis_only": lambda tf, x: x[...],
    "newaxis": lambda tf, x: x[tf.newaxis, 1:, tf.newaxis],
    "newaxis_ellipsis": lambda tf, x: x[:, tf.newaxis, ..., None],
    "newaxis_index": lambda tf, x: x[None, 1, :, None],
    "everything": lambda tf, x: x[:],
    "empty": lambda tf, x: x[2:1],
    "past_the_end": lambda tf, x: x[1:100, -100:2],
    "empty_tuple": lambda tf, x: x[()],
    "numpy_index": lambda tf, x: x[__import__("numpy").int64(1)],
    "list": lambda tf, x: x[[1, 2]],
    "mask": lambda tf, x: x[x > 0],
    "third": lambda tf, x: x[0, 0, 0],
    "out_of_range": lambda tf, x: x[3],
    "zero_step": lambda tf, x: x[::0],
    "float_index": lambda tf, x: x[1.0],
    "two_ellipses": lambda tf, x: x[..., 0, ...],
}
for _name, _build in sorted(_SPECS.items()):
    _case(_name, _build)
    _case(_name + "_partial", _build, static=[None, 4])
    _case(_name + "_unknown", _build, static=None)

_case("tensor_index", lambda tf, x, i: x[i], extra=[(1, "int32", [])])
_case("tensor_range", lambda tf, x, i: x[i:, :i], extra=[(1, "int32", [])])
_case("tensor_step", lambda tf, x, i: x[::i], extra=[(-1, "int32", [])])
_case("tensor_int64", lambda tf, x, i: x[i:, 1], extra=[(1, "int64", [])])
_case("tensor_mixed", lambda tf, x, i: x[i, 1:], static=[None, None], extra=[(1, "int32", [])])
_case("tensor_out_of_range", lambda tf, x, i: x[i], extra=[(7, "int32", [])])
_case("tensor_zero_step", lambda tf, x, i: x[::i], extra=[(0, "int32", [])])
_case("vector_index", lambda tf, x, i: x[i], extra=[([0, 1], "int32", [2])])
_case(
    "rank_three",
    lambda tf, x: {"y": x[1:, ..., ::-2], "b": x[:, 0], "c": x[..., 1, :]},
    shape=(2, 3, 4),
    static=[None, 3, 4],
)
_case(
    "shape_slice",
    lambda tf, x: {"a": tf.shape(x)[0], "b": tf.shape(x)[1:], "c": x.shape[1].value},
    static=[None, 4],
)
_case("strided_slice", lambda tf, x: tf.strided_slice(x, [0, 1], [2, 3], [1, 2]))
_case("strided_slice_default", lambda tf, x: tf.strided_slice(x, [0, 1], [2, 3]))
_case(
    "strided_slice_masks",
    lambda tf, x: tf.strided_slice(
        x, [1, 1], [2, 1], [1, 1], begin_mask=1, end_mask=2, shrink_axis_mask=2
    ),
)
_case(
    "strided_slice_unknown_bounds",
    lambda tf, x, b, e, s: tf.strided_slice(x, b, e, s),
    extra=[([0, 1], "int32", [2]), ([2, 4], "int32", [2]), ([1, 2], "int32", [2])],
)
_case(
    "strided_slice_unknown_rank",
    lambda tf, x, b, e: tf.strided_slice(x, b, e),
    extra=[([1], "int32", [None]), ([2], "int32", [None])],
)
_case("strided_slice_second", lambda tf, x: tf.gradients(x[1:, ::-1] ** 2, x)[0])
_case("slice", lambda tf, x: tf.slice(x, [1, 0], [2, -1]))
_case("slice_partial", lambda tf, x: tf.slice(x, [0, 1], [-1, 2]), static=[None, 4])
_case("slice_dynamic", lambda tf, x, b: tf.slice(x, b, [2, 2]), extra=[([1, 1], "int32", [2])])
_case("slice_dynamic_size", lambda tf, x, n: tf.slice(x, [0, 0], n), extra=[([1, 2], "int32", [2])])
_case("slice_out_of_range", lambda tf, x, b: tf.slice(x, b, [2, 2]), extra=[([2, 1], "int32", [2])])
_case(
    "slice_begin_out_of_range",
    lambda tf, x, b: tf.slice(x, b, [1, 1]),
    extra=[([5, 1], "int32", [2])],
)
_case("slice_rank_wrong", lambda tf, x: tf.slice(x, [0], [1, 1]))
_case("split", lambda tf, x: {"y": tf.split(x, 2, 1)})
_case(
    "split_name",
    lambda tf, x: {"y": tf.split(x, num_or_size_splits=3, axis=0, name="parts")},
    static=[None, 4],
)
_case("split_some", lambda tf, x: tf.split(x, 2, 1)[1])
_case("split_sizes", lambda tf, x: {"y": tf.split(x, [1, 3], 1)})
_case("split_rest", lambda tf, x: {"y": tf.split(x, [1, -1], axis=-1)})
_case(
    "split_dynamic", lambda tf, x, n: {"y": tf.split(x, n, num=2)}, extra=[([2, 1], "int32", [2])]
)
_case("split_indivisible", lambda tf, x: {"y": tf.split(x, 3, 1)})
_case("split_indivisible_run", lambda tf, x: {"y": tf.split(x, 3, 1)}, static=None)
_case("split_sizes_wrong", lambda tf, x: {"y": tf.split(x, [1, 1], 1)})
_case(
    "split_sizes_wrong_run",
    lambda tf, x, n: {"y": tf.split(x, n, num=2)},
    extra=[([2, 2], "int32", [2])],
)
_case("split_axis_wrong", lambda tf, x: {"y": tf.split(x, 2, 2)})
_case("split_scalar", lambda tf, x, n: {"y": tf.split(x, n)}, extra=[(2, "int32", [])])
_case(
    "reverse",
    lambda tf, x: {"y": tf.reverse(x, [1]), "b": tf.reverse(x, [-1, 0]), "c": tf.reverse(x, [])},
)
_case("reverse_wrong", lambda tf, x: tf.reverse(x, [2]))
_case("reverse_wrong_run", lambda tf, x, a: tf.reverse(x, a), extra=[([2], "int32", [1])])
_case("reverse_twice", lambda tf, x: tf.reverse(x, [0, 0]))
_case("reverse_flags", lambda tf, x: tf.raw_ops.Reverse(tensor=x, dims=[True, False]))


def strings(tf, np):
    x = tf.constant([["a", "b", "c"], ["d", "e", "f"]])
    return {
        "a": x[1],
        "b": x[:, ::-1],
        "c": tf.split(x, 3, 1),
        "d": tf.reverse(x, [0]),
        "e": tf.slice(x, [0, 1], [1, 2]),
        "f": x[0, tf.newaxis, 1],
    }


def variable_slice(tf, np):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
    return {"a": v[0], "b": v[:, 1:], "grad": tf.gradients(v[0, 1] ** 2, v)[0]}


def no_assign(tf, np):
    tf.constant([1.0, 2.0])[0].assign(1.0)


def not_iterable(tf, np):
    for item in tf.constant([1.0, 2.0]):
        pass


def shape_arithmetic(tf, np):
    x = tf.placeholder(tf.float32, [None, 3])
    shapes = [
        tf.reshape(x, [tf.shape(x)[1], -1]),
        tf.fill([tf.shape(x)[1], 2], 1.0),
        tf.zeros(tf.shape(x)[1:]),
        tf.zeros(tf.shape(x) + 1),
        tf.zeros(tf.concat([tf.shape(x)[:1], [7]], 0)),
        tf.zeros(tf.unstack(tf.shape(x))),
        tf.reshape(x, tf.shape(x)[-1:]),
    ]
    return {"shapes": [str(s.shape) for s in shapes]}


def fetched_parts_are_own(tf, np):
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    fed = tf.placeholder(tf.float32, [2, 2])
    y = tf.Variable([0.0, 0.0])
    keep = tf.assign(y, tf.unstack(fed)[1])
    parts = [tf.split(x, 2, 0)[1], tf.unstack(x)[1], tf.identity_n([x, x + 1.0])[0], x[1:]]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for part in parts:
            sess.run(part)[:] = 9.0
        given = np.ones([2, 2], np.float32)
        sess.run(keep, {fed: given})
        given[:] = 5.0
        return {"x": sess.run(x), "y": sess.run(y)}
