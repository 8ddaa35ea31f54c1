"""examples/cifar10 on the sample that comes with relight: training and evaluation, one after the
other and at the same time, killed and started again."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import relight.v1 as tf
from relight.formats.bundle import BundleReader
from relight.v1.keras import data_sets

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "cifar10"
DATA = Path(data_sets.__file__).parents[2] / "data" / "cifar10"
# How long training and evaluation run beside each other in the last test.
SECONDS = float(os.environ.get("RELIGHT_BESIDE_SECONDS", "25"))


def start(program, log, **flags):
    """A program of the example in a process of its own, its output in the file `log`."""
    command = [sys.executable, "-m", "relight", "run", str(EXAMPLE / program)]
    command += [f"--{name}={value}" for name, value in {"data_dir": DATA, **flags}.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with open(log, "a") as output:
        return subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
        )


def run(program, log, **flags):
    """Run a program to its end and give its output."""
    process = start(program, log, **flags)
    assert process.wait(200) == 0, log.read_text()
    return log.read_text()


@pytest.mark.slow
def test_train_and_evaluate(tmp_path):
    small = {"train_dir": tmp_path / "train", "batch_size": 16, "threads": 4}
    train = {**small, "log_steps": 5, "shuffle_over": 50, "summary_steps": 5}
    text = run("train.py", tmp_path / "train.log", steps=10, **train)
    assert re.findall(r"step (\d+), loss = \d\.\d+ \(", text) == ["5", "10"]
    text = run("train.py", tmp_path / "again.log", steps=15, **train)
    assert "Restoring parameters from" in text and "step 15, loss" in text
    reader = tf.train.load_checkpoint(str(tmp_path / "train"))
    shapes = reader.get_variable_to_shape_map()
    averaged = [n for n in shapes if n.endswith("/ExponentialMovingAverage")]
    names = [n.removesuffix("/ExponentialMovingAverage") for n in averaged]
    assert len(names) == 10
    assert sum(reader.get_tensor(n).size for n in names) == 1_068_298
    text = run(
        "evaluate.py", tmp_path / "evaluate.log", eval_dir=tmp_path / "eval", once=True,
        examples=96, **small,
    )  # fmt: skip
    assert re.search(r"step 15, precision @ 1 = 0\.\d{4}", text)
    tags = set()
    for folder in ("train", "eval"):
        for path in (tmp_path / folder).glob("events*"):
            for event in tf.train.summary_iterator(str(path)):
                tags |= {f"{folder}:{value.tag}" for value in event.summary.value}
    for wanted in (
        "train:training_input/before/image", "train:training_input/after/image",
        "train:images/image/0", "train:conv1/Relu/activations", "train:conv1/Relu/sparsity",
        "train:conv1/weights/values", "train:conv1/weights/gradients",
        "train:total_loss/raw", "train:total_loss/averaged", "train:learning_rate",
        "eval:precision @ 1",
    ):  # fmt: skip
        assert wanted in tags, sorted(tags)


def test_a_damaged_file(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for path in (DATA / folder.name).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "data_batch_2.bin").write_bytes((folder / "data_batch_2.bin").read_bytes()[:-7])
    process = start("train.py", tmp_path / "log", data_dir=tmp_path, train_dir=tmp_path / "train")
    assert process.wait(100) == 1
    text = (tmp_path / "log").read_text()
    assert re.search(
        r"data_batch_2\.bin is damaged: it has 122913 bytes, and the record at byte 119847", text
    )


def checked(folder):
    """Read every checkpoint that the state file names; how many there were."""
    state = tf.train.get_checkpoint_state(str(folder))
    count = 0
    for path in state.all_model_checkpoint_paths if state else ():
        if not os.path.exists(path + ".index"):
            continue  # removed since: there are newer ones
        try:
            with BundleReader(path) as reader:
                for name in reader.names():
                    reader.read(name)
            count += 1
        except (OSError, tf.errors.NotFoundError):
            assert not os.path.exists(path + ".index"), path
    return count


@pytest.mark.slow
def test_training_and_evaluation_at_once(tmp_path):
    """Both on one folder; each is killed now and then and goes on where it was."""
    small = {"train_dir": tmp_path / "train", "batch_size": 16, "threads": 4}
    logs = {"train.py": tmp_path / "train.log", "evaluate.py": tmp_path / "evaluate.log"}
    flags = {
        "train.py": {
            "steps": 10**6, "shuffle_over": 50, "log_steps": 50, "save_seconds": 2, **small,
        },
        "evaluate.py": {"eval_dir": tmp_path / "eval", "examples": 96, "seconds": 1, **small},
    }  # fmt: skip
    processes = {p: start(p, logs[p], **flags[p]) for p in logs}
    chance = random.Random(0)
    end = time.time() + SECONDS
    next_kill = time.time() + min(12, SECONDS / 2)
    killed = read = 0
    try:
        while time.time() < end:
            time.sleep(0.2)
            read += checked(tmp_path / "train")
            for program, process in processes.items():
                assert process.poll() is None, logs[program].read_text()[-3000:]
            if time.time() > next_kill:
                program = chance.choice(sorted(processes))
                processes[program].kill()
                processes[program].wait()
                killed += 1
                processes[program] = start(program, logs[program], **flags[program])
                next_kill = time.time() + chance.uniform(10, 25)
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
    steps = [int(s) for s in re.findall(r"step (\d+), precision", logs["evaluate.py"].read_text())]
    print(f"{killed} kills, {read} checkpoints read, {len(steps)} evaluations, steps {steps[-5:]}")
    assert killed >= 1 and read >= 3
    assert len(steps) >= 2 and steps == sorted(steps)
    for log in logs.values():
        assert "Traceback" not in log.read_text()
    restored = re.findall(r"Restoring parameters from .*-(\d+)", logs["train.py"].read_text())
    assert restored == sorted(restored, key=int)
