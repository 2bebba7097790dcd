"""The gateway and a real Home Assistant: what a person sees there, and that its log has nothing to complain of."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.brokers import Mosquitto
from support.home_assistant import HomeAssistant
from support.subscriber import Subscriber

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.delivery.discovery.messages import announcements
from gateway.delivery.topics import Topics
from gateway.device_classes import BINARY, SENSOR, STATE_CLASSES
from gateway.testing.pages import sections

from .conftest import Fresh, Gateway

pytestmark = pytest.mark.homeassistant

ROOT = Path(__file__).resolve().parents[2]
OFFICE = '[devices.office]\ndriver = "filed"\npath = "PATH/office.json"\nname = "Office"\narea = "First floor"\n'
DOOR = '[devices.door]\ndriver = "cards"\npath = "PATH/cards"\n'
SWITCH = '[devices.switch]\ndriver = "mock"\nkind = "state"\nsignals = { on = { shape = "square", period = "1h" } }\n'
BELL = '[devices.bell]\ndriver = "mock"\nkind = "event"\ninterval = "1h"\n'
PI = '[devices.pi]\ndriver = "system"\n'
SETTABLE = """
[devices.heater]
driver = "mock"
[devices.heater.signals]
relay = { shape = "constant", value = false, writable = true }
mode = { shape = "constant", value = "eco", values = ["boost"], writable = true }
[devices.heater.signals.level]
shape = "constant"
value = 20
min = 5
max = 30
unit = "°C"
device_class = "temperature"
writable = true
"""
STUCK = """
[devices.stuck]
driver = "mock"
isolation = "thread"
timeout = "500ms"
faults = [{ kind = "hang", at = "3s", for = "1h" }]
"""
BROKER_AWAY = re.compile(r"\[homeassistant\.components\.mqtt\.client\]|\[homeassistant\] Error doing job")
"""What Home Assistant says when its broker goes, in the second case because it was about to publish its birth."""
VALUES = {"temperature": 21.54, "energy": 1200.5, "door": True, "mode": "eco", "note": "all is well"}
Show = Callable[[str, dict[str, Any]], None]
Now = dict[str, Any]


def state(now: Now, gateway: Gateway, *parts: str) -> str:
    """The state of an entity."""
    found: str = now["entities"][gateway.key(*parts)]["state"]
    return found


def running(home: HomeAssistant, gateway: Gateway, devices: str = OFFICE) -> Now:
    """Start the gateway and wait for the office's temperature."""
    gateway.configure(devices)
    gateway.write("office.json", VALUES)
    gateway.start()
    return home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the temperature")


def test_one_device_of_each_kind(home: HomeAssistant, gateway: Gateway, show: Show) -> None:
    """Devices with name, area, maker and model below the gateway; entities with their units; values; no complaint."""
    running(home, gateway, OFFICE + DOOR + SWITCH + BELL + PI)
    wanted = [("switch", "on"), ("pi", "uptime"), ("door", "event"), ("bell", "event"), ("version",)]
    now = home.wait(lambda now: all(state(now, gateway, *one) is not None for one in wanted), "all devices")
    now = home.wait(lambda now: state(now, gateway, "office", "diagnostic-state") == "online", "the diagnostics")
    show("1-one-of-each-kind", now)
    assert now["devices"][gateway.key("office")] == {
        "name": "Office",
        "manufacturer": "Acme",
        "model": "F 1",
        "sw_version": None,
        "area": "First floor",
        "via": gateway.key(),
    }
    office = {
        unique.split("/")[-1]: (one["state"], one["attributes"].get("unit_of_measurement"))
        for unique, one in now["entities"].items()
        if one["device"] == gateway.key("office")
    }
    assert office == {
        "temperature": ("21.54", "°C"),
        "energy": ("1200.5", "kWh"),
        "door": ("on", None),
        "mode": ("eco", None),
        "note": ("all is well", None),
        "diagnostic-state": ("online", None),
        "diagnostic-error": ("none", None),
        "diagnostic-failed": ("0", None),
    }
    energy = now["entities"][gateway.key("office", "energy")]
    assert energy["attributes"]["state_class"] == "total_increasing"
    assert state(now, gateway, "connected") == "on"
    assert state(now, gateway, "clock") == "trusted"
    assert state(now, gateway, "oldest") == "0"
    assert home.complaints() == []


