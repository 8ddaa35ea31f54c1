"""`tf.data.Options`: how a dataset is run."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from relight.graph.export import export


class _Options:
    """Named settings, None where nothing was said; an unknown name is an AttributeError."""

    _names: tuple[str, ...] = ()
    _parts: ClassVar[dict[str, type]] = {}  # settings that are options themselves

    def __init__(self) -> None:
        for name in self._names:
            made = self._parts.get(name)
            object.__setattr__(self, name, None if made is None else made())

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names:
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}.")
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def merge(self, options: Any) -> Any:
        """These settings, with those that the other one names instead."""
        merged = copy.copy(self)
        for name in self._names:
            mine, other = getattr(self, name), getattr(options, name)
            if isinstance(mine, _Options) and isinstance(other, _Options):
                other = mine.merge(other)
            if other is not None:
                setattr(merged, name, other)
        return merged


@export("data.experimental.OptimizationOptions")
class OptimizationOptions(_Options):
    """Rewrites of a dataset. Only the default ones, which fuse steps, exist here."""

    _names = (
        "apply_default_optimizations",
        "autotune",
        "autotune_algorithm",
        "autotune_buffers",
        "autotune_cpu_budget",
        "filter_fusion",
        "filter_with_random_uniform_fusion",
        "hoist_random_uniform",
        "map_and_batch_fusion",
        "map_and_filter_fusion",
        "map_fusion",
        "map_parallelization",
        "map_vectorization",
        "noop_elimination",
        "parallel_batch",
        "shuffle_and_repeat_fusion",
    )


@export("data.experimental.ThreadingOptions")
class ThreadingOptions(_Options):
    """Numbers of threads."""

    _names = ("max_intra_op_parallelism", "private_threadpool_size")


@export("data.experimental.StatsOptions")
class StatsOptions(_Options):
    """Statistics of a dataset; none are collected here."""

    _names = ("aggregator", "prefix", "counter_prefix", "latency_all_edges")


@export("data.experimental.DistributeOptions")
class DistributeOptions(_Options):
    """How a dataset is dealt out to several workers; there is one here."""

    _names = ("auto_shard", "num_devices")


@export("data.Options")
class Options(_Options):
    """Options of a dataset, for `Dataset.with_options`."""

    experimental_optimization: Any
    experimental_threading: Any

    _names = (
        "experimental_deterministic",
        "experimental_distribute",
        "experimental_optimization",
        "experimental_slack",
        "experimental_stats",
        "experimental_stateful_whitelist",
        "experimental_threading",
    )
    _parts: ClassVar[dict[str, type]] = {
        "experimental_distribute": DistributeOptions,
        "experimental_optimization": OptimizationOptions,
        "experimental_stats": StatsOptions,
        "experimental_threading": ThreadingOptions,
    }

    def _static_optimizations(self) -> list[str]:
        """Names of the rewrites, sorted."""
        asked = self.experimental_optimization
        chosen = set()
        default = asked is None or asked.apply_default_optimizations is not False
        for name in ("map_and_batch_fusion", "noop_elimination", "shuffle_and_repeat_fusion"):
            wish = None if asked is None else getattr(asked, name)
            if wish or (wish is None and default):
                chosen.add(name)
        return sorted(chosen)

    def _autotunes(self) -> bool:
        asked = self.experimental_optimization
        return asked is None or asked.autotune is not False
