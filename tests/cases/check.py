"""`tf.Assert`, `tf.assert_*`, numeric checks, and what `tf.Print` and `tf.print` write."""

CASES = {}


def _case(name, build, *values, **options):
    """`build(tf, *placeholders)` gives an operation that must run (or raise).

    With guards the graphs differ: TensorFlow 1.15 builds Switch and Merge, relight an If.
    """

    def run(tf, np):
        tensors = [
            tf.placeholder_with_default(
                np.array(v, "float32" if isinstance(np.array(v).flat[0], float) else None), s
            )
            for v, s in values
        ]
        op = build(tf, *tensors)
        with tf.control_dependencies([op]):
            return {"done": tf.identity(1.0, name="done")}

    run.nodes = options.get("nodes", False)
    CASES[name] = run


_PAIRS = {
    "equal": ([1.0, 2.0], [1.0, 2.0], [1.0, 3.0]),
    "none_equal": ([1.0, 2.0], [0.0, 3.0], [0.0, 2.0]),
    "less": ([1.0, 2.0], [2.0, 3.0], [1.0, 3.0]),
    "less_equal": ([1.0, 2.0], [1.0, 3.0], [0.0, 3.0]),
    "greater": ([1.0, 2.0], [0.0, 1.0], [1.0, 1.0]),
    "greater_equal": ([1.0, 2.0], [1.0, 1.0], [2.0, 1.0]),
    "near": ([1.0, 2.0], [1.0, 2.0], [1.0, 2.1]),
}
for _name, (_x, _good, _bad) in sorted(_PAIRS.items()):
    _f = "assert_" + _name
    _case(_f, lambda tf, x, y, f=_f: getattr(tf, f)(x, y), (_x, [2]), (_good, [2]))
    _case(
        _f + "_wrong",
        lambda tf, x, y, f=_f: getattr(tf, f)(x, y, message="oh", summarize=1),
        (_x, [2]),
        (_bad, [2]),
    )
    _case(_f + "_constant", lambda tf, f=_f, a=_x, b=_good: getattr(tf, f)(a, b, name="check"))
    _case(_f + "_constant_wrong", lambda tf, f=_f, a=_x, b=_bad: getattr(tf, f)(a, b))
    _case(
        _f + "_data",
        lambda tf, x, y, f=_f: getattr(tf, f)(x, y, data=["a", y]),
        (_x, [2]),
        (_bad, [2]),
    )

_SIGNS = {
    "negative": (-1.0, 0.0),
    "positive": (1.0, 0.0),
    "non_negative": (0.0, -1.0),
    "non_positive": (0.0, 1.0),
}
for _name, (_good, _bad) in sorted(_SIGNS.items()):
    _f = "assert_" + _name
    _case(_f, lambda tf, x, f=_f: getattr(tf, f)(x), ([_good], [1]))
    _case(_f + "_wrong", lambda tf, x, f=_f: getattr(tf, f)(x), ([_bad], [1]))
    _case(_f + "_constant_wrong", lambda tf, f=_f, v=_bad: getattr(tf, f)([v], message="no"))

_case("assert_equal_same", lambda tf, x: tf.assert_equal(x, x), ([1.0], [1]), nodes=True)
_case("assert_equal_int", lambda tf, x: tf.assert_equal(x, [1, 3], data=["it", x]), ([1, 2], [2]))
_case("assert_static", lambda tf, x: tf.Assert(x, ["a", 1]), (True, []), nodes=True)
_case("assert_static_wrong", lambda tf, x: tf.Assert(x, ["a", 1, [2, 3]]), (False, []), nodes=True)
_case(
    "assert_values",
    lambda tf, x, y: tf.Assert(x, ["a", y, 1.5, True], summarize=4),
    (False, []),
    ([[1.0, 2.0, 3.0], [4.0, 5.0, 0.1]], [2, 3]),
)

