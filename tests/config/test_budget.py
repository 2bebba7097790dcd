"""What a configuration needs, and what is said where it cannot have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.leaks import Belongings
from support.pty import PtyPair

from gateway import limits
from gateway.config import budget
from gateway.config.budget import needs_of, within
from gateway.config.errors import ConfigErrors
from gateway.config.load import loads
from gateway.config.settings import Settings
from gateway.delivery.commands.counter import MOST_AT_ONCE
from gateway.hardware.process import start
from gateway.hardware.serial import open_port
from gateway.limits import Limit

MOCK = '[devices.{}]\ndriver = "mock"\n'
LINE = '[devices.{}]\ndriver = "serial_line"\nfields = [{{ name = "a" }}]\nport = "/dev/{}"\n'
PLENTY = [Limit(100_000, "plenty", "")]


def settings(*stanzas: str) -> Settings:
    """Of a configuration of these devices."""
    return loads("".join(stanzas), strict=True)


def mocks(count: int, more: str = "") -> str:
    """So many devices that open nothing."""
    return "".join(MOCK.format(f"m{number}") + more for number in range(count))


def ports(count: int) -> str:
    """So many devices with a serial port."""
    return "".join(LINE.format(f"p{number}", f"tty{number}") for number in range(count))


def test_a_thread_per_device() -> None:
    """And some of the gateway's own; a device that opens nothing needs no descriptor."""
    one, ten = needs_of(settings(mocks(1))), needs_of(settings(mocks(10)))
    assert (ten.threads - one.threads, one.threads) == (9, 1 + budget.OWN_THREADS)
    assert one.descriptors == ten.descriptors == budget.OWN_DESCRIPTORS


def test_commands_have_threads_of_their_own() -> None:
    """As many as are carried out at the same time."""
    allowed = needs_of(settings("[commands]\nenabled = true\n", mocks(1)))
    assert allowed.threads - needs_of(settings(mocks(1))).threads == MOST_AT_ONCE


def test_a_port_needs_what_pyserial_opens(pty_pair: PtyPair) -> None:
    """Measured."""
    before = Belongings.now()
    port = open_port(pty_pair.path, 9600, bytesize=8, parity="N", stopbits=1, timeout=1.0)
    opened = Belongings.now().descriptors - before.descriptors
    port.close()
    assert len(opened) == budget.PORT


def test_ports() -> None:
    """Five each, and as many again for up to 32 readers that hang; one for a network port."""
    own = budget.OWN_DESCRIPTORS
    assert needs_of(settings(ports(2))).descriptors == own + 20
    assert needs_of(settings(ports(40))).descriptors == own + 40 * 5 + 32 * 5
    assert needs_of(settings(LINE.format("a", "x").replace("/dev/x", "socket://host:1"))).descriptors == own + 2


def test_what_has_no_thread_needs_none() -> None:
    """A device that is switched off."""
    assert needs_of(settings(mocks(1), MOCK.format("off"), "enabled = false\n")).threads == 1 + budget.OWN_THREADS


def test_processes() -> None:
    """Each is two threads more for the system, and three descriptors here, whatever its driver opens there."""
    apart = 'isolation = "process"\n'
    needs = needs_of(settings(LINE.format("a", "x"), apart, MOCK.format("b"), apart, MOCK.format("c")))
    assert (needs.processes, needs.threads) == (2, 3 + 2 * 2 + budget.OWN_THREADS)
    assert needs.descriptors == budget.OWN_DESCRIPTORS + 2 * 3


@pytest.mark.parametrize(("name", "each"), [("bus", 1), ("path", 1), ("pin", 3), ("echo_pin", 3), ("command", 5)])
def test_a_bus_a_pin_a_file_or_a_program(name: str, each: int, tmp_path: Path) -> None:
    """Descriptors, told by the names that options have everywhere."""
    (tmp_path / "has.py").write_text(
        '"""Has one."""\n\nfrom gateway.driver import Channel, Driver, option, options\n\n\n@options\nclass Options:\n'
        f'    {name}: int = option(1, help="which")\n\n\nclass Has(Driver[Options]):\n    options_type = Options\n'
        '    channels = (Channel("a"),)\n\n    def read(self):\n        return None\n'
    )
    found = settings(f'[gateway]\ndrivers_dir = "{tmp_path}"\n[devices.a]\ndriver = "has"\n')
    assert needs_of(found).descriptors == budget.OWN_DESCRIPTORS + 2 * each


def test_a_program_needs_what_starting_it_opens() -> None:
    """Measured."""
    before = Belongings.now()
    program = start(["cat"], None, 100)
    opened = Belongings.now().descriptors - before.descriptors
    program.close()
    assert len(opened) == budget.PROGRAM


def test_a_thousand_devices_are_within(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said; the settings are what was given."""
    monkeypatch.setattr(limits, "threads", list)
    given = settings(mocks(1000))
    assert within(given) is given


def refused(monkeypatch: pytest.MonkeyPatch, given: Settings, *, threads: list[Limit]) -> list[str]:
    """The lines that a user sees, without the file."""
    monkeypatch.setattr(limits, "threads", lambda: threads)
    with pytest.raises(ConfigErrors) as caught:
        within(given)
    return [line.removeprefix("<built-in>: devices: ") for line in caught.value.lines()]


def test_too_many_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """select() cannot be raised; the ways out are others."""
    (line,) = refused(monkeypatch, settings(ports(200)), threads=PLENTY)
    what, ways = line.split("; ")
    assert what.startswith("200 devices need 1192 file descriptors, and there can be 1024 (select(), which paho and ")
    assert ways.split(", ") == [
        "configure fewer devices",
        'set isolation = "process" for those with a port (3 descriptors in place of 5)',
        "or give some of them to a second gateway with an id and a [spool] path of its own",
    ]


def test_too_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit that is the smallest, and how to raise it."""
    few = [Limit(50, "pids.max of /x", "TasksMax= in the unit"), Limit(60, "RLIMIT_NPROC", "LimitNPROC= in the unit")]
    (line,) = refused(monkeypatch, settings(mocks(100)), threads=few)
    what, ways = line.split("; ")
    assert what == "100 devices need 108 threads, and there can be 50 (pids.max of /x)"
    assert ways.split(", ")[:2] == ["allow more (TasksMax= in the unit)", "configure fewer devices"]
    assert "isolation" not in ways


def test_a_remedy_that_does_not_suffice_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """More open files help only up to what select() takes."""
    few = [Limit(256, "RLIMIT_NOFILE", "ulimit -n 1024"), Limit(1024, "select()", "")]
    monkeypatch.setattr(limits, "descriptors", lambda: few)
    (line,) = refused(monkeypatch, settings(ports(30)), threads=PLENTY)
    assert "there can be 256 (RLIMIT_NOFILE); allow more (ulimit -n 1024), configure fewer" in line
    (line,) = refused(monkeypatch, settings(ports(200)), threads=PLENTY)
    assert "there can be 256 (RLIMIT_NOFILE); configure fewer devices, set" in line


def test_both_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All mistakes come at once."""
    assert len(refused(monkeypatch, settings(ports(200)), threads=[Limit(0, "x", "")])) == 2
