"""``relight board``: TensorBoard, with relight's reader where it asks TensorFlow for checkpoints.

TensorBoard needs no TensorFlow but for one page: the projector reads the vectors that it shows
from a checkpoint by TensorFlow's reader, and stays empty where TensorFlow is not installed.
"""

from __future__ import annotations

import logging
import os
import sys
import types
from collections.abc import Sequence

import numpy as np

from relight.formats.bundle import index_path
from relight.formats.checkpoint import open_checkpoint
from relight.formats.checkpoint_state import read_state
from relight.formats.errors import FormatError

_log = logging.getLogger("relight.board")


class Vectors:
    """What the projector asks of a checkpoint reader."""

    def __init__(self, prefix: str):
        self._reader = open_checkpoint(prefix)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Name -> shape of every tensor."""
        return {name: list(self._reader.shape(name)) for name in self._reader.names()}

    def has_tensor(self, name: str) -> bool:
        """Whether there is a tensor of that name."""
        return self._reader.has(name)

    def get_tensor(self, name: str) -> np.ndarray:
        """The values of a tensor."""
        return self._reader.read(name)


def latest_checkpoint(folder: str) -> str | None:
    """The newest checkpoint that the folder's `checkpoint` file names, if its files are there."""
    try:
        newest = read_state(os.path.join(folder, "checkpoint")).model_checkpoint_path
    except FileNotFoundError:
        return None
    except FormatError as error:
        _log.warning("no checkpoint for the projector: %s", error)
        return None
    prefix = os.path.join(folder, newest)  # an absolute path stays as it is
    return prefix if os.path.exists(index_path(prefix)) or os.path.exists(prefix) else None


def give_projector_a_reader() -> bool:
    """Let the projector read checkpoints by relight. False where it has TensorFlow for that."""
    from tensorboard.compat import tf
    from tensorboard.plugins.projector import projector_plugin

    if tf.__version__ != "stub":
        return False
    # The module knows TensorFlow by the global `tf`; the stub that stands there when TensorFlow
    # is not installed has files and errors, but no `train`.
    projector_plugin.tf = types.SimpleNamespace(
        __version__="relight",
        errors=tf.errors,
        io=tf.io,
        train=types.SimpleNamespace(latest_checkpoint=latest_checkpoint, load_checkpoint=Vectors),
    )
    return True


def board(logdir: str, port: int, options: Sequence[str] = ()) -> None:
    """Serve `logdir` until interrupted; `options` are TensorBoard's own."""
    from tensorboard import main as tensorboard

    give_projector_a_reader()
    sys.argv = ["tensorboard", "--logdir", logdir, "--port", str(port), *options]
    tensorboard.run_main()
