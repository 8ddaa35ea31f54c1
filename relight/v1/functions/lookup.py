"""`tf.lookup`: tables that map keys to values, and their initializers."""

from __future__ import annotations

import collections
import functools
import uuid
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.v1.functions import strings
from relight.v1.functions.control import no_op
from relight.v1.functions.resources import initialize_tables

tables_initializer = export(
    "tables_initializer", "initializers.tables_initializer", "initialize_all_tables"
)(initialize_tables)


def _check_types(table: Any, key_dtype: Any, value_dtype: Any) -> None:
    if key_dtype.base_dtype != table.key_dtype:
        raise TypeError(f"Invalid key dtype, expected {table.key_dtype} but got {key_dtype}.")
    if value_dtype.base_dtype != table.value_dtype:
        raise TypeError(f"Invalid value dtype, expected {table.value_dtype} but got {value_dtype}.")


@export("contrib.lookup.LookupInterface")
class LookupInterface:
    """What tables have in common: the types of their keys and values."""

    def __init__(self, key_dtype: Any, value_dtype: Any):
        self._key_dtype = dtypes.as_dtype(key_dtype)
        self._value_dtype = dtypes.as_dtype(value_dtype)
        self._resource_handle: Any = None

    @property
    def key_dtype(self) -> Any:
        """The type of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> Any:
        """The type of the values."""
        return self._value_dtype

    @property
    def resource_handle(self) -> Any:
        """The handle of the table's resource."""
        return self._resource_handle

    @property
    def name(self) -> str:
        """The name of the table."""
        raise NotImplementedError

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, an int64 scalar."""
        raise NotImplementedError

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys."""
        raise NotImplementedError

    def _check_keys(self, keys: Any) -> None:
        if keys.dtype.base_dtype != self._key_dtype:
            raise TypeError(
                f"Signature mismatch. Keys must be dtype {self._key_dtype}, got {keys.dtype}."
            )


# -- initializers --------------------------------------------------------------------------------


@export("contrib.lookup.TableInitializerBase")
class TableInitializerBase:
    """What fills a table: the types of its keys and values, and `initialize(table)`."""

    def __init__(self, key_dtype: Any, value_dtype: Any):
        self._key_dtype = dtypes.as_dtype(key_dtype)
        self._value_dtype = dtypes.as_dtype(value_dtype)

    @property
    def key_dtype(self) -> Any:
        """The type of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> Any:
        """The type of the values."""
        return self._value_dtype

    def initialize(self, table: Any) -> Operation:
        """The operation that fills a table."""
        raise NotImplementedError

    @property
    def _shared_name(self) -> str:
        return ""


@export("lookup.KeyValueTensorInitializer", "contrib.lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table with keys [n] and values [n]."""

    def __init__(
        self,
        keys: Any,
        values: Any,
        key_dtype: Any = None,
        value_dtype: Any = None,
        name: str | None = None,
    ):
        self._keys = convert_to_tensor(keys, dtype=key_dtype, name="keys")
        self._values = convert_to_tensor(values, dtype=value_dtype, name="values")
        self._name = name if name is not None else "key_value_init"
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Operation:
        """The operation that fills a table; TypeError when its types are others."""
        _check_types(table, self._keys.dtype, self._values.dtype)
        with name_scope(self._name, values=[table.resource_handle, self._keys, self._values]):
            fill = raw.LookupTableImportV2(table.resource_handle, self._keys, self._values)
        get_default_graph().add_to_collection(GraphKeys.TABLE_INITIALIZERS, fill)
        return fill


