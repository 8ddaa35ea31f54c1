"""Queues: ops that make them, put rows in, take rows out, and close them.

A handle is the queue itself (`relight.engine.queues`); the older ops (`FIFOQueue`, `QueueEnqueue`)
differ from the `V2` ones in the type of the handle only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.shape_rules import scalar, unknown


def _handle_shape(node: Any) -> list[Any]:
    """A resource handle is a scalar, a reference to a queue a pair of strings."""
    return [()] if node.type.endswith("V2") else [(2,)]


def _queue_maker(node: Any) -> Any:
    kind = node.type.removesuffix("V2")
    attrs = node._attrs
    types, shapes = list(attrs["component_types"]), list(attrs["shapes"])
    if kind == "PriorityQueue":
        types.insert(0, dtypes.int64)
        if shapes:
            shapes.insert(0, TensorShape([]))
    capacity = attrs["capacity"]
    shared = attrs.get("shared_name") or ""
    key = ("queue", attrs.get("container") or "", shared or node)
    settings = {}
    if kind == "RandomShuffleQueue":
        settings = {name: attrs[name] for name in ("min_after_dequeue", "seed", "seed2")}

    def make_or_find(state: Any) -> Any:
        def make() -> Any:
            made = state.engine("queues").KINDS[kind]
            return made(shared or node.name, types, shapes, capacity, bool(shared), **settings)

        queue = state.resource(key, make)
        if shared:
            _check_shared(queue, kind, node.type, types, capacity)
        return queue

    return make_or_find


def _check_shared(queue: Any, kind: str, asked: str, types: list[Any], capacity: int) -> None:
    if queue.kind != kind:
        message = f"Expected {queue.kind}, found {asked}"
    elif queue.requested_capacity != capacity:
        message = (
            f"Shared queue '{queue.name}' has capacity {queue.requested_capacity} but requested "
            f"capacity was {capacity}"
        )
    elif queue.dtypes != types:
        message = (
            f"Shared queue '{queue.name}' has component types {_type_names(queue.dtypes)} but "
            f"requested component types were {_type_names(types)}"
        )
    else:
        return
    raise errors.InvalidArgumentError(None, None, message)


def _type_names(types: list[Any]) -> str:
    return ", ".join(map(dtypes.runtime_name, types))


def _enqueue(state: Any, queue: Any, components: list[np.ndarray]) -> None:
    """Put one row in, or wait until there is room."""
    queue.enqueue(components, state.timeout)


def _enqueue_many(state: Any, queue: Any, components: list[np.ndarray]) -> None:
    """Put one row in for each entry of dimension 0."""
    queue.enqueue_many(components, state.timeout)


def _dequeue(state: Any, queue: Any) -> list[np.ndarray]:
    """Take one row out, or wait until there is one."""
    return queue.dequeue(state.timeout)


def _dequeue_many(state: Any, queue: Any, n: np.ndarray) -> list[np.ndarray]:
    """Take n rows out, joined along dimension 0."""
    return queue.dequeue_many(int(n), state.timeout)


def _dequeue_up_to(state: Any, queue: Any, n: np.ndarray) -> list[np.ndarray]:
    """Take n rows out, or those that are left when the queue is closed."""
    return queue.dequeue_up_to(int(n), state.timeout)


def _close(queue: Any, *, cancel_pending_enqueues: bool = False) -> None:
    """Let no more rows in."""
    queue.close(cancel_pending_enqueues)


def _size(queue: Any) -> np.ndarray:
    """How many rows there are, an int32."""
    return np.array(queue.size(), np.int32)


def _is_closed(queue: Any) -> np.ndarray:
    """Whether it was closed."""
    return np.array(queue.is_closed)


# Every op of the V2 form has an older twin on references. Columns: name, kernel, settings.
_TABLE: list[tuple[str, Any, dict[str, Any]]] = [
    *(
        (kind, _queue_maker, {"shape": _handle_shape, "specialise": True, "takes_session": True})
        for kind in ("FIFOQueue", "RandomShuffleQueue", "PaddingFIFOQueue", "PriorityQueue")
    ),
    ("QueueEnqueue", _enqueue, {"host": ("components",), "takes_session": True}),
    ("QueueEnqueueMany", _enqueue_many, {"host": ("components",), "takes_session": True}),
    ("QueueDequeue", _dequeue, {"shape": unknown, "host_out": True, "takes_session": True}),
    *(
        (name, kernel, {"shape": unknown, "host": ("n",), "host_out": True, "takes_session": True})
        for name, kernel in (
            ("QueueDequeueMany", _dequeue_many),
            ("QueueDequeueUpTo", _dequeue_up_to),
        )
    ),
    ("QueueClose", _close, {}),
    ("QueueSize", _size, {"shape": scalar, "host_out": True}),
    ("QueueIsClosed", _is_closed, {"shape": scalar, "host_out": True}),
]

for _name, _kernel, _settings in _TABLE:
    for _version in ("", "V2"):
        op(_name + _version, stateful=True, **_settings)(_kernel)
        not_differentiable(_name + _version)
