"""What an op is: its signature, and the record that joins signature, shape rule, kernel, gradient.

Signatures are TensorFlow 1.15's own, one line an op, in `signatures.txt`:

    MatMul(a: T, b: T; T: type in {float32, ...}, transpose_a: bool = False) -> (product: T)  #
    flags

Before the `;` stand the inputs (`name: type`; `N*T` a list of N tensors of one type, `*Ts` one
tensor
for each type of the list, `Ref(T)` a reference), after it the attrs. A line is parsed when its op
is
first used. Every op of that list can be in a graph; it can run when a record in `relight.ops` gives
it a kernel.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib.resources
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.shapes import TensorShape


@dataclasses.dataclass(frozen=True)
class ArgDef:
    """One input or output: its type is fixed (`dtype`), an attr's, or a list of types."""

    name: str
    dtype: dtypes.DType | None = None  # a fixed type
    type_attr: str | None = None  # the attr that holds the type
    number_attr: str | None = None  # `N*T`: the attr that holds how many
    type_list_attr: str | None = None  # `*Ts`: the attr that holds the list of types
    is_ref: bool = False

    @property
    def is_list(self) -> bool:
        """Whether this argument stands for a list of tensors."""
        return self.number_attr is not None or self.type_list_attr is not None

    def count(self, attrs: dict[str, Any]) -> int:
        """Number of tensors that this argument stands for in a node with these attrs."""
        if self.number_attr is not None:
            return int(attrs[self.number_attr])
        return 1 if self.type_list_attr is None else len(attrs[self.type_list_attr])


@dataclasses.dataclass(frozen=True)
class AttrDef:
    """One attr: its kind (`int`, `type`, `list(shape)` ...), allowed values, minimum, default."""

    name: str
    kind: str
    allowed: tuple[Any, ...] | None = None
    minimum: int | None = None
    default: Any = None
    has_default: bool = False


@dataclasses.dataclass(frozen=True)
class OpDef:
    """The signature of an op type."""

    name: str
    inputs: tuple[ArgDef, ...]
    attrs: dict[str, AttrDef]
    outputs: tuple[ArgDef, ...]
    flags: frozenset[str]

    @property
    def is_stateful(self) -> bool:
        """Whether the op has state or effects, so that equal nodes may not be merged or folded."""
        return "is_stateful" in self.flags

    @functools.cached_property
    def input_attrs(self) -> frozenset[str]:
        """The attrs that follow from the inputs, and so are no arguments of the op."""
        names: set[str] = set()
        for arg in self.inputs:
            names.update(filter(None, (arg.type_attr, arg.number_attr, arg.type_list_attr)))
        return frozenset(names)


_ATTR = re.compile(
    r"(?P<name>\w+): (?P<kind>list\(\w+\)|\w+)(?: in \{(?P<allowed>[^}]*)\})?"
    r"(?: >= (?P<minimum>-?\d+))?(?: = (?P<default>.*))?$",
    re.DOTALL,
)


