"""Looking into checkpoints, waiting for them, and initializing variables from them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops.build import raw
from relight.v1 import logging
from relight.v1.functions import variable_scope as scopes
from relight.v1.functions.variables import Variable
from relight.v1.train import checkpoint_management, saveables
from relight.v1.train.checkpoint_reader import CheckpointReader, NewCheckpointReader


def checkpoint_filename(ckpt_dir_or_file: Any) -> Any:
    """The newest checkpoint of a directory; another name is given back as it is."""
    name = os.fspath(ckpt_dir_or_file)
    if os.path.isdir(name):
        return checkpoint_management.latest_checkpoint(name)
    return name


@export("train.load_checkpoint")
def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """The reader of a checkpoint, or of a directory's newest; ValueError when there is none."""
    filename = checkpoint_filename(ckpt_dir_or_file)
    if filename is None:
        raise ValueError(
            f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file}"
        )
    return NewCheckpointReader(filename)


@export("train.load_variable")
def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """The values of one variable of a checkpoint."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


@export("train.list_variables")
def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of every variable of a checkpoint, sorted by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


@export("contrib.training.wait_for_new_checkpoint")
def wait_for_new_checkpoint(
    checkpoint_dir: str,
    last_checkpoint: str | None = None,
    seconds_to_sleep: float = 1,
    timeout: float | None = None,
) -> str | None:
    """The newest checkpoint once it is another one than `last_checkpoint`; None at the timeout."""
    logging.info("Waiting for new checkpoint at %s", checkpoint_dir)
    stop_time = None if timeout is None else time.time() + timeout
    while True:
        path = checkpoint_management.latest_checkpoint(checkpoint_dir)
        if path is not None and path != last_checkpoint:
            logging.info("Found new checkpoint at %s", path)
            return path
        if stop_time is not None and time.time() + seconds_to_sleep > stop_time:
            return None
        time.sleep(seconds_to_sleep)


@export("train.checkpoints_iterator", "contrib.training.checkpoints_iterator")
def checkpoints_iterator(
    checkpoint_dir: str,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Each new checkpoint of a directory, as it appears.

    Ends when none appears in `timeout` seconds and `timeout_fn` (if given) returns True.
    """
    path = None
    while True:
        new_path = wait_for_new_checkpoint(checkpoint_dir, path, timeout=timeout)
        if new_path is None:
            if not timeout_fn:
                logging.info("Timed-out waiting for a checkpoint.")
                return
            if timeout_fn():
                return
            continue
        start = time.time()
        path = new_path
        yield path
        remaining = start + min_interval_secs - time.time()
        if remaining > 0:
            time.sleep(remaining)


@export("train.init_from_checkpoint")
def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: dict[str, Any]) -> None:
    """Let initializers of variables read a checkpoint.

    `assignment_map`: {name in the checkpoint: variable, its name, or list of its slices}, or
    {"scope/": "other_scope/"} (or "/") for all variables of a scope. Raises ValueError when the
    checkpoint lacks a name or has another shape.
    """
    filename = checkpoint_filename(ckpt_dir_or_file)
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    store = _store_variables()
    for stored_name, current in sorted(assignment_map.items(), key=lambda item: item[0]):
        variable = _variable_of(current, store)
        if variable is not None:
            _init_one(ckpt_dir_or_file, filename, shapes, stored_name, variable)
        else:
            _init_scope(ckpt_dir_or_file, filename, shapes, stored_name, current, store)


def _store_variables() -> dict[str, Any]:
    return scopes.default_store()._vars


def _variable_of(current: Any, store: dict[str, Any]) -> Any:
    if isinstance(current, Variable):
        return current
    if isinstance(current, list) and all(isinstance(v, Variable) for v in current):
        return current
    found = store.get(current)
    return _slices_of(current, store) if found is None else found


def _slices_of(name: str, store: dict[str, Any]) -> list[Any] | None:
    """The parts of a partitioned variable, or None."""
    found: list[Any] = []
    while f"{name}/part_{len(found)}" in store:
        found.append(store[f"{name}/part_{len(found)}"])
    return found or None


def _init_one(source: Any, filename: str, shapes: dict, stored_name: str, variable: Any) -> None:
    if stored_name not in shapes:
        raise ValueError(f"Tensor {stored_name} is not found in {source} checkpoint {shapes}")
    if isinstance(variable, Variable):
        if not variable.get_shape().is_compatible_with(shapes[stored_name]):
            raise ValueError(
                f"Shape of variable {variable.name} ({variable.get_shape()}) doesn't match with "
                f"shape of tensor {stored_name} ({shapes[stored_name]}) from checkpoint reader."
            )
        name = variable.name
    else:
        name = ",".join(v.name for v in variable)
    set_initializer(variable, filename, stored_name)
    logging.debug("Initialize variable %s from checkpoint %s with %s", name, source, stored_name)


def _init_scope(
    source: Any, filename: str, shapes: dict, stored_scope: str, scope: str, store: dict[str, Any]
) -> None:
    prefix = scope.rpartition("/")[0]
    if not stored_scope.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {prefix} should map to scope only "
            f"{stored_scope}. Should be 'scope/': 'other_scope/'."
        )
    names = {
        name.partition("/part_")[0] for name in store if not prefix or name.startswith(prefix + "/")
    }
    for name in sorted(names):
        rest = name[len(prefix) :]
        full = rest[1:] if scope != "/" else rest
        if stored_scope != "/":
            full = stored_scope + full
        full = full.removesuffix("/")
        if full not in shapes:
            raise ValueError(
                f"Tensor {full} ({name[len(prefix) + 1 :]} in {stored_scope}) is not found in "
                f"{source} checkpoint"
            )
        variable = store.get(name)
        set_initializer(_slices_of(name, store) if variable is None else variable, filename, full)
        logging.debug("Initialize variable %s from checkpoint %s with %s", name, source, full)


def set_initializer(variable_or_list: Any, filename: str, tensor_name: str) -> None:
    """Let the initializer of a variable (or of the slices of one) read a checkpoint."""
    if not isinstance(variable_or_list, (list, tuple)):
        _set_one(variable_or_list, filename, tensor_name, "")
        return
    slice_name = None
    for variable in variable_or_list:
        info = variable._save_slice_info
        if slice_name is None:
            slice_name = info.full_name
        elif slice_name != info.full_name:
            raise ValueError(
                f"Slices must all be from the same tensor: {slice_name} != {info.full_name}"
            )
        _set_one(variable, filename, tensor_name, info.spec)


def _set_one(
    variable: Any,
    filename: str,
    tensor_name: str,
    slice_spec: str,
    name: str = "checkpoint_initializer",
) -> None:
    graph = get_default_graph()
    with graph.device(variable.device), graph.device("/cpu:0"):
        restored = raw.RestoreV2(
            filename, [tensor_name], [slice_spec], [variable.dtype.base_dtype], name=name
        )[0]
        items = [
            item
            for key, op in saveables.op_list_to_dict([variable]).items()
            for item in saveables.saveable_objects_for_op(op, key)
        ]
        assert len(items) == 1
    variable._initializer_op = items[0].restore([restored], restored_shapes=None)
    restored.set_shape(variable.shape)
    variable._initial_value = restored
