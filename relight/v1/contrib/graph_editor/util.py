"""Lists of operations and tensors, control outputs, placeholders."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from relight.graph.export import export
from relight.graph.graph import Graph
from relight.graph.node import Operation, Tensor
from relight.v1.functions.array import placeholder

PREFIX = "geph"


def is_iterable(value: Any) -> bool:
    """Whether `value` holds others; a tensor and a string do not."""
    return isinstance(value, collections.abc.Iterable) and not isinstance(value, (Tensor, str))


def add_new(items: list[Any], more: Iterable[Any]) -> list[Any]:
    """`items`, with those of `more` behind it that it does not hold."""
    known = set(items)
    for item in more:
        if item not in known:
            items.append(item)
            known.add(item)
    return items


def leaves_of(tree: Any) -> list[Any]:
    """The leaves of nested iterables; of a mapping those of its values."""
    if isinstance(tree, Mapping):
        return [leaf for child in tree.values() for leaf in leaves_of(child)]
    if is_iterable(tree):
        return [leaf for child in tree for leaf in leaves_of(child)]
    return [tree]


def map_leaves(tree: Any, function: Callable[[Any], Any]) -> Any:
    """The same structure with other leaves; iterables of unknown type become tuples."""
    if not is_iterable(tree):
        return function(tree)
    if isinstance(tree, Mapping):
        make: Any = type(tree)
        return make((key, map_leaves(child, function)) for key, child in tree.items())
    children = [map_leaves(child, function) for child in tree]
    if hasattr(tree, "_fields"):
        return type(tree)(*children)  # type: ignore[call-arg]
    return type(tree)(children) if isinstance(tree, Sequence) else tuple(children)


def check_graphs(*views: Any) -> None:
    """ValueError unless all `views` that have a graph have the same one."""
    graph = None
    for i, view in enumerate(views):
        if graph is None:
            graph = view.graph
        elif view.graph is not None and view.graph is not graph:
            raise ValueError(f"Argument[{i}]: Wrong graph!")


def unique_graph(elements: Any, kinds: Any = (Operation, Tensor)) -> Graph:
    """The graph of all `elements`.

    Raises:
      TypeError: when one is of none of the `kinds`.
      ValueError: when there are several graphs, or no element.
    """
    graph = None
    names = ", ".join(str(kind) for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
    for element in elements:
        if not isinstance(element, kinds):
            raise TypeError(f"Expected a type in ({names}), got: {type(element)}")
        if graph is None:
            graph = element.graph
        elif graph is not element.graph:
            raise ValueError(f"Operation {element} does not belong to given graph")
    if graph is None:
        raise ValueError("Can't find the unique graph of an empty list")
    return graph


def _listed(
    given: Any, kind: Any, everything: Callable[[Graph], list[Any]], **options: bool
) -> list[Any]:
    if isinstance(given, Graph):
        if not options["allow_graph"]:
            raise TypeError("allow_graph is False: cannot convert a tf.Graph.")
        return everything(given)
    items = list(given) if is_iterable(given) else [given]
    if items and options["check_graph"]:
        unique_graph(items, (Operation, Tensor) if options["ignore_others"] else kind)
    return [item for item in items if isinstance(item, kind)]


@export("contrib.graph_editor.make_list_of_op")
def make_list_of_op(
    ops: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ts: bool = False
) -> list[Operation]:
    """One operation, several, or all of a graph, as a list.

    Raises:
      TypeError: for anything else (tensors are left out with `ignore_ts`), and for a graph without
        `allow_graph`.
      ValueError: for operations of several graphs, with `check_graph`.
    """
    return _listed(
        ops,
        Operation,
        Graph.get_operations,
        check_graph=check_graph,
        allow_graph=allow_graph,
        ignore_others=ignore_ts,
    )


@export("contrib.graph_editor.make_list_of_t")
def make_list_of_t(
    ts: Any, check_graph: bool = True, allow_graph: bool = True, ignore_ops: bool = False
) -> list[Tensor]:
    """One tensor, several, or all of a graph, as a list; errors as for `make_list_of_op`."""
    return _listed(
        ts,
        Tensor,
        get_tensors,
        check_graph=check_graph,
        allow_graph=allow_graph,
        ignore_others=ignore_ops,
    )


@export("contrib.graph_editor.get_tensors")
def get_tensors(graph: Graph) -> list[Tensor]:
    """All outputs of a graph's operations."""
    if not isinstance(graph, Graph):
        raise TypeError(f"Expected a graph, got: {type(graph)}")
    return [t for op in graph.get_operations() for t in op.outputs]


