"""Candidate samplers for losses over many classes, and the hits that they make by accident."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import sizes, with_rank


def _sampler_shape(node: Any) -> list[Any]:
    true_classes = with_rank(sizes(node, 0), 2)
    assert true_classes is not None
    count, true_count = node._attrs["num_sampled"], node._attrs["num_true"]
    if true_classes[1] is not None and true_classes[1] != true_count:
        raise ShapeError(f"Dimension must be {true_count} but is {true_classes[1]}")
    return [(count,), (true_classes[0], true_count), (count,)]


def _fixed(attrs: dict[str, Any]) -> Any:
    from relight.engine.random import candidates

    path = attrs["vocab_file"]
    path = path.decode() if isinstance(path, bytes) else path
    if bool(path) == bool(attrs["unigrams"]):
        raise errors.InvalidArgumentError(
            None, None, "Must provide exactly one of vocab_file and unigrams"
        )
    weights = attrs["unigrams"]
    if path:
        with open(path, encoding="utf-8") as file:
            weights = candidates.FixedUnigramSampler.parse_vocabulary(file)
    try:
        return candidates.FixedUnigramSampler(
            attrs["range_max"],
            weights,
            attrs["distortion"],
            attrs["num_reserved_ids"],
            attrs["num_shards"],
            attrs["shard"],
        )
    except ValueError as error:
        raise errors.InvalidArgumentError(None, None, str(error)) from None


def _make(op_type: str, attrs: dict[str, Any]) -> Any:
    from relight.engine.random import candidates

    if op_type == "FixedUnigramCandidateSampler":
        return _fixed(attrs)
    if op_type == "AllCandidateSampler":
        return candidates.AllSampler(attrs["num_sampled"])
    plain = {
        "UniformCandidateSampler": candidates.UniformSampler,
        "LogUniformCandidateSampler": candidates.LogUniformSampler,
        "LearnedUnigramCandidateSampler": candidates.LearnedUnigramSampler,
        "ThreadUnsafeUnigramCandidateSampler": candidates.LearnedUnigramSampler,
    }
    return plain[op_type](attrs["range_max"])


def _sampler(node: Any) -> Any:
    """(sampled [n], expected counts of the true classes, expected counts of the sampled)."""
    attrs = node._attrs
    count, true_count, unique = attrs["num_sampled"], attrs["num_true"], bool(attrs["unique"])

    def kernel(state: Any, true_classes: Any) -> Any:
        if true_classes.ndim != 2 or true_classes.shape[1] != true_count:
            what = "a matrix" if true_classes.ndim != 2 else f"of {true_count} columns"
            raise errors.InvalidArgumentError(None, None, f"true_classes must be {what}")
        sampler = state.resource(("sampler", node), lambda: _make(node.type, attrs))
        try:
            return sampler.sample(state.stream(node), true_classes, count, unique)
        except ValueError as error:
            raise errors.InvalidArgumentError(None, None, str(error)) from None

    return kernel


_SAMPLERS = (
    "AllCandidateSampler",
    "UniformCandidateSampler",
    "LogUniformCandidateSampler",
    "LearnedUnigramCandidateSampler",
    "ThreadUnsafeUnigramCandidateSampler",
    "FixedUnigramCandidateSampler",
)
for _op_type in _SAMPLERS:
    op(
        _op_type,
        shape=_sampler_shape,
        specialise=True,
        takes_session=True,
        host=("true_classes",),
        host_out=True,
    )(_sampler)
not_differentiable(*_SAMPLERS, "ComputeAccidentalHits")


def _hits_shape(node: Any) -> list[Any]:
    true_classes = with_rank(sizes(node, 0), 2)
    with_rank(sizes(node, 1), 1)
    true_count = node._attrs["num_true"]
    assert true_classes is not None
    if true_classes[1] is not None and true_classes[1] != true_count:
        raise ShapeError(f"Dimension must be {true_count} but is {true_classes[1]}")
    return [(None,)] * 3


@op(
    "ComputeAccidentalHits",
    shape=_hits_shape,
    host=("true_classes", "sampled_candidates"),
    host_out=True,
)
def ComputeAccidentalHits(true_classes, sampled_candidates):
    """(rows, places among the sampled, lowest float32 as weights) of sampled true classes."""
    place = {int(c): i for i, c in enumerate(sampled_candidates.tolist())}
    hits = [
        (row, place[c])
        for row, classes in enumerate(true_classes.tolist())
        for c in classes
        if c in place
    ]
    rows = np.array([r for r, _ in hits], np.int32)
    ids = np.array([i for _, i in hits], np.int64)
    return rows, ids, np.full(len(hits), np.finfo(np.float32).min, np.float32)
