"""The configuration as a user writes it: one dataclass a table.

The JSON schema and the tables in docs/ come from here.

To add a section or a key, add it here and read it where :mod:`gateway.config.load` builds the settings. Keys of
features that do not exist are not here, and so are refused as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gateway.channel import ICON
from gateway.driver import Duration, SecretSource, Size, option, options

DAY = 86_400


@options
class GatewayTable:
    """``[gateway]``."""

    id: str | None = option(
        None,
        help="The gateway's name and its level in topics: letters, digits, - and _. Default: the host name; a generic "
        "one gets 4 characters of the machine id added.",
    )
    drivers_dir: str | None = option(
        None, help="A folder of your own drivers, from the configuration's folder unless absolute."
    )
    clock: Literal["auto", "trusted"] = option("auto", help='"trusted": believe this machine\'s clock without NTP.')


@options
class MqttTable:
    """``[mqtt]``."""

    url: str | None = option(
        None, help="The broker: mqtt://HOST:PORT, mqtts://, ws:// or wss://. Default: mqtt://localhost:1883."
    )
    urls: tuple[str, ...] | None = option(
        None, help="Several brokers instead of url, tried in turn, staying on one that works."
    )
    protocol: Literal["auto", "5", "3.1.1"] = option(
        "auto", help="MQTT version; auto: 5, or 3.1.1 where the broker refuses 5."
    )
    username: str | None = option(None, help="The user at the broker.")
    password: str | SecretSource | None = option(
        None, help='{ file = "..." }, { env = "NAME" } or { credential = "NAME" }; a plain text is warned about.'
    )
    ca_file: str | None = option(None, help="The authority that signed the broker's certificate (mqtts, wss).")
    cert_file: str | None = option(None, help="This gateway's certificate, with key_file.")
    key_file: str | None = option(None, help="The key of cert_file.")
    client_id: str | None = option(None, help="The name at the broker. Default: sensorpost-<gateway id>.")
    base_topic: str = option("sensorpost", help="Where all topics begin; may have several levels.")
    keepalive: Duration = option("15s", min=1, max=65_535, help="The broker notices a dead gateway after 1.5 of these.")
    window: int = option(1000, min=1, max=65_535, help="The most publishes in flight.")
    live_window: Duration = option("10s", min=0, max=DAY, help="How long an event is news; later ones go to history.")
    replay: Literal["history", "inline"] = option(
        "history", help='Where late readings go: the history topic, or "inline" one by one to the live topic.'
    )


@options
class SpoolTable:
    """``[spool]``: where accepted readings wait for the broker."""

    path: str = option("spool.db", help="The database; in the state directory unless absolute.")
    durability: Literal["auto", "full", "spill", "memory"] = option(
        "auto", help="When a reading is on disk; auto: full for events and states, spill for sampled devices."
    )
    spill_after: Duration = option(
        "1s", min=0, max=3600, help="spill: a reading is written when the broker has not acknowledged it for so long."
    )
    max_size: Size = option("256MB", min=65_536, help="The most that it may use, dead letters included.")
    when_full: Literal["drop_oldest", "refuse_new"] = option(
        "drop_oldest", help="What gives way: the oldest of the device that holds most, or the newest."
    )
    keep: Duration = option(
        "0s", min=0, max=366 * DAY, help="How long acknowledged readings stay for spool resend, within max_size."
    )


@options
class LogTable:
    """``[log]``."""

    level: Literal["debug", "info", "warning", "error"] = option("info", help="The least that is logged.")
    format: Literal["text", "json"] = option("text", help='"json": one object per line.')


@options
class WebTable:
    """``[web]``: there is no page yet, so only "no page" is accepted."""

    listen: Literal[""] = option("", help="Only empty: no web page.")


@options
class HomeAssistantTable:
    """``[homeassistant]``."""

    discovery: bool = option(False, help="true: Home Assistant finds every device by itself.")
    prefix: str = option(
        "homeassistant", help="The discovery prefix, as it is set in Home Assistant's MQTT integration."
    )


@options
class CommandsTable:
    """``[commands]``."""

    enabled: bool = option(False, help="true: requests that come over MQTT are carried out; see docs/commands.md.")


@options
class CommonTable:
    """Keys of every device, and of ``[defaults]``. What is not set is the driver's affair."""

    area: str | None = option(None, help="The room or place, for people.")
    tags: dict[str, str] | None = option(None, help="Your own names and values, for people and databases.")
    interval: Duration | None = option(
        None, min=0.01, max=30 * DAY, help="From schedule to schedule. Default: the driver's."
    )
    align: bool | None = option(None, help="true: on the wall clock (10:00:00, 10:00:10, ...). Default: false.")
    offset: Duration | None = option(None, min=0, max=30 * DAY, help="How long after the aligned time. Default: 0s.")
    timeout: Duration | None = option(
        None, min=0.01, max=3600, help="A read that takes longer is hung. Default: the driver's."
    )
    open_timeout: Duration | None = option(
        None, min=0.01, max=3600, help="The same for opening. Default: the driver's."
    )
    enabled: bool | None = option(None, help="false: configured but not read. Default: true.")
    retain: bool | None = option(
        None, help="The broker keeps the newest reading. Default: true for sampled and state devices, false for events."
    )
    isolation: Literal["auto", "thread", "process"] | None = option(
        None,
        help="Where the driver runs: a thread, or a process of its own; auto: a thread, and a process once 3 of its "
        "threads hang. Default: auto.",
    )
    max_rate: float | None = option(
        None, min=0.001, max=1_000_000, help="Readings a second; more are dropped and counted. Default: 2000."
    )
    durability: Literal["auto", "full", "spill", "memory"] | None = option(
        None, help="When its readings are on disk. Default: that of [spool]."
    )
    batch: Duration | None = option(
        None, min=0, max=3600, help="Above 0: all readings in arrays on the batch topic this often. Default: 0s."
    )
    homeassistant: bool | None = option(None, help="false: Home Assistant is not told of it. Default: true.")


