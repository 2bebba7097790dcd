"""The systemd unit."""

from __future__ import annotations

import pytest
from support.sickbed import Sickbed, found, only

from gateway.doctor.finding import State
from gateway.doctor.patient import unit_state
from gateway.doctor.service import service

UNIT = "/usr/lib/systemd/system/sensorpost.service"
FINE = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "NRestarts": "0"}


def test_no_unit(bed: Sickbed) -> None:
    """Then systemd is not asked."""
    bed.probes["unit_state"] = lambda: pytest.fail("was asked")
    assert found(service, bed.patient()) == []


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        ({"ActiveState": "failed", "Result": "exit-code"}, State.PROBLEM, "has failed (exit-code)"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, State.PROBLEM, "again and again"),
        ({"NRestarts": "7"}, State.PROBLEM, "restarted 7 times"),
        ({"ActiveState": "inactive"}, State.HINT, "does not run"),
        ({"UnitFileState": "disabled"}, State.HINT, "will not start"),
        ({"LoadState": "not-found"}, State.PROBLEM, "does not know the unit"),
    ],
)
def test_what_systemd_says(bed: Sickbed, told: dict[str, str], state: State, words: str) -> None:
    """Each with what to type."""
    bed.file(UNIT, "[Service]\nUser=pi\n")
    bed.probes["unit_state"] = lambda: {**FINE, **told}
    seen, text, fix = only(service, bed.patient())
    assert seen is state
    assert words in text
    assert fix


def test_all_is_well(bed: Sickbed) -> None:
    """Or systemd cannot be asked, as in a container."""
    bed.file(UNIT, "[Service]\nUser=pi\n")
    for told in (FINE, {}):
        bed.probes["unit_state"] = lambda told=told: told
        assert found(service, bed.patient()) == []


def test_without_systemctl(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to say."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert unit_state() == {}
