# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.errors`."""

from relight.graph.errors import (
    ABORTED, ALREADY_EXISTS, AbortedError, AlreadyExistsError, CANCELLED, CancelledError,
    DATA_LOSS, DEADLINE_EXCEEDED, DataLossError, DeadlineExceededError, FAILED_PRECONDITION,
    FailedPreconditionError, INTERNAL, INVALID_ARGUMENT, InternalError, InvalidArgumentError,
    NOT_FOUND, NotFoundError, OK, OUT_OF_RANGE, OpError, OutOfRangeError, PERMISSION_DENIED,
    PermissionDeniedError, RESOURCE_EXHAUSTED, ResourceExhaustedError, UNAUTHENTICATED,
    UNAVAILABLE, UNIMPLEMENTED, UNKNOWN, UnauthenticatedError, UnavailableError,
    UnimplementedError, UnknownError, error_code_from_exception_type,
    exception_type_from_error_code,
)
from relight.v1._missing import (
    missing,
)

__getattr__ = missing("tf.errors")

__all__ = [
    "ABORTED", "ALREADY_EXISTS", "AbortedError", "AlreadyExistsError", "CANCELLED",
    "CancelledError", "DATA_LOSS", "DEADLINE_EXCEEDED", "DataLossError", "DeadlineExceededError",
    "FAILED_PRECONDITION", "FailedPreconditionError", "INTERNAL", "INVALID_ARGUMENT",
    "InternalError", "InvalidArgumentError", "NOT_FOUND", "NotFoundError", "OK", "OUT_OF_RANGE",
    "OpError", "OutOfRangeError", "PERMISSION_DENIED", "PermissionDeniedError",
    "RESOURCE_EXHAUSTED", "ResourceExhaustedError", "UNAUTHENTICATED", "UNAVAILABLE",
    "UNIMPLEMENTED", "UNKNOWN", "UnauthenticatedError", "UnavailableError", "UnimplementedError",
    "UnknownError", "error_code_from_exception_type", "exception_type_from_error_code",
]
