"""Old control flow: graphs that TensorFlow 1.15 wrote, run here, give what it computed."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any

import numpy as np
import pytest

import relight.v1 as tf
from relight.engine import flow, plan

DATA = pathlib.Path(__file__).parent / "data" / "flow"
RUNS = json.loads((DATA / "runs.json").read_text())


def load(name: str) -> Any:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(gzip.decompress((DATA / f"{name}.pb.gz").read_bytes()))
    return graph_def


def array(told: Any) -> Any:
    items = told["items"]
    if told["dtype"] in ("string", "object"):
        filled = np.empty(len(items), np.object_)
        filled[:] = [i.encode("latin-1") for i in items]
        return filled.reshape(told["shape"])
    return np.array(items, told["dtype"]).reshape(told["shape"])


@pytest.mark.parametrize("name", sorted(RUNS))
def test_loaded_graph_computes_what_tensorflow_does(name: str) -> None:
    with tf.Graph().as_default():
        tf.import_graph_def(load(name), name="")
        with tf.Session() as session:
            session.run("init")
            for number, told in enumerate(RUNS[name]):
                feeds = {k: array(v) for k, v in told["feed"].items()}
                fetches = told["fetch"]
                if "error" in told:
                    with pytest.raises(tf.errors.OpError) as caught:
                        session.run(fetches, feeds)
                    assert type(caught.value).__name__ == told["error"][0]
                    assert caught.value.message.startswith(told["error"][1])
                    continue
                found = session.run(fetches, feeds)
                found = found if isinstance(fetches, list) else [found]
                names = fetches if isinstance(fetches, list) else [fetches]
                for label, value, wanted in zip(names, found, told["values"], strict=True):
                    if wanted is None:
                        assert value is None
                        continue
                    wanted = array(wanted)
                    value = np.asarray(value)
                    assert value.shape == wanted.shape, (number, label)
                    if wanted.dtype.kind == "f":
                        np.testing.assert_allclose(
                            value, wanted, rtol=2e-4, atol=2e-5, err_msg=f"run {number}, {label}"
                        )
                    else:
                        assert value.tolist() == wanted.tolist(), (number, label)


# -- the pass itself: nodes before, items after ----------------------------------------------------


def shown(items: list[Any]) -> list[Any]:
    """Items as nested lists of names."""
    lines: list[Any] = []
    for item in items:
        if isinstance(item, flow.Block):
            tensor, side = item.condition
            lines.append((f"{tensor.name} is {side}", shown(item.items)))
        elif isinstance(item, flow.Loop):
            lines.append((f"loop {item.name}", shown(item.items)))
        elif isinstance(item, flow.Pass):
            lines.append(f"{item.tensor.name} = {item.source.name}")
        elif isinstance(item, flow.Join):
            lines.append(f"join {item.node.name}")
        else:
            lines.append(item.name)
    return lines


def arranged(graph: Any, *fetches: str, fed: tuple[str, ...] = ()) -> flow.Arranged:
    tensors = [graph.get_tensor_by_name(f) for f in fetches]
    given = {graph.get_tensor_by_name(f) for f in fed}
    return flow.arrange(plan.prune(tensors, given), given, tensors)


@pytest.fixture
def graph() -> Any:
    with tf.Graph().as_default() as made:
        p, q = tf.placeholder(tf.bool, [], "p"), tf.placeholder(tf.bool, [], "q")
        x = tf.placeholder(tf.float32, [], "x")
        r = tf.raw_ops
        one = r.Switch(data=x, pred=p, name="one")
        two = r.Switch(data=x, pred=tf.identity(p, "p2"), name="two")
        tf.sin(one[1], "sin")
        tf.cos(one[0], "cos")
        r.Merge(
            inputs=[made.get_tensor_by_name("cos:0"), made.get_tensor_by_name("sin:0")], name="m"
        )
        tf.add(made.get_tensor_by_name("sin:0"), two[1], "crossing")
        tf.add(one[0], two[1], "never")
        inner = r.Switch(data=made.get_tensor_by_name("sin:0"), pred=q, name="inner")
        tf.exp(inner[1], "exp")
        r.Merge(inputs=[made.get_tensor_by_name("exp:0"), one[0]], name="partly")
        tf.negative(made.get_tensor_by_name("partly:0"), "negative")
        yield made


def test_branches_become_blocks_and_their_merge_has_no_condition(graph: Any) -> None:
    found = arranged(graph, "m:0")
    assert shown(found.items) == [
        "p",
        "x",
        ("p:0 is False", ["one:0 = x:0", "cos"]),
        ("p:0 is True", ["one:1 = x:0", "sin"]),
        "join m",
    ] or shown(found.items) == [
        "p",
        "x",
        ("p:0 is True", ["one:1 = x:0", "sin"]),
        ("p:0 is False", ["one:0 = x:0", "cos"]),
        "join m",
    ]
    assert not found.doubtful and not found.dead


def test_an_identity_of_a_condition_is_the_same_condition(graph: Any) -> None:
    found = arranged(graph, "crossing:0")
    (block,) = (i for i in found.items if isinstance(i, flow.Block))
    assert set(shown(block.items)) == {"one:1 = x:0", "sin", "two:1 = x:0", "crossing"}
    assert {t.op.name for t in found.doubtful} == {"crossing"}


def test_both_sides_of_a_condition_never_meet(graph: Any) -> None:
    found = arranged(graph, "never:0")
    assert {t.op.name for t in found.dead} == {"never"}
    assert "never" not in str(shown(found.items))


def test_a_merge_that_leaves_cases_out_is_a_condition_itself(graph: Any) -> None:
    items = shown(arranged(graph, "negative:0").items)
    assert items[-2:] == ["join partly", ("partly:0 is alive", ["negative"])]
    nested = next(i for i in items if i[0] == "p:0 is True")
    assert ("q:0 is True", ["inner:1 = sin:0", "exp"]) in nested[1]


def test_a_fed_tensor_is_always_alive(graph: Any) -> None:
    found = arranged(graph, "exp:0", fed=("sin:0",))
    assert shown(found.items) == ["q", ("q:0 is True", ["inner:1 = sin:0", "exp"])]


def test_a_frame_becomes_a_loop_with_its_turn_inside() -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(load("loop_by_hand"), name="")
        found = arranged(graph, "i:0", "a:0")
    (loop,) = (i for i in found.items if isinstance(i, flow.Loop))
    assert [t.name for t in loop.turning] == ["merge_i:0", "merge_a:0"]
    assert [t.name for t in loop.turns] == ["merge_a:1"]
    assert [t.name for t in loop.constants] == ["limit:0", "one:0", "two:0"]
    assert [t.name for t in loop.outputs] == ["i:0", "a:0"]
    conditions = {i.condition[1] for i in loop.items if isinstance(i, flow.Block)}
    assert conditions == {True, False}
    assert not found.doubtful


def test_gradient_of_a_loaded_condition() -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(load("while_in_cond"), name="")
        y = graph.get_tensor_by_name("cond/Merge:0")
        with pytest.raises(LookupError, match="Exit"):
            tf.gradients(y, graph.get_tensor_by_name("w:0"))
        p, x = graph.get_tensor_by_name("p:0"), tf.constant(2.0)
        r = tf.raw_ops
        s = r.Switch(data=x, pred=p)
        m = r.Merge(inputs=[tf.square(s[0]), s[1] * 3.0])[0]
        grad = tf.gradients(m, x)[0]
        with tf.Session() as session:
            assert session.run([m, grad], {p: True}) == [6.0, 3.0]
            assert session.run([m, grad], {p: False}) == [4.0, 4.0]


def test_meta_graph_keeps_what_tensorflow_wants_to_know_of_control_flow() -> None:
    meta = tf.MetaGraphDef()
    meta.ParseFromString(gzip.decompress((DATA / "cond_in_while.meta.gz").read_bytes()))
    told = RUNS["cond_in_while"][0]
    feeds = {k: array(v) for k, v in told["feed"].items()}
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(meta)
        session.run("init")
        np.testing.assert_allclose(
            session.run(told["fetch"][0], feeds), array(told["values"][0]), rtol=1e-5
        )
        again = tf.train.export_meta_graph()
    for key in ("cond_context", "while_context"):
        assert again.collection_def[key] == meta.collection_def[key]
    with tf.Graph().as_default():  # names change in a scope: nothing is kept that would be wrong
        tf.train.import_meta_graph(meta, import_scope="scope")
        assert not tf.get_collection("while_context")
