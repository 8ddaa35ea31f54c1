"""`tf.train.CheckpointManager`: numbered checkpoints of a Checkpoint; the last ones are kept."""

from __future__ import annotations

import glob
import os
import time
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_session
from relight.v1 import logging
from relight.v1.train.checkpoint import Checkpoint
from relight.v1.train.checkpoint_management import (
    get_checkpoint_state,
    update_checkpoint_state_internal,
)
from relight.v1.train.training_util import global_step


@export("train.CheckpointManager")
class CheckpointManager:
    """Keeps the last `max_to_keep` checkpoints in a directory (None: all), and one every so many
    hours beyond them.

    What a manager before it kept in the same directory is taken over. Its files are called
    `<checkpoint_name>-<number>`. ValueError for a `max_to_keep` that is not positive.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
    ):
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(
                "Expected a positive integer or `None` for `max_to_max_to_keep`, got "
                f"{max_to_keep}."
            )
        self._checkpoint = checkpoint
        self._directory = directory
        self._max_to_keep = max_to_keep
        self._every_hours = keep_checkpoint_every_n_hours
        self._prefix = os.path.join(directory, checkpoint_name)
        self._counter_assign: Any = None
        self._times: dict[str, float] = {}  # prefix -> when it was written, oldest first
        self._recover()

    def _recover(self) -> None:
        now = time.time()
        state = get_checkpoint_state(self._directory)
        if state is None:
            self._latest: str | None = None
            self._preserved = now - 1.0
            return
        self._latest = state.model_checkpoint_path
        self._preserved = state.last_preserved_timestamp
        if now < self._preserved:
            logging.warning(
                "time.time() returned a value %f seconds behind the last preserved checkpoint "
                "timestamp.",
                self._preserved - now,
            )
            self._preserved = now
        paths = list(state.all_model_checkpoint_paths)
        times = list(state.all_model_checkpoint_timestamps) or [self._preserved] * len(paths)
        for path, written in zip(paths, times, strict=False):
            if min(written, now) > self._preserved:
                self._times[path] = min(written, now)

    @property
    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint, None when there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The prefixes of the checkpoints that may be deleted later, oldest first."""
        return list(self._times)

    def save(self, checkpoint_number: Any = None) -> str:
        """Write a checkpoint with the default session; its prefix.

        Its number is the Checkpoint's `save_counter`, or `checkpoint_number`: an integer, or a
        variable or tensor that holds one.
        """
        session = get_default_session()
        if session is None:
            raise ValueError("CheckpointManager.save: there is no default session")
        if self._checkpoint._save_counter is None:
            session.run(self._checkpoint.save_counter.initializer)
        counter = self._checkpoint.save_counter
        if self._counter_assign is None:
            self._counter_assign = counter.assign_add(1, read_value=False)
        session.run(self._counter_assign)
        number = counter if checkpoint_number is None else checkpoint_number
        if not isinstance(number, int):
            number = global_step(session, number)
        path = self._checkpoint.write(f"{self._prefix}-{number}", session)
        self._times.pop(path, None)
        self._times[path] = time.time()
        self._latest = path
        self._record()  # first with the old ones: who is stopped now still finds the new one
        self._sweep()
        self._record()
        return path

    def _sweep(self) -> None:
        while self._max_to_keep and len(self._times) > self._max_to_keep:
            path = next(iter(self._times))
            written = self._times.pop(path)
            if self._every_hours and written - self._every_hours * 3600.0 >= self._preserved:
                self._preserved = written
                continue
            start = glob.escape(path)
            for name in glob.glob(start + ".index") + glob.glob(start + ".data-?????-of-?????"):
                os.remove(name)

    def _record(self) -> None:
        assert self._latest is not None
        update_checkpoint_state_internal(
            self._directory,
            self._latest,
            list(self._times),
            save_relative_paths=True,
            all_model_checkpoint_timestamps=list(self._times.values()),
            last_preserved_timestamp=self._preserved,
        )
