"""Writing TensorFlow's V1 checkpoints; the format is described in `checkpoint_v1.py`."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence

import numpy as np
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from relight.formats.checkpoint_v1 import _FIELDS
from relight.formats.table import TableWriter
from relight.formats.tensor_slice import Slice, encode_shape, encode_slice, slice_key
from relight.formats.wire import field_bytes, field_varint

Item = tuple[str, tuple[int, ...], Slice, np.ndarray, int]


def _data(array: np.ndarray, dtype: int) -> bytes:
    """The values as a TensorProto with its typed field alone."""
    if dtype not in _FIELDS:
        raise ValueError(f"V1 checkpoints cannot hold dtype {dtype}")
    proto = TensorProto()
    field = _FIELDS[dtype]
    flat = np.ascontiguousarray(array).reshape(-1)
    if field == "half_val":
        flat = flat.view(np.uint16).astype(np.int32)
    elif field in ("scomplex_val", "dcomplex_val"):
        flat = flat.view(np.float32 if dtype == 8 else np.float64)
    getattr(proto, field).extend(flat.tolist())
    return proto.SerializeToString()


def write_checkpoint_v1(
    path: str | os.PathLike, items: Sequence[Item], *, sync: bool = True
) -> None:
    """Write one V1 file of (name, full shape, slice, values, DataType number).

    The file appears whole, by renaming. ValueError when a slice is there twice or two slices of a
    tensor disagree about its shape or type; OSError as the file system gives it.
    """
    name = os.fspath(path)
    tensors: dict[str, tuple[tuple[int, ...], int, list[Slice]]] = {}
    values: dict[bytes, bytes] = {}
    for key, shape, piece, array, dtype in items:
        known = tensors.setdefault(key, (tuple(shape), dtype, []))
        if known[:2] != (tuple(shape), dtype):
            raise ValueError(f"slices of {key} disagree about shape or dtype")
        if piece in known[2]:
            raise ValueError(f"Adding duplicate key: {key}")
        known[2].append(piece)
        raw = key.encode()
        saved = (
            field_bytes(1, raw)
            + field_bytes(2, encode_slice(piece))
            + field_bytes(3, _data(array, dtype))
        )
        values[slice_key(raw, piece)] = field_bytes(2, saved)
    meta = b""
    for key, (shape, dtype, pieces) in tensors.items():
        entry = field_bytes(1, key.encode()) + field_bytes(2, encode_shape(shape))
        entry += field_varint(3, dtype)
        entry += b"".join(field_bytes(4, encode_slice(p)) for p in pieces)
        meta += field_bytes(1, entry)
    meta += field_bytes(2, field_varint(1, 1))
    temporary = f"{name}.tempstate{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb") as file:
            table = TableWriter(file)
            table.add(b"", field_bytes(1, meta))
            for slice_name in sorted(values):
                table.add(slice_name, values[slice_name])
            table.finish()
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, name)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
