"""The wall clock: readings are worth what their time stamps are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.doctor.finding import Finding, hint, problem
from gateway.doctor.patient import Patient

DAEMONS = {"systemd-timesyn": "systemd-timesyncd", "chronyd": "chrony", "ntpd": "ntp", "ntpsec": "ntpsec"}
"""Programs that keep the clock, by the 15 characters that the kernel keeps of their names."""
DAY = 86_400
FAR = 20 * 365 * DAY
YOUNGEST = 1_735_689_600
"""2025: packages may have files that say they are from 1980, to be the same whenever they are made."""


def clock(patient: Patient) -> Iterator[Finding]:
    """Right to the year, and kept right by a program."""
    now, installed = patient.probes.now(), patient.probes.installed_at()
    shown = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    running = [name for name in patient.machine.programs() if name in DAEMONS]
    start = "sudo apt install -y systemd-timesyncd && sudo timedatectl set-ntp true"
    if now < installed - DAY or now > max(installed, YOUNGEST) + FAR:
        yield problem(
            f"the clock says {shown}, which cannot be: readings would have wrong times",
            f"timedatectl status; sudo timedatectl set-ntp true{'' if running else f'; or: {start}'}",
        )
    elif patient.settings and patient.settings.clock == "trusted":
        return
    elif not patient.probes.synchronised():
        if running:
            text = f"the clock is not synchronised, though {DAEMONS[running[0]]} runs: readings are marked unsynced"
            yield problem(text, "is UDP port 123 open to the outside? timedatectl timesync-status; chronyc sources")
        else:
            text = "the clock is not synchronised, and no program keeps it: readings are marked unsynced"
            yield problem(text, f'{start}; or, where the clock is right without: clock = "trusted" in [gateway]')


def rtc(patient: Patient) -> Iterator[Finding]:
    """Without a clock that goes on without power, the time is wrong from each start to the first answer of NTP."""
    if patient.machine.is_pi and not patient.machine.names("/sys/class/rtc", "rtc*"):
        yield hint(
            "this machine has no clock of its own: after a start without network the time is that of its last stop",
            "readings are then marked, and corrected if they were not sent yet; an RTC module helps: dtoverlay=i2c-rtc",
        )
