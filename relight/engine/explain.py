"""Errors of a run, told as TensorFlow tells them: class, message, node, and the program's line."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

from relight.engine import origins
from relight.graph import errors

_BY_TYPE: list[tuple[type[BaseException], type]] = [
    (MemoryError, errors.ResourceExhaustedError),
    (IndexError, errors.InvalidArgumentError),
    (ValueError, errors.InvalidArgumentError),
    (ZeroDivisionError, errors.InvalidArgumentError),
    (TypeError, errors.InvalidArgumentError),
    (NotImplementedError, errors.UnimplementedError),
    (RuntimeError, errors.InvalidArgumentError),
]


def failed_step(plan: Any, error: BaseException) -> Any:
    """The step of a generated function in which an error came up, or None."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == plan.filename:
            found = plan.line_steps.get(trace.tb_lineno)
        trace = trace.tb_next
    return found


def explain(plan: Any, error: Exception, step: Any = None) -> Exception:
    """The `tf.errors` exception for an error inside a plan, with the failing node named.

    `step` is the failing step where it is known; else the traceback tells.
    """
    step = failed_step(plan, error) if step is None else step
    node = step.node if step is not None else None
    kind: Any
    if isinstance(error, errors.OpError):
        kind, message = type(error), error.message
        if error.op is not None or node is None:
            origins.add_of_step(error, step, plan.feeds)
            return error
    else:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            kind = errors.ResourceExhaustedError
        else:
            kind = next((k for t, k in _BY_TYPE if isinstance(error, t)), errors.UnknownError)
        message = str(error).partition("\nException raised from")[0]
        if kind is errors.UnknownError:
            message = f"{type(error).__name__}: {message}"
    if node is None:
        made = kind(None, None, message)
    else:
        line = node.user_line
        place = f" (defined at {line[0]}:{line[1]}) " if line is not None else ""
        inputs = _input_shapes(node)
        made = kind(node.node_def, node, f"{message}\n\t [[node {node.name}{place}]]{inputs}")
    origins.add_of_step(made, step, plan.feeds)
    return made


def raise_explained(plan: Any, error: Exception, step: Any = None) -> NoReturn:
    """Raise what `explain` gives for an error, with the error as its cause."""
    told = explain(plan, error, step)
    if told is error:
        raise error
    raise told from error


def _input_shapes(node: Any) -> str:
    """A line of the static shapes of the inputs, where they help."""
    if not node._inputs:
        return ""
    shapes = ", ".join(f"{t.name} {t.shape}" for t in node._inputs[:4])
    return f"\n\t inputs: {shapes}"
