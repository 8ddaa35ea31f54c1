"""The graphs of whole programs are TensorFlow's: nodes, attrs, shapes, devices, collections."""

import os

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

import graphs
import programs
from programs import digits

import relight.v1 as tf


@pytest.fixture(scope="module")
def data():
    return digits.load(500)


@pytest.mark.parametrize("name", programs.GRAPHS)
def test_graphs_are_tensorflows(name, data):
    golden = graphs.load(name)["graphs"]
    found = graphs.program(tf, name, data)
    assert sorted(found) == sorted(golden)
    problems = []
    for key in sorted(golden):
        conditionals = graphs.CONDITIONALS.get(name, ()) if key == "train" else ()
        problems += [
            f"{key}: {line}" for line in graphs.differences(golden[key], found[key], conditionals)
        ]
    assert not problems, f"{len(problems)} differences\n" + "\n".join(problems[:12])


def test_a_difference_is_found():
    """The comparison sees a changed attr, a missing node, another order and another collection."""
    golden = graphs.load("basics")["graphs"]["counter"]
    assert graphs.differences(golden, golden) == []
    for change in (
        lambda g: g["nodes"].__setitem__(0, g["nodes"][0].replace("int32", "int64")),
        lambda g: g["nodes"].pop(),
        lambda g: g["nodes"].insert(0, g["nodes"].pop()),
        lambda g: g["collections"].pop("variables"),
    ):
        other = {k: type(v)(v) for k, v in golden.items()}
        change(other)
        assert len(graphs.differences(golden, other)) == 1


def test_goldens_are_current():
    """A graph of another source than today's was not made by these programs."""
    stale = [n for n in programs.GRAPHS if graphs.load(n)["_source"] != graphs.source_digest(n)]
    assert not stale, "run `make golden`"
