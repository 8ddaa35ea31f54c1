"""``tf.flags`` and ``tf.app.flags``: absl's flags, parsed by themselves at the first reading.

Two things differ from `absl.flags`: ``FLAGS.name`` before parsing parses ``sys.argv`` instead of
raising, and the ``DEFINE`` functions take the older argument names (flag_name, default_value,
docstring) too.
"""

from __future__ import annotations

import functools
import logging as _logging
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import flags as _absl
from absl import logging as _absl_logging  # noqa: F401  (defines --log_dir)
from absl.flags import *  # noqa: F403  (the namespace is absl's, whole, as TensorFlow's is)

# absl's logging has a flag --log_dir, and TensorFlow 1.13 to 1.15 bring it along: a program that
# defines one of its own, as many of before do, fails there. Here the program's takes its place.
_absl.FLAGS["log_dir"].allow_override = True

disclaim_key_flags = _absl.disclaim_key_flags
# Flags count as defined by the program that calls DEFINE_..., not by this module.
disclaim_key_flags()

_RENAMED = {"flag_name": "name", "default_value": "default", "docstring": "help"}


def _accept_old_names(define: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(define)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        renamed = {_RENAMED.get(key, key): value for key, value in kwargs.items()}
        if renamed.keys() != kwargs.keys():
            _logging.warning(
                "The argument names flag_name, default_value and docstring are deprecated: "
                "write name, default and help."
            )
        return define(*args, **renamed)

    return wrapper


class _Flags:
    """The flags of the program: reading one parses ``sys.argv`` when that has not happened yet."""

    def __init__(self, wrapped: _absl.FlagValues) -> None:
        object.__setattr__(self, "_wrapped", wrapped)

    def __getattr__(self, name: str) -> Any:
        wrapped = _wrapped(self)
        try:
            return object.__getattribute__(wrapped, name)
        except AttributeError:
            # Not a method or a field of FlagValues, so a flag: its value is read.
            if not wrapped.is_parsed():
                wrapped(sys.argv)
            return getattr(wrapped, name)

    def _parse_flags(self, args: Sequence[str] | None = None) -> list[str]:
        """Parses `args`, ``sys.argv[1:]`` by default, and returns the rest (TensorFlow 1.0-1.4)."""
        argv = list(sys.argv if args is None else [sys.argv[0], *args])
        return _wrapped(self)(argv, known_only=True)[1:]

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_wrapped(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_wrapped(self), name)

    def __dir__(self) -> list[str]:
        return dir(_wrapped(self))

    def __getitem__(self, name: str) -> Any:
        return _wrapped(self)[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        _wrapped(self)[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in _wrapped(self)

    def __len__(self) -> int:
        return len(_wrapped(self))

    def __iter__(self) -> Iterator[str]:
        return iter(_wrapped(self))

    def __str__(self) -> str:
        return str(_wrapped(self))

    def __call__(self, *args: Any, **kwargs: Any) -> list[str]:
        return _wrapped(self)(*args, **kwargs)


def _wrapped(values: _Flags) -> _absl.FlagValues:
    return object.__getattribute__(values, "_wrapped")


DEFINE_string = _accept_old_names(_absl.DEFINE_string)
DEFINE_boolean = _accept_old_names(_absl.DEFINE_boolean)
DEFINE_bool = DEFINE_boolean
DEFINE_float = _accept_old_names(_absl.DEFINE_float)
DEFINE_integer = _accept_old_names(_absl.DEFINE_integer)

FLAGS = _Flags(_absl.FLAGS)
