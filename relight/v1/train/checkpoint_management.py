"""The checkpoints of a directory: which there are, which is the newest, the file `checkpoint`."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from typing import Any

from tensorboard.compat.proto.saver_pb2 import SaverDef

from relight.formats.bundle import index_path
from relight.formats.checkpoint import damage
from relight.formats.checkpoint_state import CheckpointState as _State
from relight.formats.checkpoint_state import read_state, write_state
from relight.formats.errors import FormatError
from relight.formats.protos import CheckpointState
from relight.graph.export import export
from relight.ops.files import from_os_error, told
from relight.v1 import logging


def state_path(save_dir: str, latest_filename: str | None = None) -> str:
    """The file that holds the CheckpointState of a directory."""
    return os.path.join(save_dir, "checkpoint" if latest_filename is None else latest_filename)


@export("train.generate_checkpoint_state_proto")
def generate_checkpoint_state_proto(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> Any:
    """A CheckpointState; paths below a relative `save_dir` are made relative to it.

    Raises ValueError when there are timestamps, but not one a checkpoint.
    """
    paths = all_model_checkpoint_paths if all_model_checkpoint_paths is not None else []
    if not paths or paths[-1] != model_checkpoint_path:
        logging.info(
            "%s is not in all_model_checkpoint_paths. Manually adding it.", model_checkpoint_path
        )
        paths.append(model_checkpoint_path)
    times = all_model_checkpoint_timestamps
    if times and len(times) != len(paths):
        raise ValueError(
            "Checkpoint timestamps, if provided, must match checkpoint paths (got paths "
            f"{paths} and timestamps {times})"
        )
    if not os.path.isabs(save_dir):
        if not os.path.isabs(model_checkpoint_path):
            model_checkpoint_path = os.path.relpath(model_checkpoint_path, save_dir or ".")
        for i, path in enumerate(paths):
            if not os.path.isabs(path):
                paths[i] = os.path.relpath(path, save_dir or ".")
    return CheckpointState(
        model_checkpoint_path=model_checkpoint_path,
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=times,
        last_preserved_timestamp=last_preserved_timestamp,
    )


@export("train.update_checkpoint_state")
def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Write the file `checkpoint` of a directory, whole or not at all.

    Raises RuntimeError when a checkpoint has that very name.
    """
    update_checkpoint_state_internal(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        latest_filename,
        False,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )


def update_checkpoint_state_internal(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    latest_filename: str | None = None,
    save_relative_paths: bool = False,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """`update_checkpoint_state`, optionally with all paths relative to the directory."""
    target = state_path(save_dir, latest_filename)
    if save_relative_paths:

        def relative(path: str) -> str:
            return os.path.relpath(path, save_dir) if os.path.isabs(path) else path

        model_checkpoint_path = relative(model_checkpoint_path)
        all_model_checkpoint_paths = [relative(p) for p in all_model_checkpoint_paths or []]
    state = generate_checkpoint_state_proto(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )
    if target == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state.  "
            "Please use a different save path."
        )
    with told(target):
        write_state(
            target,
            _State(
                state.model_checkpoint_path,
                list(state.all_model_checkpoint_paths),
                list(state.all_model_checkpoint_timestamps),
                state.last_preserved_timestamp,
            ),
        )


