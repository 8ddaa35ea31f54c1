"""The tool that reads the names of TensorFlow that programs use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent / "tools"

import api
import program_names


def _used(source: str) -> list[str]:
    return sorted(program_names.used(source, api.public))


def test_names_are_cut_where_tensorflow_ends():
    source = """
import tensorflow as tf
import numpy as np
saver = tf.train.Saver().save
x = tf.nn.relu(tf.zeros([2], tf.float32.as_numpy_dtype)) + np.zeros(3)
tf.compat.v1.nn.softmax(x)
"""
    assert _used(source) == ["float32", "nn.relu", "nn.softmax", "train.Saver", "zeros"]


def test_imports_of_parts():
    source = """
import tensorflow
import tensorflow.compat.v1 as old
import tensorflow.contrib.slim as slim
from tensorflow.contrib import rnn as cells
from tensorflow import flags, nothing_of_that_name
from . import tensorflow_like
tensorflow.constant(1); old.Session(); slim.conv2d; cells.BasicLSTMCell(3); flags.DEFINE_string
"""
    assert _used(source) == [
        "Session", "constant", "contrib.rnn.BasicLSTMCell", "contrib.slim.conv2d",
        "flags.DEFINE_string",
    ]  # fmt: skip


def test_programs_without_tensorflow_have_no_names():
    assert _used("import numpy as tf\ntf.zeros(3)") == []
    with pytest.raises(SyntaxError):
        _used("print 'Python 2'")


def test_folders(tmp_path, monkeypatch, capsys):
    (tmp_path / "part").mkdir()
    (tmp_path / "whole.py").write_text("import tensorflow as tf\ntf.Session()")
    (tmp_path / "part" / "lacks.py").write_text("import tensorflow as tf\ntf.tpu.shard")
    (tmp_path / "old.py").write_text("print 'no'")
    programs, unread = program_names.scan(tmp_path, api.public)
    assert sorted(programs) == ["part/lacks.py", "whole.py"] and unread == ["old.py"]
    monkeypatch.setattr(api, "supported", lambda name: name == "Session")
    monkeypatch.setattr(sys, "argv", ["api.py", "--programs", str(tmp_path)])
    api.main()
    printed = capsys.readouterr().out
    assert "all names of 1 exist (50.0 %)" in printed and "tf.tpu.shard" in printed
