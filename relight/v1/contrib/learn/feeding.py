"""Batches of numpy arrays for `tf.contrib.learn`, fed through placeholders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.v1 import logging
from relight.v1.functions.array import placeholder


def _as_array(data: Any) -> Any:
    """An array, or a dict of them; of a pandas table its values."""
    if isinstance(data, dict):
        return {key: _as_array(value) for key, value in data.items()}
    if hasattr(data, "iloc"):
        data = data.values
    return np.asarray(data)


class DataFeeder:
    """Feeds batches of x [n, ...] and labels y [n, ...], which are arrays or dicts of arrays.

    Args:
      batch_size: how many examples; all when None.
      shuffle: a new order in each epoch, the same in each run.
      epochs: how often; for ever when None.
    """

    def __init__(self, x: Any, y: Any, batch_size: int | None, shuffle: bool, epochs: int | None):
        self._x = _as_array(x)
        self._y = None if y is None else _as_array(y)
        first = next(iter(self._x.values())) if isinstance(self._x, dict) else self._x
        self._count = first.shape[0]
        if batch_size is not None and batch_size <= 0:
            raise ValueError(f"Invalid batch_size {batch_size}.")
        self._batch_size = batch_size or self._count
        self._shuffle = shuffle
        self._random = np.random.RandomState(42)
        self._epochs = epochs
        self._epoch = self._offset = 0
        self._order = self._new_order()

    def _new_order(self) -> np.ndarray:
        return self._random.permutation(self._count) if self._shuffle else np.arange(self._count)

    def input_builder(self) -> tuple[Any, Any]:
        """Placeholders for features and labels."""
        self._inputs = _placeholders(self._x, "input", lambda a: a.shape[1:] or (1,))
        self._outputs = None
        if self._y is not None:
            self._outputs = _placeholders(self._y, "output", _label_shape)
        return self._inputs, self._outputs

    def feed_dict(self) -> dict[str, Any]:
        """The next batch, by placeholder; StopIteration at the end."""
        if self._epochs is not None and self._epoch + 1 > self._epochs:
            raise StopIteration
        indices = self._order[self._offset : self._offset + self._batch_size]
        feed: dict[str, Any] = {}
        _feed(feed, self._inputs, self._x, indices, lambda a: a.shape[1:] or (1,))
        if self._outputs is not None:
            _feed(feed, self._outputs, self._y, indices, _label_shape)
        self._offset += self._batch_size
        if self._offset >= self._count:
            self._order = self._new_order()
            self._offset = 0
            self._epoch += 1
        return feed


def _label_shape(array: np.ndarray) -> tuple[int, ...]:
    """The shape of one label; that of a column of single labels is []."""
    shape = array.shape[1:]
    return shape[1:] if shape and shape[0] == 1 else shape


def _placeholders(data: Any, name: str, shape: Callable[[np.ndarray], Any]) -> Any:
    if isinstance(data, dict):
        return {key: _placeholders(value, f"{name}_{key}", shape) for key, value in data.items()}
    if data.dtype == np.float64:
        logging.warning("float64 is not supported by many models, consider casting to float32.")
    return placeholder(dtypes.as_dtype(data.dtype), [None, *shape(data)], name=name)


def _feed(
    feed: dict[str, Any], holders: Any, data: Any, indices: np.ndarray, shape: Callable[..., Any]
) -> None:
    if isinstance(holders, dict):
        for key, holder in holders.items():
            _feed(feed, holder, data[key], indices, shape)
    else:
        feed[holders.name] = data[indices].reshape((len(indices), *shape(data)))
