"""Resources other than variables: what initializes them, and which have not been yet."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import boolean_mask
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.v1.functions.control import group, no_op


class Resource(NamedTuple):
    """A resource handle with the operations that make it and that tell whether it is made."""

    handle: Any
    create: Any
    is_initialized: Any


def register_resource(
    handle: Any, create_op: Any, is_initialized_op: Any, is_shared: bool = True
) -> None:
    """Add a resource to the collection of shared or of local ones."""
    key = GraphKeys.RESOURCES if is_shared else GraphKeys.LOCAL_RESOURCES
    get_default_graph().add_to_collection(key, Resource(handle, create_op, is_initialized_op))


def shared_resources() -> list[Resource]:
    """The resources that are initialized with the global variables."""
    return get_default_graph().get_collection(GraphKeys.RESOURCES)


def local_resources() -> list[Resource]:
    """The resources that are initialized with the local variables."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_RESOURCES)


def report_uninitialized_resources(
    resource_list: list[Resource] | None = None, name: str = "report_uninitialized_resources"
) -> Tensor:
    """string [n]: the names of those resources that have not been made."""
    items = resource_list
    if items is None:
        items = shared_resources() + local_resources()
    with name_scope(name):
        device = os.environ.get("TF_DEVICE_FOR_UNINITIALIZED_VARIABLE_REPORTING", "/cpu:0")
        with get_default_graph().device(device):
            if not items:
                return constant([], dtype=dtypes.string)
            made = raw.Pack([r.is_initialized for r in items], axis=0, name="stack")
            mask = raw.LogicalNot(made)
            return boolean_mask(constant([r.handle.name for r in items]), mask)


def initialize_resources(resource_list: list[Resource], name: str = "init") -> Operation:
    """One operation that makes all of them."""
    if resource_list:
        return group(*[r.create for r in resource_list], name=name)
    return no_op(name=name)


def initialize_tables(name: str = "init_all_tables") -> Operation:
    """One operation that fills all lookup tables of the graph."""
    initializers = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    if initializers:
        return group(*initializers, name=name)
    return no_op(name=name)
