"""Functions by NumPy where it is quicker give what PyTorch gives."""

import numpy as np
import pytest
import torch

from relight.ops import vector_math

RANGES = {"log": (0, 50), "asin": (-1, 1), "acos": (-1, 1), "acosh": (1, 50), "atanh": (-1, 1)}


@pytest.fixture
def by_numpy(monkeypatch):
    monkeypatch.setattr(vector_math, "uses_numpy", lambda: True)


@pytest.mark.parametrize("name", vector_math._QUICKER)
def test_equals_torch(by_numpy, monkeypatch, name):
    calls = []
    plain = getattr(torch, name)
    monkeypatch.setattr(torch, name, lambda x: calls.append(x) or plain(x))
    run = vector_math.quickest(name)
    low, high = RANGES.get(name, (-8, 8))
    x = torch.linspace(low, high, 5000).reshape(50, 100)
    with torch.inference_mode():
        torch.testing.assert_close(run(x), plain(x), rtol=5e-6, atol=1e-6, equal_nan=True)
        part = x.split(50, 1)[1]
        torch.testing.assert_close(run(part), plain(part), rtol=5e-6, atol=1e-6, equal_nan=True)
        assert not calls
        for other in (x[:2], x.double(), x.t(), x.bfloat16()):  # few, other types, strided
            found = run(other)
            assert found.dtype is other.dtype
            torch.testing.assert_close(found, plain(other), equal_nan=True)
        assert len(calls) == 4


@pytest.mark.parametrize("name", vector_math._QUICKER)
def test_what_is_not_a_number(by_numpy, recwarn, name):
    x = torch.tensor([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 1e38, -3.0, 1.0]).repeat(
        60
    )
    torch.testing.assert_close(
        vector_math.quickest(name)(x), getattr(torch, name)(x), equal_nan=True, rtol=1e-5, atol=1e-9
    )
    assert not recwarn


def test_many_cores_share_large_tensors(by_numpy, monkeypatch):
    calls = []
    monkeypatch.setattr(torch, "log", lambda x: calls.append(x.numel()) or x)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    run = vector_math.quickest("log")
    for count in (1000, vector_math.GRAIN):
        run(torch.ones(count))
    assert calls == [vector_math.GRAIN]


def test_the_choice_by_hand(monkeypatch):
    for wish, numpy in (("numpy", True), ("torch", False)):
        monkeypatch.setenv("RELIGHT_VECTOR_MATH", wish)
        assert vector_math.uses_numpy.__wrapped__() is numpy
    monkeypatch.setenv("RELIGHT_VECTOR_MATH", "mkl")
    with pytest.raises(ValueError, match="must be 'torch' or 'numpy', not 'mkl'"):
        vector_math.uses_numpy.__wrapped__()
