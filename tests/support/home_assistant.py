"""A real Home Assistant in a process of its own, with its MQTT integration on a broker of ours.

It runs from a folder with a configuration that we write, including the entry of the MQTT integration that a person
would make in its settings. A small integration of ours, ``probe``, shows its states, registries and what has happened
as JSON.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.share import free_port

START_LIMIT = 120.0
"""Seconds; 4 on a quiet machine."""

CONFIGURATION = """
homeassistant:
  name: Test
  time_zone: UTC
http:
  server_host: 127.0.0.1
  server_port: {port}
logger:
  default: info
probe:
automation:
  - alias: A known tag opens the door
    triggers:
      - trigger: tag
        tag_id: 04a23b5c6d7e80
    actions:
      - event: door_opened
        event_data:
          by: "{{{{ trigger.event.data.tag_id }}}}"
"""
PROBE = '''"""Shows states, registries and events as JSON."""

from homeassistant.components.http import HomeAssistantView
from homeassistant.helpers import area_registry, device_registry, entity_registry

HAPPENED = []


class Probe(HomeAssistantView):
    url, name, requires_auth = "/probe", "probe", False

    async def get(self, request):
        hass = request.app["hass"]
        areas = area_registry.async_get(hass)
        entities = entity_registry.async_get(hass).entities.values()
        devices = device_registry.async_get(hass).devices
        return self.json(
            {
                "running": str(hass.state) == "RUNNING",
                "entities": {
                    entity.unique_id: {
                        "entity_id": entity.entity_id,
                        "name": entity.name or entity.original_name,
                        "category": entity.entity_category,
                        "disabled": entity.disabled_by,
                        "device": dict(devices[entity.device_id].identifiers).get("mqtt"),
                        "state": (state := hass.states.get(entity.entity_id)) and state.state,
                        "attributes": state and dict(state.attributes),
                    }
                    for entity in entities
                    if entity.platform == "mqtt"
                },
                "devices": {
                    dict(device.identifiers)["mqtt"]: {
                        "name": device.name,
                        "manufacturer": device.manufacturer,
                        "model": device.model,
                        "sw_version": device.sw_version,
                        "area": device.area_id and areas.async_get_area(device.area_id).name,
                        "via": device.via_device_id and dict(devices[device.via_device_id].identifiers).get("mqtt"),
                    }
                    for device in devices.values()
                    if "mqtt" in dict(device.identifiers)
                },
                "happened": HAPPENED,
            }
        )

    async def post(self, request):
        wanted = await request.json()
        await request.app["hass"].services.async_call(*wanted["service"], wanted["data"], blocking=True)
        return self.json({})


async def async_setup(hass, config):
    hass.http.register_view(Probe())
    for kind in ("tag_scanned", "door_opened"):
        hass.bus.async_listen(kind, lambda event: HAPPENED.append([event.event_type, dict(event.data)]))
    return True
'''
MANIFEST = {
    "domain": "probe",
    "name": "Probe",
    "version": "1.0.0",
    "dependencies": ["http"],
    "codeowners": [],
    "documentation": "https://example.invalid",
    "iot_class": "local_push",
}
OF_THIS_MACHINE = re.compile(
    r"\[homeassistant\.bootstrap\] Skipping pip|\[homeassistant\.loader\] We found a custom integration probe"
    r"|\[homeassistant\.util\.logging\] Module \S+ is logging too frequently"
    r"|\[aiohttp_fast_zlib\]|\[homeassistant\.components\.camera\.img_util\]"
)
"""Warnings that have nothing to do with us."""


class HomeAssistant:
    """One installation. ``python`` is that of an environment with Home Assistant in it."""

    def __init__(self, python: str, folder: Path, broker_port: int) -> None:
        self._python = python
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._read_to = 0
        probe = folder / "custom_components" / "probe"
        probe.mkdir(parents=True)
        (probe / "__init__.py").write_text(PROBE)
        (probe / "manifest.json").write_text(json.dumps(MANIFEST))
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self._port))
        storage = folder / ".storage"
        storage.mkdir()
        (storage / "core.config_entries").write_text(json.dumps(_entry(broker_port)))

    def start(self) -> None:
        """Start it and return when it runs and listens to the broker."""
        with (self._folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "homeassistant", "-c", str(self._folder), "--skip-pip"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait(lambda now: now["running"], "Home Assistant", START_LIMIT)

    def stop(self) -> None:
        """Stop it as systemd does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def now(self) -> dict[str, Any]:
        """States, registries and events; empty registries while it starts."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/probe", timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
        except OSError:
            assert self._process is not None, "Home Assistant was not started"
            assert self._process.poll() is None, self.log()[-3000:]
            return {"running": False, "entities": {}, "devices": {}, "happened": []}
        return found

    def call(self, domain: str, service: str, **data: Any) -> None:
        """What a person does with a button, a switch and so on."""
        body = json.dumps({"service": [domain, service], "data": data}).encode()
        wanted = urllib.request.Request(f"http://127.0.0.1:{self._port}/probe", body, method="POST")
        with urllib.request.urlopen(wanted, timeout=10) as answer:
            answer.read()

    def wait(self, wanted: Callable[[dict[str, Any]], object], what: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until what it knows is as ``wanted``; what it knows then."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.now()
            try:
                done = wanted(now)
            except KeyError:
                done = False
            if done:
                return now
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{what}: not within {seconds:g} s\n{json.dumps(now, indent=1)}\n{self.log()[-3000:]}"
                )
            time.sleep(0.1)

    def after(self, seconds: float) -> dict[str, Any]:
        """What it knows when ``seconds`` have passed, for what nothing can be waited for."""
        time.sleep(seconds)
        return self.now()

    def log(self) -> str:
        """All that it has said."""
        return (self._folder / "out.log").read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Warnings and errors since this was asked last, without those that this machine is to blame for."""
        lines = self.log().splitlines()
        fresh, self._read_to = lines[self._read_to :], len(lines)
        return [
            line
            for line in fresh
            if re.search(r" (WARNING|ERROR|CRITICAL) ", line) and not OF_THIS_MACHINE.search(line)
        ]


def _entry(port: int) -> dict[str, Any]:
    """What its settings store for an MQTT broker."""
    then = "2026-01-01T00:00:00+00:00"
    entry = {
        "entry_id": "01JTESTMQTT0000000000000000",
        "version": 1,
        "minor_version": 2,
        "domain": "mqtt",
        "title": "broker",
        "options": {},
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "discovery_keys": {},
        "subentries": [],
        "created_at": then,
        "modified_at": then,
        "data": {"broker": "127.0.0.1", "port": port, "discovery": True, "discovery_prefix": "homeassistant"},
    }
    return {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
