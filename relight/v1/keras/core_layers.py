"""`tf.keras.layers` that are functions of tensors with weights of their own."""

from __future__ import annotations

from relight.graph.export import export
from relight.v1.layers.core import DenseBase


@export("keras.layers.Dense")
class Dense(DenseBase):
    """activation(inputs [..., in] times kernel [in, units] plus bias [units])."""
