"""`tf.feature_column.crossed_column`: hashed combinations of categories."""

from __future__ import annotations

import collections
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.v1.feature_column.categorical import HashedCategoricalColumn
from relight.v1.feature_column.columns import CategoricalColumn, FeatureCache, FeatureColumn
from relight.v1.functions.parsing import VarLenFeature
from relight.v1.functions.sets import cross_hashed

_Crossed = collections.namedtuple("CrossedColumn", ("keys", "hash_bucket_size", "hash_key"))


class CrossedColumn(CategoricalColumn, _Crossed):
    """Ids are hashes of every combination of the keys' values in an example."""

    @property
    def _is_v2_column(self) -> bool:  # type: ignore[override]
        return all(isinstance(key, str) or key._is_v2_column for key in _leaves(self))

    @property
    def name(self) -> str:
        """The names of what is crossed, in alphabetical order, joined by "_X_"."""
        names = [k.name if isinstance(k, FeatureColumn) else k for k in _leaves(self)]
        return "_X_".join(sorted(names))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Those of what is crossed."""
        config: dict[str, Any] = {}
        for key in self.keys:
            if isinstance(key, FeatureColumn):
                config.update(key.parse_example_spec)
            else:
                config[key] = VarLenFeature(dtypes.string)
        return config

    def transform_feature(self, cache: FeatureCache) -> SparseTensor:
        """The ids of the combinations."""
        tensors = []
        for key in _leaves(self):
            if isinstance(key, str):
                tensors.append(cache.get(key))
                continue
            ids, weights = key.get_sparse_tensors(cache)
            if weights is not None:
                raise ValueError(
                    "crossed_column does not support weight_tensor, but the given column populates "
                    f"weight_tensor. Given column: {key.name}"
                )
            tensors.append(ids)
        return cross_hashed(
            inputs=tensors, num_buckets=self.hash_bucket_size, hash_key=self.hash_key
        )

    @property
    def num_buckets(self) -> int:
        """The number of hash buckets."""
        return self.hash_bucket_size


def _leaves(cross: CrossedColumn) -> list[Any]:
    found: list[Any] = []
    for key in cross.keys:
        found += _leaves(key) if isinstance(key, CrossedColumn) else [key]
    return found


@export("feature_column.crossed_column")
def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Combinations of features: one id for each pair (triple, ...) of values in an example.

    `keys` are two or more names of string features or categorical columns (no hashed ones);
    `hash_key` is an argument of the hash function. ValueError for other keys or no buckets.
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(
                "Unsupported key type. All keys must be either string, or categorical column "
                f"except HashedCategoricalColumn. Given: {key}"
            )
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                "categorical_column_with_hash_bucket is not supported for crossing. Hashing before "
                "crossing will increase probability of collision. Instead, use the feature name as "
                f"a string. Given: {key}"
            )
    return CrossedColumn(keys=tuple(keys), hash_bucket_size=hash_bucket_size, hash_key=hash_key)
