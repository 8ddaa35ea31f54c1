"""Arguments that layers share: sizes per dimension, paddings, data formats, and what they give."""

from __future__ import annotations

from typing import Any

from relight.ops.array_nodes import transpose


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor from its `locals()`, for the next one."""
    arguments = {k: v for k, v in values.items() if k not in ("self", "__class__", "kwargs")}
    return {**arguments, **values.get("kwargs", {})}


def applied(layer: Any, values: dict[str, Any], *, scoped: bool = True) -> Any:
    """What a functional layer gives, from its `locals()`: the layer made and applied to `inputs`.

    `scoped` layers have weights: they open the variable scope `name` and may be reused.
    """
    arguments = dict(values)
    inputs = arguments.pop("inputs")
    call = {key: arguments.pop(key) for key in ("training",) if key in arguments}
    if scoped:
        arguments["_scope"] = arguments["name"]
        arguments["_reuse"] = arguments.pop("reuse")
    return layer(**arguments).apply(inputs, **call)


def sizes(value: Any, count: int, name: str) -> tuple[Any, ...]:
    """An int or a sequence of `count` ints as a tuple of `count` ints."""
    if isinstance(value, int):
        return (value,) * count
    message = f"The `{name}` argument must be a tuple of {count} integers. Received: {value}"
    try:
        values = tuple(value)
    except TypeError:
        raise ValueError(message) from None
    if len(values) != count:
        raise ValueError(message)
    for single in values:
        try:
            int(single)
        except (ValueError, TypeError):
            raise ValueError(
                f"{message} including element {single} of type {type(single)}"
            ) from None
    return values


def padding(value: Any) -> Any:
    """ "valid", "same" or "causal" in lower case; lists are left."""
    if isinstance(value, (list, tuple)):
        return value
    lower = value.lower()
    if lower not in ("valid", "same", "causal"):
        raise ValueError(
            'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", '
            f"only for `Conv1D). Received: {lower}"
        )
    return lower


def data_format(value: str | None) -> str:
    """ "channels_first" or "channels_last", the default."""
    lower = "channels_last" if value is None else value.lower()
    if lower not in ("channels_first", "channels_last"):
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". '
            f"Received: {value}"
        )
    return lower


_FORMATS = {3: ("NWC", "NCW"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}


def op_format(layout: str, rank: int) -> str:
    """The data format of operations on tensors of that rank, such as "NHWC"."""
    if rank not in _FORMATS:
        raise ValueError("Input rank not supported:", rank)
    return _FORMATS[rank][layout == "channels_first"]


def output_length(length: int | None, window: int, pad: str, stride: int, dilation: int = 1) -> Any:
    """The number of places of a window along a dimension of that length; None if unknown."""
    if length is None:
        return None
    if pad == "valid":
        length -= window + (window - 1) * (dilation - 1) - 1
    return (length + stride - 1) // stride


def transposed_length(
    length: Any, window: int, pad: str, stride: int, dilation: int = 1, extra: int | None = None
) -> Any:
    """The length that a window slides over, when it has `length` places (an int or a tensor).

    Several lengths give the same number of places; `extra` picks one, without it the shortest of
    "same", the longest of "valid" padding.
    """
    if length is None:
        return None
    window += (window - 1) * (dilation - 1)
    if extra is not None:
        padded = window // 2 if pad == "same" else 0
        return (length - 1) * stride + window - 2 * padded + extra
    length = length * stride
    return length + max(window - stride, 0) if pad == "valid" else length


def channels_last(x: Any, layout: str) -> Any:
    """[batch, channels, height, width] as [batch, height, width, channels], where it is that."""
    return transpose(x, (0, 2, 3, 1)) if layout == "channels_first" else x


def as_given(x: Any, layout: str) -> Any:
    """The inverse of `channels_last`."""
    return transpose(x, (0, 3, 1, 2)) if layout == "channels_first" else x
