"""Builders of maths nodes that gradient rules, libraries and the public functions share.

They choose the op that TensorFlow 1.15 chooses (`x + y` is AddV2, `tf.add` is Add), and define the
arithmetic operators of tensors.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.ops.operators import set_binary, set_comparison, set_unary

# -- types -----------------------------------------------------------------------------------------


@export("cast", "dtypes.cast")
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` (Tensor, SparseTensor or IndexedSlices) with elements of another type.

    Floats become integers by truncation, numbers become bool by `!= 0`, complex numbers real ones
    by their real part.
    """
    base = dtypes.as_dtype(dtype).base_dtype
    if (isinstance(x, Tensor) or hasattr(x, "handle")) and base == x.dtype:
        return x  # a resource variable is left to be read where it is used
    with name_scope(name, "Cast", [x]) as scope:
        if isinstance(x, SparseTensor):
            return SparseTensor(x.indices, cast(x.values, base, name=scope), x.dense_shape)
        if isinstance(x, IndexedSlices):
            return IndexedSlices(cast(x.values, base, name=scope), x.indices, x.dense_shape)
        x = convert_to_tensor(x, name="x")
        if x.dtype.base_dtype != base:
            x = raw.Cast(x, DstT=base, name=scope)
        return x


@export("math.conj", "conj")
def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate; a real tensor is returned as it is."""
    if isinstance(x, Tensor) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with name_scope(name, "Conj", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex or x.dtype == dtypes.variant:
            return raw.Conj(x, name=scope)
        if x.dtype.is_floating or x.dtype.is_integer:
            return x
        raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}")


@export("dtypes.complex", "complex")
def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """`real + i imag`: both float32 (complex64) or both float64 (complex128)."""
    real = convert_to_tensor(real, name="real")
    imag = convert_to_tensor(imag, name="imag")
    with name_scope(name, "Complex", [real, imag]) as scope:
        types = (real.dtype, imag.dtype)
        if types == (dtypes.float64, dtypes.float64):
            out = dtypes.complex128
        elif types == (dtypes.float32, dtypes.float32):
            out = dtypes.complex64
        else:
            raise TypeError(
                f"real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}"
            )
        return raw.Complex(real, imag, Tout=out, name=scope)


@export("math.real", "real")
def real(input: Any, name: str | None = None) -> Tensor:
    """The real part; a real tensor is returned as it is."""
    with name_scope(name, "Real", [input]) as scope:
        x = convert_to_tensor(input, name="input")
        return raw.Real(x, Tout=x.dtype.real_dtype, name=scope) if x.dtype.is_complex else x


@export("math.imag", "imag")
def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part; zeros for a real tensor."""
    with name_scope(name, "Imag", [input]) as scope:
        x = convert_to_tensor(input, name="input")
        if x.dtype.is_complex:
            return raw.Imag(x, Tout=x.dtype.real_dtype, name=scope)
        return array_nodes.zeros_like(x)


