"""`import tensorflow` and every path below it lead to relight.v1's own modules."""

import importlib
import sys
import types

import pytest
from bare import python

import relight
from relight import alias


@pytest.fixture
def installed():
    relight.install()
    yield
    alias.uninstall()


def test_the_namespace_itself(installed):
    import tensorflow as tf

    import relight.v1

    assert tf is relight.v1
    assert importlib.import_module("tensorflow.compat.v1") is tf
    assert tf.compat.v1 is tf
    # The import system put no alias's spec in place of the module's own.
    assert (tf.__name__, tf.__spec__.name) == ("relight.v1", "relight.v1")


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("tensorflow.gfile", "relight.v1.gfile"),
        ("tensorflow.compat.v1.gfile", "relight.v1.gfile"),
        ("tensorflow.examples.tutorials.mnist.input_data", None),
        ("tensorflow.contrib.learn.datasets.mnist", None),
        ("tensorflow.core.framework.summary_pb2", "tensorboard.compat.proto.summary_pb2"),
        ("tensorflow.core.example.example_pb2", "relight.formats.protos"),
    ],
)
def test_one_module_for_both_names(installed, path, own):
    own = own or path.replace("tensorflow", "relight.v1")
    assert importlib.import_module(path) is importlib.import_module(own)
    assert importlib.import_module(own).__spec__.name == own


def test_paths_into_the_source_tree(installed):
    import tensorflow as tf
    from tensorflow.python.framework import dtypes, errors_impl, ops
    from tensorflow.python.platform import gfile
    from tensorflow.python.util import nest

    assert ops.Graph is tf.Graph and dtypes.float32 is tf.float32
    assert ops.convert_to_tensor is tf.convert_to_tensor
    assert errors_impl.NotFoundError is tf.errors.NotFoundError
    assert gfile.Exists is tf.gfile.Exists
    assert nest.flatten({"b": 1, "a": [2]}) == [2, 1]
    assert nest.is_sequence([])
    assert sys.modules["tensorflow.python.framework"].ops is ops


def test_every_namespace_in_the_table_is_tensorflows():
    from relight.v1._missing import canonical, tensorflow_names

    named = {space for row in alias.PYTHON_PATHS.values() for space in row.split()}
    private = {"contrib.framework.nest"}  # importable in TensorFlow, though not documented
    unknown = {canonical(space) for space in named - {"tf"}} - tensorflow_names() - private
    assert not unknown


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        ("import tensorflow.audio_", ModuleNotFoundError, "nor has TensorFlow 1.15"),
        ("from tensorflow import nonsense", ImportError, "nor has TensorFlow 1.15"),
        ("import tensorflow.functions", ModuleNotFoundError, "No module named"),
        ("import tensorflow._missing", ModuleNotFoundError, "No module named"),
        (
            "import tensorflow.contrib.cudnn_rnn",
            ModuleNotFoundError,
            "relight does not support tensorflow.contrib.cudnn_rnn yet; see SUPPORT.md",
        ),
        (
            "from tensorflow.contrib import cudnn_rnn",
            ImportError,
            "relight does not support tensorflow.contrib.cudnn_rnn yet; see SUPPORT.md",
        ),
        (
            "from tensorflow.python.framework.ops import nonsense",
            ImportError,
            "relight does not support tensorflow.python.framework.ops.nonsense yet",
        ),
        (
            "import tensorflow as tf; tf.nonsense",
            AttributeError,
            r"module 'tf' has no attribute 'nonsense' \(nor has TensorFlow 1.15\)",
        ),
        (
            "import tensorflow as tf; tf.logging.nonsense",
            AttributeError,
            "module 'tf.logging' has no attribute 'nonsense'",
        ),
    ],
)
def test_what_is_missing(installed, statement, error, text):
    with pytest.raises(error, match=text):
        exec(statement, {})


def test_names_that_tensorflow_has_and_never_had():
    from relight.v1 import _missing

    get = _missing.missing("tf.nn", lazy={"made": lambda: 5})
    assert get("made") == 5
    with pytest.raises(AttributeError, match="relight does not support tf.nn.conv2d yet; see SUPP"):
        get("conv2d")
    with pytest.raises(AttributeError, match="nor has TensorFlow"):
        get("conv5d")
    with pytest.raises(AttributeError, match="module 'tf.nn' has no attribute '__wrapped__'"):
        get("__wrapped__")
    module = types.ModuleType("m")
    module.__getattr__ = get
    assert not hasattr(module, "conv2d") and hasattr(module, "made")
    for name in ("nn.conv2d", "contrib.slim.conv2d", "keras.layers.Dense", "train.Saver", "app"):
        assert name in _missing.tensorflow_names()
    assert "train.Saver.save" not in _missing.tensorflow_names()
    assert _missing.canonical("tf.compat.v1.nn.relu") == "nn.relu"


def test_installing_twice_and_taking_it_back():
    relight.install()
    relight.install()
    assert sum(type(f).__module__ == "relight.alias" for f in sys.meta_path) == 2
    alias.uninstall()
    assert not any(type(f).__module__ == "relight.alias" for f in sys.meta_path)
    assert "tensorflow" not in sys.modules


def test_a_real_tensorflow_that_is_imported_is_an_error(monkeypatch):
    real = types.ModuleType("tensorflow")
    real.__file__ = "/site/tensorflow/__init__.py"
    monkeypatch.setitem(sys.modules, "tensorflow", real)
    with pytest.raises(ImportError, match="imported already, from /site/tensorflow/__init__.py"):
        relight.install()


@pytest.mark.slow
def test_ours_wins_over_an_installed_one(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise SystemExit('the other one')")
    code = (
        "import relight, sys; sys.path.insert(0, '.'); relight.install()\n"
        "print('torch' in sys.modules); import tensorflow; print(tensorflow.__name__)"
    )
    assert python("-c", code, cwd=tmp_path)[:2] == (0, "False\nrelight.v1\n")


def test_the_package_itself():
    assert relight.__version__ == "0.1.0"
    assert relight.v1 is importlib.import_module("relight.v1")
    with pytest.raises(AttributeError, match="has no attribute 'v2'"):
        _ = relight.v2


def test_names_that_numpy_took_away(installed):
    import numpy as np
    import tensorflow  # noqa: F401

    assert (np.int, np.float, np.object) == (int, float, object)
    assert (np.float_, np.unicode_, np.string_) == (np.float64, np.str_, np.bytes_)
    assert np.array([1.5]).astype(np.int).tolist() == [1]
    assert np.Inf == np.inf and np.isnan(np.NaN)
    alias.uninstall()
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        assert not hasattr(np, "float_")
