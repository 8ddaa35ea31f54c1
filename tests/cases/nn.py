"""`tf.nn`: activations, softmax, cross entropies, dropout, moments, top k; gradients twice."""


def _data(np, *shape):
    n = int(np.prod(shape))
    return (2 * np.sin(np.arange(n) * 0.7 + len(shape))).reshape(shape).astype(np.float32)


def _unary(function, **options):
    def case(tf, np):
        x = tf.constant(_data(np, 3, 5), name="x")
        y = getattr(tf.nn, function)(x, **options)
        g = tf.gradients(y * y, x)[0]
        return {"y": y, "g": g, "second": tf.gradients(g * g, x)}

    return case


CASES = {
    name: _unary(name)
    for name in (
        "relu",
        "relu6",
        "elu",
        "selu",
        "softplus",
        "softsign",
        "crelu",
        "leaky_relu",
        "softmax",
        "log_softmax",
        "sigmoid",
        "tanh",
        "l2_loss",
    )
}
CASES["leaky_relu_steep"] = _unary("leaky_relu", alpha=2.0)
CASES["softmax_axis0"] = _unary("softmax", axis=0)
CASES["log_softmax_dim"] = _unary("log_softmax", dim=0)
CASES["l2_normalize"] = _unary("l2_normalize", axis=1)
CASES["l2_normalize_all"] = _unary("l2_normalize", dim=[0, 1], name="unit")


def swish(tf, np):
    x = tf.constant(_data(np, 3, 5), name="x")
    y = tf.nn.swish(x)
    return {"y": y, "g": tf.gradients(y * y, x)[0]}


def softmax_3d(tf, np):
    x = tf.constant(_data(np, 2, 3, 4))
    return {
        "last": tf.nn.softmax(x),
        "middle": tf.nn.softmax(x, axis=1),
        "negative": tf.nn.log_softmax(x, axis=-2),
        "tensor": tf.nn.softmax(x, tf.constant(1)),
    }


def softmax_wrong_axis(tf, np):
    tf.nn.softmax(tf.zeros([2, 3]), axis=2)


def integer_relu(tf, np):
    x = tf.constant([-3, 0, 4])
    return {"relu": tf.nn.relu(x), "relu6": tf.nn.relu6(x * 2), "leaky": tf.nn.leaky_relu(x)}


def bias(tf, np):
    x, b = tf.constant(_data(np, 2, 3, 4)), tf.constant(_data(np, 4))
    y = tf.nn.bias_add(x, b)
    gx, gb = tf.gradients(y * y, [x, b])
    return {"y": y, "gx": gx, "gb": gb, "second": tf.gradients(gb * gb, [x, b])}


def bias_formats(tf, np):
    x, b = tf.constant(_data(np, 2, 3, 2, 2)), tf.constant(_data(np, 3))
    y = tf.nn.bias_add(x, b, data_format="NCHW")
    g = tf.gradients(y * y, b)[0]
    z = tf.nn.bias_add(tf.constant(_data(np, 2, 3)), b, data_format="NWC")
    return {"y": y, "g": g, "z": z, "second": tf.gradients(g * g, b)}


def bias_wrong(tf, np):
    tf.nn.bias_add(tf.zeros([2, 3]), tf.zeros([4]))


def bias_v1(tf, np):
    x, b = tf.constant(_data(np, 2, 3)), tf.constant(_data(np, 3))
    y = tf.raw_ops.BiasAddV1(value=x, bias=b)
    return {"y": y, "g": tf.gradients(y * y, [x, b])}


def products(tf, np):
    x, w, b = tf.constant(_data(np, 2, 3)), tf.constant(_data(np, 3, 4)), tf.constant(_data(np, 4))
    return {"xw": tf.nn.xw_plus_b(x, w, b), "relu": tf.nn.relu_layer(x, w, b)}


def sparse_cross_entropy(tf, np):
    x = tf.constant(_data(np, 4, 5))
    y = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 4, 2, 2], logits=x)
    wide = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.constant([1, 2, 3, 4], tf.int64), logits=x, name="wide"
    )
    return {"y": y, "g": tf.gradients(y, x), "wide": wide}


def sparse_cross_entropy_3d(tf, np):
    x = tf.constant(_data(np, 2, 2, 3))
    y = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[[0, 1], [2, 2]], logits=x)
    return {"y": y, "g": tf.gradients(y, x)}


def sparse_cross_entropy_unknown(tf, np):
    x = tf.placeholder_with_default(_data(np, 2, 2, 3), [None, None, 3])
    labels = tf.placeholder_with_default(np.array([[0, 1], [2, 2]]), [None, None])
    return {"y": tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)}


def sparse_cross_entropy_rank(tf, np):
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[[0]], logits=tf.zeros([1, 3]))


def sparse_cross_entropy_label(tf, np):
    y = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 3], logits=tf.zeros([2, 3]))
    with tf.Session() as session:
        session.run(y)


def sparse_cross_entropy_second(tf, np):
    x = tf.constant(_data(np, 2, 3))
    y = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1], logits=x)
    tf.gradients(tf.gradients(y * y, x)[0], x)


def cross_entropy(tf, np):
    x, p = tf.constant(_data(np, 4, 5)), tf.nn.softmax(tf.constant(_data(np, 4, 5) * 2))
    y = tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=x)
    g = tf.gradients(y * y, [x, p])
    return {"y": y, "g": g, "second": tf.gradients(g[0] * g[0], x)}


