"""Damaged files: every reader answers with FormatError (or the right values), and soon."""

import gzip
import shutil
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.formats import checkpoint_state, crc, events, idx, tfrecord
from relight.formats.bundle import BundleReader, Entry
from relight.formats.checkpoint_v1 import CheckpointV1Reader
from relight.formats.errors import FormatError
from relight.formats.table import TableWriter
from relight.formats.wire import field_bytes, field_varint

DATA = Path(__file__).parent / "data" / "formats"
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def damage(draw, raw):
    """`raw` cut off, with bits flipped, or with a piece overwritten by large numbers."""
    kind = draw(st.sampled_from(["cut", "flip", "lie", "grow"]))
    data = bytearray(raw)
    if kind == "cut":
        del data[draw(st.integers(0, len(raw) - 1)) :]
    elif kind == "flip":
        for _ in range(draw(st.integers(1, 4))):
            data[draw(st.integers(0, len(raw) - 1))] ^= 1 << draw(st.integers(0, 7))
    elif kind == "lie":
        at = draw(st.integers(0, len(raw) - 1))
        data[at : at + 8] = b"\xff" * draw(st.integers(1, 8))
    else:
        data += draw(st.binary(min_size=1, max_size=20))
    return bytes(data)


def read_all(reader):
    with reader:
        return {name: reader.read(name) for name in reader.names()}


def survives(read):
    """Run `read`; FormatError is fine, any other exception is not. Memory stays small."""
    tracemalloc.start()
    try:
        read()
    except FormatError as error:
        assert str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 << 20


@FUZZ
@given(data=st.data())
def test_bundle(tmp_path, data):
    name = data.draw(st.sampled_from(["types", "parts", "merged"]))
    files = sorted(DATA.glob(name + ".*"))
    for file in files:
        shutil.copy(file, tmp_path)
    victim = data.draw(st.sampled_from(files))
    (tmp_path / victim.name).write_bytes(data.draw(damage(victim.read_bytes())))
    survives(lambda: read_all(BundleReader(tmp_path / name)))


@FUZZ
@given(data=st.data())
def test_index_entries_that_lie_with_good_checksums(tmp_path, data):
    """Table and checksums are right; what the entries say is not.

    The header stays: another number of shards asks for other files (FileNotFoundError).
    """
    raw = dict(BundleReader(DATA / "parts")._raw)
    raw[b""] = field_varint(1, 1)
    for key in list(raw):
        if key and data.draw(st.booleans()):
            raw[key] = data.draw(damage(raw[key]))
    raw[b"z"] = data.draw(
        st.builds(
            Entry,
            st.sampled_from([0, 1, 7, 10, 14, 20, 99]),
            st.lists(st.integers(0, (1 << 63) - 1), max_size=40).map(tuple),
            st.integers(0, 3),
            st.integers(0, 1 << 62),
            st.integers(0, 1 << 62),
        )
    ).encode()
    with open(tmp_path / "x.index", "wb") as file:
        table = TableWriter(file)
        for key in sorted(raw):
            table.add(key, raw[key])
        table.finish()
    shutil.copy(DATA / "parts.data-00000-of-00001", tmp_path / "x.data-00000-of-00001")
    for name in ("w", "z"):
        survives(lambda name=name: BundleReader(tmp_path / "x").read(name))


def test_slices_that_share_bytes_cannot_ask_for_more_than_there_is(tmp_path):
    pieces = [((i * 8, 8),) for i in range(100000)]
    from relight.formats.tensor_slice import slice_key

    table_path = tmp_path / "x.index"
    with open(table_path, "wb") as file:
        table = TableWriter(file)
        table.add(b"", field_varint(1, 1))
        value = Entry(1, (8,), 0, 0, 32, 0).encode()
        for key in sorted(slice_key(b"w", piece) for piece in pieces[:1000]):
            table.add(key, value)
        table.add(b"w", Entry(1, (8000,), slices=pieces[:1000]).encode())
        table.finish()
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(32))
    with pytest.raises(FormatError, match="claim 32000 bytes of 32"):
        BundleReader(tmp_path / "x").read("w")


@FUZZ
@given(data=st.data())
def test_v1(tmp_path, data):
    (tmp_path / "v1").write_bytes(data.draw(damage((DATA / "v1").read_bytes())))
    survives(lambda: read_all(CheckpointV1Reader(tmp_path / "v1")))


@FUZZ
@given(data=st.data())
def test_v1_messages_with_good_checksums(tmp_path, data):
    from relight.formats.table import TableReader

    with TableReader(DATA / "v1") as table:
        raw = {key: value for key, value, _ in table.items()}
    key = data.draw(st.sampled_from(sorted(raw)))
    raw[key] = data.draw(damage(raw[key]))
    with open(tmp_path / "v1", "wb") as file:
        writer = TableWriter(file)
        for key in sorted(raw):
            writer.add(key, raw[key])
        writer.finish()
    survives(lambda: read_all(CheckpointV1Reader(tmp_path / "v1")))


