"""Reductions over axes, positions of extremes, running sums."""

CASES = {}

_TYPES = {
    "reduce_sum": "half double int32 int64 complex64 uint8",
    "reduce_mean": "half double int32 int64 complex64",
    "reduce_prod": "half double int32 int64 complex64",
    "reduce_max": "half double int32 int64 uint8",
    "reduce_min": "half double int32 int64 uint8",
    "reduce_logsumexp": "half double",
    "reduce_euclidean_norm": "half double int32",
    "reduce_std": "double",
    "reduce_variance": "double",
}
_NUMPY = {"half": "float16", "double": "float64"}


def _values(np, dtype):
    dtype = _NUMPY.get(dtype, dtype)
    values = np.array([[[1, 2, 3], [4, 0, 2]], [[3, 1, 2], [2, 4, 5]]])
    if dtype == "complex64":
        return (values + 1j * values[:, :, ::-1]).astype(dtype)
    if "float" in dtype:
        return (values / 4.0 - 0.5).astype(dtype)
    return values.astype(dtype)


def _function(tf, name):
    return getattr(tf, name, None) or getattr(tf.math, name)


def _reduction(name, types):
    def case(tf, np):
        apply = _function(tf, name)
        results = {}
        for dtype in ["float32", *types.split()]:
            results[dtype] = apply(tf.constant(_values(np, dtype)), 1)
        x = tf.constant(_values(np, "float32"))
        for label, axis in (
            ("all", None),
            ("first", 0),
            ("last", -1),
            ("two", [0, 2]),
            ("three", [2, 0, 1]),
            ("none", []),
            ("middle", [1]),
        ):
            results[label] = apply(x, axis)
            results[label + " kept"] = apply(x, axis, keepdims=True)
        return results

    return case


def _gradients(name):
    def case(tf, np):
        apply = _function(tf, name)
        results = {}
        x = tf.constant(_values(np, "float32"))
        loose = tf.placeholder_with_default(_values(np, "float32"), [None, 2, None])
        free = tf.placeholder_with_default(_values(np, "float32"), None)
        for label, axis in (("all", None), ("last", -1), ("two", [0, 2]), ("middle", [1])):
            y = apply(x, axis)
            results[label] = tf.gradients(y * y, x)[0]
            results["loose " + label] = tf.gradients(apply(loose, axis), loose)[0]
            results["free " + label] = tf.gradients(apply(free, axis, keepdims=True), free)[0]
        axis = tf.placeholder_with_default([1], [None])
        results["fed axis"] = tf.gradients(apply(x, axis), x)[0]
        return results

    return case


for _name in _TYPES:
    CASES[_name] = _reduction(_name, _TYPES[_name])
    if _name != "reduce_euclidean_norm":
        CASES[_name + "_gradient"] = _gradients(_name)


def booleans(tf, np):
    x = tf.constant([[True, False], [True, True]])
    return {
        "all": tf.reduce_all(x),
        "any": tf.reduce_any(x, 1),
        "rows": tf.reduce_all(x, 1),
        "kept": tf.reduce_any(x, 0, keepdims=True),
        "count": tf.count_nonzero(x, axis=0),
        "none": tf.reduce_all(tf.constant([], tf.bool)),
        "some": tf.reduce_any(tf.constant([], tf.bool)),
    }


def counts_of_nonzero(tf, np):
    return {
        "all": tf.count_nonzero([[0, 1, 0], [1, 1, 0]]),
        "axis": tf.count_nonzero([[0.0, 1.0], [1.0, 1.0]], 0),
        "kept": tf.count_nonzero([[0, 1, 0]], [0, 1], keep_dims=True, dtype=tf.int32),
        "strings": tf.count_nonzero(tf.constant(["", "a", "  "])),
    }


def empties(tf, np):
    x = tf.zeros([0, 3])
    return {
        "sum": tf.reduce_sum(x),
        "mean": tf.reduce_mean(x),
        "prod": tf.reduce_prod(x, 0),
        "max": tf.reduce_max(x, 0),
        "min": tf.reduce_min(x),
        "other": tf.reduce_sum(x, 1),
        "int": tf.reduce_max(tf.zeros([0], tf.int32)),
        "lse": tf.reduce_logsumexp(x),
    }


