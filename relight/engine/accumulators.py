"""Accumulators: gradients from several workers are summed until enough of them have come.

A gradient that was computed at an older step than the accumulator's is dropped. Taking waits until
enough gradients are there, gives their mean (or sum), and begins anew at the next step.
"""

from __future__ import annotations

from typing import Any

import torch

from relight.engine.waits import Waits
from relight.graph import errors
from relight.ops.shape_rules import text


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


class Accumulator(Waits):
    """Sums dense gradients of one type and (partly known) shape. Safe to use from many threads.

    Args:
      name: how messages name it.
      shape: static sizes of a gradient, None when its rank is unknown.
      mean: whether the sum is divided by the number of gradients.
    """

    def __init__(self, name: str, shape: tuple[int | None, ...] | None, mean: bool):
        super().__init__("TakeGrad")
        self.name = name
        self.shape = shape
        self.mean = mean
        self.count = 0
        self.step = 0
        self._clear()

    def _clear(self) -> None:
        self.count = 0
        self._sum: torch.Tensor | None = None

    def _check(self, shape: Any) -> None:
        known = self.shape
        if known is None:
            return
        if len(known) != len(shape) or any(
            k is not None and k != s for k, s in zip(known, shape, strict=True)
        ):
            raise _invalid(f"Shape mismatch: expected {text(known)}, got {text(shape)}")

    def apply(self, local_step: int, gradient: torch.Tensor) -> None:
        """Add a gradient, unless it is older than the accumulator's step."""
        self._check(gradient.shape)
        with self._condition:
            if local_step < self.step:
                return
            if self._sum is None:
                self._sum = gradient.clone()
            elif self._sum.shape != gradient.shape:
                raise _invalid(
                    f"Shape mismatch: expected {text(self._sum.shape)}, got {text(gradient.shape)}"
                )
            else:
                self._sum += gradient
            self.count += 1
            self._condition.notify_all()

    def take(self, required: int, timeout: float | None = None) -> Any:
        """The mean (or sum) of the gradients, once there are `required` of them.

        DeadlineExceededError when that takes more than `timeout` seconds.
        """
        if required < 1:
            raise _invalid(f"Argument num_required must be positive, but was {required}")
        with self._condition:
            self._wait(lambda: self.count >= required, timeout)
            taken = self._value()
            self._clear()
            self.step += 1
            return taken

    def _value(self) -> Any:
        assert self._sum is not None
        return self._sum / self.count if self.mean else self._sum

    def set_step(self, step: int) -> None:
        """Set the step; older gradients are dropped from now on."""
        with self._condition:
            self.step = step


class SparseAccumulator(Accumulator):
    """Sums sliced gradients; each row is divided by the number of gradients that had it."""

    def _clear(self) -> None:
        self.count = 0
        self._rows: dict[int, torch.Tensor] = {}
        self._row_counts: dict[int, int] = {}
        self._inner: tuple[int, ...] | None = None

    def apply_slices(
        self, local_step: int, indices: torch.Tensor, values: torch.Tensor, shape: Any
    ) -> None:
        """Add the rows `values` [n, ...] at `indices` [n]; `shape`: of the whole, or None."""
        if indices.ndim != 1:
            raise _invalid(
                f"Input indices should be vector but received shape: {text(indices.shape)}"
            )
        if values.ndim < 1:
            raise _invalid("Values cannot be 0-dimensional.")
        if len(indices) != len(values):
            raise _invalid(f"Expected {len(indices)} non-empty input values, got {len(values)}.")
        if shape is not None:
            if self.shape:  # TensorFlow takes the shape [] for an unknown one here
                self._check(shape)
            if len(shape) != values.ndim:
                raise _invalid(
                    f"Shape mismatch: expected values rank {len(shape)}, got {values.ndim}"
                )
        with self._condition:
            if local_step < self.step:
                return
            inner = tuple(values.shape[1:])
            if self._inner is not None and inner != self._inner:
                raise _invalid(
                    f"Shape mismatch: expected inner shape {text(self._inner)}, got {text(inner)}"
                )
            self._inner = inner
            for index, row in zip(indices.tolist(), values, strict=True):
                known = self._rows.get(index)
                self._rows[index] = row.clone() if known is None else known + row
                self._row_counts[index] = self._row_counts.get(index, 0) + 1
            self.count += 1
            self._condition.notify_all()

    def _value(self) -> Any:
        order = sorted(self._rows)
        rows = [self._rows[i] / self._row_counts[i] if self.mean else self._rows[i] for i in order]
        values = torch.stack(rows)
        first = self.shape[0] if self.shape else None
        shape = [-1 if first is None else first, *values.shape[1:]]
        return torch.tensor(order, dtype=torch.int64), values, torch.tensor(shape)
