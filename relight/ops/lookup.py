"""Lookup tables: from keys (strings, integers) to values, filled once or again and again."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.graph.tensor_proto import numpy_dtype
from relight.ops.array import invalid, shape_text
from relight.ops.shape_rules import scalar, sizes

WHOLE_LINE, LINE_NUMBER = -2, -1


class Table:
    """A dictionary of scalars to values of one shape. `fixed`: filled by one initialization."""

    def __init__(self, key_dtype: Any, value_dtype: Any, shape: tuple[int, ...], fixed: bool):
        self.key_dtype, self.value_dtype = key_dtype, value_dtype
        self.shape = shape
        self.fixed = fixed
        self.ready = not fixed
        self.entries: dict[Any, Any] = {}
        self.forbidden: tuple[tuple[Any, str], ...] = ()
        self._lock = threading.Lock()

    def _array(self, values: list[Any], dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
        result = np.empty(shape, numpy_dtype(dtype) if dtype != dtypes.string else np.object_)
        if dtype == dtypes.string and len(shape) == 1:
            result[:] = values
        elif result.size:
            result[...] = np.array(values, result.dtype).reshape(shape)
        return result

    def _check(self, keys: list[Any]) -> None:
        for bad, what in self.forbidden:
            if bad in keys:
                raise invalid(f"Using the {what} as a table key is not allowed")

    def find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        """The values of keys, `default` for those that are not there."""
        if not self.ready:
            raise errors.FailedPreconditionError(None, None, "Table not initialized.")
        wanted = keys.ravel().tolist()
        self._check(wanted)
        missing = default[()] if default.ndim == 0 else default
        get = self.entries.get
        found = [get(k, missing) for k in wanted]
        shape = (*keys.shape, *self.shape)
        if self.value_dtype == dtypes.string:
            result = np.empty(len(found), np.object_)
            result[:] = found
            return result.reshape(shape)
        return np.array(found, numpy_dtype(self.value_dtype)).reshape(shape)

    def insert(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Set the values of keys."""
        flat = keys.ravel().tolist()
        self._check(flat)
        rows = values.reshape(len(flat), *self.shape)
        listed = rows.tolist() if not self.shape else list(rows)
        with self._lock:
            self.entries.update(zip(flat, listed, strict=True))

    def fill(self, keys: list[Any], values: list[Any]) -> None:
        """Initialize a fixed table; equal keys must have equal values."""
        with self._lock:
            if self.ready:
                return
            entries: dict[Any, Any] = {}
            for key, value in zip(keys, values, strict=True):
                if entries.setdefault(key, value) != value:
                    raise errors.FailedPreconditionError(
                        None,
                        None,
                        f"HashTable has different value for same key. Key {_text(key)} has "
                        f"{_text(entries[key])} and trying to add value {_text(value)}",
                    )
            self.entries, self.ready = entries, True

    def replace(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Give the table these entries and no others."""
        if self.fixed:
            self.fill(keys.ravel().tolist(), values.ravel().tolist())
            return
        with self._lock:
            self.entries = {}
        self.insert(keys, values)

    def remove(self, keys: np.ndarray) -> None:
        """Forget keys."""
        flat = keys.ravel().tolist()
        self._check(flat)
        with self._lock:
            for key in flat:
                self.entries.pop(key, None)

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        """(keys [n], values [n, ...])."""
        with self._lock:
            items = list(self.entries.items())
        count = len(items)
        return (
            self._array([k for k, _ in items], self.key_dtype, (count,)),
            self._array([v for _, v in items], self.value_dtype, (count, *self.shape)),
        )


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


# -- making --------------------------------------------------------------------------------------


def _maker(fixed: bool) -> Any:
    def specialise(node: Any) -> Any:
        attrs = node._attrs
        name = attrs["shared_name"] or node.name
        shape = attrs.get("value_shape")
        sizes_of = () if shape is None else tuple(shape.as_list())

        def make() -> Table:
            return Table(attrs["key_dtype"], attrs["value_dtype"], sizes_of, fixed)

        key = ("table", attrs["container"], name)
        return lambda state: state.resource(key, make)

    return specialise


for _name in ("HashTable", "HashTableV2"):
    op(_name, shape=scalar, specialise=True, takes_session=True)(_maker(True))
for _name in (
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
):
    op(_name, shape=scalar, specialise=True, takes_session=True)(_maker(False))


@op(
    "MutableDenseHashTableV2",
    shape=scalar,
    specialise=True,
    takes_session=True,
    host=("empty_key", "deleted_key"),
)
def MutableDenseHashTableV2(node: Any) -> Any:
    """A mutable table that keeps two keys for itself."""
    make = _maker(False)(node)

    def run(state, empty_key, deleted_key):
        table = make(state)
        table.forbidden = ((empty_key.item(), "empty_key"), (deleted_key.item(), "deleted_key"))
        return table

    return run


# -- filling -------------------------------------------------------------------------------------


def _fill(table, keys, values):
    if keys.size != values.size:
        raise invalid(f"Expected {keys.size} values, got {values.size}")
    table.fill(keys.ravel().tolist(), values.ravel().tolist())


for _name in ("InitializeTable", "InitializeTableV2"):
    op(_name, host=("keys", "values"))(_fill)


def _column(line: bytes, number: int, index: int, delimiter: bytes, dtype: Any, path: str) -> Any:
    if index == LINE_NUMBER:
        return number
    text = line
    if index != WHOLE_LINE:
        parts = line.split(delimiter)
        if index >= len(parts):
            raise invalid(
                f"Invalid number of columns in {path} line {number} "
                f"({line.decode(errors='replace')}) : expected at least {index + 1} got "
                f"{len(parts)}"
            )
        text = parts[index]
    if dtype == dtypes.string:
        return text
    try:
        return int(text) if dtype.is_integer else float(text)
    except ValueError:
        raise invalid(
            f"Field {text.decode(errors='replace')} in line {number} is not a valid {dtype.name}."
        ) from None


def _from_file(node: Any) -> Any:
    attrs = node._attrs
    size, delimiter = attrs["vocab_size"], attrs["delimiter"].encode()

    def run(table, filename):
        path = filename.item().decode()
        try:
            with open(path, "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            raise errors.NotFoundError(None, None, f"{path}; No such file or directory") from None
        if lines and not lines[-1]:
            lines.pop()
        lines = [line.removesuffix(b"\r") for line in lines]
        if size >= 0:
            if len(lines) < size:
                raise invalid(f"Invalid vocab_size in {path}: expected {size} but got {len(lines)}")
            lines = lines[:size]
        keys, values = [], []
        for i, line in enumerate(lines):
            keys.append(_column(line, i, attrs["key_index"], delimiter, table.key_dtype, path))
            values.append(
                _column(line, i, attrs["value_index"], delimiter, table.value_dtype, path)
            )
        table.fill(keys, values)

    return run


for _name in ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2"):
    op(_name, specialise=True)(_from_file)


def _insert(table, keys, values):
    if table.fixed:
        raise errors.UnimplementedError(None, None, "Insert is not supported by this table type")
    if tuple(values.shape) != (*keys.shape, *table.shape):
        raise invalid(
            f"Expected shape {shape_text((*keys.shape, *table.shape))} for value, got "
            f"{shape_text(values.shape)}"
        )
    table.insert(keys, values)


for _name in ("LookupTableInsert", "LookupTableInsertV2"):
    op(_name, host=("keys", "values"))(_insert)
for _name in ("LookupTableImport", "LookupTableImportV2"):
    op(_name, host=("keys", "values"))(lambda table, keys, values: table.replace(keys, values))
op("LookupTableRemoveV2", host=("keys",))(lambda table, keys: table.remove(keys))


# -- reading -------------------------------------------------------------------------------------


def _find_shape(node: Any) -> list[Any]:
    default, keys = sizes(node, 2), sizes(node, 1)
    return [None if not default or keys is None else (*keys, *default)]


def _find(table, keys, default):
    return table.find(keys, default)


for _name in ("LookupTableFind", "LookupTableFindV2"):
    op(_name, shape=_find_shape, host=("keys", "default_value"), host_out=True)(_find)
for _name in ("LookupTableSize", "LookupTableSizeV2"):
    op(_name, shape=scalar, host_out=True)(lambda table: np.array(len(table.entries), np.int64))


def _export_shape(node: Any) -> list[Any]:
    return [(None,), None]


for _name in ("LookupTableExport", "LookupTableExportV2"):
    op(_name, shape=_export_shape, host_out=True)(lambda table: table.export())

not_differentiable(
    "LookupTableFind",
    "LookupTableFindV2",
    "LookupTableInsert",
    "LookupTableInsertV2",
    "LookupTableSize",
    "LookupTableSizeV2",
    "HashTable",
    "HashTableV2",
    "InitializeTable",
    "InitializeTableV2",
    "InitializeTableFromTextFile",
    "InitializeTableFromTextFileV2",
    "MutableDenseHashTableV2",
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
)
