"""`tf.assert_rank`, `tf.assert_rank_in`, `tf.assert_scalar`, `tf.debugging.assert_shapes`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import rank as rank_of
from relight.ops.array_nodes import shape as shape_of
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value
from relight.v1.functions.checks import Assert, assert_type
from relight.v1.functions.control import group, no_op, with_dependencies


@export("debugging.assert_proper_iterable", "assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    """Raise TypeError for values that are no list-like thing: tensors, arrays, strings, scalars."""
    import numpy as np

    from relight.graph.composite import SparseTensor

    if isinstance(values, (Tensor, SparseTensor, np.ndarray, str, bytes)):
        raise TypeError(
            f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}'
        )
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def _rank_check(
    x: Tensor,
    ranks: list[Tensor],
    fits: Callable[[int, list[int]], bool],
    condition_of: Callable[[Tensor, list[Tensor]], Tensor],
    words: str,
    data: Any,
    summarize: int | None,
    message: str,
) -> Operation:
    for rank in ranks:
        assert_type(rank, dtypes.int32)
    static = [constant_value(r) for r in ranks]
    if all(s is not None for s in static):
        if any(s.ndim != 0 for s in static):
            raise ValueError("Rank must be a scalar.")
        found = x.shape.ndims
        given = [int(s) for s in static]
        if found is not None:
            if not fits(found, given):
                raise ValueError(
                    f"{message}.  Tensor {x.name} must have rank {words}"
                    f"{tuple(given) if words == 'in ' else given[0]}.  Received rank {found}, "
                    f"shape {x.shape}"
                )
            return no_op(name="static_checks_determined_all_ok")
    condition = condition_of(rank_of(x), ranks)
    for rank, value in zip(ranks, static, strict=True):
        if value is None:
            check = assert_rank(rank, 0, data=["Rank must be a scalar. Received rank: ", rank])
            condition = with_dependencies([check], condition)
    return Assert(condition, data, summarize=summarize)


@export("assert_rank", "debugging.assert_rank")
def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x has `rank` dimensions.

    ValueError at once when that is known.
    """
    with name_scope(name, "assert_rank", [x, rank, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        rank = convert_to_tensor(rank, name="rank")
        if data is None:
            data = [
                message or "",
                f"Tensor {x.name} must have rank",
                rank,
                "Received shape: ",
                shape_of(x),
            ]
        return _rank_check(
            x,
            [rank],
            lambda found, given: found == given[0],
            lambda found, given: raw.Equal(found, given[0]),
            "",
            data,
            summarize,
            message or "",
        )


@export("assert_rank_at_least", "debugging.assert_rank_at_least")
def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x has `rank` or more dimensions."""
    with name_scope(name, "assert_rank_at_least", [x, rank, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        rank = convert_to_tensor(rank, name="rank")
        if data is None:
            data = [
                message or "",
                f"Tensor {x.name} must have rank at least",
                rank,
                "Received shape: ",
                shape_of(x),
            ]
        return _rank_check(
            x,
            [rank],
            lambda found, given: found >= given[0],
            lambda found, given: raw.GreaterEqual(found, given[0]),
            "at least ",
            data,
            summarize,
            message or "",
        )


@export("assert_rank_in", "debugging.assert_rank_in")
def assert_rank_in(
    x: Any,
    ranks: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless the rank of x is one of `ranks`."""
    with name_scope(name, "assert_rank_in", [x, *ranks, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        ranks = [convert_to_tensor(r, name="rank") for r in ranks]
        if data is None:
            data = [
                message or "",
                f"Tensor {x.name} must have rank in",
                *ranks,
                "Received shape: ",
                shape_of(x),
            ]
        return _rank_check(
            x,
            ranks,
            lambda found, given: found in given,
            _one_of,
            "in ",
            data,
            summarize,
            message or "",
        )


def _one_of(found: Tensor, ranks: list[Tensor]) -> Tensor:
    if not ranks:
        return convert_to_tensor(False)
    result = raw.Equal(ranks[0], found)
    for rank in ranks[1:]:
        result = raw.LogicalOr(result, raw.Equal(rank, found))
    return result


@export("assert_scalar", "debugging.assert_scalar")
def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """The tensor itself; ValueError unless it is known to be a scalar."""
    with name_scope(name, "assert_scalar", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name=scope)
        if tensor.shape.ndims != 0:
            raise ValueError(
                f"{message or ''}Expected scalar shape for {tensor.name}, saw shape: "
                f"{tensor.shape}."
            )
        return tensor


# -- several shapes at once ----------------------------------------------------------------------


def _sizes(x: Tensor) -> Any:
    """The sizes of a tensor: integers where they are known, else scalar tensors."""
    from relight.v1.functions.control_flow import cond

    dynamic = shape_of(x)
    rank = x.shape.ndims
    if rank == 0:
        return (1,)
    if rank is not None:
        return [s if s is not None else dynamic[i] for i, s in enumerate(x.shape.as_list())]
    is_scalar = raw.Equal(rank_of(x), 0)
    return cond(is_scalar, lambda: constant([1]), lambda: dynamic)


def _known(size: Any) -> bool:
    if isinstance(size, (Tensor, str)) or size is None:
        return isinstance(size, str) and size.lstrip("-").isdigit()
    return hasattr(size, "__int__")


class _Constraint:
    """A tensor and the sizes (numbers, symbols, None) that it is said to have."""

    def __init__(self, tensor: Tensor, wanted: Any, message: str):
        if not (hasattr(wanted, "__iter__") or hasattr(wanted, "__getitem__")):
            raise ValueError(
                f"{message}.  Tensor {tensor.name}.  Specified shape must be an iterable.  An "
                "iterable has the attribute `__iter__` or `__getitem__`.  Received specified "
                f"shape: {wanted}"
            )
        symbols = tuple(wanted)
        self.open = False
        for i, symbol in enumerate(symbols):
            if symbol not in (Ellipsis, "*"):
                continue
            if i:
                raise ValueError(
                    f"{message}.  Tensor {tensor.name} specified shape index {i}.  Symbol `...` or "
                    "`*` for a variable number of unspecified dimensions is only allowed as the "
                    "first entry"
                )
            self.open = True
        self.tensor = tensor
        self.actual = _sizes(tensor)
        self.symbols = (symbols[1:] if self.open else symbols) or (1,)


@export("debugging.assert_shapes")
def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless tensors have the described shapes.

    `shapes` maps tensors to tuples of sizes, symbols that stand for one size each, None or "."
    (any size), and, first only, `...` or "*" (any dimensions). ValueError for what is known to
    fail.
    """
    pairs: Iterable[Any] = shapes.items() if isinstance(shapes, dict) else shapes
    message = message or ""
    with name_scope(name, "assert_shapes"):
        given = [(convert_to_tensor(x), s) for x, s in pairs if s is not None]
        constraints = [_Constraint(x, s, message) for x, s in given]
        options = {"data": data, "summarize": summarize, "message": message, "name": name}
        ranks = [c for c in (_rank_assertion(c, options) for c in constraints) if c is not None]
        sizes: list[Operation] = []
        known: dict[Any, tuple[Any, Tensor, int]] = {}
        check = functools.partial(_size_assertion, data=data, summarize=summarize, message=message)
        for constraint in constraints:
            sizes += _size_assertions(constraint, known, check)
        with get_default_graph().control_dependencies(ranks):
            return group(*sizes)


def _rank_assertion(c: _Constraint, options: dict[str, Any]) -> Operation | None:
    rank = len(c.symbols)
    if c.open:
        return None if rank <= 1 else assert_rank_at_least(x=c.tensor, rank=rank, **options)
    if rank <= 1:
        return assert_rank_in(x=c.tensor, ranks=[0, 1], **options)
    return assert_rank(x=c.tensor, rank=rank, **options)


def _size_assertions(c: _Constraint, known: dict, check: Callable[..., Any]) -> list[Operation]:
    result = []
    for i, symbol in enumerate(c.symbols):
        if symbol in (None, "."):
            continue
        place = i - len(c.symbols) if c.open else i
        actual = c.actual[place]
        if _known(symbol):
            made = check(c.tensor, place, actual, int(symbol), "Specified explicitly")
        elif symbol in known:
            size, by, at = known[symbol]
            made = check(
                c.tensor, place, actual, size, f"Specified by tensor {by.name} dimension {at}"
            )
        else:
            known[symbol] = (actual, c.tensor, place)
            continue
        if made is not None:
            result.append(made)
    return result


def _size_assertion(
    x: Tensor,
    place: int,
    actual: Any,
    wanted: Any,
    why: str,
    *,
    data: Any,
    summarize: Any,
    message: str,
) -> Operation | None:
    if _known(actual) and _known(wanted):
        if int(actual) != int(wanted):
            raise ValueError(
                f"{message}.  {why}.  Tensor {x.name} dimension {place} must have size {wanted}.  "
                f"Received size {actual}, shape {x.shape}"
            )
        return None
    condition = raw.Equal(convert_to_tensor(actual), convert_to_tensor(wanted))
    if data is None:
        data = [
            message,
            why,
            f"Tensor {x.name} dimension",
            place,
            "must have size",
            wanted,
            "Received shape: ",
            shape_of(x),
        ]
    return Assert(condition, data, summarize=summarize)
