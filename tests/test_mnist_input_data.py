"""MNIST reading: the same batches as TensorFlow 1.15 draws for the same seeds, and where files
come from."""

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from relight.formats.idx import read_idx, write_idx
from relight.graph.graph import get_default_graph, reset_default_graph
from relight.v1.contrib.learn.datasets import base, load_dataset
from relight.v1.contrib.learn.datasets import mnist as datasets
from relight.v1.examples.tutorials.mnist import input_data

PACKAGED = Path(datasets.__file__).parents[4] / "data" / "mnist"
FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]
FILES += ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


@pytest.fixture(autouse=True)
def fresh_graph():
    reset_default_graph()
    yield
    reset_default_graph()


@pytest.mark.parametrize("name", FILES)
def test_packaged_files_are_the_originals(name):
    table = (PACKAGED / "ATTRIBUTION.md").read_text()
    raw = gzip.decompress((PACKAGED / f"{name}.gz").read_bytes())
    assert f"`{hashlib.md5(raw).hexdigest()}`" in next(
        line for line in table.splitlines() if name in line
    )


# MD5 of 260 batches of 300, images and labels, from train, validation and test, under TensorFlow
# 1.15.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "graph_seed", "digest"),
    [
        ({"seed": 7}, None, "bde10b62c32fc659c39449437cf83274"),
        ({"one_hot": True}, 42, "e50981f8e08c55d4a3e1656f4025736d"),
        ({"seed": 0, "dtype": np.uint8}, 0, "6e6a80f19148e444b8a873aa0e7cba44"),
    ],
)
def test_seeded_batches_are_tensorflows(tmp_path, capsys, options, graph_seed, digest):
    get_default_graph().seed = graph_seed
    sets = input_data.read_data_sets(str(tmp_path), **options)
    assert capsys.readouterr().out == "".join(f"Extracting {tmp_path}/{n}.gz\n" for n in FILES)
    found = hashlib.md5()
    for data in sets:
        for _ in range(260):
            images, labels = data.next_batch(300)
            found.update(images.tobytes())
            found.update(labels.tobytes())
    assert found.hexdigest() == digest
    assert sets.train.num_examples == 55000
    assert (sets.train.epochs_completed, sets.test.epochs_completed) == (1, 7)


def small_set(folder, n):
    folder.mkdir()
    for name in FILES:
        shape = (n, 28, 28) if "images" in name else (n,)
        write_idx(folder / f"{name}.gz", np.arange(np.prod(shape)).reshape(shape).astype(np.uint8))


def test_files_in_the_directory_win(tmp_path):
    small_set(tmp_path / "d", 20)
    sets = input_data.read_data_sets(str(tmp_path / "d"), validation_size=5, reshape=False)
    assert [s.num_examples for s in sets] == [15, 5, 20]
    assert sets.test.images.shape == (20, 28, 28, 1)
    images, labels = sets.train.next_batch(10, shuffle=False)
    assert labels.tolist() == list(range(5, 15))
    assert images.base is not None, "a batch inside an epoch is a view"
    assert images.max() == np.float32(1.0)
    _, labels = sets.train.next_batch(10, shuffle=False)
    assert labels.tolist() == [15, 16, 17, 18, 19, 5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="between 0 and 20. Received: 21"):
        input_data.read_data_sets(str(tmp_path / "d"), validation_size=21)
    with pytest.raises(TypeError, match="Invalid image dtype"):
        input_data.read_data_sets(str(tmp_path / "d"), validation_size=5, dtype=np.float64)


def test_other_data_sets_are_never_replaced_by_mnist(tmp_path, capsys):
    """Fashion-MNIST has the same file names: it must come from its own address."""
    small_set(tmp_path / "served", 6)
    url = (tmp_path / "served").as_uri() + "/"
    sets = input_data.read_data_sets(str(tmp_path / "new"), validation_size=1, source_url=url)
    assert sets.train.num_examples == 5
    assert "Successfully downloaded train-images-idx3-ubyte.gz" in capsys.readouterr().out
    with pytest.raises(OSError):
        input_data.read_data_sets(str(tmp_path / "x"), source_url=(tmp_path / "no").as_uri() + "/")
    assert list((tmp_path / "x").iterdir()) == []


def test_extraction(tmp_path):
    small_set(tmp_path / "d", 4)
    with open(tmp_path / "d" / f"{FILES[1]}.gz", "rb") as f:
        one_hot = input_data.extract_labels(f, one_hot=True)
    np.testing.assert_array_equal(one_hot, np.eye(10)[:4])
    with (
        open(tmp_path / "d" / f"{FILES[1]}.gz", "rb") as f,
        pytest.raises(ValueError, match="magic"),
    ):
        input_data.extract_images(f)


def test_fake_data():
    sets = input_data.read_data_sets("", fake_data=True, one_hot=True)
    images, labels = sets.test.next_batch(3, fake_data=True)
    assert np.array(images).shape == (3, 784)
    assert labels == [[1] + [0] * 9] * 3
    assert sets.train.num_examples == 10000


def test_load_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = tmp_path / "MNIST-data"
    small.mkdir()
    for name in FILES:
        shutil.copy(PACKAGED / f"{name}.gz", small)
    assert load_dataset("mnist").test.labels.dtype == np.uint8
    assert read_idx(small / f"{FILES[3]}.gz").shape == (10000,)
    with pytest.raises(ValueError, match="not found: nothing"):
        load_dataset("nothing")


def test_csv(tmp_path):
    path = str(tmp_path / "a.csv")
    Path(path).write_text("2,3,x\n1,2,3,0\n4,5,6,1\n")
    got = base.load_csv_with_header(path, np.int32, np.float32)
    assert got.data.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert got.target.tolist() == [0, 1]
    Path(path).write_text("7,1,2\n8,3,4\n9,5,6\n")
    got = base.load_csv_without_header(path, np.int32, np.float32, target_column=0)
    assert (got.target.tolist(), got.data.tolist()) == ([7, 8, 9], [[1, 2], [3, 4], [5, 6]])


def test_retry():
    calls = []

    @base.retry(0.001, 0.01, is_retriable=lambda error: isinstance(error, OSError))
    def flaky():
        calls.append(1)
        if len(calls) < 3:
            raise OSError
        return "done"

    assert flaky() == "done"
    assert len(calls) == 3
    with pytest.raises(ValueError, match="factor"):
        base.retry(1, 2, factor=0.5)
