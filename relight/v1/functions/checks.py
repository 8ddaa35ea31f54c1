"""`tf.Assert`, `tf.assert_*`, `tf.Print`, `tf.print`, numeric checks."""

from __future__ import annotations

import logging
import os
import pprint
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops import math_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.v1.functions import nest
from relight.v1.functions.array import is_tensor
from relight.v1.functions.control import group, no_op, with_dependencies


@export("Assert", "debugging.Assert")
def Assert(
    condition: Any, data: Any, summarize: int | None = None, name: str | None = None
) -> Operation:
    """An operation that raises InvalidArgumentError, showing `data`, unless `condition` holds.

    `summarize` elements of each tensor are shown (3 by default).
    """
    from relight.v1.functions.control_flow import cond

    with name_scope(name, "Assert", [condition, *data]):
        tensors = [convert_to_tensor(d) for d in data]
        if all(t.dtype in (dtypes.string, dtypes.int32) for t in tensors):
            return raw.Assert(condition, data, summarize=summarize, name="Assert")
        condition = convert_to_tensor(condition, name="Condition")

        def check() -> Operation:
            return raw.Assert(condition, data, summarize=summarize, name="Assert")

        guarded = cond(condition, no_op, check, name="AssertGuard")
        return guarded if isinstance(guarded, Operation) else guarded.op


# -- comparisons of values -----------------------------------------------------------------------


def _static_text(item: Any) -> str:
    if not isinstance(item, Tensor):
        return str(item)
    value = constant_value(item)
    return str(item) if value is None else str(value)


