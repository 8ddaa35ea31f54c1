"""`map_fn`, `foldl`, `foldr`, `scan`: functions over the first axis of tensors, as loops."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions import nest
from relight.v1.functions.control_flow import while_loop
from relight.v1.functions.tensor_array import TensorArray
from relight.v1.functions.variable_scope import get_variable_scope


@contextlib.contextmanager
def caching_variables() -> Iterator[None]:
    """Variables that are made in this block cache what is read of them, unless the scope knows."""
    scope = get_variable_scope()
    if scope.caching_device is not None:
        yield
        return
    scope.set_caching_device(lambda op: op.device)
    try:
        yield
    finally:
        scope.set_caching_device(None)


class _Structure:
    """How a tensor or nested structure of tensors is opened and packed again."""

    def __init__(self, template: Any):
        self.template = template
        self.nested = nest.is_sequence(template)

    def flatten(self, value: Any) -> list[Any]:
        return nest.flatten(value) if self.nested else [value]

    def pack(self, values: Sequence[Any]) -> Any:
        return nest.pack_sequence_as(self.template, list(values)) if self.nested else values[0]


def _row_count(tensor: Tensor) -> Any:
    """The length of the first axis: an int when it is known, else a tensor."""
    sizes = tensor.shape._sizes
    if sizes and sizes[0] is not None:
        return sizes[0]
    return raw.StridedSlice(raw.Shape(tensor), [0], [1], [1], shrink_axis_mask=1)


def _common_rows(tensors: Sequence[Tensor]) -> TensorShape:
    rows = TensorShape([None])
    for tensor in tensors:
        rows = rows.merge_with(tensor.shape.with_rank_at_least(1)[:1])
    return rows


def _rows(tensor: Tensor, count: Any) -> TensorArray:
    return TensorArray(tensor.dtype.base_dtype, size=count).unstack(tensor)


def _loop(condition: Any, body: Any, variables: Any, count: Any, parallel: int, swap: bool) -> Any:
    return while_loop(
        condition,
        body,
        variables,
        parallel_iterations=parallel,
        swap_memory=swap,
        maximum_iterations=count,
    )


@export("map_fn")
def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`fn` of each row of `elems` ([n, ...] tensors), stacked: [n, ...].

    `dtype` gives the structure and types of what `fn` returns when they differ from those of
    `elems`. Raises TypeError for a sparse tensor or an `fn` that cannot be called, ValueError for
    scalars.
    """
    del back_prop
    if not callable(fn):
        raise TypeError("fn must be callable.")
    if isinstance(elems, SparseTensor):
        raise TypeError(
            "To perform a map on the values of a sparse tensor use either  "
            "SparseTensor(input.indices, fn(input.values), input.dense_shape) or  "
            "SparseTensor(input.indices, map_fn(fn, input.values), input.dense_shape)"
        )
    given = _Structure(elems)
    wanted = given if dtype is None else _Structure(dtype)
    flat = given.flatten(elems)
    with name_scope(name, "map", flat), caching_variables():
        flat = [convert_to_tensor(e, name="elem") for e in flat]
        types = [e.dtype.base_dtype for e in flat] if dtype is None else wanted.flatten(dtype)
        if flat[0].shape.rank == 0:
            raise ValueError(
                "elems must be a 1+ dimensional Tensor, not a scalar"
                if len(flat) == 1
                else "elements in elems must be 1+ dimensional Tensors, not scalars"
            )
        count = _row_count(flat[0])
        sources = [_rows(e, count) for e in flat]
        start = constant(0)
        results = [TensorArray(t, size=count, infer_shape=infer_shape) for t in types]

        def compute(i: Tensor, arrays: Any) -> Any:
            value = fn(given.pack([s.read(i) for s in sources]))
            nest.assert_same_structure(wanted.template, value)
            values = wanted.flatten(value)
            return i + 1, [a.write(i, v) for a, v in zip(arrays, values, strict=True)]

        _, results = _loop(
            lambda i, _: i < count,
            compute,
            (start, results),
            count,
            parallel_iterations or 10,
            swap_memory,
        )
        stacked = [r.stack() for r in results]
        rows = _common_rows(flat)
        for tensor in stacked:
            tensor.set_shape(rows.concatenate(tensor.shape[1:]))
        return wanted.pack(stacked)


