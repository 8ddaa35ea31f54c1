"""`tf.contrib.layers`: convolutions, in a scope of their own, with activation and normalizer."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.ops.build import convert_to_tensor, raw
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.contrib.layers import utils
from relight.v1.contrib.layers.initializers import xavier_initializer
from relight.v1.contrib.layers.scopes import (
    add_to_named_collections,
    finished,
    layer_format,
    renaming_getter,
)
from relight.v1.functions import nn, nn_conv
from relight.v1.functions.init import Zeros
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.layers import convolution_variants, convolutional

_NAMES = {"bias": "biases", "kernel": "weights"}
_LAYERS = {3: convolutional.Conv1D, 4: convolutional.Conv2D, 5: convolutional.Conv3D}


def _settings(given: dict[str, Any], scope: Any, inputs: Any) -> dict[str, Any]:
    """The arguments of a layer of tf.layers, from those of a layer of tf.contrib.layers."""
    return {
        "filters": given["num_outputs"],
        "kernel_size": given["kernel_size"],
        "strides": given["stride"],
        "padding": given["padding"],
        "data_format": layer_format(given["data_format"]),
        "activation": None,
        "use_bias": not given["normalizer_fn"] and given["biases_initializer"],
        "bias_initializer": given["biases_initializer"],
        "bias_regularizer": given["biases_regularizer"],
        "activity_regularizer": None,
        "trainable": given["trainable"],
        "name": scope.name,
        "dtype": inputs.dtype.base_dtype,
        "_scope": scope,
        "_reuse": given["reuse"],
    }


def _kernel_settings(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "kernel_initializer": given["weights_initializer"],
        "kernel_regularizer": given["weights_regularizer"],
    }


def _outputs(layer: Any, inputs: Any, given: dict[str, Any], kernels: list[str]) -> Any:
    """The layer's outputs, its variables put into the collections that were asked for."""
    outputs = layer.apply(inputs)
    collections = given["variables_collections"]
    for kernel in kernels:
        add_to_named_collections(getattr(layer, kernel), collections, "weights")
    if layer.bias is not None:
        add_to_named_collections(layer.bias, collections, "biases")
    return outputs


def _check_format(data_format: Any, allowed: tuple[str, str]) -> None:
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {allowed[0]} or {allowed[1]}.")


