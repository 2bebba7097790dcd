"""``gateway/health``: the whole gateway on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.clocks import Clock
from gateway.delivery.link import LinkStatus
from gateway.delivery.payload import rfc3339
from gateway.delivery.store import StoreStatus
from gateway.status import host
from gateway.status.board import DeviceBoard, State


def health_object(
    *,
    clock: Clock,
    started_ns: int,
    run: str,
    config_hash: str,
    clock_word: str,
    state_dir: Path,
    link: LinkStatus,
    store: StoreStatus,
    boards: Iterable[DeviceBoard],
    alarms: list[str],
    host_facts: Callable[[Path], dict[str, Any]] = host.facts,
) -> dict[str, Any]:
    """Contract section 4. ``started_ns`` is on the boot clock."""
    now_ns = clock.boot_ns()
    states = Counter(board.state for board in boards)
    oldest = store.oldest_boot_ns
    return {
        "time": rfc3339(clock.wall_ns()),
        "interval_s": 30,
        "version": __version__,
        "run": run,
        "uptime_s": round((now_ns - started_ns) / 1e9),
        "config_hash": config_hash,
        "clock": clock_word,
        "host": host_facts(state_dir),
        "broker": {
            "url": link.url,
            "protocol": link.protocol,
            "connected": link.connected,
            "since": rfc3339(link.since_ns),
            "reconnects": link.reconnects,
            "last_error": link.last_error or None,
        },
        "spool": {
            "state": store.state,
            "queued": store.queued,
            "dead": store.dead,
            "bytes": store.bytes,
            "oldest_s": None if oldest is None else round((now_ns - oldest) / 1e9, 1),
            "written_bytes": store.written_bytes,
        },
        "devices": {"total": states.total(), **{str(state): states[state] for state in State}},
        "alarms": alarms,
    }
