"""The configuration: every mistake, and what is accepted but worth a line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sickbed import Sickbed, found, only

from gateway.config.errors import Problem
from gateway.doctor.configuration import configuration
from gateway.doctor.finding import State


def test_every_mistake(bed: Sickbed) -> None:
    """With its place."""
    findings = found(configuration, bed.patient('[devices.a]\ndriver = "bme28"\n[mqtt]\nport = 1\n'))
    assert [finding.state for finding in findings] == [State.PROBLEM] * 2
    assert "sensorpost.toml:2: devices.a.driver: there is no such driver" in findings[0].text
    assert "bme280" in findings[0].fix


@pytest.mark.parametrize(
    "password", ['{ credential = "mqtt" }', '{ env = "MQTT_PASSWORD" }'], ids=["credential", "environment"]
)
def test_what_only_the_service_has(bed: Sickbed, password: str) -> None:
    """Is no mistake where the service is installed: it cannot be seen from here."""
    config = f'[mqtt]\nusername = "pi"\npassword = {password}\n[devices.a]\ndriver = "system"\n'
    assert only(configuration, bed.patient(config))[0] is State.PROBLEM
    bed.file("/etc/systemd/system/sensorpost.service", "[Service]\nUser=pi\n")
    state, text, fix = only(configuration, bed.patient(config))
    assert (state, fix) == (State.UNKNOWN, "sudo sensorpost doctor")
    assert "only the service has it" in text


def test_a_configuration_that_may_not_be_read(bed: Sickbed) -> None:
    """The service's, looked at by somebody else."""
    refused = Problem("/etc/sensorpost/sensorpost.toml", None, "", "this user may not read the file")
    assert only(configuration, replace(bed.patient(), mistakes=(refused,)))[0] is State.UNKNOWN


def test_no_configuration(bed: Sickbed) -> None:
    """A hint: the machine is looked at all the same."""
    patient = replace(bed.patient(), mistakes=(Problem("", None, "", "no configuration found"),))
    assert only(configuration, patient)[::2] == (State.HINT, "sensorpost init")


def test_warnings(bed: Sickbed) -> None:
    """A password in plain text is one; that others can read it is told by another check."""
    config = '[mqtt]\nusername = "pi"\npassword = "x"\n[devices.a]\ndriver = "system"\n'
    state, text, _ = only(configuration, bed.patient(config, mode=0o644))
    assert state is State.HINT
    assert "in plain text" in text


def test_a_driver_that_is_broken(bed: Sickbed) -> None:
    """The others run."""
    bed.file("/etc/sensorpost/drivers/mine.py", "import no_such_module\n")
    config = '[gateway]\ndrivers_dir = "drivers"\n[devices.a]\ndriver = "mine"\n'
    state, text, _ = only(configuration, bed.patient(config))
    assert state is State.PROBLEM
    assert "no_such_module" in text
