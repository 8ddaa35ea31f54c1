"""Every program of `examples/`, shortened: what it prints, what it reaches, the files it leaves."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

import relight.v1 as tf
from relight.formats.events import event_files, read_events

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Where the programs of this module keep the digits."""
    return tmp_path_factory.mktemp("mnist")


def run(name, *arguments, timeout=300):
    """What `relight run` prints, standard output only."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    done = subprocess.run(
        [sys.executable, "-m", "relight", "run", str(EXAMPLES / name), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern, text):
    """The number that the last match of a pattern with one group holds."""
    return float(re.findall(pattern, text, re.M)[-1])


def test_every_example_is_described_and_tested():
    programs = sorted(path.name for path in EXAMPLES.glob("*.py"))
    guide = (EXAMPLES / "README.md").read_text()
    tests = pathlib.Path(__file__).read_text()
    for name in programs:
        assert f"({name})" in guide
        assert re.search(rf'run\(\s*"{name}"', tests), f"{name} has no test"


@pytest.mark.slow
def test_basics():
    lines = run("01_basics.py").splitlines()
    assert '  not a number yet: Tensor("product:0", shape=(1, 1), dtype=float32)' in lines
    assert "  the graph holds: ['row', 'column', 'product']" in lines
    assert "  row x column = [[12.0]]" in lines
    assert "  counting: [1, 2, 3, 4]" in lines
    assert "  the other session still has 0" in lines
    assert "  product 21, parts 7 and 3" in lines
    assert "  lengths: [5.0, 10.0, 13.0]" in lines
    assert "  the longest of given lengths: 7" in lines
    assert "  x - 3 = [-2.0, -1.0]" in lines
    assert lines[-1] == (
        "  ValueError: Dimensions must be equal, but are 2 and 1 for 'MatMul' (op: 'MatMul') with "
        "input shapes: [1,2], [1,2]."
    )


@pytest.mark.slow
def test_softmax_regression(data_dir):
    text = run("02_softmax_regression.py", "--steps=300", f"--data_dir={data_dir}")
    assert [int(n) for n in re.findall(r"^step +(\d+): loss", text, re.M)] == [100, 200, 300]
    assert number(r"^test accuracy: (.*)$", text) > 0.87
    table = [[int(n) for n in line.split()] for line in text.splitlines()[-10:]]
    assert [row[0] for row in table] == list(range(10))
    assert sum(sum(row[1:]) for row in table) == 10000
    right = sum(row[1 + row[0]] for row in table) / 10000
    assert right == number(r"^test accuracy: (.*)$", text)


@pytest.mark.slow
def test_moving_averages(data_dir, tmp_path):
    text = run(
        "03_moving_averages.py",
        "--steps=1000",
        f"--data_dir={data_dir}",
        f"--model_dir={tmp_path}",
    )
    lines = re.findall(r"^step +(\d+): learning rate (\S+), validation accuracy (\S+)$", text, re.M)
    assert [line[:2] for line in lines] == [("500", "0.8000"), ("1000", "0.7920")]
    assert float(lines[-1][2]) > 0.96
    assert f"saved {tmp_path}/model.ckpt-1000\n" in text
    trained = number(r"^test accuracy: (.*)$", text)
    assert trained > 0.96
    assert trained == number(r"^after restoring: (.*)$", text)
    names = {name for name, _ in tf.train.list_variables(str(tmp_path))}
    assert {f"hidden/weights{end}" for end in ("", "/ExponentialMovingAverage")} < names


@pytest.mark.slow
def test_deep_mnist(data_dir, tmp_path):
    text = run(
        "04_deep_mnist.py",
        "--steps=110",
        "--shown=90",
        f"--data_dir={data_dir}",
        f"--logdir={tmp_path}",
    )
    assert "step 100: accuracy 0." in text or "step 100: accuracy 1." in text
    assert number(r"^test accuracy: (.*)$", text) > 0.7
    files = {path.name for path in tmp_path.iterdir()}
    assert {"labels.tsv", "sprites.png", "model.ckpt.index", "projector_config.pbtxt"} < files
    (events,) = event_files(tmp_path)
    summaries = {}
    metadata = []
    for event in read_events(events):
        metadata += [event.tagged_run_metadata.tag] * event.HasField("tagged_run_metadata")
        for value in event.summary.value:
            summaries.setdefault(value.tag, []).append(event.step)
    assert metadata == ["step 100"]
    every_ten = list(range(10, 111, 10))
    scalars = ("cross_entropy", "accuracy", "conv1/share_of_zeros", "conv2/share_of_zeros")
    images = [f"input/digits/image/{i}" for i in range(4)]
    histograms = [
        f"{layer}/histograms/{kind}"
        for layer in ("conv1", "conv2", "hidden", "output")
        for kind in ("weights", "biases")
    ]
    assert summaries == dict.fromkeys((*scalars, *images, *histograms), every_ten) | {
        "settings": [0]
    }
    trace = json.loads((tmp_path / "timeline-100.json").read_text())["traceEvents"]
    processes = {e["pid"]: e["args"]["name"] for e in trace if e["ph"] == "M"}
    ops = [e for e in trace if e["ph"] == "X"]
    assert {"Conv2D", "MaxPool", "ApplyAdam", "MatMul"} <= {e["name"] for e in ops}
    assert {processes[e["pid"]] for e in ops} == {
        "/job:localhost/replica:0/task:0/device:CPU:0 Compute"
    }
    assert all(e["dur"] > 0 and e["ts"] > 0 for e in ops)


@pytest.mark.slow
def test_feed_forward_goes_on_from_its_checkpoint(data_dir, tmp_path):
    common = (f"--data_dir={data_dir}", f"--logdir={tmp_path}")
    text = run("05_feed_forward.py", "--max_steps=1000", *common)
    assert re.findall(r"^(\w+): (\d+) of (\d+) right", text, re.M)[-1][2] == "10000"
    precisions = re.findall(r"^(training|validation|test): .* precision (\S+)$", text, re.M)
    assert [name for name, _ in precisions] == ["training", "validation", "test"]
    assert all(float(value) > 0.8 for _, value in precisions)
    again = run("05_feed_forward.py", "--max_steps=1100", *common)
    assert f"going on from {tmp_path}/model.ckpt-1000\n" in again
    assert re.findall(r"^step (\d+):", again, re.M) == ["1100"]
    assert number(r"loss (\S+)", again) < number(r"step 100: loss (\S+)", text)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert [p.split("-")[-1] for p in state.all_model_checkpoint_paths] == ["1000", "1100"]
    assert len(event_files(tmp_path)) == 2


@pytest.mark.slow
def test_feed_forward_with_fake_data(tmp_path):
    text = run("05_feed_forward.py", "--fake_data", "--max_steps=100", f"--logdir={tmp_path}")
    assert "Extracting" not in text
    assert text.count("10000 of 10000 right, precision 1.0000") == 3  # every label is 0


@pytest.mark.slow
def test_cnn_estimator(data_dir, tmp_path):
    text = run(
        "mnist_cnn_estimator.py",
        "--steps=100",
        f"--data_dir={data_dir}",
        f"--model_dir={tmp_path}",
    )
    assert number(r"'accuracy': (?:np\.float32\()?([\d.]+)", text) > 0.85
    assert "'global_step': " in text
    rows = re.findall(r"^label (\d), predicted (\d) with probability (\S+)$", text, re.M)
    assert [int(row[0]) for row in rows] == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert sum(a == b for a, b, _ in rows) >= 7
    assert tf.train.latest_checkpoint(str(tmp_path)) == f"{tmp_path}/model.ckpt-100"


@pytest.mark.slow
def test_rows_lstm(data_dir):
    text = run("mnist_rows_lstm.py", "--steps=100", f"--data_dir={data_dir}")
    assert [int(n) for n in re.findall(r"^step (\d+): loss", text, re.M)] == [100]
    assert number(r"^test accuracy: (.*)$", text) > 0.7
