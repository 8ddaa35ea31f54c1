"""Every case gives what real TensorFlow 1.15 gave: values, types, shapes, nodes, errors."""

import os
import zlib

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

import harness

CASES = os.path.join(HERE, "cases")
GOLDEN = {
    f: harness.load(os.path.join(HERE, "golden", f + ".json")) for f in harness.families(CASES)
}


FAST = 8  # of the cases one in so many is a fast test; `make test` runs them all


def _all():
    for family in GOLDEN:
        for name, function in harness.cases(family).items():
            slow = getattr(function, "slow", False) or zlib.crc32(name.encode()) % FAST
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(family, name, id=f"{family}-{name}", marks=marks)


@pytest.mark.parametrize(("family", "name"), list(_all()))
def test_case(family, name):
    import relight.v1 as tf

    golden = GOLDEN[family].get(name)
    assert golden is not None, "no golden: run `make golden`"
    function = harness.cases(family)[name]
    found = harness.run(tf, function)
    problems = harness.differences(
        golden,
        found,
        rtol=getattr(function, "rtol", 1e-5),
        atol=getattr(function, "atol", 1e-6),
        seeded=getattr(function, "seeded", True),
        message=getattr(function, "message", True),
    )
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("family", sorted(GOLDEN))
def test_goldens_are_current(family):
    """A golden of another source than today's was not made from these cases."""
    assert GOLDEN[family].get("_source") == harness.source_digest(family, CASES)
