"""tf.train.Coordinator and LooperThread."""

import logging
import sys
import threading
import time

import pytest

from relight.graph import errors
from relight.v1.train.coordinator import Coordinator, LooperThread


def _thread(target, *args):
    thread = threading.Thread(target=target, args=args, daemon=True, name="worker")
    thread.start()
    return thread


def test_stop_and_join():
    coord = Coordinator()
    assert not coord.should_stop() and not coord.joined
    thread = _thread(coord.wait_for_stop)
    assert coord.wait_for_stop(0.001) is False
    coord.request_stop()
    coord.join([thread])
    assert coord.should_stop() and coord.joined and not thread.is_alive()
    coord.clear_stop()
    assert not coord.should_stop() and not coord.joined


def test_the_first_exception_is_raised_with_its_traceback(caplog):
    coord = Coordinator()

    def fail():
        with coord.stop_on_exception():
            raise KeyError("first")

    with caplog.at_level(logging.INFO, "tensorflow"):
        coord.register_thread(_thread(fail))
        coord.wait_for_stop(5)
    with coord.stop_on_exception():
        raise ValueError("second")
    with pytest.raises(KeyError, match="first") as caught:
        coord.join()
    assert caught.traceback[-1].name == "fail"
    assert "Error reported to Coordinator: 'first'" in caplog.text
    with pytest.raises(KeyError, match="first"):
        coord.raise_requested_exception()
    # After join nobody would see a later exception: it is raised where it is reported.
    with pytest.raises(ValueError, match="third"), coord.stop_on_exception():
        raise ValueError("third")


def test_request_stop_takes_the_exception_being_handled():
    coord = Coordinator()
    try:
        raise ValueError("v")
    except ValueError as error:
        coord.request_stop(error)
    with pytest.raises(ValueError, match="v"):
        coord.join()
    coord = Coordinator()
    coord.request_stop(ValueError("not raised"))
    with pytest.raises(ValueError, match=r"sys\.exc_info"):
        coord.join()


def test_clean_ends():
    coord = Coordinator()
    with coord.stop_on_exception():
        raise errors.OutOfRangeError(None, None, "end")
    coord.join()
    coord = Coordinator(clean_stop_exception_types=(StopIteration,))
    with coord.stop_on_exception():
        raise StopIteration
    coord.join()
    coord = Coordinator(clean_stop_exception_types=())
    try:
        raise errors.OutOfRangeError(None, None, "end")
    except errors.OutOfRangeError:
        coord.request_stop(sys.exc_info())
    with pytest.raises(errors.OutOfRangeError):
        coord.join()


def test_stragglers():
    release = threading.Event()
    coord = Coordinator()
    thread = _thread(release.wait)
    coord.request_stop()
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="threads still running: worker"):
        coord.join([thread], stop_grace_period_secs=0.05)
    assert 0.04 < time.monotonic() - start < 5
    coord.join([thread], stop_grace_period_secs=0.01, ignore_live_threads=True)
    release.set()
    thread.join(5)


def test_join_ends_without_a_stop_when_all_threads_have_ended():
    coord = Coordinator()
    coord.join([_thread(int)])
    assert not coord.should_stop() and coord.joined


def test_looper_runs_until_the_stop():
    coord = Coordinator()
    calls = []

    def step(first, *, second):
        calls.append((first, second))
        if len(calls) == 3:
            coord.request_stop()

    LooperThread.loop(coord, None, step, args=(1,), kwargs={"second": 2})
    coord.join()
    assert calls == [(1, 2)] * 3


def test_looper_subclass_timer_and_exception():
    coord = Coordinator()
    events = []

    class Looper(LooperThread):
        def start_loop(self):
            events.append("start")

        def run_loop(self):
            events.append("run")
            if len(events) == 3:
                raise KeyError("in the loop")

        def stop_loop(self):
            events.append("stop")

    thread = Looper(coord, 0.01)
    assert thread.daemon
    thread.start()
    with pytest.raises(KeyError, match="in the loop"):
        coord.join()
    assert events == ["start", "run", "run"]


def test_looper_arguments():
    with pytest.raises(ValueError, match="'coord' argument must be a Coordinator"):
        LooperThread(None, 1)
    with pytest.raises(ValueError, match="also pass 'target'"):
        LooperThread(Coordinator(), 1, args=(1,))
