"""The gateway on a clock that a file sets: ``python -m support.faults.shifted CLOCK_FILE -c FILE``.

``CLOCK_FILE`` is JSON: ``{"offset_s": -3600, "synced": false}``. It moves the wall clock against the machine's and says
whether the clock is synchronised, as NTP would; the boot clock is never touched, as in life. It is read at each use.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.cli.signals import stop_on_signals
from gateway.clocks import SystemClock
from gateway.config.load import load
from gateway.status import logs


class ShiftedClock(SystemClock):
    """The machine's clock with its wall clock set wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def says(self, what: str) -> Any:
        """One of the two settings."""
        return json.loads(self._file.read_text())[what]

    def wall_ns(self) -> int:
        """CLOCK_REALTIME and the offset."""
        return super().wall_ns() + int(self.says("offset_s") * 1e9)


def set_clock(file: Path, offset_s: float, *, synced: bool) -> None:
    """Write the clock's file, in one step."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"offset_s": offset_s, "synced": synced}))
    new.replace(file)


def main(clock_file: str, _c: str, config: str) -> int:
    """Run until SIGTERM."""
    clock = ShiftedClock(Path(clock_file))
    with stop_on_signals() as stop:
        settings = load(Path(config))
        logs.setup("info", "text")
        gateway = Gateway(settings, clock=clock)
        gateway._trust._synchronised = lambda: bool(clock.says("synced"))
        return stop.exit_code(gateway.run(stop.event))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
