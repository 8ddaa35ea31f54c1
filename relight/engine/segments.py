"""Segments: runs of a plan's steps that only start work on one GPU, and so can be replayed there.

A step may be in a segment when all that it does is to compute tensors of one GPU from tensors of
that GPU and from constants. What a step says of itself is looked at first (`candidates`). Whether
its kernel also waits for the GPU, takes numbers from the host or draws random ones, no record
tells: a run of the plan under a `TorchDispatchMode` shows which of PyTorch's operations it calls
(`survey`), and these say it of themselves by their tags. `arrange` then moves the steps that
can be moved, so that the others are in as few segments as possible.

Steps that read or write variables stay outside, updates too: their rates change from run to run,
the memory of a variable may be replaced at any time, and a GPU needs no replay to be busy with the
few calls that update all variables.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from relight.engine.placement import VARIABLES
from relight.engine.steps import CONVERSIONS, Plan, Step, Value
from relight.graph import opdef

SMALLEST = 4  # steps; a shorter segment would not pay for copies and the start of its replay


# -- which steps -----------------------------------------------------------------------------------


def candidates(plan: Plan, memory: torch.device) -> set[Step]:
    """The steps that, by what is declared of them, compute tensors in `memory` and nothing else."""
    return {s for s in plan.steps if _is_candidate(plan, s, memory)}


def _is_candidate(plan: Plan, step: Step, memory: torch.device) -> bool:
    if step.node is None or step.what in CONVERSIONS or step.takes_session or not step.function:
        return False
    for node in step.nodes:
        record = opdef.record(node.type)
        if record.is_stateful or record.writes is not None or record.host_out:
            return False
    made = [v for v in step.outputs if v is not None]
    return (
        bool(made)
        and all(v.kind == "T" and plan.memories.get(v) == memory for v in made)
        and all(
            plan.memories.get(v) == memory
            if v.kind == "T"
            else v.kind == "H" and v in plan.constants
            for v in step.flat_inputs()
        )
    )


def survey(plan: Plan, watched: set[Step], memory: torch.device) -> tuple[Plan, dict[Step, str]]:
    """A plan that does the same and fills the dict, when it is run, with those of the `watched`
    steps that cannot be captured, and why."""
    refused: dict[Step, str] = {}
    steps = [
        dataclasses.replace(s, function=_watching(s, memory, refused), inline=None)
        if s in watched
        else s
        for s in plan.steps
    ]
    return regenerated(plan, steps), refused


def _watching(step: Step, memory: torch.device, refused: dict[Step, str]) -> Callable[..., Any]:
    function = step.function
    assert function is not None

    def run(*inputs: Any) -> Any:
        watch = Watch(memory)
        with watch:
            made = function(*inputs)
        if watch.reason:
            refused.setdefault(step, watch.reason)
        return made

    return run


class Watch(TorchDispatchMode):
    """Finds in the operations called under it a `reason` why they cannot be captured, else ""."""

    def __init__(self, memory: torch.device):
        super().__init__()
        self.reason = ""
        self._memory = memory
        self._own_kernel = "CUDA" if memory.type == "cuda" else "CPU"

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.reason = self.reason or _known_reason(func)
        if not self.reason and _is_composite(func, self._own_kernel):
            with self:
                return func.decompose(*args, **kwargs)
        given = tensors_of([args, kwargs])  # before an operation in place changes what it is given
        made = func(*args, **kwargs)
        if not self.reason:
            self.reason = self._reason(func, given, tensors_of(made)) or _masks(func, args)
        return made

    def _reason(self, func: Any, given: list[torch.Tensor], made: list[torch.Tensor]) -> str:
        far = [t for t in (*given, *made) if not _lies_in(t, self._memory)]
        if any(t.ndim for t in far):
            return f"{func} has a tensor on {far[0].device}"
        if func.name().startswith("aten::lift") and len(far) < len(given):
            return "it makes a tensor of Python values"
        moves = func.name() in ("aten::_to_copy", "aten::copy_", "aten::copy")
        if moves and far and len(far) < len(given) + len(made):
            return f"{func} copies between the host and the GPU"
        return ""


# Operations that wait for a GPU, or take their arguments from the host, without a tag that says so.
_WAITS = re.compile(
    r"aten::(linalg_|_linalg_|cholesky|geqrf|ormqr|lu_|bincount|histc|histogram|_ctc_loss|ctc_loss|"
    r"_cudnn_ctc_loss|_local_scalar_dense|_assert|embedding_bag|_embedding_bag|multinomial|"
    r"_pin_memory|pin_memory|set_)"
)


def _known_reason(func: Any) -> str:
    tags = func.tags
    if torch.Tag.data_dependent_output in tags:
        return f"{func} waits for a value"
    if torch.Tag.dynamic_output_shape in tags and not func.name().startswith("aten::index"):
        return f"the shape of what {func} gives depends on values"
    if torch.Tag.nondeterministic_seeded in tags:
        return f"{func} draws random numbers"
    return f"{func} may wait for the GPU" if _WAITS.match(func.name()) else ""


def _masks(func: Any, args: Sequence[Any]) -> str:
    """Indexing says that its shape depends on values; it does for masks only."""
    if torch.Tag.dynamic_output_shape in func.tags or "index_put" in func.name():
        if any(t.dtype in (torch.bool, torch.uint8) for t in tensors_of(list(args[1:2]))):
            return f"{func} takes a mask"
    return ""


def _is_composite(func: Any, backend: str) -> bool:
    """Whether an operation is made of others, on this kind of device too."""
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    return has(func.name(), "CompositeImplicitAutograd") and not has(func.name(), backend)


def tensors_of(values: Any) -> list[torch.Tensor]:
    """The tensors among what an operation is given or makes."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        return [t for v in values for t in tensors_of(v)]
    return []


