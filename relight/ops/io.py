"""Files in the graph: checkpoints saved, restored and merged; files read, written and listed."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from relight.formats.bundle import BundleWriter, merge_bundles
from relight.formats.checkpoint import open_checkpoint
from relight.formats.checkpoint_v1_writer import write_checkpoint_v1
from relight.formats.errors import FormatError
from relight.formats.tensor_slice import extents, parse_slice_spec
from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.call import boxed, to_torch
from relight.ops.constants import known_value
from relight.ops.file_patterns import matching
from relight.ops.files import note_read, told
from relight.ops.shape_rules import scalar, vector


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def text(value: Any) -> str:
    """A scalar string value as a file name."""
    raw = value[()] if isinstance(value, np.ndarray) else value
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else str(raw)


def texts(value: np.ndarray) -> list[str]:
    """A string vector as str."""
    return [text(v) for v in value.ravel().tolist()]


def _sizes_text(sizes: Any) -> str:
    return "[" + ",".join(str(s) for s in sizes) + "]"


def _check_spec(spec: str) -> tuple[tuple[int, ...], Any]:
    """`parse_slice_spec` with the runtime's words about a malformed slice."""
    *_, last = spec.split(" ")
    for part in last.split(":"):
        if part != "-" and not re.fullmatch(r"-?\d+,-?\d+", part):
            raise _invalid(f"Expected a pair of numbers or '-' but got '{part}': string = {last}")
    try:
        return parse_slice_spec(spec)
    except ValueError as error:
        raise _invalid(str(error)) from None


def _check_lists(names: list[str], specs: list[str], count: int) -> None:
    if len(names) != count or len(specs) != count:
        raise _invalid(
            f"{len(names)} tensor names and {len(specs)} shapes and slices for {count} tensors"
        )


def _lists_shape(node: Any, names: int, specs: int | None, count: int | None) -> None:
    """The lists of names, of slices and of tensors must be equally long."""
    known = count
    for index in (names, specs):
        if index is None:
            continue
        static = node._inputs[index]._shape._sizes
        if static is None or static[0] is None:
            continue
        if known is not None and static[0] != known:
            raise ShapeError(f"Dimension must be {known} but is {static[0]}")
        known = static[0]


def _save_shape(node: Any) -> list[Any]:
    _lists_shape(node, 1, 2, len(node._attrs["dtypes"]))
    return []


@op(
    "SaveV2",
    shape=_save_shape,
    host=("prefix", "tensor_names", "shape_and_slices", "tensors"),
)
def SaveV2(prefix, tensor_names, shape_and_slices, tensors, *, dtypes):
    """Write tensors (or slices of them) as one V2 checkpoint, whole or not at all."""
    name = text(prefix)
    names, specs = texts(tensor_names), texts(shape_and_slices)
    _check_lists(names, specs, len(tensors))
    with told(name), BundleWriter(name) as writer:
        seen: set[tuple[str, str]] = set()
        for key, spec, array, dtype in zip(names, specs, tensors, dtypes, strict=True):
            if (key, spec) in seen:
                raise _invalid(f"Adding duplicate key: {key}")
            seen.add((key, spec))
            if spec:
                shape, piece = _check_spec(spec)
                if tuple(n for _, n in extents(piece, shape)) != array.shape:
                    raise _invalid(
                        "Slice in shape_and_slice specification does not match the shape of the "
                        f"tensor to  save: {spec}, tensor: {_sizes_text(array.shape)}"
                    )
            try:
                writer.add(key, array, spec or None, dtype.base_dtype.as_datatype_enum)
            except (TypeError, ValueError) as error:
                raise _invalid(str(error)) from None


def _restored_sizes(spec: bytes | str) -> tuple[int, ...] | None:
    value = spec.decode() if isinstance(spec, bytes) else spec
    if not value:
        return None
    try:
        shape, piece = _check_spec(value)
    except errors.InvalidArgumentError as error:
        raise ShapeError(error.message) from None
    return tuple(n for _, n in extents(piece, shape))


