"""`tf.feature_column.numeric_column` and `bucketized_column`."""

from __future__ import annotations

import collections
import itertools
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.feature_column.columns import (
    CategoricalColumn,
    DenseColumn,
    FeatureCache,
    IdWeightPair,
    check_key,
)
from relight.v1.functions import nest
from relight.v1.functions.array import one_hot
from relight.v1.functions.parsing import FixedLenFeature

_Numeric = collections.namedtuple(
    "NumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn")
)
_Bucketized = collections.namedtuple("BucketizedColumn", ("source_column", "boundaries"))


class NumericColumn(DenseColumn, _Numeric):
    """A feature of numbers, as float32."""

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of fixed length."""
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    def transform_feature(self, cache: FeatureCache) -> Tensor:
        """The feature, normalized, as float32."""
        tensor = cache.get(self.key)
        if isinstance(tensor, SparseTensor):
            raise ValueError(
                "The corresponding Tensor of numerical column must be a Tensor. SparseTensor is "
                f"not supported. key: {self.key}"
            )
        if self.normalizer_fn is not None:
            tensor = self.normalizer_fn(tensor)
        return nodes.cast(tensor, dtypes.float32)

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of one example."""
        return TensorShape(self.shape)

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, *shape]."""
        return cache.get(self)


class BucketizedColumn(DenseColumn, CategoricalColumn, _Bucketized):
    """The number of the interval that a number lies in: an id, or one-hot."""

    @property
    def name(self) -> str:
        """The source's name and "_bucketized"."""
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The source's."""
        return self.source_column.parse_example_spec

    def transform_feature(self, cache: FeatureCache) -> Tensor:
        """int32 [batch, n]: the interval of each number."""
        return raw.Bucketize(cache.get(self.source_column), boundaries=list(self.boundaries))

    @property
    def variable_shape(self) -> TensorShape:
        """One bucket more than there are boundaries, for each number of the source."""
        return TensorShape((*self.source_column.shape, len(self.boundaries) + 1))

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, n, buckets], one-hot."""
        return one_hot(
            indices=nodes.cast(cache.get(self), dtypes.int64),
            depth=len(self.boundaries) + 1,
            on_value=1.0,
            off_value=0.0,
        )

    @property
    def num_buckets(self) -> int:
        """Buckets of all numbers of the source together."""
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def get_sparse_tensors(self, cache: FeatureCache) -> IdWeightPair:
        """Ids [batch, n]: those of the second number come after those of the first, and so on."""
        tensor = cache.get(self)
        batch = array_nodes.shape(tensor)[0]
        count = self.source_column.shape[0]
        column = raw.ExpandDims(nodes.range(0, batch), 1)
        rows = array_nodes.reshape(raw.Tile(column, [1, count]), (-1,))
        places = raw.Tile(nodes.range(0, count), [batch])
        ids = array_nodes.reshape(tensor, (-1,)) + (len(self.boundaries) + 1) * places
        indices = array_nodes.transpose(array_nodes.stack((rows, places)))
        indices = nodes.cast(indices, dtypes.int64)
        shape = nodes.cast(array_nodes.stack([batch, count]), dtypes.int64)
        return IdWeightPair(SparseTensor(indices=indices, values=ids, dense_shape=shape), None)


@export("feature_column.numeric_column")
def numeric_column(
    key: str,
    shape: Any = (1,),
    default_value: Any = None,
    dtype: Any = dtypes.float32,
    normalizer_fn: Any = None,
) -> NumericColumn:
    """A column of numbers.

    Args:
      key: the name of the feature.
      shape: the shape of one example; a number stands for a vector.
      default_value: what `tf.io.parse_example` gives where the feature is missing: a number, or
        values of that shape.
      dtype: a floating or integer type.
      normalizer_fn: a function that is applied to the tensor.

    Raises:
      TypeError: for a default value or a function that does not fit.
      ValueError: for another shape or type.
    """
    shape = checked_shape(shape, key)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    default_value = _checked_default(shape, default_value, dtype, key)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    check_key(key)
    return NumericColumn(
        key, shape=shape, default_value=default_value, dtype=dtype, normalizer_fn=normalizer_fn
    )


@export("feature_column.bucketized_column")
def bucketized_column(source_column: Any, boundaries: Any) -> BucketizedColumn:
    """A column of the intervals that the numbers of a numeric column lie in.

    Boundaries (b0, b1, ...) make buckets (-inf, b0), [b0, b1), ..., [bn, inf). ValueError unless
    they rise and the source is a numeric column of one dimension.
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError(
            "source_column must be a column generated with numeric_column(). Given: "
            f"{source_column}"
        )
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries:
        raise ValueError("boundaries must not be empty.")
    rises = isinstance(boundaries, (list, tuple)) and all(
        low < high for low, high in itertools.pairwise(boundaries)
    )
    if not rises:
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))


def checked_shape(shape: Any, key: str) -> tuple[int, ...]:
    """A shape as tuple; TypeError or ValueError unless it is of positive integers."""
    shape = tuple(shape) if nest.is_sequence(shape) else (shape,)
    for dimension in shape:
        if not isinstance(dimension, int):
            raise TypeError(f"shape dimensions must be integer. shape: {shape}, key: {key}")
        if dimension < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {shape}, key: {key}")
    return shape


def _checked_default(shape: Any, value: Any, dtype: Any, key: str) -> Any:
    """The default value as nested tuples of that shape."""
    if value is None:
        return None
    if isinstance(value, int) or (isinstance(value, float) and dtype.is_floating):
        return _filled(shape, value)
    if callable(getattr(value, "tolist", None)):
        value = value.tolist()
    if nest.is_sequence(value):
        if not _fits(value, shape):
            raise ValueError(
                "The shape of default_value must be equal to given shape. default_value: "
                f"{value}, shape: {shape}, key: {key}"
            )
        flat = nest.flatten(value)
        floats = any(isinstance(v, float) for v in flat) and dtype.is_floating
        if floats or all(isinstance(v, int) for v in flat):
            return _as_tuple(value)
    raise TypeError(
        f"default_value must be compatible with dtype. default_value: {value}, dtype: {dtype}, "
        f"key: {key}"
    )


def _filled(shape: Any, value: Any) -> Any:
    return tuple(_filled(shape[1:], value) for _ in range(shape[0])) if shape else value


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(v) for v in value) if nest.is_sequence(value) else value


def _fits(value: Any, shape: Any) -> bool:
    if nest.is_sequence(value) != bool(shape):
        return False
    return not shape or (len(value) == shape[0] and all(_fits(v, shape[1:]) for v in value))
