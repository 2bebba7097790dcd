"""Chips that the kernel looks after: IIO and hwmon, the machine's own told apart from those that are connected."""

from __future__ import annotations

import json
import re
from collections import Counter

from gateway.config.errors import ConfigErrors
from gateway.config.load import loads
from gateway.scan.finding import Candidate, Finding, notes
from gateway.scan.tree import Tree

IIO, HWMON = "/sys/bus/iio/devices", "/sys/class/hwmon"
ON_I2C = re.compile(r"\d+-[0-9a-f]{4}")
CONNECTED = re.compile(r"/(\d+-[0-9a-f]{4}|spi\d+\.\d+|dht11@[0-9a-f]+|1-wire@[0-9a-f]+|usb\d+/.*|humidity_sensor.*)/")
"""In the path of a device: what is on a bus that a person connects things to."""
ELSEWHERE = frozenset({"w1_slave_temp"})
"""Chips that are found as what they are: on 1-Wire."""
METER = {"in1": "voltage", "curr1": "current", "power1": "power", "humidity1": "humidity"}
INPUTS = {
    "iio": (re.compile(r"in_(.+)_(?:input|raw)"), {"temp": "temperature", "humidityrelative": "humidity"}),
    "hwmon": (re.compile(r"([a-z]+\d+)_input"), METER),
}
MOST = 8
"""Inputs in a stanza."""


def look(tree: Tree) -> list[Finding]:
    """Every chip, and at the end the machine with its own."""
    own: list[str] = []
    findings = []
    for bus, folder in (("iio", IIO), ("hwmon", HWMON)):
        chips = {name: _name(tree, f"{folder}/{name}") for name in tree.names(folder, f"{bus}*")}
        several = Counter(chips.values())
        for device, chip in chips.items():
            place = tree.target(f"{folder}/{device}")
            if chip in ELSEWHERE or not chip:
                continue
            if bus == "hwmon" and not CONNECTED.search(f"{place}/"):
                own.append(chip)
                continue
            findings.append(_finding(tree, bus, device, chip, place, alone=several[chip] == 1))
    return [*findings, _machine(tree, own)]


def _name(tree: Tree, folder: str) -> str:
    """The chip's name; some drivers give its place on I2C, where its name can be looked up."""
    name = tree.read(f"{folder}/name")
    return tree.read(f"/sys/bus/i2c/devices/{name}/name") or name if ON_I2C.fullmatch(name) else name


def _finding(tree: Tree, bus: str, device: str, chip: str, place: str, *, alone: bool) -> Finding:
    folder = place.split("/hwmon/", maxsplit=1)[0] if bus == "hwmon" else place.rpartition("/")[0]
    path = "" if alone else _on_bus(tree, folder)
    short = chip.partition("@")[0] if alone else chip
    return Finding(
        bus=bus,
        where=device,
        what=chip,
        candidates=(Candidate(bus, chip, sure=True),),
        stanza=_stanza(tree, bus, place, short, path),
        note=notes(f"on {folder.rpartition('/')[2]}"),
        places=((bus, chip, path), (bus, short, path)) if path else ((bus, chip, ""), (bus, short, "")),
    )


def _on_bus(tree: Tree, folder: str) -> str:
    """The name of a device's folder that stays the same, as the drivers want it."""
    name = folder.rpartition("/")[2]
    for bus in tree.names("/sys/bus"):
        if tree.exists(f"/sys/bus/{bus}/devices/{name}"):
            return f"/sys/bus/{bus}/devices/{name}"
    return folder


def _stanza(tree: Tree, bus: str, place: str, chip: str, path: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", chip.lower()).strip("-") or bus
    lines = [
        f"[devices.{name}]",
        f'driver = "{bus}"',
        f"chip = {_text(chip)}",
        *([f"path = {_text(path)}"] if path else []),
    ]
    plain = "\n".join(lines)
    if not (tree.exists(f"{place}/temp1_input") if bus == "hwmon" else _is_valid(plain)):
        plain = f"{plain}\ninputs = {{ {_inputs(tree, bus, place)} }}"  # the driver does not know what it measures
    return plain if _is_valid(plain) else ""


def _inputs(tree: Tree, bus: str, place: str) -> str:
    """All that the chip has, as channel = input."""
    pattern, names = INPUTS[bus]
    sources = list(dict.fromkeys(m[1] for name in tree.names(place) if (m := pattern.fullmatch(name))))
    words = {names.get(source) or re.sub(r"[^a-z0-9]+", "_", source.lower()): source for source in sources[:MOST]}
    return ", ".join(f"{word} = {_text(source)}" for word, source in words.items())


def _text(value: str) -> str:
    """A text as TOML has it."""
    return json.dumps(value, ensure_ascii=False)


def _is_valid(stanza: str) -> bool:
    try:
        loads(stanza)
    except ConfigErrors:
        return False
    return True


def _machine(tree: Tree, own: list[str]) -> Finding:
    """The machine, which is a device as well."""
    note = f"its own chips, which the driver hwmon reads one by one: {', '.join(sorted(set(own)))}" if own else ""
    return Finding(
        bus="machine",
        where="this machine",
        what=tree.model or "a computer",
        candidates=(Candidate("system", "processor, memory, disk, network", sure=True),),
        stanza='[devices.this-machine]\ndriver = "system"',
        note=note,
        places=(("machine",),),
    )
