"""Candidate samplers (log-uniform, uniform, unigram) and the random bounding box: they draw from a
stream in order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .philox import WordStream
from .stream import PhiloxStream

WORDS_PER_CANDIDATE = 2048


class RangeSampler:
    """Draws class numbers in [0, range_max) and knows their probabilities."""

    def __init__(self, range_max: int) -> None:
        if range_max <= 0:
            raise ValueError(f"range_max must be positive, got {range_max}")
        self.range_max = range_max

    def draw(self, words: WordStream) -> int:
        """One class number."""
        raise NotImplementedError(f"{type(self).__name__} does not draw single numbers")

    def probability(self, values: np.ndarray) -> np.ndarray:
        """The probability of each class in `values` (int64), float32."""
        raise NotImplementedError(f"{type(self).__name__} has no probabilities")

    def update(self, values: np.ndarray) -> None:
        """Learn from the true classes `values`; most samplers do not."""

    def _expected_count(self, values: np.ndarray, wanted: int, tries: int) -> np.ndarray:
        p = self.probability(values).astype(np.float32)
        if tries == wanted:
            return p * np.float32(wanted)
        # float32 steps, each rounded from float64 as a good C library does.
        log_missed = np.log1p(-p.astype(np.float64)).astype(np.float32) * np.float32(tries)
        return -np.expm1(log_missed.astype(np.float64)).astype(np.float32)

    def sample(
        self, stream: PhiloxStream, true_classes: np.ndarray, num_sampled: int, unique: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One execution of the sampler's operation.

        Returns (sampled candidates [num_sampled] int64, expected counts of the true classes in the
        shape of `true_classes` float32, expected counts of the candidates [num_sampled] float32).
        Raises ValueError when `unique` candidates are more than the range holds.
        """
        if unique and num_sampled > self.range_max:
            raise ValueError("Sampler's range is too small.")
        words = stream.words(WORDS_PER_CANDIDATE * num_sampled)
        sampled: list[int] = []
        seen: set[int] = set()
        tries = 0
        while len(sampled) < num_sampled:
            tries += 1
            value = self.draw(words)
            if unique:
                if value in seen:
                    continue
                seen.add(value)
            sampled.append(value)
        candidates = np.array(sampled, dtype=np.int64)
        true_counts = self._expected_count(true_classes, num_sampled, tries)
        counts = self._expected_count(candidates, num_sampled, tries)
        self.update(true_classes.reshape(-1))
        return candidates, true_counts, counts


