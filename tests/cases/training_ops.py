"""Update ops that no optimizer of tf.train uses, and what all of them check."""


def _apply(op, rates, slots, resource=False, sparse=False, order=None, **attrs):
    """A case: two updates by one op, built directly."""

    def case(tf, np):
        start = np.array([[1.0, -2.0], [3.0, 4.0], [0.5, 0.6]], np.float32)
        var = tf.Variable(start, name="var", use_resource=resource)
        extra = [
            tf.Variable(np.full_like(start, value), name=name, use_resource=resource)
            for name, value in slots
        ]
        grad = np.array([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.7]], np.float32)
        inputs = {"var": var.handle if resource else var._ref()}
        for (name, _), slot in zip(slots, extra):
            inputs[name] = slot.handle if resource else slot._ref()
        for name, value in rates.items():
            inputs[name] = tf.constant(value, tf.int64 if name == "global_step" else tf.float32)
        if sparse:
            inputs["grad"] = tf.constant(grad[:2])
            inputs["indices"] = tf.constant([2, 0])
        else:
            inputs["grad"] = tf.constant(grad)
        inputs.update(attrs)
        update = getattr(tf.raw_ops, op)(**inputs)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update)
            session.run(update)
            return {v.name: session.run(v) for v in [var] + extra}

    return case


_ADAM = dict(beta1_power=0.9, lr=0.1, beta1=0.9, beta2=0.99, epsilon=1e-6)
CASES = {}
for _resource in (False, True):
    _p = "Resource" if _resource else ""
    _table = {
        "ApplyAdaMax": (_ADAM, [("m", 0.1), ("v", 0.2)]),
        "ApplyAdam": (dict(_ADAM, beta2_power=0.99), [("m", 0.1), ("v", 0.2)]),
        "ApplyAddSign": (
            dict(lr=0.1, alpha=1.0, sign_decay=0.9, beta=0.8),
            [("m", 0.1)],
        ),
        "ApplyPowerSign": (
            dict(lr=0.1, logbase=1.0, sign_decay=0.9, beta=0.8),
            [("m", 0.1)],
        ),
        "ApplyAdagradV2": (dict(lr=0.1, epsilon=1e-3), [("accum", 0.1)]),
    }
    for _op, (_rates, _slots) in _table.items():
        CASES[_p + _op] = _apply(_p + _op, _rates, _slots, resource=_resource)
    CASES[_p + "ApplyAdam_nesterov"] = _apply(
        _p + "ApplyAdam",
        dict(_ADAM, beta2_power=0.99),
        [("m", 0.1), ("v", 0.2)],
        resource=_resource,
        use_nesterov=True,
    )
    CASES[_p + "SparseApplyAdagradV2"] = _apply(
        _p + "SparseApplyAdagradV2",
        dict(lr=0.1, epsilon=1e-3),
        [("accum", 0.1)],
        resource=_resource,
        sparse=True,
    )
    CASES[_p + "ApplyAdagrad_fixed"] = _apply(
        _p + "ApplyAdagrad",
        dict(lr=0.1),
        [("accum", 0.1)],
        resource=_resource,
        update_slots=False,
    )
CASES["ResourceApplyAdamWithAmsgrad"] = _apply(
    "ResourceApplyAdamWithAmsgrad",
    dict(_ADAM, beta2_power=0.99),
    [("m", 0.1), ("v", 0.2), ("vhat", 0.0)],
    resource=True,
)
for _nesterov in (False, True):
    for _sparse in ("", "Sparse"):
        CASES["Resource%sApplyKerasMomentum_%s" % (_sparse, _nesterov)] = _apply(
            "Resource%sApplyKerasMomentum" % _sparse,
            dict(lr=0.1, momentum=0.9),
            [("accum", 0.1)],
            resource=True,
            sparse=bool(_sparse),
            use_nesterov=_nesterov,
        )


def error_gradient_shape(tf, np):
    w = tf.Variable([1.0, 2.0], name="w")
    tf.raw_ops.ApplyGradientDescent(var=w._ref(), alpha=0.1, delta=[1.0, 2.0, 3.0])


def error_rate_shape(tf, np):
    w = tf.Variable([1.0, 2.0], name="w")
    tf.raw_ops.ApplyGradientDescent(var=w._ref(), alpha=[0.1], delta=[1.0, 2.0])


def error_gradient_shape_at_run(tf, np):
    w = tf.Variable([1.0, 2.0], name="w")
    delta = tf.placeholder(tf.float32)
    step = tf.raw_ops.ApplyGradientDescent(var=w._ref(), alpha=0.1, delta=delta)
    with tf.Session() as session:
        session.run(w.initializer)
        session.run(step, {delta: [1.0, 2.0, 3.0]})


def error_index(tf, np):
    w, a = tf.Variable([[1.0], [2.0]], name="w"), tf.Variable([[1.0], [2.0]], name="a")
    step = tf.raw_ops.SparseApplyAdagrad(
        var=w._ref(), accum=a._ref(), lr=0.1, grad=[[1.0]], indices=[2]
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