def _split(text: str) -> list[str]:
    """Split at the commas outside brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote and text[i - 1] != "\\" else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [p for p in parts if p]


def _parse_arg(text: str, attrs: dict[str, AttrDef]) -> ArgDef:
    name, spec = (t.strip() for t in text.split(":", 1))
    is_ref = spec.startswith("Ref(")
    if is_ref:
        spec = spec[4:-1]
    number_attr = None
    if spec.startswith("*"):
        return ArgDef(name, type_list_attr=spec[1:], is_ref=is_ref)
    if "*" in spec:
        number_attr, spec = spec.split("*")
        if spec.startswith("Ref("):
            is_ref, spec = True, spec[4:-1]
    if spec in attrs:
        return ArgDef(name, type_attr=spec, number_attr=number_attr, is_ref=is_ref)
    return ArgDef(name, dtype=dtypes.as_dtype(spec), number_attr=number_attr, is_ref=is_ref)


def _parse_scalar(kind: str, text: str) -> Any:
    if kind == "type":
        return dtypes.as_dtype(text)
    if kind == "tensor":
        name, _, values = text.partition("[")
        numpy_type = dtypes.as_dtype(name).as_numpy_dtype
        return np.array(ast.literal_eval("[" + values), numpy_type)
    if kind == "shape":
        inner = text[len("shape(") : -1]
        return TensorShape(None if inner == "?" else ast.literal_eval(inner))
    return ast.literal_eval(text)


def _parse_attr(text: str) -> AttrDef:
    found = _ATTR.match(text)
    if found is None:
        raise ValueError(f"not an attr of an op signature: {text!r}")
    name, kind = found["name"], found["kind"]
    element = kind[5:-1] if kind.startswith("list(") else kind
    allowed = None
    if found["allowed"] is not None:
        words = [w.strip() for w in found["allowed"].split(",")]
        allowed = tuple(dtypes.as_dtype(w) if element == "type" else w for w in words)
    default, text_default = None, found["default"]
    if text_default is not None:
        if kind.startswith("list("):
            default = [_parse_scalar(element, t) for t in _split(text_default[1:-1])]
        else:
            default = _parse_scalar(kind, text_default)
    minimum = None if found["minimum"] is None else int(found["minimum"])
    return AttrDef(name, kind, allowed, minimum, default, text_default is not None)


def parse_signature(line: str) -> OpDef:
    """Read one line of `signatures.txt`; ValueError for a line of another form."""
    text, _, flags = line.partition("  # ")
    head, arrow, tail = text.rpartition(" -> (")
    name, bracket, inner = head.partition("(")
    if not arrow or not bracket:
        raise ValueError(f"not an op signature: {line!r}")
    depth, cut, quote = 0, len(inner) - 1, False
    for i, c in enumerate(inner[:-1]):  # the `;` outside brackets and quotes
        quote = quote ^ (c == "'")
        if not quote:
            depth += (c in "([{") - (c in ")]}")
            if c == ";" and depth == 0:
                cut = i
                break
    attrs = {a.name: a for a in map(_parse_attr, _split(inner[cut + 1 : -1]))}
    return OpDef(
        name=name,
        inputs=tuple(_parse_arg(t, attrs) for t in _split(inner[:cut])),
        attrs=attrs,
        outputs=tuple(_parse_arg(t, attrs) for t in _split(tail.strip()[:-1])),
        flags=frozenset(flags.split()),
    )


@functools.cache
def signature_lines() -> dict[str, str]:
    """Every op type of TensorFlow 1.15 with its signature line."""
    text = importlib.resources.files("relight.graph").joinpath("signatures.txt").read_text()
    return {line[: line.index("(")]: line for line in text.splitlines() if line}


@functools.cache
def op_def(op_type: str) -> OpDef:
    """The signature of an op type; KeyError when TensorFlow 1.15 has no such op."""
    return parse_signature(signature_lines()[op_type])


Kernel = Callable[..., Any]


class OpRecord:
    """All that relight knows of one op type beside its signature.

    * `kernel`: computes the outputs from torch tensors (`specialise=False`), or is called once,
      when
      a plan is made, with the `Operation` and returns that function (`specialise=True`).
    * `shape`: from the `Operation` to the static shapes of its outputs; None: unknown shapes.
    * `gradient`: from (op, *output gradients) to the gradients of the inputs, or None where there
      is
      none; `differentiable` is False for ops whose gradient is declared to be None.
    * `host`: names of inputs that the kernel takes as numpy arrays (shapes, axes, strings);
      `host_out`: whether it returns numpy arrays.
    * `writes`: name of the input whose variable is written. `views`: index of the input that the
      outputs may share memory with. `stateful` overrides the signature's flag.
    """

    __slots__ = (
        "differentiable",
        "gradient_function",
        "host",
        "host_out",
        "kernel",
        "name",
        "shape",
        "specialise",
        "stateful",
        "takes_session",
        "views",
        "writes",
    )

    def __init__(self, name: str):
        self.name = name
        self.kernel: Kernel | None = None
        self.shape: Callable[[Any], Sequence[Any]] | None = None
        self.gradient_function: Callable[..., Any] | None = None
        self.differentiable = True
        self.specialise = False
        self.host: frozenset[str] = frozenset()
        self.host_out = False
        self.writes: str | None = None
        self.views: int | None = None
        self.stateful: bool | None = None
        self.takes_session = False

    @property
    def definition(self) -> OpDef:
        """The signature."""
        return op_def(self.name)

    @property
    def is_stateful(self) -> bool:
        """Whether equal nodes must stay apart and none may be folded."""
        return self.definition.is_stateful if self.stateful is None else self.stateful

    def gradient(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: `function(op, *grads)` builds the gradients of the op's inputs."""
        if self.gradient_function is not None or not self.differentiable:
            raise KeyError(f"a gradient of {self.name} is registered already")
        self.gradient_function = function
        return function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel directly on torch tensors (used by tests and by other kernels)."""
        if self.kernel is None or self.specialise:
            raise TypeError(f"the kernel of {self.name} cannot be called directly")
        return self.kernel(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


_records: dict[str, OpRecord] = {}


def op(
    name: str,
    *,
    shape: Callable[[Any], Sequence[Any]] | None = None,
    specialise: bool = False,
    host: Sequence[str] = (),
    host_out: bool = False,
    writes: str | None = None,
    views: int | None = None,
    stateful: bool | None = None,
    takes_session: bool = False,
) -> Callable[[Kernel], OpRecord]:
    """Decorator that declares an op of TensorFlow's by its kernel; see `OpRecord`.

    The kernel takes the inputs by position (a list argument as one list) and, by keyword, those
    attrs that it names. Raises KeyError for a name that TensorFlow 1.15 does not have or that is
    declared twice.
    """
    if name not in signature_lines():
        raise KeyError(f"TensorFlow 1.15 has no op {name!r}")

    def declare(kernel: Kernel) -> OpRecord:
        known = record(name)
        if known.kernel is not None:
            raise KeyError(f"op {name!r} is declared twice")
        known.kernel = kernel
        known.shape = shape
        known.specialise = specialise
        known.host = frozenset(host)
        known.host_out = host_out
        known.writes = writes
        known.views = views
        known.stateful = stateful
        known.takes_session = takes_session
        return known

    return declare


def record(name: str) -> OpRecord:
    """The record of an op type, made empty when no room has declared one yet."""
    known = _records.get(name)
    if known is None:
        known = _records[name] = OpRecord(name)
    return known


def not_differentiable(*names: str) -> None:
    """Declare that these ops have no gradient: None flows to their inputs."""
    for name in names:
        known = record(name)
        if known.gradient_function is not None:
            raise KeyError(f"a gradient of {name} is registered already")
        known.differentiable = False


def records() -> dict[str, OpRecord]:
    """Every record that has a kernel, by op type."""
    return {name: r for name, r in sorted(_records.items()) if r.kernel is not None}
