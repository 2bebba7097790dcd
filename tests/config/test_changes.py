"""What is different between two configurations."""

from __future__ import annotations

import pytest

from gateway.config.changes import Changes, changes
from gateway.config.load import loads

BASE = """
[gateway]
id = "attic"
[mqtt]
url = "mqtt://localhost"
[devices.a]
driver = "mock"
seed = 1
[devices.b]
driver = "mock"
[devices.c]
driver = "mock"
durability = "memory"
"""


def between(old: str, new: str) -> Changes:
    """From one text to another."""
    return changes(loads(old), loads(new))


def names(found: Changes) -> tuple[list[str], list[str], list[str]]:
    """Added, changed, removed."""
    return [one.device for one in found.added], [one.device for one in found.changed], list(found.removed)


def test_nothing() -> None:
    """The same text, and the same thing said in other words."""
    assert names(between(BASE, BASE)) == ([], [], [])
    found = between(BASE, BASE.replace("seed = 1", "seed = 1\ninterval = '1000ms'  # as before"))
    assert (names(found), found.restart, found.text) == (([], [], []), (), "no device changed")


def test_devices() -> None:
    """Only those that are different."""
    new = BASE.replace("seed = 1", "seed = 2").replace("[devices.b]", "[devices.d]")
    found = between(BASE, new)
    assert (names(found), found.text) == ((["d"], ["a"], ["b"]), "1 added (d), 1 changed (a), 1 removed (b)")
    many = BASE + "".join(f"[devices.n{number}]\ndriver = 'mock'\n" for number in range(7))
    assert between(BASE, many).text == "7 added (n0, n1, n2, n3, n4, …)"
    found = between(BASE, BASE + "[defaults]\ninterval = '7s'\n")
    assert names(found) == ([], ["a", "b", "c"], [])


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "attic"', 'id = "cellar"', "gateway.id"),
        ('url = "mqtt://localhost"', 'url = "mqtt://localhost"\nbase_topic = "x"', "mqtt.base_topic"),
        ("[devices.a]", '[spool]\npath = "other.db"\n[devices.a]', "spool.path"),
        ('id = "attic"', 'id = "attic"\nclock = "trusted"', "gateway.clock"),
        ("[devices.a]", '[log]\nformat = "json"\n[devices.a]', "log.format"),
    ],
)
def test_what_has_to_wait_for_a_restart(old: str, new: str, key: str) -> None:
    """Named, and as it was until then; nothing else is touched."""
    before = loads(BASE)
    found = changes(before, loads(BASE.replace(old, new)))
    assert (names(found), found.restart) == (([], [], []), (key,))
    after = found.settings
    assert (after.gateway_id, after.clock, after.mqtt, after.spool, after.log) == (
        before.gateway_id,
        before.clock,
        before.mqtt,
        before.spool,
        before.log,
    )
    assert found.text == f"no device changed; a restart is needed for {key}"


def test_the_first_device_on_disk_has_to_wait() -> None:
    """No spool was opened for a gateway that wrote nothing."""
    memory = "[spool]\ndurability = 'memory'\n[devices.a]\ndriver = 'mock'\n"
    assert between(memory, memory.replace("'memory'", "'full'")).restart != ()
    assert between(memory.replace("'memory'", "'full'"), memory).restart == ()
