"""`relight board`: what TensorBoard serves of event files that relight wrote, asked over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.compat.proto import config_pb2, graph_pb2

import relight.v1 as tf
from relight.cli import board
from relight.v1.contrib.tensorboard.plugins import projector

ROOT = pathlib.Path(__file__).resolve().parent.parent


def write_everything(folder, metadata):
    """A log with every kind of summary, a traced run, a checkpoint and a projector's settings."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        with tf.name_scope("layer"):
            weights = tf.Variable(tf.ones([4, 3]), name="weights")
            y = tf.matmul(x, weights, name="y")
            tf.summary.histogram("values", y)
        tf.summary.scalar("total", tf.reduce_sum(y))
        tf.summary.image("picture", tf.reshape(x, [-1, 2, 2, 1]), max_outputs=1)
        tf.summary.audio("sound", tf.reshape(x, [1, -1, 1]), sample_rate=8000.0)
        tf.summary.text("words", tf.constant("**bold**"))
        vectors = tf.Variable(np.arange(6, dtype=np.float32).reshape(3, 2), name="vectors")
        merged = tf.summary.merge_all()
        session.run(tf.global_variables_initializer())
        with tf.summary.FileWriter(str(folder), session.graph) as writer:
            for step in range(3):
                options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
                values = np.full((2, 4), step / 4)
                writer.add_summary(session.run(merged, {x: values}, options, metadata), step)
            writer.add_run_metadata(metadata, "traced", 2)
            config = projector.ProjectorConfig()
            config.embeddings.add(tensor_name=vectors.name, metadata_path="names.tsv")
            projector.visualize_embeddings(writer, config)
        (folder / "names.tsv").write_text("a\nb\nc\n")
        tf.train.Saver().save(session, str(folder / "model.ckpt"))


