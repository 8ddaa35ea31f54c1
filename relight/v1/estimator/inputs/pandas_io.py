"""`tf.estimator.inputs.pandas_input_fn`: batches of pandas columns through a queue."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph.export import export
from relight.v1.estimator.inputs.queues.feeding_functions import enqueue_data


@export("estimator.inputs.pandas_input_fn")
def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int | None = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """An input function that gives batches of the columns of a pandas `DataFrame`.

    It returns a dictionary of tensors by column, or `(dictionary, target)` with a `y`.

    Args:
      x: the data frame.
      y: `Series` or `DataFrame` with the same index; None when there are no targets.
      batch_size: rows in a batch. The last one of the last epoch may be smaller.
      num_epochs: passes over the data; None for no end.
      shuffle: whether rows come in random order; has to be given.
      queue_capacity: rows that the queue holds; None for about as many as `x` has.
      num_threads: threads that fill it; use 1 for an order that can be repeated.
      target_column: name of the column that holds `y` inside; `x` must not have it.

    Raises:
      TypeError: pandas is not installed, or `target_column` is no string.
      ValueError: `shuffle` is no bool, `x` has the target column, or the indexes differ.
    """
    try:
        import pandas
    except ImportError:
        raise TypeError("pandas_input_fn should not be called without pandas installed") from None
    if not isinstance(shuffle, bool):
        raise ValueError(
            "shuffle must be provided and explicitly set as boolean (it is recommended to set it "
            f"as True for training); got {shuffle}"
        )
    if not isinstance(target_column, str):
        raise TypeError("target_column must be a string type")
    x = x.copy()
    targets: dict[Any, Any] | None = None  # column of a frame `y` -> its column in `x`
    if y is not None:
        if target_column in x:
            raise ValueError(
                f"Cannot use name {target_column} for target column: DataFrame already has a "
                f"column with that name: {x.columns}"
            )
        if not np.array_equal(x.index, y.index):
            raise ValueError(
                f"Index for x and y are mismatched.\nIndex for x: {x.index}\nIndex for y: "
                f"{y.index}\n"
            )
        if isinstance(y, pandas.DataFrame):
            targets = {c: f"{c}_{uuid.uuid4()}" if c in x else c for c in y}
            x[list(targets.values())] = y
        else:
            x[target_column] = y
    capacity = queue_capacity
    if capacity is None:
        capacity = 4 * len(x) if shuffle else len(x)

    def input_fn() -> Any:
        """Build the queue and give the tensors of a batch."""
        queue = enqueue_data(
            x,
            capacity,
            shuffle=shuffle,
            min_after_dequeue=max(capacity / 4, 1),
            num_threads=num_threads,
            enqueue_size=batch_size,
            num_epochs=num_epochs,
        )
        take = queue.dequeue_many if num_epochs is None else queue.dequeue_up_to
        _, *batch = take(batch_size)  # without the index
        features = dict(zip(x.columns, batch, strict=True))
        if targets is not None:
            return features, {k: features.pop(c) for k, c in targets.items()}
        if y is not None:
            return features, features.pop(target_column)
        return features

    return input_fn
