"""`tf.layers`: batch normalization, with moving averages of the moments.

Ioffe and Szegedy, "Batch Normalization" (2015); with `renorm`: Ioffe, "Batch Renormalization"
(2017).
"""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions import assign, nn_norm
from relight.v1.functions.init import Ones, Zeros
from relight.v1.functions.variables import VariableAggregation, VariableSynchronization
from relight.v1.layers import arguments, lookup
from relight.v1.layers.base import Layer, known_value, switch
from relight.v1.layers.base_layer import BaseLayer
from relight.v1.layers.input_spec import InputSpec


class BatchNormalizationBase(BaseLayer):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta over all dimensions but `axis`.

    In training the moments are the batch's, otherwise their moving averages.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if not isinstance(axis, (int, list)):
            raise TypeError(f"axis must be int or list, type given: {type(axis)}")
        self.axis: Any = axis[:] if isinstance(axis, list) else axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = lookup.initializer(beta_initializer)
        self.gamma_initializer = lookup.initializer(gamma_initializer)
        self.moving_mean_initializer = lookup.initializer(moving_mean_initializer)
        self.moving_variance_initializer = lookup.initializer(moving_variance_initializer)
        self.beta_regularizer = lookup.regularizer(beta_regularizer)
        self.gamma_regularizer = lookup.regularizer(gamma_regularizer)
        self.beta_constraint = lookup.constraint(beta_constraint)
        self.gamma_constraint = lookup.constraint(gamma_constraint)
        self.renorm = renorm
        self.virtual_batch_size = virtual_batch_size
        self.adjustment = adjustment
        self.fused = True if fused is None else fused
        self.supports_masking = True
        self.trainable = trainable
        if renorm:
            self.renorm_clipping = renorm_clipping or {}
            known = ["rmax", "rmin", "dmax"]
            if set(self.renorm_clipping) - set(known):
                raise ValueError(f"renorm_clipping {renorm_clipping} contains keys not in {known}")
            self.renorm_momentum = renorm_momentum

    @property
    def _param_dtype(self) -> Any:
        """The type of the weights: float32 for narrower inputs."""
        if self.dtype in ("float16", "bfloat16"):
            return dtypes.float32
        return self.dtype or dtypes.float32

    def _can_be_fused(self) -> bool:
        """Whether one operation can do all of it."""
        special = self.renorm or self.virtual_batch_size is not None or self.adjustment is not None
        return not special and len(self.axis) == 1 and self.axis[0] in (-3, -1, 1, 3)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        shape = TensorShape(input_shape)
        if not shape.ndims:
            raise ValueError("Input has undefined rank:", shape)
        rank = shape.ndims
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        axes = self.axis = [rank + x if x < 0 else x for x in axes]
        for x in axes:
            if x < 0 or x >= rank:
                raise ValueError(f"Invalid axis: {x}")
        if len(axes) != len(set(axes)):
            raise ValueError(f"Duplicate axis: {axes}")
        self._check_virtual_batch()
        self.fused = bool(self.fused and rank == 4 and self._can_be_fused())
        if self.fused:
            self._data_format = "NCHW" if axes == [1] else "NHWC"
        sizes = {x: shape.as_list()[x] for x in axes}
        if None in sizes.values():
            raise ValueError("Input has undefined `axis` dimension. Input shape: ", shape)
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        if len(sizes) == 1 and self.virtual_batch_size is None:
            param_shape: Any = (sizes[axes[0]],)
        else:
            param_shape = [sizes.get(i, 1) for i in range(rank)]
            if self.virtual_batch_size is not None:
                param_shape.insert(1, 1)
                self.axis = [x + 1 for x in axes]  # the virtual batches are a further dimension
        self.gamma = self._parameter("gamma", param_shape, self.scale)
        if not self.scale and self.fused:
            self._gamma_const = constant(1.0, dtype=self._param_dtype, shape=param_shape)
        self.beta = self._parameter("beta", param_shape, self.center)
        if not self.center and self.fused:
            self._beta_const = constant(0.0, dtype=self._param_dtype, shape=param_shape)
        self._build_averages(param_shape)
        self.built = True

    def _check_virtual_batch(self) -> None:
        if self.virtual_batch_size is None:
            return
        if self.virtual_batch_size <= 0:
            raise ValueError(
                "virtual_batch_size must be a positive integer that divides the true batch size of "
                "the input Tensor"
            )
        if 0 in self.axis:
            raise ValueError(
                "When using virtual_batch_size, the batch dimension must be 0 and thus axis cannot "
                "include 0"
            )
        if self.adjustment is not None:
            raise ValueError("When using virtual_batch_size, adjustment cannot be specified")

    def _parameter(self, name: str, shape: Any, wanted: bool) -> Any:
        if not wanted:
            return None
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self._param_dtype,
            initializer=getattr(self, name + "_initializer"),
            regularizer=getattr(self, name + "_regularizer"),
            constraint=getattr(self, name + "_constraint"),
            trainable=True,
            experimental_autocast=False,
        )

    def _average(self, name: str, shape: Any, initializer: Any) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self._param_dtype,
            initializer=initializer,
            synchronization=VariableSynchronization.ON_READ,
            trainable=False,
            aggregation=VariableAggregation.MEAN,
            experimental_autocast=False,
        )

    def _build_averages(self, shape: Any) -> None:
        """The moving averages; they are never cut into parts."""
        scope = getattr(self, "_scope", None)
        partitioner = scope.partitioner if scope else None
        if scope:
            scope.set_partitioner(None)
        try:
            self.moving_mean = self._average("moving_mean", shape, self.moving_mean_initializer)
            self.moving_variance = self._average(
                "moving_variance", shape, self.moving_variance_initializer
            )
            if self.renorm:
                self._build_renorm(shape)
        finally:
            if partitioner:
                scope.set_partitioner(partitioner)

    def _build_renorm(self, shape: Any) -> None:
        def stddev_initializer(*args: Any, **kwargs: Any) -> Any:
            return raw.Sqrt(self.moving_variance_initializer(*args, **kwargs))

        colocate_with = get_default_graph().colocate_with
        with colocate_with(self.moving_variance.op):
            self.moving_stddev = self._average("moving_stddev", shape, stddev_initializer)
        with colocate_with(self.moving_mean.op):
            self.renorm_mean = self._average("renorm_mean", shape, self.moving_mean_initializer)
        with colocate_with(self.moving_stddev.op):
            self.renorm_stddev = self._average("renorm_stddev", shape, stddev_initializer)

    # -- updates -----------------------------------------------------------------------------------

    def _assign_moving_average(self, variable: Any, value: Any, momentum: Any) -> Any:
        colocated = get_default_graph().colocate_with(variable.op)
        with name_scope("AssignMovingAvg") as scope, colocated:
            decay = convert_to_tensor(1.0 - momentum, name="decay")
            dtype = variable.dtype.base_dtype
            if decay.dtype != dtype:
                decay = nodes.cast(decay, dtype)
            delta = (variable - nodes.cast(value, dtype)) * decay
            return assign.assign_sub(variable, delta, name=scope)

    def _assign_new_value(self, variable: Any, value: Any) -> Any:
        colocated = get_default_graph().colocate_with(variable.op)
        with name_scope("AssignNewValue") as scope, colocated:
            return assign.assign(variable, value, name=scope)

    def _update_variance(self, variance: Any, momentum: Any) -> Any:
        if not self.renorm:
            return self._assign_moving_average(self.moving_variance, variance, momentum)
        stddev = self._assign_moving_average(
            self.moving_stddev, raw.Sqrt(variance + self.epsilon), momentum
        )
        return self._assign_new_value(
            self.moving_variance, raw.Relu(stddev * stddev - self.epsilon)
        )

    # -- calling -----------------------------------------------------------------------------------

    def _fused_call(self, inputs: Any, training: Any) -> Any:
        beta = self.beta if self.center else self._beta_const
        gamma = self.gamma if self.scale else self._gamma_const

        def batch_moments() -> Any:
            return nn_norm.fused_batch_norm(
                inputs, gamma, beta, epsilon=self.epsilon, data_format=self._data_format
            )

        def moving_moments() -> Any:
            return nn_norm.fused_batch_norm(
                inputs,
                gamma,
                beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
                data_format=self._data_format,
            )

        output, mean, variance = switch(training, batch_moments, moving_moments)
        known = known_value(training)
        if known is None:
            momentum = switch(training, lambda: self.momentum, lambda: 1.0)
        else:
            momentum = convert_to_tensor(self.momentum)
        if known is not False:
            self.add_update(lambda: self._assign_moving_average(self.moving_mean, mean, momentum))
            self.add_update(lambda: self._update_variance(variance, momentum))
        return output

    def _renorm_correction(self, mean: Any, variance: Any, training: Any) -> Any:
        """(r, d, mean, variance), the averages of mean and standard deviation updated before."""
        stddev = raw.Sqrt(variance + self.epsilon)
        renorm_stddev = raw.Maximum(self.renorm_stddev, raw.Sqrt(self.epsilon))
        r = stddev / renorm_stddev
        d = (mean - self.renorm_mean) / renorm_stddev
        # The corrections are worked out before the averages change.
        with get_default_graph().control_dependencies([r, d]):
            mean, stddev = array_nodes.identity(mean), array_nodes.identity(stddev)
        rmin, rmax, dmax = (self.renorm_clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        if rmin is not None:
            r = raw.Maximum(r, rmin)
        if rmax is not None:
            r = raw.Minimum(r, rmax)
        if dmax is not None:
            d = raw.Minimum(raw.Maximum(d, -dmax), dmax)
        clipped_r, clipped_d = r, d
        r = switch(training, lambda: clipped_r, lambda: array_nodes.ones_like(clipped_r))
        d = switch(training, lambda: clipped_d, lambda: array_nodes.zeros_like(clipped_d))

        def update(variable: Any, value: Any) -> Any:
            value = array_nodes.identity(value)
            return switch(
                training,
                lambda: self._assign_moving_average(variable, value, self.renorm_momentum),
                lambda: array_nodes.identity(variable),
            )

        updates = [update(self.renorm_mean, mean), update(self.renorm_stddev, stddev)]
        with get_default_graph().control_dependencies(updates):
            return r, d, array_nodes.identity(mean), array_nodes.identity(variance)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Like `inputs`; `training` is a bool, or a scalar bool tensor."""
        given_shape = None
        if self.virtual_batch_size is not None:
            given_shape = [-1, *inputs.shape.as_list()[1:]]
            inputs = array_nodes.reshape(inputs, [self.virtual_batch_size, -1, *given_shape[1:]])
        outputs = (
            self._fused_call(inputs, training) if self.fused else self._plain(inputs, training)
        )
        return outputs if given_shape is None else array_nodes.reshape(outputs, given_shape)

    def _plain(self, inputs: Any, training: Any) -> Any:
        rank = inputs.shape.ndims
        reduced = [i for i in range(rank) if i not in self.axis]
        if self.virtual_batch_size is not None:
            del reduced[1]  # each virtual batch has its own moments
        broadcast_shape = [1] * rank
        broadcast_shape[self.axis[0]] = inputs.shape.as_list()[self.axis[0]]

        def broadcast(v: Any) -> Any:
            if v is not None and v.shape.ndims != rank and reduced != list(range(rank - 1)):
                return array_nodes.reshape(v, broadcast_shape)
            return v

        scale, offset = broadcast(self.gamma), broadcast(self.beta)
        if known_value(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            if self.adjustment:
                scale, offset = self._adjusted(inputs, scale, offset, training)
            keep = self.virtual_batch_size is not None or len(self.axis) > 1
            batch_mean, batch_variance = nn_norm.moments(
                nodes.cast(inputs, self._param_dtype), reduced, keep_dims=keep
            )
            mean = switch(training, lambda: batch_mean, lambda: convert_to_tensor(self.moving_mean))
            variance = switch(
                training, lambda: batch_variance, lambda: convert_to_tensor(self.moving_variance)
            )
            new_mean, new_variance = mean, variance
            if self.virtual_batch_size is not None:
                new_mean = nodes.reduce_mean(mean, axis=1, keepdims=True)
                new_variance = nodes.reduce_mean(variance, axis=1, keepdims=True)
            if self.renorm:
                r, d, new_mean, new_variance = self._renorm_correction(
                    new_mean, new_variance, training
                )
                r = broadcast(raw.StopGradient(r, name="renorm_r"))
                d = broadcast(raw.StopGradient(d, name="renorm_d"))
                scale, offset = _composed(r, d, scale, offset)
            self._add_updates(new_mean, new_variance, training)
        mean, variance = nodes.cast(mean, inputs.dtype), nodes.cast(variance, inputs.dtype)
        if offset is not None:
            offset = nodes.cast(offset, inputs.dtype)
        if scale is not None:
            scale = nodes.cast(scale, inputs.dtype)
        outputs = nn_norm.batch_normalization(
            inputs, broadcast(mean), broadcast(variance), offset, scale, self.epsilon
        )
        outputs.set_shape(inputs.shape)
        return outputs

    def _adjusted(self, inputs: Any, scale: Any, offset: Any, training: Any) -> Any:
        factor, bias = self.adjustment(array_nodes.shape(inputs))
        used_factor = switch(training, lambda: factor, lambda: array_nodes.ones_like(factor))
        used_bias = switch(training, lambda: bias, lambda: array_nodes.zeros_like(bias))
        return _composed(used_factor, used_bias, scale, offset)

    def _add_updates(self, mean: Any, variance: Any, training: Any) -> None:
        def mean_update() -> Any:
            return switch(
                training,
                lambda: self._assign_moving_average(self.moving_mean, mean, self.momentum),
                lambda: self.moving_mean,
            )

        def variance_update() -> Any:
            return switch(
                training,
                lambda: self._update_variance(variance, self.momentum),
                lambda: self.moving_variance,
            )

        self.add_update(mean_update)
        self.add_update(variance_update)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again; an `adjustment` is left out."""
        config = {**super().get_config(), **lookup.config(self, _CONFIG)}
        if self.renorm:
            config.update(
                renorm=True,
                renorm_clipping=self.renorm_clipping,
                renorm_momentum=self.renorm_momentum,
            )
        if self.virtual_batch_size is not None:
            config["virtual_batch_size"] = self.virtual_batch_size
        return config


_CONFIG = (
    "axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer",
    "moving_mean_initializer", "moving_variance_initializer", "beta_regularizer",
    "gamma_regularizer", "beta_constraint", "gamma_constraint",
)  # fmt: skip


def _composed(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    """(x scale + offset) then_scale + then_offset as one scale and offset."""
    if then_scale is not None:
        scale *= then_scale
        offset *= then_scale
    if then_offset is not None:
        offset += then_offset
    return scale, offset


@export("layers.BatchNormalization")
class BatchNormalization(BatchNormalizationBase, Layer):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta over all dimensions but `axis`.

    In training the moments are the batch's; the operations in GraphKeys.UPDATE_OPS let the moving
    averages follow, which are used otherwise. `renorm` corrects the batch's moments towards the
    averages, within `renorm_clipping` (rmin, rmax, dmax). `virtual_batch_size` normalizes smaller
    batches by themselves; `adjustment` is a function from the input's shape to (scale, bias).
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = Zeros(),
        gamma_initializer: Any = Ones(),
        moving_mean_initializer: Any = Zeros(),
        moving_variance_initializer: Any = Ones(),
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**arguments.given(locals()))


@export("layers.batch_normalization")
def batch_normalization(
    inputs: Any,
    axis: Any = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = Zeros(),
    gamma_initializer: Any = Ones(),
    moving_mean_initializer: Any = Zeros(),
    moving_variance_initializer: Any = Ones(),
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Any = None,
    gamma_constraint: Any = None,
    training: Any = False,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Any = None,
) -> Any:
    """`BatchNormalization` applied to `inputs`; `training` is a bool or a scalar bool tensor."""
    return arguments.applied(BatchNormalization, locals())