@contextlib.contextmanager
def served(folder):
    """A function of the path below /data that gives the answer of a running board."""
    command = [sys.executable, "-m", "relight", "board", str(folder), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--load_fast=false", "--reload_interval=1"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            for line in process.stderr:
                found = re.search(r"TensorBoard \S+ at (http://\S+?)/? ", line)
                if found:
                    break
            else:
                pytest.fail("no address printed")

            def get(path, **query):
                address = f"{found[1]}/data/{path}?{urllib.parse.urlencode(query)}"
                with urllib.request.urlopen(address, timeout=30) as answer:
                    return answer.read()

            yield get
        finally:
            process.terminate()
            process.stderr.close()


def wait_for(get, path, seconds=60.0):
    """The first answer that is not empty: events are loaded while the board serves already."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = json.loads(get(path))
        if found.get("."):
            return found["."]
        time.sleep(0.2)
    pytest.fail(f"{path} stays empty")


@pytest.mark.slow
def test_board_serves_everything(tmp_path):
    metadata = tf.RunMetadata()
    write_everything(tmp_path, metadata)
    with served(tmp_path) as get:
        assert set(wait_for(get, "plugin/scalars/tags")) == {"total"}
        series = json.loads(get("plugin/scalars/scalars", run=".", tag="total"))
        assert [(step, value) for _, step, value in series] == [(0, 0.0), (1, 6.0), (2, 12.0)]
        for plugin in ("histograms", "distributions"):
            assert set(json.loads(get(f"plugin/{plugin}/tags"))["."]) == {"layer/values"}
        histograms = json.loads(get("plugin/histograms/histograms", run=".", tag="layer/values"))
        assert [sum(b[2] for b in buckets) for _, _, buckets in histograms] == [6.0] * 3
        assert set(json.loads(get("plugin/images/tags"))["."]) == {"picture/image"}
        images = json.loads(get("plugin/images/images", run=".", tag="picture/image", sample=0))
        png = get("plugin/images/individualImage", **dict(_query(images[-1]["query"])))
        assert np.asarray(Image.open(io.BytesIO(png))).tolist() == [[255, 255], [255, 255]]
        assert set(json.loads(get("plugin/audio/tags"))["."]) == {"sound/audio/0"}
        clips = json.loads(get("plugin/audio/audio", run=".", tag="sound/audio/0", sample=0))
        assert clips[-1]["contentType"] == "audio/wav"
        assert get("plugin/audio/individualAudio", **dict(_query(clips[0]["query"])))[:4] == b"RIFF"
        assert json.loads(get("plugin/text/tags"))["."] == ["words"]
        texts = json.loads(get("plugin/text/text", run=".", tag="words"))
        assert texts[0]["text"] == "<p><strong>bold</strong></p>"
        _check_graph(get, metadata)
        _check_projector(get)


def _query(text):
    return urllib.parse.parse_qsl(text)


def _check_graph(get, metadata):
    info = json.loads(get("plugin/graphs/info"))["."]
    assert info["run_graph"] and info["tags"]["traced"]["profile"]
    graph = text_format.Parse(get("plugin/graphs/graph", run="."), graph_pb2.GraphDef())
    nodes = {node.name: node for node in graph.node}
    assert nodes["layer/y"].op == "MatMul"
    shape = nodes["layer/y"].attr["_output_shapes"].list.shape[0]
    assert [d.size for d in shape.dim] == [-1, 3]
    found = text_format.Parse(
        get("plugin/graphs/run_metadata", run=".", tag="traced"), config_pb2.RunMetadata()
    )
    assert found == metadata
    assert "layer/y" in {n.node_name for n in found.step_stats.dev_stats[0].node_stats}


def _check_projector(get):
    assert json.loads(get("plugin/projector/runs")) == ["."]
    (embedding,) = json.loads(get("plugin/projector/info", run="."))["embeddings"][:1]
    assert embedding["tensorName"] == "vectors" and embedding["tensorShape"] == [3, 2]
    name = embedding["tensorName"]
    assert get("plugin/projector/metadata", run=".", name=name) == b"a\nb\nc\n"
    raw = get("plugin/projector/tensor", run=".", name=name)
    assert np.frombuffer(raw, np.float32).tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get("plugin/projector/tensor", run=".", name="nothing")


def test_projector_config_is_written_over_an_older_one(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        for name in ("an_older_name", "v"):
            config = projector.ProjectorConfig()
            config.embeddings.add(tensor_name=name)
            projector.visualize_embeddings(writer, config)
    text = (tmp_path / "projector_config.pbtxt").read_text()
    assert text == 'embeddings {\n  tensor_name: "v"\n}\n'


def test_projector_config_needs_a_folder(tmp_path):
    class Nowhere:
        def get_logdir(self):
            return None

    with pytest.raises(ValueError, match="Summary writer must have a logdir"):
        projector.visualize_embeddings(Nowhere(), projector.ProjectorConfig())
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        (tmp_path / "projector_config.pbtxt").mkdir()
        with pytest.raises(tf.errors.OpError, match="projector_config"):
            projector.visualize_embeddings(writer, projector.ProjectorConfig())


def test_newest_checkpoint_of_a_board(tmp_path, caplog):
    assert board.latest_checkpoint(str(tmp_path)) is None
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable([1.0, 2.0], name="v")
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"), 3)
    assert board.latest_checkpoint(str(tmp_path)) == path
    vectors = board.Vectors(path)
    assert vectors.get_variable_to_shape_map() == {"v": [2]}
    assert vectors.has_tensor("v") and not vectors.has_tensor("w")
    assert vectors.get_tensor("v").tolist() == [1.0, 2.0]
    (tmp_path / "model.ckpt-3.index").unlink()
    assert board.latest_checkpoint(str(tmp_path)) is None
    (tmp_path / "checkpoint").write_text("model_checkpoint_path: 7")
    assert board.latest_checkpoint(str(tmp_path)) is None
    assert "no checkpoint for the projector" in caplog.text
