"""How TensorFlow 1.15 cuts the rows of an input among its threads.

Only two random samplers show it: the categorical one and the truncated normal with parameters start
a new place of their stream per shard. The cut is a pure function of the number of rows, the
estimated cost of a row (in cycles) and the number of threads (block search of Eigen's thread pool,
of the version that TensorFlow 1.15 contains).
"""

from __future__ import annotations

import math
import os

import numpy as np

_STARTUP_CYCLES = 100_000
_CYCLES_PER_THREAD = 100_000
_TASK_CYCLES = 40_000
_OVERSHARDING = 4

# Cycles per evaluation that Eigen assumes for (square root, exponential), by the size of the type
# in bytes.
_FUNCTION_CYCLES = {2: (8, 43), 4: (8, 34), 8: (28, 51)}
_BITS_CYCLES, _UNIFORM_CYCLES = 10, 3


def available_threads() -> int:
    """The number of threads that TensorFlow takes when the session's configuration names none."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shards(rows: int, cost: int, threads: int) -> list[tuple[int, int]]:
    """The (first, last + 1) rows of each shard of `rows` rows of `cost` cycles on `threads`
    threads.
    """
    total = float(rows * cost)
    wanted = int((total - _STARTUP_CYCLES) / _CYCLES_PER_THREAD + 0.9)
    if rows <= 1 or threads <= 1 or min(threads, max(1, wanted)) == 1:
        return [(0, rows)]

    def efficiency(blocks: int) -> float:
        return blocks / (-(-blocks // threads) * threads)

    ideal = int(_TASK_CYCLES / cost)
    size = min(rows, max(-(-rows // (_OVERSHARDING * threads)), ideal))
    largest = min(rows, 2 * size)
    blocks = -(-rows // size)
    best = efficiency(blocks)
    previous = blocks
    while best < 1.0 and previous > 1:
        coarser = -(-rows // (previous - 1))
        if coarser > largest:
            break
        previous = -(-rows // coarser)
        if efficiency(previous) + 0.01 >= best:
            size = coarser
            best = max(best, efficiency(previous))
    return [(first, min(first + size, rows)) for first in range(0, rows, size)]


def multinomial_cost(samples: int, classes: int) -> int:
    """Cycles that TensorFlow reckons per row of the categorical sampler."""
    return int(50 * (samples * math.log(classes) / math.log(2) + classes))


def truncated_normal_cost(per_batch: int, dtype: np.dtype) -> int:
    """Cycles that TensorFlow reckons per batch of the truncated normal with parameters."""
    root, exponential = _FUNCTION_CYCLES[dtype.itemsize]
    uniform = _BITS_CYCLES + _UNIFORM_CYCLES
    start = 2 * 2 + 2 + root + 4 + exponential + 1
    attempt = uniform + 1 + 1 + 2 + 1 + uniform + exponential + 1 + 1
    return start + attempt * 2 * per_batch
