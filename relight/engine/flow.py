"""Old control flow raised to structure: Switch, Merge, Enter, Exit, NextIteration, LoopCond.

GraphDefs that TensorFlow 1.x wrote hold conditions and loops as dataflow: `Switch` hands its input
to one of two outputs, what hangs on the other is *dead*, `Merge` takes the input that is alive;
`Enter` ... `NextIteration` ... `Exit` carry values into, around and out of the *frame* of a loop.
(Abadi et al., "TensorFlow: A system for large-scale machine learning", OSDI 2016, section 3.4; Yu
et al., "Dynamic Control Flow in Large-Scale Machine Learning", EuroSys 2018.)

`arrange` turns such nodes into nested items that a plan can run in order:

* an `Operation`, run as it is;
* `Pass`: a tensor that is another one under a new name (an output of Switch);
* `Join`: a Merge, which takes what has a value;
* `Block`: items that run only when a condition holds, as the body of a Python `if`;
* `Loop`: the items of one frame, run turn by turn, as the body of a Python `while`.

When a node runs follows from its *path*: the conditions, outermost first, that must hold for its
inputs to be alive. Inputs of one node unite their paths; a Merge over a condition and its contrary
leaves the condition away. Where that does not tell (values joined in other ways), the condition is
that the Merge itself came out alive. So nothing is asked of a graph's origin: gradients that read
the insides of a branch from another branch, and graphs written by hand, run too.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Container, Iterable, Sequence
from typing import Any

from relight.graph import errors
from relight.graph.node import Operation, Tensor

SWITCH = frozenset(("Switch", "RefSwitch"))
MERGE = frozenset(("Merge", "RefMerge"))
ENTER = frozenset(("Enter", "RefEnter"))
EXIT = frozenset(("Exit", "RefExit"))
NEXT = frozenset(("NextIteration", "RefNextIteration"))
OPS = SWITCH | MERGE | ENTER | EXIT | NEXT | {"LoopCond"}
ALIVE = "alive"

# A condition: (tensor, True or False: what it must be, or ALIVE: that there is a value at all).
Condition = tuple[Tensor, Any]
Path = tuple[Condition, ...]


@dataclasses.dataclass(eq=False)
class Pass:
    """`tensor` is `source` under another name."""

    tensor: Tensor
    source: Tensor


@dataclasses.dataclass(eq=False)
class Join:
    """A Merge: gives the first of `choices`, (input index, tensor), that has a value."""

    node: Operation
    choices: list[tuple[int, Tensor]]


@dataclasses.dataclass(eq=False)
class Block:
    """Items that run when `condition` holds; without it, the outputs have no value."""

    condition: Condition
    items: list[Any]
    inputs: list[Tensor] = dataclasses.field(default_factory=list)
    outputs: list[Tensor] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Loop:
    """The frame of a loop.

    `inputs`: what is entered: the first values of `turning`, then `constants`. A turn takes
    `turning` (outputs of Merge nodes), `turns` (their value_index outputs, where they are read) and
    `constants` (outputs of Enter nodes) and gives `again` (the next `turning`) and `leaving`,
    which become `outputs` (of Exit nodes). An input is None when it never has a value.
    """

    name: str
    items: list[Any]
    inputs: list[Tensor | None]
    turning: list[Tensor]
    turns: list[Tensor]
    constants: list[Tensor]
    again: list[Tensor]
    leaving: list[Tensor]
    outputs: list[Tensor]


class Frame:
    """The nodes of one loop, while the structure is looked for. The root frame has no name."""

    def __init__(self, name: str, parent: Frame | None):
        self.name = name
        self.parent = parent
        self.members: list[Operation] = []
        self.enters: list[Operation] = []
        self.exits: list[Operation] = []
        self.children: list[Frame] = []


def present(nodes: Iterable[Operation]) -> bool:
    """Whether there is old control flow among the nodes."""
    return any(n.type in OPS for n in nodes)


def goes_back(node: Operation, tensor: Tensor) -> bool:
    """Whether an input of a node is an edge that goes back to the start of a loop's body."""
    return node.type in MERGE and tensor.op.type in NEXT


