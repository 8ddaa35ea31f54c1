"""Lists of loops that keep the shapes of their elements alone."""

import numpy as np
import plans
import torch

import relight.v1 as tf
from relight.engine import control
from relight.engine.shape_lists import only_shapes_read
from relight.ops.lists import ListValue, ShapeList

START = np.random.RandomState(0).rand(3, 4).astype(np.float32)


def loops(graph):
    return [op for op in graph.get_operations() if op.type == "StatelessWhile"]


def same_without(graph, fetches, monkeypatch):
    """The fetched values, which must be those of lists that keep everything."""
    found = plans.values(graph, fetches)
    with monkeypatch.context() as patch:
        patch.setattr(control, "only_shapes_read", lambda node: frozenset())
        wanted = plans.values(graph, fetches)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    return found


def lists_of(node):
    """Which of a loop's lists keep shapes alone, in their order."""
    hollow = only_shapes_read(node)
    return [i in hollow for i, t in enumerate(node.outputs) if t.dtype == tf.variant]


def test_what_is_added_is_kept_by_its_shape(monkeypatch):
    with tf.Graph().as_default() as graph:
        w = tf.Variable([0.5, 1.0, 1.5, 2.0])
        x = tf.placeholder_with_default(START, [None, 4])
        _, y = tf.while_loop(
            lambda i, y: i < 5, lambda i, y: (i + 1, tf.tanh(tf.sin(y) + w)), [0, x]
        )
        gradients = tf.gradients(y, [w, x])
        forward, _ = loops(graph)
        assert True in lists_of(forward)  # sin(y): for its gradient, cos(y) is made of y
        assert False in lists_of(forward)
        found = same_without(graph, gradients, monkeypatch)
        assert all(np.abs(g).max() > 0 for g in found)


def test_what_is_multiplied_is_kept():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder_with_default(START, [None, 4])
        _, y = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.sin(y) * y), [0, x])
        tf.gradients(y, x)
        assert not any(lists_of(loops(graph)[0]))


def test_what_another_loop_reads_is_kept(monkeypatch):
    """Two gradients of one loop: the second asks for the values."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder_with_default(START, [None, 4])
        weights = tf.Variable([1.0, 2.0, 3.0, 4.0])

        def body(i, y, z):
            s = tf.sin(y)
            return i + 1, s + weights, z + tf.reduce_sum(tf.square(s))

        _, y, z = tf.while_loop(lambda i, y, z: i < 5, body, [0, x, 0.0])
        first = tf.gradients(y, weights)
        assert lists_of(loops(graph)[0]) == [False, True, False]
        second = tf.gradients(z, weights)
        assert lists_of(loops(graph)[0])[:3] == [False, False, False]
        same_without(graph, [*first, *second], monkeypatch)


def test_gradients_of_gradients(monkeypatch):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder_with_default(START, [None, 4])
        bias = tf.Variable([1.0, 2.0, 3.0, 4.0])
        _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.sin(y) + bias), [0, x])
        (grad,) = tf.gradients(y, x)
        (twice,) = tf.gradients(grad, bias)
        same_without(graph, [grad, twice], monkeypatch)


def test_a_list_that_a_program_pops_keeps_its_values():
    with tf.Graph().as_default() as graph:
        empty = tf.raw_ops.EmptyTensorList(
            element_shape=-1, max_num_elements=-1, element_dtype=tf.float32
        )

        def push(i, items):
            value = tf.fill([2], tf.cast(i, tf.float32))
            items = tf.raw_ops.TensorListPushBack(input_handle=items, tensor=value)
            return i + 1, items

        shapes = [tf.TensorShape([]), tf.TensorShape([])]
        _, items = tf.while_loop(lambda i, items: i < 3, push, [0, empty], shapes)
        assert lists_of(loops(graph)[0]) == [False]
        last = tf.raw_ops.TensorListPopBack(
            input_handle=items, element_shape=-1, element_dtype=tf.float32
        )[1]
        with tf.Session() as session:
            np.testing.assert_array_equal(session.run(last), [2.0, 2.0])


def test_shapes_alone():
    items = ShapeList((), None)
    for shape in ((2, 3), (2, 3), (4,), ()):
        items = items.pushed(torch.ones(shape))
        assert isinstance(items, ListValue) and items.items[-1].shape == shape
        assert items.items[-1].untyped_storage().nbytes() == 4
    assert items.items[0] is items.items[1]
