# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.summary`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.summary.summary_ops_v2 import (
    SummaryWriter, all_summary_ops, always_record_summaries, audio, create_file_writer,
    create_summary_file_writer, eval_dir, flush, generic, graph, histogram, image, import_event,
    initialize, never_record_summaries, record_summaries_every_n_global_steps, scalar,
    should_record_summaries, summary_writer_initializer_op,
)

__getattr__ = missing("tf.contrib.summary")

__all__ = [
    "SummaryWriter", "all_summary_ops", "always_record_summaries", "audio", "create_file_writer",
    "create_summary_file_writer", "eval_dir", "flush", "generic", "graph", "histogram", "image",
    "import_event", "initialize", "never_record_summaries",
    "record_summaries_every_n_global_steps", "scalar", "should_record_summaries",
    "summary_writer_initializer_op",
]
