"""Boxes on images: drawing, sampling, non-maximum suppression, glimpses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops import shape_rules
from relight.ops.constants import known_value
from relight.ops.shape_rules import same, sizes

_f = np.float32


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


# -- drawing ---------------------------------------------------------------------------------------

# Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia.
_COLORS = np.array(
    [
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1],
        [0.5, 0, 0, 1],
        [0, 0, 0.5, 1],
        [0, 1, 1, 1],
        [1, 0, 1, 1],
    ],
    _f,
)


def _draw(images: torch.Tensor, boxes: Any, colors: np.ndarray) -> torch.Tensor:
    result = images.clone()
    height, width, depth = images.shape[1:]
    corners = (boxes.astype(_f) * np.array([height - 1, width - 1] * 2, _f)).astype(np.int64)
    for picture, found in zip(result, corners.tolist(), strict=True):
        for number, (top, left, bottom, right) in enumerate(found):
            if top > bottom or left > right:
                continue
            if top >= height or bottom < 0 or left >= width or right < 0:
                continue
            color = torch.from_numpy(colors[number % len(colors)][:depth].copy())
            color = color.to(picture.device, picture.dtype)
            rows = slice(max(top, 0), min(bottom, height - 1) + 1)
            columns = slice(max(left, 0), min(right, width - 1) + 1)
            if top >= 0:
                picture[top, columns] = color
            if bottom < height:
                picture[bottom, columns] = color
            if left >= 0:
                picture[rows, left] = color
            if right < width:
                picture[rows, right] = color
    return result


@op("DrawBoundingBoxes", shape=same, host=("boxes",))
def DrawBoundingBoxes(images, boxes):
    """Images [n, h, w, 1, 3 or 4] with boxes [n, k, 4] drawn in ten colours, in turn."""
    depth = images.shape[3]
    if depth not in (1, 3, 4):
        raise _invalid("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")
    colors = _COLORS
    if depth == 1:
        colors = np.ones_like(_COLORS)
    return _draw(images, boxes, colors)


@op("DrawBoundingBoxesV2", shape=same, host=("boxes", "colors"))
def DrawBoundingBoxesV2(images, boxes, colors):
    """Images [n, h, w, c] with boxes [n, k, 4] drawn in `colors` [m, c], in turn."""
    depth = images.shape[3]
    if depth not in (1, 3, 4):
        raise _invalid("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")
    table = np.asarray(colors, _f)
    if table.size == 0:
        table = _COLORS
    elif depth == 1:
        table = table.copy()
        table[:, 0] = 1
    return _draw(images, boxes, table)


not_differentiable("DrawBoundingBoxes")


# -- a random box ----------------------------------------------------------------------------------


def _sample_shape(node: Any) -> list[Any]:
    return [(3,), (3,), (1, 1, 4)]


def _sample(node: Any) -> Any:
    attrs = node._attrs
    dtype = attrs["T"].as_numpy_dtype

    def kernel(
        state: Any, image_size: np.ndarray, bounding_boxes: np.ndarray, covered: Any = None
    ) -> tuple[np.ndarray, ...]:
        from relight.engine.random.candidates import sample_distorted_bounding_box

        if image_size.shape != (3,):
            raise _invalid(f"image_size must contain 3 elements {list(image_size.shape)}")
        if bounding_boxes.ndim != 3 or bounding_boxes.shape[2] != 4:
            raise _invalid(
                "input boxes must be 3-dimensional [batch, num_boxes, coords]: "
                f"[{','.join(map(str, bounding_boxes.shape))}]"
            )
        if covered is None:
            covered = attrs["min_object_covered"]
        try:
            begin, size, box = sample_distorted_bounding_box(
                state.stream(node),
                image_size.tolist(),
                bounding_boxes,
                float(covered),
                attrs["aspect_ratio_range"],
                attrs["area_range"],
                attrs["max_attempts"],
                attrs["use_image_if_no_bounding_boxes"],
            )
        except ValueError as error:
            raise _invalid(str(error)) from None
        return begin.astype(dtype), size.astype(dtype), box

    return kernel


op(
    "SampleDistortedBoundingBox",
    shape=_sample_shape,
    specialise=True,
    takes_session=True,
    host=("image_size", "bounding_boxes"),
    host_out=True,
)(_sample)
op(
    "SampleDistortedBoundingBoxV2",
    shape=_sample_shape,
    specialise=True,
    takes_session=True,
    host=("image_size", "bounding_boxes", "min_object_covered"),
    host_out=True,
)(_sample)
not_differentiable("SampleDistortedBoundingBox", "SampleDistortedBoundingBoxV2")


# -- glimpses --------------------------------------------------------------------------------------


def _glimpse_shape(node: Any) -> list[Any]:
    images = shape_rules.with_rank(sizes(node, 0), 4)
    offsets = shape_rules.with_rank(sizes(node, 2), 2)
    assert images is not None and offsets is not None
    size = known_value(node._inputs[1])
    height, width = (None, None) if size is None else (int(size[0]), int(size[1]))
    return [(shape_rules.merge_size(images[0], offsets[0]), height, width, images[3])]


def _background(image: torch.Tensor, shape: tuple[int, ...], noise: str) -> torch.Tensor:
    """What a glimpse shows outside of its image: noise of the image's range or moments, or zero."""
    if noise == "zero":
        return image.new_zeros(shape)
    if noise == "gaussian":
        return image.new_empty(shape).normal_() * image.std(correction=0) + image.mean()
    least = image.min()
    return image.new_empty(shape).uniform_() * (image.max() - least) + least


