"""Learning rates at several steps."""


def _rates(make, structured=False):
    def case(tf, np):
        step = tf.Variable(0, name="global_step", trainable=False)
        rate = make(tf, step)
        found = {"name": rate.name.split("/")[0], "shape": str(rate.shape)}
        values = []
        with tf.Session() as session:
            session.run(step.initializer)
            for i in (0, 1, 5, 9, 10, 11, 20, 37):
                step.load(i, session)
                values.append(session.run(rate))
        found["rates"] = np.array(values)
        return found

    case.nodes = not structured  # tf.cond and tf.case build If nodes, not Switch and Merge
    case.atol = 1e-7
    return case


CASES = {
    "exponential": _rates(lambda tf, g: tf.train.exponential_decay(0.1, g, 10, 0.5)),
    "exponential_staircase": _rates(
        lambda tf, g: tf.train.exponential_decay(0.1, g, 10, 0.5, staircase=True, name="rate")
    ),
    "natural_exp": _rates(lambda tf, g: tf.train.natural_exp_decay(0.1, g, 10, 0.5)),
    "natural_exp_staircase": _rates(
        lambda tf, g: tf.train.natural_exp_decay(0.1, g, 10, 0.5, staircase=True)
    ),
    "inverse_time": _rates(lambda tf, g: tf.train.inverse_time_decay(0.1, g, 10, 0.5)),
    "inverse_time_staircase": _rates(
        lambda tf, g: tf.train.inverse_time_decay(0.1, g, 10, 0.5, staircase=True)
    ),
    "polynomial": _rates(lambda tf, g: tf.train.polynomial_decay(0.1, g, 10, 0.01, power=0.5)),
    "polynomial_cycle": _rates(
        lambda tf, g: tf.train.polynomial_decay(0.1, g, 10, 0.01, cycle=True), structured=True
    ),
    "piecewise": _rates(
        lambda tf, g: tf.train.piecewise_constant(g, [5, 10], [0.1, 0.2, 0.3]), structured=True
    ),
    "cosine": _rates(lambda tf, g: tf.train.cosine_decay(0.1, g, 10)),
    "cosine_alpha": _rates(lambda tf, g: tf.train.cosine_decay(0.1, g, 10, alpha=0.2)),
    "cosine_restarts": _rates(
        lambda tf, g: tf.train.cosine_decay_restarts(0.1, g, 10), structured=True
    ),
    "cosine_restarts_equal": _rates(
        lambda tf, g: tf.train.cosine_decay_restarts(0.1, g, 10, t_mul=1.0, m_mul=0.5, alpha=0.1),
        structured=True,
    ),
    "linear_cosine": _rates(lambda tf, g: tf.train.linear_cosine_decay(0.1, g, 10)),
}


def noisy_linear_cosine(tf, np):
    tf.set_random_seed(3)
    step = tf.Variable(2, name="global_step", trainable=False)
    return {"rate": tf.train.noisy_linear_cosine_decay(0.1, step, 10)}


def int64_step(tf, np):
    """int32 boundaries suit an int64 step."""
    step = tf.train.get_or_create_global_step()
    return {"rate": tf.train.piecewise_constant(step, [5, 10], [0.1, 0.2, 0.3])}


int64_step.nodes = False  # tf.case builds If nodes


def error_boundaries_type(tf, np):
    tf.train.piecewise_constant(tf.constant(1), [1.0, 2.0], [1.0, 2.0, 3.0])


def error_boundaries_count(tf, np):
    tf.train.piecewise_constant(tf.constant(1), [1, 2], [1.0, 2.0])


def error_values_type(tf, np):
    tf.train.piecewise_constant(tf.constant(1), [1, 2], [1.0, 2, 3.0])


def error_no_step(tf, np):
    tf.train.exponential_decay(0.1, None, 10, 0.5)
