"""Serial ports. None is opened: that resets most Arduinos."""

from __future__ import annotations

import json
import re

from gateway.known.thing import called
from gateway.scan.finding import Candidate, Finding, notes, nothing
from gateway.scan.tree import Tree
from gateway.scan.usb import Adapter, adapter, guess

PORT = re.compile(r"tty(USB|ACM|AMA|S|SC|AP)\d+")
HEADER = ("serial_line", "pms5003", "rdm6300", "pn532", "modbus")
EXAMPLES = {
    "serial_line": "serial",
    "modbus": "sdm120",
    "dsmr_p1": "p1",
    "rdm6300": "rdm630",
    "pn532": "nfc",
    "pms5003": "pms7003",
    "command": "gps",
}
"""The thing whose stanza is shown for a driver."""
DEBUG = "ttyAMA10"
"""Of a Raspberry Pi 5: the small connector between the HDMI sockets."""


def look(tree: Tree) -> list[Finding]:
    """Every port, and why there is none on the header."""
    ports = [port for port in tree.names("/sys/class/tty") if PORT.fullmatch(port) and _is_there(tree, port)]
    adapters = {port: adapter(tree, port) for port in ports}
    findings = [
        _on_usb(tree, port, found, adapters) if found else _on_board(tree, port) for port, found in adapters.items()
    ]
    if tree.is_pi and not tree.exists("/dev/serial0") and not tree.exists("/dev/ttyAMA0"):
        findings.append(nothing("serial", "the header's serial port is off", _enable(tree)))
    if not findings:
        findings.append(nothing("serial", "no serial port", "plug an adapter or an Arduino in"))
    return findings


def _is_there(tree: Tree, port: str) -> bool:
    """Whether there is hardware behind it: of ttyS many are only names."""
    folder = f"/sys/class/tty/{port}"
    return tree.exists(f"/dev/{port}") and tree.exists(f"{folder}/device") and tree.read(f"{folder}/type") != "0"


def _on_usb(tree: Tree, port: str, found: Adapter, all_: dict[str, Adapter | None]) -> Finding:
    node = f"/dev/{port}"
    twins = [other for other, one in all_.items() if one and one.twin == found.twin and other != port]
    by_id, by_path = _link(tree, "by-id", node), _link(tree, "by-path", node)
    name = (by_path or node) if twins else (by_id or by_path or node)
    same = ""
    if twins:
        same = f"{', '.join(twins)} has the same name in by-id (no serial number): this name is that of the socket"
    elif name == node:
        same = "it can get another number when it is plugged in again"
    what, drivers = guess(found)
    unfit = "" if drivers else "it is for a program of its own, such as zigbee2mqtt"
    serial = f", serial number {found.serial}" if found.serial else ""
    says = f"{what}: {found.product or 'without a name'} ({found.id}{serial})"
    return _port(tree, name, port, says, drivers, note=notes(same, unfit))


def _on_board(tree: Tree, port: str) -> Finding:
    node = f"/dev/{port}"
    name = "/dev/serial0" if tree.target("/dev/serial0") == node and tree.exists("/dev/serial0") else node
    if tree.exists("/dev/serial1") and tree.target("/dev/serial1") == node:
        return Finding(bus="serial", where=node, what="the port of the Bluetooth chip", note="not on the header")
    if port == DEBUG:
        hint = f"the header's is {_enable(tree)}"
        return _port(tree, node, port, "the debug connector of a Raspberry Pi 5", HEADER, note=hint)
    mini = port == "ttyS0" and tree.is_pi
    slow = "the mini UART: no parity, and its speed needs enable_uart=1" if mini else ""
    what = "TXD and RXD of the header (pins 8 and 10)" if tree.is_pi else "a port of the board"
    return _port(tree, name, port, what, HEADER, note=slow)


def _port(tree: Tree, name: str, port: str, what: str, drivers: tuple[str, ...], *, note: str) -> Finding:
    node = f"/dev/{port}"
    console = _console(tree, node)
    return Finding(
        bus="serial",
        where=name,
        what=what,
        candidates=tuple(Candidate(driver, driver) for driver in drivers),
        stanza="" if console else stanza(name, drivers),
        note=notes(console, tree.permission(node, "dialout"), note),
        places=(("port", node),),
    )


def stanza(port: str, drivers: tuple[str, ...]) -> str:
    """For the first of the drivers; the others in a comment."""
    if not drivers:
        return ""
    thing = called(EXAMPLES[drivers[0]])
    assert thing is not None
    line = f"port = {json.dumps(port, ensure_ascii=False)}"
    text = re.sub(r'port = "[^"]*"( +#.*)?', lambda _: line, thing.stanza())
    first, driver, *rest = text.splitlines()
    others = ", ".join(drivers[1:])
    return "\n".join([first, f"{driver:<40}# or {others}: sensorpost drivers NAME" if others else driver, *rest])


def _link(tree: Tree, folder: str, node: str) -> str:
    """The port's name there; empty when it has none."""
    for name in tree.names(f"/dev/serial/{folder}"):
        if tree.target(f"/dev/serial/{folder}/{name}") == node:
            return f"/dev/serial/{folder}/{name}"
    return ""


def _console(tree: Tree, node: str) -> str:
    """The kernel's console is on the port, and what to do; empty otherwise."""
    for word in re.findall(r"\bconsole=(\w+)", tree.read("/proc/cmdline")):
        if tree.target(f"/dev/{word}") == node:
            way = f"sudo raspi-config nonint do_serial_cons 1 (it takes console={word},… out of cmdline.txt)"
            fix = way if tree.is_pi else f"take console={word} off the kernel's command line"
            return f"the kernel writes its console there: {fix}, and restart"
    return ""


def _enable(tree: Tree) -> str:
    """How the header's port is switched on."""
    line = "dtparam=uart0=on" if "Raspberry Pi 5" in tree.model else "enable_uart=1"
    return f"enabled with {line} in {tree.config} and a restart"
