"""`tf.nn`: gradients of convolutions under their own names, and transposed convolutions by rank."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import raw
from relight.v1.functions.nn_conv import (
    one_dimensional,
    per_dimension,
    split_padding,
    transpose_2d,
    transpose_3d,
)


@export("nn.conv2d_backprop_filter")
def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],
    name: str | None = None,
) -> Tensor:
    """The gradient of conv2d's filter, whose shape is `filter_sizes` [4]."""
    padding, explicit = split_padding(padding)
    return raw.Conv2DBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


@export("nn.conv2d_backprop_input")
def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """The gradient of conv2d's input, whose shape is `input_sizes` [4]."""
    filter = deprecated_argument("filters", filters, "filter", filter)
    padding, explicit = split_padding(padding)
    return raw.Conv2DBackpropInput(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


conv3d_backprop_filter = export("nn.conv3d_backprop_filter", "nn.conv3d_backprop_filter_v2")(
    raw.Conv3DBackpropFilterV2
)


@export("nn.conv1d_transpose")
def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of conv1d: [batch, w, in] with filters [width, out, in]."""
    with name_scope(name, "conv1d_transpose", [input, filters, output_shape]) as scope:
        data_format, place, channel = one_dimensional(data_format, ("NWC", "NCW"))
        strides = [1, *per_dimension(strides, 1, channel, "stride")]
        dilations = [1, *per_dimension(dilations, 1, channel, "dilations")]
        input = raw.ExpandDims(input, place)
        filters = raw.ExpandDims(filters, 0)
        if not isinstance(output_shape, Tensor):
            output_shape = list(output_shape)
        output_shape = array_nodes.concat([output_shape[:place], [1], output_shape[place:]], 0)
        result = raw.Conv2DBackpropInput(
            output_shape,
            filters,
            input,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )
        return array_nodes.squeeze(result, place)


@export("nn.conv_transpose")
def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transposed convolution of one to three dimensions that `output_shape` asks for."""
    with name_scope(name, "conv_transpose", [input, output_shape]) as scope:
        if isinstance(output_shape, Tensor):
            count = output_shape.shape.as_list()[0] - 2  # type: ignore[operator]
        elif isinstance(output_shape, Sized):
            count = len(output_shape) - 2
        else:
            raise ValueError("output_shape must be a tensor or sized collection.")
        if not 1 <= count <= 3:
            raise ValueError(f"output_shape must be of length 3, 4 or 5 but was {count + 2}.")
        build = (conv1d_transpose, transpose_2d, transpose_3d)[count - 1]
        return build(
            input,
            filters,
            output_shape,
            strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )
