"""Gradients of element-wise maths of two inputs, with TensorFlow's nodes."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.broadcast_gradients import gradient_axes, same_known_shape, smart_axes, summed
from relight.ops.build import raw
from relight.ops.math import gradient


def _after(grad: Any) -> Any:
    return get_default_graph().control_dependencies([grad])


@gradient("Add", "AddV2")
def _(op, grad):
    x, y = op.inputs
    if isinstance(grad, Tensor) and same_known_shape(x, y, grad):
        return grad, grad
    (sx, rx, reduce_x), (sy, ry, reduce_y) = smart_axes(x, y, grad)
    gx = summed(grad, rx, sx) if reduce_x else grad
    gy = summed(grad, ry, sy) if reduce_y else grad
    return gx, gy


@gradient("Sub")
def _(op, grad):
    x, y = op.inputs
    if isinstance(grad, Tensor) and same_known_shape(x, y, grad):
        return grad, -grad
    (sx, rx, reduce_x), (sy, ry, reduce_y) = smart_axes(x, y, grad)
    gx = summed(grad, rx, sx) if reduce_x else grad
    gy = summed(-grad, ry, sy) if reduce_y else -grad
    return gx, gy


@gradient("Mul")
def _(op, grad):
    x, y = op.inputs
    if (
        isinstance(grad, Tensor)
        and same_known_shape(x, y, grad)
        and grad.dtype in (dtypes.int32, dtypes.float32)
    ):
        return raw.Mul(grad, y), raw.Mul(grad, x)
    (sx, rx, reduce_x), (sy, ry, reduce_y) = smart_axes(x, y, grad)
    x, y = nodes.conj(x), nodes.conj(y)
    gx = raw.Mul(grad, y)
    if reduce_x:
        gx = summed(gx, rx, sx)
    gy = raw.Mul(x, grad)
    if reduce_y:
        gy = summed(gy, ry, sy)
    return gx, gy


@gradient("MulNoNan")
def _(op, grad):
    x, y = op.inputs
    if isinstance(grad, Tensor) and same_known_shape(x, y, grad):
        return raw.MulNoNan(grad, y), raw.MulNoNan(x, grad)
    sx, rx, sy, ry = gradient_axes(x, y)
    return summed(raw.MulNoNan(grad, y), rx, sx), summed(raw.MulNoNan(x, grad), ry, sy)


def _quotient(divide: Any) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        x, y = op.inputs
        sx, rx, sy, ry = gradient_axes(x, y)
        x, y = nodes.conj(x), nodes.conj(y)
        gx = summed(divide(grad, y), rx, sx)
        return gx, summed(grad * divide(divide(-x, y), y), ry, sy)

    return rule


gradient("Div")(_quotient(nodes.divide))
gradient("RealDiv")(_quotient(raw.RealDiv))
gradient("DivNoNan")(_quotient(nodes.div_no_nan))


@gradient("FloorDiv", "TruncateDiv")
def _(op, grad):
    return None, None


@gradient("FloorMod")
def _(op, grad):
    x, y = nodes.conj(op.inputs[0]), nodes.conj(op.inputs[1])
    sx, rx, sy, ry = gradient_axes(x, y)
    quotient = raw.FloorDiv(x, y)
    gx = summed(grad, rx, sx)
    return gx, summed(grad * raw.Neg(quotient), ry, sy)


@gradient("Pow")
def _(op, grad):
    x, y = op.inputs
    (sx, rx, reduce_x), (sy, ry, reduce_y) = smart_axes(x, y, grad)
    x, y = nodes.conj(x), nodes.conj(y)
    gx = grad * y * nodes.pow(x, y - 1)
    if reduce_x:
        gx = summed(gx, rx, sx)
    z = nodes.conj(op.outputs[0])
    # Where x is not positive there is no real logarithm: 0 stands for it.
    mask = raw.NotEqual(x, 0) if x.dtype.is_complex else x > 0
    safe = raw.Select(mask, x, array_nodes.ones_like(x))
    log_x = raw.Select(mask, raw.Log(safe), array_nodes.zeros_like(x))
    gy = grad * z * log_x
    if reduce_y:
        gy = summed(gy, ry, sy)
    return gx, gy


def _selection(select: Any) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        x, y = op.inputs
        sx, sy = array_nodes.shape(x), array_nodes.shape(y)
        zeros = array_nodes.zeros(array_nodes.shape(grad), grad.dtype)
        mask = select(x, y)
        rx, ry = raw.BroadcastGradientArgs(sx, sy)
        gx = summed(raw.Select(mask, grad, zeros), rx, sx)
        return gx, summed(raw.Select(mask, zeros, grad), ry, sy)

    return rule


gradient("Maximum")(_selection(raw.GreaterEqual))
gradient("Minimum")(_selection(raw.LessEqual))


@gradient("SquaredDifference")
def _(op, grad):
    x, y = op.inputs
    with _after(grad):
        x_grad = nodes.scalar_mul(2.0, grad) * (x - y)
    if isinstance(grad, Tensor) and same_known_shape(x, y, grad):
        return x_grad, -x_grad
    (sx, rx, reduce_x), (sy, ry, reduce_y) = smart_axes(x, y, grad)
    gx = summed(x_grad, rx, sx) if reduce_x else x_grad
    gy = -summed(x_grad, ry, sy) if reduce_y else -x_grad
    return gx, gy


@gradient("Atan2")
def _(op, grad):
    y, x = op.inputs
    with _after(grad):
        inverse = grad / (raw.Square(x) + raw.Square(y))
        return x * inverse, -y * inverse


def _where_not_zero(x: Any) -> Any:
    return nodes.cast(raw.NotEqual(x, nodes.cast(0.0, dtype=x.dtype)), dtype=x.dtype)


@gradient("Xlogy")
def _(op, grad):
    x, y = op.inputs
    sx, rx, sy, ry = gradient_axes(x, y)
    with _after(grad):
        partial_x = raw.Xlogy(_where_not_zero(x), y)
        partial_y = raw.Xdivy(x, y)
        return summed(partial_x * grad, rx, sx), summed(partial_y * grad, ry, sy)


@gradient("Xdivy")
def _(op, grad):
    x, y = op.inputs
    sx, rx, sy, ry = gradient_axes(x, y)
    with _after(grad):
        partial_x = raw.Xdivy(_where_not_zero(x), y)
        partial_y = raw.Xdivy(raw.Neg(x), y**2)
        return summed(partial_x * grad, rx, sx), summed(partial_y * grad, ry, sy)


def _igamma(op: Any, grad: Any) -> Any:
    a, x = op.inputs
    sa, ra, sx, rx = gradient_axes(a, x)
    with _after(grad):
        partial_a = raw.IgammaGradA(a, x)
        # In log space, since Gamma(a) can be large.
        partial_x = raw.Exp(-x + (a - 1) * raw.Log(x) - raw.Lgamma(a))
        return summed(partial_a * grad, ra, sa), summed(partial_x * grad, rx, sx)


gradient("Igamma")(_igamma)


@gradient("Igammac")
def _(op, grad):
    grad_a, grad_x = _igamma(op, grad)
    return -grad_a, -grad_x


@gradient("Betainc")
def _(op, grad):
    a, b, x = op.inputs
    sa, sx = array_nodes.shape(a), array_nodes.shape(x)
    _, rx = raw.BroadcastGradientArgs(sa, sx)
    log_beta = raw.Lgamma(a) + raw.Lgamma(b) - raw.Lgamma(a + b)
    partial_x = raw.Exp((b - 1) * raw.Log(1 - x) + (a - 1) * raw.Log(x) - log_beta)
    return None, None, summed(partial_x * grad, rx, sx)


@gradient("Zeta")
def _(op, grad):
    x, q = op.inputs
    _, _, sq, rq = gradient_axes(x, q)
    with _after(grad):
        x, q = nodes.conj(x), nodes.conj(q)
        partial_q = -x * raw.Zeta(x + 1, q)
        return None, summed(partial_q * grad, rq, sq)


@gradient("Polygamma")
def _(op, grad):
    n, x = op.inputs
    _, _, sx, rx = gradient_axes(n, x)
    with _after(grad):
        n, x = nodes.conj(n), nodes.conj(x)
        partial_x = raw.Polygamma(n + 1, x)
        return None, summed(partial_x * grad, rx, sx)


@gradient("Complex")
def _(op, grad):
    x, y = op.inputs
    sx, rx, sy, ry = gradient_axes(x, y)
    return summed(nodes.real(grad), rx, sx), summed(nodes.imag(grad), ry, sy)


@gradient("NextAfter")
def _(op, grad):
    x1, x2 = op.inputs
    s1, r1, s2, r2 = gradient_axes(x1, x2)
    with _after(grad):
        partial_1 = array_nodes.ones(s1, dtype=x1.dtype)
        partial_2 = array_nodes.zeros(s2, dtype=x2.dtype)
        return summed(partial_1 * grad, r1, s1), summed(partial_2 * grad, r2, s2)


@gradient("Select")
def _(op, grad):
    condition, x = op.inputs[0], op.inputs[1]
    zeros = array_nodes.zeros_like(x)
    return None, raw.Select(condition, grad, zeros), raw.Select(condition, zeros, grad)


@gradient("SelectV2")
def _(op, grad):
    condition, x, y = op.inputs
    zero = array_nodes.zeros([], dtype=grad.dtype.base_dtype)
    gx = raw.SelectV2(condition, grad, zero)
    x_shape = array_nodes.shape(x)
    output_shape = array_nodes.shape(op.outputs[0])
    reduce_x, _ = raw.BroadcastGradientArgs(x_shape, output_shape)
    gx = nodes.reduce_sum(gx, keepdims=True, axis=reduce_x)
    gx = raw.Reshape(gx, x_shape)
    gy = raw.SelectV2(condition, zero, grad)
    y_shape = array_nodes.shape(y)
    reduce_y, _ = raw.BroadcastGradientArgs(y_shape, output_shape)
    gy = nodes.reduce_sum(gy, keepdims=True, axis=reduce_y)
    return None, gx, raw.Reshape(gy, y_shape)


@gradient("AddN", "AccumulateNV2")
def _(op, grad):
    return [grad] * len(op.inputs)


@gradient("Cross")
def _(op, grad):
    u, v = op.inputs
    return raw.Cross(v, grad), raw.Cross(grad, u)


@gradient("Cumsum")
def _(op, grad):
    attrs = op._attrs
    return [
        nodes.cumsum(
            grad, op.inputs[1], exclusive=attrs["exclusive"], reverse=not attrs["reverse"]
        ),
        None,
    ]


@gradient("Cumprod")
def _(op, grad):
    x, axis = op.inputs
    exclusive, reverse = op._attrs["exclusive"], op._attrs["reverse"]
    product = nodes.cumprod(x, axis, exclusive=exclusive, reverse=reverse)
    out = nodes.cumsum(product * grad, axis, exclusive=exclusive, reverse=not reverse)
    return [out / x, None]


@gradient("CumulativeLogsumexp")
def _(op, grad):
    x, axis = op.inputs
    result = op.outputs[0]
    exclusive, reverse = op._attrs["exclusive"], op._attrs["reverse"]
    # The positive and the negative part of the gradient apart, so that both have logarithms.
    positive = raw.SelectV2(raw.Greater(grad, 0), raw.Log(grad), grad.dtype.min)
    negative = raw.SelectV2(raw.Less(grad, 0), raw.Log(-grad), grad.dtype.min)

    def part(log_grad: Any) -> Any:
        total = nodes.cumulative_logsumexp(
            log_grad - result, axis=axis, reverse=not reverse, exclusive=exclusive
        )
        return raw.Exp(total + x)

    return [part(positive) - part(negative), None]
