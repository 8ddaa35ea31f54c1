"""Embedding lookups: rows of a table, which may be in parts; combined rows of sparse ids."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, unknown_shape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.clip import clip_by_norm
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.resource_variables import ResourceVariable
from relight.v1.functions.sparse import sparse_fill_empty_rows, sparse_reshape, sparse_retain


def _parts(params: Any, what: str) -> list[Any]:
    if isinstance(params, PartitionedVariable):
        return list(params)
    if isinstance(params, (list, tuple)):
        if not params:
            raise ValueError(what)
        return list(params)
    return [params]


def _rank(x: Any) -> tuple[Any, bool]:
    static = convert_to_tensor(x).shape.ndims
    return (static, True) if static else (array_nodes.rank(x), False)


def _clipped(params: Tensor, ids: Any, max_norm: Any) -> Tensor:
    """Rows no longer than `max_norm`."""
    if max_norm is None:
        return params
    ids_rank, ids_known = _rank(ids)
    rank, known = _rank(params)
    axes = list(range(ids_rank, rank)) if ids_known and known else nodes.range(ids_rank, rank)
    return clip_by_norm(params, max_norm, axes=axes)


@export("nn.embedding_lookup")
def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> Tensor:
    """The rows `ids` of a table [rows, ...]: shape ids.shape + table.shape[1:].

    A table in several parts has row i in part i % parts ("mod"), or contiguous parts ("div").
    Rows longer than `max_norm` are scaled down to it.
    """
    del validate_indices
    if params is None:
        raise ValueError("params must be specified")
    tables = _parts(params, "Need at least one param")
    graph = get_default_graph()
    with name_scope(name, "embedding_lookup", [*tables, ids]) as scope:
        if not any(isinstance(p, ResourceVariable) for p in tables):
            tables = [convert_to_tensor(p, name=f"params_{i}") for i, p in enumerate(tables)]
        ids = convert_to_tensor(ids, name="ids")
        if len(tables) == 1:
            with graph.colocate_with(tables[0]):
                rows = array_nodes.gather(tables[0], ids, name=scope)
                result = _clipped(rows, ids, max_norm)
            return array_nodes.identity(result)
        return _lookup_parts(tables, ids, partition_strategy, max_norm, scope)


def _lookup_parts(
    tables: list[Any], ids: Tensor, strategy: str, max_norm: Any, scope: str
) -> Tensor:
    graph = get_default_graph()
    flat = array_nodes.reshape(ids, [-1])
    original = nodes.range(array_nodes.size(flat))
    part, place = _places(tables, flat, strategy)
    part = nodes.cast(part, dtypes.int32)
    wanted = raw.DynamicPartition(place, part, len(tables))
    order = raw.DynamicPartition(original, part, len(tables))
    found = []
    for table, part_ids in zip(tables, wanted, strict=True):
        with graph.colocate_with(table):
            found.append(array_nodes.gather(table, part_ids))
    result = raw.ParallelDynamicStitch(order, found, name=scope)
    static = tables[0].shape[1:]
    for table in tables[1:]:
        static = static.merge_with(table.shape[1:])
    row_shape: Any = static
    if not static.is_fully_defined():
        with graph.colocate_with(tables[0]):
            whole = array_nodes.shape(tables[0])
        row_shape = whole[1:]
    shape = array_nodes.concat([array_nodes.shape(ids), row_shape], 0)
    result = array_nodes.reshape(result, shape)
    result.set_shape(ids.shape.concatenate(static))
    return _clipped(result, ids, max_norm)


def _places(tables: list[Any], flat: Tensor, strategy: str) -> tuple[Any, Any]:
    """(number of the part, row in it) of each id."""
    count = len(tables)
    if strategy == "mod":
        return flat % count, flat // count
    if strategy != "div":
        raise ValueError("Unrecognized partition strategy: " + strategy)
    sizes = [table.shape.as_list()[0] for table in tables]
    if None not in sizes and sum(sizes):
        total = constant(sum(sizes), flat.dtype)
    else:
        known = []
        for table, size in zip(tables, sizes, strict=True):
            if size is not None:
                known.append(size)
            else:
                with get_default_graph().colocate_with(table):
                    known.append(array_nodes.shape(table)[0])
        total = nodes.reduce_sum(nodes.cast(array_nodes.stack(known), flat.dtype))
    each, extra = total // count, total % count
    part = raw.Maximum(flat // (each + 1), (flat - extra) // each)
    row = raw.Select(part < extra, flat % (each + 1), (flat - extra) % each)
    return part, row


@export("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: Any = None,
) -> Tensor:
    """Per row of `sp_ids` [batch, any], the combined table rows of its ids.

    `combiner`: "sum" (weighted), "mean" (over the weights' sum), "sqrtn" (over the root of the
    sum of their squares). No row may be empty except the last ones.
    """
    if combiner is None:
        from relight.v1 import logging

        logging.warn(
            'The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.'
        )
        combiner = "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError("combiner must be one of 'mean', 'sqrtn' or 'sum'")
    tables = _parts(params, "Need at least one param")
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError("sp_ids must be SparseTensor")
    if sp_weights is not None:
        if not isinstance(sp_weights, SparseTensor):
            raise TypeError("sp_weights must be either None or SparseTensor")
        for part in ("values", "indices", "dense_shape"):
            getattr(sp_ids, part).shape.assert_is_compatible_with(getattr(sp_weights, part).shape)
    with name_scope(name, "embedding_lookup_sparse", [*tables, sp_ids]) as scope:
        segments = sp_ids.indices[:, 0]
        if segments.dtype != dtypes.int32:
            segments = nodes.cast(segments, dtypes.int32)
        ids, places = raw.Unique(sp_ids.values)
        rows = embedding_lookup(
            tables, ids, partition_strategy=partition_strategy, max_norm=max_norm
        )
        if rows.dtype in (dtypes.float16, dtypes.bfloat16):
            rows = nodes.cast(rows, dtypes.float32)
        if sp_weights is None:
            builds = {
                "sum": raw.SparseSegmentSum,
                "mean": raw.SparseSegmentMean,
                "sqrtn": raw.SparseSegmentSqrtN,
            }
            return builds[combiner](rows, places, segments, name=scope)
        return _weighted(rows, places, segments, sp_weights.values, combiner, scope)


def _weighted(
    rows: Tensor, places: Tensor, segments: Tensor, weights: Tensor, combiner: str, scope: str
) -> Tensor:
    if weights.dtype != rows.dtype:
        weights = nodes.cast(weights, rows.dtype)
    rows = array_nodes.gather(rows, places)
    ones = array_nodes.fill(raw.ExpandDims(array_nodes.rank(rows) - 1, 0), 1)
    wide = array_nodes.concat([array_nodes.shape(weights), ones], 0)
    static = weights.shape
    weights = array_nodes.reshape(weights, wide)
    if rows.shape.ndims is not None:
        weights.set_shape(static.concatenate([1] * (rows.shape.ndims - 1)))
    rows *= weights
    if combiner == "sum":
        return raw.SegmentSum(rows, segments, name=scope)
    rows = raw.SegmentSum(rows, segments)
    if combiner == "mean":
        return nodes.div(rows, raw.SegmentSum(weights, segments), name=scope)
    squares = raw.SegmentSum(nodes.pow(weights, 2), segments)
    return nodes.div(rows, raw.Sqrt(squares), name=scope)


@export("nn.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: Any = None,
) -> Tensor:
    """`embedding_lookup_sparse` that drops ids below 0 and weights not above 0.

    Rows without an id give zeros, or the row `default_id`. Ids may have more than two dimensions.
    """
    if embedding_weights is None:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    tables = _parts(embedding_weights, f"Missing embedding_weights {embedding_weights}.")
    dtype = None if sparse_weights is None else sparse_weights.dtype
    tables = [
        w
        if isinstance(w, ResourceVariable) and dtype in (None, w.dtype)
        else convert_to_tensor(w, dtype=dtype)
        for w in tables
    ]
    with name_scope(name, "embedding_lookup", [*tables, sparse_ids, sparse_weights]) as scope:
        shape = sparse_ids.dense_shape
        static_rank = shape.shape.as_list()[0]
        rank = array_nodes.size(shape) if static_rank is None else static_rank
        rows = nodes.reduce_prod(raw.Slice(shape, [0], [rank - 1]))
        columns = array_nodes.gather(shape, rank - 1)
        sparse_ids = sparse_reshape(sparse_ids, [rows, columns])
        if sparse_weights is not None:
            sparse_weights = SparseTensor(
                sparse_ids.indices, sparse_weights.values, sparse_ids.dense_shape
            )
        sparse_ids, sparse_weights = _without_negative(sparse_ids, sparse_weights)
        if combiner != "sum" and sparse_weights is not None:
            positive = raw.Greater(sparse_weights.values, 0)
            sparse_ids = sparse_retain(sparse_ids, positive)
            sparse_weights = sparse_retain(sparse_weights, positive)
        sparse_ids, empty = sparse_fill_empty_rows(sparse_ids, default_id or 0)
        if sparse_weights is not None:
            sparse_weights, _ = sparse_fill_empty_rows(sparse_weights, 1.0)
        result = embedding_lookup_sparse(
            tables,
            sparse_ids,
            sparse_weights,
            combiner=combiner,
            partition_strategy=partition_strategy,
            name=None if default_id is None else scope,
            max_norm=max_norm,
        )
        if default_id is None:
            empty = array_nodes.reshape(empty, [-1, 1])
            empty = raw.Tile(empty, array_nodes.stack([1, array_nodes.shape(result)[1]]))
            result = raw.Select(empty, array_nodes.zeros_like(result), result, name=scope)
        lead = raw.Slice(nodes.cast(shape, dtypes.int32), [0], [rank - 1])
        tail = raw.Slice(array_nodes.shape(result), [1], [-1])
        final = array_nodes.reshape(result, array_nodes.concat([lead, tail], 0))
        outer = unknown_shape(None if static_rank is None else static_rank - 1)
        final.set_shape(outer.concatenate(TensorShape(result.shape[1:])))
        return final


def _without_negative(ids: SparseTensor, weights: Any) -> tuple[Any, Any]:
    valid = raw.GreaterEqual(ids.values, 0)
    if weights is not None:
        valid = raw.LogicalAnd(valid, array_nodes.ones_like(weights.values, dtype=dtypes.bool))
    ids = sparse_retain(ids, valid)
    return ids, None if weights is None else sparse_retain(weights, valid)
