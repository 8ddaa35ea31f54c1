"""Dense columns of categories: indicators and embeddings, of one column or shared."""

from __future__ import annotations

import collections
import math
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.feature_column.categorical import (
    SequenceCategoricalColumn,
    WeightedCategoricalColumn,
)
from relight.v1.feature_column.columns import (
    CategoricalColumn,
    DenseColumn,
    FeatureCache,
    IdWeightPair,
    SequenceDenseColumn,
    TensorSequenceLengthPair,
    sequence_length,
)
from relight.v1.functions.array import one_hot
from relight.v1.functions.embedding import safe_embedding_lookup_sparse
from relight.v1.functions.init import TruncatedNormal
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.sparse import sparse_merge, sparse_slice, sparse_tensor_to_dense
from relight.v1.train.checkpoint_utils import init_from_checkpoint

_Indicator = collections.namedtuple("IndicatorColumn", ("categorical_column",))
_Embedding = collections.namedtuple(
    "EmbeddingColumn",
    (
        "categorical_column",
        "dimension",
        "combiner",
        "initializer",
        "ckpt_to_load_from",
        "tensor_name_in_ckpt",
        "max_norm",
        "trainable",
    ),
)
_Shared = collections.namedtuple(
    "_SharedEmbeddingColumn",
    (
        "categorical_column",
        "dimension",
        "combiner",
        "initializer",
        "shared_embedding_collection_name",
        "ckpt_to_load_from",
        "tensor_name_in_ckpt",
        "max_norm",
        "trainable",
    ),
)


class _OfCategories(DenseColumn, SequenceDenseColumn):
    """A dense column made of a categorical one."""

    categorical_column: Any
    _kind: str

    @property
    def _is_v2_column(self) -> bool:  # type: ignore[override]
        return self.categorical_column._is_v2_column

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The categorical column's."""
        return self.categorical_column.parse_example_spec

    def _check_no_sequence(self) -> None:
        if isinstance(self.categorical_column, SequenceCategoricalColumn):
            raise ValueError(
                f"In {self._kind}: {self.name}. categorical_column must not be of type "
                "_SequenceCategoricalColumn. Suggested fix A: If you wish to use DenseFeatures, "
                "use a non-sequence categorical_column_with_*. Suggested fix B: If you wish to "
                "create sequence input, use SequenceFeatures instead of DenseFeatures. Given (type "
                f"{type(self.categorical_column)}): {self.categorical_column}"
            )

    def _check_sequence(self) -> None:
        if not isinstance(self.categorical_column, SequenceCategoricalColumn):
            raise ValueError(
                f"In {self._kind}: {self.name}. categorical_column must be of type "
                "SequenceCategoricalColumn to use SequenceFeatures. Suggested fix: Use one of "
                "sequence_categorical_column_with_*. Given (type "
                f"{type(self.categorical_column)}): {self.categorical_column}"
            )


