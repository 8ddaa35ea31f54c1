# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.lookup`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.lookup import (
    FastHashSpec, HashTable, HasherSpec, IdTableWithHashBuckets, InitializableLookupTableBase,
    KeyValueTensorInitializer, LookupInterface, StrongHashSpec, TableInitializerBase,
    TextFileIdTableInitializer, TextFileIndex, TextFileInitializer,
    TextFileStringTableInitializer, index_table_from_file, index_table_from_tensor,
    index_to_string, index_to_string_table_from_file, index_to_string_table_from_tensor,
    string_to_index, string_to_index_table_from_file, string_to_index_table_from_tensor,
)
from relight.v1.functions.mutable_tables import (
    DenseHashTable as MutableDenseHashTable, MutableHashTable,
)

__getattr__ = missing("tf.contrib.lookup")

__all__ = [
    "FastHashSpec", "HashTable", "HasherSpec", "IdTableWithHashBuckets",
    "InitializableLookupTableBase", "KeyValueTensorInitializer", "LookupInterface",
    "MutableDenseHashTable", "MutableHashTable", "StrongHashSpec", "TableInitializerBase",
    "TextFileIdTableInitializer", "TextFileIndex", "TextFileInitializer",
    "TextFileStringTableInitializer", "index_table_from_file", "index_table_from_tensor",
    "index_to_string", "index_to_string_table_from_file", "index_to_string_table_from_tensor",
    "string_to_index", "string_to_index_table_from_file", "string_to_index_table_from_tensor",
]
