"""Staging areas."""


def area(tf, np):
    made = tf.contrib.staging.StagingArea([tf.float32, tf.string], shapes=[[2], []], capacity=3)
    x = tf.placeholder(tf.float32, [2], name="x")
    put = made.put([x, tf.as_string(x[0])])
    peek, get, size, clear = made.peek(1), made.get(), made.size(), made.clear()
    with tf.Session() as session:
        for i in range(3):
            session.run(put, {x: [i, i + 1]})
        found = {"size": session.run(size), "peek": session.run(peek)}
        found["first"], found["second"] = session.run(get), session.run(get)
        session.run(clear)
        found["cleared"] = session.run(size)
    return found


def named(tf, np):
    made = tf.contrib.staging.StagingArea([tf.int32, tf.int32], names=["a", "b"], memory_limit=64)
    put = made.put({"a": tf.constant(1), "b": tf.constant([2, 3])})
    get = made.get()
    with tf.Session() as session:
        session.run(put)
        found = session.run(get)
    return {"a": found["a"], "b": found["b"], "name": made.name.encode()}


def too_large(tf, np):
    made = tf.contrib.staging.StagingArea([tf.float32], memory_limit=4)
    put = made.put([tf.constant([1.0, 2.0])])
    with tf.Session() as session:
        session.run(put)


def wrong_type(tf, np):
    tf.contrib.staging.StagingArea([tf.float32]).put([tf.constant(1)])


def _steps(tf, steps):
    """Values of operations run in one session; the class and first line of errors."""
    found = []
    with tf.Session() as session:
        for step in steps:
            try:
                value = session.run(step)
            except tf.errors.OpError as error:
                found.append([type(error).__name__, error.message.split("\n")[0]])
                continue
            found.append(list(value) if isinstance(value, (list, tuple)) else value)
    return {"steps": found}


class _Map:
    """The operations of one map of a prefix."""

    def __init__(self, tf, prefix, dtypes, **limits):
        self.tf, self.prefix = tf, prefix
        self.settings = dict(dtypes=dtypes, shared_name="m", **limits)

    def _op(self, name, **arguments):
        return getattr(self.tf.raw_ops, self.prefix + name)(**dict(self.settings, **arguments))

    def stage(self, key, indices, *values):
        key = self.tf.constant(key, self.tf.int64)
        return self._op("Stage", key=key, indices=indices, values=list(values))

    def unstage(self, key, *indices):
        return self._op("Unstage", key=self.tf.constant(key, self.tf.int64), indices=list(indices))

    def peek(self, key, *indices):
        return self._op("Peek", key=self.tf.constant(key, self.tf.int64), indices=list(indices))

    def any(self, *indices):
        found = self._op("UnstageNoKey", indices=list(indices))
        return [found.key] + list(found.values)

    def sizes(self):
        return [self._op("Size"), self._op("IncompleteSize")]

    def clear(self):
        return self._op("Clear")


def _float(tf, *values):
    return tf.constant(values, tf.float32)


def _whole(prefix):
    def case(tf, np):
        m = _Map(tf, prefix, [tf.float32, tf.string], capacity=10)
        a, b = _float(tf, 1.0, 2.0), tf.constant("b")
        steps = [
            m.sizes(),
            m.stage(7, [0, 1], a, b),
            m.stage(3, [0, 1], a * 2, tf.constant("c")),
            m.sizes(),
            m.peek(7, 0, 1),
            m.unstage(7, 0, 1),
            m.sizes(),
            m.any(0, 1),
            m.sizes(),
            m.stage(-1, [0, 1], a, b),
            m.clear(),
            m.sizes(),
        ]
        return _steps(tf, steps)

    return case


def _parts(prefix):
    def case(tf, np):
        m = _Map(tf, prefix, [tf.float32, tf.string, tf.int32])
        one = _Map(tf, prefix, [tf.float32, tf.string, tf.int32])
        a, b, c = _float(tf, 1.0), tf.constant("b"), tf.constant([3, 4])

        def parts(name, key, indices, dtypes):
            key = tf.constant(key, tf.int64)
            settings = dict(one.settings, dtypes=dtypes)
            return getattr(tf.raw_ops, prefix + name)(key=key, indices=indices, **settings)

        steps = [
            m.stage(1, [2], c),
            m.sizes(),
            m.stage(1, [0, 1], a, b),
            m.sizes(),
            m.stage(2, [0, 1, 2], a, b, c),
            m.peek(1, 0, 1, 2),
            m.any(0, 1, 2) if prefix == "OrderedMap" else m.sizes(),
            m.stage(5, [0], a),
            m.stage(5, [0], a),
            m.stage(5, [1, 0], b, a),
            m.stage(5, [1, 1], b, b),
            m.stage(5, [3], b),
            m.stage(5, [-1, 1], b, b),
            m.sizes(),
            m.clear(),
            m.sizes(),
        ]
        return _steps(tf, steps)

    return case


def _limits(prefix):
    def case(tf, np):
        m = _Map(tf, prefix, [tf.float32, tf.float32], capacity=2, memory_limit=16)
        a, b = _float(tf, 1.0, 2.0), _float(tf, 3.0)
        steps = [
            m.stage(1, [0], _float(tf, 1.0, 2.0, 3.0, 4.0, 5.0)),
            m.sizes(),
            m.stage(1, [0, 1], a, b),
            m.unstage(1, 0, 1),
            m.stage(2, [0, 1], a, a),
            m.any(0, 1),
            m.sizes(),
        ]
        return _steps(tf, steps)

    return case


def _again(prefix):
    """A key that is there already."""

    def case(tf, np):
        m = _Map(tf, prefix, [tf.float32])
        steps = [
            m.stage(1, [0], _float(tf, 1.0)),
            m.stage(1, [0], _float(tf, 2.0)),
            m.sizes(),
            m.unstage(1, 0),
            m.sizes(),
        ]
        return _steps(tf, steps)

    return case


def ordered_keys(tf, np):
    m = _Map(tf, "OrderedMap", [tf.int32])
    put = [m.stage(k, [0], tf.constant(k)) for k in (5, -3, 9, 0)]
    return _steps(tf, put + [m.any(0) for _ in put])


def _some_of(prefix):
    """Some of the values of a tuple, before the others."""

    def case(tf, np):
        raw = tf.raw_ops
        settings = {"shared_name": "m"}
        m = _Map(tf, prefix, [tf.float32, tf.int32])
        key = tf.constant(4, tf.int64)
        unstage, peek = getattr(raw, prefix + "Unstage"), getattr(raw, prefix + "Peek")
        steps = [
            m.stage(4, [0, 1], _float(tf, 1.0), tf.constant(2)),
            peek(key=key, indices=[1], dtypes=[tf.int32], **settings),
            unstage(key=key, indices=[1], dtypes=[tf.int32], **settings),
            m.sizes(),
            peek(key=key, indices=[1], dtypes=[tf.int32], **settings),
            unstage(key=key, indices=[5], dtypes=[tf.int32], **settings),
            m.unstage(4, 0, 1),
            unstage(key=key, indices=[0], dtypes=[tf.float32], **settings),
            m.sizes(),
        ]
        return _steps(tf, steps)

    return case


CASES = {}
for _prefix in ("Map", "OrderedMap"):
    for _make in (_whole, _parts, _limits, _again, _some_of):
        CASES[_prefix.lower() + _make.__name__] = _make(_prefix)
