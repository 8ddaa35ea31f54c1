"""Connectionist temporal classification: Graves et al. (2006). The blank is the last class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.build import raw
from relight.ops.math import gradient
from relight.ops.shape_rules import merge_size, sizes, with_rank

_aten = torch.ops.aten


def _invalid(what: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, what)


def _loss_shape(node: Any) -> list[Any]:
    inputs = with_rank(sizes(node, 0), 3)
    lengths = with_rank(sizes(node, 3), 1)
    assert inputs is not None and lengths is not None
    batch = merge_size(inputs[1], lengths[0])
    return [(batch,), (inputs[0], batch, inputs[2])]


def _labels_of(indices: Any, values: Any, batch: int, collapse: bool) -> list[list[int]]:
    """The labels of each example, repeated ones joined if asked for."""
    rows: list[list[int]] = [[] for _ in range(batch)]
    for (row, _), label in zip(indices.tolist(), values.tolist(), strict=True):
        if not 0 <= row < batch:
            raise _invalid(f"label SparseTensor has a row {row} outside [0, {batch})")
        if collapse and rows[row] and rows[row][-1] == label:
            continue
        rows[row].append(label)
    return rows


@op(
    "CTCLoss",
    shape=_loss_shape,
    specialise=True,
    host=("labels_indices", "labels_values", "sequence_length"),
)
def CTCLoss(node: Any) -> Any:
    """(loss [batch], gradient [time, batch, classes]) of logits of the same shape as that."""
    attrs = node._attrs
    collapse = bool(attrs.get("preprocess_collapse_repeated"))
    ignore = bool(attrs.get("ignore_longer_outputs_than_inputs"))
    if not attrs.get("ctc_merge_repeated", True):
        raise errors.UnimplementedError(
            None, node, "CTCLoss with ctc_merge_repeated=False is not supported"
        )

    def kernel(inputs: torch.Tensor, indices: Any, values: Any, lengths: Any) -> Any:
        if inputs.dim() != 3:
            raise _invalid("inputs is not a 3-Tensor")
        time, batch, classes = inputs.shape
        if lengths.shape != (batch,):
            raise _invalid(
                f"len(sequence_length) != batch_size.  len(sequence_length):  "
                f"{lengths.size} batch_size: {batch}"
            )
        if (lengths > time).any():
            raise _invalid(f"sequence_length(b) <= {time}")
        rows = _labels_of(indices, values, batch, collapse)
        loss = inputs.new_zeros(batch)
        grad = torch.zeros_like(inputs)
        used = []
        for b, labels in enumerate(rows):
            if any(not 0 <= v < classes - 1 for v in labels):
                bad = next(v for v in labels if not 0 <= v < classes - 1)
                raise _invalid(
                    f"Saw a non-null label (index >= num_classes - 1) following a null label, "
                    f"batch: {b} num_classes: {classes} labels: {bad}"
                )
            if not labels and not ignore:
                raise _invalid(f"Labels length is zero in batch {b}")
            if len(labels) > lengths[b]:
                if ignore:
                    continue
                raise _invalid(
                    f"Not enough time for target transition sequence (required: {len(labels)}, "
                    f"available: {lengths[b]}){b}You can turn this error into a warning by using "
                    "the flag ignore_longer_outputs_than_inputs"
                )
            used.append(b)
        if used:
            _fill(inputs, [rows[b] for b in used], lengths[used], used, loss, grad)
        return loss, grad

    return kernel


def _fill(
    inputs: torch.Tensor,
    rows: list[list[int]],
    lengths: Any,
    used: list[int],
    loss: torch.Tensor,
    grad: torch.Tensor,
) -> None:
    """The losses and gradients of the examples `used`."""
    chosen = torch.tensor(used)
    log_probabilities = torch.log_softmax(inputs[:, chosen], 2)
    width = max((len(r) for r in rows), default=0)
    targets = torch.tensor([r + [0] * (width - len(r)) for r in rows], dtype=torch.int64)
    steps, counts = lengths.tolist(), [len(r) for r in rows]
    blank = inputs.shape[2] - 1
    value, alpha = _aten._ctc_loss(log_probabilities, targets, steps, counts, blank, False)
    flow = _aten._ctc_loss_backward(
        torch.ones_like(value),
        log_probabilities,
        targets,
        steps,
        counts,
        value,
        alpha,
        blank,
        False,
    )
    # Labels that no path of this length gives (equal neighbours need a blank between them).
    flow = torch.where(torch.isinf(value)[None, :, None], torch.exp(log_probabilities), flow)
    inside = torch.arange(inputs.shape[0])[:, None] < torch.tensor(steps)[None]
    loss[chosen] = value
    grad[:, chosen] = torch.where(inside[:, :, None], flow, 0)


@gradient("CTCLoss")
def _(op, loss_grad, _):
    once = raw.PreventGradient(
        op.outputs[1],
        message="Currently there is no way to take the second  derivative of ctc_loss due to the "
        "fused implementation's interaction  with tf.gradients()",
    )
    return [raw.ExpandDims(loss_grad, -1) * once, None, None, None]


# -- decoders --------------------------------------------------------------------------------------


def _sparse(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(indices, values, dense shape) of rows of labels."""
    indices = [(b, i) for b, row in enumerate(rows) for i in range(len(row))]
    values = [v for row in rows for v in row]
    shape = [len(rows), max((len(r) for r in rows), default=0)]
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array(values, np.int64),
        np.array(shape, np.int64),
    )


