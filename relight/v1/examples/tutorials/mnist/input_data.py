"""`tensorflow.examples.tutorials.mnist.input_data`: where programs find `read_data_sets`.

Older programs took the names besides `read_data_sets` from here as well, as TensorFlow 1.0 had
them.
"""

from relight.v1.contrib.learn.datasets.base import maybe_download
from relight.v1.contrib.learn.datasets.mnist import (
    DataSet,
    dense_to_one_hot,
    extract_images,
    extract_labels,
    read_data_sets,
)

__all__ = [
    "DataSet",
    "dense_to_one_hot",
    "extract_images",
    "extract_labels",
    "maybe_download",
    "read_data_sets",
]
