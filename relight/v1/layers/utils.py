"""`tensorflow.python.layers.utils`: what programs with layers of their own take from there."""

from __future__ import annotations

from typing import Any

from relight.graph.node import Tensor
from relight.v1.functions.control_flow import smart_constant_value
from relight.v1.layers.base import switch

__all__ = [
    "constant_value",
    "conv_input_length",
    "conv_output_length",
    "convert_data_format",
    "deconv_output_length",
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
    "smart_cond",
]

_CHANNELS_LAST = {3: "NWC", 4: "NHWC", 5: "NDHWC"}
_CHANNELS_FIRST = {3: "NCW", 4: "NCHW", 5: "NCDHW"}


def smart_cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: Any = None) -> Any:
    """`true_fn()` or `false_fn()`, chosen now for a constant `pred`, by `tf.cond` otherwise."""
    return switch(pred, true_fn, false_fn, name=name)


def constant_value(pred: Any) -> bool | None:
    """The bool that `pred` (bool, 0, 1, tensor, variable) is bound to be, or None."""
    if hasattr(pred, "initializer") and not isinstance(pred, Tensor):
        return None
    return smart_constant_value(pred)


def convert_data_format(data_format: str, ndim: int) -> str:
    """ "channels_last" or "channels_first" in the ops' words, such as "NHWC", for `ndim` axes.

    Raises:
      ValueError: for another format or a rank that is not 3, 4 or 5.
    """
    table = {"channels_last": _CHANNELS_LAST, "channels_first": _CHANNELS_FIRST}.get(data_format)
    if table is None:
        raise ValueError("Invalid data_format:", data_format)
    if ndim not in table:
        raise ValueError("Input rank not supported:", ndim)
    return table[ndim]


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """`value` as `n` integers: an int is repeated.

    Raises:
      ValueError: when it is neither an int nor `n` of them; `name` is the argument's.
    """
    if isinstance(value, int):
        return (value,) * n
    text = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        values = tuple(value)
    except TypeError:
        raise ValueError(text) from None
    if len(values) != n:
        raise ValueError(text)
    for single in values:
        try:
            int(single)
        except (ValueError, TypeError):
            raise ValueError(f"{text} including element {single} of type {type(single)}") from None
    return values


def normalize_data_format(value: str) -> str:
    """`value` in lower case, checked to be "channels_first" or "channels_last"."""
    data_format = value.lower()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            "The `data_format` argument must be one of "
            f'"channels_first", "channels_last". Received: {value}'
        )
    return data_format


def normalize_padding(value: str) -> str:
    """`value` in lower case, checked to be "valid" or "same"."""
    padding = value.lower()
    if padding not in ("valid", "same"):
        raise ValueError(
            f'The `padding` argument must be one of "valid", "same". Received: {padding}'
        )
    return padding


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of a convolution's output along one axis; None for an unknown input."""
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    length = {
        "same": input_length,
        "valid": input_length - reach + 1,
        "full": input_length + reach - 1,
    }[padding]
    return (length + stride - 1) // stride


def conv_input_length(
    output_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The length of a convolution's input along one axis, from that of its output."""
    if output_length is None:
        return None
    margin = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * margin + filter_size


def deconv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The length of a transposed convolution's output along one axis."""
    if input_length is None:
        return None
    length = input_length * stride
    if padding == "valid":
        return length + max(filter_size - stride, 0)
    return length - (stride + filter_size - 2) if padding == "full" else length
