"""A plan as one straight-line Python function, registered with linecache so tracebacks show it."""

from __future__ import annotations

import itertools
import linecache
from typing import Any

from relight.engine.steps import Plan, Step, Value

_numbers = itertools.count(1)


def generate(plan: Plan) -> None:
    """Set `plan.function(state, feeds) -> list of fetched values`, `plan.source`, `line_steps`."""
    namespace = begin(plan)
    lines = ["def plan(S, F):"]
    fed = list(plan.fed_values)
    if fed:
        lines.append(f"    {', '.join(v.name for v in fed)}{',' if len(fed) == 1 else ''} = F")
    last_use = last_uses(plan)
    for i, step in enumerate(plan.steps):
        for line in step_lines(step, i, namespace):
            lines.append("    " + line)
            plan.line_steps[len(lines)] = step
        dead = [v.name for v in last_use.get(i, ())]
        if dead:
            lines.append(f"    del {', '.join(dead)}")
    results = []
    for value, copy in zip(plan.fetched_values, plan.copies, strict=True):
        results.append(f"{value.name}.copy()" if copy else value.name)
    lines.append(f"    return [{', '.join(results)}]")
    define(plan, lines, namespace)
    plan.function = namespace["plan"]


def begin(plan: Plan) -> dict[str, Any]:
    """Name the values of a plan; the names that its code refers to: constants and helpers."""
    namespace: dict[str, Any] = {"uninitialized": _uninitialized}
    _name_values(plan)
    for value, constant in plan.constants.items():
        namespace[value.name] = constant
    return namespace


def define(plan: Plan, lines: list[str], namespace: dict[str, Any]) -> None:
    """Compile the lines into `namespace`, as a file of its own that tracebacks show."""
    plan.source = "\n".join(lines) + "\n"
    plan.filename = f"<relight plan {next(_numbers)}>"
    linecache.cache[plan.filename] = (
        len(plan.source),
        None,
        plan.source.splitlines(keepends=True),
        plan.filename,
    )
    exec(compile(plan.source, plan.filename, "exec"), namespace)


def _name_values(plan: Plan) -> None:
    number = itertools.count()
    for value in plan.constants:
        value.name = f"c{next(number)}"
    for value in plan.fed_values:
        value.name = f"f{next(number)}"
    for step in plan.steps:
        for made in step.outputs:
            if made is not None and not made.name:
                made.name = f"v{next(number)}"


def last_uses(plan: Plan) -> dict[int, list[Value]]:
    """Step index -> values that no later step and no fetch uses (each dropped after that step)."""
    keep = set(plan.fetched_values) | set(plan.constants)
    last: dict[Value, int] = {}
    for i, step in enumerate(plan.steps):
        for value in step.outputs:
            if value is not None:
                last[value] = i
        for value in step.flat_inputs():
            last[value] = i
    dead: dict[int, list[Value]] = {}
    for value, i in last.items():
        if value not in keep:
            dead.setdefault(i, []).append(value)
    return dead


def _argument(item: Any) -> str:
    if item is None:
        return "None"
    if isinstance(item, list):
        return "[" + ", ".join(_argument(v) for v in item) + "]"
    return item.name


def step_lines(step: Step, index: int, namespace: dict[str, Any]) -> list[str]:
    """The code of a step; its function is put into `namespace`."""
    arguments = [_argument(item) for item in step.inputs]
    comment = ""
    if step.node is not None:
        comment = f"  # {step.what} {step.node.name}"
        line = step.node.user_line
        if line is not None:
            comment += f"  {line[0].rpartition('/')[2]}:{line[1]}"
    targets = [v.name if v is not None else "_" for v in step.outputs]
    if step.inline is not None:
        code = step.inline.format(*arguments)
    else:
        name = f"k{index}"
        namespace[name] = step.function
        code = f"{name}({', '.join((['S'] if step.takes_session else []) + arguments)})"
    node_outputs = _output_groups(step)
    if node_outputs is not None:
        targets = node_outputs
    if not targets:
        lines = [code + comment]
    elif len(targets) == 1 and not targets[0].startswith("["):
        lines = [f"{targets[0]} = {code}{comment}"]
    else:
        # A single list output is a flat list: `[a, b] = k(...)`.
        lines = [f"{', '.join(targets)} = {code}{comment}"]
    if step.what == "read":  # `.value` is None before the first assignment
        lines.append(f"if {targets[0]} is None: {targets[0]} = uninitialized({arguments[0]})")
    return lines


def _output_groups(step: Step) -> list[str] | None:
    """Targets for a node whose kernel gives lists for list outputs; None for plain outputs."""
    from relight.graph import opdef

    node = step.node
    if node is None or step.what != node.type:
        return None
    definition = opdef.op_def(node.type)
    if not any(a.is_list for a in definition.outputs):
        return None
    names = [v.name if v is not None else "_" for v in step.outputs]
    if len(definition.outputs) == 1:
        return [f"[{', '.join(names)}]"] if not names else ["[" + ", ".join(names) + "]"]
    groups: list[str] = []
    position = 0
    for arg in definition.outputs:
        if not arg.is_list:
            groups.append(names[position])
            position += 1
            continue
        count = arg.count(node._attrs)
        groups.append("[" + ", ".join(names[position : position + count]) + "]")
        position += count
    return groups


def _uninitialized(variable: Any) -> Any:
    return variable.read()  # waits for an update under way, or raises
