# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.summary`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.summary.summary_ops import (
    Event, SessionLog, Summary, SummaryDescription, TaggedRunMetadata, all_v2_summary_ops, audio,
    get_summary_description, histogram, image, merge, merge_all, scalar, tensor_summary, text,
)
from relight.v1.summary.summary_ops_v2 import (
    initialize,
)
from relight.v1.summary.writer import (
    FileWriter, FileWriterCache,
)

__getattr__ = missing("tf.summary")

__all__ = [
    "Event", "FileWriter", "FileWriterCache", "SessionLog", "Summary", "SummaryDescription",
    "TaggedRunMetadata", "all_v2_summary_ops", "audio", "get_summary_description", "histogram",
    "image", "initialize", "merge", "merge_all", "scalar", "tensor_summary", "text",
]
