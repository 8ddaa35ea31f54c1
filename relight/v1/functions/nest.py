"""Nested structures: ``tf.nest`` and ``tf.contrib.framework.nest``.

A structure is a list, tuple, namedtuple, attrs object or mapping, nested in any way; everything
else, strings and arrays included, is a leaf. Mappings count in the order of their sorted keys.
With `expand_composites`, a SparseTensor or IndexedSlices is a structure of its parts as well.
"""

from __future__ import annotations

import collections
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)
from typing import Any

from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export

__all__ = [
    "assert_same_structure",
    "assert_shallow_structure",
    "flatten",
    "flatten_dict_items",
    "flatten_up_to",
    "flatten_with_joined_string_paths",
    "flatten_with_tuple_paths",
    "flatten_with_tuple_paths_up_to",
    "get_traverse_shallow_structure",
    "is_nested",
    "is_sequence",
    "is_sequence_or_composite",
    "map_structure",
    "map_structure_up_to",
    "map_structure_with_paths",
    "map_structure_with_tuple_paths",
    "map_structure_with_tuple_paths_up_to",
    "pack_sequence_as",
    "yield_flat_paths",
]

_VIEWS = (KeysView, ValuesView, ItemsView)


class _Dot:
    """Stands for a leaf where only the structure is printed."""

    def __repr__(self) -> str:
        return "."


_DOT = _Dot()


def _is_namedtuple(value: Any) -> bool:
    fields = getattr(value, "_fields", None)
    return (
        isinstance(value, tuple)
        and isinstance(fields, tuple)
        and all(isinstance(field, str) for field in fields)
    )


def _is_attrs(value: Any) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def _is_composite(value: Any) -> bool:
    return isinstance(value, (SparseTensor, IndexedSlices))


@export("contrib.framework.nest.is_sequence")
def is_sequence(seq: Any) -> bool:
    """Whether `seq` is a structure: a sequence but no string, a mapping or its view, attrs."""
    return (
        isinstance(seq, (Sequence, Mapping, *_VIEWS)) and not isinstance(seq, (str, bytes))
    ) or _is_attrs(seq)


@export("contrib.framework.nest.is_sequence_or_composite")
def is_sequence_or_composite(seq: Any) -> bool:
    """Whether `seq` is a structure, or a value made of several tensors."""
    return is_sequence(seq) or _is_composite(seq)


@export("nest.is_nested", "contrib.framework.nest.is_nested")
def is_nested(seq: Any) -> bool:
    """Whether `seq` is a structure, the same as `is_sequence`."""
    return is_sequence(seq)


def _test(expand_composites: bool) -> Callable[[Any], bool]:
    return is_sequence_or_composite if expand_composites else is_sequence


def _sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError as error:
        raise TypeError(f"nest only supports dicts with sortable keys ({error}).") from error


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """The direct children with their keys: indices, dictionary keys or field names."""
    if isinstance(structure, Mapping):
        return [(key, structure[key]) for key in _sorted_keys(structure)]
    if _is_attrs(structure):
        names = [attribute.name for attribute in type(structure).__attrs_attrs__]
        return [(name, getattr(structure, name)) for name in names]
    if _is_namedtuple(structure):
        return [(field, getattr(structure, field)) for field in structure._fields]
    if isinstance(structure, SparseTensor):
        parts: Any = (structure.indices, structure.values, structure.dense_shape)
        return [("SparseTensor", parts)]
    if isinstance(structure, IndexedSlices):
        parts = (structure.values, structure.indices)
        if structure.dense_shape is not None:
            parts += (structure.dense_shape,)
        return [("IndexedSlices", parts)]
    return list(enumerate(structure))


def _children(structure: Any) -> list[Any]:
    return [child for _, child in _items(structure)]


def _like(instance: Any, children: list[Any]) -> Any:
    """A structure of the type of `instance` with other direct children."""
    if isinstance(instance, Mapping):
        values = dict(zip(_sorted_keys(instance), children, strict=False))
        ordered = [(key, values[key]) for key in instance]
        if type(instance) is collections.defaultdict:
            return collections.defaultdict(instance.default_factory, ordered)
        return type(instance)(ordered)  # type: ignore[call-arg]
    if isinstance(instance, (*_VIEWS, range)):
        return children
    if _is_namedtuple(instance) or _is_attrs(instance):
        return type(instance)(*children)
    if _is_composite(instance):
        return type(instance)(*children[0])
    return type(instance)(children)


