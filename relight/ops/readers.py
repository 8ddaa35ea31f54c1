"""Readers: ops that make them and read records of the files that a queue names."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph.opdef import not_differentiable, op
from relight.ops.call import boxed
from relight.ops.files import note_read
from relight.ops.shape_rules import scalar

_KINDS = "IdentityReader WholeFileReader TextLineReader TFRecordReader FixedLengthRecordReader"


def strings(values: list[bytes]) -> np.ndarray:
    """A string vector."""
    array = np.empty(len(values), np.object_)
    array[:] = values
    return array


def _reader_maker(node: Any) -> Any:
    kind = node.type.removesuffix("V2")
    attrs = node._attrs
    shared = attrs.get("shared_name") or ""
    key = ("reader", attrs.get("container") or "", shared or node)

    def find(state: Any) -> Any:
        return state.resource(
            key, lambda: state.engine("readers").KINDS[kind](shared or node.name, attrs)
        )

    return find


def _read(node: Any) -> Any:
    """The next record: key and value."""
    name = node.name

    def read(state: Any, reader: Any, queue: Any) -> list[np.ndarray]:
        key, value = reader.read(queue, state.timeout)
        note_read(name, reader.tell, key)
        return [boxed(key), boxed(value)]

    return read


def _read_up_to(node: Any) -> Any:
    """Up to `num_records` records of one file: keys and values."""
    name = node.name

    def read(state: Any, reader: Any, queue: Any, num_records: np.ndarray) -> list[np.ndarray]:
        records = reader.read_up_to(queue, int(num_records), state.timeout)
        keys = [k for k, _ in records]
        if keys:
            note_read(name, reader.tell, keys[0], keys[-1])
        return [strings(keys), strings([v for _, v in records])]

    return read


def _vectors(node: Any) -> list[Any]:
    return [(None,), (None,)]


def _produced(reader: Any) -> np.ndarray:
    """How many records were read."""
    return np.array(reader.records_produced, np.int64)


def _completed(reader: Any) -> np.ndarray:
    """How many files were read to their end."""
    return np.array(reader.units_completed, np.int64)


def _state(reader: Any) -> np.ndarray:
    """What the reader has done, as a string."""
    return boxed(reader.state())


def _restore(reader: Any, state: np.ndarray) -> None:
    """Go on from a state."""
    reader.restore(state.item())


def _reset(reader: Any) -> None:
    """Begin anew."""
    reader.reset()


_READS = {"host_out": True, "specialise": True, "takes_session": True}
_TABLE: list[tuple[str, Any, dict[str, Any]]] = [
    *(
        (kind, _reader_maker, {"shape": scalar, "specialise": True, "takes_session": True})
        for kind in _KINDS.split()
    ),
    ("ReaderRead", _read, {"shape": scalar, **_READS}),
    ("ReaderReadUpTo", _read_up_to, {"shape": _vectors, "host": ("num_records",), **_READS}),
    ("ReaderNumRecordsProduced", _produced, {"shape": scalar, "host_out": True}),
    ("ReaderNumWorkUnitsCompleted", _completed, {"shape": scalar, "host_out": True}),
    ("ReaderSerializeState", _state, {"shape": scalar, "host_out": True}),
    ("ReaderRestoreState", _restore, {"host": ("state",)}),
    ("ReaderReset", _reset, {}),
]

# The older twins without "V2" were removed from TensorFlow long before 1.15.
for _name, _kernel, _settings in _TABLE:
    op(_name + "V2", stateful=True, **_settings)(_kernel)
    not_differentiable(_name + "V2")
