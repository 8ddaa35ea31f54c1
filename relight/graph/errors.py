"""The exceptions of ``tf.errors``: one class for each status code of the runtime.

The codes are those of gRPC's ``google.rpc.Code``, which TensorFlow shares.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from typing import Any

from relight.graph.export import export

OK = export("errors.OK")(0)
CANCELLED = export("errors.CANCELLED")(1)
UNKNOWN = export("errors.UNKNOWN")(2)
INVALID_ARGUMENT = export("errors.INVALID_ARGUMENT")(3)
DEADLINE_EXCEEDED = export("errors.DEADLINE_EXCEEDED")(4)
NOT_FOUND = export("errors.NOT_FOUND")(5)
ALREADY_EXISTS = export("errors.ALREADY_EXISTS")(6)
PERMISSION_DENIED = export("errors.PERMISSION_DENIED")(7)
RESOURCE_EXHAUSTED = export("errors.RESOURCE_EXHAUSTED")(8)
FAILED_PRECONDITION = export("errors.FAILED_PRECONDITION")(9)
ABORTED = export("errors.ABORTED")(10)
OUT_OF_RANGE = export("errors.OUT_OF_RANGE")(11)
UNIMPLEMENTED = export("errors.UNIMPLEMENTED")(12)
INTERNAL = export("errors.INTERNAL")(13)
UNAVAILABLE = export("errors.UNAVAILABLE")(14)
DATA_LOSS = export("errors.DATA_LOSS")(15)
UNAUTHENTICATED = export("errors.UNAUTHENTICATED")(16)


class InaccessibleTensorError(ValueError):
    """A tensor of one function or loop body was used in another."""


class OperatorNotAllowedInGraphError(TypeError):
    """A Python operator, such as a truth test, was applied to a symbolic tensor."""


def _frames(op: Any) -> list[str]:
    """The lines of the stack that made `op`, each as a Python traceback prints it.

    File names stay whole: TensorFlow cuts the prefix that all frames share, which says nothing
    when its own library is one of the files and would hide the program's folder when it is not.
    """
    return traceback.format_list([tuple(frame)[:4] for frame in op.traceback])  # type: ignore[misc]


def _elide(lines: list[str], previous: list[str]) -> list[str]:
    """`lines`, with each run that `previous` repeats shortened to its two ends."""
    out: list[str] = []
    run: list[str] = []

    def close() -> None:
        if len(run) > 1:
            out.append(f"[elided {len(run) - 2} identical lines from previous traceback]\n")
            out.append(run[-1])
        run.clear()

    for line, other in zip(lines, previous, strict=False):
        if line == other:
            if not run:
                out.append(line)
            run.append(line)
        else:
            close()
            out.append(line)
    return out


@export("errors.OpError", "OpError")
class OpError(Exception):
    """An operation failed while a graph ran; the subclasses say in which way.

    Args:
      node_def: the NodeDef of the operation that failed, or None.
      op: the Operation that failed, or None.
      message: what went wrong.
      error_code: one of the integer codes of this module.
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int | None) -> None:
        super().__init__()
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code

    def __reduce__(self) -> tuple[Any, ...]:
        # The subclasses take fewer arguments than the base: ask the constructor which.
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return type(self), tuple(getattr(self, name) for name in names)

    @property
    def message(self) -> str:
        """What went wrong, without the operation's stack."""
        return self._message

    @property
    def op(self) -> Any:
        """The Operation that failed, or None when it is not known."""
        return self._op

    @property
    def error_code(self) -> int | None:
        """The integer status code."""
        return self._error_code

    @property
    def node_def(self) -> Any:
        """The NodeDef of the operation that failed, or None when it is not known."""
        return self._node_def

    def __str__(self) -> str:
        if self._op is None:
            return self.message
        lines = _frames(self._op)
        out = [f"{self.message}\n\nOriginal stack trace for {self._op.name!r}:\n", *lines]
        original = getattr(self._op, "_original_op", None)
        while original is not None:
            out.append(f"\n...which was originally created as op {original.name!r}, defined at:\n")
            previous, lines = lines, _frames(original)
            out.extend(_elide(lines, previous))
            original = getattr(original, "_original_op", None)
        return "".join(out)