@export("lookup.TextFileIndex", "contrib.lookup.TextFileIndex")
class TextFileIndex:
    """Columns of a text file that are no columns: the whole line, and its number."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


@export("lookup.TextFileInitializer", "contrib.lookup.TextFileInitializer")
class TextFileInitializer(TableInitializerBase):
    """Fills a table from the lines of a file, whose columns `delimiter` separates."""

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
    ):
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError(f"Filename required for {name}.")
        self._filename_arg = filename
        key_dtype, value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        _check_column("key", "Keys", key_dtype, key_index, ("integer or string", True))
        _check_column("value", "Values", value_dtype, value_index, (dtypes.string, False))
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        self._key_index, self._value_index = key_index, value_index
        self._vocab_size, self._delimiter, self._name = vocab_size, delimiter, name
        with get_default_graph().device("CPU"):
            self._filename = convert_to_tensor(filename, dtype=dtypes.string, name="asset_path")
        super().__init__(key_dtype, value_dtype)

    def initialize(self, table: Any) -> Operation:
        """The operation that fills a table; TypeError when its types are others."""
        _check_types(table, self.key_dtype, self.value_dtype)
        graph = get_default_graph()
        with name_scope(self._name, "text_file_init", [table.resource_handle]):
            fill = raw.InitializeTableFromTextFileV2(
                table.resource_handle,
                self._filename,
                key_index=self._key_index,
                value_index=self._value_index,
                vocab_size=-1 if self._vocab_size is None else self._vocab_size,
                delimiter=self._delimiter,
            )
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, fill)
        if self._filename.op.type == "Const":
            graph.add_to_collection(GraphKeys.ASSET_FILEPATHS, self._filename)
        return fill

    @property
    def _shared_name(self) -> str:
        size = f"{self._vocab_size}_" if self._vocab_size else ""
        return f"hash_table_{self._filename_arg}_{size}{self._key_index}_{self._value_index}"


def _check_column(what: str, plural: str, dtype: Any, index: int, whole: tuple[Any, bool]) -> None:
    if index < -2:
        raise ValueError(f"Invalid {what} index {index}.")
    if index == TextFileIndex.LINE_NUMBER and dtype != dtypes.int64:
        raise ValueError(f"Signature mismatch. {plural} must be dtype {dtypes.int64}, got {dtype}.")
    described, integers = whole
    if (
        index == TextFileIndex.WHOLE_LINE
        and dtype != dtypes.string
        and not (integers and dtype.is_integer)
    ):
        word = "" if integers else "dtype "
        raise ValueError(f"Signature mismatch. {plural} must be {word}{described}, got {dtype}.")


@export("contrib.lookup.TextFileStringTableInitializer")
class TextFileStringTableInitializer(TextFileInitializer):
    """From line numbers to strings."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.LINE_NUMBER,
        value_column_index: int = TextFileIndex.WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_string_table_init",
    ):
        super().__init__(
            filename,
            dtypes.int64,
            key_column_index,
            dtypes.string,
            value_column_index,
            vocab_size=vocab_size,
            delimiter=delimiter,
            name=name,
        )


