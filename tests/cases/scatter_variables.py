"""Changing rows and slices of variables."""


def _scatter(kind, indices, updates, dtype="float32", method=None):
    def case(tf, np):
        found = {}
        for resource in (False, True):
            start = np.array([[6, 8], [-3, 4], [5, 7]], dtype)
            w = tf.Variable(start, name="w", use_resource=resource)
            if method:
                change = getattr(w, method)(
                    tf.IndexedSlices(tf.constant(np.array(updates, dtype)), tf.constant(indices))
                )
            else:
                change = getattr(tf, kind)(w, indices, np.array(updates, dtype))
            with tf.Session() as session:
                session.run(w.initializer)
                found["resource" if resource else "ref"] = session.run(change)
        return found

    return case


CASES = {}
for _kind in ("update", "add", "sub", "mul", "div", "min", "max"):
    CASES["scatter_" + _kind] = _scatter("scatter_" + _kind, [2, 0], [[2, 4], [1, -2]])
    CASES["int_scatter_" + _kind] = _scatter(
        "scatter_" + _kind, [2, 0], [[2, 4], [3, -2]], dtype="int32"
    )
    CASES["method_" + _kind] = _scatter(None, [2, 0], [[2, 4], [1, -2]], method="scatter_" + _kind)
    if _kind != "update":
        CASES["twice_scatter_" + _kind] = _scatter("scatter_" + _kind, [1, 1], [[2, 4], [1, -2]])
for _kind in ("update", "add", "sub"):
    CASES["scatter_nd_" + _kind] = _scatter("scatter_nd_" + _kind, [[2, 1], [0, 0]], [10, 20])
    CASES["rows_scatter_nd_" + _kind] = _scatter(
        "scatter_nd_" + _kind, [[2], [0]], [[1, 2], [3, 4]]
    )
CASES["matrix_of_indices"] = _scatter("scatter_add", [[2], [0]], [[[2, 4]], [[1, -2]]])


def scalar_update(tf, np):
    w = tf.Variable([1.0, 2.0, 3.0], name="w")
    return {"w": tf.scatter_update(w, [0, 2], 9.0)}


def batch_scatter(tf, np):
    w = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="w")
    return {"w": tf.batch_scatter_update(w, [[0, 2], [1, 0]], [[7.0, 8.0], [9.0, 10.0]])}


def nd_methods(tf, np):
    w = tf.Variable([1.0, 2.0, 3.0], name="w")
    with tf.Session() as session:
        session.run(w.initializer)
        return {
            "add": session.run(w.scatter_nd_add([[1]], [5.0])),
            "sub": session.run(w.scatter_nd_sub([[0]], [5.0])),
            "update": session.run(w.scatter_nd_update([[2]], [5.0])),
        }


def _failing(function):
    def case(tf, np):
        w = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
        indices, updates = tf.placeholder(tf.int32), tf.placeholder(tf.float32)
        op = function(tf, w, indices, updates)
        with tf.Session() as session:
            session.run(w.initializer)
            session.run(op[0], {indices: op[1], updates: op[2]})

    return case


CASES["error_index"] = _failing(
    lambda tf, w, i, u: (tf.scatter_add(w, i, u), [0, 2], [[1.0, 1.0], [1.0, 1.0]])
)
CASES["error_index_matrix"] = _failing(
    lambda tf, w, i, u: (tf.scatter_add(w, i, u), [[0], [-1]], [[[1.0, 1.0]], [[1.0, 1.0]]])
)
CASES["error_updates"] = _failing(
    lambda tf, w, i, u: (tf.scatter_add(w, i, u), [0, 1], [[1.0], [1.0]])
)
CASES["error_nd_index"] = _failing(
    lambda tf, w, i, u: (tf.scatter_nd_add(w, i, u), [[0, 0], [1, 2]], [1.0, 1.0])
)
CASES["error_nd_updates"] = _failing(
    lambda tf, w, i, u: (tf.scatter_nd_update(w, i, u), [[0], [1]], [1.0, 1.0])
)


def error_static_updates(tf, np):
    w = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
    tf.scatter_add(w, [0, 1], [[1.0], [1.0]])


def error_not_slices(tf, np):
    tf.Variable([1.0], name="w").scatter_add(tf.constant([1.0]))
