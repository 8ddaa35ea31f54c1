"""`tf.train.ClusterSpec` and `tf.train.Server`: the tasks of a cluster, all in this process."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import cluster_pb2

from relight.engine import servers
from relight.graph import errors
from relight.graph.export import export
from relight.v1.functions.proto_classes import ServerDef


@export("train.ClusterSpec")
class ClusterSpec:
    """Jobs by name; each is a list of addresses, or a dict from task numbers to addresses.

    `cluster`: such a dict, a ClusterDef, or another ClusterSpec. TypeError for anything else.
    """

    def __init__(self, cluster: Any):
        if isinstance(cluster, ClusterSpec):
            cluster = cluster.as_cluster_def()
        if isinstance(cluster, cluster_pb2.ClusterDef):
            cluster = {job.name: dict(job.tasks) for job in cluster.job}
        if not isinstance(cluster, dict):
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network "
                "addresses, or a `ClusterDef` protocol buffer"
            )
        self._cluster_spec: dict[str, dict[int, str]] = {}
        for job, tasks in cluster.items():
            if isinstance(tasks, (list, tuple)):
                tasks = dict(enumerate(tasks))
            elif not isinstance(tasks, dict):
                raise TypeError(
                    f"The tasks for job {job!r} must be a list or a dictionary from integers to "
                    "strings."
                )
            if not isinstance(job, (str, bytes)):
                raise TypeError(f"Job name {job!r} must be bytes or unicode")
            for address in tasks.values():
                if not isinstance(address, (str, bytes)):
                    raise TypeError(f"Task address {address!r} must be bytes or unicode")
            self._cluster_spec[job] = dict(tasks)

    def __bool__(self) -> bool:
        return bool(self._cluster_spec)

    def __eq__(self, other: object) -> bool:
        other_spec = other._cluster_spec if isinstance(other, ClusterSpec) else other
        return self._cluster_spec == other_spec

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        # An Estimator prints its configuration, and with it this object, under TensorFlow's name.
        return f"<tensorflow.python.training.server_lib.ClusterSpec object at 0x{id(self):x}>"

    def __str__(self) -> str:
        jobs = self.as_dict()
        return "ClusterSpec({" + ", ".join(f"{k!r}: {jobs[k]!r}" for k in sorted(jobs)) + "})"

    def _tasks(self, job_name: str) -> dict[int, str]:
        if job_name not in self._cluster_spec:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._cluster_spec[job_name]

    def as_dict(self) -> dict[str, Any]:
        """{job: addresses}: a list when the tasks are numbered without gaps, else a dict."""
        found: dict[str, Any] = {}
        for job, tasks in self._cluster_spec.items():
            numbers = sorted(tasks)
            dense = bool(numbers) and numbers == list(range(len(numbers)))
            found[job] = [tasks[i] for i in numbers] if dense else {i: tasks[i] for i in numbers}
        return found

    def as_cluster_def(self) -> Any:
        """A ClusterDef proto."""
        proto = cluster_pb2.ClusterDef()
        for name, tasks in sorted(self._cluster_spec.items()):
            job = proto.job.add(name=name)
            for number, address in sorted(tasks.items()):
                job.tasks[number] = address
        return proto

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._cluster_spec)

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has."""
        return len(self._tasks(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of a job's tasks, in order."""
        return sorted(self._tasks(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of one task."""
        tasks = self._tasks(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of a job's tasks, None for numbers that are left out."""
        tasks = self._tasks(job_name)
        return [tasks.get(i) for i in range(max(tasks) + 1)]


def _server_def(
    server_or_cluster: Any, job_name: Any, task_index: Any, protocol: Any, config: Any
) -> Any:
    """A ServerDef with all fields set, from one with some, or from a cluster."""
    made = ServerDef()
    if isinstance(server_or_cluster, ServerDef):
        made.MergeFrom(server_or_cluster)
        if job_name is not None:
            made.job_name = job_name
        if task_index is not None:
            made.task_index = task_index
        if protocol is not None:
            made.protocol = protocol
    else:
        try:
            cluster = ClusterSpec(server_or_cluster)
        except TypeError:
            raise TypeError(
                "Could not convert `server_or_cluster_def` to a `tf.train.ServerDef` or "
                "`tf.train.ClusterSpec`."
            ) from None
        if job_name is None:
            if len(cluster.jobs) != 1:
                raise ValueError("Must specify an explicit `job_name`.")
            job_name = cluster.jobs[0]
        if task_index is None:
            indices = cluster.task_indices(job_name)
            if len(indices) != 1:
                raise ValueError("Must specify an explicit `task_index`.")
            task_index = indices[0]
        made.cluster.CopyFrom(cluster.as_cluster_def())
        made.job_name, made.task_index = job_name, task_index
        made.protocol = "grpc" if protocol is None else protocol
    if config is not None:
        made.default_session_config.MergeFrom(config)
    return made


@export("train.Server", "distribute.Server")
class Server:
    """One task of a cluster: sessions with its `target` share variables, queues and tables.

    All tasks must be servers of this process; nothing is sent and nothing listens at the address.

    Args:
      server_or_cluster_def: a ServerDef, ClusterDef, ClusterSpec or dict of addresses by job.
      job_name, task_index: which task this is; may be left out where there is one only.
      protocol: "grpc". config: the ConfigProto of sessions that have none. start: without effect.

    Raises:
      TypeError: for what is no cluster. ValueError: for a task that is not told or not there.
      tf.errors.NotFoundError: for another protocol. tf.errors.UnknownError: for a second server
      with the same address.
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ):
        self._server_def = _server_def(
            server_or_cluster_def, job_name, task_index, protocol, config
        )
        if self._server_def.protocol != "grpc":
            raise errors.NotFoundError(
                None,
                None,
                f"No server factory registered for the given ServerDef: {self._server_def}\n"
                "The available server factories are: [ GRPC_SERVER ]",
            )
        self._server = servers.Server(self._server_def)
        if start:
            self.start()

    def start(self) -> None:
        """Start the server: it is from the beginning."""

    def join(self) -> None:
        """Wait until the server has shut down, which it never does."""
        self._server.stopped.wait()

    @property
    def server_def(self) -> Any:
        """The ServerDef of this server."""
        return self._server_def

    @property
    def target(self) -> str:
        """What a session is given to work on this server."""
        return self._server.target

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server that is a cluster of one task by itself."""
        return Server({"local": ["localhost:0"]}, protocol="grpc", config=config, start=start)