def _compare(
    sign: str,
    default_name: str,
    op_type: str,
    static: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, [x, y, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y")
        if data is None:
            data = [
                f"Condition x {sign} y did not hold element-wise:",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        if message is not None:
            data = [message, *data]
        condition = math_nodes.reduce_all(getattr(raw, op_type)(x, y))
        x_value, y_value = constant_value(x), constant_value(y)
        if x_value is not None and y_value is not None and not np.all(static(x_value, y_value)):
            raise errors.InvalidArgumentError(None, None, "\n".join(_static_text(d) for d in data))
        return Assert(condition, data, summarize=summarize)


@export("assert_equal", "debugging.assert_equal")
def assert_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x == y everywhere.

    Raises at once when both are constants.
    """
    with name_scope(name, "assert_equal", [x, y, *(data or [])]):
        if x is y:
            return no_op()
    return _compare("==", "assert_equal", "Equal", np.equal, x, y, data, summarize, message, name)


@export("assert_none_equal", "debugging.assert_none_equal")
def assert_none_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x != y everywhere."""
    return _compare(
        "!=", "assert_none_equal", "NotEqual", np.not_equal, x, y, data, summarize, message, name
    )


@export("assert_less", "debugging.assert_less")
def assert_less(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x < y everywhere."""
    return _compare("<", "assert_less", "Less", np.less, x, y, data, summarize, message, name)


@export("assert_less_equal", "debugging.assert_less_equal")
def assert_less_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x <= y everywhere."""
    return _compare(
        "<=", "assert_less_equal", "LessEqual", np.less_equal, x, y, data, summarize, message, name
    )


@export("assert_greater", "debugging.assert_greater")
def assert_greater(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x > y everywhere."""
    return _compare(
        ">", "assert_greater", "Greater", np.greater, x, y, data, summarize, message, name
    )


@export("assert_greater_equal", "debugging.assert_greater_equal")
def assert_greater_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x >= y everywhere."""
    return _compare(
        ">=",
        "assert_greater_equal",
        "GreaterEqual",
        np.greater_equal,
        x,
        y,
        data,
        summarize,
        message,
        name,
    )


def _sign(
    x: Any,
    sign: str,
    compare: Any,
    zero_first: bool,
    default_name: str,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, [x, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        if data is None:
            data = [
                message or "",
                f"Condition x {sign} did not hold element-wise:",
                f"x ({x.name}) = ",
                x,
            ]
            if default_name == "assert_non_positive":  # the one where TensorFlow joins two lines
                data[1:3] = [data[1] + data[2]]
        zero = convert_to_tensor(0, dtype=x.dtype)
        first, second = (zero, x) if zero_first else (x, zero)
        return compare(first, second, data=data, summarize=summarize)


@export("assert_negative", "debugging.assert_negative")
def assert_negative(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x < 0 everywhere."""
    return _sign(x, "< 0", assert_less, False, "assert_negative", data, summarize, message, name)


@export("assert_positive", "debugging.assert_positive")
def assert_positive(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x > 0 everywhere."""
    return _sign(x, "> 0", assert_less, True, "assert_positive", data, summarize, message, name)


@export("assert_non_negative", "debugging.assert_non_negative")
def assert_non_negative(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x >= 0 everywhere."""
    return _sign(
        x, ">= 0", assert_less_equal, True, "assert_non_negative", data, summarize, message, name
    )


@export("assert_non_positive", "debugging.assert_non_positive")
def assert_non_positive(
    x: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless x <= 0 everywhere."""
    return _sign(
        x, "<= 0", assert_less_equal, False, "assert_non_positive", data, summarize, message, name
    )


@export("assert_near", "debugging.assert_near")
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that raises InvalidArgumentError unless |x - y| < atol + rtol * |y| everywhere.

    Both tolerances are 10 times the type's epsilon by default.
    """
    with name_scope(name, "assert_near", [x, y, rtol, atol, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype)
        epsilon = 10 * np.finfo(x.dtype.as_numpy_dtype).eps
        rtol = convert_to_tensor(epsilon if rtol is None else rtol, name="rtol", dtype=x.dtype)
        atol = convert_to_tensor(epsilon if atol is None else atol, name="atol", dtype=x.dtype)
        if data is None:
            data = [
                message or "",
                f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        tolerance = atol + rtol * raw.Abs(y)
        distance = raw.Abs(x - y)
        condition = math_nodes.reduce_all(raw.Less(distance, tolerance))
        return Assert(condition, data, summarize=summarize)


# -- types ---------------------------------------------------------------------------------------


@export("assert_type", "debugging.assert_type")
def assert_type(
    tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None
) -> Operation:
    """Raise TypeError unless a tensor is of the type; an operation that does nothing."""
    with name_scope(name, "assert_type", [tensor]):
        tensor = convert_to_tensor(tensor, name="tensor")
        if tensor.dtype != tf_type:
            raise TypeError(f"{message or ''}  {tensor.name} must be of type {tf_type}")
        return no_op("statically_determined_correct_type")


@export("assert_integer", "debugging.assert_integer")
def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raise TypeError unless a tensor is of an integer type; an operation that does nothing."""
    with name_scope(name, "assert_integer", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(
                f'{message or ""}  Expected "x" to be integer type.  Found: {x.name} of dtype '
                f"{x.dtype}"
            )
        return no_op("statically_determined_was_integer")


_NUMERIC_NAMES = """float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64
    qint8 qint32 quint8 complex64 complex128"""
_NUMERIC = frozenset(map(dtypes.as_dtype, _NUMERIC_NAMES.split()))


@export("is_numeric_tensor", "debugging.is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether something is a Tensor of numbers."""
    return isinstance(tensor, Tensor) and tensor.dtype in _NUMERIC


@export("assert_same_float_dtype", "debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The common floating-point type (float32 for no tensors); ValueError when there is none."""
    if tensors:
        dtype = assert_same_base_type(tensors, dtype)
    if not dtype:
        return dtypes.float32
    if not dtype.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype}.")
    return dtype


def assert_same_base_type(items: Any, expected_type: Any = None) -> Any:
    """The common base type of the items that are not None; ValueError when they differ."""
    expected, first = expected_type, None
    for item in items:
        if item is None:
            continue
        found = item.dtype.base_dtype
        if not expected:
            expected, first = found, getattr(item, "name", str(item))
        elif expected != found:
            described = f" as {first}" if first else ""
            raise ValueError(
                f"{getattr(item, 'name', str(item))}, type={found}, must be of the same type "
                f"({expected}){described}."
            )
    return expected


# -- finite numbers ------------------------------------------------------------------------------


@export("check_numerics", "debugging.check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor itself; InvalidArgumentError when an element is infinite or no number."""
    return raw.CheckNumerics(tensor, message=message, name=name)


@export("verify_tensor_all_finite", "debugging.assert_all_finite")
def verify_tensor_all_finite(
    t: Any = None, msg: Any = None, name: str | None = None, x: Any = None, message: Any = None
) -> Tensor:
    """The tensor itself, after the check that all its elements are finite."""
    x = deprecated_argument("x", x, "t", t)
    message = deprecated_argument("message", message, "msg", msg)
    with name_scope(name, "VerifyFinite", [x]):
        x = convert_to_tensor(x, name="x")
        with get_default_graph().colocate_with(x):
            checked = raw.CheckNumerics(x, message=message)
            return with_dependencies([checked], x)


@export("add_check_numerics_ops")
def add_check_numerics_ops() -> Operation:
    """An operation that checks every floating-point tensor of the graph, in order."""
    before: list[Any] = []
    graph = get_default_graph()
    for node in graph.get_operations():
        for output in node.outputs:
            if output.dtype in (dtypes.float16, dtypes.float32, dtypes.float64):
                with graph.control_dependencies(before):
                    message = f"{node.name}:{output.value_index}"
                    before = [raw.CheckNumerics(output, message=message)]
    return group(*before)


# -- printing ------------------------------------------------------------------------------------


@export("Print")
def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """The input itself; when it is computed, `message` and `data` are written to standard error.

    `summarize` elements of each tensor (3 by default), the first `first_n` times.
    """
    return raw.Print(input_, data, message=message, first_n=first_n, summarize=summarize, name=name)


def _free_placeholder(text: str) -> str:
    """A placeholder that does not occur in the text."""
    placeholder = "{}"
    numbers = random.Random(5)
    while placeholder in text:
        placeholder += str(numbers.randint(0, 9))
    return placeholder


def _stream_name(stream: Any) -> str:
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    from relight.v1 import logging as tf_logging

    names: list[tuple[Any, str]] = [(sys.stdout, "stdout"), (sys.stderr, "stderr")]
    for module in (tf_logging, logging):
        for level, words in (
            ("info", ("info", "INFO")),
            ("warning", ("warning", "warn", "WARN", "WARNING")),
            ("error", ("error", "ERROR")),
        ):
            names += [(getattr(module, w), f"log({level})") for w in words if hasattr(module, w)]
    for known, text in names:
        if stream is known or (isinstance(known, int) and stream == known):
            return text
    raise ValueError(
        f"Unsupported output stream, logging level, or file.{stream}. Supported streams are "
        "sys.stdout, sys.stderr, tf.logging.info, tf.logging.warning, tf.logging.error. File "
        "needs to be in the form of 'file://<filepath>'."
    )


@export("print")
def print_v2(*inputs: Any, **kwargs: Any) -> Operation:
    """An operation that writes values, tensors among them, when it runs.

    Keywords: `output_stream` (sys.stderr, sys.stdout, a log function or level, "file://path"),
    `summarize` (elements at both ends of each dimension, 3; -1: all), `sep`, `end`, `name`.
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    name = kwargs.pop("name", None)
    summarize = kwargs.pop("summarize", 3)
    separator = kwargs.pop("sep", " ")
    end = kwargs.pop("end", os.linesep)
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}")
    target = _stream_name(stream)
    only = inputs[0] if len(inputs) == 1 else None
    if isinstance(only, Tensor) and only.shape.ndims == 0 and only.dtype == dtypes.string:
        text: Any = only
    else:
        text = _formatted(inputs, separator, summarize, f"{name}_format" if name else None)
    return raw.PrintV2(text, output_stream=target, name=name, end=end)


def _formatted(inputs: Any, separator: str, summarize: int, name: str | None) -> Tensor:
    bare = nest.map_structure(lambda x: "" if is_tensor(x) else x, inputs)
    placeholder = _free_placeholder(" ".join(pprint.pformat(x) for x in bare))
    templates, tensors = [], []
    for item in inputs:
        texts = []
        for part in nest.flatten(item):
            if isinstance(part, SparseTensor):
                tensors += [part.indices, part.values, part.dense_shape]
                texts.append(
                    f"SparseTensor(indices={placeholder}, values={placeholder}, "
                    f"shape={placeholder})"
                )
            elif is_tensor(part):
                tensors.append(part)
                texts.append(placeholder)
            else:
                texts.append(part)
        if isinstance(item, str):
            templates.append(item)
        else:
            templates.append(pprint.pformat(nest.pack_sequence_as(item, texts)))
    template = separator.join(templates).replace(f"'{placeholder}'", placeholder)
    return raw.StringFormat(
        tensors, template=template, placeholder=placeholder, summarize=summarize, name=name
    )
