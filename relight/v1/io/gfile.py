# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.io.gfile`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.io_gfile import (
    GFile, copy, exists, glob, isdir, listdir, makedirs, mkdir, remove, rename, rmtree, stat, walk,
)

__getattr__ = missing("tf.io.gfile")

__all__ = [
    "GFile", "copy", "exists", "glob", "isdir", "listdir", "makedirs", "mkdir", "remove",
    "rename", "rmtree", "stat", "walk",
]
