"""Normalisation: moments, batch normalisation (fused or not), local response."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return (2 * np.sin(np.arange(n) * 0.7 + len(shape))).reshape(shape).astype(np.float32)


def moments(tf, np):
    x = tf.constant(_data(np, 3, 4, 5))
    mean, variance = tf.nn.moments(x, [0, 1])
    keep = tf.nn.moments(x, [2], keep_dims=True, name="keep")
    half = tf.nn.moments(tf.cast(x, tf.float16), [0])
    return {
        "mean": mean,
        "variance": variance,
        "keep": list(keep),
        "half": list(half),
        "g": tf.gradients(variance * mean, x),
    }


def sufficient(tf, np):
    x = tf.constant(_data(np, 3, 4, 5))
    count, first, second, shift = tf.nn.sufficient_statistics(x, [0, 2], shift=1.0)
    plain = tf.nn.sufficient_statistics(x, [1], keep_dims=True)
    return {
        "values": [count, first, second, shift],
        "plain": list(plain[:3]),
        "moments": list(tf.nn.normalize_moments(count, first, second, shift)),
        "unshifted": list(tf.nn.normalize_moments(*plain)),
    }


def sufficient_unknown(tf, np):
    x = tf.placeholder_with_default(_data(np, 3, 4), [None, 4])
    return {"values": list(tf.nn.sufficient_statistics(x, [0])[:3])}


def weighted(tf, np):
    x, w = tf.constant(_data(np, 3, 4)), tf.constant(np.abs(_data(np, 3, 4)))
    one = tf.nn.weighted_moments(x, [0], w)
    return {
        "one": list(one),
        "keep": list(tf.nn.weighted_moments(x, [0, 1], 2, keep_dims=True)),
        "g": tf.gradients(one, [x, w]),
    }


def batch_normalization(tf, np):
    x, m, v, o, s = (tf.constant(_data(np, *n)) for n in ((3, 4), (4,), (4,), (4,), (4,)))
    v = v * v
    y = tf.nn.batch_normalization(x, m, v, o, s, 0.001)
    bare = tf.nn.batch_normalization(x, m, v, None, None, 0.001, name="bare")
    return {"y": y, "bare": bare, "g": tf.gradients(y * y, [x, m, v, o, s])}


def global_normalization(tf, np):
    x, m, v, o, s = (tf.constant(_data(np, *n)) for n in ((1, 2, 2, 3), (3,), (3,), (3,), (3,)))
    return {
        "y": tf.nn.batch_norm_with_global_normalization(x, m, v * v, o, s, 0.001, True),
        "unscaled": tf.nn.batch_norm_with_global_normalization(x, m, v * v, o, s, 0.001, False),
    }


def _fused(training, version, layout="NHWC"):
    def case(tf, np):
        s, o = tf.constant(_data(np, 3)), tf.constant(_data(np, 3))
        x = tf.placeholder_with_default(_data(np, 2, 3, 4, 3), [2, 3, 4, 3])
        empty = tf.constant([], tf.float32)
        m = empty if training else tf.constant(_data(np, 3))
        v = empty if training else tf.constant(np.abs(_data(np, 3)))
        build = getattr(tf.raw_ops, "FusedBatchNorm" + version)
        outputs = build(
            x=x, scale=s, offset=o, mean=m, variance=v, epsilon=0.01, is_training=training
        )
        y = outputs[0]
        grads = tf.gradients(y * y, [x, s, o])
        if not training:  # the other outputs are not set by TensorFlow
            return {"y": y, "grads": grads}
        return {
            "y": y,
            "mean": outputs[1],
            "variance": outputs[2],
            "saved": list(outputs[3:5]),
            "grads": grads,
        }

    case.atol = 1e-5
    return case


CASES = {}
for _version in ("", "V2", "V3"):
    CASES["fused_training" + _version] = _fused(True, _version)
    CASES["fused_inference" + _version] = _fused(False, _version)


def fused(tf, np):
    x, s, o = (tf.constant(_data(np, *n)) for n in ((2, 3, 4, 3), (3,), (3,)))
    y, mean, variance = tf.nn.fused_batch_norm(x, s, o)
    z, _, _ = tf.nn.fused_batch_norm(x, s, o, mean, variance, epsilon=1e-9, is_training=False)
    return {"y": y, "mean": mean, "variance": variance, "z": z}


def fused_both(tf, np):
    tf.nn.fused_batch_norm(tf.zeros([1, 2, 2, 1]), [1.0], [1.0], mean=[0.0])


def fused_second(tf, np):
    # The second derivative is written out by another traversal than TensorFlow's tape.
    x, s, o = (tf.constant(_data(np, *n)) for n in ((2, 2, 3, 2), (2,), (2,)))
    y, _, _ = tf.nn.fused_batch_norm(x, s, o)
    gx, gs = tf.gradients(y * y * y, [x, s])
    return {"second": tf.gradients(tf.reduce_sum(gx * gx) + tf.reduce_sum(gs * gs), [x, s])}


fused_second.nodes = False
fused_second.rtol = 1e-3
fused_second.atol = 1e-3


def fused_half(tf, np):
    x = tf.constant(_data(np, 2, 2, 3, 2).astype(np.float16))
    y, mean, variance = tf.nn.fused_batch_norm(x, [1.0, 2.0], [0.5, 0.0])
    return {"y": y, "mean": mean, "variance": variance}


def local_response(tf, np):
    x = tf.constant(_data(np, 2, 2, 3, 7))
    y = tf.nn.lrn(x, 2, bias=1.5, alpha=0.4, beta=0.6)
    plain = tf.nn.local_response_normalization(x)
    return {"y": y, "plain": plain, "g": tf.gradients(y * y, x)}
