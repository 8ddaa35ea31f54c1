# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.python_io`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.io.tf_record import (
    TFRecordCompressionType, TFRecordOptions, TFRecordWriter, tf_record_iterator,
)

__getattr__ = missing("tf.python_io")

__all__ = [
    "TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator",
]
