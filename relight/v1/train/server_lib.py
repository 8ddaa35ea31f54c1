"""`tf.train.ClusterSpec`: the jobs of a cluster and the addresses of their tasks."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import cluster_pb2

from relight.graph.export import export


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
