"""Shape rules of the array ops: from a node to the static shapes of its outputs."""

from __future__ import annotations

import math
from typing import Any

from relight.graph.graph import ShapeError
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.shape_rules import Sizes, merge, sizes


def axis_of(place: int, rank: int, what: str = "") -> int:
    """`place` in [-rank, rank) as an index from 0; ShapeError outside."""
    if not -rank <= place < rank:
        raise ShapeError(what or f"dimension {place} not in [{-rank}, {rank}).")
    return place % rank


def count(known: Sizes) -> int | None:
    """The number of elements, None when a size is unknown."""
    if known is None or None in known:
        return None
    return math.prod(known)  # type: ignore[arg-type]


def reshape(node: Any) -> list[Any]:
    """The shape of input 1, its -1 computed where all else is known."""
    wanted = constant_value_as_shape(node._inputs[1])._sizes
    if wanted is None:
        return [None]
    known = sizes(node, 0)
    total = count(known)
    holes = wanted.count(None)
    rest = math.prod(s for s in wanted if s is not None)
    if total is None or holes > 1 or (holes == 1 and rest == 0):
        return [wanted]
    if holes == 1:
        if total % rest:
            raise ShapeError(f"Dimension size must be evenly divisible by {rest} but is {total}")
        return [tuple(total // rest if s is None else s for s in wanted)]
    if rest != total:
        raise ShapeError(
            f"Cannot reshape a tensor with {total} elements to shape "
            f"[{','.join(map(str, wanted))}] ({rest} elements)"
        )
    return [wanted]


def expand_dims(node: Any) -> list[Any]:
    """Input 0 with a 1 inserted at input 1."""
    known, place = sizes(node, 0), known_value(node._inputs[1])
    if known is None:
        return [None]
    if place is None:
        return [None]
    where = int(place.reshape(-1)[0])
    rank = len(known)
    if not -rank - 1 <= where <= rank:
        raise ShapeError(f"dim {where} not in the interval [{-rank - 1}, {rank}].")
    where %= rank + 1
    return [(*known[:where], 1, *known[where:])]


def squeeze(node: Any) -> list[Any]:
    """Input 0 without dimensions of size 1."""
    known, dropped = sizes(node, 0), node._attrs["squeeze_dims"]
    if known is None:
        return [None]
    if not dropped:
        return [None if None in known else tuple(s for s in known if s != 1)]
    rank = len(known)
    places = {
        axis_of(d, rank, f"squeeze_dims[{i}] not in [{-rank},{rank}).")
        for i, d in enumerate(dropped)
    }
    for place in sorted(places):
        if known[place] not in (1, None):
            raise ShapeError(
                f"Can not squeeze dim[{place}], expected a dimension of 1, got {known[place]}"
            )
    return [tuple(s for i, s in enumerate(known) if i not in places)]


def transpose(node: Any) -> list[Any]:
    """Input 0 with dimensions ordered by input 1."""
    known, order = sizes(node, 0), known_value(node._inputs[1])
    vector = sizes(node, 1)
    rank = len(known) if known is not None else None
    if order is not None:
        rank = order.size if rank is None else rank
        if rank != order.size:
            raise ShapeError(f"Dimension must be {rank} but is {order.size}")
        places = [
            axis_of(int(p), rank, f"perm dim {p} is out of range of input rank {rank}")
            for p in order.tolist()
        ]
        return [(None,) * rank if known is None else tuple(known[p] for p in places)]
    if rank is None and vector is not None and len(vector) == 1:
        rank = vector[0]
    if rank is None:
        return [None]
    if known is not None and vector is not None and vector[0] not in (None, rank):
        raise ShapeError(f"Dimension must be {rank} but is {vector[0]}")
    return [known if known is not None and rank <= 1 else (None,) * rank]


def concat(node: Any) -> list[Any]:
    """All values' sizes joined along the axis."""
    first = node.type != "ConcatV2"
    inputs = node._inputs[1:] if first else node._inputs[:-1]
    axis_input = node._inputs[0] if first else node._inputs[-1]
    axis_sizes = axis_input._shape._sizes
    if axis_sizes:
        raise ShapeError(f"Shape must be rank 0 but is rank {len(axis_sizes)}")
    parts = [t._shape._sizes for t in inputs]
    rank = next((len(p) for p in parts if p is not None), None)
    place = known_value(axis_input)
    if place is None:
        for part in parts:
            if part is not None and len(part) != rank:
                raise ShapeError(f"Shape must be rank {rank} but is rank {len(part)}")
        if rank == 0:
            raise ShapeError("Can't concatenate scalars (use tf.stack instead)")
        return [None if rank is None else (None,) * rank]
    if rank is None:
        return [None]
    if rank == 0:
        raise ShapeError("Can't concatenate scalars (use tf.stack instead)")
    where = int(place)
    needed = where + 1 if where >= 0 else -where
    for part in parts:
        if part is not None and len(part) < needed:
            raise ShapeError(f"Shape must be at least rank {needed} but is rank {len(part)}")
        if part is not None and len(part) != rank:
            raise ShapeError(f"Shape must be rank {rank} but is rank {len(part)}")
    where %= rank
    total: int | None = 0
    before: Sizes = (None,) * where
    after: Sizes = (None,) * (rank - where - 1)
    for part in parts:
        row = part if part is not None else (None,) * rank
        total = None if total is None or row[where] is None else total + row[where]
        before = merge(before, row[:where])
        after = merge(after, row[where + 1 :])
    assert before is not None and after is not None
    return [(*before, total, *after)]


def pack(node: Any) -> list[Any]:
    """The common shape with the number of values inserted at `axis`."""
    whole: Sizes = None
    inputs = node._inputs
    for i in range(len(inputs) - 1, -1, -1):
        try:
            whole = merge(sizes(node, i), whole)
        except ShapeError as error:
            raise ShapeError(f"{error}\n\tFrom merging shape {i} with other shapes.") from None
    if whole is None:
        return [None]
    rank = len(whole) + 1
    axis = node._attrs.get("axis", 0)
    place = axis_of(axis, rank, f"Invalid axis: {axis}; must be in [{-rank},{rank})")
    return [(*whole[:place], len(inputs), *whole[place:])]


def unpack(node: Any) -> list[Any]:
    """Each output: input 0 without dimension `axis`."""
    known, outputs = sizes(node, 0), len(node._outputs)
    if known is None:
        return [None] * outputs
    axis, rank = node._attrs.get("axis", 0), len(known)
    place = axis_of(axis, rank, f"Invalid axis: {axis}; must be in [{-rank},{rank})")
    if known[place] not in (None, outputs):
        raise ShapeError(f"Dimension must be {outputs} but is {known[place]}")
    return [(*known[:place], *known[place + 1 :])] * outputs


def tile(node: Any) -> list[Any]:
    """Each size times its multiple."""
    known = sizes(node, 0)
    times = constant_value_as_shape(node._inputs[1])._sizes
    if known is None:
        return [None if times is None else (None,) * len(times)]
    if times is None:
        return [(None,) * len(known)]
    if len(times) != len(known):
        raise ShapeError(f"Shape must be rank {len(times)} but is rank {len(known)}")
    return [tuple(_times(a, b) for a, b in zip(known, times, strict=True))]


def _times(a: int | None, b: int | None) -> int | None:
    if a == 0 or b == 0:
        return 0
    return None if a is None or b is None else a * b


def broadcast_to(node: Any) -> list[Any]:
    """The shape of input 1, which input 0 must broadcast to."""
    target = constant_value_as_shape(node._inputs[1])._sizes
    known = sizes(node, 0)
    if target is not None and known is not None:
        if len(known) > len(target):
            raise ShapeError(f"Shape must be at most rank {len(target)} but is rank {len(known)}")
        for a, b in zip(known[::-1], target[::-1], strict=False):
            if a is not None and b is not None and a not in (1, b):
                raise ShapeError(f"Dimensions must be equal, but are {a} and {b}")
        count = len(target) - len(known)
        pairs = zip(target[count:], known, strict=True)
        target = (*target[:count], *(a if b in (None, 1) else b for a, b in pairs))
    return [target]
