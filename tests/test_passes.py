"""Passes that are not in the table of tests/test_engine.py, and that every pass has a test.

Each test makes the plan without and with the pass, and has a program that it must leave alone.
"""

from __future__ import annotations

import numpy as np
import plans
import pytest
import test_engine

import relight.v1 as tf
from relight.engine import conv_fusions, folding, fusions, known_shapes, passes, plan

# Where the other passes are tested, before and after.
ELSEWHERE = {
    "drop_unused": "test_engine.test_drop_unused",
    "update_together": "test_engine.test_updates_run_together",
    "average_together": "test_update_fusions",
    "lower_products": "test_precision",
    "join_softmax_gradient": "test_algebra_fusions",
    "add_scaled": "test_algebra_fusions",
    "sum_products": "test_sum_fusions",
}
HERE = {"relu_gradient_in_place", "pool_before_relu", "own_assigned", "copy_fetches"}


@pytest.fixture
def graph():
    with tf.Graph().as_default() as made:
        yield made


def _made(fetches, feeds, functions):
    """The plan made by these passes only."""
    with plans.only(functions):
        return plan.make(tf.get_default_graph(), fetches, feeds)


def _kinds(made):
    return [s.what for s in made.steps]


def test_every_pass_has_a_test():
    tested = {function.__name__ for function, *_ in test_engine.PASSES} | HERE | set(ELSEWHERE)
    assert {p.__name__ for p in passes.PASSES} == tested
    for name in HERE:
        assert any(n.startswith("test_") and name in n for n in globals()), name


# -- relu ------------------------------------------------------------------------------------------

X = np.random.RandomState(0).randn(4, 3).astype(np.float32)
BASE = [folding.forward_identities, folding.fold_constants, folding.drop_neutral]


def _two_layers():
    """x, and the gradient of a product behind a relu: ReluGrad takes a MatMul's fresh result."""
    x = tf.placeholder(tf.float32, [4, 3])
    weights = tf.constant(np.random.RandomState(1).randn(3, 2).astype(np.float32))
    hidden = tf.nn.relu(x)
    y = tf.matmul(hidden, weights)
    return x, hidden, tf.gradients(y * y, x)[0], tf.gradients(y * y, hidden)[0]


def test_relu_gradient_in_place(graph):
    x, _, grad, _ = _two_layers()
    before = _made([grad], [x], [*BASE, folding.drop_unused, passes.copy_fetches])
    rewrite = conv_fusions.relu_gradient_in_place
    after = _made([grad], [x], [*BASE, folding.drop_unused, rewrite, passes.copy_fetches])
    assert "ReluGrad" in _kinds(before) and "ReluGrad in place" not in _kinds(before)
    assert "ReluGrad in place" in _kinds(after) and "ReluGrad" not in _kinds(after)
    with tf.Session() as session:
        (wanted,), (found,) = plans.run(before, session, X), plans.run(after, session, X)
    np.testing.assert_array_equal(found, wanted)
    assert (wanted[X <= 0] == 0).all() and (wanted != 0).any()


def test_relu_gradient_in_place_spares_what_another_step_reads(graph):
    x, _, grad, inner = _two_layers()
    (product,) = [t for t in grad.op.inputs if t.op.type == "MatMul"]
    rewrite = conv_fusions.relu_gradient_in_place
    made = _made([grad, product], [x], [*BASE, folding.drop_unused, rewrite, passes.copy_fetches])
    assert "ReluGrad in place" not in _kinds(made)
    with tf.Session() as session:
        found, kept = plans.run(made, session, X)
        np.testing.assert_allclose(kept, session.run(inner, {x: X}), rtol=1e-6)
    assert (kept[X <= 0] != 0).any() and (found[X <= 0] == 0).all()


def test_relu_in_place_spares_what_another_step_reads(graph):
    x = tf.placeholder(tf.float32, [4, 3])
    product = tf.matmul(x, -tf.ones([3, 2]))
    y = tf.nn.relu(product)
    base = [*BASE, fusions.relu_in_place, passes.copy_fetches]
    assert "Relu in place" in _kinds(_made([y], [x], base))
    both = _made([y, product], [x], base)
    assert "Relu in place" not in _kinds(both)
    with tf.Session() as session:
        found, kept = plans.run(both, session, X)
    assert (kept < 0).any() and (found >= 0).all()


def _pooled(padding="SAME", read="nothing else"):
    """x -> relu -> max pooling, and the gradient of a sum of squares by x."""
    x = tf.placeholder(tf.float32, [2, 5, 5, 3])
    y = tf.nn.relu(x)
    pooled = tf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], padding)
    loss = tf.reduce_sum(pooled * pooled * [1.0, 2.0, 3.0])
    if read == "relu":
        loss += tf.reduce_sum(y)
    return x, y, pooled, tf.gradients(loss, x)[0]


