"""The gateway's id, and which names fit one level of a topic."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LONGEST_NAME = 64
LONGEST_BASE = 256
GENERIC = frozenset({"", "raspberrypi", "raspbian", "localhost", "debian", "ubuntu", "pi", "linux", "dietpi"})
"""Host names that many machines have."""
MACHINE_ID = Path("/etc/machine-id")

_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True)
class Host:
    """What this machine says about itself; tests bring their own."""

    name: Callable[[], str] = socket.gethostname
    machine_id: Path = MACHINE_ID


def default_id(host: Host) -> str:
    """The host name as one topic level; a generic one gets 4 characters of the machine id added."""
    name = host.name().partition(".")[0]
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:LONGEST_NAME]
    if name.lower() not in GENERIC:
        return name
    try:
        suffix = host.machine_id.read_text(encoding="ascii", errors="ignore").strip()[:4]
    except OSError:
        suffix = ""
    return "-".join(part for part in (name or "gateway", suffix) if part)


def wrong_id(text: str) -> str:
    """What is wrong with a gateway's id; empty when nothing is."""
    return "" if _ID.fullmatch(text) else "cannot be a gateway's id"


ID_RULE = f"accepted: 1 to {LONGEST_NAME} letters (a-z, A-Z), digits, - and _"


def plain_id(text: str) -> str:
    """The nearest valid id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:LONGEST_NAME]


def wrong_level(text: str) -> str:
    """What is wrong with one level of a topic; empty when nothing is."""
    if not text:
        return "is empty"
    if len(text) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if any(sign in text for sign in "/+#"):
        return "has a character with a meaning in MQTT topics (/, + or #)"
    if text.startswith("$"):
        return "begins with $, which belongs to the broker"
    if not text.isprintable() or text != text.strip():
        return "has spaces at its ends or characters that cannot be printed"
    return ""


def wrong_base_topic(text: str) -> str:
    """What is wrong with a base topic of one or several levels; empty when nothing is."""
    if len(text) > LONGEST_BASE:
        return f"is longer than {LONGEST_BASE} characters"
    levels = text.split("/")
    if "" in levels:
        return "has an empty level" if len(levels) > 1 else "is empty"
    return next((wrong for level in levels if (wrong := wrong_level(level))), "")
