"""Ops that few programs name today: older spellings and gradients of gradients, by their raw ops."""

import numpy as _np

CASES = {}
_RANDOM = _np.random.RandomState(5)
_SQUARES = _RANDOM.uniform(-1, 1, [2, 3, 3])
_POSITIVE = _np.matmul(_SQUARES, _SQUARES.transpose(0, 2, 1)) + 2 * _np.eye(3)


def _old(op, outputs=(0,), attrs=None, absolute=False, **inputs):
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
            values = sess.run(found)
        return {str(i): np.abs(v) if absolute else v for i, v in zip(outputs, values)}

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
_old("SelfAdjointEig", absolute=True, input=_POSITIVE[0])  # a vector's sign is free
_old("BatchSelfAdjointEig", absolute=True, input=_POSITIVE)
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


def placeholder_v2(tf, np):
    graph_def = tf.GraphDef()
    graph_def.versions.producer = 8
    node = graph_def.node.add(name="x", op="PlaceholderV2")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape([2, 3]).as_proto())
    (x,) = tf.import_graph_def(graph_def, return_elements=["x:0"])
    with tf.Session() as sess:
        fed = sess.run(x * 2.0, {x: _M[:2]})
        try:
            sess.run(x)
        except tf.errors.InvalidArgumentError as error:
            return {"y": fed, "static": str(x.shape), "unfed": "must feed" in error.message}


def reference_accumulator(tf, np):
    raw = tf.raw_ops
    handle = raw.ConditionalAccumulator(dtype=tf.float32, shape=[2], shared_name="sum")
    step = tf.placeholder(tf.int64, [])
    add = raw.AccumulatorApplyGradient(handle=handle, local_step=step, gradient=[3.0, 5.0])
    count = raw.AccumulatorNumAccumulated(handle=handle)
    take = raw.AccumulatorTakeGradient(handle=handle, num_required=2, dtype=tf.float32)
    move = raw.AccumulatorSetGlobalStep(handle=handle, new_global_step=7)
    with tf.Session() as sess:
        sess.run(add, {step: 0})
        sess.run(add, {step: 0})
        found = [sess.run(count), sess.run(take), sess.run(count)]
        sess.run(move)
        sess.run(add, {step: 6})
        found.append(sess.run(count))
        return {"found": found, "static": str(take.shape)}


def optional(tf, np):
    raw = tf.raw_ops
    full = raw.OptionalFromValue(components=[tf.constant([1, 2]), tf.constant("a")])
    values = raw.OptionalGetValue(
        optional=full, output_types=[tf.int32, tf.string], output_shapes=[[2], []]
    )
    has = raw.OptionalHasValue(optional=full)
    has_not = raw.OptionalHasValue(optional=raw.OptionalNone())
    with tf.Session() as sess:
        return {"values": sess.run([has, has_not] + list(values)), "static": str(has.shape)}


def optional_without_value(tf, np):
    return {
        "y": tf.raw_ops.OptionalGetValue(
            optional=tf.raw_ops.OptionalNone(), output_types=[tf.int32], output_shapes=[[]]
        )
    }


def distorted_box(tf, np):
    boxes = tf.constant([[[0.1, 0.2, 0.6, 0.7], [0.3, 0.3, 0.9, 0.9]]])
    outputs = tf.raw_ops.SampleDistortedBoundingBox(
        image_size=[40, 60, 3],
        bounding_boxes=boxes,
        seed=3,
        seed2=4,
        min_object_covered=0.4,
        aspect_ratio_range=[0.5, 2.0],
        area_range=[0.1, 0.9],
    )
    return dict(zip(("begin", "size", "boxes"), outputs))


def distorted_box_without_boxes(tf, np):
    outputs = tf.raw_ops.SampleDistortedBoundingBox(
        image_size=np.int64([40, 60, 3]),
        bounding_boxes=np.zeros([0, 0, 4], np.float32),
        seed=3,
        use_image_if_no_bounding_boxes=True,
    )
    return dict(zip(("begin", "size", "boxes"), outputs))


# -- gradients that are reached in rare ways -------------------------------------------------------


