"""Files of the kernel and the system that a test makes up."""

from __future__ import annotations

from gateway.simulation.files import Files


class FakeSysfs(Files):
    """Files of a machine, such as ``FakeSysfs({"/proc/uptime": "12.5 40.1"})``. Change ``files`` as you like."""
