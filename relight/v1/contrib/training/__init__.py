# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.training`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.training.hparam import (
    HParams, parse_values,
)
from relight.v1.train.checkpoint_utils import (
    checkpoints_iterator, wait_for_new_checkpoint,
)

__getattr__ = missing("tf.contrib.training")

__all__ = [
    "HParams", "checkpoints_iterator", "parse_values", "wait_for_new_checkpoint",
]
