"""`tf.keras.datasets` and `get_file`: arrays, fetching with resume and checksum, and its errors."""

import gzip
import hashlib
import http.server
import io
import shutil
import tarfile
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import relight.v1 as tf
from relight.formats.idx import write_idx
from relight.v1.keras import data_sets, data_utils

SAMPLE = Path(data_sets.__file__).parents[2] / "data" / "cifar10" / "cifar-10-batches-bin"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".keras").mkdir()
    return tmp_path


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files`; cuts an answer off after `limit` bytes."""

    files: ClassVar[dict[str, bytes]] = {}
    limit: ClassVar[int | None] = None
    asked: ClassVar[list[str | None]] = []

    def do_GET(self):
        data = self.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        given = self.headers.get("Range")
        self.asked.append(given)
        start = int(given.removeprefix("bytes=").rstrip("-")) if given else 0
        if start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if given else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = len(data) if self.limit is None else start + self.limit
        self.wfile.write(data[start:end])

    def log_message(self, *args):
        del args


@pytest.fixture
def server():
    Server.files, Server.limit, Server.asked = {}, None, []
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_mnist_comes_along(home):
    (images, labels), (test_images, test_labels) = tf.keras.datasets.mnist.load_data()
    assert images.shape == (60000, 28, 28) and images.dtype == np.uint8
    assert labels[:5].tolist() == [5, 0, 4, 1, 9] and labels.dtype == np.uint8
    assert test_images.shape == (10000, 28, 28) and test_labels[:4].tolist() == [7, 2, 1, 0]


def test_mnist_from_a_kept_file(home):
    folder = home / ".keras" / "datasets"
    folder.mkdir()
    arrays = {n: np.full([2], i) for i, n in enumerate(("x_train", "y_train", "x_test", "y_test"))}
    np.savez(folder / "mnist.npz", **arrays)
    (a, b), (c, d) = tf.keras.datasets.mnist.load_data()
    assert [v[0] for v in (a, b, c, d)] == [0, 1, 2, 3]


def test_fashion_mnist(home, server, monkeypatch):
    images, labels = np.arange(2 * 784).reshape(2, 28, 28).astype(np.uint8), np.array([3, 9])
    for name in data_sets._IDX_NAMES:
        path = home / "file"
        write_idx(path, images if "images" in name else labels.astype(np.uint8))
        Server.files[f"/{name}"] = gzip.compress(path.read_bytes())
    monkeypatch.setattr(data_sets, "_ADDRESS", server + "/")
    (a, b), (c, d) = tf.keras.datasets.fashion_mnist.load_data()
    assert (a == images).all() and (c == images).all() and b.tolist() == d.tolist() == [3, 9]
    Server.files = {}
    assert (tf.keras.datasets.fashion_mnist.load_data()[0][0] == images).all()


def test_cifar10_from_a_folder(home):
    shutil.copytree(SAMPLE, home / ".keras" / "datasets" / SAMPLE.name)
    (images, labels), (test_images, test_labels) = tf.keras.datasets.cifar10.load_data()
    assert images.shape == (200, 32, 32, 3) and images.dtype == np.uint8
    assert labels.shape == (200, 1) and labels.dtype == np.uint8
    assert test_images.shape == (100, 32, 32, 3) and test_labels.shape == (100, 1)
    # The first training image of CIFAR-10 is a frog, its first pixel (59, 62, 63).
    assert labels[0, 0] == 6 and images[0, 0, 0].tolist() == [59, 62, 63]


def test_cifar10_is_fetched(home, server, monkeypatch):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(SAMPLE, SAMPLE.name)
    Server.files["/cifar-10-binary.tar.gz"] = archive.getvalue()
    monkeypatch.setattr(data_sets, "CIFAR_10_ADDRESS", server + "/cifar-10-binary.tar.gz")
    with pytest.raises(ValueError, match=data_sets.CIFAR_10_MD5):
        tf.keras.datasets.cifar10.load_data()
    monkeypatch.setattr(data_sets, "CIFAR_10_MD5", hashlib.md5(archive.getvalue()).hexdigest())
    (images, _), (test_images, _) = tf.keras.datasets.cifar10.load_data()
    assert len(images) == 200 and len(test_images) == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-5], r"data_batch_3\.bin is damaged: it has 122915 bytes, and the "
         r"record at byte 119847 is cut short"),
        (lambda data: b"", r"data_batch_3\.bin is damaged: it has 0 bytes"),
        (lambda data: data[:6146] + b"\x0b" + data[6147:], r"data_batch_3\.bin is damaged: the "
         "label 11 at byte 6146 is above 9"),
    ],
)  # fmt: skip
def test_damaged_cifar10(tmp_path, change, message):
    folder = tmp_path / SAMPLE.name
    shutil.copytree(SAMPLE, folder)
    path = folder / "data_batch_3.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        data_sets.read_cifar10(folder)


def test_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_batch_1\.bin"):
        data_sets.read_cifar10(tmp_path)


# -- get_file --------------------------------------------------------------------------------------


def test_fetching_goes_on_where_it_ended(home, server):
    data = np.random.RandomState(0).bytes(100_000)
    Server.files["/data"] = data
    Server.limit = 30_000
    for _ in range(3):
        with pytest.raises(OSError, match=rf"{server}/data.*ended at byte .* of 100000"):
            tf.keras.utils.get_file("data", server + "/data")
        assert not (home / ".keras" / "datasets" / "data").exists()
    Server.limit = None
    wanted = hashlib.sha256(data).hexdigest()
    path = tf.keras.utils.get_file("data", server + "/data", file_hash=wanted)
    assert Path(path).read_bytes() == data
    assert Server.asked == [None, "bytes=30000-", "bytes=60000-", "bytes=90000-"]


def test_a_whole_rest_is_fetched_again(home, server):
    """A part that has all bytes, or more, cannot be continued."""
    Server.files["/data"] = b"right"
    folder = home / ".keras" / "datasets"
    folder.mkdir()
    (folder / "data.part").write_bytes(b"wrong ones")
    path = tf.keras.utils.get_file("data", server + "/data")
    assert Path(path).read_bytes() == b"right"


def test_a_wrong_hash(home, server):
    Server.files["/data"] = b"something"
    with pytest.raises(ValueError, match=r"\(9 bytes\) has not the hash 0000.*put it at .*data"):
        tf.keras.utils.get_file("data", server + "/data", md5_hash="0" * 32)
    assert not list((home / ".keras" / "datasets").iterdir())


def test_a_kept_file_with_another_hash(home, server, capsys):
    Server.files["/data"] = b"new"
    folder = home / ".keras" / "datasets"
    folder.mkdir()
    (folder / "data").write_bytes(b"old")
    assert Path(tf.keras.utils.get_file("data", server + "/data")).read_bytes() == b"old"
    wanted = hashlib.md5(b"new").hexdigest()
    path = tf.keras.utils.get_file("data", server + "/data", file_hash=wanted)
    assert Path(path).read_bytes() == b"new"
    assert "damaged or outdated" in capsys.readouterr().out


def test_no_such_file_and_no_connection(home, server):
    with pytest.raises(OSError, match=r"/absent: 404 -- .*put it at .*/datasets/absent"):
        tf.keras.utils.get_file("absent", server + "/absent")
    with pytest.raises(OSError, match=r"URL fetch failure on http://127\.0\.0\.1:9/x.*put it at"):
        tf.keras.utils.get_file("x", "http://127.0.0.1:9/x")


def test_archives_stay_in_their_folder(home, server):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        info = tarfile.TarInfo("../outside")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"bad"))
    Server.files["/a.tar.gz"] = archive.getvalue()
    with pytest.raises(tarfile.TarError):
        tf.keras.utils.get_file("a.tar.gz", server + "/a.tar.gz", extract=True)
    assert not (home / ".keras" / "outside").exists()


def test_untar(home, server):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        info = tarfile.TarInfo("set/one")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"yes"))
    Server.files["/set.tar.gz"] = archive.getvalue()
    path = tf.keras.utils.get_file("set", server + "/set.tar.gz", untar=True)
    assert path.endswith("datasets/set") and (Path(path) / "one").read_bytes() == b"yes"


def test_an_unknown_hash_algorithm(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(ValueError, match="hash_algorithm"):
        data_utils._matches(str(tmp_path / "f"), "00", "crc")
