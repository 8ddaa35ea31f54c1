"""Barriers: rows that are put together from parts, and taken in the order of their first parts."""


def _run(tf, make, *steps):
    """Values of steps, each built from the barrier's handle and run in one session; the class and
    first line of errors."""
    found = []
    handle = make()
    with tf.Session() as session:
        for step in steps:
            try:
                value = session.run(step(handle))
            except (tf.errors.OpError, ValueError) as error:
                message = getattr(error, "message", str(error)).split("\n")[0]
                found.append([type(error).__name__, message])
                continue
            if isinstance(value, tuple):
                value = [value[0], value[1]] + list(value[2])
            found.append(value)
    return {"steps": found}


def _pair(tf, shared_name="b"):
    raw = tf.raw_ops
    return lambda: raw.Barrier(
        component_types=[tf.string, tf.int32], shapes=[[], [2]], shared_name=shared_name
    )


def _insert(tf, component, keys, values):
    return lambda handle: tf.raw_ops.BarrierInsertMany(
        handle=handle, keys=keys, values=values, component_index=component
    )


def _take(tf, n, types=None, **settings):
    def build(handle):
        found = tf.raw_ops.BarrierTakeMany(
            handle=handle,
            num_elements=n,
            component_types=types or [tf.string, tf.int32],
            **settings,
        )
        return found.indices, found.keys, found.values

    return build


def _ready(tf):
    return lambda handle: tf.raw_ops.BarrierReadySize(handle=handle)


def _incomplete(tf):
    return lambda handle: tf.raw_ops.BarrierIncompleteSize(handle=handle)


def _close(tf, cancel=False):
    return lambda handle: tf.raw_ops.BarrierClose(handle=handle, cancel_pending_enqueues=cancel)


def rows(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["k1", "k2"], ["a", "b"]),
        _ready(tf),
        _incomplete(tf),
        _insert(tf, 1, ["k1"], [[1, 2]]),
        _insert(tf, 0, ["k3"], ["c"]),
        _insert(tf, 1, ["k3"], [[5, 6]]),
        _ready(tf),
        _insert(tf, 1, ["k2"], [[3, 4]]),
        _ready(tf),
        _incomplete(tf),
        _take(tf, 1),
        _take(tf, 1),
        _take(tf, 1),
        _ready(tf),
    )


def many_at_once(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["b", "a", "c"], ["1", "2", "3"]),
        _insert(tf, 1, ["d"], [[7, 7]]),
        _insert(tf, 1, ["c", "a", "b"], [[1, 1], [2, 2], [3, 3]]),
        _insert(tf, 0, ["d", "e"], ["4", "5"]),
        _incomplete(tf),
        _take(tf, 4),
        _insert(tf, 0, ["a"], ["again"]),
        _insert(tf, 1, ["a", "e"], [[8, 8], [9, 9]]),
        _take(tf, 2),
        _take(tf, 0),
    )


def closed(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["x", "y", "z"], ["a", "b", "c"]),
        _insert(tf, 1, ["x"], [[1, 2]]),
        _close(tf),
        _close(tf),
        _insert(tf, 0, ["new"], ["d"]),
        _insert(tf, 1, ["y"], [[3, 4]]),
        _incomplete(tf),
        _take(tf, 4),
        _take(tf, 2),
        _insert(tf, 1, ["z"], [[5, 6]]),
        _ready(tf),
        _take(tf, 2),
        _take(tf, 2, allow_small_batch=True),
        _take(tf, 2, allow_small_batch=True),
        _take(tf, 1),
        _insert(tf, 1, ["z"], [[5, 6]]),
        _insert(tf, 1, ["late"], [[5, 6]]),
    )


def cancelled(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["x", "y"], ["a", "b"]),
        _insert(tf, 1, ["x"], [[1, 2]]),
        _close(tf),
        _close(tf, True),
        _close(tf, True),
        _insert(tf, 1, ["y"], [[3, 4]]),
        _ready(tf),
        _incomplete(tf),
        _take(tf, 1),
        _take(tf, 1, allow_small_batch=True),
        _take(tf, 0),
    )


def wrong_insertions(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["x"], ["a"]),
        _insert(tf, 0, ["x"], ["b"]),
        _insert(tf, 0, ["p", "x", "q"], ["b", "c", "d"]),
        _incomplete(tf),
        _insert(tf, 0, ["r", "r"], ["b", "c"]),
        _incomplete(tf),
        _insert(tf, 2, ["x"], ["b"]),
        _insert(tf, 1, ["x"], [[1, 2], [3, 4]]),
        _insert(tf, 1, ["x"], [[1.0, 2.0]]),
        _insert(tf, 1, [["x"]], [[1, 2]]),
        _insert(tf, 1, ["x"], [[1, 2, 3]]),
    )


def wrong_taking(tf, np):
    return _run(
        tf,
        _pair(tf),
        _insert(tf, 0, ["x"], ["a"]),
        _insert(tf, 1, ["x"], [[1, 2]]),
        _take(tf, 1, types=[tf.string]),
        _take(tf, 1, types=[tf.string, tf.float32]),
        _take(tf, 1, timeout_ms=50),
    )


def any_shape(tf, np):
    def make():
        return tf.raw_ops.Barrier(component_types=[tf.float32], shared_name="any")

    return _run(
        tf,
        make,
        _insert(tf, 0, ["a", "b"], np.ones((2, 3), np.float32)),
        _take(tf, 2, types=[tf.float32]),
        _insert(tf, 0, ["a"], np.ones((1, 2, 2), np.float32)),
        _insert(tf, 0, ["b"], np.ones((1, 3), np.float32)),
        _insert(tf, 0, ["c"], np.ones((1, 0), np.float32)),
        _insert(tf, 0, ["d"], np.float32(3.0)),
        _take(tf, 1, types=[tf.float32]),
    )


def made_wrong(tf, np):
    def make(shape):
        def insert(handle):
            barrier = tf.raw_ops.Barrier(component_types=[tf.float32], shapes=[shape])
            return tf.raw_ops.BarrierReadySize(handle=barrier)

        return insert

    def limited(handle):
        barrier = tf.raw_ops.Barrier(component_types=[tf.float32], shapes=[[]], capacity=3)
        return tf.raw_ops.BarrierReadySize(handle=barrier)

    def uneven(handle):
        barrier = tf.raw_ops.Barrier(component_types=[tf.float32, tf.int32], shapes=[[2]])
        return tf.raw_ops.BarrierReadySize(handle=barrier)

    def other(handle):
        one = tf.raw_ops.Barrier(component_types=[tf.int32], shapes=[[]], shared_name="b")
        return tf.raw_ops.BarrierReadySize(handle=one)

    return _run(tf, _pair(tf), _ready(tf), make([None, 2]), make([0]), limited, uneven, other)
