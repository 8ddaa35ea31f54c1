"""`tf.contrib.learn.datasets`: small data sets as numpy arrays."""

from __future__ import annotations

from typing import Any

from relight.v1.contrib.learn.datasets import base, mnist, text_datasets

DATASETS = {"mnist": mnist.load_mnist, "dbpedia": text_datasets.load_dbpedia}


def load_dataset(name: str, size: str = "small", test_with_fake_data: bool = False) -> Any:
    """Load a data set by name ("mnist", "dbpedia"). ValueError for a name that is not there.

    `size` and `test_with_fake_data` are about text data; see `text_datasets.load_dbpedia`.
    """
    if name not in DATASETS:
        raise ValueError(f"Name of dataset is not found: {name}")
    if name == "dbpedia":
        return text_datasets.load_dbpedia(size, test_with_fake_data)
    return DATASETS[name]()


__all__ = ["DATASETS", "base", "load_dataset", "mnist", "text_datasets"]
