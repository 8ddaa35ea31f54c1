"""`tf.nn`: convolutions in one to three dimensions, dilated, transposed, depthwise, separable."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops import array_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value


def per_dimension(value: Any, count: int, channel_index: int, name: str) -> list[Any]:
    """One number a dimension of the input, from 1, `count` or `count` + 2 numbers."""
    if value is None:
        value = [1]
    elif not isinstance(value, Sized):
        value = [value]
    given = len(value)
    if given == count + 2:
        return value  # type: ignore[return-value]
    if given == 1:
        value = [value[0]] * count  # type: ignore[index]
    elif given == count:
        value = list(value)  # type: ignore[call-overload]
    else:
        raise ValueError(f"{name} should be of length 1, {count} or {count + 2} but was {given}")
    return [1, 1, *value] if channel_index == 1 else [1, *value, 1]


def split_padding(padding: Any) -> tuple[Any, list[int]]:
    """(padding attr, explicit paddings attr) from "SAME", "VALID" or a list of four pairs."""
    if padding == "EXPLICIT":
        raise ValueError(
            '"EXPLICIT" is not a valid value for the padding parameter. To use explicit padding, '
            "the padding parameter must be a list."
        )
    if not isinstance(padding, (list, tuple)):
        return padding, []
    explicit: list[int] = []
    for i, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)):
            raise ValueError(
                "When padding is a list, each element of padding must be a list/tuple of size 2. "
                f"Element with index {i} of padding is not a list/tuple"
            )
        if len(pair) != 2:
            raise ValueError(
                "When padding is a list, each element of padding must be a list/tuple of size 2. "
                f"Element with index {i} of padding has size {len(pair)}"
            )
        explicit.extend(pair)
    if len(padding) != 4:
        raise ValueError(
            f"When padding is a list, it must be of size 4. Got padding of size: {len(padding)}"
        )
    return "EXPLICIT", explicit


def _channel_index(data_format: str | None, last: int) -> int:
    return 1 if data_format is not None and data_format.startswith("NC") else last


# -- two dimensions --------------------------------------------------------------------------------


@export("nn.conv2d")
def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Convolution of images [batch, h, w, in] (or NCHW) with filters [rows, columns, in, out].

    `padding`: "SAME", "VALID", or four pairs (before, after), one a dimension.
    """
    filter = deprecated_argument("filters", filters, "filter", filter)
    padding, explicit = split_padding(padding)
    if data_format is None:
        data_format = "NHWC"
    channel = _channel_index(data_format, 3)
    return raw.Conv2D(
        input,
        filter,
        strides=per_dimension(strides, 2, channel, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=per_dimension(dilations, 2, channel, "dilations"),
        name=name,
    )


def transpose_2d(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    name: str | None,
) -> Tensor:
    with name_scope(name, "conv2d_transpose", [input, output_shape]) as scope:
        if data_format is None:
            data_format = "NHWC"
        channel = _channel_index(data_format, 3)
        return raw.Conv2DBackpropInput(
            output_shape,
            filters,
            input,
            strides=per_dimension(strides, 2, channel, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_dimension(dilations, 2, channel, "dilations"),
            name=scope,
        )


@export("nn.conv2d_transpose")
def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of conv2d: [batch, h, w, in] with filters [rows, columns, out, in]."""
    value = deprecated_argument("input", input, "value", value)
    filter = deprecated_argument("filters", filters, "filter", filter)
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        return transpose_2d(
            value, filter, output_shape, strides, padding, data_format, dilations, scope
        )


@export("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None):
    """Convolution with holes: filter elements `rate` pixels apart."""
    return convolution(
        input=value,
        filter=filters,
        padding=padding,
        dilation_rate=np.broadcast_to(rate, (2,)),
        name=name,
    )


@export("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`; filters are [rows, columns, out, in]."""
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]):
        value = convert_to_tensor(value, name="value")
        filters = convert_to_tensor(filters, name="filters")
        if not value.shape.dims[3].is_compatible_with(filters.shape[3]):
            raise ValueError(
                "value's input channels does not match filters' input channels, "
                f"{value.shape[3]} != {filters.shape[3]}"
            )
        if rate < 1:
            raise ValueError(f"rate {rate} cannot be less than one")
        if rate == 1:
            return conv2d_transpose(
                value, filters, output_shape, strides=[1, 1, 1, 1], padding=padding
            )
        wanted = convert_to_tensor(output_shape, name="output_shape")
        if not wanted.shape.is_compatible_with(TensorShape([4])):
            raise ValueError(f"output_shape must have shape (4,), got {wanted.shape}")
        if isinstance(output_shape, tuple):
            output_shape = list(output_shape)
        if isinstance(output_shape, (list, np.ndarray)) and not filters.shape.dims[
            2
        ].is_compatible_with(output_shape[3]):
            raise ValueError(
                "output_shape does not match filter's output channels, "
                f"{output_shape[3]} != {filters.shape[2]}"
            )
        (top, bottom), (left, right) = _atrous_sides(filters, rate, padding)
        height, width = output_shape[1] + top + bottom, output_shape[2] + left + right
        extra_rows, extra_columns = (rate - height % rate) % rate, (rate - width % rate) % rate
        from relight.v1.functions.array_gather import batch_to_space, space_to_batch

        value = space_to_batch(
            input=value, paddings=[[0, extra_rows], [0, extra_columns]], block_size=rate
        )
        sizes = [
            rate * rate * output_shape[0],
            (height + extra_rows) // rate,
            (width + extra_columns) // rate,
            output_shape[3],
        ]
        value = raw.Conv2DBackpropInput(
            sizes, filters, value, strides=[1, 1, 1, 1], padding="VALID", data_format="NHWC"
        )
        crops = [[top, bottom + extra_rows], [left, right + extra_columns]]
        return batch_to_space(input=value, crops=crops, block_size=rate)


