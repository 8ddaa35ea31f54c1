"""The random numbers of one seeded operation, run after run: `PhiloxStream`.

One stream belongs to one node of a graph in one session, as TensorFlow's kernel with its generator
does. Each method is one execution of the node: it reserves as much of the stream as TensorFlow
1.15's CPU kernel reserves and returns CPU tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from . import distributions, rejection
from .philox import GuardedPhilox, Philox, WordStream
from .shards import available_threads, multinomial_cost, shards, truncated_normal_cost

_BLOCKS_PER_OUTPUT = 256

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.int32, torch.int64)


def _size(shape: Sequence[int]) -> int:
    return math.prod(int(dim) for dim in shape)


def to_tensor(array: np.ndarray, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """`array` as a tensor of `shape` and `dtype`, rounded to nearest even where the dtype is
    narrower.
    """
    tensor = torch.from_numpy(array).reshape(tuple(shape))
    return tensor if tensor.dtype == dtype else tensor.to(dtype)


def _refuse(what: str, dtype: torch.dtype) -> TypeError:
    return TypeError(f"{what}: dtype {dtype} is not one of the supported dtypes")


def uniform_at(generator: Philox, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Uniform numbers in [0, 1) of `shape` from a given place of a stream; float16, bfloat16,
    float32, float64.
    """
    count = _size(shape)
    if dtype == torch.float32:
        array = distributions.uniform_float32(generator, count)
    elif dtype == torch.float64:
        array = distributions.uniform_float64(generator, count)
    elif dtype == torch.float16:
        array = distributions.uniform_float16(generator, count)
    elif dtype == torch.bfloat16:
        array = distributions.uniform_bfloat16(generator, count)
    else:
        raise _refuse("uniform", dtype)
    return to_tensor(array, shape, dtype)


