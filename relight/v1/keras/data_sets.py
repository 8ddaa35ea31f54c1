"""`tf.keras.datasets`: MNIST, Fashion-MNIST and CIFAR-10 as arrays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from relight.formats.idx import read_idx
from relight.graph.export import export
from relight.v1.keras import data_utils

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_PACKAGED_MNIST = Path(__file__).parents[2] / "data" / "mnist"
_IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

CIFAR_10_ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR_10_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as its page says
_CIFAR_10_FOLDER = "cifar-10-batches-bin"
_CIFAR_10_SHAPE = (3, 32, 32)
_CIFAR_10_RECORD = 1 + 3 * 32 * 32


def _cache(*parts: str) -> str:
    return os.path.join(os.path.expanduser("~"), ".keras", "datasets", *parts)


def _from_idx(paths: list[str]) -> Arrays:
    train_images, train_labels, test_images, test_labels = (read_idx(p) for p in paths)
    return (train_images, train_labels), (test_images, test_labels)


@export("keras.datasets.mnist.load_data")
def mnist(path: str = "mnist.npz") -> Arrays:
    """The MNIST digits: (training images, labels), (test images, labels).

    Images are uint8 [60000, 28, 28] and [10000, 28, 28], labels uint8 [60000] and [10000]. They
    come with relight; a file `path` in `~/.keras/datasets` with arrays x_train, y_train, x_test and
    y_test is read instead.
    """
    kept = _cache(path)
    if not os.path.exists(kept):
        return _from_idx([str(_PACKAGED_MNIST / name) for name in _IDX_NAMES])
    with np.load(kept, allow_pickle=False) as arrays:
        return (
            (arrays["x_train"], arrays["y_train"]),
            (arrays["x_test"], arrays["y_test"]),
        )


@export("keras.datasets.fashion_mnist.load_data")
def fashion_mnist() -> Arrays:
    """Fashion-MNIST, in the shapes and types of MNIST; fetched to `~/.keras/datasets` once.

    Raises OSError, with address and place of the file, when it is not there and cannot be fetched.
    """
    subdir = os.path.join("datasets", "fashion-mnist")
    return _from_idx(
        [data_utils.get_file(n, origin=_ADDRESS + n, cache_subdir=subdir) for n in _IDX_NAMES]
    )


@export("keras.datasets.cifar10.load_data")
def cifar10() -> Arrays:
    """CIFAR-10: (training images, labels), (test images, labels).

    Images are uint8 [50000, 32, 32, 3] and [10000, 32, 32, 3], labels uint8 [50000, 1] and
    [10000, 1]. They are read from the binary version in `~/.keras/datasets/cifar-10-batches-bin`,
    fetched there once (the Python version, which TensorFlow fetches, consists of pickles, and these
    can run code).

    Raises OSError, with address and place of the file, when it is not there and cannot be fetched;
    ValueError when a file is damaged.
    """
    folder = _cache(_CIFAR_10_FOLDER)
    if not os.path.isdir(folder):
        archive = data_utils.get_file(
            os.path.basename(CIFAR_10_ADDRESS),
            CIFAR_10_ADDRESS,
            file_hash=CIFAR_10_MD5,
            extract=True,
        )
        folder = os.path.join(os.path.dirname(archive), _CIFAR_10_FOLDER)
    return read_cifar10(folder)


def read_cifar10(folder: str | os.PathLike[str]) -> Arrays:
    """CIFAR-10 from the files data_batch_1.bin ... data_batch_5.bin and test_batch.bin.

    Any number of records a file. Raises FileNotFoundError for a missing file, and ValueError with
    file and byte for one that is empty, is cut short, or has a label above 9.
    """
    train = [_records(os.path.join(folder, f"data_batch_{i}.bin")) for i in range(1, 6)]
    parts = []
    for records in (np.concatenate(train), _records(os.path.join(folder, "test_batch.bin"))):
        images = records[:, 1:].reshape(-1, *_CIFAR_10_SHAPE).transpose(0, 2, 3, 1)
        parts.append((images, records[:, :1].copy()))
    return parts[0], parts[1]


def _records(path: str) -> np.ndarray:
    data = np.fromfile(path, np.uint8)
    rest = data.size % _CIFAR_10_RECORD
    if rest or not data.size:
        raise ValueError(
            f"{path} is damaged: it has {data.size} bytes, and the record at byte "
            f"{data.size - rest} is cut short (records have {_CIFAR_10_RECORD} bytes)"
        )
    records = data.reshape(-1, _CIFAR_10_RECORD)
    wrong = np.flatnonzero(records[:, 0] > 9)
    if wrong.size:
        first = int(wrong[0])
        raise ValueError(
            f"{path} is damaged: the label {records[first, 0]} at byte {first * _CIFAR_10_RECORD} "
            "is above 9"
        )
    return records
