"""tf.app.run and tf.flags, each program in a process of its own: flags are global."""

import pytest
from bare import WITHOUT_NAMESPACE, python

PROGRAM = """
from relight.v1 import app, logging
flags = app.flags
flags.DEFINE_string('s', 'dflt', 'A string.')
flags.DEFINE_integer('n', 3, 'An int.', lower_bound=0)
flags.DEFINE_boolean('b', False, 'A bool.')
flags.DEFINE_float(flag_name='f', default_value=.5, docstring='Old names.')
flags.DEFINE_enum('e', 'x', ['x', 'y'], 'One of two.')
flags.DEFINE_list('l', 'a,b', 'A list.')
FLAGS = flags.FLAGS
def main(argv):
    print(argv[1:], FLAGS.s, FLAGS.n, FLAGS.b, FLAGS.f, FLAGS.e, FLAGS.l)
    if FLAGS.s == 'raise':
        raise ValueError('x')
    return 7 if FLAGS.s == 'seven' else None
if __name__ == '__main__':
    app.run()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("app") / "prog.py"
    path.write_text(WITHOUT_NAMESPACE + PROGRAM)
    return path


@pytest.mark.parametrize(
    ("args", "printed"),
    [
        ([], "[] dflt 3 False 0.5 x ['a', 'b']"),
        (
            ["--s=a", "--n", "4", "--b", "pos", "--unknown=3", "-h"],
            "['pos', '--unknown=3', '-h'] a 4 True 0.5 x ['a', 'b']",
        ),
        (
            ["--nob", "-f=2", "--e=y", "--l=", "--", "--s=z"],
            "['--', '--s=z'] dflt 3 False 2.0 y []",
        ),
    ],
)
def test_parsing(program, args, printed):
    code, out, err = python(program, *args)
    assert (code, out.strip()) == (0, printed)
    assert "deprecated" in err  # flag_name=


@pytest.mark.slow
def test_exit_codes(program):
    assert python(program, "--s=seven")[0] == 7
    code, _, err = python(program, "--s=raise")
    assert code == 1 and "ValueError: x" in err
    for value in ("abc", "-1"):
        code, _, err = python(program, f"--n={value}")
        assert code == 1 and f"flag --n={value}" in err


def test_help(program):
    code, out, _ = python(program, "--help")
    assert code == 1
    assert "--n: An int.\n    (default: '3')\n    (a non-negative integer)" in out
    assert "--f: Old names." in out


def _python(code, *args):
    status, out, err = python("-c", WITHOUT_NAMESPACE + code, *args)
    return status, out.strip(), err


def test_flags_parse_themselves_at_the_first_reading():
    code = (
        "from relight.v1 import flags; F = flags.FLAGS; flags.DEFINE_integer('n', 1, '')\n"
        "print(F.is_parsed(), F.n, F.is_parsed(), F['n'].default, 'n' in F, F.__flags['n'].value)\n"
        "F.n = 9; print(F.n, F.flag_values_dict()['n'], len(F) > 0, 'n' in list(F))"
    )
    assert _python(code, "--n=5")[1].splitlines() == [
        "False 5 True 1 True 5",
        "9 9 True True",
    ]


def test_unknown_flag_and_name():
    code = "from relight.v1 import flags; flags.DEFINE_integer('n', 1, ''); print(flags.FLAGS.m)"
    status, _, err = _python(code)
    assert status == 1 and "AttributeError: m" in err
    status, _, err = _python(code, "--zzz=1")
    assert status == 1 and "Unknown command line flag 'zzz'" in err


def test_required_flag():
    code = (
        "from relight.v1 import app, flags; flags.DEFINE_string('s', None, '')\n"
        "flags.mark_flag_as_required('s'); app.run(lambda argv: print(flags.FLAGS.s))"
    )
    assert _python(code, "--s=q")[:2] == (0, "q")
    status, _, err = _python(code)
    assert status == 1 and "flag --s=None: Flag --s must have a value" in err


def test_older_parse_flags():
    code = (
        "from relight.v1 import flags; flags.DEFINE_integer('n', 1, '')\n"
        "print(flags.FLAGS._parse_flags(['--n=2', 'rest', '--u=1']), flags.FLAGS.n)"
    )
    assert _python(code)[1] == "['rest', '--u=1'] 2"


def test_a_program_may_have_its_own_log_dir():
    code = (
        "from relight.v1 import app, flags; flags.DEFINE_string('log_dir', 'here', '')\n"
        "app.run(lambda argv: print(flags.FLAGS.log_dir))"
    )
    assert _python(code)[1] == "here"
    assert _python(code, "--log_dir=there")[1] == "there"
