"""Hardware that a scan has found."""

from __future__ import annotations

import pytest

from gateway.scan.finding import Candidate, Finding


def finding(where: str, driver: str, stanza: str, *, sure: bool = True, name: str = "") -> Finding:
    """One thing."""
    candidates = (Candidate(driver, name or driver, sure=sure),)
    return Finding(bus="i2c", where=where, what="answers", candidates=candidates, stanza=stanza)


@pytest.fixture
def found() -> list[Finding]:
    """A sensor that is sure, a port that is a guess, one without a stanza, and one at the place of the first."""
    office = '[devices.bme280]\ndriver = "bme280"\naddress = 0x76'
    port = (
        '[devices.arduino]\ndriver = "serial_line"             # or modbus\nport = "/dev/serial/by-id/usb-x"\n'
        'format = "csv"\nfields = [\n    { name = "temperature", unit = "°C" },\n]'
    )
    return [
        finding("bus 1 0x76", "bme280", office, name="BME280"),
        finding("/dev/serial/by-id/usb-x", "serial_line", port, sure=False),
        finding("bus 1 0x20", "", "", sure=False),
        finding("bus 1 0x76", "bme280", office.replace("devices.bme280", "devices.twin")),
    ]
