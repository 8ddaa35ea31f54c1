"""`tf.data` at run time: what the value of a dataset tensor is, and how it is walked through.

A dataset is a description; `iterate(context)` starts a pass over it. An element is a tuple of
values, each in the kind in which function bodies take it (a torch tensor, an object array of bytes,
a dataset), or a `Slice` that stands for row `index` of some tensors: elements that are only moved
about are never made. Iterators are objects with `__next__`, so that one can go on after an error.

`context` belongs to one initialisation of an iterator, and keeps what outlives a pass: the seeds of
reshuffling, cached elements.
"""

from __future__ import annotations

import copy
import functools
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from relight.engine import control, origins
from relight.engine.dataset_ahead import Ahead, at_leisure, is_quiet
from relight.engine.random import DatasetShuffle, IterationSeeds
from relight.engine.random.shuffle import sequential_words
from relight.graph import errors

Element = Any
Context = dict[Any, Any]
_AUTOTUNE = -1
_AUTOTUNED_BUFFER = 4
_AHEAD_IF_SMALL = 128


def invalid(message: str) -> errors.InvalidArgumentError:
    """An InvalidArgumentError whose node is named later."""
    return errors.InvalidArgumentError(None, None, message)


class Slice:
    """Row `index` of each of some tensors."""

    __slots__ = ("components", "index")

    def __init__(self, components: list[Any], index: int):
        self.components = components
        self.index = index


class Row(Slice):
    """Row `index` of tensors that were made for some elements, maybe with its place in a file."""

    __slots__ = ("origin",)

    def __init__(self, components: list[Any], index: int, origin: Any = None):
        super().__init__(components, index)
        self.origin = origin

    def alone(self) -> Element:
        """The element by itself, without the memory of the others."""
        values = [c[self.index, ...] for c in self.components]
        copies = tuple(v.clone() if isinstance(v, torch.Tensor) else v.copy() for v in values)
        return copies if self.origin is None else origins.FromFile.of(copies, self.origin)


def _alone(element: Element) -> Element:
    return element.alone() if type(element) is Row else element


def values_of(element: Element) -> tuple[Any, ...]:
    """The values of an element."""
    if isinstance(element, Slice):
        i = element.index
        return tuple(c[i] if isinstance(c, torch.Tensor) else c[i, ...] for c in element.components)
    return element


class Function:
    """A function body with its captured values."""

    def __init__(self, state: Any, node: Any, attr: str, captured: list[Any]):
        self._body = control.Body(node, attr)
        self._state = state
        self._captured = captured

    @functools.cached_property
    def is_quiet(self) -> bool:
        """Whether nobody can tell when it is called, and how often."""
        handles = any(not isinstance(c, (torch.Tensor, np.ndarray)) for c in self._captured)
        return not handles and is_quiet(self._state, self._body)

    @functools.cached_property
    def rows(self) -> Any:
        """The same for many elements at once (`dataset_blocks.RowFunction`), or None."""
        from relight.engine.dataset_blocks import CannotBatchError, RowFunction

        if not self.is_quiet or self._state.device.type != "cpu":
            return None
        try:
            return RowFunction(self._state, self._body, self._captured)
        except CannotBatchError:
            return None

    @functools.cached_property
    def order_matters(self) -> bool:
        """Whether what it does depends on the order of its calls."""
        from relight.engine.dataset_threads import order_matters

        return order_matters(self._body)

    def __call__(self, element: Element) -> tuple[Any, ...]:
        values = [*values_of(element), *self._captured]
        origin = getattr(element, "origin", None)
        try:
            found = control.run_body(self._body.plan(values), self._state, values)
        except errors.OpError as error:
            if origin is not None:
                origins.add(error, origin)
            raise
        return tuple(found) if origin is None else origins.FromFile.of(found, origin)


class Dataset:
    """A dataset made of others (`inputs`).

    `shares_memory`: whether the values of elements may be kept by the dataset, or be those of
    other elements.
    """

    shares_memory = True

    def __init__(self, state: Any, node: Any, *inputs: Dataset):
        self.state = state
        self.node = node
        self.inputs = list(inputs)

    def iterate(self, context: Context) -> Iterator[Element]:
        """Start a pass."""
        raise NotImplementedError(type(self).__name__)

    def is_quiet(self) -> bool:
        """Whether nobody can tell when its elements are made, and how many are never asked for."""
        functions = [f for f in vars(self).values() if isinstance(f, Function)]
        return all(f.is_quiet for f in functions) and all(d.is_quiet() for d in self.inputs)

    def _of_input(self) -> bool:
        return self.inputs[0].shares_memory


