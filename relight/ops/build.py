"""Building nodes: values become tensors, types and attrs are inferred, and a node is added.

`raw.MatMul(a, b, transpose_a=True, name=None)` exists for every op of TensorFlow 1.15, made from
its signature: inputs, then attrs (in any order, by keyword or position), then `name`. It gives a
Tensor, a named tuple of them, a list for a list output, or the Operation of an op without outputs.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph import attrs as attr_values
from relight.graph import dtypes, opdef
from relight.graph.graph import Graph, get_default_graph, graph_of, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape

Conversion = Callable[..., Any]
_conversions: list[tuple[int, int, Any, Conversion]] = []


def register_conversion(base_type: Any, conversion_func: Conversion, priority: int = 100) -> None:
    """Teach `convert_to_tensor` a type: `conversion_func(value, dtype=, name=, as_ref=)`.

    Lower priorities are asked first; a function may answer NotImplemented.
    """
    if not (isinstance(base_type, (type, tuple))):
        raise TypeError("base_type must be a type or a tuple of types.")
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    _conversions.append((priority, len(_conversions), base_type, conversion_func))
    _conversions.sort(key=lambda c: c[:2])


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    as_ref: bool = False,
) -> Tensor:
    """`value` as a Tensor of the default graph: itself, a registered conversion, or a constant.

    `preferred_dtype` is a wish that is dropped when the value does not allow it. Raises TypeError
    for a value that cannot become a tensor and ValueError for a tensor of another `dtype`.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, Tensor):
        if dtype is not None and not dtype.is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
                f"{value.dtype.name}: {str(value)!r}"
            )
        return value
    for _, _, base_type, function in _conversions:
        if not isinstance(value, base_type):
            continue
        if dtype is None and preferred_dtype is not None:
            wish = dtypes.as_dtype(preferred_dtype)
            try:
                answer = function(value, dtype=wish, name=name, as_ref=as_ref)
            except (TypeError, ValueError):
                answer = NotImplemented
            if answer is not NotImplemented and answer.dtype.base_dtype == wish.base_dtype:
                return answer
        answer = function(value, dtype=dtype, name=name, as_ref=as_ref)
        if answer is NotImplemented:
            continue
        if not isinstance(answer, Tensor):
            raise RuntimeError(f"Conversion function {function!r} returned non-Tensor: {answer!r}")
        if dtype is not None and not dtype.is_compatible_with(answer.dtype):
            raise RuntimeError(
                f"Conversion function {function!r} for type {base_type} returned incompatible "
                f"dtype: requested = {dtype.name}, actual = {answer.dtype.name}"
            )
        return answer
    raise TypeError(
        f"Cannot convert {value!r} with type {type(value)} to Tensor: no conversion function "
        "registered."
    )


def convert_n(
    values: Sequence[Any],
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    as_ref: bool = False,
) -> list[Tensor]:
    """Each of `values` as a Tensor, named `<name>_<i>`."""
    if not isinstance(values, Sequence) and not hasattr(values, "__iter__"):
        raise TypeError("values must be a sequence.")
    return [
        convert_to_tensor(
            v, dtype, None if name is None else f"{name}_{i}", preferred_dtype, as_ref
        )
        for i, v in enumerate(values)
    ]


# -- one node ------------------------------------------------------------------------------------


def _flat(values: Any) -> list[Any]:
    """The graph elements among the arguments of an op, for choosing its graph."""
    found = []
    for value in values:
        if isinstance(value, (list, tuple)):
            found.extend(_flat(value))
        elif isinstance(getattr(value, "graph", None), Graph):
            found.append(value)
    return found


def _check_allowed(op_type: str, parameter: str, attr: opdef.AttrDef, dtype: Any) -> None:
    if attr.allowed is not None and dtype.base_dtype not in attr.allowed:
        allowed = ", ".join(a.name for a in attr.allowed)
        raise TypeError(
            f"Value passed to parameter '{parameter}' has DataType {dtype.base_dtype.name} not in "
            f"list of allowed values: {allowed}"
        )


