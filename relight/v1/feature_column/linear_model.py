"""`tf.feature_column.linear_model`: a weighted sum over columns."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.v1.feature_column.columns import (
    CategoricalColumn,
    DenseColumn,
    FeatureCache,
    check_batch_sizes,
    normalized,
)
from relight.v1.feature_column.input_layer import (
    LayerVariables,
    ScopeVariables,
    flat_dense,
    weight_collections,
)
from relight.v1.functions.embedding import safe_embedding_lookup_sparse
from relight.v1.functions.init import Zeros
from relight.v1.functions.math import add_n
from relight.v1.functions.nn import bias_add
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.sparse import sparse_reshape
from relight.v1.functions.variable_scope import _PureScope, get_variable, variable_scope
from relight.v1.layers.base import Layer
from relight.v1.layers.base_layer import BaseLayer, as_tensors


def _check_columns(columns: list[Any]) -> None:
    for column in columns:
        if not isinstance(column, (DenseColumn, CategoricalColumn)):
            raise ValueError(
                "Items of feature_columns must be either a _DenseColumn or _CategoricalColumn. "
                f"Given: {column}"
            )


def _inputs_of(column: Any) -> int:
    """The number of weights of a column for each output."""
    if isinstance(column, CategoricalColumn):
        return column.num_buckets
    return column.variable_shape.num_elements()


def _weighted_sum(
    column: Any, cache: FeatureCache, variables: Any, combiner: str, weight: Any
) -> Tensor:
    """[batch, units]: a dense column times its weights, or the weights of the ids combined."""
    if not isinstance(column, CategoricalColumn):
        dense = flat_dense(column, column.get_dense_tensor(cache, variables))
        return nodes.matmul(dense, weight, name="weighted_sum")
    ids, weights = column.get_sparse_tensors(cache)
    ids = sparse_reshape(ids, [array_nodes.shape(ids)[0], -1])
    if weights is not None:
        weights = sparse_reshape(weights, [array_nodes.shape(weights)[0], -1])
    return safe_embedding_lookup_sparse(
        weight, ids, sparse_weights=weights, combiner=combiner, name="weighted_sum"
    )


def expanded(variables: Any) -> list[Any]:
    """Variables with those in parts as their parts."""
    found: list[Any] = []
    for variable in variables:
        found += list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    return found


class LinearModelLayer(BaseLayer):
    """A weighted sum over columns, with variables of its own."""

    def __init__(
        self,
        feature_columns: Any,
        units: int = 1,
        sparse_combiner: str = "sum",
        trainable: bool = True,
        name: str | None = None,
    ):
        super().__init__(name=name, trainable=trainable)
        self._feature_columns = normalized(feature_columns)
        _check_columns(self._feature_columns)
        self._units = units
        self._sparse_combiner = sparse_combiner
        self._variables = LayerVariables(self, trainable)
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make weights [inputs, units] for each column, and a bias [units]."""
        settings = {"initializer": Zeros(), "trainable": self.trainable}
        with _PureScope(self.name):
            for column in self._feature_columns:
                with _PureScope(column.name):
                    column.create_state(self._variables)
                    shape = (_inputs_of(column), self._units)
                    self._variables.create(column, "weights", shape, **settings)
            self.bias = self.add_weight(
                "bias_weights",
                shape=[self._units],
                dtype=dtypes.float32,
                use_resource=True,
                getter=get_variable,
                **settings,
            )
        self.built = True

    def call(self, features: Any) -> Tensor:
        """{name: tensor} -> [batch, units]."""
        if not isinstance(features, dict):
            raise ValueError(f"We expected a dictionary here. Instead we got: {features}")
        with name_scope(self.name):
            cache = FeatureCache(features)
            sums = []
            for column in self._feature_columns:
                with name_scope(column.name):
                    weight = self._variables.find(column, "weights")
                    sums.append(
                        _weighted_sum(column, cache, self._variables, self._sparse_combiner, weight)
                    )
            check_batch_sizes(sums, self._feature_columns)
            total = add_n(sums, name="weighted_sum_no_bias")
            return bias_add(total, self.bias, name="weighted_sum")


class LinearModel:
    """A LinearModelLayer as a model: one scope of names more."""

    def __init__(
        self, feature_columns: Any, units: int = 1, sparse_combiner: str = "sum", name: str = ""
    ):
        self.name = name
        self.layer = LinearModelLayer(feature_columns, units, sparse_combiner, name=name)

    def __call__(self, features: Any) -> Tensor:
        """{name: tensor} -> [batch, units]."""
        features = as_tensors(features)
        with name_scope(self.name):
            return self.layer(features)

    @property
    def bias(self) -> Any:
        """The bias [units], once the model was called."""
        return self.layer.bias

    @property
    def weights(self) -> list[Any]:
        """The variables of all columns, without the bias."""
        return [v for v in self.layer.variables if v is not self.bias]


