"""``[mqtt]``: the brokers, and how to get in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config.identity import wrong_base_topic
from gateway.config.positions import KeyPath
from gateway.config.report import Report, nearest
from gateway.config.secrets import password
from gateway.config.settings import Endpoint, MqttSettings, Secret
from gateway.config.structure import INVALID

PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
DEFAULT_URL = "mqtt://localhost:1883"
_TLS = ("mqtts", "wss")
_KNOWN_AS = {"tcp": "mqtt", "tls": "mqtts", "ssl": "mqtts", "mqtt+ssl": "mqtts", "http": "ws", "https": "wss"}
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_FILES = ("ca_file", "cert_file", "key_file")
_PATH: KeyPath = ("mqtt",)


def mqtt_settings(
    values: Mapping[str, Any], report: Report, *, gateway_id: str, folder: Path, environ: Mapping[str, str]
) -> MqttSettings | None:
    """The settings from the checked values of the table; ``None`` when a mistake (in the report) is in the way."""
    before = len(report.mistakes)
    endpoints = _endpoints(values, report)
    files = {name: _file(values[name], (*_PATH, name), report, folder) for name in _FILES}
    _tls(values, endpoints, report)
    secret = _credentials(values, report, folder, environ)
    client_id = values["client_id"] or f"sensorpost-{gateway_id}"
    if client_id is not INVALID and (not client_id.isprintable() or len(client_id.encode()) > 256):
        report.wrong((*_PATH, "client_id"), "is no client id", "accepted: up to 256 printable characters")
    base = values["base_topic"]
    if base is not INVALID and (wrong := wrong_base_topic(base)):
        hint = 'accepted: one or several levels, such as "sensorpost" or "home/sensors"'
        report.wrong((*_PATH, "base_topic"), wrong, hint)
    keepalive = values["keepalive"]
    if keepalive is not INVALID and keepalive != int(keepalive):
        report.wrong((*_PATH, "keepalive"), "is not in whole seconds", 'MQTT counts it in seconds, such as "15s"')
    if len(report.mistakes) > before or INVALID in values.values():
        return None
    return MqttSettings(
        endpoints=tuple(endpoints),
        protocol=values["protocol"],
        username=values["username"] or None,
        password=secret,
        **files,
        client_id=client_id,
        base_topic=base,
        keepalive=keepalive,
        window=values["window"],
        live_window=values["live_window"],
        replay=values["replay"],
    )


def _endpoints(values: Mapping[str, Any], report: Report) -> list[Endpoint]:
    url, urls = values["url"], values["urls"]
    if url is not None and urls is not None:
        report.add((*_PATH, "urls"), "there is a url as well", "keep one of them; urls may hold them all")
        return []
    if urls is None:
        given = [((*_PATH, "url"), DEFAULT_URL if url is None else url)]
    else:
        if urls is INVALID:  # one of them is no text; what is wrong with the others is worth saying too
            raw = report.raw((*_PATH, "urls"))
            plain = [isinstance(one, str) and "${" not in one for one in raw] if isinstance(raw, list) else [False]
            urls = [one if fine else INVALID for one, fine in zip(raw, plain, strict=False)]
        given = [((*_PATH, "urls", index), one) for index, one in enumerate(urls)]
        if not given:
            report.add((*_PATH, "urls"), "names no broker", f'write urls = ["{DEFAULT_URL}"]')
    found = [_endpoint(one, path, report) for path, one in given if one is not INVALID]
    endpoints = [endpoint for endpoint in found if endpoint is not None]
    for index, endpoint in enumerate(endpoints):
        if endpoint in endpoints[:index] and len(endpoints) == len(given):
            report.wrong((*_PATH, "urls", index), "is there twice", "keep one of them")
    return endpoints


def _endpoint(url: str, path: KeyPath, report: Report) -> Endpoint | None:
    """One broker. Every message shows the URL without what may be a password in it."""
    scheme, separator, _ = url.partition("://")
    if "@" in url:
        report.add(path, "has a user or a password in it", "use the keys username and password; URLs end up in logs")
        return None
    if not separator:
        meant = f'; did you mean "mqtt://{url}"?' if re.fullmatch(r"[\w.-]+(:[0-9]+)?", url) else ""
        report.wrong(path, "is no URL", f"accepted: mqtt://HOST:PORT, mqtts://, ws:// or wss://{meant}")
        return None
    scheme = scheme.lower()
    if scheme not in PORTS:
        near = _KNOWN_AS.get(scheme) or nearest(scheme, PORTS)
        meant = f"; did you mean {near}://?" if near else ""
        report.wrong(path, "has an unknown scheme", f"accepted: mqtt, mqtts, ws and wss{meant}")
        return None
    return _place(scheme, url, path, report)


def _place(scheme: str, url: str, path: KeyPath, report: Report) -> Endpoint | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        report.wrong(path, "has a bad host or port", "accepted: mqtt://HOST:PORT with a port from 1 to 65535")
        return None
    if port == 0:
        report.wrong(path, "has the port 0", f"accepted: 1 to 65535; without one it is {PORTS[scheme]}")
    elif not host:
        report.wrong(path, "has no host", f"write {scheme}://HOST")
    elif not _is_host(host):
        report.wrong(path, "has a bad host name", "accepted: a name such as broker.local, or an IP address")
    elif parts.query or parts.fragment:
        report.wrong(path, "has a ? or # in it", f"accepted: {scheme}://HOST:PORT/PATH")
    elif parts.path not in ("", "/") and scheme in ("mqtt", "mqtts"):
        report.wrong(path, f"has a path, which {scheme} does not know", "base_topic is a key of its own")
    else:
        return Endpoint(scheme, host, PORTS[scheme] if port is None else port, parts.path or "/mqtt")
    return None


def _is_host(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        pass
    else:
        return True
    try:
        ascii_ = host.encode("idna").decode()
    except UnicodeError:
        return False
    labels = ascii_.removesuffix(".").split(".")
    numeric = labels[-1].isdigit()  # 300.1.1.1 is no name, and no address either
    return len(ascii_) <= 253 and not numeric and all(_LABEL.fullmatch(label) for label in labels)


def _file(value: Any, path: KeyPath, report: Report, folder: Path) -> Path | None:
    if value is INVALID or not value:
        return None
    file: Path = folder / value
    if file.is_dir() or not file.exists():
        what = f"{file} is a folder" if file.is_dir() else f"the file {file} is not there"
        report.add(path, what, "relative paths begin in the configuration's folder")
        return None
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        report.add(path, f"{file} cannot be read: {error.strerror}", f"see: ls -l {file}")
        return None


def _tls(values: Mapping[str, Any], endpoints: list[Endpoint], report: Report) -> None:
    given = [name for name in _FILES if values[name]]
    if ("cert_file" in given) != ("key_file" in given):
        there, missing = ("cert_file", "key_file") if "cert_file" in given else ("key_file", "cert_file")
        report.add((*_PATH, there), f"there is no {missing}", "a certificate and its key belong together")
    plain = next((endpoint for endpoint in endpoints if endpoint.scheme not in _TLS), None)
    if given and plain and not any(endpoint.scheme in _TLS for endpoint in endpoints):
        secure = "mqtts" if plain.scheme == "mqtt" else "wss"
        report.add((*_PATH, given[0]), f"{plain.url} is not encrypted", f"did you mean {secure}://{plain.host}?")


def _credentials(values: Mapping[str, Any], report: Report, folder: Path, environ: Mapping[str, str]) -> Secret | None:
    value = values["password"]
    if value is None or value is INVALID:
        return None
    path = (*_PATH, "password")
    if not values["username"]:
        report.add(path, "there is no username", "brokers want both")
    return password(value, path, report, folder=folder, environ=environ)
