"""Scopes of `tf.contrib.layers`: model variables under the names of that library, and the ends of
its layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.graph import get_default_graph
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.contrib.layers import utils
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.variables import VariableAggregation, VariableSynchronization


def model_variable_getter(
    getter: Any,
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    rename: Any = None,
    use_resource: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
    **_: Any,
) -> Any:
    """A custom getter that makes model variables, the last part of their names by `rename`."""
    scope, slash, short = name.rpartition("/")
    if rename and short in rename:
        name = scope + slash + rename[short]
    return model_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        collections=collections,
        trainable=trainable,
        caching_device=caching_device,
        partitioner=partitioner,
        custom_getter=getter,
        use_resource=use_resource,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def renaming_getter(rename: dict[str, str] | None = None) -> Callable[..., Any]:
    """`model_variable_getter` with names such as {"kernel": "weights"}."""

    def layer_variable_getter(getter: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs["rename"] = rename
        return model_variable_getter(getter, *args, **kwargs)

    return layer_variable_getter


def add_to_named_collections(variable: Any, collections: Any, name: str) -> None:
    """Add a variable to the collections that are given for variables of that name."""
    graph = get_default_graph()
    parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    for collection in utils.get_variable_collections(collections, name) or []:
        for part in parts:
            if not any(v is part for v in graph.get_collection(collection)):
                graph.add_to_collection(collection, part)


def layer_format(data_format: str | None) -> str:
    """ "channels_first" for formats such as NCHW, else "channels_last"."""
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def finished(
    outputs: Any,
    normalizer_fn: Any,
    normalizer_params: Any,
    activation_fn: Any,
    collections: Any,
    alias: str,
) -> Any:
    """Outputs normalized, activated and collected."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return utils.collect_named_outputs(collections, alias, outputs)