def old_arguments(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    return {
        "sum": tf.reduce_sum(x, reduction_indices=[1], keep_dims=True),
        "mean": tf.reduce_mean(x, reduction_indices=0),
        "max": tf.argmax(x, dimension=1),
    }


def both_arguments(tf, np):
    return {"y": tf.reduce_sum([1.0], axis=0, reduction_indices=0)}


def scalars(tf, np):
    x = tf.constant(3.0)
    return {
        "sum": tf.reduce_sum(x),
        "mean": tf.reduce_mean(x),
        "gradient": tf.gradients(tf.reduce_mean(x) * tf.reduce_sum(x), x)[0],
    }


def static_axis_out_of_range(tf, np):
    return {"y": tf.reduce_sum(tf.zeros([2]), 1)}


def axis_out_of_range(tf, np):
    x = tf.placeholder(tf.float32, [2])
    with tf.Session() as sess:
        return {"y": sess.run(tf.reduce_sum(x, tf.placeholder_with_default([2], [1])), {x: [1, 2]})}


def axis_twice(tf, np):
    x = tf.placeholder(tf.float32, [2, 2])
    y = tf.reduce_sum(x, tf.placeholder_with_default([0, 0], [2]))
    with tf.Session() as sess:
        return {"y": sess.run(y, {x: [[1, 2], [3, 4]]})}


def unknown_rank(tf, np):
    x = tf.placeholder_with_default(_values(np, "float32"), None)
    return {
        "sum": tf.reduce_sum(x),
        "mean": tf.reduce_mean(x, 0),
        "max": tf.reduce_max(x),
        "lse": tf.reduce_logsumexp(x),
    }


def positions(tf, np):
    x = tf.constant([[3.0, 1.0, 3.0], [0.0, 5.0, -5.0]])
    results = {}
    for dtype in (tf.float32, tf.float64, tf.int32, tf.int64, tf.float16, tf.uint8):
        y = tf.cast(tf.abs(x), dtype)
        results["max " + dtype.name] = tf.argmax(y, 1)
        results["min " + dtype.name] = tf.argmin(y, 1)
    results["default"] = tf.argmax(x)
    results["last"] = tf.argmin(x, -1, output_type=tf.int32)
    results["old"] = tf.arg_max(x, 0)
    results["deep"] = tf.argmax(tf.constant(_values(np, "float32")), 1)
    return results


def position_out_of_range(tf, np):
    return {"y": tf.argmax(tf.zeros([2, 2]), tf.placeholder_with_default(3, []))}


def static_position_out_of_range(tf, np):
    return {"y": tf.argmax(tf.zeros([2, 2]), 3)}


def position_in_nothing(tf, np):
    return {"y": tf.argmax(tf.zeros([0, 2]), 0)}


def _running(name):
    def case(tf, np):
        apply = _function(tf, name)
        x = tf.constant(_values(np, "float32"))
        results = {}
        for exclusive in (False, True):
            for reverse in (False, True):
                label = "%d%d" % (exclusive, reverse)
                y = apply(x, 1, exclusive, reverse)
                results[label] = y
                results["gradient " + label] = tf.gradients(y * y, x)[0]
        results["axis"] = apply(x, -1)
        results["double"] = apply(tf.constant(_values(np, "float64")))
        if name != "cumulative_logsumexp":
            results["int"] = apply(tf.constant(_values(np, "int32")), 2)
            results["long"] = apply(tf.constant(_values(np, "int64")), 2)
        return results

    return case


for _name in ("cumsum", "cumprod"):
    CASES[_name] = _running(_name)


def scan_axis_out_of_range(tf, np):
    return {"y": tf.cumsum(tf.zeros([2]), 3)}


def of_python_values(tf, np):
    return {
        "list": tf.reduce_sum([1.0, 2.0, 3.0]),
        "array": tf.reduce_mean(np.ones([2, 3], "f")),
        "axis": tf.reduce_max([[1, 2], [3, 4]], 0),
        "lse": tf.reduce_logsumexp([1.0, 2.0]),
    }


def of_variables(tf, np):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    w = tf.get_variable("w", initializer=tf.constant([1.0, 2.0]), use_resource=True)
    total = tf.reduce_sum(v) + tf.reduce_mean(w)
    return {
        "total": total,
        "cast": tf.cast(v, tf.float32),
        "resource": tf.cast(w, tf.float32) * 1.0,
        "double": tf.cast(w, tf.float64),
        "product": tf.matmul(v, v),
        "sum": v + w,
        "gradients": tf.gradients(total * v, [v, w]),
    }
