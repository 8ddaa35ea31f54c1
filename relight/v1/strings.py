# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.strings`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.strings import (
    as_string, format, length, lower, reduce_join, regex_full_match, regex_replace, split,
    string_join as join, string_strip as strip, string_to_hash_bucket as to_hash_bucket,
    string_to_hash_bucket_fast as to_hash_bucket_fast,
    string_to_hash_bucket_strong as to_hash_bucket_strong, string_to_number as to_number, substr,
    unicode_transcode, unsorted_segment_join, upper,
)

__getattr__ = missing("tf.strings")

__all__ = [
    "as_string", "format", "join", "length", "lower", "reduce_join", "regex_full_match",
    "regex_replace", "split", "strip", "substr", "to_hash_bucket", "to_hash_bucket_fast",
    "to_hash_bucket_strong", "to_number", "unicode_transcode", "unsorted_segment_join", "upper",
]