@export("contrib.lookup.TextFileIdTableInitializer")
class TextFileIdTableInitializer(TextFileInitializer):
    """From strings (or integers) to line numbers."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.WHOLE_LINE,
        value_column_index: int = TextFileIndex.LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_id_table_init",
        key_dtype: Any = dtypes.string,
    ):
        super().__init__(
            filename,
            key_dtype,
            key_column_index,
            dtypes.int64,
            value_column_index,
            vocab_size=vocab_size,
            delimiter=delimiter,
            name=name,
        )


# -- tables that are filled once -----------------------------------------------------------------


@export("contrib.lookup.InitializableLookupTableBase")
class InitializableLookupTableBase(LookupInterface):
    """A table that an initializer fills, once."""

    def __init__(self, default_value: Any, initializer: TableInitializerBase):
        super().__init__(initializer.key_dtype, initializer.value_dtype)
        self._default_value = convert_to_tensor(default_value, dtype=self._value_dtype)
        self._default_value.shape.merge_with(TensorShape([]))
        self._initializer = initializer
        self._resource_handle = self._create_resource()
        self._init_op = initializer.initialize(self)

    def _create_resource(self) -> Any:
        raise NotImplementedError

    @property
    def default_value(self) -> Tensor:
        """The value of keys that are not in the table."""
        return self._default_value

    @property
    def initializer(self) -> Operation:
        """The operation that fills the table."""
        return self._init_op

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, an int64 scalar."""
        with name_scope(name, f"{self.name}_Size", [self.resource_handle]):
            return raw.LookupTableSizeV2(self.resource_handle)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys (a Tensor or SparseTensor), `default_value` for unknown ones."""
        flat = keys.values if isinstance(keys, SparseTensor) else keys
        self._check_keys(keys)
        elements = [self.resource_handle, flat, self._default_value]
        with name_scope(name, f"{self.name}_Lookup", elements):
            values = raw.LookupTableFindV2(self.resource_handle, flat, self._default_value)
        values.set_shape(flat.shape)
        if isinstance(keys, SparseTensor):
            return SparseTensor(keys.indices, values, keys.dense_shape)
        return values


@export("lookup.StaticHashTable")
class StaticHashTable(InitializableLookupTableBase):
    """A table that `initializer` fills; `tf.tables_initializer()` runs it."""

    def __init__(self, initializer: Any, default_value: Any, name: str | None = None):
        self._shared_name = initializer._shared_name or f"hash_table_{uuid.uuid4()}"
        self._name = name or "hash_table"
        self._table_name = ""
        super().__init__(default_value, initializer)

    def _create_resource(self) -> Any:
        handle = raw.HashTableV2(
            shared_name=self._shared_name,
            key_dtype=self._key_dtype,
            value_dtype=self._value_dtype,
            name=self._name,
        )
        self._table_name = handle.op.name.rpartition("/")[2]
        return handle

    @property
    def name(self) -> str:
        """The name of the table."""
        return self._table_name

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """(keys [n], values [n]) of all entries, in any order."""
        with name_scope(name, f"{self.name}_Export", [self.resource_handle]):
            keys, values = raw.LookupTableExportV2(
                self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype
            )
        values.set_shape(keys.shape)
        return keys, values


@export("contrib.lookup.HashTable")
class HashTable(StaticHashTable):
    """`StaticHashTable` with the older `init` beside `initializer`."""

    def __init__(
        self,
        initializer: Any,
        default_value: Any,
        shared_name: str | None = None,
        name: str | None = None,
    ):
        del shared_name  # the initializer decides it, as in TensorFlow 1.15
        super().__init__(initializer, default_value, name)

    @property
    def init(self) -> Operation:
        """The operation that fills the table."""
        return self.initializer


@export("contrib.lookup.HasherSpec")
class HasherSpec(collections.namedtuple("HasherSpec", ["hasher", "key"])):
    """How strings that are in no vocabulary are hashed: "fasthash", "legacy", "stronghash"."""

    __slots__ = ()


FastHashSpec = export("contrib.lookup.FastHashSpec")(HasherSpec("fasthash", None))


@export("contrib.lookup.StrongHashSpec")
class StrongHashSpec(HasherSpec):
    """Hashing by SipHash under a key of two numbers."""

    __slots__ = ()

    def __new__(cls, key: Any) -> StrongHashSpec:
        if len(key) != 2:
            raise ValueError(f"key must have size 2, got {len(key)}.")
        if not all(isinstance(k, int) for k in key):
            raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
        return super().__new__(cls, "stronghash", key)


_HASHERS = {
    "fasthash": strings.string_to_hash_bucket_fast,
    "legacy": strings.string_to_hash_bucket,
}


def _bucket_function(spec: Any) -> Any:
    if not isinstance(spec, HasherSpec):
        raise TypeError(f"hasher_spec must be of type HasherSpec {spec}")
    if spec.hasher == "stronghash":
        return functools.partial(strings.string_to_hash_bucket_strong, key=spec.key)
    if spec.hasher not in _HASHERS:
        raise ValueError(f"Unknown hasher {spec.hasher}")
    return _HASHERS[spec.hasher]


class _BucketTable(LookupInterface):
    """A vocabulary table (or none) with hash buckets behind it for all other keys."""

    def __init__(self, table: Any, buckets: int, spec: Any, name: str | None, key_dtype: Any):
        self._table, self._num_oov_buckets, self._hasher_spec = table, buckets, spec
        if table is not None:
            name = name or table.name
            if table.key_dtype not in (dtypes.int64, dtypes.string):
                raise TypeError(
                    f"Invalid key dtype, expected one of {(dtypes.int64, dtypes.string)}, but got "
                    f"{key_dtype}."
                )
            if table.key_dtype.is_integer != key_dtype.is_integer:
                kind = "integer" if key_dtype.is_integer else "non-integer"
                raise TypeError(f"Invalid key dtype, expected {kind} but got {table.key_dtype}.")
            if table.value_dtype != dtypes.int64:
                raise TypeError(
                    f"Invalid value dtype, expected {dtypes.int64} but got {table.value_dtype}."
                )
        name = name or "hash_bucket"
        if not key_dtype.is_integer and key_dtype != dtypes.string:
            raise TypeError(f"Invalid key_dtype, expected integer or string, got {key_dtype}.")
        self._table_name = name.rpartition("/")[2]
        super().__init__(key_dtype, dtypes.int64)

    @property
    def resource_handle(self) -> Any:
        """The handle of the vocabulary table, None without one."""
        return None if self._table is None else self._table.resource_handle

    @property
    def name(self) -> str:
        """The name of the table."""
        return self._table_name

    @property
    def initializer(self) -> Operation:
        """The operation that fills the vocabulary table."""
        if self._table is not None:
            return self._table.initializer
        with name_scope(None, "init"):
            return no_op()

    def size(self, name: str | None = None) -> Tensor:
        """The number of vocabulary entries and buckets, an int64 scalar."""
        with name_scope(name, f"{self.name}_Size"):
            if self._table is not None:
                count = self._table.size()
            else:
                count = convert_to_tensor(0, dtype=dtypes.int64)
            return count + self._num_oov_buckets

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The ids of keys: those of the vocabulary, then those of the buckets."""
        self._check_keys(keys)
        values = keys.values if isinstance(keys, SparseTensor) else keys
        if self._table is not None and self._table.key_dtype.base_dtype == dtypes.int64:
            values = math_nodes.cast(values, dtypes.int64)
        if self._num_oov_buckets == 0:
            ids = self._table.lookup(values, name=name)
        else:
            with name_scope(name, f"{self.name}_Lookup"):
                ids = self._in_buckets(values)
        if isinstance(keys, SparseTensor):
            return SparseTensor(keys.indices, ids, keys.dense_shape)
        return ids

    def _in_buckets(self, values: Tensor) -> Tensor:
        text = values if values.dtype.base_dtype == dtypes.string else raw.AsString(values)
        buckets = _bucket_function(self._hasher_spec)(
            text, num_buckets=self._num_oov_buckets, name="hash_bucket"
        )
        if self._table is None:
            return buckets
        ids = self._table.lookup(values)
        buckets = raw.Add(buckets, self._table.size())
        known = raw.NotEqual(ids, self._table.default_value)
        return raw.SelectV2(known, ids, buckets)


