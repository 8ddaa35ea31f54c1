"""Loading relight leaves the program's garbage collector as it was."""

import gc

import pytest
from bare import python

from relight import loading

PROGRAM = """
import gc
{before}
found = gc.get_threshold(), gc.isenabled()
import relight.v1
print((gc.get_threshold(), gc.isenabled()) == found)
"""


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "gc.set_threshold(0)", "gc.disable()"])
def test_the_collector_is_as_before(before):
    code, out, err = python("-c", PROGRAM.format(before=before))
    assert code == 0, err
    assert out.strip() == "True"


def test_the_collector_looks_seldom_meanwhile():
    kept = gc.get_threshold()
    before = loading.begin()
    try:
        assert gc.get_threshold()[0] > 10 * kept[0]
    finally:
        loading.end(before)
    assert gc.get_threshold() == kept
