"""`tf.nn`: activations, softmax, cross entropies, bias, dropout and what is built of them."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.v1.functions.random import random_uniform

# -- bias and activations --------------------------------------------------------------------------


@export("nn.bias_add")
def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`bias` [channels] added to each position; the channels come last, or second for "NC..."."""
    with name_scope(name, "BiasAdd", [value, bias]) as scope:
        if data_format is not None:
            if data_format.startswith("NC"):
                data_format = "NCHW"
            elif data_format.startswith("N") and data_format.endswith("C"):
                data_format = "NHWC"
            else:
                raise ValueError("data_format must be of the form `N...C` or `NC...`")
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype, name="bias")
        return raw.BiasAdd(value, bias, data_format=data_format, name=scope)


@export("nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """x [batch, in] times weights [in, out], plus biases [out]."""
    with name_scope(name, "xw_plus_b", [x, weights, biases]) as scope:
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(weights, name="weights")
        biases = convert_to_tensor(biases, name="biases")
        return bias_add(nodes.matmul(x, weights), biases, name=scope)


@export("nn.relu_layer")
def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """relu(x [batch, in] times weights [in, out], plus biases [out])."""
    with name_scope(name, "relu_layer", [x, weights, biases]) as scope:
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(weights, name="weights")
        biases = convert_to_tensor(biases, name="biases")
        return raw.Relu(bias_add(nodes.matmul(x, weights), biases), name=scope)


relu = export("nn.relu")(raw.Relu)
elu = export("nn.elu")(raw.Elu)
selu = export("nn.selu")(raw.Selu)
softplus = export("math.softplus", "nn.softplus")(raw.Softplus)
softsign = export("math.softsign", "nn.softsign")(raw.Softsign)
l2_loss = export("nn.l2_loss")(raw.L2Loss)


@export("nn.relu6")
def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(x, 0), 6): Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10" (2010)."""
    with name_scope(name, "Relu6", [features]) as scope:
        return raw.Relu6(convert_to_tensor(features, name="features"), name=scope)


@export("nn.crelu")
def crelu(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """relu of the tensor and of its negative, joined along `axis`: Shang et al. (2016)."""
    with name_scope(name, "CRelu", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        return raw.Relu(array_nodes.concat([features, -features], axis, name=scope))


@export("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """max(x, alpha x): Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic
    Models" (2013).
    """
    with name_scope(name, "LeakyRelu", [features, alpha]) as scope:
        features = convert_to_tensor(features, name="features")
        if features.dtype.is_integer:
            features = nodes.cast(features, dtypes.float32)
        if isinstance(alpha, np.ndarray):
            alpha = alpha.item()
        return raw.LeakyRelu(features, alpha=alpha, name=scope)


# -- softmax ---------------------------------------------------------------------------------------


def _along(logits: Any, build: Any, axis: Any, name: str | None) -> Tensor:
    """Softmax along any axis: the axis is moved to the end and back."""

    def swap(tensor: Tensor, place: Any, last: Any, name: str | None = None) -> Tensor:
        order = array_nodes.concat(
            [nodes.range(place), [last], nodes.range(place + 1, last), [place]], 0
        )
        return array_nodes.transpose(tensor, order, name=name or "transpose")

    logits = convert_to_tensor(logits)
    static = logits.shape
    if not isinstance(axis, Tensor) and (
        axis == -1 or (static.ndims is not None and axis == static.ndims - 1)
    ):
        return build(logits, name=name)
    place = constant_value(axis) if isinstance(axis, Tensor) else axis
    rank = static.ndims
    if rank is None:
        raise ValueError("softmax along another axis than the last needs logits of known rank")
    if place is not None and not -rank <= place < rank:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Dimension ({int(place)}) must be in the range [{-rank}, {rank}) where {rank} is the "
            "number of dimensions in the input.",
        )
    count = array_nodes.rank(logits)
    if isinstance(axis, Tensor):
        axis = raw.Select(raw.Less(axis, 0), axis + count, axis)
    elif axis < 0:
        axis += count
    input_rank = array_nodes.rank(logits)
    axis = axis % rank
    logits = swap(logits, axis, raw.Sub(input_rank, 1))
    output = swap(build(logits), axis, raw.Sub(input_rank, 1), name=name)
    output.set_shape(static)
    return output


@export("math.softmax", "nn.softmax")
def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`, by default the last."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    return _along(logits, raw.Softmax, -1 if axis is None else axis, name)


@export("math.log_softmax", "nn.log_softmax")
def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """x - log(sum(exp(x))) along `axis`, by default the last."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    return _along(logits, raw.LogSoftmax, -1 if axis is None else axis, name)


# -- cross entropies -------------------------------------------------------------------------------


def _flatten_outer(logits: Tensor) -> Tensor:
    """[..., classes] as [product of the rest, classes]."""
    rank = array_nodes.rank(logits)
    last = raw.Slice(array_nodes.shape(logits), [raw.Sub(rank, 1)], [1])
    output = array_nodes.reshape(logits, array_nodes.concat([[-1], last], 0))
    static = logits.shape
    if static.ndims is not None:
        rows = static[:-1].num_elements()
        if rows is not None:
            output.set_shape([rows, static.as_list()[-1]])
    return output


def _named_only(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError(
            f"Only call `{function}` with named arguments (labels=..., logits=..., ...)"
        )
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


@export("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: Any = None, name: str | None = None, dim: Any = None
) -> Tensor:
    """Cross entropy of softmax(logits) against label distributions; gradients flow to both.

    Both are [..., classes] (or have the classes along `axis`); the result lacks that dimension.
    """
    axis = deprecated_argument("axis", axis, "dim", dim)
    if axis is None:
        axis = -1
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        narrow = logits.dtype in (dtypes.float16, dtypes.bfloat16)
        precise = nodes.cast(logits, dtypes.float32) if narrow else logits
        labels = nodes.cast(labels, precise.dtype)
        rank = array_nodes.rank(precise)
        static = logits.shape
        if axis != -1:
            precise = _move_to_end(precise, axis, rank)
            labels = _move_to_end(labels, axis, rank)
        shape = array_nodes.shape(precise)
        precise, labels = _flatten_outer(precise), _flatten_outer(labels)
        cost, _ = raw.SoftmaxCrossEntropyWithLogits(precise, labels, name=scope)
        outer = raw.Slice(shape, [0], [raw.Sub(rank, 1)])
        cost = array_nodes.reshape(cost, outer)
        if static.ndims is not None:
            known = static.as_list()
            del known[axis]
            cost.set_shape(known)
        return nodes.cast(cost, logits.dtype) if narrow else cost


def _move_to_end(tensor: Tensor, axis: int, rank: Any) -> Tensor:
    order = array_nodes.concat([nodes.range(axis), nodes.range(axis + 1, rank), [axis]], 0)
    return array_nodes.transpose(tensor, order)


@export("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: Any = -1,
    name: str | None = None,
    axis: Any = None,
) -> Tensor:
    """Cross entropy of softmax(logits) against label distributions; none flows to the labels."""
    dim = deprecated_argument("axis", axis, "dim", dim)
    _named_only("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = raw.StopGradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=dim, name=scope)


@export("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Cross entropy of softmax(logits [..., classes]) against class numbers [...]."""
    _named_only("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        half = logits.dtype == dtypes.float16
        precise = nodes.cast(logits, dtypes.float32) if half else logits
        static = labels.shape
        labels_shape = array_nodes.shape(labels)
        known = _check_sparse(labels, logits)
        if logits.shape.ndims == 2:
            cost, _ = raw.SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
            return nodes.cast(cost, dtypes.float16) if half else cost
        checks = []
        if not known:
            from relight.v1.functions.checks import assert_equal

            checks.append(assert_equal(array_nodes.shape(labels), array_nodes.shape(logits)[:-1]))
        with get_default_graph().control_dependencies(checks):
            classes = array_nodes.shape(logits)[array_nodes.rank(logits) - 1]
            precise = array_nodes.reshape(precise, [-1, classes])
            labels = array_nodes.reshape(labels, [-1])
            cost, _ = raw.SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
            cost = array_nodes.reshape(cost, labels_shape)
            cost.set_shape(static)
            return nodes.cast(cost, dtypes.float16) if half else cost


def _check_sparse(labels: Tensor, logits: Tensor) -> bool:
    """Whether both shapes are known (but for the classes); ValueError when they do not fit."""
    static, whole = labels.shape, logits.shape
    known = static.is_fully_defined() and whole[:-1].is_fully_defined()
    if whole.ndims == 0:
        raise ValueError(f"Logits cannot be scalars - received shape {whole}.")
    if whole.ndims is not None and static.ndims not in (None, whole.ndims - 1):
        raise ValueError(
            f"Rank mismatch: Rank of labels (received {static.ndims}) should equal rank of logits "
            f"minus 1 (received {whole.ndims})."
        )
    if known and static != whole[:-1]:
        raise ValueError(
            f"Shape mismatch: The shape of labels (received {static}) should equal the shape of "
            f"logits except for the last dimension (received {whole})."
        )
    return known


# -- dropout ---------------------------------------------------------------------------------------


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return array_nodes.shape(x)
    try:
        given = as_shape(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    if x.shape.ndims is not None and given.ndims == x.shape.ndims:
        sizes = zip(x.shape.as_list(), given.as_list(), strict=True)
        return TensorShape([size if wanted is None else wanted for size, wanted in sizes])
    return noise_shape


@export("nn.dropout")
def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """Elements are zero with probability `rate`, others divided by 1 - rate.

    `keep_prob` is the older 1 - rate. `noise_shape`, broadcast to x's, says which elements share
    their fate. Srivastava et al., "Dropout" (2014).
    """
    try:
        keep = None if keep_prob is None else 1.0 - keep_prob
    except TypeError:
        raise ValueError(
            f"keep_prob must be a floating point number or Tensor (got {keep_prob!r})"
        ) from None
    rate = deprecated_argument("rate", rate, "keep_prob", keep)
    if rate is None:
        raise ValueError("You must provide a rate to dropout.")
    with name_scope(name, "dropout", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                "x has to be a floating point tensor since it's going to be scaled. Got a "
                f"{x.dtype} tensor instead."
            )
        if isinstance(rate, numbers.Real):
            if not 0 <= rate < 1:
                raise ValueError(
                    f"rate must be a scalar tensor or a float in the range [0, 1), got {rate:g}"
                )
            _warn_of_large_rate(rate)
            if rate == 0:
                return x
        rate = convert_to_tensor(rate, dtype=x.dtype, name="rate")
        rate.shape.assert_has_rank(0)
        if constant_value(rate) == 0:
            return x
        drawn = random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
        scale = 1 / (1 - rate)
        kept = drawn >= rate
        result = x * scale * nodes.cast(kept, x.dtype)
        result.set_shape(x.shape)
        return result


def _warn_of_large_rate(rate: Any) -> None:
    if rate > 0.5:
        from relight.v1 import logging

        logging.log_first_n(
            logging.WARN,
            "Large dropout rate: %g (>0.5). In TensorFlow 2.x, dropout() uses dropout rate instead "
            "of keep_prob. Please ensure that this is intended.",
            5,
            rate,
        )


# -- best classes ----------------------------------------------------------------------------------


@export("math.top_k", "nn.top_k")
def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> Any:
    """(values, indices) [..., k] of the k greatest elements along the last dimension."""
    return raw.TopKV2(input, k=k, sorted=sorted, name=name)


@export("math.in_top_k", "nn.in_top_k")
def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether each target [batch] is among the k best classes of predictions [batch, classes]."""
    with name_scope(name, "in_top_k"):
        return raw.InTopKV2(predictions, targets, k, name=name)