@export("contrib.lookup.IdTableWithHashBuckets")
class IdTableWithHashBuckets(_BucketTable):
    """A vocabulary table whose unknown keys get ids of hash buckets behind the vocabulary."""

    def __init__(
        self,
        table: Any,
        num_oov_buckets: int,
        hasher_spec: Any = FastHashSpec,
        name: str | None = None,
        key_dtype: Any = None,
    ):
        if not table and num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0 if no table is supplied.")
        if key_dtype is None:
            key_dtype = table.key_dtype if table else dtypes.string
        if not isinstance(hasher_spec, HasherSpec):
            raise TypeError(f"hasher_spec must be of type HasherSpec, got {hasher_spec}")
        super().__init__(
            table or None,
            num_oov_buckets,
            hasher_spec,
            name.rstrip("/") if name else name,
            dtypes.as_dtype(key_dtype),
        )

    @property
    def init(self) -> Operation:
        """The operation that fills the vocabulary table."""
        return self.initializer


@export("lookup.StaticVocabularyTable")
class StaticVocabularyTable(_BucketTable):
    """A vocabulary that `initializer` fills, with `num_oov_buckets` hash buckets behind it."""

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
    ):
        if num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0.")
        table = None
        key_dtype: Any = dtypes.string
        if initializer:
            key_dtype = lookup_key_dtype or initializer.key_dtype
            if initializer.value_dtype != dtypes.int64:
                raise TypeError(
                    f"Invalid value dtype, expected {dtypes.int64} but got "
                    f"{initializer.value_dtype}."
                )
            table = HashTable(initializer, default_value=-1)
        super().__init__(
            table,
            num_oov_buckets,
            FastHashSpec,
            name.rstrip("/") if name else name,
            dtypes.as_dtype(key_dtype),
        )


# -- vocabularies --------------------------------------------------------------------------------


def _check_vocabulary(buckets: int, size: int | None, file: Any) -> None:
    if buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {buckets}.")
    if size is not None and size < 1:
        shown = file
        if isinstance(file, Tensor):
            value = constant_value(file)
            shown = "?" if value is None else value
        raise ValueError(f"vocab_size must be greater than 0, got {size}. vocabulary_file: {shown}")


