"""Importing graphs beside the cases: Python functions are refused, loops are kept as nodes."""

import numpy as np
import pytest

import relight.v1 as tf
from relight.graph import importer


@pytest.fixture(autouse=True)
def _fresh_graph():
    tf.reset_default_graph()


def _graph_def(*nodes):
    graph = tf.GraphDef()
    for name, op, inputs, attrs in nodes:
        node = graph.node.add(name=name, op=op, input=inputs)
        for key, (field, value) in attrs.items():
            target = node.attr[key]
            if field.startswith("list."):
                getattr(target.list, field[5:]).extend(value)
            else:
                setattr(target, field, value)
    return graph


FLOAT = {"T": ("type", 1)}


def test_a_loaded_python_function_is_refused():
    graph = _graph_def(
        (
            "p",
            "PyFunc",
            [],
            {"token": ("s", b"pyfunc_0"), "Tin": ("list.type", []), "Tout": ("list.type", [1])},
        )
    )
    (out,) = tf.import_graph_def(graph, return_elements=["p:0"])
    with tf.Session() as sess, pytest.raises(tf.errors.OpError) as caught:
        sess.run(out)
    assert "import/p" in str(caught.value)


def test_old_control_flow_is_imported_as_nodes():
    """A while loop in dataflow form: Merge waits for the NextIteration that is made after it."""
    frame = {"frame_name": ("s", b"loop"), **FLOAT}
    graph = _graph_def(
        ("start", "Placeholder", [], {"dtype": ("type", 1)}),
        ("enter", "Enter", ["start"], frame),
        ("merge", "Merge", ["enter", "next"], {"N": ("i", 2), **FLOAT}),
        ("limit", "Const", ["^merge"], {"dtype": ("type", 1)}),
        ("less", "Less", ["merge", "limit"], FLOAT),
        ("cond", "LoopCond", ["less"], {}),
        ("switch", "Switch", ["merge", "cond"], FLOAT),
        ("exit", "Exit", ["switch"], FLOAT),
        ("add", "AddV2", ["switch:1", "limit"], FLOAT),
        ("next", "NextIteration", ["add"], FLOAT),
    )
    tensor = graph.node[3].attr["value"].tensor
    tensor.dtype = 1
    tensor.tensor_shape.SetInParent()
    tensor.float_val.append(10.0)
    (merge,) = tf.import_graph_def(graph, name="", return_elements=["merge"])
    assert [t.name for t in merge.inputs] == ["enter:0", "next:0"]
    again = tf.get_default_graph().as_graph_def()
    assert {n.name: list(n.input) for n in again.node} == {
        n.name: list(n.input) for n in graph.node
    }


def test_round_trip_keeps_every_node():
    v = tf.Variable(np.ones((3, 2), np.float32), name="v")
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    with tf.control_dependencies([v.initializer]):
        tf.matmul(x, v, name="y")
    first = tf.get_default_graph().as_graph_def()
    with tf.Graph().as_default() as other:
        tf.import_graph_def(first, name="")
        second = other.as_graph_def()
    assert first == second


def test_functions_come_along():
    x = tf.placeholder(tf.float32, [], name="x")
    tf.identity(tf.cond(x > 0, lambda: x * 2.0, lambda: x - 1.0), name="y")
    graph = tf.get_default_graph().as_graph_def()
    assert graph.library.function
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(graph, name="in")
        assert sess.run("in/y:0", {"in/x:0": 3.0}) == 6.0
        assert sess.run("in/y:0", {"in/x:0": -3.0}) == -4.0


def test_a_function_that_cannot_be_built_is_kept():
    graph = tf.GraphDef()
    function = graph.library.function.add()
    function.signature.name = "f"
    function.node_def.add(name="n", op="NoSuchOp")
    tf.import_graph_def(graph)
    assert tf.get_default_graph().as_graph_def().library.function[0] == function


