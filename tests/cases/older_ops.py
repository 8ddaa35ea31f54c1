"""Ops that few programs name today: older spellings and gradients of gradients, by their raw ops."""

import numpy as _np

CASES = {}
_RANDOM = _np.random.RandomState(5)
_SQUARES = _RANDOM.uniform(-1, 1, [2, 3, 3])
_POSITIVE = _np.matmul(_SQUARES, _SQUARES.transpose(0, 2, 1)) + 2 * _np.eye(3)


def _old(op, outputs=(0,), attrs=None, **inputs):
    """One op that TensorFlow 1.15 runs only in graphs of an older version: such a graph."""

    def case(tf, np):
        graph_def = tf.GraphDef()
        graph_def.versions.producer = 8
        node = graph_def.node.add(name="old", op=op)
        tensors = {}
        for name, value in inputs.items():
            node.input.append(name)
            tensors[name] = tf.constant(value)
        for name, value in (attrs or {}).items():
            if isinstance(value, bool):
                node.attr[name].b = value
            elif isinstance(value, float):
                node.attr[name].f = value
            else:
                node.attr[name].type = value.as_datatype_enum
        if "T" not in (attrs or {}) and op != "AudioSummary":
            node.attr["T"].type = list(tensors.values())[0].dtype.as_datatype_enum
        found = tf.import_graph_def(
            graph_def, input_map=tensors, return_elements=["old:%d" % i for i in outputs]
        )
        with tf.Session() as sess:  # values only: TensorFlow knows no static shapes of these
            return {str(i): v for i, v in zip(outputs, sess.run(found))}

    case.nodes = False  # TensorFlow leaves out attrs' defaults of removed ops
    CASES[op] = case
    return case


_old("BatchCholesky", input=_POSITIVE)
_old("BatchCholeskyGrad", l=_np.linalg.cholesky(_POSITIVE), grad=_SQUARES)
_old("BatchMatrixBandPart", input=_SQUARES, num_lower=_np.int64(1), num_upper=_np.int64(0))
_old("BatchMatrixDeterminant", input=_SQUARES)
_old("BatchMatrixDiag", diagonal=_SQUARES[0])
_old("BatchMatrixDiagPart", input=_SQUARES)
_old("BatchMatrixInverse", input=_POSITIVE, attrs={"adjoint": True})
_old("BatchMatrixSetDiag", input=_SQUARES, diagonal=_np.ones([2, 3]))
_old("BatchMatrixSolve", matrix=_POSITIVE, rhs=_SQUARES)
_old("BatchMatrixSolveLs", matrix=_POSITIVE, rhs=_SQUARES, l2_regularizer=_np.float64(0.1))
_old("BatchMatrixTriangularSolve", matrix=_POSITIVE, rhs=_SQUARES, attrs={"lower": False})
_old("BatchSelfAdjointEigV2", input=_POSITIVE)
_old("BatchSvd", input=_SQUARES)
_old("MatrixExponential", input=_SQUARES)
_old("AudioSummary", tag="a", tensor=_np.float32([[0.5, -0.5]]), attrs={"sample_rate": 8.0})


def einsum_op(tf, np):
    a, b = np.float32(_SQUARES), np.float32(_POSITIVE)
    with tf.Session() as sess:
        return {"y": sess.run(tf.raw_ops.Einsum(inputs=[a, b], equation="bij,bjk->bik"))}


def old_variable(tf, np):
    v = tf.raw_ops.Variable(shape=[2], dtype=tf.float32)
    with tf.Session() as sess:
        return {"y": sess.run(tf.assign(v, [1.0, 2.0]))}


