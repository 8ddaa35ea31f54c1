"""Modules of TensorFlow's source tree whose functions have names of their own there."""

from __future__ import annotations

import importlib

import pytest

import relight
import relight.v1 as tf
from relight import alias


@pytest.fixture(autouse=True)
def installed():
    relight.install()
    yield
    alias.uninstall()


def test_file_io_writes_reads_and_lists(tmp_path):
    file_io = importlib.import_module("tensorflow.python.lib.io.file_io")
    folder = str(tmp_path / "a/b")
    assert not file_io.file_exists(folder)
    file_io.recursive_create_dir(folder)
    file_io.write_string_to_file(folder + "/x", "one\ntwo\n")
    assert file_io.read_file_to_string(folder + "/x") == "one\ntwo\n"
    assert file_io.read_file_to_string(folder + "/x", binary_mode=True) == b"one\ntwo\n"
    file_io.atomic_write_string_to_file(folder + "/x", b"three")
    assert file_io.list_directory(folder) == ["x"]
    with file_io.FileIO(folder + "/x", mode="rb") as file:
        assert file.read() == b"three"
    with pytest.raises(tf.errors.AlreadyExistsError):
        file_io.atomic_write_string_to_file(folder + "/x", "four", overwrite=False)
    assert file_io.list_directory(folder) == ["x"]
    assert list(file_io.walk(str(tmp_path / "a"))) == [
        (str(tmp_path / "a"), ["b"], []),
        (folder, [], ["x"]),
    ]
    file_io.delete_recursively(str(tmp_path / "a"))
    assert not file_io.is_directory(folder)


def test_layers_utils_chooses_now_or_later():
    utils = importlib.import_module("tensorflow.python.layers.utils")
    with tf.Graph().as_default():
        assert utils.smart_cond(True, lambda: 1, lambda: 2) == 1
        assert utils.constant_value(0) is False
        pred = tf.placeholder(tf.bool, [])
        assert utils.constant_value(pred) is None
        result = utils.smart_cond(pred, lambda: tf.constant(1), lambda: tf.constant(2))
        with tf.Session() as sess:
            assert sess.run(result, {pred: False}) == 2


# Lengths as the formulas of TensorFlow 1.15's own module give them.
@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("conv_output_length", (10, 3, "same", 2), 5),
        ("conv_output_length", (10, 3, "valid", 2), 4),
        ("conv_output_length", (10, 3, "full", 1), 12),
        ("conv_output_length", (10, 3, "valid", 1, 2), 6),
        ("conv_output_length", (None, 3, "valid", 1), None),
        ("conv_input_length", (5, 3, "valid", 2), 11),
        ("conv_input_length", (5, 3, "same", 2), 9),
        ("conv_input_length", (5, 3, "full", 1), 3),
        ("deconv_output_length", (5, 3, "valid", 2), 11),
        ("deconv_output_length", (5, 3, "same", 2), 10),
        ("deconv_output_length", (5, 3, "full", 2), 7),
        ("normalize_tuple", (2, 3, "size"), (2, 2, 2)),
        ("normalize_tuple", ([1, 2], 2, "size"), (1, 2)),
        ("normalize_padding", ("SAME",), "same"),
        ("normalize_data_format", ("Channels_First",), "channels_first"),
        ("convert_data_format", ("channels_first", 4), "NCHW"),
        ("convert_data_format", ("channels_last", 3), "NWC"),
    ],
)
def test_layers_utils_computes(function, arguments, expected):
    utils = importlib.import_module("tensorflow.python.layers.utils")
    assert getattr(utils, function)(*arguments) == expected


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("normalize_tuple", ((1, 2, 3), 2, "size")),
        ("normalize_tuple", (("a", "b"), 2, "size")),
        ("normalize_tuple", (None, 2, "size")),
        ("normalize_padding", ("full",)),
        ("normalize_data_format", ("NHWC",)),
        ("convert_data_format", ("channels_last", 2)),
    ],
)
def test_layers_utils_refuses(function, arguments):
    utils = importlib.import_module("tensorflow.python.layers.utils")
    with pytest.raises(ValueError):
        getattr(utils, function)(*arguments)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("contrib.learn.python.learn.datasets.mnist", "contrib.learn.datasets.mnist"),
        ("contrib.layers.python.layers.utils", "contrib.layers.utils"),
        ("contrib.framework.python.framework.nest", "contrib.framework.nest"),
    ],
)
def test_contrib_sources_are_our_modules(path, ours):
    assert importlib.import_module(f"tensorflow.{path}") is importlib.import_module(
        f"relight.v1.{ours}"
    )


def test_other_contrib_sources_have_the_names_of_the_package():
    module = importlib.import_module("tensorflow.contrib.framework.python.ops.variables_of_mine")
    assert module.arg_scope is tf.contrib.framework.arg_scope