class IndicatorColumn(_OfCategories, _Indicator):
    """How often each category occurs in an example."""

    _kind = "indicator_column"

    @property
    def name(self) -> str:
        """The column's name and "_indicator"."""
        return f"{self.categorical_column.name}_indicator"

    def transform_feature(self, cache: FeatureCache) -> Tensor:
        """float32 [batch, num_buckets]: counts, or sums of weights."""
        ids, weights = self.categorical_column.get_sparse_tensors(cache)
        buckets = self.variable_shape[-1]
        if weights is not None:
            merged = sparse_merge(sp_ids=ids, sp_values=weights, vocab_size=int(buckets))
            merged = sparse_slice(merged, [0, 0], merged.dense_shape)
            return raw.ScatterNd(merged.indices, merged.values, merged.dense_shape)
        dense = sparse_tensor_to_dense(ids, default_value=-1)
        hot = one_hot(dense, depth=buckets, on_value=1.0, off_value=0.0)
        return nodes.reduce_sum(hot, axis=[-2])

    @property
    def variable_shape(self) -> TensorShape:
        """[1, num_buckets]."""
        return TensorShape([1, self.categorical_column.num_buckets])

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, num_buckets]."""
        self._check_no_sequence()
        return cache.get(self)

    def get_sequence_dense_tensor(
        self, cache: FeatureCache, variables: Any
    ) -> TensorSequenceLengthPair:
        """float32 [batch, time, num_buckets] and lengths."""
        self._check_sequence()
        dense = cache.get(self)
        ids = self.categorical_column.get_sparse_tensors(cache).id_tensor
        return TensorSequenceLengthPair(dense, sequence_length(ids))


class _EmbeddingBase(_OfCategories):
    """What one embedding and a shared one do alike."""

    dimension: int
    combiner: str
    ckpt_to_load_from: Any
    tensor_name_in_ckpt: Any
    max_norm: Any
    _kind = "embedding_column"

    def transform_feature(self, cache: FeatureCache) -> Any:
        """The ids."""
        return cache.get(self.categorical_column)

    @property
    def variable_shape(self) -> TensorShape:
        """[dimension]."""
        return TensorShape([self.dimension])

    @property
    def _table_shape(self) -> tuple[int, int]:
        return self.categorical_column.num_buckets, self.dimension

    def _looked_up(self, sparse: IdWeightPair, table: Any) -> Tensor:
        if self.ckpt_to_load_from is not None:
            restored = table
            if isinstance(restored, PartitionedVariable):
                restored = restored._get_variable_list()
            init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: restored})
        return safe_embedding_lookup_sparse(
            embedding_weights=table,
            sparse_ids=sparse.id_tensor,
            sparse_weights=sparse.weight_tensor,
            combiner=self.combiner,
            name=f"{self.name}_weights",
            max_norm=self.max_norm,
        )

    def _embedded(self, cache: FeatureCache, variables: Any) -> tuple[Tensor, IdWeightPair]:
        raise NotImplementedError

    def get_dense_tensor(self, cache: FeatureCache, variables: Any) -> Tensor:
        """float32 [batch, dimension]."""
        self._check_no_sequence()
        return self._embedded(cache, variables)[0]

    def get_sequence_dense_tensor(
        self, cache: FeatureCache, variables: Any
    ) -> TensorSequenceLengthPair:
        """float32 [batch, time, dimension] and lengths."""
        self._check_sequence()
        dense, sparse = self._embedded(cache, variables)
        return TensorSequenceLengthPair(dense, sequence_length(sparse.id_tensor))


class EmbeddingColumn(_EmbeddingBase, _Embedding):
    """Rows of a trained table, combined over the ids of an example."""

    @property
    def name(self) -> str:
        """The column's name and "_embedding"."""
        return f"{self.categorical_column.name}_embedding"

    def create_state(self, variables: Any) -> None:
        """Make the table."""
        variables.create(
            self,
            "embedding_weights",
            self._table_shape,
            initializer=self.initializer,
            trainable=self.trainable,
        )

    def _embedded(self, cache: FeatureCache, variables: Any) -> tuple[Tensor, IdWeightPair]:
        sparse = self.categorical_column.get_sparse_tensors(cache)
        table = variables.find(
            self,
            "embedding_weights",
            self._table_shape,
            initializer=self.initializer,
            trainable=self.trainable,
        )
        return self._looked_up(sparse, table), sparse


class SharedEmbeddingColumn(_EmbeddingBase, _Shared):
    """Rows of a table that several columns have in common, found through a collection."""

    # A collection belongs to a graph, not to a layer.
    _is_v2_column = False  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """The column's name and "_shared_embedding"."""
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def _var_scope_name(self) -> str:
        return self.shared_embedding_collection_name

    def _embedded(self, cache: FeatureCache, variables: Any) -> tuple[Tensor, IdWeightPair]:
        with name_scope(None, self.name):
            sparse = self.categorical_column.get_sparse_tensors(cache)
            return self._looked_up(sparse, self._table(variables)), sparse

    def _table(self, variables: Any) -> Any:
        graph, shape = get_default_graph(), self._table_shape
        shared = graph.get_collection(self.shared_embedding_collection_name)
        fixes = (
            " Suggested fix A: Choose a unique name for this collection. Suggested fix B: Do not "
            "add any variables to this collection. The feature_column library already adds a "
            "variable under the hood."
        )
        if len(shared) > 1:
            raise ValueError(f"Collection {shared} can only contain one variable.{fixes}")
        if not shared:
            table = variables.find(
                self,
                "embedding_weights",
                shape,
                initializer=self.initializer,
                trainable=self.trainable,
            )
            graph.add_to_collection(self.shared_embedding_collection_name, table)
            return table
        if shared[0].get_shape() != shape:
            raise ValueError(
                f"Shared embedding collection {self.shared_embedding_collection_name} contains "
                f"variable {shared[0].name} of unexpected shape {shared[0].get_shape()}. Expected "
                f"shape is {shape}.{fixes}"
            )
        return shared[0]


