"""drivers/modbus.py against the servers of pymodbus, over a real tty and a real socket."""

from __future__ import annotations

import threading
from pathlib import Path
from struct import pack, unpack

import pytest
from support.modbus_servers import serial_line, tcp_server

from drivers.modbus import Modbus
from gateway.driver import BadReading
from gateway.hardware.real import RealHardware
from gateway.testing import DriverHarness


def floats(*numbers: float) -> list[int]:
    """As registers."""
    return list(unpack(f">{2 * len(numbers)}H", pack(f">{len(numbers)}f", *numbers)))


SDM120 = {address: floats(address + 0.5) for address in (0, 6, 12, 18, 24, 30)} | {70: floats(50.0, 1234.5, 6.25)}
PZEM = {0: [2257, 108, 0, 244, 0, 38, 1, 500, 100, 0]}
S8 = {0: [0, 0, 0, 417]}


@pytest.mark.parametrize("echo", [False, True], ids=["plain", "echo"])
def test_a_meter_on_a_line(tmp_path: Path, *, echo: bool) -> None:
    """A whole profile, also where the adapter hears what it sends."""
    with (
        serial_line(tmp_path, {1: SDM120}, echo=echo) as line,
        DriverHarness(Modbus, hardware=RealHardware("meter"), port=line.path, profile="sdm120", baudrate=9600) as it,
    ):
        assert it.read() == {
            "voltage": 0.5,
            "current": 6.5,
            "power": 12.5,
            "apparent_power": 18.5,
            "reactive_power": 24.5,
            "power_factor": 30.5,
            "frequency": 50.0,
            "energy_import": 1234.5,
            "energy_export": 6.25,
        }


def test_profiles_on_the_network() -> None:
    """Modbus TCP, with the unit in its header; a register that is not there is refused by the server."""
    with tcp_server({1: PZEM, 254: S8}) as port:
        url = f"socket://127.0.0.1:{port}"
        with DriverHarness(Modbus, hardware=RealHardware("x"), port=url, framing="tcp", profile="pzem_004t") as it:
            assert it.read() == {
                "voltage": 225.7,
                "current": 0.108,
                "power": 24.4,
                "energy": 65574,
                "frequency": 50.0,
                "power_factor": 1.0,
                "alarm": 0,
            }
        with DriverHarness(Modbus, hardware=RealHardware("x"), port=url, framing="tcp", profile="senseair_s8") as it:
            assert it.read() == {"meter_status": 0, "co2": 417}
        wrong = [{"name": "x", "address": 5000}]
        with DriverHarness(Modbus, hardware=RealHardware("x"), port=url, framing="tcp", registers=wrong) as it:
            with pytest.raises(BadReading, match="exception 2, no such register"):
                it.read()
            with pytest.raises(BadReading, match="exception 2"):
                it.read()


def test_three_devices_on_one_line(tmp_path: Path) -> None:
    """Three threads share a port; nobody ever gets the answer that another one waits for."""
    units = {unit: {100: [unit * 1000 + n for n in range(10)]} for unit in (1, 2, 17)}
    table = [{"name": f"v{n}", "address": 100 + n} for n in range(10) if n != 5]  # two requests for each reading
    readings: dict[int, list[object]] = {unit: [] for unit in units}

    def poll(unit: int, port: str) -> None:
        hardware = RealHardware(f"device-{unit}")
        with DriverHarness(Modbus, hardware=hardware, port=port, unit=unit, registers=table) as it:
            readings[unit] += [it.read() for _ in range(20)]

    with serial_line(tmp_path, units) as line:
        threads = [threading.Thread(target=poll, args=(unit, line.path)) for unit in units]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for unit, got in readings.items():
        assert got == [{f"v{n}": unit * 1000 + n for n in range(10) if n != 5}] * 20


def test_a_device_that_is_missing_on_a_line(tmp_path: Path) -> None:
    """It costs its own readings and no others: those wait for its second to pass."""
    with (
        serial_line(tmp_path, {1: PZEM}) as line,
        DriverHarness(
            Modbus, hardware=RealHardware("gone"), port=line.path, unit=9, profile="pzem_004t", answer_within="100ms"
        ) as gone,
        DriverHarness(Modbus, hardware=RealHardware("there"), port=line.path, unit=1, profile="pzem_004t") as there,
    ):
        for _ in range(3):
            with pytest.raises(BadReading, match="no answer from unit 9"):
                gone.read()
            assert there.read()["voltage"] == 225.7  # type: ignore[index,call-overload]  # it is one reading
