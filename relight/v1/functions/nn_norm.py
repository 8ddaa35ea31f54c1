"""`tf.nn`: moments, batch normalisation, local response, normalisation to unit length."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.control_flow import cond
from relight.v1.functions.custom_gradient import custom_gradient

lrn = export("nn.local_response_normalization", "nn.lrn")(raw.LRN)


@export("nn.sufficient_statistics")
def sufficient_statistics(
    x: Any,
    axes: Any,
    shift: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    keepdims: Any = None,
) -> tuple[Any, Any, Any, Any]:
    """(count, sum of x - shift, sum of (x - shift) squared, shift) over `axes`."""
    axes = list(set(axes))
    keep = bool(deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        static = x.shape.as_list() if x.shape.ndims is not None else None
        if static is not None and all(static[d] is not None for d in axes):
            total = 1
            for d in axes:
                total *= static[d]
            count = constant(total, dtype=x.dtype)
        else:
            sizes = array_nodes.gather(nodes.cast(array_nodes.shape(x), x.dtype), axes)
            count = nodes.reduce_prod(sizes, name="count")
        if shift is not None:
            shift = convert_to_tensor(shift, name="shift")
            first, second = raw.Sub(x, shift), raw.SquaredDifference(x, shift)
        else:
            first, second = x, raw.Square(x)
        first = nodes.reduce_sum(first, axes, keepdims=keep, name="mean_ss")
        second = nodes.reduce_sum(second, axes, keepdims=keep, name="var_ss")
    return count, first, second, shift


@export("nn.normalize_moments")
def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """(mean, variance) from what `sufficient_statistics` gave."""
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = raw.Reciprocal(counts, name="divisor")
        if shift is not None:
            shifted = raw.Mul(mean_ss, divisor, name="shifted_mean")
            mean = raw.Add(shifted, shift, name="mean")
        else:
            shifted = mean = raw.Mul(mean_ss, divisor, name="mean")
        variance = raw.Sub(raw.Mul(variance_ss, divisor), raw.Square(shifted), name="variance")
    return mean, variance


@export("nn.moments")
def moments(
    x: Any,
    axes: Any,
    shift: Any = None,
    name: str | None = None,
    keep_dims: Any = None,
    keepdims: Any = None,
) -> tuple[Tensor, Tensor]:
    """(mean, variance) of x over `axes`; float16 is computed in float32. `shift` has no effect."""
    keep = bool(deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "moments", [x, axes]):
        half = x.dtype == dtypes.float16
        y = nodes.cast(x, dtypes.float32) if half else x
        mean = nodes.reduce_mean(y, axes, keepdims=True, name="mean")
        squares = raw.SquaredDifference(y, raw.StopGradient(mean))
        variance = nodes.reduce_mean(squares, axes, keepdims=True, name="variance")
        if not keep:
            mean = array_nodes.squeeze(mean, axes)
            variance = array_nodes.squeeze(variance, axes)
        if half:
            return nodes.cast(mean, dtypes.float16), nodes.cast(variance, dtypes.float16)
        return mean, variance


@export("nn.weighted_moments")
def weighted_moments(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: Any = None,
    keepdims: Any = None,
) -> tuple[Tensor, Tensor]:
    """(mean, variance) of x over `axes`, each element counted `frequency_weights` times."""
    keep = bool(deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, name="frequency_weights")
        half = x.dtype == dtypes.float16
        if half:
            x = nodes.cast(x, dtypes.float32)
        if weights.dtype != x.dtype:
            weights = nodes.cast(weights, x.dtype)
        total = nodes.reduce_sum(weights * x, axes, name="weighted_input_sum", keepdims=True)
        wide = weights + array_nodes.zeros_like(x)
        weight_sum = nodes.reduce_sum(wide, axes, name="sum_of_weights", keepdims=True)
        divisor = raw.Reciprocal(weight_sum, name="inv_weight_sum")
        mean = raw.Mul(total, divisor)
        distances = nodes.reduce_sum(
            weights * raw.SquaredDifference(x, mean), axes, name="weighted_distsq", keepdims=True
        )
        variance = raw.Mul(distances, divisor)
        if not keep:
            mean = array_nodes.squeeze(mean, axis=axes)
            variance = array_nodes.squeeze(variance, axis=axes)
        if half:
            return nodes.cast(mean, dtypes.float16), nodes.cast(variance, dtypes.float16)
        return mean, variance


@export("nn.batch_normalization")
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon), times `scale` and plus `offset` unless None."""
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        inverse = raw.Rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse *= scale
        product = x * nodes.cast(inverse, x.dtype)
        rest = -mean * inverse if offset is None else offset - mean * inverse
        return product + nodes.cast(rest, x.dtype)


