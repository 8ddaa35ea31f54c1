"""tf.gfile. The results and the texts of the errors were compared with TensorFlow 1.15."""

import os

import pytest

from relight.graph import errors
from relight.v1 import gfile
from relight.v1.functions import io_gfile

TEXT = "line1\nline2\r\nzeilé"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_bytes(TEXT.encode())
    (tmp_path / "d" / "e" / "f").mkdir(parents=True)
    (tmp_path / "d" / "leaf").write_bytes(b"1")
    return tmp_path


def test_reading():
    assert gfile.GFile("x").read() == TEXT
    assert gfile.GFile("x", "rb").read() == TEXT.encode()
    assert gfile.GFile("x").read(3) == "lin"
    assert gfile.GFile("x").readlines() == ["line1\n", "line2\n", "zeilé"]
    assert list(gfile.FastGFile("x", "rb")) == [b"line1\n", b"line2\n", b"zeil\xc3\xa9"]
    assert gfile.GFile("file://" + os.path.abspath("x")).size() == 19


def test_positions():
    with gfile.GFile("x") as file:
        file.seek(3)
        assert (file.read(2), file.tell()) == ("e1", 5)
        file.seek(-2, 2)
        assert file.tell() == 17
        file.seek(-1, whence=1)
        assert file.tell() == 16
        assert file.seekable()
        with pytest.raises(errors.OutOfRangeError, match="reached end of file"):
            file.seek(100)
        with pytest.raises(errors.InvalidArgumentError, match="negative position: -1"):
            file.seek(-1)
        with pytest.raises(errors.InvalidArgumentError, match="Invalid whence argument: 5"):
            file.seek(0, 5)
        with pytest.raises(TypeError, match="offset argument required"):
            file.seek()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("w", b"ABC"), ("wb", b"ABC"), ("a", TEXT.encode() + b"ABC"), ("a+", TEXT.encode() + b"ABC")],
)
def test_writing(mode, expected):
    with gfile.GFile("x", mode) as file:
        file.write("ABC")
        file.flush()
        assert open("x", "rb").read() == expected
        if "+" in mode:
            assert file.read() == expected.decode()
        assert (file.name, file.mode) == ("x", mode)


def test_a_file_is_made_at_the_first_write():
    gfile.GFile("new", "w").close()
    assert not os.path.exists("new")
    assert gfile.GFile("new", "w").tell() == 0
    assert os.path.exists("new")


def test_errors_of_files():
    with pytest.raises(errors.NotFoundError) as caught:
        gfile.GFile("nope").read()
    assert caught.value.message == "nope; No such file or directory"
    with pytest.raises(errors.FailedPreconditionError, match="d; Is a directory"):
        gfile.GFile("d").read()
    with pytest.raises(errors.NotFoundError, match="no/y; No such file or directory"):
        gfile.GFile("no/y", "w").write("z")
    with pytest.raises(errors.InvalidArgumentError, match="mode is not 'r' or"):
        gfile.GFile("x", "rw")
    with pytest.raises(errors.PermissionDeniedError, match="isn't open for reading"):
        gfile.GFile("x", "w").read()
    with pytest.raises(errors.PermissionDeniedError, match="isn't open for writing"):
        gfile.GFile("x").write("z")
    with pytest.raises(errors.UnimplementedError, match="File system scheme 'gs' not implemented"):
        gfile.Exists("gs://bucket/x")
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 5"):
        gfile.GFile("x", "w").write(5)


def test_folders():
    gfile.MkDir("new")
    gfile.MkDir("new")
    gfile.MakeDirs("new/a/b")
    gfile.MakeDirs("new/a/b")
    assert gfile.IsDirectory("new/a/b") and not gfile.IsDirectory("x")
    assert [gfile.Exists(p) for p in ("x", b"x", "nope", ".", "")] == [
        True,
        True,
        False,
        True,
        False,
    ]
    with pytest.raises(errors.NotFoundError, match="q/w; No such file or directory"):
        gfile.MkDir("q/w")
    with pytest.raises(errors.FailedPreconditionError, match="Not a directory"):
        gfile.MakeDirs("x/y")
    assert sorted(gfile.ListDirectory("d")) == ["e", "leaf"]
    for path in ("nope", "x"):
        with pytest.raises(errors.NotFoundError, match=f"Could not find directory {path}"):
            gfile.ListDirectory(path)
    gfile.DeleteRecursively("new")
    assert not gfile.Exists("new")
    with pytest.raises(errors.NotFoundError, match="new not found"):
        gfile.DeleteRecursively("new")
    with pytest.raises(errors.FailedPreconditionError, match="x; Not a directory"):
        gfile.DeleteRecursively("x")


