"""Plans on a GPU replay their steps as CUDA graphs: one call in place of hundreds of launches.

A plan is run as it is the first times. The next run is watched (`engine/segments.py`): it tells
which steps can be replayed, and the plan is generated anew with segments in place of these steps.
In the run after that each segment is captured, and from then on replayed:

* A graph reads and writes fixed addresses. What a segment takes is therefore copied into static
  tensors first: feeds straight from the host, from pinned memory. Only variables are read where
  they are; a graph is captured anew when a variable has got other memory, and a variable that
  moves repeatedly is copied like the rest.
* What a segment gives lies in the graph's memory until the next replay. Values that something may
  keep are copied.
* A segment has no effects, and no Python code is left out by replaying it. When capturing fails
  nothing has happened: a warning names the node, and its steps are run one by one.
* Static memory belongs to one session, and to one run at a time. A run that finds it taken by
  another thread goes on without graphs, and so does one whose shapes are others.

`RELIGHT_CUDA_GRAPHS=0` turns all of this off.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch

from relight.engine import explain, segments
from relight.engine.memories import HOST, staged
from relight.engine.steps import Plan, Step, Value
from relight.graph import errors

VARIABLE = "RELIGHT_CUDA_GRAPHS"
WARM_RUNS = 2  # before the one that is watched: libraries choose their kernels in them
_MOVES = 2  # how often the memory of a variable may change before it is copied in each run

Run = Callable[[], list[torch.Tensor]]


class Graphs(Protocol):
    """What is needed of a device; `CudaGraphs`, or what stands in for it in tests."""

    def new_pool(self) -> Any:
        """Memory for the graphs of one plan, which run one after the other."""

    def warm_up(self, run: Run) -> None:
        """Run it where it will be captured."""

    def capture(self, run: Run, pool: Any) -> tuple[Callable[[], Any], list[torch.Tensor]]:
        """(what replays the work that `run` starts, what `run` gives: its values come with the
        first replay). RuntimeError when `run` does what cannot be captured."""

    def upload(self, target: torch.Tensor, source: torch.Tensor) -> None:
        """Fill a tensor of the device from one of the host, which may change right after."""


class CudaGraphs:
    """CUDA graphs of one GPU."""

    _one_at_a_time = threading.Lock()  # PyTorch captures one graph at a time

    def __init__(self, memory: torch.device):
        self._memory = memory
        with torch.cuda.device(memory):
            self._stream = torch.cuda.Stream()

    def new_pool(self) -> Any:
        """A pool that PyTorch's allocator keeps for graphs."""
        return torch.cuda.graph_pool_handle()

    def warm_up(self, run: Run) -> None:
        """Run on the stream of captures, as PyTorch asks for before one."""
        with self._back_to_stream() as stream:
            self._stream.wait_stream(stream)
            with torch.cuda.stream(self._stream):
                run()
            stream.wait_stream(self._stream)

    def capture(self, run: Run, pool: Any) -> tuple[Callable[[], Any], list[torch.Tensor]]:
        """See `Graphs`. Other threads may go on using the GPU meanwhile."""
        graph = torch.cuda.CUDAGraph()
        with self._one_at_a_time, self._back_to_stream():
            with torch.cuda.graph(
                graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                made = run()
        return graph.replay, made

    def upload(self, target: torch.Tensor, source: torch.Tensor) -> None:
        """Without waiting for the GPU."""
        target.copy_(staged(source), non_blocking=True)

    @contextlib.contextmanager
    def _back_to_stream(self) -> Iterator[torch.cuda.Stream]:
        """Work on the GPU; its stream is the same afterwards, also when a capture has failed."""
        with torch.cuda.device(self._memory):
            stream = torch.cuda.current_stream()
            try:
                yield stream
            finally:
                torch.cuda.set_stream(stream)


@functools.cache
def graphs_of(memory: torch.device) -> Graphs | None:
    """What captures graphs of a device; None where that is not possible."""
    return CudaGraphs(memory) if memory.type == "cuda" else None


def enable(plan: Plan) -> None:
    """Let a finished plan replay what it does on a GPU, if it does enough there."""
    if os.environ.get(VARIABLE, "") == "0" or not isinstance(plan.function, types.FunctionType):
        return
    found: tuple[int, Any, Any] = (segments.SMALLEST - 1, None, None)
    for memory in {m for m in plan.memories.values() if m != HOST}:
        graphs = graphs_of(memory)
        count = len(segments.candidates(plan, memory))
        if graphs is not None and count > found[0]:
            found = count, memory, graphs
    if found[2] is not None:
        plan.function = Replaying(plan, found[1], found[2])


class Replaying:
    """The function of a plan that replays segments once it has been run a few times."""

    def __init__(self, plan: Plan, memory: torch.device, graphs: Graphs):
        self._plan, self._memory, self._graphs = plan, memory, graphs
        assert plan.function is not None
        self._plain = plan.function
        self._runs = 0
        self._counting = threading.Lock()
        self._arranged: Plan | None = None
        self._parts: list[_Part] = []
        self._static: weakref.WeakKeyDictionary[Any, _Static] = weakref.WeakKeyDictionary()

    def __call__(self, state: Any, feeds: list[Any]) -> list[Any]:
        arranged = self._arranged
        if arranged is None:
            with self._counting:
                self._runs += 1
                watches = self._runs == WARM_RUNS + 1
            return self._watched(state, feeds) if watches else self._plain(state, feeds)
        static = self._static.get(state)
        if static is None:
            with self._counting:
                static = self._static.setdefault(state, self._new_static())
        if not static.taken.acquire(blocking=False):
            return self._plain(state, feeds)
        try:
            assert arranged.function is not None
            return arranged.function(state, feeds)
        except Exception as error:
            explain.raise_explained(arranged, error)
        finally:
            static.taken.release()

    def sizes(self) -> list[int]:
        """How many steps each segment has that is replayed; empty before they are known."""
        return [len(p.segment.steps) for p in self._parts] if self._arranged else []

    def _new_static(self) -> _Static:
        return _Static(self._graphs, self._memory, self._parts)

    def _watched(self, state: Any, feeds: list[Any]) -> list[Any]:
        """A run that finds out which steps can be captured."""
        plan = self._plan
        watched = segments.candidates(plan, self._memory)
        surveyed, refused = segments.survey(plan, watched, self._memory)
        assert surveyed.function is not None
        try:
            fetched = surveyed.function(state, feeds)
        except Exception as error:
            self._runs = WARM_RUNS  # the next run is watched again
            explain.raise_explained(surveyed, error)
        for step, reason in refused.items():
            plan.log.append(
                f"not in a CUDA graph: {step.what} {step.node and step.node.name}: {reason}"
            )
        self._arrange(watched - set(refused))
        return fetched

    def _arrange(self, fit: set[Step]) -> None:
        plan = self._plan
        steps: list[Step] = []
        kept_by = _Keepers(plan, self._memory)
        for item in segments.arrange(plan, fit):
            if isinstance(item, Step):
                steps.append(item)
                continue
            part = _Part(len(self._parts), item, segments.plan_of(plan, item))
            self._parts.append(part)
            first = item.steps[0]
            nodes = tuple(n for s in item.steps for n in s.nodes)
            step = Step(
                "CUDA graph", self._caller(part), [*item.inputs], [*item.outputs], first.node
            )
            steps.append(dataclasses.replace(step, takes_session=True, nodes=nodes))
            plan.log.append(f"CUDA graph: {len(item.steps)} steps from {item.name} on")
        if not self._parts:
            plan.function = self._plain
            return
        kept_by.settle(steps, self._parts)
        self._arranged = segments.regenerated(plan, steps)
        if "plan" in os.environ.get("RELIGHT_DEBUG", ""):
            print("\n".join(plan.log), self._arranged.source, sep="\n", file=sys.stderr)

    def _caller(self, part: _Part) -> Callable[..., Any]:
        single = len(part.segment.outputs) == 1

        def call(state: Any, *values: torch.Tensor) -> Any:
            made = self._static[state].run(part.number, values)
            return made[0] if single else made

        return call


# -- what others do with the values of a segment ---------------------------------------------------

ADDRESS, COPY, UPLOAD = "address", "copy", "upload"


class _Part:
    """A segment of a plan: how it takes each input, and which outputs must be copied."""

    def __init__(self, number: int, segment: segments.Segment, plan: Plan):
        self.number, self.segment, self.plan = number, segment, plan
        self.modes: list[str] = []
        self.copied: list[bool] = []


class _Keepers:
    """Decides how values go into segments and out of them."""

    def __init__(self, plan: Plan, memory: torch.device):
        self._fetched = set(plan.fetched_values)
        self._memories = plan.memories
        self._effects = segments.Effects(plan)
        self._replaced = self._effects.replaced()
        # What goes to other memory is a copy; a stand-in's memory is the host's.
        self._leaves = memory.type != HOST.type

    def settle(self, steps: list[Step], parts: list[_Part]) -> None:
        """Set the modes of all parts. Copies to the GPU that only they need are gone from `steps`:
        they are theirs."""
        readers: dict[Value, list[Step]] = {}
        for step in steps:
            for value in step.flat_inputs():
                readers.setdefault(value, []).append(step)
        made_by = {v: s for s in steps for v in s.outputs if v is not None}
        static: set[Value] = set()
        graph_steps = [s for s in steps if s.what == "CUDA graph"]
        for step, part in zip(graph_steps, parts, strict=True):
            for i, value in enumerate(step.inputs):
                maker = made_by.get(value)
                if value in static or (maker is not None and self._stays(maker)):
                    part.modes.append(ADDRESS)
                elif maker is not None and self._only_for(maker, readers):
                    step.inputs[i] = maker.inputs[0]
                    steps.remove(maker)
                    part.modes.append(UPLOAD)
                else:
                    part.modes.append(COPY)
            for made in part.segment.outputs:
                copied = made in self._fetched or any(self._keeps(s) for s in readers[made])
                part.copied.append(copied)
                if not copied:
                    static.add(made)

    def _keeps(self, step: Step) -> bool:
        """Whether something may hold the inputs of a step after the run, or share their memory."""
        if step.what == "CUDA graph":
            return False
        if step.what in ("numpy", "copy"):
            return not self._leaves
        return not step.what.startswith(segments.IN_PLACE)

    def _stays(self, maker: Step) -> bool:
        """Whether a step reads a variable that keeps its memory from run to run, as far as is known
        of this plan."""
        if maker.what not in ("read", "ReadVariableOp"):
            return False
        return not self._effects.held(maker) & (self._replaced | {None})

    def _only_for(self, maker: Step, readers: dict[Value, list[Step]]) -> bool:
        """Whether a step copies from the host what a single segment reads."""
        if maker.what != "copy" or self._memories.get(maker.inputs[0], HOST) != HOST:
            return False
        copied = maker.outputs[0]
        assert copied is not None
        return len(readers[copied]) == 1 and copied not in self._fetched


# -- the memory of one session ---------------------------------------------------------------------


class _Static:
    """What the segments of a plan have in one session: graphs and their memory."""

    def __init__(self, graphs: Graphs, memory: torch.device, parts: list[_Part]):
        self.taken = threading.Lock()
        self._pool = graphs.new_pool()
        self._segments = [_Segment(p, graphs, memory) for p in parts]

    def run(self, number: int, values: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """The outputs of a segment."""
        return self._segments[number].run(values, self._pool)


class _Segment:
    """One segment in one session: its graph, and what this reads and writes."""

    def __init__(self, part: _Part, graphs: Graphs, memory: torch.device):
        self._part, self._graphs, self._memory = part, graphs, memory
        self._modes = list(part.modes)
        self._moves = [0] * len(part.modes)
        self._failed = False
        self._replay: Callable[[], Any] | None = None
        # Of each input: the type and shape, the static tensor (None: it is read where it is), the
        # address and strides there.
        self._types: list[Any] = []
        self._static: list[torch.Tensor | None] = []
        self._places: list[Any] = []
        self._outputs: list[torch.Tensor] = []

    def run(self, values: tuple[torch.Tensor, ...], pool: Any) -> list[torch.Tensor]:
        """The outputs, by replaying the graph; it is captured first where that has to be."""
        if self._failed or (self._replay is not None and not self._fits(values)):
            return self._run_steps(values)
        if self._replay is not None and self._moved(values):
            self._forget()
        if self._replay is None:
            self._warm_up(values)
            try:
                self._capture(values, pool)
            except Exception as error:
                self._forget()
                self._failed = True
                self._tell(error)
                return self._run_steps(values)
        self._load(values)
        assert self._replay is not None
        self._replay()
        pairs = zip(self._outputs, self._part.copied, strict=True)
        return [value.clone() if copied else value for value, copied in pairs]

    def _fits(self, values: tuple[torch.Tensor, ...]) -> bool:
        return [(v.dtype, v.shape) for v in values] == self._types

    def _moved(self, values: tuple[torch.Tensor, ...]) -> bool:
        """Whether variables have other memory than captured; those that often do become copies."""
        moved = [i for i, p in enumerate(self._places) if p is not None and p != _place(values[i])]
        for i in moved:
            self._moves[i] += 1
            if self._moves[i] > _MOVES:
                self._modes[i] = COPY
        return bool(moved)

    def _forget(self) -> None:
        self._replay = None
        self._types, self._static, self._places, self._outputs = [], [], [], []

    def _run_steps(self, values: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """The outputs, by the steps one by one. What they raise names the node."""
        modes = zip(values, self._modes, strict=True)
        return self._steps([v.to(self._memory) if m == UPLOAD else v for v, m in modes])

    def _steps(self, values: list[torch.Tensor]) -> list[torch.Tensor]:
        function = self._part.plan.function
        assert function is not None
        try:
            return function(None, values)
        except Exception as error:
            explain.raise_explained(self._part.plan, error)

    def _warm_up(self, values: tuple[torch.Tensor, ...]) -> None:
        """Run once where the capture will be. A step may write over what it alone reads: copies."""
        self._graphs.warm_up(lambda: self._run_steps(tuple([v.clone() for v in values])))

    def _capture(self, values: tuple[torch.Tensor, ...], pool: Any) -> None:
        self._types = [(v.dtype, v.shape) for v in values]
        for value, mode in zip(values, self._modes, strict=True):
            by_address = mode == ADDRESS
            static = None if by_address else torch.empty_like(value, device=self._memory)
            self._static.append(static)
            self._places.append(_place(value) if by_address else None)
        given = [v if s is None else s for v, s in zip(values, self._static, strict=True)]
        # A kernel that looks at its input while it is captured finds no nonsense.
        self._load(values)
        kept = {v.untyped_storage().data_ptr() for v, s in zip(given, self._static) if s is None}

        def run() -> list[torch.Tensor]:
            made = self._steps(list(given))
            # A view of a variable would keep its memory from being updated in place.
            return [v.clone() if v.untyped_storage().data_ptr() in kept else v for v in made]

        self._replay, self._outputs = self._graphs.capture(run, pool)

    def _load(self, values: tuple[torch.Tensor, ...]) -> None:
        """Fill the static inputs."""
        targets, sources = [], []
        for value, static, mode in zip(values, self._static, self._modes, strict=True):
            if static is None:
                continue
            if mode == UPLOAD:
                self._graphs.upload(static, value)
            else:
                targets.append(static)
                sources.append(value)
        if targets:
            torch._foreach_copy_(targets, sources)

    def _tell(self, error: Exception) -> None:
        steps = self._part.segment.steps
        # Ending a capture in which a step failed raises an error of its own.
        if isinstance(error.__context__, errors.OpError):
            error = error.__context__
        warnings.warn(
            f"the {len(steps)} steps from node {self._part.segment.name} on run one by one, since "
            f"capturing them as a CUDA graph failed: {error}",
            RuntimeWarning,
            stacklevel=2,
        )


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    return tensor.data_ptr(), tensor.stride()