class Pass(Dataset):
    """The input itself: for settings that change nothing here."""

    def __init__(self, state: Any, node: Any, source: Dataset, *_: Any):
        super().__init__(state, node, source)

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]

    def iterate(self, context: Context) -> Iterator[Element]:
        return self.inputs[0].iterate(context)


class Optimize(Pass):
    """The input, with the rewrites that change the order of random elements.

    `shuffle` directly followed by `repeat` draws from one stream for all passes.
    """

    def __init__(self, state: Any, node: Any, source: Dataset, optimizations: np.ndarray):
        if b"shuffle_and_repeat_fusion" in optimizations.ravel().tolist():
            source = _fused(source)
        super().__init__(state, node, source)


def _fused(dataset: Dataset) -> Dataset:
    if not dataset.inputs:
        return dataset
    changed = copy.copy(dataset)
    changed.inputs = [_fused(d) for d in dataset.inputs]
    if isinstance(changed, Repeat) and isinstance(changed.inputs[0], Shuffle):
        shuffle = changed.inputs[0]
        if shuffle.reshuffle:
            fused = copy.copy(shuffle)
            fused.count = changed.count
            return fused
    return changed


# -- sources -------------------------------------------------------------------------------------


class TensorDataset(Dataset):
    """One element."""

    def __init__(self, state: Any, node: Any, components: list[Any]):
        super().__init__(state, node)
        self._element = tuple(components)

    def iterate(self, context: Context) -> Iterator[Element]:
        return iter((self._element,))


class TensorSlice(Dataset):
    """One element for each entry of dimension 0."""

    def __init__(self, state: Any, node: Any, components: list[Any]):
        super().__init__(state, node)
        self._components = components
        sizes = {c.shape[0] for c in components}
        if len(sizes) > 1:
            raise invalid(
                "All components of a sliced dataset must have the same size in the 0th dimension, "
                f"got {[c.shape[0] for c in components]}"
            )
        (self._size,) = sizes

    def iterate(self, context: Context) -> Iterator[Element]:
        return map(Slice, _same(self._components), range(self._size))


def _same(value: Any) -> Iterator[Any]:
    while True:
        yield value


class Range(Dataset):
    """Integers from start to stop."""

    def __init__(self, state: Any, node: Any, start: Any, stop: Any, step: Any):
        super().__init__(state, node)
        if int(step) == 0:
            raise invalid("step must be a non-zero integer.")
        self._range = range(int(start), int(stop), int(step))

    def iterate(self, context: Context) -> Iterator[Element]:
        for value in self._range:
            yield (torch.tensor(value, dtype=torch.int64),)


class Random(Dataset):
    """Random 32-bit words, the same in each pass when seeded."""

    def __init__(self, state: Any, node: Any, seed: Any, seed2: Any):
        super().__init__(state, node)
        self._seeds = int(seed), int(seed2)

    def iterate(self, context: Context) -> Iterator[Element]:
        words = sequential_words(*self._seeds)
        while True:
            yield (torch.tensor(words.uint32(), dtype=torch.int64),)


class Generator(Dataset):
    """Elements that a function gives until it raises OutOfRangeError."""

    def __init__(self, state: Any, node: Any, init: list[Any], following: list[Any], last: list):
        super().__init__(state, node)
        self._init = Function(state, node, "init_func", init)
        self._next = Function(state, node, "next_func", following)
        self._finalize = Function(state, node, "finalize_func", last)

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Generated(self._init, self._next, self._finalize)


class _Generated:
    def __init__(self, init: Function, following: Function, finalize: Function):
        self._init, self._next, self._finalize = init, following, finalize
        self._state: tuple[Any, ...] | None = None
        self._ended = False

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        if self._ended:
            raise StopIteration
        if self._state is None:
            self._state = self._init(())
        try:
            return self._next(self._state)
        except errors.OutOfRangeError:
            self._ended = True
            self._finalize(self._state)
            raise StopIteration from None


# -- joining -------------------------------------------------------------------------------------


