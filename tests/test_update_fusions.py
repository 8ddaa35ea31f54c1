"""Updates joined into one call: the plan before and after, and the values against NumPy."""

import numpy as np
import plans
import pytest

import relight.v1 as tf


def _averaged_graph(rate=0.9):
    with tf.Graph().as_default() as graph:
        values = [tf.Variable(tf.fill([3, 2], 2.0)), tf.Variable([5.0, 6.0])]
        average = tf.train.ExponentialMovingAverage(rate)
        update = average.apply(values)
        shadows = [average.average(v) for v in values]
        initialize = tf.global_variables_initializer()
    return graph, values, shadows, update, initialize


def test_moving_averages_become_one_step():
    graph, _, _, update, _ = _averaged_graph()
    after = plans.steps(graph, [update])
    before = plans.steps(graph, [update], "average_together")
    assert after.count("MovingAverage x 2") == 1 and "AssignSub" not in after
    assert before.count("AssignSub") == 2 and before.count("Sub") >= 2


@pytest.mark.parametrize("rate", [0.9, 0.25])  # lerp has one formula below a weight of 1/2
def test_moving_averages_values(rate):
    graph, values, shadows, update, initialize = _averaged_graph(rate)
    with tf.Session(graph=graph) as session:
        session.run(initialize)
        expected = [v.copy() for v in session.run(values)]
        for step in range(3):
            new = [np.full([3, 2], 10.0 + step, np.float32), np.float32([step, -step])]
            for variable, value in zip(values, new, strict=True):
                variable.load(value, session)
            session.run(update)
            expected = [e - (e - n) * np.float32(1 - rate) for e, n in zip(expected, new)]
        for got, want in zip(session.run(shadows), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6)


def test_an_average_that_is_read_between_stays_alone():
    with tf.Graph().as_default() as graph:
        first = tf.Variable([0.0], use_resource=False)
        second = tf.Variable([1.0], use_resource=False)
        value = tf.constant([4.0])
        rate = tf.placeholder_with_default(0.5, [])
        one = tf.assign_sub(first, (first - value) * rate)
        with tf.control_dependencies([one]):
            seen = first + 0.0
            two = tf.assign_sub(second, (second - seen) * rate)
        initialize = tf.global_variables_initializer()
        fetch = tf.group(one, two)
    assert "MovingAverage x 2" not in plans.steps(graph, [fetch])
    with tf.Session(graph=graph) as session:
        session.run(initialize)
        session.run(fetch)
        np.testing.assert_allclose(session.run([first, second]), [[2.0], [1.5]])


def test_the_old_average_can_be_fetched_beside_the_update():
    """A reading that something else uses keeps its value."""
    with tf.Graph().as_default() as graph:
        shadow = tf.Variable([0.0], use_resource=False)
        before = tf.identity(shadow)
        update = tf.assign_sub(shadow, (before - [4.0]) * 0.5)
        initialize = tf.global_variables_initializer()
    with tf.Session(graph=graph) as session:
        session.run(initialize)
        old, new = session.run([before, update])
        assert (old, new) in (([0.0], [2.0]), ([2.0], [2.0]))  # a reference may show the update
        np.testing.assert_allclose(session.run(shadow), [2.0])


def _adam(variable, gradients, rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma and Ba 2015, §2, in float64."""
    mean = square = np.zeros_like(variable, dtype=np.float64)
    value = variable.astype(np.float64)
    for step, gradient in enumerate(gradients, 1):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        size = rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)
        value -= size * mean / (np.sqrt(square) + epsilon)
    return value


@pytest.mark.parametrize("shapes", [[(4, 3)], [(4, 3), (7,)], [(5, 5, 1, 8), (8,)]])
def test_adam_in_one_pass(shapes):
    """One variable, several, and filters, whose gradients lie otherwise in memory."""
    random = np.random.RandomState(0)
    starts = [random.randn(*s).astype(np.float32) for s in shapes]
    fed = [[random.randn(*s).astype(np.float32) for s in shapes] for _ in range(5)]
    with tf.Graph().as_default() as graph:
        variables = [tf.Variable(s) for s in starts]
        # Transposed twice: a gradient that is not contiguous.
        holders = [tf.placeholder(tf.float32, s[::-1]) for s in shapes]
        gradients = [tf.transpose(h) for h in holders]
        train = tf.train.AdamOptimizer(0.1).apply_gradients(zip(gradients, variables))
        initialize = tf.global_variables_initializer()
    with tf.Session(graph=graph) as session:
        session.run(initialize)
        for step in fed:
            session.run(train, {h: g.T for h, g in zip(holders, step)})
        values = session.run(variables)
    for i, value in enumerate(values):
        np.testing.assert_allclose(
            value, _adam(starts[i], [f[i] for f in fed]), rtol=2e-5, atol=2e-6
        )


def test_adam_updates_become_one_step():
    with tf.Graph().as_default() as graph:
        variables = [tf.Variable([1.0]), tf.Variable([[2.0]])]
        loss = tf.add_n([tf.reduce_sum(v * v) for v in variables])
        train = tf.train.AdamOptimizer().minimize(loss)
    after = plans.steps(graph, [train])
    before = plans.steps(graph, [train], "update_together")
    assert "ApplyAdam x 2" in after and before.count("ApplyAdam") == 2
