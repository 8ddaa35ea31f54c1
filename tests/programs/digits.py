"""The MNIST digits that relight ships, read without relight: both sides see the same batches."""

import gzip
import os
import types

import numpy as np

FOLDER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
    "relight",
    "data",
    "mnist",
)
COUNT = 12000  # enough for 100 batches of 100, and shuffled


def load(count=COUNT):
    """`images` float32 [count, 784] in [0, 1], `labels` int32 [count]: digits in random order."""
    with gzip.open(os.path.join(FOLDER, "train-images-idx3-ubyte.gz"), "rb") as f:
        images = np.frombuffer(f.read(16 + 784 * count), np.uint8, offset=16)
    with gzip.open(os.path.join(FOLDER, "train-labels-idx1-ubyte.gz"), "rb") as f:
        labels = np.frombuffer(f.read(8 + count), np.uint8, offset=8)
    order = np.random.RandomState(0).permutation(count)
    return types.SimpleNamespace(
        images=images.reshape(count, 784)[order] * np.float32(1 / 255.0),
        labels=labels[order].astype(np.int32),
    )


def batch(data, step, size):
    """Images [size, 784] and labels [size] of one step, from the first on."""
    rows = slice(step * size, (step + 1) * size)
    return data.images[rows], data.labels[rows]


def one_hot(labels):
    """float32 [n, 10] of labels [n]."""
    return np.eye(10, dtype=np.float32)[labels]
