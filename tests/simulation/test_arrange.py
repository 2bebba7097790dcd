"""gateway/simulation/arrange.py: a configuration on simulated hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.config.load import loads
from gateway.simulation.arrange import Simulation, is_stand_in
from gateway.simulation.find import Attach, find_model
from gateway.simulation.isolated import HARDWARE, hardware
from gateway.simulation.stand_in import stand_in

CONFIG = """
[gateway]
id = "attic"
[mqtt]
client_id = "own"
[spool]
path = "/var/lib/important.db"
[homeassistant]
discovery = true
[devices.a]
driver = "bme280"
[devices.b]
driver = "mock"
[devices.c]
driver = "rdm6300"
port = "/dev/x"
"""


def test_it_is_another_gateway() -> None:
    """Its id, its client id, its spool; Home Assistant is told nothing."""
    settings = Simulation().settings(loads(CONFIG))
    assert (settings.gateway_id, settings.mqtt.client_id) == ("attic-sim", "own-sim")
    assert (settings.spool.path, settings.homeassistant.discovery) == ("spool.db", False)


def test_as_real() -> None:
    """Then it is the same one."""
    given = loads(CONFIG)
    settings = Simulation(as_real=True).settings(given)
    assert (settings.gateway_id, settings.mqtt, settings.spool) == ("attic", given.mqtt, given.spool)
    assert settings.homeassistant.discovery


def test_a_long_id_still_fits() -> None:
    """64 characters are the limit."""
    settings = Simulation().settings(loads(CONFIG.replace("attic", "a" * 64)))
    assert settings.gateway_id == "a" * 60 + "-sim"


def test_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on what this is, one on what stands in for what."""

    def forgotten(driver: type[Any]) -> Attach | None:
        return None if driver.__name__ == "Rdm6300" else find_model(driver)

    monkeypatch.setattr("gateway.simulation.arrange.find_model", forgotten)
    simulation = Simulation()
    settings = simulation.settings(loads(CONFIG.replace("bme280", 'rdm6300"\nport="/dev/y')))
    assert [is_stand_in(device) for device in settings.devices] == [True, False, True]
    assert simulation.about(settings, "/tmp/x") == [
        "simulated hardware, as attic-sim, state in /tmp/x until the end, no discovery; --as-real changes that",
        "no model of rdm6300: made-up values stand in for it; a model is one file, docs/simulation.md shows how",
    ]
    assert simulation.without(Simulation().settings(loads('[devices.a]\ndriver = "mock"'))) == []
    assert Simulation(as_real=True).about(settings, "")[0].endswith("with its own id, state and discovery")


def test_a_broken_model(tmp_path: Path) -> None:
    """The line says why; the device runs with made-up values."""
    (tmp_path / "lamp.py").write_text(
        '"""A lamp."""\n\nfrom gateway.driver import Channel, Driver\n\n\nclass Lamp(Driver):\n'
        '    channels = (Channel("lit", type=bool),)\n\n    def read(self):\n        return None\n'
    )
    (tmp_path / "simulation").mkdir()
    (tmp_path / "simulation" / "lamp.py").write_text("def attach(world, options)\n")
    simulation = Simulation()
    settings = simulation.settings(loads(f'[gateway]\ndrivers_dir = "{tmp_path}"\n[devices.a]\ndriver = "lamp"'))
    assert is_stand_in(settings.devices[0])
    assert simulation.without(settings)[0].startswith("no model of lamp (broken: SyntaxError: expected ':'")


def test_a_driver_whose_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its device is made up, too, and the reason is said: a simulation is for those who have nothing yet."""
    monkeypatch.setattr("gateway.simulation.models.mfrc522.NEEDS", "no_such_library")
    simulation = Simulation()
    settings = simulation.settings(loads('[devices.door]\ndriver = "mfrc522"'))
    assert is_stand_in(settings.devices[0])
    (line,) = simulation.without(settings)
    assert line.startswith(
        "no model of mfrc522 (its library is not installed, see: sensorpost drivers mfrc522): made-up"
    )


def test_several_are_named() -> None:
    """In one line."""
    simulation = Simulation()
    settings = loads(CONFIG)
    made = [stand_in(device) for device in settings.devices]
    assert all(is_stand_in(device) for device in made)
    (line,) = simulation.without(type(settings)(**{**vars_of(settings), "devices": tuple(made)}))
    assert "no model of bme280, mock, rdm6300: made-up values stand in for them" in line


def vars_of(settings: object) -> dict[str, object]:
    """The fields of a frozen class with slots."""
    return {name: getattr(settings, name) for name in settings.__slots__}  # type: ignore[attr-defined]


def test_devices_share_a_world_and_one_in_a_process_has_its_own() -> None:
    """So buses are shared as on a machine."""
    simulation = Simulation()
    one, two = simulation.hardware("a"), simulation.hardware("b")
    assert one.world is two.world
    assert hardware("a").world is not one.world
    assert HARDWARE == "gateway.simulation.isolated:hardware"


@pytest.mark.parametrize("driver", ["mock", "system"])
def test_drivers_without_hardware_run_as_they_are(driver: str) -> None:
    """The driver is the one of the configuration."""
    given = loads(f'[devices.a]\ndriver = "{driver}"')
    settings = Simulation().settings(given)
    assert settings.devices[0].driver_type is given.devices[0].driver_type