def test_commands(home: HomeAssistant, gateway: Gateway, show: Show) -> None:
    """The button restarts its device, also one that hangs; what can be set is set; without commands it is all gone."""
    gateway.configure(f"{SETTABLE}{STUCK}[commands]\nenabled = true\n")
    gateway.start()
    wanted = [("heater", name) for name in ("level", "relay", "mode", "restart")] + [("stuck", "restart")]
    now = home.wait(lambda now: all(state(now, gateway, *one) is not None for one in wanted), "all entities")
    names = {
        name: now["entities"][gateway.key("heater", name)]["entity_id"]
        for name in ("level", "relay", "mode", "restart")
    }
    assert [name.partition(".")[0] for name in names.values()] == ["number", "switch", "select", "button"]
    home.wait(lambda now: state(now, gateway, "heater", "mode") == "eco", "the values")
    home.call("number", "set_value", entity_id=names["level"], value=21.5)
    home.call("switch", "turn_on", entity_id=names["relay"])
    home.call("select", "select_option", entity_id=names["mode"], option="boost")
    values = {"level": "21.5", "relay": "on", "mode": "boost"}
    now = home.wait(lambda now: {one: state(now, gateway, "heater", one) for one in values} == values, "the values")
    show("2-commands", now)
    home.call("button", "press", entity_id=names["restart"])  # a mock that begins anew has forgotten what was set
    home.wait(lambda now: state(now, gateway, "heater", "mode") == "eco", "the restart")
    home.wait(lambda now: state(now, gateway, "stuck", "diagnostic-state") == "hung", "the device that hangs")
    stuck = home.now()["entities"][gateway.key("stuck", "restart")]
    assert stuck["state"] != "unavailable"
    home.call("button", "press", entity_id=stuck["entity_id"])
    log = gateway.folder / "gateway.log"
    home.wait(
        lambda _: 'command restart: {"id": "home-assistant", "device": "stuck"}' in log.read_text(), "the command"
    )
    gateway.configure(SETTABLE)
    gateway.signal(signal.SIGHUP)
    now = home.wait(lambda now: gateway.key("heater", "restart") not in now["entities"], "the end of it")
    home.wait(lambda now: state(now, gateway, "heater", "level") == "20.0", "a sensor in its place")
    assert home.complaints() == []


def test_a_null_is_unknown(home: HomeAssistant, gateway: Gateway) -> None:
    """Number, text and true/false alike; the others stay."""
    running(home, gateway)
    gateway.write("office.json", {**VALUES, "temperature": None, "door": None, "mode": None, "note": None})
    now = home.wait(lambda now: state(now, gateway, "office", "temperature") == "unknown", "unknown")
    unknown = [one for one in VALUES if state(now, gateway, "office", one) == "unknown"]
    assert unknown == ["temperature", "door", "mode", "note"]
    assert home.complaints() == []


def test_a_text_that_is_none_of_its_choices(home: HomeAssistant, gateway: Gateway) -> None:
    """Is unknown, instead of a warning and the text before."""
    running(home, gateway)
    gateway.write("office.json", {**VALUES, "mode": "broken"})
    home.wait(lambda now: state(now, gateway, "office", "mode") == "unknown", "unknown")
    gateway.write("office.json", VALUES)
    home.wait(lambda now: state(now, gateway, "office", "mode") == "eco", "the return")
    assert home.complaints() == []


def test_an_offline_device(home: HomeAssistant, gateway: Gateway) -> None:
    """Is unavailable, and says why; the others are not touched; it comes back."""
    running(home, gateway, OFFICE + SWITCH)
    (gateway.folder / "office.json").unlink()
    now = home.wait(lambda now: state(now, gateway, "office", "temperature") == "unavailable", "the end")
    now = home.wait(lambda now: state(now, gateway, "office", "diagnostic-state") == "offline", "the diagnosis")
    assert state(now, gateway, "office", "diagnostic-error") == "the file is gone"
    assert state(now, gateway, "switch", "on") in ("on", "off")
    gateway.write("office.json", {**VALUES, "temperature": 3})
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "3", "the return")
    assert home.complaints() == []


def test_a_killed_gateway(home: HomeAssistant, gateway: Gateway) -> None:
    """All its devices are unavailable and it is not connected; after a restart they are back."""
    running(home, gateway)
    gateway.signal(signal.SIGKILL)
    now = home.wait(lambda now: state(now, gateway, "connected") == "off", "the will")
    names = [("office", "temperature"), ("office", "diagnostic-state"), ("spool",)]
    assert [state(now, gateway, *one) for one in names] == ["unavailable"] * 3
    gateway.start()
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the return")
    assert home.complaints() == []


