"""NCHW: TensorFlow has no CPU kernels for it, so each operation is held against its NHWC form."""

import numpy as np
import pytest

import relight.v1 as tf


def _data(*shape):
    return np.sin(np.arange(np.prod(shape)) * 0.7).reshape(shape).astype(np.float32)


def _first(value):
    return np.moveaxis(value, -1, 1)


def _run(build, x, others, layout):
    """(result, gradients) of `build(x, *others)` as arrays."""
    tf.reset_default_graph()
    inputs = [tf.constant(v) for v in (x, *others)]
    y = build(*inputs, layout)
    grads = tf.gradients(y * y, inputs)
    with tf.Session() as session:
        return session.run(y), session.run(grads)


def _pads(top, bottom, left, right, layout):
    spatial = [[top, bottom], [left, right]]
    return [[0, 0], [0, 0], *spatial] if layout == "NCHW" else [[0, 0], *spatial, [0, 0]]


def _conv_bias_relu_pool(x, w, b, layout):
    y = tf.nn.conv2d(x, w, 1, "SAME", data_format=layout)
    y = tf.nn.relu(tf.nn.bias_add(y, b, data_format=layout))
    return tf.nn.max_pool(y, 2, 2, "SAME", data_format=layout)


CASES = {
    "conv": (
        lambda x, w, f: tf.nn.conv2d(x, w, 2, "SAME", data_format=f),
        (2, 7, 6, 3),
        [(3, 2, 3, 4)],
    ),
    "conv explicit": (
        lambda x, w, f: tf.nn.conv2d(x, w, 1, _pads(2, 1, 0, 1, f), data_format=f),
        (2, 5, 6, 3),
        [(3, 2, 3, 4)],
    ),
    "conv dilated": (
        lambda x, w, f: tf.nn.conv2d(x, w, 1, "SAME", data_format=f, dilations=2),
        (2, 7, 6, 3),
        [(3, 2, 3, 4)],
    ),
    "depthwise": (
        lambda x, w, f: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", data_format=f),
        (2, 5, 6, 3),
        [(3, 2, 3, 2)],
    ),
    "bias": (lambda x, b, f: tf.nn.bias_add(x, b, data_format=f), (2, 3, 4, 5), [(5,)]),
    "max pool": (lambda x, f: tf.nn.max_pool(x, 3, 2, "SAME", data_format=f), (2, 7, 6, 3), []),
    "average pool": (lambda x, f: tf.nn.avg_pool(x, 2, 1, "SAME", data_format=f), (2, 5, 6, 3), []),
    "batch norm": (
        lambda x, s, o, f: tf.nn.fused_batch_norm(x, s, o, data_format=f)[0],
        (2, 3, 4, 3),
        [(3,), (3,)],
    ),
    "batch norm inference": (
        lambda x, s, o, f: tf.nn.fused_batch_norm(
            x,
            s,
            o,
            tf.constant([0.1, 0.2, 0.3]),
            tf.constant([1.0, 2.0, 3.0]),
            data_format=f,
            is_training=False,
        )[0],
        (2, 3, 4, 3),
        [(3,), (3,)],
    ),
    "together": (_conv_bias_relu_pool, (2, 7, 6, 3), [(3, 2, 3, 4), (4,)]),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_channels_first_equals_channels_last(name):
    build, shape, others = CASES[name]
    x, rest = _data(*shape), [_data(*s) for s in others]
    y, (gx, *grads) = _run(build, x, rest, "NHWC")
    y_first, (gx_first, *grads_first) = _run(build, _first(x), rest, "NCHW")
    np.testing.assert_allclose(y_first, _first(y), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gx_first, _first(gx), rtol=1e-4, atol=1e-4)
    for a, b in zip(grads_first, grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