_case("assert_rank", lambda tf, x: tf.assert_rank(x, 1), ([1.0], [1]), nodes=True)
_case("assert_rank_dynamic", lambda tf, x: tf.assert_rank(x, 1), ([1.0], None), nodes=True)
_case("assert_rank_wrong", lambda tf, x: tf.assert_rank(x, 2, message="oh"), ([1.0], [1]))
_case("assert_rank_dynamic_wrong", lambda tf, x: tf.assert_rank(x, 2), ([1.0], None), nodes=True)
_case(
    "assert_rank_unknown",
    lambda tf, x, r: tf.assert_rank(x, tf.cast(r, tf.int32)),
    ([1.0], [1]),
    (1, []),
)
_case(
    "assert_rank_at_least", lambda tf, x: tf.assert_rank_at_least(x, 1), ([1.0], None), nodes=True
)
_case("assert_rank_at_least_wrong", lambda tf, x: tf.assert_rank_at_least(x, 2), ([1.0], [1]))
_case("assert_rank_in", lambda tf, x: tf.assert_rank_in(x, [1, 2]), ([1.0], None), nodes=True)
_case("assert_rank_in_wrong", lambda tf, x: tf.assert_rank_in(x, [0, 2]), ([1.0], [1]))
_case("assert_rank_type", lambda tf, x: tf.assert_rank(x, 1.0), ([1.0], [1]))
_case("assert_type", lambda tf, x: tf.assert_type(x, tf.float32), ([1.0], [1]), nodes=True)
_case("assert_type_wrong", lambda tf, x: tf.assert_type(x, tf.int32), ([1.0], [1]))
_case("assert_integer", lambda tf, x: tf.assert_integer(x), ([1], [1]), nodes=True)
_case("assert_integer_wrong", lambda tf, x: tf.assert_integer(x), ([1.0], [1]))
_case("assert_scalar", lambda tf, x: tf.assert_scalar(x), (1.0, []))
_case("assert_scalar_wrong", lambda tf, x: tf.assert_scalar(x), ([1.0], [1]))
_case(
    "assert_shapes",
    lambda tf, x, y: tf.debugging.assert_shapes([(x, ("n", 2)), (y, ("n",))]),
    ([[1.0, 2.0]], [None, 2]),
    ([1.0], [None]),
)
_case(
    "assert_shapes_wrong",
    lambda tf, x, y: tf.debugging.assert_shapes([(x, ("n", 2)), (y, ("n",))]),
    ([[1.0, 2.0]], [None, 2]),
    ([1.0, 2.0], [None]),
)
_case(
    "assert_shapes_static_wrong",
    lambda tf, x: tf.debugging.assert_shapes([(x, (3, 2))]),
    ([[1.0, 2.0]], [1, 2]),
)


def same_float_dtype(tf, np):
    a = tf.constant(1.0)
    return {
        "found": [
            tf.assert_same_float_dtype([a, None]).name,
            tf.assert_same_float_dtype().name,
            tf.assert_same_float_dtype(dtype=tf.float64).name,
        ]
    }


def same_float_dtype_wrong(tf, np):
    tf.assert_same_float_dtype([tf.constant(1.0), tf.constant(1.0, tf.float64)])


def same_float_dtype_integer(tf, np):
    tf.assert_same_float_dtype([tf.constant(1)])


def numeric_tensors(tf, np):
    return {
        "found": [
            tf.is_numeric_tensor(tf.constant(1)),
            tf.is_numeric_tensor(tf.constant("a")),
            tf.is_numeric_tensor(1),
            tf.is_numeric_tensor(tf.constant(True)),
        ]
    }


def proper_iterables(tf, np):
    tf.assert_proper_iterable([1])
    tf.assert_proper_iterable(tf.constant([1]))


def check_numerics(tf, np):
    x = tf.placeholder_with_default([1.0, 2.0], [2])
    y = tf.check_numerics(x, "bad", name="checked")
    return {"y": y, "grad": tf.gradients(y * y, x)[0]}


def _not_finite(values):
    def run(tf, np):
        x = tf.placeholder_with_default(np.array(values, np.float32), [2])
        return {"y": tf.check_numerics(x, "bad")}

    return run