def _gradient(function, *starts):
    def case(tf, np):
        inputs = [tf.constant(s) for s in starts]
        y = function(tf, *inputs)
        grads = tf.gradients(y, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return dict([("y", y)] + [("g%d" % i, g) for i, g in enumerate(grads)])

    return case


_M = _np.float32(_SQUARES[0])
_IMAGE = _np.float32(_RANDOM.randn(1, 4, 4, 2))
_VOLUME = _np.float32(_RANDOM.randn(1, 2, 4, 4, 1))


def _twice(function):
    """The gradient of the sum of the squared gradient."""
    return lambda tf, x: tf.square(tf.gradients(tf.square(function(tf, x)), x)[0])


CASES.update(
    {
        "arg_max gradient": _gradient(lambda tf, x: x * tf.cast(tf.argmax(x, 1), tf.float32), _M),
        "arg_max alone": _gradient(lambda tf, x: tf.cast(tf.argmax(x, 1), tf.float32), _M),
        "arg_min alone": _gradient(lambda tf, x: tf.cast(tf.argmin(x, 1), tf.float32), _M),
        "space_to_batch gradient": _gradient(
            lambda tf, x: tf.square(
                tf.raw_ops.SpaceToBatch(input=x, paddings=[[0, 0], [0, 0]], block_size=2)
            ),
            _IMAGE,
        ),
        "batch_to_space gradient": _gradient(
            lambda tf, x: tf.square(
                tf.raw_ops.BatchToSpace(
                    input=tf.reshape(x, [4, 2, 2, 2]), crops=[[0, 1], [1, 0]], block_size=2
                )
            ),
            _IMAGE,
        ),
        "conjugate_transpose": _gradient(
            lambda tf, x: tf.abs(tf.transpose(tf.complex(x, x * x), conjugate=True)), _M
        ),
        "cumulative_logsumexp": _gradient(
            lambda tf, x: tf.raw_ops.CumulativeLogsumexp(
                x=x, axis=1, exclusive=False, reverse=True
            ),
            _M,
        ),
        "diag_part": _gradient(lambda tf, x: tf.square(tf.diag_part(x)), _M),
        "matrix_set_diag_v2": _gradient(
            lambda tf, x, d: tf.square(tf.raw_ops.MatrixSetDiagV2(input=x, diagonal=d, k=0)),
            _M,
            _M[0],
        ),
        "max_pool twice": _gradient(
            _twice(lambda tf, x: tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")), _IMAGE
        ),
        "max_pool thrice": _gradient(
            _twice(
                lambda tf, x: tf.square(
                    tf.gradients(
                        tf.square(tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")), x
                    )[0]
                )
            ),
            _IMAGE,
        ),
        "max_pool3d thrice": _gradient(
            _twice(
                lambda tf, x: tf.square(
                    tf.gradients(
                        tf.square(tf.nn.max_pool3d(x, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID")), x
                    )[0]
                )
            ),
            _VOLUME,
        ),
        "cond gradient twice": _gradient(
            _twice(lambda tf, x: tf.where(x > 0, x * x, tf.exp(x))), _M
        ),
    }
)


# TensorFlow's rule builds the op's first version, which has no place for k.
CASES["matrix_set_diag_v2"].nodes = False


def sparse_dense_add(tf, np):
    values = tf.constant([1.0, 2.0])
    dense = tf.constant(_M)
    y = tf.raw_ops.SparseDenseCwiseAdd(
        sp_indices=[[0, 1], [2, 0]], sp_values=values, sp_shape=[3, 3], dense=dense
    )
    return {"y": y}


def _sparse_sparse(op):
    def case(tf, np):
        a, b = tf.constant([1.0, 5.0]), tf.constant([3.0, 2.0])
        indices, y = getattr(tf.raw_ops, op)(
            a_indices=[[0], [2]],
            a_values=a,
            a_shape=[4],
            b_indices=[[1], [2]],
            b_values=b,
            b_shape=[4],
        )
        with tf.Session() as sess:
            return dict(zip("iy", sess.run([indices, y])))

    return case


CASES["sparse maximum"] = _sparse_sparse("SparseSparseMaximum")
CASES["sparse minimum"] = _sparse_sparse("SparseSparseMinimum")


def _list(function):
    """A gradient through a TensorList made from a [3, 2] tensor."""

    def case(tf, np):
        x = tf.constant(np.float32([[1, 2], [3, 4], [5, 6]]))
        y = function(tf, tf.raw_ops, x)
        return {"y": y, "g": tf.gradients(y * y, x)[0]}

    case.nodes = False  # handles' shapes travel in attrs of TensorFlow's C++ shape inference
    return case


def _from(raw, x):
    return raw.TensorListFromTensor(tensor=x, element_shape=[2])


def _stack(tf, raw, handle):
    return raw.TensorListStack(input_handle=handle, element_shape=[2], element_dtype=tf.float32)


def _concat(tf, raw, handle, **kwargs):
    return raw.TensorListConcat(input_handle=handle, element_dtype=tf.float32, element_shape=[2])[0]


def _pushed(tf, raw, x):
    handle = raw.TensorListPushBack(input_handle=_from(raw, x), tensor=x[0] * x[1])
    handle, last = raw.TensorListPopBack(
        input_handle=handle, element_shape=[2], element_dtype=tf.float32
    )
    handle = raw.TensorListPushBack(input_handle=handle, tensor=last * 3.0)
    return _stack(tf, raw, handle)


CASES.update(
    {
        "list stack": _list(lambda tf, raw, x: _stack(tf, raw, _from(raw, x))),
        "list push and pop": _list(_pushed),
        "list concat": _list(lambda tf, raw, x: _concat(tf, raw, _from(raw, x))),
        "list scatter": _list(
            lambda tf, raw, x: _stack(
                tf, raw, raw.TensorListScatter(tensor=x, indices=[2, 0, 1], element_shape=[2])
            )
        ),
        "list scatter v2": _list(
            lambda tf, raw, x: _stack(
                tf,
                raw,
                raw.TensorListScatterV2(
                    tensor=x, indices=[2, 0, 1], element_shape=[2], num_elements=3
                ),
            )
        ),
    }
)


def list_concat_lists(tf, np):
    raw = tf.raw_ops
    a = _from(raw, tf.constant([[1.0, 2.0]]))
    b = _from(raw, tf.constant([[3.0, 4.0], [5.0, 6.0]]))
    joined = raw.TensorListConcatLists(input_a=a, input_b=b, element_dtype=tf.float32)
    return {"y": _stack(tf, raw, joined)}


list_concat_lists.nodes = False
