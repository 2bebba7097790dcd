"""Devices in processes of their own, supervised: whatever a driver does, its device comes back and no other is late."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from support.company import Company
from support.leaks import Belongings
from support.lodging import alive, devices, tiny
from support.pty import PtyPair

from gateway.hardware.real import RealHardware
from gateway.reading.child import Child
from gateway.status.board import State

pytestmark = pytest.mark.slow

Hire = Callable[..., Company]
MOCK = """
[defaults]
interval = "50ms"
timeout = "300ms"
open_timeout = "300ms"
[devices.good]
driver = "mock"
[devices.bad]
driver = "mock"
isolation = "process"
faults = [{{ kind = "{kind}", in = "{where}", at = "{at}", for = "{lasts}" }}]
"""
NATIVE = "if not Path({flag!r}).exists(): Path({flag!r}).touch(); ctypes.PyDLL(None).poll(None, 0, 1_000_000)\n"


def child_of(company: Company, name: str) -> Child:
    """The process of a device."""
    child = company.supervisor._slots[name].child
    assert child is not None
    return child


def check_numbers(company: Company, name: str) -> int:
    """No number was given twice or left out, and the ledger balances; how many there are."""
    line = company.lines[name]
    numbers = [reading.seq for reading in line.readings()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert line.ledger.balanced
    assert line.ledger.read == len(numbers)
    return len(numbers)


def check_on_time(company: Company, name: str = "good") -> None:
    """The device has read all the while, never failed, never late by much."""
    line = company.lines[name]
    assert (line.status.state, line.ledger.failed, line.ledger.restarts) == (State.ONLINE, 0, 0)
    assert line.status.lateness is not None
    assert line.status.lateness.p50 < 20.0


@pytest.mark.parametrize(
    ("kind", "where", "error"),
    [
        ("exit", "read", "its process has ended with exit code 1"),
        ("segfault", "read", "its process was ended by SIGSEGV"),
        ("hang", "read", "read has not returned within 0.3 s"),
        ("busy", "read", "read has not returned within 0.3 s"),
        ("exit", "open", "its process has ended with exit code 1"),
        ("segfault", "open", "its process was ended by SIGSEGV"),
        ("hang", "open", "open has not returned within 0.3 s"),
        ("unplug", "read", "unplugged (simulated)"),
    ],
)
def test_device_comes_back_and_the_others_are_on_time(
    kind: str, where: str, error: str, *, hire: Hire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Lost with the reason and back, one line in the log each; nothing is left after the stop."""
    caplog.set_level(logging.INFO)
    before = Belongings.now()
    at = "0s" if where == "open" else "600ms"
    text = MOCK.format(kind=kind, where=where, at=at, lasts="1s")
    company = hire(*devices(tmp_path, text), hardware_for=RealHardware)
    company.start()
    bad = company.lines["bad"]
    company.until(lambda: bad.status.state in (State.OFFLINE, State.HUNG))
    assert bad.status.last_error == error
    company.until(lambda: bad.status.state is State.ONLINE, 10.0)
    company.until(lambda: bad.ledger.read >= 5)
    assert company.stop() < 1.0
    assert bad.ledger.abandoned == 0
    check_numbers(company, "bad")
    check_on_time(company)
    lines = [record.message for record in caplog.records if record.message.startswith("bad: ")]
    assert lines[0] == f"bad: lost: {error}"
    assert lines[-1].startswith("bad: back after ")
    assert len(lines) == 2
    assert Belongings.now().left_since(before) == []


def test_native_code_that_keeps_the_interpreter_to_itself(hire: Hire, tmp_path: Path) -> None:
    """It would stop a thread's gateway; here it is killed like any other hang."""
    flag = str(tmp_path / "once")
    tiny(tmp_path, f"{NATIVE.format(flag=flag)}return {{'number': 1}}")
    text = '[defaults]\ninterval = "50ms"\ntimeout = "300ms"\n[devices.good]\ndriver = "mock"\n'
    company = hire(*devices(tmp_path, f'{text}[devices.bad]\ndriver = "tiny"\nisolation = "process"'))
    company.start()
    bad = company.lines["bad"]
    company.until(lambda: bad.status.state is State.HUNG)
    company.until(lambda: bad.status.state is State.ONLINE)
    assert (bad.ledger.restarts, bad.ledger.abandoned) == (1, 0)
    check_on_time(company)


