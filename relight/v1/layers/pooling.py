"""`tf.layers`: max and average pooling over one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.v1.functions import nn_pool
from relight.v1.functions.array import expand_dims
from relight.v1.layers import arguments
from relight.v1.layers.base import Layer
from relight.v1.layers.base_layer import BaseLayer
from relight.v1.layers.input_spec import InputSpec


class PoolingBase(BaseLayer):
    """Pooling over `rank` dimensions; strides are the pool's size where not given."""

    rank: int
    pool_function: Callable[..., Any]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        strides = pool_size if strides is None else strides
        self.pool_size = arguments.sizes(pool_size, self.rank, "pool_size")
        self.strides = arguments.sizes(strides, self.rank, "strides")
        self.padding = arguments.padding(padding)
        self.data_format = arguments.data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape after pooling."""
        shape = TensorShape(input_shape).as_list()
        first = 2 if self.data_format == "channels_first" else 1
        for i in range(self.rank):
            shape[first + i] = arguments.output_length(
                shape[first + i], self.pool_size[i], self.padding, self.strides[i]
            )
        return TensorShape(shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class Pooling1DBase(PoolingBase):
    """[batch, steps, channels], or channels first."""

    rank = 1

    def call(self, inputs: Any) -> Any:
        """Pool over the steps, as an image of width 1."""
        axis = 2 if self.data_format == "channels_last" else 3
        image = arguments.channels_last(expand_dims(inputs, axis), self.data_format)
        pooled = self.pool_function(
            image,
            (1, *self.pool_size, 1, 1),
            (1, *self.strides, 1, 1),
            padding=self.padding.upper(),
            data_format="NHWC",
        )
        return array_nodes.squeeze(arguments.as_given(pooled, self.data_format), [axis])


class Pooling2DBase(PoolingBase):
    """[batch, height, width, channels], or channels first."""

    rank = 2

    def call(self, inputs: Any) -> Any:
        """Pool over height and width."""
        last = self.data_format == "channels_last"
        around: Any = (lambda s: (1, *s, 1)) if last else (lambda s: (1, 1, *s))
        return self.pool_function(
            inputs,
            ksize=around(self.pool_size),
            strides=around(self.strides),
            padding=self.padding.upper(),
            data_format=arguments.op_format(self.data_format, 4),
        )


class Pooling3DBase(PoolingBase):
    """[batch, depth, height, width, channels], or channels first."""

    rank = 3

    def call(self, inputs: Any) -> Any:
        """Pool over depth, height and width."""
        first = self.data_format == "channels_first"
        if first:
            inputs = array_nodes.transpose(inputs, (0, 2, 3, 4, 1))
        outputs = self.pool_function(
            inputs,
            ksize=(1, *self.pool_size, 1),
            strides=(1, *self.strides, 1),
            padding=self.padding.upper(),
        )
        return array_nodes.transpose(outputs, (0, 4, 1, 2, 3)) if first else outputs


def _check_strides(strides: Any) -> None:
    if strides is None:
        raise ValueError("Argument `strides` must not be None.")


@export("layers.MaxPooling1D")
class MaxPooling1D(Pooling1DBase, Layer):
    """The greatest of each window of [batch, steps, channels] (or channels first)."""

    pool_function = staticmethod(nn_pool.max_pool)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.AveragePooling1D")
class AveragePooling1D(Pooling1DBase, Layer):
    """The mean of each window of [batch, steps, channels] (or channels first)."""

    pool_function = staticmethod(nn_pool.avg_pool)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.MaxPooling2D")
class MaxPooling2D(Pooling2DBase, Layer):
    """The greatest of each window of [batch, height, width, channels] (or channels first)."""

    pool_function = staticmethod(nn_pool.max_pool)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.AveragePooling2D")
class AveragePooling2D(Pooling2DBase, Layer):
    """The mean of each window of [batch, height, width, channels] (or channels first)."""

    pool_function = staticmethod(nn_pool.avg_pool)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.MaxPooling3D")
class MaxPooling3D(Pooling3DBase, Layer):
    """The greatest of each window of [batch, depth, height, width, channels], or channels first."""

    pool_function = staticmethod(nn_pool.max_pool3d)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.AveragePooling3D")
class AveragePooling3D(Pooling3DBase, Layer):
    """The mean of each window of [batch, depth, height, width, channels] (or channels first)."""

    pool_function = staticmethod(nn_pool.avg_pool3d)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid",
        data_format: str = "channels_last", name: Any = None, **kwargs: Any,
    ):  # fmt: skip
        _check_strides(strides)
        super().__init__(**arguments.given(locals()))


@export("layers.max_pooling1d")
def max_pooling1d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The greatest of each window of `inputs` [batch, steps, channels] (or channels first)."""
    return arguments.applied(MaxPooling1D, locals(), scoped=False)


@export("layers.average_pooling1d")
def average_pooling1d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window of `inputs` [batch, steps, channels] (or channels first)."""
    return arguments.applied(AveragePooling1D, locals(), scoped=False)


@export("layers.max_pooling2d")
def max_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The greatest of each window of `inputs` [batch, height, width, channels]."""
    return arguments.applied(MaxPooling2D, locals(), scoped=False)


@export("layers.average_pooling2d")
def average_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window of `inputs` [batch, height, width, channels]."""
    return arguments.applied(AveragePooling2D, locals(), scoped=False)


@export("layers.max_pooling3d")
def max_pooling3d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The greatest of each window of `inputs` [batch, depth, height, width, channels]."""
    return arguments.applied(MaxPooling3D, locals(), scoped=False)


@export("layers.average_pooling3d")
def average_pooling3d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window of `inputs` [batch, depth, height, width, channels]."""
    return arguments.applied(AveragePooling3D, locals(), scoped=False)