def _lies_in(tensor: torch.Tensor, memory: torch.device) -> bool:
    device = tensor.device
    return device.type == memory.type and (device.index or 0) == (memory.index or 0)


# -- in which order --------------------------------------------------------------------------------


@dataclasses.dataclass
class Segment:
    """Steps to be replayed together, what they take from others, and what others take of them."""

    steps: list[Step]
    inputs: list[Value]
    outputs: list[Value]

    @property
    def name(self) -> str:
        """The first node, for messages."""
        node = self.steps[0].node
        return "" if node is None else node.name


def arrange(plan: Plan, fit: set[Step]) -> list[Step | Segment]:
    """The steps of a plan in another order of the same effect, with `fit` ones in segments.

    Each step has a place as early as it can be: segments have odd ones, other steps even ones.
    Steps that compute depend on their inputs alone, random numbers too (each node has its own
    stream). A variable is read after the steps that may write it, and what has effects comes after
    all that comes before it in the plan.
    """
    effects = Effects(plan)
    made_at: dict[Value, int] = {}
    places: list[int] = []
    for step in plan.steps:
        place = max((made_at.get(v, 0) for v in step.flat_inputs()), default=0)
        if step in fit:
            place |= 1
        else:
            before = effects.before(step, places)
            place = max([place, *(places[i] for i in before)])
            place += place & 1
        places.append(place)
        made_at.update({v: place for v in step.outputs if v is not None})
    items: list[Step | list[Step]] = []
    by_place = sorted(zip(places, range(len(places)), plan.steps, strict=True))
    for place, group in itertools.groupby(by_place, key=lambda item: item[0]):
        steps = [s for _, _, s in group]
        items.extend([steps] if place & 1 and len(steps) >= SMALLEST else steps)
    return _with_ends(plan, items)


def _with_ends(plan: Plan, items: Sequence[Step | list[Step]]) -> list[Step | Segment]:
    """Segments made of the lists among the items."""
    readers: dict[Value, set[int]] = {}
    for i, item in enumerate(items):
        for step in item if isinstance(item, list) else [item]:
            for value in step.flat_inputs():
                readers.setdefault(value, set()).add(i)
    fetched = set(plan.fetched_values)
    made: list[Step | Segment] = []
    for i, item in enumerate(items):
        if not isinstance(item, list):
            made.append(item)
            continue
        own = {v: None for s in item for v in s.outputs if v is not None}
        taken = dict.fromkeys(v for s in item for v in s.flat_inputs())
        inputs = [v for v in taken if v not in own and v not in plan.constants]
        outputs = [v for v in own if v in fetched or readers.get(v, set()) - {i}]
        made.append(Segment(item, inputs, outputs))
    return made


