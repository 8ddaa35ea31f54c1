"""``tf.app``: starts a program's ``main`` after its flags were parsed."""

from __future__ import annotations

import logging as _logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from relight.v1 import flags
from relight.v1._missing import missing
from relight.v1.logging import get_logger

__all__ = ["flags", "run"]


def _parse(argv: Sequence[str] | None) -> list[str]:
    """Parses `argv`; what no flag takes stays in the list that is returned."""
    return flags.FLAGS(list(sys.argv if argv is None else argv), known_only=True)


def _not_ours(record: _logging.LogRecord) -> bool:
    return record.name.partition(".")[0] != "tensorflow"


def run(main: Callable[[Any], Any] | None = None, argv: Sequence[str] | None = None) -> None:
    """Parses the flags, calls ``main(argv)`` and exits with what it returns.

    Unknown flags are left in the list that `main` gets. ``--help`` prints the flags and exits
    with 1, as do an uncaught exception and `absl.app.UsageError`.

    Args:
      main: the function to call; the main module's ``main`` by default.
      argv: the arguments, the program's name first; ``sys.argv`` by default.
    """
    from absl import app, logging

    main = main or sys.modules["__main__"].main
    # absl gives the root logger a handler. Our logger has its own, made before that, and absl's
    # would print each of its lines a second time in another form.
    if get_logger().handlers:
        handler = logging.get_absl_handler()
        if _not_ours not in handler.filters:
            handler.addFilter(_not_ours)
    app.run(main=main, argv=None if argv is None else list(argv), flags_parser=_parse)


__getattr__ = missing("tf.app")
