"""docs/rfid.md: what it shows is tried."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.config.tag_list import read_tag_list

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "rfid.md").read_text(encoding="utf-8")
STANZAS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_configurations_are_valid(tmp_path: Path) -> None:
    """All in one, with the list of tags beside it."""
    lists = [text for text in STANZAS if text.startswith("[tags]")]
    (tmp_path / "tags.toml").write_text(lists[0])
    devices = "".join(text for text in STANZAS if text not in lists)
    environ = {"TAG_SALT": "0123456789abcdef", "CARD_KEY": "A0A1A2A3A4A5"}
    settings = loads(devices, folder=tmp_path, environ=environ, strict=True)
    assert settings.warnings == ()
    assert {device.driver for device in settings.devices} == {"mfrc522", "rdm6300", "ws1850s"}
    assert len(settings.devices) == len(tomllib.loads(devices)["devices"]) == 6
    assert [device.device for device in settings.devices if any(one.channel.writable for one in device.channels)] == [
        "till"
    ]
    assert settings.commands.enabled


def test_the_list_is_read_as_it_says(tmp_path: Path) -> None:
    """Labels, and who is not allowed."""
    (tmp_path / "tags.toml").write_text(next(text for text in STANZAS if text.startswith("[tags]")))
    found = read_tag_list(tmp_path / "tags.toml")
    assert [(tag, entry.label, entry.allowed) for tag, entry in found.items()] == [
        ("04a23b5c6d7e80", "Anna", True),
        ("deadbeef", "lost card", False),
        ("0102030405", None, True),
    ]


def test_the_events_are_json() -> None:
    """As they are published."""
    events = [json.loads(line) for line in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()]
    assert [event["event"] for event in events] == ["arrived", "left"]


def test_the_drivers_are_there() -> None:
    """Each with its page; every reader of tags is in the table."""
    linked = set(re.findall(r"\]\(drivers/(\w+)\.md\)", PAGE))
    assert all((ROOT / "docs" / "drivers" / f"{name}.md").exists() for name in linked)
    catalog = Catalog()
    readers = {name for name in catalog.names() if _reads_tags(catalog, name)}
    assert readers == linked


def _reads_tags(catalog: Catalog, name: str) -> bool:
    found = catalog.find(name)
    return found is not None and found.driver is not None and hasattr(found.driver, "holds_for")
