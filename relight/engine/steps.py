"""What plans are made of: values, steps, and the plan itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from relight.graph.node import Operation, Tensor

# Steps beside those of operations: between kinds of values, and between devices.
CONVERSIONS = frozenset(("tensor", "numpy", "read", "clone", "copy"))


class Value:
    """One value of a plan: the tensor that it comes from, and its kind."""

    __slots__ = ("kind", "name", "tensor")

    def __init__(self, tensor: Tensor | None, kind: str, name: str = ""):
        self.tensor = tensor
        self.kind = kind
        self.name = name

    def __repr__(self) -> str:
        source = "" if self.tensor is None else self.tensor.name
        return f"<{self.kind} {self.name or id(self)} {source}>"


@dataclasses.dataclass(eq=False)
class Step:
    """Call `function(*inputs)` and name what it gives.

    `inputs` holds Values, lists of Values, or None (an absent optional input of a fused step).
    `takes_session`: the session's state is passed first. `inline`: a template of generated code
    instead of a call, with `{0}` ... for the inputs. `fresh`: whether the outputs are new memory.
    `kept`: the outputs of the node that the step's outputs are, when some are left out.
    """

    what: str
    function: Callable[..., Any] | None
    inputs: list[Any]
    outputs: list[Value | None]
    node: Operation | None = None
    takes_session: bool = False
    inline: str | None = None
    views: int | None = None
    fresh: bool = True
    nodes: tuple[Operation, ...] = ()
    kept: list[int] | None = None

    def flat_inputs(self) -> list[Value]:
        """The Values among the inputs, lists opened."""
        flat: list[Value] = []
        for item in self.inputs:
            if isinstance(item, list):
                flat.extend(v for v in item if v is not None)
            elif item is not None:
                flat.append(item)
        return flat


@dataclasses.dataclass
class Plan:
    """Steps between fed tensors and fetched values."""

    graph: Any
    feeds: list[Tensor]
    fetches: list[Tensor]
    steps: list[Step]
    fed_values: list[Value]
    fetched_values: list[Value]
    constants: dict[Value, Any] = dataclasses.field(default_factory=dict)
    targets: set[Operation] = dataclasses.field(default_factory=set)
    copies: list[bool] = dataclasses.field(default_factory=list)
    log: list[str] = dataclasses.field(default_factory=list)
    function: Callable[..., Any] | None = None
    source: str = ""
    filename: str = ""  # what tracebacks call `source`
    line_steps: dict[int, Step] = dataclasses.field(default_factory=dict)
    placed: dict[Operation, Any] | None = None  # devices, where there are several
    memories: dict[Value, Any] = dataclasses.field(default_factory=dict)  # where these have GPUs
    # Of a loop's body: places of feeds that the condition does not read, and that the fetch of the
    # same place is the next turn's value of.
    only_handed_on: frozenset[int] = frozenset()

    def describe(self) -> str:
        """The steps in words, one a line."""
        lines = []
        for step in self.steps:
            node = f" [{step.node.name}]" if step.node is not None else ""
            lines.append(f"{step.outputs} = {step.what}({step.inputs}){node}")
        return "\n".join(lines)


Seen = Callable[[Step, int, int, list[Any], list[Any]], None]
"""Looks at a step that was run: its start and end (nanoseconds since 1970), arguments, results."""


def flatten(given: Any, count: int) -> list[Any]:
    """What a kernel gives as a list of its `count` outputs."""
    if count == 0:
        return []
    if count == 1 and not isinstance(given, (list, tuple)):
        return [given]
    flat: list[Any] = []
    for item in given:
        flat.extend(item if isinstance(item, list) else [item])
    return flat


def mapped(inputs: list[Any], function: Callable[[Value], Any]) -> list[Any]:
    """What `function` makes of the Values among the inputs of a step, in lists as they are."""
    return [
        mapped(item, function)
        if isinstance(item, list)
        else None
        if item is None
        else function(item)
        for item in inputs
    ]


def arguments_of(step: Step, values: dict[Value, Any]) -> list[Any]:
    """The arguments of a step's function, without the session's state."""
    return mapped(step.inputs, values.__getitem__)


def fetched(plan: Plan, values: dict[Value, Any]) -> list[Any]:
    """What a plan gives, of all its values."""
    return [
        values[v].copy() if c else values[v]
        for v, c in zip(plan.fetched_values, plan.copies, strict=True)
    ]