def _atrous_sides(filters: Tensor, rate: int, padding: str) -> list[tuple[Any, Any]]:
    if padding == "VALID":
        return [(0, 0), (0, 0)]
    if padding != "SAME":
        raise ValueError(f"padding must be either VALID or SAME: {padding}")
    known = filters.shape.is_fully_defined()
    shape = filters.shape.as_list() if known else array_nodes.shape(filters)
    sides = []
    for i in (0, 1):
        total = shape[i] + (shape[i] - 1) * (rate - 1) - 1
        before = total // 2
        sides.append((before, total - before))
    return sides


# -- one and three dimensions ----------------------------------------------------------------------


def one_dimensional(data_format: str | None, allowed: Sequence[str]) -> tuple[str, int, int]:
    """(2-D data format, place of the new dimension, channel index)."""
    if data_format is None or data_format in allowed[:1] or data_format == allowed[0]:
        return "NHWC", 1, 2
    if data_format in allowed:
        return ("NCHW", 2, 1) if data_format.startswith("NC") else ("NHWC", 1, 2)
    raise ValueError('data_format must be "NWC" or "NCW".')


@export("nn.conv1d")
def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Convolution of sequences [batch, w, in] (or NCW) with filters [width, in, out]."""
    value = deprecated_argument("input", input, "value", value)
    with name_scope(name, "conv1d", [value, filters]) as scope:
        formats = ("NWC", "NHWC", "NCW", "NCHW")
        data_format, place, channel = one_dimensional(data_format, formats)
        strides = [1, *per_dimension(stride, 1, channel, "stride")]
        dilations = [1, *per_dimension(dilations, 1, channel, "dilations")]
        value = raw.ExpandDims(value, place)
        filters = raw.ExpandDims(filters, 0)
        result = raw.Conv2D(
            value,
            filters,
            strides=strides,
            padding=padding,
            use_cudnn_on_gpu=use_cudnn_on_gpu,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )
        return array_nodes.squeeze(result, [place])


@export("nn.conv3d")
def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str = "NDHWC",
    dilations: Any = [1, 1, 1, 1, 1],
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Convolution of volumes [batch, d, h, w, in] with filters [d, h, w, in, out]."""
    filter = deprecated_argument("filters", filters, "filter", filter)
    return raw.Conv3D(
        input,
        filter,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def transpose_3d(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: Any = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    with name_scope(name, "conv3d_transpose", [input, output_shape]) as scope:
        if data_format is None:
            data_format = "NDHWC"
        channel = _channel_index(data_format, 4)
        return raw.Conv3DBackpropInputV2(
            output_shape,
            filters,
            input,
            strides=per_dimension(strides, 3, channel, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_dimension(dilations, 3, channel, "dilations"),
            name=scope,
        )


@export("nn.conv3d_transpose")
def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of conv3d: [batch, d, h, w, in] with filters [d, h, w, out, in]."""
    filter = deprecated_argument("filters", filters, "filter", filter)
    value = deprecated_argument("input", input, "value", value)
    return transpose_3d(value, filter, output_shape, strides, padding, data_format, dilations, name)


# -- any number of dimensions ----------------------------------------------------------------------


@export("nn.with_space_to_batch")
def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: str,
    op: Callable[..., Any],
    filter_shape: Any = None,
    spatial_dims: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """`op(input, number of spatial dimensions, padding)` with its window dilated.

    Pixels that are a dilation apart are gathered in a batch of their own, and put back after `op`.
    """
    input = convert_to_tensor(input, name="input")

    def build(count: int, inner_padding: str) -> Callable[..., Any]:
        return lambda inner, _: op(inner, count, inner_padding)

    return SpaceToBatch(
        input.shape, dilation_rate, padding, build, filter_shape, spatial_dims, data_format
    )(input, None)


class SpaceToBatch:
    """An operation whose window is dilated by way of the batch dimension."""

    def __init__(
        self,
        input_shape: TensorShape,
        dilation_rate: Any,
        padding: str,
        build: Callable[..., Any],
        filter_shape: Any = None,
        spatial_dims: Any = None,
        data_format: str | None = None,
    ):
        rate = convert_to_tensor(dilation_rate, dtypes.int32, name="dilation_rate")
        if rate.shape.ndims not in (None, 1):
            raise ValueError("rate must be rank 1")
        if not rate.shape.is_fully_defined():
            raise ValueError("rate must have known shape")
        count = rate.shape.as_list()[0]
        assert count is not None
        first = 2 if data_format is not None and data_format.startswith("NC") else 1
        if spatial_dims is None:
            spatial_dims = range(first, count + first)
        places = sorted({int(d) for d in spatial_dims})
        if places != list(spatial_dims) or any(d < 1 for d in places):
            raise ValueError(
                "spatial_dims must be a montonically increasing sequence of positive integers"
            )
        minimum = places[-1] + (first == 1)
        if input_shape.ndims is not None and input_shape.ndims < minimum:
            raise ValueError(f"input tensor must have rank {minimum} at least")
        known_rate = constant_value(rate)
        if known_rate is not None:
            if np.any(known_rate < 1):
                raise ValueError("dilation_rate must be positive")
            if np.all(known_rate == 1):
                self.call = build(count, padding)
                return
        self._rate, self._count = (rate if known_rate is None else known_rate), count
        if padding == "SAME":
            if filter_shape is None:
                raise ValueError("filter_shape must be specified for SAME padding")
            shape = convert_to_tensor(filter_shape, name="filter_shape")
            known_shape = constant_value(shape)
            self._base = None if known_shape is None else self._base_paddings(known_shape)
        elif padding == "VALID":
            self._base = np.zeros([count, 2], np.int32)
        else:
            raise ValueError(f"Invalid padding method {padding!r}")
        self._input_shape, self._places, self._dilation = input_shape, places, rate
        self._data_format = data_format
        self._op = build(count, "VALID")
        self.call = self._dilated

    def _base_paddings(self, filter_shape: Any) -> Any:
        window = filter_shape[: self._count]
        extra = window + (window - 1) * (self._rate - 1) - 1
        start = extra // 2
        end = extra - start
        return array_nodes.stack([[start[i], end[i]] for i in range(self._count)])

    def _dilated(self, inner: Tensor, filter: Any) -> Tensor:
        from relight.v1.functions.array_gather import required_space_to_batch_paddings

        spatial: Any = None
        if self._input_shape.ndims is not None:
            sizes = self._input_shape.as_list()
            spatial = [sizes[i] for i in self._places]
        if spatial is None or None in spatial:
            shape = array_nodes.shape(inner)
            spatial = array_nodes.stack([shape[i] for i in self._places])
        base = self._base
        if base is None:
            base = self._base_paddings(array_nodes.shape(filter))
        paddings, crops = required_space_to_batch_paddings(
            input_shape=spatial, base_paddings=base, block_shape=self._dilation
        )
        block = _spread(self._dilation, 1, self._places)
        paddings, crops = _spread(paddings, 0, self._places), _spread(crops, 0, self._places)
        converted = raw.SpaceToBatchND(inner, block, paddings)
        result = raw.BatchToSpaceND(self._op(converted, filter), block, crops)
        if (
            self._data_format is not None
            and self._data_format.startswith("NC")
            and filter is not None
            and not result.shape.as_list()[1]
        ):
            known = result.shape.as_list()
            known[1] = filter.shape.as_list()[-1]
            result.set_shape(known)
        return result

    def __call__(self, inner: Any, filter: Any) -> Tensor:
        """The dilated operation on a tensor."""
        return self.call(inner, filter)


def _spread(values: Tensor, fill: int, places: list[int]) -> Any:
    """Rows for the spatial dimensions `places`, with `fill` for dimensions between them."""
    rest = values.shape.as_list()[1:]
    known = constant_value(values)
    rows = values if known is None else known
    parts = []
    before, i = 0, 0
    while i < len(places):
        start = i
        if places[i] > 1:
            shape = [places[i] - 1 - before, *rest]
            parts.append(np.full(shape, fill, dtype=values.dtype.as_numpy_dtype))
        while i + 1 < len(places) and places[i + 1] == places[i] + 1:
            i += 1
        parts.append(rows[start : i + 1])
        before = places[i]
        i += 1
    return np.concatenate(parts) if known is not None else array_nodes.concat(parts, 0)


def strides_and_rates(count: int, strides: Any, rates: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as int32 arrays [count], ones by default; ValueError unless they suit each other."""
    if rates is None:
        rates = [1] * count
    elif len(rates) != count:
        raise ValueError(f"len(dilation_rate)={len(rates)} but should be {count}")
    rates = np.array(rates, dtype=np.int32)
    if np.any(rates < 1):
        raise ValueError("all values of dilation_rate must be positive")
    if strides is None:
        strides = [1] * count
    elif len(strides) != count:
        raise ValueError(f"len(strides)={len(strides)} but should be {count}")
    strides = np.array(strides, dtype=np.int32)
    if np.any(strides < 1):
        raise ValueError("all values of strides must be positive")
    if np.any(strides > 1) and np.any(rates > 1):
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    return strides, rates


class _Plain:
    """A convolution without dilation, of one to three dimensions."""

    def __init__(
        self,
        input_shape: TensorShape,
        filter_shape: TensorShape,
        padding: str,
        data_format: str | None,
        strides: Any,
        name: str | None,
    ):
        filter_shape = filter_shape.with_rank(input_shape.ndims)  # type: ignore[arg-type]
        if input_shape.ndims is None:
            raise ValueError("Rank of convolution must be known")
        if not 3 <= input_shape.ndims <= 5:
            raise ValueError("`input` and `filter` must have rank at least 3 and at most 5")
        count = input_shape.ndims - 2
        strides = [1] * count if strides is None else strides
        if len(strides) != count:
            raise ValueError(f"len(strides)={len(strides)}, but should be {count}")
        self.count, self.padding, self.name = count, padding, name
        formats = (("NWC", "NCW", "NHWC", "NCHW"), ("NHWC", "NCHW"), ("NDHWC", "NCDHW"))[count - 1]
        if data_format is not None and data_format not in formats:
            shown = " or ".join(f'"{f}"' for f in formats[:2])
            raise ValueError(f"data_format must be {shown}.")
        self.data_format = data_format or (None if count == 3 else formats[0])
        if count == 1:
            self.strides = strides[0]
        elif data_format is not None and data_format.startswith("NC"):
            self.strides = [1, 1, *strides]
        else:
            self.strides = [1, *strides, 1]

    def __call__(self, inner: Any, filter: Any) -> Tensor:
        if self.count == 1:
            return conv1d(
                value=inner,
                filters=filter,
                stride=self.strides,
                padding=self.padding,
                data_format=self.data_format,
                name=self.name,
            )
        if self.count == 2:
            return conv2d(
                inner,
                filter,
                self.strides,
                self.padding,
                data_format=self.data_format,
                name=self.name,
            )
        return raw.Conv3D(
            inner,
            filter,
            strides=[int(s) for s in self.strides],
            padding=self.padding,
            data_format=self.data_format,
            name=self.name,
        )


class Convolution:
    """A convolution of known shapes, dilated by way of the batch dimension where asked for."""

    def __init__(
        self,
        input_shape: TensorShape,
        filter_shape: TensorShape,
        padding: str,
        strides: Any = None,
        dilation_rate: Any = None,
        name: str | None = None,
        data_format: str | None = None,
    ):
        rank = filter_shape.ndims if filter_shape.ndims is not None else input_shape.ndims
        if rank is None:
            raise ValueError("rank of input or filter must be known")
        count = rank - 2
        if input_shape.ndims not in (None, rank):
            raise ValueError(f"input tensor must have rank {rank}")
        if filter_shape.ndims not in (None, rank):
            raise ValueError(f"filter tensor must have rank {rank}")
        first = data_format is not None and data_format.startswith("NC")
        sizes = input_shape.with_rank(rank)
        channels = sizes[1 if first else rank - 1]
        places = range(2, rank) if first else range(1, count + 1)
        if not channels.is_compatible_with(filter_shape[count]):
            raise ValueError(
                "number of input channels does not match corresponding dimension of filter, "
                f"{channels} != {filter_shape[count]}"
            )
        strides, rates = strides_and_rates(count, strides, dilation_rate)
        self.input_shape, self.filter_shape = input_shape, filter_shape
        self.padding, self.name, self.data_format = padding, name, data_format
        self.strides, self.dilation_rate = strides, rates
        self.conv_op = SpaceToBatch(
            input_shape, rates, padding, self._plain, filter_shape, places, data_format
        )

    def _plain(self, _: int, padding: str) -> _Plain:
        return _Plain(
            self.input_shape, self.filter_shape, padding, self.data_format, self.strides, self.name
        )

    def __call__(self, inner: Any, filter: Any) -> Tensor:
        """The convolution of a tensor with a filter."""
        return self.conv_op(inner, filter)


@export("nn.convolution")
def convolution(
    input: Any,
    filter: Any,
    padding: Any,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Convolution of one to three spatial dimensions, as many as the input has."""
    filter = deprecated_argument("filters", filters, "filter", filter)
    rates = deprecated_argument("dilations", dilations, "dilation_rate", dilation_rate)
    if getattr(input, "shape", None) is not None and as_shape(input.shape).ndims is not None:
        count = as_shape(input.shape).ndims - 2
    elif getattr(filter, "shape", None) is not None and as_shape(filter.shape).ndims is not None:
        count = as_shape(filter.shape).ndims - 2
    else:
        raise ValueError("rank of input or filter must be known")
    if not 1 <= count <= 3:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {count + 2}.")
    channel = _channel_index(data_format, count + 1)
    strides = per_dimension(strides, count, channel, "strides")
    rates = per_dimension(rates, count, channel, "dilations")
    with name_scope(name, "convolution", [input, filter]) as scope:
        if all(r == 1 for r in rates):
            if count == 1:
                return conv1d(
                    input,
                    filter,
                    strides,
                    padding,
                    data_format=data_format,
                    dilations=rates,
                    name=scope,
                )
            build = raw.Conv2D if count == 2 else raw.Conv3D
            return build(
                input,
                filter,
                strides=strides,
                padding=padding,
                data_format=data_format,
                dilations=rates,
                name=scope,
            )
        inside = slice(2, None) if channel == 1 else slice(1, -1)
        layer = Convolution(
            as_shape(input.shape),
            as_shape(filter.shape),
            padding,
            strides=strides[inside],
            dilation_rate=rates[inside],
            name=scope,
            data_format=data_format,
        )
        return layer(input, filter)


# -- depthwise -------------------------------------------------------------------------------------

depthwise_conv2d_native = export("nn.depthwise_conv2d_native")(raw.DepthwiseConv2dNative)
depthwise_conv2d_native_backprop_input = export(
    "nn.depthwise_conv2d_native_backprop_input", "nn.depthwise_conv2d_backprop_input"
)(raw.DepthwiseConv2dNativeBackpropInput)
depthwise_conv2d_native_backprop_filter = export(
    "nn.depthwise_conv2d_native_backprop_filter", "nn.depthwise_conv2d_backprop_filter"
)(raw.DepthwiseConv2dNativeBackpropFilter)


@export("nn.depthwise_conv2d")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Each channel with filters of its own: [..., c] x [rows, columns, c, m] -> [..., c * m]."""
    rate = deprecated_argument("dilations", dilations, "rate", rate)
    with name_scope(name, "depthwise", [input, filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        filter = convert_to_tensor(filter, name="filter_in")

        def op(inner: Any, _: int, inner_padding: str) -> Tensor:
            return raw.DepthwiseConv2dNative(
                inner,
                filter,
                strides=strides,
                padding=inner_padding,
                data_format=data_format,
                name=scope,
            )

        return with_space_to_batch(
            input=input,
            filter_shape=array_nodes.shape(filter),
            dilation_rate=[1, 1] if rate is None else rate,
            padding=padding,
            data_format=data_format,
            op=op,
        )


@export("nn.separable_conv2d")
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """A depthwise convolution, then a pointwise one with a filter [1, 1, c * m, out]."""
    rate = deprecated_argument("dilations", dilations, "rate", rate)
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        static = pointwise_filter.shape.with_rank(4)
        for i in (0, 1):
            static.dims[i].assert_is_compatible_with(1)  # type: ignore[index]

        def op(inner: Any, _: int, inner_padding: str) -> Tensor:
            return raw.DepthwiseConv2dNative(
                inner,
                depthwise_filter,
                strides=strides,
                padding=inner_padding,
                data_format=data_format,
                name="depthwise",
            )

        depthwise = with_space_to_batch(
            input=input,
            filter_shape=array_nodes.shape(depthwise_filter),
            dilation_rate=[1, 1] if rate is None else rate,
            padding=padding,
            data_format=data_format,
            op=op,
        )
        return conv2d(
            depthwise,
            pointwise_filter,
            [1, 1, 1, 1],
            padding="VALID",
            data_format=data_format,
            name=scope,
        )
