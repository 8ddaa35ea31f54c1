"""V1 checkpoints, checkpoint states, TFRecord, IDX and event files, against TensorFlow 1.15's."""

import errno
import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorboard.compat.proto.event_pb2 import Event

from relight.formats import events
from relight.formats.checkpoint_state import (
    CheckpointState,
    format_state,
    parse_state,
    read_state,
    write_state,
)
from relight.formats.checkpoint_v1 import CheckpointV1Reader
from relight.formats.errors import FormatError
from relight.formats.idx import format_idx, parse_idx, read_idx, write_idx
from relight.formats.tfrecord import TFRecordReader, TFRecordWriter, read_records

DATA = Path(__file__).parent / "data" / "formats"
THREE = [b"first", b"", b"third" * 100]


@pytest.mark.parametrize("name", ["v1", "v1s", "v1s-?????-of-00001", "v1s-00000-of-00001"])
def test_v1_checkpoint(name):
    with CheckpointV1Reader(DATA / name) as reader:
        values = {name: reader.read(name) for name in reader.names()}
        kinds = {name: reader.dtype_enum(name) for name in reader.names()}
    np.testing.assert_array_equal(values["part"], np.arange(40.0).reshape(10, 4))
    assert values["part"].dtype == np.float32
    np.testing.assert_array_equal(values["zeros"], np.zeros((20, 30)))
    assert values["count"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert values["text"].tolist() == [b"abc", b"", b"x" * 50]
    assert values["flag"].tolist() == [True, False]
    assert values["half"].tolist() == [1.5, -2.0]
    assert values["complex"].tolist() == [1 + 2j]
    assert values["double"] == 0.1
    assert values["byte"].tolist() == [1, 255]
    assert (kinds["half"], kinds["text"], kinds["byte"], kinds["flag"]) == (19, 7, 4, 10)


def test_v1_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        CheckpointV1Reader(tmp_path / "absent")
    with pytest.raises(KeyError):
        CheckpointV1Reader(DATA / "v1").read("absent")
    for other in ("types.index", "three.tfrecord"):
        with pytest.raises(FormatError, match=other):
            CheckpointV1Reader(DATA / other)
    (tmp_path / "x-00000-of-00002").write_bytes((DATA / "v1").read_bytes())
    with pytest.raises(FormatError, match="1 of 2 shards"):
        CheckpointV1Reader(tmp_path / "x")


@pytest.mark.parametrize("name", ["checkpoint.plain", "checkpoint.escapes"])
def test_checkpoint_state_prints_as_tensorflow(name):
    assert format_state(read_state(DATA / name)) == (DATA / name).read_text()


def test_checkpoint_state_values():
    state = read_state(DATA / "checkpoint.escapes")
    assert state.model_checkpoint_path == 'a "quoted" \\ b\n\t\x01 \u00e9\''
    assert state.all_model_checkpoint_paths == ["x-1", "x-2"]
    assert state.all_model_checkpoint_timestamps == [1574312345.1234567, 1e22]
    assert state.last_preserved_timestamp == 1.5


def test_checkpoint_state_syntax():
    text = """# comment
    model_checkpoint_path: 'a' "b\\x41\\101\\u00e9" ; all_model_checkpoint_paths: ["x", 'y'],
    all_model_checkpoint_timestamps: [] last_preserved_timestamp: 2f"""
    assert parse_state(text) == CheckpointState("abAA\u00e9", ["x", "y"], [], 2.0)
    for bad in (
        "model_checkpoint_path: 3",
        'model_checkpoint_path "a"',
        'other: "a"',
        'model_checkpoint_path: "a',
        'model_checkpoint_path: "a" model_checkpoint_path: "b"',
        'all_model_checkpoint_paths: ["a" "b",]',
        'model_checkpoint_path: "\\q"',
        'model_checkpoint_path: "\\777"',
    ):
        with pytest.raises(FormatError):
            parse_state(bad)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.floats(allow_nan=False)))
def test_checkpoint_state_round_trip(text, times):
    state = CheckpointState(text, [text, ""], times, 0.0)
    assert parse_state(format_state(state)) == state


def test_checkpoint_state_is_replaced_whole(tmp_path):
    for path in ("a", "b"):
        write_state(tmp_path / "checkpoint", CheckpointState(path, [path]))
    assert read_state(tmp_path / "checkpoint").model_checkpoint_path == "b"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize(("suffix", "kind"), [("", ""), (".gz", "GZIP"), (".zlib", "ZLIB")])
def test_tfrecord(tmp_path, suffix, kind):
    assert list(read_records(DATA / ("three.tfrecord" + suffix), kind)) == THREE
    with TFRecordWriter(tmp_path / "r", kind) as writer:
        for record in THREE:
            writer.write(record)
            writer.flush()
    assert list(read_records(tmp_path / "r", kind)) == THREE
    if not kind:
        assert (tmp_path / "r").read_bytes() == (DATA / "three.tfrecord").read_bytes()