class Zip(Dataset):
    """Elements of all inputs side by side, as many as the shortest has."""

    def __init__(self, state: Any, node: Any, inputs: list[Dataset]):
        super().__init__(state, node, *inputs)

    def iterate(self, context: Context) -> Iterator[Element]:
        return map(_joined, *(d.iterate(context) for d in self.inputs))


def _joined(*elements: Element) -> Element:
    return tuple(v for e in elements for v in values_of(e))


class Concatenate(Dataset):
    """One input after the other."""

    def iterate(self, context: Context) -> Iterator[Element]:
        for dataset in self.inputs:
            yield from dataset.iterate(context)


class Repeat(Dataset):
    """`count` passes over the input, without end when it is negative."""

    def __init__(self, state: Any, node: Any, source: Dataset, count: Any):
        super().__init__(state, node, source)
        self.count = int(count)

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Repeated(self.inputs[0], self.count, context)


class _Repeated:
    def __init__(self, source: Dataset, count: int, context: Context):
        self._source, self._left, self._context = source, count, context
        self._current: Iterator[Element] | None = None

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        while self._left != 0:
            fresh = self._current is None
            if self._current is None:
                self._current = self._source.iterate(self._context)
            try:
                return next(self._current)
            except StopIteration:
                self._current = None
                if self._left > 0:
                    self._left -= 1
                elif fresh:  # an empty input would be repeated without end
                    self._left = 0
        raise StopIteration


class Counted(Dataset):
    """Part of the input by counting."""

    def __init__(self, state: Any, node: Any, source: Dataset, count: Any):
        super().__init__(state, node, source)
        self._count = int(count)

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]


class Take(Counted):
    """The first elements; all when the count is negative."""

    def iterate(self, context: Context) -> Iterator[Element]:
        source = self.inputs[0].iterate(context)
        return source if self._count < 0 else _Taken(source, self._count)


class _Taken:
    def __init__(self, source: Iterator[Element], count: int):
        self._source, self._left = source, count

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        if self._left <= 0:
            raise StopIteration
        element = next(self._source)
        self._left -= 1
        return element


class Skip(Counted):
    """All but the first elements; none when the count is negative."""

    def iterate(self, context: Context) -> Iterator[Element]:
        if self._count < 0:
            return iter(())
        return _Skipped(self.inputs[0].iterate(context), self._count)


class _Skipped:
    def __init__(self, source: Iterator[Element], count: int):
        self._source, self._left = source, count

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        while self._left > 0:
            self._left -= 1
            next(self._source)
        return next(self._source)


class Shard(Dataset):
    """Every `num_shards`-th element, from `index` on."""

    def __init__(self, state: Any, node: Any, source: Dataset, num_shards: Any, index: Any):
        super().__init__(state, node, source)
        self._count, self._index = int(num_shards), int(index)
        if self._count < 1:
            raise invalid(
                f"Number of shards must be greater than zero (currently num_shards = "
                f"{self._count})."
            )
        if not 0 <= self._index < self._count:
            raise invalid(
                f"Index must be between 0 and {self._count - 1} (currently index = {self._index})."
            )

    def iterate(self, context: Context) -> Iterator[Element]:
        for i, element in enumerate(self.inputs[0].iterate(context)):
            if i % self._count == self._index:
                yield element


class Shuffle(Dataset):
    """Random order out of a buffer; `count` passes when it stands for a repeat, too."""

    def __init__(
        self,
        state: Any,
        node: Any,
        source: Dataset,
        buffer_size: Any,
        seed: Any,
        seed2: Any,
        count: Any = None,
    ):
        super().__init__(state, node, source)
        self._buffer_size = int(buffer_size)
        if self._buffer_size <= 0:
            raise invalid("buffer_size must be greater than zero.")
        self._seeds = int(seed), int(seed2)
        self.count = None if count is None else int(count)
        self.reshuffle = node._attrs.get("reshuffle_each_iteration", False)

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]

    def iterate(self, context: Context) -> Iterator[Element]:
        if self.count == 0:
            return iter(())
        seeds = self._seeds
        if self.count is None and self.reshuffle:
            generator = context.setdefault(self, IterationSeeds(*seeds))
            seeds = generator.next_seeds()
        source = self.inputs[0]
        return DatasetShuffle(
            # A row in the buffer would keep the rows that were made with it.
            lambda: map(_alone, source.iterate(context)),
            self._buffer_size,
            *seeds,
            self.count or 1,
        )


