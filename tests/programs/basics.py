"""First steps: a product of matrices, variables, a counter, fetching several values, feeding."""

from programs import loop


def product(tf):
    """The product of a row and a column."""
    return {"output": tf.matmul(tf.constant([[3.0, 3.0]]), tf.constant([[2.0], [2.0]]))}


def difference(tf):
    """A variable without a constant."""
    x = tf.Variable([1.0, 2.0])
    return {"output": tf.subtract(x, tf.constant([3.0, 3.0]))}


def counter(tf):
    """A counter and the op that moves it."""
    state = tf.Variable(0, name="counter")
    update = tf.assign(state, tf.add(state, tf.constant(1)))
    return {"output": state, "update": update}


def fetch(tf):
    """Two results, one of which the other one uses."""
    total = tf.add(tf.constant(2.0), tf.constant(5.0))
    return {"output": [tf.multiply(tf.constant(3.0), total), total]}


def feed(tf):
    """A product of what is fed."""
    first, second = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    return {"output": tf.multiply(first, second), "feed": {first: [7.0], second: [2.0]}}


def graphs(tf, np, data):
    """A graph each."""
    for build in (product, difference, counter, fetch, feed):
        made, _ = loop.graph(tf, build)
        with made.as_default():
            tf.global_variables_initializer()
        yield build.__name__, made
