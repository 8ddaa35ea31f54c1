"""Products that the turns of a loop add up, made of many turns at once."""

import numpy as np
import plans
import pytest
import torch

import relight.v1 as tf
from relight.engine import plan
from relight.ops import gemm

JOINED = "Sum of products"
RANDOM = np.random.RandomState(0)


@pytest.fixture
def made(monkeypatch):
    """The kinds of steps of all plans that are made meanwhile."""
    kinds = []

    def finish(*args, _original=plan.finish, **settings):
        found = _original(*args, **settings)
        kinds.extend(s.what for s in found.steps)
        return found

    monkeypatch.setattr(plan, "finish", finish)
    return kinds


def both(made, graph, fetches):
    """Values with and without the pass, and how often it joined something."""
    wanted = plans.values(graph, fetches, "sum_products")
    assert JOINED not in made
    made.clear()
    return plans.values(graph, fetches), wanted, made.count(JOINED)


def close(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "rows, turns, bias",
    [
        (3, 5, "none"),
        (3, 5, "bias_add"),
        (3, 5, "add"),
        (3, 1, "bias_add"),
        (3, 0, "bias_add"),
        (600, 5, "bias_add"),
    ],
)
def test_gradients_of_weights_that_turns_share(made, rows, turns, bias, monkeypatch):
    monkeypatch.setattr(gemm, "_GATHERED", 200)  # bytes: two turns of 3 rows at once
    with tf.Graph().as_default() as graph:
        w = tf.Variable(RANDOM.randn(4, 4).astype(np.float32) / 2)
        b = tf.Variable(RANDOM.randn(4).astype(np.float32))
        start = tf.constant(RANDOM.randn(rows, 4).astype(np.float32) / rows)

        def body(i, h):
            z = tf.matmul(h, w)
            z = z if bias == "none" else tf.nn.bias_add(z, b) if bias == "bias_add" else z + b
            return i + 1, tf.tanh(z)

        _, h = tf.while_loop(lambda i, h: i < turns, body, [0, start])
        fetches = tf.gradients(tf.reduce_sum(h * h), [w] if bias == "none" else [w, b])
        found, wanted, joined = both(made, graph, fetches)
        assert joined == (turns > 0)
        close(found, wanted)
        assert turns == 0 or all(np.abs(v).max() > 0 for v in found)
        if joined and bias != "none":
            assert "BiasAddGrad" not in made


def grown(read="nothing", shape=(3, 3)):
    """s + x^T x, four times, with s read as told."""
    x = tf.constant(RANDOM.randn(5, 3).astype(np.float32))

    def condition(i, s, t):
        return tf.logical_and(i < 4, tf.reduce_sum(s) < 1e9) if read == "the condition" else i < 4

    def body(i, s, t):
        product = tf.matmul(x, x, transpose_a=True)
        if read == "not transposed":
            product = tf.matmul(tf.transpose(x), x)
        after = s + product
        if read == "the turn":
            t = t + tf.reduce_sum(s)
        if read == "the turn after":
            t = t + tf.reduce_sum(after)
        if read == "the product":
            t = t + tf.reduce_sum(product)
        return i + 1, after, t

    shapes = [tf.TensorShape([]), tf.TensorShape(shape), tf.TensorShape([])]
    return tf.while_loop(condition, body, [0, tf.ones([3, 3]), 0.0], shapes)[1:]


@pytest.mark.parametrize("shape", [(3, 3), (None, 3), None])
def test_a_sum_that_a_program_makes_itself(made, shape):
    with tf.Graph().as_default() as graph:
        found, wanted, joined = both(made, graph, grown(shape=shape))
        assert joined == 1
        close(found, wanted)


@pytest.mark.parametrize(
    "read", ["the condition", "the turn", "the turn after", "the product", "not transposed"]
)
def test_what_something_else_reads_is_left_alone(made, read):
    with tf.Graph().as_default() as graph:
        found, wanted, joined = both(made, graph, grown(read))
        assert joined == 0
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_sum_that_broadcasts_is_left_alone(made):
    with tf.Graph().as_default() as graph:
        x = tf.constant(RANDOM.randn(5, 3).astype(np.float32))
        shapes = [tf.TensorShape([]), tf.TensorShape(None)]
        _, s = tf.while_loop(
            lambda i, s: i < 3,
            lambda i, s: (i + 1, s + tf.matmul(x, x, transpose_a=True)),
            [0, tf.ones([3])],
            shapes,
        )
        found, wanted, joined = both(made, graph, [s])
        assert joined == 0 and found[0].shape == (3, 3)
        close(found, wanted)


def test_loops_in_loops(made):
    with tf.Graph().as_default() as graph:
        x = tf.constant(RANDOM.randn(5, 3).astype(np.float32))

        def outer(i, s):
            def inner(j, t):
                return j + 1, t + tf.matmul(x, x, transpose_a=True)

            return i + 1, tf.while_loop(lambda j, t: j < i, inner, [0, s])[1]

        s = tf.while_loop(lambda i, s: i < 4, outer, [0, tf.zeros([3, 3])])[1]
        found, wanted, joined = both(made, graph, [s])
        assert joined == 1
        close(found, wanted)
        with tf.Session() as session:
            value = session.run(x)
        np.testing.assert_allclose(found[0], 6 * value.T @ value, rtol=1e-5)


def test_factors_that_do_not_fit():
    sums = gemm.SumOfProducts(torch.zeros(3, 2))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        sums.add(torch.ones(4, 3), torch.ones(5, 2))
