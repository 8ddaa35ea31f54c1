"""What TensorBoard's projector shows: a text file beside the events names checkpoint variables."""

from __future__ import annotations

import os
from typing import Any

from google.protobuf import text_format

from relight.graph.export import export
from relight.ops.files import told

# Where the projector looks for the configuration, in each directory of events.
CONFIG_NAME = "projector_config.pbtxt"


@export("contrib.tensorboard.plugins.projector.visualize_embeddings")
def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write a ProjectorConfig into the directory of a FileWriter, over an older one.

    Without a `model_checkpoint_path` the projector takes the newest checkpoint of that directory.
    Raises ValueError for a writer without a directory, `tf.errors` when it cannot be written.
    """
    logdir = summary_writer.get_logdir()
    if logdir is None:
        raise ValueError("Summary writer must have a logdir")
    path = os.path.join(logdir, CONFIG_NAME)
    with told(path), open(path, "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(config))
