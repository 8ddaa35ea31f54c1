"""`tf.estimator.RunConfig`: how an Estimator runs, and where in a cluster it runs."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from typing import Any

from tensorboard.compat.proto import config_pb2, rewriter_config_pb2

from relight.graph.export import export
from relight.v1 import logging
from relight.v1.estimator.util import fn_args
from relight.v1.train.server_lib import ClusterSpec

_USE_DEFAULT = object()
_SAVE_BOTH = "`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set."
_REPLACEABLE = [
    "model_dir",
    "tf_random_seed",
    "save_summary_steps",
    "save_checkpoints_steps",
    "save_checkpoints_secs",
    "session_config",
    "keep_checkpoint_max",
    "keep_checkpoint_every_n_hours",
    "log_step_count_steps",
    "train_distribute",
    "device_fn",
    "protocol",
    "eval_distribute",
    "experimental_distribute",
    "experimental_max_worker_delay_secs",
    "session_creation_timeout_secs",
]


class TaskType:
    """The kinds of tasks in a cluster."""

    MASTER = "master"
    PS = "ps"
    WORKER = "worker"
    CHIEF = "chief"
    EVALUATOR = "evaluator"


def get_default_session_config(device_filters: list[str] | None = None) -> Any:
    """The ConfigProto of sessions when none is given."""
    rewriter = rewriter_config_pb2.RewriterConfig
    return config_pb2.ConfigProto(
        allow_soft_placement=True,
        graph_options=config_pb2.GraphOptions(
            rewrite_options=rewriter(meta_optimizer_iterations=rewriter.ONE)
        ),
        device_filters=device_filters,
    )


# property -> (whether a value is allowed, what is said of one that is not)
_CHECKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "model_dir": (lambda v: v, "model_dir should be non-empty"),
    "save_summary_steps": (lambda v: v >= 0, "save_summary_steps should be >= 0"),
    "save_checkpoints_steps": (lambda v: v >= 0, "save_checkpoints_steps should be >= 0"),
    "save_checkpoints_secs": (lambda v: v >= 0, "save_checkpoints_secs should be >= 0"),
    "session_config": (
        lambda v: isinstance(v, config_pb2.ConfigProto),
        "session_config must be instance of ConfigProto",
    ),
    "keep_checkpoint_max": (lambda v: v >= 0, "keep_checkpoint_max should be >= 0"),
    "keep_checkpoint_every_n_hours": (
        lambda v: v > 0,
        "keep_checkpoint_every_n_hours should be > 0",
    ),
    "log_step_count_steps": (lambda v: v > 0, "log_step_count_steps should be > 0"),
    "tf_random_seed": (lambda v: isinstance(v, int), "tf_random_seed must be integer."),
    "experimental_max_worker_delay_secs": (
        lambda v: isinstance(v, int),
        "experimental_max_worker_delay_secs must be an integer if set.",
    ),
    "session_creation_timeout_secs": (
        lambda v: v > 0,
        "session_creation_timeout_secs should be > 0",
    ),
    "device_fn": (
        lambda v: callable(v) and set(fn_args(v)) == {"op"},
        'device_fn must be callable with exactly one argument "op".',
    ),
    "protocol": (lambda v: v in ("grpc", "grpc+verbs"), "protocol should be grpc or grpc+verbs"),
}


@export("estimator.RunConfig")
class RunConfig:
    """How an Estimator runs.

    Args:
      model_dir: where checkpoints, events and the graph are written.
      tf_random_seed: the graph seed of every graph that the Estimator builds.
      save_summary_steps: summaries are saved every so many steps.
      save_checkpoints_steps, save_checkpoints_secs: how often a checkpoint is saved, in steps or
        in seconds (600 by default); None for both saves none.
      session_config: the ConfigProto of sessions.
      keep_checkpoint_max: how many recent checkpoints are kept; 0 or None keeps all.
      keep_checkpoint_every_n_hours: besides, one is kept every so many hours.
      log_step_count_steps: loss and steps per second are logged every so many steps.
      train_distribute, eval_distribute, experimental_distribute: distribution strategies.
      device_fn: gives the device of an operation.
      protocol: the protocol of a cluster.
      experimental_max_worker_delay_secs: how long a worker waits at most before it starts.
      session_creation_timeout_secs: how long a worker waits for the chief's session.

    The place in a cluster comes from the environment variable TF_CONFIG, a JSON object.

    Raises:
      ValueError: for values that are not allowed, and for a TF_CONFIG that contradicts itself.
    """

    def __init__(
        self,
        model_dir: Any = None,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_steps: Any = _USE_DEFAULT,
        save_checkpoints_secs: Any = _USE_DEFAULT,
        session_config: Any = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        train_distribute: Any = None,
        device_fn: Any = None,
        protocol: str | None = None,
        eval_distribute: Any = None,
        experimental_distribute: Any = None,
        experimental_max_worker_delay_secs: int | None = None,
        session_creation_timeout_secs: float = 7200,
    ):
        if save_checkpoints_steps is _USE_DEFAULT and save_checkpoints_secs is _USE_DEFAULT:
            save_checkpoints_steps, save_checkpoints_secs = None, 600
        elif save_checkpoints_secs is _USE_DEFAULT:
            save_checkpoints_secs = None
        elif save_checkpoints_steps is _USE_DEFAULT:
            save_checkpoints_steps = None
        elif save_checkpoints_steps is not None and save_checkpoints_secs is not None:
            raise ValueError(_SAVE_BOTH)
        tf_config = json.loads(os.environ.get("TF_CONFIG", "{}"))
        if tf_config:
            logging.info("TF_CONFIG environment variable: %s", tf_config)
        if isinstance(model_dir, os.PathLike):
            model_dir = os.fspath(model_dir)
        RunConfig._replace(
            self,
            _REPLACEABLE,
            model_dir=_model_dir(tf_config, model_dir),
            tf_random_seed=tf_random_seed,
            save_summary_steps=save_summary_steps,
            save_checkpoints_steps=save_checkpoints_steps,
            save_checkpoints_secs=save_checkpoints_secs,
            session_config=session_config,
            keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            log_step_count_steps=log_step_count_steps,
            train_distribute=train_distribute,
            device_fn=device_fn,
            protocol=protocol,
            eval_distribute=eval_distribute,
            experimental_distribute=experimental_distribute,
            experimental_max_worker_delay_secs=experimental_max_worker_delay_secs,
            session_creation_timeout_secs=session_creation_timeout_secs,
        )
        self._read_place(tf_config)
        if not self._session_config and self._cluster_spec:
            RunConfig._replace(self, _REPLACEABLE, session_config=self._cluster_session_config())

    def _cluster_session_config(self) -> Any:
        """The ConfigProto of a session that only sees the tasks that it works with."""
        filters = {
            TaskType.MASTER: ["/job:ps", "/job:master"],
            TaskType.CHIEF: ["/job:ps", "/job:chief"],
            TaskType.WORKER: ["/job:ps", f"/job:worker/task:{self._task_id}"],
            TaskType.PS: ["/job:ps", "/job:worker", "/job:chief", "/job:master"],
        }.get(self._task_type)
        return None if filters is None else get_default_session_config(filters)

    def _read_place(self, tf_config: dict[str, Any]) -> None:
        """Set what TF_CONFIG says about this task."""
        self._service = tf_config.get("service")
        if self._service is not None and not isinstance(self._service, dict):
            raise TypeError(
                f'If "service" is set in TF_CONFIG, it must be a dict. Given {type(self._service)}'
            )
        self._cluster_spec = ClusterSpec(tf_config.get("cluster", {}))
        task = tf_config.get("task", {})
        if not self._cluster_spec:
            self._read_local_place(tf_config, task)
            return
        spec = self._cluster_spec
        chief = TaskType.MASTER if TaskType.MASTER in spec.jobs else TaskType.CHIEF
        if chief == TaskType.MASTER and TaskType.CHIEF in spec.jobs:
            raise ValueError("If `master` node exists in `cluster`, job `chief` is not supported.")
        self._task_type, self._task_id = _task(spec, task, chief)
        is_evaluator = self._task_type == TaskType.EVALUATOR
        if is_evaluator and chief == TaskType.MASTER:
            raise ValueError(
                "If `master` node exists in `cluster`, task_type `evaluator` is not supported."
            )
        self._evaluation_master = tf_config.get("eval_session_master", "") if is_evaluator else ""
        if is_evaluator:
            self._cluster_spec = ClusterSpec({})
            self._master = ""
            self._num_ps_replicas = 0
            self._num_worker_replicas = 0
            self._global_id_in_cluster = None
        else:
            jobs = spec.as_dict()
            self._master = _session_master(spec, self._task_type, self._task_id, tf_config)
            self._num_ps_replicas = len(jobs.get(TaskType.PS, []))
            self._num_worker_replicas = len(jobs.get(TaskType.WORKER, [])) + len(
                jobs.get(chief, [])
            )
            self._global_id_in_cluster = _global_id(spec, self._task_type, self._task_id, chief)
        self._is_chief = self._task_type == chief

    def _read_local_place(self, tf_config: dict[str, Any], task: dict[str, Any]) -> None:
        self._task_type = task.get("type", TaskType.WORKER)
        self._task_id = int(task.get("index", 0))
        self._global_id_in_cluster = 0
        if self._task_type != TaskType.WORKER:
            raise ValueError('If "cluster" is not set in TF_CONFIG, task type must be WORKER.')
        if self._task_id != 0:
            raise ValueError('If "cluster" is not set in TF_CONFIG, task index must be 0.')
        self._master = tf_config.get("session_master", "")
        self._evaluation_master = tf_config.get("eval_session_master", "")
        self._is_chief = True
        self._num_ps_replicas = 0
        self._num_worker_replicas = 1

    def replace(self, **kwargs: Any) -> RunConfig:
        """A copy with other values. ValueError for a property that cannot be replaced."""
        return RunConfig._replace(copy.deepcopy(self), _REPLACEABLE, **kwargs)

    @staticmethod
    def _replace(
        config: Any, allowed_properties_list: list[str] | None = None, **kwargs: Any
    ) -> Any:
        allowed = allowed_properties_list or []
        for key, value in kwargs.items():
            if key not in allowed:
                raise ValueError(
                    f"Replacing {key} is not supported. Allowed properties are {allowed}."
                )
            setattr(config, "_" + key, value)
        steps = "save_checkpoints_steps" in kwargs and config.save_checkpoints_steps is not None
        secs = "save_checkpoints_secs" in kwargs and config.save_checkpoints_secs is not None
        if steps and secs:
            raise ValueError(_SAVE_BOTH)
        if steps and "save_checkpoints_secs" not in kwargs:
            config._save_checkpoints_secs = None
        if secs and "save_checkpoints_steps" not in kwargs:
            config._save_checkpoints_steps = None
        for name, (allowed_value, message) in _CHECKS.items():
            value = getattr(config, "_" + name)
            if value is not None and not allowed_value(value):
                raise ValueError(message)
        return config


# property -> what it says; each is kept in the attribute of that name with a "_" before it.
_PROPERTIES = {
    "cluster_spec": "The ClusterSpec of TF_CONFIG.",
    "device_fn": "The function that gives operations their devices, or None.",
    "evaluation_master": "The master of evaluation sessions.",
    "is_chief": "Whether this task saves checkpoints and events.",
    "master": "The master of training sessions.",
    "num_ps_replicas": "How many parameter servers there are.",
    "num_worker_replicas": "How many workers there are, the chief among them.",
    "task_id": "The number of this task within its job.",
    "global_id_in_cluster": "The number of this task among all but evaluators.",
    "experimental_max_worker_delay_secs": "How long a worker waits at most before it starts.",
    "task_type": "The job of this task.",
    "tf_random_seed": "The graph seed.",
    "save_summary_steps": "Summaries are saved every so many steps.",
    "save_checkpoints_secs": "A checkpoint is saved every so many seconds, or None.",
    "session_config": "The ConfigProto of sessions.",
    "save_checkpoints_steps": "A checkpoint is saved every so many steps, or None.",
    "keep_checkpoint_max": "How many recent checkpoints are kept.",
    "session_creation_timeout_secs": "How long a worker waits for the chief's session.",
    "keep_checkpoint_every_n_hours": "One checkpoint is kept every so many hours.",
    "log_step_count_steps": "Loss and steps per second are logged every so many steps.",
    "model_dir": "Where checkpoints, events and the graph are written.",
    "service": "The service entry of TF_CONFIG.",
    "train_distribute": "The distribution strategy of training, or None.",
    "eval_distribute": "The distribution strategy of evaluation, or None.",
    "protocol": "The protocol of the cluster, or None.",
}


def _property(name: str, doc: str) -> property:
    attribute = "_" + name
    return property(lambda self: getattr(self, attribute), doc=doc)


for _name, _doc in _PROPERTIES.items():
    setattr(RunConfig, _name, _property(_name, _doc))


def _model_dir(tf_config: dict[str, Any], model_dir: Any) -> Any:
    if model_dir == "":
        raise ValueError("model_dir should be non-empty.")
    configured = tf_config.get("model_dir")
    if configured == "":
        raise ValueError("model_dir in TF_CONFIG should be non-empty.")
    if configured:
        if model_dir and configured != model_dir:
            raise ValueError(
                "`model_dir` provided in RunConfig construct, if set, must have the same value as "
                f"the model_dir in TF_CONFIG. model_dir: {model_dir}\n"
                f'TF_CONFIG["model_dir"]: {configured}.\n'
            )
        logging.info("Using model_dir in TF_CONFIG: %s", configured)
    return model_dir or configured


def _task(spec: ClusterSpec, task: dict[str, Any], chief: str) -> tuple[str, int]:
    """The type and number of this task, which must exist in the cluster."""
    if chief not in spec.jobs:
        raise ValueError(f'If "cluster" is set in TF_CONFIG, it must have one "{chief}" node.')
    if len(spec.job_tasks(chief)) > 1:
        raise ValueError(f'The "cluster" in TF_CONFIG must have only one "{chief}" node.')
    kind, number = task.get("type"), task.get("index")
    if not kind:
        raise ValueError('If "cluster" is set in TF_CONFIG, task type must be set.')
    if number is None:
        raise ValueError('If "cluster" is set in TF_CONFIG, task index must be set.')
    number = int(number)
    if number < 0:
        raise ValueError("Task index must be non-negative number.")
    if kind == TaskType.EVALUATOR:
        return kind, number
    note = "Note that these values may be coming from the TF_CONFIG environment variable."
    if kind not in spec.jobs:
        raise ValueError(f"{kind} is not a valid task_type in the cluster_spec:\n{spec}\n\n{note}")
    if number >= len(spec.job_tasks(kind)):
        raise ValueError(
            f"{number} is not a valid task_id for task_type {kind} in the cluster_spec:\n{spec}"
            f"\n\n{note}"
        )
    return kind, number


def _session_master(spec: ClusterSpec, kind: str, number: int, tf_config: dict[str, Any]) -> str:
    if "session_master" in tf_config:
        return tf_config["session_master"]
    if len(spec.jobs) == 1 and len(spec.job_tasks(spec.jobs[0])) == 1:
        return ""
    return "grpc://" + spec.job_tasks(kind)[number]


def _global_id(spec: ClusterSpec, kind: str, number: int, chief: str) -> int:
    """The number of a task when the chief comes first and parameter servers come last."""
    jobs = [chief, *(j for j in sorted(spec.jobs) if j not in (chief, TaskType.PS))]
    if TaskType.PS in spec.jobs:
        jobs.append(TaskType.PS)
    before = jobs[: jobs.index(kind)]
    return sum(len(spec.job_tasks(job)) for job in before) + number