def normal_at(generator: Philox, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Standard normals of `shape` from a given place of a stream; the 16-bit types are rounded from
    float32.
    """
    if dtype not in FLOATS:
        raise _refuse("normal", dtype)
    wide = dtype == torch.float64
    draw = distributions.normal_float64 if wide else distributions.normal_float32
    return to_tensor(draw(generator, _size(shape)), shape, dtype)


def truncated_normal_at(
    generator: Philox, shape: Sequence[int], dtype: torch.dtype
) -> torch.Tensor:
    """Standard normals within (-2, 2) of `shape` from a given place of a stream."""
    if dtype not in FLOATS:
        raise _refuse("truncated_normal", dtype)
    wide = dtype == torch.float64
    draw = (
        distributions.truncated_normal_float64 if wide else distributions.truncated_normal_float32
    )
    return to_tensor(draw(generator, _size(shape)), shape, dtype)


def uniform_int_at(
    generator: Philox, shape: Sequence[int], low: int, high: int, dtype: torch.dtype
) -> torch.Tensor:
    """Integers in [low, high) of `shape` from a given place of a stream; int32, int64.

    Raises ValueError unless low < high.
    """
    if dtype not in INTEGERS:
        raise _refuse("uniform_int", dtype)
    low, high = int(low), int(high)
    if not low < high:
        raise ValueError(f"Need minval < maxval, got {low} >= {high}")
    draw = distributions.uniform_int32 if dtype == torch.int32 else distributions.uniform_int64
    return to_tensor(draw(generator, _size(shape), low, high), shape, dtype)


def multinomial_blocks(rows: int, samples: int) -> int:
    """Blocks that one execution of the categorical sampler reserves on a CPU."""
    return rows * ((samples + 3) // 4 * 4) * 2 * _BLOCKS_PER_OUTPUT


def multinomial_at(
    generator: Philox,
    logits: torch.Tensor,
    num_samples: int,
    out_dtype: torch.dtype = torch.int64,
    num_threads: int | None = None,
) -> torch.Tensor:
    """Class numbers [rows, num_samples] drawn by `logits` [rows, classes] from a given place of a
    stream.

    Above about 100,000 / (50 (num_samples log2 classes + classes)) rows the numbers depend on
    `num_threads`.
    """
    if logits.dim() != 2:
        raise ValueError(f"logits should be a matrix, got shape {list(logits.shape)}")
    if num_samples < 0:
        raise ValueError(f"num_samples should be nonnegative, got {num_samples}")
    if logits.shape[1] == 0:
        raise ValueError("num_classes should be positive, got 0")
    if logits.shape[0] * num_samples == 0:
        return torch.empty((logits.shape[0], num_samples), dtype=out_dtype)
    values = logits.detach().to("cpu", torch.float64).numpy()
    rows, classes = values.shape
    cut = shards(
        rows, multinomial_cost(int(num_samples), classes), num_threads or available_threads()
    )
    out = rejection.multinomial(generator, values, int(num_samples), cut)
    return to_tensor(out, out.shape, out_dtype)


class PhiloxStream:
    """The stream of a random operation with the attributes `seed` and `seed2`.

    Equal seeds give TensorFlow 1.15's numbers: the same bits for uniform numbers, integers,
    permutations and float32 normals, float64 normals within one unit in the last place. (0, 0) is
    TensorFlow's "not seeded". Safe to use from several threads; each call gets its own part of the
    stream.

    `num_threads` is TensorFlow's `intra_op_parallelism_threads`; None is all that the machine
    offers, as there. Only large inputs of `multinomial` and `parameterized_truncated_normal` depend
    on it (see `shards`), as there.
    """

    def __init__(self, seed: int, seed2: int, num_threads: int | None = None) -> None:
        self._generator = GuardedPhilox(int(seed), int(seed2))
        self._threads = num_threads or available_threads()

    def _reserve(self, outputs: int) -> Philox:
        return self._generator.reserve_blocks(outputs * _BLOCKS_PER_OUTPUT)

    def words(self, count: int) -> WordStream:
        """Reserve `count` 32-bit words and return them as a sequential source (bounding boxes,
        candidate samplers).
        """
        return WordStream(self._generator.reserve_words(count))

    def uniform(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """RandomUniform: numbers in [0, 1) of `shape`; float16, bfloat16, float32, float64."""
        return uniform_at(self._reserve(_size(shape)), shape, dtype)

    def normal(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """RandomStandardNormal: mean 0, standard deviation 1, of `shape`."""
        return normal_at(self._reserve(_size(shape)), shape, dtype)

    def truncated_normal(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """TruncatedNormal: standard normals, those at or beyond 2 drawn again."""
        return truncated_normal_at(self._reserve(_size(shape)), shape, dtype)

    def uniform_int(
        self, shape: Sequence[int], low: int, high: int, dtype: torch.dtype = torch.int64
    ) -> torch.Tensor:
        """RandomUniformInt: integers in [low, high) of `shape`; int32, int64."""
        return uniform_int_at(self._reserve(_size(shape)), shape, low, high, dtype)

    def gamma(
        self, shape: Sequence[int], alpha: torch.Tensor, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """RandomGamma: draws [*shape, *alpha.shape] from Gamma(alpha, 1); float16, float32,
        float64.
        """
        dtype = dtype or alpha.dtype
        samples, out_shape = _size(shape), (*shape, *alpha.shape)
        if samples * alpha.numel() == 0:
            return torch.empty(out_shape, dtype=dtype)
        generator = self._reserve(samples * alpha.numel())
        values = rejection.gamma(
            generator, samples, alpha.detach().to("cpu", torch.float64).reshape(-1).numpy()
        )
        return to_tensor(np.ascontiguousarray(values), out_shape, dtype)

    def poisson(
        self, shape: Sequence[int], rate: torch.Tensor, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """RandomPoisson and RandomPoissonV2: draws [*shape, *rate.shape]; float16/32/64, int32,
        int64.
        """
        dtype = dtype or rate.dtype
        samples, out_shape = _size(shape), (*shape, *rate.shape)
        if samples == 0:
            return torch.empty(out_shape, dtype=dtype)
        generator = self._reserve(samples * rate.numel())
        info = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
        values = rejection.poisson(
            generator,
            samples,
            rate.detach().to("cpu", torch.float64).reshape(-1).numpy(),
            float(info.max),
        )
        return to_tensor(np.ascontiguousarray(values), out_shape, dtype)

    def multinomial(
        self,
        logits: torch.Tensor,
        num_samples: int,
        out_dtype: torch.dtype = torch.int64,
    ) -> torch.Tensor:
        """Multinomial: class numbers [rows, num_samples] with probabilities softmax(logits), logits
        [rows, classes].
        """
        rows = logits.shape[0] if logits.dim() == 2 else 0
        blocks = multinomial_blocks(rows, int(num_samples)) if num_samples > 0 else 0
        return multinomial_at(
            self._generator.reserve_blocks(blocks), logits, num_samples, out_dtype, self._threads
        )

    def parameterized_truncated_normal(
        self,
        shape: Sequence[int],
        means: torch.Tensor,
        stddevs: torch.Tensor,
        minvals: torch.Tensor,
        maxvals: torch.Tensor,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        """ParameterizedTruncatedNormal: normals of `shape` within [minvals, maxvals].

        The four parameters are scalars or vectors of length 1 or shape[0]; float16, float32,
        float64. Raises ValueError for other shapes or impossible bounds.
        """
        dtype = dtype or means.dtype
        batches, count = int(shape[0]), _size(shape)
        per_batch = _size(shape[1:])
        named = {"means": means, "stddevs": stddevs, "minvals": minvals, "maxvals": maxvals}
        for name, value in named.items():
            if value.dim() > 1:
                raise ValueError(
                    f"Input {name} should be a scalar or vector, got shape: {list(value.shape)}"
                )
        if (
            means.numel() == 1
            and stddevs.numel() == 1
            and minvals.dim() == 0
            and maxvals.dim() == 0
        ):
            per_batch, batches = 100, (count + 99) // 100
        else:
            for name, value in named.items():
                if value.dim() == 1 and value.shape[0] not in (1, batches):
                    raise ValueError(
                        f"Input {name} should have length 1 or shape[0], "
                        f"got shape: {list(value.shape)}"
                    )
        blocks = batches * 2 * 1000 * (per_batch + 3) // 4
        arrays = [value.detach().to("cpu", dtype).reshape(-1).numpy() for value in named.values()]
        cut = shards(batches, truncated_normal_cost(per_batch, arrays[0].dtype), self._threads)
        values = rejection.parameterized_truncated_normal(
            self._generator.reserve_blocks(blocks), batches, per_batch, count, arrays, cut
        )
        return to_tensor(values, shape, dtype)

    def permutation(self, size: int) -> torch.Tensor:
        """The order [size] (int64) in which RandomShuffle puts the rows of a tensor with `size` > 1
        rows.
        """
        if size <= 1:
            return torch.arange(size)
        words = self._generator.reserve_words(size - 1).words(size - 1)
        partners = (words % np.arange(size, 1, -1, dtype=np.uint32)).tolist()
        order = list(range(size))
        for i, step in enumerate(partners):
            j = i + step
            order[i], order[j] = order[j], order[i]
        return torch.tensor(order)

    def shuffle(self, value: torch.Tensor) -> torch.Tensor:
        """RandomShuffle: `value` with its rows (first dimension) in random order."""
        if value.numel() <= 1 or value.shape[0] <= 1:
            return value
        return value[self.permutation(value.shape[0]).to(value.device)]
