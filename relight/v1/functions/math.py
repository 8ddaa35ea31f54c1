"""Element-wise maths, sums, counts: the public functions of `tf.math` that ops do not need.

Functions that are one node each are the node's builder under a public name; their arguments are
the op's inputs, then its attrs, then `name`. `relight.ops.math_nodes` holds those that gradient
rules use too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.ops.gradients import dense

acos = export("math.acos", "acos")(raw.Acos)
acosh = export("math.acosh", "acosh")(raw.Acosh)
add = export("math.add", "add")(raw.Add)
asin = export("math.asin", "asin")(raw.Asin)
asinh = export("math.asinh", "asinh")(raw.Asinh)
atan = export("math.atan", "atan")(raw.Atan)
atan2 = export("math.atan2", "atan2")(raw.Atan2)
atanh = export("math.atanh", "atanh")(raw.Atanh)
bessel_i0e = export("math.bessel_i0e")(raw.BesselI0e)
bessel_i1e = export("math.bessel_i1e")(raw.BesselI1e)
betainc = export("math.betainc", "betainc")(raw.Betainc)
ceil = export("math.ceil", "ceil")(raw.Ceil)
cos = export("math.cos", "cos")(raw.Cos)
cosh = export("math.cosh", "cosh")(raw.Cosh)
digamma = export("math.digamma", "digamma")(raw.Digamma)
erf = export("math.erf", "erf")(raw.Erf)
erfc = export("math.erfc", "erfc")(raw.Erfc)
exp = export("math.exp", "exp")(raw.Exp)
expm1 = export("math.expm1", "expm1")(raw.Expm1)
floor = export("math.floor", "floor")(raw.Floor)
floor_div = export("floor_div")(raw.FloorDiv)
floor_mod = export("math.floormod", "floormod", "math.mod", "mod")(raw.FloorMod)
greater = export("math.greater", "greater")(raw.Greater)
greater_equal = export("math.greater_equal", "greater_equal")(raw.GreaterEqual)
igamma = export("math.igamma", "igamma")(raw.Igamma)
igammac = export("math.igammac", "igammac")(raw.Igammac)
is_finite = export("math.is_finite", "debugging.is_finite", "is_finite")(raw.IsFinite)
is_inf = export("math.is_inf", "debugging.is_inf", "is_inf")(raw.IsInf)
is_nan = export("math.is_nan", "debugging.is_nan", "is_nan")(raw.IsNan)
less = export("math.less", "less")(raw.Less)
less_equal = export("math.less_equal", "less_equal")(raw.LessEqual)
lgamma = export("math.lgamma", "lgamma")(raw.Lgamma)
lin_space = export("lin_space", "linspace")(raw.LinSpace)
log = export("math.log", "log")(raw.Log)
log1p = export("math.log1p", "log1p")(raw.Log1p)
logical_and = export("math.logical_and", "logical_and")(raw.LogicalAnd)
logical_not = export("math.logical_not", "logical_not")(raw.LogicalNot)
logical_or = export("math.logical_or", "logical_or")(raw.LogicalOr)
maximum = export("math.maximum", "maximum")(raw.Maximum)
minimum = export("math.minimum", "minimum")(raw.Minimum)
neg = export("math.negative", "negative")(raw.Neg)
next_after = export("math.nextafter")(raw.NextAfter)
polygamma = export("math.polygamma", "polygamma")(raw.Polygamma)
real_div = export("realdiv")(raw.RealDiv)
reciprocal = export("math.reciprocal", "reciprocal")(raw.Reciprocal)
rint = export("math.rint", "rint")(raw.Rint)
rsqrt = export("math.rsqrt", "rsqrt")(raw.Rsqrt)
sign = export("math.sign", "sign")(raw.Sign)
sin = export("math.sin", "sin")(raw.Sin)
sinh = export("math.sinh", "sinh")(raw.Sinh)
sqrt = export("math.sqrt", "sqrt")(raw.Sqrt)
square = export("math.square", "square")(raw.Square)
squared_difference = export("math.squared_difference", "squared_difference")(raw.SquaredDifference)
tan = export("math.tan", "tan")(raw.Tan)
tanh = export("math.tanh", "nn.tanh", "tanh")(raw.Tanh)
truncate_div = export("truncatediv")(raw.TruncateDiv)
truncate_mod = export("truncatemod")(raw.TruncateMod)
xdivy = export("math.xdivy")(raw.Xdivy)
xlogy = export("math.xlogy")(raw.Xlogy)
zeta = export("math.zeta", "zeta")(raw.Zeta)
bitwise_and = export("bitwise.bitwise_and")(raw.BitwiseAnd)
bitwise_or = export("bitwise.bitwise_or")(raw.BitwiseOr)
bitwise_xor = export("bitwise.bitwise_xor")(raw.BitwiseXor)
invert = export("bitwise.invert")(raw.Invert)
left_shift = export("bitwise.left_shift")(raw.LeftShift)
right_shift = export("bitwise.right_shift")(raw.RightShift)


@export("math.equal", "equal")
def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Whether x == y, element by element."""
    return raw.Equal(x, y, name=name)


