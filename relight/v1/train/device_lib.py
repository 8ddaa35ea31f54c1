"""`tensorflow.python.client.device_lib`: the devices of this process."""

from __future__ import annotations

from typing import Any

from relight.engine.devices import list_devices, local_devices
from relight.formats.protos import DeviceAttributes, DeviceLocality


def list_local_devices(session_config: Any = None) -> list[Any]:
    """The devices of a session with this `ConfigProto`, as `DeviceAttributes` protos.

    Names have no job and task: `/device:CPU:0`. `memory_limit` is in bytes.
    """
    devices = local_devices(session_config)
    return [
        DeviceAttributes(
            name=f"/device:{device.device_type}:{device.index}",
            device_type=told.device_type,
            memory_limit=told.memory_limit_bytes,
            locality=DeviceLocality(),
            incarnation=told.incarnation,
            physical_device_desc=device.description,
        )
        for device, told in zip(devices, list_devices(devices), strict=True)
    ]
