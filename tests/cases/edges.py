"""NaN, infinities, the largest integers, empty tensors and scalars: where kernels part ways."""

import numpy as _np

CASES = {}
_NAN, _INF = _np.nan, _np.inf
_SPECIAL = _np.float32([[1, _NAN, 3, -_INF], [_NAN, _NAN, _NAN, _NAN], [_INF, -_INF, 0, -0.0]])
_ROWS = _np.float32([[2, _INF, _INF], [-_INF, -_INF, -_INF], [0, -0.0, _NAN], [1, 2, _NAN]])


def _of(function, *arrays):
    """A case of one function of constant inputs; each is fed, so that nothing is folded away."""

    def case(tf, np):
        inputs = [tf.placeholder_with_default(a, a.shape) for a in arrays]
        found = function(tf, *inputs)
        names = found if isinstance(found, dict) else {"y": found}
        with tf.Session() as sess:
            return sess.run(names)

    case.nodes = False  # the ops' own cases compare nodes
    return case


def _add(name, function, *arrays):
    CASES[name] = _of(function, *[_np.asarray(a) for a in arrays])


# -- reductions ------------------------------------------------------------------------------------

for _name in ("max", "min", "sum", "mean", "prod", "logsumexp"):
    for _axis in (0, 1, None):
        _add(
            "reduce_%s of specials over %s" % (_name, _axis),
            lambda tf, x, n=_name, a=_axis: getattr(tf, "reduce_" + n)(x, a),
            _SPECIAL,
        )
    _add(
        "reduce_%s of nothing" % _name,
        lambda tf, x, n=_name: {
            "rows": getattr(tf, "reduce_" + n)(x, 0),
            "columns": getattr(tf, "reduce_" + n)(x, 1),
            "all": getattr(tf, "reduce_" + n)(x),
        },
        _np.zeros([0, 3], _np.float32),
    )
    if _name != "logsumexp":
        _add(
            "reduce_%s of no integers" % _name,
            lambda tf, x, n=_name: getattr(tf, "reduce_" + n)(x, 0),
            _np.zeros([0, 2], _np.int32),
        )
        _add(
            "reduce_%s of a scalar" % _name,
            lambda tf, x, n=_name: getattr(tf, "reduce_" + n)(x, []),
            _np.float32(_NAN),
        )
for _name in ("argmax", "argmin"):
    for _axis in (0, 1):
        _add(
            "%s of specials over %d" % (_name, _axis),
            lambda tf, x, n=_name, a=_axis: getattr(tf, n)(x, a),
            _SPECIAL,
        )
    _add("%s of rows" % _name, lambda tf, x, n=_name: getattr(tf, n)(x, 1), _ROWS)
    _add("%s of ties" % _name, lambda tf, x, n=_name: getattr(tf, n)(x, 0), _np.int32([3, 1, 3, 1]))
    _add(
        "%s of nothing" % _name,
        lambda tf, x, n=_name: getattr(tf, n)(x, 0),
        _np.zeros([0, 2], _np.float32),
    )
    _add(
        "%s of empty rows" % _name,
        lambda tf, x, n=_name: getattr(tf, n)(x, 1),
        _np.zeros([0, 2], _np.float32),
    )
for _name in ("any", "all"):
    _add(
        "reduce_%s of nothing" % _name,
        lambda tf, x, n=_name: getattr(tf, "reduce_" + n)(x, 0),
        _np.zeros([0, 2], bool),
    )
_add("cumsum of specials", lambda tf, x: tf.cumsum(x, 1), _SPECIAL)
_add("cumprod of specials", lambda tf, x: tf.cumprod(x, 1, exclusive=True), _SPECIAL)
_add("cumsum of nothing", lambda tf, x: tf.cumsum(x, 1), _np.zeros([2, 0], _np.float32))

# -- order -----------------------------------------------------------------------------------------

_add("top_k of infinities", lambda tf, x: list(tf.nn.top_k(x, 2)), _ROWS[:2])
_add("top_k of ties", lambda tf, x: list(tf.nn.top_k(x, 3)), _np.int32([[1, 5, 5, 1, 5]]))
_add("top_k of none", lambda tf, x: list(tf.nn.top_k(x, 0)), _ROWS)
_add("top_k of too many", lambda tf, x: list(tf.nn.top_k(x, 9)), _ROWS)
_add("sort of infinities", lambda tf, x: tf.sort(x, 1), _ROWS[:2])
_add("argsort of ties", lambda tf, x: tf.argsort(x, 1, stable=True), _np.int32([[2, 1, 2, 1]]))
_add("sort down", lambda tf, x: tf.sort(x, direction="DESCENDING"), _np.float32([1, -_INF, _INF]))
_add("in_top_k of specials", lambda tf, x: tf.nn.in_top_k(x, [1, 0, 1, 1], 2), _ROWS)
_add("unique of specials", lambda tf, x: list(tf.unique(x)), _np.float32([0, -0.0, _INF, 1, _INF]))