@export("errors.CancelledError")
class CancelledError(OpError):
    """The operation or the step was cancelled, for instance by closing a queue or a session."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, CANCELLED)


@export("errors.UnknownError")
class UnknownError(OpError):
    """The cause carries no code of its own, for instance an exception inside a Python function."""

    def __init__(
        self, node_def: Any, op: Any, message: str, error_code: int | None = UNKNOWN
    ) -> None:
        super().__init__(node_def, op, message, error_code)


@export("errors.InvalidArgumentError")
class InvalidArgumentError(OpError):
    """A value or a shape that the operation cannot work on."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, INVALID_ARGUMENT)


@export("errors.DeadlineExceededError")
class DeadlineExceededError(OpError):
    """The time allowed (``timeout_in_ms``) ended before the operation did."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, DEADLINE_EXCEEDED)


@export("errors.NotFoundError")
class NotFoundError(OpError):
    """A file, a folder, a resource or a checkpoint key does not exist."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, NOT_FOUND)


@export("errors.AlreadyExistsError")
class AlreadyExistsError(OpError):
    """What was to be created is there already."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, ALREADY_EXISTS)


@export("errors.PermissionDeniedError")
class PermissionDeniedError(OpError):
    """The caller may not do this, for instance read that file."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, PERMISSION_DENIED)


@export("errors.UnauthenticatedError")
class UnauthenticatedError(OpError):
    """The request came without valid credentials."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNAUTHENTICATED)


@export("errors.ResourceExhaustedError")
class ResourceExhaustedError(OpError):
    """Memory, disk space or a quota has run out."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, RESOURCE_EXHAUSTED)


@export("errors.FailedPreconditionError")
class FailedPreconditionError(OpError):
    """The state does not allow the operation: most often a variable without its first value."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, FAILED_PRECONDITION)


@export("errors.AbortedError")
class AbortedError(OpError):
    """Another action at the same time ended this one."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, ABORTED)


@export("errors.OutOfRangeError")
class OutOfRangeError(OpError):
    """The end of the input: an exhausted dataset, or a closed queue without enough elements."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, OUT_OF_RANGE)


@export("errors.UnimplementedError")
class UnimplementedError(OpError):
    """The operation does not do what was asked, although the arguments make sense."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNIMPLEMENTED)


@export("errors.InternalError")
class InternalError(OpError):
    """The runtime found itself in a state that must not occur."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, INTERNAL)


@export("errors.UnavailableError")
class UnavailableError(OpError):
    """The runtime, or a service that it needs, cannot be reached now."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNAVAILABLE)


@export("errors.DataLossError")
class DataLossError(OpError):
    """Data was lost or damaged: a checksum does not match, or a file is cut short."""

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, DATA_LOSS)


_CLASS_OF_CODE: dict[int, type[OpError]] = {
    CANCELLED: CancelledError,
    UNKNOWN: UnknownError,
    INVALID_ARGUMENT: InvalidArgumentError,
    DEADLINE_EXCEEDED: DeadlineExceededError,
    NOT_FOUND: NotFoundError,
    ALREADY_EXISTS: AlreadyExistsError,
    PERMISSION_DENIED: PermissionDeniedError,
    RESOURCE_EXHAUSTED: ResourceExhaustedError,
    FAILED_PRECONDITION: FailedPreconditionError,
    ABORTED: AbortedError,
    OUT_OF_RANGE: OutOfRangeError,
    UNIMPLEMENTED: UnimplementedError,
    INTERNAL: InternalError,
    UNAVAILABLE: UnavailableError,
    DATA_LOSS: DataLossError,
    UNAUTHENTICATED: UnauthenticatedError,
}
_CODE_OF_CLASS = {cls: code for code, cls in _CLASS_OF_CODE.items()}


@export("errors.exception_type_from_error_code")
def exception_type_from_error_code(error_code: int) -> type[OpError]:
    """The exception class of a status code; KeyError when no class has it."""
    return _CLASS_OF_CODE[error_code]


@export("errors.error_code_from_exception_type")
def error_code_from_exception_type(cls: type) -> int | UnknownError:
    """The status code of an exception class; for any other class an UnknownError, and a warning."""
    if cls in _CODE_OF_CLASS:
        return _CODE_OF_CLASS[cls]
    warnings.warn("Unknown class exception", stacklevel=2)
    return UnknownError(None, None, "Unknown class exception", None)