@export("math.abs", "abs")
def abs(x: Any, name: str | None = None) -> Tensor:
    """The absolute value (of complex numbers: the modulus, a real number)."""
    with name_scope(name, "Abs", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex:
            return raw.ComplexAbs(x, Tout=x.dtype.real_dtype, name=scope)
        return raw.Abs(x, name=scope)


# -- division --------------------------------------------------------------------------------------

_TRUE_DIVISION = {
    dtypes.uint8: dtypes.float32,
    dtypes.int8: dtypes.float32,
    dtypes.uint16: dtypes.float32,
    dtypes.int16: dtypes.float32,
    dtypes.int32: dtypes.float64,
    dtypes.int64: dtypes.float64,
    **dict.fromkeys(
        (
            dtypes.bfloat16,
            dtypes.float16,
            dtypes.float32,
            dtypes.float64,
            dtypes.complex64,
            dtypes.complex128,
        )
    ),
}


def _check_same(x: Tensor, y: Tensor) -> None:
    a, b = x.dtype.base_dtype, y.dtype.base_dtype
    if a != b:
        raise TypeError(f"x and y must have the same dtype, got {a!r} != {b!r}")


def _true_division_type(x: Tensor) -> Any:
    if x.dtype.base_dtype not in _TRUE_DIVISION:
        raise TypeError(f"Invalid dtype {x.dtype.base_dtype!r} in __truediv__")
    return _TRUE_DIVISION[x.dtype.base_dtype]


@export("math.truediv", "truediv")
def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` as in Python 3: integers become floats first."""
    with name_scope(name, "truediv", [x, y]) as scope:
        x, y = convert_to_tensor(x, name="x"), convert_to_tensor(y, name="y")
        _check_same(x, y)
        dtype = _true_division_type(x)
        if dtype is not None:
            x, y = cast(x, dtype), cast(y, dtype)
        return raw.RealDiv(x, y, name=scope)


@export("div")
def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y` as in Python 2: the floor of the quotient for integers."""
    with name_scope(name, "div", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        _check_same(x, y)
        if x.dtype.is_floating or x.dtype.is_complex:
            return raw.RealDiv(x, y, name=scope)
        return raw.FloorDiv(x, y, name=scope)


@export("math.floordiv", "floordiv")
def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The floor of `x / y`."""
    with name_scope(name, "floordiv", [x, y]) as scope:
        return raw.FloorDiv(x, y, name=scope)


@export("math.divide", "divide")
def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """`x / y` as Python divides: true division of tensors."""
    return x / y if name is None else truediv(x, y, name)


@export("math.divide_no_nan", "div_no_nan")
def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x / y`, and 0 where y is 0."""
    return _no_nan(raw.DivNoNan, "div_no_nan", x, y, name)


@export("math.multiply_no_nan")
def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x * y`, and 0 where y is 0, even if x is infinite or NaN."""
    return _no_nan(raw.MulNoNan, "multiply_no_nan", x, y, name)


def _no_nan(build: Any, default: str, x: Any, y: Any, name: str | None) -> Tensor:
    with name_scope(name, default, [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        _check_same(x, y)
        return build(x, y, name=scope)


@export("math.pow", "pow")
def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """`x ** y`, element by element."""
    with name_scope(name, "Pow", [x]) as scope:
        return raw.Pow(x, y, name=scope)


@export("math.logical_xor", "logical_xor")
def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Whether exactly one of x and y is True."""
    either, both = raw.LogicalOr(x, y), raw.LogicalAnd(x, y)
    return raw.LogicalAnd(either, raw.LogicalNot(both), name=name)


@export("math.scalar_mul", "scalar_mul")
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A scalar times a Tensor or IndexedSlices; ValueError for anything but a scalar."""
    scalar = convert_to_tensor(scalar, dtype=x.dtype.base_dtype, name="scalar")
    if scalar.shape.ndims != 0:
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(raw.Mul(scalar, x.values, name=name), x.indices, x.dense_shape)
    return raw.Mul(scalar, x, name=name)


# -- products --------------------------------------------------------------------------------------


@export("linalg.matmul", "matmul")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """[..., m, k] x [..., k, n] -> [..., m, n]; leading dimensions are broadcast.

    `transpose_*` swaps the last two dimensions first, `adjoint_*` conjugates too. `*_is_sparse`
    says that a matrix (float32 or bfloat16) has many zeros.
    """
    with name_scope(name, "MatMul", [a, b]) as scope:
        if transpose_a and adjoint_a:
            raise ValueError("Only one of transpose_a and adjoint_a can be True.")
        if transpose_b and adjoint_b:
            raise ValueError("Only one of transpose_b and adjoint_b can be True.")
        a, b = convert_to_tensor(a, name="a"), convert_to_tensor(b, name="b")
        batched = any(t.shape.ndims is None or t.shape.ndims > 2 for t in (a, b))
        if batched and not a_is_sparse and not b_is_sparse:
            if transpose_a:
                a, adjoint_a = conj(a), True
            if transpose_b:
                b, adjoint_b = conj(b), True
            return raw.BatchMatMulV2(a, b, adj_x=adjoint_a, adj_y=adjoint_b, name=scope)
        if adjoint_a:
            a, transpose_a = conj(a), True
        if adjoint_b:
            b, transpose_b = conj(b), True
        types = (a.dtype.base_dtype, b.dtype.base_dtype)
        sparse = (a_is_sparse or b_is_sparse) and all(
            t in (dtypes.bfloat16, dtypes.float32) for t in types
        )
        if sparse or (dtypes.bfloat16 in types and types[0] != types[1]):
            product = raw.SparseMatMul(
                a,
                b,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                a_is_sparse=a_is_sparse,
                b_is_sparse=b_is_sparse,
                name=scope,
            )
            return cast(product, dtypes.bfloat16) if set(types) == {dtypes.bfloat16} else product
        return raw.MatMul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=scope)


# -- ranges and reductions -------------------------------------------------------------------------

_RANGE_TYPES = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]


@export("range")
def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """start, start + delta, ... below `limit` (above it for a negative delta), 1-D.

    `tf.range(n)` begins at 0. Without `dtype`, the widest type among the arguments.
    """
    if limit is None:
        start, limit = 0, start
    with name_scope(name, "Range", [start, limit, delta]) as scope:
        start = convert_to_tensor(start, dtype=dtype, name="start")
        limit = convert_to_tensor(limit, dtype=dtype, name="limit")
        delta = convert_to_tensor(delta, dtype=dtype, name="delta")
        if dtype is None:
            kinds = [t.dtype.base_dtype for t in (start, limit, delta)]
            if not all(k in _RANGE_TYPES for k in kinds):
                raise AssertionError(f"tf.range of {', '.join(k.name for k in kinds)}")
            widest = max(kinds, key=_RANGE_TYPES.index)
            start, limit, delta = (cast(t, widest) for t in (start, limit, delta))
        return raw.Range(start, limit, delta, name=scope)


def reduction_axes(x: Any, axis: Any) -> Any:
    """What a reduction's `reduction_indices` input is made of: all dimensions by default."""
    if axis is not None:
        return axis
    if isinstance(x, SparseTensor):
        static = x.dense_shape.shape
        rank = static.as_list()[0] if static.is_fully_defined() else None
    else:
        rank = x.shape.ndims if isinstance(x, Tensor) else None
    if rank is not None:
        return constant(np.arange(rank), dtype=dtypes.int32)
    return range(0, array_nodes.rank(x))


def reduction(build: Any, x: Any, axis: Any, keepdims: Any, name: str | None) -> Tensor:
    """A reduction node over `axis` (None: all dimensions)."""
    keepdims = False if keepdims is None else keepdims
    result = build(x, reduction_axes(x, axis), keep_dims=keepdims, name=name)
    if axis is None and not keepdims and not result.shape.is_fully_defined():
        result.set_shape(())
    return result


def _reduction_arguments(axis: Any, indices: Any, keepdims: Any, keep_dims: Any) -> tuple[Any, Any]:
    axis = deprecated_argument("axis", axis, "reduction_indices", indices)
    return axis, deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims)


