"""Shape rules shared by many ops: from a node to the static shapes of its outputs.

A rule gives one entry an output: a tuple of `int | None`, a TensorShape, or None for an unknown
shape. It raises `ShapeError` with TensorFlow's words when the inputs cannot fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph.graph import ShapeError
from relight.graph.shapes import TensorShape
from relight.ops.constants import constant_value_as_shape, known_value

Sizes = tuple[int | None, ...] | None
Rule = Callable[[Any], list[Any]]


def sizes(node: Any, index: int) -> Sizes:
    """The static sizes of one input, None when its rank is unknown."""
    return node._inputs[index]._shape._sizes


def text(static: Sequence[int | None] | None) -> str:
    """A shape as TensorFlow's messages write it: `[2,?]`."""
    if static is None:
        return "<unknown>"
    return "[" + ",".join("?" if s is None else str(s) for s in static) + "]"


def same(node: Any) -> list[Any]:
    """Every output has the shape of the first input."""
    return [sizes(node, 0)] * len(node._outputs)


def scalar(node: Any) -> list[Any]:
    """Every output is a scalar."""
    return [()] * len(node._outputs)


def unknown(node: Any) -> list[Any]:
    """Nothing is known."""
    return [None] * len(node._outputs)


def merge(a: Sizes, b: Sizes) -> Sizes:
    """What is known from either of two shapes that must be equal."""
    if a is None or b is None:
        return a if b is None else b
    if len(a) != len(b):
        raise ShapeError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if x is not None and y is not None and x != y:
            raise ShapeError(
                f"Dimension {i} in both shapes must be equal, but are {x} and {y}. Shapes are "
                f"{text(a)} and {text(b)}."
            )
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def merge_size(a: int | None, b: int | None) -> int | None:
    """What is known from either of two sizes that must be equal."""
    if a is None or b is None:
        return b if a is None else a
    if a != b:
        raise ShapeError(f"Dimensions must be equal, but are {a} and {b}")
    return a


def all_same(node: Any) -> list[Any]:
    """All inputs have one shape, and the outputs have it too."""
    whole: Sizes = None
    for i in range(len(node._inputs)):
        whole = merge(whole, sizes(node, i))
    return [whole] * len(node._outputs)


def with_rank(static: Sizes, rank: int, what: str = "Shape") -> Sizes:
    """The shape, known to have `rank` dimensions."""
    if static is None:
        return (None,) * rank
    if len(static) != rank:
        raise ShapeError(f"{what} must be rank {rank} but is rank {len(static)}")
    return static


def with_rank_at_least(static: Sizes, rank: int) -> Sizes:
    """The shape; ShapeError when it has fewer than `rank` dimensions."""
    if static is not None and len(static) < rank:
        raise ShapeError(f"Shape must be at least rank {rank} but is rank {len(static)}")
    return static


def broadcast_sizes(a: Sizes, b: Sizes) -> Sizes:
    """The shape of an element-wise operation of two tensors, after numpy's broadcasting."""
    if a is None or b is None:
        return None
    if len(a) < len(b):
        a = (1,) * (len(b) - len(a)) + a
    elif len(b) < len(a):
        b = (1,) * (len(a) - len(b)) + b
    result: list[int | None] = []
    for x, y in zip(a, b, strict=True):
        if x is None or y is None:
            known = y if x is None else x
            result.append(known if known is not None and known > 1 else None)
        elif x == 1 or y == 1 or x == y:
            result.append(y if x == 1 else x)
        else:
            raise ShapeError(f"Dimensions must be equal, but are {x} and {y}")
    return tuple(result)


def broadcast(node: Any) -> list[Any]:
    """Element-wise of the first two inputs, with broadcasting."""
    return [broadcast_sizes(sizes(node, 0), sizes(node, 1))]


def matmul(node: Any) -> list[Any]:
    """[m, k] x [k, n] -> [m, n], after the asked-for transpositions."""
    a = with_rank(sizes(node, 0), 2)
    b = with_rank(sizes(node, 1), 2)
    assert a is not None and b is not None
    attrs = node._attrs
    rows, inner_a = (a[1], a[0]) if attrs.get("transpose_a") else a
    inner_b, columns = (b[1], b[0]) if attrs.get("transpose_b") else b
    merge_size(inner_a, inner_b)
    return [(rows, columns)]


def batch_matmul(node: Any) -> list[Any]:
    """[..., m, k] x [..., k, n] -> [..., m, n]; `adj_x`, `adj_y` swap the last two dimensions."""
    a = with_rank_at_least(sizes(node, 0), 2)
    b = with_rank_at_least(sizes(node, 1), 2)
    first = node.type == "BatchMatMul"
    if (a is None or b is None) and (not first or a is b):
        return [None]
    rows = columns = inner_a = inner_b = batch_a = batch_b = None
    if a is not None:
        rows, inner_a = (a[-1], a[-2]) if node._attrs.get("adj_x") else a[-2:]
        batch_a = a[:-2]
    if b is not None:
        inner_b, columns = (b[-1], b[-2]) if node._attrs.get("adj_y") else b[-2:]
        batch_b = b[:-2]
    merge_size(inner_a, inner_b)
    batch = merge(batch_a, batch_b) if first else broadcast_sizes(batch_a, batch_b)
    return [None if batch is None else (*batch, rows, columns)]