class Cache(Dataset):
    """Elements of the first whole pass, kept for the later ones: in memory, or in files."""

    def __init__(self, state: Any, node: Any, source: Dataset, filename: Any):
        super().__init__(state, node, source)
        self._path = filename.item().decode("utf-8", "surrogateescape")

    def is_quiet(self) -> bool:
        """Not when it writes files."""
        return not self._path and super().is_quiet()

    def iterate(self, context: Context) -> Iterator[Element]:
        if self._path:
            from relight.engine.dataset_cache import FileCache

            return FileCache(self.state, self.node, self.inputs[0], self._path).iterate(context)
        return self._from_memory(context)

    def _from_memory(self, context: Context) -> Iterator[Element]:
        known = context.get(self)
        if known is not None:
            yield from known
            return
        elements = []
        for element in self.inputs[0].iterate(context):
            elements.append(element)
            yield element
        context[self] = elements


# -- functions -----------------------------------------------------------------------------------


class Map(Dataset):
    """A function of each element."""

    def __init__(self, state: Any, node: Any, source: Dataset, captured: list[Any], *parallel: Any):
        super().__init__(state, node, source)
        self._function = Function(state, node, "f", captured)
        self._ahead = int(parallel[0]) if parallel else 0
        if parallel and self._ahead < 1 and self._ahead != _AUTOTUNE:
            raise invalid("num_parallel_calls must be greater than zero.")

    def iterate(self, context: Context) -> Iterator[Element]:
        from relight.engine.dataset_blocks import mapped

        function, source = self._function, self.inputs[0].iterate(context)
        if not self._ahead:
            return mapped(function, self.inputs[0], source)
        threads = os.cpu_count() or 1 if self._ahead == _AUTOTUNE else self._ahead
        rows = function.rows if self.inputs[0].is_quiet() else None
        small = rows is not None and rows.is_small
        if threads > 1 and not function.order_matters and not small:
            from relight.engine.dataset_threads import Together

            return Together(self.state, function, source, threads)
        # One thread ahead keeps the order of what random operations in the function draw.
        elements = mapped(function, self.inputs[0], source)
        if small:
            return Ahead(self.state, elements, _AHEAD_IF_SMALL, few=_AHEAD_IF_SMALL // 2)
        return Ahead(self.state, elements, max(threads, _AUTOTUNED_BUFFER))


class Filter(Dataset):
    """The elements for which a function gives True."""

    def __init__(self, state: Any, node: Any, source: Dataset, captured: list[Any]):
        super().__init__(state, node, source)
        self._function = Function(state, node, "predicate", captured)

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]

    def iterate(self, context: Context) -> Iterator[Element]:
        return filter(self._holds, self.inputs[0].iterate(context))

    def _holds(self, element: Element) -> bool:
        (answer,) = self._function(element)
        if answer.ndim != 0:
            raise invalid("Filter predicate `f` must return a scalar bool.")
        return bool(answer)


class TakeWhile(Filter):
    """The elements before the first for which a function gives False."""

    def iterate(self, context: Context) -> Iterator[Element]:
        for element in self.inputs[0].iterate(context):
            if not self._holds(element):
                return
            yield element


class FlatMap(Dataset):
    """The elements of the datasets that a function makes of each element."""

    def __init__(self, state: Any, node: Any, source: Dataset, captured: list[Any]):
        super().__init__(state, node, source)
        self._function = Function(state, node, "f", captured)

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Flattened(self._function, self.inputs[0].iterate(context))


class _Flattened:
    def __init__(self, function: Function, source: Iterator[Element]):
        self._function, self._source = function, source
        self._current: Iterator[Element] | None = None

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        while True:
            if self._current is None:
                (made,) = self._function(next(self._source))
                self._current = made.iterate({})
            try:
                return next(self._current)
            except StopIteration:
                self._current = None


class Interleave(Dataset):
    """Elements of `cycle_length` datasets in turn, `block_length` from each at a time."""

    def __init__(
        self,
        state: Any,
        node: Any,
        source: Dataset,
        captured: list[Any],
        cycle: Any,
        block: Any,
        *_: Any,
    ):
        super().__init__(state, node, source)
        self._function = Function(state, node, "f", captured)
        self._cycle = int(cycle) if int(cycle) != _AUTOTUNE else os.cpu_count() or 1
        self._block = int(block)
        if self._cycle <= 0:
            raise invalid("cycle_length must be greater than zero.")
        if self._block <= 0:
            raise invalid("block_length must be greater than zero.")
        self._parallel = "Parallel" in node.type

    def iterate(self, context: Context) -> Iterator[Element]:
        turns = _Interleaved(
            self._function, self.inputs[0].iterate(context), self._cycle, self._block
        )
        if self._parallel:
            return Ahead(self.state, turns, self._cycle * self._block + 1)
        return turns


