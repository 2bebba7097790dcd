"""Devices by the names that a user typed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.settings import DeviceSettings, Settings


def chosen(settings: Settings, names: Sequence[str]) -> list[DeviceSettings]:
    """The devices of these names in the order of the configuration; all of them without names.

    An unknown name is an error that is answered with the nearest.
    """
    by_name = {device.device: device for device in settings.devices}
    for name in names:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(by_name) or 'none'}"
            raise click.ClickException(f"no device {name!r} in the configuration; {hint}")
    return [device for name, device in by_name.items() if not names or name in names]