def arrange(nodes: Sequence[Operation], fed: set[Tensor], fetches: Sequence[Any]) -> Arranged:
    """The items for nodes that are given in topological order (but for edges that loop back).

    Raises InvalidArgumentError when a node has inputs from different frames or the nodes cannot be
    put in order, InternalError when a tensor inside of a loop is fetched.
    """
    return _Arranging(nodes, fed, fetches).run()


@dataclasses.dataclass
class Arranged:
    """The items of a plan; the fetched tensors that may have no value, and that never have one."""

    items: list[Any]
    doubtful: set[Tensor]
    dead: set[Tensor]


@dataclasses.dataclass(eq=False)
class _Unit:
    """Something to be placed: an item, the path under which it runs, and what it waits for."""

    item: Any
    path: Path
    rank: int
    needs: set[Any]


class _Arranging:
    def __init__(self, nodes: Sequence[Operation], fed: set[Tensor], fetches: Sequence[Any]):
        self.nodes = nodes
        self.fed = fed
        self.fetches = fetches
        self.root = Frame("", None)
        self.inside: dict[Operation, Frame] = {}  # the frame whose values an operation reads
        self.gives: dict[Operation, Frame] = {}  # the frame that its outputs belong to
        self.frame_of_exit: dict[Operation, Frame] = {}
        self.paths: dict[Operation, Path | None] = {}  # None: never alive
        self.tensor_paths: dict[Tensor, Path | None] = {}
        self.read: dict[Tensor, int] = {}

    def run(self) -> Arranged:
        self._find_frames()
        fetched = [f for f in self.fetches if isinstance(f, Tensor)]
        for tensor in [*fetched, *(t for n in self.nodes for t in n._inputs)]:
            self.read[tensor] = self.read.get(tensor, 0) + 1
        items = self._level(self.root)
        doubtful: set[Tensor] = set()
        dead: set[Tensor] = set()
        for tensor in fetched:
            if tensor in self.fed:
                continue
            if self.gives[tensor.op] is not self.root:
                raise errors.InternalError(
                    None,
                    None,
                    "Retval[0] has already been set.\n\t [[{{node _retval_"
                    f"{tensor.op.name}_{tensor.value_index}_0}}}}]]: a tensor inside of a loop has "
                    "no single value to fetch",
                )
            path = self.tensor_paths[tensor]
            if path is None:
                dead.add(tensor)
            elif path:
                doubtful.add(tensor)
        _set_inputs(items, self.fed)
        _set_outputs(items, set(fetched), self.fed)
        return Arranged(items, doubtful, dead)

    # -- frames ----------------------------------------------------------------------------------

    def _find_frames(self) -> None:
        frames: dict[tuple[Frame, str], Frame] = {}
        loops_back: list[tuple[Operation, Operation]] = []
        for node in self.nodes:
            sources: list[Operation] = []
            for tensor in node._inputs:
                if tensor in self.fed:
                    continue
                if goes_back(node, tensor):
                    loops_back.append((node, tensor.op))
                else:
                    sources.append(tensor.op)
            sources.extend(node._control_inputs)
            frame = self.gives[sources[0]] if sources else self.root
            for other in sources[1:]:
                if self.gives[other] is not frame:
                    self._mixed(node, sources[0], other)
            for tensor in node._inputs:
                if tensor in self.fed and frame is not self.root:
                    self._mixed(node, sources[0], tensor)
            self.inside[node] = frame
            frame.members.append(node)
            if node.type in ENTER:
                name = _text(node._attrs["frame_name"])
                child = frames.get((frame, name))
                if child is None:
                    child = frames[frame, name] = Frame(name, frame)
                    frame.children.append(child)
                child.enters.append(node)
                self.gives[node] = child
            elif node.type in EXIT:
                if frame.parent is None:
                    raise errors.InvalidArgumentError(
                        None, None, f"node {node.name} leaves a frame, but is in none"
                    )
                frame.exits.append(node)
                self.frame_of_exit[node] = frame
                self.gives[node] = frame.parent
            else:
                self.gives[node] = frame
        for merge, after in loops_back:
            if self.gives[after] is not self.gives[merge]:
                self._mixed(merge, merge._inputs[0].op, after)

    def _mixed(self, node: Operation, a: Operation, b: Operation | Tensor) -> None:
        if isinstance(b, Tensor):
            other, frame = f"{{{{node _arg_{b.op.name}_{b.value_index}_0}}}}", self.root
        else:
            other, frame = f"node {b.name}", self.gives[b]
        raise errors.InvalidArgumentError(
            None,
            None,
            f"node {node.name} has inputs from different frames. The input node {a.name} is in "
            f"frame '{self.gives[a].name}'. The input {other} is in frame '{frame.name}'.",
        )

    # -- one frame -------------------------------------------------------------------------------

    def _level(self, frame: Frame) -> list[Any]:
        """The items of one frame, loops within it done before."""
        units: list[_Unit] = []
        makers: dict[Any, Any] = {}  # an operation, or one output of a Switch -> what makes it
        for node in self._in_order(frame):
            if isinstance(node, Frame):
                units.extend(self._loop_unit(node, makers))
                continue
            if self._turns(node):
                continue
            path = self._walk(node)
            if path is None or node.type in NEXT or node.type in EXIT:
                continue
            needs = self._needs(node, makers)
            item: Any = node
            if node.type in SWITCH:
                for tensor in node._outputs:
                    out = self.tensor_paths[tensor]
                    if out is not None and tensor not in self.fed and self.read.get(tensor):
                        handed = makers[tensor] = Pass(tensor, node._inputs[0])
                        units.append(_Unit(handed, out, node._id, needs))
            elif node.type in MERGE:
                choices = list(enumerate(node._inputs))
                item = Join(node, [(i, t) for i, t in choices if self._path_of(t) is not None])
            makers[node] = item
            units.append(_Unit(item, path, node._id, needs))
        return _placed(units)

    def _in_order(self, frame: Frame) -> list[Any]:
        """Operations and inner loops of a frame, topologically: a loop comes after all that enters
        it, and before what reads its exits."""
        here: list[Any] = [n for n in frame.members if n.type not in ENTER]
        here += frame.children
        before: dict[Any, set[Any]] = {}
        for item in here:
            sources: set[Any] = set()
            nodes = item.enters if isinstance(item, Frame) else [item]
            for node in nodes:
                for source in self._sources(node):
                    inner = self.frame_of_exit.get(source)
                    if inner is not None and inner.parent is frame:
                        sources.add(inner)
                    elif source.type not in ENTER or self.gives[source] is not frame:
                        sources.add(source)
            before[item] = sources
        after: dict[Any, list[Any]] = {item: [] for item in here}
        for item, sources in before.items():
            for source in sources:
                after[source].append(item)
        rank = {item: i for i, item in enumerate(here)}
        ready = [rank[item] for item, sources in before.items() if not sources]
        heapq.heapify(ready)
        ordered = []
        while ready:
            item = here[heapq.heappop(ready)]
            ordered.append(item)
            for follower in after[item]:
                before[follower].discard(item)
                if not before[follower]:
                    heapq.heappush(ready, rank[follower])
        if len(ordered) < len(here):
            names = sorted(i.name for i in set(here) - set(ordered))
            raise errors.InvalidArgumentError(
                None, None, f"the graph has a cycle through {', '.join(names[:5])}"
            )
        return ordered

    def _sources(self, node: Operation) -> list[Operation]:
        data = [t.op for t in node._inputs if t not in self.fed and not goes_back(node, t)]
        return data + list(node._control_inputs)

    def _needs(self, node: Operation, makers: dict[Any, Any]) -> set[Any]:
        sources: list[Any] = [t for t in node._inputs if t.op.type in SWITCH]
        sources += self._sources(node)
        return {makers[s] for s in sources if s in makers}

    def _turns(self, node: Operation) -> bool:
        """Whether a Merge is where a loop comes round."""
        return any(goes_back(node, t) and t not in self.fed for t in node._inputs)

    # -- paths -----------------------------------------------------------------------------------

    def _path_of(self, tensor: Tensor) -> Path | None:
        return () if tensor in self.fed else self.tensor_paths[tensor]

    def _walk(self, node: Operation) -> Path | None:
        """The path of a node, kept for it and its outputs."""
        if node.type in MERGE and not self._turns(node):
            return self._merge(node)
        path: Path | None = ()
        if node.type != "ControlTrigger":
            for tensor in node._inputs:
                path = _union(path, self._path_of(tensor))
            for control in node._control_inputs:
                path = _union(path, self.paths[control])
        self.paths[node] = path
        if node.type in SWITCH:
            pred = self._condition(node._inputs[1])
            for tensor, side in zip(node._outputs, (False, True), strict=True):
                self.tensor_paths[tensor] = _union(path, ((pred, side),))
        elif node.type not in EXIT:  # theirs is set for the loop as a whole
            for tensor in node._outputs:
                self.tensor_paths[tensor] = path
        return path

    def _condition(self, pred: Tensor) -> Tensor:
        """The tensor that a condition is told by: identities of one are one condition."""
        while pred not in self.fed and pred.op.type in ("Identity", "LoopCond"):
            source = pred.op._inputs[0]
            if source.dtype._is_ref_dtype or self._path_of(source) != self._path_of(pred):
                break
            if source not in self.fed and self.gives[source.op] is not self.gives[pred.op]:
                break
            pred = source
        return pred

    def _merge(self, node: Operation) -> Path | None:
        paths = [p for p in map(self._path_of, node._inputs) if p is not None]
        output = node._outputs[0]
        if not paths:
            self.paths[node] = None
            for tensor in node._outputs:
                self.tensor_paths[tensor] = None
            return None
        common = tuple(c for c in paths[0] if all(c in p for p in paths))
        left = _without_contraries({frozenset(p) for p in paths})
        sure = len(left) == 1 and left == {frozenset(common)}
        path = common if sure else (*common, (output, ALIVE))
        for tensor in node._outputs:
            self.tensor_paths[tensor] = path
        self.paths[node] = path
        return common

    # -- loops -----------------------------------------------------------------------------------

    def _loop_unit(self, child: Frame, makers: dict[Any, Any]) -> list[_Unit]:
        """A loop as a unit of the frame around; none when nothing ever enters it."""
        entering: list[Path] = []
        alive: list[Operation] = []
        for enter in child.enters:
            path: Path | None = self._path_of(enter._inputs[0])
            for control in enter._control_inputs:
                path = _union(path, self.paths[control])
            if path is not None:
                entering.append(path)
                alive.append(enter)
            self.paths[enter] = path
        if not entering:
            for node in child.exits:
                self.paths[node] = self.tensor_paths[node._outputs[0]] = None
            return []
        common = tuple(c for c in entering[0] if all(c in p for p in entering))
        steady = all(len(p) == len(common) for p in entering) and len(alive) == len(child.enters)
        for enter in child.enters:
            out = enter._outputs[0]
            inner: Path | None = ()
            if enter not in alive:
                inner = None
            elif len(self.paths[enter] or ()) > len(common):
                inner = ((out, ALIVE),)
            self.tensor_paths[out] = self.paths[enter] = inner
        merges = [n for n in child.members if self._turns(n)]
        items = None
        if steady:
            items = self._turn(child, merges, steady=True)
        if items is None:
            items = self._turn(child, merges, steady=False)
            assert items is not None
        loop = self._loop(child, merges, items, alive)
        going = self._going_on(merges)
        for node in child.exits:
            path = self.paths[node]
            if path is not None:
                sure = steady and going is not None and _contrary(path, going)
                path = common if sure else (*common, (node._outputs[0], ALIVE))
            self.paths[node] = self.tensor_paths[node._outputs[0]] = path
        needs: set[Any] = set()
        for enter in child.enters:
            needs |= self._needs(enter, makers)
        makers.update((n, loop) for n in child.exits)
        return [_Unit(loop, common, min(n._id for n in child.enters), needs)]

    def _turn(self, child: Frame, merges: list[Operation], steady: bool) -> list[Any] | None:
        """The items of a turn. `steady`: all that turns is alive in each turn; None when not."""
        for merge in merges:
            path: Path = () if steady else ((merge._outputs[0], ALIVE),)
            for tensor in merge._outputs:
                self.tensor_paths[tensor] = path
            self.paths[merge] = path
        items = self._level(child)
        if steady and merges and self._going_on(merges) is None:
            return None
        return items

    def _going_on(self, merges: list[Operation]) -> Path | None:
        """The path that all NextIteration nodes share, if they do and it is a simple one."""
        paths = [self.paths[_again(m)] for m in merges]
        first = paths[0] if paths else None
        if first is None or any(p is None or set(p) != set(first) for p in paths):
            return None
        return first

    def _loop(
        self, child: Frame, merges: list[Operation], items: list[Any], alive: list[Operation]
    ) -> Loop:
        first: list[Tensor | None] = []
        for merge in merges:
            enters = [t.op for t in merge._inputs if t.op.type in ENTER and t.op in child.enters]
            if len(enters) != 1 or len(merge._inputs) != 2:
                raise errors.UnimplementedError(
                    None,
                    None,
                    f"node {merge.name} must join one Enter and one NextIteration; it joins "
                    f"{', '.join(t.name for t in merge._inputs)}",
                )
            first.append(enters[0]._inputs[0] if enters[0] in alive else None)
        constants = [e for e in alive if self._is_read(e, merges)]
        exits = [n for n in child.exits if self.paths[n] is not None]
        return Loop(
            child.name,
            items,
            [*first, *(e._inputs[0] for e in constants)],
            [m._outputs[0] for m in merges],
            [m._outputs[1] for m in merges if self.read.get(m._outputs[1])],
            [e._outputs[0] for e in constants],
            [_again(m)._inputs[0] for m in merges],
            [n._inputs[0] for n in exits],
            [n._outputs[0] for n in exits],
        )

    def _is_read(self, enter: Operation, merges: list[Operation]) -> bool:
        """Whether an Enter is read by more than the Merge at which the loop comes round."""
        out = enter._outputs[0]
        return self.read.get(out, 0) > sum(out in m._inputs for m in merges)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _again(merge: Operation) -> Operation:
    return next(t.op for t in merge._inputs if t.op.type in NEXT)


