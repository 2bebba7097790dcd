"""The gateway as users run it: a process with its own configuration, state directory and log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.delivery.spool.view import View
from support.environment import remembering, unwatched
from support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "gateway", "run")
START_LIMIT = 20.0
"""Seconds from the start of the process to its first line; it takes some 0.3."""
_TICKS = os.sysconf("SC_CLK_TCK")


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of this machine's configuration or state is found."""
    kept = {
        name: value for name, value in unwatched().items() if not name.startswith(("SENSORPOST", "STATE_", "RUNTIME_"))
    }
    return {
        **remembering(kept),  # compiling anew at each start would be the slowest part
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
        "HOME": str(home),
        "TZ": "UTC",
        **more,
    }


class GatewayProcess:
    """One gateway. It may be started, ended and started again; state and log go on.

    ``command`` replaces ``python -m gateway run`` (``-c FILE`` is added); ``wrap`` goes before it, such as
    ``("ip", "netns", "exec", NAME)``.
    """

    def __init__(
        self,
        folder: Path,
        config: str,
        *,
        command: Sequence[str] = COMMAND,
        wrap: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.state_dir = folder / "state"
        self.spool = self.state_dir / "spool.db"
        self.log_file = folder / "gateway.log"
        self.config_file = folder / "sensorpost.toml"
        self.config_file.write_text(config)
        self.starts = 0
        self._command = [*wrap, *command, "-c", str(self.config_file)]
        self._environ = {**environment(folder), "STATE_DIRECTORY": str(self.state_dir), **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._began_at = 0
        """Where in the log this start begins."""

    def rewrite(self, devices: str) -> None:
        """Give it other devices; it knows of them with its next start or reload. Never half a file."""
        head = self.config_file.read_text().partition("[devices.")[0]
        fresh = self.config_file.with_suffix(".new")
        fresh.write_text(head + devices)
        fresh.replace(self.config_file)

    # Begin and end ---------------------------------------------------------------------------------------------------

    def start(self, *, wait: bool = True) -> None:
        """Start it; with ``wait`` return when it has said its name, which is before it is connected."""
        assert not self.running, "the gateway is running already"
        self.starts += 1
        self._began_at = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if wait:
            self.wait_log(r"gateway \S+, run \w+", START_LIMIT)

    def kill(self) -> None:
        """SIGKILL; return when it has gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def terminate(self, timeout: float = 15.0) -> tuple[int, float]:
        """SIGTERM; its exit code and the seconds it took. One that does not end is killed: ``AssertionError``."""
        assert self._process is not None, "the gateway was not started"
        began = time.monotonic()
        self._process.terminate()
        return self.wait(timeout), time.monotonic() - began

    def wait(self, timeout: float = 15.0) -> int:
        """Its exit code once it has ended by itself. ``AssertionError`` when it does not end; it is killed."""
        assert self._process is not None, "the gateway was not started"
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the gateway does not end within {timeout:g} s:\n{self.log()[-3000:]}") from None
        self._process = None
        return code

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def pause(self) -> None:
        """SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    # What can be seen of it ------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None, "the gateway was not started"
        return self._process.pid

    @property
    def run_id(self) -> str:
        """The run that it has announced since its last start; empty when it has not yet."""
        found = re.findall(r"gateway \S+, run (\w+)", self.log())
        return found[-1] if found else ""

    def log(self, *, whole: bool = False) -> str:
        """What it has said since its last start, or over all starts."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as log:
            log.seek(0 if whole else self._began_at)
            return log.read().decode(errors="replace")

    def wait_log(self, pattern: str, timeout: float = 20.0) -> str:
        """The first line of this start that matches; ``AssertionError`` when none does or the process has ended."""
        expression = re.compile(pattern)

        def found() -> str | None:
            ended = not self.running
            line = next((line for line in self.log().splitlines() if expression.search(line)), None)
            assert line is not None or not ended, f"the gateway has ended:\n{self.log()[-3000:]}"
            return line

        wait_until(found, timeout, f"{pattern!r} in the log, which ends:\n{self.log()[-2000:]}")
        return found() or ""

    def queued(self) -> int:
        """Readings that wait in its spool; it may run."""
        if not self.spool.exists():
            return 0
        with View(self.spool) as view:
            return sum(share.queued for share in view.contents().devices.values())

    def rss(self) -> int:
        """Bytes of memory that are its own (proc(5), RssAnon)."""
        return 1024 * int(self._status("RssAnon").split()[0])

    def threads(self) -> int:
        """Its threads."""
        return int(self._status("Threads"))

    def descriptors(self) -> int:
        """Its open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu_seconds(self) -> float:
        """User and system time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _status(self, name: str) -> str:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))
