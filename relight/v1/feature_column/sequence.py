"""Columns of sequences, and layers that join them."""

from __future__ import annotations

import collections
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.v1.feature_column import categorical
from relight.v1.feature_column.columns import (
    FeatureCache,
    SequenceDenseColumn,
    TensorSequenceLengthPair,
    check_batch_sizes,
    normalized,
    sequence_length,
)
from relight.v1.feature_column.input_layer import LayerVariables, ScopeVariables
from relight.v1.feature_column.input_layer import weight_collections as add_global
from relight.v1.feature_column.numeric import checked_shape
from relight.v1.functions.checks import assert_equal
from relight.v1.functions.parsing import VarLenFeature
from relight.v1.functions.sparse import sparse_tensor_to_dense
from relight.v1.functions.variable_scope import _PureScope, variable_scope
from relight.v1.layers.base_layer import BaseLayer

_Numeric = collections.namedtuple(
    "SequenceNumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn")
)


class SequenceNumericColumn(SequenceDenseColumn, _Numeric):
    """A sparse feature of numbers, some for each step of a sequence."""

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of any length."""
        return {self.key: VarLenFeature(self.dtype)}

    def transform_feature(self, cache: FeatureCache) -> Any:
        """The sparse feature, normalized."""
        tensor = cache.get(self.key)
        return tensor if self.normalizer_fn is None else self.normalizer_fn(tensor)

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of one step."""
        return TensorShape(self.shape)

    def get_sequence_dense_tensor(
        self, cache: FeatureCache, variables: Any
    ) -> TensorSequenceLengthPair:
        """[batch, time, *shape] and lengths."""
        sparse = cache.get(self)
        dense = sparse_tensor_to_dense(sparse, default_value=self.default_value)
        shape = array_nodes.concat(
            [array_nodes.shape(dense)[:1], [-1], self.variable_shape.as_list()], axis=0
        )
        dense = array_nodes.reshape(dense, shape=shape)
        per_step = self.variable_shape.num_elements() if sparse.shape.ndims == 2 else 1
        return TensorSequenceLengthPair(dense, sequence_length(sparse, per_step))


@export("feature_column.sequence_numeric_column")
def sequence_numeric_column(
    key: str,
    shape: Any = (1,),
    default_value: float = 0.0,
    dtype: Any = dtypes.float32,
    normalizer_fn: Any = None,
) -> SequenceNumericColumn:
    """A column of sequences of numbers.

    Args:
      key: the name of a sparse feature.
      shape: the shape of one step.
      default_value: what fills up shorter sequences.
      dtype: a floating or integer type.
      normalizer_fn: a function that is applied to the SparseTensor.

    Raises:
      TypeError: for a function that cannot be called.
      ValueError: for another shape or type.
    """
    shape = checked_shape(shape, key)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return SequenceNumericColumn(
        key, shape=shape, default_value=default_value, dtype=dtype, normalizer_fn=normalizer_fn
    )


@export("feature_column.sequence_categorical_column_with_identity")
def sequence_categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> categorical.SequenceCategoricalColumn:
    """`categorical_column_with_identity`, of sequences."""
    column = categorical.categorical_column_with_identity(key, num_buckets, default_value)
    return categorical.SequenceCategoricalColumn(column)


@export("feature_column.sequence_categorical_column_with_hash_bucket")
def sequence_categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = dtypes.string
) -> categorical.SequenceCategoricalColumn:
    """`categorical_column_with_hash_bucket`, of sequences."""
    column = categorical.categorical_column_with_hash_bucket(key, hash_bucket_size, dtype)
    return categorical.SequenceCategoricalColumn(column)


@export("feature_column.sequence_categorical_column_with_vocabulary_file")
def sequence_categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = dtypes.string,
) -> categorical.SequenceCategoricalColumn:
    """`categorical_column_with_vocabulary_file`, of sequences."""
    column = categorical.categorical_column_with_vocabulary_file(
        key, vocabulary_file, vocabulary_size, num_oov_buckets, default_value, dtype
    )
    return categorical.SequenceCategoricalColumn(column)


