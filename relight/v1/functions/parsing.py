"""Parsing in the graph: `tf.parse_example`, `tf.decode_csv`, `tf.decode_raw` and their kin."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.array_nodes import rank, reshape, squeeze
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1 import logging
from relight.v1.functions.checks import Assert
from relight.v1.functions.sparse import sparse_merge


@export("VarLenFeature", "io.VarLenFeature")
class VarLenFeature(NamedTuple):
    """A feature with any number of values: it becomes a SparseTensor."""

    dtype: Any


@export("SparseFeature", "io.SparseFeature")
class SparseFeature(NamedTuple):
    """A SparseTensor whose indices and values are two features (several index features: several
    dimensions). `size` is its dense size, or a list of them.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


@export("FixedLenFeature", "io.FixedLenFeature")
class FixedLenFeature(NamedTuple):
    """A feature of a known shape; without a `default_value` every example must have it."""

    shape: Any
    dtype: Any
    default_value: Any = None


@export("FixedLenSequenceFeature", "io.FixedLenSequenceFeature")
class FixedLenSequenceFeature(NamedTuple):
    """Any number of rows of a known shape; shorter ones of a batch are filled up with
    `default_value`.
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class _Wanted:
    """Features as lists of keys, types, defaults and shapes: what the ops take."""

    def __init__(self, features: Any, allowed: tuple[type, ...]) -> None:
        self.sparse_keys: list[str] = []
        self.sparse_types: list[Any] = []
        self.dense_keys: list[str] = []
        self.dense_types: list[Any] = []
        self.dense_shapes: list[TensorShape] = []
        self.defaults: OrderedDict[str, Any] = OrderedDict()
        for key in sorted(features or ()):
            feature = features[key]
            kind = type(feature)
            if not isinstance(
                feature, (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)
            ):
                raise ValueError(f"Invalid feature {key}:{feature}.")
            if kind not in allowed:
                raise ValueError(f"Unsupported {kind.__name__} {feature}.")
            if isinstance(feature, SparseFeature):
                self._sparse_feature(key, feature)
                continue
            if not feature.dtype:
                raise ValueError(f"Missing type for feature {key}.")
            if isinstance(feature, VarLenFeature):
                self.sparse_keys.append(key)
                self.sparse_types.append(dtypes.as_dtype(feature.dtype))
                continue
            self._dense(key, feature)

    def _dense(self, key: str, feature: Any) -> None:
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        shape = as_shape(feature.shape)
        if isinstance(feature, FixedLenFeature):
            if feature.shape and shape.ndims and shape.as_list()[0] is None:
                raise ValueError(
                    f"First dimension of shape for feature {key} unknown. Consider using "
                    "FixedLenSequenceFeature."
                )
            if not shape.is_fully_defined():
                raise ValueError(
                    f"All dimensions of shape for feature {key} need to be known but received "
                    f"{feature.shape}."
                )
        elif feature.allow_missing:
            self.defaults[key] = None
        self.dense_keys.append(key)
        self.dense_types.append(dtypes.as_dtype(feature.dtype))
        self.dense_shapes.append(shape)
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def _sparse_feature(self, key: str, feature: SparseFeature) -> None:
        if not feature.index_key:
            raise ValueError(f"Missing index_key for SparseFeature {feature}.")
        if not feature.value_key:
            raise ValueError(f"Missing value_key for SparseFeature {feature}.")
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        keys = feature.index_key
        if isinstance(keys, str):
            keys = [keys]
        elif len(keys) > 1:
            logging.warning(
                "SparseFeature is a complicated feature config and should only be used after "
                "careful consideration of VarLenFeature."
            )
        for index_key in sorted(keys):
            self._sparse_key(index_key, dtypes.int64)
        self._sparse_key(feature.value_key, dtypes.as_dtype(feature.dtype))

    def _sparse_key(self, key: str, dtype: Any) -> None:
        if key in self.sparse_keys:
            known = self.sparse_types[self.sparse_keys.index(key)]
            if known != dtype:
                raise ValueError(f"Conflicting type {known} vs {dtype} for feature {key}.")
            return
        self.sparse_keys.append(key)
        self.sparse_types.append(dtype)

    def check(self, what: str = "") -> None:
        """ValueError when a key is both dense and sparse."""
        both = set(self.dense_keys) & set(self.sparse_keys)
        if both:
            names = f"{what}_dense and {what}_sparse" if what else "Dense and sparse"
            raise ValueError(f"{names} keys must not intersect; intersection: {both}")

    def default_tensors(self, reshaped: bool = True) -> list[Tensor]:
        """The default of each dense feature: its value, the padding value, or empty."""
        tensors = []
        for key, dtype, shape in zip(
            self.dense_keys, self.dense_types, self.dense_shapes, strict=True
        ):
            default = self.defaults.get(key)
            varies = bool(shape.ndims) and shape.as_list()[0] is None
            if varies:
                if default is None:
                    blank = "" if dtype == dtypes.string else 0
                    tensors.append(convert_to_tensor(blank, dtype=dtype))
                else:
                    tensors.append(
                        reshape(
                            convert_to_tensor(default, dtype, name="padding_" + _node_name(key)), []
                        )
                    )
            elif default is None:
                tensors.append(constant([], dtype=dtype))
            elif isinstance(default, Tensor):
                tensors.append(default)
            else:
                value = convert_to_tensor(default, dtype, name="key_" + _node_name(key))
                tensors.append(reshape(value, shape.as_list()) if reshaped else value)
        return tensors

    def named(self, indices: Any, values: Any, shapes: Any, dense: Any) -> dict[str, Any]:
        """The outputs of an op by key."""
        sparse = [SparseTensor(*parts) for parts in zip(indices, values, shapes, strict=True)]
        return dict(zip(self.sparse_keys + self.dense_keys, [*sparse, *dense], strict=True))


def _node_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)


def _with_rows(features: Any) -> Any:
    """FixedLenSequenceFeatures with the dimension that runs over rows."""
    changed = dict(features)
    for key, feature in features.items():
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError(
                    "Unsupported: FixedLenSequenceFeature requires allow_missing to be True."
                )
            changed[key] = feature._replace(shape=[None, *feature.shape])
    return changed


def _merge_sparse(features: Any, found: dict[str, Any]) -> dict[str, Any]:
    """SparseFeatures made of their parts; what only served them goes."""
    result = dict(found)
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, SparseFeature):
            if isinstance(feature.index_key, str):
                ids: Any = result[feature.index_key]
            else:
                ids = [result[k] for k in feature.index_key]
            result[key] = sparse_merge(
                ids,
                result[feature.value_key],
                vocab_size=feature.size,
                already_sorted=feature.already_sorted,
            )
    return {k: v for k, v in result.items() if k in features}


_ALL = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)


@export("parse_example", "io.parse_example")
def parse_example(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """Parse serialized Example protos [batch] into a dictionary of tensors.

    Args:
      serialized: string vector.
      features: dictionary from keys to FixedLenFeature ([batch, ...] tensors), VarLenFeature
        (SparseTensors), FixedLenSequenceFeature or SparseFeature.
      name: of the nodes.
      example_names: string vector of names for messages.

    Raises: ValueError for features that cannot be.
    """
    if not features:
        raise ValueError(f"Missing: features was {features}.")
    features = _with_rows(features)
    wanted = _Wanted(features, _ALL)
    return _merge_sparse(features, _parse_batch(serialized, example_names, wanted, name))


def _parse_batch(serialized: Any, names: Any, wanted: _Wanted, name: str | None) -> dict[str, Any]:
    with name_scope(name, "ParseExample", [serialized, names]):
        wanted.check()
        found = raw.ParseExample(
            serialized,
            [] if names is None else names,
            wanted.sparse_keys,
            wanted.dense_keys,
            wanted.default_tensors(),
            sparse_types=wanted.sparse_types,
            dense_shapes=wanted.dense_shapes,
            name=name,
        )
        return wanted.named(*found)


@export("parse_single_example", "io.parse_single_example")
def parse_single_example(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """Parse one serialized Example proto, a string scalar; see `parse_example`.

    Shapes have no batch dimension.
    """
    if not features:
        raise ValueError("Missing features.")
    features = _with_rows(features)
    wanted = _Wanted(features, _ALL)
    if example_names is not None:
        return _merge_sparse(features, _parse_named(serialized, example_names, wanted, name))
    with name_scope(name, "ParseSingleExample", [serialized]):
        text = convert_to_tensor(serialized, name="serialized")
        wanted.check()
        found = raw.ParseSingleExample(
            text,
            wanted.default_tensors(),
            num_sparse=len(wanted.sparse_keys),
            sparse_keys=wanted.sparse_keys,
            dense_keys=wanted.dense_keys,
            sparse_types=wanted.sparse_types,
            dense_shapes=wanted.dense_shapes,
            name=name,
        )
        parsed = wanted.named(*found)
    return _merge_sparse(features, parsed)


def _scalar(value: Tensor, what: str) -> Tensor:
    if value.shape.ndims is not None:
        if value.shape.ndims != 0:
            raise ValueError(f"Input {what.lower()} must be a scalar")
        return value
    check = Assert(
        raw.Equal(rank(value), 0),
        [f"Input {what.lower()} must be a scalar"],
        name=f"{what}IsScalar",
    )
    with get_default_graph().control_dependencies([check]):
        return raw.Identity(value, name=f"{what}Dependencies")


def _parse_named(serialized: Any, names: Any, wanted: _Wanted, name: str | None) -> dict[str, Any]:
    """One example with a name for messages, as a batch of one."""
    with name_scope(name, "ParseSingleExample", [serialized, names]):
        text = raw.ExpandDims(_scalar(convert_to_tensor(serialized), "Serialized"), 0)
        called = raw.ExpandDims(_scalar(convert_to_tensor(names), "Names"), 0)
        found = _parse_batch(text, called, wanted, name)
        for key in wanted.dense_keys:
            found[key] = squeeze(found[key], [0], name=f"Squeeze_{_node_name(key)}")
        for key in wanted.sparse_keys:
            sparse = found[key]
            found[key] = SparseTensor(
                raw.Slice(
                    sparse.indices, [0, 1], [-1, -1], name=f"Slice_Indices_{_node_name(key)}"
                ),
                sparse.values,
                raw.Slice(sparse.dense_shape, [1], [-1], name=f"Squeeze_Shape_{_node_name(key)}"),
            )
        return found


@export("parse_single_sequence_example", "io.parse_single_sequence_example")
def parse_single_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse one SequenceExample proto: (context, sequences), dictionaries of tensors.

    `context_features` are FixedLenFeature or VarLenFeature; `sequence_features` are
    FixedLenSequenceFeature ([steps, ...]) or VarLenFeature (SparseTensors [steps, longest]).
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = _Wanted(context_features, (VarLenFeature, FixedLenFeature))
    lists = _Wanted(sequence_features, (VarLenFeature, FixedLenSequenceFeature))
    with name_scope(name, "ParseSingleSequenceExample", [serialized]):
        context.check("context")
        lists.check("feature_list")
        for key, value in lists.defaults.items():
            if value is not None:
                raise ValueError(f"Value feature_list_dense_defaults[{key}] must be None")
        found = raw.ParseSingleSequenceExample(
            serialized,
            list(lists.defaults),
            context.sparse_keys,
            context.dense_keys,
            lists.sparse_keys,
            lists.dense_keys,
            context.default_tensors(),
            "" if example_name is None else example_name,
            context_sparse_types=context.sparse_types,
            context_dense_shapes=context.dense_shapes,
            feature_list_sparse_types=lists.sparse_types,
            feature_list_dense_types=lists.dense_types,
            feature_list_dense_shapes=lists.dense_shapes,
            name=name,
        )
        return context.named(*found[:4]), lists.named(*found[4:])


@export("io.parse_sequence_example")
def parse_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Parse SequenceExample protos [batch]: (context, sequences, lengths), dictionaries of tensors.

    Features as for `parse_single_sequence_example`; sequences are filled up to the longest of the
    batch, and `lengths` [batch] tells how long the dense ones were.
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = _Wanted(context_features, (VarLenFeature, FixedLenFeature))
    lists = _Wanted(sequence_features, (VarLenFeature, FixedLenSequenceFeature))
    with name_scope(name, "ParseSequenceExample", [serialized]):
        context.check("context")
        lists.check("feature_list")
        for key, value in lists.defaults.items():
            if value is not None:
                raise ValueError(f"Value feature_list_dense_defaults[{key}] must be None")
        found = raw.ParseSequenceExample(
            serialized,
            [] if example_names is None else example_names,
            context.default_tensors(reshaped=False),
            Ncontext_sparse=len(context.sparse_keys),
            Ncontext_dense=len(context.dense_keys),
            Nfeature_list_sparse=len(lists.sparse_keys),
            Nfeature_list_dense=len(lists.dense_keys),
            context_sparse_keys=context.sparse_keys,
            context_sparse_types=context.sparse_types,
            context_dense_keys=context.dense_keys,
            context_dense_shapes=context.dense_shapes,
            feature_list_sparse_keys=lists.sparse_keys,
            feature_list_sparse_types=lists.sparse_types,
            feature_list_dense_keys=lists.dense_keys,
            feature_list_dense_types=lists.dense_types,
            feature_list_dense_shapes=lists.dense_shapes,
            feature_list_dense_missing_assumed_empty=list(lists.defaults),
            name=name,
        )
        lengths = dict(zip(lists.dense_keys, found[8], strict=True))
        return context.named(*found[:4]), lists.named(*found[4:8]), lengths


# -- text and bytes --------------------------------------------------------------------------------


@export("decode_raw", "io.decode_raw")
def decode_raw(
    input_bytes: Any = None,
    out_type: Any = None,
    little_endian: bool = True,
    name: str | None = None,
    bytes: Any = None,
) -> Tensor:
    """Strings of one length as rows of numbers of `out_type`: [...] -> [..., n]."""
    if bytes is not None:
        if input_bytes is not None:
            raise ValueError("Cannot specify both 'bytes' and 'input_bytes'")
        input_bytes = bytes
    if out_type is None:
        raise ValueError("decode_raw_v1() missing 1 positional argument: 'out_type'")
    return raw.DecodeRaw(input_bytes, out_type=out_type, little_endian=little_endian, name=name)


@export("decode_csv", "io.decode_csv")
def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
) -> list[Tensor]:
    """Lines of separated values as one tensor a column, each of the shape of `records`.

    Args:
      records: strings, one line each.
      record_defaults: for each column a tensor of its type: a default in [1], or empty when the
        column is required.
      field_delim: the separator.
      use_quote_delim: whether double quotes enclose fields.
      name: of the node.
      na_value: a further text that means a missing value.
      select_cols: numbers of the columns that are wanted, rising.

    Raises: ValueError for columns that do not rise or do not fit the defaults.
    """
    if select_cols is not None:
        columns = list(select_cols)
        if any(a >= b for a, b in itertools.pairwise(columns)):
            raise ValueError("select_cols is not strictly increasing.")
        if columns and columns[0] < 0:
            raise ValueError("select_cols contains negative values.")
        if len(columns) != len(record_defaults):
            raise ValueError("Length of select_cols and record_defaults do not match.")
    return raw.DecodeCSV(
        records,
        list(record_defaults),
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=list(select_cols or []),
        name=name,
    )


@export("decode_json_example", "io.decode_json_example")
def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Example protos written as JSON, as serialized binary ones."""
    return raw.DecodeJSONExample(json_examples, name=name)


@export("parse_tensor", "io.parse_tensor")
def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor of a serialized TensorProto, of `out_type`."""
    return raw.ParseTensor(serialized, out_type=out_type, name=name)


@export("serialize_tensor", "io.serialize_tensor")
def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """A tensor as a serialized TensorProto, a string scalar."""
    return raw.SerializeTensor(tensor, name=name)


@export("decode_compressed", "io.decode_compressed")
def decode_compressed(
    bytes: Any,
    compression_type: str = "",
    name: str | None = None,
) -> Tensor:
    """Strings, uncompressed: `compression_type` is "GZIP", "ZLIB" or "" for none."""
    return raw.DecodeCompressed(bytes, compression_type=compression_type, name=name)