def _union(a: Path | None, b: Path | None) -> Path | None:
    """Both paths; None when a condition and its contrary would have to hold."""
    if a is None or b is None:
        return None
    if not b or a == b:
        return a
    for tensor, side in b:
        if side is not ALIVE and (tensor, not side) in a:
            return None
    return a + tuple(c for c in b if c not in a)


def _contrary(a: Path, b: Path) -> bool:
    """Whether `a` holds just when `b` does not: one condition, the other way round."""
    return len(a) == len(b) == 1 and a[0][0] is b[0][0] and {a[0][1], b[0][1]} == {True, False}


def _without_contraries(paths: set[frozenset[Condition]]) -> set[frozenset[Condition]]:
    """The same disjunction in fewer terms: A and A & p give A, A & p and A & not p give A."""
    changed = True
    while changed:
        changed = False
        for a in list(paths):
            if any(b < a for b in paths):
                paths.discard(a)
                changed = True
        for a in paths:
            for tensor, side in a:
                if side is ALIVE:
                    continue
                rest = a - {(tensor, side)}
                if rest | {(tensor, not side)} in paths:
                    paths = (paths - {a, rest | {(tensor, not side)}}) | {rest}
                    changed = True
                    break
            if changed:
                break
    return paths


# -- placing ---------------------------------------------------------------------------------------