@export("feature_column.indicator_column")
def indicator_column(categorical_column: Any) -> IndicatorColumn:
    """A categorical column as counts of its categories (one-hot for one value an example)."""
    return IndicatorColumn(categorical_column)


def _checked_initializer(
    dimension: int | None, initializer: Any, checkpoint: Any, tensor_name: Any, what: str
) -> Any:
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (checkpoint is None) != (tensor_name is None):
        raise ValueError(
            "Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them."
        )
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified.{what}")
    if initializer is None:
        initializer = TruncatedNormal(mean=0.0, stddev=1 / math.sqrt(dimension))
    return initializer


@export("feature_column.embedding_column")
def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> EmbeddingColumn:
    """A categorical column as rows of a table [num_buckets, dimension] that is trained.

    Args:
      combiner: how the rows of an example's ids become one: "mean", "sqrtn" or "sum".
      initializer: of the table; a truncated normal one of deviation 1/sqrt(dimension) when None.
      ckpt_to_load_from, tensor_name_in_ckpt: where the table's first value comes from.
      max_norm: longer rows are scaled down to this length.
      trainable: whether training changes the table.

    Raises:
      ValueError: for arguments that do not fit.
    """
    initializer = _checked_initializer(
        dimension,
        initializer,
        ckpt_to_load_from,
        tensor_name_in_ckpt,
        f" Embedding of column_name: {categorical_column.name}",
    )
    return EmbeddingColumn(
        categorical_column=categorical_column,
        dimension=dimension,
        combiner=combiner,
        initializer=initializer,
        ckpt_to_load_from=ckpt_to_load_from,
        tensor_name_in_ckpt=tensor_name_in_ckpt,
        max_norm=max_norm,
        trainable=trainable,
    )


@export("feature_column.shared_embedding_columns")
def shared_embedding_columns(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> list[SharedEmbeddingColumn]:
    """One embedding column for each categorical column, all with the same table.

    `shared_embedding_collection_name` names the table's scope and collection; the columns' names
    make it when None. The other arguments are those of `embedding_column`. ValueError unless the
    categorical columns are of one type and number of buckets.
    """
    initializer = _checked_initializer(
        dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt, ""
    )
    in_order = sorted(categorical_columns, key=lambda column: column.name)
    _check_alike(in_order)
    if not shared_embedding_collection_name:
        names = "_".join(column.name for column in in_order)
        shared_embedding_collection_name = names + "_shared_embedding"
    return [
        SharedEmbeddingColumn(
            categorical_column=column,
            initializer=initializer,
            dimension=dimension,
            combiner=combiner,
            shared_embedding_collection_name=shared_embedding_collection_name,
            ckpt_to_load_from=ckpt_to_load_from,
            tensor_name_in_ckpt=tensor_name_in_ckpt,
            max_norm=max_norm,
            trainable=trainable,
        )
        for column in categorical_columns
    ]


def _check_alike(columns: list[Any]) -> None:
    first, buckets = columns[0], columns[0]._num_buckets
    if not isinstance(first, CategoricalColumn):
        raise ValueError(
            "All categorical_columns must be subclasses of _CategoricalColumn. Given: "
            f"{first}, of type: {type(first)}"
        )
    if isinstance(first, WeightedCategoricalColumn):
        first = first.categorical_column
    for other in columns[1:]:
        if isinstance(other, WeightedCategoricalColumn):
            other = other.categorical_column
        if not isinstance(other, type(first)):
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type, "
                "or be weighted_categorical_column of the same type. Given column: "
                f"{first} of type: {type(first)} does not match given column: {other} of type: "
                f"{type(other)}"
            )
        if buckets != other._num_buckets:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same number "
                f"of buckets. Given column: {first} with buckets: {buckets} does  not match "
                f"column: {other} with buckets: {other._num_buckets}"
            )
