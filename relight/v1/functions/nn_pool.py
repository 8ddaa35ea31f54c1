"""`tf.nn`: pooling, dilation and erosion."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import as_shape
from relight.ops import array_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.nn_conv import per_dimension, strides_and_rates, with_space_to_batch


def _pooled(
    build: Any,
    default_name: str,
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    name: str | None,
    count: int = 2,
) -> Tensor:
    with name_scope(name, default_name, [value]) as scope:
        if data_format is None:
            data_format = "NHWC" if count == 2 else "NDHWC"
        channel = 1 if data_format.startswith("NC") else count + 1
        ksize = per_dimension(ksize, count, channel, "ksize")
        strides = per_dimension(strides, count, channel, "strides")
        if any(v == 0 for v in ksize):
            raise ValueError("ksize cannot be zero.")
        return build(
            value,
            ksize=[int(k) for k in ksize],
            strides=[int(s) for s in strides],
            padding=padding,
            data_format=data_format,
            name=scope,
        )


@export("nn.max_pool")
def max_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The greatest element of each window of images [batch, h, w, c] (or NCHW)."""
    value = deprecated_argument("input", input, "value", value)
    return _pooled(raw.MaxPool, "MaxPool", value, ksize, strides, padding, data_format, name)


@export("nn.max_pool2d")
def max_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The greatest element of each window of images [batch, h, w, c] (or NCHW)."""
    return _pooled(raw.MaxPool, "MaxPool2d", input, ksize, strides, padding, data_format, name)


@export("nn.max_pool3d")
def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The greatest element of each window of volumes [batch, d, h, w, c] (or NCDHW)."""
    return _pooled(raw.MaxPool3D, "MaxPool3D", input, ksize, strides, padding, data_format, name, 3)


@export("nn.avg_pool", "nn.avg_pool2d")
def avg_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The mean of each window of images [batch, h, w, c] (or NCHW); padding does not count."""
    with name_scope(name, "AvgPool", [value]) as scope:
        value = deprecated_argument("input", input, "value", value)
        return _pooled(raw.AvgPool, "AvgPool", value, ksize, strides, padding, data_format, scope)


@export("nn.avg_pool3d")
def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The mean of each window of volumes [batch, d, h, w, c] (or NCDHW)."""
    return _pooled(raw.AvgPool3D, "AvgPool3D", input, ksize, strides, padding, data_format, name, 3)


def _pooled_1d(
    build: Any,
    default_name: str,
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    name: str | None,
) -> Tensor:
    with name_scope(name, default_name, [value]) as scope:
        if data_format is None:
            data_format = "NWC"
        channel = 1 if data_format.startswith("NC") else 2
        ksize = [1, *per_dimension(ksize, 1, channel, "ksize")]
        strides = [1, *per_dimension(strides, 1, channel, "strides")]
        place = 1 if data_format == "NWC" else 2
        wide = raw.ExpandDims(value, place)
        result = build(
            wide,
            ksize=ksize,
            strides=strides,
            padding=padding,
            data_format="NHWC" if data_format == "NWC" else "NCHW",
            name=scope,
        )
        return array_nodes.squeeze(result, place)


@export("nn.max_pool1d")
def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NWC",
    name: str | None = None,
) -> Tensor:
    """The greatest element of each window of sequences [batch, w, c] (or NCW)."""
    return _pooled_1d(raw.MaxPool, "MaxPool1d", input, ksize, strides, padding, data_format, name)


@export("nn.avg_pool1d")
def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NWC",
    name: str | None = None,
) -> Tensor:
    """The mean of each window of sequences [batch, w, c] (or NCW)."""
    return _pooled_1d(raw.AvgPool, "AvgPool1D", input, ksize, strides, padding, data_format, name)


def _by_rank(
    builds: tuple[Any, Any, Any],
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    name: str | None,
) -> Tensor:
    static = as_shape(value.shape).ndims if getattr(value, "shape", None) is not None else None
    if static is None and data_format is None:
        raise ValueError("The input must have a rank or a data format must be given.")
    count = (len(data_format) if static is None else static) - 2  # type: ignore[arg-type]
    if not 1 <= count <= 3:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {count + 2}.")
    first = data_format is not None and data_format.startswith("NC")
    channel = 1 if first else count + 1
    ksize = per_dimension(ksize, count, channel, "ksize")
    strides = per_dimension(strides, count, channel, "strides")
    return builds[count - 1](
        value, ksize=ksize, strides=strides, padding=padding, data_format=data_format, name=name
    )


