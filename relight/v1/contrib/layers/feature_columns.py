"""Feature columns of `tf.contrib.layers`: those of numbers."""

from __future__ import annotations

import collections
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1 import logging
from relight.v1.feature_column.columns import DenseColumn, FeatureCache
from relight.v1.functions.parsing import FixedLenFeature
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor
from relight.v1.functions.variable_scope import variable_scope

_Fields = collections.namedtuple(
    "_RealValuedColumn", ("column_name", "dimension", "default_value", "dtype", "normalizer")
)


class _RealValuedColumn(DenseColumn, _Fields):
    """A feature of `dimension` numbers, as float32."""

    _is_v2_column = False

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.column_name

    @property
    def key(self) -> str:
        """What columns are sorted by."""
        fields = [f"{k}={v!r}" for k, v in self._asdict().items() if k != "normalizer"]
        return f"_RealValuedColumn({', '.join(fields)})"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of fixed length."""
        default = None if self.default_value is None else list(self.default_value)
        return {self.column_name: FixedLenFeature([self.dimension], self.dtype, default)}

    config = parse_example_spec
    normalizer_fn = property(lambda self: self.normalizer, doc="The function applied first.")

    @property
    def variable_shape(self) -> TensorShape:
        """[dimension]."""
        return TensorShape([self.dimension])

    def _floats(self, tensor: Any) -> Tensor:
        if self.normalizer is not None:
            tensor = self.normalizer(tensor)
        return nodes.cast(tensor, dtypes.float32)

    def transform_feature(self, cache: FeatureCache) -> Tensor:
        """The feature, normalized, as float32."""
        return self._floats(cache.get(self.column_name))

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, dimension]."""
        return cache.get(self)

    def to_dnn_input(self, tensor: Any) -> Tensor:
        """The feature's tensor as float32 [batch, dimension]."""
        dense = self._floats(tensor)
        rank = dense.shape.ndims
        if rank == 1:
            logging.warning(
                "Rank of input Tensor (1) should be the same as output_rank (2) for column. Will "
                "attempt to expand dims. It is highly recommended that you resize your input, as "
                "this behavior may change."
            )
            return raw.ExpandDims(dense, -1)
        if rank is not None and rank > 2:
            return array_nodes.reshape(dense, [-1, self.dimension])
        return dense


RealValuedColumn = _RealValuedColumn


@export("contrib.layers.real_valued_column")
def real_valued_column(
    column_name: str,
    dimension: int = 1,
    default_value: Any = None,
    dtype: Any = dtypes.float32,
    normalizer: Any = None,
) -> _RealValuedColumn:
    """A column of numbers; the name "" stands for features that are one tensor.

    Args:
      dimension: how many numbers an example has.
      default_value: a number or a list of `dimension` numbers, for examples without the feature.
      dtype: a floating or integer type.
      normalizer: a function that is applied to the tensor.

    Raises:
      TypeError: for another kind of dimension or default value.
      ValueError: for a dimension below 1 or a list of another length.
    """
    if not isinstance(dimension, int):
        raise TypeError(
            f"dimension must be an integer. dimension: {dimension}, column_name: {column_name}"
        )
    if dimension < 1:
        raise ValueError(
            f"dimension must be greater than 0. dimension: {dimension}, column_name: {column_name}"
        )
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(
            f"dtype must be convertible to float. dtype: {dtype}, column_name: {column_name}"
        )
    if default_value is not None:
        values = default_value if isinstance(default_value, list) else [default_value] * dimension
        if len(values) != dimension:
            raise ValueError(
                "The length of default_value must be equal to dimension. default_value: "
                f"{default_value}, dimension: {dimension}, column_name: {column_name}"
            )
        allowed = (int, float) if dtype.is_floating else (int,)
        if not all(isinstance(v, allowed) for v in values):
            raise TypeError(
                f"default_value must be compatible with dtype. default_value: {default_value}, "
                f"dtype: {dtype}, column_name: {column_name}"
            )
        default_value = tuple(float(v) if dtype.is_floating else v for v in values)
    return _RealValuedColumn(column_name, dimension, default_value, dtype, normalizer)


@export("contrib.layers.infer_real_valued_columns")
def infer_real_valued_columns(features: Any) -> list[_RealValuedColumn]:
    """A column of numbers for each feature; one named "" for features that are one tensor."""
    if not isinstance(features, dict):
        return [_inferred("", features)]
    return [_inferred(name, features[name]) for name in sorted(features)]


def _inferred(name: str, tensor: Any) -> _RealValuedColumn:
    tensor = convert_to_tensor_or_sparse_tensor(tensor)
    if isinstance(tensor, SparseTensor):
        raise ValueError(
            "SparseTensor is not supported for auto detection. Please define corresponding "
            f"FeatureColumn for tensor {name} {tensor}."
        )
    if not (tensor.dtype.is_integer or tensor.dtype.is_floating):
        raise ValueError(
            "Non integer or non floating types are not supported for auto detection. Please define "
            f"corresponding FeatureColumn for tensor {name} {tensor}."
        )
    dimension = 1
    for size in tensor.shape.as_list()[1:]:
        dimension *= size
    return real_valued_column(name, dimension=dimension, dtype=tensor.dtype)


@export("contrib.layers.input_from_feature_columns")
def input_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    cols_to_outs: dict[Any, Any] | None = None,
) -> Tensor:
    """The columns side by side, float32 [batch, numbers].

    `cols_to_outs` is filled with the tensor of each column. ValueError for a missing feature.
    """
    if cols_to_outs is not None and not isinstance(cols_to_outs, dict):
        raise ValueError("cols_to_outs must be a dict unless None")
    for column in feature_columns:
        if not isinstance(column, RealValuedColumn):
            raise ValueError(
                "relight's tf.contrib.layers knows columns made by real_valued_column only; use "
                f"tf.feature_column for others. Given: {column}"
            )
        if column.name not in columns_to_tensors:
            raise ValueError(
                f"Features required by {column.name!r} are missing: {sorted(columns_to_tensors)}"
            )
    tensors = list(columns_to_tensors.values())
    with variable_scope(scope, default_name="input_from_feature_columns", values=tensors):
        outputs = []
        for column in sorted(set(feature_columns), key=lambda column: column.key):
            with variable_scope(None, default_name=column.name, values=tensors):
                outputs.append(column.to_dnn_input(columns_to_tensors[column.name]))
                if cols_to_outs is not None:
                    cols_to_outs[column] = outputs[-1]
        return array_nodes.concat(outputs, 1)
