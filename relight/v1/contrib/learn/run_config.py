"""`tf.contrib.learn.RunConfig`: how an Estimator of that library runs."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import config_pb2

from relight.v1.estimator import run_config

_OF_A_PROCESS = (
    "evaluation_master",
    "experimental_distribute",
    "global_id_in_cluster",
    "is_chief",
    "master",
    "num_ps_replicas",
    "num_worker_replicas",
    "session_config",
    "task_id",
    "task_type",
    "tf_config",
)


class RunConfig(run_config.RunConfig):
    """A configuration with the older arguments; see `tf.estimator.RunConfig`.

    `num_cores`, `log_device_placement` and `gpu_memory_fraction` are kept in `tf_config`, as in
    TensorFlow, where sessions do not read them either.
    """

    def __init__(
        self,
        master: str | None = None,
        num_cores: int = 0,
        log_device_placement: bool = False,
        gpu_memory_fraction: float = 1,
        tf_random_seed: int | None = None,
        save_summary_steps: int = 100,
        save_checkpoints_secs: Any = 0,
        save_checkpoints_steps: int | None = None,
        keep_checkpoint_max: int = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int = 100,
        protocol: str | None = None,
        evaluation_master: str = "",
        model_dir: str | None = None,
        session_config: Any = None,
        session_creation_timeout_secs: float = 7200,
    ):
        if save_checkpoints_secs == 0:
            save_checkpoints_secs = 600 if save_checkpoints_steps is None else None
        super().__init__(
            model_dir=model_dir,
            tf_random_seed=tf_random_seed,
            save_summary_steps=save_summary_steps,
            save_checkpoints_secs=save_checkpoints_secs,
            save_checkpoints_steps=save_checkpoints_steps,
            session_config=session_config,
            keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            log_step_count_steps=log_step_count_steps,
            protocol=protocol,
            session_creation_timeout_secs=session_creation_timeout_secs,
        )
        if master is not None:
            self._master = master
        self._evaluation_master = evaluation_master
        self._environment = "local"
        self._tf_config = config_pb2.ConfigProto(
            log_device_placement=log_device_placement,
            inter_op_parallelism_threads=num_cores,
            intra_op_parallelism_threads=num_cores,
            gpu_options=config_pb2.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction),
        )

    @property
    def environment(self) -> str:
        """Where the program runs: "local"."""
        return self._environment

    @property
    def tf_config(self) -> Any:
        """A ConfigProto of the older arguments."""
        return self._tf_config

    def uid(self, whitelist: Any = None) -> str:
        """The configuration as text, without what differs between processes of one program."""
        left_out = _OF_A_PROCESS if whitelist is None else whitelist
        state = {k: v for k, v in vars(self).items() if k.removeprefix("_") not in left_out}
        if "_cluster_spec" in state:
            state["_cluster_spec"] = sorted(state["_cluster_spec"].as_dict().items())
        return ", ".join(f"{key}={state[key]!r}" for key in sorted(state))
