# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.data`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.data import (
    experimental,
)
from relight.v1.data.dataset_ops import (
    Dataset, get_output_classes, get_output_shapes, get_output_types, make_initializable_iterator,
    make_one_shot_iterator,
)
from relight.v1.data.iterator_ops import (
    Iterator,
)
from relight.v1.data.options import (
    Options,
)
from relight.v1.data.readers import (
    FixedLengthRecordDataset, TFRecordDataset, TextLineDataset,
)

__getattr__ = missing("tf.data")

__all__ = [
    "Dataset", "FixedLengthRecordDataset", "Iterator", "Options", "TFRecordDataset",
    "TextLineDataset", "experimental", "get_output_classes", "get_output_shapes",
    "get_output_types", "make_initializable_iterator", "make_one_shot_iterator",
]