class _Builder:
    """The state of building one node: inferred attrs and converted inputs."""

    def __init__(self, definition: opdef.OpDef, name: str, attrs: dict[str, Any]):
        self.definition = definition
        self.name = name
        self.attrs = attrs
        self.inferred_from: dict[str, str] = {}
        self.inputs: list[Tensor] = []
        self.defaults = {
            a.name: a.default
            for a in definition.attrs.values()
            if a.kind == "type" and a.has_default
        }

    def add(self, arg: opdef.ArgDef, value: Any) -> None:
        if arg.is_list:
            self._add_list(arg, value)
        else:
            self._add_one(arg, value)

    def _wanted(self, arg: opdef.ArgDef) -> tuple[Any, Any]:
        """(dtype that the input must have, dtype that it would better have)."""
        if arg.dtype is not None:
            return arg.dtype, None
        assert arg.type_attr is not None
        if arg.type_attr in self.attrs:
            return dtypes.as_dtype(self.attrs[arg.type_attr]), None
        return None, self.defaults.get(arg.type_attr)

    def _add_one(self, arg: opdef.ArgDef, value: Any) -> None:
        op_type = self.definition.name
        dtype, preferred = self._wanted(arg)
        try:
            tensor = convert_to_tensor(
                value, dtype=dtype, name=arg.name, as_ref=arg.is_ref, preferred_dtype=preferred
            )
        except TypeError as error:
            if dtype is None:
                raise TypeError(str(error)) from None
            raise TypeError(
                f"Expected {dtype.name} passed to parameter '{arg.name}' of op '{op_type}', got "
                f"{value!r} of type '{type(value).__name__}' instead. Error: {error}"
            ) from None
        except ValueError:
            if not isinstance(value, Tensor) and not hasattr(value, "dtype"):
                raise
            got = dtypes.as_dtype(value.dtype).name
            raise self._mismatch(arg, f"has type {got}", dtype) from None
        if arg.is_ref and not tensor.dtype._is_ref_dtype:
            raise TypeError(
                f"'{op_type}' Op requires that input '{arg.name}' be a mutable tensor "
                "(e.g.: a tf.Variable)"
            )
        self._note_type(arg, tensor.dtype.base_dtype)
        self.inputs.append(tensor)

    def _mismatch(self, arg: opdef.ArgDef, what: str, dtype: Any) -> TypeError:
        prefix = f"Input '{arg.name}' of '{self.definition.name}' Op {what} that does not match"
        source = self.inferred_from.get(arg.type_attr or "")
        if arg.dtype is not None:
            return TypeError(f"{prefix} expected type of {arg.dtype.name}.")
        if source is not None:
            return TypeError(f"{prefix} type {dtype.name} of argument '{source}'.")
        return TypeError(f"{prefix} expected type of {dtype.name}.")

    def _note_type(self, arg: opdef.ArgDef, dtype: Any) -> None:
        name = arg.type_attr
        if name is None:
            return
        if name not in self.attrs:
            self.attrs[name] = dtype
            self.inferred_from[name] = arg.name
        _check_allowed(self.definition.name, arg.name, self.definition.attrs[name], dtype)

    def _add_list(self, arg: opdef.ArgDef, values: Any) -> None:
        op_type = self.definition.name
        if not isinstance(values, (list, tuple)):
            raise TypeError(
                f"Expected list for '{arg.name}' argument to '{op_type}' Op, not {values!r}."
            )
        if arg.number_attr is not None:
            tensors = self._convert_same(arg, list(values))
            self._note_number(arg, len(tensors))
        else:
            assert arg.type_list_attr is not None
            wanted = self.attrs.get(arg.type_list_attr)
            if wanted is not None and len(wanted) != len(values):
                raise ValueError(
                    f"Input '{arg.name}' of '{op_type}' Op takes {len(wanted)} tensors, "
                    f"not {len(values)}"
                )
            tensors = [
                convert_to_tensor(
                    v,
                    dtype=None if wanted is None else wanted[i],
                    name=f"{arg.name}_{i}",
                    as_ref=arg.is_ref,
                )
                for i, v in enumerate(values)
            ]
            self.attrs[arg.type_list_attr] = [t.dtype.base_dtype for t in tensors]
            minimum = self.definition.attrs[arg.type_list_attr].minimum or 0
            if len(tensors) < minimum:
                raise ValueError(
                    f"List argument '{arg.name}' to '{op_type}' Op with length {len(tensors)} "
                    f"shorter than minimum length {minimum}."
                )
        self.inputs.extend(tensors)

    def _convert_same(self, arg: opdef.ArgDef, values: list[Any]) -> list[Tensor]:
        op_type = self.definition.name
        dtype, preferred = self._wanted(arg)
        if dtype is None:  # the first value that is a tensor decides
            for value in values:
                found = getattr(value, "dtype", None)
                if isinstance(found, dtypes.DType):
                    dtype = found.base_dtype
                    break
        tensors: list[Tensor] = []
        for i, value in enumerate(values):
            try:
                tensor = convert_to_tensor(
                    value,
                    dtype=dtype,
                    name=f"{arg.name}_{i}",
                    preferred_dtype=preferred,
                    as_ref=arg.is_ref,
                )
            except (TypeError, ValueError):
                types = []
                for v in values:
                    try:
                        types.append(convert_to_tensor(v).dtype.base_dtype.name)
                    except (TypeError, ValueError):
                        types.append("<NOT CONVERTIBLE TO TENSOR>")
                described = ", ".join(types)
                raise TypeError(
                    f"Tensors in list passed to '{arg.name}' of '{op_type}' Op have types "
                    f"[{described}] that "
                    + (
                        "don't all match."
                        if arg.dtype is None
                        and dtype is not None
                        and self.inferred_from.get(arg.type_attr or "") is None
                        else f"do not match expected type {dtype.name if dtype else '?'}."
                    )
                ) from None
            dtype = dtype or tensor.dtype.base_dtype
            tensors.append(tensor)
        if tensors:
            self._note_type(arg, tensors[0].dtype.base_dtype)
        elif arg.type_attr is not None and arg.type_attr not in self.attrs:
            default = self.defaults.get(arg.type_attr)
            if default is not None:
                self.attrs[arg.type_attr] = default
        return tensors

    def _note_number(self, arg: opdef.ArgDef, count: int) -> None:
        op_type, name = self.definition.name, arg.number_attr
        assert name is not None
        minimum = self.definition.attrs[name].minimum or 0
        if count < minimum:
            raise ValueError(
                f"List argument '{arg.name}' to '{op_type}' Op with length {count} shorter than "
                f"minimum length {minimum}."
            )
        if name in self.attrs and self.attrs[name] != count:
            raise ValueError(
                f"List argument '{arg.name}' to '{op_type}' Op with length {count} must match "
                f"length {self.attrs[name]} of argument '{self.inferred_from.get(name, name)}'."
            )
        self.attrs[name] = count
        self.inferred_from.setdefault(name, arg.name)