# -- pairs -----------------------------------------------------------------------------------------

_LEFT = _np.float32([_NAN, 1, _NAN, _INF, -_INF, 0, -0.0, 1, _INF])
_RIGHT = _np.float32([1, _NAN, _NAN, _INF, _INF, -0.0, 0, 0, -_INF])
for _name in (
    "maximum minimum less less_equal greater greater_equal equal not_equal add subtract multiply "
    "divide floordiv floormod pow atan2 squared_difference div_no_nan"
).split():
    _add("%s of specials" % _name, lambda tf, x, y, n=_name: getattr(tf, n)(x, y), _LEFT, _RIGHT)
    if _name != "atan2":
        _add(
            "%s with nothing" % _name,
            lambda tf, x, y, n=_name: getattr(tf, n)(x, y),
            _np.zeros([0, 3], _np.float32),
            _np.ones([3], _np.float32),
        )
_add(
    "gradients of maximum at ties",
    lambda tf, x, y: tf.gradients([tf.maximum(x, y), tf.minimum(x, y)], [x, y]),
    _np.float32([1, 2, 3]),
    _np.float32([1, 3, 2]),
)
_add(
    "gradient of reduce_max at ties",
    lambda tf, x: tf.gradients(tf.reduce_max(x, 1), x)[0],
    _np.float32([[1, 3, 3], [2, 2, 2]]),
)
_add(
    "gradient of abs at 0", lambda tf, x: tf.gradients(tf.abs(x), x)[0], _np.float32([0, -0.0, -1])
)
_add("gradient of sqrt at 0", lambda tf, x: tf.gradients(tf.sqrt(x), x)[0], _np.float32([0, 4]))
_add(
    "gradient of pow at 0",
    lambda tf, x, y: tf.gradients(tf.pow(x, y), [x, y]),
    _np.float32([0, 0, -1, 2]),
    _np.float32([0, 2, 2, 0]),
)
_add("gradient of norm at 0", lambda tf, x: tf.gradients(tf.norm(x), x)[0], _np.float32([0, 0]))
_add(
    "gradient of reduce_prod with zeros",
    lambda tf, x: tf.gradients(tf.reduce_prod(x, 1), x)[0],
    _np.float32([[0, 2, 3], [0, 0, 3], [1, 2, 3]]),
)

# -- one by one ------------------------------------------------------------------------------------

for _name in (
    "nn.relu nn.relu6 nn.elu nn.selu nn.softplus nn.softsign nn.leaky_relu nn.sigmoid tanh exp log "
    "log1p expm1 square reciprocal sign abs negative floor ceil round math.rint is_nan "
    "is_inf is_finite sin cos tan erf erfc lgamma digamma sinh cosh asinh acosh atanh asin acos"
).split():

    def _one(tf, x, n=_name):
        thing = tf
        for part in n.split("."):
            thing = getattr(thing, part)
        return thing(x)

    _add("%s of specials" % _name, _one, _np.float32([_NAN, _INF, -_INF, 0, -0.0, 1, -1, 0.5, 2.5]))
for _name in ("softmax", "log_softmax", "l2_loss", "l2_normalize", "sparsemax"):
    if _name != "sparsemax":
        _axis = {} if _name == "l2_loss" else {"axis": 1}
        _add(
            "%s of specials" % _name,
            lambda tf, x, n=_name, a=_axis: getattr(tf.nn, n)(x, **a),
            _np.float32([[1, _INF], [-_INF, -_INF], [_NAN, 1], [-_INF, 0], [1e30, 1e30]]),
        )
        _add(
            "%s of nothing" % _name,
            lambda tf, x, n=_name, a=_axis: getattr(tf.nn, n)(x, **a),
            _np.zeros([0, 3], _np.float32),
        )
_add(
    "losses of specials",
    lambda tf, x, y: {
        "softmax": tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x),
        "sigmoid": tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x),
        "sparse": tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 0, 1], logits=x),
    },
    _np.float32([[1000, -1000], [_NAN, 0], [_INF, 0]]),
    _np.float32([[1, 0], [0, 1], [0.5, 0.5]]),
)
_add("clip of specials", lambda tf, x: tf.clip_by_value(x, -1.0, 1.0), _SPECIAL)
_add("clip_by_norm of zeros", lambda tf, x: tf.clip_by_norm(x, 1.0), _np.float32([0, 0]))

# -- integers --------------------------------------------------------------------------------------