CASES["check_numerics_nan"] = _not_finite([1.0, float("nan")])
CASES["check_numerics_inf"] = _not_finite([1.0, float("inf")])
CASES["check_numerics_both"] = _not_finite([float("nan"), -float("inf")])


def check_numerics_gradient(tf, np):
    x = tf.placeholder_with_default(np.array([0.0], np.float32), [1])
    return {"g": tf.gradients(tf.sqrt(tf.check_numerics(x, "bad")), x)[0]}


def all_finite(tf, np):
    return {"y": tf.verify_tensor_all_finite(tf.constant([1.0]), "oh")}


def check_numerics_ops(tf, np):
    x = tf.placeholder_with_default([1.0, 2.0], [2])
    y = x / 2.0
    tf.add_check_numerics_ops()
    return {"y": y}


def check_numerics_ops_wrong(tf, np):
    x = tf.placeholder_with_default([0.0, 2.0], [2])
    y = 1.0 / x
    check = tf.add_check_numerics_ops()
    with tf.Session() as sess:
        return {"y": sess.run([y, check])}


def _written(tf, np, build, count=1):
    """What running an operation writes to the process's standard error."""
    import os
    import sys
    import tempfile

    op = build(tf)
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        python_stream, sys.stderr = sys.stderr, os.fdopen(os.dup(2), "w")
        try:
            with tf.Session() as sess:
                for _ in range(count):
                    sess.run(op)
            sys.stderr.flush()
        finally:
            sys.stderr.close()
            sys.stderr = python_stream
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        lines = file.read().decode().splitlines()
    return {"text": [line for line in lines if "tensorflow/c" not in line]}


_PRINTS = {
    "print_v1": lambda tf: tf.Print(
        tf.constant(1.0),
        [
            tf.constant([[1.0, 2.0], [3.0, 4.25]]),
            tf.constant("s"),
            True,
            1e10,
            tf.constant([1, 2, 3, 4, 5]),
        ],
        "msg: ",
    ),
    "print_v1_all": lambda tf: tf.Print(
        tf.constant(1.0),
        [
            tf.constant([1e-8, 12345678.0, 0.1, float("inf"), float("nan"), 1 / 3.0]),
            tf.constant(1 / 3.0, tf.float64),
            tf.constant(123456789.0, tf.float64),
            tf.constant([1 + 2j]),
            tf.constant(["a", "b'\n\x01"]),
            tf.constant([[[1], [2]], [[3], [4]]]),
        ],
        summarize=10,
    ),
    "print_v2": lambda tf: tf.print(
        "a", tf.constant([1.5, 2]), {"k": tf.constant([[1, 2], [3, 4]])}, "b"
    ),
    "print_v2_more": lambda tf: tf.print(
        tf.constant([1e-8, 12345678.0, 0.1]),
        tf.constant(3),
        tf.constant("hi"),
        tf.constant(["x", "y"]),
        tf.range(10),
        tf.constant([True]),
        tf.SparseTensor([[0]], [1.0], [2]),
        sep="|",
        end="!\n",
    ),
    "print_v2_ends": lambda tf: tf.print(
        tf.reshape(tf.range(24), [2, 3, 4]), tf.zeros([9, 1]), summarize=1
    ),
    "print_v2_all": lambda tf: tf.print(tf.range(9), summarize=-1),
    "print_v2_string": lambda tf: tf.print(tf.constant("only {}")),
}
for _name, _build in sorted(_PRINTS.items()):
    CASES[_name] = lambda tf, np, b=_build: _written(tf, np, b)


def print_first_n(tf, np):
    return _written(tf, np, lambda tf: tf.Print(tf.constant(1), [2], "x", first_n=2), count=4)


def print_gradient(tf, np):
    x = tf.constant([1.0, 2.0])
    y = tf.Print(x, [3.0], first_n=0)
    return {"g": tf.gradients(y * y, x)[0]}


def print_stream_wrong(tf, np):
    tf.print("a", output_stream="nowhere")