@export("feature_column.sequence_categorical_column_with_vocabulary_list")
def sequence_categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Any,
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
) -> categorical.SequenceCategoricalColumn:
    """`categorical_column_with_vocabulary_list`, of sequences."""
    column = categorical.categorical_column_with_vocabulary_list(
        key, vocabulary_list, dtype, default_value, num_oov_buckets
    )
    return categorical.SequenceCategoricalColumn(column)


def _check_columns(columns: list[Any]) -> None:
    for column in columns:
        if not isinstance(column, SequenceDenseColumn):
            raise ValueError(
                "All feature_columns must be of type _SequenceDenseColumn. You can wrap a "
                "sequence_categorical_column with an embedding_column or indicator_column. Given "
                f"(type {type(column)}): {column}"
            )


def _flat_steps(column: Any, dense: Tensor) -> Tensor:
    """[batch, time, elements]."""
    shape = array_nodes.shape(dense)
    target = [shape[0], shape[1], column.variable_shape.num_elements()]
    return array_nodes.reshape(dense, shape=target)


def _all_equal(lengths: list[Tensor]) -> Tensor:
    """The first of tensors that must be equal when run."""
    with name_scope(None, "assert_all_equal", lengths):
        if len(lengths) == 1:
            return lengths[0]
        checks = [assert_equal(lengths[0], other) for other in lengths[1:]]
        with get_default_graph().control_dependencies(checks):
            return array_nodes.identity(lengths[0])


def sequence_input_layer(
    features: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
) -> tuple[Tensor, Tensor]:
    """Columns of sequences side by side: ([batch, time, elements], lengths int64 [batch]).

    The arguments are those of `tf.feature_column.input_layer`. ValueError for columns of another
    kind.
    """
    columns = normalized(feature_columns)
    _check_columns(columns)
    with variable_scope(None, default_name="sequence_input_layer", values=list(features.values())):
        cache = FeatureCache(features)
        collections = add_global(weight_collections) if weight_collections else None
        variables = ScopeVariables(collections, trainable)
        tensors, lengths = [], []
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name):
                dense, length = column.get_sequence_dense_tensor(cache, variables)
                tensors.append(_flat_steps(column, dense))
                lengths.append(length)
        check_batch_sizes(tensors, columns)
        check_batch_sizes(lengths, columns)
        length = _all_equal(lengths)
        return array_nodes.concat(tensors, -1), length


@export("keras.experimental.SequenceFeatures")
class SequenceFeatures(BaseLayer):
    """A layer from features to columns of sequences side by side.

    Gives ([batch, time, elements], lengths int64 [batch]).
    """

    def __init__(
        self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._feature_columns = normalized(feature_columns)
        _check_columns(self._feature_columns)
        self._variables = LayerVariables(self, self.trainable)

    def build(self, input_shape: Any) -> None:
        """Make the columns' variables."""
        for column in self._feature_columns:
            with _PureScope(self.name), _PureScope(column.name):
                column.create_state(self._variables)
        self.built = True

    def call(self, features: Any) -> tuple[Tensor, Tensor]:
        """{name: SparseTensor} -> (tensor, lengths)."""
        if not isinstance(features, dict):
            raise ValueError("We expected a dictionary here. Instead we got: ", features)
        cache = FeatureCache(features)
        tensors, lengths = [], []
        for column in self._feature_columns:
            with name_scope(column.name):
                dense, length = column.get_sequence_dense_tensor(cache, self._variables)
                tensors.append(_flat_steps(column, dense))
                lengths.append(length)
        check_batch_sizes(lengths, self._feature_columns)
        length = _all_equal(lengths)
        check_batch_sizes(tensors, self._feature_columns)
        return array_nodes.concat(tensors, -1), length
