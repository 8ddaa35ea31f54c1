"""The global step: the variable that counts training steps."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import zeros
from relight.ops.build import raw
from relight.v1 import logging
from relight.v1.functions.variable_scope import get_variable
from relight.v1.functions.variables import Variable, VariableAggregation

_READ_KEY = "global_step_read_op_cache"


@export("train.global_step")
def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session."""
    return int(sess.run(global_step_tensor))


@export("train.get_global_step", "contrib.framework.get_global_step")
def get_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph: that in the collection, else the tensor `global_step:0`.

    None when there is none (or more than one in the collection); TypeError when it is no integer
    scalar.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        logging.error("Multiple tensors in global_step collection.")
        return None
    if found:
        tensor = found[0]
    else:
        try:
            tensor = graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(tensor)
    return tensor


def _zeros(shape: Any, dtype: Any = dtypes.int64, partition_info: Any = None) -> Tensor:
    del partition_info
    return zeros(shape, dtype)


@export("train.create_global_step", "contrib.framework.create_global_step")
def create_global_step(graph: Graph | None = None) -> Any:
    """A new global step, int64. ValueError when the graph has one."""
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=_zeros,
            trainable=False,
            aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


@export("train.get_or_create_global_step", "contrib.framework.get_or_create_global_step")
def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph, made when it has none."""
    graph = graph or get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


@export("train.assert_global_step", "contrib.framework.assert_global_step")
def assert_global_step(global_step_tensor: Any) -> None:
    """TypeError unless this is a variable or tensor that can be a global step."""
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(
            f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.'
        )
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(
            f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}'
        )
    shape = global_step_tensor.get_shape()
    if shape.ndims != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')


def get_global_step_read(graph: Graph | None = None) -> Any:
    """The tensor that hooks read the global step from, or None."""
    graph = graph or get_default_graph()
    found = graph.get_collection(_READ_KEY)
    if len(found) > 1:
        raise RuntimeError(
            f"There are multiple items in collection {_READ_KEY}. There should be only one."
        )
    return found[0] if found else None


def get_or_create_global_step_read(graph: Graph | None = None) -> Any:
    """A tensor with the value that the global step has before the step's updates, or None."""
    graph = graph or get_default_graph()
    found = get_global_step_read(graph)
    if found is not None:
        return found
    tensor = get_global_step(graph)
    if tensor is None:
        return None
    made = len(graph.get_operations())
    with graph.as_default(), graph.name_scope(None), graph.name_scope(tensor.op.name + "/"):
        value = tensor.initialized_value() if isinstance(tensor, Variable) else tensor
        graph.add_to_collection(_READ_KEY, value + 0)
    _run_early(graph.get_operations()[made:])
    return get_global_step_read(graph)


def _run_early(ops: list[Operation]) -> None:
    """Let operations run as soon as their inputs allow.

    Operations that are free to run do so in the order of their making. Hooks are begun after the
    model is built, but their read must come before the step's update, as it does in TensorFlow,
    where it waits for nothing while the update waits for the gradients.
    """
    for op in ops:
        before = [t.op._id for t in op._inputs] + [c._id for c in op._control_inputs]
        op._id = max(before, default=0) + 1e-3


def increment_global_step(increment: Any, graph: Graph | None = None) -> Any:
    """An operation that adds to the global step, after hooks have read it."""
    graph = graph or get_default_graph()
    tensor = get_global_step(graph)
    if tensor is None:
        raise ValueError(
            "Global step tensor should be created by tf.train.get_or_create_global_step before "
            "calling increment."
        )
    read = get_or_create_global_step_read(graph)
    with graph.as_default(), graph.name_scope(None), graph.name_scope(tensor.op.name + "/"):
        with graph.control_dependencies([read]):
            if isinstance(tensor, Variable):
                return tensor.assign_add(increment)
            return raw.AssignAdd(tensor, increment)