@export("math.not_equal", "not_equal")
def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Whether x != y, element by element."""
    return raw.NotEqual(x, y, name=name)


@export("math.multiply", "multiply")
def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x * y`, element by element."""
    return raw.Mul(x, y, name=name)


@export("math.subtract", "subtract")
def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x - y`, element by element."""
    return raw.Sub(x, y, name=name)


@export("math.sigmoid", "nn.sigmoid", "sigmoid")
def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """`1 / (1 + exp(-x))`."""
    with name_scope(name, "Sigmoid", [x]) as scope:
        return raw.Sigmoid(convert_to_tensor(x, name="x"), name=scope)


@export("math.log_sigmoid", "log_sigmoid")
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the sigmoid, without overflow: `-softplus(-x)`."""
    with name_scope(name, "LogSigmoid", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return raw.Neg(raw.Softplus(-x), name=scope)


@export("math.round", "round")
def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest integer, the even one of two at equal distance; integers stay as they are."""
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.is_integer else raw.Round(x, name=name)


@export("math.angle", "angle")
def angle(input: Any, name: str | None = None) -> Tensor:
    """The argument of complex numbers, in (-pi, pi]; zeros for a real tensor."""
    with name_scope(name, "Angle", [input]) as scope:
        x = convert_to_tensor(input, name="input")
        if x.dtype.is_complex:
            return raw.Angle(x, Tout=x.dtype.real_dtype, name=scope)
        return array_nodes.zeros_like(x)


@export("math.reciprocal_no_nan")
def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """`1 / x`, and 0 where x is 0."""
    with name_scope(name, "reciprocal_no_nan", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        one = constant(1, dtype=x.dtype.base_dtype, name="one")
        return raw.DivNoNan(one, x, name=scope)


@export("math.polyval")
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The polynomial with the coefficients `coeffs`, highest first, at x (by Horner's rule)."""
    with name_scope(name, "polyval", [*coeffs, x]) as scope:
        x = convert_to_tensor(x, name="x")
        if len(coeffs) < 1:
            return array_nodes.zeros_like(x, name=scope)
        factors = [convert_to_tensor(c, name=f"coeff_{i}") for i, c in enumerate(coeffs)]
        total = factors[0]
        for factor in factors[1:]:
            total = factor + total * x
        return total


# -- types -----------------------------------------------------------------------------------------


def _caster(dtype: Any, default: str) -> Callable[..., Any]:
    def to_type(x: Any, name: str = default) -> Any:
        return nodes.cast(x, dtype, name=name)

    to_type.__doc__ = f"`x` with elements of type {dtype.name}."
    to_type.__name__ = default
    return to_type


to_float = export("to_float")(_caster(dtypes.float32, "ToFloat"))
to_double = export("to_double")(_caster(dtypes.float64, "ToDouble"))
to_int32 = export("to_int32")(_caster(dtypes.int32, "ToInt32"))
to_int64 = export("to_int64")(_caster(dtypes.int64, "ToInt64"))
to_bfloat16 = export("to_bfloat16")(_caster(dtypes.bfloat16, "ToBFloat16"))
to_complex64 = export("to_complex64")(_caster(dtypes.complex64, "ToComplex64"))
to_complex128 = export("to_complex128")(_caster(dtypes.complex128, "ToComplex128"))


@export("dtypes.saturate_cast", "saturate_cast")
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """A cast in which values beyond the range of the new type become its limits."""
    with name_scope(name, "saturate_cast", [value]) as scope:
        value = convert_to_tensor(value, name="value")
        dtype = dtypes.as_dtype(dtype).base_dtype
        if value.dtype.min < dtype.min:
            low = convert_to_tensor(dtype.min, dtype=value.dtype, name="min")
            value = raw.Maximum(value, low)
        if value.dtype.max > dtype.max:
            high = convert_to_tensor(dtype.max, dtype=value.dtype, name="max")
            value = raw.Minimum(value, high)
        return nodes.cast(value, dtype, name=scope)


# -- positions and sums ----------------------------------------------------------------------------


@export("math.argmax", "argmax")
def argmax(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = dtypes.int64,
) -> Tensor:
    """The position of the greatest element along `axis` (0 by default), the first of equals."""
    axis = deprecated_argument("axis", axis, "dimension", dimension)
    return raw.ArgMax(input, 0 if axis is None else axis, name=name, output_type=output_type)


@export("math.argmin", "argmin")
def argmin(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = dtypes.int64,
) -> Tensor:
    """The position of the smallest element along `axis` (0 by default), the first of equals."""
    axis = deprecated_argument("axis", axis, "dimension", dimension)
    return raw.ArgMin(input, 0 if axis is None else axis, name=name, output_type=output_type)


arg_max = export("arg_max")(raw.ArgMax)
arg_min = export("arg_min")(raw.ArgMin)


def _tensors_or_slices(values: Any) -> list[Any]:
    return [
        v if isinstance(v, (Tensor, IndexedSlices, SparseTensor)) else convert_to_tensor(v)
        for v in values
    ]


@export("math.add_n", "add_n")
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of tensors (or IndexedSlices) of one shape and type."""
    message = "inputs must be a list of at least one Tensor/IndexedSlices with the same dtype and "
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError(message + "shape")
    values = _tensors_or_slices(inputs)
    if not all(isinstance(v, (Tensor, IndexedSlices)) for v in values):
        raise ValueError(message + "shape")
    if len(values) == 1:
        only = dense(values[0])
        return raw.Identity(only, name=name) if name else only
    return raw.AddN(values, name=name)


@export("math.accumulate_n", "accumulate_n")
def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None
) -> Tensor:
    """The sum of tensors of one shape and type; `shape` adds what is known of it."""
    error = ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise error
    values = _tensors_or_slices(inputs)
    if not all(isinstance(v, Tensor) and v.dtype == values[0].dtype for v in values):
        raise error
    whole = TensorShape(None) if shape is None else as_shape(shape)
    for value in values:
        whole = whole.merge_with(value.shape)
    if tensor_dtype is not None and tensor_dtype != values[0].dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {values[0].dtype}")
    if len(values) == 1:
        return values[0] if name is None else raw.Identity(values[0], name=name)
    return raw.AccumulateNV2(values, shape=whole, name=name)


# -- further reductions ----------------------------------------------------------------------------


@export("math.reduce_euclidean_norm")
def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The square root of the sum of squares over the dimensions in `axis`."""
    return nodes.reduction(raw.EuclideanNorm, input_tensor, axis, keepdims, name)


@export("math.reduce_variance")
def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The mean of the squared deviations from the mean, over the dimensions in `axis`."""
    with name_scope(name or "reduce_variance"):
        means = nodes.reduce_mean(input_tensor, axis=axis, keepdims=True)
        squares = raw.Square(input_tensor - means)
        return nodes.reduce_mean(squares, axis=axis, keepdims=keepdims)


@export("math.reduce_std")
def reduce_std(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The square root of the variance over the dimensions in `axis`."""
    with name_scope(name or "reduce_std"):
        return raw.Sqrt(reduce_variance(input_tensor, axis=axis, keepdims=keepdims))


@export("math.reduce_logsumexp", "reduce_logsumexp")
def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """log(sum(exp(x))) over the dimensions in `axis`, without overflow."""
    axis = deprecated_argument("axis", axis, "reduction_indices", reduction_indices)
    keepdims = bool(deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    x = convert_to_tensor(input_tensor)
    with name_scope(name, "ReduceLogSumExp", [x]):
        greatest = nodes.reduce_max(x, axis=axis, keepdims=True)
        shift = raw.StopGradient(
            raw.Select(raw.IsFinite(greatest), greatest, array_nodes.zeros_like(greatest))
        )
        total = nodes.reduce_sum(raw.Exp(raw.Sub(x, shift)), axis, keepdims=keepdims)
        result = raw.Log(total)
        if not keepdims:
            shift = array_nodes.reshape(shift, array_nodes.shape(result))
        result = raw.Add(result, shift)
        if axis is None and not keepdims and not result.shape.is_fully_defined():
            result.set_shape(())
        return result


@export("math.count_nonzero", "count_nonzero")
def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: Any = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
    input: Any = None,
) -> Tensor:
    """How many elements are not zero (for strings: not empty) over the dimensions in `axis`."""
    keepdims = bool(deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    x = deprecated_argument("input_tensor", input_tensor, "input", input)
    axis = deprecated_argument("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(name, "count_nonzero", [x]):
        x = convert_to_tensor(x, name="input")
        zero = array_nodes.zeros([], dtype=x.dtype)
        present = nodes.cast(raw.NotEqual(x, zero), dtypes.int64)
        return nodes.cast(nodes.reduce_sum(present, axis=axis, keepdims=keepdims), dtype=dtype)


# -- special functions -----------------------------------------------------------------------------


@export("math.lbeta", "lbeta")
def lbeta(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the absolute value of the multivariate beta function along the last axis."""
    with name_scope(name, "lbeta", [x]):
        x = convert_to_tensor(x, name="x")
        log_product = nodes.reduce_sum(raw.Lgamma(x), axis=[-1])
        return log_product - raw.Lgamma(nodes.reduce_sum(x, axis=[-1]))


@export("math.bessel_i0")
def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of order 0."""
    with name_scope(name, "bessel_i0", [x]):
        return raw.Exp(nodes.abs(x)) * raw.BesselI0e(x)


@export("math.bessel_i1")
def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of order 1."""
    with name_scope(name, "bessel_i1", [x]):
        return raw.Exp(nodes.abs(x)) * raw.BesselI1e(x)
