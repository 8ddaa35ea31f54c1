"""StringJoin: the strings of several tensors, element by element, in one."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import merge, sizes


def _shape(node: Any) -> list[Any]:
    known = [sizes(node, i) for i in range(len(node._inputs))]
    if all(s == () for s in known):
        return [()]
    whole: Any = None
    for static in known:
        whole = whole if static == () else merge(whole, static)
    return [whole]


@op("StringJoin", shape=_shape, host=("inputs",), host_out=True)
def StringJoin(inputs, *, separator):
    """Join strings with a separator; a scalar is joined to every element of the others."""
    shape: tuple[int, ...] = ()
    for item in inputs:
        if item.ndim and shape and item.shape != shape:
            raise errors.InvalidArgumentError(
                None,
                None,
                "Input shapes do not match: "
                f"[{','.join(map(str, shape))}] vs. [{','.join(map(str, item.shape))}]",
            )
        shape = item.shape if item.ndim else shape
    between = separator.encode() if isinstance(separator, str) else separator
    columns = [np.broadcast_to(item, shape).ravel().tolist() for item in inputs]
    result = np.empty(shape, np.object_)
    joined = [between.join(parts) for parts in zip(*columns, strict=True)]
    if shape == ():
        result[()] = joined[0]
    else:
        result.reshape(-1)[:] = joined
    return result


not_differentiable("StringJoin")
