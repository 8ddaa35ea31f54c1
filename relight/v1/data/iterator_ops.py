"""`tf.data.Iterator`: a place in a dataset."""

from __future__ import annotations

import warnings
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.v1.data import structure as nested

_COLLECTION = "iterators"
_MOST_CALLS = 32


def _on_host() -> Any:
    """Iterators are on the CPU unless the program says otherwise."""
    graph = get_default_graph()
    return graph.device(None if graph._device_stack else "/cpu:0")


@export("data.Iterator")
class Iterator:
    """A place in a dataset, which `get_next` moves on.

    Args:
      iterator_resource: the tensor that stands for it.
      initializer: the operation that begins it, or None.
      output_types, output_shapes, output_classes: nests that describe an element.
    """

    def __init__(
        self,
        iterator_resource: Tensor,
        initializer: Any,
        output_types: Any,
        output_shapes: Any,
        output_classes: Any,
        _structure: Any = None,
    ) -> None:
        if output_types is None or output_shapes is None or output_classes is None:
            raise ValueError(
                "If `structure` is not specified, all of `output_types`, `output_shapes`, and "
                "`output_classes` must be specified."
            )
        self._iterator_resource = iterator_resource
        self._initializer = initializer
        self._structure = _structure or nested.legacy(output_types, output_shapes, output_classes)
        self._string_handle = raw.IteratorToStringHandle(iterator_resource)
        self._calls = 0
        get_default_graph().add_to_collection(_COLLECTION, iterator_resource)

    @staticmethod
    def from_structure(
        output_types: Any,
        output_shapes: Any = None,
        shared_name: str | None = None,
        output_classes: Any = None,
    ) -> Iterator:
        """An iterator for any dataset of a structure; see `make_initializer`."""
        structure = _described(output_types, output_shapes, output_classes)
        with _on_host():
            resource = raw.IteratorV2(
                container="", shared_name=shared_name or "", **_flat(structure)
            )
        return _iterator(resource, structure)

    @staticmethod
    def from_string_handle(
        string_handle: Any, output_types: Any, output_shapes: Any = None, output_classes: Any = None
    ) -> Iterator:
        """The iterator whose `string_handle` value is fed or computed at run time."""
        structure = _described(output_types, output_shapes, output_classes)
        string_handle = convert_to_tensor(string_handle, dtype=dtypes.string)
        with _on_host():
            resource = raw.IteratorFromStringHandleV2(string_handle, **_flat(structure))
        return _iterator(resource, structure)

    @property
    def initializer(self) -> Operation:
        """The operation that begins the dataset; ValueError when there is none."""
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """The operation that begins a dataset of this iterator's structure."""
        with name_scope(name, "make_initializer") as scope:
            nested.same_structure(self.output_types, dataset.output_types)
            for what, mine, its in (
                ("classes", self.output_classes, dataset.output_classes),
                ("types", self.output_types, dataset.output_types),
            ):
                if nested.flatten(mine) != nested.flatten(its):
                    raise TypeError(
                        f"Expected output {what} {mine!r} but got dataset with output {what} "
                        f"{its!r}."
                    )
            shapes = zip(
                nested.flatten(self.output_shapes),
                nested.flatten(dataset.output_shapes),
                strict=True,
            )
            if not all(a.is_compatible_with(b) for a, b in shapes):
                raise TypeError(
                    f"Expected output shapes compatible with {self.output_shapes!r} but got "
                    f"dataset with output shapes {dataset.output_shapes!r}."
                )
        with get_default_graph().colocate_with(self._iterator_resource.op):
            return raw.MakeIterator(dataset._variant_tensor, self._iterator_resource, name=scope)

    def get_next(self, name: str | None = None) -> Any:
        """The next element as a nest of tensors. Each run moves on; call it once.

        OutOfRangeError at run time behind the last element.
        """
        self._calls += 1
        if self._calls > _MOST_CALLS:
            warnings.warn(
                "An unusually high number of `Iterator.get_next()` calls was detected. This often "
                "indicates that `Iterator.get_next()` is being called inside a training loop, "
                "which will cause gradual slowdown and eventual resource exhaustion. If this is "
                "the case, restructure your code to call `next_element = iterator.get_next()` once "
                "outside the loop, and use `next_element` as the input to some computation that is "
                "invoked inside the loop.",
                stacklevel=2,
            )
        found = raw.IteratorGetNext(self._iterator_resource, **_flat(self._structure), name=name)
        return nested.from_tensors(self._structure, found)

    def string_handle(self, name: str | None = None) -> Tensor:
        """A string tensor for `from_string_handle`."""
        if name is None:
            return self._string_handle
        return raw.IteratorToStringHandle(self._iterator_resource, name=name)

    @property
    def output_types(self) -> Any:
        """Nest of the types of an element's components."""
        return nested.types_of(self._structure)

    @property
    def output_shapes(self) -> Any:
        """Nest of their static shapes."""
        return nested.shapes_of(self._structure)

    @property
    def output_classes(self) -> Any:
        """Nest of their classes."""
        return nested.classes_of(self._structure)


def _described(types: Any, shapes: Any, classes: Any) -> Any:
    types = nested.map_structure(dtypes.as_dtype, types)
    shapes = nested.default_shapes(types, shapes)
    if classes is None:
        classes = nested.map_structure(lambda _: Tensor, types)
    return nested.legacy(types, shapes, classes)


def _flat(structure: Any) -> dict[str, Any]:
    return {
        "output_types": nested.flat_types(structure),
        "output_shapes": nested.flat_shapes(structure),
    }


def _iterator(resource: Tensor, structure: Any) -> Iterator:
    return Iterator(
        resource,
        None,
        nested.types_of(structure),
        nested.shapes_of(structure),
        nested.classes_of(structure),
        structure,
    )
