"""Staging areas: Stage puts a tuple of tensors in, Unstage takes one out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import scalar, unknown


def _area(node: Any) -> Callable[[Any], Any]:
    attrs = node._attrs
    shared = attrs.get("shared_name") or node.name
    key = ("staging", attrs.get("container") or "", shared)
    capacity, limit = attrs["capacity"], attrs["memory_limit"]

    def find(state: Any) -> Any:
        return state.resource(key, lambda: state.engine("staging").StagingArea(capacity, limit))

    return find


@op("Stage", specialise=True, takes_session=True)
def Stage(node: Any) -> Any:
    """Put a tuple in; waits while the area is full."""
    area = _area(node)
    return lambda state, values: area(state).put(values, state.timeout)


@op("Unstage", shape=unknown, specialise=True, takes_session=True)
def Unstage(node: Any) -> Any:
    """Take the first tuple out; waits while the area is empty."""
    area = _area(node)
    return lambda state: area(state).get(state.timeout)


@op("StagePeek", shape=unknown, specialise=True, takes_session=True, host=("index",))
def StagePeek(node: Any) -> Any:
    """The tuple at a place, which stays there; waits until there are so many."""
    area = _area(node)
    return lambda state, index: area(state).peek(int(index), state.timeout)


@op("StageSize", shape=scalar, specialise=True, takes_session=True, host_out=True)
def StageSize(node: Any) -> Any:
    """How many tuples there are, an int32."""
    area = _area(node)
    return lambda state: np.array(area(state).size(), np.int32)


@op("StageClear", specialise=True, takes_session=True)
def StageClear(node: Any) -> Any:
    """Drop all tuples."""
    area = _area(node)
    return lambda state: area(state).clear()


not_differentiable("Stage", "Unstage", "StagePeek", "StageSize", "StageClear")
