"""Readers: records of the files whose names a queue gives, one file after the other."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from relight.engine.dataset_files import fixed_records, tell_byte, tell_line
from relight.formats.tfrecord import TFRecordReader
from relight.graph import errors
from relight.ops.files import told

Record = tuple[bytes, bytes]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


class Reader:
    """Gives (key, value) pairs of the *work* that a queue of strings names, from many threads."""

    saves_state = False
    one_record = False  # whether work is done with its first record
    # The places of records, a first and a last one, of which it gets the keys.
    tell: Callable[..., str]

    def __init__(self, name: str, attrs: dict[str, Any]):
        self.name = name
        self.attrs = attrs
        self._lock = threading.Lock()
        self._records: Iterator[Record] | None = None
        self.records_produced = 0
        self.units_completed = 0

    def _open(self, work: bytes) -> Iterator[Record]:
        raise NotImplementedError

    def _next(self, queue: Any, timeout: float | None, begin: bool) -> Record | None:
        """The next record; None when the work is done and no other may be begun."""
        while True:
            if self._records is None:
                if not begin:
                    return None
                (work,) = queue.dequeue(timeout)
                name = work.item()
                with told(_text(name)):
                    self._records = self._open(name)
            try:
                with told():
                    record = next(self._records)
            except StopIteration:
                self._records = None
                self.units_completed += 1
                continue
            except Exception:
                self._records = None  # the next call goes on with other work
                raise
            self.records_produced += 1
            if self.one_record:
                self._records = None
                self.units_completed += 1
            return record

    def read(self, queue: Any, timeout: float | None = None) -> Record:
        """The next record; waits for work in `queue`, and raises OutOfRangeError at its end."""
        with self._lock:
            record = self._next(queue, timeout, True)
        assert record is not None
        return record

    def read_up_to(self, queue: Any, count: int, timeout: float | None = None) -> list[Record]:
        """Up to `count` records, at least one, of the work under way (or begun now)."""
        records: list[Record] = []
        with self._lock:
            while len(records) < count:
                record = self._next(queue, timeout, begin=not records)
                if record is None:
                    break
                records.append(record)
        return records

    def read_ahead(
        self, queue: Any, count: int, timeout: float | None = None
    ) -> tuple[list[Record], Exception | None]:
        """Up to `count` records, and the error that ended them early.

        It waits for the first record only, and ends early where it would wait for work.
        """
        records: list[Record] = []
        with self._lock:
            while len(records) < count:
                try:
                    record = self._next(queue, timeout, not records or queue.size() > 0)
                    if record is None:
                        break
                    records.append(record)
                    self._take(records, count - len(records))
                except Exception as error:
                    return records, error
        return records, None

    def _take(self, records: list[Record], count: int) -> None:
        """Add what the work under way has, up to `count` records. An error ends the work."""
        if self._records is None:
            return
        before = len(records)
        try:
            with told():
                for record in itertools.islice(self._records, count):
                    records.append(record)
        except Exception:
            self._records = None
            raise
        finally:
            self.records_produced += len(records) - before

    def reset(self) -> None:
        """Forget the work under way and the counts."""
        with self._lock:
            self._records = None
            self.records_produced = self.units_completed = 0

    def state(self) -> bytes:
        """The counts as bytes. UnimplementedError when the reader cannot go on from them."""
        if not self.saves_state:
            raise errors.UnimplementedError(None, None, "Reader SerializeState")
        with self._lock:
            return np.array([self.records_produced, self.units_completed], "<i8").tobytes()

    def restore(self, state: bytes) -> None:
        """Go on from what `state` gave."""
        if not self.saves_state:
            raise errors.UnimplementedError(None, None, "Reader RestoreState")
        if len(state) != 16:
            raise errors.InvalidArgumentError(
                None, None, f"Could not parse the state of reader {self.name}: {state!r}"
            )
        with self._lock:
            self._records = None
            self.records_produced, self.units_completed = np.frombuffer(state, "<i8").tolist()


def _tell_places(tell: Callable[[str, int], str], places: list[tuple[str, int]]) -> str:
    text = tell(*places[0])
    if places[-1] != places[0]:
        text += f" to {tell(*places[-1])}"
    return text


def _tell_work(*keys: bytes) -> str:
    return " to ".join(dict.fromkeys(map(_text, keys)))


def _tell_line(*keys: bytes) -> str:
    parts = [key.rpartition(b":") for key in keys]
    return _tell_places(tell_line, [(_text(path), int(number)) for path, _, number in parts])


def _tell_offset(*keys: bytes) -> str:
    parts = [key.rpartition(b":") for key in keys]
    return _tell_places(tell_byte, [(_text(path), int(number)) for path, _, number in parts])


class Identity(Reader):
    """The work itself, as key and as value."""

    tell = staticmethod(_tell_work)
    saves_state = True
    one_record = True

    def _open(self, work: bytes) -> Iterator[Record]:
        return iter([(work, work)])


class WholeFile(Reader):
    """Name and contents of a file."""

    tell = staticmethod(_tell_work)
    saves_state = True
    one_record = True

    def _open(self, work: bytes) -> Iterator[Record]:
        with open(_text(work), "rb") as file:
            return iter([(work, file.read())])


class TextLine(Reader):
    """Lines, with the key `<file>:<number of the line>`, from 1."""

    tell = staticmethod(_tell_line)

    def _open(self, work: bytes) -> Iterator[Record]:
        return self._lines(work, open(_text(work), "rb", buffering=1 << 18))

    def _lines(self, work: bytes, file: Any) -> Iterator[Record]:
        skipped = self.attrs.get("skip_header_lines") or 0
        with file:
            for number, line in enumerate(file, 1):
                if number > skipped:
                    yield b"%s:%d" % (work, number), line.rstrip(b"\n").replace(b"\r", b"")


class TFRecord(Reader):
    """Records, with the key `<file>:<offset>`."""

    tell = staticmethod(_tell_offset)

    def _open(self, work: bytes) -> Iterator[Record]:
        reader = TFRecordReader(_text(work), self.attrs.get("compression_type") or "")
        return self._items(work, reader)

    @staticmethod
    def _items(work: bytes, reader: TFRecordReader) -> Iterator[Record]:
        with reader:
            while True:
                offset = reader.offset
                record = reader.read()
                if record is None:
                    return
                yield b"%s:%d" % (work, offset), record


class FixedLengthRecord(Reader):
    """Records of one length, with the key `<file>:<number of the record>`, from 0."""

    def __init__(self, name: str, attrs: dict[str, Any]):
        super().__init__(name, attrs)
        self._record = attrs["record_bytes"]
        self._header, self._footer = attrs["header_bytes"], attrs["footer_bytes"]
        self._hop = attrs["hop_bytes"] or self._record
        for what in ("header_bytes", "footer_bytes", "hop_bytes"):
            if attrs[what] < 0:
                raise errors.InvalidArgumentError(None, None, f"{what} must be >= 0")
        if self._record <= 0:
            raise errors.InvalidArgumentError(None, None, "record_bytes must be > 0")

        self.tell = functools.partial(_tell_record, attrs["header_bytes"], self._hop)

    def _open(self, work: bytes) -> Iterator[Record]:
        return self._items(work)

    def _items(self, work: bytes) -> Iterator[Record]:
        records = fixed_records(
            _text(work),
            self._header,
            self._record,
            self._footer,
            self._hop,
            self.attrs.get("encoding") or "",
        )
        for number, (_, record) in enumerate(records):
            yield b"%s:%d" % (work, number), record


def _tell_record(header: int, hop: int, *keys: bytes) -> str:
    """The places of a first and a last record that have these keys."""
    places = []
    for key in keys:
        path, _, number = key.rpartition(b":")
        places.append((_text(path), header + int(number) * hop))
    return _tell_places(tell_byte, places)


KINDS: dict[str, type[Reader]] = {
    "IdentityReader": Identity,
    "WholeFileReader": WholeFile,
    "TextLineReader": TextLine,
    "TFRecordReader": TFRecord,
    "FixedLengthRecordReader": FixedLengthRecord,
}