def test_a_device_that_is_turned_off(home: HomeAssistant, gateway: Gateway) -> None:
    """Becomes unavailable and stays in Home Assistant."""
    running(home, gateway)
    gateway.configure(OFFICE + "enabled = false\n" + SWITCH)
    gateway.signal(signal.SIGHUP)
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "unavailable", "unavailable")
    home.wait(lambda now: state(now, gateway, "office", "diagnostic-state") == "disabled", "the diagnosis")
    assert home.complaints() == []


@pytest.mark.parametrize("off", [False, True], ids=["at a reload", "while the gateway is off"])
def test_removed_and_added_again(home: HomeAssistant, gateway: Gateway, show: Show, *, off: bool) -> None:
    """A device that leaves the configuration disappears; when it returns it is the same one."""
    gateway.id = f"removed-{'off' if off else 'reload'}"
    before = running(home, gateway, OFFICE + SWITCH)
    if off:
        gateway.stop()
    gateway.configure(SWITCH)
    gateway.start() if off else gateway.signal(signal.SIGHUP)
    now = home.wait(lambda now: gateway.key("office") not in now["devices"], "the removal")
    assert not [unique for unique in now["entities"] if unique.startswith(gateway.key("office") + "/")]
    home.wait(lambda now: state(now, gateway, "switch", "on") in ("on", "off"), "the other device")
    show(f"2-removed-{'off' if off else 'reload'}", now)
    gateway.configure(OFFICE + SWITCH)
    gateway.signal(signal.SIGHUP)
    after = home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the return")
    key = gateway.key("office", "temperature")
    assert after["entities"][key]["entity_id"] == before["entities"][key]["entity_id"]
    assert home.complaints() == []


def test_renamed(home: HomeAssistant, gateway: Gateway) -> None:
    """Another name for people and another key keep the entity; a channel that is switched off goes."""
    before = running(home, gateway)
    channels = 'channels.temperature = { key = "celsius", name = "Warmth" }\nchannels.note.enabled = false\n'
    gateway.configure(OFFICE.replace('name = "Office"', 'name = "Study"') + channels)
    gateway.signal(signal.SIGHUP)
    key = gateway.key("office", "temperature")
    shown = "Study Warmth"
    now = home.wait(lambda now: now["entities"][key]["attributes"]["friendly_name"] == shown, "the new name")
    now = home.wait(lambda now: gateway.key("office", "note") not in now["entities"], "the end of a channel")
    assert now["entities"][key]["entity_id"] == before["entities"][key]["entity_id"]
    assert now["devices"][gateway.key("office")]["name"] == "Study"
    gateway.write("office.json", {**VALUES, "temperature": 4})
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "4", "a value under the new key")
    assert home.complaints() == []


def test_a_tag_scan_is_a_trigger(home: HomeAssistant, gateway: Gateway) -> None:
    """An automation on a tag runs; the event entity has the tag; a card that leaves or lay there is no scan."""
    gateway.configure(DOOR)
    gateway.write("cards", "0badcafe")
    gateway.start()
    home.wait(lambda now: state(now, gateway, "door", "event") not in (None, "unavailable"), "the reader")
    for number in range(20):  # until Home Assistant listens to the scanner, which nothing shows
        gateway.write("cards", f"0{number:02}")
        if any(kind == "tag_scanned" for kind, _ in home.after(1.0)["happened"]):
            break
    gateway.write("cards", "04a23b5c6d7e80")
    now = home.wait(lambda now: any(kind == "door_opened" for kind, _ in now["happened"]), "the automation")
    assert [data["by"] for kind, data in now["happened"] if kind == "door_opened"] == ["04a23b5c6d7e80"]
    now = home.wait(lambda now: now["entities"][gateway.key("door", "event")]["attributes"].get("tag"), "the event")
    gateway.write("cards", "")
    left = ("left", "04a23b5c6d7e80")
    event = gateway.key("door", "event")

    def has_left(now: Now) -> bool:
        seen = now["entities"][event]["attributes"]
        return (seen["event_type"], seen["tag"]) == left

    now = home.wait(has_left, "the card's leaving")
    scans = [data["tag_id"] for kind, data in now["happened"] if kind == "tag_scanned"]
    assert scans[-1] == "04a23b5c6d7e80"
    assert "0badcafe" not in scans
    assert len(scans) == len(set(scans))
    assert home.complaints() == []