@export("contrib.lookup.index_table_from_file")
def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    key_dtype: Any = dtypes.string,
    name: str | None = None,
    key_column_index: int = TextFileIndex.WHOLE_LINE,
    value_column_index: int = TextFileIndex.LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    """A table from the lines of a file to their numbers, with hash buckets for other keys."""
    if vocabulary_file is None or (isinstance(vocabulary_file, str) and not vocabulary_file):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    _check_vocabulary(num_oov_buckets, vocab_size, vocabulary_file)
    key_dtype = dtypes.as_dtype(key_dtype)
    if not key_dtype.is_integer and key_dtype.base_dtype != dtypes.string:
        raise TypeError("Only integer and string keys are supported.")
    with name_scope(name, "string_to_index"):
        with name_scope(None, "hash_table"):
            fill = TextFileIdTableInitializer(
                vocabulary_file,
                vocab_size=vocab_size,
                key_dtype=dtypes.int64 if key_dtype.is_integer else key_dtype,
                name="table_init",
                key_column_index=key_column_index,
                value_column_index=value_column_index,
                delimiter=delimiter,
            )
            table: Any = StaticHashTable(fill, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(
                table, num_oov_buckets, hasher_spec=hasher_spec, key_dtype=key_dtype
            )
        return table


@export("contrib.lookup.index_table_from_tensor")
def index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    dtype: Any = dtypes.string,
    name: str | None = None,
) -> Any:
    """A table from the elements of `mapping` [n] to their places, with hash buckets for others."""
    if mapping is None:
        raise ValueError("vocabulary_list must be specified.")
    _check_vocabulary(num_oov_buckets, None, None)
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_integer and dtype.base_dtype != dtypes.string:
        raise TypeError("Only integer and string keys are supported.")
    with name_scope(name, "string_to_index"):
        keys = convert_to_tensor(mapping)
        if keys.dtype.is_integer != dtype.is_integer:
            kind = "integer" if dtype.is_integer else "non-integer"
            raise ValueError(f"Expected {kind}, got {keys.dtype}.")
        if not dtype.is_integer and keys.dtype.base_dtype != dtype:
            raise ValueError(f"Expected {dtype}, got {keys.dtype}.")
        values = math_nodes.cast(math_nodes.range(arrays.size(keys)), dtypes.int64)
        with name_scope(None, "hash_table"):
            if keys.dtype.is_integer:
                keys = math_nodes.cast(keys, dtypes.int64)
            fill = KeyValueTensorInitializer(
                keys, values, keys.dtype.base_dtype, dtypes.int64, name="table_init"
            )
            table: Any = StaticHashTable(fill, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(
                table, num_oov_buckets, hasher_spec=hasher_spec, key_dtype=dtype
            )
        return table


@export("contrib.lookup.index_to_string_table_from_file")
def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: str = "UNK",
    name: str | None = None,
    key_column_index: int = TextFileIndex.LINE_NUMBER,
    value_column_index: int = TextFileIndex.WHOLE_LINE,
    delimiter: str = "\t",
) -> StaticHashTable:
    """A table from line numbers to the lines of a file."""
    if vocabulary_file is None or (isinstance(vocabulary_file, str) and not vocabulary_file):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(f"vocab_size must be greater than 0, got {vocab_size}.")
    with name_scope(name, "index_to_string"):
        fill = TextFileStringTableInitializer(
            vocabulary_file,
            vocab_size=vocab_size,
            name="table_init",
            key_column_index=key_column_index,
            value_column_index=value_column_index,
            delimiter=delimiter,
        )
        return StaticHashTable(fill, default_value)


@export("contrib.lookup.index_to_string_table_from_tensor")
def index_to_string_table_from_tensor(
    mapping: Any, default_value: str = "UNK", name: str | None = None
) -> StaticHashTable:
    """A table from places to the elements of `mapping` [n]."""
    if mapping is None:
        raise ValueError("vocabulary_list must be specified.")
    with name_scope(name, "index_to_string"):
        words = convert_to_tensor(mapping, dtypes.string)
        keys = math_nodes.cast(math_nodes.range(arrays.size(words)), dtypes.int64)
        fill = KeyValueTensorInitializer(
            keys, words, dtypes.int64, dtypes.string, name="table_init"
        )
        return StaticHashTable(fill, default_value)


# -- older names ---------------------------------------------------------------------------------


@export("contrib.lookup.string_to_index_table_from_file")
def string_to_index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    name: str | None = None,
) -> Any:
    """`index_table_from_file` of strings."""
    return index_table_from_file(
        vocabulary_file,
        num_oov_buckets,
        vocab_size,
        default_value,
        hasher_spec,
        key_dtype=dtypes.string,
        name=name,
    )


@export("contrib.lookup.string_to_index_table_from_tensor")
def string_to_index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    name: str | None = None,
) -> Any:
    """`index_table_from_tensor` of strings."""
    return index_table_from_tensor(
        mapping, num_oov_buckets, default_value, hasher_spec, dtype=dtypes.string, name=name
    )


@export("contrib.lookup.string_to_index")
def string_to_index(
    tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None
) -> Tensor:
    """The places of strings in `mapping` [n]."""
    table = index_table_from_tensor(mapping=mapping, default_value=default_value, name=name)
    return table.lookup(tensor)


@export("contrib.lookup.index_to_string")
def index_to_string(
    tensor: Any, mapping: Any, default_value: str = "UNK", name: str | None = None
) -> Tensor:
    """The elements of `mapping` [n] at places."""
    table = index_to_string_table_from_tensor(
        mapping=mapping, default_value=default_value, name=name
    )
    return table.lookup(tensor)
