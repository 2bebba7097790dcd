"""The topic tree, contract section 4. Only names from the configuration ever become a topic level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway. ``base`` is ``<base_topic>/<gateway id>``."""

    base: str

    @classmethod
    def of(cls, base_topic: str, gateway_id: str) -> Topics:
        """The tree of one gateway."""
        return cls(f"{base_topic}/{gateway_id}")

    def live(self, device: str) -> str:
        """The newest reading."""
        return f"{self.base}/{device}"

    def availability(self, device: str) -> str:
        """``online`` or ``offline``."""
        return f"{self.base}/{device}/availability"

    def status(self, device: str) -> str:
        """State and counters."""
        return f"{self.base}/{device}/status"

    def gateway(self, leaf: str) -> str:
        """``state``, ``health``, ``runs`` or ``devices`` of the gateway itself."""
        return f"{self.base}/gateway/{leaf}"

    @staticmethod
    def history(live: str) -> str:
        """Late readings of the device whose live topic this is."""
        return f"{live}/history"

    @staticmethod
    def batch(live: str) -> str:
        """All readings, in arrays, of a device with ``batch`` set, whose live topic this is."""
        return f"{live}/batch"
