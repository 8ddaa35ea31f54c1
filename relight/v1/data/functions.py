"""Python functions of dataset elements, traced into function bodies."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from relight.graph.attrs import FunctionName
from relight.graph.function import FuncGraph
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.v1.data import structure as nested

_uids = itertools.count(1)


class TracedFunction:
    """A function body: `attr` for the node that runs it, `captured` tensors, `structure` of its
    result.

    Args:
      func: takes an element (a tuple as several arguments) and gives a nest of tensors.
      transformation: what runs it, such as `Dataset.map()`, for names and messages.
      structure: specs of its argument.
    """

    def __init__(self, func: Callable[..., Any], transformation: str, structure: Any) -> None:
        name = re.sub(r"\W", "_", transformation.removesuffix("()"))
        called = getattr(func, "__name__", type(func).__name__)
        graph = FuncGraph(f"__inference_{name}_{called}_{next(_uids)}")
        outer = get_default_graph()
        with graph.as_default():
            inputs = [
                graph.add_input(dtype, shape, f"args_{i}")
                for i, (dtype, shape) in enumerate(
                    zip(nested.flat_types(structure), nested.flat_shapes(structure), strict=True)
                )
            ]
            arguments = nested.from_tensors(structure, inputs)
            result = func(*arguments) if type(arguments) is tuple else func(arguments)
            if isinstance(result, list):
                result = tuple(result)
            try:
                result = nested.normalize(result)
                self.structure = nested.spec_of(result)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"Unsupported return value from function passed to {transformation}: "
                    f"{result}. {error}"
                ) from None
            tensors: list[Tensor] = nested.to_tensors(self.structure, result)
            graph.outputs = [raw.Identity(t) for t in tensors]
        # Captured tensors are inputs behind the element's, in the order of their first use.
        self.captured = list(graph.captures)
        outer._add_function(graph)
        self.attr = FunctionName(graph.name)
