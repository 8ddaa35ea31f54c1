"""`Dataset.map` for many elements in one run of the function's plan.

What a function of one small element costs is mostly the price of running a plan. `Blocks` takes
several elements from the source, at first one, then twice as many each time, and runs the function
as a `RowBatch`. It does so where nobody can tell (the function and the source are *quiet*): values,
their order and the places of errors are those of single calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from relight.engine import control, plan
from relight.engine.dataset_batches import stacked
from relight.engine.datasets import Element, Function, Row
from relight.engine.producers import DRAWS, Numbers
from relight.engine.row_batches import CannotBatchError, RowBatch

_MOST_ROWS = 64
_MOST_ROWS_SINGLY = 8  # when some steps run row by row anyway: less to wait for
_MOST_BYTES = 1 << 20  # of inputs and results, so that they stay in the processor's cache
_MOST_FAILURES = 3
_SMALL = 1 << 16  # bytes


class RowFunction:
    """A quiet function of many elements at once. CannotBatchError when it cannot be."""

    def __init__(self, state: Any, body: control.Body, captured: Sequence[Any]):
        if any(control.kind_of(t) == "R" for t in (*body.inputs, *body.outputs)):
            raise CannotBatchError("the function works with resources")
        self._state, self._captured = state, list(captured)
        drawing = [n for n in plan.prune(body.outputs, set(body.inputs)) if n.type in DRAWS]
        if any(n._control_inputs for n in drawing):
            raise CannotBatchError("a random operation waits for other ones")
        self._numbers = [Numbers(n) for n in drawing]
        drawn = [n._outputs[0] for n in drawing]
        made = plan.make(body.function, body.outputs, [*body.inputs, *drawn], body=True)
        assert made is not None
        count = len(body.inputs) - len(self._captured)
        varying = [*[True] * count, *[False] * len(self._captured), *[True] * len(drawn)]
        self._batch = RowBatch(made, varying)
        self.at_once = not self._batch.row_by_row
        # Rather one thread for many elements than one for each, as long as these are small.
        self.is_small = self.at_once and _bytes(body.outputs) <= _SMALL

    def __call__(self, columns: Sequence[Any], rows: int) -> list[Any]:
        """The results [rows, ...] of elements with these components [rows, ...]."""
        drawn = [torch.from_numpy(n.draw(self._state, rows)) for n in self._numbers]
        found = self._batch.run(self._state, rows, [*columns, *self._captured, *drawn])
        return [
            value if flag else _repeated(value, rows)
            for value, flag in zip(found, self._batch.flags, strict=True)
        ]


def _bytes(tensors: Sequence[Any]) -> float:
    """The size of values, infinite when it is not known."""
    total = 0.0
    for tensor in tensors:
        count = tensor.shape.num_elements()
        total += np.inf if count is None else count * max(tensor.dtype.base_dtype.size, 1)
    return total


def _repeated(value: Any, rows: int) -> Any:
    if isinstance(value, torch.Tensor):
        return value.expand(rows, *value.shape)
    return np.broadcast_to(value, (rows, *value.shape))


class Blocks:
    """An iterator of function(element), computed for some elements at a time."""

    def __init__(self, function: Function, rows: RowFunction, source: Iterator[Element]):
        self._function, self._rows, self._source = function, rows, source
        self._size, self._most = 1, _MOST_ROWS if rows.at_once else _MOST_ROWS_SINGLY
        self._made: deque[Element] = deque()
        self._singly: deque[Element] = deque()  # taken from the source, to be computed one by one
        self._error: Exception | None = None  # what the source raised after these
        self._ended = False
        self._failures = 0

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        while not self._made:
            if self._singly:
                return self._function(self._singly.popleft())
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._ended:
                raise StopIteration
            self._go_on()
        return self._made.popleft()

    def _go_on(self) -> None:
        """Take the next elements from the source, and compute them if they can be at once."""
        elements: list[Element] = []
        try:
            for _ in range(self._size):
                elements.append(next(self._source))
        except StopIteration:
            self._ended = True
        except Exception as error:  # it comes after the elements before it
            self._error = error
        if len(elements) < 2:
            self._singly.extend(elements)
        else:
            try:
                columns = stacked(elements)
                results = self._rows(columns, len(elements))
            except Exception:  # single calls tell which element fails, and why
                self._failures += 1
                if self._failures == _MOST_FAILURES:
                    self._size = self._most = 1  # nothing is taken ahead of time any more
                self._singly.extend(elements)
                return
            self._limit([*columns, *results], len(elements))
            for i, element in enumerate(elements):
                self._made.append(Row(results, i, getattr(element, "origin", None)))
        self._size = min(2 * self._size, self._most)

    def _limit(self, values: Sequence[Any], rows: int) -> None:
        size = sum(v.nbytes for v in values) // rows
        self._most = max(2, min(self._most, _MOST_BYTES // max(size, 1)))


def mapped(function: Function, dataset: Any, source: Iterator[Element]) -> Iterator[Element]:
    """function(element) for the elements of a pass over a dataset."""
    rows = function.rows
    if rows is None or not dataset.is_quiet():
        return map(function, source)
    return Blocks(function, rows, source)
