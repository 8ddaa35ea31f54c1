"""`tf.layers`: transposed and separable convolutions."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.v1.functions import nn, nn_conv
from relight.v1.functions.array import expand_dims
from relight.v1.functions.init import Zeros
from relight.v1.layers import arguments, lookup
from relight.v1.layers.base import Layer
from relight.v1.layers.convolutional import ConvBase


class _TransposeBase(ConvBase):
    """The gradient of a convolution by its input, as a layer: kernels [sizes..., filters, in]."""

    def __init__(self, *args: Any, output_padding: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = arguments.sizes(output_padding, self.rank, "output_padding")
            for stride, out in zip(self.strides, self.output_padding, strict=True):
                if out >= stride:
                    raise ValueError(
                        f"Stride {self.strides} must be greater than output padding "
                        f"{self.output_padding}"
                    )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        shape = TensorShape(input_shape)
        if shape.ndims != self.rank + 2:
            raise ValueError(
                f"Inputs should have rank {self.rank + 2}. Received input shape: {shape}"
            )
        channels = self._channels(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels), "kernel")
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        self.built = True

    def _lengths(self, lengths: Any) -> list[Any]:
        """The sizes of the output, from those of the input (ints or tensors)."""
        outs = self.output_padding or [None] * self.rank
        return [
            arguments.transposed_length(
                lengths[i],
                self.kernel_size[i],
                self.padding,
                self.strides[i],
                self.dilation_rate[i],
                outs[i],
            )
            for i in range(self.rank)
        ]

    def call(self, inputs: Any) -> Any:
        """activation(transposed convolution + bias)."""
        shape = array_nodes.shape(inputs)
        batch = shape[0]
        lengths = self._lengths([shape[self._spatial + i] for i in range(self.rank)])
        first = self.data_format == "channels_first"
        output_shape = [batch, self.filters, *lengths] if first else [batch, *lengths, self.filters]
        outputs = self._transposed(inputs, array_nodes.stack(output_shape))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        if self.use_bias:
            layout = arguments.op_format(self.data_format, 4)
            outputs = nn.bias_add(outputs, self.bias, data_format=layout)
        return self.activation(outputs)

    def _transposed(self, inputs: Any, output_shape: Any) -> Any:
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape after the transposed convolution."""
        shape = TensorShape(input_shape).as_list()
        start = self._spatial
        shape[start : start + self.rank] = self._lengths(shape[start : start + self.rank])
        shape[1 if self.data_format == "channels_first" else -1] = self.filters
        return TensorShape(shape)

    _config = (*ConvBase._config, "output_padding")


class Conv2DTransposeBase(_TransposeBase):
    """Transposed convolution of [batch, height, width, channels]."""

    rank = 2

    def _transposed(self, inputs: Any, output_shape: Any) -> Any:
        # On the CPU TensorFlow has no such kernel for channels first, and transposes around it.
        inputs = arguments.channels_last(inputs, self.data_format)
        if self.data_format == "channels_last":
            _ = output_shape[0]  # TensorFlow looks at it, which leaves a node in the graph
        else:
            output_shape = array_nodes.stack([output_shape[i] for i in (0, 2, 3, 1)])
        padding = self.padding.upper()
        if self.dilation_rate == (1, 1):
            outputs = nn_conv.conv2d_transpose(
                inputs,
                self.kernel,
                output_shape,
                (1, *self.strides, 1),
                padding=padding,
                data_format="NHWC",
            )
        else:
            outputs = nn_conv.atrous_conv2d_transpose(
                inputs, self.kernel, output_shape, rate=self.dilation_rate[0], padding=padding
            )
        return arguments.as_given(outputs, self.data_format)


