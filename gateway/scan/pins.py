"""GPIO chips, and which of them is the 40-pin header. What is connected to a pin cannot be seen."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence

from gateway.hardware.gpio_kernel import Chip
from gateway.hardware.permission import permission_hint
from gateway.scan.finding import Candidate, Finding, nothing
from gateway.scan.tree import Tree

WAY = "what is on a pin cannot be seen; a contact, button or motion sensor: sensorpost drivers gpio"


def look(tree: Tree, chips: Callable[[], Sequence[Chip]]) -> list[Finding]:
    """Every chip, and why there is none."""
    nodes = tree.names("/dev", "gpiochip*")
    if not nodes:
        return [nothing("gpio", "no GPIO", "" if tree.is_pi else "this machine is no Raspberry Pi")]
    try:
        found = chips()
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM):
            return [nothing("gpio", f"not looked at: {error.strerror}")]
        hint = permission_hint(str(tree.path(f"/dev/{nodes[0]}")), "gpio")
        return [nothing("gpio", "not looked at", f"no permission: {hint}")]
    return [_finding(chip) for chip in found]


def _finding(chip: Chip) -> Finding:
    where, lines = chip.path, f"{chip.label}, {chip.lines} lines"
    if not chip.is_header:
        return Finding(bus="gpio", where=where, what=lines, note="not the 40-pin header")
    candidates = (Candidate("gpio", "what is on or off"),)
    return Finding(bus="gpio", where=where, what=f"the 40-pin header ({lines})", candidates=candidates, note=WAY)
