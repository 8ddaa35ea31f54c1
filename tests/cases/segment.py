"""Reductions over segments, with gradients and errors."""

CASES = {}


def _data(np, dtype, rows=6):
    return (np.arange(rows * 2).reshape(rows, 2) % 5 + 1).astype(dtype)


def _sorted(name):
    def case(tf, np):
        apply = getattr(tf, name)
        results = {}
        for dtype in ("float32", "float64", "int32", "int64", "float16"):
            results[dtype] = apply(tf.constant(_data(np, dtype)), [0, 0, 1, 1, 1, 3])
        results["wide ids"] = apply(
            tf.constant(_data(np, "float32")), tf.constant([0, 1, 1, 2, 2, 2], tf.int64)
        )
        results["vector"] = apply(tf.constant([1.0, 2.0, 4.0]), [0, 0, 1])
        x = tf.constant(_data(np, "float32"))
        y = apply(x, [0, 0, 1, 1, 1, 3])
        if name != "segment_prod":
            results["gradient"] = tf.gradients(y * y, x)[0]
        return results

    return case


def _unsorted(name):
    def case(tf, np):
        apply = getattr(tf, name)
        results = {}
        floats_only = name.endswith(("mean", "sqrt_n"))
        for dtype in ("float32", "float64") + (() if floats_only else ("int32", "int64")):
            results[dtype] = apply(tf.constant(_data(np, dtype)), [3, 0, 1, 1, 3, 0], 5)
        x = tf.constant(_data(np, "float32"))
        results["gradient"] = tf.gradients(apply(x, [3, 0, 1, 1, 3, 0], 4), x)[0]
        zeros = tf.constant([[0.0, 1.0], [2.0, 0.0], [3.0, 0.0], [4.0, 5.0]])
        results["zeros"] = tf.gradients(apply(zeros, [0, 1, 1, 0], 2), zeros)[0]
        results["matrix"] = apply(tf.constant(_data(np, "float32")), _data(np, "int32") % 3, 4)
        if not floats_only:
            results["dropped"] = apply(x, [-1, 0, 1, 1, -1, 0], 3)
            results["dropped gradient"] = tf.gradients(apply(x, [-1, 0, 1, 1, -1, 0], 3), x)[0]
        return results

    return case


for _name in ("segment_sum", "segment_mean", "segment_prod", "segment_max", "segment_min"):
    CASES[_name] = _sorted(_name)
for _name in (
    "unsorted_segment_sum",
    "unsorted_segment_prod",
    "unsorted_segment_max",
    "unsorted_segment_min",
    "unsorted_segment_mean",
    "unsorted_segment_sqrt_n",
):
    CASES[_name] = _unsorted(_name)


def _sparse(name):
    def case(tf, np):
        apply = getattr(tf.sparse, name)
        x = tf.constant(_data(np, "float32"))
        y = apply(x, [0, 2, 5, 1], [0, 0, 2, 2])
        z = apply(x, [0, 2, 5, 1], [0, 0, 2, 2], num_segments=5)
        return {
            "y": y,
            "z": z,
            "gradient": tf.gradients(y, x)[0],
            "more": tf.gradients(z, x)[0],
            "double": apply(tf.constant(_data(np, "float64")), [1], [0]),
        }

    return case


for _name in ("segment_sum", "segment_mean", "segment_sqrt_n"):
    CASES["sparse_" + _name] = _sparse(_name)


def ids_not_sorted(tf, np):
    return {"y": tf.segment_sum(tf.constant([1.0, 2.0]), [1, 0])}


def ids_negative(tf, np):
    return {"y": tf.segment_sum(tf.constant([1.0, 2.0]), [-1, 0])}


def ids_of_other_size(tf, np):
    ids = tf.placeholder_with_default([0, 0, 1], [None])
    return {"y": tf.segment_sum(tf.constant([1.0, 2.0]), ids)}


def unsorted_id_too_large(tf, np):
    return {"y": tf.unsorted_segment_sum(tf.constant([1.0, 2.0]), [0, 5], 3)}


def unsorted_shapes_differ(tf, np):
    return {"y": tf.unsorted_segment_sum(tf.constant([1.0, 2.0]), [0, 1, 2], 3)}


def sparse_index_too_large(tf, np):
    return {"y": tf.sparse_segment_sum(tf.constant([1.0, 2.0]), [0, 5], [0, 1])}


def sparse_ids_not_sorted(tf, np):
    return {"y": tf.sparse_segment_sum(tf.constant([1.0, 2.0]), [0, 1], [1, 0])}


def empty_segments(tf, np):
    return {
        "sum": tf.segment_sum(tf.zeros([0, 3]), tf.constant([], tf.int32)),
        "unsorted": tf.unsorted_segment_max(tf.zeros([0, 3]), tf.constant([], tf.int32), 2),
    }
