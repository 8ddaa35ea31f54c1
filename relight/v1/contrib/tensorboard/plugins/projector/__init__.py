# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.tensorboard.plugins.projector`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.tensorboard.plugins.projector.embeddings import (
    visualize_embeddings,
)
from relight.v1.contrib.tensorboard.plugins.projector.projector_config_pb2 import (
    DESCRIPTOR, EmbeddingInfo, ProjectorConfig, SpriteMetadata,
)

__getattr__ = missing("tf.contrib.tensorboard.plugins.projector")

__all__ = [
    "DESCRIPTOR", "EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings",
]
