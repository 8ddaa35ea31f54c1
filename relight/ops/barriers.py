"""Barriers: ops that make them, set components of rows, and take rows that are whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import (
    merge,
    scalar,
    sizes,
    unknown,
    vector,
    with_rank,
    with_rank_at_least,
)


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


@op("Barrier", shape=vector(2), specialise=True, takes_session=True)
def Barrier(node: Any) -> Any:
    """A handle of a barrier: the barrier itself."""
    attrs = node._attrs
    shared = attrs.get("shared_name") or ""
    key = ("barrier", attrs.get("container") or "", shared or node)
    types, shapes = list(attrs["component_types"]), list(attrs["shapes"])

    def make_or_find(state: Any) -> Any:
        if attrs["capacity"] != -1:
            raise _invalid(
                "Barrier only accepts capacity=-1.  Feed the inputs to your Barrier through a "
                "queue to enforce a limited capacity."
            )
        barrier = state.resource(
            key, lambda: state.engine("barriers").Barrier(shared or node.name, types, shapes)
        )
        if barrier.types != types:
            had, asked = (
                ", ".join(map(dtypes.runtime_name, each)) for each in (barrier.types, types)
            )
            raise _invalid(
                f"Shared barrier '{barrier.name}' has component types {had} but requested "
                f"component types were {asked}"
            )
        return barrier

    return make_or_find


def _insertion(node: Any) -> list[Any]:
    """keys [n], values [n, ...]"""
    keys = with_rank(sizes(node, 1), 1)
    values = with_rank_at_least(sizes(node, 2), 1)
    if values is not None:
        merge(keys, values[:1])
    return []


@op("BarrierInsertMany", shape=_insertion, host=("keys", "values"), stateful=True, specialise=True)
def BarrierInsertMany(node: Any) -> Any:
    """Set a component of the rows of keys [n] to values [n, ...]."""
    component, dtype = node._attrs["component_index"], node._attrs["T"]

    def kernel(handle: Any, keys: np.ndarray, values: np.ndarray) -> None:
        handle.check_component(component)
        if handle.types[component] != dtype:
            have, expected = map(dtypes.runtime_name, (dtype, handle.types[component]))
            start = "string_ref, string, "
            raise _invalid(
                f"Signature mismatch, have: {start}{have}-> expected: {start}{expected}->"
            )
        handle.insert_many(component, keys, values)

    return kernel


@op(
    "BarrierTakeMany",
    shape=unknown,
    host=("num_elements",),
    host_out=True,
    takes_session=True,
    stateful=True,
)
def BarrierTakeMany(state, handle, num_elements, *, component_types, allow_small_batch, timeout_ms):
    """(numbers of insertions [n], keys [n], components [n, ...]) of rows that are whole."""
    if list(component_types) != handle.types:
        have, expected = (
            ", ".join(["string_ref, int32->int64, string", *map(dtypes.runtime_name, types)])
            for types in (component_types, handle.types)
        )
        raise _invalid(f"Signature mismatch, have: {have} expected: {expected}")
    if timeout_ms != -1:
        raise _invalid("Timeout not supported yet.")
    return handle.take_many(int(num_elements), allow_small_batch, state.timeout)


@op("BarrierClose", stateful=True)
def BarrierClose(handle, *, cancel_pending_enqueues):
    """Let no new keys in."""
    handle.close(cancel_pending_enqueues)


@op("BarrierReadySize", shape=scalar, host_out=True, stateful=True)
def BarrierReadySize(handle):
    """How many rows are whole, an int32."""
    return np.array(handle.ready_size(), np.int32)


@op("BarrierIncompleteSize", shape=scalar, host_out=True, stateful=True)
def BarrierIncompleteSize(handle):
    """How many rows lack components, an int32."""
    return np.array(handle.incomplete_size(), np.int32)


not_differentiable(
    "Barrier",
    "BarrierInsertMany",
    "BarrierTakeMany",
    "BarrierClose",
    "BarrierReadySize",
    "BarrierIncompleteSize",
)
