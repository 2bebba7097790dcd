"""The settings of a gateway after validation: frozen, typed, complete. Durations are in seconds, sizes in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.driver import Channel, Driver, Kind


class Secret:
    """A text that is never shown. ``reveal`` is called where it is used and nowhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        """Stars, whatever the text is."""
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        """Two secrets are equal when their texts are: a reload compares settings."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """As for the text, so that settings stay hashable."""
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One broker, from one URL."""

    scheme: str
    """mqtt, mqtts, ws or wss."""
    host: str
    port: int
    path: str = "/mqtt"
    """For ws and wss."""

    @property
    def secure(self) -> bool:
        """Whether the scheme is one with TLS."""
        return self.scheme in ("mqtts", "wss")

    @property
    def url(self) -> str:
        """For people and for health; it has no secrets in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = self.path if self.scheme in ("ws", "wss") else ""
        return f"{self.scheme}://{host}:{self.port}{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The brokers and how to talk to them."""

    endpoints: tuple[Endpoint, ...]
    protocol: str = "auto"
    """auto, 5 or 3.1.1."""
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    client_id: str = ""
    base_topic: str = "sensorpost"
    keepalive: float = 15.0
    window: int = 1000
    live_window: float = 10.0
    replay: str = "history"
    """history or inline."""

    @property
    def stall(self) -> float:
        """Seconds after which an unacknowledged publish means that the connection is dead."""
        return max(5.0, 2 * self.keepalive)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """One channel of one device as it is published."""

    channel: Channel
    key: str
    """Its key in the payload."""
    name: str
    """For people."""
    enabled: bool = True
    scale: float | None = None
    offset: float | None = None
    min: float | None = None
    """In the driver's unit, like ``max``: outside is null. Already narrowed to the channel's own range."""
    max: float | None = None
    unit: str | None = None
    """The published unit; the driver's own when nothing was asked for."""
    digits: int | None = None
    deadband: float | None = None
    """In the published unit."""
    heartbeat: float = 300.0
    homeassistant: bool = True
    """Whether Home Assistant is told of it, like the three below for Home Assistant alone."""
    entity_category: str | None = None
    icon: str | None = None
    enabled_by_default: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSettings:
    """How a reader of tags makes events of what lies on it."""

    gone_after: float = 0.5
    """A tag that was not seen for so many seconds has left."""
    holds: bool = True
    """Whether it says for how long a tag lies there; else there is no ``left``."""
    salt: Secret | None = None
    """Publish a keyed hash in place of each tag."""
    tag_list: Path | None = None
    """The file of known tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One configured device."""

    device: str
    """Its name in the configuration and its level in topics."""
    driver: str
    name: str
    """For people; the device's name when none was given."""
    area: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    driver_type: type[Driver[Any]] | None = None
    """``None`` when the driver's file is broken: then ``broken`` says why and the device is ``failed``."""
    broken: str = ""
    options: Any = None
    """An instance of the driver's options class."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """The same as in the configuration: another process makes its own instance of it."""
    kind: Kind = Kind.SAMPLED
    presence: PresenceSettings | None = None
    """For readers of tags."""
    channels: tuple[ChannelSettings, ...] = ()
    """All of them, in the driver's order; publish only those with ``enabled``."""
    interval: float | None = 10.0
    """Seconds from poll to poll; ``None`` for a driver that streams."""
    align: bool = False
    offset: float = 0.0
    timeout: float = 5.0
    open_timeout: float = 10.0
    enabled: bool = True
    retain: bool = True
    isolation: str = "thread"
    """thread, process, or auto: a process once too many threads hang. auto only where it may have one."""
    max_rate: float = 2000.0
    batch: float = 0.0
    durability: str = "memory"
    """full, spill or memory: what ``auto`` means for its kind is settled."""
    homeassistant: bool = True
    """Whether Home Assistant is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """Where accepted readings wait for the broker."""

    path: str = "spool.db"
    """In the state directory unless absolute."""
    durability: str = "auto"
    """auto, full, spill or memory, for devices that do not say."""
    spill_after: float = 1.0
    max_size: int = 256 * 1000 * 1000
    when_full: str = "drop_oldest"
    """drop_oldest or refuse_new."""
    keep: float = 0.0
    """Seconds that acknowledged readings stay for ``spool resend``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged."""

    level: str = "info"
    """debug, info, warning or error."""
    format: str = "text"
    """text or json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSettings:
    """What Home Assistant is told."""

    discovery: bool = False
    prefix: str = "homeassistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsSettings:
    """Requests that come over MQTT."""

    enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole valid configuration."""

    files: tuple[Path, ...]
    """The files it came from, the main one first."""
    gateway_id: str
    drivers_dir: Path | None = None
    clock: str = "auto"
    """auto or trusted."""
    mqtt: MqttSettings
    spool: SpoolSettings = SpoolSettings()
    log: LogSettings = LogSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    commands: CommandsSettings = CommandsSettings()
    devices: tuple[DeviceSettings, ...] = ()
    config_hash: str = ""
    """Twelve hexadecimal digits that change with what the files say."""
    warnings: tuple[str, ...] = ()
    """What is accepted but worth a line, such as a password in plain text."""
