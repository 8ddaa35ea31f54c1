"""Warm starts where names or vocabularies have changed since the checkpoint was written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from relight.graph import errors
from relight.graph.graph import get_default_graph
from relight.ops.array_nodes import gather, zeros
from relight.ops.build import convert_to_tensor, raw
from relight.ops.files import told
from relight.v1.train.checkpoint_reader import NewCheckpointReader
from relight.v1.train.checkpoint_utils import checkpoint_filename
from relight.v1.train.saver import object_graph_key_mapping


def renames(path: Any, names: Sequence[str]) -> dict[str, str]:
    """{variable name: key} when the checkpoint was written by tf.train.Checkpoint, else {}."""
    try:
        keys = object_graph_key_mapping(checkpoint_filename(path))
    except errors.NotFoundError:
        return {}
    missing = set(names) - set(keys)
    if missing:
        raise ValueError(
            "Attempting to warm-start from an object-based checkpoint, but found that the "
            "checkpoint did not contain values for all variables. The following variables were "
            f"missing: {missing}"
        )
    return {name: keys[name] for name in names}


def _words(path: Any, size: int) -> list[bytes]:
    with told(os.fspath(path)), open(path, "rb") as file:
        words = file.read().splitlines()
    return words if size is None or size < 0 else words[:size]


def start_with_vocabulary(variables: list[Any], info: Any, checkpoint: Any, old_name: str) -> None:
    """Set initializers that take over the rows (or columns) of words of the old vocabulary."""
    filename = checkpoint_filename(checkpoint)
    place = {w: i for i, w in enumerate(_words(info.old_vocab, info.old_vocab_size))}
    words = _words(info.new_vocab, info.new_vocab_size)
    if len(words) < info.new_vocab_size:
        raise ValueError(
            f"{info.new_vocab} has {len(words)} words, fewer than new_vocab_size "
            f"{info.new_vocab_size}"
        )
    source = np.array([place.get(w, -1) for w in words] + [-1] * info.num_oov_buckets, np.int64)
    shape = NewCheckpointReader(filename).get_variable_to_shape_map().get(old_name)
    if shape is None:
        raise errors.NotFoundError(None, None, f"Key {old_name} not found in checkpoint")
    graph = get_default_graph()
    for variable in variables:
        sizes = variable.get_shape().as_list()
        slice_info = variable._save_slice_info
        offset = slice_info.var_offset[info.axis] if slice_info else 0
        own = source[offset : offset + sizes[info.axis]]
        dtype = variable.dtype.base_dtype
        with graph.device(variable.device), graph.device("/cpu:0"):
            old = raw.RestoreV2(filename, [old_name], [""], [dtype])[0]
            old.set_shape(shape)
            taken = gather(old, np.maximum(own, 0), axis=info.axis)
            kept = np.broadcast_to((own >= 0)[:, None] if info.axis == 0 else own >= 0, sizes)
            if info.backup_initializer is None:
                backup = zeros(sizes, dtype)
            else:
                backup = convert_to_tensor(info.backup_initializer(sizes, dtype=dtype))
            value = raw.Select(np.array(kept), taken, backup)
        variable._initializer_op = variable.assign(value).op
        variable._initial_value = value
