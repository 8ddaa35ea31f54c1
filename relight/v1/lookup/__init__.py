# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.lookup`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.lookup import (
    KeyValueTensorInitializer, StaticHashTable, StaticVocabularyTable, TextFileIndex,
    TextFileInitializer,
)
from relight.v1.lookup import (
    experimental,
)

__getattr__ = missing("tf.lookup")

__all__ = [
    "KeyValueTensorInitializer", "StaticHashTable", "StaticVocabularyTable", "TextFileIndex",
    "TextFileInitializer", "experimental",
]
