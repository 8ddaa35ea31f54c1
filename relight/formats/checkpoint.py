"""Checkpoints of either format, opened by name or by directory."""

from __future__ import annotations

import os

from relight.formats.bundle import BundleReader, data_path, index_path
from relight.formats.checkpoint_v1 import CheckpointV1Reader
from relight.formats.errors import FormatError

Reader = BundleReader | CheckpointV1Reader


def open_checkpoint(prefix: str | os.PathLike) -> Reader:
    """The reader of a checkpoint: V2 when `<prefix>.index` is there, else V1.

    FileNotFoundError when there is neither, FormatError when it is damaged.
    """
    name = os.fspath(prefix)
    if os.path.exists(index_path(name)):
        return BundleReader(name)
    return CheckpointV1Reader(name)


def damage(prefix: str | os.PathLike, *, values: bool = True) -> str | None:
    """What is wrong with a checkpoint, or None.

    Every value is read and its checksum compared; without `values` only the index is, and the
    sizes of the data files. FileNotFoundError when there is no such checkpoint.
    """
    try:
        with open_checkpoint(prefix) as reader:
            if values:
                for name in reader.names():
                    reader.read(name)
            elif isinstance(reader, BundleReader):
                _check_sizes(reader)
    except FormatError as error:
        return str(error)
    except FileNotFoundError as error:
        if not os.path.exists(index_path(os.fspath(prefix))):
            raise
        return f"{error.filename} is missing"
    return None


def _check_sizes(reader: BundleReader) -> None:
    ends: dict[int, int] = {}
    for name in reader.names():
        entry = reader.entry(name)
        ends[entry.shard_id] = max(ends.get(entry.shard_id, 0), entry.offset + entry.size)
    for shard, end in ends.items():
        path = data_path(reader.prefix, shard, reader.num_shards)
        size = os.path.getsize(path)
        if end > size:
            raise FormatError(path, size, f"the values end at {end}")