@export("nn.max_pool_v2")
def max_pool_v2(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """`max_pool` of as many dimensions as the input has."""
    builds = (max_pool1d, raw.MaxPool, raw.MaxPool3D)
    return _by_rank(builds, input, ksize, strides, padding, data_format, name)


@export("nn.avg_pool_v2")
def avg_pool_v2(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """`avg_pool` of as many dimensions as the input has."""
    builds = (avg_pool1d, raw.AvgPool, raw.AvgPool3D)
    return _by_rank(builds, input, ksize, strides, padding, data_format, name)


@export("nn.max_pool_with_argmax")
def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    Targmax: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> Any:
    """(maxima, their flat places): ((y * width) + x) * channels + channel."""
    if data_format != "NHWC":
        raise ValueError("Data formats other than 'NHWC' are not yet supported")
    place_type = deprecated_argument("output_dtype", output_dtype, "Targmax", Targmax)
    return raw.MaxPoolWithArgmax(
        input,
        ksize=ksize,
        strides=strides,
        padding=padding,
        Targmax=dtypes.int64 if place_type is None else place_type,
        include_batch_in_index=include_batch_in_index,
        name=name,
    )


@export("nn.pool")
def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """ "MAX" or "AVG" pooling of one to three dimensions, its window dilated where asked for."""
    rates = deprecated_argument("dilations", dilations, "dilation_rate", dilation_rate)
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        count = len(window_shape)
        if not 1 <= count <= 3:
            raise ValueError("It is required that 1 <= num_spatial_dims <= 3.")
        input.shape.with_rank(count + 2)
        strides, rates = strides_and_rates(count, strides, rates)
        if padding == "SAME" and np.any(rates > 1):
            raise ValueError("pooling with SAME padding is not implemented for dilation_rate > 1")
        if np.any(strides > window_shape):
            raise ValueError(
                "strides > window_shape not supported due to inconsistency between CPU and GPU "
                "implementations"
            )
        if pooling_type not in ("MAX", "AVG"):
            raise ValueError(f"{count}-D {pooling_type} pooling is not supported.")
        flat, solid = (max_pool, max_pool3d) if pooling_type == "MAX" else (avg_pool, avg_pool3d)
        build = solid if count == 3 else flat
        first = data_format is not None and data_format.startswith("NC")
        lead, tail = ([1, 1], []) if first else ([1], [1])
        window = [*lead, *window_shape, *tail]
        steps = [*lead, *strides, *tail]
        places = range(2, count + 2) if first else range(1, count + 1)
        layout = data_format
        if count == 1:
            if data_format not in (None, "NWC", "NCW"):
                raise ValueError('data_format must be either "NWC" or "NCW".')
            layout = "NCHW" if first else "NHWC"
            window, steps = [1, *window], [1, *steps]

        def op(inner: Any, _: int, inner_padding: str) -> Tensor:
            if count == 1:
                inner = raw.ExpandDims(inner, places[0])
            result = build(inner, window, steps, inner_padding, name=scope, data_format=layout)
            return array_nodes.squeeze(result, [places[0]]) if count == 1 else result

        return with_space_to_batch(
            input=input,
            dilation_rate=rates,
            padding=padding,
            op=op,
            spatial_dims=places,
            filter_shape=window_shape,
        )


# -- grey-scale morphology -------------------------------------------------------------------------


@export("nn.dilation2d")
def dilation2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The greatest of input + filter in each window; filter [rows, columns, c]."""
    filter = deprecated_argument("filters", filters, "filter", filter)
    rates = deprecated_argument("dilations", dilations, "rates", rates)
    return raw.Dilation2D(input, filter, strides=strides, rates=rates, padding=padding, name=name)


@export("nn.erosion2d")
def erosion2d(
    value: Any, kernel: Any, strides: Any, rates: Any, padding: str, name: str | None = None
) -> Tensor:
    """The smallest of input - kernel in each window; kernel [rows, columns, c]."""
    with name_scope(name, "erosion2d", [value, kernel]) as scope:
        dilated = raw.Dilation2D(
            raw.Neg(value),
            raw.ReverseV2(kernel, [0, 1]),
            strides=strides,
            rates=rates,
            padding=padding,
            name=scope,
        )
        return raw.Neg(dilated)
