"""Readers in the graph: `tf.TextLineReader`, `tf.TFRecordReader` and their kin."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Operation, Tensor
from relight.ops.build import raw
from relight.v1.io.tf_record import TFRecordOptions


@export("ReaderBase")
class ReaderBase:
    """Reads records of the files whose names a queue gives.

    Args:
      reader_ref: the tensor that stands for the reader.
      supports_serialize: whether its state can be saved.
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        """The tensor that stands for the reader."""
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        """Whether `serialize_state` works."""
        return self._supports_serialize

    def _build(self, op_type: str, *inputs: Any, name: str | None) -> Any:
        suffix = "V2" if self._reader_ref.dtype == dtypes.resource else ""
        return getattr(raw, op_type + suffix)(self._reader_ref, *inputs, name=name)

    def read(self, queue: Any, name: str | None = None) -> Any:
        """The next record: (key, value), string scalars. `queue` gives the names of the files.

        OutOfRangeError at run time when the queue is closed and all was read.
        """
        reference = queue if isinstance(queue, Tensor) else queue.queue_ref
        return self._build("ReaderRead", reference, name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """Up to `num_records` records of one file: (keys, values), string vectors."""
        reference = queue if isinstance(queue, Tensor) else queue.queue_ref
        return self._build("ReaderReadUpTo", reference, num_records, name=name)

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records were read, an int64 scalar."""
        return self._build("ReaderNumRecordsProduced", name=name)

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many files were read to their end, an int64 scalar."""
        return self._build("ReaderNumWorkUnitsCompleted", name=name)

    def serialize_state(self, name: str | None = None) -> Tensor:
        """The state as a string scalar."""
        return self._build("ReaderSerializeState", name=name)

    def restore_state(self, state: Any, name: str | None = None) -> Operation:
        """The operation that goes on from a state."""
        return self._build("ReaderRestoreState", state, name=name)

    def reset(self, name: str | None = None) -> Operation:
        """The operation that begins anew."""
        return self._build("ReaderReset", name=name)


@export("WholeFileReader")
class WholeFileReader(ReaderBase):
    """Each file is one record: its name and its contents."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(raw.WholeFileReaderV2(name=name), supports_serialize=True)


@export("TextLineReader")
class TextLineReader(ReaderBase):
    """Each line is a record, without its end; `skip_header_lines` first ones are left out."""

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(raw.TextLineReaderV2(skip_header_lines=skip_header_lines or 0, name=name))


@export("FixedLengthRecordReader")
class FixedLengthRecordReader(ReaderBase):
    """Records of `record_bytes` bytes, `hop_bytes` apart, between a header and a footer.

    `encoding` is "" or "ZLIB".
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        super().__init__(
            raw.FixedLengthRecordReaderV2(
                record_bytes=record_bytes,
                header_bytes=header_bytes or 0,
                footer_bytes=footer_bytes or 0,
                hop_bytes=hop_bytes or 0,
                encoding=encoding or "",
                name=name,
            )
        )


@export("TFRecordReader")
class TFRecordReader(ReaderBase):
    """The records of TFRecord files; `options` says how they are compressed."""

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        compression = TFRecordOptions.get_compression_type_string(options)
        super().__init__(raw.TFRecordReaderV2(name=name, compression_type=compression))


@export("IdentityReader")
class IdentityReader(ReaderBase):
    """The strings of the queue themselves, as key and as value."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(raw.IdentityReaderV2(name=name), supports_serialize=True)
