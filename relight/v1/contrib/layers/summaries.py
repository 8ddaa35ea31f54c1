"""`tf.contrib.layers`: summaries of variables, weights, biases and activations."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.summary import summary_ops as summary


def _scalar(tensor: Tensor, tag: str | None = None) -> Tensor:
    tensor.shape.assert_has_rank(0)
    return summary.scalar(tag or f"{tensor.op.name}_summary", tensor)


def _histogram(tensor: Any, tag: str | None = None) -> Tensor:
    return summary.histogram(tag or f"{tensor.op.name}_summary", tensor)


def _share(condition: Callable[..., Tensor], value: float, op: Any, name: str) -> None:
    """A summary of the share of an activation's inputs for which the condition holds."""
    inputs = op.op.inputs[0]
    bound = nodes.cast(value, inputs.dtype)
    share = nodes.cast(condition(inputs, bound), dtypes.float32, name="ToFloat")
    _scalar(nodes.reduce_mean(share), f"{op.op.name}/{name}")


@export("contrib.layers.summarize_activation", "contrib.slim.summarize_activation")
def summarize_activation(op: Any) -> Tensor:
    """A histogram of an activation; for relus also the shares that are cut off."""
    if op.op.type in ("Relu", "Softplus", "Relu6"):
        _share(raw.Less, 0.0, op, "zeros")
    if op.op.type == "Relu6":
        _share(raw.Greater, 6.0, op, "sixes")
    return _histogram(op, f"{op.op.name}/activation")


@export("contrib.layers.summarize_tensor", "contrib.slim.summarize_tensor")
def summarize_tensor(tensor: Any, tag: str | None = None) -> Tensor | None:
    """A scalar or histogram summary; None for strings and bools."""
    if tensor.dtype.base_dtype in (dtypes.string, dtypes.bool):
        return None
    return _scalar(tensor, tag) if tensor.get_shape().ndims == 0 else _histogram(tensor, tag)


@export("contrib.layers.summarize_tensors", "contrib.slim.summarize_tensors")
def summarize_tensors(tensors: Any, summarizer: Any = summarize_tensor) -> list[Any]:
    """A summary of each tensor."""
    return [summarizer(tensor) for tensor in tensors]


@export("contrib.layers.summarize_collection", "contrib.slim.summarize_collection")
def summarize_collection(
    collection: str, name_filter: str | None = None, summarizer: Any = summarize_tensor
) -> list[Any]:
    """A summary of each member of a collection whose name `name_filter` matches."""
    found = get_default_graph().get_collection(collection)
    wanted = [t for t in found if name_filter is None or re.match(name_filter, t.op.name)]
    return summarize_tensors(wanted, summarizer)


summarize_variables = export("contrib.slim.summarize_variables")(
    functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
)
summarize_weights = export("contrib.slim.summarize_weights")(
    functools.partial(summarize_collection, GraphKeys.WEIGHTS)
)
summarize_biases = export("contrib.slim.summarize_biases")(
    functools.partial(summarize_collection, GraphKeys.BIASES)
)


@export("contrib.layers.summarize_activations", "contrib.slim.summarize_activations")
def summarize_activations(
    name_filter: str | None = None, summarizer: Any = summarize_activation
) -> list[Any]:
    """A summary of each member of ACTIVATIONS."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
