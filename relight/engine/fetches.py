"""What `Session.run` may be asked for: nested structures of graph elements."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.composite import (
    IndexedSlices,
    IndexedSlicesValue,
    SparseTensor,
    SparseTensorValue,
)
from relight.graph.node import Operation, Tensor

Rebuild = Callable[[list[Any]], Any]
_expansions: list[tuple[type, Callable, Callable, Callable]] = []


def register_expansion(
    kind: type, fetch: Callable, feed: Any = None, feed_only: Any = None
) -> None:
    """Teach sessions a type: `fetch(value) -> (tensors, rebuild)`, `feed(key, value) -> pairs`."""
    _expansions.insert(0, (kind, fetch, feed, feed_only))


def expansion(value: Any) -> Any:
    """The registered expansion of a value's type, or None."""
    for entry in _expansions:
        if isinstance(value, entry[0]):
            return entry
    return None


def key(fetches: Any) -> Any:
    """A hashable key that is equal for equal structures of the same elements."""
    kind = type(fetches)
    if kind is Tensor or kind is Operation:
        return fetches
    if kind is list or kind is tuple:
        return (kind, *[key(f) for f in fetches])
    if isinstance(fetches, dict):
        return (kind, tuple(fetches), *[key(f) for f in fetches.values()])
    if isinstance(fetches, tuple):
        return (kind, *[key(f) for f in fetches])
    if isinstance(fetches, list):
        return (list, *[key(f) for f in fetches])
    return fetches


def flat_feeds(feed_dict: Any) -> Iterator[tuple[Any, Any]]:
    """The items of a feed dictionary; a key that is a tuple goes with its value leaf by leaf.

    An LSTM's state (c, h) may be fed as one pair of arrays, for instance.

    Raises:
      ValueError: when a key and its value differ in length, or a leaf comes twice.
    """
    if not any(isinstance(key, tuple) for key in feed_dict):
        yield from feed_dict.items()
        return
    seen = set()
    for key, value in feed_dict.items():
        keys, values = ([key], [value])
        if isinstance(key, tuple):
            keys, values = list(_leaves(key)), list(_leaves(value))
        if len(keys) != len(values):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(keys)} elements, but value had "
                f"{len(values)} elements. Key: {keys}, value: {values}."
            )
        for one, leaf in zip(keys, values, strict=True):
            if one in seen:
                raise ValueError(f"Could not flatten dictionary: key {one} is not unique.")
            seen.add(one)
            yield one, leaf


def _leaves(structure: Any) -> Iterator[Any]:
    """Leaves of nested lists, tuples and mappings, these by their sorted keys."""
    if isinstance(structure, collections.abc.Mapping):
        structure = [structure[key] for key in sorted(structure)]
    elif not isinstance(structure, (list, tuple)):
        yield structure
        return
    for part in structure:
        yield from _leaves(part)


class Fetches:
    """Flat elements of a nested structure, and how to put their values together again.

    `elements` are distinct Tensors and Operations; `build(values)` takes a dict by element.
    """

    def __init__(self, graph: Any, structure: Any):
        self.graph = graph
        self.elements: list[Any] = []
        self._places: dict[Any, int] = {}
        self.build = self._node(structure)
        self.tensors = [e for e in self.elements if isinstance(e, Tensor)]
        self.places = [i for i, e in enumerate(self.elements) if isinstance(e, Tensor)]

    def _element(self, fetch: Any, original: Any) -> int:
        try:
            element = self.graph.as_graph_element(fetch, allow_tensor=True, allow_operation=True)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {original!r} has invalid type {type(original)}, must be a string "
                f"or Tensor. ({error})"
            ) from None
        except (ValueError, KeyError) as error:
            text = error.args[0] if error.args else error
            raise ValueError(
                f"Fetch argument {original!r} cannot be interpreted as a Tensor. ({text})"
            ) from None
        if not self.graph.is_fetchable(element):
            raise ValueError(f"{original!r} may not be fetched.")
        place = self._places.get(element)
        if place is None:
            place = self._places[element] = len(self.elements)
            self.elements.append(element)
        return place

    def _node(self, fetch: Any) -> Rebuild:
        if fetch is None:
            raise TypeError(f"Fetch argument {fetch!r} has invalid type {type(fetch)}")
        if isinstance(fetch, (list, tuple)):
            parts = [self._node(f) for f in fetch]
            if hasattr(fetch, "_fields"):
                return lambda values: type(fetch)(*[p(values) for p in parts])
            kind = list if isinstance(fetch, list) else type(fetch)
            return lambda values: kind([p(values) for p in parts])
        if isinstance(fetch, collections.abc.Mapping):
            items = [(k, self._node(v)) for k, v in fetch.items()]
            make: Any = type(fetch)
            if make is dict:
                return lambda values: {k: p(values) for k, p in items}
            return lambda values: make((k, p(values)) for k, p in items)
        attrs = getattr(type(fetch), "__attrs_attrs__", None)
        if attrs is not None:
            parts = [self._node(getattr(fetch, a.name)) for a in attrs]
            return lambda values: type(fetch)(*[p(values) for p in parts])
        registered = expansion(fetch)
        if registered is not None:
            tensors, rebuild = registered[1](fetch)
            places = [self._element(t, fetch) for t in tensors]
            return lambda values: rebuild([values[p] for p in places])
        place = self._element(fetch, fetch)
        return lambda values: values[place]


def _indexed_slices(value: IndexedSlices) -> tuple[list[Tensor], Callable[[list[Any]], Any]]:
    tensors = [value.values, value.indices]
    if value.dense_shape is not None:
        tensors.append(value.dense_shape)
    return tensors, lambda v: IndexedSlicesValue(v[0], v[1], v[2] if len(v) > 2 else None)


register_expansion(
    SparseTensor,
    lambda s: ([s.indices, s.values, s.dense_shape], lambda v: SparseTensorValue(*v)),
    lambda key, value: list(zip([key.indices, key.values, key.dense_shape], value, strict=True)),
)
register_expansion(
    IndexedSlices,
    _indexed_slices,
    lambda key, value: list(
        zip(
            [t for t in (key.values, key.indices, key.dense_shape) if t is not None],
            value,
            strict=False,
        )
    ),
)
