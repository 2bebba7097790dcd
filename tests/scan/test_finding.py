"""One finding, and several beside each other."""

from __future__ import annotations

from gateway.scan.finding import Candidate, Finding, notes, nothing, settled


def chip(name: str, address: int) -> Finding:
    """Something on I2C."""
    stanza = f'[devices.{name}]\ndriver = "bme280"\naddress = {address}'
    places = (("i2c", 1, address, None, None),)
    return Finding(bus="i2c", where=hex(address), what=name, stanza=stanza, places=places)


def test_names_of_devices_are_told_apart() -> None:
    """Two stanzas of one name, and one that is configured already, can stand side by side."""
    found = settled([chip("bme280", 0x76), chip("bme280", 0x77)], {}, ["bme280"])
    assert [one.stanza.splitlines()[0] for one in found] == ["[devices.bme280-2]", "[devices.bme280-3]"]


def test_what_is_configured_is_marked() -> None:
    """With its name, and without a stanza."""
    (found,) = settled([chip("bme280", 0x76)], {("i2c", 1, 0x76, None, None): "office"}, ["office"])
    assert (found.configured, found.stanza) == ("office", "")


def test_the_shape_of_json() -> None:
    """The keys that scripts rely on."""
    candidates = (Candidate("bme280", "BME280", sure=True), Candidate("", "EEPROM"))
    found = Finding(
        bus="i2c", where="bus 1, 0x76", what="BME280", candidates=candidates, stanza="[devices.a]", note="n"
    )
    assert found.as_json() == {
        "bus": "i2c",
        "where": "bus 1, 0x76",
        "what": "BME280",
        "found": True,
        "candidates": [
            {"driver": "bme280", "name": "BME280", "sure": True},
            {"driver": None, "name": "EEPROM", "sure": False},
        ],
        "stanza": "[devices.a]",
        "note": "n",
        "configured": None,
    }
    assert nothing("spi", "no SPI device").as_json()["found"] is False


def test_notes() -> None:
    """Those that say something."""
    assert notes("a", "", "b") == "a; b"
