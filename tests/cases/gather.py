"""Gather and scatter, partition and stitch, space, depth and batch, sequences, patches."""

CASES = {}


def _case(name, build, inputs=(), grad=(), nodes=True):
    def run(tf, np):
        tensors = [_input(tf, np, i) for i in inputs]
        y = build(tf, *tensors)
        wanted = dict(y) if isinstance(y, dict) else {"y": y}
        if grad:
            first = wanted["y"] if isinstance(wanted["y"], (list, tuple)) else [wanted["y"]]
            weighted = [f * f for f in first]
            for place, g in zip(grad, tf.gradients(weighted, [tensors[i] for i in grad])):
                if hasattr(g, "values"):
                    wanted["grad%d values" % place] = g.values
                    wanted["grad%d indices" % place] = g.indices
                    wanted["grad%d shape" % place] = g.dense_shape
                elif g is not None:
                    wanted["grad%d" % place] = g
        return wanted

    run.nodes = nodes
    CASES[name] = run


def _input(tf, np, spec):
    if isinstance(spec, tuple) and len(spec) == 3:
        values, dtype, static = spec
        array = np.array(values, dtype)
    else:
        shape, static = spec if isinstance(spec, tuple) else (spec, spec)
        count = 1
        for s in shape:
            count *= s
        array = (np.arange(count, dtype=np.float32) * 0.5 - 1).reshape(shape)
    return tf.placeholder_with_default(array, None if static == "?" else static)


_U = "?"


def _ints(values, static=None):
    return values, "int32", static


