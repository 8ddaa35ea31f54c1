"""Giving operations other inputs.

A tensor stays with the operation that makes it; what changes is who takes it. "a to b" means that
whoever took b takes a from then on; to swap is to do it both ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relight.graph.export import export
from relight.graph.node import Operation, Tensor
from relight.v1.contrib.graph_editor import util
from relight.v1.contrib.graph_editor.subgraph import SubGraphView, make_view


def _check_compatible(ts0: list[Tensor], ts1: list[Tensor]) -> None:
    if len(ts0) != len(ts1):
        raise ValueError(f"ts0 and ts1 have different sizes: {len(ts0)} != {len(ts1)}")
    for t0, t1 in zip(ts0, ts1, strict=True):
        if not t0.dtype.is_compatible_with(t1.dtype):
            raise ValueError(f"Dtypes {t0.dtype!r} and {t1.dtype!r} are not compatible.")
        if not t0.shape.is_compatible_with(t1.shape):
            raise ValueError(f"Shapes {t0.shape} and {t1.shape} are not compatible.")


def _replace(old: Tensor, new: Tensor, takers: Iterable[Operation]) -> int:
    changes = 0
    for op in takers:
        for i, t in enumerate(op.inputs):
            if t is old:
                op._update_input(i, new)
                changes += 1
    return changes


def _reroute(
    ts0: Any, ts1: Any, both_ways: bool, can_modify: Any = None, cannot_modify: Any = None
) -> int:
    ts0, ts1 = util.make_list_of_t(ts0), util.make_list_of_t(ts1)
    _check_compatible(ts0, ts1)
    allowed = None if can_modify is None else set(util.make_list_of_op(can_modify))
    refused = set() if cannot_modify is None else set(util.make_list_of_op(cannot_modify))

    def takers(t: Tensor) -> list[Operation]:
        ops = dict.fromkeys(t.consumers())
        return [op for op in ops if (allowed is None or op in allowed) and op not in refused]

    # Who takes what is looked up before anything changes: a tensor may be in several pairs.
    pairs = [(t0, t1, takers(t0), takers(t1)) for t0, t1 in zip(ts0, ts1, strict=True)]
    changes = 0
    for t0, t1, takers0, takers1 in pairs:
        if t0 is not t1:
            changes += _replace(t1, t0, takers1)
            if both_ways:
                changes += _replace(t0, t1, takers0)
    return changes


@export("contrib.graph_editor.swap_ts")
def swap_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """Swaps, pair by pair, who takes the tensors; see `reroute_ts`."""
    return _reroute(ts0, ts1, True, can_modify, cannot_modify)


@export("contrib.graph_editor.reroute_ts")
def reroute_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """Whoever took a tensor of `ts1` takes that of `ts0` at the same place.

    Args:
      ts0, ts1: tensors, as many of both, of compatible types and shapes.
      can_modify: the only operations that may change.
      cannot_modify: operations that may not.

    Returns:
      The number of inputs that were changed.
    """
    return _reroute(ts0, ts1, False, can_modify, cannot_modify)


def _reroute_inputs(sgv0: Any, sgv1: Any, both_ways: bool) -> tuple[SubGraphView, SubGraphView]:
    sgv0, sgv1 = make_view(sgv0), make_view(sgv1)
    util.check_graphs(sgv0, sgv1)
    changing = [*sgv0.ops, *sgv1.ops]
    changing += util.get_consuming_ops(sgv0.passthroughs)
    changing += util.get_consuming_ops(sgv1.passthroughs)
    _reroute(sgv0.inputs, sgv1.inputs, both_ways, can_modify=changing)
    before0, before1 = sgv0.copy(), sgv1.copy()
    _take_inputs(sgv1, before1, before0)
    if both_ways:
        _take_inputs(sgv0, before0, before1)
    return sgv0, sgv1


def _take_inputs(view: SubGraphView, before: SubGraphView, other: SubGraphView) -> None:
    """`view`, which was `before`, has the inputs of `other` from now on."""
    view._input_ts = list(other._input_ts)
    view._passthrough_ts = list(other._passthrough_ts)
    for i, t in enumerate(before._output_ts):
        if t in before._passthrough_ts:
            view._output_ts[i] = view._input_ts[before._input_ts.index(t)]


def _reroute_outputs(sgv0: Any, sgv1: Any, both_ways: bool) -> tuple[SubGraphView, SubGraphView]:
    sgv0, sgv1 = make_view(sgv0), make_view(sgv1)
    util.check_graphs(sgv0, sgv1)
    own = [*sgv0.ops, *sgv1.ops]
    _reroute(sgv0.outputs, sgv1.outputs, both_ways, cannot_modify=own)
    return sgv0, sgv1


@export("contrib.graph_editor.swap_inputs")
def swap_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Swaps the inputs of two subgraphs; see `reroute_inputs`."""
    return _reroute_inputs(sgv0, sgv1, True)


@export("contrib.graph_editor.reroute_inputs")
def reroute_inputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """The second subgraph takes the inputs of the first.

    Args:
      sgv0, sgv1: what `make_view` takes. Views are changed in place.

    Returns:
      Both views.
    """
    return _reroute_inputs(sgv0, sgv1, False)


@export("contrib.graph_editor.swap_outputs")
def swap_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Swaps who takes the outputs of two subgraphs; see `reroute_outputs`."""
    return _reroute_outputs(sgv0, sgv1, True)


@export("contrib.graph_editor.reroute_outputs")
def reroute_outputs(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """Whoever took outputs of the second subgraph takes those of the first; returns both views."""
    return _reroute_outputs(sgv0, sgv1, False)


@export("contrib.graph_editor.swap_ios")
def swap_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`swap_outputs`, then `swap_inputs`."""
    sgv0, sgv1 = _reroute_outputs(sgv0, sgv1, True)
    return _reroute_inputs(sgv0, sgv1, True)


@export("contrib.graph_editor.reroute_ios")
def reroute_ios(sgv0: Any, sgv1: Any) -> tuple[SubGraphView, SubGraphView]:
    """`reroute_outputs`, then `reroute_inputs`."""
    sgv0, sgv1 = _reroute_outputs(sgv0, sgv1, False)
    return _reroute_inputs(sgv0, sgv1, False)


def _check_op(op: Any) -> None:
    if not isinstance(op, Operation):
        raise TypeError(f"Expected a tf.Operation, got: {type(op)}")


@export("contrib.graph_editor.remove_control_inputs")
def remove_control_inputs(op: Operation, cops: Any) -> None:
    """`op` waits no longer for the operations `cops`. ValueError when it did not."""
    _check_op(op)
    gone = util.make_list_of_op(cops, allow_graph=False)
    for before in gone:
        if before not in op.control_inputs:
            raise ValueError(f"{op.name} is not a control_input of {before.name}")
    kept = [before for before in op.control_inputs if before not in gone]
    op._remove_all_control_inputs()
    op._add_control_inputs(kept)


@export("contrib.graph_editor.add_control_inputs")
def add_control_inputs(op: Operation, cops: Any) -> None:
    """`op` waits for the operations `cops` too. ValueError when it does already."""
    _check_op(op)
    more = util.make_list_of_op(cops, allow_graph=False)
    for before in more:
        if before in op.control_inputs:
            raise ValueError(f"{before.name} is already a control_input of {op.name}")
    op._add_control_inputs(more)