def _no_gradient(function):
    """The rule says None: nothing flows back, though it is asked."""

    def case(tf, np):
        x = tf.constant([[7.0, -7.0], [5.0, 3.0]])
        y = function(tf, x)
        return {"gradients": [repr(g) for g in tf.gradients(y, x, tf.ones_like(y))]}

    return case


def _refused_gradient(function):
    """The rule raises: TensorFlow has no such gradient."""

    def case(tf, np):
        x = tf.constant([1.0, 5.0])
        y = function(tf, tf.raw_ops, x)
        try:
            return {"g": tf.gradients(y, x)}
        except (NotImplementedError, TypeError):  # some of TensorFlow's own take too few arguments
            return {"refused": True, "y": y}

    return case


def _pair(op):
    return lambda tf, raw, x: getattr(raw, op)(
        a_indices=[[0], [2]],
        a_values=x,
        a_shape=[4],
        b_indices=[[1], [2]],
        b_values=tf.constant([3.0, 2.0]),
        b_shape=[4],
    )[1]


CASES.update(
    {
        "arg_max itself": _no_gradient(lambda tf, x: tf.argmax(x, 1)),
        "arg_min itself": _no_gradient(lambda tf, x: tf.argmin(x, 1)),
        "truncate_div": _no_gradient(lambda tf, x: tf.truncatediv(x, 2.0)),
        "sparse dense add gradient": _refused_gradient(
            lambda tf, raw, x: raw.SparseDenseCwiseAdd(
                sp_indices=[[0], [2]], sp_values=x, sp_shape=[3], dense=[1.0, 2.0, 3.0]
            )
        ),
        "sparse maximum gradient": _refused_gradient(_pair("SparseSparseMaximum")),
        "sparse minimum gradient": _refused_gradient(_pair("SparseSparseMinimum")),
        "matrix_diag_v2": _gradient(
            lambda tf, d: tf.square(
                tf.raw_ops.MatrixDiagV2(
                    diagonal=d, k=0, num_rows=-1, num_cols=-1, padding_value=0.0
                )
            ),
            _M,
        ),
        "matrix_diag_part_v2": _gradient(
            lambda tf, x: tf.square(tf.raw_ops.MatrixDiagPartV2(input=x, k=0, padding_value=0.0)),
            _M,
        ),
    }
)
# TensorFlow's rules build the ops' first versions, which have no place for k other than 0.
CASES["matrix_diag_v2"].nodes = False
CASES["matrix_diag_part_v2"].nodes = False


def _batch_norm_twice(version, training):
    """The gradient of the squared gradient of one version of batch normalisation."""

    def case(tf, np):
        random = np.random.RandomState(3)
        x = tf.constant(np.float32(random.randn(2, 2, 3, 2)))
        scale, offset = tf.constant([1.5, 0.5]), tf.constant([0.25, -0.5])
        mean, variance = ([], []) if training else ([0.1, 0.2], [1.0, 2.0])
        y = getattr(tf.raw_ops, "FusedBatchNorm" + version)(
            x=x,
            scale=scale,
            offset=offset,
            mean=mean,
            variance=variance,
            is_training=training,
            epsilon=0.01,
        )[0]
        weights = tf.constant(np.float32(random.randn(2, 2, 3, 2)))
        first = tf.gradients(y * weights, [x, scale])
        second = tf.gradients([tf.square(g) for g in first], [x, scale, weights])
        return {"first": first, "second": second}

    case.rtol, case.atol = 1e-3, 1e-4  # sums of products of sums in float32
    case.nodes = False  # TensorFlow's rule differentiates on a tape, whose nodes have other names
    return case


for _version in ("", "V2", "V3"):
    for _training in (True, False):
        CASES["batch_norm%s twice%s" % (_version, " training" if _training else "")] = (
            _batch_norm_twice(_version, _training)
        )


def cond_with_state_gradient(tf, np):
    x = tf.constant([1.0, -2.0])
    noise = lambda: tf.random_uniform([2], 1.0, 1.0) * x * x  # a stateful node, always 1
    y = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.exp(x), noise)
    return {"y": y, "g": tf.gradients(y * y, x)}


cond_with_state_gradient.nodes = False  # an If node, not Switch and Merge