def _fold(
    kind: str, fn: Any, elems: Any, initializer: Any, parallel: int, swap: bool, name: str | None
) -> Any:
    if not callable(fn):
        raise TypeError("fn must be callable.")
    backwards = kind == "foldr"
    with name_scope(name, kind, nest.flatten(elems)), caching_variables():
        flat = [convert_to_tensor(e, name="elem") for e in nest.flatten(elems)]
        count = _row_count(flat[0])
        sources = nest.pack_sequence_as(elems, [_rows(e, count) for e in flat])

        def row(i: Any) -> Any:
            return nest.map_structure(lambda array: array.read(i), sources)

        if initializer is None:
            i: Any = count - 1 if backwards else constant(1)
            value = row(i if backwards else 0)
        else:
            i, value = (count if backwards else constant(0)), initializer

        def compute(i: Tensor, value: Any) -> Any:
            if backwards:
                i = i - 1
                return [i, fn(value, row(i))]
            return [i + 1, fn(value, row(i))]

        condition = (lambda i, _: i > 0) if backwards else (lambda i, _: i < count)
        return _loop(condition, compute, [i, value], count, parallel, swap)[1]


@export("foldl")
def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(fn(fn(initializer, row 0), row 1), ...)` over the rows of `elems` ([n, ...] tensors).

    Without `initializer` the first row takes its place.
    """
    del back_prop
    return _fold("foldl", fn, elems, initializer, parallel_iterations, swap_memory, name)


@export("foldr")
def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, from the last row to the first.

    Without `initializer` the last row takes its place.
    """
    del back_prop
    return _fold("foldr", fn, elems, initializer, parallel_iterations, swap_memory, name)


@export("scan")
def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All that `foldl` goes through, stacked: [n, ...]; with `reverse` from the last row on."""
    del back_prop
    if not callable(fn):
        raise TypeError("fn must be callable.")
    given = _Structure(elems)
    kept = given if initializer is None else _Structure(initializer)
    flat = given.flatten(elems)
    with name_scope(name, "scan", flat), caching_variables():
        flat = [convert_to_tensor(e, name="elem") for e in flat]
        count = _row_count(flat[0])
        sources = [
            TensorArray(e.dtype.base_dtype, size=count, element_shape=e.shape[1:]).unstack(e)
            for e in flat
        ]
        first = count - 1 if reverse else 0
        if initializer is None:
            values = [s.read(first) for s in sources]
            i = 1
        else:
            values = [convert_to_tensor(v) for v in kept.flatten(initializer)]
            i = 0
        results = [
            TensorArray(
                v.dtype.base_dtype,
                size=count,
                element_shape=v.shape if infer_shape else None,
                infer_shape=infer_shape,
            )
            for v in values
        ]
        if initializer is None:
            results = [r.write(first, v) for r, v in zip(results, values, strict=True)]

        def compute(i: Tensor, values: Any, arrays: Any) -> Any:
            value = fn(kept.pack(values), given.pack([s.read(i) for s in sources]))
            nest.assert_same_structure(kept.template, value)
            flat_value = kept.flatten(value)
            arrays = [a.write(i, v) for a, v in zip(arrays, flat_value, strict=True)]
            return i - 1 if reverse else i + 1, flat_value, arrays

        start = convert_to_tensor(count - 1 - i if reverse else i, dtype=dtypes.int32)
        condition = (lambda i, *_: i >= 0) if reverse else (lambda i, *_: i < count)
        _, _, results = _loop(
            condition, compute, (start, values, results), count, parallel_iterations, swap_memory
        )
        stacked = [r.stack() for r in results]
        rows = _common_rows(flat)
        for tensor in stacked:
            tensor.set_shape(rows.concatenate(tensor.shape[1:]))
        return kept.pack(stacked)
