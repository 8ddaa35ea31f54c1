"""`tf.nn`: logistic and Poisson losses, losses over sampled classes, candidate samplers."""

from __future__ import annotations

import math
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.seeds import get_seed
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.embedding import embedding_lookup
from relight.v1.functions.nn import _named_only, softmax_cross_entropy_with_logits_v2
from relight.v1.functions.partitioned_variables import PartitionedVariable


def _same_shape(a: Tensor, b: Tensor, what: str) -> None:
    try:
        b.shape.merge_with(a.shape)
    except ValueError:
        raise ValueError(f"{what} must have the same shape ({a.shape} vs {b.shape})") from None


@export("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """max(x, 0) - x z + log(1 + exp(-|x|)) of logits x and labels z in [0, 1], element-wise."""
    _named_only("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _same_shape(logits, labels, "logits and labels")
        zeros = array_nodes.zeros_like(logits, dtype=logits.dtype)
        positive = logits >= zeros
        clipped = raw.Select(positive, logits, zeros)
        negative = raw.Select(positive, -logits, logits)
        return raw.Add(clipped - logits * labels, raw.Log1p(raw.Exp(negative)), name=scope)


@export("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels: Any = None,
    logits: Any = None,
    pos_weight: Any = None,
    name: str | None = None,
    targets: Any = None,
) -> Tensor:
    """The logistic loss with the positive labels' part weighed by `pos_weight`."""
    labels = deprecated_argument("labels", labels, "targets", targets)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _same_shape(logits, labels, "logits and labels")
        weight = 1 + (pos_weight - 1) * labels
        left = (1 - labels) * logits
        tail = raw.Log1p(raw.Exp(-nodes.abs(logits))) + raw.Relu(-logits)
        return raw.Add(left, weight * tail, name=scope)


@export("nn.log_poisson_loss")
def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """exp(c) - z c of log predictions c and targets z, plus Stirling's log(z!) if asked for."""
    with name_scope(name, "log_poisson_loss", [log_input, targets]):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        _same_shape(log_input, targets, "log_input and targets")
        result = raw.Exp(log_input) - log_input * targets
        if compute_full_loss:
            half = constant(0.5, dtype=targets.dtype)
            two_pi = constant(2 * math.pi, dtype=targets.dtype)
            stirling = targets * raw.Log(targets) - targets + half * raw.Log(two_pi * targets)
            zeros = array_nodes.zeros_like(targets, dtype=targets.dtype)
            ones = array_nodes.ones_like(targets, dtype=targets.dtype)
            small = raw.LogicalAnd(targets >= zeros, targets <= ones)
            result += raw.Select(small, zeros, stirling)
        return result


# -- candidate samplers ----------------------------------------------------------------------------


@export("random.uniform_candidate_sampler", "nn.uniform_candidate_sampler")
def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """(sampled [n], expected counts of true classes and of sampled ones), all classes alike."""
    first, second = get_seed(seed)
    return raw.UniformCandidateSampler(
        true_classes, num_true, num_sampled, unique, range_max, seed=first, seed2=second, name=name
    )


@export("random.log_uniform_candidate_sampler", "nn.log_uniform_candidate_sampler")
def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Samples by Zipf's law: for classes sorted by falling frequency."""
    first, second = get_seed(seed)
    return raw.LogUniformCandidateSampler(
        true_classes, num_true, num_sampled, unique, range_max, seed=first, seed2=second, name=name
    )


@export("random.learned_unigram_candidate_sampler", "nn.learned_unigram_candidate_sampler")
def learned_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Samples by the frequencies of the true classes seen so far."""
    first, second = get_seed(seed)
    return raw.LearnedUnigramCandidateSampler(
        true_classes, num_true, num_sampled, unique, range_max, seed=first, seed2=second, name=name
    )


@export("random.fixed_unigram_candidate_sampler", "nn.fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Any = (),
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Samples by given frequencies, raised to `distortion`."""
    first, second = get_seed(seed)
    return raw.FixedUnigramCandidateSampler(
        true_classes,
        num_true,
        num_sampled,
        unique,
        range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=unigrams,
        seed=first,
        seed2=second,
        name=name,
    )


@export("random.all_candidate_sampler", "nn.all_candidate_sampler")
def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Every class once."""
    first, second = get_seed(seed)
    return raw.AllCandidateSampler(
        true_classes, num_true, num_sampled, unique, seed=first, seed2=second, name=name
    )


@export("nn.compute_accidental_hits")
def compute_accidental_hits(
    true_classes: Any,
    sampled_candidates: Any,
    num_true: int,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """(rows, places among the sampled, -float32.max) of samples that are true classes."""
    first, second = get_seed(seed)
    return raw.ComputeAccidentalHits(
        true_classes, sampled_candidates, num_true, seed=first, seed2=second, name=name
    )


# -- losses over sampled classes -------------------------------------------------------------------


def _row_sums(x: Tensor) -> Tensor:
    columns = array_nodes.shape(x)[1]
    ones = array_nodes.ones(array_nodes.stack([columns, 1]), x.dtype)
    return array_nodes.reshape(nodes.matmul(x, ones), [-1])


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    remove_hits: bool,
    strategy: str,
    name: str | None,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """(logits, labels) [batch, num_true + num_sampled], corrected for the sampling."""
    if isinstance(weights, PartitionedVariable):
        weights = list(weights)
    if not isinstance(weights, list):
        weights = [weights]
    with name_scope(name, "compute_sampled_logits", [*weights, biases, inputs, labels]):
        if labels.dtype != dtypes.int64:
            labels = nodes.cast(labels, dtypes.int64)
        flat = array_nodes.reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(
                true_classes=labels,
                num_true=num_true,
                num_sampled=num_sampled,
                unique=True,
                range_max=num_classes,
                seed=seed,
            )
        sampled, true_count, sampled_count = (raw.StopGradient(v) for v in sampled_values)
        sampled = nodes.cast(sampled, dtypes.int64)
        all_ids = array_nodes.concat([flat, sampled], 0)
        all_w = embedding_lookup(weights, all_ids, partition_strategy=strategy)
        if all_w.dtype != inputs.dtype:
            all_w = nodes.cast(all_w, inputs.dtype)
        size = array_nodes.stack([array_nodes.shape(flat)[0], -1])
        true_w = raw.Slice(all_w, [0, 0], size)
        start = array_nodes.stack([array_nodes.shape(flat)[0], 0])
        sampled_w = raw.Slice(all_w, start, [-1, -1])
        sampled_logits = nodes.matmul(inputs, sampled_w, transpose_b=True)
        all_b = embedding_lookup(biases, all_ids, partition_strategy=strategy)
        if all_b.dtype != inputs.dtype:
            all_b = nodes.cast(all_b, inputs.dtype)
        true_b = raw.Slice(all_b, [0], array_nodes.shape(flat))
        sampled_b = raw.Slice(all_b, array_nodes.shape(flat), [-1])
        dim = array_nodes.shape(true_w)[1:2]
        rows = array_nodes.concat([[-1, num_true], dim], 0)
        dots = raw.Mul(raw.ExpandDims(inputs, 1), array_nodes.reshape(true_w, rows))
        matrix = array_nodes.reshape(dots, array_nodes.concat([[-1], dim], 0))
        true_logits = array_nodes.reshape(_row_sums(matrix), [-1, num_true])
        true_b = array_nodes.reshape(true_b, [-1, num_true])
        true_logits += true_b
        sampled_logits += sampled_b
        if remove_hits:
            sampled_logits += _hits(labels, sampled, num_true, num_sampled, sampled_logits)
        true_logits -= raw.Log(true_count)
        sampled_logits -= raw.Log(sampled_count)
        logits = array_nodes.concat([true_logits, sampled_logits], 1)
        ones = array_nodes.ones_like(true_logits) / num_true
        wanted = array_nodes.concat([ones, array_nodes.zeros_like(sampled_logits)], 1)
        return logits, wanted


def _hits(labels: Any, sampled: Any, num_true: int, num_sampled: int, logits: Any) -> Tensor:
    rows, places, weights = compute_accidental_hits(labels, sampled, num_true=num_true)
    rows = array_nodes.reshape(rows, [-1, 1])
    places = array_nodes.reshape(nodes.cast(places, dtypes.int32), [-1, 1])
    indices = array_nodes.concat([rows, places], 1, "sparse_indices")
    shape = array_nodes.concat([array_nodes.shape(labels)[:1], raw.ExpandDims(num_sampled, 0)], 0)
    if logits.dtype != weights.dtype:
        weights = nodes.cast(weights, logits.dtype)
    return raw.SparseToDense(indices, shape, weights, default_value=0.0, validate_indices=False)


@export("nn.nce_loss")
def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str | None = "nce_loss",
) -> Tensor:
    """Noise-contrastive estimation [batch]: Gutmann and Hyvarinen (2010).

    weights [classes, dim] (or its parts), biases [classes], labels [batch, num_true],
    inputs [batch, dim].
    """
    logits, wanted = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    losses = sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits, name="sampled_losses")
    return _row_sums(losses)


@export("nn.sampled_softmax_loss")
def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str | None = "sampled_softmax_loss",
    seed: int | None = None,
) -> Tensor:
    """Softmax cross entropy over the true and some sampled classes [batch]: Jean et al. (2014)."""
    logits, wanted = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    wanted = raw.StopGradient(wanted, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=wanted, logits=logits)
