"""Datasets that join elements into batches, and part batches into elements."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from relight.engine.datasets import (
    Context,
    Dataset,
    Element,
    Function,
    Slice,
    invalid,
    values_of,
)
from relight.graph import errors

_SHORTEST_GROUP = 4  # of rows of the same tensors, on average


def shape_text(value: Any) -> str:
    """A shape as messages write it."""
    return "[" + ",".join(str(s) for s in value.shape) + "]"


def stacked(elements: Sequence[Element]) -> tuple[Any, ...]:
    """Elements joined along a new dimension 0. InvalidArgumentError when their shapes differ."""
    if isinstance(elements[0], Slice):
        joined = _slices(elements)
        if joined is not None:
            return joined
    columns = zip(*map(values_of, elements), strict=True)
    return tuple(_stack(i, column) for i, column in enumerate(columns))


def _slices(elements: Sequence[Element]) -> tuple[Any, ...] | None:
    """The same for rows of few tensors; None for other elements and for rows that differ."""
    groups: list[tuple[list[Any], list[int]]] = []
    for element in elements:
        if not isinstance(element, Slice):
            return None
        if not groups or groups[-1][0] is not element.components:
            groups.append((element.components, []))
        groups[-1][1].append(element.index)
    if len(groups) > 1 + len(elements) // _SHORTEST_GROUP:
        return None
    parts = [_rows(*group) for group in groups]
    if len(parts) == 1:
        return parts[0]
    columns = list(zip(*parts, strict=True))
    if any(v.shape[1:] != column[0].shape[1:] for column in columns for v in column):
        return None
    return tuple(
        torch.cat(column) if isinstance(column[0], torch.Tensor) else np.concatenate(column)
        for column in columns
    )


def _rows(components: list[Any], places: list[int]) -> tuple[Any, ...]:
    """The rows at some places, all at once."""
    start, count = places[0], len(places)
    if places == list(range(start, start + count)):
        return tuple(
            c[start : start + count].clone()
            if isinstance(c, torch.Tensor)
            else c[start : start + count].copy()
            for c in components
        )
    index = torch.tensor(places)
    return tuple(
        c.index_select(0, index) if isinstance(c, torch.Tensor) else c[places] for c in components
    )


def _stack(component: int, column: Sequence[Any]) -> Any:
    first = column[0]
    if not isinstance(first, (torch.Tensor, np.ndarray)):  # datasets and other handles
        batch = np.empty(len(column), np.object_)
        batch[:] = column
        return batch
    for i, value in enumerate(column):
        if value.shape != first.shape:
            raise invalid(
                f"Cannot batch tensors with different shapes in component {component}. First "
                f"element had shape {shape_text(first)} and element {i} had shape "
                f"{shape_text(value)}."
            )
    return torch.stack(list(column)) if isinstance(first, torch.Tensor) else np.stack(column)


class _Batched:
    """`size` elements at a time, joined by `join`; the rest is dropped or comes last."""

    def __init__(self, source: Iterator[Element], size: int, drop: bool, join: Any):
        self._source, self._size, self._drop, self._join = source, size, drop, join
        self._ended = False

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        if self._ended:
            raise StopIteration
        elements: list[Any] = []
        while len(elements) < self._size:
            try:
                elements.append(next(self._source))
            except StopIteration:
                self._ended = True
                if not elements or self._drop:
                    raise
                break
        return self._join(elements)


class Batch(Dataset):
    """Elements joined along a new dimension 0."""

    shares_memory = False

    def __init__(
        self, state: Any, node: Any, source: Dataset, batch_size: Any, drop_remainder: Any = False
    ):
        super().__init__(state, node, source)
        self._size, self._drop = int(batch_size), bool(drop_remainder)
        if self._size <= 0:
            raise invalid("Batch size must be greater than zero.")

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Batched(self.inputs[0].iterate(context), self._size, self._drop, stacked)


class MapAndBatch(Batch):
    """A function of each element, in batches."""

    def __init__(
        self,
        state: Any,
        node: Any,
        source: Dataset,
        captured: list[Any],
        batch_size: Any,
        num_parallel_calls: Any,
        drop_remainder: Any,
    ):
        super().__init__(state, node, source, batch_size, drop_remainder)
        self._function = Function(state, node, "f", captured)

    def iterate(self, context: Context) -> Iterator[Element]:
        from relight.engine.dataset_blocks import mapped

        source = mapped(self._function, self.inputs[0], self.inputs[0].iterate(context))
        return _Batched(source, self._size, self._drop, stacked)


class PaddedBatch(Dataset):
    """Elements joined along a new dimension 0, each filled up to a common shape.

    A size of -1 in `padded_shapes` stands for the largest of the batch.
    """

    shares_memory = False

    def __init__(
        self,
        state: Any,
        node: Any,
        source: Dataset,
        batch_size: Any,
        padded_shapes: list[Any],
        padding_values: list[Any],
        drop_remainder: Any = False,
    ):
        super().__init__(state, node, source)
        self._size, self._drop = int(batch_size), bool(drop_remainder)
        if self._size <= 0:
            raise invalid("Batch size must be greater than zero.")
        self._shapes = [s.tolist() for s in padded_shapes]
        self._fills = padding_values

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Batched(self.inputs[0].iterate(context), self._size, self._drop, self._join)

    def _join(self, elements: list[Element]) -> Element:
        columns = zip(*map(values_of, elements), strict=True)
        return tuple(
            self._pad(i, column, shape, fill)
            for i, (column, shape, fill) in enumerate(
                zip(columns, self._shapes, self._fills, strict=True)
            )
        )

    @staticmethod
    def _pad(i: int, column: Sequence[Any], wanted: list[int], fill: Any) -> Any:
        for value in column:
            if value.ndim != len(wanted):
                raise invalid(
                    "All elements in a batch must have the same rank as the padded shape for "
                    f"component {i}: expected rank {len(wanted)} but got element with rank "
                    f"{value.ndim}"
                )
        largest = [max(sizes) for sizes in zip(*(v.shape for v in column), strict=True)]
        shape = []
        for axis, (size, most) in enumerate(zip(wanted, largest, strict=True)):
            if size == -1:
                shape.append(most)
            elif most > size:
                raise errors.DataLossError(
                    None,
                    None,
                    "Attempted to pad to a smaller size than the input element. (component "
                    f"{i}, dimension {axis}: {most} > {size})",
                )
            else:
                shape.append(size)
        if isinstance(column[0], torch.Tensor):
            batch: Any = column[0].new_full((len(column), *shape), fill.item())
        else:
            batch = np.full((len(column), *shape), fill.item(), np.object_)
        for row, value in zip(batch, column, strict=True):
            if value.ndim:
                row[tuple(slice(s) for s in value.shape)] = value
        if not shape:
            return _stack(i, column)
        return batch


class Unbatch(Dataset):
    """One element for each entry of dimension 0 of each element."""

    def iterate(self, context: Context) -> Iterator[Element]:
        for element in self.inputs[0].iterate(context):
            components = list(values_of(element))
            for i in range(components[0].shape[0]):
                yield Slice(components, i)


class _Held(Dataset):
    """Values of one component, each an element."""

    def __init__(self, state: Any, node: Any, values: list[Any]):
        super().__init__(state, node)
        self._values = values

    def iterate(self, context: Context) -> Iterator[Element]:
        return ((v,) for v in self._values)


class Window(Dataset):
    """Datasets of `size` elements that start `shift` elements apart, one a component."""

    def __init__(
        self, state: Any, node: Any, source: Dataset, size: Any, shift: Any, stride: Any, drop: Any
    ):
        super().__init__(state, node, source)
        self._size, self._shift, self._stride = int(size), int(shift), int(stride)
        self._drop = bool(drop)
        for name, value in (
            ("Window size", self._size),
            ("Window shift", self._shift),
            ("Window stride", self._stride),
        ):
            if value <= 0:
                raise invalid(f"{name} must be greater than zero.")

    def iterate(self, context: Context) -> Iterator[Element]:
        source = self.inputs[0].iterate(context)
        span = (self._size - 1) * self._stride + 1
        held: deque[Element] = deque()
        skip, ended = 0, False
        while True:
            while not ended and len(held) < span:
                try:
                    element = next(source)
                except StopIteration:
                    ended = True
                    break
                if skip:
                    skip -= 1
                else:
                    held.append(element)
            if not held or (self._drop and len(held) < span):
                return
            chosen = [values_of(held[i]) for i in range(0, min(span, len(held)), self._stride)]
            yield tuple(_Held(self.state, self.node, list(c)) for c in zip(*chosen, strict=True))
            for _ in range(min(self._shift, len(held))):
                held.popleft()
            skip = max(self._shift - span, 0) if not held and not ended else 0
            if ended and not held:
                return


class GroupByWindow(Dataset):
    """Elements of one key, gathered up to a window's size, then turned into a dataset."""

    def __init__(
        self,
        state: Any,
        node: Any,
        source: Dataset,
        key: list[Any],
        reduce: list[Any],
        size: list[Any],
    ):
        super().__init__(state, node, source)
        self._key = Function(state, node, "key_func", key)
        self._reduce = Function(state, node, "reduce_func", reduce)
        self._size = Function(state, node, "window_size_func", size)

    def iterate(self, context: Context) -> Iterator[Element]:
        groups: dict[int, list[Element]] = {}
        sizes: dict[int, int] = {}
        for element in self.inputs[0].iterate(context):
            (key,) = self._key(element)
            number = int(key)
            group = groups.setdefault(number, [])
            group.append(values_of(element))
            if number not in sizes:
                (size,) = self._size((key,))
                sizes[number] = int(size)
                if sizes[number] <= 0:
                    raise invalid(
                        f"Window size must be greater than zero, but got {sizes[number]}."
                    )
            if len(group) == sizes[number]:
                yield from self._finished(number, groups)
                del sizes[number]
        for number in sorted(groups):
            yield from self._finished(number, groups)

    def _finished(self, number: int, groups: dict[int, list[Element]]) -> Iterator[Element]:
        elements = groups.pop(number)
        held = Elements(self.state, self.node, elements)
        (made,) = self._reduce((torch.tensor(number), held))
        yield from made.iterate({})


