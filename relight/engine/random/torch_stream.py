"""Random numbers of operations without a seed: PyTorch's own generator, started at a place chosen
by the system.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import torch

from .philox import Philox, WordStream
from .stream import FLOATS, INTEGERS


class TorchStream:
    """The methods of `PhiloxStream` on PyTorch's CPU generator: faster, different in every run.

    The distributions are the same; the numbers and their order are not TensorFlow's.
    """

    def __init__(self) -> None:
        self._generator = torch.Generator()
        self._generator.manual_seed(secrets.randbits(63))

    def words(self, count: int) -> WordStream:
        """A sequential source of 32-bit words (bounding boxes, candidate samplers); `count` only
        matters when seeded.
        """
        return WordStream(Philox.from_seeds(secrets.randbits(64), secrets.randbits(64)))

    def uniform(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Numbers in [0, 1) of `shape`."""
        if dtype not in FLOATS:
            raise TypeError(f"uniform: dtype {dtype} is not one of the supported dtypes")
        return torch.rand(tuple(shape), generator=self._generator, dtype=dtype)

    def normal(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Standard normals of `shape`."""
        if dtype not in FLOATS:
            raise TypeError(f"normal: dtype {dtype} is not one of the supported dtypes")
        return torch.randn(tuple(shape), generator=self._generator, dtype=dtype)

    def truncated_normal(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Standard normals within (-2, 2) of `shape`."""
        if dtype not in FLOATS:
            raise TypeError(f"truncated_normal: dtype {dtype} is not one of the supported dtypes")
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        out = torch.randn(tuple(shape), generator=self._generator, dtype=wide).reshape(-1)
        outside = torch.nonzero(out.abs() >= 2).reshape(-1)
        while outside.numel():
            fresh = torch.randn(outside.numel(), generator=self._generator, dtype=wide)
            out[outside] = fresh
            outside = outside[fresh.abs() >= 2]
        return out.reshape(tuple(shape)).to(dtype)

    def uniform_int(
        self, shape: Sequence[int], low: int, high: int, dtype: torch.dtype = torch.int64
    ) -> torch.Tensor:
        """Integers in [low, high) of `shape`. Raises ValueError unless low < high."""
        if dtype not in INTEGERS:
            raise TypeError(f"uniform_int: dtype {dtype} is not one of the supported dtypes")
        if not int(low) < int(high):
            raise ValueError(f"Need minval < maxval, got {low} >= {high}")
        return torch.randint(
            int(low), int(high), tuple(shape), generator=self._generator, dtype=dtype
        )

    def gamma(
        self, shape: Sequence[int], alpha: torch.Tensor, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """Draws [*shape, *alpha.shape] from Gamma(alpha, 1)."""
        spread = alpha.detach().to(torch.float64).expand(*shape, *alpha.shape).contiguous()
        return torch._standard_gamma(spread, generator=self._generator).to(dtype or alpha.dtype)

    def poisson(
        self, shape: Sequence[int], rate: torch.Tensor, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """Draws [*shape, *rate.shape] from Poisson(rate)."""
        spread = rate.detach().to(torch.float64).expand(*shape, *rate.shape).contiguous()
        return torch.poisson(spread, generator=self._generator).to(dtype or rate.dtype)

    def multinomial(
        self, logits: torch.Tensor, num_samples: int, out_dtype: torch.dtype = torch.int64
    ) -> torch.Tensor:
        """Class numbers [rows, num_samples] with probabilities softmax(logits), logits [rows,
        classes].
        """
        if logits.dim() != 2:
            raise ValueError(f"logits should be a matrix, got shape {list(logits.shape)}")
        if num_samples < 0:
            raise ValueError(f"num_samples should be nonnegative, got {num_samples}")
        if logits.shape[1] == 0:
            raise ValueError("num_classes should be positive, got 0")
        rows = logits.shape[0]
        if rows * num_samples == 0:
            return torch.empty((rows, num_samples), dtype=out_dtype)
        values = logits.detach().to("cpu", torch.float64)
        values = values.masked_fill(~values.isfinite(), -torch.inf)
        weights = (values - values.amax(dim=1, keepdim=True)).exp()
        cdf = weights.cumsum(dim=1)
        wanted = (
            torch.rand((rows, num_samples), generator=self._generator, dtype=torch.float64)
            * cdf[:, -1:]
        )
        return torch.searchsorted(cdf, wanted, right=True).to(out_dtype)

    def parameterized_truncated_normal(
        self,
        shape: Sequence[int],
        means: torch.Tensor,
        stddevs: torch.Tensor,
        minvals: torch.Tensor,
        maxvals: torch.Tensor,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        """Normals of `shape` within [minvals, maxvals]; the parameters are scalars or [shape[0]].

        By the inverse of the distribution function, taken on the side of the mean where it keeps
        its precision.
        """
        dtype = dtype or means.dtype
        mean, deviation, low, high = (
            value.detach().to("cpu", torch.float64).reshape(-1, *[1] * (len(shape) - 1))
            for value in (means, stddevs, minvals, maxvals)
        )
        if not bool(((deviation > 0) & (low < high)).all()):
            raise ValueError(
                "truncated normal: invalid parameters: stddev must be positive and minval < maxval"
            )
        a, b = (low - mean) / deviation, (high - mean) / deviation
        upper_side = a > 0
        a, b = torch.where(upper_side, -b, a), torch.where(upper_side, -a, b)
        below, above = torch.special.ndtr(a), torch.special.ndtr(b)
        u = torch.rand(tuple(shape), generator=self._generator, dtype=torch.float64)
        z = torch.special.ndtri(below + u * (above - below))
        z = torch.minimum(torch.maximum(z, a), b)
        z = torch.where(upper_side, -z, z)
        return (z * deviation + mean).to(dtype)

    def permutation(self, size: int) -> torch.Tensor:
        """A random order [size] (int64)."""
        return torch.randperm(size, generator=self._generator)

    def shuffle(self, value: torch.Tensor) -> torch.Tensor:
        """`value` with its rows (first dimension) in random order."""
        if value.numel() <= 1 or value.shape[0] <= 1:
            return value
        return value[self.permutation(value.shape[0]).to(value.device)]
