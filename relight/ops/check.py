"""Checks and messages at run time: `Assert`, `Print`, `PrintV2`, `CheckNumerics`."""

from __future__ import annotations

import sys
from typing import Any

import torch

from relight.graph.opdef import not_differentiable, op
from relight.ops.array import invalid
from relight.ops.build import raw
from relight.ops.files import told
from relight.ops.shape_rules import same
from relight.ops.summarize import summary


@op("Assert")
def Assert(condition, data, *, summarize):
    """InvalidArgumentError with the first elements of `data` unless the scalar holds."""
    if not bool(condition):
        listed = " ".join(f"[{summary(d, summarize)}]" for d in data)
        raise invalid(f"assertion failed: {listed}")


not_differentiable("Assert")


@op("Print", shape=same, views=0, specialise=True)
def Print(node: Any) -> Any:
    """The input itself; writes `data` to standard error, the first `first_n` times."""
    message, limit = node._attrs["message"], node._attrs["summarize"]
    remaining = node._attrs["first_n"]
    counter = [0]

    def run(value, data):
        if 0 <= remaining <= counter[0]:
            return value
        counter[0] += 1
        text = "".join(f"[{summary(d, limit)}]" for d in data)
        sys.stderr.write(f"{message}{text}\n")
        sys.stderr.flush()
        return value

    return run


@Print.gradient
def _(op, grad):
    return [grad] + [None] * (len(op.inputs) - 1)


@op("PrintV2", specialise=True)
def PrintV2(node: Any) -> Any:
    """Write a string to standard output, standard error, the log (standard error) or a file."""
    target, end = node._attrs["output_stream"], node._attrs["end"]

    def run(value):
        text = value.item().decode(errors="replace") + end
        if target.startswith("file://"):
            path = target.removeprefix("file://")
            with told(path), open(path, "a", encoding="utf-8") as file:
                file.write(text)
            return
        stream = sys.stdout if target == "stdout" else sys.stderr
        if target not in ("stdout", "stderr", "log(info)", "log(warning)", "log(error)"):
            raise invalid(f"Unknown output stream: {target}, value: {text}")
        stream.write(text)
        stream.flush()

    return run


@op("CheckNumerics", shape=same, views=0)
def CheckNumerics(value, *, message):
    """The input itself; InvalidArgumentError when an element is not finite."""
    if value.numel() and not bool(torch.isfinite(value).all()):
        infinite, no_number = bool(value.isinf().any()), bool(value.isnan().any())
        found = "Inf and NaN" if infinite and no_number else "Inf" if infinite else "NaN"
        raise invalid(f"{message} : Tensor had {found} values")
    return value


@CheckNumerics.gradient
def _(op, grad):
    message = op.get_attr("message")
    if isinstance(message, bytes):
        message = message.decode()
    return [
        raw.CheckNumerics(
            grad,
            message="Not a number (NaN) or infinity (Inf) values detected in gradient. "
            f"b'{message}'",  # TensorFlow formats the attr's bytes
        )
    ]