@export("math.reduce_sum", "reduce_sum")
def reduce_sum(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The sum over the dimensions in `axis` (all by default); `keepdims` keeps them as size 1."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Sum, input_tensor, axis, keepdims, name)


@export("math.reduce_mean", "reduce_mean")
def reduce_mean(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The mean over the dimensions in `axis` (all by default); of integers, rounded towards 0."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Mean, input_tensor, axis, keepdims, name)


@export("math.reduce_prod", "reduce_prod")
def reduce_prod(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The product over the dimensions in `axis` (all by default)."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Prod, input_tensor, axis, keepdims, name)


@export("math.reduce_max", "reduce_max")
def reduce_max(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The greatest element over the dimensions in `axis` (all by default)."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Max, input_tensor, axis, keepdims, name)


@export("math.reduce_min", "reduce_min")
def reduce_min(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The smallest element over the dimensions in `axis` (all by default)."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Min, input_tensor, axis, keepdims, name)


@export("math.reduce_all", "reduce_all")
def reduce_all(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """Whether all elements over the dimensions in `axis` (all by default) are True."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.All, input_tensor, axis, keepdims, name)


@export("math.reduce_any", "reduce_any")
def reduce_any(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """Whether any element over the dimensions in `axis` (all by default) is True."""
    axis, keepdims = _reduction_arguments(axis, reduction_indices, keepdims, keep_dims)
    return reduction(raw.Any, input_tensor, axis, keepdims, name)


@export("math.cumsum", "cumsum")
def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running sums along `axis`; `exclusive` ones begin with 0, `reverse` ones at the end."""
    with name_scope(name, "Cumsum", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return raw.Cumsum(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


@export("math.cumprod", "cumprod")
def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running products along `axis`; `exclusive` ones begin with 1, `reverse` ones at the end."""
    with name_scope(name, "Cumprod", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return raw.Cumprod(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


@export("math.cumulative_logsumexp")
def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running log(sum(exp(x))) along `axis`."""
    with name_scope(name, "CumulativeLogsumexp", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return raw.CumulativeLogsumexp(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


def reduced_shape(input_shape: Any, axes: Any) -> Tensor:
    """The shape of a reduction with `keep_dims`: `input_shape` with 1 at `axes`; int32 [rank]."""
    input_shape = cast(input_shape, dtypes.int32)
    axes = cast(axes, dtypes.int32)
    rank = array_nodes.size(input_shape)
    axes = (axes + rank) % rank
    axes_shape = array_nodes.shape(axes)
    return raw.DynamicStitch([range(rank), axes], [input_shape, array_nodes.fill(axes_shape, 1)])


# -- operators -------------------------------------------------------------------------------------


def _add(x: Any, y: Any, name: str | None = None) -> Any:
    build = raw.Add if x.dtype == dtypes.string else raw.AddV2
    return build(x, y, name=name)


def _multiply(x: Any, y: Any, name: str | None = None) -> Any:
    if isinstance(y, SparseTensor):
        values = raw.SparseDenseCwiseMul(y.indices, y.values, y.dense_shape, x, name=name)
        return SparseTensor(y.indices, values, y.dense_shape)
    return raw.Mul(x, y, name=name)


for _function, _name in (
    (_add, "add"),
    (raw.Sub, "sub"),
    (_multiply, "mul"),
    (div, "div"),
    (truediv, "truediv"),
    (floordiv, "floordiv"),
    (raw.FloorMod, "mod"),
    (pow, "pow"),
    (matmul, "matmul"),
    (raw.LogicalAnd, "and"),
    (raw.LogicalOr, "or"),
    (logical_xor, "xor"),
):
    set_binary(_function, _name)
for _function, _name in ((raw.Neg, "neg"), (abs, "abs"), (raw.LogicalNot, "invert")):
    set_unary(_function, _name)
for _function, _name in (
    (raw.Less, "lt"),
    (raw.LessEqual, "le"),
    (raw.Greater, "gt"),
    (raw.GreaterEqual, "ge"),
):
    set_comparison(_function, _name)


def _sparse_truediv(indices: Any, values: Any, shape: Any, y: Any, name: str | None = None) -> Any:
    with name_scope(name, "truediv", [indices, values, shape, y]) as scope:
        values, y = convert_to_tensor(values, name="sp_values"), convert_to_tensor(y, name="y")
        _check_same(values, y)
        dtype = _true_division_type(values)
        if dtype is not None:
            values, y = cast(values, dtype), cast(y, dtype)
        return raw.SparseDenseCwiseDiv(indices, values, shape, y, name=scope)


def _sparse_operator(build: Any, op_name: str) -> Any:
    def operator(x: SparseTensor, y: Any) -> SparseTensor:
        with name_scope(None, op_name, [x, y]) as scope:
            y = convert_to_tensor(y, dtype=x.dtype.base_dtype, name="y")
            values = build(x.indices, x.values, x.dense_shape, y, name=scope)
            return SparseTensor(x.indices, values, x.dense_shape)

    return operator


for _function, _name in (
    (raw.SparseDenseCwiseDiv, "div"),
    (_sparse_truediv, "truediv"),
    (raw.SparseDenseCwiseMul, "mul"),
):
    builtins.setattr(SparseTensor, f"__{_name}__", _sparse_operator(_function, _name))
