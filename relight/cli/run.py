"""Runs a program as Python itself would, with ``tensorflow`` meaning relight.

Only the standard library is imported here: what the program does not ask for is not loaded (but
for a profile, which needs the engine).
"""

from __future__ import annotations

import atexit
import importlib.util
import io
import os
import sys
import types
from collections.abc import Sequence
from typing import NoReturn

from relight import alias

USAGE = """usage: relight run [--profile[=TRACE]] PROGRAM [ARG...]
       relight run [--profile[=TRACE]] -m MODULE [ARG...]

Runs PROGRAM, a file or a folder with a __main__.py, or MODULE. `import tensorflow` is relight.
Everything after PROGRAM belongs to the program.

  --profile[=TRACE]  At the end print the ten most expensive nodes with the program's lines, and
                     write a Chrome trace to TRACE (relight-profile.json).
"""


def main(argv: Sequence[str]) -> int:
    """Runs ``[PROGRAM, *args]`` or ``["-m", MODULE, *args]`` and returns the exit code.

    A program that calls `sys.exit` ends by its SystemExit; an interrupt (Ctrl-C) ends the process.
    """
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0 if argv else 2
    option, _, value = argv[0].partition("=")
    if option == "--profile":
        return _profiled(argv[1:], value)
    if argv[0] == "-m":
        if len(argv) < 2:
            return _complain("-m needs the name of a module")
        return _run_module(argv[1], argv[2:])
    if argv[0].startswith("-"):
        return _complain(f"unknown option {argv[0]}; options of the program come after its name")
    return _run_file(argv[0], argv[1:])


def _profiled(argv: Sequence[str], trace: str) -> int:
    if not argv or argv[0].startswith("--profile"):
        return _complain("--profile needs a program")
    from relight.cli import profile

    report = profile.Report(trace or profile.DEFAULT_TRACE)
    # Also when the program ends by an exception, sys.exit or Ctrl-C; sessions are done by then.
    atexit.register(report.finish)
    return main(argv)


def _complain(text: str) -> int:
    sys.stderr.write(f"relight: {text}\n")
    return 2


def _run_file(program: str, args: Sequence[str]) -> int:
    folder = os.path.dirname(os.path.abspath(program))
    if os.path.isdir(program):
        folder, program = os.path.abspath(program), os.path.join(program, "__main__.py")
    try:
        with io.open_code(os.path.abspath(program)) as file:
            source = file.read()
    except OSError as error:
        return _complain(f"can't open file {program!r}: {error.strerror}")
    module = _main_module(program)
    sys.argv = [program, *args]
    sys.path[0] = folder
    return _execute(lambda: compile(source, program, "exec", dont_inherit=True), module)


def _run_module(name: str, args: Sequence[str]) -> int:
    alias.install()
    sys.path[0] = os.getcwd()
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
    except (ImportError, ValueError) as error:
        return _complain(f"cannot find the module {name}: {error}")
    if spec is None or not hasattr(spec.loader, "get_code"):
        return _complain(f"no module named {name} that can be run")
    loader = spec.loader
    module = _main_module(spec.origin or name)
    module.__spec__, module.__package__, module.__loader__ = spec, spec.parent, loader
    sys.argv = [spec.origin or name, *args]
    return _execute(lambda: loader.get_code(spec.name), module)  # type: ignore[union-attr]


def _main_module(path: str) -> types.ModuleType:
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = sys.modules["builtins"]  # type: ignore[attr-defined]
    module.__package__ = None
    return module


def _execute(compiled: object, module: types.ModuleType) -> int:
    """Runs the code that `compiled` returns in `module`; 1 when it raises, after the traceback."""
    alias.install()
    sys.modules["__main__"] = module
    code = None
    try:
        code = compiled()  # type: ignore[operator]
        exec(code, module.__dict__)
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit:
        raise
    except BaseException as error:
        # The frames above the program's first one are this file's.
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code is not code:
            frames = frames.tb_next
        error.__traceback__ = frames
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, frames
        sys.excepthook(type(error), error, frames)
        return 1
    return 0


def _interrupted() -> NoReturn:
    """Ends the process now, with the code of a program that SIGINT ended.

    Exit functions run, so that files get closed, but threads are not waited for: an input queue's
    threads may be blocked for good. A second interrupt leaves the exit functions too.
    """
    try:
        sys.stdout.flush()
        sys.stderr.write("\nrelight: interrupted\n")
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except (KeyboardInterrupt, OSError):
        sys.stderr.write("relight: interrupted again\n")
    finally:
        os._exit(130)