def test_remove_copy_and_rename():
    gfile.Copy("x", "y")
    assert open("y", "rb").read() == TEXT.encode()
    with pytest.raises(errors.AlreadyExistsError, match="file already exists"):
        gfile.Copy("x", "y")
    gfile.Copy("d/leaf", "y", overwrite=True)
    assert open("y", "rb").read() == b"1"
    with pytest.raises(errors.InvalidArgumentError, match="z; Invalid argument"):
        gfile.Copy("d", "z")
    with pytest.raises(errors.AlreadyExistsError):
        gfile.Rename("y", "x")
    gfile.Rename("y", "x", overwrite=True)
    assert open("x", "rb").read() == b"1" and not gfile.Exists("y")
    gfile.Rename("d", "d2")
    assert gfile.IsDirectory("d2/e")
    for call in (lambda: gfile.Copy("no", "z"), lambda: gfile.Rename("no", "z")):
        with pytest.raises(errors.NotFoundError, match="no; No such file or directory"):
            call()
    gfile.Remove("x")
    with pytest.raises(errors.NotFoundError):
        gfile.Remove("x")
    with pytest.raises(errors.FailedPreconditionError, match="d2; Is a directory"):
        gfile.Remove("d2")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["./.hidden", "./d", "./x"]),
        ("./*", ["./.hidden", "./d", "./x"]),
        ("d/*", ["d/e", "d/leaf"]),
        ("d/**", ["d/e", "d/leaf"]),
        ("d*/e", ["./d/e"]),
        ("d/*/*", ["d/e/f"]),
        ("x", ["./x"]),
        ("[wx]", ["./x"]),
        ("[^x]", ["./d"]),
        ("?", ["./d", "./x"]),
        ("{x,d}", []),
        ("d?/", []),
        ("", []),
        (["x", "d/l*"], ["./x", "d/leaf"]),
    ],
)
def test_glob(folder, pattern, found):
    (folder / ".hidden").touch()
    assert sorted(gfile.Glob(pattern)) == found


def test_glob_errors():
    with pytest.raises(errors.NotFoundError, match="nodir; No such file or directory"):
        gfile.Glob("nodir/*")


def test_walk():
    assert list(gfile.Walk("d")) == [
        ("d", ["e"], ["leaf"]),
        ("d/e", ["f"], []),
        ("d/e/f", [], []),
    ]
    assert [top for top, _, _ in gfile.Walk("d", in_order=False)] == ["d/e/f", "d/e", "d"]
    assert list(gfile.Walk("nope")) == []
    seen = []
    assert list(io_gfile.walk("nope", onerror=seen.append)) == []
    assert isinstance(seen[0], errors.NotFoundError)


def test_stat():
    found = gfile.Stat("x")
    assert (found.length, found.is_directory) == (19, False)
    assert found.mtime_nsec == os.stat("x").st_mtime_ns
    assert gfile.Stat("d").is_directory
    with pytest.raises(errors.NotFoundError, match="nope; No such file or directory"):
        gfile.Stat("nope")


def test_later_names_are_the_same_functions():
    io_gfile.makedirs("n/m")
    io_gfile.copy("x", "n/x")
    io_gfile.rename("n/x", "n/y")
    assert io_gfile.glob("n/*") == gfile.Glob("n/*") and io_gfile.exists("n/y")
    assert sorted(io_gfile.listdir("n")) == ["m", "y"] and io_gfile.isdir("n/m")
    assert io_gfile.stat("n/y").length == 19
    io_gfile.remove("n/y")
    io_gfile.rmtree("n")
    assert not io_gfile.exists("n")
    assert io_gfile.GFile is gfile.GFile
