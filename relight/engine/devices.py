"""The devices that a session computes on."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

_PREFIX = "/job:localhost/replica:0/task:0"
_CPU_MEMORY = 256 << 20  # bytes; what TensorFlow says of a processor, whatever memory it has
_INCARNATION = random.SystemRandom().getrandbits(63)  # another one in each process


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


def list_devices(config: Any = None) -> list[DeviceAttributes]:
    """The devices of a session with this `ConfigProto`; `device_count` may ask for more CPUs."""
    count = 1
    if config is not None and config.device_count:
        count = dict(config.device_count).get("CPU", 1)
    return [
        DeviceAttributes(f"{_PREFIX}/device:CPU:{i}", "CPU", _CPU_MEMORY, _INCARNATION + i)
        for i in range(max(count, 1))
    ]
