"""tf.contrib.training.HParams. Results and texts were compared with TensorFlow 1.15."""

import pytest

from relight.v1.contrib.training.hparam import HParams, parse_values


@pytest.fixture
def params():
    return HParams(a=1, b=2.5, c=True, d="s", e=[1, 2], f=["x"])


def test_values(params):
    assert str(params) == "a=1,b=2.5,c=True,d=s,e=[1, 2],f=['x']"
    assert "a" in params and "z" not in params
    parsed = params.parse("a=5,b=3,c=false,d=zz,e=[4,5 6],f=[q,r]")
    assert parsed is params
    assert params.values() == {
        "a": 5, "b": 3.0, "c": False, "d": "zz", "e": [4, 5, 6], "f": ["q", "r"],
    }  # fmt: skip
    assert isinstance(params.b, float)
    params.parse_json('{"a": 3, "e": [7]}')
    assert (params.a, params.e) == (3, [7])
    assert HParams(b=1, a=[2]).to_json(sort_keys=True) == '{"a": [2], "b": 1}'
    assert repr(HParams(b=1, a=[2])) == "HParams([('a', [2]), ('b', 1)])"
    params.del_hparam("a")
    params.del_hparam("a")
    assert "a" not in params and not hasattr(params, "a")
    assert (params.get("d", "x"), params.get("z", 9)) == ("zz", 9)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda p: p.parse("a=x"), ValueError, "parse hparam 'a' of type 'int' with value 'x' in"),
        (lambda p: p.parse("z=1"), ValueError, "Unknown hyperparameter type for z"),
        (lambda p: p.parse("e=3"), ValueError, "Must pass a list for multi-valued parameter: e."),
        (lambda p: p.parse("a=[1]"), ValueError, "Must not pass a list for single-valued"),
        (lambda p: p.parse("a=1,a=2"), ValueError, "Multiple assignments to variable 'a' in"),
        (lambda p: p.parse("a[1]=[1,2]"), ValueError, "Assignment of a list to a list index."),
        (lambda p: p.parse("="), ValueError, "Malformed hyperparameter value: ="),
        (lambda p: p.parse("c=maybe"), ValueError, "of type 'bool' with value 'maybe'"),
        (lambda p: p.parse_json('{"a": 3.5}'), ValueError, "Could not cast hparam 'a'"),
        (lambda p: p.set_hparam("a", True), ValueError, "Could not cast hparam 'a'"),
        (lambda p: p.set_hparam("d", 1), ValueError, "Could not cast hparam 'd'"),
        (lambda p: p.set_hparam("z", 1), KeyError, "z"),
        (lambda p: p.add_hparam("a", 1), ValueError, "Hyperparameter name is reserved: a"),
        (lambda p: p.add_hparam("values", 1), ValueError, "name is reserved: values"),
        (lambda p: p.add_hparam("n", []), ValueError, "Multi-valued hyperparameters cannot be"),
        (lambda p: p.get("a", "x"), ValueError, "is incompatible with default=x"),
        (lambda p: p.get("e", 1), ValueError, "of type 'list<<class 'int'>>'"),
    ],
)
def test_errors(params, call, error, text):
    with pytest.raises(error, match=text):
        call(params)


def test_parse_values():
    types = {"x": int, "l": int, "arr": int}
    assert parse_values("x=5,l=[1,2],arr[1]=3,arr[2]=4", types) == {
        "x": 5,
        "l": [1, 2],
        "arr": {1: 3, 2: 4},
    }
    assert parse_values("x=5,y=3", types, ignore_unknown=True) == {"x": 5}
    with pytest.raises(ValueError, match=r"variable 'arr\[1\]' in"):
        parse_values("arr[1]=3,arr[1]=4", types)
    with pytest.raises(ValueError, match="variable 'arr' in"):
        parse_values("arr=[1],arr[1]=4", types)
