"""Datasets of files: lines, records, records of one length, and lists of names."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.array_nodes import reshape, shape
from relight.ops.build import convert_to_tensor, raw
from relight.v1.data.dataset_ops import DatasetV1, DatasetV1Adapter, int64
from relight.v1.data.experimental_ops import parallel_interleave
from relight.v1.data.structure import Spec

_BUFFER = 256 * 1024
_LINE = Spec(dtypes.string, TensorShape([]))


def _setting(name: str, value: Any, default: Any, dtype: Any = dtypes.int64) -> Tensor:
    return convert_to_tensor(default if value is None else value, dtype=dtype, name=name)


def _filenames(filenames: Any) -> DatasetV1:
    """A dataset of file names, from a string, a list of them, a tensor or a dataset."""
    if isinstance(filenames, DatasetV1):
        if filenames.output_types != dtypes.string:
            raise TypeError("`filenames` must be a `tf.data.Dataset` of `tf.string` elements.")
        if not filenames.output_shapes.is_compatible_with(TensorShape([])):
            raise TypeError(
                "`filenames` must be a `tf.data.Dataset` of scalar `tf.string` elements."
            )
        return filenames
    names = convert_to_tensor(filenames, dtype=dtypes.string)
    return DatasetV1.from_tensor_slices(reshape(names, [-1], name="flat_filenames"))


class _FilesDataset(DatasetV1Adapter):
    """One dataset a file, one after the other, or several in turn."""

    def __init__(self, filenames: Any, one_file: Any, num_parallel_reads: Any = None) -> None:
        names = _filenames(filenames)

        def read_one_file(filename: Tensor) -> DatasetV1:
            return DatasetV1Adapter(one_file(filename), _LINE)

        if num_parallel_reads is None:
            made = names.flat_map(read_one_file)
        else:
            made = names.apply(parallel_interleave(read_one_file, num_parallel_reads))
        super().__init__(made._variant_tensor, _LINE)


@export("data.TextLineDataset")
class TextLineDataset(_FilesDataset):
    """The lines of text files, without their ends.

    Args:
      filenames: names, or a dataset of names.
      compression_type: "" (None), "ZLIB" or "GZIP".
      buffer_size: bytes that are read at once.
      num_parallel_reads: files that are read in turn; None: one after the other.
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
    ) -> None:
        def one_file(filename: Tensor) -> Tensor:
            return raw.TextLineDataset(
                filename,
                _setting("compression_type", compression_type, "", dtypes.string),
                _setting("buffer_size", buffer_size, _BUFFER),
            )

        super().__init__(filenames, one_file, num_parallel_reads)


@export("data.TFRecordDataset")
class TFRecordDataset(_FilesDataset):
    """The records of TFRecord files; arguments as `TextLineDataset`'s."""

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
    ) -> None:
        def one_file(filename: Tensor) -> Tensor:
            return raw.TFRecordDataset(
                filename,
                _setting("compression_type", compression_type, "", dtypes.string),
                _setting("buffer_size", buffer_size, _BUFFER),
            )

        super().__init__(filenames, one_file, num_parallel_reads)


@export("data.FixedLengthRecordDataset")
class FixedLengthRecordDataset(_FilesDataset):
    """Records of `record_bytes` bytes each, between a header and a footer."""

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
    ) -> None:
        def one_file(filename: Tensor) -> Tensor:
            record = int64(record_bytes, "record_bytes")
            return raw.FixedLengthRecordDatasetV2(
                filename,
                _setting("header_bytes", header_bytes, 0),
                record,
                _setting("footer_bytes", footer_bytes, 0),
                _setting("buffer_size", buffer_size, _BUFFER),
                _setting("compression_type", compression_type, "", dtypes.string),
            )

        super().__init__(filenames, one_file, num_parallel_reads)


def list_files(file_pattern: Any, shuffle: bool | None, seed: Any) -> DatasetV1:
    """See `Dataset.list_files`."""
    with name_scope("list_files"):
        pattern = convert_to_tensor(file_pattern, dtype=dtypes.string, name="file_pattern")
        found = raw.MatchingFiles(pattern)
        some = raw.Greater(shape(found)[0], 0, name="match_not_empty")
        with name_scope("ReduceJoin"):
            axes = convert_to_tensor(
                list(range(pattern.shape.ndims or 0)), dtype=dtypes.int32, name="Const"
            )
            joined = raw.ReduceJoin(pattern, axes, separator=", ", name="ReduceJoin")
        message = raw.Add("No files matched pattern: ", joined, name="message")
        with name_scope("assert_not_empty"):
            check = raw.Assert(some, [message], summarize=1)
        with get_default_graph().control_dependencies([check]):
            found = raw.Identity(found)
        dataset = DatasetV1.from_tensor_slices(found)
        if shuffle is None or shuffle:
            count = raw.Maximum(shape(found, out_type=dtypes.int64)[0], 1)
            dataset = dataset.shuffle(count, seed=seed)
        return dataset
