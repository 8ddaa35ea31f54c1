"""Reductions over dimensions, sums of several tensors, positions of extremes, running sums."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops import call, shape_rules
from relight.ops.constants import known_value
from relight.ops.shape_rules import Sizes, merge, same, sizes, text

Reduction = Callable[[torch.Tensor, tuple[int, ...], bool], torch.Tensor]


# -- kernels over given dimensions (at least one) --------------------------------------------------


def _sum(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    return torch.sum(x, dims, keep)


def _sum_of_integers(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    return torch.sum(x, dims, keep, dtype=x.dtype)


def _mean(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    return torch.mean(x, dims, keep)


def _mean_of_integers(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    count = 1
    for d in dims:
        count *= x.shape[d]
    total = torch.sum(x, dims, keep, dtype=x.dtype)
    return torch.div(total, max(count, 1), rounding_mode="trunc")


def _prod(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    if len(dims) == x.dim() and not keep:
        return torch.prod(x.reshape(-1), 0, dtype=x.dtype)
    for d in sorted(dims, reverse=True):
        x = torch.prod(x, d, keep, dtype=x.dtype)
    return x


def _extreme(function: Any, lowest: bool) -> Reduction:
    def reduce(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
        if x.numel() == 0:
            return _of_nothing(x, dims, keep, lowest)
        found = function(x, dims, keep)
        if _any_nan(found):  # TensorFlow passes NaNs over
            found = function(_without_nan(x, lowest), dims, keep)
        return found

    return reduce


def _any_nan(found: torch.Tensor) -> bool:
    """Whether a result has NaNs. A GPU is not asked: it would have to be waited for."""
    return found.is_floating_point() and call.at_hand(found) and bool(found.isnan().any())


def _without_nan(x: torch.Tensor, lowest: bool) -> torch.Tensor:
    return torch.where(x.isnan(), -torch.inf if lowest else torch.inf, x)


def _of_nothing(x: torch.Tensor, dims: tuple[int, ...], keep: bool, lowest: bool) -> torch.Tensor:
    """The extreme of no elements: the infinity (or limit of the type) that any value beats."""
    shape = [1 if i in dims else n for i, n in enumerate(x.shape) if keep or i not in dims]
    if x.is_floating_point():
        value: Any = float("-inf") if lowest else float("inf")
    else:
        value = torch.iinfo(x.dtype).min if lowest else torch.iinfo(x.dtype).max
    return x.new_full(shape, value)


def _euclidean_norm(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    if x.is_complex():
        return torch.sqrt(torch.sum(x * x.conj(), dims, keep))
    if x.is_floating_point():
        return torch.sqrt(torch.sum(x * x, dims, keep))
    return torch.sqrt(torch.sum(x * x, dims, keep, dtype=x.dtype).double()).to(x.dtype)


_REDUCTIONS: dict[str, tuple[Reduction, Reduction]] = {  # for floats, for integers
    "Sum": (_sum, _sum_of_integers),
    "Mean": (_mean, _mean_of_integers),
    "Prod": (_prod, _prod),
    "Max": (_extreme(torch.amax, True), _extreme(torch.amax, True)),
    "Min": (_extreme(torch.amin, False), _extreme(torch.amin, False)),
    "All": (torch.all, torch.all),
    "Any": (torch.any, torch.any),
    "EuclideanNorm": (_euclidean_norm, _euclidean_norm),
}


def dimensions(axes: np.ndarray, rank: int) -> tuple[int, ...]:
    """Reduction axes, sorted, from 0, each once; InvalidArgumentError for bad ones."""
    found: list[int] = []
    for axis in axes.ravel().tolist():
        if not -rank <= axis < rank:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Invalid reduction dimension ({axis} for input with {rank} dimension(s)",
            )
        found.append(axis % rank)
    return tuple(sorted(set(found)))


def _reduction(name: str, floats: Reduction, integers: Reduction) -> Any:
    def specialise(node: Any) -> Any:
        reduce = integers if node._inputs[0].dtype.is_integer else floats
        keep = bool(node._attrs.get("keep_dims", False))
        source = node._inputs[1].op
        known = source._attrs["value"] if source.type == "Const" else None
        rank = node._inputs[0].shape.ndims
        dims = dimensions(known, rank) if known is not None and rank is not None else ()

        def kernel(x: torch.Tensor, axes: np.ndarray) -> torch.Tensor:
            # The constant's axes are worked out already, unless something else was fed.
            chosen = dims if dims and axes is known else dimensions(axes, x.dim())
            return reduce(x, chosen, keep) if chosen else x.clone()

        return kernel

    specialise.__doc__ = f"{name} over the dimensions that input 1 lists."
    return specialise


for _name, (_floats, _integers) in _REDUCTIONS.items():
    op(_name, shape=shape_rules.reduce, specialise=True, host=("reduction_indices",))(
        _reduction(_name, _floats, _integers)
    )
not_differentiable("EuclideanNorm")


# -- positions of extremes -------------------------------------------------------------------------


def _arg_shape(node: Any) -> list[Any]:
    whole = sizes(node, 0)
    if whole is None:
        return [None]
    axis = known_value(node._inputs[1])
    if len(whole) <= 1:
        return [()]
    if axis is None:
        return [(None,) * (len(whole) - 1)]
    place = int(axis)
    if not -len(whole) <= place < len(whole):
        raise ShapeError(
            f"Dimension ({place}) must be in the range [{-len(whole)}, {len(whole)}), where "
            f"{len(whole)} is the number of dimensions in the input."
        )
    place %= len(whole)
    return [tuple(s for i, s in enumerate(whole) if i != place)]


def _position(name: str, function: Any) -> Any:
    def specialise(node: Any) -> Any:
        narrow = node._attrs["output_type"].name == "int32"

        def kernel(x: torch.Tensor, dimension: np.ndarray) -> torch.Tensor:
            axis, rank = int(dimension), x.dim()
            if not -rank <= axis < rank:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Expected dimension in the range [{-rank}, {rank}), but got {axis}",
                )
            if x.shape[axis] == 0:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Reduction axis {axis % rank} is empty in shape "
                    f"[{','.join(map(str, x.shape))}]",
                )
            if x.numel() == 0:
                shape = [n for i, n in enumerate(x.shape) if i != axis % rank]
                found = x.new_empty(shape, dtype=torch.int64)
            else:
                found = function(x, axis)
                if x.is_floating_point():
                    best = x.gather(axis, found.unsqueeze(axis)) if rank else x
                    if _any_nan(best):
                        found = function(_without_nan(x, name == "ArgMax"), axis)
            return found.to(torch.int32) if narrow else found

        return kernel

    specialise.__doc__ = f"{name}: the first position of the extreme along a dimension."
    return specialise


op("ArgMax", shape=_arg_shape, specialise=True, host=("dimension",))(
    _position("ArgMax", torch.argmax)
)
op("ArgMin", shape=_arg_shape, specialise=True, host=("dimension",))(
    _position("ArgMin", torch.argmin)
)


# -- sums of several tensors -----------------------------------------------------------------------


def _same_shapes(node_type: str, values: list[torch.Tensor]) -> errors.InvalidArgumentError | None:
    first = values[0].shape
    for i, value in enumerate(values):
        if value.shape != first:
            a, b = (",".join(map(str, s)) for s in (first, value.shape))
            return errors.InvalidArgumentError(
                None,
                None,
                f"Inputs to operation {node_type} of type {node_type} must have the same size and "
                f"shape.  Input 0: [{a}] != input {i}: [{b}]",
            )
    return None


def _add_all(node: Any) -> Any:
    count, name = len(node._inputs), node.name
    kind = node.type
    if node._outputs[0].dtype.base_dtype is dtypes.variant:  # lists of tensors know how to add
        return lambda values: functools.reduce(operator.add, values)

    def kernel(values: list[torch.Tensor]) -> torch.Tensor:
        shape = values[0].shape
        for i in range(1, count):
            if values[i].shape != shape:
                error = _same_shapes(kind, values)
                assert error is not None
                error._message = error._message.replace(f"operation {kind}", f"operation {name}", 1)
                raise error
        if count == 1:
            return values[0].clone()
        total = values[0] + values[1]
        for i in range(2, count):
            total += values[i]
        return total

    return kernel


def _add_shape(node: Any) -> list[Any]:
    whole: Sizes = None
    for i in range(len(node._inputs)):
        static = sizes(node, i)
        try:
            whole = merge(whole, static)
        except ShapeError:
            raise _not_equal(whole, static) from None
    return [whole]


def _not_equal(a: Any, b: Any) -> ShapeError:
    if len(a) != len(b):
        words = f"Shapes must be equal rank, but are {len(a)} and {len(b)}"
        return ShapeError(f"{words}\n\tFrom merging shape 0 with other shapes.")
    place = next(
        i for i, (x, y) in enumerate(zip(a, b, strict=True)) if None not in (x, y) and x != y
    )
    return ShapeError(
        f"Dimension {place} in both shapes must be equal, but are {a[place]} and {b[place]}. "
        f"Shapes are {text(a)} and {text(b)}.\n\tFrom merging shape 0 with other shapes."
    )


op("AddN", shape=_add_shape, specialise=True)(_add_all)


@op("AccumulateNV2", shape=shape_rules.from_attr("shape"), specialise=True)
def AccumulateNV2(node: Any) -> Any:
    """The sum of tensors of one shape."""
    return _add_all(node)


# -- running sums ----------------------------------------------------------------------------------


def _axis(x: torch.Tensor, axis: np.ndarray) -> int:
    rank, place = x.dim(), int(axis)
    if not -rank <= place < rank:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"ScanOp: Expected scan axis in the range [{-rank}, {rank}), but got {place}",
        )
    return place % rank


def _scan(
    x: torch.Tensor,
    axis: int,
    run: Callable[[torch.Tensor, int], torch.Tensor],
    start: float | None,
    exclusive: bool,
    reverse: bool,
) -> torch.Tensor:
    """Running values along an axis; exclusive ones begin with `start` and leave out the last.

    A `start` of None is the lowest number of the type.
    """
    if start is None:
        start = torch.finfo(x.dtype).min
    if reverse:
        x = torch.flip(x, (axis,))
    if exclusive and x.shape[axis]:
        first = torch.full_like(x.narrow(axis, 0, 1), start)
        x = torch.cat([first, x.narrow(axis, 0, x.shape[axis] - 1)], axis)
    result = run(x, axis) if x.numel() else x.clone()
    return torch.flip(result, (axis,)) if reverse else result


def _running(run: Callable[[torch.Tensor, int], torch.Tensor], start: float | None) -> Any:
    def specialise(node: Any) -> Any:
        exclusive = bool(node._attrs["exclusive"])
        reverse = bool(node._attrs["reverse"])

        def kernel(x: torch.Tensor, axis: np.ndarray) -> torch.Tensor:
            if x.dim() == 0:
                return x.clone()
            return _scan(x, _axis(x, axis), run, start, exclusive, reverse)

        return kernel

    return specialise


op("Cumsum", shape=same, specialise=True, host=("axis",))(
    _running(lambda x, axis: torch.cumsum(x, axis, dtype=x.dtype), 0)
)
op("Cumprod", shape=same, specialise=True, host=("axis",))(
    _running(lambda x, axis: torch.cumprod(x, axis, dtype=x.dtype), 1)
)
op("CumulativeLogsumexp", shape=same, specialise=True, host=("axis",))(
    _running(torch.logcumsumexp, None)
)