_LEAST_EPSILON = 1.001e-5


@export("nn.fused_batch_norm")
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """(normalised x, mean, variance) of images [batch, h, w, c] (or NCHW) in one operation.

    In training the moments are x's own, the variance that is returned unbiased; else the given
    ones. ValueError for moments given in training.
    """
    x = convert_to_tensor(x, name="input")
    scale = convert_to_tensor(scale, name="scale")
    offset = convert_to_tensor(offset, name="offset")
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    mean = constant([]) if mean is None else mean
    variance = constant([]) if variance is None else variance
    y, batch_mean, batch_variance, *_ = raw.FusedBatchNormV3(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=max(epsilon, _LEAST_EPSILON),
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, batch_mean, batch_variance


@export("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: Any = None,
    scale_after_normalization: Any = None,
    name: str | None = None,
    input: Any = None,
    mean: Any = None,
    variance: Any = None,
) -> Tensor:
    """`batch_normalization` under its oldest name; gamma only if `scale_after_normalization`."""
    t = deprecated_argument("input", input, "t", t)
    m = deprecated_argument("mean", mean, "m", m)
    v = deprecated_argument("variance", variance, "v", v)
    scale = gamma if scale_after_normalization else None
    return batch_normalization(t, m, v, beta, scale, variance_epsilon, name)


@export("math.l2_normalize", "linalg.l2_normalize", "nn.l2_normalize")
def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """x / sqrt(max(sum(x ** 2), epsilon)) along `axis`."""
    axis = deprecated_argument("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        total = nodes.reduce_sum(raw.Square(x), axis, keepdims=True)
        return raw.Mul(x, raw.Rsqrt(raw.Maximum(total, epsilon)), name=scope)


@export("nn.swish")
def swish(features: Any) -> Tensor:
    """x * sigmoid(x): Ramachandran et al., "Searching for Activation Functions" (2017)."""
    return _swish(features)


@custom_gradient
def _swish(features: Any) -> Any:
    from relight.graph.graph import get_default_graph

    features = convert_to_tensor(features, name="features")

    def grad(dy: Any) -> Any:
        with get_default_graph().control_dependencies([dy]):
            gate = raw.Sigmoid(features)
        return dy * (gate * (1.0 + features * (1.0 - gate)))

    return features * raw.Sigmoid(features), grad


def _count_nonzero(value: Tensor, dtype: Any) -> Tensor:
    with name_scope("count_nonzero", values=[value]):
        zero = array_nodes.zeros([], dtype=value.dtype)
        different = nodes.cast(raw.NotEqual(value, zero), dtype)
        return nodes.reduce_sum(different, name="nonzero_count")


@export("math.zero_fraction", "nn.zero_fraction")
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of elements that are zero, float32."""
    with name_scope(name, "zero_fraction", [value]):
        value = convert_to_tensor(value, name="value")
        size = array_nodes.size_internal(value, out_type=dtypes.int64)
        nonzero = cond(
            size <= dtypes.int32.max,
            true_fn=lambda: nodes.cast(_count_nonzero(value, dtypes.int32), dtypes.int64),
            false_fn=lambda: _count_nonzero(value, dtypes.int64),
        )
        with name_scope("counts_to_fraction"):
            zeros = nodes.cast(size - nonzero, dtypes.float32)
            fraction = zeros / nodes.cast(size, dtypes.float32)
        return array_nodes.identity(fraction, "fraction")
