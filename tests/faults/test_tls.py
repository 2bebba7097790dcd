"""Brokers whose certificate is no good, and the reasons that a person reads (row 24)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.brokers import Mosquitto
from support.faults import Fleet, GatewayProcess, config
from support.faults.certificates import OVER, TO_COME, Authority
from support.share import free_port
from support.waiting import wait_until

MakeMosquitto = Callable[..., Mosquitto]
MakeGateway = Callable[..., GatewayProcess]
Times = Callable[[float, float], Any]
REASONS = {
    "expired": "certificate has expired",
    "to-come": "certificate is not yet valid",
    "elsewhere": "IP address mismatch",
    "stranger": "unable to get local issuer certificate",
}


@pytest.mark.needs("openssl")
@pytest.mark.slow
def test_certificates_that_are_no_good(
    make_mosquitto: MakeMosquitto, make_gateway: MakeGateway, tmp_path: Path, times: Times
) -> None:
    """Expired, not valid yet (the clock is at 1970), for another host, of an unknown authority: each is named.

    In the long form one of the servers never answers the handshake. The good broker, last in turn, is used.
    """
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    pairs = {
        "expired": ours.issue("expired", OVER),
        "to-come": ours.issue("to-come", TO_COME),
        "elsewhere": ours.issue("elsewhere", address="IP:192.0.2.1"),
        "stranger": other.issue("stranger"),
        "good": ours.issue("good"),
    }
    ports = {name: free_port() for name in pairs}
    listeners = [
        f"listener {ports[name]} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}"
        for name, (certificate, key) in pairs.items()
    ]
    make_mosquitto(*listeners, "log_type notice")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [f"mqtts://127.0.0.1:{port}" for port in ports.values()]
        urls[-1:-1] = times([], [f"mqtts://127.0.0.1:{silent.getsockname()[1]}"])
        text = config(0, Fleet(devices=1, rate=20), mqtt=f'ca_file = "{ours.file}"')
        gateway = make_gateway(text.replace('url = "mqtt://127.0.0.1:0"', f"urls = {urls}"))
        gateway.start()
        gateway.wait_log("connected to", times(20.0, 40.0))
        wait_until(lambda: gateway.queued() < 5)
        assert gateway.terminate()[0] == 0
    for name, reason in REASONS.items():
        (line,) = [line for line in gateway.log().splitlines() if f":{ports[name]}: " in line]
        assert reason in line
    assert f"connected to mqtts://127.0.0.1:{ports['good']}" in gateway.log()
