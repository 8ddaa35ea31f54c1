"""Plans made with some of the passes, for tests that compare what they give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

import relight.v1 as tf
from relight.engine import passes, plan


@contextlib.contextmanager
def only(functions: Sequence[Callable[[Any], None]]) -> Iterator[None]:
    """Plans made inside the `with` block go through these passes."""
    kept = list(passes.PASSES)
    try:
        passes.PASSES[:] = functions
        yield
    finally:
        passes.PASSES[:] = kept


def without(name: str | None) -> contextlib.AbstractContextManager[None]:
    """Plans made inside the `with` block go without the pass of that name."""
    return only([p for p in passes.PASSES if p.__name__ != name])


def bare() -> contextlib.AbstractContextManager[None]:
    """Plans made inside the `with` block go through the passes that no plan is right without."""
    return only([passes.own_assigned, passes.copy_fetches])


def steps(graph: tf.Graph, fetches: list[Any], name: str | None = None) -> list[str]:
    """What the steps do, of a plan that was made without the pass of that name."""
    with without(name):
        return [s.what for s in plan.make(graph, fetches, []).steps]


def values(graph: tf.Graph, fetches: list[Any], name: str | None = None) -> list[Any]:
    """The fetched values of a new session, computed without the pass of that name."""
    with without(name), tf.Session(graph=graph) as session:
        session.run(tf.global_variables_initializer())
        graph._plans.clear()
        found = session.run(fetches)
        graph._plans.clear()
        return found


def run(made: Any, session: tf.Session, *feeds: Any) -> list[np.ndarray]:
    """The fetched values of a finished plan."""
    with torch.inference_mode():
        return [np.array(v) for v in made.function(session._state, list(feeds))]
