"""A clock that is wrong, or that nobody keeps."""

from __future__ import annotations

import time

from support.sickbed import Sickbed, found, only

from gateway.doctor import clock
from gateway.doctor.finding import State
from gateway.doctor.patient import installed_at

TRUSTED = '[gateway]\nclock = "trusted"\n[devices.a]\ndriver = "system"\n'


def test_not_synchronised(bed: Sickbed) -> None:
    """Nobody keeps it, or whoever does has no answer; not where the configuration says that it is right."""
    bed.probes["synchronised"] = lambda: False
    state, text, fix = only(clock.clock, bed.patient())
    assert state is State.PROBLEM
    assert "systemd-timesyncd runs" in text
    assert "UDP port 123" in fix
    bed.file("/proc/321/comm", "bash\n")
    state, text, fix = only(clock.clock, bed.patient())
    assert "no program keeps it" in text
    assert fix.startswith("sudo apt install -y systemd-timesyncd && sudo timedatectl set-ntp true")
    assert found(clock.clock, bed.patient(TRUSTED)) == []


def test_wrong_by_years(bed: Sickbed) -> None:
    """Before this program was installed, or long after; also where the clock is trusted."""
    year = 365 * 86_400
    for now in (time.time() - year, time.time() + 30 * year):
        bed.probes |= {"now": lambda now=now: now, "installed_at": time.time}
        assert "cannot be" in only(clock.clock, bed.patient(TRUSTED))[1]
    bed.probes |= {"now": time.time, "installed_at": lambda: 315_532_800.0}
    assert found(clock.clock, bed.patient(TRUSTED)) == []
    assert time.time() - 20 * year < installed_at() < time.time() + 60


def test_no_clock_of_its_own(bed: Sickbed) -> None:
    """A hint, on a Raspberry Pi."""
    assert found(clock.rtc, bed.patient()) == []
    bed.remove("/sys/class/rtc/rtc0/name")
    bed.machine.path("/sys/class/rtc/rtc0").rmdir()
    assert only(clock.rtc, bed.patient())[0] is State.HINT