@pytest.mark.parametrize(
    ("attrs", "words"),
    [
        ({"T": ("s", b"x")}, "when 'type' expected"),
        ({"T": ("type", 99)}, "attr 'T'"),
        ({"T": ("type", 1), "N": ("i", 1)}, "not in Op"),
    ],
)
def test_malformed_attrs_name_the_node(attrs, words):
    graph = _graph_def(
        ("a", "Placeholder", [], {"dtype": ("type", 1)}), ("u", "Identity", ["a"], attrs)
    )
    with pytest.raises(ValueError, match=words) as caught:
        tf.import_graph_def(graph, name="z")
    assert "z/u" in str(caught.value)


def test_allowed_values_are_checked():
    graph = _graph_def(
        ("a", "Placeholder", [], {"dtype": ("type", 10)}),
        ("u", "MatMul", ["a", "a"], {"T": ("type", 10)}),
    )
    with pytest.raises(ValueError, match="list of allowed values"):
        tf.import_graph_def(graph)


def test_a_constant_of_lying_size_is_refused():
    graph = _graph_def(("c", "Const", [], {"dtype": ("type", 1)}))
    tensor = graph.node[0].attr["value"].tensor
    tensor.dtype = 1
    tensor.tensor_shape.dim.add(size=4)
    tensor.tensor_content = b"\0" * 12
    with pytest.raises(ValueError, match="12 bytes"):
        tf.import_graph_def(graph)


def test_a_constant_of_another_type_is_refused():
    graph = _graph_def(("c", "Const", [], {"dtype": ("type", 1)}))
    tensor = graph.node[0].attr["value"].tensor
    tensor.dtype = 3
    tensor.tensor_shape.SetInParent()
    tensor.int_val.append(1)
    with pytest.raises(ValueError, match="holds a value of type int32"):
        tf.import_graph_def(graph)


def test_damaged_graphs_raise_value_errors():
    """Bytes changed at random: a clean error, or a graph that can be written again."""
    import random

    from google.protobuf.message import DecodeError

    with tf.Graph().as_default() as g:
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
        y = tf.matmul(tf.placeholder(tf.float32, [3, 2]), v)
        tf.strided_slice(tf.reshape(y, [-1]), [0], [2])
        tf.train.Saver()
    whole = g.as_graph_def().SerializeToString()
    rnd = random.Random(0)
    seen = set()
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rnd.choice([1, 2, 4])):
            data[rnd.randrange(len(data))] = rnd.randrange(256)
        try:
            graph = tf.GraphDef.FromString(bytes(data))
        except DecodeError:
            continue
        with tf.Graph().as_default() as made:
            try:
                tf.import_graph_def(graph, name="")
            except (ValueError, tf.errors.NotFoundError) as error:
                seen.add(type(error).__name__)
            else:
                made.as_graph_def()
                seen.add("imported")
    assert seen == {"imported", "ValueError", "NotFoundError"}


def test_newer_attrs_with_their_default_are_dropped():
    from tensorboard.compat.proto import op_def_pb2

    graph = _graph_def(
        ("a", "Placeholder", [], {"dtype": ("type", 1)}),
        ("u", "Identity", ["a"], {"T": ("type", 1), "new": ("i", 7)}),
    )
    producer = op_def_pb2.OpList()
    attr = producer.op.add(name="Identity").attr.add(name="new", type="int")
    attr.default_value.i = 7
    tf.import_graph_def(graph, producer_op_list=producer)
    graph.node[1].attr["new"].i = 8
    with pytest.raises(ValueError, match="'new'"):
        tf.import_graph_def(graph, producer_op_list=producer)


def test_parse_tensor_name():
    assert importer.parse_tensor_name("a/b:3") == ("a/b", 3)
    assert importer.parse_tensor_name("a") == ("a", 0)
    with pytest.raises(ValueError, match="tensor name"):
        importer.parse_tensor_name("a:b")
