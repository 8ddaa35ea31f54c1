# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.data`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.data.csv_ops import (
    _contrib_make_csv_dataset as make_csv_dataset,
)
from relight.v1.data.dataset_ops import (
    AUTOTUNE,
)
from relight.v1.data.experimental_ops import (
    Counter, RandomDataset, batch_and_drop_remainder, bucket_by_sequence_length,
    choose_from_datasets, copy_to_device, enumerate_dataset, get_single_element, group_by_window,
    ignore_errors, map_and_batch, padded_batch_and_drop_remainder, parallel_interleave,
    prefetch_to_device, sample_from_datasets, scan, shuffle_and_repeat, sloppy_interleave,
    unbatch, unique,
)

__getattr__ = missing("tf.contrib.data")

__all__ = [
    "AUTOTUNE", "Counter", "RandomDataset", "batch_and_drop_remainder",
    "bucket_by_sequence_length", "choose_from_datasets", "copy_to_device", "enumerate_dataset",
    "get_single_element", "group_by_window", "ignore_errors", "make_csv_dataset", "map_and_batch",
    "padded_batch_and_drop_remainder", "parallel_interleave", "prefetch_to_device",
    "sample_from_datasets", "scan", "shuffle_and_repeat", "sloppy_interleave", "unbatch", "unique",
]
