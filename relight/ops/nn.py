"""Bias, activations, softmax, cross entropies, L2 loss: kernels and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from relight.graph import errors
from relight.graph.graph import ShapeError, get_default_graph
from relight.graph.opdef import op
from relight.ops import array_nodes, call, shape_rules
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant_value
from relight.ops.math import gradient
from relight.ops.shape_rules import all_same, merge_size, same, sizes, with_rank_at_least

_aten = torch.ops.aten

# -- bias ------------------------------------------------------------------------------------------


def _channels_first(node: Any) -> bool:
    return node._attrs.get("data_format", "NHWC").startswith("NC")


def _bias_shape(node: Any) -> list[Any]:
    value = with_rank_at_least(sizes(node, 0), 4 if _channels_first(node) else 2)
    bias = shape_rules.with_rank(sizes(node, 1), 1)
    if value is None or bias is None:
        return [value]
    place = 1 if _channels_first(node) else len(value) - 1
    result = list(value)
    result[place] = merge_size(value[place], bias[0])
    return [tuple(result)]


def _bias(node: Any) -> Any:
    first = _channels_first(node)

    def kernel(value: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        place = 1 if first else -1
        if bias.dim() != 1 or value.dim() < 2 or value.shape[place] != bias.shape[0]:
            raise errors.InvalidArgumentError(
                None,
                None,
                "Must provide as many biases as the last dimension of the input tensor: "
                f"[{','.join(map(str, bias.shape))}] vs. [{','.join(map(str, value.shape))}]",
            )
        if first:
            bias = bias.reshape(-1, *[1] * (value.dim() - 2))
        return value + bias

    return kernel


op("BiasAdd", shape=_bias_shape, specialise=True)(_bias)
op("BiasAddV1", shape=_bias_shape, specialise=True)(_bias)


def _bias_grad_shape(node: Any) -> list[Any]:
    value = sizes(node, 0)
    if value is None:
        return [(None,)]
    value = with_rank_at_least(value, 4 if _channels_first(node) else 2)
    assert value is not None
    return [(value[1 if _channels_first(node) else -1],)]


@op("BiasAddGrad", shape=_bias_grad_shape, specialise=True)
def BiasAddGrad(node: Any) -> Any:
    """The sum over all dimensions but the channels."""
    if _channels_first(node):
        return lambda grad: torch.sum(grad, [0, *range(2, grad.dim())], dtype=grad.dtype)
    return lambda grad: torch.sum(grad, list(range(grad.dim() - 1)), dtype=grad.dtype)


@gradient("BiasAdd")
def _(op, grad):
    return grad, raw.BiasAddGrad(grad, data_format=op._attrs["data_format"])


@gradient("BiasAddV1")
def _(op, grad):
    axes = nodes.range(array_nodes.rank(grad) - 1)
    return grad, nodes.reduce_sum(grad, axes)


@gradient("BiasAddGrad")
def _(op, grad):
    shape = array_nodes.shape(op.inputs[0])
    bias_shape = array_nodes.shape(grad)
    if _channels_first(op):
        expanded = array_nodes.concat(
            [array_nodes.ones_like(shape[:1]), bias_shape, array_nodes.ones_like(shape[2:])], 0
        )
        multiples = array_nodes.concat([shape[:1], [1], shape[2:]], 0)
    else:
        expanded = array_nodes.concat([array_nodes.ones_like(shape[:-1]), bias_shape], 0)
        multiples = array_nodes.concat([shape[:-1], [1]], 0)
    return raw.Tile(array_nodes.reshape(grad, expanded), multiples)


# -- activations -----------------------------------------------------------------------------------

# Klambauer et al., "Self-Normalizing Neural Networks" (2017): lambda, and lambda * alpha.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


def _relu(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x)


def _relu_gradient(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    if x.is_floating_point():
        return _aten.threshold_backward(grad, x, 0)
    return torch.where(x > 0, grad, 0)


def _relu6(x: torch.Tensor) -> torch.Tensor:
    return torch.clamp(x, 0, 6)


def _selu(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x < 0, torch.expm1(x) * _SELU_SCALE_ALPHA, x * _SELU_SCALE)


def _selu_gradient(grad: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.where(y < 0, grad * (y + _SELU_SCALE_ALPHA), grad * _SELU_SCALE)


def _softsign_gradient(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return grad / torch.square(1 + torch.abs(x))


ACTIVATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "Relu": _relu,
    "Relu6": _relu6,
    "Elu": functional.elu,
    "Selu": _selu,
    "Softplus": functional.softplus,
    "Softsign": lambda x: x / (1 + torch.abs(x)),
}

# (gradients, features or outputs) -> gradients of the features.
ACTIVATION_GRADIENTS: dict[str, Callable[..., torch.Tensor]] = {
    "ReluGrad": _relu_gradient,
    "Relu6Grad": lambda grad, x: torch.where((x > 0) & (x < 6), grad, 0),
    "EluGrad": lambda grad, y: torch.where(y < 0, grad * (y + 1), grad),
    "SeluGrad": _selu_gradient,
    "SoftplusGrad": lambda grad, x: grad * torch.sigmoid(x),
    "SoftsignGrad": _softsign_gradient,
}

for _name, _function in ACTIVATIONS.items():
    op(_name, shape=same)(_function)
for _name, _function in ACTIVATION_GRADIENTS.items():
    op(_name, shape=all_same)(_function)


@op("LeakyRelu", shape=same)
def LeakyRelu(x, *, alpha=0.2):
    """x where x > 0, alpha x elsewhere."""
    return functional.leaky_relu(x, alpha)


@op("LeakyReluGrad", shape=all_same)
def LeakyReluGrad(grad, x, *, alpha=0.2):
    """`grad` where x > 0, `alpha grad` elsewhere."""
    return torch.where(x > 0, grad, grad * alpha)


def _zeros_of(x: Any) -> Any:
    return array_nodes.zeros(array_nodes.shape(x), x.dtype)


def _by_output(forward: str, backward: str) -> None:
    @gradient(forward)
    def _(op, grad):
        return getattr(raw, backward)(grad, op.outputs[0])


def _by_input(forward: str, backward: str) -> None:
    @gradient(forward)
    def _(op, grad):
        return getattr(raw, backward)(grad, op.inputs[0])


for _name in ("Relu", "Relu6", "Elu", "Selu"):
    _by_output(_name, _name + "Grad")
_by_input("Softsign", "SoftsignGrad")


def _linear_in_gradient(name: str) -> None:
    @gradient(name)
    def _(op, grad):
        x = op.inputs[1]
        return getattr(raw, name)(grad, x), _zeros_of(x)


_linear_in_gradient("ReluGrad")
_linear_in_gradient("Relu6Grad")


@gradient("LeakyRelu")
def _(op, grad):
    return raw.LeakyReluGrad(grad, op.inputs[0], alpha=op._attrs["alpha"])


@gradient("LeakyReluGrad")
def _(op, grad):
    x = op.inputs[1]
    return raw.LeakyReluGrad(grad, x, alpha=op._attrs["alpha"]), _zeros_of(x)


@gradient("EluGrad")
def _(op, grad):
    y = op.inputs[1]
    first = raw.EluGrad(grad, y)
    return first, raw.Select(y < 0, grad * op.inputs[0], array_nodes.zeros_like(y))


@gradient("SeluGrad")
def _(op, grad):
    y = op.inputs[1]
    first = raw.SeluGrad(grad, y)
    return first, raw.Select(y < 0.0, grad * op.inputs[0], array_nodes.zeros_like(y))


@gradient("Softplus")
def _(op, grad):
    return grad * nodes_sigmoid(op.inputs[0])


def nodes_sigmoid(x: Any, name: str | None = None) -> Any:
    """The node of `tf.sigmoid`."""
    return raw.Sigmoid(x, name=name)


@gradient("SoftplusGrad")
def _(op, grad):
    dy, x = op.inputs
    with get_default_graph().control_dependencies([grad]):
        first = raw.SoftplusGrad(grad, x)
        return first, grad * dy / (raw.Exp(-x) + 2.0 + raw.Exp(x))


# -- softmax ---------------------------------------------------------------------------------------


def _softmax_shape(node: Any) -> list[Any]:
    return [with_rank_at_least(sizes(node, 0), 1)]


# PyTorch takes a row at a time with vectors of 16 numbers, and without vectors when it is shorter.
# Down the columns it takes 16 rows at once: [100, 10] 4 us in place of 9, [1000, 10] 15 of 70.
_VECTOR, _FEWEST_ROWS = 16, 32


def _is_narrow(x: torch.Tensor) -> bool:
    if x.dim() != 2 or x.dtype is not torch.float32 or not x.is_cpu:
        return False
    return 1 < x.shape[1] < _VECTOR and x.shape[0] >= _FEWEST_ROWS


def _row_by_row(function: Callable[..., torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return function(x.t().contiguous(), 0).t() if _is_narrow(x) else function(x, -1)


@op("Softmax", shape=_softmax_shape)
def Softmax(logits):
    """exp(x) / sum(exp(x)) along the last dimension."""
    return _row_by_row(torch.softmax, logits)


@op("LogSoftmax", shape=_softmax_shape)
def LogSoftmax(logits):
    """x - log(sum(exp(x))) along the last dimension."""
    return _row_by_row(torch.log_softmax, logits)


@gradient("Softmax")
def _(op, grad):
    y = op.outputs[0]
    total = nodes.reduce_sum(grad * y, -1, keepdims=True)
    return (grad - total) * y


@gradient("LogSoftmax")
def _(op, grad):
    y = raw.Exp(op.outputs[0])
    return grad - nodes.reduce_sum(grad, -1, keepdims=True) * y


# -- cross entropies -------------------------------------------------------------------------------


def _entropy_shape(node: Any) -> list[Any]:
    logits, labels = sizes(node, 0), sizes(node, 1)
    try:
        both = shape_rules.merge(shape_rules.with_rank(logits, 2), labels)
    except ShapeError:
        both = shape_rules.with_rank(shape_rules.broadcast_sizes(logits, labels), 2)
    assert both is not None
    return [(both[0],), both]


@op("SoftmaxCrossEntropyWithLogits", shape=_entropy_shape)
def SoftmaxCrossEntropyWithLogits(logits, labels):
    """[batch, classes] logits and label distributions -> (loss [batch], gradient of the logits)."""
    if logits.shape != labels.shape:
        try:
            logits, labels = torch.broadcast_tensors(logits, labels)
        except RuntimeError:
            raise errors.InvalidArgumentError(
                None,
                None,
                "logits and labels must be broadcastable: logits_size="
                f"[{','.join(map(str, logits.shape))}] "
                f"labels_size=[{','.join(map(str, labels.shape))}]",
            ) from None
    log_probabilities = LogSoftmax(logits)
    loss = -torch.sum(labels * log_probabilities, 1)
    return loss, torch.exp(log_probabilities).sub_(labels)


def _sparse_entropy_shape(node: Any) -> list[Any]:
    logits = shape_rules.with_rank(sizes(node, 0), 2)
    labels = shape_rules.with_rank(sizes(node, 1), 1)
    assert logits is not None and labels is not None
    batch = merge_size(logits[0], labels[0])
    return [(batch,), (batch, logits[1])]


@op("SparseSoftmaxCrossEntropyWithLogits", shape=_sparse_entropy_shape)
def SparseSoftmaxCrossEntropyWithLogits(logits, labels):
    """[batch, classes] logits and labels [batch] -> (loss [batch], gradient of the logits)."""
    if logits.dim() != 2 or labels.dim() != 1 or logits.shape[0] != labels.shape[0]:
        _refuse_sparse(logits, labels)
    places = labels.long().unsqueeze(1)
    if not call.at_hand(labels):
        return _sparse_losses_on_gpu(logits, places)
    log_probabilities = LogSoftmax(logits)
    try:
        loss = torch.gather(log_probabilities, 1, places).squeeze(1).neg_()
    except RuntimeError:
        _refuse_labels(labels, logits.shape[1])
        raise
    return loss, log_probabilities.exp_().scatter_(1, places, -1.0, reduce="add")


def _sparse_losses_on_gpu(
    logits: torch.Tensor, places: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and gradient; NaN in the rows whose label is none, as TensorFlow has it on a GPU."""
    outside = (places < 0) | (places >= logits.shape[1])
    places = places.masked_fill(outside, 0)
    log_probabilities = torch.log_softmax(logits, 1)
    loss = torch.gather(log_probabilities, 1, places).neg_().masked_fill_(outside, torch.nan)
    backprop = torch.exp(log_probabilities)
    backprop.scatter_add_(1, places, backprop.new_full((), -1.0).expand(places.shape))
    return loss.squeeze(1), backprop.masked_fill_(outside, torch.nan)