_case("gather", lambda tf, x: tf.gather(x, [2, 0, 2]), [[3, 2]], [0])
_case(
    "gather_matrix",
    lambda tf, x, i: tf.gather(x, i),
    [([3, 2], [None, 2]), _ints([[0, 1], [2, 2]], [None, 2])],
    [0],
)
_case("gather_scalar", lambda tf, x: tf.gather(x, 1), [[3, 2]], [0])
_case("gather_axis", lambda tf, x: tf.gather(x, [1, 1, 0], axis=1), [[2, 3, 2]], [0])
_case(
    "gather_axis_negative",
    lambda tf, x: tf.gather(x, [[0], [1]], axis=-1),
    [([2, 3], [None, 3])],
    [0],
)
_case("gather_axis_tensor", lambda tf, x, a: tf.gather(x, [0], axis=a), [[2, 3], _ints(1, [])], [0])
_case("gather_batch", lambda tf, x: tf.gather(x, [[1, 0], [2, 2]], batch_dims=1), [[2, 3, 2]], [0])
_case(
    "gather_batch_axis",
    lambda tf, x: tf.gather(x, [[1, 0], [2, 2]], axis=2, batch_dims=1),
    [[2, 2, 3]],
    [0],
)
_case("gather_int64", lambda tf, x: tf.gather(x, tf.constant([1], tf.int64)), [[2]], [0])
_case(
    "gather_types",
    lambda tf: [
        tf.gather(tf.constant([1, 2, 3], t), [2, 0])
        for t in (tf.uint8, tf.int16, tf.int64, tf.float64, tf.complex64, tf.float16, tf.uint16)
    ],
)
_case("gather_string", lambda tf: tf.gather(["a", "b", "c"], [2, 0]))
_case("gather_out_of_range", lambda tf, x, i: tf.gather(x, i), [[3], _ints([0, 5], [2])])
_case("gather_negative", lambda tf, x, i: tf.gather(x, i), [[3, 2], _ints([[0], [-1]], [2, 1])])
_case("gather_axis_out_of_range", lambda tf, x: tf.gather(x, [0], axis=1), [[3]])
_case("gather_v1", lambda tf, x: tf.raw_ops.Gather(params=x, indices=[1, 0]), [[2, 2]], [0])
_case("gather_twice", lambda tf, x: tf.gather(x, [0, 1]) + tf.gather(x, [1, 2]), [[3, 2]], [0])
_case("batch_gather", lambda tf, x: tf.batch_gather(x, [[1, 0], [2, 2]]), [[2, 3]], [0])
_case(
    "gather_nd",
    lambda tf, x: {
        "y": tf.gather_nd(x, [[0, 1], [1, 2]]),
        "b": tf.gather_nd(x, [1]),
        "c": tf.gather_nd(x, [[[0], [1]]]),
    },
    [[2, 3]],
    [0],
)
_case("gather_nd_slices", lambda tf, x: tf.gather_nd(x, [[1], [0], [1]]), [[2, 3]], [0])
_case("gather_nd_batch", lambda tf, x: tf.gather_nd(x, [[[1]], [[2]]], batch_dims=1), [[2, 3]], [0])
_case("gather_nd_empty", lambda tf, x: tf.gather_nd(x, tf.zeros([2, 0], tf.int32)), [[3]])
_case("gather_nd_string", lambda tf: tf.gather_nd([["a", "b"], ["c", "d"]], [[1, 0]]))
_case(
    "gather_nd_out_of_range", lambda tf, x, i: tf.gather_nd(x, i), [[2, 2], _ints([[0, 5]], [1, 2])]
)
_case("gather_nd_depth", lambda tf, x: tf.gather_nd(x, [[0, 1]]), [[2]])
_case("scatter_nd", lambda tf, x: tf.scatter_nd([[4], [1], [4]], x, [6]), [[3]], [0])
_case("scatter_nd_rows", lambda tf, x: tf.scatter_nd([[2], [0]], x, [3, 2]), [[2, 2]], [0])
_case(
    "scatter_nd_dynamic",
    lambda tf, x, n: tf.scatter_nd([[1, 0]], x, n),
    [[1], _ints([2, 2], [2])],
    [0],
)
_case(
    "scatter_nd_out_of_range",
    lambda tf, x, i: tf.scatter_nd(i, x, [3]),
    [[1], _ints([[5]], [1, 1])],
)
_case(
    "scatter_nd_mismatch",
    lambda tf, x, i, n: tf.scatter_nd(i, x, n),
    [([3], _U), (_ints([[1], [1]], None)), _ints([3], [1])],
)
_case("scatter_nd_inner", lambda tf, x: tf.scatter_nd([[0]], x, [2, 4]), [[1, 3]])
_case(
    "tensor_scatter_add",
    lambda tf, x, u: tf.tensor_scatter_add(x, [[0], [2], [0]], u),
    [[3], [3]],
    [0, 1],
)
_case(
    "tensor_scatter_sub",
    lambda tf, x, u: tf.tensor_scatter_sub(x, [[1]], u),
    [[2, 2], [1, 2]],
    [0, 1],
)
_case(
    "tensor_scatter_update",
    lambda tf, x, u: tf.tensor_scatter_update(x, [[0, 1], [1, 0]], u),
    [[2, 2], [2]],
    [0, 1],
)
_case(
    "tensor_scatter_wrong",
    lambda tf, x, i: tf.tensor_scatter_update(x, i, [9.0]),
    [[3], _ints([[7]], [1, 1])],
)
_case(
    "non_aliasing_add",
    lambda tf, x, u: tf.raw_ops.ScatterNdNonAliasingAdd(input=x, indices=[[1]], updates=u),
    [[2], [1]],
    [0, 1],
)
_case(
    "dynamic_partition",
    lambda tf, x: {"y": tf.dynamic_partition(x, [0, 1, 0, 2], 3)},
    [[4, 2]],
    [0],
)
_case("dynamic_partition_string", lambda tf: {"y": tf.dynamic_partition(["a", "b"], [1, 1], 2)})
_case(
    "dynamic_partition_wrong",
    lambda tf, x, p: {"y": tf.dynamic_partition(x, p, 2)},
    [[3], _ints([0, 1, 2], [3])],
)
_case(
    "dynamic_partition_shape",
    lambda tf, x, p: {"y": tf.dynamic_partition(x, p, 2)},
    [([3], _U), _ints([0, 1], None)],
)
_case(
    "dynamic_stitch",
    lambda tf, x, y: tf.dynamic_stitch([[0, 2], [1, 3]], [x, y]),
    [[2, 2], [2, 2]],
    [0, 1],
)
_case(
    "dynamic_stitch_dynamic",
    lambda tf, x, i: tf.dynamic_stitch([i, [1]], [x, [9.0]]),
    [[2], _ints([2, 1], [2])],
    [0],
)
_case(
    "dynamic_stitch_wrong",
    lambda tf, x, y: tf.dynamic_stitch([[0], [1]], [x, y]),
    [([1, 2], _U), ([1, 3], _U)],
)
_case(
    "parallel_stitch",
    lambda tf, x: tf.raw_ops.ParallelDynamicStitch(indices=[[0, 1]], data=[x]),
    [[2]],
    [0],
)
_case(
    "unravel_index",
    lambda tf: {"a": tf.unravel_index([1, 5], [2, 3]), "b": tf.unravel_index(4, [2, 3])},
)
_case(
    "inplace",
    lambda tf, x: {
        "a": tf.raw_ops.InplaceUpdate(x=x + 0.0, i=[1], v=[[9.0, 9.0]]),
        "b": tf.raw_ops.InplaceAdd(x=x + 1.0, i=[0], v=[[9.0, 9.0]]),
        "c": tf.raw_ops.InplaceSub(x=x + 2.0, i=[0], v=[[9.0, 9.0]]),
    },
    [[2, 2]],
    nodes=False,
)
_case(
    "bounds",
    lambda tf: {
        "a": tf.raw_ops.LowerBound(sorted_inputs=[[1, 2, 2, 3]], values=[[2, 4]]),
        "b": tf.raw_ops.UpperBound(sorted_inputs=[[1, 2, 2, 3]], values=[[2, 0]]),
    },
)