class _Ready:
    """Units that wait for nothing more, by path."""

    def __init__(self) -> None:
        self.heaps: dict[Path, list[tuple[int, int, _Unit]]] = {}

    def add(self, number: int, unit: _Unit) -> None:
        heapq.heappush(self.heaps.setdefault(unit.path, []), (unit.rank, number, unit))

    def take(self, path: Path) -> _Unit | None:
        heap = self.heaps.get(path)
        return heapq.heappop(heap)[2] if heap else None

    def deeper(self, path: Path) -> Path | None:
        """Of the paths that go on from `path`, the one with the unit that comes first."""
        found = [
            (heap[0][:2], p)
            for p, heap in self.heaps.items()
            if heap and len(p) > len(path) and p[: len(path)] == path
        ]
        return min(found, key=lambda f: f[0])[1] if found else None


def _placed(units: list[_Unit]) -> list[Any]:
    """Units in an order that respects what they wait for, those of one path together in Blocks."""
    waiting: dict[int, set[Any]] = {}
    after: dict[Any, list[int]] = {}
    known = {u.item for u in units}
    ready = _Ready()
    for number, unit in enumerate(units):
        needs = {n for n in unit.needs if n in known}
        waiting[number] = needs
        for need in needs:
            after.setdefault(need, []).append(number)
        if not needs:
            ready.add(number, unit)

    def done(item: Any) -> None:
        for number in after.get(item, ()):
            needs = waiting[number]
            if item in needs:
                needs.discard(item)
                if not needs:
                    ready.add(number, units[number])

    count = 0

    def fill(path: Path) -> list[Any]:
        nonlocal count
        items: list[Any] = []
        while True:
            unit = ready.take(path)
            if unit is not None:
                count += 1
                if not (isinstance(unit.item, Operation) and unit.item.type in SWITCH):
                    items.append(unit.item)  # a Switch is there for what waits for it only
                done(unit.item)
                continue
            inner = ready.deeper(path)
            if inner is None:
                return items
            condition = inner[len(path)]
            items.append(Block(condition, fill((*path, condition))))

    items = fill(())
    if count < len(units):
        raise errors.InvalidArgumentError(
            None, None, "operations of a condition or loop wait for each other"
        )
    return items