def _refuse_sparse(logits: torch.Tensor, labels: torch.Tensor) -> None:
    shape = ",".join(map(str, logits.shape))
    if logits.dim() != 2:
        what = f"logits must be 2-D, but got shape [{shape}]"
    elif labels.dim() != 1:
        what = f"labels must be 1-D, but got shape [{','.join(map(str, labels.shape))}]"
    else:
        what = (
            f"logits and labels must have the same first dimension, got logits shape [{shape}] and "
            f"labels shape [{labels.shape[0]}]"
        )
    raise errors.InvalidArgumentError(None, None, what)


def _refuse_labels(labels: torch.Tensor, classes: int) -> None:
    values = labels.tolist()
    if values:
        bad = min(values) if min(values) < 0 else max(values)
        if not 0 <= bad < classes:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Received a label value of {bad} which is outside the valid range of "
                f"[0, {classes}).  Label values: {' '.join(map(str, values))}"
                f"\n\t row {values.index(bad)} of {len(values)} has the label {bad}",
            ) from None


def _weigh_rows(vector: Any, matrix: Any) -> Any:
    return raw.ExpandDims(vector, -1) * matrix


def _is_zero(grad: Any) -> bool:
    if grad.op.type in ("ZerosLike", "Zeros"):
        return True
    value = constant_value(grad)
    return value is not None and bool((value == 0).all())


