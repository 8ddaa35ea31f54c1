"""Columns of categories: hashed, numbered, from a vocabulary, weighted, as sequences."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1 import gfile, logging
from relight.v1.feature_column.columns import (
    CategoricalColumn,
    FeatureCache,
    IdWeightPair,
    check_key,
    check_string_or_int,
    to_sparse,
)
from relight.v1.functions.checks import assert_greater_equal, assert_less
from relight.v1.functions.lookup import index_table_from_file, index_table_from_tensor
from relight.v1.functions.parsing import VarLenFeature
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor
from relight.v1.functions.sparse import sparse_reshape
from relight.v1.functions.strings import as_string, string_to_hash_bucket_fast

_Hashed = collections.namedtuple("HashedCategoricalColumn", ("key", "hash_bucket_size", "dtype"))
_File = collections.namedtuple(
    "VocabularyFileCategoricalColumn",
    ("key", "vocabulary_file", "vocabulary_size", "num_oov_buckets", "dtype", "default_value"),
)
_List = collections.namedtuple(
    "VocabularyListCategoricalColumn",
    ("key", "vocabulary_list", "dtype", "default_value", "num_oov_buckets"),
)
_Identity = collections.namedtuple(
    "IdentityCategoricalColumn", ("key", "number_buckets", "default_value")
)
_Weighted = collections.namedtuple(
    "WeightedCategoricalColumn", ("categorical_column", "weight_feature_key", "dtype")
)
_Sequence = collections.namedtuple("SequenceCategoricalColumn", ("categorical_column",))


class _OneFeature(CategoricalColumn):
    """A categorical column of one feature, `key`, which may be dense or sparse."""

    key: str
    dtype: Any

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of any length."""
        return {self.key: VarLenFeature(self.dtype)}

    def transform_feature(self, cache: FeatureCache) -> SparseTensor:
        """The ids of the feature's values."""
        return self._ids(to_sparse(cache.get(self.key)))

    def _ids(self, values: SparseTensor) -> SparseTensor:
        raise NotImplementedError

    def _check_type(self, values: SparseTensor) -> None:
        if self.dtype.is_integer != values.dtype.is_integer:
            raise ValueError(
                f"Column dtype and SparseTensors dtype must be compatible. key: {self.key}, column "
                f"dtype: {self.dtype}, tensor dtype: {values.dtype}"
            )

    def _check_input(self, values: SparseTensor) -> None:
        check_string_or_int(values.dtype, prefix=f"column_name: {self.key} input_tensor")


class HashedCategoricalColumn(_OneFeature, _Hashed):
    """Ids are hashes of the values' text."""

    def _ids(self, values: SparseTensor) -> SparseTensor:
        self._check_input(values)
        self._check_type(values)
        text = values.values if self.dtype == dtypes.string else as_string(values.values)
        ids = string_to_hash_bucket_fast(text, self.hash_bucket_size, name="lookup")
        return SparseTensor(values.indices, ids, values.dense_shape)

    @property
    def num_buckets(self) -> int:
        """The number of hash buckets."""
        return self.hash_bucket_size


class _Vocabulary(_OneFeature):
    """Ids are looked up in a table."""

    def _ids(self, values: SparseTensor) -> SparseTensor:
        self._check_type(values)
        self._check_input(values)
        key_dtype = self.dtype
        if values.dtype.is_integer:
            key_dtype = dtypes.int64
            values = nodes.cast(values, dtypes.int64)
        return self._table(key_dtype, f"{self.key}_lookup").lookup(values)

    def _table(self, key_dtype: Any, name: str) -> Any:
        raise NotImplementedError


class VocabularyFileCategoricalColumn(_Vocabulary, _File):
    """Ids are numbers of lines of a file."""

    def _table(self, key_dtype: Any, name: str) -> Any:
        return index_table_from_file(
            vocabulary_file=self.vocabulary_file,
            num_oov_buckets=self.num_oov_buckets,
            vocab_size=self.vocabulary_size,
            default_value=self.default_value,
            key_dtype=key_dtype,
            name=name,
        )

    @property
    def num_buckets(self) -> int:
        """The size of the vocabulary and the buckets of other values."""
        return self.vocabulary_size + self.num_oov_buckets


