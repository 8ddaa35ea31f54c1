"""`tf.contrib.layers`: dense layers, pooling, dropout, and ways to chain layers."""

from __future__ import annotations

import functools
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.contrib.framework.variables import model_variable
from relight.v1.contrib.layers import utils
from relight.v1.contrib.layers.initializers import xavier_initializer
from relight.v1.contrib.layers.scopes import (
    add_to_named_collections,
    finished,
    layer_format,
    model_variable_getter,
    renaming_getter,
)
from relight.v1.functions import nn, nn_pool
from relight.v1.functions.array import one_hot
from relight.v1.functions.init import Zeros
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.layers import core, pooling


@export("contrib.layers.fully_connected", "contrib.slim.fully_connected")
@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
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
    """activation(normalizer(inputs [..., in] times weights [in, num_outputs] plus biases)).

    The biases are left out when a normalizer follows.
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be one of {[int]}, got {type(num_outputs)}.")
    getter = renaming_getter({"bias": "biases", "kernel": "weights"})
    name = "fully_connected"
    with variable_scope(scope, name, [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = convert_to_tensor(inputs)
        layer = core.Dense(
            units=num_outputs,
            activation=None,
            use_bias=not normalizer_fn and biases_initializer,
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            activity_regularizer=None,
            trainable=trainable,
            name=sc.name,
            dtype=inputs.dtype.base_dtype,
            _scope=sc,
            _reuse=reuse,
        )
        outputs = layer.apply(inputs)
        add_to_named_collections(layer.kernel, variables_collections, "weights")
        if layer.bias is not None:
            add_to_named_collections(layer.bias, variables_collections, "biases")
        return finished(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name
        )


elu = export("contrib.layers.elu", "contrib.slim.elu")(
    functools.partial(fully_connected, activation_fn=raw.Elu)
)
relu = export("contrib.layers.relu", "contrib.slim.relu")(
    functools.partial(fully_connected, activation_fn=raw.Relu)
)
relu6 = export("contrib.layers.relu6", "contrib.slim.relu6")(
    functools.partial(fully_connected, activation_fn=nn.relu6)
)
linear = export("contrib.layers.linear", "contrib.slim.linear")(
    functools.partial(fully_connected, activation_fn=None)
)


@export("contrib.layers.bias_add", "contrib.slim.bias_add")
@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Any = None,
    initializer: Any = Zeros(),
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Biases [channels], a model variable, added to each position."""
    _check_format(data_format, ("NCHW", "NHWC"))
    with variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError("Dims of shape must be known but is None")
        if rank != 4 and data_format == "NCHW":
            raise ValueError("Data format NCHW only supports 4D Tensor")
        features = inputs.shape.as_list()[1 if data_format == "NCHW" else -1]
        if features is None:
            raise ValueError("`C` dimension must be known but is None")
        biases = model_variable(
            "biases",
            shape=[features],
            dtype=inputs.dtype.base_dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=utils.get_variable_collections(variables_collections, "biases"),
            trainable=trainable,
        )
        outputs = nn.bias_add(inputs, biases, data_format=data_format)
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)


def _check_format(data_format: Any, allowed: tuple[str, str]) -> None:
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {allowed[0]} or {allowed[1]}.")


def _pooled(layer: Any, name: str, given: dict[str, Any]) -> Any:
    formats = ("NCHW", "NHWC") if layer.rank == 2 else ("NCDHW", "NDHWC")
    _check_format(given["data_format"], formats)
    with name_scope(given["scope"], name, [given["inputs"]]) as sc:
        inputs = convert_to_tensor(given["inputs"])
        made = layer(
            pool_size=given["kernel_size"],
            strides=given["stride"],
            padding=given["padding"],
            data_format=layer_format(given["data_format"]),
            _scope=sc,
        )
        return utils.collect_named_outputs(given["outputs_collections"], sc, made.apply(inputs))


@export("contrib.layers.avg_pool2d", "contrib.slim.avg_pool2d")
@add_arg_scope
def avg_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The mean of each window of [batch, height, width, channels]."""
    return _pooled(pooling.AveragePooling2D, "AvgPool2D", locals())


@export("contrib.layers.avg_pool3d", "contrib.slim.avg_pool3d")
@add_arg_scope
def avg_pool3d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NDHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The mean of each window of [batch, depth, height, width, channels]."""
    return _pooled(pooling.AveragePooling3D, "AvgPool3D", locals())


@export("contrib.layers.max_pool2d", "contrib.slim.max_pool2d")
@add_arg_scope
def max_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The greatest of each window of [batch, height, width, channels]."""
    return _pooled(pooling.MaxPooling2D, "MaxPool2D", locals())


@export("contrib.layers.max_pool3d", "contrib.slim.max_pool3d")
@add_arg_scope
def max_pool3d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NDHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The greatest of each window of [batch, depth, height, width, channels]."""
    return _pooled(pooling.MaxPooling3D, "MaxPool3D", locals())


@export("contrib.slim.pool")
@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """ "AVG" or "MAX" pooling over the dimensions between batch and channels."""
    with name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError("Rank of inputs must be known")
        if rank < 3:
            raise ValueError("Rank of inputs must be >= 3")
        output = nn_pool.pool(
            input=inputs,
            window_shape=utils.n_positive_integers(rank - 2, kernel_size),
            pooling_type=pooling_type,
            padding=padding,
            data_format=data_format,
            dilation_rate=utils.n_positive_integers(rank - 2, dilation_rate),
            strides=utils.n_positive_integers(rank - 2, stride),
            name=sc,
        )
        return utils.collect_named_outputs(outputs_collections, sc, output)


