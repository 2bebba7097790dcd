"""Units and device classes: which pairs exist, and how to convert."""

from __future__ import annotations


def check_pair(channel: str, type_: type, unit: str | None, device_class: str | None) -> None:
    """Raise ``ValueError`` naming the allowed units when unit and device class do not go together."""
