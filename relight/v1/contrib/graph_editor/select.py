"""Choosing operations and tensors: by name, by what is connected to what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import Graph
from relight.graph.node import Operation, Tensor
from relight.v1.contrib.graph_editor import util
from relight.v1.contrib.graph_editor.util import add_new, make_list_of_op, make_list_of_t


@export("contrib.graph_editor.can_be_regex")
def can_be_regex(obj: Any) -> bool:
    """Whether `obj` is a string or a compiled regular expression."""
    return isinstance(obj, (str, re.Pattern))


@export("contrib.graph_editor.make_regex")
def make_regex(obj: Any) -> re.Pattern[str]:
    """A compiled regular expression. ValueError for anything but a string or one of these."""
    if not can_be_regex(obj):
        raise ValueError(f"Expected a string or a regex, got: {type(obj)}")
    return re.compile(obj)


@export("contrib.graph_editor.filter_ts")
def filter_ts(ops: Any, positive_filter: Any) -> list[Tensor]:
    """Inputs and outputs of `ops`, each once, that the filter is true of; all with True."""
    ops = make_list_of_op(ops)
    found = add_new([], (t for op in ops for t in op.inputs))
    add_new(found, (t for op in ops for t in op.outputs))
    return [t for t in found if positive_filter is True or positive_filter(t)]


@export("contrib.graph_editor.filter_ts_from_regex")
def filter_ts_from_regex(ops: Any, regex: Any) -> list[Tensor]:
    """Inputs and outputs of `ops` in whose names (such as "a/b:0") `regex` is found."""
    pattern = make_regex(regex)
    return filter_ts(ops, lambda t: pattern.search(t.name))


@export("contrib.graph_editor.filter_ops")
def filter_ops(ops: Any, positive_filter: Any) -> list[Operation]:
    """The operations that the filter is true of; all with True."""
    return [op for op in make_list_of_op(ops) if positive_filter is True or positive_filter(op)]


@export("contrib.graph_editor.filter_ops_from_regex")
def filter_ops_from_regex(ops: Any, regex: Any) -> list[Operation]:
    """The operations in whose names `regex` is found."""
    pattern = make_regex(regex)
    return filter_ops(ops, lambda op: pattern.search(op.name))


@export("contrib.graph_editor.get_name_scope_ops")
def get_name_scope_ops(ops: Any, scope: str) -> list[Operation]:
    """The operations in a name scope, and the one of that very name."""
    return filter_ops_from_regex(ops, f"^{scope.removesuffix('/')}(/.*)?$")


@export("contrib.graph_editor.check_cios")
def check_cios(
    control_inputs: bool = False, control_outputs: Any = None, control_ios: Any = None
) -> tuple[bool, util.ControlOutputs | None]:
    """Whether to follow control inputs, and by what to follow control outputs.

    `control_ios`, a ControlOutputs, stands for both.
    """
    if control_ios is not None:
        if not isinstance(control_ios, util.ControlOutputs):
            raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_ios)}")
        if control_outputs is not None:
            raise ValueError("control_outputs should be None when using control_ios.")
        control_inputs, control_outputs = True, control_ios
    elif control_outputs is not None and not isinstance(control_outputs, util.ControlOutputs):
        raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_outputs)}")
    if control_outputs is not None:
        control_outputs.update()
    return control_inputs, control_outputs


@export("contrib.graph_editor.get_ops_ios")
def get_ops_ios(
    ops: Any, control_inputs: bool = False, control_outputs: Any = None, control_ios: Any = None
) -> list[Operation]:
    """The operations that are connected to any of `ops`, each once."""
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    found: list[Operation] = []
    for op in make_list_of_op(ops):
        add_new(found, (t.op for t in op.inputs))
        for t in op.outputs:
            add_new(found, t.consumers())
        if control_outputs is not None:
            add_new(found, control_outputs.get(op))
        if control_inputs:
            add_new(found, op.control_inputs)
    return found


@export("contrib.graph_editor.compute_boundary_ts")
def compute_boundary_ts(ops: Any) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """(tensors that come in, tensors that nobody or somebody outside takes, tensors inside).

    A tensor that is taken both inside and outside is in the second list and in the third.
    """
    ops = make_list_of_op(ops)
    members = set(ops)
    inputs = add_new([], (t for op in ops for t in op.inputs))
    outputs = [t for op in ops for t in op.outputs]
    made = set(outputs)
    inside = [t for t in inputs if t in made]
    hidden = {t for t in inside if members.issuperset(t.consumers())}
    return (
        [t for t in inputs if t not in made],
        [t for t in outputs if t not in hidden],
        inside,
    )


@export("contrib.graph_editor.get_within_boundary_ops")
def get_within_boundary_ops(
    ops: Any,
    seed_ops: Any,
    boundary_ops: Any = (),
    inclusive: bool = True,
    control_inputs: bool = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations of `ops` that are connected to the seeds without crossing the boundary.

    The boundary's own operations count too with `inclusive`. ValueError when a seed is one.
    """
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    ops = make_list_of_op(ops)
    found = set(make_list_of_op(seed_ops, allow_graph=False))
    boundary = set(make_list_of_op(boundary_ops))
    if boundary & found:
        raise ValueError("Boundary is intersecting with the seeds.")
    wave = set(found)
    while wave:
        around = set(get_ops_ios(wave, control_inputs, control_outputs)) - found
        if inclusive:
            found |= around & boundary
        wave = around - boundary
        found |= wave
    return [op for op in ops if op in found]