@export("contrib.layers.dropout", "contrib.slim.dropout")
@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> Any:
    """In training, elements are kept with probability `keep_prob` and divided by it."""
    getter = model_variable_getter
    with variable_scope(scope, "Dropout", [inputs], custom_getter=getter) as sc:
        inputs = convert_to_tensor(inputs)
        layer = core.Dropout(
            rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=sc.name, _scope=sc
        )
        outputs = layer.apply(inputs, training=is_training)
        return utils.collect_named_outputs(outputs_collections, sc.name, outputs)


@export("contrib.layers.flatten", "contrib.slim.flatten")
@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """[batch, ...] as [batch, product of the rest]."""
    with name_scope(scope, "Flatten", [inputs]) as sc:
        outputs = core.flatten(convert_to_tensor(inputs))
        return utils.collect_named_outputs(outputs_collections, sc, outputs)


@export("contrib.layers.one_hot_encoding", "contrib.slim.one_hot_encoding")
@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Class numbers [...] as vectors [..., num_classes]."""
    with name_scope(scope, "OneHotEncoding", [labels, num_classes]) as sc:
        labels = convert_to_tensor(labels)
        if labels.dtype == dtypes.int32:
            labels = nodes.cast(labels, dtypes.int64, name="ToInt64")
        outputs = one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return utils.collect_named_outputs(outputs_collections, sc, outputs)


@export("contrib.layers.softmax", "contrib.slim.softmax")
@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """Softmax over the last dimension."""
    with variable_scope(scope, "softmax", [logits]):
        count = utils.last_dimension(logits.shape, min_rank=2)
        predictions = nn.softmax(array_nodes.reshape(logits, [-1, count]))
        predictions = array_nodes.reshape(predictions, array_nodes.shape(logits))
        predictions.set_shape(logits.shape)
        return predictions


def _layer_name(layer: Any, default: str) -> str:
    layer = getattr(layer, "func", layer) if not hasattr(layer, "__name__") else layer
    return getattr(layer, "__name__", default)


@export("contrib.layers.repeat", "contrib.slim.repeat")
@add_arg_scope
def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """`layer` applied `repetitions` times, in scopes `<scope>_1`, `<scope>_2`, ..."""
    scope = kwargs.pop("scope", None)
    with variable_scope(scope, "Repeat", [inputs]):
        outputs = convert_to_tensor(inputs)
        scope = _layer_name(layer, "repeat") if scope is None else scope
        for i in range(repetitions):
            kwargs["scope"] = f"{scope}_{i + 1}"
            outputs = layer(outputs, *args, **kwargs)
        return outputs


@export("contrib.layers.stack", "contrib.slim.stack")
@add_arg_scope
def stack(inputs: Any, layer: Any, stack_args: Any, **kwargs: Any) -> Any:
    """`layer` applied once with each of `stack_args`, in scopes `<scope>_1`, `<scope>_2`, ..."""
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    with variable_scope(scope, "Stack", [inputs]):
        outputs = convert_to_tensor(inputs)
        scope = _layer_name(layer, "stack") if scope is None else scope
        for i, arguments in enumerate(stack_args):
            kwargs["scope"] = f"{scope}_{i + 1}"
            if not isinstance(arguments, (list, tuple)):
                arguments = [arguments]
            outputs = layer(outputs, *arguments, **kwargs)
        return outputs


@export("contrib.layers.unit_norm", "contrib.slim.unit_norm")
@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Inputs divided by their length along the dimension `dim`."""
    with variable_scope(scope, "UnitNorm", [inputs]):
        rank = inputs.shape.ndims
        if not rank:
            raise ValueError("The input rank must be known.")
        if dim < 0 or dim >= rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        lengths = raw.Sqrt(epsilon + nodes.reduce_sum(raw.Square(inputs), dim, True))
        multiples = []
        if dim > 0:
            multiples.append(array_nodes.ones([dim], dtypes.int32))
        sizes = array_nodes.shape(inputs)
        multiples.append(array_nodes.strided_slice(sizes, [dim], [dim + 1]))
        if dim < rank - 1:
            multiples.append(array_nodes.ones([rank - 1 - dim], dtypes.int32))
        return nodes.div(inputs, raw.Tile(lengths, array_nodes.concat(multiples, 0)))


@export("contrib.layers.maxout", "contrib.slim.maxout")
@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The greatest of each group of channels, `num_units` groups: Goodfellow et al. (2013)."""
    with variable_scope(scope, "MaxOut", [inputs]):
        inputs = convert_to_tensor(inputs)
        shape: list[Any] = inputs.shape.as_list()
        channels = shape[axis]
        if channels % num_units:
            raise ValueError(
                f"number of features({channels}) is not a multiple of num_units({num_units})"
            )
        shape[axis] = num_units
        shape += [channels // num_units]
        for i, size in enumerate(shape):
            if size is None:
                shape[i] = array_nodes.shape(inputs)[i]
        return nodes.reduce_max(array_nodes.reshape(inputs, shape), -1, keepdims=False)
