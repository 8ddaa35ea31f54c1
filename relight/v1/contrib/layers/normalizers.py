"""`tf.contrib.layers`: batch and layer normalization."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.ops.build import convert_to_tensor
from relight.ops.constants import constant
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.contrib.layers import utils
from relight.v1.contrib.layers.scopes import (
    add_to_named_collections,
    finished,
    renaming_getter,
)
from relight.v1.functions import nn_norm
from relight.v1.functions.framework import add_to_collections
from relight.v1.functions.init import Ones, Zeros
from relight.v1.functions.variable_scope import get_variable_scope, variable_scope
from relight.v1.layers.base import known_value, switch
from relight.v1.layers.normalization import BatchNormalization
from relight.v1.train.moving_averages import assign_moving_average

_INITIALIZERS = {"beta": Zeros, "gamma": Ones, "moving_mean": Zeros, "moving_variance": Ones}


@export("contrib.layers.batch_norm", "contrib.slim.batch_norm")
@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    param_regularizers: Any = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: float = 0.99,
    adjustment: Any = None,
) -> Any:
    """Batch normalization: `tf.layers.batch_normalization` and what it lacks.

    The moving averages follow through operations in `updates_collections`, or, when that is None,
    before the outputs are given. `batch_weights` [batch] weigh the examples.
    """
    given = dict(locals())
    inputs = given["inputs"] = convert_to_tensor(inputs)
    in_updates = updates_collections == GraphKeys.UPDATE_OPS
    rank = inputs.shape.ndims
    plain = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None
    fused = True if fused is None else fused
    if fused and plain and (zero_debias_moving_mean or rank == 2 or not in_updates):
        return _fused_batch_norm(given)
    _check_format(data_format)
    getter = renaming_getter()
    with variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = given["inputs"] = convert_to_tensor(inputs)
        if batch_weights is None and in_updates and not zero_debias_moving_mean:
            outputs = _by_layer(given, sc, fused)
        else:
            outputs = _by_moments(given)
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)


def _check_format(data_format: Any) -> None:
    if data_format not in ("NCHW", "NHWC"):
        raise ValueError("data_format has to be either NCHW or NHWC.")


def _by_layer(given: dict[str, Any], scope: Any, fused: bool) -> Any:
    """Through the layer of tf.layers."""
    initializers = given["param_initializers"] or {}
    regularizers = given["param_regularizers"] or {}
    layer = BatchNormalization(
        axis=1 if given["data_format"] == "NCHW" else -1,
        momentum=given["decay"],
        epsilon=given["epsilon"],
        center=given["center"],
        scale=given["scale"],
        beta_regularizer=regularizers.get("beta"),
        gamma_regularizer=regularizers.get("gamma"),
        trainable=given["trainable"],
        renorm=given["renorm"],
        renorm_clipping=given["renorm_clipping"],
        renorm_momentum=given["renorm_decay"],
        adjustment=given["adjustment"],
        name=scope.name,
        _scope=scope,
        _reuse=given["reuse"],
        fused=fused,
        **{f"{name}_initializer": initializers.get(name, d()) for name, d in _INITIALIZERS.items()},
    )
    outputs = layer.apply(given["inputs"], training=given["is_training"])
    for name in ("moving_mean", "moving_variance", "beta", "gamma"):
        variable = getattr(layer, name)
        if variable is not None:
            add_to_named_collections(variable, given["variables_collections"], name)
    return outputs


def _parameter(given: dict[str, Any], name: str, shape: Any, dtype: Any, **settings: Any) -> Any:
    """A model variable of the layer, in the collections asked for."""
    return model_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=(given["param_initializers"] or {}).get(name, _INITIALIZERS[name]()),
        collections=utils.get_variable_collections(given["variables_collections"], name),
        **settings,
    )


def _moving(given: dict[str, Any], shape: Any, dtype: Any) -> tuple[Any, Any]:
    """The moving averages; they are never cut into parts."""
    with variable_scope(get_variable_scope()) as local_scope:
        local_scope.set_partitioner(None)
        mean = _parameter(given, "moving_mean", shape, dtype, trainable=False)
        return mean, _parameter(given, "moving_variance", shape, dtype, trainable=False)


def _updates(given: dict[str, Any], moving: Any, mean: Any, variance: Any) -> tuple[Any, Any]:
    decay, debias = given["decay"], given["zero_debias_moving_mean"]
    return (
        assign_moving_average(moving[0], mean, decay, zero_debias=debias),
        assign_moving_average(moving[1], variance, decay, zero_debias=False),
    )


def _delay_updates(given: dict[str, Any], moving: Any, mean: Any, variance: Any) -> None:
    """Put the updates into the collections asked for."""
    updates = switch(
        given["is_training"], lambda: _updates(given, moving, mean, variance), lambda: moving
    )
    for update in updates:
        add_to_collections(given["updates_collections"], update)


def _fused_batch_norm(given: dict[str, Any]) -> Any:
    """[batch, channels] or images, normalized by one operation."""
    data_format, training = given["data_format"], given["is_training"]
    _check_format(data_format)
    original = given["inputs"]
    with variable_scope(given["scope"], "BatchNorm", [original], reuse=given["reuse"]) as sc:
        inputs = original = convert_to_tensor(original)
        if inputs.shape.ndims == 2:
            channels = inputs.shape.as_list()[-1]
            if channels is None:
                raise ValueError("`C` dimension must be known but is None")
            shape = [-1, channels, 1, 1] if data_format == "NCHW" else [-1, 1, 1, channels]
            inputs = array_nodes.reshape(inputs, shape)
        params_shape = inputs.shape[-1:] if data_format == "NHWC" else inputs.shape[1:2]
        if not params_shape.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined `C` dimension {params_shape}.")
        settings = {"trainable": given["trainable"]}
        regularizers = given["param_regularizers"] or {}
        params: dict[str, Any] = {}
        for name, wanted, value in (("beta", "center", 0.0), ("gamma", "scale", 1.0)):
            if given[wanted]:
                params[name] = _parameter(
                    given,
                    name,
                    params_shape,
                    dtypes.float32,
                    regularizer=regularizers.get(name),
                    **settings,
                )
            else:
                params[name] = constant(value, dtype=dtypes.float32, shape=params_shape)
        moving = _moving(given, params_shape, dtypes.float32)

        def normalized(**moments: Any) -> Any:
            return nn_norm.fused_batch_norm(
                inputs,
                params["gamma"],
                params["beta"],
                epsilon=given["epsilon"],
                data_format=data_format,
                **moments,
            )

        outputs, mean, variance = switch(
            training,
            normalized,
            lambda: normalized(mean=moving[0], variance=moving[1], is_training=False),
        )
        if known_value(training) is not False:
            if given["updates_collections"] is None:
                outputs = _after_updates(given, moving, mean, variance, outputs)
            else:
                _delay_updates(given, moving, mean, variance)
        outputs.set_shape(inputs.shape)
        if original.shape.ndims == 2:
            outputs = array_nodes.reshape(outputs, array_nodes.shape(original))
        return finished(
            outputs, None, None, given["activation_fn"], given["outputs_collections"], sc.name
        )


def _after_updates(given: dict[str, Any], moving: Any, mean: Any, variance: Any, out: Any) -> Any:
    def updated() -> Any:
        updates = _updates(given, moving, mean, variance)
        with get_default_graph().control_dependencies(updates):
            return array_nodes.identity(out)

    return switch(given["is_training"], updated, lambda: out)


def _by_moments(given: dict[str, Any]) -> Any:
    """From moments of its own: weighted examples, updates at once, moving means without bias."""
    inputs, training = given["inputs"], given["is_training"]
    if given["renorm"]:
        raise ValueError(
            "renorm is not supported with batch_weights, updates_collections or "
            "zero_debias_moving_mean"
        )
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    dtype = inputs.dtype.base_dtype
    weights = given["batch_weights"]
    if weights is not None:
        weights = convert_to_tensor(weights)
        inputs.shape[0:1].assert_is_compatible_with(weights.shape)
        weights = array_nodes.reshape(weights, [-1, *[1] * (rank - 1)])
    first = given["data_format"] == "NCHW"
    params_shape = inputs.shape[1:2] if first else inputs.shape[-1:]
    if not params_shape.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {params_shape}.")
    beta = gamma = None
    if given["center"]:
        beta = _parameter(given, "beta", params_shape, dtype, trainable=given["trainable"])
    if given["scale"]:
        gamma = _parameter(given, "gamma", params_shape, dtype, trainable=given["trainable"])
    moving = _moving(given, params_shape, dtype)
    mean, variance = moving
    if known_value(training) is not False:
        mean, variance = _moments(inputs, weights, first)
        if given["updates_collections"] is None:
            mean, variance = _forced(given, moving, mean, variance)
        else:
            _delay_updates(given, moving, mean, variance)
            batch = mean, variance
            mean, variance = switch(training, lambda: batch, lambda: moving)
    if first:
        shape = [1, inputs.shape.as_list()[1], *[1] * (rank - 2)]
        mean, variance = array_nodes.reshape(mean, shape), array_nodes.reshape(variance, shape)
        beta = None if beta is None else array_nodes.reshape(beta, shape)
        gamma = None if gamma is None else array_nodes.reshape(gamma, shape)
    outputs = nn_norm.batch_normalization(inputs, mean, variance, beta, gamma, given["epsilon"])
    outputs.set_shape(inputs.shape)
    return outputs


def _moments(inputs: Any, weights: Any, first: bool) -> tuple[Any, Any]:
    rank = inputs.shape.ndims
    axes = [0, *range(2, rank)] if first else list(range(rank - 1))
    if weights is None:
        mean, variance = nn_norm.moments(inputs, axes, keep_dims=first)
    else:
        mean, variance = nn_norm.weighted_moments(inputs, axes, weights, keepdims=first)
    if first:
        mean, variance = array_nodes.reshape(mean, [-1]), array_nodes.reshape(variance, [-1])
    return mean, variance


def _forced(given: dict[str, Any], moving: Any, mean: Any, variance: Any) -> Any:
    def updated() -> Any:
        updates = _updates(given, moving, mean, variance)
        with get_default_graph().control_dependencies(updates):
            return array_nodes.identity(mean), array_nodes.identity(variance)

    return switch(given["is_training"], updated, lambda: moving)


@export("contrib.layers.layer_norm", "contrib.slim.layer_norm")
@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Each example normalized over the dimensions from `begin_norm_axis` on.

    Ba, Kiros and Hinton, "Layer Normalization" (2016). Beta and gamma have the shape of the inputs
    from `begin_params_axis` on.
    """
    with variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        dtype = inputs.dtype.base_dtype
        if begin_norm_axis < 0:
            begin_norm_axis += rank
        if begin_params_axis >= rank or begin_norm_axis >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({begin_norm_axis}) "
                f"must be < rank(inputs) ({rank})"
            )
        shape = inputs.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(
                f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: "
                f"{inputs.shape}"
            )
        params: dict[str, Any] = {}
        for name, wanted, initializer in (("beta", center, Zeros()), ("gamma", scale, Ones())):
            params[name] = None
            if wanted:
                params[name] = model_variable(
                    name,
                    shape=shape,
                    dtype=dtype,
                    initializer=initializer,
                    collections=utils.get_variable_collections(variables_collections, name),
                    trainable=trainable,
                )
        axes = list(range(begin_norm_axis, rank))
        mean, variance = nn_norm.moments(inputs, axes, keep_dims=True)
        outputs = nn_norm.batch_normalization(
            inputs,
            mean,
            variance,
            offset=params["beta"],
            scale=params["gamma"],
            variance_epsilon=1e-3 if dtype == dtypes.float16 else 1e-12,
        )
        outputs.set_shape(inputs.shape)
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)