def test_process_that_is_killed_between_two_polls(hire: Hire, tmp_path: Path) -> None:
    """It is seen at once, not with the next poll in an hour."""
    text = '[devices.office]\ndriver = "mock"\ninterval = "1h"\nisolation = "process"\n'
    company = hire(*devices(tmp_path, text))
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.ledger.read == 1)
    company.until(lambda: company.supervisor._slots["office"].reader.beat is None)  # type: ignore[union-attr]
    first = child_of(company, "office").pid
    os.kill(first, signal.SIGKILL)
    company.until(lambda: line.status.state is State.OFFLINE)
    assert line.status.last_error == "its process was ended by SIGKILL"
    company.until(lambda: line.ledger.read == 2)
    assert line.status.state is State.ONLINE
    assert child_of(company, "office").pid != first
    assert not alive(first)
    assert check_numbers(company, "office") == 2


@pytest.mark.alone
def test_call_that_returns_when_it_is_woken_keeps_its_process(hire: Hire, tmp_path: Path, pty_pair: PtyPair) -> None:
    """As a thread would be kept: the port cancels the read."""
    tiny(
        tmp_path,
        "line = self.port.read_until(b'\\n'); return {'number': float(line)} if line else None",
        open=f"self.port = self.serial({pty_pair.path!r}, timeout=30)",
    )
    text = '[devices.office]\ndriver = "tiny"\nisolation = "process"\ntimeout = "300ms"\n'
    company = hire(*devices(tmp_path, text))
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.status.state is State.HUNG)
    child = child_of(company, "office")
    company.until(lambda: line.status.state is not State.HUNG)
    pty_pair.feed(b"21.5\n")
    company.until(lambda: line.ledger.read == 1)
    assert child_of(company, "office") is child
    assert line.ledger.restarts == 0
    assert company.stop() < 0.5


def test_stop_closes_what_can_be_closed_and_kills_the_rest(hire: Hire, tmp_path: Path) -> None:
    """Prompt, whatever hangs: nothing is left but the word of those that could be asked."""
    tiny(tmp_path, "return {'number': 1}", close=f"Path({str(tmp_path / 'closed')!r}).touch()", name="polite")
    tiny(tmp_path, "self.wait(1000); return None", close=f"Path({str(tmp_path / 'woken')!r}).touch()", name="waits")
    tiny(tmp_path, "time.sleep(1000)", name="sleeps")
    tiny(tmp_path, "return {'number': 1}", open="ctypes.PyDLL(None).poll(None, 0, 1_000_000)", name="native")
    tiny(tmp_path, "return {'number': 1}", close="time.sleep(1000)", name="clings")
    names = ("polite", "waits", "sleeps", "native", "clings")
    text = '[defaults]\nisolation = "process"\n' + "".join(f'[devices.{n}]\ndriver = "{n}"\n' for n in names)
    company = hire(*devices(tmp_path, text))
    company.start()
    company.until(lambda: company.lines["polite"].ledger.read and company.lines["clings"].ledger.read)

    def busy(name: str, what: str) -> bool:
        reader = company.supervisor._slots[name].reader
        return reader is not None and reader.beat is not None and reader.beat.what == what

    company.until(lambda: busy("waits", "read") and busy("sleeps", "read") and busy("native", "open"))
    pids = [child_of(company, name).pid for name in names]
    assert company.stop(1.0) < 4.0
    assert not any(alive(pid) for pid in pids)
    assert (tmp_path / "closed").exists()
    assert (tmp_path / "woken").exists()


def test_restart_change_and_remove(hire: Hire, tmp_path: Path) -> None:
    """Each ends the process; numbers go on with the next one."""
    (settings,) = devices(tmp_path, '[devices.office]\ndriver = "mock"\ninterval = "50ms"\nisolation = "process"\n')
    company = hire(settings)
    company.start()
    line, supervisor = company.lines["office"], company.supervisor

    def again(act: Callable[[], object]) -> None:
        pid, read = child_of(company, "office").pid, line.ledger.read
        act()
        company.until(lambda: not alive(pid))
        company.until(lambda: line.ledger.read > read + 1)

    company.until(lambda: line.ledger.read > 1)
    again(lambda: supervisor.restart("office"))
    assert (line.ledger.restarts, line.status.state) == (0, State.ONLINE)
    again(lambda: supervisor.add(settings))
    pid = child_of(company, "office").pid
    supervisor.add(dataclasses.replace(settings, isolation="thread"))
    company.until(lambda: not alive(pid))
    company.until(lambda: supervisor._slots["office"].thread and supervisor._slots["office"].child is None)
    supervisor.add(settings)
    company.until(lambda: supervisor._slots["office"].child)
    pid = child_of(company, "office").pid
    supervisor.remove("office")
    company.until(lambda: not alive(pid))
    supervisor.add(settings)
    company.until(lambda: "office" in supervisor._slots and supervisor._slots["office"].child)
    company.until(lambda: line.status.state is State.ONLINE)
    company.stop()
    check_numbers(company, "office")