@gradient("SoftmaxCrossEntropyWithLogits")
def _(op, loss_grad, backprop_grad):
    logits = op.inputs[0]
    grad = _weigh_rows(loss_grad, op.outputs[1])
    if backprop_grad is not None and not _is_zero(backprop_grad):
        softmax = raw.Softmax(logits)
        product = nodes.matmul(raw.ExpandDims(backprop_grad, 1), raw.ExpandDims(softmax, 2))
        grad += (backprop_grad - array_nodes.squeeze(product, axis=1)) * softmax
    return grad, _weigh_rows(loss_grad, -raw.LogSoftmax(logits))


@gradient("SparseSoftmaxCrossEntropyWithLogits")
def _(op, loss_grad, _):
    once = raw.PreventGradient(
        op.outputs[1],
        message="Currently there is no way to take the second derivative of "
        "sparse_softmax_cross_entropy_with_logits due to the fused implementation's interaction "
        "with tf.gradients()",
    )
    return _weigh_rows(loss_grad, once), None


# -- sums of squares -------------------------------------------------------------------------------


@op("L2Loss", shape=shape_rules.scalar)
def L2Loss(t):
    """sum(t ** 2) / 2."""
    flat = t.reshape(-1)
    return torch.dot(flat, flat) / 2


@gradient("L2Loss")
def _(op, grad):
    return op.inputs[0] * grad
