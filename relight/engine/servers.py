"""Servers of this process: sessions with one target share variables and other resources.

TensorFlow's servers talk to each other over gRPC. Here all tasks of a cluster must be servers of
this process, and nothing is sent: a target such as `grpc://localhost:40001` is a name for what its
sessions share. Each task has devices of its own name, and a variable belongs to the task on whose
device it is placed.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading
import weakref
from collections.abc import Callable
from typing import Any

from relight.engine import devices, placement
from relight.graph import errors
from relight.graph.node import Operation

_lock = threading.RLock()
_by_target: dict[str, Server] = {}
_clusters: dict[bytes, Cluster] = {}
_ports = itertools.count(40001)  # for tasks that leave the port open; nothing listens there


class Cluster:
    """What the tasks of one cluster share: variables and resources, and the sessions on them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.variables: dict[Any, Any] = {}
        self.resources: dict[Any, Any] = {}
        self.tasks: dict[tuple[str, int], Server] = {}
        self.sessions: weakref.WeakSet[Any] = weakref.WeakSet()

    def clear(self, containers: list[str]) -> None:
        """Drop what is in these containers; all when the list is empty."""
        with self.lock:
            for held in (self.variables, self.resources):
                for key in list(held):
                    if not containers or (isinstance(key, tuple) and key[1] in containers):
                        del held[key]


class Server:
    """One task of a cluster in this process. `server_def`: its ServerDef proto."""

    def __init__(self, server_def: Any):
        self.server_def = server_def
        self.job, self.task = server_def.job_name, server_def.task_index
        jobs = {j.name: dict(j.tasks) for j in server_def.cluster.job}
        if self.task not in jobs.get(self.job, {}):
            raise errors.InvalidArgumentError(
                None, None, f'Task {self.task} was not defined in job "{self.job}"'
            )
        self.expected = [(job, task) for job, tasks in jobs.items() for task in tasks]
        address = jobs[self.job][self.task]
        host, _, port = address.rpartition(":")
        with _lock:
            alone = len(self.expected) == 1
            if not port.isdigit() or int(port) == 0:
                address = f"{host or address}:{next(_ports)}"
            self.target = f"grpc://{address}"
            if self.target in _by_target:
                raise errors.UnknownError(None, None, "Could not start gRPC server")
            key = server_def.cluster.SerializeToString(deterministic=True)
            self.cluster = Cluster() if alone else _clusters.setdefault(key, Cluster())
            self.cluster.tasks[self.job, self.task] = self
            _by_target[self.target] = self
        self.stopped = threading.Event()

    def devices(self, config: Any) -> tuple[devices.Device, ...]:
        """The devices of all tasks of the cluster, those of this one first."""
        missing = [t for t in self.expected if t not in self.cluster.tasks]
        if missing:
            names = ", ".join(f"/job:{job}/replica:0/task:{task}" for job, task in missing)
            raise errors.UnimplementedError(
                None, None, f"relight runs in this process only; here are no servers for {names}"
            )
        local = devices.local_devices(config)
        tasks = sorted(self.cluster.tasks, key=lambda t: (t != (self.job, self.task), t))
        return tuple(dataclasses.replace(d, job=j, task=t) for j, t in tasks for d in local)

    def attach(self, session: Any, state: Any, placer: placement.Placer) -> None:
        """Let a session work on what the cluster holds."""
        cluster = self.cluster
        state.variables, state.resources = cluster.variables, cluster.resources
        state.lock = cluster.lock
        state.owner = _owner(session, placer)
        cluster.sessions.add(session)

    def reset(self, containers: list[str]) -> None:
        """Drop containers (all, when the list is empty); sessions end with AbortedError."""
        cluster = self.cluster
        with cluster.lock:
            sessions = list(cluster.sessions)
            cluster.sessions.clear()
        for session in sessions:
            if not session._closed:
                text = f"Session {id(session):016x} is not found."
                session._closed = errors.AbortedError(None, None, text)
        cluster.clear(containers)


def _owner(session: Any, placer: placement.Placer) -> Callable[[str, Any], Any]:
    """Under which key a variable is kept: its task, its container, its name."""
    first = min(placer.devices, key=lambda d: (d.job, d.task))

    def key(name: str, node: Operation | None) -> Any:
        if node is None:
            return "variable", "", name
        device = first
        if not placer.single and node.graph is session.graph:
            device = placer.place(node.graph).get(node, first)
        return "variable", node._attrs.get("container") or "", device.job, device.task, name

    return key


def find(target: str) -> Server | None:
    """The server behind a session's target; None for the empty one.

    NotFoundError for a target of another kind, InvalidArgumentError for one that is no address,
    UnimplementedError for a server of another process.
    """
    if not target:
        return None
    if not target.startswith("grpc://"):
        raise errors.NotFoundError(
            None,
            None,
            f'No session factory registered for the given session options: {{target: "{target}" '
            "config: } Registered factories are {DIRECT_SESSION, GRPC_SESSION}.",
        )
    server = _by_target.get(target)
    if server is not None:
        return server
    address = target.removeprefix("grpc://")
    if not re.fullmatch(r"[^:]+:\d+|\[.*\]:\d+", address):
        raise errors.InvalidArgumentError(
            None, None, f'Could not interpret "{address}" as a host-port pair.'
        )
    raise errors.UnimplementedError(
        None, None, f"relight runs in this process only; here is no server for {target!r}"
    )


_direct: weakref.WeakSet[Any] = weakref.WeakSet()  # sessions of no server


def register(session: Any) -> None:
    """Note a session of no server: `reset` of the empty target closes it."""
    _direct.add(session)


def reset(target: str, containers: Any) -> None:
    """`tf.Session.reset`: of a server, or (the empty target) of all sessions without one."""
    wanted = [c.decode() if isinstance(c, bytes) else str(c) for c in containers or ()]
    server = find(target)
    if server is not None:
        server.reset(wanted)
        return
    for session in list(_direct):
        if not session._closed:
            session.close()
            session._closed = errors.CancelledError(None, None, "Session has been closed.")
