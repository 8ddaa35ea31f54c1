"""`tf.estimator.inputs.numpy_input_fn`: batches of numpy arrays through a queue."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph.export import export
from relight.v1.estimator.inputs.queues.feeding_functions import enqueue_data

_ONLY_FEATURE = "__direct_np_input__"
_TARGET_KEY = "__target_key__"


def _ordered(x: Any) -> collections.OrderedDict[Any, Any]:
    """Features as a dictionary sorted by key, whether one array or a dictionary was given."""
    if isinstance(x, dict):
        if not x:
            raise ValueError("x cannot be an empty dict")
        return collections.OrderedDict(sorted(x.items(), key=lambda item: item[0]))
    if isinstance(x, np.ndarray):
        if x.size == 0:
            raise ValueError("x cannot be an empty array")
        return collections.OrderedDict({_ONLY_FEATURE: x})
    raise TypeError(f"x must be a dict or array; got {type(x).__name__}")


def _check_lengths(data: dict[Any, Any], features: list[Any], targets: Any, y: Any) -> None:
    if len({v.shape[0] for v in data.values()}) == 1:
        return
    if targets is None:
        of_y = None
    elif isinstance(targets, str):
        of_y = y.shape
    else:
        of_y = {k: data[k].shape for k in targets}
    raise ValueError(
        "Length of tensors in x and y is mismatched. All elements in x and y must have the same "
        f"length.\nShapes in x: { {k: data[k].shape for k in features} }\nShapes in y: {of_y}\n"
    )


@export("estimator.inputs.numpy_input_fn")
def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """An input function that gives batches of numpy arrays.

    It returns `features`, or `(features, target)` with a `y`, as tensors in the structure of `x`
    and `y`. A thread fills a queue with the rows.

    Args:
      x: array or dictionary of arrays, all with the same number of rows.
      y: array or dictionary of arrays; None when there are no targets.
      batch_size: rows in a batch. The last one of the last epoch may be smaller.
      num_epochs: passes over the data; None for no end.
      shuffle: whether rows come in random order; has to be given.
      queue_capacity: rows that the queue holds.
      num_threads: threads that fill it; use 1 for an order that can be repeated.

    Raises:
      ValueError: `shuffle` is no bool; when called: empty data, lengths that differ, a key both in
        `x` and `y`.
      TypeError: when called: `x` is neither array nor dictionary.
    """
    if not isinstance(shuffle, bool):
        raise ValueError(
            "shuffle must be provided and explicitly set as boolean (it is recommended to set it "
            f"as True for training); got {shuffle}"
        )

    def input_fn() -> Any:
        """Build the queue and give the tensors of a batch."""
        data = _ordered(x)
        features = list(data)
        targets: Any = None
        if isinstance(y, dict):
            if not y:
                raise ValueError("y cannot be empty dict, use None instead.")
            of_y = collections.OrderedDict(sorted(y.items(), key=lambda item: item[0]))
            targets = list(of_y)
            twice = set(features) & set(targets)
            if twice:
                raise ValueError(f"{len(twice)} duplicate keys are found in both x and y: {twice}")
            data.update(of_y)
        elif y is not None:
            targets = _TARGET_KEY
            while targets in data:
                targets += "_n"
            data[targets] = y
        _check_lengths(data, features, targets, y)
        queue = enqueue_data(
            data,
            queue_capacity,
            shuffle=shuffle,
            num_threads=num_threads,
            enqueue_size=batch_size,
            num_epochs=num_epochs,
        )
        take = queue.dequeue_many if num_epochs is None else queue.dequeue_up_to
        _, *batch = take(batch_size)  # without the row numbers
        found = batch[0] if isinstance(x, np.ndarray) else dict(zip(features, batch, strict=False))
        if targets is None:
            return found
        if isinstance(targets, str):
            return found, batch[-1]
        return found, dict(zip(targets, batch[-len(targets) :], strict=True))

    return input_fn
