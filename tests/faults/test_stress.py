"""Everything at once and at random: devices that hang, crash, flood and are unplugged, reloads, stops and kills."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.faults import Site
from support.lodging import alive
from support.pty import PtyPair
from support.waiting import wait_until

from gateway.status.control import ControlError, NotRunning, call

MakeSite = Callable[..., Site]
MOCKS = tuple(f"d{number}" for number in range(8))
TROUBLE = (
    "",
    "",
    'faults = [{ kind = "hang", at = "300ms", for = "1s" }]',
    'faults = [{ kind = "hang", in = "open", at = "0s", for = "1s" }]',
    'faults = [{ kind = "hang", in = "close", for = "1s" }]',
    'faults = [{ kind = "raise", error = "OSError", at = "200ms", for = "1s" }]',
    'faults = [{ kind = "raise", error = "SystemExit", at = "200ms", for = "500ms" }]',
    'faults = [{ kind = "unplug", at = "200ms", for = "1s" }]',
    'faults = [{ kind = "flood", rate = 300, for = "2s" }]\nmax_rate = 100',
    'isolation = "process"\nfaults = [{ kind = "hang", at = "300ms", for = "1s" }]',
    'isolation = "process"\nfaults = [{ kind = "segfault", at = "300ms", for = "500ms" }]',
    'isolation = "process"\nfaults = [{ kind = "exit", at = "300ms", for = "500ms" }]',
    "enabled = false",
)
QUIET = 15.0
"""A gateway from which nothing comes for so many seconds has stalled."""


class Turmoil:
    """A site and what is done to it. ``rng`` decides."""

    def __init__(self, site: Site, port: PtyPair, rng: random.Random) -> None:
        self.site = site
        self.port = port
        self.rng = rng
        self.actions: dict[str, int] = {}

    def configure(self, trouble: Callable[[str], str]) -> None:
        """Write the configuration: the devices with what ``trouble`` gives for each."""
        common = 'driver = "mock"\ninterval = "50ms"\ntimeout = "300ms"\nopen_timeout = "300ms"\ndurability = "full"\n'
        devices = "".join(f"[devices.{name}]\n{common}{trouble(name)}\n" for name in MOCKS)
        line = (
            f'[devices.line]\ndriver = "serial_line"\nport = "{self.port.path}"\ntimeout = "1s"\ndurability = "full"\n'
        )
        self.site.gateway.rewrite(devices + line + 'fields = [{ name = "level" }]\n')

    def act(self) -> None:
        """One thing, at random."""
        name = self.rng.choices(
            ("reload", "storm", "unplug", "feed", "child", "pause", "broker", "restart", "kill"),
            (8, 2, 3, 8, 3, 1, 1, 1, 1),
        )[0]
        self.actions[name] = self.actions.get(name, 0) + 1
        getattr(self, f"_{name}")()

    def _reload(self) -> None:
        self.configure(lambda _name: self.rng.choice(TROUBLE))
        self.site.gateway.signal(signal.SIGHUP)

    def _storm(self) -> None:
        for _ in range(10):
            self._reload()

    def _unplug(self) -> None:
        self.port.unplug()
        self.port.plug_in()

    def _feed(self) -> None:
        with contextlib.suppress(AssertionError):
            self.port.feed(b"%d\n" % self.rng.randrange(1000), timeout=0.1)

    def _child(self) -> None:
        found = children(self.site.gateway.pid)
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(found), self.rng.choice((signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV)))

    def _pause(self) -> None:
        self.site.gateway.pause()
        time.sleep(self.rng.random())
        self.site.gateway.resume()

    def _broker(self) -> None:
        self.site.save_session()
        self.site.broker.kill()
        time.sleep(self.rng.random())
        self.site.restart_broker()

    def _restart(self) -> None:
        self.site.stop(10.0)
        self.site.start()

    def _kill(self) -> None:
        pids = children(self.site.gateway.pid)
        self.site.kill()
        for pid in pids:  # one that we have stopped before it was ready is not told of the end
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not any(alive(pid) for pid in pids), 20.0, "the end of the devices' processes")
        self.site.start()

    def balanced(self) -> None:
        """Every ledger, at this very moment."""
        with contextlib.suppress(NotRunning, ControlError):  # it is just starting
            (answer,) = call(self.site.gateway.state_dir / "control.sock", {"verb": "ledger"}, timeout=10.0)
            for device, one in answer["devices"].items():
                total = one["acked"] + one["queued"] + one["dead"] + sum(one["dropped"].values())
                assert one["read"] == total, (device, one)

    def holdings(self) -> dict[str, Any]:
        """What a settled gateway holds."""
        gateway = self.site.gateway
        found = {"threads": gateway.threads(), "files": gateway.descriptors(), "children": len(children(gateway.pid))}
        states = [self.site.recorder.status(name).get("state") for name in (*MOCKS, "line")]
        return {**found, "online": states.count("online")}


def children(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [int(word) for task in tasks for word in _text(task / "children").split()]
    return [one for one in found if _text(Path(f"/proc/{one}/cmdline"))]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


@pytest.mark.slow
def test_turmoil_leaves_nothing_behind(
    make_site: MakeSite, tmp_path: Path, times: Callable[[float, float], Any], tell: Callable[[str], None]
) -> None:
    """No reading lost, every ledger balanced all the time, and in the end only what was held before is held."""
    seed = random.randrange(1 << 32)
    port = PtyPair(tmp_path / "port")
    site = make_site("")
    turmoil = Turmoil(site, port, random.Random(seed))
    turmoil.configure(lambda _name: "")
    site.start()
    settled = {"children": 0, "online": len(MOCKS) + 1}

    def calm() -> bool:
        port.feed(b"1\n", timeout=1.0)
        return settled.items() <= turmoil.holdings().items()

    wait_until(calm, 20.0, "all devices online")
    before = turmoil.holdings()
    seen, since = 0, time.monotonic()
    until = time.monotonic() + float(os.environ.get("STRESS_SECONDS") or times(15, 3600))
    try:
        while time.monotonic() < until:
            turmoil.act()
            turmoil.balanced()
            if site.recorder.distinct > seen:
                seen, since = site.recorder.distinct, time.monotonic()
            assert time.monotonic() - since < QUIET, "nothing comes any more"
            time.sleep(turmoil.rng.random() / 4)
        turmoil.configure(lambda _name: "")
        site.gateway.signal(signal.SIGHUP)
        settled.update(before)
        wait_until(calm, 90.0, f"{before} again, and not {turmoil.holdings()}")
        pids = children(site.gateway.pid)
        verdict = site.finish()
    except AssertionError as error:
        if site.gateway.running:
            site.gateway.signal(signal.SIGUSR1)  # every thread's stack
            time.sleep(0.5)
        raise AssertionError(f"seed {seed}, {turmoil.actions}: {error}\n{site.gateway.log()[-6000:]}") from error
    finally:
        port.unplug()
    assert not any(alive(pid) for pid in pids)
    assert (verdict.lost, verdict.violations) == ([], []), f"seed {seed}"
    tell(f"turmoil: {turmoil.actions}, {verdict}")
