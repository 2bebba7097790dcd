"""Chip selects of SPI. The one chip that tells what it is, is the MFRC522; the others cannot be seen.

Two bytes are sent to each, which ask for that chip's version. What is configured is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.driver import DriverError
from gateway.hardware.protocols import Hardware
from gateway.hardware.spi import ENABLE
from gateway.known.thing import called
from gateway.scan.finding import Candidate, Finding, Place, nothing
from gateway.scan.tree import Tree

VERSION = 0x37
NODE = re.compile(r"spidev(\d+)\.(\d+)")
KERNELS = ("mcp3008", "max31855", "max6675")
"""What is often on SPI and read by the kernel."""


def selects(tree: Tree) -> list[tuple[int, int]]:
    """Bus and chip select of every device file."""
    found = [NODE.fullmatch(name) for name in tree.names("/dev", "spidev*")]
    return [(int(match[1]), int(match[2])) for match in found if match]


def off(tree: Tree) -> Finding:
    """Why there is none."""
    return nothing("spi", "no SPI device", ENABLE if tree.is_pi else "this machine is no Raspberry Pi")


def look(
    tree: Tree, at: tuple[int, int], hardware: Hardware, taken: Callable[[Place], bool], found: list[Finding]
) -> None:
    """Add what is at a chip select to ``found``."""
    bus, select = at
    node, place = f"/dev/spidev{bus}.{select}", ("spi", bus, select)
    if taken(place):
        found.append(Finding(bus="spi", where=node, what="not asked, since it is configured", places=(place,)))
        return
    if note := tree.permission(node, "spi"):
        found.append(nothing("spi", "not looked at", note, node))
        return
    try:
        device = hardware.spi(bus, select)
        try:
            version = device.transfer(bytes([0x80 | VERSION << 1, 0]))[1]
        finally:
            device.close()
    except DriverError as error:
        found.append(nothing("spi", str(error), error.hint, node))
        return
    reader = called("mfrc522_i2c")
    assert reader is not None
    if any(version == known[0] for known in (*reader.answers, b"\x15")):
        found.append(
            Finding(
                bus="spi",
                where=node,
                what=f"MFRC522 (version {version:#04x})",
                candidates=(Candidate("mfrc522", "MFRC522", sure=True),),
                stanza=f'[devices.card-reader]\ndriver = "mfrc522"\nbus = {bus}\ndevice = {select}',
                note="needs mfrc522-python: pip install --no-deps mfrc522-python==0.0.9",
                places=(place,),
            )
        )
        return
    others = [thing for thing in map(called, KERNELS) if thing is not None]
    found.append(
        Finding(
            bus="spi",
            where=node,
            what="no MFRC522; other chips cannot be seen",
            candidates=tuple(Candidate(thing.driver, thing.title) for thing in others),
            note="for what the kernel reads see sensorpost drivers mcp3008, or max31855",
            places=(place,),
        )
    )
