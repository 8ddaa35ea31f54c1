"""Reading checkpoints without a graph: `tf.train.NewCheckpointReader`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from relight.formats.checkpoint import open_checkpoint
from relight.formats.errors import FormatError
from relight.graph import dtypes, errors
from relight.graph.export import export
from relight.ops.files import told


class CheckpointReader:
    """The tensors of one checkpoint, by name."""

    def __init__(self, filename: str):
        self._prefix = filename
        try:
            self._reader = open_checkpoint(filename)
        except FileNotFoundError:
            folder = os.path.dirname(filename)
            if folder and not os.path.isdir(folder):
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    "Unsuccessful TensorSliceReader constructor: Failed to get matching files on "
                    f"{filename}: Not found: {folder}; No such file or directory",
                ) from None
            raise errors.NotFoundError(
                None,
                None,
                "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for "
                f"{filename}",
            ) from None
        except FormatError as error:
            raise errors.DataLossError(
                None, None, f"Unable to open table file {filename}: {error}"
            ) from error

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Name -> shape of every tensor."""
        with told(self._prefix):
            return {n: list(self._reader.shape(n)) for n in self._reader.names()}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        """Name -> DType of every tensor."""
        with told(self._prefix):
            return {n: dtypes.as_dtype(self._reader.dtype_enum(n)) for n in self._reader.names()}

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether the checkpoint holds a tensor."""
        return self._reader.has(tensor_str)

    def get_tensor(self, tensor_str: str) -> Any:
        """The values of a tensor; a scalar string as bytes. NotFoundError when it is not there."""
        name = tensor_str.decode() if isinstance(tensor_str, bytes) else tensor_str
        if not self._reader.has(name):
            raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
        with told(self._prefix):
            value = self._reader.read(name)
        return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value

    def debug_string(self) -> bytes:
        """One line a tensor: name, type, shape."""
        lines = []
        kinds = self.get_variable_to_dtype_map()
        for name, shape in sorted(self.get_variable_to_shape_map().items()):
            sizes = ",".join(map(str, shape))
            lines.append(
                f"{name} (DT_{_NAMES.get(kinds[name].name, kinds[name].name.upper())}) [{sizes}]\n"
            )
        return "".join(lines).encode()


_NAMES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


@export("train.NewCheckpointReader")
def NewCheckpointReader(filepattern: str) -> CheckpointReader:
    """The reader of a checkpoint, V2 or V1. NotFoundError or DataLossError when it cannot be."""
    name = filepattern.decode() if isinstance(filepattern, bytes) else os.fspath(filepattern)
    return CheckpointReader(name)