def _restore_shape(node: Any) -> list[Any]:
    _lists_shape(node, 1, 2, None)
    specs = known_value(node._inputs[2])
    if specs is None or len(specs) != len(node._outputs):
        return [None] * len(node._outputs)
    return [_restored_sizes(s) for s in specs]


def _missing(prefix: str) -> errors.OpError:
    parent = os.path.dirname(prefix) or "."
    start = "Unsuccessful TensorSliceReader constructor: "
    if not os.path.isdir(parent):
        return _invalid(
            f"{start}Failed to get matching files on {prefix}: Not found: {parent}; "
            "No such file or directory"
        )
    return errors.NotFoundError(
        None, None, f"{start}Failed to find any matching files for {prefix}"
    )


def _open(prefix: str) -> Any:
    try:
        return open_checkpoint(prefix)
    except FileNotFoundError:
        raise _missing(prefix) from None
    except FormatError as error:
        raise errors.DataLossError(None, None, error.status) from error


def _read_one(reader: Any, name: str, spec: str, dtype: dtypes.DType) -> Any:
    if not reader.has(name):
        raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
    stored = dtypes.as_dtype(reader.dtype_enum(name))
    if stored != dtype.base_dtype:
        raise _invalid(
            f"tensor_name = {name}; expected dtype {dtypes.runtime_name(dtype)} does not equal "
            f"original dtype {dtypes.runtime_name(stored)}"
        )
    if not spec:
        return reader.read(name)
    shape, piece = _check_spec(spec)
    if tuple(reader.shape(name)) != shape:
        raise _invalid(
            f"tensor_name = {name}; shape in shape_and_slice spec {_sizes_text(shape)} does not "
            f"match the shape stored in checkpoint: {_sizes_text(reader.shape(name))}"
        )
    if hasattr(reader, "num_shards"):
        return reader.read(name, spec)
    index = tuple(slice(start, start + size) for start, size in extents(piece, shape))
    return np.ascontiguousarray(reader.read(name)[index])


def _value(array: np.ndarray) -> Any:
    return array if array.dtype == np.object_ else to_torch(array)


@op("RestoreV2", shape=_restore_shape, host=("prefix", "tensor_names", "shape_and_slices"))
def RestoreV2(prefix, tensor_names, shape_and_slices, *, dtypes):
    """Read tensors (or slices of them) from a V2, else V1, checkpoint."""
    name = text(prefix)
    names, specs = texts(tensor_names), texts(shape_and_slices)
    _check_lists(names, specs, len(dtypes))
    with _open(name) as reader, told(name):
        return [
            _value(_read_one(reader, key, spec, dtype))
            for key, spec, dtype in zip(names, specs, dtypes, strict=True)
        ]


@op("MergeV2Checkpoints", host=("checkpoint_prefixes", "destination_prefix"))
def MergeV2Checkpoints(checkpoint_prefixes, destination_prefix, *, delete_old_dirs=True):
    """Make one sharded checkpoint of several; their data files are renamed."""
    destination = text(destination_prefix)
    with told(destination):
        try:
            merge_bundles(texts(checkpoint_prefixes), destination, delete_old_dirs=delete_old_dirs)
        except FormatError:
            raise
        except ValueError as error:
            raise _invalid(str(error)) from None


def _scalar_string(value: str) -> np.ndarray:
    return boxed(value.encode("utf-8", "surrogateescape"))


@op("ShardedFilename", shape=scalar, host=("basename", "shard", "num_shards"), host_out=True)
def ShardedFilename(basename, shard, num_shards):
    """`<basename>-00001-of-00003`."""
    return _scalar_string(f"{text(basename)}-{int(shard):05d}-of-{int(num_shards):05d}")


@op("ShardedFilespec", shape=scalar, host=("basename", "num_shards"), host_out=True)
def ShardedFilespec(basename, num_shards):
    """`<basename>-?????-of-00003`, which matches every shard."""
    return _scalar_string(f"{text(basename)}-?????-of-{int(num_shards):05d}")


# -- V1 ------------------------------------------------------------------------------------------


