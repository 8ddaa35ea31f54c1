"""Random tensors: `tf.random.*`, `tf.random_uniform` and the other old names, stateless ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.seeds import get_seed as _graph_seeds
from relight.graph.shapes import Dimension, TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value_as_shape
from relight.v1.functions.control import with_dependencies


@export("get_seed", "random.get_seed")
def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The seed pair of an operation about to be made: from the graph's seed and `op_seed`.

    (None, None) when neither is set.
    """
    return _graph_seeds(op_seed)


def shape_tensor(shape: Any) -> Tensor:
    """A shape given in any form as a 1-D tensor named `shape`; an empty list is int32."""
    dtype = None
    if isinstance(shape, (tuple, list)):
        if not shape:
            dtype = dtypes.int32
        else:
            shape = [s.value if isinstance(s, Dimension) else s for s in shape]
    return convert_to_tensor(shape, dtype=dtype, name="shape")


def _keep_static_shape(value: Tensor, shape: Any) -> None:
    """In a function body, what is known of the shape outside of it."""
    if get_default_graph().building_function and not value.shape.is_fully_defined():
        value.set_shape(constant_value_as_shape(shape_tensor(shape)))


def _affine(
    draw: Any,
    default_name: str,
    shape: Any,
    mean: Any,
    stddev: Any,
    dtype: Any,
    seed: Any,
    name: str | None,
) -> Tensor:
    with name_scope(name, default_name, [shape, mean, stddev]) as scope:
        sizes = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        seed1, seed2 = _graph_seeds(seed)
        drawn = draw(sizes, dtype=dtype, seed=seed1, seed2=seed2)
        value = raw.Add(drawn * stddev, mean, name=scope)
        _keep_static_shape(value, shape)
        return value


@export("random.normal", "random_normal")
def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers of `shape`; `mean` and `stddev` are broadcast."""
    build = raw.RandomStandardNormal
    return _affine(build, "random_normal", shape, mean, stddev, dtype, seed, name)


@export("random.truncated_normal", "truncated_normal")
def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers of `shape`, those further than two deviations from the mean drawn again."""
    build = raw.TruncatedNormal
    return _affine(build, "truncated_normal", shape, mean, stddev, dtype, seed, name)


def parameterized_truncated_normal(
    shape: Any,
    means: Any = 0.0,
    stddevs: Any = 1.0,
    minvals: Any = -2.0,
    maxvals: Any = 2.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers of `shape` in [minvals, maxvals]; parameters are scalars or [shape[0]]."""
    values = [shape, means, stddevs, minvals, maxvals]
    with name_scope(name, "parameterized_truncated_normal", values):
        sizes = shape_tensor(shape)
        named = {"means": means, "stddevs": stddevs, "minvals": minvals, "maxvals": maxvals}
        parameters = [convert_to_tensor(v, dtype=dtype, name=n) for n, v in named.items()]
        seed1, seed2 = _graph_seeds(seed)
        drawn = raw.ParameterizedTruncatedNormal(sizes, *parameters, seed=seed1, seed2=seed2)
        _keep_static_shape(drawn, shape)
        return drawn


_UNIFORM_TYPES = (
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.float32,
    dtypes.float64,
    dtypes.int32,
    dtypes.int64,
)


def _uniform_range(dtype: Any, maxval: Any) -> tuple[Any, Any]:
    dtype = dtypes.as_dtype(dtype)
    if dtype not in _UNIFORM_TYPES:
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    return dtype, maxval


@export("random.uniform", "random_uniform")
def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of `shape` in [minval, maxval), by default [0, 1).

    ValueError for an unsuitable `dtype`, and for integers without `maxval`.
    """
    dtype, maxval = _uniform_range(dtype, maxval)
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        sizes = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype=dtype, name="min")
        high = convert_to_tensor(maxval, dtype=dtype, name="max")
        seed1, seed2 = _graph_seeds(seed)
        if dtype.is_integer:
            result = raw.RandomUniformInt(sizes, low, high, seed=seed1, seed2=seed2, name=scope)
        else:
            drawn = raw.RandomUniform(sizes, dtype=dtype, seed=seed1, seed2=seed2)
            result = raw.Add(drawn * (high - low), low, name=scope)
        _keep_static_shape(result, sizes)
        return result


@export("random.shuffle", "random_shuffle")
def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows (first dimension) of a tensor in random order."""
    seed1, seed2 = _graph_seeds(seed)
    return raw.RandomShuffle(value, seed=seed1, seed2=seed2, name=name)


@export("image.random_crop", "random_crop")
def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A window of shape `size` at a random place; `size` must fit into the value's shape."""
    from relight.v1.functions.checks import Assert

    with name_scope(name, "random_crop", [value, size]) as scope:
        value = convert_to_tensor(value, name="value")
        size = convert_to_tensor(size, dtype=dtypes.int32, name="size")
        shape = array_nodes.shape(value)
        check = Assert(
            nodes.reduce_all(shape >= size),
            ["Need value.shape >= size, got ", shape, size],
            summarize=1000,
        )
        shape = with_dependencies([check], shape)
        limit = shape - size + 1
        drawn = random_uniform(
            array_nodes.shape(shape), dtype=size.dtype, maxval=size.dtype.max, seed=seed
        )
        return raw.Slice(value, drawn % limit, size, name=scope)