class Effects:
    """What steps do beside computing: which variables they read and write, and anything else."""

    def __init__(self, plan: Plan):
        self._steps = plan.steps
        self._names: dict[Value, Any] = {}  # of variables, by their references
        for step in plan.steps:
            node = step.node
            if node is not None and step.what == node.type and node.type in VARIABLES:
                name = node._attrs.get("shared_name") or node.name
                self._names.update({v: name for v in step.outputs if v is not None})
            elif _writes(step) and isinstance(step.inputs[0], Value):
                found = self._names.get(step.inputs[0])
                if found is not None:  # a reference is handed on
                    self._names.update({v: found for v in step.outputs if v is not None})

    def before(self, step: Step, earlier: Sequence[int]) -> Sequence[int]:
        """Which of the steps before it a step must stay behind."""
        if _is_free(step):
            return ()
        if _writes(step) or _does_anything(step):
            return range(len(earlier))
        read = self.held(step)
        if not read:
            return ()
        return [i for i in range(len(earlier)) if self._may_write(self._steps[i], read)]

    def replaced(self) -> set[Any]:
        """The variables that get new memory when the plan is run."""
        found: set[Any] = set()
        for step in self._steps:
            if _writes(step) and not step.what.startswith(IN_PLACE):
                found |= self.held(step)
        return found

    def held(self, step: Step) -> set[Any]:
        """The variables that a step takes; None stands for one that is not known."""
        return {self._names.get(v) for v in step.flat_inputs() if v.kind == "R"}

    def _may_write(self, step: Step, names: set[Any]) -> bool:
        if _is_free(step):
            return False
        if _does_anything(step):
            return True
        written = self.held(step) if _writes(step) else set()
        return bool(written) and (None in written or None in names or bool(written & names))


# What changes a variable where it is, and does not keep its other inputs.
IN_PLACE = ("Apply", "ResourceApply", "AssignAdd", "AssignSub", "MovingAverage")


def _writes(step: Step) -> bool:
    return step.what not in CONVERSIONS and any(
        opdef.record(n.type).writes is not None for n in step.nodes
    )


def _does_anything(step: Step) -> bool:
    """Whether a step may have effects of any kind."""
    if step.takes_session:
        return True
    if step.what in CONVERSIONS or step.what == "ReadVariableOp" or _writes(step):
        return False
    return any(opdef.record(n.type).is_stateful for n in step.nodes)


def _is_free(step: Step) -> bool:
    """Whether a step finds a variable, or draws random numbers and has no other state."""
    node = step.node
    if node is None or step.what != node.type:
        return False
    values = [*step.flat_inputs(), *(v for v in step.outputs if v is not None)]
    draws = "seed2" in node._attrs and all(v.kind != "R" for v in values)
    return draws or step.what in VARIABLES


# -- generating anew -------------------------------------------------------------------------------


def regenerated(plan: Plan, steps: list[Step]) -> Plan:
    """A plan with other steps for the same feeds and fetches, and its function."""
    return _generated(dataclasses.replace(plan, steps=steps, log=[], line_steps={}))


def plan_of(plan: Plan, segment: Segment) -> Plan:
    """The steps of a segment as a plan of their own, from its inputs to its outputs."""
    used = {v for s in segment.steps for v in s.flat_inputs()}
    made = Plan(plan.graph, [], [], list(segment.steps), segment.inputs, segment.outputs)
    made.constants = {v: c for v, c in plan.constants.items() if v in used}
    made.copies = [False] * len(segment.outputs)
    return _generated(made)


def _generated(plan: Plan) -> Plan:
    from relight.engine import codegen

    for value in [*plan.constants, *plan.fed_values]:
        value.name = ""
    for step in plan.steps:
        for made in step.outputs:
            if made is not None:
                made.name = ""
    codegen.generate(plan)
    return plan
