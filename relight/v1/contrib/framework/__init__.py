# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001
# fmt: off
"""`tf.contrib.framework`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.framework import (
    nest,
)
from relight.v1.train.training_util import (
    assert_global_step, create_global_step, get_global_step, get_or_create_global_step,
)

__getattr__ = missing("tf.contrib.framework")

__all__ = [
    "assert_global_step", "create_global_step", "get_global_step", "get_or_create_global_step",
    "nest",
]
