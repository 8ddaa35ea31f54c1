"""Maths ops that no public function builds, by tf.raw_ops."""


def divisions(tf, np):
    r = tf.raw_ops
    x, y = tf.constant([7, -7, 8]), tf.constant([2, 2, -3])
    a, b = tf.constant([7.0, -7.0]), tf.constant([2.0, 0.3])
    d = r.Div(x=a, y=b)
    return {
        "div": r.Div(x=x, y=y),
        "float": d,
        "mod": r.Mod(x=x, y=y),
        "fmod": r.Mod(x=a, y=b),
        "truncate": r.TruncateDiv(x=x, y=y),
        "floor": r.FloorDiv(x=a, y=b),
        "gradients": tf.gradients(d, [a, b]),
    }


def inverses(tf, np):
    r = tf.raw_ops
    x = tf.constant([0.5, -2.0, 4.0])
    y = r.Inv(x=x)
    z = r.InvGrad(y=y, dy=x)
    return {
        "inv": y,
        "gradient": tf.gradients(y, x)[0],
        "grad": z,
        "second": tf.gradients(z, [x])[0],
    }


def matrix_products(tf, np):
    r = tf.raw_ops
    x = tf.constant(np.arange(12).reshape(2, 2, 3).astype("f"))
    y = tf.constant(np.arange(12).reshape(2, 3, 2).astype("f"))
    p = r.BatchMatMul(x=x, y=y, adj_x=False, adj_y=False)
    return {"p": p, "gradients": tf.gradients(p, [x, y])}


def clip(tf, np):
    x = tf.constant([-2.0, 0.5, 3.0])
    y = tf.raw_ops.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.0)
    return {"y": y}


def buckets(tf, np):
    return {
        "y": tf.raw_ops.Bucketize(
            input=tf.constant([-5.0, 0.0, 1.5, 10.0, 100.0]), boundaries=[0.0, 10.0, 100.0]
        ),
        "int": tf.raw_ops.Bucketize(input=tf.constant([-5, 3]), boundaries=[0.0, 2.5]),
    }


def near(tf, np):
    return {
        "y": tf.raw_ops.ApproximateEqual(x=tf.constant([1.0, 1.1]), y=tf.constant([1.000001, 1.0]))
    }


def bits(tf, np):
    r = tf.raw_ops
    results = {}
    for dtype in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16):
        results[np.dtype(dtype).name] = r.PopulationCount(
            x=tf.constant(np.array([0, 1, 7, 100, -1], np.int64).astype(dtype))
        )
    results["packed"] = r.CompareAndBitpack(
        input=tf.constant(np.arange(16).reshape(2, 8).astype("f")), threshold=5.5
    )
    return results


def equality_of_other_shapes(tf, np):
    r = tf.raw_ops
    x, y = tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0, 3.0])
    return {
        "eq": r.Equal(x=x, y=y, incompatible_shape_error=False),
        "ne": r.NotEqual(x=x, y=y, incompatible_shape_error=False),
        "same": r.Equal(x=x, y=x, incompatible_shape_error=False),
    }


def slopes(tf, np):
    r = tf.raw_ops
    y, dy = tf.constant([0.25, 0.5, 0.75]), tf.constant([1.0, -2.0, 0.5])
    results = {}
    for name in ("SigmoidGrad", "TanhGrad", "SqrtGrad", "RsqrtGrad", "ReciprocalGrad"):
        z = getattr(r, name)(y=y, dy=dy)
        results[name] = z
        results[name + " gradients"] = tf.gradients(z, [y, dy])
    return results


def running_logarithms(tf, np):
    x = tf.constant([[0.5, 1.0, -2.0], [3.0, 0.0, 1.0]])
    r = tf.raw_ops.CumulativeLogsumexp
    y = r(x=x, axis=1)
    return {
        "y": y,
        "reverse": r(x=x, axis=1, reverse=True),
        "exclusive": r(x=x, axis=0, exclusive=True),
        "function": tf.math.cumulative_logsumexp(x, 1),
    }


def derivative_of_incomplete_gamma(tf, np):
    a = tf.constant([0.5, 1.0, 2.0, 10.0, 30.0])
    x = tf.constant([0.1, 1.0, 3.0, 8.0, 35.0])
    return {"y": tf.raw_ops.IgammaGradA(a=a, x=x)}


derivative_of_incomplete_gamma.rtol = 1e-4


def least_squares(tf, np):
    a = tf.constant([[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]])
    b = tf.constant([[1.0], [2.0], [3.0]])
    y = tf.raw_ops.MatrixSolveLs(matrix=a, rhs=b, l2_regularizer=0.5, fast=True)
    t = tf.constant([[1.0, 2.0, 0.5], [0.5, -1.0, 2.0]])
    z = tf.raw_ops.MatrixSolveLs(matrix=t, rhs=b[:2], l2_regularizer=0.5, fast=True)
    return {"y": y, "z": z, "gradients": tf.gradients(y, [a, b]), "wide": tf.gradients(z, [t, b])}


least_squares.rtol = 1e-3


def diagonals_of_choice(tf, np):
    r = tf.raw_ops
    d = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])
    a = tf.constant(np.arange(1, 13).reshape(3, 4).astype("f"))
    one = tf.constant([7.0, 8.0])
    made = r.MatrixDiagV2(diagonal=d, k=[-1, 0], num_rows=-1, num_cols=-1, padding_value=9.0)
    part = r.MatrixDiagPartV2(input=a, k=[-1, 1], padding_value=0.5)
    set_ = r.MatrixSetDiagV2(input=a, diagonal=tf.constant([1.5, 2.5]), k=2)
    return {
        "made": made,
        "single": r.MatrixDiagV2(diagonal=one, k=1, num_rows=-1, num_cols=-1, padding_value=0.0),
        "shape": r.MatrixDiagV2(diagonal=one, k=1, num_rows=2, num_cols=4, padding_value=0.0),
        "part": part,
        "one": r.MatrixDiagPartV2(input=a, k=-1, padding_value=0.0),
        "set": set_,
        "many": r.MatrixSetDiagV2(
            input=a, diagonal=tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]]), k=[-1, 0]
        ),
    }


diagonals_of_choice.nodes = False


def cholesky_slope(tf, np):
    factor = tf.constant([[2.0, 0.0], [0.5, 1.5]])
    return {"y": tf.raw_ops.CholeskyGrad(l=factor, grad=tf.constant([[1.0, 0.0], [0.5, -1.0]]))}


def renamed_arguments(tf, np):
    r = tf.raw_ops
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    return {
        "sum": r.Sum(input=x, axis=[1], keep_dims=True),
        "wide": r.ExpandDims(input=x, axis=0),
        "select": r.Select(condition=x > 2.0, x=x, y=-x),
        "where": r.Where(condition=x > 2.0),
        "squeeze": r.Squeeze(input=x[:1], axis=[0]),
        "split": list(r.Split(axis=1, value=x, num_split=2)),
    }
