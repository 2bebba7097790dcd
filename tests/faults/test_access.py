"""Brokers that do not let the gateway in, or not everywhere, and let it again (rows 13, 14, 17)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.brokers import Mosquitto
from support.capabilities import program
from support.faults import ORACLE_BROKER, Fleet, GatewayProcess, Site, config, read_spool
from support.waiting import wait_until

MakeMosquitto = Callable[..., Mosquitto]
MakeGateway = Callable[..., GatewayProcess]
MakeSite = Callable[..., Site]
TWO = Fleet(devices=2, rate=10)


def _reload(broker: Mosquitto) -> None:
    """Have mosquitto read its password and access files again."""
    broker.send_signal(signal.SIGHUP)


@pytest.mark.needs("mosquitto")
def test_a_login_that_is_refused_and_later_accepted(
    make_mosquitto: MakeMosquitto, make_gateway: MakeGateway, tmp_path: Path
) -> None:
    """The reason is in the log once; when the broker learns the password everything that has waited goes out."""
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    broker = make_mosquitto("allow_anonymous false", f"password_file {passwords}", "log_type notice")
    gateway = make_gateway(config(broker.port, TWO, mqtt='username = "pi"\npassword = "secret"'))
    gateway.start()
    gateway.wait_log("refused: Not authorized")
    command = [program("mosquitto_passwd") or "mosquitto_passwd", "-b", str(passwords), "pi", "secret"]
    subprocess.run(command, check=True, capture_output=True)
    _reload(broker)
    gateway.wait_log("connected to", 30.0)
    assert gateway.terminate()[0] == 0
    assert gateway.log().count("refused: ") == 1
    content = read_spool(gateway.spool)
    (run,) = content.runs.values()
    assert (content.waiting, content.dead) == ({}, {})
    assert min(run.last_seq["d0"], run.last_seq["d1"]) > 2


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.long
def test_an_access_list_that_forbids_one_device(make_site: MakeSite, tmp_path: Path, protocol: str) -> None:
    """MQTT 5: an alarm, the device's readings wait, others flow. 3.1.1: they are gone, and the log has said so."""
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite #\n")
    broker = Mosquitto(tmp_path / "broker", *ORACLE_BROKER, f"acl_file {rules}")
    site = make_site(TWO, broker=broker, mqtt=f'protocol = "{protocol}"')
    site.start()
    site.recorder.wait_delivered(10)
    rules.write_text("topic read #\n" + "".join(f"topic write {topic}\n" for topic in _all_but("d0")))
    _reload(broker)
    if protocol == "5":
        alarm = "the broker does not allow us to publish on sensorpost/fault/d0"
        wait_until(lambda: alarm in site.recorder.health.get("alarms", ()), 20.0, alarm)
        before = len(site.recorder.seqs("d1", site.gateway.run_id))
        wait_until(lambda: len(site.recorder.seqs("d1", site.gateway.run_id)) > before + 5, 20.0, "d1 goes on")
    else:
        site.gateway.wait_log("MQTT 3.1.1 cannot tell us")
    site.stop()
    verdict = site.judge()
    assert verdict.violations == []
    if protocol == "5":
        assert (verdict.lost, verdict.dead) == ([], 0)
        assert verdict.waiting > 0


def _all_but(device: str) -> list[str]:
    base = "sensorpost/fault"
    return [
        f"{base}/gateway/#",
        f"{base}/d1/#",
        f"{base}/d1",
        f"{base}/{device}/status",
        f"{base}/{device}/availability",
    ]


@pytest.mark.parametrize(
    ("limit", "protocol"),
    [
        ("message_size_limit", "5"),
        ("max_packet_size", "5"),
        ("max_packet_size", "3.1.1"),
        ("message_size_limit", "3.1.1"),
    ],
)
@pytest.mark.long
def test_a_reading_that_is_too_large_stops_no_other(
    make_site: MakeSite, tmp_path: Path, limit: str, protocol: str
) -> None:
    """3 kB for a broker that takes 1.5 kB: it is a dead letter, and the others flow again after some seconds.

    mosquitto drops the connection at it, and names only one of its two limits, in MQTT 5. In MQTT 3.1.1 with the other
    one it acknowledges the reading first, and so do all arrays that are too large: these are gone.
    """
    large = (
        '[devices.big]\ndriver = "mock"\ninterval = "1h"\ndurability = "full"\n'
        f'signals = {{ t = {{ shape = "constant", value = "{"x" * 3000}" }} }}\n'
    )
    broker = Mosquitto(tmp_path / "broker", *ORACLE_BROKER, f"{limit} 1500")
    site = make_site(TWO.text() + large, broker=broker, mqtt=f'protocol = "{protocol}"')
    site.start()
    site.recorder.wait_delivered(60, 90.0)
    site.stop()
    verdict = site.judge()
    assert verdict.violations == []
    if (limit, protocol) != ("message_size_limit", "3.1.1"):
        assert (verdict.lost, verdict.dead, verdict.delivered) == ([], 1, verdict.accepted - 1)
