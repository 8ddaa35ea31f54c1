"""tf.nest and tf.contrib.framework.nest. Results were compared with TensorFlow 1.15."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.v1.functions import nest

P = collections.namedtuple("P", "x y")
SAME_AS_P = collections.namedtuple("P", "x y")
TREE = {"b": 1, "a": [2, (3, P(4, [5]))]}


class Attrs:
    """Has what the package attrs gives a class."""

    __attrs_attrs__ = tuple(type("A", (), {"name": n})() for n in ("b", "a"))

    def __init__(self, b, a):
        self.b, self.a = b, a


def test_flatten_and_pack():
    assert nest.flatten(TREE) == [2, 3, 4, 5, 1]
    assert nest.flatten(3) == [3] and nest.flatten(None) == [None] and nest.flatten([]) == []
    assert nest.flatten({1, 2}) == [{1, 2}] and nest.flatten("ab") == ["ab"]
    assert nest.pack_sequence_as(TREE, [1, 2, 3, 4, 5]) == {"b": 5, "a": [1, (2, P(3, [4]))]}
    assert nest.pack_sequence_as(1, [5]) == 5
    ordered = nest.pack_sequence_as(collections.OrderedDict(b=1, a=2), [1, 2])
    assert list(ordered.items()) == [("b", 2), ("a", 1)]
    default = nest.pack_sequence_as(collections.defaultdict(list, b=1), [7])
    assert default == {"b": 7} and default.default_factory is list
    made = nest.pack_sequence_as(Attrs(1, 2), [3, 4])
    assert (type(made), made.b, made.a) == (Attrs, 3, 4)
    assert nest.flatten(Attrs(1, [2])) == [1, 2]


@pytest.mark.parametrize(
    ("structure", "flat", "error", "text"),
    [
        ([1, 2, 3], [1, 2], ValueError, "Structure had 3 elements, but flat_sequence had 2"),
        ([1, [2]], [1, 2, 3], ValueError, "Structure had 2 elements, but flat_sequence had 3"),
        (1, [5, 6], ValueError, "Structure is a scalar but"),
        ([1], 5, TypeError, "flat_sequence must be a sequence"),
        ({"a": 1, 2: 3}, [1, 2], TypeError, "sortable keys"),
    ],
)
def test_pack_errors(structure, flat, error, text):
    with pytest.raises(error, match=text):
        nest.pack_sequence_as(structure, flat)


def test_is_sequence():
    yes = [[], (), {}, P(1, 2), collections.OrderedDict(), {}.keys(), {}.values(), range(3)]
    no = ["s", b"s", 1, {1}, np.ones(1), None]
    assert [nest.is_sequence(v) for v in yes + no] == [True] * len(yes) + [False] * len(no)


@pytest.mark.parametrize(
    ("one", "two", "error", "text"),
    [
        ([1, 2], [3, (4,)], ValueError, 'Substructure "type=tuple str=\\(4,\\)" is a sequence'),
        ([1, 2], (1, 2), TypeError, "has type list, while second structure .* has type tuple"),
        (P(1, 2), (1, 2), TypeError, "has type P, while"),
        ({"a": 1}, {"b": 1}, ValueError, "don't have the same set of keys"),
        ([1], [1, 2], ValueError, "don't have the same number of elements"),
        ([[1], 2], [1, [2]], ValueError, r"Entire first structure:\n\[\[\.\], \.\]\n"),
    ],
)
def test_assert_same_structure(one, two, error, text):
    with pytest.raises(error, match=text):
        nest.assert_same_structure(one, two)


def test_structures_that_are_the_same():
    nest.assert_same_structure(P(1, 2), SAME_AS_P(3, 4))
    nest.assert_same_structure({"a": 1}, collections.OrderedDict(a=2))
    nest.assert_same_structure([1, 2], (1, 2), check_types=False)
    nest.assert_same_structure({"a": 1, "b": 2}, {"a": 1, "c": 2}, check_types=False)


def test_map_structure():
    add = nest.map_structure(lambda x, y: x + y, [1, {"a": 2}], [3, {"a": 4}])
    assert add == [4, {"a": 6}]
    assert nest.map_structure(lambda x, y: x, [1], (1,), check_types=False) == [1]
    assert nest.map_structure(lambda x: x, range(3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="Must provide at least one structure"):
        nest.map_structure(len)
    with pytest.raises(TypeError, match="func must be callable, got: 3"):
        nest.map_structure(3, [1])
    with pytest.raises(ValueError, match="not: `bad`"):
        nest.map_structure(lambda x: x, [1], bad=1)


def test_paths():
    tree = {"a": [1, {"c": 5}], "b": P(1, 2)}
    texts = [("a/0", 1), ("a/1/c", 5), ("b/x", 1), ("b/y", 2)]
    assert nest.flatten_with_joined_string_paths(tree) == texts
    assert [path for path, _ in nest.flatten_with_tuple_paths(tree)] == list(
        nest.yield_flat_paths(tree)
    )
    mapped = nest.map_structure_with_paths(lambda path, leaf: path, tree)
    assert nest.flatten(mapped) == [path for path, _ in texts]
    assert nest.map_structure_with_tuple_paths(lambda path, a, b: (path, a, b), [7], [8]) == [
        ((0,), 7, 8)
    ]


def test_up_to():
    assert nest.flatten_up_to([1, [2, 3]], [[1, 2], [3, (4, 5)]]) == [[1, 2], 3, (4, 5)]
    assert nest.flatten_up_to(1, [1, 2]) == [[1, 2]]
    assert nest.map_structure_up_to([1, 2], lambda a, b: (a, b), [[1], [2]], [3, 4]) == [
        ([1], 3),
        ([2], 4),
    ]
    assert nest.flatten_up_to([1], [1, 2], check_subtrees_length=False) == [1]
    for shallow, deep, error, text in (
        ([1, 2], [1, 2, 3], ValueError, "Input structure has length 3"),
        ([1, [2]], [1, 2], TypeError, "Input has type: <class 'int'>"),
        ({"a": 1}, {"b": 2}, ValueError, r"not in the input_tree: \['a'\]"),
        ([1], (1,), TypeError, "don't have the same sequence type"),
    ):
        with pytest.raises(error, match=text):
            nest.flatten_up_to(shallow, deep)
    with pytest.raises(ValueError, match="Cannot map over no sequences"):
        nest.map_structure_up_to([1], len)


def test_traverse():
    lists = nest.get_traverse_shallow_structure(lambda s: isinstance(s, list), [1, (2, [3]), [4]])
    assert lists == [False, False, [False]]
    with pytest.raises(TypeError, match="non-bool scalar: 3"):
        nest.get_traverse_shallow_structure(lambda s: 3, [1])


def test_flatten_dict_items():
    nested = {(4, 5, (6, 8)): ("a", "b", ("c", "d")), 1: 2}
    assert nest.flatten_dict_items(nested) == {4: "a", 5: "b", 6: "c", 8: "d", 1: 2}
    with pytest.raises(ValueError, match="Key had 2 elements, but value had 1"):
        nest.flatten_dict_items({(1, 2): (3,)})
    with pytest.raises(ValueError, match="key 2 is not unique"):
        nest.flatten_dict_items({(1, 2): (1, 2), 2: 3})
    with pytest.raises(TypeError, match="input must be a dictionary"):
        nest.flatten_dict_items(3)


trees = st.recursive(
    st.integers(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.tuples(below, below)
        | st.dictionaries(st.text(max_size=2), below, max_size=3)
        | st.builds(P, below, below)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(trees)
def test_packing_undoes_flattening(tree):
    assert nest.pack_sequence_as(tree, nest.flatten(tree)) == tree
    nest.assert_same_structure(tree, nest.map_structure(str, tree))
    assert nest.flatten_up_to(tree, tree) == nest.flatten(tree)