class Elements(Dataset):
    """Given elements."""

    def __init__(self, state: Any, node: Any, elements: list[Element]):
        super().__init__(state, node)
        self._elements = elements

    def iterate(self, context: Context) -> Iterator[Element]:
        return iter(self._elements)


class Scan(Dataset):
    """A function of (state, element) that gives the next state and an element."""

    def __init__(
        self, state: Any, node: Any, source: Dataset, initial: list[Any], captured: list[Any]
    ):
        super().__init__(state, node, source)
        self._initial = initial
        self._function = Function(state, node, "f", captured)

    def iterate(self, context: Context) -> Iterator[Element]:
        carried = tuple(self._initial)
        count = len(carried)
        for element in self.inputs[0].iterate(context):
            found = self._function((*carried, *values_of(element)))
            carried = found[:count]
            yield found[count:]


class DirectedInterleave(Dataset):
    """Elements of several inputs in the order that a dataset of their numbers gives."""

    def __init__(self, state: Any, node: Any, selector: Dataset, inputs: list[Dataset]):
        super().__init__(state, node, selector, *inputs)

    def iterate(self, context: Context) -> Iterator[Element]:
        selector, *rest = self.inputs
        sources: list[Iterator[Element] | None] = [d.iterate(context) for d in rest]
        for chosen in selector.iterate(context):
            (number,) = values_of(chosen)
            place = int(number)
            if not 0 <= place < len(sources):
                raise invalid(f"Selector index out of range: {place} >= {len(sources)}")
            source = sources[place]
            if source is None:
                continue
            try:
                yield next(source)
            except StopIteration:
                sources[place] = None
                if all(s is None for s in sources):
                    return


class Unique(Dataset):
    """The first of equal elements (one component)."""

    def iterate(self, context: Context) -> Iterator[Element]:
        seen = set()
        for element in self.inputs[0].iterate(context):
            (value,) = values_of(element)
            key = value.item()
            if key not in seen:
                seen.add(key)
                yield element
