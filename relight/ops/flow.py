"""Old control flow and the stacks that its gradients use, as in graphs that TensorFlow 1.x wrote.

The engine itself runs Switch, Merge, Enter, Exit, NextIteration (`relight.engine.flow`); they have
shape rules and gradients here. A stack keeps what the turns of a loop leave for the turns of its
gradient.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op, record
from relight.ops import gradients
from relight.ops.build import raw
from relight.ops.shape_rules import same, scalar, sizes, unknown

_SWITCHES, _MERGES, _ENTERS = ("Switch", "RefSwitch"), ("Merge", "RefMerge"), ("Enter", "RefEnter")
_CARRIERS = ("Exit", "RefExit", "NextIteration", "RefNextIteration")
NODES = (*_SWITCHES, *_MERGES, *_ENTERS, *_CARRIERS, "ControlTrigger")


def _merge(node: Any) -> list[Any]:
    """What all inputs have in common."""
    common = sizes(node, 0)
    for i in range(1, len(node._inputs)):
        other = sizes(node, i)
        if common is None or other is None or len(common) != len(other):
            return [None, ()]
        common = tuple(a if a == b else None for a, b in zip(common, other, strict=True))
    return [common, ()]


def _enter(node: Any) -> list[Any]:
    """A value that turns may come round with another shape."""
    return same(node) if node._attrs.get("is_constant") else unknown(node)


for _names, _rule in ((_SWITCHES + _CARRIERS, same), (_MERGES, _merge), (_ENTERS, _enter)):
    for _name in _names:
        record(_name).shape = _rule


@op("LoopCond", shape=scalar, views=0)
def LoopCond(condition):
    """Whether a loop takes a further turn."""
    return condition


def _switch_gradient(node: Any, *grads: Any) -> list[Any]:
    """The gradient of the side that was taken."""
    pred = node._inputs[1]
    sides = [
        raw.Switch(gradients.zeros_like(out) if grad is None else grad, pred)[i]
        for i, (grad, out) in enumerate(zip(grads, node._outputs, strict=True))
    ]
    return [raw.Merge(sides)[0], None]


def _merge_gradient(node: Any, grad: Any, _: Any) -> list[Any]:
    """The gradient goes to the input that was taken."""
    taken = [raw.Equal(node._outputs[1], np.int32(i)) for i in range(len(node._inputs))]
    return [raw.Switch(grad, condition)[1] for condition in taken]


record("Switch").gradient(_switch_gradient)
record("RefSwitch").gradient(_switch_gradient)
record("Merge").gradient(_merge_gradient)
record("RefMerge").gradient(_merge_gradient)
not_differentiable("LoopCond")


# -- stacks ----------------------------------------------------------------------------------------


class Stack:
    """Values, last in, first out; InvalidArgumentError when it is empty, closed or full."""

    def __init__(self, name: str, limit: int):
        self.name = name
        self.limit = limit
        self.items: list[Any] = []
        self.closed = False
        self.lock = threading.Lock()

    def push(self, value: Any) -> None:
        """Put a value on top."""
        with self.lock:
            self._check_open()
            if 0 <= self.limit <= len(self.items):
                raise errors.InvalidArgumentError(
                    None, None, f"Stack[{self.name}] overflowed its max_size ({self.limit})"
                )
            self.items.append(value)

    def pop(self) -> Any:
        """Take the value on top."""
        with self.lock:
            self._check_open()
            if not self.items:
                raise errors.InvalidArgumentError(
                    None, None, f"Stack[{self.name}] is empty when calling Pop()."
                )
            return self.items.pop()

    def close(self) -> None:
        """Drop all values."""
        with self.lock:
            self.closed = True
            self.items.clear()

    def _check_open(self) -> None:
        if self.closed:
            raise errors.InvalidArgumentError(
                None, None, f"Stack[{self.name}] has already been closed."
            )


def _pair(node: Any) -> list[Any]:
    return [(2,)]


def _name_of(node: Any) -> str:
    name = node._attrs.get("stack_name") or node.name
    return name.decode() if isinstance(name, bytes) else name


@op("StackV2", shape=_pair, specialise=True, host=("max_size",), takes_session=True)
def StackV2(node: Any) -> Any:
    """A new stack for values of one type."""
    name = _name_of(node)
    return lambda state, max_size: Stack(name, int(max_size))


@op("Stack", shape=_pair, specialise=True, takes_session=True)
def OldStack(node: Any) -> Any:
    """A new stack, with a handle of the older kind."""
    name = _name_of(node)
    return lambda state: Stack(name, -1)


def _push(state: Any, handle: Stack, elem: Any) -> Any:
    handle.push(elem)
    return elem


def _pop(state: Any, handle: Stack) -> Any:
    return handle.pop()


def _close(state: Any, handle: Stack) -> None:
    handle.close()


for _version in ("", "V2"):
    op(
        "StackPush" + _version,
        shape=lambda node: [sizes(node, 1)],
        views=1,
        stateful=True,
        takes_session=True,
    )(_push)
    op("StackPop" + _version, shape=unknown, views=0, stateful=True, takes_session=True)(_pop)
    op("StackClose" + _version, stateful=True, takes_session=True)(_close)

not_differentiable("Stack", "StackPush", "StackPop", "StackClose")
not_differentiable("StackV2", "StackPushV2", "StackPopV2", "StackCloseV2")
