"""Random streams: TensorFlow 1.15's numbers for seeded operations, PyTorch's for the others.

* `make_stream(seed, seed2)` is what a kernel asks for;
* `PhiloxStream`, `TorchStream`: the streams of one operation;
* `stateless`: pure functions of a seed pair; `shuffle`: orders of queues and datasets;
  `candidates`: samplers that draw sequentially.

Nothing here knows graphs; the package needs torch and numpy alone.
"""

from .philox import GuardedPhilox, Philox, WordStream
from .shuffle import DatasetShuffle, IterationSeeds, ShuffleQueueOrder
from .stream import PhiloxStream
from .torch_stream import TorchStream

__all__ = [
    "DatasetShuffle",
    "GuardedPhilox",
    "IterationSeeds",
    "Philox",
    "PhiloxStream",
    "ShuffleQueueOrder",
    "TorchStream",
    "WordStream",
    "make_stream",
]


def make_stream(
    seed: int, seed2: int, num_threads: int | None = None
) -> PhiloxStream | TorchStream:
    """The stream of an operation with these seed attributes; (0, 0) means not seeded."""
    if seed == 0 and seed2 == 0:
        return TorchStream()
    return PhiloxStream(seed, seed2, num_threads)
