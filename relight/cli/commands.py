"""The commands that are not `run`, declared with click."""

from __future__ import annotations

import sys

import click

import relight
from relight.cli import run as runner


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(relight.__version__, prog_name="relight")
def cli() -> None:
    """Runs TensorFlow 1 programs, unmodified, on PyTorch."""


@cli.command(
    name="run",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("program_and_args", nargs=-1, type=click.UNPROCESSED, metavar="PROGRAM [ARG]...")
def run_command(program_and_args: tuple[str, ...]) -> None:
    """Run a program, with `import tensorflow` meaning relight."""
    sys.exit(runner.main(program_and_args))


@cli.command(name="check")
@click.argument("programs", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--all", "show_all", is_flag=True, help="List the supported names too.")
def check_command(programs: tuple[str, ...], show_all: bool) -> None:
    """List the tf.* names that PROGRAMS (files or folders) use and relight lacks.

    Exit code 1 when some are missing, 2 when a file is not Python 3.
    """
    from relight.cli.check import check

    sys.exit(check(programs, show_all))


@cli.command(name="inspect")
@click.argument("path", type=click.Path())
@click.option("--tensor", metavar="NAME", help="Print one tensor of a checkpoint, whole.")
def inspect_command(path: str, tensor: str | None) -> None:
    """Show what is in a checkpoint, an event file, a graph (.pb, .meta) or a SavedModel."""
    from relight.cli.inspect import inspect

    sys.exit(inspect(path, tensor))


@cli.command(
    name="board", context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
@click.argument("logdir", type=click.Path())
@click.option("--port", type=int, default=6006, show_default=True, help="The port to serve at.")
@click.pass_context
def board_command(ctx: click.Context, logdir: str, port: int) -> None:
    """Serve LOGDIR in TensorBoard; further options are TensorBoard's own."""
    from relight.cli.board import board

    board(logdir, port, ctx.args)


@cli.command(name="demo")
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--dir", "folder", type=click.Path(), help="Where to work; a new folder by default.")
def demo_command(steps: int, folder: str | None) -> None:
    """Train the digits example, evaluate it, and draw what it reads."""
    from relight.cli.demo import demo

    sys.exit(demo(steps, folder))
