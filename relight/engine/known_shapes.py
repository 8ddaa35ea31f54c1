"""Static shapes made full for one plan, from the shapes of what is fed.

A placeholder of shape [?, 784] is fed with [100, 784] time after time. With that shape put in its
place, the shape rules tell nearly every shape of the plan, and the arithmetic on shapes that
gradients are full of (Shape, BroadcastGradientArgs, Sum over no axes, Reshape to the same) is done
while the plan is made.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relight.graph import opdef
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape

_lock = threading.RLock()


@contextlib.contextmanager
def fed(
    feeds: Sequence[Tensor],
    shapes: Sequence[tuple[int, ...] | None],
    nodes: Sequence[Operation],
    elements: Mapping[Tensor, tuple[int, ...]] | None = None,
) -> Iterator[bool]:
    """Inside, tensors of `nodes` (in order) have the shapes that follow from those of the feeds.

    `elements`: the shape that all elements of a fed list have.

    Gives False, with nothing changed, when a shape rule refuses them: the error is for the run.
    The graph itself is as before afterwards; other threads wait with their plans meanwhile.
    """
    saved: list[tuple[Tensor, TensorShape]] = []
    given = set(feeds)

    def learn(tensor: Tensor, shape: TensorShape) -> None:
        merged = tensor._shape.merge_with(shape)
        if merged._sizes != tensor._shape._sizes:
            saved.append((tensor, tensor._shape))
            tensor._shape = merged

    with _lock:
        try:
            try:
                for tensor, sizes in zip(feeds, shapes, strict=True):
                    if sizes is not None:
                        learn(tensor, TensorShape.of(tuple(sizes)))
                lists = dict(elements or {})
                for node in nodes:
                    _infer(node, given, learn)
                    _from_list(node, lists, learn)
                fits = True
            except ValueError:
                _restore(saved)
                fits = False
            yield fits
        finally:
            _restore(saved)


def _infer(node: Operation, given: set[Tensor], learn: Any) -> None:
    rule = opdef.record(node.type).shape
    if rule is None or not node._inputs or all(o._shape.is_fully_defined() for o in node._outputs):
        return
    for tensor, shape in zip(node._outputs, rule(node), strict=True):
        if shape is not None and tensor not in given:
            learn(tensor, TensorShape.of(shape) if type(shape) is tuple else TensorShape(shape))


def _from_list(node: Operation, lists: dict[Tensor, tuple[int, ...]], learn: Any) -> None:
    """What is read from a list has the shape of its elements."""
    if not lists or node.type not in ("TensorListPopBack", "TensorListGetItem"):
        return
    shape = lists.get(node._inputs[0])
    if shape is not None:
        learn(node._outputs[-1], TensorShape.of(shape))
        if node.type == "TensorListPopBack":
            lists[node._outputs[0]] = shape


def _restore(saved: list[tuple[Tensor, TensorShape]]) -> None:
    while saved:
        tensor, shape = saved.pop()
        tensor._shape = shape
