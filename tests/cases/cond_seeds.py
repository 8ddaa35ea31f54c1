"""Random numbers around and inside tf.cond: default seeds count the nodes that TensorFlow makes."""


def around(tf, np):
    tf.set_random_seed(5)
    x = tf.placeholder(tf.float32, [])
    one = tf.cond(x > 0, lambda: tf.random_uniform([]) + x, lambda: tf.random_uniform([]) * x)
    two = tf.random_uniform([])
    variable = tf.Variable(tf.random_uniform([]))
    value = variable.initialized_value()
    three = tf.random_uniform([])
    tf.cond(x > 0, tf.no_op, tf.no_op)
    four = tf.random_uniform([])
    nested = tf.cond(
        x > 0,
        lambda: tf.cond(x > 1, lambda: tf.random_uniform([]), lambda: x),
        lambda: tf.random_normal([]),
    )
    five = tf.random_uniform([])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return {
            str(fed): session.run([one, two, variable, value, three, four, nested, five], {x: fed})
            for fed in (1.0, -1.0, 2.0)
        }


around.nodes = False  # an If here, Switch and Merge there


def several_outputs(tf, np):
    tf.set_random_seed(6)
    x = tf.placeholder(tf.float32, [])
    y = x * 2
    tf.cond(x > 0, lambda: (x, y, x), lambda: [y, y, tf.constant(1.0)])
    a = tf.random_uniform([])
    tf.cond(x > 0, lambda: {"a": x}, lambda: {"a": tf.random_normal([])})
    b = tf.random_uniform([])
    return {"a": a, "b": b}


several_outputs.nodes = False
