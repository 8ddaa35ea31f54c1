"""Checkpoints of either format, opened by name or by directory."""

from __future__ import annotations

import os

from relight.formats.bundle import BundleReader, index_path
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


def damage(prefix: str | os.PathLike) -> str | None:
    """What is wrong with a checkpoint, or None: every value is read and its checksum compared.

    FileNotFoundError when there is no such checkpoint.
    """
    try:
        with open_checkpoint(prefix) as reader:
            for name in reader.names():
                reader.read(name)
    except FormatError as error:
        return str(error)
    except FileNotFoundError as error:
        if not os.path.exists(index_path(os.fspath(prefix))):
            raise
        return f"{error.filename} is missing"
    return None
