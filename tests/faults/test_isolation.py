"""Drivers in processes of their own that exit, crash, hang and hog, in a whole gateway (row 51)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.faults import Site
from support.lodging import alive
from support.waiting import wait_until

MakeSite = Callable[..., Site]
KINDS = ("exit", "segfault", "hang", "busy")
BAD = 'faults = [{{ kind = "{kind}", at = "2s", for = "4s" }}]\nisolation = "process"'


def text(more: str = BAD) -> str:
    """A healthy device, and one for each kind of trouble; all of them count their readings."""
    common = 'driver = "mock"\ninterval = "50ms"\ntimeout = "400ms"\ndurability = "full"\n'
    common += 'signals = { n = { shape = "counter" } }\n'
    bad = "".join(f"[devices.{kind}]\n{common}{more.format(kind=kind)}\n" for kind in KINDS)
    return f"[devices.good]\n{common}{bad}"


def children(pid: int) -> list[int]:
    """The processes of a gateway's devices, without those that have just ended."""
    found = [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in _text(task / "children").split()]
    return [one for one in found if "gateway.reading.isolated" in _text(Path(f"/proc/{one}/cmdline"))]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # a thread or process that has just ended
        return ""


@pytest.mark.slow
def test_only_the_process_dies(make_site: MakeSite) -> None:
    """Every device is back, the healthy one was never late, and everything that was accepted is delivered."""
    site = make_site(text())
    site.start()

    def back(kind: str) -> bool:
        status = site.recorder.status(kind)
        return status.get("state") == "online" and status.get("restarts", 0) > 0

    wait_until(lambda: all(back(kind) for kind in KINDS), 60.0, "all of them lost and back")
    assert len(children(site.gateway.pid)) == len(KINDS)
    wait_until(lambda: site.recorder.status("good").get("lateness_ms"), 20.0)
    good = site.recorder.status("good")
    assert (good["state"], good["failed"], good["restarts"]) == ("online", 0, 0)
    assert good["lateness_ms"]["p50"] < 20.0
    run = site.recorder.gateway_says("health")["run"]
    devices = ("good", *KINDS)
    enough = "more than ten readings of each: the last to be back has only begun"
    wait_until(lambda: all(len(site.recorder.seqs(device, run)) > 10 for device in devices), 20.0, enough)
    pids = children(site.gateway.pid)
    assert site.stop() < 5.0
    assert not any(alive(pid) for pid in pids)
    verdict = site.judge()
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.delivered == verdict.accepted
    assert run == site.run_of_life[site.recorder.life]
    for device in devices:
        numbers = site.recorder.seqs(device, run)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 10


@pytest.mark.slow
def test_processes_die_with_the_gateway_and_sigterm_is_prompt_whatever_hangs(make_site: MakeSite) -> None:
    """After SIGKILL nothing of it is left; SIGTERM is clean while they hang, hog, or are being started anew."""
    always = 'isolation = "process"\nfaults = [{{ kind = "{kind}", at = "500ms" }}]'
    site = make_site(text(always))
    site.start()
    wait_until(lambda: len(children(site.gateway.pid)) == len(KINDS), 20.0)
    site.recorder.wait_delivered(20)
    pids = children(site.gateway.pid)
    site.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids), 2.0, "the end of the processes")
    for pause in (0.3, 1.2, 2.5):
        site.start()
        time.sleep(pause)  # the moment is the experiment
        pids = children(site.gateway.pid)
        assert site.stop() < 6.0
        assert not any(alive(pid) for pid in pids)
    verdict = site.finish()
    assert verdict.lost == []


def test_read_reaches_an_isolated_device(make_site: MakeSite) -> None:
    """The control socket does not care where a driver lives."""
    from gateway.status.control import call  # noqa: PLC0415 (only here)

    site = make_site('[devices.office]\ndriver = "mock"\ninterval = "50ms"\nisolation = "process"\n')
    site.start()
    site.recorder.wait_delivered(1)
    request = {"verb": "read", "device": "office", "count": 2, "timeout": 5.0}
    found = list(call(site.gateway.state_dir / "control.sock", request, timeout=10.0))
    assert [one["device"] for one in found] == ["office", "office"]
    assert json.dumps(found)
    site.stop()


HANGING = 'driver = "mock"\ninterval = "50ms"\ntimeout = "100ms"\nisolation = "thread"\nfaults = [{ kind = "hang" }]\n'


@pytest.mark.slow
def test_a_gateway_in_which_too_many_threads_hang_is_started_anew(make_site: MakeSite) -> None:
    """Under systemd it stops cleanly and with a failure; elsewhere it goes on, and health says why it is in trouble."""
    fleet = "".join(f"[devices.bad-{number}]\n{HANGING}" for number in range(33))
    good = '[devices.good]\ndriver = "mock"\ninterval = "50ms"\ndurability = "full"\n'
    site = make_site(good + fleet, environ={"NOTIFY_SOCKET": "/nowhere"})
    site.start()
    site.recorder.wait_delivered(1)
    assert site.gateway.wait(30) == 1
    assert "32 threads hang for ever; only a restart ends them" in site.gateway.log()
    assert "Traceback" not in site.gateway.log()
    site = make_site(good + fleet)
    site.start()
    wait_until(lambda: site.recorder.health.get("alarms"), 15.0, "the alarm")
    assert site.recorder.health["alarms"] == ["32 threads hang for ever; only a restart ends them"]
    site.recorder.wait_delivered(10)
    assert site.stop() < 6.0
