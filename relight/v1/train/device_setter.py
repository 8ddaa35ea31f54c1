"""`tf.train.replica_device_setter`: variables on parameter servers, other operations on workers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from relight.graph.device import DeviceSpec, merge
from relight.graph.export import export
from relight.v1 import logging
from relight.v1.train.server_lib import ClusterSpec

_ON_SERVERS = (
    "Variable",
    "VariableV2",
    "AutoReloadVariable",
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
    "MutableDenseHashTable",
    "MutableDenseHashTableV2",
    "VarHandleOp",
    "BoostedTreesEnsembleResourceHandleOp",
    "BoostedTreesQuantileStreamResourceHandleOp",
    "ResourceConditionalAccumulator",
)


@export("train.replica_device_setter")
def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Any = None,
    ps_strategy: Callable[[Any], int] | None = None,
) -> Callable[[Any], str] | None:
    """A function for `tf.device` that names the device of each operation.

    Operations of the types `ps_ops` (variables and tables by default) go to the parameter servers,
    one after the other unless `ps_strategy(op)` says which. Gives None without parameter servers.
    Raises TypeError for a strategy that cannot be called.
    """
    if cluster is not None:
        jobs = (cluster if isinstance(cluster, ClusterSpec) else ClusterSpec(cluster)).as_dict()
        job = DeviceSpec.from_string(ps_device).job
        if jobs.get(job) is None:
            return None
        ps_tasks = len(jobs[job])
    if ps_tasks == 0:
        return None
    if not merge_devices:
        logging.warning(
            "DEPRECATION: It is recommended to set merge_devices=true in replica_device_setter"
        )
    if ps_strategy is None:
        tasks = itertools.cycle(range(ps_tasks))
        ps_strategy = lambda _: next(tasks)
    if not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")
    types = frozenset(_ON_SERVERS if ps_ops is None else ps_ops)
    strategy = ps_strategy

    def device_function(op: Any) -> str:
        if not merge_devices and op.device:
            return op.device
        asked = DeviceSpec.from_string(op.device or "")
        op_type = op.type if hasattr(op, "type") else op.op  # an Operation or a NodeDef
        if not (ps_device and op_type in types):
            return merge(worker_device or "", op.device or "")
        server = DeviceSpec.from_string(ps_device)
        if server.job and asked.job in (None, server.job):
            server.task = strategy(op)
        return merge(server.to_string(), op.device or "")

    return device_function
