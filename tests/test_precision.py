"""Products in bfloat16: what the pass changes in a plan, and what it leaves alone."""

import numpy as np
import pytest
import torch
from bare import python
from tensorboard.compat.proto import rewriter_config_pb2

import relight.v1 as tf
from relight.engine import plan, precision
from relight.ops import nn_pool

SUPPORTED = torch.ops.mkldnn._is_mkldnn_bf16_supported()
pytestmark = pytest.mark.skipif(not SUPPORTED, reason="no bfloat16 on this processor")


def _network():
    """Two layers of convolution and pooling, one dense layer; the training step."""
    x = tf.constant(np.random.RandomState(0).randn(8, 12, 12, 3).astype(np.float32))
    h = tf.layers.conv2d(x, 32, 3, padding="same", activation=tf.nn.relu)
    h = tf.layers.max_pooling2d(h, 2, 2)
    h = tf.reshape(h, [8, -1])
    w = tf.get_variable("w", [6 * 6 * 32, 512], initializer=tf.glorot_uniform_initializer(seed=1))
    h = tf.nn.relu(tf.matmul(h, w))
    loss = tf.reduce_mean(tf.square(h))
    return loss, tf.train.GradientDescentOptimizer(0.1).minimize(loss)


def _steps(graph, fetch, low):
    with precision.using(low):
        return [s.what for s in plan.make(graph, [fetch], []).steps]


def test_a_chain_of_layers_is_converted_once_at_either_end():
    with tf.Graph().as_default() as graph:
        _, train = _network()
    before = _steps(graph, train, None)
    after = _steps(graph, train, torch.bfloat16)
    assert "to low precision" not in before
    assert [s for s in after if not s.startswith("to ")] == before
    # From the input to the matrix product nothing becomes float32 again.
    first, last = after.index("Conv2D+Bias"), after.index("MatMul")
    assert "to float32" not in after[first:last]
    # Gradients are float32 when they reach the variables.
    updates = next(i for i, s in enumerate(after) if s.startswith("ApplyGradientDescent"))
    assert "to float32" in after[last:updates]


def test_small_products_stay():
    with tf.Graph().as_default() as graph:
        product = tf.matmul(tf.ones([10, 20]), tf.Variable(tf.ones([20, 30])))
        large = tf.matmul(tf.ones([128, 512]), tf.Variable(tf.ones([512, 64])))
    assert "to low precision" not in _steps(graph, product, torch.bfloat16)
    assert "to low precision" in _steps(graph, large, torch.bfloat16)


def _trained(config=None, steps=3):
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        loss, train = _network()
        with tf.Session(graph=graph, config=config) as session:
            session.run(tf.global_variables_initializer())
            losses = []
            for _ in range(steps):
                losses.append(session.run([loss, train])[0])
            return losses, session.run(tf.trainable_variables())


def _config(level="ON"):
    config = tf.ConfigProto()
    levels = rewriter_config_pb2.RewriterConfig
    config.graph_options.rewrite_options.auto_mixed_precision = levels.Toggle.Value(level)
    return config


def test_a_session_can_ask_for_it():
    """The same losses to bfloat16's 8 bits, but not the same numbers; values stay float32."""
    exact, variables = _trained()
    low, low_variables = _trained(_config())
    assert exact != low
    np.testing.assert_allclose(low, exact, rtol=2e-2)
    assert all(v.dtype == np.float32 for v in low_variables)
    for a, b in zip(variables, low_variables, strict=True):
        np.testing.assert_allclose(b, a, atol=2e-3)
    assert _trained()[0] == exact  # the next session has plans of its own


@pytest.mark.slow
def test_the_api_switches_it_on_and_off():
    exact, _ = _trained()
    try:
        inner = tf.train.GradientDescentOptimizer(0.1)
        with tf.Graph().as_default():
            made = tf.train.experimental.enable_mixed_precision_graph_rewrite(inner)
        assert isinstance(made, tf.train.experimental.MixedPrecisionLossScaleOptimizer)
        low, _ = _trained()
        assert low != exact
        assert _trained(_config("OFF"))[0] == exact  # the session's own word counts
    finally:
        tf.train.experimental.disable_mixed_precision_graph_rewrite()
    assert _trained()[0] == exact


def test_fetched_values_and_loops_are_float32():
    with tf.Graph().as_default() as graph:
        w = tf.Variable(tf.ones([256, 256]) / 256)
        product = tf.nn.relu(tf.matmul(tf.ones([64, 256]), w))
        loop = tf.while_loop(
            lambda i, x: i < 3, lambda i, x: (i + 1, tf.matmul(x, w)), (0, tf.ones([64, 256]))
        )
        with tf.Session(graph=graph, config=_config()) as session:
            session.run(tf.global_variables_initializer())
            for value in session.run([product, loop[1]]):
                assert value.dtype == np.float32
                np.testing.assert_allclose(value, np.ones([64, 256]), rtol=1e-2)


PROGRAM = """
import numpy as np, relight.v1 as tf
x = tf.placeholder(tf.float32, [None, 512])
ones = tf.ones([128, 512])
w = tf.Variable(tf.fill([512, 64], 1.01))  # bfloat16 has 8 bits: it becomes 1.0078125
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    found = [sess.run(tf.matmul(ones, w)), sess.run(tf.matmul(x, w), {x: np.ones([128, 512])})]
print([abs(float(f[0, 0]) - 517.12) > 0.5 for f in found])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ("bf16", 0, "[True, True]"),
        ("fp32", 0, "[False, False]"),
        ("fp8", 1, "RELIGHT_PRECISION must be one of 'fp32', 'bf16', 'fp16', not 'fp8'"),
    ],
)
def test_the_environment_decides(monkeypatch, value, code, says):
    monkeypatch.setenv("RELIGHT_PRECISION", value)
    found, out, err = python("-c", PROGRAM)
    assert (found != 0) == bool(code)
    assert says in out + err


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("window, stride", [(2, 2), (2, 3), (3, 3), (1, 2), (3, 2)])
def test_gradients_of_maxima(layout, padding, window, stride, monkeypatch):
    """Where windows lie apart, gradients are put to their places: the same as adding them up."""
    window, stride = ([1, n, n, 1] if layout == "NHWC" else [1, 1, n, n] for n in (window, stride))
    pool = nn_pool.Pool(window, stride, padding, layout)
    random = torch.Generator().manual_seed(0)
    for height, width in ((5, 7), (28, 28), (6, 9)):
        shape = (3, height, width, 4) if layout == "NHWC" else (3, 4, height, width)
        x = torch.randn(shape, generator=random).bfloat16()
        x[0], x[1] = 0, -torch.inf  # equal values: the first of a window counts
        y, indices = pool.max_with_indices(x)
        grad = torch.randn(y.shape, generator=random).bfloat16()
        found = pool.max_backward(grad, x, indices)
        with monkeypatch.context() as patch:
            patch.setattr(pool, "puts_gradients", False)
            assert torch.equal(found, pool.max_backward(grad, x, indices))