# -- what goes in and out --------------------------------------------------------------------------


def uses(item: Any, fed: set[Tensor]) -> list[Tensor]:
    """The tensors that an item reads."""
    if isinstance(item, Pass):
        return [item.source]
    if isinstance(item, Block):
        return [item.condition[0], *item.inputs]
    if isinstance(item, Loop):
        return [t for t in item.inputs if t is not None]
    if isinstance(item, Join):
        return [t for _, t in item.choices]
    used = list(item._inputs)
    for tensor in item._inputs:  # a variable that was written before is read anew
        source = tensor.op
        if source.type == "Identity" and tensor not in fed:
            used.extend(t for t in source._inputs if t.dtype._is_ref_dtype)
    return used


def makes(item: Any) -> list[Tensor]:
    """The tensors that an item gives."""
    if isinstance(item, Pass):
        return [item.tensor]
    if isinstance(item, (Block, Loop)):
        return item.outputs
    return list(item.node._outputs if isinstance(item, Join) else item._outputs)


def is_constant(tensor: Tensor, fed: Container[Tensor]) -> bool:
    """Whether a tensor is a constant, which each body has for its own."""
    return tensor not in fed and tensor.op.type == "Const"


def _set_inputs(items: list[Any], fed: set[Tensor]) -> None:
    for item in items:
        if isinstance(item, Loop):
            _set_inputs(item.items, fed)
        if isinstance(item, Block):
            _set_inputs(item.items, fed)
            made = set(_ordered_makes(item.items))
            wanted = dict.fromkeys(t for inner in item.items for t in uses(inner, fed))
            item.inputs = [t for t in wanted if t not in made and not is_constant(t, fed)]


def _set_outputs(items: list[Any], wanted: set[Tensor], fed: set[Tensor]) -> None:
    """`wanted`: what is read of the items from outside."""
    read = set(wanted)
    for item in reversed(items):
        if isinstance(item, Loop):
            _set_outputs(item.items, {*item.again, *item.leaving}, fed)
        if isinstance(item, Block):
            item.outputs = [t for t in dict.fromkeys(_ordered_makes(item.items)) if t in read]
            _set_outputs(item.items, set(item.outputs), fed)
        read.update(uses(item, fed))


def _ordered_makes(items: list[Any]) -> list[Tensor]:
    made: list[Tensor] = []
    for item in items:
        made.extend(_ordered_makes(item.items) if isinstance(item, Block) else makes(item))
    return made