class VocabularyListCategoricalColumn(_Vocabulary, _List):
    """Ids are places in a list."""

    def _table(self, key_dtype: Any, name: str) -> Any:
        return index_table_from_tensor(
            tuple(self.vocabulary_list),
            default_value=self.default_value,
            num_oov_buckets=self.num_oov_buckets,
            dtype=key_dtype,
            name=name,
        )

    @property
    def num_buckets(self) -> int:
        """The size of the vocabulary and the buckets of other values."""
        return len(self.vocabulary_list) + self.num_oov_buckets


class IdentityCategoricalColumn(_OneFeature, _Identity):
    """The values are ids already."""

    dtype = dtypes.int64

    def _ids(self, values: SparseTensor) -> SparseTensor:
        if not values.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {values.dtype}")
        ids = nodes.cast(values.values, dtypes.int64, name="values")
        buckets = nodes.cast(self.num_buckets, dtypes.int64, name="num_buckets")
        zero = nodes.cast(0, dtypes.int64, name="zero")
        if self.default_value is None:
            below = assert_less(
                ids,
                buckets,
                data=(ids, buckets),
                message=f'Bucket index for categorical column "{self.name}" exceeds number of '
                "buckets",
                name="assert_less_than_num_buckets",
            )
            above = assert_greater_equal(
                ids,
                zero,
                data=(ids,),
                message=f'Negative bucket index for categorical column "{self.name}"',
                name="assert_greater_or_equal_0",
            )
            with get_default_graph().control_dependencies((below, above)):
                ids = array_nodes.identity(ids)
        else:
            outside = raw.LogicalOr(ids < zero, ids >= buckets, name="out_of_range")
            defaults = array_nodes.fill(
                dims=array_nodes.shape(ids),
                value=nodes.cast(self.default_value, dtypes.int64),
                name="default_values",
            )
            ids = raw.SelectV2(outside, defaults, ids)
        return SparseTensor(indices=values.indices, values=ids, dense_shape=values.dense_shape)

    @property
    def num_buckets(self) -> int:
        """The number of ids."""
        return self.number_buckets


class WeightedCategoricalColumn(CategoricalColumn, _Weighted):
    """The ids of a column, each with a weight from another feature."""

    @property
    def _is_v2_column(self) -> bool:  # type: ignore[override]
        return self.categorical_column._is_v2_column

    @property
    def name(self) -> str:
        """ "<column>_weighted_by_<feature>"."""
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The column's, and the weights."""
        config = self.categorical_column.parse_example_spec
        if self.weight_feature_key in config:
            raise ValueError(
                f"Parse config {config[self.weight_feature_key]} already exists for "
                f"{self.weight_feature_key}."
            )
        config[self.weight_feature_key] = VarLenFeature(self.dtype)
        return config

    @property
    def num_buckets(self) -> int:
        """The column's."""
        return self.categorical_column.num_buckets

    def transform_feature(self, cache: FeatureCache) -> tuple[Any, Any]:
        """(ids, weights)."""
        weights = convert_to_tensor_or_sparse_tensor(cache.get(self.weight_feature_key))
        if self.dtype != weights.dtype.base_dtype:
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        if not isinstance(weights, SparseTensor):
            weights = to_sparse(weights, ignore_value=0.0)
        if not weights.dtype.is_floating:
            weights = nodes.cast(weights, dtypes.float32)
        return cache.get(self.categorical_column), weights

    def get_sparse_tensors(self, cache: FeatureCache) -> IdWeightPair:
        """The ids and weights."""
        return IdWeightPair(*cache.get(self))


class SequenceCategoricalColumn(CategoricalColumn, _Sequence):
    """A categorical column whose ids [batch, time, ...] are steps of a sequence."""

    @property
    def _is_v2_column(self) -> bool:  # type: ignore[override]
        return self.categorical_column._is_v2_column

    @property
    def name(self) -> str:
        """The column's name."""
        return self.categorical_column.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The column's."""
        return self.categorical_column.parse_example_spec

    def transform_feature(self, cache: FeatureCache) -> Any:
        """What the column makes of the feature."""
        return self.categorical_column.transform_feature(cache)

    @property
    def num_buckets(self) -> int:
        """The column's."""
        return self.categorical_column.num_buckets

    def get_sparse_tensors(self, cache: FeatureCache) -> IdWeightPair:
        """Ids [batch, time, n]."""
        ids, weights = self.categorical_column.get_sparse_tensors(cache)
        shape = array_nodes.shape(ids)
        target = [shape[0], shape[1], nodes.reduce_prod(shape[2:])]
        ids = sparse_reshape(ids, target)
        if weights is not None:
            weights = sparse_reshape(weights, target)
        return IdWeightPair(ids, weights)


