"""Which lists of a loop are read for nothing but the shapes of their elements.

The gradient of a loop asks for tensors of each turn: for many of them only to know their shapes,
for the gradient of what may broadcast. Lists of these keep shapes (`ShapeList`), so that the memory
of the tensors is free again at once.
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.node import Operation, Tensor

_LOOPS = frozenset(("While", "StatelessWhile"))
_READ_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike"))


def only_shapes_read(node: Operation) -> frozenset[int]:
    """Places of a While node's lists that its turns only push on, and loops after it only pop from
    to look at shapes."""
    body, cond = _functions(node)
    if body is None or cond is None:
        return frozenset()  # an error when it is run
    found = set()
    for i, output in enumerate(node._outputs):
        if output.dtype.base_dtype is not dtypes.variant or not output._consumers:
            continue
        if node._inputs[i].op.type != "EmptyTensorList" or cond.inputs[i]._consumers:
            continue
        if _is_only_pushed(body, i) and all(_reads_shapes(op, output) for op in output._consumers):
            found.add(i)
    return frozenset(found)


def _functions(node: Operation) -> tuple[Any, Any]:
    body, cond = (node.graph._get_function(str(node._attrs[a])) for a in ("body", "cond"))
    return body, cond


def _is_only_pushed(body: Any, i: int) -> bool:
    last = body.inputs[i]
    while last is not body.outputs[i]:
        if len(last._consumers) != 1 or last._consumers[0].type != "TensorListPushBack":
            return False
        push = last._consumers[0]
        if push._inputs[0] is not last:
            return False
        last = push._outputs[0]
    return not last._consumers and body.outputs.count(last) == 1


def _reads_shapes(node: Operation, given: Tensor) -> bool:
    """Whether a loop pops from the list `given`, looks at shapes, and does nothing else with it."""
    body, cond = _functions(node) if node.type in _LOOPS else (None, None)
    if body is None or cond is None:
        return False
    for i, tensor in enumerate(node._inputs):
        if tensor is not given:
            continue
        if node._outputs[i]._consumers or cond.inputs[i]._consumers:
            return False
        waiting = [body.inputs[i]]
        while waiting:
            current = waiting.pop()
            if any(o is current for k, o in enumerate(body.outputs) if k != i):
                return False
            for op in current._consumers:
                if op.type != "TensorListPopBack" or op._inputs[0] is not current:
                    return False
                rest, element = op._outputs
                if any(o is element for o in body.outputs):
                    return False
                if any(reader.type not in _READ_SHAPES for reader in element._consumers):
                    return False
                waiting.append(rest)
    return True
