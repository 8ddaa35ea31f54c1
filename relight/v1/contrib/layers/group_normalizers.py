"""`tf.contrib.layers`: normalization of each example by itself, by channel or group of channels."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.ops import array_nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.contrib.layers import utils
from relight.v1.contrib.layers.scopes import finished
from relight.v1.functions import nn_norm
from relight.v1.functions.init import Ones, Zeros
from relight.v1.functions.variable_scope import variable_scope

_DEFAULTS = {"beta": Zeros, "gamma": Ones}


def _parameter(given: dict[str, Any], name: str, wanted: bool, shape: Any, broadcast: Any) -> Any:
    """beta or gamma, a model variable in the shape that the inputs need; None if not wanted."""
    if not wanted:
        return None
    variable = model_variable(
        name,
        shape=shape,
        dtype=given["inputs"].dtype.base_dtype,
        initializer=(given["param_initializers"] or {}).get(name, _DEFAULTS[name]()),
        collections=utils.get_variable_collections(given["variables_collections"], name),
        trainable=given["trainable"],
    )
    return array_nodes.reshape(variable, broadcast) if broadcast else variable


@export("contrib.layers.instance_norm", "contrib.slim.instance_norm")
@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Each channel of each example normalized: Ulyanov et al., "Instance Normalization" (2016)."""
    inputs = convert_to_tensor(inputs)
    given = dict(locals())
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    if data_format not in ("NCHW", "NHWC"):
        raise ValueError("data_format has to be either NCHW or NHWC.")
    with variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        channel, broadcast = rank - 1, None
        if data_format == "NCHW":
            channel = 1
            broadcast = [1, inputs.shape.as_list()[1], *[1] * (rank - 2)]
        axes = [i for i in range(1, rank) if i != channel]
        shape = inputs.shape[channel : channel + 1]
        if not shape.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {shape}.")
        beta = _parameter(given, "beta", center, shape, broadcast)
        gamma = _parameter(given, "gamma", scale, shape, broadcast)
        mean, variance = nn_norm.moments(inputs, axes, keep_dims=True)
        outputs = nn_norm.batch_normalization(
            inputs, mean, variance, beta, gamma, epsilon, name="instancenorm"
        )
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)


@export("contrib.layers.group_norm", "contrib.slim.group_norm")
@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Any = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> Any:
    """Each group of channels of each example normalized: Wu and He, "Group Normalization" (2018).

    `mean_close_to_zero` computes the variance in one pass, less exactly for great means.
    """
    inputs = convert_to_tensor(inputs)
    given = dict(locals())
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    if channels_axis > rank - 1:
        raise ValueError("Axis is out of bounds.")
    static = inputs.shape.as_list()
    sizes = array_nodes.shape(inputs)
    sizes = [sizes[i] if size is None else size for i, size in enumerate(static)]
    channels_axis %= rank
    axes = _checked_axes(inputs, channels_axis, reduction_axes, groups)
    channels = static[channels_axis]
    split = [groups, channels // groups]
    before, after = sizes[:channels_axis], sizes[channels_axis + 1 :]
    broadcast = [*[1] * len(before), *split, *[1] * len(after)]
    inputs = array_nodes.reshape(inputs, [*before, *split, *after])
    with variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:
        beta = _parameter(given, "beta", center, [channels], broadcast)
        gamma = _parameter(given, "gamma", scale, [channels], broadcast)
        if mean_close_to_zero:
            count, sums, squares, _ = nn_norm.sufficient_statistics(inputs, axes, keep_dims=True)
            mean, variance = nn_norm.normalize_moments(count, sums, squares, shift=None)
        else:
            mean, variance = nn_norm.moments(inputs, axes, keep_dims=True)
        gain = raw.Rsqrt(variance + epsilon)
        offset = -mean * gain
        if gamma is not None:
            gain *= gamma
            offset *= gamma
        if beta is not None:
            offset += beta
        outputs = array_nodes.reshape(inputs * gain + offset, sizes)
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)


def _checked_axes(inputs: Any, channels_axis: int, axes: Any, groups: int) -> list[int]:
    """The dimensions of the moments once the channels are parted into groups."""
    static, rank = inputs.shape.as_list(), inputs.shape.ndims
    channels = static[channels_axis]
    if channels is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension: {channels_axis}.")
    axes = [axis + rank if axis < 0 else axis for axis in axes]
    for axis in axes:
        if axis > rank:
            raise ValueError("Axis is out of bounds.")
        if static[axis] is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {axis}.")
        if axis == channels_axis:
            raise ValueError("reduction_axis must be mutually exclusive with channels_axis")
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups != 0:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
    shifted = [axis + 1 if axis > channels_axis else axis for axis in axes]
    return [channels_axis + 1, *shifted]