@options
class DeviceTable(CommonTable):
    """``[devices.NAME]``, without the driver's own options."""

    driver: str = option(help="The driver's name; see: sensorpost drivers.")
    name: str | None = option(None, help="The device's name for people. Default: NAME.")
    channels: dict[str, Any] | None = option(None, help="Tables of the channels.")


@options
class ChannelTable:
    """``[devices.NAME.channels.CHANNEL]``."""

    key: str | None = option(None, help="Its key in the payload. Default: the channel's name.")
    name: str | None = option(None, help="For people. Default: the key.")
    enabled: bool = option(True, help="false: not published.")
    scale: float | None = option(None, help="The value is multiplied by this first.")
    offset: float | None = option(None, help="Then this is added.")
    min: float | None = option(None, help="Below this, in the driver's unit, the value is bad: null.")
    max: float | None = option(None, help="Above this, in the driver's unit, the value is bad: null.")
    unit: str | None = option(None, help="Convert to this unit, where the units are of one kind.")
    digits: int | None = option(None, min=0, max=15, help="Decimals of the published value.")
    deadband: float | None = option(
        None, min=0, help="Publish only when a channel moved at least this much, in the published unit, ..."
    )
    heartbeat: Duration = option("5m", min=1, max=30 * DAY, help="... or this long has passed.")
    homeassistant: bool = option(True, help="false: Home Assistant is not told of it.")
    entity_category: Literal["diagnostic", "none"] | None = option(
        None, help="Home Assistant: diagnostic puts it aside, none does not. Default: the driver's."
    )
    icon: str | None = option(None, help="Home Assistant: its icon, such as mdi:gauge.", pattern=ICON.pattern)
    enabled_by_default: bool | None = option(
        None, help="Home Assistant: false hides it until it is enabled there. Default: the driver's."
    )


NUMBERS_ONLY = frozenset({"scale", "offset", "min", "max", "unit", "digits", "deadband"})
"""Channel keys that mean nothing for true/false and text."""


@options
class Root:
    """A whole configuration. ``defaults`` and ``devices`` are checked further with what the drivers say."""

    gateway: GatewayTable
    mqtt: MqttTable
    spool: SpoolTable
    log: LogTable
    web: WebTable
    homeassistant: HomeAssistantTable
    commands: CommandsTable
    defaults: CommonTable
    devices: Mapping[str, Any]
