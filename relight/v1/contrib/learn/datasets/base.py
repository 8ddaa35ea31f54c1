"""`tf.contrib.learn.datasets.base`: containers of data sets, CSV reading, fetching of files."""

from __future__ import annotations

import csv
import functools
import os
import random
import secrets
import shutil
import time
import urllib.request
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Dataset = namedtuple("Dataset", ["data", "target"])
Datasets = namedtuple("Datasets", ["train", "validation", "test"])

_PACKAGED_MNIST = Path(__file__).parents[4] / "data" / "mnist"
# Places that serve the MNIST digits. Other data sets (Fashion-MNIST, KMNIST ...) use the same file
# names, so the packaged digits may stand only for these.
_MNIST_SOURCES = (
    "storage.googleapis.com/cvdf-datasets/mnist/",
    "yann.lecun.com/exdb/mnist/",
    "ossci-datasets.s3.amazonaws.com/mnist/",
)
_RETRIABLE_ERRNOS = (110,)  # connection timed out


def load_csv_with_header(
    filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1
) -> Dataset:
    """Read a CSV file whose first row begins with the numbers of samples and of features.

    Returns data [samples, features] of `features_dtype` and target [samples] of `target_dtype`,
    which is column `target_column`.
    """
    with open(filename, newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        samples, features = int(header[0]), int(header[1])
        data = np.zeros((samples, features), dtype=features_dtype)
        target = np.zeros((samples,), dtype=target_dtype)
        for i, row in enumerate(rows):
            target[i] = np.asarray(row.pop(target_column), dtype=target_dtype)
            data[i] = np.asarray(row, dtype=features_dtype)
    return Dataset(data=data, target=target)


def load_csv_without_header(
    filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1
) -> Dataset:
    """Read a CSV file without a header. Returns as `load_csv_with_header`."""
    data, target = [], []
    with open(filename, newline="") as file:
        for row in csv.reader(file):
            target.append(row.pop(target_column))
            data.append(np.asarray(row, dtype=features_dtype))
    return Dataset(data=np.array(data), target=np.array(target, dtype=target_dtype))


def shrink_csv(filename: str, ratio: int) -> None:
    """Write every `ratio`-th row of a CSV file to a file with `_small` before each dot."""
    with (
        open(filename.replace(".", "_small."), "w", newline="") as small,
        open(filename, newline="") as full,
    ):
        writer = csv.writer(small)
        for i, row in enumerate(csv.reader(full)):
            if i % ratio == 0:
                writer.writerow(row)


def retry(
    initial_delay: float,
    max_delay: float,
    factor: float = 2.0,
    jitter: float = 0.25,
    is_retriable: Callable[[Exception], bool] | None = None,
) -> Callable[[Callable], Callable]:
    """Decorator: call again after errors that `is_retriable` accepts, waiting longer each time.

    Delays, in seconds, begin at `initial_delay` and grow by `factor` up to `max_delay`; each is
    varied by a share of `jitter`. Without `is_retriable` every error is retried at once.
    ValueError unless factor >= 1 and jitter < 1.
    """
    if factor < 1:
        raise ValueError(f"factor must be >= 1; was {factor:f}")
    if jitter >= 1:
        raise ValueError(f"jitter must be < 1; was {jitter:f}")

    def delays() -> Iterator[float]:
        delay = initial_delay
        while delay <= max_delay:
            yield delay * random.uniform(1 - jitter, 1 + jitter)
            delay *= factor

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            for delay in delays():
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    if is_retriable is None:
                        continue
                    if not is_retriable(error):
                        raise
                    time.sleep(delay)
            return function(*args, **kwargs)

        return wrapped

    return decorate


@retry(
    initial_delay=1.0,
    max_delay=16.0,
    is_retriable=lambda error: isinstance(error, OSError) and error.errno in _RETRIABLE_ERRNOS,
)
def urlretrieve_with_retry(url: str, filename: str | None = None) -> tuple[str, Any]:
    """`urllib.request.urlretrieve`, tried again after a time-out."""
    return urllib.request.urlretrieve(url, filename)


def maybe_download(filename: str, work_directory: str, source_url: str) -> str:
    """Path of `filename` in `work_directory`; the file is fetched unless it is there.

    The MNIST files come from this package if `source_url` is one of the places that serve MNIST,
    anything else from `source_url` itself. A file appears whole or not at all. URLError (an
    OSError) if the source cannot be reached.
    """
    os.makedirs(work_directory, exist_ok=True)
    path = os.path.join(work_directory, filename)
    if os.path.exists(path):
        return path
    packaged = _PACKAGED_MNIST / filename
    temporary = f"{path}.tmp{secrets.token_hex(8)}"
    try:
        if any(source in source_url for source in _MNIST_SOURCES) and packaged.is_file():
            shutil.copyfile(packaged, temporary)
            os.replace(temporary, path)
        else:
            urlretrieve_with_retry(source_url, temporary)
            os.replace(temporary, path)
            print("Successfully downloaded", filename, os.path.getsize(path), "bytes.")
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return path
