"""`tf.contrib.learn.datasets.mnist`: the MNIST digits as numpy arrays, and batches of them."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import numpy as np

from relight.formats.idx import read_idx
from relight.v1.contrib.learn.datasets.base import Datasets, maybe_download

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_IMAGES_MAGIC = 2051
_LABELS_MAGIC = 2049


def _extract(f: BinaryIO, magic: int, kind: str) -> np.ndarray:
    print("Extracting", f.name)
    array = read_idx(f)
    found = {("u", 3): _IMAGES_MAGIC, ("u", 1): _LABELS_MAGIC}.get((array.dtype.kind, array.ndim))
    if found != magic:
        raise ValueError(
            f"Invalid magic number in MNIST {kind} file: {f.name} holds {array.dtype} "
            f"{list(array.shape)}, magic number {magic} was expected"
        )
    return array


def extract_images(f: BinaryIO) -> np.ndarray:
    """The images of an open IDX file: uint8 [images, rows, columns, 1].

    ValueError if the file is damaged or holds no images.
    """
    return _extract(f, _IMAGES_MAGIC, "image")[..., np.newaxis]


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Class numbers [n] as rows with a single one: float64 [n, num_classes]."""
    num_labels = labels_dense.shape[0]
    one_hot = np.zeros((num_labels, num_classes))
    one_hot.flat[np.arange(num_labels) * num_classes + labels_dense.ravel()] = 1
    return one_hot


def extract_labels(f: BinaryIO, one_hot: bool = False, num_classes: int = 10) -> np.ndarray:
    """The labels of an open IDX file: uint8 [n], or with `one_hot` float64 [n, num_classes].

    ValueError if the file is damaged or holds no labels.
    """
    labels = _extract(f, _LABELS_MAGIC, "label")
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


class DataSet:
    """Images and labels, handed out in batches, shuffled anew for each epoch.

    Args:
        images: uint8 [n, rows, columns, depth].
        labels: [n] or [n, classes].
        fake_data: hand out constants instead of `images` and `labels`.
        one_hot: form of the labels of fake data.
        dtype: tf.uint8 keeps the images as they are, tf.float32 scales them to [0, 1].
        reshape: make the images [n, rows * columns]; their depth must be 1.
        seed: of the shuffling, combined with the graph's seed as an op's seed is. numpy's global
            generator is seeded with it and draws the permutations, as TensorFlow does it.

    TypeError for another dtype, AssertionError if the lengths differ.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = "float32",
        reshape: bool = True,
        seed: int | None = None,
    ):
        from relight.graph.seeds import get_seed

        graph_seed, op_seed = get_seed(seed)
        np.random.seed(graph_seed if seed is None else op_seed)
        name = getattr(dtype, "name", None) or np.dtype(dtype).name
        name = name.removesuffix("_ref")
        if name not in ("uint8", "float32"):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        if fake_data:
            self._num_examples = 10000
            self.one_hot = one_hot
        else:
            if images.shape[0] != labels.shape[0]:
                raise AssertionError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
            self._num_examples = images.shape[0]
            if reshape:
                if images.shape[3] != 1:
                    raise AssertionError(f"images of depth {images.shape[3]} cannot be flattened")
                images = images.reshape(images.shape[0], images.shape[1] * images.shape[2])
            if name == "float32":
                images = np.multiply(images.astype(np.float32), np.float32(1.0 / 255.0))
        self._images = images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0

    @property
    def images(self) -> np.ndarray:
        """The images, in the order of the current epoch."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """The labels, in the order of the current epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """How many examples there are."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How many times the examples were all handed out."""
        return self._epochs_completed

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        np.random.shuffle(order)
        self._images = self._images[order]
        self._labels = self._labels[order]

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[Any, Any]:
        """The next `batch_size` images and labels.

        A batch that reaches beyond the end of an epoch takes its rest from the next one. Within an
        epoch the arrays are views, so nothing is copied.
        """
        if fake_data:
            label: Any = ([1] + [0] * 9) if self.one_hot else 0
            image = [1] * 784
            return [image for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if self._epochs_completed == 0 and start == 0 and shuffle:
            self._shuffle()
        end = start + batch_size
        if end <= self._num_examples:
            self._index_in_epoch = end
            return self._images[start:end], self._labels[start:end]
        self._epochs_completed += 1
        images, labels = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        end = self._index_in_epoch = end - self._num_examples
        return (
            np.concatenate((images, self._images[:end]), axis=0),
            np.concatenate((labels, self._labels[:end]), axis=0),
        )


def read_data_sets(
    train_dir: str,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = "float32",
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = DEFAULT_SOURCE_URL,
) -> Datasets:
    """Train, validation and test sets of MNIST, or of another data set in the same four files.

    Args:
        train_dir: directory of the files. Files that are not there are put there: MNIST from this
            package, other data sets from `source_url`.
        fake_data, one_hot, dtype, reshape, seed: see `DataSet`.
        validation_size: how many of the first training images become the validation set.
        source_url: where the files are served, with a slash at the end.

    ValueError if `validation_size` is out of range or a file is damaged.
    """
    if fake_data:
        return Datasets(
            *(
                DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed)
                for _ in range(3)
            )
        )
    source_url = source_url or DEFAULT_SOURCE_URL

    def fetch(name: str) -> BinaryIO:
        return open(maybe_download(name, os.fspath(train_dir), source_url + name), "rb")

    with fetch("train-images-idx3-ubyte.gz") as f:
        train_images = extract_images(f)
    with fetch("train-labels-idx1-ubyte.gz") as f:
        train_labels = extract_labels(f, one_hot=one_hot)
    with fetch("t10k-images-idx3-ubyte.gz") as f:
        test_images = extract_images(f)
    with fetch("t10k-labels-idx1-ubyte.gz") as f:
        test_labels = extract_labels(f, one_hot=one_hot)
    if not 0 <= validation_size <= len(train_images):
        raise ValueError(
            f"Validation size should be between 0 and {len(train_images)}. "
            f"Received: {validation_size}."
        )
    n = validation_size
    options = {"dtype": dtype, "reshape": reshape, "seed": seed}
    return Datasets(
        train=DataSet(train_images[n:], train_labels[n:], **options),
        validation=DataSet(train_images[:n], train_labels[:n], **options),
        test=DataSet(test_images, test_labels, **options),
    )


def load_mnist(train_dir: str = "MNIST-data") -> Datasets:
    """`read_data_sets` with its defaults."""
    return read_data_sets(train_dir)
