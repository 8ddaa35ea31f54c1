"""`tf.contrib.learn.datasets`: small data sets as numpy arrays."""

from __future__ import annotations

from typing import Any

from relight.v1.contrib.learn.datasets import base, mnist

DATASETS = {"mnist": mnist.load_mnist}


def load_dataset(name: str, size: str = "small", test_with_fake_data: bool = False) -> Any:
    """Load a data set by name ("mnist"). ValueError for a name that is not there.

    `size` and `test_with_fake_data` mean something only for text data, which is not held here.
    """
    if name not in DATASETS:
        raise ValueError(f"Name of dataset is not found: {name}")
    return DATASETS[name]()


__all__ = ["DATASETS", "base", "load_dataset", "mnist"]
