"""What all feature columns share, and the cache through which they see the features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1 import logging
from relight.v1.functions.checks import assert_positive
from relight.v1.functions.control_flow import cond
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor
from relight.v1.functions.sparse import sparse_reshape


class IdWeightPair(NamedTuple):
    """Sparse ids [batch, ...] of a categorical column, and their weights or None."""

    id_tensor: SparseTensor
    weight_tensor: SparseTensor | None


class TensorSequenceLengthPair(NamedTuple):
    """A dense tensor [batch, time, ...] and the number of steps of each example, int64 [batch]."""

    dense_tensor: Tensor
    sequence_length: Tensor


class FeatureColumn:
    """How features become the input of a model.

    Columns are tuples of their settings: two columns made alike are equal.
    """

    # Whether a DenseFeatures layer (and not only `input_layer`) understands the column.
    _is_v2_column = True

    @property
    def name(self) -> str:
        """The column's name, unique among the columns of a model; variables are named after it."""
        raise NotImplementedError

    @property
    def _var_scope_name(self) -> str:
        return self.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """{feature: how `tf.io.parse_example` reads it}."""
        raise NotImplementedError

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return self.parse_example_spec

    def transform_feature(self, cache: FeatureCache) -> Any:
        """What the column makes of its features; called once a cache."""
        raise NotImplementedError

    def create_state(self, variables: Any) -> None:
        """Make the variables of the column, if it has any."""

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)

    def __gt__(self, other: Any) -> bool:
        return str(self) > str(other)


class DenseColumn(FeatureColumn):
    """A column that gives a dense tensor [batch, ...]."""

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of the tensor without its first dimension."""
        raise NotImplementedError

    @property
    def _variable_shape(self) -> TensorShape:
        return self.variable_shape

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, *variable_shape]; `variables` gives the column's variables."""
        raise NotImplementedError


class CategoricalColumn(FeatureColumn):
    """A column that gives sparse ids below `num_buckets`."""

    IdWeightPair = IdWeightPair

    @property
    def num_buckets(self) -> int:
        """The number of different ids."""
        raise NotImplementedError

    @property
    def _num_buckets(self) -> int:
        return self.num_buckets

    def get_sparse_tensors(self, cache: FeatureCache) -> IdWeightPair:
        """The ids, int64, and their weights."""
        return IdWeightPair(cache.get(self), None)


class SequenceDenseColumn(FeatureColumn):
    """A column that gives a dense tensor of sequences."""

    TensorSequenceLengthPair = TensorSequenceLengthPair

    def get_sequence_dense_tensor(
        self, cache: FeatureCache, variables: Any
    ) -> TensorSequenceLengthPair:
        """[batch, time, ...] and the length of each sequence."""
        raise NotImplementedError


class FeatureCache:
    """Features as tensors, and what columns have made of them: each once."""

    def __init__(self, features: dict[Any, Any]):
        self._features = features.copy()
        self._made: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        """The tensor of a feature or of a column; ValueError for a feature that is not there."""
        if key in self._made:
            return self._made[key]
        if key in self._features:
            made = self._raw_feature(key)
        elif isinstance(key, str):
            raise ValueError(f"Feature {key} is not in features dictionary.")
        elif not isinstance(key, FeatureColumn):
            raise TypeError(f'"key" must be either a "str" or "FeatureColumn". Provided: {key}')
        else:
            logging.debug("Transforming feature_column %s.", key)
            made = key.transform_feature(self)
            if made is None:
                raise ValueError(f"Column {key.name} is not supported.")
        self._made[key] = made
        return made

    def _raw_feature(self, key: Any) -> Any:
        """The feature with two dimensions or more: [batch] becomes [batch, 1]."""
        feature = convert_to_tensor_or_sparse_tensor(self._features[key])

        def expanded() -> Any:
            if isinstance(feature, SparseTensor):
                return sparse_reshape(feature, [array_nodes.shape(feature)[0], 1])
            return raw.ExpandDims(feature, -1)

        rank = feature.get_shape().ndims
        message = f"Feature (key: {key}) cannot have rank 0. Given: {feature}"
        if rank == 0:
            raise ValueError(message)
        if rank is not None:
            return feature if rank != 1 else expanded()
        positive = assert_positive(array_nodes.rank(feature), message=message)
        with get_default_graph().control_dependencies([positive]):
            is_vector = raw.Equal(1, array_nodes.rank(feature))
            return cond(is_vector, expanded, lambda: feature)