@export("train.get_checkpoint_state")
def get_checkpoint_state(checkpoint_dir: str, latest_filename: str | None = None) -> Any:
    """The CheckpointState of a directory with absolute paths, or None when there is none.

    A file that cannot be read or parsed is warned about and ignored. ValueError for one that names
    no checkpoint.
    """
    checkpoint_dir = os.fspath(checkpoint_dir)
    path = state_path(checkpoint_dir, latest_filename)
    if not os.path.exists(path):
        return None
    try:
        read = read_state(path)
    except OSError as error:
        told_as = from_os_error(error, path)
        logging.warning("%s: %s", type(told_as).__name__, told_as)
        logging.warning("%s: Checkpoint ignored", path)
        return None
    except FormatError as error:
        logging.warning("%s: %s", "ParseError", error)
        logging.warning("%s: Checkpoint ignored", path)
        return None
    if not read.model_checkpoint_path:
        raise ValueError("Invalid checkpoint state loaded from " + checkpoint_dir)

    def absolute(name: str) -> str:
        return name if os.path.isabs(name) else os.path.join(checkpoint_dir, name)

    return CheckpointState(
        model_checkpoint_path=absolute(read.model_checkpoint_path),
        all_model_checkpoint_paths=[absolute(p) for p in read.all_model_checkpoint_paths],
        all_model_checkpoint_timestamps=read.all_model_checkpoint_timestamps,
        last_preserved_timestamp=read.last_preserved_timestamp,
    )


def matching(pattern: str) -> list[str]:
    """Files that match a checkpoint's file pattern."""
    if not re.search(r"[*?\[]", pattern):
        return [pattern] if os.path.exists(pattern) else []
    return glob.glob(pattern)


def files_exist(prefix: str) -> bool:
    """Whether there is a V2 or V1 checkpoint of that name."""
    return bool(matching(index_path(prefix)) or matching(prefix))


def older_checkpoints(state: Any) -> list[str]:
    """The checkpoints of a CheckpointState before its newest, newest first."""
    return [
        p for p in reversed(state.all_model_checkpoint_paths) if p != state.model_checkpoint_path
    ]


@export("train.latest_checkpoint")
def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The newest checkpoint of a directory, or None.

    One whose files are damaged (cut short, say, by a full disk) is warned about, and the newest
    whole one before it is given.
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if not state or not state.model_checkpoint_path:
        return None
    newest = state.model_checkpoint_path
    if not files_exist(newest):
        logging.error("Couldn't match files for checkpoint %s", newest)
        return None
    try:
        reason = damage(newest, values=False)
    except FileNotFoundError:  # deleted by the process that saves, since we looked
        logging.error("Couldn't match files for checkpoint %s", newest)
        return None
    if reason is None:
        return newest
    for older in older_checkpoints(state):
        if files_exist(older) and damage(older, values=False) is None:
            logging.warning(
                "Checkpoint %s is damaged (%s); using %s instead.", newest, reason, older
            )
            return older
    return newest


def checkpoint_exists_internal(checkpoint_prefix: str) -> bool:
    """Whether there is a V2 or V1 checkpoint of that name."""
    return files_exist(checkpoint_prefix)


@export("train.checkpoint_exists")
def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether there is a V2 or V1 checkpoint of that name."""
    return files_exist(checkpoint_prefix)


@export("train.get_checkpoint_mtimes")
def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[str]) -> list[float]:
    """When the checkpoints were last changed, seconds since 1970; missing ones are left out."""
    times = []
    for prefix in checkpoint_prefixes:
        for pattern in (index_path(prefix), prefix):
            found = matching(pattern)
            if found:
                times.append(os.stat(found[0]).st_mtime_ns / 1e9)
                break
    return times


@export("train.remove_checkpoint")
def remove_checkpoint(
    checkpoint_prefix: str,
    checkpoint_format_version: int = SaverDef.V2,
    meta_graph_suffix: str = "meta",
) -> None:
    """Delete the files of a checkpoint, its MetaGraph first."""
    patterns = [meta_graph_filename(checkpoint_prefix, meta_graph_suffix)]
    if checkpoint_format_version == SaverDef.V2:
        patterns += [index_path(checkpoint_prefix), checkpoint_prefix + ".data-?????-of-?????"]
    else:
        patterns.append(checkpoint_prefix)
    for pattern in patterns:
        for path in matching(pattern):
            with told(path):
                os.remove(path)


def meta_graph_filename(checkpoint_filename: str, meta_graph_suffix: str = "meta") -> str:
    """The MetaGraph file that belongs to a checkpoint (without its shard number)."""
    return re.sub(r"-[\d\?]+-of-\d+$", "", checkpoint_filename) + "." + meta_graph_suffix
