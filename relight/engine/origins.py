"""Where the data comes from that an operation cannot work on: file and place in it.

Operations that read (`ReaderRead`, `ReadFile`) note under their name what they read last in the
calling thread. When an operation of the same run fails that gets its data from one of them, the
error names it. Elements of datasets of files carry their origin with them, through every dataset
that moves them about or maps them one by one.
"""

from __future__ import annotations

from typing import Any

from relight.graph import errors
from relight.ops.files import Origin, last_read

# Of other classes (a missing file, a closed queue) what was read is not the cause.
_CONCERNED = (
    errors.InvalidArgumentError,
    errors.DataLossError,
    errors.UnimplementedError,
    errors.UnknownError,
    errors.InternalError,
)
_MARK = "\n\t read from "


class FromFile(tuple):
    """An element with the place in a file that it was made of."""

    origin: Origin

    @classmethod
    def of(cls, values: Any, origin: Origin) -> FromFile:
        """The element of some values."""
        made = cls(values)
        made.origin = origin
        return made


def add(error: Exception, *origins: Origin) -> None:
    """Tell an error of a run the origins of the data that it is about, unless it knows them."""
    if origins and isinstance(error, _CONCERNED) and _MARK not in error.message:
        said, node, rest = error.message.partition("\n\t [[node ")
        places = ", ".join(tell(*arguments) for tell, *arguments in origins)
        error._message = said + _MARK + places + node + rest


def add_of_step(error: Exception, step: Any, fed: Any) -> None:
    """The same for an error of a step of a plan in which the tensors `fed` were fed."""
    if step is None or not isinstance(error, _CONCERNED) or _MARK in error.message:
        return
    waiting, seen, found = _concerned(error, step), set(fed), []
    while waiting:
        node = waiting.pop()
        # An input of a function stands for what it captured.
        captured = [] if node._inputs else [_outside(t) for t in node._outputs]
        for tensor in node._inputs or [t for t in captured if t.op is not node]:
            if tensor in seen:
                continue
            seen.update(tensor.op._outputs)
            origin = last_read(tensor.op)
            if origin is None:
                waiting.append(tensor.op)
            else:
                found.append(origin)
    add(error, *found)


def _concerned(error: errors.OpError, step: Any) -> list[Any]:
    """The nodes that an error of a step is about: those of the step, or one in a function of it."""
    own = [n for n in step.nodes or [step.node] if n is not None]
    inner = error.op
    return [inner] if inner is not None and own and inner.graph is not own[0].graph else own


def _outside(tensor: Any) -> Any:
    graph = tensor.graph
    return graph.captured_by(tensor) if graph.building_function else tensor
