"""examples/cifar10 on the sample that comes with relight: training and evaluation, one after the
other and at the same time, killed and started again."""

import os
import random
import re
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
# How long training and evaluation run beside each other in the last test, at least.
SECONDS = float(os.environ.get("RELIGHT_BESIDE_SECONDS", "0"))


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


def cut_short(data):
    return data[:-7]


def label_above_9(data):
    return data[:3073] + b"\x0c" + data[3074:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage, message",
    [
        (
            cut_short,
            r"data_batch_2\.bin is damaged: it has 122913 bytes, and the record at byte 119847",
        ),
        (
            label_above_9,
            r"assertion failed: \[label above 9 in <file>:<record>\] "
            r"\[\S+data_batch_2\.bin:1\] \[12\]\n\t read from \S+data_batch_2\.bin, byte 3073\n",
        ),
    ],
)
def test_a_damaged_file(tmp_path, damage, message):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for path in (DATA / folder.name).iterdir():
        data = path.read_bytes()
        (folder / path.name).write_bytes(damage(data) if path.stem == "data_batch_2" else data)
    process = start(
        "train.py", tmp_path / "log", data_dir=tmp_path, train_dir=tmp_path / "train",
        shuffle_over=500, batch_size=8,
    )  # fmt: skip
    assert process.wait(100) == 1
    assert re.search(message, (tmp_path / "log").read_text())


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
def test_towers(tmp_path):
    text = run(
        "train_towers.py", tmp_path / "log", train_dir=tmp_path / "train", batch_size=8, steps=4,
        log_steps=2, shuffle_over=50, summary_steps=4, device="cpu", threads=2,
    )  # fmt: skip
    assert re.findall(r"step (\d+), loss = \d\.\d+ \(", text) == ["2", "4"]
    assert tf.train.latest_checkpoint(str(tmp_path / "train")).endswith("model.ckpt-4")


class Program:
    """One of the two programs, killed now and then after it has got somewhere."""

    def __init__(self, name, log, done, flags):
        self.name, self.log, self.flags = name, log, flags
        self.kills = self.seen = 0
        self._done = re.compile(done)
        self._process = start(name, log, **flags)
        self._kill_at = None

    def steps(self):
        """The steps of the log's lines about what was done."""
        return [int(s) for s in self._done.findall(self.log.read_text())]

    def look(self, chance, kill):
        """Check that it runs; `kill` it some time after it has done something since its start."""
        text = self.log.read_text()
        assert self._process.poll() is None, text[-3000:]
        if not kill:
            return
        if self._kill_at is None:
            if len(self._done.findall(text)) > self.seen:
                self._kill_at = time.time() + chance.uniform(0, 8)
        elif time.time() > self._kill_at:
            self.end()
            self.kills += 1
            self.seen, self._kill_at = len(self.steps()), None
            self._process = start(self.name, self.log, **self.flags)

    def end(self):
        """Kill it."""
        self._process.kill()
        self._process.wait()


@pytest.mark.slow
def test_training_and_evaluation_at_once(tmp_path):
    """Both on one folder; each is killed now and then and goes on where it was."""
    small = {"train_dir": tmp_path / "train", "batch_size": 16, "threads": 4}
    train = Program(
        "train.py", tmp_path / "train.log", r"Saving checkpoints for (\d+) into",
        {"steps": 10**6, "shuffle_over": 50, "log_steps": 50, "save_seconds": 2, **small},
    )  # fmt: skip
    evaluate = Program(
        "evaluate.py", tmp_path / "evaluate.log", r"step (\d+), precision",
        {"eval_dir": tmp_path / "eval", "examples": 96, "seconds": 1, **small},
    )  # fmt: skip
    programs, chance, read = [train, evaluate], random.Random(0), 0
    begin = time.time()

    def killing():  # at least once each, and until the time is over
        return time.time() - begin < SECONDS or not all(p.kills for p in programs)

    def gone_on():
        return all(len(p.steps()) > p.seen for p in programs)

    try:
        while (kill := killing()) or not gone_on():
            assert time.time() - begin < SECONDS + 200
            time.sleep(0.1)
            read += checked(tmp_path / "train")
            for program in programs:
                program.look(chance, kill and (SECONDS > 0 or not program.kills))
    finally:
        for program in programs:
            program.end()
    steps = evaluate.steps()
    print(
        f"{time.time() - begin:.0f} s: training was killed {train.kills} times, evaluation "
        f"{evaluate.kills} times; {len(train.steps())} checkpoints, read {read} times, "
        f"{len(steps)} evaluations up to step {steps[-1]}"
    )
    assert read >= 3 and len(set(steps)) >= 2
    for program in programs:
        assert "Traceback" not in program.log.read_text()
    # Both go on from the newest checkpoint; a restarted evaluation looks at it once more.
    assert steps == sorted(steps)
    restored = [
        int(s) for s in re.findall(r"Restoring parameters from .*-(\d+)", train.log.read_text())
    ]
    assert len(restored) >= train.kills and restored == sorted(restored)
