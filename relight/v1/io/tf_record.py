"""`tf.python_io`: TFRecord files written and read without a graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from relight.formats.tfrecord import TFRecordWriter as _FileWriter
from relight.formats.tfrecord import read_records
from relight.graph.export import export
from relight.ops.files import told


@export("python_io.TFRecordCompressionType", "io.TFRecordCompressionType")
class TFRecordCompressionType:
    """How a file is compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


@export("python_io.TFRecordOptions", "io.TFRecordOptions")
class TFRecordOptions:
    """Options of a TFRecord file: `compression_type` is "ZLIB", "GZIP", "" or None.

    `compression_level` is 0 to 9; the other settings of zlib are accepted and have no effect.
    """

    compression_type_map: ClassVar[dict[int, str]] = {
        TFRecordCompressionType.ZLIB: "ZLIB",
        TFRecordCompressionType.GZIP: "GZIP",
        TFRecordCompressionType.NONE: "",
    }

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: Any = None,
        input_buffer_size: Any = None,
        output_buffer_size: Any = None,
        window_bits: Any = None,
        compression_level: int | None = None,
        compression_method: Any = None,
        mem_level: Any = None,
        compression_strategy: Any = None,
    ) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """ "", "ZLIB" or "GZIP" for options, a TFRecordCompressionType, or a name."""
        if not options:
            return ""
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if options in cls.compression_type_map:
            return cls.compression_type_map[options]
        if options in cls.compression_type_map.values():
            return options
        raise ValueError(f'Not a valid compression_type: "{options}"')


@export("python_io.tf_record_iterator", "io.tf_record_iterator")
def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """The records of a file, as bytes. NotFoundError, DataLossError for what cannot be read."""
    name = path.decode() if isinstance(path, bytes) else str(path)
    with told(name):
        yield from read_records(name, TFRecordOptions.get_compression_type_string(options))


@export("python_io.TFRecordWriter", "io.TFRecordWriter")
class TFRecordWriter:
    """Writes records to a new file; also a context manager that closes it.

    Args:
      path: name of the file.
      options: TFRecordOptions, a TFRecordCompressionType or a name.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(compression_type=options)
        name = path.decode() if isinstance(path, bytes) else str(path)
        level = -1 if options.compression_level is None else options.compression_level
        with told(name):
            self._file = _FileWriter(
                name, TFRecordOptions.get_compression_type_string(options), level
            )

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def write(self, record: bytes) -> None:
        """Append a record."""
        if isinstance(record, str):
            record = record.encode()
        with told(self._file.path):
            self._file.write(record)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        with told(self._file.path):
            self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        with told(self._file.path):
            self._file.close()
