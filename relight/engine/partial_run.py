"""Partial runs: one run of a graph, fed and fetched in several calls.

`setup` fixes all feeds and fetches. Each `run` brings some feeds and takes some fetches; what the
feeds so far determine is computed then, once. Values that later calls need are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from relight.engine import control, explain, flow, plan
from relight.engine.fetches import Fetches, expansion
from relight.graph import errors
from relight.graph.node import Operation, Tensor
from relight.ops import call


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


class PartialRun:
    """The state of one partial run of a session."""

    def __init__(self, session: Any, feeds: list[Tensor], fetches: list[Any]):
        self.session = session
        self.feeds = feeds
        self.fetches = [f for f in fetches if isinstance(f, Tensor)]
        self.targets = [f for f in fetches if isinstance(f, Operation)]
        self.nodes = plan.prune(fetches, set(feeds))
        if flow.present(self.nodes):
            raise errors.UnimplementedError(
                None, None, "partial_run of a graph with Switch, Merge or Enter nodes"
            )
        self.fed: set[Tensor] = set()
        self.fetched: set[Tensor] = set()
        self.done: set[Operation] = set()
        self.values: dict[Tensor, Any] = {}  # what later calls may need, in its natural kind
        self.failure: Exception | None = None

    @property
    def finished(self) -> bool:
        """Whether everything has been fed and fetched."""
        return len(self.fed) == len(self.feeds) and len(self.fetched) == len(self.fetches)

    def check(self, feeds: Sequence[Tensor], fetches: Sequence[Tensor]) -> None:
        """InvalidArgumentError for a feed or fetch that is not (or no more) to be had."""
        for tensor in feeds:
            if tensor not in self.feeds:
                raise _invalid(f"The feed {tensor.name} was not specified in partial_run_setup.")
            if tensor in self.fed:
                raise _invalid(f"The feed {tensor.name} has already been fed.")
        for tensor in fetches:
            if tensor not in self.fetches:
                raise _invalid(f"The fetch {tensor.name} was not specified in partial_run_setup.")
            if tensor in self.fetched:
                raise _invalid(f"The fetch {tensor.name} has already been fetched.")
        pending = set(self.feeds) - self.fed - set(feeds)
        waiting: list[Operation] = [t.op for t in fetches]
        seen: set[Operation] = set()
        while waiting:
            node = waiting.pop()
            for tensor in node._inputs:
                if tensor in pending:
                    raise _invalid(
                        f"Fetch {tensor.name} can't be computed from the feeds that have been fed "
                        "so far."
                    )
            for other in [*(t.op for t in node._inputs), *node._control_inputs]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)

    def run(self, fed: dict[Tensor, Any], fetches: list[Tensor]) -> list[Any]:
        """Take feeds (numpy values), compute what can be computed now, give the fetches."""
        if self.failure is not None:
            raise self.failure
        self.check(list(fed), fetches)
        for tensor, value in fed.items():
            plain = control.kind_of(tensor) == "T"
            self.values[tensor] = call.to_torch(value) if plain else value
        self.fed.update(fed)
        try:
            self._compute()
        except Exception as error:
            self.failure = error
            raise
        self.fetched.update(fetches)
        found = [self._as_numpy(self.values[t]) for t in fetches]
        self._forget()
        return found

    @staticmethod
    def _as_numpy(value: Any) -> Any:
        if hasattr(value, "assign") and hasattr(value, "read"):  # a reference to a variable
            value = value.read()
        return call.to_numpy(value).copy() if isinstance(value, torch.Tensor) else value

    def _compute(self) -> None:
        now: list[Operation] = []
        ready = set(self.done)
        for node in self.nodes:
            if node in ready:
                continue
            inputs = all(t in self.fed if t in self.feeds else t.op in ready for t in node._inputs)
            if inputs and all(c in ready for c in node._control_inputs):
                ready.add(node)
                now.append(node)
        if not now:
            return
        left = [n for n in self.nodes if n not in ready]
        later = {t for n in left for t in n._inputs} | set(self.fetches)
        outputs = [t for n in now for t in n._outputs if t in later and t not in self.feeds]
        feeds = [t for t in dict.fromkeys(t for n in now for t in n._inputs) if t in self.values]
        with torch.inference_mode():
            graph, placer = self.session.graph, self.session._placer
            placed = None if placer.single else placer.place(graph)
            lowering = plan.Lowering(graph, feeds, [*outputs, *self.targets], True, placed)
            made = plan.finish(lowering.lower(now), True, placed)
            try:
                assert made.function is not None
                values = made.function(self.session._state, [self.values[t] for t in feeds])
            except Exception as error:
                explain.raise_explained(made, error)
        self.values.update(zip(outputs, values, strict=True))
        self.done = ready

    def _forget(self) -> None:
        """Drop the values that nothing will read any more."""
        needed = {t for n in self.nodes if n not in self.done for t in n._inputs}
        needed.update(t for t in self.fetches if t not in self.fetched)
        self.values = {t: v for t, v in self.values.items() if t in needed}


class PartialRuns:
    """The partial runs under way in a session, by handle."""

    def __init__(self, session: Any):
        self.session = session
        self.runs: dict[str, PartialRun] = {}
        self.count = 0

    def setup(self, fetches: Any, feeds: Any) -> str:
        """Begin a partial run; its handle."""
        graph = self.session.graph
        if not graph._nodes_by_id:
            raise RuntimeError(
                "The Session graph is empty.  Add operations to the graph before calling run()."
            )
        feeds = [] if feeds is None else feeds
        fed = [t for f in (feeds if isinstance(feeds, (list, tuple)) else [feeds])
               for t in self._feed(f)]  # fmt: skip
        elements = Fetches(graph, fetches).elements
        if not elements:
            raise _invalid("Must specify at least one target to fetch or execute.")
        number, self.count = self.count, self.count + 1
        run = PartialRun(self.session, list(dict.fromkeys(fed)), elements)
        text = ",".join(t.name for t in run.feeds) + "->" + ",".join(t.name for t in run.fetches)
        handle = f"{text}/{','.join(t.name for t in run.targets)}/1/;{number}"
        self.runs[handle] = run
        return handle

    def _feed(self, key: Any) -> list[Tensor]:
        registered = None if isinstance(key, (str, Tensor)) else expansion(key)
        parts = [key]
        if registered is not None:
            parts = registered[3](key) if registered[3] else registered[0][0]
        tensors = []
        for part in parts:
            try:
                tensors.append(self.session.graph.as_graph_element(part, allow_operation=False))
            except (TypeError, ValueError, KeyError) as error:
                text = error.args[0] if error.args else error
                raise type(error)(f"Cannot interpret feed_list key as Tensor: {text}") from None
        return tensors

    def run(self, handle: Any, fetches: Any, feed_dict: Any) -> Any:
        """Go on with a partial run: some feeds, some fetches."""
        session = self.session
        fed = session._feeds(feed_dict) if feed_dict else {}
        wanted = Fetches(session.graph, fetches)
        arrays = {t: session._fed_value(t, v) for t, v in fed.items()}
        tensors = [f for f in wanted.elements if f not in fed]
        if any(isinstance(f, Operation) for f in tensors):
            raise RuntimeError("partial_run() requires empty target_list.")
        found: dict[Any, Any] = {t: arrays[t] for t in wanted.elements if t in arrays}
        run = self.runs.get(handle)
        if run is None:
            raise _invalid("Must run 'setup' before performing partial runs!")
        found.update(zip(tensors, run.run(arrays, tensors), strict=True))
        if run.finished:
            del self.runs[handle]
        values = [found[f] for f in wanted.elements]
        return wanted.build([v[()] if getattr(v, "ndim", 1) == 0 else v for v in values])
