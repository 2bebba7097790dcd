"""The header's serial port: off, taken, or another one than was meant."""

from __future__ import annotations

import pytest
from support.sickbed import PI5, Sickbed, found, only

from gateway.doctor import uart
from gateway.doctor.finding import State

AIR = '[devices.air]\ndriver = "pms5003"\nport = "{}"\n'
SERIAL0 = AIR.format("/dev/serial0")


def test_off(bed: Sickbed) -> None:
    """No port, and how it is switched on; on a Pi 5 otherwise."""
    bed.remove("/dev/serial0")
    assert only(uart.port, bed.patient(SERIAL0))[2] == "sudo raspi-config nonint do_serial_hw 0 && sudo reboot"
    bed.file("/proc/device-tree/model", PI5)
    bed.remove("/dev/ttyAMA0")
    assert "dtparam=uart0=on" in only(uart.port, bed.patient(AIR.format("/dev/ttyAMA0")))[2]


def test_the_debug_connector_of_a_pi_5(bed: Sickbed) -> None:
    """What serial0 means there."""
    bed.file("/proc/device-tree/model", PI5)
    bed.file("/dev/ttyAMA10")
    bed.link("/dev/serial0", "/dev/ttyAMA10")
    state, text, fix = only(uart.port, bed.patient(SERIAL0))
    assert state is State.PROBLEM
    assert "debug connector" in text
    assert fix.startswith('port = "/dev/ttyAMA0" in [devices.air]')


@pytest.mark.parametrize("file", ["/proc/cmdline", "/boot/firmware/cmdline.txt"])
@pytest.mark.parametrize("name", ["ttyS0", "serial0"])
def test_the_kernels_console(bed: Sickbed, file: str, name: str) -> None:
    """Now, or from the next start on, under either name of the port."""
    bed.file(file, f"console={name},115200 console=tty1 root=PARTUUID=1")
    state, _, fix = only(uart.console, bed.patient(SERIAL0))
    assert (state, fix) == (State.PROBLEM, "sudo raspi-config nonint do_serial_cons 1 && sudo reboot")
    assert found(uart.console, bed.patient(AIR.format("/dev/ttyUSB0"))) == []


def test_the_console_of_another_machine(bed: Sickbed) -> None:
    """It has no raspi-config."""
    bed.remove("/proc/device-tree/model")
    bed.file("/proc/cmdline", "console=ttyS0")
    assert "raspi-config" not in only(uart.console, bed.patient(SERIAL0))[2]


def test_a_login(bed: Sickbed) -> None:
    """Enabled, or only running."""
    unit = "/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service"
    bed.file(unit)
    fix = "sudo systemctl disable --now serial-getty@ttyS0.service"
    assert only(uart.console, bed.patient(SERIAL0))[2] == fix
    bed.remove(unit)
    assert found(uart.console, bed.patient(SERIAL0)) == []
    bed.file("/proc/77/cmdline", "/sbin/agetty\0-o\0-p -- \\u\0ttyS0\0vt220\0")
    bed.file("/proc/78/cmdline", "")
    assert only(uart.console, bed.patient(SERIAL0))[2] == fix


def test_bluetooth_has_the_port(bed: Sickbed) -> None:
    """ttyAMA0 of a Pi 4, until Bluetooth gives it up; a Pi 5 has a UART of its own for it."""
    config = AIR.format("/dev/ttyAMA0")
    state, text, fix = only(uart.bluetooth, bed.patient(config))
    assert state is State.PROBLEM
    assert "Bluetooth" in text
    assert fix.startswith('port = "/dev/serial0" in [devices.air]')
    bed.file("/proc/device-tree/model", PI5)
    assert found(uart.bluetooth, bed.patient(config)) == []
    bed.file("/proc/device-tree/model", "Raspberry Pi 3 Model B")
    bed.remove("/dev/serial1")
    assert found(uart.bluetooth, bed.patient(config)) == []


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ('driver = "modbus"\nprofile = "sdm120"\nparity = "E"\n', 1),
        ('driver = "modbus"\nprofile = "sdm120"\n', 0),
        ('driver = "dsmr_p1"\nversion = 3\n', 1),
        ('driver = "dsmr_p1"\n', 0),
    ],
)
def test_the_mini_uart_knows_no_parity(bed: Sickbed, config: str, count: int) -> None:
    """Only who wants parity is told."""
    patient = bed.patient(f'[devices.meter]\nport = "/dev/serial0"\n{config}')
    assert patient.mistakes == ()
    assert len(found(uart.bluetooth, patient)) == count
