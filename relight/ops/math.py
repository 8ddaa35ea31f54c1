"""Element-wise maths of one input: kernels, and gradients with TensorFlow's nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from relight.graph import dtypes
from relight.graph.graph import get_default_graph
from relight.graph.opdef import not_differentiable, op, record
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.ops.shape_rules import same
from relight.ops.state import torch_dtype
from relight.ops.vector_math import quickest

Unary = Callable[[torch.Tensor], torch.Tensor]


def _of_float(function: Unary) -> Unary:
    """A function that torch has for real types only up to double, computed for half in float32."""

    def kernel(x: torch.Tensor) -> torch.Tensor:
        if x.dtype in (torch.float16, torch.bfloat16):
            return function(x.float()).to(x.dtype)
        return function(x)

    return kernel


def _sign(x: torch.Tensor) -> torch.Tensor:
    """x / |x|, and 0 at 0 and for NaN."""
    return torch.sgn(x) if x.is_complex() else torch.sign(x)


def _round_half_even(x: torch.Tensor) -> torch.Tensor:
    return torch.round(x) if x.is_floating_point() else x.clone()


def _digamma(x: torch.Tensor) -> torch.Tensor:
    """Digamma; at 0 and the negative integers, its poles, TensorFlow gives infinity."""
    pole = (x <= 0) & (x == torch.floor(x))
    return torch.where(pole, math.inf, torch.digamma(x))


def _population_count(x: torch.Tensor) -> torch.Tensor:
    bits = x.element_size() * 8
    wide = x.to(torch.int64)
    if bits < 64:
        wide = wide & ((1 << bits) - 1)
    # The sum of each field of bits by the masks of Hacker's Delight (Warren), figure 5-2; the top
    # bit is taken apart first, since shifts of negative numbers would fill with ones.
    top = (wide < 0).to(torch.int64)
    v = wide & 0x7FFFFFFFFFFFFFFF
    v = v - ((v >> 1) & 0x5555555555555555)
    v = (v & 0x3333333333333333) + ((v >> 2) & 0x3333333333333333)
    v = (v + (v >> 4)) & 0x0F0F0F0F0F0F0F0F
    v = v + (v >> 8)
    v = v + (v >> 16)
    v = (v + (v >> 32)) & 0x7F
    return (v + top).to(torch.uint8)


def _unsigned(function: Unary) -> Unary:
    """A bit operation; wide unsigned types, for which torch lacks it, as signed ones."""

    def kernel(x: torch.Tensor) -> torch.Tensor:
        signed = SIGNED.get(x.dtype)
        return function(x) if signed is None else function(x.view(signed)).view(x.dtype)

    return kernel


SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


UNARY: dict[str, Unary] = {
    "Abs": torch.abs,
    "Neg": torch.neg,
    "Inv": torch.reciprocal,
    "Reciprocal": torch.reciprocal,
    "Square": torch.square,
    "Sqrt": torch.sqrt,
    "Rsqrt": torch.rsqrt,
    "Exp": torch.exp,
    "Expm1": torch.expm1,
    "Log": quickest("log"),
    "Log1p": torch.log1p,
    "Sin": quickest("sin"),
    "Cos": quickest("cos"),
    "Tan": quickest("tan"),
    "Asin": quickest("asin"),
    "Acos": quickest("acos"),
    "Atan": quickest("atan"),
    "Sinh": quickest("sinh"),
    "Cosh": quickest("cosh"),
    "Tanh": quickest("tanh"),
    "Asinh": quickest("asinh"),
    "Acosh": quickest("acosh"),
    "Atanh": quickest("atanh"),
    "Sigmoid": torch.sigmoid,
    "Sign": _sign,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Rint": torch.round,
    "Round": _round_half_even,
    "Erf": torch.erf,
    "Erfc": torch.erfc,
    "Lgamma": _of_float(torch.lgamma),
    "Digamma": _of_float(_digamma),
    "BesselI0e": _of_float(torch.special.i0e),
    "BesselI1e": _of_float(torch.special.i1e),
    "IsNan": torch.isnan,
    "IsInf": torch.isinf,
    "IsFinite": torch.isfinite,
    "LogicalNot": torch.logical_not,
    "Invert": _unsigned(torch.bitwise_not),
    "PopulationCount": _population_count,
    "Conj": torch.conj_physical,
    "ComplexAbs": torch.abs,
    "Angle": torch.angle,
    "Real": lambda x: torch.real(x).clone(),
    "Imag": lambda x: torch.imag(x).clone(),
}

# Integer inputs that torch would turn into floats.
_INTEGER: dict[str, Unary] = {
    "Inv": lambda x: torch.div(1, x, rounding_mode="trunc"),
    "Reciprocal": lambda x: torch.div(1, x, rounding_mode="trunc"),
}


def _kernel(name: str, function: Unary) -> Callable[[Any], Unary]:
    def specialise(node: Any) -> Unary:
        if name in _INTEGER and node._inputs[0].dtype.is_integer:
            return _INTEGER[name]
        return function

    specialise.__doc__ = f"{name}, element by element."
    return specialise


for _name, _function in UNARY.items():
    op(_name, shape=same, specialise=True)(_kernel(_name, _function))


@op("Cast", shape=same, specialise=True)
def Cast(node: Any) -> Unary:
    """Another element type: truncation towards 0, `!= 0` for bool, the real part of complex."""
    source, target = node._attrs["SrcT"], torch_dtype(node._attrs["DstT"])
    if source.is_complex and not node._attrs["DstT"].is_complex:
        if node._attrs["DstT"].is_bool:
            return lambda x: x != 0
        return lambda x: torch.real(x).to(target, copy=True)
    if source.is_floating and node._attrs["DstT"].is_unsigned:
        # C++ converts by way of a wider signed integer: negative numbers wrap around.
        return lambda x: x.to(torch.int64).to(target)
    return lambda x: x.to(target, copy=True)


# -- gradients that are ops of their own: f'(x) from y = f(x) -------------------------------------


def _conj(x: torch.Tensor) -> torch.Tensor:
    return x.conj() if x.is_complex() else x


_OF_OUTPUT: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "InvGrad": lambda y, dy: dy * -(_conj(y) * _conj(y)),
    "ReciprocalGrad": lambda y, dy: dy * -(_conj(y) * _conj(y)),
    "SqrtGrad": lambda y, dy: dy * 0.5 / _conj(y),
    "RsqrtGrad": lambda y, dy: dy * -0.5 * (_conj(y) * _conj(y) * _conj(y)),
    "SigmoidGrad": lambda y, dy: (  # these two take y conjugated already
        dy * y * (1 - y) if y.is_complex() else torch.ops.aten.sigmoid_backward(dy, y)
    ),
    "TanhGrad": lambda y, dy: (
        dy * (1 - y * y) if y.is_complex() else torch.ops.aten.tanh_backward(dy, y)
    ),
}


def _constant_function(function: Any) -> Callable[[Any], Any]:
    return lambda node: function


for _name, _function in _OF_OUTPUT.items():
    op(_name, shape=same, specialise=True)(_constant_function(_function))

Rule = Callable[..., Any]


def gradient(*names: str) -> Callable[[Rule], Rule]:
    """Decorator: the same gradient rule for several ops."""

    def register(rule: Rule) -> Rule:
        for name in names:
            record(name).gradient(rule)
        return rule

    return register


def _after(grad: Any) -> Any:
    """Nodes that are only needed once the gradient is there wait for it."""
    return get_default_graph().control_dependencies([grad])


def _of_input(name: str) -> Callable[[Callable[[Any, Any], Any]], Any]:
    """Decorator for a rule `(x, grad)` of the conjugated input, run after the gradient."""

    def register(rule: Callable[[Any, Any], Any]) -> Any:
        def gradients(node: Any, grad: Any) -> Any:
            with _after(grad):
                return rule(nodes.conj(node.inputs[0]), grad)

        record(name).gradient(gradients)
        return rule

    return register


def _of_result(name: str) -> Callable[[Callable[[Any, Any], Any]], Any]:
    """Decorator for a rule `(y, grad)` of the conjugated output, run after the gradient."""

    def register(rule: Callable[[Any, Any], Any]) -> Any:
        def gradients(node: Any, grad: Any) -> Any:
            with _after(grad):
                return rule(nodes.conj(node.outputs[0]), grad)

        record(name).gradient(gradients)
        return rule

    return register


def _one(x: Any) -> Any:
    return constant(1, dtype=x.dtype)


@gradient("Abs")
def _(op, grad):
    return grad * raw.Sign(op.inputs[0])


@gradient("Neg")
def _(op, grad):
    return -grad


@gradient("Inv", "Reciprocal")
def _(op, grad):
    return raw.ReciprocalGrad(op.outputs[0], grad)


@gradient("InvGrad", "ReciprocalGrad")
def _(op, grad):
    b = op.inputs[1]
    with _after(grad):
        ca, cg = nodes.conj(op.inputs[0]), nodes.conj(grad)
        return cg * -2.0 * b * ca, raw.ReciprocalGrad(ca, grad)


@_of_input("Square")
def _(x, grad):
    two = constant(2.0, dtype=x.dtype)
    return raw.Mul(grad, raw.Mul(x, two))


@gradient("Sqrt")
def _(op, grad):
    return raw.SqrtGrad(op.outputs[0], grad)


@gradient("SqrtGrad")
def _(op, grad):
    a, y = op.inputs[0], op.outputs[0]
    with _after(grad):
        ga = grad / a
        return -nodes.conj(ga) * y, 0.5 * ga


@gradient("Rsqrt")
def _(op, grad):
    return raw.RsqrtGrad(op.outputs[0], grad)


@gradient("RsqrtGrad")
def _(op, grad):
    a, b = op.inputs[0], op.inputs[1]
    with _after(grad):
        ca, cg = nodes.conj(a), nodes.conj(grad)
        grad_a = -1.5 * cg * b * raw.Square(ca)
        return grad_a, raw.RsqrtGrad(ca, grad)


@_of_result("Exp")
def _(y, grad):
    return grad * y


@_of_input("Expm1")
def _(x, grad):
    return grad * raw.Exp(x)


@_of_input("Log")
def _(x, grad):
    return grad * raw.Reciprocal(x)


@_of_input("Log1p")
def _(x, grad):
    return grad * raw.Reciprocal(1 + x)


@_of_input("Sinh")
def _(x, grad):
    return grad * raw.Cosh(x)


@_of_input("Cosh")
def _(x, grad):
    return grad * raw.Sinh(x)


@_of_result("Tanh")
def _(y, grad):
    return raw.TanhGrad(y, grad)


@_of_result("Sigmoid")
def _(y, grad):
    return raw.SigmoidGrad(y, grad)


@_of_result("Asinh")
def _(y, grad):
    return grad / raw.Cosh(y)


@_of_result("Acosh")
def _(y, grad):
    return grad / raw.Sinh(y)


@_of_input("Atanh")
def _(x, grad):
    x2 = raw.Square(x)
    inverse = raw.Reciprocal(raw.Sub(_one(grad), x2))
    return grad * inverse


@gradient("TanhGrad")
def _(op, grad):
    with _after(grad):
        a, b = nodes.conj(op.inputs[0]), nodes.conj(op.inputs[1])
        return grad * -2.0 * b * a, raw.TanhGrad(a, grad)


@gradient("SigmoidGrad")
def _(op, grad):
    with _after(grad):
        a, b = nodes.conj(op.inputs[0]), nodes.conj(op.inputs[1])
        gb = grad * b
        return gb - 2.0 * gb * a, raw.SigmoidGrad(a, grad)


def _error_function(name: str, sign: int) -> None:
    def rule(op: Any, grad: Any) -> Any:
        factor = constant(sign * 2 / math.sqrt(math.pi), dtype=grad.dtype)
        with _after(grad):
            x = nodes.conj(op.inputs[0])
            return grad * factor * raw.Exp(-raw.Square(x))

    record(name).gradient(rule)


_error_function("Erf", 1)
_error_function("Erfc", -1)


@_of_input("Lgamma")
def _(x, grad):
    return grad * raw.Digamma(x)


@_of_input("Digamma")
def _(x, grad):
    return grad * raw.Polygamma(constant(1, dtype=x.dtype), x)


@gradient("BesselI0e")
def _(op, grad):
    x, y = op.inputs[0], op.outputs[0]
    with _after(grad):
        return grad * (raw.BesselI1e(x) - raw.Sign(x) * y)


@gradient("BesselI1e")
def _(op, grad):
    x, y = op.inputs[0], op.outputs[0]
    with _after(grad):  # at x = 0 the limit 1/2 stands for 0/0
        eps = _epsilon(x.dtype)
        zeros = array_nodes.zeros_like(x)
        large = nodes.abs(x) > eps
        safe = raw.Select(large, x, eps + zeros)
        slope = raw.BesselI0e(safe) - y * (raw.Sign(safe) + raw.Reciprocal(safe))
        return grad * raw.Select(large, slope, 0.5 + zeros)


def _epsilon(dtype: dtypes.DType) -> float:
    return torch.finfo(torch_dtype(dtype)).eps


@gradient("Sign")
def _(op, grad):
    x = op.inputs[0]
    return array_nodes.zeros(array_nodes.shape(x), dtype=x.dtype)


@_of_input("Sin")
def _(x, grad):
    return grad * raw.Cos(x)


@_of_input("Cos")
def _(x, grad):
    return -grad * raw.Sin(x)


@_of_input("Tan")
def _(x, grad):
    return raw.Square(raw.Reciprocal(raw.Cos(x))) * grad


@_of_input("Asin")
def _(x, grad):
    x2 = raw.Square(x)
    return grad * raw.Reciprocal(raw.Sqrt(raw.Sub(_one(grad), x2)))


@_of_input("Acos")
def _(x, grad):
    x2 = raw.Square(x)
    inverse = raw.Reciprocal(raw.Sqrt(raw.Sub(_one(grad), x2)))
    return -grad * inverse


@_of_input("Atan")
def _(x, grad):
    x2 = raw.Square(x)
    return grad * raw.Reciprocal(raw.Add(_one(grad), x2))


@gradient("Floor", "Ceil", "Round", "Rint")
def _(op, grad):
    return [None]


@gradient("Real")
def _(op, grad):
    return nodes.complex(grad, constant(0, dtype=grad.dtype))


@gradient("Imag")
def _(op, grad):
    return nodes.complex(constant(0, dtype=grad.dtype), grad)


@gradient("Angle")
def _(op, grad):
    x = op.inputs[0]
    with _after(grad):
        re, im = nodes.real(x), nodes.imag(x)
        z = raw.Reciprocal(nodes.complex(im, re))
        zero = constant(0, dtype=grad.dtype)
        return -nodes.complex(grad, zero) * z


@gradient("Conj")
def _(op, grad):
    return nodes.conj(grad)


@gradient("ComplexAbs")
def _(op, grad):
    y = op.outputs[0]
    product = nodes.complex(grad, array_nodes.zeros_like(grad)) * op.inputs[0]
    return nodes.div_no_nan(product, nodes.complex(y, array_nodes.zeros_like(y)))


@gradient("Cast")
def _(op, grad):
    source, target = op.inputs[0].dtype.base_dtype, grad.dtype.base_dtype
    if all(t.is_floating or t.is_complex for t in (source, target)):
        return nodes.cast(grad, source)
    return None


not_differentiable("IsNan", "IsInf", "IsFinite", "LogicalNot", "Invert", "PopulationCount")
