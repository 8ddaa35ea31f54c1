"""`Dataset.cache(filename)`: the elements of a first pass in a checkpoint bundle, as TensorFlow's.

Component j of element i is the tensor "%7d_%d" of the bundle `filename`. A first pass writes it
beside the place that it gets when the pass is over, and has the file `<filename>_0.lockfile`
meanwhile: a second pass at the same time is refused, and one that was not finished must be removed
by hand, as in TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from relight.engine.datasets import Context, Dataset, Element, values_of
from relight.formats.bundle import BundleReader, BundleWriter
from relight.formats.errors import FormatError
from relight.graph import errors
from relight.ops.call import to_numpy, to_torch
from relight.ops.files import told

_ITEM_WIDTH = 7


def _name(item: int, component: int, width: int) -> str:
    return f"{item:{_ITEM_WIDTH}d}_{component:{len(str(width - 1))}d}"


class FileCache(Dataset):
    """The input; from the second pass on the elements that the first one wrote to files."""

    def __init__(self, state: Any, node: Any, source: Dataset, filename: str):
        super().__init__(state, node, source)
        self._path = filename
        self._width = len(node._attrs["output_types"])

    def iterate(self, context: Context) -> Iterator[Element]:
        if os.path.exists(self._path + ".index"):
            return self._kept()
        return self._written(context)

    def _kept(self) -> Iterator[Element]:
        try:
            with told(self._path), BundleReader(self._path) as reader:
                item = 0
                while reader.has(_name(item, 0, self._width)):
                    names = [_name(item, j, self._width) for j in range(self._width)]
                    yield tuple(_value(reader.read(n)) for n in names)
                    item += 1
        except FormatError as error:
            raise errors.DataLossError(None, None, str(error)) from error

    def _written(self, context: Context) -> Iterator[Element]:
        lock = f"{self._path}_0.lockfile"
        with told(lock):
            try:
                file = open(lock, "x")
            except FileExistsError:
                raise errors.AlreadyExistsError(
                    None,
                    None,
                    f"There appears to be a concurrent caching iterator running - cache lockfile "
                    f"already exists ('{lock}'). If you are sure no other running TF computations "
                    "are using this cache prefix, delete the lockfile and re-initialize the "
                    "iterator.",
                ) from None
        writer = None
        try:
            with _told(lock), file:
                file.write(f"process {os.getpid()}\n")
            with _told(self._path):
                writer = BundleWriter(self._path)
            for item, element in enumerate(self.inputs[0].iterate(context)):
                with _told(self._path):
                    for j, value in enumerate(values_of(element)):
                        array = to_numpy(value) if isinstance(value, torch.Tensor) else value
                        writer.add(_name(item, j, self._width), array)
                yield element
            with _told(self._path):
                writer.finish()
            writer = None
        finally:
            if writer is not None:
                writer.abort()
            os.remove(lock)


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """`told`, with another class for a file that is too large: its own stands for the end."""
    try:
        with told(path):
            yield
    except errors.OutOfRangeError as error:
        raise errors.InternalError(None, None, error.message) from error


def _value(array: np.ndarray) -> Any:
    return array if array.dtype == np.object_ else to_torch(array)
