"""The exceptions of tf.errors. Texts and codes were compared with TensorFlow 1.15."""

import pickle
import types

import pytest

from relight.graph import errors

CODES = {
    "Cancelled": 1,
    "Unknown": 2,
    "InvalidArgument": 3,
    "DeadlineExceeded": 4,
    "NotFound": 5,
    "AlreadyExists": 6,
    "PermissionDenied": 7,
    "ResourceExhausted": 8,
    "FailedPrecondition": 9,
    "Aborted": 10,
    "OutOfRange": 11,
    "Unimplemented": 12,
    "Internal": 13,
    "Unavailable": 14,
    "DataLoss": 15,
    "Unauthenticated": 16,
}


def _op(name, lines, original=None):
    frames = [("prog.py", number, "<module>", f"line {number}") for number in lines]
    return types.SimpleNamespace(name=name, traceback=frames, _original_op=original)


@pytest.mark.parametrize("name", CODES)
def test_class_and_code(name):
    cls = getattr(errors, name + "Error")
    error = cls("def", None, "what")
    assert isinstance(error, errors.OpError)
    assert (error.error_code, error.message, error.node_def, error.op) == (
        CODES[name],
        "what",
        "def",
        None,
    )
    assert str(error) == "what"
    assert repr(error) == f"{name}Error()"
    assert errors.exception_type_from_error_code(CODES[name]) is cls
    assert errors.error_code_from_exception_type(cls) == CODES[name]


def test_unknown_classes_and_codes():
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(99)
    with pytest.warns(UserWarning, match="Unknown class exception"):
        found = errors.error_code_from_exception_type(int)
    assert isinstance(found, errors.UnknownError)
    assert found.error_code is None


def test_text_names_the_operation_and_its_lines():
    error = errors.InvalidArgumentError(None, _op("r", [5]), "bad shape")
    assert str(error) == (
        "bad shape\n\nOriginal stack trace for 'r':\n"
        '  File "prog.py", line 5, in <module>\n    line 5\n'
    )


def test_text_elides_the_lines_that_the_gradients_stack_repeats():
    forward = _op("mul", [1, 2, 3, 4, 9])
    backward = _op("gradients/mul_grad", [1, 2, 3, 4, 7], forward)
    text = str(errors.InternalError(None, backward, "m"))
    assert "\n...which was originally created as op 'mul', defined at:\n" in text
    tail = text[text.index("...which") :]
    assert "[elided 2 identical lines from previous traceback]\n" in tail
    assert "line 2\n" not in tail
    assert tail.endswith('  File "prog.py", line 9, in <module>\n    line 9\n')


def test_pickling():
    for error in (
        errors.NotFoundError(None, None, "x"),
        errors.UnknownError(None, None, "x", 7),
        errors.OpError(None, None, "x", 3),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert (copy.message, copy.error_code) == (error.message, error.error_code)
