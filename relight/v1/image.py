# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001
# fmt: off
"""`tf.image`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.array_gather import (
    extract_image_patches, extract_patches,
)
from relight.v1.functions.random import (
    random_crop,
)

__getattr__ = missing("tf.image")

__all__ = [
    "extract_image_patches", "extract_patches", "random_crop",
]
