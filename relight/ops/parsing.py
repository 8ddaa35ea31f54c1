"""Parsing: Example protos, CSV lines, raw bytes, serialized tensors."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import tensor_pb2

from relight.formats.protos import Example, SequenceExample
from relight.graph import dtypes, errors, tensor_proto
from relight.graph.opdef import not_differentiable, op
from relight.ops import shape_rules
from relight.ops.call import boxed
from relight.ops.constants import known_value
from relight.ops.shape_rules import same, scalar, sizes, unknown, with_rank

_KINDS = {"float32": "float_list", "int64": "int64_list", "string": "bytes_list"}
_NAMES = {"float_list": "float", "int64_list": "int64", "bytes_list": "string"}


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


# -- features --------------------------------------------------------------------------------------


def feature_values(feature: Any, dtype: dtypes.DType, where: str) -> np.ndarray | None:
    """The values of a Feature; None when it has no kind, an error when it has another one."""
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    if kind != _KINDS[dtype.name]:
        raise _invalid(
            f"{where}.  Data types don't match. Data type: {_NAMES[kind]} but expected type: "
            f"{_NAMES[_KINDS[dtype.name]]}"
        )
    values = getattr(feature, kind)
    if kind == "float_list":
        # Packed floats are the end of the message's bytes: no Python number is made.
        count = len(values.value)
        return (
            np.frombuffer(values.SerializeToString()[-4 * count :], "<f4", count)
            if count
            else (np.zeros(0, np.float32))
        )
    if kind == "int64_list":
        return np.array(values.value, np.int64)
    array = np.empty(len(values.value), np.object_)
    array[:] = values.value
    return array


def _parsed(kind: Any, serialized: bytes, name: str) -> Any:
    try:
        return kind.FromString(serialized)
    except DecodeError:
        shown = serialized[:40].decode("latin-1")
        raise _invalid(
            f"Could not parse example input, value: '{shown}' (example name: {name})"
        ) from None


def _dense_size(shape: Any) -> tuple[bool, int, tuple[int, ...]]:
    """(whether dimension 0 may vary, values a row or a whole, sizes behind it or all)."""
    static = shape._sizes
    varies = bool(static) and static[0] is None
    rest = static[1:] if varies else static
    return varies, int(np.prod(rest, dtype=np.int64)), tuple(rest)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class _Plan:
    """Which features an op wants, decoded once."""

    def __init__(self, sparse: Sequence[Any], dense: Sequence[Any], attrs: dict[str, Any]):
        self.sparse = [(_text(k), t) for k, t in zip(sparse, attrs["sparse_types"], strict=True)]
        self.dense = [
            (_text(k), t, s, *_dense_size(s))
            for k, t, s in zip(dense, attrs["Tdense"], attrs["dense_shapes"], strict=True)
        ]


def _one_dense(
    features: Any,
    key: str,
    dtype: Any,
    shape: Any,
    varies: bool,
    count: int,
    default: np.ndarray,
    name: str,
    index: int,
) -> np.ndarray | None:
    """The values of one dense feature of one example, flat; None: use the padding value."""
    where = f"Name: {name}, Key: {key}, Index: {index}"
    values = feature_values(features[key], dtype, where) if key in features else None
    if values is None:
        if varies:
            return None
        if default.size == 0 and count:
            raise _invalid(
                f"Name: {name}, Feature: {key} (data type: {_NAMES[_KINDS[dtype.name]]}) "
                "is required but could not be found."
            )
        return np.broadcast_to(default.ravel(), (count,)) if default.size == 1 else default.ravel()
    if (varies and count and len(values) % count) or (not varies and len(values) != count):
        raise _invalid(
            f"Name: {name}, Key: {key}, Index: {index}.  Number of "
            f"{_NAMES[_KINDS[dtype.name]]} values != expected.  Values size: {len(values)} but "
            f"output shape: {shape_rules.text(shape._sizes)}"
        )
    return values


def _batch_dense(
    column: list[np.ndarray | None],
    dtype: Any,
    varies: bool,
    count: int,
    rest: tuple[int, ...],
    default: np.ndarray,
) -> np.ndarray:
    """One dense feature of all examples as [batch, ...], filled up where sizes vary."""
    kind = dtype.as_numpy_dtype
    if not varies:
        stacked = np.empty((len(column), count), kind)
        for i, values in enumerate(column):
            stacked[i] = values
        return stacked.reshape(len(column), *rest)
    longest = max((0 if v is None else len(v) for v in column), default=0)
    fill = default.item() if default.size else (b"" if dtype.name == "string" else 0)
    filled = np.full((len(column), longest), fill, kind)
    for i, values in enumerate(column):
        if values is not None:
            filled[i, : len(values)] = values
    return filled.reshape(len(column), longest // count if count else 0, *rest)


def _batch_sparse(column: list[np.ndarray | None], dtype: Any) -> tuple[np.ndarray, ...]:
    """Indices [n, 2], values [n] and shape [2] of one sparse feature of all examples."""
    lengths = [0 if v is None else len(v) for v in column]
    total = sum(lengths)
    indices = np.empty((total, 2), np.int64)
    indices[:, 0] = np.repeat(np.arange(len(column)), lengths)
    indices[:, 1] = np.concatenate([np.arange(n) for n in lengths]) if column else 0
    some = [v for v in column if v is not None and len(v)]
    values = np.concatenate(some) if some else np.zeros(0, dtype.as_numpy_dtype)
    return indices, values, np.array([len(column), max(lengths, default=0)], np.int64)


def _parse_example_shape(node: Any) -> list[Any]:
    attrs = node._attrs
    batch = with_rank(sizes(node, 0), 1) or ()
    sparse = len(attrs["sparse_types"])
    dense = [None if s._sizes is None else (*batch, *s._sizes) for s in attrs["dense_shapes"]]
    return [(None, 2)] * sparse + [(None,)] * sparse + [(2,)] * sparse + dense


@op(
    "ParseExample",
    shape=_parse_example_shape,
    specialise=True,
    host_out=True,
    host=("dense_defaults",),
)
def ParseExample(node: Any) -> Any:
    """Example protos [batch] to dense features [batch, ...] and sparse ones."""
    attrs = node._attrs

    def parse(serialized, names, sparse_keys, dense_keys, dense_defaults):  # type: ignore[no-untyped-def]
        plan = _Plan([k.item() for k in sparse_keys], [k.item() for k in dense_keys], attrs)
        called = [_text(n) for n in names.ravel().tolist()] or ["<unknown>"] * len(serialized)
        return _parse_batch(plan, serialized.tolist(), called, dense_defaults)

    return parse


def _parse_batch(
    plan: _Plan, serialized: list[bytes], names: list[str], defaults: list[np.ndarray]
) -> list[list[np.ndarray]]:
    dense: list[list[Any]] = [[] for _ in plan.dense]
    sparse: list[list[Any]] = [[] for _ in plan.sparse]
    for i, text in enumerate(serialized):
        features = _parsed(Example, text, names[i]).features.feature
        for column, (key, dtype, shape, varies, count, _), default in zip(
            dense, plan.dense, defaults, strict=True
        ):
            column.append(
                _one_dense(features, key, dtype, shape, varies, count, default, names[i], i)
            )
        for column, (key, dtype) in zip(sparse, plan.sparse, strict=True):
            where = f"Name: {names[i]}, Key: {key}, Index: {i}"
            column.append(feature_values(features[key], dtype, where) if key in features else None)
    found = [_batch_sparse(c, dtype) for c, (_, dtype) in zip(sparse, plan.sparse, strict=True)]
    batches = [
        _batch_dense(c, dtype, varies, count, rest, default)
        for c, (_, dtype, _, varies, count, rest), default in zip(
            dense, plan.dense, defaults, strict=True
        )
    ]
    return [[f[0] for f in found], [f[1] for f in found], [f[2] for f in found], batches]


def _parse_single_shape(node: Any) -> list[Any]:
    attrs = node._attrs
    sparse = len(attrs["sparse_types"])
    dense = [s._sizes for s in attrs["dense_shapes"]]
    return [(None, 1)] * sparse + [(None,)] * sparse + [(1,)] * sparse + dense


@op(
    "ParseSingleExample",
    shape=_parse_single_shape,
    specialise=True,
    host_out=True,
    host=("dense_defaults",),
)
def ParseSingleExample(node: Any) -> Any:
    """One Example proto to dense features and sparse ones (indices [n, 1])."""
    plan = _Plan(node._attrs["sparse_keys"], node._attrs["dense_keys"], node._attrs)

    def parse(serialized, dense_defaults):  # type: ignore[no-untyped-def]
        indices, values, shapes, dense = _parse_batch(
            plan, [serialized.item()], ["<unknown>"], dense_defaults
        )
        return [
            [i[:, 1:] for i in indices],
            values,
            [s[1:] for s in shapes],
            [d.reshape(d.shape[1:]) for d in dense],
        ]

    return parse


# -- sequences -------------------------------------------------------------------------------------


def _sequence_shape(node: Any) -> list[Any]:
    attrs = node._attrs
    context, lists = len(attrs["context_sparse_types"]), len(attrs["feature_list_sparse_types"])
    dense = [s._sizes for s in attrs["context_dense_shapes"]]
    steps = [
        None if s._sizes is None else (None, *s._sizes) for s in attrs["feature_list_dense_shapes"]
    ]
    return (
        [(None, 1)] * context + [(None,)] * context + [(1,)] * context + dense
        + [(None, 2)] * lists + [(None,)] * lists + [(2,)] * lists + steps
    )  # fmt: skip


@op(
    "ParseSingleSequenceExample",
    shape=_sequence_shape,
    specialise=True,
    host_out=True,
    host=("context_dense_defaults",),
)
def ParseSingleSequenceExample(node: Any) -> Any:
    """One SequenceExample proto: its context, and lists of features as [steps, ...]."""
    attrs = node._attrs

    def parse(  # type: ignore[no-untyped-def]
        serialized,
        missing_empty,
        context_sparse,
        context_dense,
        list_sparse,
        list_dense,
        defaults,
        debug_name,
    ):
        name = _text(debug_name.item()) or "<unknown>"
        proto = _parsed(SequenceExample, serialized.item(), name)
        plan = _Plan(
            [k.item() for k in context_sparse],
            [k.item() for k in context_dense],
            {
                "sparse_types": attrs["context_sparse_types"],
                "Tdense": attrs["Tcontext_dense"],
                "dense_shapes": attrs["context_dense_shapes"],
            },
        )
        example = Example(features=proto.context).SerializeToString()
        indices, values, shapes, dense = _parse_batch(plan, [example], [name], defaults)
        may_miss = {_text(k) for k in missing_empty.ravel().tolist()}
        lists = proto.feature_lists.feature_list
        sparse_lists = [
            _batch_sparse(_steps(lists, _text(k.item()), dtype, name), dtype)
            for k, dtype in zip(list_sparse, attrs["feature_list_sparse_types"], strict=True)
        ]
        dense_lists = [
            _dense_list(lists, _text(k.item()), dtype, shape, may_miss, name)
            for k, dtype, shape in zip(
                list_dense,
                attrs["feature_list_dense_types"],
                attrs["feature_list_dense_shapes"],
                strict=True,
            )
        ]
        return [
            [i[:, 1:] for i in indices], values, [s[1:] for s in shapes],
            [d.reshape(d.shape[1:]) for d in dense],
            [s[0] for s in sparse_lists], [s[1] for s in sparse_lists],
            [s[2] for s in sparse_lists], dense_lists,
        ]  # fmt: skip

    return parse


def _steps(lists: Any, key: str, dtype: Any, name: str) -> list[np.ndarray | None]:
    if key not in lists:
        return []
    return [
        feature_values(f, dtype, f"Name: {name}, Feature list: {key}, Index: {i}")
        for i, f in enumerate(lists[key].feature)
    ]


def _dense_list(
    lists: Any, key: str, dtype: Any, shape: Any, may_miss: set[str], name: str
) -> np.ndarray:
    if key not in lists and key not in may_miss:
        raise _invalid(
            f"Name: {name}, Feature list '{key}' is required but could not be found.  Did you "
            "mean to include it in feature_list_dense_missing_assumed_empty or "
            "feature_list_dense_defaults?"
        )
    static = tuple(shape._sizes)
    count = int(np.prod(static, dtype=np.int64))
    rows = _steps(lists, key, dtype, name)
    result = np.empty((len(rows), count), dtype.as_numpy_dtype)
    for i, values in enumerate(rows):
        found = 0 if values is None else len(values)
        if found != count:
            raise _invalid(
                f"Name: {name}, Key: {key}, Index: {i}.  Number of "
                f"{_NAMES[_KINDS[dtype.name]]} values != expected.  values size: {found} but "
                f"output shape: [{','.join(map(str, static))}]"
            )
        result[i] = values
    return result.reshape(len(rows), *static)


def _sequences_shape(node: Any) -> list[Any]:
    attrs = node._attrs
    batch = sizes(node, 0) or (None,)
    context, lists = len(attrs["context_sparse_types"]), len(attrs["feature_list_sparse_types"])
    dense = [(*batch, *s._sizes) for s in attrs["context_dense_shapes"]]
    steps = [(*batch, None, *s._sizes) for s in attrs["feature_list_dense_shapes"]]
    return (
        [(None, 2)] * context + [(None,)] * context + [(2,)] * context + dense
        + [(None, 3)] * lists + [(None,)] * lists + [(3,)] * lists + steps + [batch] * len(steps)
    )  # fmt: skip


@op(
    "ParseSequenceExample",
    shape=_sequences_shape,
    specialise=True,
    host_out=True,
    host=("context_dense_defaults",),
)
def ParseSequenceExample(node: Any) -> Any:
    """SequenceExample protos [batch]: contexts, and lists of features as [batch, steps, ...]."""
    attrs = node._attrs
    plan = _Plan(
        attrs["context_sparse_keys"],
        attrs["context_dense_keys"],
        {
            "sparse_types": attrs["context_sparse_types"],
            "Tdense": attrs["Tcontext_dense"],
            "dense_shapes": attrs["context_dense_shapes"],
        },
    )
    may_miss = {_text(k) for k in attrs["feature_list_dense_missing_assumed_empty"]}
    sparse_lists = [
        (_text(k), t)
        for k, t in zip(
            attrs["feature_list_sparse_keys"], attrs["feature_list_sparse_types"], strict=True
        )
    ]
    dense_lists = [
        (_text(k), t, s)
        for k, t, s in zip(
            attrs["feature_list_dense_keys"],
            attrs["feature_list_dense_types"],
            attrs["feature_list_dense_shapes"],
            strict=True,
        )
    ]

    def parse(serialized, debug_name, defaults):  # type: ignore[no-untyped-def]
        texts = serialized.tolist()
        names = [_text(n) for n in debug_name.ravel().tolist()] or ["<unknown>"] * len(texts)
        protos = [_parsed(SequenceExample, t, n) for t, n in zip(texts, names, strict=True)]
        contexts = [Example(features=p.context).SerializeToString() for p in protos]
        lists = [p.feature_lists.feature_list for p in protos]
        sparse = [
            _batch_of_lists(
                [_steps(f, key, dtype, n) for f, n in zip(lists, names, strict=True)], dtype
            )
            for key, dtype in sparse_lists
        ]
        columns = [
            [
                _dense_list(f, key, dtype, shape, may_miss, n)
                for f, n in zip(lists, names, strict=True)
            ]
            for key, dtype, shape in dense_lists
        ]
        return [
            *_parse_batch(plan, contexts, names, defaults),
            [s[0] for s in sparse], [s[1] for s in sparse], [s[2] for s in sparse],
            [_filled_up(c, t, s) for c, (_, t, s) in zip(columns, dense_lists, strict=True)],
            [np.array([len(v) for v in c], np.int64) for c in columns],
        ]  # fmt: skip

    return parse


def _batch_of_lists(column: list[list[Any]], dtype: Any) -> tuple[np.ndarray, ...]:
    """Indices [n, 3], values [n] and shape [3] of a feature list of all examples."""
    parts = [_batch_sparse(steps, dtype) for steps in column]
    indices = [
        np.concatenate([np.full((len(i), 1), row, np.int64), i], 1)
        for row, (i, _, _) in enumerate(parts)
    ]
    largest = np.max([shape for _, _, shape in parts], axis=0) if parts else np.zeros(2, np.int64)
    some = [v for _, v, _ in parts if len(v)]
    return (
        np.concatenate(indices) if indices else np.zeros((0, 3), np.int64),
        np.concatenate(some) if some else np.zeros(0, dtype.as_numpy_dtype),
        np.array([len(column), *largest], np.int64),
    )


def _filled_up(column: list[np.ndarray], dtype: Any, shape: Any) -> np.ndarray:
    """Feature lists of several lengths, of steps of a shape, as [batch, longest, ...]."""
    longest = max((len(v) for v in column), default=0)
    rest = column[0].shape[1:] if column else tuple(shape._sizes)
    blank = b"" if dtype.name == "string" else 0
    result = np.full((len(column), longest, *rest), blank, dtype.as_numpy_dtype)
    for row, values in zip(result, column, strict=True):
        row[: len(values)] = values
    return result


@op("DecodeJSONExample", shape=same, host_out=True)
def DecodeJSONExample(json_examples):
    """Example protos written as JSON, as binary ones."""
    result = np.empty(json_examples.shape, np.object_)
    flat = result.reshape(-1)
    for i, text in enumerate(json_examples.ravel().tolist()):
        try:
            flat[i] = json_format.Parse(text, Example()).SerializeToString()
        except json_format.ParseError as error:
            raise _invalid(f"Error while parsing JSON: {error}") from None
    return result


# -- bytes and text --------------------------------------------------------------------------------


def _raw_shape(node: Any) -> list[Any]:
    static = sizes(node, 0)
    return [None if static is None else (*static, None)]


@op("DecodeCompressed", shape=same, host=("bytes",), host_out=True)
def DecodeCompressed(bytes, *, compression_type):
    """Strings, uncompressed: `compression_type` is "GZIP", "ZLIB" or "" for none."""
    if compression_type not in ("", "GZIP", "ZLIB"):
        raise _invalid("Only ZLIB, GZIP or NONE are supported compressions")
    result = np.empty(bytes.shape, np.object_)
    flat = result.reshape(-1)
    for i, text in enumerate(bytes.ravel().tolist()):
        try:
            # 47: zlib's own header or gzip's
            flat[i] = zlib.decompress(text, 47) if compression_type else text
        except zlib.error as error:
            raise errors.DataLossError(None, None, f"string {i}: {error}") from None
    return result


@op("DecodeRaw", shape=_raw_shape, host=("bytes",), host_out=True)
def DecodeRaw(bytes, *, out_type, little_endian):
    """Strings of one length as rows of numbers: [...] -> [..., length / size of a number]."""
    return _numbers(bytes, out_type, little_endian, None)


def _padded_raw_shape(node: Any) -> list[Any]:
    static, length = sizes(node, 0), known_value(node._inputs[1])
    if static is None:
        return [None]
    size = np.dtype(node._attrs["out_type"].as_numpy_dtype).itemsize
    return [(*static, None if length is None else int(length) // size)]


@op("DecodePaddedRaw", shape=_padded_raw_shape, host=("input_bytes", "fixed_length"), host_out=True)
def DecodePaddedRaw(input_bytes, fixed_length, *, out_type, little_endian):
    """Strings, cut or filled up with zero bytes to `fixed_length`, as rows of numbers."""
    return _numbers(input_bytes, out_type, little_endian, int(fixed_length))


def _numbers(
    texts: np.ndarray, out_type: Any, little_endian: bool, length: int | None
) -> np.ndarray:
    kind = np.dtype(out_type.as_numpy_dtype)
    flat = texts.ravel().tolist()
    if length is not None:
        if length % kind.itemsize:
            raise _invalid(
                f"fixed_length ({length}) must be a multiple of the size of out_type "
                f"({kind.itemsize})"
            )
        # As in the original, bytes that are no whole number are left out.
        whole = [t[: min(len(t), length) // kind.itemsize * kind.itemsize] for t in flat]
        flat = [t.ljust(length, b"\0") for t in whole]
    size = len(flat[0]) if flat else 0
    for text in flat:
        if len(text) != size:
            raise _invalid(
                f"DecodeRaw requires input strings to all be the same size, but element 1 has "
                f"size {size} != {len(text)}"
            )
    if size % kind.itemsize:
        raise _invalid(
            f"Input to DecodeRaw has length {size} that is not a multiple of {kind.itemsize}, the "
            f"size of {dtypes.runtime_name(out_type)}"
        )
    array = np.frombuffer(b"".join(flat), kind.newbyteorder("<" if little_endian else ">"))
    return array.astype(kind).reshape(*texts.shape, size // kind.itemsize)


def _csv_shape(node: Any) -> list[Any]:
    return [sizes(node, 0)] * len(node._outputs)


@op("DecodeCSV", shape=_csv_shape, specialise=True, host=("record_defaults",), host_out=True)
def DecodeCSV(node: Any) -> Any:
    """Lines of comma-separated values: one tensor a column."""
    attrs = node._attrs
    types = attrs["OUT_TYPE"]
    delimiter, quoted = attrs["field_delim"], attrs["use_quote_delim"]
    missing = attrs["na_value"]
    chosen = list(attrs["select_cols"])

    def decode(records, record_defaults):  # type: ignore[no-untyped-def]
        lines = [r.decode("utf-8", "surrogateescape") for r in records.ravel().tolist()]
        columns = [np.empty(len(lines), t.as_numpy_dtype) for t in types]
        for row, line in enumerate(lines):
            fields = csv_fields(line, delimiter, quoted, row)
            if chosen:
                fields = [fields[c] for c in chosen if c < len(fields)]
            if len(fields) != len(types):
                raise _invalid(f"Expect {len(types)} fields but have {len(fields)} in record {row}")
            for i, (field, dtype) in enumerate(zip(fields, types, strict=True)):
                columns[i][row] = csv_field(field, dtype, record_defaults[i], missing, i, row)
        return [c.reshape(records.shape) for c in columns]

    return decode


def csv_fields(line: str, delimiter: str, quoted: bool, row: int) -> list[str]:
    if not quoted:
        return line.split(delimiter)
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _invalid(f"Quoted field has to end with quote in record {row}: {error}") from None


_PARSERS: dict[str, tuple[Any, str]] = {
    "int32": (int, "int32"),
    "int64": (int, "int64"),
    "float32": (float, "float"),
    "float64": (float, "double"),
}


def csv_field(
    text: str, dtype: Any, default: np.ndarray, missing: str, column: int, row: int
) -> Any:
    if text == "" or (missing and text == missing):
        if default.size == 0:
            raise _invalid(f"Field {column} is required but missing in record {row}!")
        return default.item()
    if dtype.name == "string":
        return text.encode("utf-8", "surrogateescape")
    parser, name = _PARSERS[dtype.name]
    try:
        if "_" in text:
            raise ValueError(text)
        value = parser(text)
        if parser is int and not -(2 ** (8 * dtype.size - 1)) <= value < 2 ** (8 * dtype.size - 1):
            raise ValueError(text)
    except ValueError:
        raise _invalid(f"Field {column} in record {row} is not a valid {name}: {text}") from None
    return value


# -- tensors ---------------------------------------------------------------------------------------


@op("SerializeTensor", shape=scalar, host=("tensor",), host_out=True)
def SerializeTensor(tensor):
    """A tensor as a serialized TensorProto."""
    proto = tensor_proto.to_proto(tensor)
    return boxed(proto.SerializeToString())


@op("ParseTensor", shape=unknown, host=("serialized",), host_out=True)
def ParseTensor(serialized, *, out_type):
    """The tensor of a serialized TensorProto, which must be of `out_type`."""
    text = serialized.item()
    try:
        proto = tensor_pb2.TensorProto.FromString(text)
    except DecodeError:
        shown = text[:40].decode("latin-1")
        raise _invalid(f"Could not parse `serialized` as TensorProto: '{shown}'") from None
    if dtypes.as_dtype(proto.dtype) != out_type:
        raise _invalid(
            f"Type mismatch between parsed tensor ({dtypes.as_dtype(proto.dtype).name}) and dtype "
            f"({out_type.name})"
        )
    return tensor_proto.from_proto(proto)


not_differentiable(
    "ParseExample", "ParseSingleExample", "ParseSingleSequenceExample",
    "ParseSequenceExample", "DecodeJSONExample",
    "DecodeCompressed", "DecodeRaw", "DecodePaddedRaw", "DecodeCSV", "SerializeTensor",
    "ParseTensor",
)  # fmt: skip
