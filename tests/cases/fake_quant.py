"""Simulated quantisation, in ranges that are numbers, tensors, or one for each channel."""

import numpy as _np

CASES = {}
_X = _np.float32(_np.random.RandomState(0).uniform(-9, 9, [4, 5, 3]))


def _args(**attrs):
    def case(tf, np):
        x = tf.constant(_X)
        y = tf.fake_quant_with_min_max_args(x, **attrs)
        return {"y": y, "g": tf.gradients(y * y, x)[0]}

    return case


def _vars(low, high, channels=False, **attrs):
    def case(tf, np):
        x, a, b = tf.constant(_X), tf.constant(np.float32(low)), tf.constant(np.float32(high))
        function = tf.fake_quant_with_min_max_vars
        if channels:
            function = tf.fake_quant_with_min_max_vars_per_channel
        y = function(x, a, b, **attrs)
        return {"y": y, "g": tf.gradients(y * y, [x, a, b])}

    return case


CASES.update(
    {
        "args": _args(),
        "args of four bits": _args(min=-1.0, max=7.0, num_bits=4),
        "args of a narrow range": _args(min=-3.0, max=2.5, num_bits=3, narrow_range=True),
        "args above zero": _args(min=1.0, max=5.0),
        "args below zero": _args(min=-5.0, max=-1.0),
        "args in bad order": _args(min=2.0, max=1.0),
        "args of one bit": _args(num_bits=1),
        "vars": _vars(-4.1, 3.3),
        "vars narrow": _vars(-4.1, 3.3, num_bits=5, narrow_range=True),
        "vars of nothing": _vars(0.0, 0.0),
        "channels": _vars([-4.0, -1.0, 0.0], [2.0, 5.0, 4.0], True),
        "channels narrow": _vars([-4.0, -1.0, 0.0], [2.0, 5.0, 0.0], True, narrow_range=True),
        "channels that do not fit": _vars([-4.0, -1.0], [2.0, 5.0], True),
        "vars of vectors": _vars([-4.0], [2.0]),
    }
)
