"""`tf.layers`: dense, dropout and flatten."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import nn
from relight.v1.functions.einsum import tensordot
from relight.v1.functions.init import Zeros
from relight.v1.layers import arguments, lookup
from relight.v1.layers.base import Layer, switch
from relight.v1.layers.base_layer import BaseLayer
from relight.v1.layers.input_spec import InputSpec


class DenseBase(BaseLayer):
    """activation(inputs [..., in] times kernel [in, units] plus bias [units])."""

    def __init__(
        self,
        units: int,
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
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        super().__init__(activity_regularizer=lookup.regularizer(activity_regularizer), **kwargs)
        self.units = int(units)
        self.activation = lookup.activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = lookup.initializer(kernel_initializer)
        self.bias_initializer = lookup.initializer(bias_initializer)
        self.kernel_regularizer = lookup.regularizer(kernel_regularizer)
        self.bias_regularizer = lookup.regularizer(bias_regularizer)
        self.kernel_constraint = lookup.constraint(kernel_constraint)
        self.bias_constraint = lookup.constraint(bias_constraint)
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {dtype}")
        last = TensorShape(input_shape).as_list()[-1]
        if last is None:
            raise ValueError(
                "The last dimension of the inputs to `Dense` should be defined. Found `None`."
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: last})
        self.kernel = self.add_weight(
            "kernel",
            shape=[last, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            dtype=self.dtype,
            trainable=True,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                shape=[self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                dtype=self.dtype,
                trainable=True,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """[..., in] -> [..., units]."""
        rank = inputs.shape.ndims
        if rank > 2:
            outputs = tensordot(inputs, self.kernel, [[rank - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        elif isinstance(inputs, SparseTensor):
            from relight.v1.functions.sparse import sparse_tensor_dense_matmul

            outputs = sparse_tensor_dense_matmul(nodes.cast(inputs, self.dtype), self.kernel)
        else:
            outputs = raw.MatMul(nodes.cast(inputs, self.dtype), self.kernel)
        if self.use_bias:
            outputs = nn.bias_add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[..., in] -> [..., units]."""
        shape = TensorShape(input_shape).with_rank_at_least(2)
        if shape.as_list()[-1] is None:
            raise ValueError(
                f"The innermost dimension of input_shape must be defined, but saw: {shape}"
            )
        return shape[:-1].concatenate(self.units)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {**super().get_config(), **lookup.config(self, _DENSE)}


_DENSE = (
    "units", "activation", "use_bias", "kernel_initializer", "bias_initializer",
    "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
    "bias_constraint",
)  # fmt: skip


@export("layers.Dense")
class Dense(DenseBase, Layer):
    """activation(inputs [..., in] times kernel [in, units] plus bias [units]).

    Without a kernel_initializer the variable scope's is used, or Glorot's uniform one.
    """

    def __init__(
        self,
        units: int,
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


@export("layers.dense")
def dense(
    inputs: Any,
    units: int,
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
    """`Dense` applied to `inputs` [..., in]; the result is [..., units]."""
    return arguments.applied(Dense, locals())


class DropoutBase(BaseLayer):
    """`tf.nn.dropout` in training, the identity otherwise."""

    def __init__(self, rate: Any, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return None
        actual = array_nodes.shape(inputs)
        wanted = [actual[i] if size is None else size for i, size in enumerate(self.noise_shape)]
        return convert_to_tensor(wanted)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Like `inputs`; `training` is a bool, or a bool tensor."""

        def dropped() -> Any:
            return nn.dropout(
                inputs, noise_shape=self._noise_shape(inputs), seed=self.seed, rate=self.rate
            )

        return switch(training, dropped, lambda: array_nodes.identity(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {**super().get_config(), **lookup.config(self, ("rate", "noise_shape", "seed"))}


@export("layers.Dropout")
class Dropout(DropoutBase, Layer):
    """In training, elements are zero with probability `rate`, others divided by 1 - rate."""

    def __init__(
        self,
        rate: Any = 0.5,
        noise_shape: Any = None,
        seed: int | None = None,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.dropout")
def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: Any = None,
) -> Any:
    """In training, elements are zero with probability `rate`, others divided by 1 - rate.

    `training` is a bool or a scalar bool tensor.
    """
    return arguments.applied(Dropout, locals(), scoped=False)


class FlattenBase(BaseLayer):
    """[batch, ...] -> [batch, product of the rest]."""

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """[batch, ...] -> [batch, product of the rest]."""
        rank = inputs.shape.ndims
        if self.data_format == "channels_first" and rank is not None and rank > 1:
            inputs = array_nodes.transpose(inputs, perm=[0, *range(2, rank), 1])
        batch = inputs.shape.as_list()[0] or array_nodes.shape(inputs)[0]
        outputs = array_nodes.reshape(inputs, (batch, -1))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, ...] -> [batch, product of the rest]."""
        batch, *rest = TensorShape(input_shape).as_list()
        return TensorShape([batch, int(np.prod(rest)) if all(rest) else None])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again."""
        return {**super().get_config(), "data_format": self.data_format}


@export("layers.Flatten")
class Flatten(FlattenBase, Layer):
    """[batch, ...] -> [batch, product of the rest]; channels_first input is transposed before."""


@export("layers.flatten")
def flatten(inputs: Any, name: Any = None, data_format: str = "channels_last") -> Any:
    """`inputs` [batch, ...] as [batch, product of the rest]."""
    return arguments.applied(Flatten, locals(), scoped=False)
