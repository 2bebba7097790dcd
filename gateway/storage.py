"""The store that a configuration asks for: a spool on disk, or memory alone."""

from __future__ import annotations

from pathlib import Path

from gateway.clocks import Clock
from gateway.config.settings import Settings
from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability
from gateway.paths import boot_id
from gateway.roster import Roster
from gateway.status.alarms import Alarms

MEMORY = 32 * 1024 * 1024
"""Bytes of readings that are kept in memory: those of ``memory`` devices, and all while the disk refuses."""


def open_disk(settings: Settings, state_dir: Path, clock: Clock, alarms: Alarms) -> Disk | None:
    """The spool's file; none where no device wants to be written."""
    if all(device.durability == Durability.MEMORY for device in settings.devices):
        return None
    return Disk(state_dir / settings.spool.path, clock, alarms)


def make_store(disk: Disk | None, roster: Roster, clock: Clock, run: str) -> Spool | MemoryStore:
    """A store on the file, where there is one."""
    if disk is None:
        return MemoryStore(MEMORY)
    settings = roster.settings
    return Spool(
        disk,
        clock,
        run=run,
        boot_id=boot_id(),
        exact=all(device.durability == Durability.FULL for device in settings.devices),
        max_bytes=settings.spool.max_size,
        memory_bytes=MEMORY,
        refuse_new=settings.spool.when_full == "refuse_new",
        spill_after=settings.spool.spill_after,
        keep=settings.spool.keep,
        lost_outside=roster.lost_outside,
        follow=roster.follow,
    )