def _categorical(logits: Any, num_samples: Any, dtype: Any, seed: int | None) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    seed1, seed2 = _graph_seeds(seed)
    return raw.Multinomial(logits, num_samples, seed=seed1, seed2=seed2, output_dtype=dtype)


@export("random.multinomial", "multinomial")
def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: Any = None,
) -> Tensor:
    """Class numbers [rows, num_samples] drawn with softmax(logits [rows, classes])."""
    with name_scope(name, "multinomial", [logits]):
        return _categorical(logits, num_samples, output_dtype, seed)


@export("random.categorical")
def categorical(
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Class numbers [rows, num_samples] drawn with softmax(logits [rows, classes])."""
    with name_scope(name, "categorical", [logits]):
        return _categorical(logits, num_samples, dtype, seed)


def _known_after(value: Tensor, shape: Any, suffix: Any) -> None:
    if get_default_graph().building_function and not value.shape.is_fully_defined():
        lead = constant_value_as_shape(shape_tensor(shape))
        value.set_shape(lead.concatenate(convert_to_tensor(suffix).shape))


@export("random.gamma", "random_gamma")
def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws [*shape, *(alpha + beta).shape] from Gamma(alpha, rate beta)."""
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        shape = convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        alpha = convert_to_tensor(alpha, name="alpha", dtype=dtype)
        beta = convert_to_tensor(1 if beta is None else beta, name="beta", dtype=dtype)
        wide = alpha + array_nodes.zeros_like(beta)
        seed1, seed2 = _graph_seeds(seed)
        tiny = np.finfo(alpha.dtype.as_numpy_dtype).tiny
        drawn = raw.RandomGamma(shape, wide, seed=seed1, seed2=seed2) / beta
        result = raw.Maximum(tiny, drawn)
        _known_after(result, shape, wide)
        return result


@export("random.poisson", "random_poisson")
def random_poisson(
    lam: Any,
    shape: Any,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws [*shape, *lam.shape] from Poisson(lam)."""
    with name_scope(name, "random_poisson", [lam, shape]):
        shape = convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        seed1, seed2 = _graph_seeds(seed)
        result = raw.RandomPoissonV2(shape, lam, dtype=dtype, seed=seed1, seed2=seed2)
        _known_after(result, shape, lam)
        return result


# -- stateless -------------------------------------------------------------------------------------


@export("random.stateless_uniform")
def stateless_random_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Numbers of `shape` in [minval, maxval) that depend on `seed` [2] alone."""
    dtype, maxval = _uniform_range(dtype, maxval)
    with name_scope(name, "stateless_random_uniform", [shape, seed, minval, maxval]) as scope:
        shape = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype=dtype, name="min")
        high = convert_to_tensor(maxval, dtype=dtype, name="max")
        if dtype.is_integer:
            result = raw.StatelessRandomUniformInt(
                shape, seed=seed, minval=low, maxval=high, name=scope
            )
        else:
            drawn = raw.StatelessRandomUniform(shape, seed=seed, dtype=dtype)
            result = raw.Add(drawn * (high - low), low, name=scope)
        _keep_static_shape(result, shape)
        return result


def _stateless_affine(
    build: Any,
    default_name: str,
    shape: Any,
    seed: Any,
    mean: Any,
    stddev: Any,
    dtype: Any,
    name: str | None,
) -> Tensor:
    with name_scope(name, default_name, [shape, seed, mean, stddev]) as scope:
        shape = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        drawn = build(shape, seed, dtype=dtype)
        result = raw.Add(drawn * stddev, mean, name=scope)
        _keep_static_shape(result, shape)
        return result


@export("random.stateless_normal")
def stateless_random_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Normal numbers of `shape` that depend on `seed` [2] alone."""
    return _stateless_affine(
        raw.StatelessRandomNormal, "stateless_random_normal", shape, seed, mean, stddev, dtype, name
    )


@export("random.stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Normal numbers within two deviations of the mean that depend on `seed` [2] alone."""
    return _stateless_affine(
        raw.StatelessTruncatedNormal,
        "stateless_truncated_normal",
        shape,
        seed,
        mean,
        stddev,
        dtype,
        name,
    )


@export("random.stateless_multinomial")
def stateless_multinomial(
    logits: Any,
    num_samples: Any,
    seed: Any,
    output_dtype: Any = dtypes.int64,
    name: str | None = None,
) -> Tensor:
    """Class numbers [rows, num_samples] that depend on the logits and `seed` [2] alone."""
    with name_scope(name, "stateless_multinomial", [logits, seed]):
        return _stateless_categorical(logits, num_samples, output_dtype, seed)


@export("random.stateless_categorical")
def stateless_categorical(
    logits: Any,
    num_samples: Any,
    seed: Any,
    dtype: Any = dtypes.int64,
    name: str | None = None,
) -> Tensor:
    """Class numbers [rows, num_samples] that depend on the logits and `seed` [2] alone."""
    with name_scope(name, "stateless_categorical", [logits, seed]):
        return _stateless_categorical(logits, num_samples, dtype, seed)


def _stateless_categorical(logits: Any, num_samples: Any, dtype: Any, seed: Any) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    return raw.StatelessMultinomial(logits, num_samples, seed, output_dtype=dtype)


def known_shape(shape: Any) -> TensorShape:
    """The static shape that a shape in any form describes."""
    return constant_value_as_shape(shape_tensor(shape))