@export("contrib.layers.convolution", "contrib.slim.convolution")
@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    conv_dims: int | None = None,
) -> Any:
    """A convolution over the 1 to 3 dimensions between batch and channels.

    Its bias is left out when a normalizer follows. Without `conv_dims` the rank of the inputs
    tells the number of dimensions.
    """
    given = dict(locals())
    if data_format not in (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"):
        raise ValueError(f"Invalid data_format: {data_format!r}")
    getter = renaming_getter(_NAMES)
    with variable_scope(scope, "Conv", [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        if rank not in _LAYERS:
            raise ValueError("Convolution not supported for input with rank", rank)
        layer = _LAYERS[rank](
            dilation_rate=rate, **_settings(given, sc, inputs), **_kernel_settings(given)
        )
        outputs = _outputs(layer, inputs, given, ["kernel"])
        return finished(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name
        )


@export(
    "contrib.layers.convolution1d",
    "contrib.layers.conv1d",
    "contrib.slim.convolution1d",
    "contrib.slim.conv1d",
)
@add_arg_scope
def convolution1d(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """`convolution` over the steps of [batch, steps, channels]."""
    return convolution(**locals(), conv_dims=1)


@export(
    "contrib.layers.convolution2d",
    "contrib.layers.conv2d",
    "contrib.slim.convolution2d",
    "contrib.slim.conv2d",
)
@add_arg_scope
def convolution2d(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """`convolution` over height and width of [batch, height, width, channels]."""
    return convolution(**locals(), conv_dims=2)


@export(
    "contrib.layers.convolution3d",
    "contrib.layers.conv3d",
    "contrib.slim.convolution3d",
    "contrib.slim.conv3d",
)
@add_arg_scope
def convolution3d(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """`convolution` over the space of [batch, depth, height, width, channels]."""
    return convolution(**locals(), conv_dims=3)


@export(
    "contrib.layers.convolution2d_in_plane",
    "contrib.layers.conv2d_in_plane",
    "contrib.slim.convolution2d_in_plane",
    "contrib.slim.conv2d_in_plane",
)
@add_arg_scope
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The same convolution, of one kernel [height, width, 1, 1], of each channel by itself."""
    with variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as sc:
        dtype = inputs.dtype.base_dtype
        kernel_h, kernel_w = utils.two_element_tuple(kernel_size)
        stride_h, stride_w = utils.two_element_tuple(stride)
        channels = utils.last_dimension(inputs.shape, min_rank=4)
        weights = model_variable(
            "weights",
            shape=[kernel_h, kernel_w, 1, 1],
            dtype=dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            collections=utils.get_variable_collections(variables_collections, "weights"),
            trainable=trainable,
        )
        kernels = raw.Tile(weights, [1, 1, channels, 1])
        outputs = nn_conv.depthwise_conv2d(inputs, kernels, [1, stride_h, stride_w, 1], padding)
        if normalizer_fn is None and biases_initializer is not None:
            biases = _biases(
                channels, dtype, biases_initializer, biases_regularizer, variables_collections,
                trainable,
            )  # fmt: skip
            outputs = nn.bias_add(outputs, biases)
        return finished(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name
        )


def _biases(
    count: int, dtype: Any, initializer: Any, regularizer: Any, collections: Any, trainable: bool
) -> Any:
    return model_variable(
        "biases",
        shape=[count],
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        collections=utils.get_variable_collections(collections, "biases"),
        trainable=trainable,
    )


def _transposed(layer: Any, given: dict[str, Any], name: str, formats: tuple[str, str]) -> Any:
    """A layer of that class from the arguments of its function."""
    inputs, getter = given["inputs"], renaming_getter(_NAMES)
    with variable_scope(
        given["scope"], name, [inputs], reuse=given["reuse"], custom_getter=getter
    ) as sc:
        _check_format(given["data_format"], formats)
        inputs = convert_to_tensor(inputs)
        made = layer(**_settings(given, sc, inputs), **_kernel_settings(given))
        outputs = _outputs(made, inputs, given, ["kernel"])
        return finished(
            outputs,
            given["normalizer_fn"],
            given["normalizer_params"],
            given["activation_fn"],
            given["outputs_collections"],
            sc.name,
        )


@export(
    "contrib.layers.convolution2d_transpose",
    "contrib.layers.conv2d_transpose",
    "contrib.slim.convolution2d_transpose",
    "contrib.slim.conv2d_transpose",
)
@add_arg_scope
def convolution2d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A transposed convolution: the gradient of a convolution by its input."""
    return _transposed(
        convolution_variants.Conv2DTranspose, dict(locals()), "Conv2d_transpose", ("NCHW", "NHWC")
    )


@export(
    "contrib.layers.convolution3d_transpose",
    "contrib.layers.conv3d_transpose",
    "contrib.slim.convolution3d_transpose",
    "contrib.slim.conv3d_transpose",
)
@add_arg_scope
def convolution3d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str = "NDHWC",
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A transposed convolution: the gradient of a convolution by its input."""
    return _transposed(
        convolution_variants.Conv3DTranspose, dict(locals()), "Conv3d_transpose", ("NCDHW", "NDHWC")
    )


@export(
    "contrib.layers.separable_convolution2d",
    "contrib.layers.separable_conv2d",
    "contrib.slim.separable_convolution2d",
    "contrib.slim.separable_conv2d",
)
@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Any = raw.Relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    pointwise_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A convolution of each channel by itself, then one of size 1 over the channels.

    With `num_outputs=None` the second is left out.
    """
    given = dict(locals())
    _check_format(data_format, ("NCHW", "NHWC"))
    getter = renaming_getter(
        {
            "bias": "biases",
            "depthwise_kernel": "depthwise_weights",
            "pointwise_kernel": "pointwise_weights",
        }
    )
    name = "SeparableConv2d"
    with variable_scope(scope, name, [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = convert_to_tensor(inputs)
        if num_outputs is not None:
            layer = convolution_variants.SeparableConv2D(
                dilation_rate=utils.two_element_tuple(rate),
                depth_multiplier=depth_multiplier,
                depthwise_initializer=weights_initializer,
                pointwise_initializer=(
                    weights_initializer if pointwise_initializer is None else pointwise_initializer
                ),
                depthwise_regularizer=weights_regularizer,
                pointwise_regularizer=weights_regularizer,
                **_settings(given, sc, inputs),
            )
            outputs = _outputs(layer, inputs, given, ["depthwise_kernel", "pointwise_kernel"])
        else:
            outputs = _depthwise(inputs, given)
        return finished(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name
        )


def _depthwise(inputs: Any, given: dict[str, Any]) -> Any:
    """The first half of a separable convolution, plus biases unless a normalizer follows."""
    dtype = inputs.dtype.base_dtype
    data_format, collections = given["data_format"], given["variables_collections"]
    kernel_h, kernel_w = utils.two_element_tuple(given["kernel_size"])
    stride_h, stride_w = utils.two_element_tuple(given["stride"])
    channels = utils.channel_dimension(inputs.shape, layer_format(data_format), min_rank=4)
    weights = model_variable(
        "depthwise_weights",
        shape=[kernel_h, kernel_w, channels, given["depth_multiplier"]],
        dtype=dtype,
        initializer=given["weights_initializer"],
        regularizer=given["weights_regularizer"],
        trainable=given["trainable"],
        collections=utils.get_variable_collections(collections, "weights"),
    )
    first = data_format.startswith("NC")
    outputs = nn_conv.depthwise_conv2d(
        inputs,
        weights,
        [1, 1, stride_h, stride_w] if first else [1, stride_h, stride_w, 1],
        given["padding"],
        rate=utils.two_element_tuple(given["rate"]),
        data_format=data_format,
    )
    if given["normalizer_fn"] is None and given["biases_initializer"] is not None:
        biases = _biases(
            given["depth_multiplier"] * channels,
            dtype,
            given["biases_initializer"],
            given["biases_regularizer"],
            collections,
            given["trainable"],
        )
        outputs = nn.bias_add(outputs, biases, data_format=data_format)
    return outputs
