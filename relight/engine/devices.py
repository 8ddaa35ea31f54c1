"""The devices that a session computes on.

Processors are logical: `/device:CPU:0` and `/device:CPU:1` are the same cores and memory, and steps
on them run concurrently. `/device:GPU:i` is PyTorch's `cuda:i`.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import random
from collections.abc import Sequence
from typing import Any

import torch

from relight.graph import errors

PREFIX = "/job:localhost/replica:0/task:0"
_CPU_MEMORY = 256 << 20  # bytes; what TensorFlow says of a processor, whatever memory it has
_INCARNATION = random.SystemRandom().getrandbits(63)  # another one in each process


@dataclasses.dataclass(frozen=True)
class Device:
    """One device: its type ("CPU", "GPU") and index, where its tensors live, memory in bytes."""

    device_type: str
    index: int
    memory: torch.device
    memory_limit_bytes: int
    description: str = ""
    job: str = "localhost"
    task: int = 0

    @property
    def name(self) -> str:
        """The full name."""
        task = f"/job:{self.job}/replica:0/task:{self.task}"
        return f"{task}/device:{self.device_type}:{self.index}"


@dataclasses.dataclass(frozen=True)
class DeviceAttributes:
    """One device: its full name, type ("CPU"), memory in bytes, and a number of this process."""

    name: str
    device_type: str
    memory_limit_bytes: int
    incarnation: int

    def __repr__(self) -> str:
        return (
            f"_DeviceAttributes({self.name}, {self.device_type}, {self.memory_limit_bytes}, "
            f"{self.incarnation})"
        )


@functools.cache
def gpus() -> tuple[Device, ...]:
    """The GPUs that PyTorch computes on, as devices numbered from 0."""
    if not torch.cuda.is_available():
        return ()
    # TensorFlow 1 computes in full float32; RELIGHT_TF32=1 asks for less.
    reduced = os.environ.get("RELIGHT_TF32", "") == "1"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = reduced
    found = []
    for i in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(i)
        description = (
            f"device: {i}, name: {properties.name}, "
            f"compute capability: {properties.major}.{properties.minor}"
        )
        memory = torch.device("cuda", i)
        found.append(Device("GPU", i, memory, properties.total_memory, description))
    return tuple(found)


def _visible_gpus(config: Any) -> Sequence[Device]:
    """The GPUs that a ConfigProto leaves, numbered as it orders them."""
    found: Sequence[Device] = gpus()
    if config is None or not found:
        return found
    wanted = config.gpu_options.visible_device_list
    if wanted:
        try:
            found = [found[int(i)] for i in wanted.split(",")]
        except (ValueError, IndexError):
            raise errors.InvalidArgumentError(
                None, None, f"'visible_device_list' listed an invalid GPU id '{wanted}'"
            ) from None
        found = [dataclasses.replace(d, index=i) for i, d in enumerate(found)]
    count = dict(config.device_count).get("GPU", len(found))
    return found[: max(count, 0)]


@functools.cache
def _cpus(count: int) -> tuple[Device, ...]:
    memory = torch.device("cpu")
    return tuple(Device("CPU", i, memory, _CPU_MEMORY) for i in range(count))


def local_devices(config: Any = None) -> tuple[Device, ...]:
    """The devices of a session with this `ConfigProto`, processors first.

    `device_count` may ask for more CPUs and for fewer GPUs, `gpu_options.visible_device_list` for
    some GPUs in some order. NotFoundError when no CPU is left.
    """
    count = 1
    if config is not None and config.device_count:
        count = dict(config.device_count).get("CPU", 1)
    if count < 1:
        raise errors.NotFoundError(None, None, "No CPU devices are available in this process")
    return (*_cpus(count), *_visible_gpus(config))


def list_devices(found: Sequence[Device]) -> list[DeviceAttributes]:
    """What `Session.list_devices` tells of these devices."""
    return [
        DeviceAttributes(d.name, d.device_type, d.memory_limit_bytes, _INCARNATION + i)
        for i, d in enumerate(found)
    ]