def test_an_old_scan_is_no_trigger(home: HomeAssistant, gateway: Gateway, broker: Mosquitto) -> None:
    """Where a reader's topic is retained, Home Assistant gets the last scan again whenever it subscribes."""
    gateway.configure(DOOR + "retain = true\n")
    gateway.start()
    home.wait(lambda now: state(now, gateway, "door", "event") not in (None, "unavailable"), "the reader")
    for number in range(20):
        gateway.write("cards", f"1{number:02}")
        if any(data.get("tag_id") == f"1{number:02}" for _, data in home.after(1.0)["happened"]):
            break
    client = Subscriber(broker.port, ["nothing"])
    try:
        for time, tag in (("2026-11-01T07:00:00.000Z", "0badc0de"), (None, "0badc0de")):
            client.publish(
                f"sensorpost/{gateway.id}/door", json.dumps({"time": time, "event": "arrived", "tag": tag}).encode()
            )
    finally:
        client.close()
    gateway.write("cards", "1fff")
    now = home.wait(lambda now: any(data.get("tag_id") == "1fff" for _, data in now["happened"]), "a scan after it")
    assert not any(data.get("tag_id") == "0badc0de" for _, data in now["happened"])
    assert home.complaints() == []


def test_a_restart_of_home_assistant(fresh: Fresh, show: Show) -> None:
    """Everything is there again with its value, the registry as it was."""
    home, gateway, _ = fresh
    before = running(home, gateway, OFFICE + SWITCH)
    home.stop()
    home.start()
    now = home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the temperature")
    now = home.wait(lambda now: state(now, gateway, "switch", "on") in ("on", "off"), "the switch")
    show("3-after-a-restart-of-home-assistant", now)
    mine = [
        {u: e["entity_id"] for u, e in one["entities"].items() if u.startswith(gateway.key())} for one in (before, now)
    ]
    assert mine[0].items() <= mine[1].items()
    assert home.complaints() == []


def test_a_broker_that_forgets(fresh: Fresh, show: Show) -> None:
    """A restart of the broker without persistence: everything is there again, also after one of Home Assistant."""
    home, gateway, broker = fresh
    running(home, gateway)
    broker.kill()
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "unavailable", "no broker")
    broker.start()
    home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the return", 90.0)
    home.stop()
    home.start()
    now = home.wait(lambda now: state(now, gateway, "office", "temperature") == "21.54", "the temperature")
    show("4-after-a-broker-that-forgets", now)
    assert [line for line in home.complaints() if not BROKER_AWAY.search(line)] == []


def test_every_bundled_driver(home: HomeAssistant, broker: Mosquitto) -> None:
    """The sample of each driver: each of its entities is there, with nothing to complain of."""
    client = Subscriber(broker.port, ["nothing"])
    wanted: set[str] = set()
    try:
        for path in sorted((ROOT / "drivers").glob("*.py")):
            found = Catalog().find(path.stem)
            if path.stem == "__init__" or found is None or found.driver is None:
                continue
            name = f"sample-{path.stem}"
            text = f'[gateway]\nid = "{name}"\n[homeassistant]\ndiscovery = true\n{sections(found.driver)["Sample"]}'
            for topic, message in announcements(loads(text), Topics.of("sensorpost", name)).items():
                client.publish(topic, json.dumps(message).encode(), retain=True)
                parts = message["components"].values()
                wanted.update(part["unique_id"] for part in parts if "unique_id" in part)
        home.wait(lambda now: wanted <= now["entities"].keys(), "all entities", 60.0)
    finally:
        client.close()
    assert home.complaints() == []


def test_our_tables_are_home_assistants(request: pytest.FixtureRequest) -> None:
    """Every pair of device class and unit, every state class and every binary class that we allow exists there."""
    script = (
        "import json\n"
        "from homeassistant.components.binary_sensor import BinarySensorDeviceClass as B\n"
        "from homeassistant.components.sensor.const import DEVICE_CLASS_STATE_CLASSES as S, DEVICE_CLASS_UNITS as U\n"
        "print(json.dumps([{k: [None if u is None else str(u) for u in v] for k, v in U.items()},"
        " {k: sorted(map(str, v)) for k, v in S.items()}, sorted(map(str, B))]))"
    )
    python = request.config.getoption("--home-assistant")
    units, classes, binary = json.loads(subprocess.check_output([python, "-c", script]))
    assert {
        name: set(allowed) - set(units[name]) for name, allowed in SENSOR.items() if set(allowed) - set(units[name])
    } == {}
    wrong = {
        name: allowed for name, allowed in STATE_CLASSES.items() if not allowed <= {*classes[name], "measurement_angle"}
    }
    assert wrong == {}
    assert sorted(BINARY) == binary