@export("contrib.graph_editor.get_generating_ops")
def get_generating_ops(ts: Any) -> list[Operation]:
    """The operation that makes each tensor."""
    return [t.op for t in make_list_of_t(ts, allow_graph=False)]


@export("contrib.graph_editor.get_consuming_ops")
def get_consuming_ops(ts: Any) -> list[Operation]:
    """The operations that take any of the tensors, each once."""
    ops: list[Operation] = []
    for t in make_list_of_t(ts, allow_graph=False):
        add_new(ops, t.consumers())
    return ops


@export("contrib.graph_editor.ControlOutputs")
class ControlOutputs:
    """Which operations wait for an operation of `graph` without taking a value of it."""

    def __init__(self, graph: Graph) -> None:
        if not isinstance(graph, Graph):
            raise TypeError(f"Expected a tf.Graph, got: {type(graph)}")
        self._graph = graph
        self._found: dict[Operation, list[Operation]] = {}
        self._version = -1
        self.update()

    def update(self) -> ControlOutputs:
        """Looks again when operations were added to the graph."""
        if self._version != self._graph.version:
            self._found.clear()
            for op in self._graph.get_operations():
                for before in op.control_inputs:
                    add_new(self._found.setdefault(before, []), [op])
            self._version = self._graph.version
        return self

    def get_all(self) -> dict[Operation, list[Operation]]:
        """The waiting operations of every operation that has some."""
        return self._found

    def get(self, op: Operation) -> Sequence[Operation]:
        """The operations that wait for `op`."""
        return self._found.get(op, ())

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self._graph


def scope_finalize(scope: str) -> str:
    """`scope` with a slash at its end, unless it is empty."""
    return scope + "/" if scope and scope[-1] != "/" else scope


@export("contrib.graph_editor.placeholder_name")
def placeholder_name(t: Any = None, scope: str | None = None, prefix: str = PREFIX) -> str:
    """A name for the placeholder that stands for tensor `t`: "a/geph__b_0" for "a/b:0".

    Args:
      t: the tensor; None gives just the prefix.
      scope: the scope to put it into; None means that of `t`.
      prefix: what the name begins with.
    """
    if t is None:
        return scope_finalize(scope or "") + prefix
    if not isinstance(t, Tensor):
        raise TypeError(f"Expected a tf.Tenfor, got: {type(t)}")
    folder, _, name = t.op.name.rpartition("/")
    own = scope_finalize(folder) if scope is None else scope_finalize(scope)
    return own + (name if name.startswith(f"{prefix}__") else f"{prefix}__{name}_{t.value_index}")


@export("contrib.graph_editor.make_placeholder_from_tensor")
def make_placeholder_from_tensor(
    t: Tensor, scope: str | None = None, prefix: str = PREFIX
) -> Tensor:
    """A placeholder with the type and shape of `t`, named by `placeholder_name`."""
    return placeholder(t.dtype, shape=t.shape, name=placeholder_name(t, scope, prefix))


@export(
    "contrib.graph_editor.make_placeholder_from_dtype_and_shape",
    "contrib.graph_editor.ph",
)
def make_placeholder_from_dtype_and_shape(
    dtype: Any, shape: Any = None, scope: str | None = None, prefix: str = PREFIX
) -> Tensor:
    """A placeholder of this type and shape, named by `placeholder_name`."""
    return placeholder(dtype, shape=shape, name=placeholder_name(scope=scope, prefix=prefix))
