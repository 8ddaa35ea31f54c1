"""`tf.contrib.staging`: areas where tensors wait between one run and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relight.graph import dtypes as dtypes_lib
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.build import convert_to_tensor, raw


@export("contrib.staging.StagingArea")
class StagingArea:
    """A buffer of tuples of tensors, first in, first out.

    Args:
      dtypes: type of each component.
      shapes: static shape of each component; unknown when None.
      names: names of the components: then `put` takes and `get` gives dictionaries.
      shared_name: areas of one name are one area.
      capacity: most tuples in it; `put` waits for room. 0: no limit.
      memory_limit: most bytes in it. 0: no limit.

    Raises:
      ValueError: lists of different lengths, or a `shared_name` that is no string.
    """

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Sequence[Any] | None = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        if shared_name is None:
            self._name = get_default_graph().unique_name(type(self).__name__)
        elif isinstance(shared_name, str):
            self._name = shared_name
        else:
            raise ValueError("shared_name must be a string")
        self._dtypes = dtypes
        if shapes is not None and len(shapes) != len(dtypes):
            raise ValueError("StagingArea shapes must be the same length as dtypes")
        if names is not None and len(names) != len(dtypes):
            raise ValueError("StagingArea names must be the same length as dtypes")
        self._shapes = (
            [TensorShape(None) for _ in dtypes] if shapes is None else [as_shape(s) for s in shapes]
        )
        self._names = names
        self._limits = {"capacity": capacity, "memory_limit": memory_limit}
        with name_scope(f"{self._name}_root"):
            self._place = raw.NoOp()

    @property
    def name(self) -> str:
        """The name of the area."""
        return self._name

    @property
    def dtypes(self) -> Sequence[Any]:
        """Type of each component."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """Static shape of each component."""
        return self._shapes

    @property
    def names(self) -> Sequence[str] | None:
        """Names of the components, if they have some."""
        return self._names

    @property
    def capacity(self) -> int:
        """Most tuples in it; 0: no limit."""
        return self._limits["capacity"]

    @property
    def memory_limit(self) -> int:
        """Most bytes in it; 0: no limit."""
        return self._limits["memory_limit"]

    def _components(self, values: Any) -> list[Tensor]:
        if isinstance(values, dict):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(values).issubset(self._names):
                raise ValueError(
                    "Keys in dictionary to put do not match names of staging area. Dictionary: "
                    f"({sorted(values)}), Queue: ({sorted(self._names)})"
                )
            pairs = [(values[n], i) for i, n in enumerate(self._names) if n in values]
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a staging area with names")
            pairs = [(v, i) for i, v in enumerate(values)]
        if len(pairs) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs '{len(pairs)}' vs '{len(self._dtypes)}'")
        tensors = []
        for value, i in pairs:
            if value.dtype != self._dtypes[i]:
                raise ValueError(f"Datatypes do not match. '{value.dtype}' != '{self._dtypes[i]}'")
            value.get_shape().assert_is_compatible_with(self._shapes[i])
            tensors.append(convert_to_tensor(value, dtype=self._dtypes[i], name=f"component_{i}"))
        return tensors

    def put(self, values: Any, name: str | None = None) -> Operation:
        """The op that puts a tensor, a list of tensors or a dictionary in; it waits for room."""
        if not isinstance(values, (list, tuple, dict)):
            values = [values]
        given = list(values.values()) if isinstance(values, dict) else values
        with name_scope(name, f"{self._name}_put", given) as scope:
            tensors = self._components(values)
            with get_default_graph().colocate_with(self._place):
                return raw.Stage(tensors, shared_name=self._name, name=scope, **self._limits)

    def _settings(self) -> dict[str, Any]:
        types = [dtypes_lib.as_dtype(d) for d in self._dtypes]
        return {"dtypes": types, "shared_name": self._name, **self._limits}

    def _given(self, outputs: Any) -> Any:
        tensors = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        here = raw.NoOp().device
        if here != self._place.device:
            tensors = [raw.Identity(t) for t in tensors]
        for tensor, shape in zip(tensors, self._shapes, strict=True):
            tensor.set_shape(shape)
        if self._names:
            return dict(zip(self._names, tensors, strict=True))
        return list(tensors)

    def get(self, name: str | None = None) -> Any:
        """Take the first tuple out, as a list of tensors (a dictionary when they have names).

        It waits for one.
        """
        with get_default_graph().colocate_with(self._place):
            outputs = raw.Unstage(name=name or f"{self._name}_get", **self._settings())
        return self._given(outputs)

    def peek(self, index: Any, name: str | None = None) -> Any:
        """The tuple at place `index`, which stays. It waits until there are so many."""
        with get_default_graph().colocate_with(self._place):
            outputs = raw.StagePeek(index, name=name or f"{self._name}_peek", **self._settings())
        return self._given(outputs)

    def size(self, name: str | None = None) -> Tensor:
        """How many tuples there are, an int32."""
        return raw.StageSize(name=name or f"{self._name}_size", **self._settings())

    def clear(self, name: str | None = None) -> Operation:
        """The op that drops all tuples."""
        return raw.StageClear(name=name or f"{self._name}_clear", **self._settings())
