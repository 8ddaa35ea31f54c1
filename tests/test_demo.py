"""`relight demo`: what it prints, its files and its picture, after a few steps."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from relight.cli import demo, digits

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_picture_marks_wrong_digits():
    images = np.random.RandomState(0).rand(30, 784).astype(np.float32)
    labels = np.arange(30) % 10
    all_right = digits.draw(images, labels, labels, np.ones(30))
    predicted = labels.copy()
    predicted[4] = 0
    one_wrong = digits.draw(images, labels, predicted, np.ones(30))
    assert all_right.size == one_wrong.size

    def red(picture):
        pixels = np.asarray(picture).astype(int)
        return int(((pixels[..., 0] > 180) & (pixels[..., 1] < 60)).sum())

    assert red(all_right) == 0 and red(one_wrong) > 100


def test_picture_of_nothing():
    assert digits.draw(np.zeros((0, 784), np.float32), [], [], []).size[0] > 100


def test_example_is_found():
    assert demo.example_path().name == "mnist_cnn_estimator.py"


@pytest.mark.slow
def test_demo(tmp_path):
    """A shortened run, without a terminal: log lines, accuracy, checkpoint and picture."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    run = subprocess.run(
        [sys.executable, "-m", "relight", "demo", "--steps", "60", "--dir", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert "INFO:tensorflow:loss = " in run.stderr
    assert "Extracting" in run.stderr and "Extracting" not in run.stdout
    facts = dict(line.split(None, 1) for line in run.stdout.splitlines())
    assert facts["checkpoint"] == str(tmp_path / "model" / "model.ckpt-60")
    assert float(facts["accuracy"].split("%")[0]) > 80
    assert facts["TensorBoard"] == f"relight board {tmp_path / 'model'}"
    with Image.open(facts["picture"]) as picture:
        assert picture.size[0] > 1000
