"""The StatelessRandom* operations: numbers that depend on the given pair of seeds alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .philox import MASK64, Philox
from .stream import multinomial_at, normal_at, truncated_normal_at, uniform_at, uniform_int_at

_SCRAMBLE_KEY = 0x02461E29_3EC8F720


def stateless_generator(seed: Sequence[int]) -> Philox:
    """The generator for a pair of int32 or int64 seeds: both are encrypted once, and give key and
    upper counter.
    """
    if len(seed) != 2:
        raise ValueError(f"seed must have shape [2], not [{len(seed)}]")
    first, second = (int(value) & MASK64 for value in seed)
    a, b, c, d = Philox(_SCRAMBLE_KEY, first | second << 64).words(4).tolist()
    return Philox(a | b << 32, (c | d << 32) << 64)


def stateless_random_uniform(
    shape: Sequence[int], seed: Sequence[int], dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """StatelessRandomUniform: [0, 1) of `shape`; float16, bfloat16, float32, float64."""
    return uniform_at(stateless_generator(seed), shape, dtype)


def stateless_random_normal(
    shape: Sequence[int], seed: Sequence[int], dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """StatelessRandomNormal: standard normals of `shape`."""
    return normal_at(stateless_generator(seed), shape, dtype)


def stateless_truncated_normal(
    shape: Sequence[int], seed: Sequence[int], dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """StatelessTruncatedNormal: standard normals within (-2, 2) of `shape`."""
    return truncated_normal_at(stateless_generator(seed), shape, dtype)


def stateless_random_uniform_int(
    shape: Sequence[int], seed: Sequence[int], low: int, high: int, dtype: torch.dtype = torch.int64
) -> torch.Tensor:
    """StatelessRandomUniformInt: integers in [low, high) of `shape`; int32, int64."""
    return uniform_int_at(stateless_generator(seed), shape, low, high, dtype)


def stateless_multinomial(
    logits: torch.Tensor,
    num_samples: int,
    seed: Sequence[int],
    out_dtype: torch.dtype = torch.int64,
    num_threads: int | None = None,
) -> torch.Tensor:
    """StatelessMultinomial: class numbers [rows, num_samples] drawn by `logits` [rows, classes]."""
    return multinomial_at(stateless_generator(seed), logits, num_samples, out_dtype, num_threads)
