"""`tf.py_func`, `tf.numpy_function`, `tf.py_function`: Python functions in the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph
from relight.graph.node import Tensor
from relight.ops import script
from relight.ops.build import add_node


def _build(
    op_type: str, func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None
) -> Any:
    """The node that calls `func`; one output for a single type, else a list (or the operation)."""
    several = isinstance(Tout, (list, tuple))
    types = [dtypes.as_dtype(t) for t in (Tout if several else [Tout])]
    token = script.register(get_default_graph(), func)
    node = add_node(op_type, [list(inp)], {"token": token, "Tout": types}, name)
    if not node.outputs:
        return node
    return list(node.outputs) if several else node.outputs[0]


@export("py_func")
def py_func(
    func: Callable[..., Any],
    inp: Sequence[Any],
    Tout: Any,
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Call `func` with the values of `inp` as numpy arrays when the graph runs.

    Args:
      func: gives arrays (or numbers, strings) of the types `Tout`, one or a list of them.
      inp: tensors.
      Tout: a type for one output, or a list of types.
      stateful: False when equal inputs always give equal outputs.
      name: name of the node.

    Returns: a tensor of unknown shape, or a list of them. No gradient goes through.
    """
    return _build("PyFunc" if stateful else "PyFuncStateless", func, inp, Tout, name)


@export("numpy_function")
def numpy_function(
    func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None = None
) -> Any:
    """`tf.py_func` for a function that is taken to be stateful."""
    return py_func(func, inp, Tout, stateful=True, name=name)


class _Value(np.ndarray):
    """An array that answers `numpy()`, as values in `tf.py_function` do."""

    def numpy(self) -> Any:
        """The plain array, or the number or bytes of a scalar."""
        plain = self.view(np.ndarray)
        return plain[()] if plain.ndim == 0 else plain


@export("py_function")
def py_function(
    func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None = None
) -> Any:
    """Call `func` with values that have a `numpy()` method when the graph runs.

    `func` may use TensorFlow's operations on them: what it gives back is then computed. (The
    intermediate results are tensors of a graph of their own and have no values.) No gradient goes
    through.
    """
    single = not isinstance(Tout, (list, tuple))
    types = [dtypes.as_dtype(t) for t in ([Tout] if single else Tout)]

    def call(*values: Any) -> Any:
        with Graph().as_default() as graph:
            given = func(*(np.asarray(v).view(_Value) for v in values))
            items = [given] if single else list(given or ())
            places = [i for i, v in enumerate(items) if isinstance(v, Tensor)]
            if places:
                from relight.engine.session import Session

                with Session(graph=graph) as session:
                    found = session.run([items[i] for i in places])
                for i, value in zip(places, found, strict=True):
                    items[i] = value
        return [
            np.asarray(v).astype(t.as_numpy_dtype) if t is not dtypes.string else v
            for v, t in zip(items, types, strict=True)
        ]

    return _build("EagerPyFunc", call, inp, Tout, name)
