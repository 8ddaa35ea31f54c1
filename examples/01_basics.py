"""First steps: constants, the graph, sessions, variables, feeds, fetches, and a typical slip.

    relight run examples/01_basics.py

A TensorFlow 1 program has two halves. The first describes a computation: every call adds nodes to
a graph and computes nothing. The second runs parts of that graph in a session, as often as it
likes, with values of its choice. Each function below shows one idea and prints what comes of it;
the last one makes the slip that everybody makes once, and prints the error.
"""

import tensorflow as tf


def constants():
    """A tensor is a place in the graph; `Session.run` computes its value."""
    row = tf.constant([[3.0, 3.0]], name="row")
    column = tf.constant([[2.0], [2.0]], name="column")
    product = tf.matmul(row, column, name="product")
    print("  not a number yet:", product)
    print("  the graph holds:", [op.name for op in tf.get_default_graph().get_operations()])
    session = tf.Session()
    print("  row x column =", session.run(product).tolist())
    session.close()
    with tf.Session() as session:  # closed at the end of the block, whatever happens in it
        print("  row + column =", session.run(row + column).tolist())


def variables():
    """A variable keeps its value from run to run, in the session that runs it."""
    counter = tf.Variable(0, name="counter")
    increment = tf.assign(counter, counter + 1)  # describes the assignment; nothing happens yet
    start = tf.global_variables_initializer()
    with tf.Session() as session, tf.Session() as other:
        session.run(start)
        other.run(start)
        print("  counting:", [int(session.run(increment)) for _ in range(4)])
        print("  the other session still has", int(other.run(counter)))


def fetches():
    """One run computes all that is asked for, and shares what the answers have in common."""
    a, b, c = tf.constant(3.0), tf.constant(2.0), tf.constant(5.0)
    total = tf.add(b, c, name="total")
    product = tf.multiply(a, total, name="product")
    with tf.Session() as session:
        values = session.run({"product": product, "parts": [total, a]})
        (total_value, a_value), product_value = values["parts"], values["product"]
        print(f"  product {product_value:g}, parts {total_value:g} and {a_value:g}")


def feeds():
    """A placeholder has no value: each run feeds one. Any other tensor can be fed as well."""
    x = tf.placeholder(tf.float32, shape=[None, 2], name="x")
    lengths = tf.sqrt(tf.reduce_sum(tf.square(x), axis=1), name="lengths")
    longest = tf.reduce_max(lengths)
    with tf.Session() as session:
        print("  lengths:", session.run(lengths, {x: [[3, 4], [6, 8], [5, 12]]}).tolist())
        value = session.run(longest, {lengths: [1, 7, 2]})
        print(f"  the longest of given lengths: {value:g}")


def interactive():
    """In a shell or a notebook: a session that `eval` and `run` find by themselves."""
    session = tf.InteractiveSession()
    x = tf.Variable([1.0, 2.0])
    x.initializer.run()
    print("  x - 3 =", tf.subtract(x, tf.constant(3.0)).eval().tolist())
    session.close()


def slip():
    """Two rows cannot be multiplied as matrices: TensorFlow says so when the node is made."""
    try:
        tf.matmul(tf.constant([[3.0, 3.0]]), tf.constant([[2.0, 2.0]]))
    except ValueError as error:
        print("  ValueError:", error)


def main(_):
    """Every lesson in a graph of its own, so that names and variables do not mix."""
    for lesson in (constants, variables, fetches, feeds, interactive, slip):
        print(f"{lesson.__name__}: {lesson.__doc__}")
        with tf.Graph().as_default():
            lesson()


if __name__ == "__main__":
    tf.app.run()