_EDGES = {
    "int8": [-128, 127, -1, 5],
    "int16": [-32768, 32767, -1, 5],
    "int32": [-(2**31), 2**31 - 1, -1, 5],
    "int64": [-(2**63), 2**63 - 1, -1, 5],
    "uint8": [0, 255, 1, 5],
    "uint16": [0, 65535, 1, 5],
    "uint32": [0, 2**32 - 1, 2**31, 5],
    "uint64": [0, 2**64 - 1, 2**63, 5],
}
for _type, _values in sorted(_EDGES.items()):
    _x = _np.array(_values, _type)
    for _name in ("Add", "Sub", "Mul", "Maximum", "Minimum", "Equal", "NotEqual", "BitwiseAnd"):
        _add(
            "%s of the largest %s" % (_name, _type),
            lambda tf, x, y, n=_name: getattr(tf.raw_ops, n)(x=x, y=y),
            _x,
            _x[::-1].copy(),
        )
    if _type not in ("uint16", "uint32", "uint64"):  # TensorFlow has no kernels for these
        for _name in ("Less", "LessEqual", "Greater", "GreaterEqual"):
            _add(
                "%s of the largest %s" % (_name, _type),
                lambda tf, x, y, n=_name: getattr(tf.raw_ops, n)(x=x, y=y),
                _x,
                _x[::-1].copy(),
            )
    for _name in ("FloorDiv", "TruncateDiv", "FloorMod", "Mod"):
        _add(
            "%s of large %s" % (_name, _type),
            lambda tf, x, y, n=_name: getattr(tf.raw_ops, n)(x=x, y=y),
            # FloorDiv of the least integer overflows in TensorFlow's formula.
            _np.array([_values[1], 100, _values[1], 7], _type),
            _np.array([3, _values[1], 1, 127], _type),
        )
    for _name in ("Neg", "Abs", "Square", "Sign", "Invert"):
        _add(
            "%s of the largest %s" % (_name, _type),
            lambda tf, x, n=_name: getattr(tf.raw_ops, n)(x=x),
            _x,
        )
    for _to in ("int8", "uint8", "int32", "int64", "uint16", "float32", "bool"):
        _add("cast %s to %s" % (_type, _to), lambda tf, x, t=_to: tf.cast(x, t), _x)
    _add("reduce_sum of the largest %s" % _type, lambda tf, x: tf.reduce_sum(x), _x)
    _add("reduce_max of the largest %s" % _type, lambda tf, x: tf.reduce_max(x), _x)
    _add("argmax of the largest %s" % _type, lambda tf, x: tf.argmax(x, 0), _x)
    _add("string of the largest %s" % _type, lambda tf, x: tf.as_string(x), _x)
for _type in ("int32", "int64", "uint8"):
    for _name in ("FloorDiv", "TruncateDiv", "FloorMod", "Mod"):
        _add(
            "%s of %s by zero" % (_name, _type),
            lambda tf, x, n=_name: getattr(tf.raw_ops, n)(x=x, y=x - x),
            _np.array([1, 2], _type),
        )
_add(
    "pow of negative exponents",
    lambda tf, x, y: tf.pow(x, y),
    _np.int32([2, 3]),
    _np.int32([3, -1]),
)
_add("range of nothing", lambda tf, x: tf.range(x, x), _np.int32(3))
_add("range the wrong way", lambda tf, x: tf.range(x, 0, 1), _np.int32(3))

# -- complex numbers -------------------------------------------------------------------------------

_Z = _np.complex64([0, 1, 1 + 1j, -1j, 2 - 3j])
_add(
    "complex by zero",
    lambda tf, x, y: tf.is_finite(tf.real(tf.divide(x, y))),  # nan or inf: it depends on the place
    _Z,
    _np.zeros(5, _np.complex64),
)
_add("complex div_no_nan", lambda tf, x, y: tf.div_no_nan(x, y), _Z, _np.zeros(5, _np.complex64))
_add("complex reciprocal", lambda tf, x: tf.reciprocal(x), _Z[1:])
_add("complex sign", lambda tf, x: tf.sign(x), _Z)
_add("complex sqrt", lambda tf, x: tf.sqrt(x), _Z)

# -- segments --------------------------------------------------------------------------------------

# Which operand survives a NaN in the extreme of a segment depends on TensorFlow's vector length.
_INFINITE = _np.float32([[1, _INF, 3, -2], [2, 5, 4, 1], [_INF, 1, 0, -0.0]])
for _name in ("sum", "mean", "max", "min", "prod"):
    _add(
        "segment_%s of specials" % _name,
        lambda tf, x, n=_name: getattr(tf, "segment_" + n)(x, [0, 0, 2]),
        _SPECIAL if _name in ("sum", "mean", "prod") else _INFINITE,
    )
    _add(
        "segment_%s of nothing" % _name,
        lambda tf, x, n=_name: getattr(tf, "segment_" + n)(x, _np.zeros([0], _np.int32)),
        _np.zeros([0, 2], _np.float32),
    )
    if _name != "mean":
        _add(
            "unsorted_segment_%s of specials" % _name,
            lambda tf, x, n=_name: getattr(tf, "unsorted_segment_" + n)(x, [1, 1, 3], 4),
            _SPECIAL if _name in ("sum", "prod") else _INFINITE,
        )
        _add(
            "unsorted_segment_%s of integers" % _name,
            lambda tf, x, n=_name: getattr(tf, "unsorted_segment_" + n)(x, [1, -1, 1], 3),
            _np.int32([5, 6, 7]),
        )

