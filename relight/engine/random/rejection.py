"""Samplers that draw until they accept: gamma, Poisson, truncated normal with parameters; and the
categorical sampler.

As in `distributions`, every function is a pure function of a generator position. Gamma and Poisson
give each output number its own 256 blocks of the stream and compute in float64 whatever the output
type, so their numbers do not depend on the order of work. The categorical sampler and the truncated
normal with parameters run through the stream from row to row; TensorFlow cuts the rows into shards
by the number of its threads and starts each shard at a place of its own, so for large inputs
TensorFlow's own numbers depend on that number. The functions here take the shards as an argument;
one shard is what TensorFlow uses with one thread, and for small inputs with any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .distributions import (
    box_muller_float64,
    normal_float32,
    normal_float64,
    to_float64,
    uniform_float16,
    uniform_float32,
    uniform_float64,
)
from .philox import Philox

_BLOCKS_PER_OUTPUT = 256
Shards = Sequence[tuple[int, int]]


class _Draws:
    """Per output number: float64 uniforms and normals taken two at a time from its own part of the
    stream.

    A block gives two numbers, which are used last one first. Uniforms and normals share the stream:
    each takes the next block when its own pair is used up.
    """

    def __init__(self, generator: Philox, count: int) -> None:
        self._generator = generator
        self._next_block = np.arange(count, dtype=np.uint64) * np.uint64(_BLOCKS_PER_OUTPUT)
        self._pairs = {"uniform": np.empty((count, 2)), "normal": np.empty((count, 2))}
        self._left = {
            "uniform": np.zeros(count, dtype=np.intp),
            "normal": np.zeros(count, dtype=np.intp),
        }

    def _take(self, kind: str, who: np.ndarray) -> np.ndarray:
        left, pairs = self._left[kind], self._pairs[kind]
        empty = who[left[who] == 0]
        if empty.size:
            even, odd = self._generator.blocks_at(self._next_block[empty])
            self._next_block[empty] += np.uint64(1)
            if kind == "uniform":
                pairs[empty] = to_float64(even, odd).T
            else:
                pairs[empty, 0], pairs[empty, 1] = box_muller_float64(even, odd)
            left[empty] = 2
        left[who] -= 1
        return pairs[who, left[who]]

    def uniform(self, who: np.ndarray) -> np.ndarray:
        """The next uniform number of each output listed in `who`."""
        return self._take("uniform", who)

    def normal(self, who: np.ndarray) -> np.ndarray:
        """The next standard normal of each output listed in `who`."""
        return self._take("normal", who)


def gamma(generator: Philox, samples: int, alpha: np.ndarray) -> np.ndarray:
    """[samples, alphas] float64 draws from Gamma(alpha, 1) for `alpha` [alphas] float64.

    Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26
    (2000). For alpha < 1 a draw for alpha + 1 is multiplied by u**(1 / alpha); for alpha = 1 it is
    -log(1 - u).
    """
    count = samples * alpha.size
    shape = np.repeat(
        alpha.astype(np.float64), samples
    )  # output number i belongs to alpha i // samples
    draws = _Draws(generator, count)
    out = np.empty(count)

    exponential = np.flatnonzero(shape == 1.0)
    out[exponential] = -np.log(1.0 - draws.uniform(exponential))

    small = shape < 1
    d = shape + np.where(small, 2.0 / 3, -1.0 / 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        c = 1.0 / 3 / np.sqrt(d)
    active = np.flatnonzero(shape != 1.0)
    while active.size:
        x = draws.normal(active)
        v = 1 + c[active] * x
        proposed = v > 0
        who, x, v = active[proposed], x[proposed], v[proposed]
        v = v * v * v
        u = draws.uniform(who)
        with np.errstate(divide="ignore"):
            accepted = (u < 1 - 0.0331 * (x * x) * (x * x)) | (
                np.log(u) < 0.5 * x * x + d[who] * (1 - v + np.log(v))
            )
        winners = who[accepted]
        result = d[winners] * v[accepted]
        boosted = small[winners]
        if boosted.any():
            lifted = winners[boosted]
            result[boosted] *= draws.uniform(lifted) ** (1 / shape[lifted])
        out[winners] = result
        going_on = np.ones(count, dtype=bool)
        going_on[winners] = False
        active = active[going_on[active]]
    return out.reshape(alpha.size, samples).T


def poisson(generator: Philox, samples: int, rate: np.ndarray, highest: float) -> np.ndarray:
    """[samples, rates] float64 whole numbers from Poisson(rate) for `rate` [rates] float64.

    `highest` is the largest value of the output type; larger draws are made again. Sources: Knuth's
    product of uniforms below rate 10; above, the transformed rejection of Hörmann, "The transformed
    rejection method for generating Poisson random variables", 1993 (algorithm PTRS).
    """
    count = samples * rate.size
    mean = np.repeat(rate.astype(np.float64), samples)
    draws = _Draws(generator, count)
    out = np.zeros(count)
    active = np.flatnonzero(mean < 10)
    limit = np.exp(-mean)
    product = np.ones(count)
    while active.size:
        product[active] *= draws.uniform(active)
        going_on = (product[active] > limit[active]) | (out[active] > highest)
        active = active[going_on]
        out[active] += 1

    active = np.flatnonzero(~(mean < 10))
    with np.errstate(invalid="ignore", divide="ignore"):
        log_mean = np.log(mean)
        b = 0.931 + 2.53 * np.sqrt(mean)
        a = -0.059 + 0.02483 * b
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    while active.size:
        u = draws.uniform(active) - 0.5
        v = draws.uniform(active)
        shifted = 0.5 - np.abs(u)
        b_, a_, mean_ = b[active], a[active], mean[active]
        with np.errstate(invalid="ignore", divide="ignore"):
            k = np.floor((2 * a_ / shifted + b_) * u + mean_ + 0.43)
            quick = (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (b_ - 2))
            rejected = (k < 0) | ((shifted < 0.013) & (v > shifted))
            s = np.log(v * inverse_alpha[active] / (a_ / (shifted * shifted) + b_))
            log_factorial = torch.lgamma(torch.from_numpy(k + 1)).numpy()
            t = -mean_ + k * log_mean[active] - log_factorial
            accepted = (k <= highest) & (quick | (~rejected & (s <= t)))
        out[active[accepted]] = k[accepted]
        active = active[~accepted]
    return out.reshape(rate.size, samples).T


def multinomial(
    generator: Philox, logits: np.ndarray, samples: int, shards: Shards | None = None
) -> np.ndarray:
    """[rows, samples] int64 class numbers drawn with probabilities softmax(logits), `logits` [rows,
    classes] float64.

    Each draw is a float64 uniform looked up in the row's running sum of exp(logit - max); logits
    that are not finite have no part in it.
    """
    rows, classes = logits.shape
    out = np.empty((rows, samples), dtype=np.int64)
    finite = np.isfinite(logits)
    top = np.where(finite, logits, -np.finfo(np.float64).max).max(axis=1, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.where(finite, np.exp(logits - top), 0.0)
    cdf = np.cumsum(weights, axis=1)
    for start, stop in shards or [(0, rows)]:
        place = generator.skip(start * (samples + 3) // 4)
        uniforms = uniform_float64(place, (stop - start) * samples).reshape(-1, samples)
        wanted = uniforms * cdf[start:stop, -1:]
        if rows * samples * classes <= 1 << 16:
            out[start:stop] = (cdf[start:stop, None, :] <= wanted[:, :, None]).sum(axis=2)
        else:
            for row in range(start, stop):
                out[row] = np.searchsorted(cdf[row], wanted[row - start], side="right")
    return out


_MOST_TRIES = 1000
_RANDN_BOUND = 1.3


class NoSampleAccepted(RuntimeError):
    """A rejection sampler met its limit of tries without an accepted number."""


def parameterized_truncated_normal(
    generator: Philox,
    batches: int,
    per_batch: int,
    count: int,
    parameters: Sequence[np.ndarray],
    shards: Shards | None = None,
) -> np.ndarray:
    """[count] normal numbers within bounds, in the dtype (float16/32/64) of the parameters.

    `parameters` are mean, standard deviation, lowest and highest value, each [1] or [batches].
    Number i belongs to batch i // per_batch. Chooses among three samplers by where the bounds lie:
    normals with rejection, uniform proposals, exponential proposals (Robert, "Simulation of
    truncated normal variables", 1995). Raises ValueError for a deviation <= 0 or bounds that hold
    nothing, NoSampleAccepted after 1000 rejections.
    """
    kind = parameters[0].dtype.type
    out = np.empty(count, dtype=kind)
    for first, last in shards or [(0, batches)]:
        place = generator.skip(first * 2 * _MOST_TRIES * (per_batch + 3) // 4)
        for batch in range(first, last):
            mean, deviation, low, high = (p[0] if p.size == 1 else p[batch] for p in parameters)
            if not (deviation > 0 and low < high and (np.isfinite(low) or np.isfinite(high))):
                raise ValueError(
                    f"truncated normal: invalid parameters in batch {batch}: "
                    f"mean {mean}, stddev {deviation}, "
                    f"minval {low}, maxval {high}"
                )
            if (np.isinf(low) and low < 0) or high < mean:
                low, high, deviation = high, low, -deviation
            wanted = min((batch + 1) * per_batch, count) - batch * per_batch
            values, place = _truncated_batch(
                place, max(wanted, 0), (low - mean) / deviation, (high - mean) / deviation
            )
            out[batch * per_batch : batch * per_batch + values.size] = values * deviation + mean
    return out


def _exp(x: np.ndarray) -> np.ndarray:
    """exp(x) rounded from float64 to the type of `x`."""
    return np.exp(x, dtype=np.float64).astype(x.dtype)


def _log(x: np.ndarray) -> np.ndarray:
    """log(x) rounded from float64 to the type of `x`."""
    return np.log(x, dtype=np.float64).astype(x.dtype)


def _truncated_batch(
    place: Philox, wanted: int, low: np.floating, high: np.floating
) -> tuple[np.ndarray, Philox]:
    """`wanted` standard normals in [low, high], and the position after the last block used."""
    kind: Any = type(low)
    uniform = {
        np.float16: uniform_float16,
        np.float32: uniform_float32,
        np.float64: uniform_float64,
    }[kind]
    width = 2 if kind is np.float64 else 4
    two, four = kind(2), kind(4)
    with np.errstate(over="ignore", invalid="ignore"):
        root = np.sqrt(low * low + four)
        cutoff = two * _exp(kind(0.5) + (low * (low - root)) / four) / (low + root)
        span = high - low
        alpha = (low + root) / two
    by_normals = (low < -_RANDN_BOUND and high >= 0) or (high > _RANDN_BOUND and low <= 0)
    by_uniform = not by_normals and span < cutoff
    blocks_per_try = 2 if by_uniform else 1

    found: list[np.ndarray] = []
    have = failures = 0
    while have < wanted:
        tries = max(8, (wanted - have) // width + 8)
        if by_normals:
            draw = normal_float64 if kind is np.float64 else normal_float32
            z = draw(place, tries * width).astype(kind, copy=False)
            accept = (z >= low) & (z <= high)
        elif by_uniform:
            blocks = uniform(place, 2 * tries * width).reshape(tries, 2, width)
            z = (blocks[:, 0] * span + low).reshape(-1)
            plus = kind(0) if low < 0 else low * low
            accept = blocks[:, 1].reshape(-1) <= _exp((plus - z * z) / two)
        else:
            pair = uniform(place, tries * width).reshape(-1, 2)
            with np.errstate(divide="ignore", over="ignore"):
                z = -_log(pair[:, 0]) / alpha + low
                x = alpha - z if low < alpha else np.full_like(z, low - alpha)
                accept = (pair[:, 1] <= _exp(-x * x / two)) & (z < high)
        hits = np.flatnonzero(accept)[: wanted - have]
        gaps = np.diff(np.concatenate([[-1 - failures], hits]))
        tail = (accept.size - 1 - hits[-1]) if hits.size else failures + accept.size
        if (gaps.size and gaps.max() > _MOST_TRIES) or (
            have + hits.size < wanted and tail >= _MOST_TRIES
        ):
            raise NoSampleAccepted(
                f"truncated normal: no number accepted between {low} and {high} "
                f"in {_MOST_TRIES} tries"
            )
        failures = int(tail)
        found.append(z[hits])
        have += hits.size
        if have == wanted:
            per_block_try = width if by_normals or by_uniform else width // 2
            tries = int(hits[-1]) // per_block_try + 1
        place = place.skip(tries * blocks_per_try)
    return np.concatenate(found) if found else np.empty(0, dtype=kind), place
