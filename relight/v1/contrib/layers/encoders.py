"""`tf.contrib.layers`: sequences of symbols as vectors."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.functions.embedding import embedding_lookup
from relight.v1.functions.variable_scope import variable_scope


@export("contrib.layers.embed_sequence")
def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Tensor:
    """Rows of a table [vocab_size, embed_dim] for ids [batch, length]: [batch, length, embed_dim].

    Args:
      unique: look up each different id once.
      initializer, regularizer, trainable: of the table.
      scope: the variable scope, "EmbedSequence" by default.
      reuse: find the table of that scope instead of making one.

    Raises:
      ValueError: for a new table whose size is not given.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. Got "
            f"vocab_size={vocab_size} and embed_dim={embed_dim}"
        )
    with variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        is_known = embed_dim is not None and not (reuse and vocab_size is None)
        table = model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim] if is_known else None,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        return embedding_lookup_unique(table, ids) if unique else embedding_lookup(table, ids)


@export("contrib.layers.embedding_lookup_unique")
def embedding_lookup_unique(
    params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None
) -> Tensor:
    """`tf.nn.embedding_lookup` that looks up each different id once."""
    with name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = convert_to_tensor(ids)
        shape = array_nodes.shape(ids)
        flat = array_nodes.reshape(ids, nodes.reduce_prod(shape, keepdims=True))
        different, places = raw.Unique(flat)
        rows = embedding_lookup(params, different, partition_strategy=partition_strategy)
        found = array_nodes.gather(rows, places)
        whole = array_nodes.concat([shape, array_nodes.shape(rows)[1:]], 0)
        found = array_nodes.reshape(found, whole)
        found.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return found