class Conv3DTransposeBase(_TransposeBase):
    """Transposed convolution of [batch, depth, height, width, channels]."""

    rank = 3

    def _transposed(self, inputs: Any, output_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        return nn_conv.conv3d_transpose(
            inputs,
            self.kernel,
            output_shape,
            (1, 1, *self.strides) if first else (1, *self.strides, 1),
            data_format=self._format,
            padding=self.padding.upper(),
        )


class SeparableConvBase(ConvBase):
    """A convolution of each channel by itself, then one of size 1 over the channels.

    Depthwise kernels are [sizes..., in, depth_multiplier], pointwise [1..., in x depth_multiplier,
    filters].
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = lookup.initializer(depthwise_initializer)
        self.pointwise_initializer = lookup.initializer(pointwise_initializer)
        self.depthwise_regularizer = lookup.regularizer(depthwise_regularizer)
        self.pointwise_regularizer = lookup.regularizer(pointwise_regularizer)
        self.depthwise_constraint = lookup.constraint(depthwise_constraint)
        self.pointwise_constraint = lookup.constraint(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self._weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        ones = (1,) * self.rank
        self.pointwise_kernel = self._weight(
            "pointwise_kernel", (*ones, self.depth_multiplier * channels, self.filters), "pointwise"
        )
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        self.built = True

    def _separable(
        self, inputs: Any, depthwise: Any, pointwise: Any, strides: Any, rate: Any
    ) -> Any:
        """The convolution of an image, plus the bias."""
        layout = arguments.op_format(self.data_format, 4)
        last = self.data_format == "channels_last"
        outputs = nn_conv.separable_conv2d(
            inputs,
            depthwise,
            pointwise,
            strides=(1, *strides, 1) if last else (1, 1, *strides),
            padding="VALID" if self.padding == "causal" else self.padding.upper(),
            rate=rate,
            data_format=layout,
        )
        return nn.bias_add(outputs, self.bias, data_format=layout) if self.use_bias else outputs

    _config = (
        "filters", "kernel_size", "strides", "padding", "data_format", "depth_multiplier",
        "dilation_rate", "activation", "use_bias", "depthwise_initializer",
        "pointwise_initializer", "bias_initializer", "depthwise_regularizer",
        "pointwise_regularizer", "bias_regularizer", "activity_regularizer",
        "depthwise_constraint", "pointwise_constraint", "bias_constraint",
    )  # fmt: skip


class SeparableConv1DBase(SeparableConvBase):
    """Separable convolution over the steps of [batch, steps, channels]."""

    rank = 1

    def call(self, inputs: Any) -> Any:
        """activation(convolution + bias), worked out on an image of height 1."""
        axis = self._spatial
        image = expand_dims(self._causal(inputs), axis)
        depthwise = expand_dims(self.depthwise_kernel, 0)
        pointwise = expand_dims(self.pointwise_kernel, 0)
        outputs = self._separable(
            image, depthwise, pointwise, self.strides * 2, (1, *self.dilation_rate)
        )
        return self.activation(array_nodes.squeeze(outputs, [axis]))


class SeparableConv2DBase(SeparableConvBase):
    """Separable convolution over height and width of [batch, height, width, channels]."""

    rank = 2

    def call(self, inputs: Any) -> Any:
        """activation(convolution + bias)."""
        outputs = self._separable(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.dilation_rate,
        )
        return self.activation(outputs)


@export("layers.Conv2DTranspose")
class Conv2DTranspose(Conv2DTransposeBase, Layer):
    """activation(transposed convolution of [batch, height, width, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = Zeros(),
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.conv2d_transpose")
def conv2d_transpose(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = Zeros(),
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """`Conv2DTranspose` applied to `inputs` [batch, height, width, channels]."""
    return arguments.applied(Conv2DTranspose, locals())


@export("layers.Conv3DTranspose")
class Conv3DTranspose(Conv3DTransposeBase, Layer):
    """activation(transposed convolution of [batch, depth, height, width, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: Any = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = Zeros(),
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.conv3d_transpose")
def conv3d_transpose(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = Zeros(),
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """`Conv3DTranspose` applied to `inputs` [batch, depth, height, width, channels]."""
    return arguments.applied(Conv3DTranspose, locals())


@export("layers.SeparableConv1D")
class SeparableConv1D(SeparableConv1DBase, Layer):
    """activation(separable convolution of [batch, steps, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = Zeros(),
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.separable_conv1d")
def separable_conv1d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
    depth_multiplier: int = 1,
    activation: Any = None,
    use_bias: bool = True,
    depthwise_initializer: Any = None,
    pointwise_initializer: Any = None,
    bias_initializer: Any = Zeros(),
    depthwise_regularizer: Any = None,
    pointwise_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    depthwise_constraint: Any = None,
    pointwise_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """`SeparableConv1D` applied to `inputs` [batch, steps, channels]."""
    return arguments.applied(SeparableConv1D, locals())


@export("layers.SeparableConv2D")
class SeparableConv2D(SeparableConv2DBase, Layer):
    """activation(separable convolution of [batch, height, width, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = Zeros(),
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.separable_conv2d")
def separable_conv2d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    depth_multiplier: int = 1,
    activation: Any = None,
    use_bias: bool = True,
    depthwise_initializer: Any = None,
    pointwise_initializer: Any = None,
    bias_initializer: Any = Zeros(),
    depthwise_regularizer: Any = None,
    pointwise_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    depthwise_constraint: Any = None,
    pointwise_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """`SeparableConv2D` applied to `inputs` [batch, height, width, channels]."""
    return arguments.applied(SeparableConv2D, locals())