class _Interleaved:
    def __init__(self, function: Function, source: Iterator[Element], cycle: int, block: int):
        self._function, self._block = function, block
        self._source: Iterator[Element] | None = source
        self._open: list[Iterator[Element] | None] = [None] * cycle
        self._place = self._taken = self._count = 0

    def __iter__(self) -> Iterator[Element]:
        return self

    def _advance(self) -> None:
        self._place = (self._place + 1) % len(self._open)
        self._taken = 0

    def __next__(self) -> Element:
        while self._source is not None or self._count:
            current = self._open[self._place]
            if current is not None:
                try:
                    element = next(current)
                except StopIteration:
                    self._open[self._place] = None
                    self._count -= 1
                    self._advance()
                    continue
                self._taken += 1
                if self._taken == self._block:
                    self._advance()
                return element
            if self._source is None:
                self._advance()
                continue
            try:
                element = next(self._source)
            except StopIteration:
                self._source = None
                continue
            (made,) = self._function(element)
            self._open[self._place] = made.iterate({})
            self._count += 1
        raise StopIteration


class IgnoreErrors(Dataset):
    """The elements that can be computed."""

    def iterate(self, context: Context) -> Iterator[Element]:
        source = self.inputs[0].iterate(context)
        while True:
            try:
                element = next(source)
            except StopIteration:
                return
            except (errors.OpError, ValueError, RuntimeError) as error:
                if isinstance(error, errors.CancelledError):
                    raise
                continue
            yield element


def reduce(state: Any, node: Any, source: Dataset, initial: list[Any], captured: list[Any]) -> Any:
    """Fold all elements into a state with a function of (state, element)."""
    function = Function(state, node, "f", captured)
    carried = tuple(initial)
    for element in source.iterate({}):
        carried = function((*carried, *values_of(element)))
    return list(carried)


# -- iterators -----------------------------------------------------------------------------------


class Prefetch(Dataset):
    """The input, a number of elements ahead in a thread."""

    def __init__(self, state: Any, node: Any, source: Dataset, buffer_size: Any):
        super().__init__(state, node, source)
        self._size = int(buffer_size)
        if self._size < _AUTOTUNE:
            raise invalid("buffer_size must be >= 0")

    shares_memory = property(Dataset._of_input)  # type: ignore[assignment]

    def iterate(self, context: Context) -> Iterator[Element]:
        source = self.inputs[0].iterate(context)
        if self._size == 0:
            return source
        return Ahead(self.state, source, self._size if self._size > 0 else _AUTOTUNED_BUFFER)


class IteratorResource:
    """The place in a dataset that `get_next` moves on. Safe to use from many threads."""

    def __init__(self, make: Callable[[], Dataset] | None = None):
        self._make = make
        self._elements: Iterator[Element] | None = None
        self._copies = True
        self._lock = threading.Lock()

    def initialize(self, dataset: Dataset) -> None:
        """Begin a dataset."""
        elements = dataset.iterate({})
        with self._lock:
            self._begin(dataset, elements)

    def _begin(self, dataset: Dataset, elements: Iterator[Element]) -> Iterator[Element]:
        self._elements = at_leisure(dataset, elements)
        self._copies = dataset.shares_memory
        return self._elements

    def get_next(self) -> list[Any]:
        """The values of the next element. OutOfRangeError at the end."""
        with self._lock:
            elements = self._elements
            if elements is None:
                if self._make is None:
                    raise errors.FailedPreconditionError(
                        None,
                        None,
                        "GetNext() failed because the iterator has not been initialized. Ensure "
                        "that you have run the initializer operation for this iterator before "
                        "getting the next element.",
                    )
                dataset = self._make()
                elements = self._begin(dataset, dataset.iterate({}))
            try:
                found = values_of(next(elements))
            except StopIteration:
                raise errors.OutOfRangeError(None, None, "End of sequence") from None
        return [_copied(v) for v in found] if self._copies else list(found)


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    return value.copy() if isinstance(value, np.ndarray) else value
