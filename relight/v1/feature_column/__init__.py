# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.feature_column`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.feature_column.categorical import (
    categorical_column_with_hash_bucket, categorical_column_with_identity,
    categorical_column_with_vocabulary_file, categorical_column_with_vocabulary_list,
    weighted_categorical_column,
)
from relight.v1.feature_column.crossed import (
    crossed_column,
)
from relight.v1.feature_column.embedding import (
    embedding_column, indicator_column, shared_embedding_columns,
)
from relight.v1.feature_column.input_layer import (
    input_layer,
)
from relight.v1.feature_column.linear_model import (
    linear_model,
)
from relight.v1.feature_column.numeric import (
    bucketized_column, numeric_column,
)
from relight.v1.feature_column.parse_spec import (
    make_parse_example_spec,
)
from relight.v1.feature_column.sequence import (
    sequence_categorical_column_with_hash_bucket, sequence_categorical_column_with_identity,
    sequence_categorical_column_with_vocabulary_file,
    sequence_categorical_column_with_vocabulary_list, sequence_numeric_column,
)

__getattr__ = missing("tf.feature_column")

__all__ = [
    "bucketized_column", "categorical_column_with_hash_bucket",
    "categorical_column_with_identity", "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list", "crossed_column", "embedding_column",
    "indicator_column", "input_layer", "linear_model", "make_parse_example_spec",
    "numeric_column", "sequence_categorical_column_with_hash_bucket",
    "sequence_categorical_column_with_identity",
    "sequence_categorical_column_with_vocabulary_file",
    "sequence_categorical_column_with_vocabulary_list", "sequence_numeric_column",
    "shared_embedding_columns", "weighted_categorical_column",
]