class _ColumnLayer(Layer):
    """The part of one column in a ScopedLinearModel."""

    def __init__(self, column: Any, units: int, combiner: str, collections: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self._use_resource_variables = True
        self._column = column
        self._units = units
        self._combiner = combiner
        self._collections = collections

    def build(self, _: Any) -> None:
        """Make the weights [inputs, units]."""
        self._weight = self.add_weight(
            name="weights",
            shape=(_inputs_of(self._column), self._units),
            initializer=Zeros(),
            trainable=self.trainable,
        )
        _add_to_collections(self._weight, self._collections)
        self.built = True

    def call(self, cache: Any) -> Tensor:
        """[batch, units]."""
        variables = ScopeVariables(self._collections, self.trainable)
        return _weighted_sum(self._column, cache, variables, self._combiner, self._weight)


class _BiasLayer(Layer):
    """The bias of a ScopedLinearModel."""

    def __init__(self, units: int, collections: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self._use_resource_variables = True
        self._units = units
        self._collections = collections

    def build(self, _: Any) -> None:
        """Make the bias [units]."""
        self.bias = self.add_weight(
            "bias_weights",
            shape=[self._units],
            initializer=Zeros(),
            trainable=self.trainable,
        )
        _add_to_collections(self.bias, self._collections)
        self.built = True

    def call(self, _: Any) -> Any:
        """The bias."""
        return self.bias


def _add_to_collections(variable: Any, collections: list[str]) -> None:
    for name in collections:
        if name != GraphKeys.GLOBAL_VARIABLES:
            for part in expanded([variable]):
                get_default_graph().add_to_collection(name, part)


class ScopedLinearModel:
    """A weighted sum over columns with variables of the variable scope."""

    def __init__(
        self,
        feature_columns: Any,
        units: int = 1,
        sparse_combiner: str = "sum",
        collections: Any = None,
        trainable: bool = True,
        name: str = "linear_model",
    ):
        self.name = name
        columns = normalized(feature_columns)
        collections = weight_collections(collections)
        layers = {}
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name) as scope:
                column_name = scope.name.rsplit("/", 1)[-1]
            layers[column_name] = _ColumnLayer(
                column, units, sparse_combiner, collections, trainable=trainable, name=column_name
            )
        self._layers = layers
        self._columns = columns
        self._bias_layer = _BiasLayer(units, collections, trainable=trainable, name="bias_layer")
        self.cols_to_vars: dict[Any, Any] = {}

    def __call__(self, features: Any) -> Tensor:
        """{name: tensor} -> [batch, units]."""
        graph = get_default_graph()
        features = as_tensors(features)
        with name_scope(self.name), variable_scope(self.name) as scope:
            _check_columns(self._columns)
            cache = FeatureCache(features)
            sums, columns = [], []
            for layer in sorted(self._layers.values(), key=lambda layer: layer.name):
                columns.append(layer._column)
                sums.append(layer(cache))
                self.cols_to_vars[layer._column] = graph.get_collection(
                    GraphKeys.GLOBAL_VARIABLES, scope=layer.scope_name
                )
            check_batch_sizes(sums, columns)
            total = add_n(sums, name="weighted_sum_no_bias")
            bias = self._bias_layer(cache, scope=scope)
            result = bias_add(total, bias, name="weighted_sum")
            self.cols_to_vars["bias"] = expanded([self._bias_layer.bias])
        return result


@export("feature_column.linear_model")
def linear_model(
    features: dict[Any, Any],
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
) -> Tensor:
    """A linear model of columns: float32 [batch, units].

    Args:
      features: {name: tensor or SparseTensor}.
      feature_columns: dense and categorical columns.
      units: the number of outputs.
      sparse_combiner: how the weights of several ids of an example become one: "sum", "mean" or
        "sqrtn".
      weight_collections: further collections for the variables.
      trainable: whether training changes the variables.
      cols_to_vars: is filled with the variables of each column, and of "bias".

    Raises:
      ValueError: for columns of another kind, or a feature that is missing.
    """
    with variable_scope(None, "linear_model") as scope:
        name = scope.name.rsplit("/", 1)[-1]
    model = ScopedLinearModel(
        feature_columns, units, sparse_combiner, weight_collections, trainable, name=name
    )
    result = model(features)
    if cols_to_vars is not None:
        cols_to_vars.update(model.cols_to_vars)
    return result
