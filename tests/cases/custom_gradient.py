"""tf.custom_gradient, tf.RegisterGradient by name, and functions made of them."""


def _clipped(tf):
    @tf.custom_gradient
    def f(x):
        def grad(dy):
            return tf.clip_by_value(dy, -1.0, 1.0)

        return tf.identity(x), grad

    return f


def simple(tf, np):
    x = tf.constant([1.0, 2.0, 3.0])
    y = _clipped(tf)(x)
    return {"y": y, "grad": tf.gradients(y * y, x)[0]}


def stable_log(tf, np):
    """log(1 + e^x) with a gradient that does not overflow."""

    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)

        def grad(dy):
            return dy * (1 - 1 / (1 + e))

        return tf.log(1 + e), grad

    x = tf.constant(100.0)
    return {"grad": tf.gradients(log1pexp(x), x)[0]}


def two_of_each(tf, np):
    @tf.custom_gradient
    def f(x, y):
        def grad(da, db):
            return da * 2.0, db * 3.0

        return (x + y, x * y), grad

    x, y = tf.constant(2.0), tf.constant(5.0)
    a, b = f(x, y)
    return {"a": a, "b": b, "grads": tf.gradients(a + 10.0 * b, [x, y])}


def nested(tf, np):
    f = _clipped(tf)
    x = tf.constant([0.5, 2.0])
    return {"grad": tf.gradients(f(f(x) * 3.0) * 2.0, x)[0]}


def with_variables(tf, np):
    @tf.custom_gradient
    def f(x):
        w = tf.get_variable("w", initializer=3.0, use_resource=True)

        def grad(dy, variables=None):
            return dy * 100.0, [dy * 7.0 for _ in variables]

        return x * w, grad

    x = tf.constant(2.0)
    with tf.variable_scope("s", use_resource=True):
        y = f(x)
        w = tf.global_variables()[0]
    return {"y": y, "grads": tf.gradients(y, [x, w])}


def recomputed(tf, np):
    f = tf.recompute_grad(lambda x: tf.sin(x) * x)
    x = tf.constant([0.5, 2.0])
    with tf.variable_scope("s", use_resource=True):
        y = f(x)
    return {"y": y, "grad": tf.gradients(y, x)[0]}


recomputed.nodes = False  # TensorFlow's gradient tape names its nodes otherwise


def passed_through(tf, np):
    f = tf.grad_pass_through(lambda x: tf.floor(x * 3.0))
    x = tf.constant([0.5, 2.0])
    with tf.variable_scope("s", use_resource=True):
        y = f(x)
    return {"y": y, "grad": tf.gradients(y * y, x)[0]}


def override(tf, np):
    """The gradient of an op, replaced by name."""
    name = "CaseDoubled%d" % np.random.randint(10**9)

    @tf.RegisterGradient(name)
    def doubled(op, grad):
        return grad * 2.0

    x = tf.constant([1.0, -2.0])
    with tf.get_default_graph().gradient_override_map({"Identity": name}):
        y = tf.identity(x)
    return {"grad": tf.gradients(y, x)[0]}


def error_keywords(tf, np):
    _clipped(tf)(x=tf.constant(1.0))


def error_variables(tf, np):
    @tf.custom_gradient
    def f(x):
        w = tf.get_variable("w", initializer=3.0, use_resource=True)
        return x * w, lambda dy: dy

    f(tf.constant(1.0))


def error_reference_variable(tf, np):
    @tf.custom_gradient
    def f(x):
        w = tf.get_variable("w", initializer=3.0)
        return x * w, lambda dy: dy

    f(tf.constant(1.0))


def hessian(tf, np):
    x = tf.constant([1.0, 2.0, 3.0])
    return {"h": tf.hessians(tf.reduce_sum(x * x * x) + x[0] * x[1] * x[2], x)}


def hessian_of_matrix(tf, np):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    w = tf.Variable([2.0, 5.0], name="w")
    return {"h": tf.hessians(tf.reduce_sum(tf.exp(x * 0.1) * w * w), [x, w])}


# The loop is a While node over a list, not Enter, Exit and a TensorArray.
hessian.nodes = hessian_of_matrix.nodes = False
