"""V2 checkpoint bundles and the tables under them, against files that TensorFlow 1.15 wrote."""

import contextlib
import os
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relight.formats.bundle import NUMPY_DTYPES, BundleReader, BundleWriter, merge_bundles
from relight.formats.crc import crc32c, mask, unmask
from relight.formats.errors import FormatError
from relight.formats.table import TableReader, TableWriter, snappy_decompress
from relight.formats.tensor_slice import slice_key
from relight.formats.wire import read_varint, signed, write_varint

DATA = Path(__file__).parent / "data" / "formats"
PARTS = ["10 4 0,4:0,4", "10 4 4,3:0,4", "10 4 7,3:-"]


def test_crc32c_standard_vectors():
    # RFC 3720, appendix B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"world", crc32c(b"hello ")) == crc32c(b"hello world")
    for kind in (bytearray, memoryview):
        assert crc32c(kind(b"hello world")) == crc32c(b"hello world")
    assert unmask(mask(0x12345678)) == 0x12345678


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_varint_round_trip(value):
    data = write_varint(value)
    got, end = read_varint(data, 0, len(data))
    assert end == len(data) <= 10
    assert value in (got, signed(got))


def test_tensorflow_bundle_values():
    with BundleReader(DATA / "types") as reader:
        names = [n for n in reader.names() if n.startswith("type/")]
        assert len(names) == 16
        for name in names:
            kind = name.split("/")[1]
            want = {"bfloat16": ml_dtypes.bfloat16, "qint8": "int8"}.get(kind, kind)
            array = reader.read(name)
            assert array.dtype == np.dtype(want)
            np.testing.assert_array_equal(array, np.arange(6).reshape(3, 2).astype(want))
            assert NUMPY_DTYPES[reader.dtype_enum(name)] == array.dtype
        assert reader.dtype_enum("type/qint8") == 11
        assert reader.read("text").tolist() == [b"a", b"", b"z" * 300]
        assert reader.read("text/scalar")[()] == b"x\0y"
        assert reader.shape("zero") == reader.read("zero").shape == (0, 3)
        assert not reader.has("absent")
        with pytest.raises(KeyError, match="absent"):
            reader.read("absent")


def test_bytes_equal_tensorflows(tmp_path):
    with BundleReader(DATA / "types") as reader, BundleWriter(tmp_path / "types") as writer:
        for name in sorted(reader.names(), key=lambda n: reader.entry(n).offset):
            writer.add(name, reader.read(name), dtype_enum=reader.dtype_enum(name))
    with BundleWriter(tmp_path / "parts") as writer:
        full = np.arange(40, dtype=np.float32).reshape(10, 4)
        for spec, piece in zip(PARTS, (full[:4], full[4:7], full[7:]), strict=True):
            writer.add("w", piece, spec)
    for name in ("types", "parts"):
        for end in (".index", ".data-00000-of-00001"):
            assert (tmp_path / (name + end)).read_bytes() == (DATA / (name + end)).read_bytes()
    assert len(list(tmp_path.iterdir())) == 4, "temporary files are left"


def test_partitioned_tensor():
    full = np.arange(40, dtype=np.float32).reshape(10, 4)
    with BundleReader(DATA / "parts") as reader:
        assert reader.names() == ["w"]
        np.testing.assert_array_equal(reader.read("w"), full)
        np.testing.assert_array_equal(reader.read("w", PARTS[1]), full[4:7])
        np.testing.assert_array_equal(reader.read("w", "10 4 2,6:1,2"), full[2:8, 1:3])
        for bad in ("10 5 0,1:-", "10 4 9,2:-", "10 4 -", "ten"):
            with pytest.raises(ValueError):
                reader.read("w", bad)