def _attr_value(op_type: str, attr: opdef.AttrDef, value: Any) -> Any:
    """Check and normalise one attr given by the caller."""
    what = f"argument '{attr.name}'" if not op_type else f"attr '{attr.name}' of '{op_type}' Op"
    if attr.kind.startswith("list("):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise TypeError(f"Expected list for {what}, not {value!r}.")
        if isinstance(value, TensorShape):
            value = value.as_list()
        items = [_attr_scalar(attr.kind[5:-1], attr, what, v) for v in value]
        if attr.minimum is not None and len(items) < attr.minimum:
            raise ValueError(
                f"Attr '{attr.name}' of '{op_type}' Op passed list of length {len(items)} less "
                f"than minimum {attr.minimum}."
            )
        return items
    scalar = _attr_scalar(attr.kind, attr, what, value)
    if attr.kind == "int" and attr.minimum is not None and scalar < attr.minimum:
        raise ValueError(
            f"Attr '{attr.name}' of '{op_type}' Op passed {scalar} less than minimum "
            f"{attr.minimum}."
        )
    return scalar


def _attr_scalar(kind: str, attr: opdef.AttrDef, what: str, value: Any) -> Any:
    if kind == "type":
        dtype = dtypes.as_dtype(value).base_dtype
        _check_allowed("", attr.name, attr, dtype)
        return dtype
    if kind == "int":
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"Expected int for {what}, not {value!r}.")
        return int(value)
    if kind == "float":
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(f"Expected float for {what}, not {value!r}.") from None
    if kind == "bool":
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"Expected bool for {what}, not {value!r}.")
        return bool(value)
    if kind == "string":
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"Expected string for {what}, not {value!r}.")
        text = attr_values._text(value) if isinstance(value, bytes) else value
        if attr.allowed is not None and text not in attr.allowed:
            allowed = '", "'.join(attr.allowed)
            raise ValueError(
                f"{what[0].upper()}{what[1:]} passed string '{text}' not in: \"{allowed}\"."
            )
        return text
    if kind == "shape":
        return TensorShape(value)
    if kind == "tensor":
        return value
    if kind == "func":
        return attr_values.FunctionName(getattr(value, "name", value))
    raise TypeError(f"an attr of kind {kind!r} is not supported")


