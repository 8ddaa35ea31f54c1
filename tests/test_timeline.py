"""`tensorflow.python.client.timeline` against what TensorFlow's own makes of the same trace."""

import json
import pathlib

import pytest
from tensorboard.compat.proto import step_stats_pb2

from relight.v1.train.timeline import Timeline

DATA = pathlib.Path(__file__).parent / "data" / "timeline"


@pytest.fixture
def stats():
    """A step that real TensorFlow traced."""
    return step_stats_pb2.StepStats.FromString((DATA / "step_stats.pb").read_bytes())


def test_trace_is_tensorflows(stats):
    found = Timeline(stats).generate_chrome_trace_format(show_memory=True)
    assert json.loads(found) == json.loads((DATA / "trace.json").read_text())
    assert found == (DATA / "trace.json").read_text()


def test_trace_without_dataflow(stats):
    found = Timeline(stats).generate_chrome_trace_format(show_dataflow=False)
    assert found == (DATA / "plain.json").read_text()


def test_largest_memory_use(stats):
    maximums = Timeline(stats).analyze_step_stats().allocator_maximums
    found = {k: [v.timestamp, v.num_bytes, sorted(v.tensors)] for k, v in maximums.items()}
    assert found == json.loads((DATA / "maximums.json").read_text())
