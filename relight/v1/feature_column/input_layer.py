"""Dense columns as one tensor: `tf.feature_column.input_layer` and `DenseFeatures`."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.v1.feature_column.columns import (
    DenseColumn,
    FeatureCache,
    check_batch_sizes,
    is_feature_column_v2,
    normalized,
)
from relight.v1.functions.variable_scope import (
    _PureScope,
    get_variable,
    get_variable_scope,
    variable_scope,
)
from relight.v1.layers.base_layer import BaseLayer


class ScopeVariables:
    """Variables of columns in the current variable scope, made where they are needed."""

    def __init__(self, collections: list[str] | None, trainable: bool):
        self._collections = collections
        self._trainable = trainable

    def find(self, column: Any, name: str, shape: Any, *, initializer: Any, trainable: bool) -> Any:
        """The variable `name` of the scope, float32."""
        return get_variable(
            name=name,
            shape=shape,
            dtype=dtypes.float32,
            initializer=initializer,
            trainable=trainable and self._trainable,
            collections=self._collections,
        )


class LayerVariables:
    """Variables of columns that belong to a layer, made when it is built."""

    def __init__(self, layer: BaseLayer, trainable: bool):
        self._layer = layer
        self._trainable = trainable
        self._made: dict[Any, Any] = {}

    def create(
        self, column: Any, name: str, shape: Any, *, initializer: Any, trainable: bool
    ) -> Any:
        """Make the variable `name` of a column, float32; ValueError when it is there."""
        if (column, name) in self._made:
            raise ValueError("Variable already exists.")
        variable = self._layer.add_weight(
            name=name,
            shape=shape,
            dtype=dtypes.float32,
            initializer=initializer,
            trainable=trainable and self._trainable,
            use_resource=True,
            getter=get_variable,
        )
        self._made[column, name] = variable
        return variable

    def find(
        self, column: Any, name: str, shape: Any = None, *, initializer: Any = None, trainable=True
    ) -> Any:
        """A variable that was made; ValueError when it was not."""
        if (column, name) not in self._made:
            raise ValueError("Variable does not exist.")
        return self._made[column, name]


def weight_collections(given: Any) -> list[str]:
    """The collections for a column's variables: those of global and of model variables too."""
    collections = list(given or [])
    for name in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES):
        if name not in collections:
            collections.append(name)
    return collections


def flat_dense(column: Any, tensor: Tensor) -> Tensor:
    """The tensor of a column as [batch, elements]."""
    elements = column.variable_shape.num_elements()
    batch = array_nodes.shape(tensor)[0]
    return array_nodes.reshape(tensor, shape=(batch, elements))


def check_dense(columns: list[Any]) -> None:
    """ValueError for a column that gives no dense tensor."""
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                "Items of feature_columns must be a _DenseColumn. You can wrap a categorical "
                f"column with an embedding_column or indicator_column. Given: {column}"
            )


@export("feature_column.input_layer")
def input_layer(
    features: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
    cols_to_output_tensors: dict[Any, Any] | None = None,
) -> Tensor:
    """The dense columns side by side, in the order of their names: float32 [batch, elements].

    Args:
      features: {name: tensor or SparseTensor}.
      feature_columns: DenseColumns.
      weight_collections: further collections for the variables of embeddings.
      trainable: whether training changes those variables.
      cols_to_vars: is filled with the variables of each column.
      cols_to_output_tensors: is filled with the tensor of each column.

    Raises:
      ValueError: for columns that are not dense, or a feature that is missing.
    """
    with variable_scope(None, default_name="input_layer", values=list(features.values())):
        return joined_columns(
            features,
            feature_columns,
            weight_collections,
            trainable,
            cols_to_vars,
            cols_to_output_tensors,
        )


def joined_columns(
    features: dict[Any, Any],
    feature_columns: Any,
    collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
    cols_to_output_tensors: dict[Any, Any] | None = None,
) -> Tensor:
    """`input_layer` in the current variable scope."""
    columns = normalized(feature_columns)
    check_dense(columns)
    cache = FeatureCache(features)
    variables = ScopeVariables(weight_collections(collections), trainable)
    tensors = []
    for column in columns:
        with variable_scope(None, default_name=column._var_scope_name):
            flat = flat_dense(column, column.get_dense_tensor(cache, variables))
            tensors.append(flat)
            if cols_to_vars is not None:
                cols_to_vars[column] = get_default_graph().get_collection(
                    GraphKeys.GLOBAL_VARIABLES, scope=get_variable_scope().name
                )
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = flat
    check_batch_sizes(tensors, columns)
    return array_nodes.concat(tensors, 1)


@export("keras.layers.DenseFeatures")
class DenseFeatures(BaseLayer):
    """A layer from features to the dense columns side by side, float32 [batch, elements]."""

    def __init__(
        self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._feature_columns = normalized(feature_columns)
        if not is_feature_column_v2(self._feature_columns):
            raise ValueError(
                "Items of feature_columns must be a FeatureColumn; shared_embedding_columns work "
                f"with tf.feature_column.input_layer only. Given: {self._feature_columns}"
            )
        self._variables = LayerVariables(self, self.trainable)
        check_dense(self._feature_columns)

    def build(self, input_shape: Any) -> None:
        """Make the columns' variables."""
        for column in self._feature_columns:
            with _PureScope(self.name), _PureScope(column.name):
                column.create_state(self._variables)
        self.built = True

    def call(self, features: Any, cols_to_output_tensors: Any = None) -> Tensor:
        """{name: tensor} -> [batch, elements]."""
        if not isinstance(features, dict):
            raise ValueError("We expected a dictionary here. Instead we got: ", features)
        cache = FeatureCache(features)
        tensors = []
        for column in self._feature_columns:
            with name_scope(column.name):
                dense = column.get_dense_tensor(cache, self._variables)
                flat = flat_dense(column, dense)
                if cols_to_output_tensors is not None:
                    cols_to_output_tensors[column] = flat
                tensors.append(flat)
        check_batch_sizes(tensors, self._feature_columns)
        return array_nodes.concat(tensors, -1)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, elements]."""
        elements = sum(c.variable_shape.num_elements() for c in self._feature_columns)
        return TensorShape([input_shape[0], elements])
