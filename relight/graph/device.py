"""Device names: `/job:worker/replica:0/task:1/device:GPU:0`, parsed, merged and printed."""

from __future__ import annotations

import functools
from typing import Any

_FIELDS = ("job", "replica", "task", "device_type", "device_index")


class DeviceSpec:
    """A (partial) device name. Fields that are None are left open."""

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ):
        self.job = job
        self.replica = None if replica is None else int(replica)
        self.task = None if task is None else int(task)
        self.device_type = device_type and (
            device_type.upper() if device_type.lower() in ("cpu", "gpu") else device_type
        )
        self.device_index = None if device_index is None else int(device_index)

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Parse a device name; ValueError for an unknown or doubled part."""
        return cls().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Set every field from a device name, and return this spec."""
        self.__init__()  # type: ignore[misc]
        for part in spec.split("/"):
            if not part:
                continue
            words = part.split(":")
            head, count = words[0], len(words)
            if count == 2 and head in ("job", "replica", "task"):
                setattr(self, head, words[1] if head == "job" else int(words[1]))
                continue
            if count <= 2 and head.upper() in ("CPU", "GPU"):
                words = ["device", head.upper(), *(words[1:] or ["*"])]
            elif count != 3 or head != "device":
                raise ValueError(f"Unknown attribute: '{head}' in '{spec}'")
            if self.device_type is not None:
                raise ValueError(f"Cannot specify multiple device types: {spec}")
            kind = words[1]
            self.device_type = kind.upper() if kind.lower() in ("cpu", "gpu") else kind
            if words[2] != "*":
                self.device_index = int(words[2])
        return self

    def merge_from(self, dev: DeviceSpec) -> None:
        """Take over every field that `dev` has set."""
        for field in _FIELDS:
            value = getattr(dev, field)
            if value is not None:
                setattr(self, field, value)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A new spec: this one with every field that `dev` has set replaced."""
        merged = self.replace()
        merged.merge_from(dev)
        return merged

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """A new spec with the fields given by name replaced; TypeError for another name."""
        fields = {field: getattr(self, field) for field in _FIELDS}
        return type(self)(**{**fields, **kwargs})

    def to_string(self) -> str:
        """The name, as `/job:ps/task:0/device:CPU:0`."""
        text = ""
        if self.job is not None:
            text += f"/job:{self.job}"
        if self.replica is not None:
            text += f"/replica:{self.replica}"
        if self.task is not None:
            text += f"/task:{self.task}"
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            text += f"/device:{self.device_type}:{index}"
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())


@functools.lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """The normal form of a device name."""
    return DeviceSpec.from_string(name).to_string()


@functools.lru_cache(maxsize=1024)
def merge(outer: str, inner: str) -> str:
    """`outer` with every field that `inner` sets replaced."""
    spec = DeviceSpec.from_string(outer)
    spec.merge_from(DeviceSpec.from_string(inner))
    return spec.to_string()


def device_name(spec: Any) -> str:
    """The name of a device given as string, DeviceSpec or None."""
    if spec is None:
        return ""
    return spec.to_string() if isinstance(spec, DeviceSpec) else canonical(spec)