def test_misconfigured_ends_the_process(hire: Hire, tmp_path: Path) -> None:
    """Nothing is to come of it before the configuration changes."""
    tiny(tmp_path, "raise Misconfigured('no channel 9')")
    company = hire(*devices(tmp_path, '[devices.office]\ndriver = "tiny"\nisolation = "process"\n'))
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.status.state is State.FAILED)
    assert line.status.last_error == "no channel 9"
    company.until(lambda: company.supervisor._children.of("office") == 0)


def test_machine_without_room_for_a_process(hire: Hire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is offline with the reason, and starts once there is room."""
    company = hire(*devices(tmp_path, '[devices.office]\ndriver = "mock"\nisolation = "process"\n'))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/no/python")
        company.start()
        line = company.lines["office"]
        assert line.status.state is State.OFFLINE
        assert line.status.last_error.startswith("no process for it: [Errno 2]")
    company.until(lambda: line.status.state is State.ONLINE)


def test_machine_without_room_for_the_thread_of_a_process(hire: Hire, tmp_path: Path) -> None:
    """The process that has just been started ends, too."""
    company = hire(*devices(tmp_path, '[devices.office]\ndriver = "mock"\nisolation = "process"\n'))
    spawn = company.supervisor._spawn

    def no_room(_: object) -> NoReturn:
        raise RuntimeError("can't start new thread")

    company.supervisor._spawn = no_room
    company.start()
    line = company.lines["office"]
    assert line.status.last_error == "no thread for it: can't start new thread"
    company.supervisor._spawn = spawn
    company.until(lambda: line.status.state is State.ONLINE)
    assert company.supervisor._children.of("office") == 1


def test_time_in_which_the_gateway_did_not_run_is_not_held_against_a_driver(hire: Hire, tmp_path: Path) -> None:
    """The process has gone on and has answered."""
    tiny(tmp_path, "time.sleep(0.3); return {'number': 1}")
    text = '[devices.office]\ndriver = "tiny"\nisolation = "process"\ntimeout = "600ms"\n'
    company = hire(*devices(tmp_path, text))
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.ledger.read > 1)
    for _ in range(2):
        time.sleep(1.2)  # no supervisor meanwhile
        company.supervisor.tick()
    assert (line.status.state, line.ledger.restarts) == (State.ONLINE, 0)


# From thread to process ----------------------------------------------------------------------------------------------

AUTO = """
[defaults]
interval = "50ms"
timeout = "200ms"
[devices.good]
driver = "mock"
[devices.office]
driver = "tiny"
isolation = "{isolation}"
"""
IN_A_THREAD_IT_HANGS = "if not hasattr(sys.modules['__main__'], 'Room'): HELD.wait()\nreturn {'number': 1}"


def test_auto_moves_to_a_process_once_three_threads_hang(
    hire: Hire, tmp_path: Path, caplog: pytest.LogCaptureFixture, finally_do: Callable[[Callable[[], object]], None]
) -> None:
    """Said once, and in the status; it stays there for the rest of the run, also when the threads are back."""
    caplog.set_level(logging.INFO)
    tiny(tmp_path, IN_A_THREAD_IT_HANGS)
    file = tmp_path / "tiny.py"
    file.write_text(file.read_text().replace("class Tiny", "HELD = threading.Event()\n\n\nclass Tiny"))
    (good, office) = devices(tmp_path, AUTO.format(isolation="auto"))
    assert office.isolation == "auto"
    held: Any = vars(sys.modules[office.driver_type.__module__])["HELD"] if office.driver_type else None
    finally_do(held.set)
    company = hire(good, office)
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.ledger.abandoned == 3, 30.0)
    assert line.status.state is State.HUNG
    assert line.status.last_error == "read does not return; 3 thread(s) of it hang, 3 in all"
    assert line.status.hint == "from now on it runs in a process of its own"
    company.until(lambda: line.status.state is State.ONLINE, 10.0)
    assert line.ledger.restarts == 3
    check_on_time(company)
    held.set()
    company.until(lambda: company.supervisor.left_behind == 0)
    pid = child_of(company, "office").pid
    os.kill(pid, signal.SIGKILL)
    slot = company.supervisor._slots["office"]
    company.until(lambda: slot.child is not None and slot.child.pid != pid, 10.0)
    company.until(lambda: line.status.state is State.ONLINE)
    assert company.stop() < 1.0
    check_numbers(company, "office")
    moved = [record.message for record in caplog.records if "moves to a process" in record.message]
    assert moved == ["office: moves to a process of its own: read does not return; 3 thread(s) of it hang, 3 in all"]