def test_tfrecord_large_and_several_members(tmp_path):
    big = os.urandom(1 << 20) + bytes(3 << 20)
    for i in range(2):
        with TFRecordWriter(tmp_path / str(i), "GZIP") as writer:
            writer.write(big)
            writer.write(b"%d" % i)
    (tmp_path / "r").write_bytes((tmp_path / "0").read_bytes() + (tmp_path / "1").read_bytes())
    assert list(read_records(tmp_path / "r", "GZIP")) == [big, b"0", big, b"1"]
    (tmp_path / "empty").write_bytes(b"")
    assert list(read_records(tmp_path / "empty", "GZIP")) == []
    with pytest.raises(ValueError, match="SNAPPY"):
        TFRecordReader(tmp_path / "r", "SNAPPY")


def test_tfrecord_error_offsets(tmp_path):
    raw = bytearray((DATA / "three.tfrecord").read_bytes())
    raw[-10] ^= 1
    (tmp_path / "r").write_bytes(raw)
    reader = TFRecordReader(tmp_path / "r")
    assert [reader.read(), reader.read()] == THREE[:2]
    with pytest.raises(FormatError, match="data checksum") as caught:
        reader.read()
    assert caught.value.offset == reader.offset == 37
    (tmp_path / "r").write_bytes((DATA / "three.tfrecord").read_bytes()[:45])
    with pytest.raises(FormatError, match="byte 37: truncated record"):
        list(read_records(tmp_path / "r"))


@given(
    hnp.arrays(
        st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]),
        hnp.array_shapes(min_dims=0, min_side=0),
    )
)
def test_idx_round_trip(array):
    for data in (format_idx(array), gzip.compress(format_idx(array))):
        got = parse_idx(data)
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array)


def test_idx_files(tmp_path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    for name in ("a", "a.gz"):
        write_idx(tmp_path / name, array)
        np.testing.assert_array_equal(read_idx(tmp_path / name), array)
        with open(tmp_path / name, "rb") as file:
            np.testing.assert_array_equal(read_idx(file), array)
    assert (tmp_path / "a").read_bytes() == bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, *range(6)])
    with pytest.raises(TypeError, match="int64"):
        format_idx(np.zeros(2, np.int64))


def test_tensorflow_event_file():
    (path,) = events.event_files(DATA)
    kinds = [event.WhichOneof("what") for event in events.read_events(path)]
    assert kinds == ["file_version", "graph_def", "meta_graph_def", "summary", "session_log"]


def test_event_writer(tmp_path):
    threads = threading.active_count()
    writer = events.EventFileWriter(tmp_path / "a" / "b")
    assert events.event_files(writer.get_logdir()) == [], "a file without an event"
    for step in range(25):
        writer.add_event(Event(step=step, wall_time=step))
    writer.flush()
    first = writer.path
    got = list(events.read_events(first))
    assert got[0].file_version == "brain.Event:2"
    assert got[0].wall_time == int(Path(first).name.split(".")[3])
    assert [event.step for event in got[1:]] == list(range(25))
    writer.close()
    writer.close()
    writer.add_event(Event(step=99))
    writer.reopen()
    writer.add_event(Event(step=26))
    writer.close()
    assert writer.path != first, "reopening in the same second must not truncate"
    assert [event.step for event in events.read_events(writer.path)] == [0, 26]
    assert len(list(events.read_events(first))) == 26
    assert threading.active_count() <= threads


def test_event_writer_suffix_makes_the_file_at_once(tmp_path):
    with events.EventFileWriter(tmp_path, filename_suffix=".eval") as writer:
        (path,) = events.event_files(tmp_path)
        assert path == writer.path
        assert path.endswith(".eval")
        assert len(list(events.read_events(path))) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_event_writer_reports_a_full_disk(tmp_path):
    writer = events.EventFileWriter(tmp_path)
    writer.add_event(Event(step=1))
    writer.flush()
    writer._worker._file._file = open("/dev/full", "wb")
    writer.add_event(Event(step=2))
    with pytest.raises(OSError) as caught:
        writer.flush()
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError):
        writer.add_event(Event(step=3))
    with pytest.raises(OSError):
        writer.close()


def test_events_are_written_when_the_program_ends_without_close(tmp_path):
    program = (
        "import sys; from relight.formats.events import *\n"
        "writer = EventFileWriter(sys.argv[1], flush_secs=1000)\n"
        "for step in range(50): writer.add_event(Event(step=step))\n"
    )
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, check=True, timeout=60)
    (path,) = events.event_files(tmp_path)
    assert len(list(events.read_events(path))) == 51


def test_growing_event_file(tmp_path):
    (source,) = events.event_files(DATA)
    raw = Path(source).read_bytes()
    (tmp_path / "e").write_bytes(raw[:-3])
    assert len(list(events.read_events(tmp_path / "e", growing=True))) == 4
    with pytest.raises(FormatError, match="truncated"):
        list(events.read_events(tmp_path / "e"))


def test_event_writer_reports_what_is_no_event(tmp_path):
    writer = events.EventFileWriter(tmp_path)
    writer.add_event("text")
    with pytest.raises(AttributeError):
        writer.flush()
    with pytest.raises(AttributeError):
        writer.close()
