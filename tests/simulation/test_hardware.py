"""gateway/simulation/hardware.py and find.py: a driver's device is found by its name, and keeps its state."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.driver import DeviceUnavailable
from gateway.simulation import SimulatedHardware, VirtualTime, World
from gateway.simulation.find import find_model
from gateway.testing import DriverHarness, Simulated, load_driver

DRIVER = '''"""Measures warmth."""

from gateway.driver import Channel, Driver, I2COptions, option, options


@options
class Options(I2COptions):
    """Where it is."""

    address: int = option(0x48, help="where")


class Warmth(Driver[Options]):
    """One register."""

    options_type = Options
    channels = (Channel("temperature", "°C", "temperature"),)

    def open(self):
        self.chip = self.i2c(self.options.bus, self.options.address)

    def read(self):
        return {"temperature": float(self.chip.read_register(0)[0])}
'''
MODEL = """from gateway.simulation import RegisterChip


class Chip(RegisterChip):
    temperature = 21

    def on_read(self, register):
        return self.temperature if register == 0 else super().on_read(register)


def attach(world, options):
    chip = Chip()
    world.connect(chip, options)
    return chip
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A driver of a user's, with the model of its device."""
    path = tmp_path / "warmth.py"
    path.write_text(DRIVER)
    (tmp_path / "simulation").mkdir()
    (tmp_path / "simulation" / "warmth.py").write_text(MODEL)
    return path


def test_a_drivers_test_is_three_lines(file: Path) -> None:
    """The model of a user's own driver is found beside it."""
    with Simulated(load_driver(file)) as it:
        it.model.temperature = 25
        assert it.read() == {"temperature": 25.0}


def test_trouble_is_one_line_more(file: Path) -> None:
    """And is over when it is plugged in again."""
    with Simulated(load_driver(file), address=0x49) as it:
        it.model.unplug()
        with pytest.raises(DeviceUnavailable, match="nothing answers at 0x49"):
            it.read()
        it.model.plug_in()
        it.reopen()
        assert it.read() == {"temperature": 21.0}


def test_two_devices_in_one_world(file: Path) -> None:
    """Each with its own model."""
    warmth, world = load_driver(file), World(VirtualTime())
    with Simulated(warmth, world=world) as one, Simulated(warmth, world=world, address=0x49) as two:
        one.model.temperature, two.model.temperature = 1, 2
        assert (one.read(), two.read()) == ({"temperature": 1.0}, {"temperature": 2.0})
        assert one.time is two.time is world.time


def test_the_model_outlives_drivers_but_not_other_options(file: Path) -> None:
    """A device keeps its state while it is opened anew; at another address there is another device."""
    warmth = load_driver(file)
    hardware = SimulatedHardware("x", World(VirtualTime()))
    first = DriverHarness(warmth, hardware=hardware)
    hardware.model.temperature = 30
    again = DriverHarness(warmth, hardware=hardware)
    again.open()
    assert again.read() == {"temperature": 30.0}
    other = DriverHarness(warmth, hardware=hardware, address=0x4A)
    other.open()
    assert other.read() == {"temperature": 21.0}
    with pytest.raises(DeviceUnavailable, match="nothing answers"):
        again.read()
    for harness in (first, again, other):
        harness.close()


def test_without_a_model(tmp_path: Path) -> None:
    """It says so."""
    (tmp_path / "warmth.py").write_text(DRIVER)
    warmth = load_driver(tmp_path / "warmth.py")
    assert find_model(warmth) is None
    with pytest.raises(LookupError, match="no model of Warmth"):
        Simulated(warmth)
    hardware = SimulatedHardware("x", World(VirtualTime()))
    hardware.prepare(warmth, None)
    assert hardware.model is None


def test_a_class_from_nowhere_has_no_model() -> None:
    """Such as one that is made while the program runs."""
    assert find_model(type("Made", (), {"__module__": "made.up"})) is None
