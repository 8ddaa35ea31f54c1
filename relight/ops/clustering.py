"""Clustering: nearest centers, and the choice of first centers."""

from __future__ import annotations

import numpy as np
import torch

from relight.graph import errors
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import scalar, unknown


def _squared_distances(points: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """[n, d], [m, d] -> [n, m]: the squared Euclidean distances, not below 0."""
    inner = points @ centers.mT
    found = points.square().sum(1, keepdim=True) - 2 * inner + centers.square().sum(1)
    return found.clamp_(min=0)


@op("NearestNeighbors", shape=unknown, host=("k",))
def NearestNeighbors(points, centers, k):
    """The k nearest centers [n, k], int64, of points [n, d], and their squared distances [n, k].

    Of centers [m, d] that are equally near the first ones count; with k > m there are m columns.
    """
    count = int(k)
    if points.ndim != 2 or centers.ndim != 2 or points.shape[1] != centers.shape[1]:
        raise errors.InvalidArgumentError(
            None, None, "Points and centers must have the same number of dimensions."
        )
    if count <= 0:
        raise errors.InvalidArgumentError(None, None, "k must be positive.")
    distances = _squared_distances(points, centers)
    values, indices = torch.sort(distances, dim=1, stable=True)
    return indices[:, :count].contiguous(), values[:, :count].contiguous()


@op(
    "KmeansPlusPlusInitialization",
    shape=unknown,
    host=("num_to_sample", "seed", "num_retries_per_sample"),
)
def KmeansPlusPlusInitialization(points, num_to_sample, seed, num_retries_per_sample):
    """Centers [num_to_sample, d] out of points [n, d], chosen by k-means++.

    The first is any point. Each further one is drawn with a probability proportional to its squared
    distance from the nearest center so far; of num_retries_per_sample + 1 such draws the one counts
    that leaves the smallest sum of these distances. Less than 0 retries mean 2 + log(the number of
    centers), as Arthur and Vassilvitskii propose. The numbers follow the seed, but are not
    TensorFlow's.
    """
    count, retries = int(num_to_sample), int(num_retries_per_sample)
    total = points.shape[0]
    if count <= 0:
        raise errors.InvalidArgumentError(None, None, "num_to_sample must be positive.")
    if count > total:
        raise errors.InvalidArgumentError(
            None, None, f"Expected {total} >= num_to_sample, but got {count}."
        )
    if retries < 0:
        retries = 2 + int(np.log(count))
    numbers = np.random.RandomState(int(seed) % (1 << 32))
    chosen = [numbers.randint(total)]
    nearest = _squared_distances(points, points[chosen])[:, 0]
    while len(chosen) < count:
        weights = nearest.double().cumsum(0)
        draws = torch.from_numpy(numbers.uniform(size=retries + 1)).to(weights) * weights[-1]
        tried = torch.searchsorted(weights, draws, right=True).clamp_(max=total - 1)
        after = torch.minimum(nearest[:, None], _squared_distances(points, points[tried]))
        best = int(after.sum(0).argmin())
        chosen.append(int(tried[best]))
        nearest = after[:, best]
    return points[chosen]


@op("KMC2ChainInitialization", shape=scalar, host=("seed",))
def KMC2ChainInitialization(distances, seed):
    """The place, int64, of a point that a Markov chain over squared distances [n] ends at.

    From one point it goes to the next when that is farther from all centers, and otherwise with the
    probability of the ratio of their distances (Bachem et al., 2016). The numbers follow the seed,
    but are not TensorFlow's.
    """
    values = distances.tolist()
    draws = np.random.RandomState(int(seed) % (1 << 32)).uniform(size=len(values))
    place = 0
    for i in range(1, len(values)):
        if values[i] > draws[i] * values[place]:
            place = i
    return torch.tensor(place, dtype=torch.int64)


not_differentiable("NearestNeighbors", "KmeansPlusPlusInitialization", "KMC2ChainInitialization")
