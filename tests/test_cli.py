"""The command line. Programs run in processes of their own."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from bare import ROOT, python
from click.testing import CliRunner

from relight import alias
from relight.cli import check, commands
from relight.formats.bundle import BundleWriter

PROGRAM = """import sys
print(__name__, __file__, sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals())
def fail():
    raise ValueError("boom")
what = sys.argv[1] if len(sys.argv) > 1 else ""
if what == "fail":
    fail()
if what == "exit":
    sys.exit(5)
if what == "text":
    sys.exit("bye")
if what == "interrupt":
    import atexit
    atexit.register(print, "closed")
    raise KeyboardInterrupt
if what == "modules":
    print(sorted({"click", "rich", "torch", "numpy", "tensorflow"} & set(sys.modules)))
"""


def _relight(*args, cwd=None):
    return python("-c", "from relight.cli.main import main; main()", *args, cwd=cwd)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "bad.py").write_text("x = = 1\n")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "__main__.py").write_text("import sys; print(__package__, sys.argv[1:])")
    return tmp_path


def test_run_gives_the_program_its_own_world(folder):
    status, out, err = _relight("run", "prog.py", "-x", "--help", "run", cwd=folder)
    argv = ["prog.py", "-x", "--help", "run"]
    assert out == f"__main__ prog.py {argv} {folder} True\n"
    assert (status, err) == (0, "")


def test_run_loads_nothing_more(folder):
    assert _relight("run", "prog.py", "modules", cwd=folder)[1].splitlines()[1] == "[]"


def test_python_m_relight(folder):
    for args in (["prog.py", "a"], ["run", "prog.py", "a"]):
        status, out, _ = python("-m", "relight", *args, cwd=folder)
        assert status == 0 and f"['prog.py', 'a'] {folder}" in out


def test_run_traceback_is_the_programs(folder):
    status, _, err = _relight("run", "prog.py", "fail", cwd=folder)
    plain = python("prog.py", "fail", cwd=folder)[2]
    assert status == 1
    assert [line.strip() for line in err.splitlines() if "File" in line] == [
        'File "prog.py", line 7, in <module>',
        'File "prog.py", line 4, in fail',
    ]
    assert err.splitlines()[0] == plain.splitlines()[0] == "Traceback (most recent call last):"
    assert err.splitlines()[-1] == "ValueError: boom"


def test_run_exit_codes(folder):
    assert _relight("run", "prog.py", "exit", cwd=folder)[0] == 5
    assert _relight("run", "prog.py", "text", cwd=folder)[::2] == (1, "bye\n")
    status, _, err = _relight("run", "bad.py", cwd=folder)
    assert status == 1 and "SyntaxError" in err and "relight" not in err
    status, _, err = _relight("run", "nope.py", cwd=folder)
    assert (status, err) == (2, "relight: can't open file 'nope.py': No such file or directory\n")
    assert _relight("run", "--nope", "prog.py", cwd=folder)[0] == 2
    assert _relight("run", cwd=folder)[0] == 2


def test_run_interrupted(folder):
    status, out, err = _relight("run", "prog.py", "interrupt", cwd=folder)
    assert (status, err) == (130, "\nrelight: interrupted\n")
    assert out.endswith("closed\n")


def test_run_interrupted_by_a_signal_with_a_blocked_thread(folder):
    (folder / "wait.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "relight", "wait.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (130, "\nrelight: interrupted\n")
        assert time.monotonic() - start < 10
    finally:
        process.kill()


def test_run_modules_and_folders(folder):
    status, out, _ = _relight("run", "-m", "prog", "a", cwd=folder)
    assert status == 0 and f"{folder / 'prog.py'!s}" in out
    assert _relight("run", "-m", "pack", "a", cwd=folder)[1] == "pack ['a']\n"
    assert _relight("run", "pack", "a", cwd=folder)[1] == "None ['a']\n"
    status, _, err = _relight("run", "-m", "nope", cwd=folder)
    assert (status, err) == (2, "relight: no module named nope that can be run\n")


def test_names_of_a_program():
    source = """
import tensorflow as tf, os
import tensorflow.contrib.slim as slim
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.python.framework import ops as o
flags = tf.app.flags
flags.DEFINE_string('a', 'b', 'c')
def f(x):
    return slim.conv2d(tf.nn.relu(x).name, o.Graph)
