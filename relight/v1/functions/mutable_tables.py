"""Tables that steps of a program change: `MutableHashTable`, `DenseHashTable`."""

from __future__ import annotations

from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.lookup import LookupInterface


class _MutableTable(LookupInterface):
    """A table with `insert`, `remove`, `lookup`, `export`; checkpoints hold it."""

    def __init__(self, key_dtype: Any, value_dtype: Any, name: str, checkpoint: bool):
        super().__init__(key_dtype, value_dtype)
        self._name, self._checkpoint = name, checkpoint
        self._default_value: Any = None
        self._table_name = ""

    def _finish(self, handle: Any) -> None:
        self._resource_handle = handle
        self._table_name = handle.op.name.rpartition("/")[2]
        if self._checkpoint:
            get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _saveable(self))

    @property
    def name(self) -> str:
        """The name of the table."""
        return self._table_name

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, an int64 scalar."""
        with (
            name_scope(name, f"{self.name}_Size", [self.resource_handle]),
            get_default_graph().colocate_with(self.resource_handle),
        ):
            return raw.LookupTableSizeV2(self.resource_handle)

    def lookup(self, keys: Any, name: str | None = None) -> Tensor:
        """The values of keys, the default value for unknown ones."""
        with name_scope(name, f"{self.name}_lookup_table_find", [self.resource_handle]):
            keys = convert_to_tensor(keys, dtype=self._key_dtype, name="keys")
            with get_default_graph().colocate_with(self.resource_handle):
                return raw.LookupTableFindV2(self.resource_handle, keys, self._default_value)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """The operation that sets the values of keys."""
        with name_scope(name, f"{self.name}_lookup_table_insert", [self.resource_handle]):
            keys = convert_to_tensor(keys, dtype=self._key_dtype, name="keys")
            values = convert_to_tensor(values, dtype=self._value_dtype, name="values")
            with get_default_graph().colocate_with(self.resource_handle):
                return raw.LookupTableInsertV2(self.resource_handle, keys, values)

    def remove(self, keys: Any, name: str | None = None) -> Operation:
        """The operation that forgets keys (a Tensor of the key type)."""
        if keys.dtype != self._key_dtype:
            raise TypeError(
                f"Signature mismatch. Keys must be dtype {self._key_dtype}, got {keys.dtype}."
            )
        with name_scope(name, f"{self.name}_lookup_table_remove", [self.resource_handle]):
            return raw.LookupTableRemoveV2(self.resource_handle, keys)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """(keys [n], values [n, ...]) of all entries, in any order."""
        scope = f"{self.name}_lookup_table_export_values"
        with (
            name_scope(name, scope, [self.resource_handle]),
            get_default_graph().colocate_with(self.resource_handle),
        ):
            found = raw.LookupTableExportV2(
                self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype
            )
        return found[0], found[1]


def _saveable(table: _MutableTable) -> Any:
    """What a Saver needs to save a table and to fill it again."""
    from relight.v1.train.saveables import SaveableObject, SaveSpec

    class Saveable(SaveableObject):
        """The keys and the values of a table."""

        def __init__(self) -> None:
            keys, values = table.export()
            specs = [
                SaveSpec(keys, "", f"{table._name}-keys"),
                SaveSpec(values, "", f"{table._name}-values"),
            ]
            super().__init__(table, specs, table._name)

        def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
            """The operation that gives the table these entries and no others."""
            del restored_shapes
            with (
                name_scope(None, f"{self.name}_table_restore"),
                get_default_graph().colocate_with(table.resource_handle),
            ):
                return raw.LookupTableImportV2(table.resource_handle, *restored_tensors)

    return Saveable()


@export("contrib.lookup.MutableHashTable")
class MutableHashTable(_MutableTable):
    """A table from scalars to values of the shape of `default_value`."""

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
    ):
        default = convert_to_tensor(default_value, dtype=value_dtype)
        super().__init__(key_dtype, value_dtype, name, checkpoint)
        self._default_value = default
        options = {
            "use_node_name_sharing": checkpoint,
            "key_dtype": self._key_dtype,
            "value_dtype": self._value_dtype,
            "name": name,
        }
        if default.shape.ndims == 0:
            self._finish(raw.MutableHashTableV2(**options))
        else:
            self._finish(raw.MutableHashTableOfTensorsV2(value_shape=default.shape, **options))


@export("lookup.experimental.DenseHashTable", "contrib.lookup.MutableDenseHashTable")
class DenseHashTable(_MutableTable):
    """`MutableHashTable` that keeps two keys, `empty_key` and `deleted_key`, for itself."""

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
    ):
        default = convert_to_tensor(default_value, dtype=value_dtype, name="default_value")
        empty = convert_to_tensor(empty_key, dtype=key_dtype, name="empty_key")
        deleted = convert_to_tensor(deleted_key, dtype=key_dtype, name="deleted_key")
        super().__init__(key_dtype, value_dtype, name, checkpoint)
        self._default_value = default
        self._finish(
            raw.MutableDenseHashTableV2(
                empty,
                deleted,
                use_node_name_sharing=checkpoint,
                value_dtype=self._value_dtype,
                value_shape=default.shape,
                initial_num_buckets=initial_num_buckets,
                name=name,
            )
        )

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """The operation that sets the values of keys."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Operation:
        """The operation that forgets keys."""
        return self.remove(keys, name)
