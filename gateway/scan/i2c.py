"""I2C buses, and who is on them."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.driver import DriverError, I2CDevice
from gateway.hardware.i2c_trouble import ENABLE
from gateway.hardware.protocols import Hardware
from gateway.known.thing import Thing, things
from gateway.scan.finding import Candidate, Finding, Place, notes, nothing
from gateway.scan.probe import ADDRESSES, Answer, Probe, Stuck
from gateway.scan.tree import Tree

SCREENS = re.compile(
    r"^(fef0[49]500|107d5082[08]0)\.i2c|gmbus|amdgpu|radeon|nvidia|nvkm|nouveau|aux|ddc|hdmi", re.IGNORECASE
)
"""Names of buses that lead to a monitor."""
BEHIND = "devices behind it are not looked for, since that would switch it: give them mux and mux_channel"


def buses(tree: Tree) -> list[int]:
    """The numbers of this machine's buses."""
    return [int(name[4:]) for name in tree.names("/dev", "i2c-*") if name[4:].isdigit()]


def off(tree: Tree) -> Finding:
    """Why there is no bus."""
    if tree.names("/sys/bus/i2c/devices", "i2c-*"):
        note = "the kernel has one, but no file for it: sudo modprobe i2c-dev, and put i2c-dev into /etc/modules"
    else:
        note = ENABLE if tree.is_pi else "this machine is no Raspberry Pi; a USB adapter (CP2112, MCP2221) brings one"
    return nothing("i2c", "no I2C bus", note)


def look(tree: Tree, number: int, hardware: Hardware, taken: Callable[[Place], bool], found: list[Finding]) -> None:
    """Add everything on a bus to ``found``, as it comes."""
    where = f"bus {number}"
    adapter = tree.read(f"/sys/bus/i2c/devices/i2c-{number}/name")
    if SCREENS.search(adapter):
        found.append(nothing("i2c", "the bus of a monitor, which is not looked at", adapter, where))
        return
    if not tree.usable(f"/dev/i2c-{number}"):
        found.append(nothing("i2c", "not looked at", tree.permission(f"/dev/i2c-{number}", "i2c"), where))
        return
    kernels = {address: holder for address in ADDRESSES if (holder := held(tree, number, address))}
    found += [_held(number, address, holder) for address, holder in kernels.items()]

    def open_(address: int) -> I2CDevice:
        return hardware.i2c(number, address)

    def skip(address: int) -> bool:
        if taken(_place(number, address)):
            found.append(_configured(open_, number, address))
            return True
        return address in kernels

    before = len(found)
    try:
        for answer in Probe(open_, things()).answers(skip):
            found.append(_finding(number, answer))
    except Stuck as error:
        found.append(nothing("i2c", str(error), error.hint, where))
        return
    if len(found) == before and not kernels:
        found.append(nothing("i2c", "nobody answers", "check wiring and power", where))


def held(tree: Tree, number: int, address: int) -> str:
    """The driver of the kernel that talks to an address; empty when none does."""
    link = f"/sys/bus/i2c/devices/{number}-{address:04x}/driver"
    return tree.target(link).rpartition("/")[2] if tree.exists(link) else ""


def could_be(address: int, asked: frozenset[int]) -> list[Thing]:
    """What may be at an address; without what would have told so."""
    return [
        thing for thing in things() if address in thing.addresses and (thing.register not in asked or thing.changes)
    ]


def _place(number: int, address: int) -> Place:
    return ("i2c", number, address, None, None)


def _held(number: int, address: int, holder: str) -> Finding:
    return Finding(
        bus="i2c",
        where=_where(number, address),
        what=f"held by the kernel's driver {holder}",
        note="it is read with iio or hwmon; for another driver remove its overlay",
    )


def _configured(open_: Callable[[int], I2CDevice], number: int, address: int) -> Finding:
    """What the configuration has there; it is asked whether it is there, and nothing else."""
    what, note = "answers", ""
    try:
        device = open_(address)
        try:
            device.read(1)
        finally:
            device.close()
    except DriverError as error:
        what, note = "does not answer", notes(str(error), error.hint)
    return Finding(bus="i2c", where=_where(number, address), what=what, note=note, places=(_place(number, address),))


def _finding(number: int, answer: Answer) -> Finding:
    address = answer.address
    sure = answer.thing
    if answer.is_mux:
        sure = next(thing for thing in things() if "tca9548a" in thing.names)
    there = [sure] if sure else could_be(address, answer.asked)
    first = next((thing for thing in there if thing.is_served), None)
    titles = ", or ".join(thing.title for thing in there)
    what = (titles if sure else f"could be {titles}") if there else "a chip that is not known here"
    own = "see circuitpython for what Adafruit has a library for, or write a driver: docs/writing-a-driver.md"
    doubt = f"the stanza is for {first.title}" if first and len(there) > 1 else ""
    muxes = answer.is_mux or (address < 0x76 and any("tca9548a" in thing.names for thing in there))
    rest = BEHIND if muxes else (first.note if first else there[0].note if there else own)
    return Finding(
        bus="i2c",
        where=_where(number, address),
        what=what,
        candidates=tuple(Candidate(thing.driver if thing.served else "", thing.title, bool(sure)) for thing in there),
        stanza=first.stanza(bus=number, address=address) if first else "",
        note=notes(doubt, first.needs(address=address) if first else "", rest),
        places=(
            _place(number, address),
            *([(first.driver, first.kernels_name, "")] if first and first.kernels_name else []),
        ),
    )


def _where(number: int, address: int) -> str:
    return f"bus {number}, {address:#04x}"