def _walk(
    seeds: list[Operation],
    following: Callable[[Operation], Iterable[Operation]],
    inclusive: bool,
    within_ops: Any,
    within_ops_fn: Callable[[Operation], bool] | None,
) -> list[Operation]:
    """The operations reached from `seeds`, wave by wave."""
    allowed = set(make_list_of_op(within_ops, allow_graph=False)) if within_ops else None
    seeds = [op for op in seeds if allowed is None or op in allowed]
    found = list(dict.fromkeys(seeds))
    known = set(found)
    wave = found
    while wave:
        reached: list[Operation] = []
        for op in wave:
            for new in following(op):
                if (
                    new not in known
                    and (allowed is None or new in allowed)
                    and (within_ops_fn is None or within_ops_fn(new))
                ):
                    known.add(new)
                    reached.append(new)
        found = found + reached
        wave = reached
    return found if inclusive else [op for op in found if op not in set(seeds)]


def _seeds(given: Any, of_tensors: Callable[[list[Tensor]], list[Operation]]) -> list[Operation]:
    items = list(given) if util.is_iterable(given) else [given]
    if items and isinstance(items[0], Tensor):
        return of_tensors(make_list_of_t(items, allow_graph=False))
    return make_list_of_op(items, allow_graph=False)


@export("contrib.graph_editor.get_forward_walk_ops")
def get_forward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], bool] | None = None,
    stop_at_ts: Any = (),
    control_outputs: Any = None,
) -> list[Operation]:
    """The operations that depend on the seeds, nearest first.

    Args:
      seed_ops: operations, or tensors: then the operations that take them.
      inclusive: with the seeds.
      within_ops: the only operations to walk over.
      within_ops_fn: a function that is true of those to walk over.
      stop_at_ts: tensors at which the walk ends.
      control_outputs: a ControlOutputs, to follow these too.
    """
    _, control_outputs = check_cios(False, control_outputs)
    stops = set(make_list_of_t(stop_at_ts))

    def following(op: Operation) -> Iterable[Operation]:
        for t in op.outputs:
            if t not in stops:
                yield from t.consumers()
        if control_outputs is not None:
            yield from control_outputs.get(op)

    seeds = _seeds(seed_ops, util.get_consuming_ops)
    return _walk(seeds, following, inclusive, within_ops, within_ops_fn)


@export("contrib.graph_editor.get_backward_walk_ops")
def get_backward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], bool] | None = None,
    stop_at_ts: Any = (),
    control_inputs: bool = False,
) -> list[Operation]:
    """The operations that the seeds depend on, nearest first; arguments as for the other way.

    Tensors as seeds mean the operations that make them.
    """
    stops = set(make_list_of_t(stop_at_ts))

    def following(op: Operation) -> Iterable[Operation]:
        yield from (t.op for t in op.inputs if t not in stops)
        if control_inputs:
            yield from op.control_inputs

    seeds = _seeds(seed_ops, util.get_generating_ops)
    return _walk(seeds, following, inclusive, within_ops, within_ops_fn)