@export("nest.flatten", "contrib.framework.nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """All leaves in order; ``[structure]`` for a leaf.

    Raises:
      TypeError: for a mapping whose keys cannot be sorted.
    """
    is_seq = _test(expand_composites)
    leaves: list[Any] = []

    def visit(part: Any) -> None:
        if not is_seq(part):
            leaves.append(part)
            return
        for child in _children(part):
            visit(child)

    visit(structure)
    return leaves


@export("nest.pack_sequence_as", "contrib.framework.nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The leaves `flat_sequence` in the form of `structure`: the inverse of `flatten`.

    Raises:
      TypeError: when `flat_sequence` is no sequence.
      ValueError: when it has more or fewer elements than `structure` has leaves.
    """
    is_seq = _test(expand_composites)
    if not is_seq(flat_sequence):
        raise TypeError("flat_sequence must be a sequence")
    if not is_seq(structure):
        if len(flat_sequence) != 1:
            raise ValueError(
                f"Structure is a scalar but len(flat_sequence) == {len(flat_sequence)} > 1"
            )
        return flat_sequence[0]
    count = len(flatten(structure, expand_composites))
    if count != len(flat_sequence):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} elements, but flat_sequence had "
            f"{len(flat_sequence)} elements.  Structure: {structure}, "
            f"flat_sequence: {flat_sequence}."
        )
    position = 0

    def build(part: Any) -> Any:
        nonlocal position
        if is_seq(part):
            return _like(part, [build(child) for child in _children(part)])
        position += 1
        return flat_sequence[position - 1]

    return build(structure)


def _same_namedtuples(first: Any, second: Any) -> bool:
    return type(first).__name__ == type(second).__name__ and first._fields == second._fields


def _show(value: Any) -> str:
    return f"type={type(value).__name__} str={value}"


@export("nest.assert_same_structure", "contrib.framework.nest.assert_same_structure")
def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Checks that two structures differ in nothing but their leaves.

    Args:
      check_types: compare the types of the structures and the keys of mappings too. Namedtuples of
        the same name and fields count as one type, as do all mappings and all lists.

    Raises:
      ValueError: for another nesting, other lengths or other keys.
      TypeError: for other types.
    """
    is_seq = _test(expand_composites)

    def compare(first: Any, second: Any) -> None:
        if is_seq(first) != is_seq(second):
            inner, leaf = (first, second) if is_seq(first) else (second, first)
            raise ValueError(
                f'Substructure "{_show(inner)}" is a sequence, '
                f'while substructure "{_show(leaf)}" is not'
            )
        if not is_seq(first):
            return
        if check_types:
            _compare_types(first, second)
        one, two = _children(first), _children(second)
        if len(one) != len(two):
            raise ValueError(
                "The two structures don't have the same number of elements. "
                f"First structure: {_show(first)}. Second structure: {_show(second)}"
            )
        for left, right in zip(one, two, strict=True):
            compare(left, right)

    try:
        compare(nest1, nest2)
    except (ValueError, TypeError) as error:
        dots = [map_structure(lambda _: _DOT, nest) for nest in (nest1, nest2)]
        raise type(error)(
            "The two structures don't have the same nested structure.\n\n"
            f"First structure: {_show(nest1)}\n\nSecond structure: {_show(nest2)}\n\n"
            f"More specifically: {error}\nEntire first structure:\n{dots[0]}\n"
            f"Entire second structure:\n{dots[1]}"
        ) from None


def _compare_types(first: Any, second: Any) -> None:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if set(first) != set(second):
            raise ValueError(
                "The two dictionaries don't have the same set of keys. "
                f"First structure has keys {_show(list(first))}, "
                f"while second structure has keys {_show(list(second))}"
            )
        return
    if _is_namedtuple(first) and _is_namedtuple(second):
        same = _same_namedtuples(first, second)
    else:
        same = type(first) is type(second) or (isinstance(first, list) and isinstance(second, list))
    if not same:
        raise TypeError(
            "The two structures don't have the same sequence type. "
            f"First structure {_show(first)} has type {type(first).__name__}, "
            f"while second structure {_show(second)} has type {type(second).__name__}"
        )


@export("nest.map_structure", "contrib.framework.nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """``func(x[0], x[1], ...)`` for the leaves of structures of the same form, in that form.

    Args:
      func: the function.
      *structure: the structures.
      **kwargs: `check_types` and `expand_composites` as for `assert_same_structure`.

    Raises:
      TypeError: when `func` is not callable, or the structures differ in type.
      ValueError: without a structure, for other keywords, or when the structures differ.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(
            "Only valid keyword arguments are `check_types` and `expand_composites`, not: "
            f"`{'`, `'.join(kwargs)}`"
        )
    for other in structure[1:]:
        assert_same_structure(
            structure[0], other, check_types=check_types, expand_composites=expand
        )
    columns = zip(*(flatten(one, expand) for one in structure), strict=True)
    return pack_sequence_as(structure[0], [func(*column) for column in columns], expand)