def add_node(
    op_type: str, inputs: Sequence[Any], attrs: dict[str, Any], name: str | None = None
) -> Operation:
    """Add a node of `op_type`: `inputs` in the order of its signature (lists for list inputs).

    Inputs are converted to tensors, types inferred and checked, missing attrs set to defaults.
    """
    definition = opdef.op_def(op_type)
    elements = _flat(inputs)
    graph = graph_of(elements) if elements else get_default_graph()
    given = {
        k: _attr_value(op_type, definition.attrs[k], v) for k, v in attrs.items() if v is not None
    }
    with name_scope(name, op_type, elements) as scope:
        graph = get_default_graph()
        builder = _Builder(definition, scope, given)
        for arg, value in zip(definition.inputs, inputs, strict=True):
            builder.add(arg, value)
        ordered: dict[str, Any] = {}
        for attr in definition.attrs.values():
            if attr.name in builder.attrs:
                ordered[attr.name] = builder.attrs[attr.name]
            elif attr.has_default:
                default = attr.default
                ordered[attr.name] = list(default) if isinstance(default, list) else default
            else:
                raise TypeError(f"No argument for attr {attr.name} found for '{op_type}' Op")
        types = attr_values.output_dtypes(op_type, ordered)
        with contextlib.ExitStack() as stack:
            # An op that takes a reference is placed with the variable.
            for arg, tensor in zip(definition.inputs, builder.inputs, strict=False):
                if arg.is_ref:
                    stack.enter_context(graph.colocate_with(tensor.op))
            return graph._add(op_type, builder.inputs, types, scope, ordered, skip=3)


@functools.cache
def _tuple_type(op_type: str) -> Any:
    return collections.namedtuple(op_type, [a.name for a in opdef.op_def(op_type).outputs])


def outputs_of(op: Operation) -> Any:
    """What a call of an op gives: Tensor, list, named tuple of these, or the Operation."""
    definition = opdef.op_def(op.type)
    if not definition.outputs:
        return op
    groups: list[Any] = []
    position = 0
    for arg in definition.outputs:
        if arg.is_list:
            count = arg.count(op._attrs)
            groups.append(op.outputs[position : position + count])
            position += count
        else:
            groups.append(op.outputs[position])
            position += 1
    return groups[0] if len(groups) == 1 else _tuple_type(op.type)._make(groups)


def _signature(definition: opdef.OpDef, parameters: Sequence[str]) -> inspect.Signature:
    """The parameters of an op's builder, as `inspect.signature` shall show them."""
    shown = []
    for name in parameters:
        attr = definition.attrs.get(name)
        default = inspect.Parameter.empty
        if name == "name":
            default = None
        elif attr is not None and attr.has_default:
            default = attr.default
        shown.append(
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        )
    return inspect.Signature(shown)


def _make_raw(op_type: str) -> Callable[..., Any]:
    definition = opdef.op_def(op_type)
    input_names = [a.name for a in definition.inputs]
    attr_names = [a for a in definition.attrs if a not in definition.input_attrs]
    attr_names.sort(key=lambda a: definition.attrs[a].has_default)  # stable: required ones first
    parameters = input_names + attr_names + ["name"]
    allowed = set(parameters) | definition.input_attrs

    def build(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(parameters):
            raise TypeError(
                f"{op_type} takes at most {len(parameters)} arguments ({len(args)} given)"
            )
        values = dict(zip(parameters, args, strict=False))
        for key, value in kwargs.items():
            if key in values:
                raise TypeError(f"{op_type} got multiple values for argument '{key}'")
            if key not in allowed:
                raise TypeError(f"{op_type} got an unexpected keyword argument '{key}'")
            values[key] = value
        missing = [n for n in input_names if n not in values]
        if missing:
            raise TypeError(f"{op_type} missing required arguments: {', '.join(missing)}")
        name = values.pop("name", None)
        inputs = [values.pop(n) for n in input_names]
        return outputs_of(add_node(op_type, inputs, values, name))

    build.__name__ = build.__qualname__ = op_type
    build.__signature__ = _signature(definition, parameters)  # type: ignore[attr-defined]
    build.__doc__ = "Build the node `" + opdef.signature_lines()[op_type] + "`."
    return build


class _Raw:
    """Attribute access gives the builder of an op type."""

    def __getattr__(self, op_type: str) -> Callable[..., Any]:
        if op_type not in opdef.signature_lines():
            raise AttributeError(f"TensorFlow 1.15 has no op {op_type!r}")
        builder = _make_raw(op_type)
        setattr(self, op_type, builder)
        return builder

    def __dir__(self) -> list[str]:
        return sorted(opdef.signature_lines())


raw = _Raw()