def _both_ways(
    forward_seeds: Any, backward_seeds: Any, inclusive: tuple[bool, bool], *rest: Any
) -> tuple[list[Operation], list[Operation]]:
    within_ops, within_ops_fn, control_inputs, control_outputs, control_ios = rest
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    ahead = get_forward_walk_ops(
        forward_seeds, inclusive[0], within_ops, within_ops_fn, control_outputs=control_outputs
    )
    behind = get_backward_walk_ops(
        backward_seeds, inclusive[1], within_ops, within_ops_fn, control_inputs=control_inputs
    )
    return ahead, behind


@export("contrib.graph_editor.get_walks_intersection_ops")
def get_walks_intersection_ops(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool = True,
    backward_inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], bool] | None = None,
    control_inputs: bool = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations on the ways from the first seeds to the second ones."""
    rest = (within_ops, within_ops_fn, control_inputs, control_outputs, control_ios)
    inclusive = (forward_inclusive, backward_inclusive)
    ahead, behind = _both_ways(forward_seed_ops, backward_seed_ops, inclusive, *rest)
    members = set(behind)
    return [op for op in ahead if op in members]


@export("contrib.graph_editor.get_walks_union_ops")
def get_walks_union_ops(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool = True,
    backward_inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], bool] | None = None,
    control_inputs: bool = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """The operations that depend on the first seeds or that the second ones depend on."""
    rest = (within_ops, within_ops_fn, control_inputs, control_outputs, control_ios)
    inclusive = (forward_inclusive, backward_inclusive)
    return add_new(*_both_ways(forward_seed_ops, backward_seed_ops, inclusive, *rest))


def _selected(
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    restrict: str,
    marks: tuple[str, str],
    by_regex: Callable[[Any, Any], list[Any]],
    listed: Callable[[Any], list[Any]],
) -> list[Any]:
    """What `arguments` name; `marks` are the comments of patterns for the others and for these."""
    known = {"graph", "positive_filter", "restrict_ops_regex", "restrict_ts_regex"}
    for keyword in options:
        if keyword not in known:
            raise ValueError(f"Wrong keywords argument: {keyword}.")
    graph, wanted = options.get("graph"), options.get("positive_filter")
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"Expected a tf.Graph, got: {type(graph)}")
    found: list[Any] = []
    for argument in arguments:
        if can_be_regex(argument):
            if graph is None:
                raise ValueError("Use the keyword argument 'graph' to use regex.")
            pattern = make_regex(argument)
            text = pattern.pattern
            if text.startswith(marks[0]) or (
                options.get(restrict) and not text.startswith(marks[1])
            ):
                continue
            items = by_regex(graph, pattern)
        else:
            items = listed(argument)
        add_new(found, (item for item in items if wanted is None or wanted(item)))
    return found


@export("contrib.graph_editor.select_ops")
def select_ops(*args: Any, **kwargs: Any) -> list[Operation]:
    """Operations by themselves, in lists, or by regular expressions of their names.

    Args:
      *args: patterns that begin with ``(?#ts)`` are for tensors and leave operations out.
      **kwargs: `graph`, where to look for names; `positive_filter`, true of those to take;
        `restrict_ops_regex`, only patterns that begin with ``(?#ops)`` count.

    Raises:
      ValueError: for another keyword, or a pattern without a graph.
    """
    return _selected(
        args,
        kwargs,
        "restrict_ops_regex",
        ("(?#ts)", "(?#ops)"),
        filter_ops_from_regex,
        lambda given: make_list_of_op(given, ignore_ts=True),
    )


@export("contrib.graph_editor.select_ts")
def select_ts(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Tensors by themselves, in lists, or by regular expressions; see `select_ops`."""
    return _selected(
        args,
        kwargs,
        "restrict_ts_regex",
        ("(?#ops)", "(?#ts)"),
        filter_ts_from_regex,
        lambda given: make_list_of_t(given, ignore_ops=True),
    )


@export("contrib.graph_editor.select_ops_and_ts")
def select_ops_and_ts(*args: Any, **kwargs: Any) -> tuple[list[Operation], list[Tensor]]:
    """Operations and tensors; a pattern means tensors when it begins with ``(?#ts)``."""
    return (
        select_ops(*args, restrict_ops_regex=False, **kwargs),
        select_ts(*args, restrict_ts_regex=True, **kwargs),
    )