@export("contrib.framework.nest.map_structure_with_paths")
def map_structure_with_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`map_structure` with the leaf's path, like "a/0", as the function's first argument."""

    def with_text(path: tuple[Any, ...], *leaves: Any, **rest: Any) -> Any:
        return func("/".join(map(str, path)), *leaves, **rest)

    return map_structure_with_tuple_paths_up_to(structure[0], with_text, *structure, **kwargs)


@export("contrib.framework.nest.map_structure_with_tuple_paths")
def map_structure_with_tuple_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`map_structure` with the leaf's path, like ("a", 0), as the function's first argument."""
    return map_structure_with_tuple_paths_up_to(structure[0], func, *structure, **kwargs)


@export("contrib.framework.nest.flatten_dict_items")
def flatten_dict_items(dictionary: Any) -> dict[Any, Any]:
    """A dictionary whose structured keys and values are paired leaf by leaf.

    Raises:
      TypeError: when it is no dictionary.
      ValueError: when a key and its value differ in length, or a key comes twice.
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    flat: dict[Any, Any] = {}
    for key, value in dictionary.items():
        keys, values = (flatten(key), flatten(value)) if is_sequence(key) else ([key], [value])
        if len(keys) != len(values):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(keys)} elements, but value had "
                f"{len(values)} elements. Key: {keys}, value: {values}."
            )
        for one, leaf in zip(keys, values, strict=True):
            if one in flat:
                raise ValueError(f"Could not flatten dictionary: key {one} is not unique.")
            flat[one] = leaf
    return flat


@export("contrib.framework.nest.assert_shallow_structure")
def assert_shallow_structure(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> None:
    """Checks that `input_tree` is `shallow_tree` with leaves replaced by anything.

    Args:
      check_types: compare the types of the structures.
      check_subtrees_length: without it `input_tree` may have further elements.

    Raises:
      TypeError: when `input_tree` has a leaf where `shallow_tree` has none, or for other types.
      ValueError: for other lengths or keys.
    """
    if not _test(expand_composites)(shallow_tree):
        return
    if not _test(expand_composites)(input_tree):
        raise TypeError(
            "If shallow structure is a sequence, input must also be a sequence. "
            f"Input has type: {type(input_tree)}."
        )
    both_mappings = isinstance(shallow_tree, Mapping) and isinstance(input_tree, Mapping)
    both_named = _is_namedtuple(shallow_tree) and _is_namedtuple(input_tree)
    same_type = (
        isinstance(input_tree, type(shallow_tree))
        or both_mappings
        or (both_named and _same_namedtuples(shallow_tree, input_tree))
    )
    if _is_composite(shallow_tree) != _is_composite(input_tree) or (check_types and not same_type):
        raise TypeError(
            "The two structures don't have the same sequence type. Input structure has type "
            f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}."
        )
    shallow, deep = _children(shallow_tree), _children(input_tree)
    if check_subtrees_length and len(deep) != len(shallow):
        raise ValueError(
            "The two structures don't have the same sequence length. Input structure has length "
            f"{len(deep)}, while shallow structure has length {len(shallow)}."
        )
    if len(deep) < len(shallow):
        raise ValueError(
            "The input_tree has fewer elements than the shallow_tree. Input structure has length "
            f"{len(deep)}, while shallow structure has length {len(shallow)}."
        )
    if isinstance(shallow_tree, Mapping):
        absent = set(shallow_tree) - set(input_tree)
        if absent:
            raise ValueError(
                "The shallow_tree's keys are not a subset of the input_tree's keys. The "
                "shallow_tree has the following keys that are not in the input_tree: "
                f"{sorted(absent)}."
            )
    for part, whole in zip(shallow, deep, strict=False):
        assert_shallow_structure(part, whole, check_types, expand_composites, check_subtrees_length)


def _flat_up_to(
    shallow_tree: Any, input_tree: Any, is_seq: Callable[[Any], bool], path: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not is_seq(shallow_tree):
        yield path, input_tree
        return
    inputs = dict(_items(input_tree))
    for key, part in _items(shallow_tree):
        yield from _flat_up_to(part, inputs[key], is_seq, (*path, key))


@export("contrib.framework.nest.flatten_with_tuple_paths_up_to")
def flatten_with_tuple_paths_up_to(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, part of `input_tree`) for each leaf of `shallow_tree`; see `flatten_up_to`."""
    assert_shallow_structure(
        shallow_tree, input_tree, check_types, expand_composites, check_subtrees_length
    )
    return list(_flat_up_to(shallow_tree, input_tree, _test(expand_composites)))


