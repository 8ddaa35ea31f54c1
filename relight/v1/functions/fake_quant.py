"""tf.fake_quant_with_min_max_*: rounding to the levels of integers of a few bits."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.ops.build import raw


@export("fake_quant_with_min_max_args", "quantization.fake_quant_with_min_max_args")
def fake_quant_with_min_max_args(
    inputs: Any,
    min: float = -6,
    max: float = 6,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The nearest of 2^num_bits levels between min and max, of which 0 is one."""
    return raw.FakeQuantWithMinMaxArgs(inputs, min, max, num_bits, narrow_range, name=name)


@export(
    "fake_quant_with_min_max_args_gradient", "quantization.fake_quant_with_min_max_args_gradient"
)
def fake_quant_with_min_max_args_gradient(
    gradients: Any,
    inputs: Any,
    min: float = -6,
    max: float = 6,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The gradients where the inputs lie between min and max, 0 elsewhere."""
    return raw.FakeQuantWithMinMaxArgsGradient(
        gradients, inputs, min, max, num_bits, narrow_range, name=name
    )


@export("fake_quant_with_min_max_vars", "quantization.fake_quant_with_min_max_vars")
def fake_quant_with_min_max_vars(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The nearest level between min [] and max []."""
    return raw.FakeQuantWithMinMaxVars(inputs, min, max, num_bits, narrow_range, name=name)


@export(
    "fake_quant_with_min_max_vars_gradient", "quantization.fake_quant_with_min_max_vars_gradient"
)
def fake_quant_with_min_max_vars_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """Gradients of (inputs, min [], max [])."""
    return raw.FakeQuantWithMinMaxVarsGradient(
        gradients, inputs, min, max, num_bits, narrow_range, name=name
    )


@export(
    "fake_quant_with_min_max_vars_per_channel",
    "quantization.fake_quant_with_min_max_vars_per_channel",
)
def fake_quant_with_min_max_vars_per_channel(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """The nearest level of inputs [..., channels] between min [channels] and max [channels]."""
    return raw.FakeQuantWithMinMaxVarsPerChannel(
        inputs, min, max, num_bits, narrow_range, name=name
    )


@export(
    "fake_quant_with_min_max_vars_per_channel_gradient",
    "quantization.fake_quant_with_min_max_vars_per_channel_gradient",
)
def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Any:
    """Gradients of (inputs [..., channels], min [channels], max [channels])."""
    return raw.FakeQuantWithMinMaxVarsPerChannelGradient(
        gradients, inputs, min, max, num_bits, narrow_range, name=name
    )
