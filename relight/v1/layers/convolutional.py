"""`tf.layers`: convolutions over one, two and three dimensions."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.v1.functions import nn, nn_conv
from relight.v1.functions.init import Zeros
from relight.v1.layers import arguments, lookup
from relight.v1.layers.base import Layer
from relight.v1.layers.base_layer import BaseLayer
from relight.v1.layers.input_spec import InputSpec


class ConvBase(BaseLayer):
    """Convolution over `rank` dimensions, plus bias, through an activation.

    Inputs are [batch, sizes..., channels], or channels first; kernels [sizes..., in, filters].
    """

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=lookup.regularizer(activity_regularizer), **kwargs)
        self.filters = filters
        self.kernel_size = arguments.sizes(kernel_size, self.rank, "kernel_size")
        self.strides = arguments.sizes(strides, self.rank, "strides")
        self.padding = arguments.padding(padding)
        if self.padding == "causal" and self.rank != 1:
            raise ValueError("Causal padding is only supported for `Conv1D`and ``SeparableConv1D`.")
        self.data_format = arguments.data_format(data_format)
        self.dilation_rate = arguments.sizes(dilation_rate, self.rank, "dilation_rate")
        self.activation = lookup.activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = lookup.initializer(kernel_initializer)
        self.bias_initializer = lookup.initializer(bias_initializer)
        self.kernel_regularizer = lookup.regularizer(kernel_regularizer)
        self.bias_regularizer = lookup.regularizer(bias_regularizer)
        self.kernel_constraint = lookup.constraint(kernel_constraint)
        self.bias_constraint = lookup.constraint(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _format(self) -> str:
        return arguments.op_format(self.data_format, self.rank + 2)

    @property
    def _spatial(self) -> int:
        """The first of the dimensions that the window slides over."""
        return 2 if self.data_format == "channels_first" else 1

    def _channels(self, input_shape: Any) -> int:
        """The number of input channels, noted in the input spec."""
        axis = 1 if self.data_format == "channels_first" else -1
        channels = TensorShape(input_shape).as_list()[axis]
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _weight(self, name: str, shape: Any, kind: str) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, kind + "_initializer"),
            regularizer=getattr(self, kind + "_regularizer"),
            constraint=getattr(self, kind + "_constraint"),
            trainable=True,
            dtype=self.dtype,
        )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, self.filters), "kernel")
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        padding = "valid" if self.padding == "causal" else self.padding
        self._convolution = nn_conv.Convolution(
            TensorShape(input_shape),
            filter_shape=self.kernel.shape,
            dilation_rate=self.dilation_rate,
            strides=self.strides,
            padding=padding if isinstance(padding, (list, tuple)) else padding.upper(),
            data_format=self._format,
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(convolution + bias)."""
        outputs = self._convolution(self._causal(inputs), self.kernel)
        if self.use_bias:
            if self.data_format == "channels_first" and self.rank == 1:
                outputs += array_nodes.reshape(self.bias, (1, self.filters, 1))
            else:
                layout = "NCHW" if self.data_format == "channels_first" else "NHWC"
                outputs = nn.bias_add(outputs, self.bias, data_format=layout)
        return self.activation(outputs)

    def _causal(self, inputs: Any) -> Any:
        """Inputs padded in front, so that no output sees a later step, if asked for."""
        if self.padding != "causal":
            return inputs
        from relight.v1.functions.array import pad

        left = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        steps = [0, 0], [left, 0], [0, 0]
        if self.data_format == "channels_first":
            steps = [0, 0], [0, 0], [left, 0]
        return pad(inputs, list(steps))

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape after the convolution."""
        shape = TensorShape(input_shape).as_list()
        for i in range(self.rank):
            shape[self._spatial + i] = arguments.output_length(
                shape[self._spatial + i],
                self.kernel_size[i],
                self.padding,
                self.strides[i],
                self.dilation_rate[i],
            )
        shape[1 if self.data_format == "channels_first" else -1] = self.filters
        return TensorShape(shape)

    _config: tuple[str, ...] = (
        "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
        "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
        "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {**super().get_config(), **lookup.config(self, self._config)}


class Conv1DBase(ConvBase):
    """Convolution over the steps of [batch, steps, channels]."""

    rank = 1


class Conv2DBase(ConvBase):
    """Convolution over height and width of [batch, height, width, channels]."""

    rank = 2


class Conv3DBase(ConvBase):
    """Convolution over depth, height and width of [batch, depth, height, width, channels]."""

    rank = 3


@export("layers.Conv1D")
class Conv1D(Conv1DBase, Layer):
    """activation(convolution over the steps of [batch, steps, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
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


@export("layers.conv1d")
def conv1d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
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
    """`Conv1D` applied to `inputs` [batch, steps, channels]."""
    return arguments.applied(Conv1D, locals())


@export("layers.Conv2D")
class Conv2D(Conv2DBase, Layer):
    """activation(convolution over [batch, height, width, channels], plus bias).

    Without a kernel_initializer the variable scope's is used, or Glorot's uniform one.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1),
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


@export("layers.conv2d")
def conv2d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
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
    """`Conv2D` applied to `inputs` [batch, height, width, channels]."""
    return arguments.applied(Conv2D, locals())


@export("layers.Conv3D")
class Conv3D(Conv3DBase, Layer):
    """activation(convolution over [batch, depth, height, width, channels], plus bias)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: Any = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1, 1),
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


@export("layers.conv3d")
def conv3d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1, 1),
    padding: Any = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1, 1),
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
    """`Conv3D` applied to `inputs` [batch, depth, height, width, channels]."""
    return arguments.applied(Conv3D, locals())
