"""Running the lanes of a divided plan: one thread a lane, handing values over as they are made.

The thread that calls `Session.run` takes the first lane; workers of the session take the others.
A lane waits for steps of other lanes at marked places, each a lock that the other lane opens. All
lanes keep the order of the plan, and a step waits for earlier ones only, so no two lanes can wait
for each other. When a lane fails, it opens all that it would have opened: the others find the
error and stop.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from relight.engine import ending, threads

_IDLE_SECONDS = 5.0
_current = threading.local()


class Stopped(BaseException):
    """Raised in a lane when another one has failed; never leaves `run`."""


class Run:
    """One run of a divided plan: locks to wait at, cells for values, the first error."""

    def __init__(self, waits: int, cells: int):
        self.locks = [threading.Lock() for _ in range(waits)]
        for lock in self.locks:
            lock.acquire()
        self.cells: list[Any] = [None] * cells
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._cancels: set[Callable[[], None]] = set()

    def wait(self, place: int) -> None:
        """Wait until the lane that opens `place` has come there; Stopped when a lane has failed."""
        self.locks[place].acquire()
        if self.error is not None:
            raise Stopped

    def take(self, cell: int) -> Any:
        """The value that another lane has left."""
        value = self.cells[cell]
        self.cells[cell] = None
        return value

    def fail(self, error: BaseException) -> None:
        """Keep the first error, and end what other lanes wait for outside of this plan."""
        with self._lock:
            if self.error is not None:
                return
            self.error = error
            cancels = list(self._cancels)
        for cancel in cancels:
            cancel()

    @contextlib.contextmanager
    def cancellable(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Call `cancel` when a lane fails meanwhile; at once when one has failed already."""
        with self._lock:
            failed = self.error is not None
            self._cancels.add(cancel)
        try:
            if failed:
                cancel()
            yield
        finally:
            with self._lock:
                self._cancels.discard(cancel)


def cancellable(cancel: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """Let `cancel` end a wait when another lane of the run of this thread fails."""
    run = getattr(_current, "run", None)
    return contextlib.nullcontext() if run is None else run.cancellable(cancel)


class Workers:
    """Threads of a session that run lanes: as many as are needed at once, reused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._ended = False

    def start(self, task: Callable[[], None]) -> None:
        """Run `task` in a thread that does nothing else; it must not raise."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = _Worker(self)
        worker.give(task)

    def rest(self, worker: _Worker) -> bool:
        """Take a worker back that has nothing to do; False when it should end."""
        with self._lock:
            if not self._ended:
                self._idle.append(worker)
            return not self._ended

    def leave(self, worker: _Worker) -> bool:
        """Let a worker end that waited for long; False when it has been given a task meanwhile."""
        with self._lock:
            if worker in self._idle:
                self._idle.remove(worker)
                return True
            return False

    def cancel(self) -> None:
        """The session ends: workers end when they have nothing to do."""
        with self._lock:
            self._ended = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.give(None)


class _Worker:
    def __init__(self, workers: Workers):
        self._workers = workers
        self._task: Callable[[], None] | None = None
        self._ready = threading.Semaphore(0)
        ending.wait_at_exit(
            threading.Thread(target=self._work, name="relight lane", daemon=True)
        ).start()

    def give(self, task: Callable[[], None] | None) -> None:
        self._task = task
        self._ready.release()

    def _work(self) -> None:
        while True:
            if not self._ready.acquire(timeout=_IDLE_SECONDS):
                if self._workers.leave(self):
                    return
                self._ready.acquire()
            task, self._task = self._task, None
            if task is None:
                return
            task()
            del task
            if not self._workers.rest(self):
                return


@contextlib.contextmanager
def _threads(share: int) -> Iterator[None]:
    """Let kernels of this thread use `share` threads, so that lanes together use the machine's."""
    before, use = torch.get_num_threads(), threads.setter()
    if use is None or share == before:
        yield
        return
    use(share)
    try:
        yield
    finally:
        use(before)


Lane = Callable[..., dict[int, Any]]


def function(
    lanes: Sequence[Lane], opens: Sequence[Sequence[int]], waits: int, cells: int, results: int
) -> Callable[[Any, list[Any]], list[Any]]:
    """`run(state, feeds) -> fetched values` over lanes that run at once.

    `lanes[i](state, feeds, run, opening)` gives fetched values by position; it opens the places
    `opens[i]` in this order. `waits` and `cells` say how many places and handed-over values there
    are, `results` how many fetched values.
    """
    share = max(torch.get_num_threads() // len(lanes), 1)

    def run_lane(i: int, run: Run, state: Any, feeds: list[Any], found: list[Any]) -> None:
        opening = deque([run.locks[k] for k in opens[i]])
        outer = getattr(_current, "run", None)  # of a Python function that runs the session
        _current.run = run
        try:
            with torch.inference_mode(), _threads(share):
                for position, value in lanes[i](state, feeds, run, opening).items():
                    found[position] = value
        except Stopped:
            pass  # the lane that failed has said why
        except BaseException as error:  # an interrupt ends the other lanes too
            run.fail(error)
        finally:
            _current.run = outer
            for lock in opening:
                lock.release()

    def run_all(state: Any, feeds: list[Any]) -> list[Any]:
        run = Run(waits, cells)
        found: list[Any] = [None] * results
        workers = state.resource(("lanes",), Workers)
        ended = []
        for i in range(1, len(lanes)):
            end = threading.Event()
            ended.append(end)

            def task(i: int = i, end: threading.Event = end) -> None:
                try:
                    run_lane(i, run, state, feeds, found)
                finally:
                    end.set()

            workers.start(task)
        run_lane(0, run, state, feeds, found)
        for end in ended:
            _join(end, run)
        if run.error is not None:
            try:
                raise run.error
            finally:
                run.error = None  # its traceback holds this frame
        return found

    return run_all


def _join(end: threading.Event, run: Run) -> None:
    """Wait for a lane; an interrupt of the program stops it."""
    while True:
        try:
            end.wait()
            return
        except KeyboardInterrupt as error:
            run.fail(error)
