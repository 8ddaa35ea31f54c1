"""The seed pair of a random operation, derived from the graph's seed and its own."""

from __future__ import annotations

from .graph import get_default_graph

DEFAULT_GRAPH_SEED = 87654321
_MAX_SEED = 2**31 - 1


def derive_seeds(
    graph_seed: int | None, op_seed: int | None, last_id: int
) -> tuple[int | None, int | None]:
    """The pair (seed, seed2) of an operation that would be number `last_id` + 1 of its graph.

    Both seeds are taken modulo 2**31 - 1. Without an operation seed its place in the graph stands
    in; without a graph seed a fixed number does; without both the operation is not seeded: (None,
    None). The kernels read (0, 0) as "not seeded", so that pair becomes (0, 2**31 - 1).
    """
    if op_seed is None:
        if graph_seed is None:
            return None, None
        op_seed = last_id
    pair = (
        DEFAULT_GRAPH_SEED if graph_seed is None else graph_seed % _MAX_SEED,
        op_seed % _MAX_SEED,
    )
    return (0, _MAX_SEED) if pair == (0, 0) else pair


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """`tf.get_seed`: the seed pair of an operation about to be made in the default graph.

    Returns (seed, seed2), or (None, None) when neither the graph nor the operation has a seed.
    """
    graph = get_default_graph()
    return derive_seeds(graph.seed, op_seed, graph._node_count)