def _greedy_shape(node: Any) -> list[Any]:
    inputs = with_rank(sizes(node, 0), 3)
    lengths = with_rank(sizes(node, 1), 1)
    assert inputs is not None and lengths is not None
    return [(None, 2), (None,), (2,), (merge_size(inputs[1], lengths[0]), 1)]


def _check_lengths(inputs: Any, lengths: Any) -> None:
    if inputs.ndim != 3:
        raise _invalid("inputs is not a 3-Tensor")
    if lengths.shape != (inputs.shape[1],):
        raise _invalid(
            f"len(sequence_length) != batch_size.  len(sequence_length):  {lengths.size} "
            f"batch_size: {inputs.shape[1]}"
        )
    if (lengths > inputs.shape[0]).any():
        place = int(np.argmax(lengths > inputs.shape[0]))
        raise _invalid(f"sequence_length({place}) <= {inputs.shape[0]}")


@op(
    "CTCGreedyDecoder",
    shape=_greedy_shape,
    host=("inputs", "sequence_length"),
    host_out=True,
)
def CTCGreedyDecoder(inputs, sequence_length, *, merge_repeated=False):
    """The best class of every step, blanks dropped: (indices, values, shape, -sum of maxima)."""
    _check_lengths(inputs, sequence_length)
    blank = inputs.shape[2] - 1
    rows, scores = [], []
    for b, length in enumerate(sequence_length.tolist()):
        best = inputs[:length, b].argmax(1) if length else np.zeros(0, np.int64)
        scores.append([-inputs[:length, b].max(1).sum() if length else 0.0])
        row, before = [], -1
        for c in best.tolist():
            if c != blank and not (merge_repeated and c == before):
                row.append(c)
            before = c
        rows.append(row)
    return (*_sparse(rows), np.array(scores, inputs.dtype).reshape(-1, 1))


def _beam_shape(node: Any) -> list[Any]:
    inputs = with_rank(sizes(node, 0), 3)
    lengths = with_rank(sizes(node, 1), 1)
    assert inputs is not None and lengths is not None
    paths = node._attrs["top_paths"]
    batch = merge_size(inputs[1], lengths[0])
    return [*[(None, 2)] * paths, *[(None,)] * paths, *[(2,)] * paths, (batch, paths)]


def _log_add(a: float, b: float) -> float:
    if a == -math.inf or b == -math.inf:
        return max(a, b)
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def beam_search(log_probabilities: Any, width: int) -> list[tuple[tuple[int, ...], float]]:
    """Labellings with their log-probabilities, best first: Graves, "Sequence Transduction" (2012).

    `log_probabilities` [time, classes]. A prefix keeps two scores: ending in a blank, and not.
    """
    blank = log_probabilities.shape[1] - 1
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for step in log_probabilities.tolist():
        found: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(
            prefix: tuple[int, ...], in_blank: float, in_label: float, found: Any = found
        ) -> None:
            old = found.get(prefix, (-math.inf, -math.inf))
            found[prefix] = (_log_add(old[0], in_blank), _log_add(old[1], in_label))

        for prefix, (in_blank, in_label) in beams.items():
            total = _log_add(in_blank, in_label)
            add(prefix, total + step[blank], -math.inf)
            if prefix:
                add(prefix, -math.inf, in_label + step[prefix[-1]])
            for c in range(blank):
                source = in_blank if prefix and c == prefix[-1] else total
                if source > -math.inf:
                    add((*prefix, c), -math.inf, source + step[c])
        ranked = sorted(found.items(), key=lambda item: -_log_add(*item[1]))
        beams = dict(ranked[:width])
    return [(p, _log_add(*s)) for p, s in sorted(beams.items(), key=lambda i: -_log_add(*i[1]))]


@op(
    "CTCBeamSearchDecoder",
    shape=_beam_shape,
    host=("inputs", "sequence_length"),
    host_out=True,
)
def CTCBeamSearchDecoder(inputs, sequence_length, *, beam_width, top_paths, merge_repeated=True):
    """(indices, values, shapes: one a path; log-probabilities [batch, top_paths])."""
    _check_lengths(inputs, sequence_length)
    if top_paths > beam_width:
        raise _invalid(f"Requested number of paths is greater than beam width: {top_paths}")
    paths: list[list[list[int]]] = [[] for _ in range(top_paths)]
    scores = np.zeros((inputs.shape[1], top_paths), inputs.dtype)
    logs = torch.log_softmax(torch.from_numpy(np.array(inputs, np.float64)), 2).numpy()
    for b, length in enumerate(sequence_length.tolist()):
        found = beam_search(logs[:length, b], beam_width)
        if len(found) < top_paths:
            raise _invalid("Less leaves in the beam search than requested.")
        for i in range(top_paths):
            labels, score = found[i]
            row = list(labels)
            if merge_repeated:
                row = [v for j, v in enumerate(row) if j == 0 or v != row[j - 1]]
            paths[i].append(row)
            scores[b, i] = score
    parts = [_sparse(rows) for rows in paths]
    return [p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts], scores


not_differentiable("CTCGreedyDecoder", "CTCBeamSearchDecoder")