@export("contrib.framework.nest.flatten_up_to")
def flatten_up_to(
    shallow_tree: Any,
    input_tree: Any,
    check_types: bool = True,
    expand_composites: bool = False,
    check_subtrees_length: bool = True,
) -> list[Any]:
    """The parts of `input_tree` that stand at the leaves of `shallow_tree`.

    The other arguments and the errors are those of `assert_shallow_structure`.
    """
    pairs = flatten_with_tuple_paths_up_to(
        shallow_tree, input_tree, check_types, expand_composites, check_subtrees_length
    )
    return [part for _, part in pairs]


@export("contrib.framework.nest.map_structure_up_to")
def map_structure_up_to(
    shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any
) -> Any:
    """``func(x[0], x[1], ...)`` for the parts of `inputs` at the leaves of `shallow_tree`."""
    return map_structure_with_tuple_paths_up_to(
        shallow_tree, lambda _, *parts, **rest: func(*parts, **rest), *inputs, **kwargs
    )


@export("contrib.framework.nest.map_structure_with_tuple_paths_up_to")
def map_structure_with_tuple_paths_up_to(
    shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any
) -> Any:
    """`map_structure_up_to` with the leaf's path as the function's first argument.

    Args:
      shallow_tree: the form of the result.
      func: called with the path and one part of each input.
      *inputs: structures that `shallow_tree` is the upper part of.
      **kwargs: `check_types`, `expand_composites` and `check_subtrees_length` as for
        `flatten_up_to`; the rest goes to `func`.

    Raises:
      ValueError: without inputs; further errors as for `flatten_up_to`.
    """
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    check_length = kwargs.pop("check_subtrees_length", True)
    flat = [
        flatten_with_tuple_paths_up_to(shallow_tree, one, check_types, expand, check_length)
        for one in inputs
    ]
    results = [
        func(column[0][0], *(part for _, part in column), **kwargs)
        for column in zip(*flat, strict=True)
    ]
    return pack_sequence_as(shallow_tree, results, expand)


@export("contrib.framework.nest.get_traverse_shallow_structure")
def get_traverse_shallow_structure(
    traverse_fn: Callable[[Any], Any], structure: Any, expand_composites: bool = False
) -> Any:
    """The upper part of `structure`, with bools as leaves, that `traverse_fn` says to enter.

    Args:
      traverse_fn: for a part, True or False for all its children, or a structure of depth 1 of
        bools for each of them.

    Raises:
      TypeError: when it returns anything else.
    """
    is_seq = _test(expand_composites)
    enter = traverse_fn(structure)
    if not is_seq(structure):
        if not isinstance(enter, bool):
            raise TypeError(
                f"traverse_fn returned structure: {enter} for non-structure: {structure}"
            )
        return enter
    children = _children(structure)
    if isinstance(enter, bool):
        if not enter:
            return False
        flags = [True] * len(children)
    elif is_seq(enter):
        assert_shallow_structure(enter, structure, expand_composites=expand_composites)
        flags = _children(enter)
    else:
        raise TypeError(f"traverse_fn returned a non-bool scalar: {enter} for input: {structure}")
    if not all(isinstance(flag, bool) for flag in flags):
        raise TypeError(
            "traverse_fn didn't return a depth=1 structure of bools.  "
            f"saw: {enter}  for structure: {structure}"
        )
    return _like(
        structure,
        [
            flag and get_traverse_shallow_structure(traverse_fn, child, expand_composites)
            for flag, child in zip(flags, children, strict=True)
        ],
    )


@export("contrib.framework.nest.yield_flat_paths")
def yield_flat_paths(nest: Any, expand_composites: bool = False) -> Iterator[tuple[Any, ...]]:
    """The path of every leaf, like ("a", 0), in the order of `flatten`."""
    for path, _ in _flat_up_to(nest, nest, _test(expand_composites)):
        yield path


@export("contrib.framework.nest.flatten_with_tuple_paths")
def flatten_with_tuple_paths(
    structure: Any, expand_composites: bool = False
) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) for every leaf, in the order of `flatten`."""
    return list(_flat_up_to(structure, structure, _test(expand_composites)))


@export("contrib.framework.nest.flatten_with_joined_string_paths")
def flatten_with_joined_string_paths(
    structure: Any, separator: str = "/", expand_composites: bool = False
) -> list[tuple[str, Any]]:
    """("a/0", leaf) for every leaf, in the order of `flatten`."""
    pairs = flatten_with_tuple_paths(structure, expand_composites)
    return [(separator.join(map(str, path)), leaf) for path, leaf in pairs]
