"""`tf.contrib.framework`: functions that TensorFlow also has under this older name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor
from relight.ops.constants import constant_value
from relight.v1.functions import array, checks, counts, rank_checks, sets
from relight.v1.functions.control_flow import smart_cond as _smart_cond
from relight.v1.functions.control_flow import smart_constant_value as _smart_constant_value
from relight.v1.functions.math import add_n
from relight.v1.train import checkpoint_utils

is_tensor = export("contrib.framework.is_tensor")(array.is_tensor)
assert_scalar = export("contrib.framework.assert_scalar")(rank_checks.assert_scalar)
assert_same_float_dtype = export("contrib.framework.assert_same_float_dtype")(
    checks.assert_same_float_dtype
)
convert_to_tensor_or_sparse_tensor = export("contrib.framework.convert_to_tensor_or_sparse_tensor")(
    sets.convert_to_tensor_or_sparse_tensor
)


@export("contrib.framework.smart_cond")
def smart_cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: Any = None) -> Any:
    """`tf.cond`, decided at once when `pred` is a Python bool, 0, 1 or a constant tensor."""
    for what, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"`{what}` must be callable.")
    return _smart_cond(pred, true_fn, false_fn, name=name)


@export("contrib.framework.smart_constant_value")
def smart_constant_value(pred: Any) -> Any:
    """What `pred` is bound to be: a bool, an array for a constant tensor, or None."""
    if isinstance(pred, Tensor):
        return constant_value(pred)
    return _smart_constant_value(pred)


@export("contrib.framework.load_checkpoint")
def load_checkpoint(filepattern: Any) -> Any:
    """A reader of the checkpoint of that prefix, or of the newest in that folder."""
    return checkpoint_utils.load_checkpoint(filepattern)


@export("contrib.framework.load_variable")
def load_variable(checkpoint_dir: Any, name: str) -> Any:
    """The value of a variable in a checkpoint, as an array."""
    return checkpoint_utils.load_variable(checkpoint_dir, name)


@export("contrib.framework.list_variables")
def list_variables(checkpoint_dir: Any) -> list[Any]:
    """(name, shape) of each variable in a checkpoint."""
    return checkpoint_utils.list_variables(checkpoint_dir)


@export("contrib.framework.init_from_checkpoint")
def init_from_checkpoint(checkpoint_dir: Any, assignment_map: dict[str, Any]) -> None:
    """Let variables be initialized from a checkpoint: `tf.train.init_from_checkpoint`."""
    checkpoint_utils.init_from_checkpoint(checkpoint_dir, assignment_map)


@export("contrib.framework.get_name_scope")
def get_name_scope() -> str:
    """The current name scope."""
    return get_default_graph().get_name_scope()


@export("contrib.framework.get_placeholders")
def get_placeholders(graph: Any) -> list[Tensor]:
    """The placeholders of a graph."""
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]


@export("contrib.framework.assert_scalar_int")
def assert_scalar_int(tensor: Any, name: str | None = None) -> Any:
    """`tensor` as a scalar of an integer type; ValueError for another."""
    with name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = convert_to_tensor(tensor)
        if not tensor.dtype.base_dtype.is_integer:
            raise ValueError(
                f"Expected integer type for {tensor.name}, received type: {tensor.dtype}."
            )
        return assert_scalar(tensor, name=scope)


@export("contrib.framework.reduce_sum_n")
def reduce_sum_n(tensors: Any, name: str | None = None) -> Tensor:
    """The sum of all elements of all tensors, a scalar."""
    if not tensors:
        raise ValueError("No tensors provided.")
    with name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [nodes.reduce_sum(t, name=f"{t.op.name}/sum") for t in tensors]
        return sums[0] if len(sums) == 1 else add_n(sums, name=scope)


@export("contrib.framework.remove_squeezable_dimensions")
def remove_squeezable_dimensions(
    predictions: Any, labels: Any, name: str | None = None
) -> tuple[Any, Any]:
    """(predictions, labels), one without its last dimension of size 1 where the ranks differ."""
    labels, predictions = counts.remove_squeezable_dimensions(labels, predictions, name=name)
    return predictions, labels


def _undeprecated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def same(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return same


@export("contrib.framework.deprecated", "contrib.slim.deprecated")
def deprecated(date: Any, instructions: str, warn_once: bool = True) -> Callable[..., Any]:
    """Decorator of functions that are going to be removed; no warning is printed here."""
    if not instructions:
        raise ValueError("Don't deprecate things without conversion instructions!")
    return _undeprecated


@export("contrib.framework.deprecated_arg_values", "contrib.slim.deprecated_arg_values")
def deprecated_arg_values(
    date: Any, instructions: str, warn_once: bool = True, **deprecated_kwargs: Any
) -> Callable[..., Any]:
    """Decorator of functions with values of arguments that are going to be refused."""
    if not deprecated_kwargs:
        raise ValueError("Specify which argument values are deprecated.")
    return _undeprecated


@export("contrib.framework.deprecated_args")
def deprecated_args(
    date: Any, instructions: str, *deprecated_arg_names_or_tuples: Any, **kwargs: Any
) -> Callable[..., Any]:
    """Decorator of functions with arguments that are going to be removed."""
    if not deprecated_arg_names_or_tuples:
        raise ValueError("Specify which argument is deprecated.")
    return _undeprecated
