"""What is installed, and how it does."""

from __future__ import annotations

import os
from typing import Any

from gateway.service import environment, units
from gateway.service.machine import Machine
from gateway.service.places import CONFIG, CONFIG_DIR, CURRENT, PACKAGED, STAMP, WANTED


def state(machine: Machine) -> dict[str, Any]:
    """One value a word; ``None`` where there is nothing to say."""
    slot = environment.in_use(machine) or (CURRENT if machine.exists(PACKAGED) else None)
    said = units.properties(machine)
    memory = said.get("MemoryCurrent", "")
    return {
        "installed": machine.text(f"{slot}/{STAMP}").partition(" ")[0] if slot else None,
        "environment": slot,
        "enabled": machine.exists(WANTED),
        "configuration": CONFIG if machine.exists(CONFIG) else _hidden(machine),
        "active": said.get("ActiveState"),
        "status": said.get("StatusText") or None,
        "pid": int(said["MainPID"]) if said.get("MainPID", "0") not in ("0", "") else None,
        "restarts": int(said["NRestarts"]) if said.get("NRestarts", "").isdecimal() else None,
        "memory_mb": round(int(memory) / 1e6, 1) if memory.isdecimal() else None,
    }


def _hidden(machine: Machine) -> str | None:
    """There may be one, and whoever asks may not look."""
    folder = machine.path(CONFIG_DIR)
    return f"{CONFIG_DIR} (root can look into it)" if folder.is_dir() and not os.access(folder, os.X_OK) else None