@export("feature_column.categorical_column_with_hash_bucket")
def categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = dtypes.string
) -> HashedCategoricalColumn:
    """Categories without a list: ids are `Fingerprint64(value) % hash_bucket_size`.

    `key` is the feature, a string or integer one ("" and -1 count as missing in a dense one).
    ValueError for fewer than one bucket.
    """
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(
            f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}"
        )
    check_key(key)
    check_string_or_int(dtype, prefix=f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, dtype)


def _check_buckets(key: str, buckets: int, has_default: bool) -> None:
    if buckets:
        if has_default:
            raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
        if buckets < 0:
            raise ValueError(f"Invalid num_oov_buckets {buckets} in {key}.")


@export("feature_column.categorical_column_with_vocabulary_file")
def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = dtypes.string,
) -> VocabularyFileCategoricalColumn:
    """Categories that are lines of a file: ids are numbers of lines, from 0.

    Args:
      key: the feature, a string or integer one.
      vocabulary_file: the file.
      vocabulary_size: how many of its lines; all when None.
      num_oov_buckets: ids for values that are not in the file, by hash.
      default_value: the id of such values where there are no buckets; -1 when None.
      dtype: the feature's type.

    Raises:
      ValueError: for a file that is not there, or for numbers that do not fit.
    """
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if vocabulary_size is None:
        if not gfile.Exists(vocabulary_file):
            raise ValueError(f"vocabulary_file in {key} does not exist.")
        with gfile.GFile(vocabulary_file) as lines:
            vocabulary_size = sum(1 for _ in lines)
        logging.info(
            "vocabulary_size = %d in %s is inferred from the number of elements in the "
            "vocabulary_file %s.",
            vocabulary_size,
            key,
            vocabulary_file,
        )
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _check_buckets(key, num_oov_buckets, default_value is not None)
    check_string_or_int(dtype, prefix=f"column_name: {key}")
    check_key(key)
    return VocabularyFileCategoricalColumn(
        key=key,
        vocabulary_file=vocabulary_file,
        vocabulary_size=vocabulary_size,
        num_oov_buckets=num_oov_buckets or 0,
        default_value=-1 if default_value is None else default_value,
        dtype=dtype,
    )


@export("feature_column.categorical_column_with_vocabulary_list")
def categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Any,
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
) -> VocabularyListCategoricalColumn:
    """Categories from a list: ids are places in the list.

    Args:
      key: the feature, a string or integer one.
      vocabulary_list: strings or integers, each once.
      dtype: the feature's type; the list's when None.
      default_value: the id of other values where there are no buckets.
      num_oov_buckets: ids for other values, by hash.

    Raises:
      ValueError: for a list that is empty or has a value twice, or for types that do not fit.
    """
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    found = dtypes.as_dtype(np.array(vocabulary_list).dtype)
    _check_buckets(key, num_oov_buckets, default_value != -1)
    check_string_or_int(found, prefix=f"column_name: {key} vocabulary")
    if dtype is None:
        dtype = found
    elif dtype.is_integer != found.is_integer:
        raise ValueError(
            f"dtype {dtype} and vocabulary dtype {found} do not match, column_name: {key}"
        )
    check_string_or_int(dtype, prefix=f"column_name: {key}")
    check_key(key)
    return VocabularyListCategoricalColumn(
        key=key,
        vocabulary_list=tuple(vocabulary_list),
        dtype=dtype,
        default_value=default_value,
        num_oov_buckets=num_oov_buckets,
    )


@export("feature_column.categorical_column_with_identity")
def categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> IdentityCategoricalColumn:
    """Categories that are ids in [0, num_buckets) already.

    Other values become `default_value`; without one, they raise InvalidArgumentError when run.
    """
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(
            f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}"
        )
    check_key(key)
    return IdentityCategoricalColumn(
        key=key, number_buckets=num_buckets, default_value=default_value
    )


@export("feature_column.weighted_categorical_column")
def weighted_categorical_column(
    categorical_column: Any, weight_feature_key: str, dtype: Any = dtypes.float32
) -> WeightedCategoricalColumn:
    """The ids of a column with weights from the feature `weight_feature_key`, a numeric one."""
    if dtype is None or not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    return WeightedCategoricalColumn(
        categorical_column=categorical_column, weight_feature_key=weight_feature_key, dtype=dtype
    )