def to_sparse(tensor: Any, ignore_value: Any = None) -> SparseTensor:
    """The elements of a dense tensor that are not `ignore_value`: "", -1 or 0.0 by default."""
    tensor = convert_to_tensor_or_sparse_tensor(tensor)
    if isinstance(tensor, SparseTensor):
        return tensor
    with name_scope(None, "to_sparse_input", [tensor, ignore_value]):
        if ignore_value is None:
            if tensor.dtype == dtypes.string:
                ignore_value = ""
            elif tensor.dtype.is_integer:
                ignore_value = -1
            else:
                ignore_value = tensor.dtype.as_numpy_dtype()
        ignore_value = nodes.cast(ignore_value, tensor.dtype, name="ignore_value")
        indices = raw.Where(raw.NotEqual(tensor, ignore_value), name="indices")
        return SparseTensor(
            indices=indices,
            values=raw.GatherNd(tensor, indices, name="values"),
            dense_shape=array_nodes.shape(tensor, out_type=dtypes.int64, name="dense_shape"),
        )


def normalized(feature_columns: Any) -> list[Any]:
    """The columns as a list; ValueError unless they are columns with different names."""
    if isinstance(feature_columns, FeatureColumn):
        feature_columns = [feature_columns]
    if isinstance(feature_columns, Iterator):
        feature_columns = list(feature_columns)
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(
                "Items of feature_columns must be a FeatureColumn. Given (type "
                f"{type(column)}): {column}."
            )
    if not feature_columns:
        raise ValueError("feature_columns must not be empty.")
    by_name: dict[str, Any] = {}
    for column in feature_columns:
        if column.name in by_name:
            raise ValueError(
                f"Duplicate feature column name found for columns: {column} and "
                f"{by_name[column.name]}. This usually means that these columns refer to same base "
                "feature. Either one must be discarded or a duplicated but renamed item must be "
                "inserted in features dict."
            )
        by_name[column.name] = column
    return sorted(feature_columns, key=lambda column: column.name)


def check_batch_sizes(tensors: list[Any], columns: list[Any]) -> None:
    """ValueError when the columns' tensors have different known batch sizes."""
    known = [
        (tensor.shape.as_list()[0], column.name)
        for tensor, column in zip(tensors, columns, strict=True)
        if tensor.shape.as_list()[0] is not None
    ]
    for size, name in known[1:]:
        if size != known[0][0]:
            raise ValueError(
                "Batch size (first dimension) of each feature must be same. Batch size of columns "
                f"({known[0][1]}, {name}): ({known[0][0]}, {size})"
            )


def is_feature_column_v2(feature_columns: Any) -> bool:
    """Whether a DenseFeatures layer can take all of the columns."""
    return all(isinstance(c, FeatureColumn) and c._is_v2_column for c in feature_columns)


def check_string_or_int(dtype: Any, prefix: str) -> None:
    """ValueError for a type that ids cannot be looked up of."""
    if dtype != dtypes.string and not dtype.is_integer:
        raise ValueError(f"{prefix} dtype must be string or integer. dtype: {dtype}.")


def check_key(key: Any) -> None:
    """ValueError unless the name of a feature is a string."""
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key}.")


def sequence_length(ids: SparseTensor, per_step: int = 1) -> Tensor:
    """int64 [batch]: the number of steps of each row of sparse values [batch, time, ...].

    It ends with the last filled step; a step has `per_step` values.
    """
    with name_scope(None, "sequence_length") as scope:
        rows, steps = ids.indices[:, 0], ids.indices[:, 1]
        steps += array_nodes.ones_like(steps)
        lengths = raw.SegmentMax(steps, segment_ids=rows)
        lengths = nodes.cast(raw.Ceil(lengths / per_step), dtypes.int64)
        missing = array_nodes.shape(ids)[:1] - array_nodes.shape(lengths)[:1]
        padding = array_nodes.zeros(missing, dtype=lengths.dtype)
        return array_nodes.concat([lengths, padding], axis=0, name=scope)
