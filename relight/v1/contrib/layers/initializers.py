"""`tf.contrib.layers`: initializers that keep the scale of activations over the layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.v1.functions.random import random_uniform, truncated_normal


@export(
    "contrib.layers.xavier_initializer",
    "contrib.layers.xavier_initializer_conv2d",
    "contrib.slim.xavier_initializer",
    "contrib.slim.xavier_initializer_conv2d",
)
def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = dtypes.float32
) -> Callable[..., Any]:
    """Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010): variance 2 / (in + out).
    """
    return variance_scaling_initializer(
        factor=1.0, mode="FAN_AVG", uniform=uniform, seed=seed, dtype=dtype
    )


@export("contrib.layers.variance_scaling_initializer", "contrib.slim.variance_scaling_initializer")
def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = dtypes.float32,
) -> Callable[..., Any]:
    """An initializer of variance factor / n: n the inputs, the outputs or their mean, by `mode`."""
    if not dtype.is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError("Unknown mode %s [FAN_IN, FAN_OUT, FAN_AVG]", mode)

    def _initializer(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Any:
        if not dtype.is_floating:
            raise TypeError("Cannot create initializer for non-floating point type.")
        fan_in = fan_out = 1.0
        if shape:
            fan_in = float(shape[-2]) if len(shape) > 1 else float(shape[-1])
            fan_out = float(shape[-1])
        for size in shape[:-2]:
            fan_in *= float(size)
            fan_out *= float(size)
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return random_uniform(shape, -limit, limit, dtype, seed=seed)
        # Values beyond two standard deviations are drawn again, which shrinks the variance.
        stddev = math.sqrt(1.3 * factor / n)
        return truncated_normal(shape, 0.0, stddev, dtype, seed=seed)

    return _initializer
