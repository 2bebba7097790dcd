"""Devices on 1-Wire, as the kernel lists them."""

from __future__ import annotations

import re

from gateway.scan.finding import Candidate, Finding, notes, nothing
from gateway.scan.tree import Tree

DEVICES = "/sys/bus/w1/devices"
THERMOMETERS = {"10": "DS18S20", "22": "DS1822", "28": "DS18B20", "3b": "DS1825", "42": "DS28EA00"}
OTHERS = {
    "01": "DS2401 or an iButton: a number",
    "05": "DS2405: a switch",
    "12": "DS2406: two switches",
    "1d": "DS2423: a counter",
    "20": "DS2450: four voltages",
    "26": "DS2438: a battery monitor",
    "29": "DS2408: eight switches",
    "2d": "DS2431: a memory",
    "3a": "DS2413: two switches",
}
ID = re.compile(r"([0-9a-f]{2})-[0-9a-f]{12}")


def look(tree: Tree) -> list[Finding]:
    """Every device, and why there is none."""
    if not tree.names(DEVICES, "w1_bus_master*"):
        fix = f"enable it: dtoverlay=w1-gpio in {tree.config} and a restart (data then is GPIO4, pin 7)"
        return [nothing("onewire", "no 1-Wire bus", fix if tree.is_pi else "this machine is no Raspberry Pi")]
    ids = [name for name in tree.names(DEVICES) if ID.fullmatch(name)]
    real = [name for name in ids if not name.startswith("00-")]
    warm = [name for name in real if name[:2] in THERMOMETERS]
    findings = [_finding(name, warm) for name in real]
    if len(real) < len(ids):
        note = "the resistor of 4.7 kΩ from data to 3.3 V is missing, or the data line is not connected"
        findings.append(nothing("onewire", "ids that begin with 00-", note))
    elif not real:
        note = "check data, supply and the resistor of 4.7 kΩ from data to 3.3 V"
        findings.append(nothing("onewire", "nobody answers", note))
    return findings


def _finding(name: str, warm: list[str]) -> Finding:
    family = name[:2]
    if family not in THERMOMETERS:
        what = OTHERS.get(family, f"a device of family {family}")
        note = "no driver reads it; the nearest way is a driver of your own: docs/writing-a-driver.md"
        return Finding(bus="onewire", where=name, what=what, candidates=(Candidate("", what, sure=True),), note=note)
    chip = THERMOMETERS[family]
    several = f"{len(warm)} here: as `sensors` of one device they measure at once" if len(warm) > 1 else ""
    return Finding(
        bus="onewire",
        where=name,
        what=f"{chip}, a thermometer",
        candidates=(Candidate("ds18b20", chip, sure=True),),
        stanza=f'[devices.thermometer]\ndriver = "ds18b20"\nid = "{name}"',
        note=notes(several),
        places=(("onewire", name), *([("onewire", "")] if len(warm) == 1 else [])),
    )
