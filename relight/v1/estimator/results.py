"""What an evaluation leaves: its log lines and the events in its directory."""

from __future__ import annotations

from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import summary_pb2

from relight.graph.collections import GraphKeys
from relight.graph.tensor_proto import to_proto
from relight.v1 import logging
from relight.v1.summary.writer import FileWriterCache


def _as_text(metrics: dict[str, Any]) -> str:
    """`accuracy = 0.9, loss = 0.3`: by name, without summaries."""
    return ", ".join(
        f"{name} = {value!s}"
        for name, value in sorted(metrics.items())
        if not isinstance(value, bytes)
    )


def write_metrics(output_dir: str, metrics: dict[str, Any]) -> None:
    """Log the metrics of an evaluation and write them as one event at their global step."""
    step = metrics[GraphKeys.GLOBAL_STEP]
    logging.info("Saving dict for global step %d: %s", step, _as_text(metrics))
    writer = FileWriterCache.get(output_dir)
    summary = summary_pb2.Summary()
    for name, value in metrics.items():
        if value is None or name == "global_step":
            continue
        if isinstance(value, (np.float32, float)):
            summary.value.add(tag=name, simple_value=float(value))
        elif isinstance(value, (np.int64, np.int32, int)):
            summary.value.add(tag=name, simple_value=int(value))
        elif isinstance(value, bytes):
            _add_summary(summary, name, value)
        elif isinstance(value, np.ndarray):
            summary.value.add(tag=name, node_name=name, tensor=to_proto(value))
            logging.info(
                "Summary for np.ndarray is not visible in Tensorboard by default. Consider using a "
                "Tensorboard plugin for visualization (see "
                "https://github.com/tensorflow/tensorboard-plugin-example/blob/master/README.md "
                "for more information)."
            )
        else:
            logging.warning(
                "Skipping summary for %s, must be a float, np.float32, np.int64, np.int32 or int "
                "or np.ndarray or a serialized string of Summary.",
                name,
            )
    writer.add_summary(summary, step)
    writer.flush()


def _add_summary(summary: Any, name: str, serialized: bytes) -> None:
    """Add a metric that is a summary itself, its values numbered under the metric's name."""
    try:
        found = summary_pb2.Summary.FromString(serialized)
    except DecodeError:
        logging.warning("Skipping summary for %s, cannot parse string to Summary.", name)
        return
    for i, value in enumerate(found.value):
        value.tag = f"{name}/{i}"
    summary.value.extend(found.value)


def write_checkpoint_path(output_dir: str, checkpoint_path: str, step: Any) -> None:
    """Log which checkpoint was evaluated and write it as an event."""
    tag = "checkpoint_path"
    logging.info("Saving '%s' summary for global step %d: %s", tag, step, checkpoint_path)
    text = np.array(checkpoint_path.encode(), dtype=object)
    summary = summary_pb2.Summary()
    summary.value.add(tag=tag, tensor=to_proto(text))
    writer = FileWriterCache.get(output_dir)
    writer.add_summary(summary, step)
    writer.flush()
