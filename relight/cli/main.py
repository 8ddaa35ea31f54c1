"""The command line: ``relight run``, ``check``, ``demo``, ``inspect``, ``board``.

`run` is not a click command at heart: click would answer for the program's exceptions, and its
import is time that a program does not need. It is dispatched before click is imported.
"""

from __future__ import annotations

import sys
from typing import Any

from relight.cli import run as runner


def main() -> None:
    """The entry point of the command `relight`."""
    if sys.argv[1:2] == ["run"]:
        sys.exit(runner.main(sys.argv[2:]))
    _click()(prog_name="relight")


def main_module() -> None:
    """The entry point of ``python -m relight``: what is no command is a program."""
    first = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if first == "run":
        sys.exit(runner.main(sys.argv[2:]))
    if first in ("check", "demo", "inspect", "board", "--help", "-h", "--version"):
        _click()(prog_name="python -m relight")
    sys.exit(runner.main(sys.argv[1:]))


def _click() -> Any:
    from relight.cli.commands import cli

    return cli