class AllSampler(RangeSampler):
    """Every class once: AllCandidateSampler."""

    def sample(
        self, stream: PhiloxStream, true_classes: np.ndarray, num_sampled: int, unique: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (
            np.arange(num_sampled, dtype=np.int64),
            np.ones(true_classes.shape, dtype=np.float32),
            np.ones(num_sampled, dtype=np.float32),
        )


class UniformSampler(RangeSampler):
    """Every class equally likely: UniformCandidateSampler."""

    def draw(self, words: WordStream) -> int:
        return words.below(self.range_max, bits=64)

    def probability(self, values: np.ndarray) -> np.ndarray:
        return np.full(values.shape, 1.0 / self.range_max, dtype=np.float32)


class LogUniformSampler(RangeSampler):
    """Zipf's distribution: P(k) = log((k + 2) / (k + 1)) / log(range_max + 1).
    LogUniformCandidateSampler.
    """

    def __init__(self, range_max: int) -> None:
        super().__init__(range_max)
        self._log_range = math.log1p(range_max)

    def draw(self, words: WordStream) -> int:
        return (int(math.exp(words.float64() * self._log_range)) - 1) % self.range_max

    def probability(self, values: np.ndarray) -> np.ndarray:
        return (np.log((values + 2.0) / (values + 1.0)) / self._log_range).astype(np.float32)


class LearnedUnigramSampler(RangeSampler):
    """Proportional to one plus the number of times a class was a true one:
    (ThreadUnsafe)UnigramCandidateSampler.
    """

    def __init__(self, range_max: int) -> None:
        super().__init__(range_max)
        self._weights = np.ones(range_max, dtype=np.int64)
        self._sums = np.cumsum(self._weights)

    def draw(self, words: WordStream) -> int:
        return int(np.searchsorted(self._sums, words.below(int(self._sums[-1])), side="right"))

    def probability(self, values: np.ndarray) -> np.ndarray:
        return self._weights[values].astype(np.float32) / np.float32(self._sums[-1])

    def update(self, values: np.ndarray) -> None:
        room = 2**31 - 1 - int(self._sums[-1])
        np.add.at(self._weights, values[: min(values.size, room)], 1)
        self._sums = np.cumsum(self._weights)


class FixedUnigramSampler(RangeSampler):
    """Given weights, raised to `distortion`: FixedUnigramCandidateSampler.

    The first `num_reserved_ids` classes have weight zero. With `num_shards` > 1 only every
    num_shards-th class, beginning with `shard`, is kept. Raises ValueError when the number of
    weights is not `range_max`. Sampling by Walker's alias method (Walker, 1977).
    """

    def __init__(
        self,
        range_max: int,
        unigrams: Iterable[float],
        distortion: float = 1.0,
        num_reserved_ids: int = 0,
        num_shards: int = 1,
        shard: int = 0,
    ) -> None:
        super().__init__(range_max)
        weights = [
            np.float32(0.0) for word in range(num_reserved_ids) if word % num_shards == shard
        ]
        total = np.float32(0.0)
        for word, unigram in enumerate(unigrams, start=len(weights)):
            if word % num_shards == shard:
                weight = np.float32(np.float32(unigram) ** np.float32(distortion))
                total = np.float32(total + weight)
                weights.append(weight)
        if len(weights) != range_max:
            raise ValueError(f"range_max is {range_max}, but {len(weights)} weights are given")
        self._weights = np.array(weights, dtype=np.float32)
        self._total = total
        self._keep, self._alias = self._alias_table()

    @classmethod
    def parse_vocabulary(cls, lines: Iterable[str]) -> list[float]:
        """The weights in a vocabulary file: the last comma-separated column of each line."""
        weights = []
        for line in lines:
            try:
                weights.append(float(line.rstrip("\r\n").split(",")[-1]))
            except ValueError as error:
                raise ValueError(f"Wrong vocabulary format at line: {line!r}") from error
        return weights

    def _alias_table(self) -> tuple[list[float], list[int]]:
        n = len(self._weights)
        total = float(np.cumsum(self._weights, dtype=np.float64)[-1])
        share = [float(np.float32(w * np.float32(n))) / total for w in self._weights]
        alias = list(range(n))
        low = [i for i in range(n) if share[i] < 1.0]
        high = [i for i in range(n) if not share[i] < 1.0]
        while high and low:
            small, large = low.pop(), high.pop()
            alias[small] = large
            share[large] -= 1.0 - share[small]
            (low if share[large] < 1.0 else high).append(large)
        for i in low + high:
            share[i], alias[i] = 1.0, i
        return [float(np.float32(p)) for p in share], alias

    def draw(self, words: WordStream) -> int:
        threshold = words.float32()
        index = words.below(self.range_max)
        return index if threshold < self._keep[index] else self._alias[index]

    def probability(self, values: np.ndarray) -> np.ndarray:
        known = (values >= 0) & (values < self.range_max)
        return (
            np.where(known, self._weights[np.where(known, values, 0)], np.float32(0)) / self._total
        )


Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


def _area(box: Box) -> np.float32:
    return np.float32((box[2] - box[0]) * (box[3] - box[1]))


def _covers_object(crop: Box, fraction: np.float32, boxes: Sequence[Box]) -> bool:
    if _area(crop) < 1.0:
        return False
    for box in boxes:
        if _area(box) < 1.0:
            continue
        left, top = max(crop[0], box[0]), max(crop[1], box[1])
        right, bottom = min(crop[2], box[2]), min(crop[3], box[3])
        common = (
            np.float32(0) if left > right or top > bottom else _area((left, top, right, bottom))
        )
        if common / _area(box) >= fraction:
            return True
    return False


def _crop(
    width: int,
    height: int,
    area_range: tuple[np.float32, np.float32],
    aspect: np.float32,
    words: WordStream,
) -> Box | None:
    """One attempt at a crop of the given aspect ratio (width / height) and area share; None when it
    does not fit.
    """
    f = np.float32
    if (
        area_range[1] <= 0
        or aspect <= 0
        or width <= 0
        or height <= 0
        or area_range[0] > area_range[1]
    ):
        return None
    smallest, largest = (f(f(share * f(width)) * f(height)) for share in area_range)
    tall = int(np.rint(np.sqrt(f(smallest / aspect))))
    tallest = int(np.rint(np.sqrt(f(largest / aspect))))
    if int(np.rint(f(tallest) * aspect)) > width:
        tallest = int((width + 0.5 - float(f(1e-7))) / float(aspect))
    tallest = min(tallest, height)
    tall = min(tall, tallest)
    if tall < tallest:
        tall += words.below(tallest - tall + 1)
    wide = int(np.rint(f(tall) * aspect))
    if f(wide * tall) < smallest:
        tall += 1
        wide = int(np.rint(f(tall) * aspect))
    if f(wide * tall) > largest:
        tall -= 1
        wide = int(np.rint(f(tall) * aspect))
    area = f(wide * tall)
    if area < smallest or area > largest or wide > width or tall > height or wide <= 0 or tall <= 0:
        return None
    top = words.below(height - tall) if tall < height else 0
    left = words.below(width - wide) if wide < width else 0
    return left, top, left + wide, top + tall


def sample_distorted_bounding_box(
    stream: PhiloxStream,
    image_size: Sequence[int],
    bounding_boxes: np.ndarray,
    min_object_covered: float = 0.1,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.05, 1.0),
    max_attempts: int = 100,
    use_image_if_no_bounding_boxes: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SampleDistortedBoundingBox(V2): a random crop that covers enough of an object.

    `image_size` is (height, width, channels) in pixels; `bounding_boxes` [batch, n, 4] float32
    holds (y_min, x_min, y_max, x_max) as shares in [0, 1]. Returns begin [3] and size [3] (int64,
    for `tf.slice`) and the box [1, 1, 4] float32. Without success after `max_attempts` the whole
    image is returned. Raises ValueError for boxes outside [0, 1], or none where the image may not
    stand in for them.
    """
    f = np.float32
    height, width = int(image_size[0]), int(image_size[1])
    flat = np.asarray(bounding_boxes, dtype=f).reshape(-1, 4)
    if ((flat < 0) | (flat > 1)).any():
        worst = flat[(flat < 0) | (flat > 1)][0]
        raise ValueError(f"All bounding box coordinates must be in [0.0, 1.0]: {worst}")
    image: Box = (0, 0, width, height)
    boxes: list[Box] = [
        (int(x0 * f(width)), int(y0 * f(height)), int(x1 * f(width)), int(y1 * f(height)))
        for y0, x0, y1, x1 in flat
    ]
    if not boxes:
        if not use_image_if_no_bounding_boxes:
            raise ValueError(
                "No bounding boxes provided as input. One must enable "
                "use_image_if_no_bounding_boxes if you wish to "
                "not provide any bounding boxes."
            )
        boxes = [image]
    narrow, wide = (f(ratio) for ratio in aspect_ratio_range)
    areas = (f(area_range[0]), f(area_range[1]))
    words = stream.words(4 * max_attempts)
    crop = image
    for _ in range(max_attempts):
        aspect = f(f(f(words.float32()) * f(wide - narrow)) + narrow)
        attempt = _crop(width, height, areas, aspect, words)
        if attempt is not None and _covers_object(attempt, f(min_object_covered), boxes):
            crop = attempt
            break
    left, top, right, bottom = crop
    shares = [f(top) / f(height), f(left) / f(width), f(bottom) / f(height), f(right) / f(width)]
    return (
        np.array([top, left, 0], dtype=np.int64),
        np.array([bottom - top, right - left, -1], dtype=np.int64),
        np.array(shares, dtype=f).reshape(1, 1, 4),
    )