@FUZZ
@given(data=st.data())
def test_tfrecord(tmp_path, data):
    suffix, kind = data.draw(st.sampled_from([("", ""), (".gz", "GZIP"), (".zlib", "ZLIB")]))
    raw = (DATA / ("three.tfrecord" + suffix)).read_bytes()
    (tmp_path / "r").write_bytes(data.draw(damage(raw)))
    survives(lambda: list(tfrecord.read_records(tmp_path / "r", kind)))


@pytest.mark.parametrize("kind", ["", "GZIP", "ZLIB"])
@pytest.mark.parametrize("length", [1 << 20, 1 << 33, (1 << 64) - 1])
def test_tfrecord_length_that_lies(tmp_path, kind, length):
    header = length.to_bytes(8, "little")
    raw = header + crc.masked_crc32c(header).to_bytes(4, "little") + b"short"
    raw = {"": raw, "GZIP": gzip.compress(raw), "ZLIB": zlib.compress(raw)}[kind]
    (tmp_path / "r").write_bytes(raw)
    survives(lambda: list(tfrecord.read_records(tmp_path / "r", kind)))
    with pytest.raises(FormatError, match=r"r, byte 0: truncated record"):
        list(tfrecord.read_records(tmp_path / "r", kind))


@FUZZ
@given(data=st.data())
def test_events(tmp_path, data):
    (source,) = events.event_files(DATA)
    (tmp_path / "e").write_bytes(data.draw(damage(Path(source).read_bytes())))
    survives(lambda: list(events.read_events(tmp_path / "e")))


def test_event_that_is_none(tmp_path):
    with tfrecord.TFRecordWriter(tmp_path / "e") as writer:
        writer.write(b"\xff\xff\xff")
    with pytest.raises(FormatError, match="no Event"):
        list(events.read_events(tmp_path / "e"))


@FUZZ
@given(data=st.data(), zipped=st.booleans())
def test_idx(data, zipped):
    raw = idx.format_idx(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    raw = gzip.compress(raw, mtime=0) if zipped else raw
    damaged = data.draw(damage(raw))
    survives(lambda: idx.parse_idx(damaged, "x"))


def test_idx_bomb():
    bomb = gzip.compress(bytes((0, 0, 8, 1)) + (16).to_bytes(4, "big") + bytes(50 << 20))
    survives(lambda: idx.parse_idx(bomb))
    with pytest.raises(FormatError, match="more"):
        idx.parse_idx(bomb)


@FUZZ
@given(data=st.data())
def test_checkpoint_state(data):
    raw = (DATA / "checkpoint.escapes").read_bytes()
    survives(lambda: checkpoint_state.parse_state(data.draw(damage(raw))))


@given(st.binary(max_size=60))
def test_arbitrary_bytes(raw):
    survives(lambda: checkpoint_state.parse_state(raw))
    survives(lambda: idx.parse_idx(raw))


def test_deeply_repeated_prefixes_are_refused(tmp_path):
    """A long key, then many entries that share all of it: quadratic memory if it were believed."""
    from relight.formats import table as t

    builder = t._BlockBuilder(1 << 30)
    builder.add(b"a" * 4000, b"")
    for i in range(2000):
        builder.add(b"a" * 4000 + i.to_bytes(2, "big"), b"")
    with open(tmp_path / "x.index", "wb") as file:
        writer = TableWriter(file)
        writer._data = builder
        writer._last_key = b"b"
        writer.finish()
    with pytest.raises(FormatError, match="expand"):
        BundleReader(tmp_path / "x")


def test_shape_proto_of_unknown_rank_is_refused(tmp_path):
    with open(tmp_path / "x.index", "wb") as file:
        table = TableWriter(file)
        table.add(b"", field_varint(1, 1))
        table.add(b"u", field_varint(1, 1) + field_bytes(2, field_varint(3, 1)))
        table.finish()
    with pytest.raises(FormatError, match="unknown rank"):
        BundleReader(tmp_path / "x").read("u")


@pytest.mark.slow
def test_v1_slice_that_is_listed_many_times(tmp_path):
    from relight.formats.table import TableReader
    from relight.formats.tensor_slice import encode_shape, encode_slice

    with TableReader(DATA / "v1") as table:
        raw = {key: value for key, value, _ in table.items()}
    piece = field_bytes(4, encode_slice(((0, 20), (0, 30))))
    tensor = field_bytes(1, b"zeros") + field_bytes(2, encode_shape((20 * 5000, 30)))
    tensor += field_varint(3, 1) + piece * 5000
    raw[b""] = field_bytes(1, field_bytes(1, tensor))
    with open(tmp_path / "v1", "wb") as file:
        writer = TableWriter(file)
        for key in sorted(raw):
            writer.add(key, raw[key])
        writer.finish()
    survives(lambda: read_all(CheckpointV1Reader(tmp_path / "v1")))
    with pytest.raises(FormatError, match="cover it once"):
        CheckpointV1Reader(tmp_path / "v1").read("zeros")