os.path.join(tf.__version__)
"""
    names = check.names_used(source)
    assert names["tensorflow.nn.relu"] == [9]
    assert names["tensorflow.app.flags.DEFINE_string"] == [7]
    assert names["tensorflow.contrib.slim"] == [3]
    assert names["tensorflow.contrib.slim.conv2d"] == [9]
    assert names["tensorflow.python.framework.ops.Graph"] == [9]
    assert "tensorflow.examples.tutorials.mnist.input_data" in names
    assert not any("path" in name for name in names)


def _click(*args):
    try:
        return CliRunner().invoke(commands.cli, [str(arg) for arg in args])
    finally:
        alias.uninstall()


def test_check(tmp_path):
    good, bad, odd = tmp_path / "good.py", tmp_path / "bad.py", tmp_path / "odd.py"
    good.write_text("import tensorflow as tf\ntf.gfile.Exists('x')\ntf.Graph().as_default\n")
    bad.write_text("import tensorflow as tf\ntf.nonsense.more(1)\ntf.gfile.Exists('x')\n")
    odd.write_text("print 'python 2'\n")
    result = _click("check", good)
    assert (result.exit_code, result.output) == (0, "2 names supported, 0 missing\n")
    result = _click("check", bad, "--all")
    assert result.exit_code == 1
    assert [line.split() for line in result.output.splitlines()] == [
        ["supported", "tf.gfile.Exists", "bad.py:3"],
        ["missing", "tf.nonsense", "bad.py:2"],
        ["1", "names", "supported,", "1", "missing"],
    ]
    result = _click("check", tmp_path)
    assert result.exit_code == 2 and "odd.py: not Python 3" in result.output


def test_inspect_checkpoint(tmp_path):
    writer = BundleWriter(str(tmp_path / "model.ckpt-3"))
    writer.add("layer/kernel", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add("step", np.array(3, np.int64))
    writer.finish()
    for path in ("model.ckpt-3", "model.ckpt-3.index"):
        result = _click("inspect", tmp_path / path)
        assert result.exit_code == 0
        rows = [line.split() for line in result.output.splitlines() if "layer/kernel" in line]
        assert rows == [["│", "layer/kernel", "│", "float32", "│", "[2,", "3]", "│", "6", "│"]]
        assert "2 tensors, 7 elements" in result.output
    result = _click("inspect", tmp_path / "model.ckpt-3", "--tensor", "layer/kernel")
    assert result.output == "layer/kernel  float32  [2, 3]\n[[0. 1. 2.]\n [3. 4. 5.]]\n"
    result = _click("inspect", tmp_path / "model.ckpt-3", "--tensor", "no")
    assert result.exit_code == 1 and "the checkpoint has no tensor 'no'" in result.output
    damaged = tmp_path / "model.ckpt-3.index"
    damaged.write_bytes(damaged.read_bytes()[:-4])
    result = _click("inspect", damaged)
    assert result.exit_code == 1 and "cannot inspect" in result.output


def test_inspect_events_graphs_and_saved_models(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

    from relight.formats.protos import SavedModel
    from relight.formats.tfrecord import TFRecordWriter

    events = tmp_path / "events.out.tfevents.1.host"
    with TFRecordWriter(str(events)) as writer:
        writer.write(Event(file_version="brain.Event:2").SerializeToString())
        for step in (1, 20):
            event = Event(step=step)
            event.summary.value.add(tag="loss", simple_value=step / 4)
            writer.write(event.SerializeToString())
    output = _click("inspect", events).output
    row = [cell.strip() for cell in output.splitlines()[-3].strip("│").split("│")]
    assert row == ["loss", "simple_value", "2", "1–20", "5"]
    assert output.endswith("other events: 1 file_version\n")
    assert _click("inspect", tmp_path).output == output

    meta = MetaGraphDef()
    meta.meta_info_def.tags.append("serve")
    for name in ("a", "b"):
        meta.graph_def.node.add(name=name, op="Const")
    meta.collection_def["train_op"].node_list.value.append("a")
    signature = meta.signature_def["default"]
    signature.method_name = "m"
    signature.inputs["x"].name = "a:0"
    signature.inputs["x"].dtype = 1
    signature.inputs["x"].tensor_shape.dim.add(size=-1)
    (tmp_path / "g.pb").write_bytes(meta.graph_def.SerializeToString())
    (tmp_path / "g.meta").write_bytes(meta.SerializeToString())
    model = SavedModel(saved_model_schema_version=1)
    model.meta_graphs.add().CopyFrom(meta)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(model.SerializeToString())
    output = _click("inspect", tmp_path / "g.pb").output
    assert "│ Const │     2 │ a " in output and "2 nodes, 0 functions" in output
    assert "│ train_op   │ node_list │     1 │" in _click("inspect", tmp_path / "g.meta").output
    output = _click("inspect", tmp_path / "saved").output
    assert "tagged [serve]" in output
    assert "│ default   │ m      │ input     │ x   │ a:0    │ float32 │ [None] │" in output


def test_inspect_what_is_not_there(tmp_path):
    result = _click("inspect", tmp_path / "nothing")
    assert result.exit_code == 1 and "relight: cannot inspect" in result.output


def test_help_and_version():
    for command in ("run", "check", "inspect", "board"):
        assert command in _click("--help").output
    assert _click("--version").output == "relight, version 0.1.0\n"
    assert "PROGRAM [ARG...]" in _click("run", "--help").output


@pytest.mark.slow
def test_board_starts_tensorboard(monkeypatch):
    from tensorboard import main

    seen = []
    monkeypatch.setattr(main, "run_main", lambda: seen.append(sys.argv))
    monkeypatch.setattr(sys, "argv", [])
    assert _click("board", "logs", "--port", "7", "--bind_all").exit_code == 0
    assert seen == [["tensorboard", "--logdir", "logs", "--port", "7", "--bind_all"]]
