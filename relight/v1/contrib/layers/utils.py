"""What the layers of `tf.contrib.layers` share: named outputs, collections, sizes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from relight.graph.graph import get_default_graph
from relight.graph.shapes import TensorShape
from relight.v1.functions.framework import add_to_collections


def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """Add `outputs` to collections under a name; gives them back."""
    if collections:
        append_tensor_alias(outputs, alias)
        add_to_collections(collections, outputs)
    return outputs


def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Give a tensor a further name."""
    alias = alias.removesuffix("/")
    if hasattr(tensor, "aliases"):
        tensor.aliases.append(alias)
    else:
        tensor.aliases = [alias]
    return tensor


def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names that a tensor was given, or its own."""
    if hasattr(tensor, "aliases"):
        return tensor.aliases
    return [tensor.op.name if tensor.name.endswith(":0") else tensor.name]


def gather_tensors_aliases(tensors: Any) -> list[str]:
    """The names of several tensors."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def convert_collection_to_dict(collection: str, clear_collection: bool = False) -> Any:
    """The tensors of a collection by name."""
    graph = get_default_graph()
    found = OrderedDict(
        (alias, tensor)
        for tensor in graph.get_collection(collection)
        for alias in get_tensor_aliases(tensor)
    )
    if clear_collection:
        graph.get_collection_ref(collection).clear()
    return found


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """The collections for the variable `name`: all, or those of a dict."""
    if isinstance(variables_collections, dict):
        return variables_collections.get(name)
    return variables_collections


def _dimension(shape: TensorShape, place: int, min_rank: int) -> int:
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    size = shape.as_list()[place]
    if size is None:
        raise ValueError(f"dimension {place} of shape must be known but is None: {shape}")
    return size


def channel_dimension(shape: TensorShape, data_format: str, min_rank: int = 1) -> int:
    """The number of channels: the second size for "channels_first", else the last."""
    return _dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def last_dimension(shape: TensorShape, min_rank: int = 1) -> int:
    """The last size, which must be known."""
    return _dimension(shape, -1, min_rank)


def two_element_tuple(int_or_tuple: Any) -> tuple[Any, Any]:
    """An int, or a pair of ints, as a pair."""
    if isinstance(int_or_tuple, (list, tuple)):
        if len(int_or_tuple) != 2:
            raise ValueError(f"Must be a list with 2 elements: {int_or_tuple}")
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, TensorShape) and int_or_tuple.ndims == 2:
        return int_or_tuple[0], int_or_tuple[1]
    raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")


def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """An int, or a sequence of n of them, as n positive ints."""
    if int(n) != n or n < 1:
        raise ValueError("n must be a positive integer")
    try:
        single = int(value)
    except (TypeError, ValueError):
        message = f"Expected sequence of {n} positive integers, but received {value!r}"
        if len(value) != n:
            raise ValueError(message) from None
        try:
            values = tuple(int(x) for x in value)
        except (TypeError, ValueError):
            raise ValueError(message) from None
        for x in values:
            if x < 1:
                raise ValueError(f"expected positive integer, but received {x}") from None
        return values
    if single < 1:
        raise ValueError(f"expected positive integer, but received {single}")
    return (single,) * n
