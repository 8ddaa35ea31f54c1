"""TensorFlow's training graphs run here, and ours ran in TensorFlow, to the same values."""

import gzip
import os

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

import exchange
import graphs
import programs
from programs import digits

import relight.v1 as tf


@pytest.fixture(scope="module")
def data():
    return digits.load(500)


def _programs():
    for name in programs.NAMES:
        yield pytest.param(name, marks=[] if name == "softmax" else [pytest.mark.slow])


@pytest.mark.parametrize("name", list(_programs()))
def test_both_ways(name, data, tmp_path):
    recorded = exchange.load(name)
    ours = str(tmp_path / "ours")
    spec = exchange.export(tf, name, data, ours)
    found = exchange.step(tf, ours, spec)
    with open(ours + ".meta", "rb") as f:
        graph_def = tf.MetaGraphDef.FromString(f.read()).graph_def
    assert exchange.graph_digest(graph_def) == recorded["relight"]["graph"], (
        "TensorFlow ran another graph of relight's than today's: run `make golden`"
    )
    assert exchange.differences(recorded["relight"]["tensorflow"], found) == []

    theirs = tmp_path / "theirs"
    with gzip.open(os.path.join(exchange.DATA, name + ".meta.gz"), "rb") as f:
        theirs.with_suffix(".meta").write_bytes(f.read())
    assert {k: v for k, v in spec.items() if k != "feeds"} == recorded["spec"]
    assert sorted(spec["feeds"]) == recorded["feeds"]
    found = exchange.step(tf, str(theirs), spec, values=ours)  # TensorFlow's own, bit for bit
    assert exchange.differences(recorded["tensorflow"], found) == []


def test_a_difference_is_found():
    """The comparison sees a loss, and a step of one variable, that is a little off."""
    golden = exchange.load("softmax")["tensorflow"]
    assert exchange.differences(golden, golden) == []
    off = dict(golden, loss=[v * (1 + 1e-5) for v in golden["loss"]])
    assert len(exchange.differences(golden, off)) == 1
    bias = [a + 0.001 * m for a, m in zip(golden["after"]["bias"], golden["moved"]["bias"])]
    off = dict(golden, after=dict(golden["after"], bias=bias))
    assert len(exchange.differences(golden, off)) == 1


def test_recordings_are_current():
    """A recording of another source than today's was not made by these programs."""
    stale = [n for n in programs.NAMES if exchange.load(n)["_source"] != graphs.source_digest(n)]
    assert not stale, "run `make golden`"
