"""Taking subgraphs out of their graph and putting them in elsewhere."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.node import Tensor
from relight.v1.contrib.graph_editor import reroute, select, util
from relight.v1.contrib.graph_editor.subgraph import SubGraphView, make_view
from relight.v1.functions.array import placeholder


@export("contrib.graph_editor.detach_control_inputs")
def detach_control_inputs(sgv: Any) -> None:
    """The subgraph's operations wait no longer for operations outside."""
    view = make_view(sgv)
    for op in view.ops:
        outside = [before for before in op.control_inputs if before not in view.ops]
        reroute.remove_control_inputs(op, outside)


@export("contrib.graph_editor.detach_control_outputs")
def detach_control_outputs(sgv: Any, control_outputs: util.ControlOutputs) -> None:
    """Operations outside wait no longer for the subgraph's."""
    if not isinstance(control_outputs, util.ControlOutputs):
        raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_outputs)}")
    control_outputs.update()
    view = make_view(sgv)
    for op in view.ops:
        for after in control_outputs.get(op):
            if after not in view.ops:
                reroute.remove_control_inputs(after, op)


@export("contrib.graph_editor.detach_inputs")
def detach_inputs(sgv: Any, control_inputs: bool = False) -> tuple[SubGraphView, list[Tensor]]:
    """New placeholders take the place of a subgraph's inputs: (view, placeholders).

    With `control_inputs` its operations wait no longer for others either.
    """
    view = make_view(sgv)
    if view.graph is None:
        return view, []
    with view.graph.as_default():
        made = [placeholder(t.dtype, name=util.placeholder_name(t)) for t in view.inputs]
    reroute.swap_inputs(view, made)
    if control_inputs:
        detach_control_inputs(view)
    return view, made


@export("contrib.graph_editor.detach_outputs")
def detach_outputs(sgv: Any, control_outputs: Any = None) -> tuple[SubGraphView, list[Tensor]]:
    """Whoever took a subgraph's outputs takes new placeholders: (view, placeholders).

    With a ControlOutputs, nobody waits for its operations either.
    """
    view = make_view(sgv)
    view = view.remap_outputs([i for i, t in enumerate(view.outputs) if t.consumers()])
    if view.graph is None:
        return view, []
    takers = SubGraphView(view.consumers())
    taken = [t for t in takers.inputs if t in view.outputs]
    with view.graph.as_default():
        made = [util.make_placeholder_from_tensor(t) for t in taken]
    reroute.swap_outputs(view, made)
    if control_outputs is not None:
        detach_control_outputs(view, control_outputs)
    return view, made


@export("contrib.graph_editor.detach")
def detach(
    sgv: Any, control_inputs: bool = False, control_outputs: Any = None, control_ios: Any = None
) -> tuple[Any, list[Tensor], list[Tensor]]:
    """`detach_inputs` and `detach_outputs`: (sgv, placeholders before it, placeholders behind).

    `control_ios`, a ControlOutputs, stands for both other arguments.
    """
    control_inputs, control_outputs = select.check_cios(
        control_inputs, control_outputs, control_ios
    )
    _, before = detach_inputs(sgv, control_inputs)
    _, behind = detach_outputs(sgv, control_outputs)
    return sgv, before, behind


@export("contrib.graph_editor.connect")
def connect(
    sgv0: Any, sgv1: Any, disconnect_first: bool = False
) -> tuple[SubGraphView, SubGraphView]:
    """The outputs of the first subgraph become the inputs of the second: both views.

    With `disconnect_first` nobody else takes them any longer.
    """
    view0, view1 = make_view(sgv0), make_view(sgv1)
    util.check_graphs(view0, view1)
    if disconnect_first:
        detach_outputs(view0)
    reroute.reroute_inputs(SubGraphView(passthrough_ts=view0.outputs), view1)
    return view0, view1


@export("contrib.graph_editor.bypass")
def bypass(sgv: Any) -> tuple[SubGraphView, list[Tensor]]:
    """Whoever took a subgraph's outputs takes its inputs: (view, placeholders before it)."""
    view = make_view(sgv)
    inputs = list(view.inputs)
    view, made = detach_inputs(view)
    reroute.reroute_ts(inputs, view.outputs)
    return view, made
