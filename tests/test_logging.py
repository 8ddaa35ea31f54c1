"""tf.logging in processes of its own, since Python's root logger belongs to pytest here."""

from bare import WITHOUT_NAMESPACE, python

IMPORT = "import sys; from relight.v1 import logging as L\n"


def _run(code, first=""):
    status, out, err = python("-c", first + WITHOUT_NAMESPACE + IMPORT + code)
    assert status == 0, err
    return out, err


def test_lines_and_thresholds():
    code = """
print(L.get_verbosity(), L.DEBUG, L.INFO, L.WARN, L.ERROR, L.FATAL)
L.info('hidden'); L.warn('w %d', 3); L.warning('w2'); L.error('e'); L.fatal('f')
L.set_verbosity(L.INFO)
L.info('i %s', 'x'); L.debug('hidden'); L.vlog(L.INFO, 'v'); L.vlog(3, 'hidden')
L.log(L.ERROR, 'lg'); L.log_if(L.INFO, 'if %d', True, 1); L.log_if(L.INFO, 'hidden', False)
L.TaskLevelStatusMessage('t'); L.info('%d %s')
L.set_verbosity('ERROR'); print(L.get_verbosity())
"""
    out, err = _run(code)
    assert out.split() == ["30", "10", "20", "30", "40", "50", "40"]
    assert err.splitlines() == [
        "WARNING:tensorflow:w 3",
        "WARNING:tensorflow:w2",
        "ERROR:tensorflow:e",
        "CRITICAL:tensorflow:f",
        "INFO:tensorflow:i x",
        "INFO:tensorflow:v",
        "ERROR:tensorflow:lg",
        "INFO:tensorflow:if 1",
        "ERROR:tensorflow:t",
        "INFO:tensorflow:%d %s",
    ]


def test_counted_calls_of_a_module():
    # The place that counts is the line outside of the file that logs: here, line 1 of the caller.
    code = """
import types
m = types.ModuleType('m'); m.L = L
source = "def f(i):\\n  L.log_first_n(L.WARN, 'first %d', 2, i)\\n"
source += "def g(i):\\n  L.log_every_n(L.WARN, 'every %d', 2, i)\\n"
exec(compile(source, 'm.py', 'exec'), m.__dict__)
for i in range(5):
    m.f(i)
for i in range(5):
    m.g(i)
"""
    _, err = _run(code)
    assert [line.rpartition(":")[2] for line in err.splitlines()] == [
        "first 0",
        "first 1",
        "every 0",
        "every 2",
        "every 4",
    ]


def test_redirected_stderr_gets_the_lines():
    code = """
import contextlib, io
with contextlib.redirect_stderr(io.StringIO()) as caught:
    L.error('inside')
print(repr(caught.getvalue()))
"""
    out, err = _run(code)
    assert out.strip() == repr("ERROR:tensorflow:inside\n")
    assert err == ""


def test_a_configured_root_logger_is_used_alone():
    first = "import logging; logging.basicConfig(format='mine %(filename)s %(message)s')\n"
    _, err = _run("L.error('once')", first)
    assert err == "mine <string> once\n"


def test_app_run_prints_each_line_once():
    code = """
from relight.v1 import app
def main(argv):
    L.error('once')
    import logging; logging.getLogger('other').error('of another')
app.run(main, ['prog'])
"""
    _, err = _run(code)
    lines = err.splitlines()
    assert lines[0] == "ERROR:tensorflow:once"
    assert len(lines) == 2 and lines[1].endswith("of another")


def test_flush_is_as_missing_as_in_tensorflow():
    out, _ = _run("try:\n L.flush()\nexcept NotImplementedError: print('no')")
    assert out == "no\n"
