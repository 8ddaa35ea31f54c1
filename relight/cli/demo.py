"""``relight demo``: trains the digits example, shows how it goes, and draws what it learned."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import relight
from relight.cli import digits

EXAMPLE = "mnist_cnn_estimator.py"


def example_path() -> Path:
    """Where the example is: inside the installed package, or in the repository.

    Raises FileNotFoundError, with the places that were looked at, when it is in neither.
    """
    package = Path(relight.__file__).resolve().parent
    places = [package / "examples" / EXAMPLE, package.parent / "examples" / EXAMPLE]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"{EXAMPLE} is in none of {', '.join(str(p.parent) for p in places)}")


def _load_example() -> Any:
    relight.install()
    spec = importlib.util.spec_from_file_location("mnist_cnn_estimator", example_path())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def demo(steps: int, folder: str | None = None) -> int:
    """Train `steps` batches into `folder` (a new one when None), evaluate, predict and draw.

    On a terminal there is a progress bar, elsewhere TensorFlow's log lines. Returns the exit code.
    """
    start = time.monotonic()
    folder = os.path.abspath(folder or tempfile.mkdtemp(prefix="relight-demo-"))
    example = _load_example()
    import tensorflow as tf
    from tensorflow.examples.tutorials.mnist import input_data

    terminal = sys.stderr.isatty()
    tf.logging.set_verbosity(tf.logging.WARN if terminal else tf.logging.INFO)
    with contextlib.redirect_stdout(sys.stderr):
        mnist = input_data.read_data_sets(os.path.join(folder, "data"))
    classifier = example.make_classifier(os.path.join(folder, "model"))
    with _progress(tf, steps) if terminal else contextlib.nullcontext([]) as hooks:
        example.train(classifier, mnist.train, steps, hooks=hooks)
    results = example.evaluate(classifier, mnist.test)
    found = list(example.predict(classifier, mnist.test.images))
    picture = os.path.join(folder, "digits.png")
    digits.draw(
        mnist.test.images,
        mnist.test.labels,
        [int(p["classes"]) for p in found],
        [float(p["probabilities"].max()) for p in found],
    ).save(picture)
    _report(results, classifier, picture, folder, time.monotonic() - start)
    return 0


def _report(results: Any, classifier: Any, picture: str, folder: str, seconds: float) -> None:
    wrong = round((1 - float(results["accuracy"])) * 10000)
    lines = {
        "accuracy": f"{float(results['accuracy']):.2%} of 10,000 test digits ({wrong} wrong), "
        f"after {results['global_step']} steps",
        "checkpoint": classifier.latest_checkpoint(),
        "picture": picture,
        "TensorBoard": f"relight board {os.path.join(folder, 'model')}",
        "time": f"{seconds:.0f} s",
    }
    width = max(map(len, lines))
    print("\n".join(f"{name:>{width}}  {text}" for name, text in lines.items()))


@contextlib.contextmanager
def _progress(tf: Any, steps: int) -> Iterator[Sequence[Any]]:
    """Hooks that draw a bar with loss, steps a second and the time that is left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("{task.fields[speed]} steps/s"),
        TimeRemainingColumn(),
    )

    class ShowProgress(tf.train.SessionRunHook):
        """Moves the bar after each step."""

        def begin(self) -> None:
            self._loss = tf.get_collection(tf.GraphKeys.LOSSES)[-1]
            self._mean: float | None = None
            self._start = time.monotonic()
            self._done = 0

        def before_run(self, run_context: Any) -> Any:
            return tf.train.SessionRunArgs(self._loss)

        def after_run(self, run_context: Any, run_values: Any) -> None:
            loss = float(run_values.results)
            self._mean = loss if self._mean is None else 0.95 * self._mean + 0.05 * loss
            self._done += 1
            speed = self._done / (time.monotonic() - self._start)
            bar.update(task, advance=1, loss=f"{self._mean:.4f}", speed=f"{speed:.1f}")

    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=steps, loss="  ...", speed="...")
        yield [ShowProgress()]
