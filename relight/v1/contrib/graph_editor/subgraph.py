"""`SubGraphView`: some operations of a graph, seen as a function from tensors to tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import Graph
from relight.graph.node import Operation, Tensor
from relight.v1.contrib.graph_editor import select, util
from relight.v1.contrib.graph_editor.util import add_new


def _indices(given: Iterable[Any], tensors: list[Tensor], repetition: bool) -> list[int]:
    """Indices or tensors as indices into `tensors`, checked."""
    found = [i if isinstance(i, int) else tensors.index(i) for i in given]
    for i in found:
        if not 0 <= i < len(tensors):
            raise ValueError(f"Out of [0, {len(tensors)}[ range: {i}")
    if not repetition and len(set(found)) != len(found):
        raise ValueError(f"Found repetition in mapping: {found}")
    return found


@export("contrib.graph_editor.SubGraphView")
class SubGraphView:
    """Operations with the tensors that go in and come out.

    A view changes nothing in the graph. Its inputs and outputs can be chosen anew by the methods
    `remap…`, which return another view.

    Args:
      inside_ops: the operations.
      passthrough_ts: tensors that are inputs and outputs at once, where no operation of the view
        is connected to them.
    """

    def __init__(self, inside_ops: Any = (), passthrough_ts: Any = ()) -> None:
        ops = util.make_list_of_op(inside_ops)
        through = util.make_list_of_t(passthrough_ts)
        self._graph = util.unique_graph([*ops, *through]) if ops or through else None
        self._ops = ops
        inputs, outputs, inside = select.compute_boundary_ts(ops)
        connected = {*inputs, *outputs, *inside}
        self._passthrough_ts = [t for t in through if t not in connected]
        self._input_ts = inputs + self._passthrough_ts
        self._output_ts = outputs + self._passthrough_ts

    def copy(self) -> SubGraphView:
        """An equal view."""
        made = type(self).__new__(type(self))
        made._assign_from(self)
        return made

    __copy__ = copy

    def _assign_from(self, other: SubGraphView) -> None:
        self._graph = other._graph
        self._ops = list(other._ops)
        self._passthrough_ts = list(other._passthrough_ts)
        self._input_ts = list(other._input_ts)
        self._output_ts = list(other._output_ts)

    # -- other inputs and outputs ----------------------------------------------------------------

    def remap_default(
        self, remove_input_map: bool = True, remove_output_map: bool = True
    ) -> SubGraphView:
        """The view with all inputs, and all outputs, that its operations have."""
        made = self.copy()
        inputs, outputs, _ = select.compute_boundary_ts(self._ops)
        if remove_input_map:
            made._input_ts = inputs + self._passthrough_ts
        if remove_output_map:
            made._output_ts = outputs + self._passthrough_ts
        return made

    def remap_inputs(self, new_input_indices: Iterable[Any]) -> SubGraphView:
        """The view with some inputs, by their indices or themselves, each at most once."""
        return self.remap(new_input_indices)

    def remap_outputs(self, new_output_indices: Iterable[Any]) -> SubGraphView:
        """The view with some outputs, by their indices or themselves; they may be repeated."""
        return self.remap(None, new_output_indices)

    def remap(
        self,
        new_input_indices: Iterable[Any] | None = None,
        new_output_indices: Iterable[Any] | None = None,
    ) -> SubGraphView:
        """`remap_inputs` and `remap_outputs` at once; None leaves them.

        Raises:
          ValueError: for an index out of range, or an input twice.
        """
        made = self.copy()
        if new_input_indices is not None:
            places = _indices(new_input_indices, self._input_ts, repetition=False)
            made._input_ts = [self._input_ts[i] for i in places]
        if new_output_indices is not None:
            places = _indices(new_output_indices, self._output_ts, repetition=True)
            made._output_ts = [self._output_ts[i] for i in places]
        return made

    def remap_outputs_make_unique(self) -> SubGraphView:
        """The view with each output once."""
        made = self.copy()
        made._output_ts = add_new([], self._output_ts)
        return made

    def remap_outputs_to_consumers(self) -> SubGraphView:
        """The view with each output as often as there are operations that take it."""
        made = self.copy()
        unique = add_new([], self._output_ts)
        made._output_ts = [t for t in unique for _ in t.consumers()]
        return made

    def remove_unused_ops(self, control_inputs: bool = True) -> SubGraphView:
        """The view without operations that are connected to none of its inputs and outputs."""
        made = self.copy()
        used = set(
            select.get_walks_union_ops(
                self.connected_inputs,
                self.connected_outputs,
                within_ops=self._ops,
                control_inputs=control_inputs,
            )
        )
        made._ops = [op for op in self._ops if op in used]
        return made

    # -- what it holds ---------------------------------------------------------------------------

    @property
    def graph(self) -> Graph | None:
        """The graph; None for an empty view."""
        return self._graph

    @property
    def ops(self) -> list[Operation]:
        """The operations."""
        return self._ops

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that go in."""
        return list(self._input_ts)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that come out."""
        return list(self._output_ts)

    @property
    def passthroughs(self) -> list[Tensor]:
        """The tensors that go straight through."""
        return list(self._passthrough_ts)

    @property
    def connected_inputs(self) -> list[Tensor]:
        """The inputs that an operation of the view takes."""
        return [t for t in self._input_ts if t not in self._passthrough_ts]

    @property
    def connected_outputs(self) -> list[Tensor]:
        """The outputs that an operation of the view makes."""
        return [t for t in self._output_ts if t not in self._passthrough_ts]

    def __bool__(self) -> bool:
        return self._graph is not None

    def op(self, op_id: int) -> Operation:
        """The operation at an index."""
        return self._ops[op_id]

    def find_op_by_name(self, op_name: str) -> Operation:
        """The operation of this name. ValueError when there is none."""
        for op in self._ops:
            if op.name == op_name:
                return op
        raise ValueError(f"{op_name} not in subgraph.")

    def is_passthrough(self, t: Tensor) -> bool:
        """Whether a tensor goes straight through."""
        return t in self._passthrough_ts

    def input_index(self, t: Tensor) -> int:
        """The place of an input. ValueError for another tensor."""
        if t not in self._input_ts:
            raise ValueError(f"Can't find {t.name} in inputs of the subgraph.")
        return self._input_ts.index(t)

    def output_index(self, t: Tensor) -> int:
        """The first place of an output. ValueError for another tensor."""
        if t not in self._output_ts:
            raise ValueError(f"Can't find {t.name} in outputs of the subgraph.")
        return self._output_ts.index(t)

    def consumers(self) -> list[Operation]:
        """The operations outside that take an output, each once."""
        members = set(self._ops)
        found: list[Operation] = []
        for t in self._output_ts:
            add_new(found, (op for op in t.consumers() if op not in members))
        return found

    def __enter__(self) -> SubGraphView:
        return self

    def __exit__(self, *unused: Any) -> None:
        return None

    def __str__(self) -> str:
        if not self:
            return "SubGraphView: empty"
        lines = [f"SubGraphView (graphid={id(self._graph)}):"]
        for title, items in (
            ("ops", self._ops),
            ("inputs", self._input_ts),
            ("outputs", self._output_ts),
        ):
            lines.append(f"** {title}[{len(items)}]:" if items else f"** {title}: empty")
            lines += [f"  {i.name}" + " *" * (i in self._passthrough_ts) for i in items]
        return "\n".join(lines) + "\n"


@export("contrib.graph_editor.make_view", "contrib.graph_editor.sgv")
def make_view(*args: Any, **kwargs: Any) -> SubGraphView:
    """A view of selected operations and tensors, or a view as it is.

    Args:
      *args: what `select_ops_and_ts` takes, or one SubGraphView.
      **kwargs: `graph`, where to look for names and what the view has to belong to;
        `positive_filter` as for `select_ops`.

    Raises:
      ValueError: when the view belongs to another graph.
    """
    graph = kwargs.get("graph")
    if len(args) == 1 and isinstance(args[0], SubGraphView):
        view = args[0]
    else:
        view = SubGraphView(*select.select_ops_and_ts(*args, **kwargs))
    if graph is not None and view.graph is not None and view.graph is not graph:
        raise ValueError("Graph mismatch.")
    return view


@export("contrib.graph_editor.make_view_from_scope", "contrib.graph_editor.sgv_scope")
def make_view_from_scope(scope: str, graph: Graph) -> SubGraphView:
    """A view of the operations in a name scope."""
    return SubGraphView(select.get_name_scope_ops(graph, scope))
