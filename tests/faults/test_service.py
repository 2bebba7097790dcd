"""The gateway as systemd starts it: what it says on a real notify socket, and what its watchdog sees (row 61)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import free_port
from support.faults import Fleet, GatewayProcess, Site
from support.faults.configs import config
from support.service_manager import ServiceManager
from support.syscalls import strace
from support.waiting import wait_until

MakeSite = Callable[..., Site]
MakeGateway = Callable[..., GatewayProcess]

HOG = '''
"""Keeps the interpreter to itself, as a library in C may, when a file tells it to."""
import ctypes
import pathlib
from gateway.driver import Channel, Driver, NoOptions, Values

class Hog(Driver[NoOptions]):
    channels = (Channel("n"),)

    def read(self) -> Values:
        go = pathlib.Path("go")
        if go.exists():
            go.unlink()
            ctypes.PyDLL(None).sleep(60)  # PyDLL, unlike CDLL, does not let the others run meanwhile
        return {"n": 1}
'''


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    """Listens on the socket that the gateway is given."""
    manager = ServiceManager(tmp_path / "notify")
    yield manager
    manager.close()


def environ(manager: ServiceManager, watchdog: float) -> dict[str, str]:
    """What systemd would put there."""
    return {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(watchdog * 1e6))}


def variables(pid: int) -> set[str]:
    """The names in a process's environment, as it was when it began."""
    return {entry.partition("=")[0] for entry in Path(f"/proc/{pid}/environ").read_text().split("\0")}


def test_ready_without_a_broker_then_reload_and_stop(make_gateway: MakeGateway, manager: ServiceManager) -> None:
    """READY needs no broker; a hung device is in the line and stops nothing; a child knows of no socket."""
    devices = (
        '[devices.good]\ndriver = "mock"\ninterval = "50ms"\nisolation = "process"\n'
        '[devices.bad]\ndriver = "mock"\ninterval = "50ms"\ntimeout = "200ms"\nfaults = [{ kind = "hang" }]\n'
    )
    gateway = make_gateway(config(free_port(), devices), environ=environ(manager, 4.0))
    gateway.start()
    assert "no broker" in manager.wait_for("READY", "1")["STATUS"]
    manager.wait_for("STATUS", "1 of 2 devices online, 1 hung; no broker")
    wait_until(lambda: len(manager.said("WATCHDOG")) >= 3, 20.0, "the watchdog is fed beside a hung device")
    (child,) = {
        int(word)
        for task in Path(f"/proc/{gateway.pid}/task").iterdir()
        for word in (task / "children").read_text().split()
    }
    assert not variables(child) & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    told = len(manager.messages)
    gateway.signal(signal.SIGHUP)
    manager.wait_for("RELOADING", "1", after=told)
    manager.wait_for("READY", "1", after=told)
    gateway.config_file.write_text("nonsense")
    told = len(manager.messages)
    gateway.signal(signal.SIGHUP)
    manager.wait_for("READY", "1", after=told)
    assert "nothing was changed" in gateway.log()
    told = len(manager.messages)
    code, _ = gateway.terminate()
    assert code == 0
    assert manager.wait_for("STOPPING", "1", after=told)
    assert manager.said("EXTEND_TIMEOUT_USEC") == []


def test_never_ready_with_an_invalid_configuration(make_gateway: MakeGateway, manager: ServiceManager) -> None:
    """It ends with 78, which the unit takes for a reason not to start it again."""
    gateway = make_gateway("[mqtt]\nurk = 1\n", environ=environ(manager, 4.0))
    gateway.start(wait=False)
    assert gateway.wait() == 78
    assert manager.messages == []


def test_ready_with_a_disk_that_refuses(make_gateway: MakeGateway, manager: ServiceManager) -> None:
    """The stand-in in memory will do; the line has the alarm."""
    gateway = make_gateway(config(free_port(), Fleet(devices=1)), environ=environ(manager, 4.0))
    gateway.state_dir.mkdir()
    gateway.spool.mkdir()  # a folder where the file should be
    gateway.start()
    manager.wait_for("READY", "1")
    manager.wait_for("STATUS", "readings are kept in memory only")


@pytest.mark.slow
def test_a_driver_that_keeps_the_interpreter(make_site: MakeSite, manager: ServiceManager, tmp_path: Path) -> None:
    """The watchdog starves, its SIGABRT leaves every stack in the log, and the next start loses nothing."""
    drivers = tmp_path / "drivers"
    drivers.mkdir()
    (drivers / "hog.py").write_text(HOG)
    fleet = Fleet(devices=2).text() + '[devices.hog]\ndriver = "hog"\ninterval = "50ms"\n'
    site = make_site(fleet, environ=environ(manager, 2.0))
    text = site.gateway.config_file.read_text()
    site.gateway.config_file.write_text(text.replace("[gateway]\n", f'[gateway]\ndrivers_dir = "{drivers}"\n'))
    site.start()
    site.recorder.wait_delivered(50)
    assert manager.quiet_for("WATCHDOG") < 2.0
    site.note_run()
    (site.gateway.folder / "go").touch()
    wait_until(lambda: manager.quiet_for("WATCHDOG") > 2.0, 20.0, "no message for the watchdog's time")
    site.gateway.signal(signal.SIGABRT)  # as systemd does
    assert site.gateway.wait() == -signal.SIGABRT
    log = site.gateway.log()
    assert "Fatal Python error: Aborted" in log
    for place in ("hog.py", "gateway/app.py", "gateway/delivery/publisher.py"):
        assert place in log
    verdict = site.finish()
    assert (verdict.lost, verdict.violations) == ([], [])


@pytest.mark.long
@pytest.mark.needs("strace")
def test_a_disk_that_is_slow_and_one_that_is_stuck(
    make_site: MakeSite, manager: ServiceManager, tmp_path: Path
) -> None:
    """A commit of 50 s feeds the watchdog; after a minute of it that ends, and begins again with the commit's end."""
    trace = tmp_path / "trace"
    slow = "inject=fdatasync:delay_enter=90000000:when=30"
    wrap = strace([], trace, "-D", "-e", "trace=fdatasync", "-e", slow)
    site = make_site(Fleet(devices=2), wrap=wrap, environ=environ(manager, 8.0))
    site.start()
    wait_until(lambda: trace.exists() and "fdatasync" in trace.read_text() and _stands(site), 30.0, "a sync that stays")
    began = time.monotonic()
    while time.monotonic() - began < 50:
        assert manager.quiet_for("WATCHDOG") < 4.0
        time.sleep(0.5)
    wait_until(lambda: manager.quiet_for("WATCHDOG") > 8.0, 30.0, "the watchdog starves")
    site.gateway.wait_log("the publisher stands still")
    site.gateway.wait_log("the publisher moves again", 60.0)
    verdict = site.finish()
    assert (verdict.lost, verdict.violations) == ([], [])


def _stands(site: Site) -> bool:
    """Whether nothing has come for a second."""
    before = site.recorder.distinct
    time.sleep(1)
    return site.recorder.distinct == before