def _save_v1(filename: Any, names: list[str], specs: list[str], data: Any, types: Any) -> None:
    _check_lists(names, specs, len(data))
    path = text(filename)
    items = []
    for name, spec, array, dtype in zip(names, specs, data, types, strict=True):
        shape, piece = _check_spec(spec) if spec else (array.shape, ((0, -1),) * array.ndim)
        if tuple(n for _, n in extents(piece, shape)) != array.shape:
            raise _invalid(
                "Slice in shape_and_slice specification does not match the shape of the "
                f"tensor to  save: {spec}, tensor: {_sizes_text(array.shape)}"
            )
        items.append((name, shape, piece, array, dtype.base_dtype.as_datatype_enum))
    with told(path):
        try:
            write_checkpoint_v1(path, items)
        except ValueError as error:
            raise _invalid(str(error)) from None


def _save_v1_shape(node: Any) -> list[Any]:
    _lists_shape(node, 1, 2 if node.type == "SaveSlices" else None, len(node._attrs["T"]))
    return []


@op("Save", shape=_save_v1_shape, host=("filename", "tensor_names", "data"))
def Save(filename, tensor_names, data, *, T):
    """Write tensors as one V1 checkpoint file."""
    names = texts(tensor_names)
    _save_v1(filename, names, [""] * len(names), data, T)


@op(
    "SaveSlices",
    shape=_save_v1_shape,
    host=("filename", "tensor_names", "shapes_and_slices", "data"),
)
def SaveSlices(filename, tensor_names, shapes_and_slices, data, *, T):
    """Write tensors or slices of them as one V1 checkpoint file."""
    _save_v1(filename, texts(tensor_names), texts(shapes_and_slices), data, T)


def _restore_v1(pattern: Any, name: Any, spec: str, dtype: dtypes.DType) -> Any:
    path = text(pattern)
    with _open(path) as reader, told(path):
        key = text(name)
        if not reader.has(key):
            raise errors.NotFoundError(
                None, None, f'Tensor name "{key}" not found in checkpoint files {path}'
            )
        return _value(_read_one(reader, key, spec, dtype))


@op("Restore", shape=lambda node: [None], host=("file_pattern", "tensor_name"))
def Restore(file_pattern, tensor_name, *, dt):
    """Read one tensor from a checkpoint."""
    return _restore_v1(file_pattern, tensor_name, "", dt)


def _restore_slice_shape(node: Any) -> list[Any]:
    spec = known_value(node._inputs[2])
    return [None if spec is None else _restored_sizes(spec[()])]


@op(
    "RestoreSlice",
    shape=_restore_slice_shape,
    host=("file_pattern", "tensor_name", "shape_and_slice"),
)
def RestoreSlice(file_pattern, tensor_name, shape_and_slice, *, dt):
    """Read a slice of one tensor from a checkpoint."""
    return _restore_v1(file_pattern, tensor_name, text(shape_and_slice), dt)


# -- whole files ---------------------------------------------------------------------------------


@op("ReadFile", shape=scalar, host=("filename",), host_out=True, specialise=True)
def ReadFile(node):
    """The contents of a file."""
    name = node.name

    def read(filename):
        path = text(filename)
        note_read(name, str, path)
        with told(path), open(path, "rb") as file:
            return boxed(file.read())

    return read


@op("WriteFile", host=("filename", "contents"))
def WriteFile(filename, contents):
    """Write a file, its directories made where they are missing."""
    path = text(filename)
    with told(path):
        directory = os.path.dirname(path)
        if directory:
            os.makedirs(directory, exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents[()])


@op("MatchingFiles", shape=vector(), host=("pattern",), host_out=True)
def MatchingFiles(pattern):
    """The files that any of the patterns matches, sorted."""
    found: set[str] = set()
    for item in texts(np.asarray(pattern)):
        found.update(matching(item))
    names = np.empty(len(found), np.object_)
    names[:] = [n.encode("utf-8", "surrogateescape") for n in sorted(found)]
    return names


not_differentiable(
    "SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "ShardedFilespec", "Save",
    "SaveSlices", "Restore", "RestoreSlice", "ReadFile", "WriteFile", "MatchingFiles",
)  # fmt: skip
