# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.losses`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.losses.loss_ops import (
    absolute_difference, add_loss, compute_weighted_loss, cosine_distance, get_losses,
    get_regularization_losses, get_total_loss, hinge_loss, log_loss, mean_pairwise_squared_error,
    mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy, sparse_softmax_cross_entropy,
)

__getattr__ = missing("tf.contrib.losses")

__all__ = [
    "absolute_difference", "add_loss", "compute_weighted_loss", "cosine_distance", "get_losses",
    "get_regularization_losses", "get_total_loss", "hinge_loss", "log_loss",
    "mean_pairwise_squared_error", "mean_squared_error", "sigmoid_cross_entropy",
    "softmax_cross_entropy", "sparse_softmax_cross_entropy",
]