@op("ExtractGlimpse", shape=_glimpse_shape, host=("size", "offsets"), stateful=False)
def ExtractGlimpse(input, size, offsets, *, centered, normalized, uniform_noise, noise):
    """Windows [n, *size, c] about `offsets` [n, 2] of images [n, h, w, c]."""
    batch, height, width, depth = input.shape
    if offsets.shape != (batch, 2):
        raise _invalid(
            f"offsets must have shape [{batch},2], not [{','.join(map(str, offsets.shape))}]"
        )
    rows, columns = int(size[0]), int(size[1])
    kind = "uniform" if uniform_noise else noise
    glimpses = []
    for image, (y, x) in zip(input, offsets.astype(_f), strict=True):
        y, x = (
            _place(y, height, rows, centered, normalized),
            _place(x, width, columns, centered, normalized),
        )
        top, bottom = max(y, 0), min(y + rows, height)
        left, right = max(x, 0), min(x + columns, width)
        if (bottom - top, right - left) == (rows, columns):
            glimpses.append(image[top:bottom, left:right])
            continue
        glimpse = _background(image, (rows, columns, depth), kind)
        if top < bottom and left < right:
            glimpse[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
        glimpses.append(glimpse)
    return torch.stack(glimpses)


def _place(offset: np.float32, size: int, window: int, centered: bool, normalized: bool) -> int:
    """The first pixel of a window about an offset; it may lie outside of the image."""
    if normalized:
        offset = offset * _f(size)
    if centered:
        offset = offset / _f(2) + _f(size) / _f(2)
    return int(offset - _f(window) / _f(2))


not_differentiable("ExtractGlimpse")


# -- non-maximum suppression -----------------------------------------------------------------------


def _overlaps(boxes: np.ndarray) -> Callable[[int, list[int]], np.ndarray]:
    """(box, other boxes) -> intersections over unions; corners come in any order."""
    low = np.minimum(boxes[:, :2], boxes[:, 2:])
    high = np.maximum(boxes[:, :2], boxes[:, 2:])
    area = (high - low).prod(axis=1, dtype=_f)

    def overlap(box: int, others: list[int]) -> np.ndarray:
        sides = np.minimum(high[box], high[others]) - np.maximum(low[box], low[others])
        common = np.maximum(sides, _f(0)).prod(axis=1, dtype=_f)
        union = area[box] + area[others] - common
        valid = (area[box] > 0) & (area[others] > 0)
        return np.where(valid, common / np.where(valid, union, _f(1)), _f(0))

    return overlap


class _Queue:
    """Candidates (score, box, seen), the best first; equal scores as in C++'s std::priority_queue.

    Which of two boxes of one score survives depends on the order in which a binary heap gives
    them, so its steps are those of the standard library that TensorFlow is built with.
    """

    def __init__(self, items: list[tuple[np.float32, int, int]]):
        self._heap: list[tuple[np.float32, int, int]] = []
        for item in items:
            self.push(item)

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, item: tuple[np.float32, int, int]) -> None:
        self._heap.append(item)
        self._raise(len(self._heap) - 1, item)

    def _raise(self, hole: int, item: tuple[np.float32, int, int]) -> None:
        heap = self._heap
        while hole > 0 and heap[(hole - 1) // 2][0] < item[0]:
            heap[hole] = heap[(hole - 1) // 2]
            hole = (hole - 1) // 2
        heap[hole] = item

    def pop(self) -> tuple[np.float32, int, int]:
        heap = self._heap
        best, last = heap[0], heap.pop()
        if not heap:
            return best
        # The hole sinks to the bottom along the better children, then the last item rises from it.
        size, hole = len(heap), 0
        while 2 * hole + 2 < size:
            child = 2 * hole + 2
            if heap[child][0] < heap[child - 1][0]:
                child -= 1
            heap[hole] = heap[child]
            hole = child
        if 2 * hole + 1 < size:
            heap[hole] = heap[2 * hole + 1]
            hole = 2 * hole + 1
        self._raise(hole, last)
        return best


def suppress(
    scores: np.ndarray,
    count: int,
    overlap: Callable[[int, list[int]], np.ndarray],
    threshold: float,
    score_threshold: float,
    sigma: float = 0.0,
    again: bool = True,
) -> tuple[list[int], list[float]]:
    """(indices, scores) of at most `count` boxes, the best first.

    A box that overlaps a better one by more than `threshold` is dropped. With `sigma` > 0 the score
    of the others is multiplied by exp(-overlap ** 2 / (2 sigma)) for each better one (Bodla et al.,
    2017). With `again`, as in TensorFlow 1.15's single-class ops, a chosen box is a candidate
    once more, and is dropped by its overlap with itself; one without area fills the rest.
    """
    factor = _f(-0.5) / _f(sigma) if sigma > 0 else _f(0)
    items = [(s, i, 0) for i, s in enumerate(scores) if s > score_threshold]
    # Without boxes put back, a sorted list does: the lower index first among equal scores.
    queue: Any = _Queue(items) if again else sorted(items, key=lambda c: (c[0], -c[1]))
    chosen: list[int] = []
    kept: list[float] = []
    while queue and len(chosen) < count:
        old, box, seen = queue.pop()
        score = old
        # The chosen ones that this box has not met yet, the latest first.
        rivals = chosen[seen:][::-1]
        met = len(chosen)
        if rivals:
            values = overlap(box, rivals)
            if sigma > 0:
                score, dropped = _weakened(score, values, threshold, score_threshold, factor)
            else:
                dropped = bool((values > threshold).any())
            if dropped:
                continue
        if score == old:
            chosen.append(box)
            kept.append(float(score))
        if again and score > score_threshold:
            queue.push((score, box, met))
    return chosen, kept


def _weakened(
    score: np.float32,
    overlaps: np.ndarray,
    threshold: float,
    score_threshold: float,
    factor: np.float32,
) -> tuple[np.float32, bool]:
    """(the score after meeting boxes that overlap by so much, whether one dropped it)."""
    for value in overlaps:
        if value > threshold:
            return score, True
        score = _f(score * np.exp(factor * value * value))
        if score <= score_threshold:
            break
    return score, False


def _check(boxes: np.ndarray, scores: np.ndarray) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        if boxes.ndim == 2:
            raise _invalid("boxes must have 4 columns")
        raise _invalid(f"boxes must be 2-D[{','.join(map(str, boxes.shape))}]")
    if scores.shape != boxes.shape[:1]:
        raise _invalid("scores has incompatible shape")


def _check_threshold(threshold: Any) -> float:
    if not 0 <= threshold <= 1:
        raise _invalid("iou_threshold must be in [0, 1]")
    return float(threshold)


def _padded(indices: list[int], count: int, pad: bool) -> np.ndarray:
    if pad:
        indices = indices + [0] * (count - len(indices))
    return np.array(indices, np.int32)


def _best(
    boxes: np.ndarray,
    scores: np.ndarray,
    count: Any,
    threshold: Any,
    score_threshold: Any = -np.inf,
    sigma: Any = 0.0,
) -> tuple[list[int], list[float]]:
    _check(boxes, scores)
    if int(count) < 0:
        raise _invalid("max_output_size must be non-negative")
    return suppress(
        scores.astype(_f),
        int(count),
        _overlaps(boxes.astype(_f)),
        _check_threshold(threshold),
        float(score_threshold),
        float(sigma),
    )


def _nms_shape(node: Any) -> list[Any]:
    boxes = shape_rules.with_rank(sizes(node, 0), 2)
    scores = shape_rules.with_rank(sizes(node, 1), 1)
    assert boxes is not None and scores is not None
    shape_rules.merge_size(boxes[0], scores[0])
    shape_rules.merge_size(boxes[1], 4)
    count = None
    if node._attrs.get("pad_to_max_output_size"):
        known = known_value(node._inputs[2])
        count = None if known is None else int(known)
    if node.type == "NonMaxSuppressionV4":
        return [(count,), ()]
    if node.type == "NonMaxSuppressionV5":
        return [(count,), (count,), ()]
    return [(None,)]


_BASIC = ("boxes", "scores", "max_output_size")


@op("NonMaxSuppression", shape=_nms_shape, host=_BASIC, host_out=True)
def NonMaxSuppression(boxes, scores, max_output_size, *, iou_threshold):
    """Indices of the best boxes that do not overlap better ones."""
    return _padded(_best(boxes, scores, max_output_size, iou_threshold)[0], 0, False)


@op("NonMaxSuppressionV2", shape=_nms_shape, host=(*_BASIC, "iou_threshold"), host_out=True)
def NonMaxSuppressionV2(boxes, scores, max_output_size, iou_threshold):
    """NonMaxSuppression with the threshold as an input."""
    return _padded(_best(boxes, scores, max_output_size, iou_threshold)[0], 0, False)


_THRESHOLDS = (*_BASIC, "iou_threshold", "score_threshold")


@op("NonMaxSuppressionV3", shape=_nms_shape, host=_THRESHOLDS, host_out=True)
def NonMaxSuppressionV3(boxes, scores, max_output_size, iou_threshold, score_threshold):
    """NonMaxSuppressionV2 of the boxes with a score above a threshold."""
    found = _best(boxes, scores, max_output_size, iou_threshold, score_threshold)
    return _padded(found[0], 0, False)


@op("NonMaxSuppressionV4", shape=_nms_shape, host=_THRESHOLDS, host_out=True)
def NonMaxSuppressionV4(
    boxes, scores, max_output_size, iou_threshold, score_threshold, *, pad_to_max_output_size
):
    """(indices, how many are valid)."""
    indices, _ = _best(boxes, scores, max_output_size, iou_threshold, score_threshold)
    padded = _padded(indices, int(max_output_size), pad_to_max_output_size)
    return padded, np.array(len(indices), np.int32)


@op("NonMaxSuppressionV5", shape=_nms_shape, host=(*_THRESHOLDS, "soft_nms_sigma"), host_out=True)
def NonMaxSuppressionV5(
    boxes,
    scores,
    max_output_size,
    iou_threshold,
    score_threshold,
    soft_nms_sigma,
    *,
    pad_to_max_output_size,
):
    """(indices, scores, how many are valid), by soft suppression where sigma is not 0."""
    if soft_nms_sigma < 0:
        raise _invalid(f"soft_nms_sigma_ must be non-negative, got {float(soft_nms_sigma)}")
    indices, kept = _best(
        boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma
    )
    count = int(max_output_size)
    filled = kept + [0.0] * (count - len(kept)) if pad_to_max_output_size else kept
    return (
        _padded(indices, count, pad_to_max_output_size),
        np.array(filled, scores.dtype),
        np.array(len(indices), np.int32),
    )


def _with_overlaps_shape(node: Any) -> list[Any]:
    overlaps = shape_rules.with_rank(sizes(node, 0), 2)
    scores = shape_rules.with_rank(sizes(node, 1), 1)
    assert overlaps is not None and scores is not None
    shape_rules.merge_size(overlaps[0], scores[0])
    shape_rules.merge_size(overlaps[0], overlaps[1])
    return [(None,)]


@op(
    "NonMaxSuppressionWithOverlaps",
    shape=_with_overlaps_shape,
    host_out=True,
    host=("overlaps", "scores", "max_output_size", "overlap_threshold", "score_threshold"),
)
def NonMaxSuppressionWithOverlaps(
    overlaps, scores, max_output_size, overlap_threshold, score_threshold
):
    """Suppression with the overlaps [n, n] given."""
    found, _ = suppress(
        scores,
        int(max_output_size),
        lambda box, others: overlaps[box, others],
        float(overlap_threshold),
        float(score_threshold),
    )
    return _padded(found, 0, False)


not_differentiable("NonMaxSuppression", "NonMaxSuppressionV2", "NonMaxSuppressionWithOverlaps")


def _combined_shape(node: Any) -> list[Any]:
    boxes = shape_rules.with_rank(sizes(node, 0), 4)
    scores = shape_rules.with_rank(sizes(node, 1), 3)
    assert boxes is not None and scores is not None
    batch = boxes[0]
    shape_rules.merge_size(boxes[1], scores[1])
    total = known_value(node._inputs[3])
    count = None if total is None else int(total)
    if count is not None and node._attrs["pad_per_class"]:
        per_class = known_value(node._inputs[2])
        if per_class is None or scores[2] is None:
            count = None
        else:
            count = min(count, int(per_class) * scores[2])
    return [(batch, count, 4), (batch, count), (batch, count), (batch,)]


@op(
    "CombinedNonMaxSuppression",
    shape=_combined_shape,
    host_out=True,
    host=(
        "boxes",
        "scores",
        "max_output_size_per_class",
        "max_total_size",
        "iou_threshold",
        "score_threshold",
    ),
)
def CombinedNonMaxSuppression(
    boxes,
    scores,
    max_output_size_per_class,
    max_total_size,
    iou_threshold,
    score_threshold,
    *,
    pad_per_class,
    clip_boxes,
):
    """(boxes [n, m, 4], scores [n, m], classes [n, m], how many are valid [n])."""
    per_class, total = int(max_output_size_per_class), int(max_total_size)
    if total <= 0:
        raise _invalid("max_total_size must be > 0")
    threshold = _check_threshold(iou_threshold)
    batch, _, classes = scores.shape
    if boxes.shape[2] not in (1, classes):
        raise _invalid(
            "third dimension of boxes must be either 1 or equal to the third dimension of scores"
        )
    size = min(total, per_class * classes) if pad_per_class else total
    out_boxes = np.zeros((batch, size, 4), _f)
    out_scores, out_classes = np.zeros((batch, size), _f), np.zeros((batch, size), _f)
    valid = np.zeros(batch, np.int32)
    for image in range(batch):
        found: list[tuple[float, int, int]] = []
        for label in range(classes):
            own = boxes[image, :, label if boxes.shape[2] > 1 else 0]
            indices, kept = suppress(
                scores[image, :, label],
                per_class,
                _overlaps(own),
                threshold,
                float(score_threshold),
                again=False,
            )
            found += [(s, label, i) for i, s in zip(indices, kept, strict=True)]
        found.sort(key=lambda item: -item[0])
        valid[image] = min(len(found), size)
        for place, (score, label, index) in enumerate(found[:size]):
            box = boxes[image, index, label if boxes.shape[2] > 1 else 0]
            out_boxes[image, place] = np.clip(box, 0, 1) if clip_boxes else box
            out_scores[image, place], out_classes[image, place] = score, label
    return out_boxes, out_scores, out_classes, valid