# -- empty tensors ---------------------------------------------------------------------------------

_EMPTY = _np.zeros([0, 3], _np.float32)
_add(
    "matmul of nothing",
    lambda tf, x: {
        "inner": tf.matmul(x, x, transpose_a=True),
        "outer": tf.matmul(x, x, transpose_b=True),
    },
    _EMPTY,
)
_add("concat with nothing", lambda tf, x: tf.concat([x, tf.ones([2, 3])], 0), _EMPTY)
_add("stack of nothing", lambda tf, x: tf.stack([x, x], 1), _EMPTY)
_add("split of nothing", lambda tf, x: tf.split(x, 3, 1), _EMPTY)
_add(
    "gather of nothing",
    lambda tf, x: {
        "none": tf.gather(tf.ones([2, 3]), tf.zeros([0], tf.int32)),
        "empty": tf.gather(x, tf.zeros([0], tf.int32)),
    },
    _EMPTY,
)
_add("gather from nothing", lambda tf, x: tf.gather(x, [0]), _EMPTY)
_add("where of nothing", lambda tf, x: tf.where(x > 0), _EMPTY)
_add("reverse of nothing", lambda tf, x: tf.reverse(x, [0]), _EMPTY)
_add("tile by nothing", lambda tf, x: tf.tile(x, [2, 0]), _np.ones([2, 3], _np.float32))
_add("pad of nothing", lambda tf, x: tf.pad(x, [[1, 0], [0, 1]]), _EMPTY)
_add("one_hot of nothing", lambda tf, x: tf.one_hot(x, 3), _np.zeros([0], _np.int32))
_add("moments of nothing", lambda tf, x: list(tf.nn.moments(x, [0])), _EMPTY)
_add(
    "conv2d of nothing",
    lambda tf, x: tf.nn.conv2d(x, tf.ones([2, 2, 1, 2]), [1, 1, 1, 1], "SAME"),
    _np.zeros([0, 4, 4, 1], _np.float32),
)
_add(
    "conv2d gradients of nothing",
    lambda tf, x: tf.gradients(
        tf.nn.conv2d(
            x,
            x[:0] + tf.ones([2, 2, 1, 2]) if False else tf.ones([2, 2, 1, 2]),
            [1, 1, 1, 1],
            "SAME",
        ),
        x,
    ),
    _np.zeros([0, 4, 4, 1], _np.float32),
)
_add(
    "max_pool of nothing",
    lambda tf, x: tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
    _np.zeros([0, 4, 4, 1], _np.float32),
)
_add("bias_add of nothing", lambda tf, x: tf.nn.bias_add(x, tf.ones([3])), _EMPTY)
_add(
    "batch norm of nothing",
    lambda tf, x: tf.nn.fused_batch_norm(x, [1.0], [0.0])[0],
    _np.zeros([0, 4, 4, 1], _np.float32),
)
_add("dropout of nothing", lambda tf, x: tf.nn.dropout(x, rate=0.5), _EMPTY)
_add(
    "string_join of nothing",
    lambda tf, x: tf.string_join([x, x]),
    _np.zeros([0], "S1").astype(object),
)
_add("transpose of a scalar", lambda tf, x: tf.transpose(x), _np.float32(3))
_add("reshape to a scalar", lambda tf, x: tf.reshape(x, []), _np.float32([3]))
_add("reshape of nothing", lambda tf, x: tf.reshape(x, [3, -1]), _EMPTY)
_add("reshape of nothing to unknown", lambda tf, x: tf.reshape(x, [0, -1]), _EMPTY)
_add(
    "avg_pool of specials",
    lambda tf, x: tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
    _np.float32([1, _NAN, 2, 3, 4, 5, _INF, -_INF]).reshape(1, 2, 4, 1),
)
_add("linspace of one", lambda tf, x: tf.linspace(x, x + 1, 1), _np.float32(3))
_add(
    "histogram of specials",
    lambda tf, x: tf.histogram_fixed_width(x, [0.0, 1.0], 4),
    _np.float32([-5, 0, 0.25, 0.999, 1, 7]),
)
_add("bincount of nothing", lambda tf, x: tf.bincount(x), _np.zeros([0], _np.int32))
