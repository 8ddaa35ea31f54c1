"""Element-wise steps joined into one kernel: the plan before and after, and the values."""

import numpy as np
import plans
import pytest
import torch

import relight.v1 as tf
from relight.ops import gemm


def _softmax_graph():
    x = tf.Variable(np.random.RandomState(0).randn(5, 7).astype(np.float32))
    y = tf.nn.softmax(x)
    return y, tf.gradients(tf.reduce_sum(y * y * y), x)[0]


def test_softmax_gradient():
    with tf.Graph().as_default() as graph:
        y, gradient = _softmax_graph()
        after = plans.steps(graph, [gradient])
        before = plans.steps(graph, [gradient], "join_softmax_gradient")
        assert after.count("Softmax gradient") == 1
        assert len(before) == len(after) + 3
        np.testing.assert_allclose(
            plans.values(graph, [y, gradient])[1],
            plans.values(graph, [y, gradient], "join_softmax_gradient")[1],
            atol=1e-7,
        )


@pytest.mark.parametrize("what", ["other axis", "read elsewhere", "no softmax"])
def test_what_is_no_softmax_gradient_stays(what):
    with tf.Graph().as_default() as graph:
        x = tf.Variable(np.random.RandomState(0).randn(5, 5).astype(np.float32))
        y = tf.exp(x) if what == "no softmax" else tf.nn.softmax(x)
        g = tf.Variable(np.random.RandomState(1).randn(5, 5).astype(np.float32))
        total = tf.reduce_sum(g * y, 0 if what == "other axis" else 1, keepdims=True)
        fetches = [(g - total) * y] + ([total] if what == "read elsewhere" else [])
        assert "Softmax gradient" not in plans.steps(graph, fetches)


@pytest.mark.parametrize("own", [True, False])
def test_scaled_addition(own):
    """Over a product that nothing else reads it is done in place; else not."""
    with tf.Graph().as_default() as graph:
        a = tf.Variable(np.random.RandomState(0).randn(4, 4).astype(np.float32))
        w = tf.Variable(np.random.RandomState(1).randn(4, 4).astype(np.float32))
        product = tf.matmul(a, w)
        fetches = [tf.add_n([product, 0.5 * w])] + ([] if own else [product])
        after = plans.steps(graph, fetches)
        assert ("add scaled in place" if own else "add scaled") in after
        assert "AddN" in plans.steps(graph, fetches, "add_scaled")
        for found, expected in zip(
            plans.values(graph, [*fetches, w]),
            plans.values(graph, [*fetches, w], "add_scaled"),
            strict=True,
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("what", ["three", "integers", "broadcast", "both"])
def test_other_additions(what):
    """More than two terms, integers and broadcasts stay; of two scaled terms one is taken."""
    with tf.Graph().as_default() as graph:
        dtype = tf.int32 if what == "integers" else tf.float32
        a, b = tf.Variable(tf.ones([3, 3], dtype)), tf.Variable(tf.ones([3, 3], dtype))
        row = tf.Variable(tf.ones([3], dtype))
        sums = {
            "three": lambda: tf.add_n([a, b * 2.0, a * 3.0]),
            "integers": lambda: a + b * 2,
            "broadcast": lambda: a + row * 2.0,
            "both": lambda: a * 3.0 + b * 2.0,
        }
        total = sums[what]()
        steps = plans.steps(graph, [total])
        assert ("add scaled" in steps) == (what == "both")
        np.testing.assert_array_equal(
            plans.values(graph, [total])[0],
            plans.values(graph, [total], "add_scaled")[0],
        )


@pytest.mark.parametrize("columns", [1, 10, 16, 17])
def test_products_of_transposed_matrices(columns):
    """Narrow results take another way, and are as contiguous as all others."""
    random = np.random.RandomState(0)
    x = torch.from_numpy(random.randn(100, 800).astype(np.float32))
    g = torch.from_numpy(random.randn(100, columns).astype(np.float32))
    found = gemm.mm(x.t(), g)
    assert found.is_contiguous()
    np.testing.assert_allclose(found.numpy(), x.numpy().T @ g.numpy(), atol=1e-4)
