"""Hooks: what a MonitoredSession calls around every run."""

from __future__ import annotations

from typing import Any, NamedTuple

from relight.graph.export import export


@export("train.SessionRunHook", "estimator.SessionRunHook")
class SessionRunHook:
    """Base of hooks. Every method may be left as it is."""

    def begin(self) -> None:
        """Called once before the session is made: the graph may still be added to."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when a session was made (again, after a recovery); the graph is final."""

    def before_run(self, run_context: SessionRunContext) -> Any:
        """Called before each run: SessionRunArgs with what to fetch and feed besides, or None."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run with the fetched values."""

    def end(self, session: Any) -> None:
        """Called once at the end, unless an exception ended the training."""


class _Args(NamedTuple):
    fetches: Any
    feed_dict: Any
    options: Any


@export("train.SessionRunArgs", "estimator.SessionRunArgs")
class SessionRunArgs(_Args):
    """What a hook asks for: `fetches`, `feed_dict`, RunOptions."""

    __slots__ = ()

    def __new__(cls, fetches: Any, feed_dict: Any = None, options: Any = None) -> SessionRunArgs:
        """`fetches` as in `Session.run`."""
        return super().__new__(cls, fetches, feed_dict, options)


@export("train.SessionRunContext", "estimator.SessionRunContext")
class SessionRunContext:
    """The run that is being made: its arguments, its session, and the way to ask for a stop."""

    def __init__(self, original_args: SessionRunArgs, session: Any):
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """The arguments of the caller's `run`."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        """Whether a hook has asked for a stop."""
        return self._stop_requested

    def request_stop(self) -> None:
        """Let `should_stop` be true after this run."""
        self._stop_requested = True


@export("train.SessionRunValues", "estimator.SessionRunValues")
class SessionRunValues(NamedTuple):
    """What a hook's fetches gave, and the RunOptions and RunMetadata of the run."""

    results: Any
    options: Any
    run_metadata: Any
