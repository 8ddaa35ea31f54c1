"""The protocol buffers of the projector's configuration, which the package tensorboard has."""

from __future__ import annotations

from tensorboard.plugins.projector import projector_config_pb2 as _protos

from relight.graph.export import export

DESCRIPTOR = export("contrib.tensorboard.plugins.projector.DESCRIPTOR")(_protos.DESCRIPTOR)
EmbeddingInfo = export("contrib.tensorboard.plugins.projector.EmbeddingInfo")(_protos.EmbeddingInfo)
ProjectorConfig = export("contrib.tensorboard.plugins.projector.ProjectorConfig")(
    _protos.ProjectorConfig
)
SpriteMetadata = export("contrib.tensorboard.plugins.projector.SpriteMetadata")(
    _protos.SpriteMetadata
)