def cross_entropy_old(tf, np):
    x, p = tf.constant(_data(np, 4, 5)), tf.constant(_data(np, 4, 5))
    y = tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x)
    return {"y": y, "g": tf.gradients(y, x), "none": str(tf.gradients(y, p))}


def cross_entropy_axes(tf, np):
    x, p = tf.constant(_data(np, 2, 3, 4)), tf.constant(_data(np, 2, 3, 4))
    half = tf.nn.softmax_cross_entropy_with_logits_v2(
        tf.cast(p, tf.float16), tf.cast(x, tf.float16)
    )
    return {
        "last": tf.nn.softmax_cross_entropy_with_logits_v2(p, x),
        "middle": tf.nn.softmax_cross_entropy_with_logits_v2(p, x, axis=1),
        "half": half,
    }


def cross_entropy_broadcast(tf, np):
    loss, backprop = tf.raw_ops.SoftmaxCrossEntropyWithLogits(
        features=_data(np, 3, 4), labels=_data(np, 1, 4)
    )
    return {"loss": loss, "backprop": backprop}


def logistic(tf, np):
    x, z = tf.constant(_data(np, 3, 4)), tf.constant(np.abs(_data(np, 3, 4)) / 2)
    y = tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x)
    w = tf.nn.weighted_cross_entropy_with_logits(labels=z, logits=x, pos_weight=2.0)
    old = tf.nn.weighted_cross_entropy_with_logits(targets=z, logits=x, pos_weight=0.5)
    return {"y": y, "w": w, "old": old, "g": tf.gradients([y, w], [x, z])}


def logistic_shapes(tf, np):
    tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.zeros([2]), logits=tf.zeros([3]))


def logistic_positional(tf, np):
    tf.nn.sigmoid_cross_entropy_with_logits(tf.zeros([2]), tf.zeros([2]))


def poisson(tf, np):
    x, z = tf.constant(_data(np, 3, 4)), tf.constant(np.abs(_data(np, 3, 4)) + 0.1)
    return {
        "short": tf.nn.log_poisson_loss(z, x),
        "full": tf.nn.log_poisson_loss(z, x, compute_full_loss=True),
    }


def dropout_seeded(tf, np):
    tf.set_random_seed(5)
    x = tf.constant(_data(np, 4, 6))
    keep = tf.nn.dropout(x, 0.6)
    rate = tf.nn.dropout(x, rate=0.3, seed=3)
    rows = tf.nn.dropout(x, keep_prob=0.5, noise_shape=[4, 1], name="rows")
    fed = tf.nn.dropout(x, tf.placeholder_with_default(0.7, []))
    return {"keep": keep, "rate": rate, "rows": rows, "fed": fed, "g": tf.gradients(keep, x)}


def dropout_none(tf, np):
    x = tf.constant(_data(np, 2, 2))
    return {
        "same": tf.nn.dropout(x, 1.0) is x,
        "rate": tf.nn.dropout(x, rate=0) is x,
        "tensor": tf.nn.dropout(x, tf.constant(1.0)) is x,
    }


def dropout_unknown(tf, np):
    x = tf.placeholder(tf.float32, [None, 4])
    return {
        "shape": str(tf.nn.dropout(x, 0.5).shape),
        "partly": str(tf.nn.dropout(x, 0.5, noise_shape=[None, 1]).shape),
    }


def dropout_bad_rate(tf, np):
    tf.nn.dropout(tf.zeros([2]), rate=1.5)


def dropout_integer(tf, np):
    tf.nn.dropout(tf.constant([1, 2]), 0.5)


def top_k(tf, np):
    x = tf.constant([[1.0, 5.0, 3.0, 5.0], [2.0, 2.0, 2.0, 7.0]])
    values, places = tf.nn.top_k(x, 3)
    return {
        "values": values,
        "places": places,
        "g": tf.gradients(values * values, x),
        "ints": list(tf.nn.top_k(tf.constant([3, 1, 2]), 2)),
    }


def top_k_too_many(tf, np):
    tf.nn.top_k(tf.zeros([2, 3]), 4)


def in_top_k(tf, np):
    x = tf.constant([[0.1, 0.9, 0.5], [0.3, 0.3, 0.3], [1.0, float("inf"), 0.0], [1.0, 2.0, 3.0]])
    return {
        "1": tf.nn.in_top_k(x, [1, 2, 0, 0], 1),
        "2": tf.nn.in_top_k(x, [2, 2, 0, 5], 2),
        "op": tf.raw_ops.InTopK(predictions=x, targets=[1, 2, 0, 0], k=3),
    }


def nth_element(tf, np):
    x = tf.constant(_data(np, 3, 5))
    y = tf.raw_ops.NthElement(input=x, n=1)
    z = tf.raw_ops.NthElement(input=x, n=1, reverse=True)
    return {"y": y, "z": z, "g": tf.gradients(y * y, x)}


def zero_fraction(tf, np):
    # tf.cond is one If node here, and Switch and Merge nodes in TensorFlow.
    return {"y": tf.nn.zero_fraction(tf.constant([[0.0, 1.0], [2.0, 0.0]]))}


zero_fraction.nodes = False


def softsign_first(tf, np):
    x = tf.constant(_data(np, 3, 5), name="x")
    y = tf.nn.softsign(x)
    return {"y": y, "g": tf.gradients(y * y, x)}


def softplus_gradient(tf, np):
    dy, x = tf.constant(_data(np, 3, 5)), tf.constant(_data(np, 3, 5) * 2)
    g = tf.raw_ops.SoftplusGrad(gradients=dy, features=x)
    return {"g": g, "second": tf.gradients(g * g, [dy, x])}