_case(
    "reverse_sequence",
    lambda tf, x: tf.reverse_sequence(x, [2, 4], seq_axis=1, batch_axis=0),
    [[2, 4]],
    [0],
)
_case(
    "reverse_sequence_old",
    lambda tf, x: tf.reverse_sequence(x, [1, 2, 0], seq_dim=0, batch_dim=1),
    [[2, 3, 2]],
    [0],
)
_case(
    "reverse_sequence_wrong",
    lambda tf, x, n: tf.reverse_sequence(x, n, 1, 0),
    [[2, 3], _ints([2, 4], [2])],
)

_case("space_to_depth", lambda tf, x: tf.space_to_depth(x, 2), [[1, 4, 2, 3]], [0])
_case(
    "space_to_depth_partial",
    lambda tf, x: tf.space_to_depth(x, 2),
    [([1, 4, 2, 3], [None, None, 2, 3])],
    [0],
)
_case("space_to_depth_wrong", lambda tf, x: tf.space_to_depth(x, 2), [([1, 3, 2, 1], _U)])
_case("space_to_depth_wrong_static", lambda tf, x: tf.space_to_depth(x, 2), [[1, 3, 2, 1]])
_case("depth_to_space", lambda tf, x: tf.depth_to_space(x, 2), [[1, 2, 2, 8]], [0])
_case("depth_to_space_wrong", lambda tf, x: tf.depth_to_space(x, 2), [([1, 1, 1, 2], _U)])
_case(
    "space_to_batch_nd",
    lambda tf, x: tf.space_to_batch_nd(x, [2, 2], [[0, 0], [1, 1]]),
    [[1, 2, 4, 2]],
    [0],
)
_case(
    "space_to_batch_nd_wrong",
    lambda tf, x: tf.space_to_batch_nd(x, [2], [[0, 0]]),
    [([1, 3, 2], _U)],
)
_case(
    "batch_to_space_nd",
    lambda tf, x: tf.batch_to_space_nd(x, [2, 2], [[0, 1], [0, 0]]),
    [[4, 1, 2, 2]],
    [0],
)
_case(
    "batch_to_space_nd_wrong",
    lambda tf, x: tf.batch_to_space_nd(x, [2], [[0, 0]]),
    [([3, 3, 2], _U)],
)
_case(
    "space_to_batch", lambda tf, x: tf.space_to_batch(x, [[0, 0], [0, 0]], 2), [[1, 2, 4, 1]], [0]
)
_case(
    "batch_to_space", lambda tf, x: tf.batch_to_space(x, [[0, 0], [0, 0]], 2), [[4, 1, 2, 1]], [0]
)
_case(
    "space_to_batch_raw",
    lambda tf, x: tf.raw_ops.SpaceToBatch(input=x, paddings=[[0, 0], [0, 0]], block_size=2),
    [[1, 2, 4, 1]],
)
_case(
    "batch_to_space_raw",
    lambda tf, x: tf.raw_ops.BatchToSpace(input=x, crops=[[0, 0], [0, 0]], block_size=2),
    [[4, 1, 2, 1]],
)
_case(
    "required_paddings",
    lambda tf: {
        "a": list(tf.required_space_to_batch_paddings([5, 8], [2, 3], [[1, 0], [0, 1]])),
        "b": list(tf.required_space_to_batch_paddings([5], [2])),
    },
)
_case(
    "required_paddings_dynamic",
    lambda tf, n: {"a": list(tf.required_space_to_batch_paddings(n, [2, 3]))},
    [_ints([5, 7], [2])],
)
_case(
    "image_patches",
    lambda tf, x: tf.extract_image_patches(x, [1, 2, 2, 1], [1, 1, 2, 1], [1, 1, 1, 1], "VALID"),
    [[1, 3, 4, 2]],
    [0],
)
_case(
    "image_patches_same",
    lambda tf, x: tf.extract_image_patches(
        x, sizes=[1, 3, 2, 1], strides=[1, 2, 1, 1], rates=[1, 2, 1, 1], padding="SAME"
    ),
    [([2, 5, 4, 1], [None, 5, 4, 1])],
)
_case(
    "volume_patches",
    lambda tf, x: tf.extract_volume_patches(x, [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], "VALID"),
    [[1, 2, 2, 3, 1]],
    [0],
)
_case(
    "volume_patches_same",
    lambda tf, x: tf.extract_volume_patches(x, [1, 2, 3, 2, 1], [1, 2, 1, 1, 1], "SAME"),
    [[1, 3, 2, 3, 2]],
)
