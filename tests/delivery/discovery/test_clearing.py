"""Taking announcements back from a broker with limits. How the command goes about it is in tests/cli."""

from __future__ import annotations

from pathlib import Path

from support.fake_broker import FakeBroker
from support.fake_script import Script

from gateway.config.load import loads
from gateway.delivery.discovery.clearing import clear


def test_the_brokers_receive_maximum_is_kept(tmp_path: Path) -> None:
    """A broker may end the connection with whoever has more in flight than it takes."""
    broker = FakeBroker(Script(receive_maximum=2, delay=0.01))
    try:
        mqtt = f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
        settings = loads(f'[gateway]\nid = "attic"\n{mqtt}[devices.a]\ndriver = "mock"\n', folder=tmp_path)
        topics = [f"homeassistant/device/sensorpost_attic/d{number}/config" for number in range(10)]
        assert clear(settings, topics) == topics
        assert broker.violations == []
        assert sorted(publish.topic for publish in broker.publishes) == topics
    finally:
        broker.close()
