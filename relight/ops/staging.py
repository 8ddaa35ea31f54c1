"""Staging areas and maps: Stage puts a tuple of tensors in, Unstage takes one out.

MapStage and OrderedMapStage keep tuples under keys, and take and give them in parts as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import scalar, unknown


def _finder(node: Any, kind: str, *settings: Any) -> Callable[[Any], Any]:
    attrs = node._attrs
    shared = attrs.get("shared_name") or node.name
    key = ("staging", attrs.get("container") or "", shared)
    limits = attrs["capacity"], attrs["memory_limit"]

    def find(state: Any) -> Any:
        return state.resource(
            key, lambda: getattr(state.engine("staging"), kind)(*limits, *settings)
        )

    return find


def _area(node: Any) -> Callable[[Any], Any]:
    return _finder(node, "StagingArea")


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


def _map(node: Any) -> Callable[[Any], Any]:
    return _finder(
        node, "StagingMap", len(node._attrs["dtypes"]), node.type.startswith("OrderedMap")
    )


def _key(key: np.ndarray) -> int:
    if key.size != 1:
        raise errors.InvalidArgumentError(
            None, None, f"a key is one number, but has shape {list(key.shape)}"
        )
    return int(key.item())


def _places(indices: np.ndarray, node: Any, given: int = 0) -> list[int]:
    """The places of the values that are asked for, one for each of the node's outputs."""
    wanted = len(node._outputs) - given
    if indices.size != wanted:
        raise errors.InternalError(
            None, None, f"{indices.size} indices were given for {wanted} outputs of {node.name}"
        )
    return indices.ravel().tolist()


def _map_stage(node: Any) -> Any:
    """Put values of the tuple of a key in; waits while the map is full."""
    find = _map(node)
    return lambda state, key, indices, values: find(state).put(
        _key(key), indices.ravel().tolist(), values, state.timeout
    )


def _map_unstage(node: Any) -> Any:
    """Take values of the tuple of a key out; waits until it is there."""
    find = _map(node)
    return lambda state, key, indices: find(state).get(
        _key(key), _places(indices, node), state.timeout
    )


def _map_peek(node: Any) -> Any:
    """Values of the tuple of a key, which stay; waits until it is there."""
    find = _map(node)
    return lambda state, key, indices: find(state).peek(
        _key(key), _places(indices, node), state.timeout
    )


def _map_unstage_no_key(node: Any) -> Any:
    """(key, values) of some tuple, which are taken out; waits until there is one."""
    find = _map(node)

    def kernel(state: Any, indices: np.ndarray) -> Any:
        key, values = find(state).get_any(_places(indices, node, 1), state.timeout)
        return torch.tensor(key), values

    return kernel


def _map_size(node: Any) -> Any:
    """How many whole tuples there are, an int32."""
    find = _map(node)
    return lambda state: np.array(find(state).size(), np.int32)


def _map_incomplete_size(node: Any) -> Any:
    """How many tuples lack values, an int32."""
    find = _map(node)
    return lambda state: np.array(find(state).incomplete_size(), np.int32)


def _map_clear(node: Any) -> Any:
    """Drop all tuples."""
    find = _map(node)
    return lambda state: find(state).clear()


_MAP: list[tuple[str, Callable[[Any], Any], dict[str, Any]]] = [
    ("Stage", _map_stage, {"host": ("key", "indices")}),
    ("Unstage", _map_unstage, {"shape": unknown, "host": ("key", "indices")}),
    ("Peek", _map_peek, {"shape": unknown, "host": ("key", "indices")}),
    ("UnstageNoKey", _map_unstage_no_key, {"shape": unknown, "host": ("indices",)}),
    ("Size", _map_size, {"shape": scalar, "host_out": True}),
    ("IncompleteSize", _map_incomplete_size, {"shape": scalar, "host_out": True}),
    ("Clear", _map_clear, {}),
]

for _prefix in ("Map", "OrderedMap"):
    for _name, _kernel, _settings in _MAP:
        op(_prefix + _name, specialise=True, takes_session=True, **_settings)(_kernel)
        not_differentiable(_prefix + _name)