def test_merge_equals_tensorflows(tmp_path):
    parts = [tmp_path / f"temp{i}" / f"part-{i:05d}-of-00002" for i in range(2)]
    for i, prefix in enumerate(parts):
        with BundleWriter(prefix) as writer:
            writer.add("p", np.full((2, 2), i, np.float32), f"4 2 {2 * i},2:0,2")
            writer.add(f"q{i}", np.int32(i))
    merge_bundles(parts, tmp_path / "merged")
    names = ["merged.data-00000-of-00002", "merged.data-00001-of-00002", "merged.index"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
    with BundleReader(tmp_path / "merged") as reader:
        assert reader.read("p").tolist() == [[0, 0], [0, 0], [1, 1], [1, 1]]
        assert reader.read("q1") == 1


def test_merge_refuses_duplicates(tmp_path):
    for i in range(2):
        with BundleWriter(tmp_path / f"part{i}") as writer:
            writer.add("x", np.zeros(2))
    with pytest.raises(ValueError, match="x is in"):
        merge_bundles([tmp_path / "part0", tmp_path / "part1"], tmp_path / "merged")
    assert BundleReader(tmp_path / "part1").names() == ["x"]


ARRAYS = hnp.arrays(
    st.sampled_from(["f2", "f4", "f8", ">f4", "i1", "u2", "i8", "?", "c8"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
STRINGS = st.lists(st.binary(max_size=5), max_size=5).map(
    lambda values: np.array([*values, None], object)[:-1]
)


@settings(max_examples=40, deadline=None)
@given(
    tensors=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        ARRAYS | STRINGS,
        max_size=5,
    )
)
def test_round_trip(tmp_path_factory, tensors):
    prefix = tmp_path_factory.mktemp("bundle") / "x"
    with BundleWriter(prefix, sync=False) as writer:
        for name, array in tensors.items():
            writer.add(name, array)
    with BundleReader(prefix) as reader:
        assert set(reader.names()) == set(tensors)
        for name, array in tensors.items():
            got = reader.read(name)
            assert got.shape == array.shape
            np.testing.assert_array_equal(got, array)


def test_non_contiguous_and_rejected(tmp_path):
    writer = BundleWriter(tmp_path / "x")
    base = np.arange(12.0).reshape(3, 4)
    writer.add("t", base.T)
    with pytest.raises(ValueError, match="already"):
        writer.add("t", base)
    with pytest.raises(ValueError, match="empty"):
        writer.add("", base)
    with pytest.raises(TypeError, match="datetime64"):
        writer.add("d", np.array(["2000-01-01"], "M8[D]"))
    with pytest.raises(TypeError, match="int"):
        writer.add("o", np.array([1], object))
    with pytest.raises(ValueError, match="slice"):
        writer.add("s", base, "6 4 0,2:-")
    writer.finish()
    np.testing.assert_array_equal(BundleReader(tmp_path / "x").read("t"), base.T)
    with pytest.raises(ValueError, match="finished"):
        writer.add("u", base)


def test_error_leaves_nothing_and_keeps_the_old_bundle(tmp_path):
    with BundleWriter(tmp_path / "x") as writer:
        writer.add("a", np.float32(1))
    with pytest.raises(RuntimeError), BundleWriter(tmp_path / "x") as writer:
        writer.add("a", np.float32(2))
        raise RuntimeError
    assert len(list(tmp_path.iterdir())) == 2
    assert BundleReader(tmp_path / "x").read("a") == 1


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        BundleReader(tmp_path / "absent")
    shutil.copy(DATA / "parts.index", tmp_path / "x.index")
    with pytest.raises(FileNotFoundError):
        BundleReader(tmp_path / "x").read("w")


def test_damaged_values_are_named(tmp_path):
    for end in (".index", ".data-00000-of-00001"):
        shutil.copy(DATA / ("parts" + end), tmp_path / ("x" + end))
    data = tmp_path / "x.data-00000-of-00001"
    raw = bytearray(data.read_bytes())
    raw[70] ^= 1
    data.write_bytes(raw)
    with pytest.raises(FormatError, match="checksum of w 4,3") as caught:
        BundleReader(tmp_path / "x").read("w")
    assert (caught.value.path, caught.value.offset) == (str(data), 64)
    os.truncate(data, 100)
    with pytest.raises(FormatError, match="ends at 100"):
        BundleReader(tmp_path / "x").read("w", PARTS[1])


def test_slice_keys_sort_like_numbers():
    starts = [0, 1, 63, 64, 8191, 8192, 1 << 20, (1 << 62)]
    keys = [slice_key(b"w", ((start, 5),)) for start in starts]
    assert keys == sorted(keys)
    assert slice_key(b"p", ((0, -1),)) == b"\0p\0\1\1\1\x80\x7f"
    assert slice_key(b"a\xff", ()) == b"\0a\xff\0\0\1\0"


@given(st.sets(st.binary(max_size=12), max_size=60))
def test_table_round_trip(tmp_path_factory, keys):
    path = tmp_path_factory.mktemp("table") / "t"
    with open(path, "wb") as file:
        writer = TableWriter(file)
        for key in sorted(keys):
            writer.add(key, key[::-1] * 3)
        writer.finish()
    with TableReader(path) as table:
        assert [(k, v) for k, v, _ in table.items()] == [(k, k[::-1] * 3) for k in sorted(keys)]
        for key in keys:
            assert table.get(key) == key[::-1] * 3
        assert table.get(b"\xff" * 13) is None


def test_table_of_many_blocks(tmp_path):
    keys = [b"key%06d" % i for i in range(3000)]
    with open(tmp_path / "t", "wb") as file:
        writer = TableWriter(file)
        for key in keys:
            writer.add(key, key * 30)
        with pytest.raises(ValueError, match="ascend"):
            writer.add(keys[0], b"")
        writer.finish()
    with TableReader(tmp_path / "t") as table:
        assert [k for k, _, _ in table.items()] == keys
        assert table.get(keys[1234]) == keys[1234] * 30
        assert table.get(b"key000003x") is None


def test_snappy():
    assert snappy_decompress(b"\x00") == b""
    assert snappy_decompress(b"\x05\x10hello") == b"hello"
    # literal "ab", then a one-byte-offset copy of 8 from 2 back, which repeats itself
    assert snappy_decompress(b"\x0a\x04ab\x11\x02") == b"ab" * 5
    # literal "abcd", then a two-byte-offset copy of 3 from 4 back, then a four-byte-offset one
    assert snappy_decompress(b"\x07\x0cabcd\x0a\x04\x00") == b"abcdabc"
    assert snappy_decompress(b"\x07\x0cabcd\x0b\x04\x00\x00\x00") == b"abcdabc"
    # a literal of 61 bytes has its length in a byte of its own
    assert snappy_decompress(b"\x3d\xf0\x3c" + b"x" * 61) == b"x" * 61
    for bad in (
        b"",
        b"\xff\xff\xff\xff\x0f\x00",
        b"\x05\x10hell",
        b"\x05\x04ab\x0d\x09",
        b"\x02\x00a",
    ):
        with pytest.raises(FormatError):
            snappy_decompress(bad)


@given(st.binary(max_size=80))
def test_snappy_never_fails_otherwise(data):
    with contextlib.suppress(FormatError):
        assert len(snappy_decompress(data)) <= 22 * len(data)


def test_compressed_block_is_read(tmp_path):
    """A table with its data block stored as one Snappy literal."""
    from relight.formats.crc import masked_crc32c
    from relight.formats.table import MAGIC, _BlockBuilder

    builder = _BlockBuilder(16)
    builder.add(b"k", b"value")
    plain = builder.finish()
    file = bytearray()

    def block(contents, kind):
        handle = write_varint(len(file)) + write_varint(len(contents))
        body = contents + bytes((kind,))
        file.extend(body + masked_crc32c(body).to_bytes(4, "little"))
        return handle

    data = block(write_varint(len(plain)) + bytes(((len(plain) - 1) << 2,)) + plain, 1)
    meta = block(_BlockBuilder(16).finish(), 0)
    index = _BlockBuilder(1)
    index.add(b"l", data)
    footer = meta + block(index.finish(), 0)
    (tmp_path / "t").write_bytes(file + footer.ljust(40, b"\0") + MAGIC)
    with TableReader(tmp_path / "t") as table:
        assert table.get(b"k") == b"value"
