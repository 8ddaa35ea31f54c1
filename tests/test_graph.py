"""The graph: names, scopes, devices, control edges, GraphDef there and back, dtypes, shapes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import relight.v1 as tf


@pytest.fixture
def graph():
    with tf.Graph().as_default() as made:
        yield made


# -- names and scopes ------------------------------------------------------------------------------


def test_names_and_scopes(graph):
    names = []
    a = tf.constant(1.0, name="a")
    names.append(tf.constant(1.0, name="a").name)
    with tf.name_scope("s") as scope:
        names += [scope, tf.add(a, a).name, tf.add(a, a).name]
        with tf.name_scope("t"):
            names.append(tf.identity(a).name)
        with tf.name_scope("s"):
            names.append(tf.identity(a).name)
        with tf.name_scope(None):
            names.append(tf.identity(a).name)
        with tf.name_scope("other/"):
            names.append(tf.identity(a).name)
    with tf.name_scope("s"):
        names.append(tf.identity(a).name)
    with tf.name_scope(scope):
        names.append(tf.identity(a).name)
    with tf.name_scope(None, "default", [a]) as made:
        names.append(made)
    assert names == [
        "a_1:0", "s/", "s/Add:0", "s/Add_1:0", "s/t/Identity:0", "s/s/Identity:0", "Identity:0",
        "other/Identity:0", "s_1/Identity:0", "s/Identity:0", "default/",
    ]  # fmt: skip
    assert graph.unique_name("a") == "a_2"
    assert graph.unique_name("A", mark_as_used=False) == graph.unique_name("A", mark_as_used=False)
    with pytest.raises(ValueError, match="not a valid"):
        tf.constant(1, name="bad name")


def test_elements_by_name(graph):
    a = tf.constant(1, name="a")
    assert graph.get_tensor_by_name("a:0") is a and graph.get_operation_by_name("a") is a.op
    assert graph.as_graph_element("a:0") is a and graph.as_graph_element(a.op) is a.op
    with pytest.raises(KeyError, match="does not exist"):
        graph.get_tensor_by_name("b:0")
    with pytest.raises(KeyError, match="only has 1 outputs"):
        graph.get_tensor_by_name("a:1")
    with pytest.raises(ValueError, match="not a valid Tensor name|Tensor name"):
        graph.get_tensor_by_name("a")
    with pytest.raises(KeyError, match="not in the graph"):
        graph.get_operation_by_name("b")
    with pytest.raises(TypeError):
        graph.as_graph_element(3)


def test_graphs_do_not_mix(graph):
    a = tf.constant(1)
    with tf.Graph().as_default():
        b = tf.constant(2)
        with pytest.raises(ValueError, match="must be from the same graph"):
            tf.add(a, b)
    assert tf.get_default_graph() is graph


def test_default_graph_can_be_reset():
    tf.reset_default_graph()
    tf.constant(1)
    tf.reset_default_graph()
    assert tf.get_default_graph().get_operations() == []
    with tf.Graph().as_default(), pytest.raises(AssertionError, match="nested graphs"):
        tf.reset_default_graph()


def test_finalize(graph):
    a = tf.constant(1)
    graph.finalize()
    assert graph.finalized
    with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
        tf.constant(2)
    with tf.Session() as sess:
        assert sess.run(a) == 1


def test_collections(graph):
    graph.add_to_collection("things", 1)
    tf.add_to_collections(["things", "others", "others"], 2)
    assert tf.get_collection("things") == [1, 2] and tf.get_collection("others") == [2]
    copied, kept = graph.get_collection("things"), graph.get_collection_ref("things")
    copied.append(3)
    kept.append(4)
    assert tf.get_collection("things") == [1, 2, 4]
    graph.clear_collection("things")
    assert tf.get_collection("things") == []
    with tf.name_scope("s"):
        tf.add_to_collection("scoped", tf.constant(1))
    tf.add_to_collection("scoped", tf.constant(2))
    assert [t.name for t in tf.get_collection("scoped", scope="s")] == ["s/Const:0"]


# -- devices, colocation, control edges ------------------------------------------------------------


def test_device_scopes(graph):
    def chosen(op):
        return "/device:CPU:1" if op.type == "Const" else "/job:ps"

    with tf.device("/job:worker/task:1"):
        with tf.device("/cpu:0"):
            a = tf.constant(1)
        with tf.device("/job:ps"):
            b = tf.constant(1)
        with tf.device(None):
            c = tf.constant(1)
        with tf.device(chosen):
            d, e = tf.constant(1), tf.no_op()
    assert [n.device for n in (a, b, c, d, e)] == [
        "/job:worker/task:1/device:CPU:0", "/job:ps/task:1", "", "/job:worker/task:1/device:CPU:1",
        "/job:ps/task:1",
    ]  # fmt: skip
    with pytest.raises(ValueError), tf.device("/nonsense:x:y"):
        tf.constant(1)
    spec = tf.DeviceSpec.from_string("/job:ps/task:2/device:GPU:3")
    assert (spec.job, spec.task, spec.device_type, spec.device_index) == ("ps", 2, "GPU", 3)
    assert spec.to_string() == "/job:ps/task:2/device:GPU:3"


def test_colocation(graph):
    with tf.device("/cpu:0"):
        a = tf.constant(1, name="a")
    with tf.colocate_with(a):
        b = tf.constant(1, name="b")
        with tf.colocate_with(None, ignore_existing=True):
            c = tf.constant(1, name="c")
    with tf.colocate_with(b.op):
        d = tf.constant(1, name="d")
    assert b.op.colocation_groups() == [b"loc:@a"] == d.op.colocation_groups()
    assert c.op.colocation_groups() == [b"loc:@c"]
    assert b.device == a.device and c.device == ""


def test_control_dependencies(graph):
    a, b = tf.constant(1, name="a"), tf.constant(2, name="b")
    with tf.control_dependencies([a, b.op]):
        c = tf.identity(a, name="c")  # a is an input already
        with tf.control_dependencies([c]):
            d = tf.no_op()
        with tf.control_dependencies(None):
            e = tf.no_op()
    assert [o.name for o in c.op.control_inputs] == ["b"]
    assert [o.name for o in d.control_inputs] == ["a", "b", "c"]
    assert e.control_inputs == []
    group = tf.group(a, b)
    assert sorted(o.name for o in group.control_inputs) == ["a", "b"]
    with pytest.raises(TypeError), tf.control_dependencies([3]):
        tf.no_op()


def test_gradient_override_map(graph):
    name = "TestGraphTenfold"
    tf.RegisterGradient(name)(lambda op, grad: 10.0 * grad)
    x = tf.constant(2.0)
    with graph.gradient_override_map({"Square": name}):
        y = tf.square(x)
    with tf.Session() as sess:
        assert sess.run(tf.gradients(y, x)) == [10.0]
    assert y.op.get_attr("_gradient_op_type") == name.encode()


# -- operations ------------------------------------------------------------------------------------


def test_operation_and_tensor_api(graph):
    a, b = tf.constant([[1.0, 2.0]], name="a"), tf.constant([[1.0], [2.0]], name="b")
    c = tf.matmul(a, b, name="c")
    op = c.op
    assert (op.name, op.type, op.graph) == ("c", "MatMul", graph)
    assert list(op.inputs) == [a, b] and op.outputs == [c] == list(op.values())
    assert op.get_attr("T") == tf.float32 and op.get_attr("transpose_a") is False
    assert c.consumers() == [] and a.consumers() == [op] and c.value_index == 0
    assert c.dtype == tf.float32 and c.shape.as_list() == [1, 1] == c.get_shape().as_list()
    assert op.node_def.input[:] == ["a", "b"]
    assert str(c) == 'Tensor("c:0", shape=(1, 1), dtype=float32)'
    assert repr(c) == "<tf.Tensor 'c:0' shape=(1, 1) dtype=float32>"
    assert op.traceback[-1][0].endswith("test_graph.py") or any(
        frame[0].endswith("test_graph.py") for frame in op.traceback
    )
    with pytest.raises(ValueError, match="has no attr"):
        op.get_attr("nothing")
    with pytest.raises(TypeError, match=r"bool"):
        bool(c)
    with pytest.raises(TypeError):
        list(tf.placeholder(tf.float32))
    with pytest.raises(NotImplementedError):
        np.array(c)
    assert {c: 1}[c] == 1 and c == c and c != a


def test_set_shape(graph):
    x = tf.placeholder(tf.float32)
    assert x.shape.ndims is None
    x.set_shape([None, 3])
    x.set_shape([2, None])
    assert x.shape.as_list() == [2, 3]
    with pytest.raises(ValueError, match="not compatible"):
        x.set_shape([4, 3])


def test_errors_at_construction(graph):
    a, b = tf.ones([1, 2]), tf.ones([1, 2])
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 1 for 'MatMul'"):
        tf.matmul(a, b)
    with pytest.raises(TypeError, match="float32"):
        tf.add(a, tf.constant([1, 2]))
    with pytest.raises(ValueError):
        tf.reshape(a, [3])
    assert "MatMul" not in [op.type for op in graph.get_operations()]


# -- GraphDef --------------------------------------------------------------------------------------


def test_graph_def_round_trip(graph):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    with tf.device("/cpu:0"), tf.name_scope("layer"):
        w = tf.get_variable("w", initializer=np.ones((2, 3), np.float32), use_resource=True)
        y = tf.nn.relu(tf.matmul(x, w) + np.float32([1, -20, 3]), name="y")
    with tf.control_dependencies([y]):
        tf.identity(tf.constant(["text", b"\xff"]), name="words")
    tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x)
    first = graph.as_graph_def()
    with tf.Graph().as_default() as second:
        tf.import_graph_def(first, name="")
        stripped = [
            tf.GraphDef.FromString(g.SerializeToString()) for g in (second.as_graph_def(), first)
        ]
        for node in [n for g in stripped for n in g.node]:
            if node.attr["_class"].list.s:
                node.device = ""  # importing gives a node the device of what it is colocated with
        tf.test.assert_equal_graph_def(*stripped)
        assert [op.name for op in second.get_operations()] == [n.name for n in first.node]
        with tf.Session() as sess:
            sess.run("layer/w/Assign" if "layer/w/Assign" in second._nodes_by_name else "w/Assign")
            found = sess.run("layer/y:0", {"x:0": [[1, 2]]})
            assert found.tolist() == [[4, 0, 6]]
            assert sess.run("words:0", {"x:0": [[0, 0]]}).tolist() == [b"text", b"\xff"]
    assert first.versions.producer == 134


def test_import_with_map_and_prefix(graph):
    with tf.Graph().as_default() as source:
        a = tf.placeholder(tf.float32, name="a")
        tf.add(a, 1.0, name="b")
    mine = tf.constant(5.0, name="mine")
    (b,) = tf.import_graph_def(
        source.as_graph_def(), input_map={"a:0": mine}, return_elements=["b:0"], name="in"
    )
    assert b.name == "in/b:0" and b.op.inputs[0] is mine
    with tf.Session() as sess:
        assert sess.run(b) == 6.0


def test_graph_def_with_shapes(graph):
    tf.ones([2, 3], name="a")
    node = graph.as_graph_def(add_shapes=True).node[0]
    assert [d.size for d in node.attr["_output_shapes"].list.shape[0].dim] == [2, 3]
    assert "_output_shapes" not in graph.as_graph_def().node[0].attr


# -- types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "name", "enum", "numpy", "size"),
    [
        (tf.float32, "float32", 1, np.float32, 4), (tf.float64, "float64", 2, np.float64, 8),
        (tf.int32, "int32", 3, np.int32, 4), (tf.uint8, "uint8", 4, np.uint8, 1),
        (tf.string, "string", 7, np.object_, None), (tf.complex64, "complex64", 8, np.complex64, 8),
        (tf.int64, "int64", 9, np.int64, 8), (tf.bool, "bool", 10, np.bool_, 1),
        (tf.float16, "float16", 19, np.float16, 2),
        (tf.complex128, "complex128", 18, np.complex128, 16),
    ],
)  # fmt: skip
def test_dtypes(dtype, name, enum, numpy, size):
    assert (dtype.name, dtype.as_datatype_enum, dtype.as_numpy_dtype) == (name, enum, numpy)
    assert tf.as_dtype(name) is dtype is tf.as_dtype(enum) is tf.as_dtype(np.dtype(numpy))
    assert str(dtype) == f"<dtype: '{name}'>" and repr(dtype) == f"tf.{name}"
    if size is not None:
        assert dtype.size == size
    assert pickle.loads(pickle.dumps(dtype)) is dtype is copy.deepcopy(dtype)
    assert dtype == name and dtype != tf.resource and int(dtype) == enum


def test_dtype_properties():
    assert tf.float32.is_floating and not tf.float32.is_integer and tf.uint8.is_unsigned
    assert tf.complex64.is_complex and tf.complex64.real_dtype == tf.float32
    assert tf.qint8.is_quantized and tf.bool.is_bool
    assert (tf.int8.min, tf.int8.max) == (-128, 127) and tf.float32.max == np.finfo(np.float32).max
    assert tf.uint8.limits == (0, 255)
    reference = tf.float32._as_ref
    assert reference.name == "float32_ref" and reference.base_dtype is tf.float32
    assert tf.float32.is_compatible_with(reference) and tf.float32 != reference
    with pytest.raises(TypeError):
        tf.as_dtype("nothing")
    assert tf.as_dtype(float) is tf.float32 and tf.as_dtype(int) is tf.int64


# -- shapes ----------------------------------------------------------------------------------------


def test_shapes():
    unknown, part, full = tf.TensorShape(None), tf.TensorShape([None, 3]), tf.TensorShape([2, 3])
    assert [str(s) for s in (unknown, part, full, tf.TensorShape([4]))] == [
        "<unknown>", "(?, 3)", "(2, 3)", "(4,)",
    ]  # fmt: skip
    assert repr(full) == "TensorShape([Dimension(2), Dimension(3)])"
    assert (unknown.ndims, part.ndims, full.num_elements(), part.num_elements()) == (
        None, 2, 6, None,
    )  # fmt: skip
    assert full.as_list() == [2, 3] and full[0] == 2 and full[1:].as_list() == [3]
    assert isinstance(full[0], tf.Dimension) and full[0].value == 2 and int(full[1]) == 3
    assert full.is_fully_defined() and not part.is_fully_defined()
    assert part.is_compatible_with(full) and unknown.is_compatible_with([7])
    assert not full.is_compatible_with([2, 4])
    assert part.merge_with([2, None]).as_list() == [2, 3]
    assert full.concatenate([5]).as_list() == [2, 3, 5]
    assert part.with_rank(2) is part or part.with_rank(2) == part
    assert full == [2, 3] and full != [2, 4] and len(full) == 2 and bool(full) and not unknown
    assert [d.value for d in full] == [2, 3]
    assert pickle.loads(pickle.dumps(part)).as_list() == [None, 3]
    proto = part.as_proto()
    assert [d.size for d in proto.dim] == [-1, 3] and tf.TensorShape(proto).as_list() == [None, 3]
    for action in (
        lambda: full.merge_with([2, 4]),
        lambda: full.with_rank(3),
        lambda: full.with_rank_at_least(3),
        lambda: full.with_rank_at_most(1),
        lambda: part.assert_is_fully_defined(),
        lambda: full.assert_is_compatible_with([3, 2]),
        lambda: unknown.as_list(),
        lambda: len(unknown),
        lambda: tf.TensorShape([-1]),
    ):
        with pytest.raises(ValueError):
            action()


def test_dimensions():
    two, unknown = tf.Dimension(2), tf.Dimension(None)
    assert (two + 3).value == 5 and (3 - two).value == 1 and (two * 4).value == 8
    assert (two // 2).value == 1 and (7 % two).value == 1 and (unknown + 1).value is None
    assert two == 2 and (unknown == 2) is None and (two < 3) is True and (unknown < 3) is None
    assert two.merge_with(unknown).value == 2 and two.is_compatible_with(unknown)
    assert list(range(5))[two] == 2 and str(unknown) == "?" and repr(two) == "Dimension(2)"
    with pytest.raises(ValueError):
        two.merge_with(3)
    assert tf.dimension_value(two) == 2 and tf.dimension_value(3) == 3