POOLED = [*BASE, folding.drop_unused, conv_fusions.share_pool_indices]
# Whole numbers: windows with ties, of zeros and of negative numbers only.
IMAGES = np.random.RandomState(2).randint(-3, 2, [2, 5, 5, 3]).astype(np.float32)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_pool_before_relu(graph, padding):
    x, _, pooled, grad = _pooled(padding)
    rewrite = conv_fusions.pool_before_relu
    for fetches in ([pooled], [pooled, grad]):
        before = _made(fetches, [x], [*POOLED, passes.copy_fetches])
        after = _made(fetches, [x], [*POOLED, rewrite, passes.copy_fetches])
        kinds = _kinds(after)
        pool = next(k for k in kinds if k.startswith("MaxPool"))
        assert kinds.index("Relu") > kinds.index(pool)
        assert _kinds(before).index("Relu") < _kinds(before).index(pool)
        if "ReluGrad" in kinds:
            assert kinds.index("ReluGrad") < kinds.index("MaxPoolGrad by indices")
        with tf.Session() as session:
            wanted, found = plans.run(before, session, IMAGES), plans.run(after, session, IMAGES)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
            assert (b != 0).any()


@pytest.mark.parametrize("read", ["fetched", "relu"])
def test_pool_before_relu_spares_what_another_step_reads(graph, read):
    x, y, pooled, grad = _pooled(read=read)
    fetches = [pooled, grad, y] if read == "fetched" else [pooled, grad]
    rewrite = conv_fusions.pool_before_relu
    made = _made(fetches, [x], [*POOLED, rewrite, passes.copy_fetches])
    kinds = _kinds(made)
    assert kinds.index("Relu") < kinds.index("MaxPool with indices")


# -- memory ----------------------------------------------------------------------------------------


def test_own_assigned(graph):
    x = tf.placeholder(tf.float32, [2])
    v = tf.Variable([0.0, 0.0])
    direct, computed = tf.assign(v, x).op, tf.assign(v, x * 2.0).op
    views = tf.assign(v, tf.reshape(tf.expand_dims(x, 0), [2])).op
    constant = tf.assign(v, [5.0, 6.0]).op
    copies = [passes.own_assigned, passes.copy_fetches]
    for target, wanted in ((direct, 1), (views, 1), (computed, 0), (constant, 0)):
        assert "clone" not in _kinds(_made([target], [x], [passes.copy_fetches]))
        assert _kinds(_made([target], [x], copies)).count("clone") == wanted, target.name
    fed = np.float32([1, 2])
    with tf.Session() as session:
        session.run(v.initializer)
        for functions, wanted in ((copies, [1, 2]), ([passes.copy_fetches], [50, 50])):
            fed[:] = [1, 2]
            plans.run(_made([direct], [x], functions), session, fed)
            fed[:] = 50  # without the pass the variable is the program's own array
            assert session.run(v).tolist() == wanted


def test_copy_fetches(graph):
    x = tf.placeholder(tf.float32, [4])
    y = tf.exp(x)
    v = tf.get_variable("v", initializer=np.zeros(4, np.float32), use_resource=True)
    c = tf.constant([1.0, 2.0])
    words, text = tf.constant(["a", "b"]), tf.as_string(c[0])
    halves = tf.split(y, 2)
    held = tf.identity(x), tf.reshape(x, [2, 2])

    def copies(*fetches):
        return _made(list(fetches), [x], [passes.copy_fetches]).copies

    assert copies(y) == [False]  # made in this run, and nobody else's
    assert copies(y, y) == [True, True]
    assert copies(y, tf.reshape(y, [2, 2])) == [True, True]  # one memory, two fetches
    assert copies(halves[0]) == [False] and copies(*halves) == [True, True]
    assert copies(c) == copies(v.read_value()) == copies(held[0]) == copies(held[1]) == [True]
    assert copies(v.handle) == [False] and copies(text) == [False]
    assert copies(words) == [True]
    with tf.Session() as session:
        session.run(words)[0] = b"mine"
        assert session.run(words).tolist() == [b"a", b"b"]


# -- shapes of what is fed -------------------------------------------------------------------------


def test_known_shapes(graph):
    x = tf.placeholder(tf.float32, [None, 3])
    y = tf.reshape(tf.matmul(x, tf.ones([3, 2])), [-1])
    size = tf.size(y)
    nodes = plan.prune([size], {x})
    with known_shapes.fed([x], [(5, 3)], nodes) as fits:
        assert fits and x.shape.as_list() == [5, 3] and y.shape.as_list() == [10]
    assert x.shape.as_list() == [None, 3] and y.shape.as_list() == [None]
    with known_shapes.fed([x], [(5, 4)], nodes) as fits:  # the error is for the run
        assert not fits and x.shape.as_list() == [None, 3]
    any_shape = plan.make(graph, [size], [x])
    one_shape = plan.make(graph, [size], [x], shapes=[(5, 3)])
    assert one_shape.steps == [] and any_shape.steps != []
    assert plan.make(graph, [size], [x], shapes=[(5, 4)]) is None
    with tf.Session() as session:
        assert plans.run(any_shape, session, X[:4]) == [8]
        assert plans.run(one_shape, session, np.zeros((5, 3), np.float32)) == [10]
