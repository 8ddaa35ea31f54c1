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