def reduce(node: Any) -> list[Any]:
    """Input 0 without (or, with `keep_dims`, with 1 for) the dimensions that input 1 lists."""
    whole = sizes(node, 0)
    axes = known_value(node._inputs[1])
    keep = node._attrs.get("keep_dims", False)
    if whole is None:
        return [None]
    if axes is None:
        return [(None,) * len(whole) if keep else None]
    reduced = set()
    for axis in np.ravel(axes).tolist():
        if not -len(whole) <= axis < len(whole):
            raise ShapeError(
                f"Invalid reduction dimension {axis} for input with {len(whole)} dimensions."
            )
        reduced.add(axis % len(whole))
    if keep:
        return [tuple(1 if i in reduced else s for i, s in enumerate(whole))]
    return [tuple(s for i, s in enumerate(whole) if i not in reduced)]


def from_attr(name: str = "shape") -> Rule:
    """The output has the shape that an attr holds."""

    def rule(node: Any) -> list[Any]:
        value = node._attrs.get(name)
        return [None if value is None else TensorShape(value)]

    return rule


def from_input(index: int) -> Rule:
    """The output has the shape that input `index`, a 1-D integer tensor, describes."""

    def rule(node: Any) -> list[Any]:
        return [constant_value_as_shape(node._inputs[index])]

    return rule


def like_input(index: int) -> Rule:
    """Every output has the shape of input `index`."""

    def rule(node: Any) -> list[Any]:
        return [sizes(node, index)] * len(node._outputs)

    return rule


def vector(size: int | None = None) -> Rule:
    """Every output is 1-D, of a known or unknown size."""

    def rule(node: Any) -> list[Any]:
        return [(size,)] * len(node._outputs)

    return rule


def window_size(
    size: int | None,
    window: int,
    stride: int,
    padding: str,
    dilation: int = 1,
    explicit: tuple[int, int] = (0, 0),
) -> int | None:
    """Output size of a sliding window along one dimension (convolution, pooling)."""
    if size is None:
        return None
    reach = (window - 1) * dilation + 1
    if padding == "SAME":
        return -(-size // stride)
    if padding == "EXPLICIT":
        size += sum(explicit)
    if size < reach:
        raise ShapeError(f"Negative dimension size caused by subtracting {reach} from {size}")
    return (size - reach) // stride + 1


def spatial(node: Any, rank: int) -> tuple[list[int], int]:
    """(indices of the spatial dimensions, index of the channels) by `data_format`."""
    data_format = node._attrs.get("data_format", "NHWC")
    if data_format.startswith("NC"):
        return list(range(2, rank)), 1
    return list(range(1, rank - 1)), rank - 1


def conv(node: Any) -> list[Any]:
    """Convolution: input 0 [batch, *spatial, in] (or NCHW), input 1 [*window, in, out]."""
    rank = 5 if node.type == "Conv3D" else 4
    x = with_rank(sizes(node, 0), rank)
    w = with_rank(sizes(node, 1), rank)
    assert x is not None and w is not None
    places, channel = spatial(node, rank)
    attrs = node._attrs
    strides, dilations = attrs["strides"], attrs.get("dilations") or [1] * rank
    explicit = attrs.get("explicit_paddings") or [0] * (2 * rank)
    if x[channel] is not None and w[-2] is not None and (w[-2] == 0 or x[channel] % w[-2]):
        raise ShapeError(f"Dimensions must be equal, but are {x[channel]} and {w[-2]}")
    result = list(x)
    for i, place in enumerate(places):
        window = w[i]
        result[place] = (
            None
            if window is None
            else window_size(
                x[place],
                window,
                strides[place],
                attrs["padding"],
                dilations[place],
                (explicit[2 * place], explicit[2 * place + 1]),
            )
        )
    result[channel] = w[-1]
    return [tuple(result)]


def pool(node: Any) -> list[Any]:
    """Pooling of input 0 with `ksize`, `strides`, `padding`; every output has the same shape."""
    window = node._attrs["ksize"]
    x = with_rank(sizes(node, 0), len(window))
    assert x is not None
    strides, padding = node._attrs["strides"], node._attrs["padding"]
    return [pooled(x, window, strides, padding)] * len(node._outputs)


def pooled(x: Any, window: list[int], strides: list[int], padding: str) -> Sizes:
    """The shape of `x` after windows have gone over it; batches and channels may be empty."""
    return tuple(
        size if width == stride == 1 and size == 0 else window_size(size, width, stride, padding)
        for size, width, stride in zip(x, window, strides, strict=True)
    )
