"""Subscribing at a broker that does not allow all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.delivery import LinkDriver
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.waiting import wait_until


@pytest.mark.parametrize(("protocol", "code"), [("5", b"\x87"), ("3.1.1", b"\x80")])
def test_a_refused_subscription_is_said(
    fake: Callable[..., FakeBroker],
    make_link: Callable[..., LinkDriver],
    caplog: pytest.LogCaptureFixture,
    protocol: str,
    code: bytes,
) -> None:
    """Nothing else would tell why Home Assistant's start or a request goes unheard; what is allowed is not named."""
    broker = fake(Script(suback=b"\1" + code))
    make_link(broker.url, protocol=protocol, subscriptions=["good/+", "homeassistant/status"]).connect()
    wait_until(lambda: "does not allow us to listen to homeassistant/status:" in caplog.text)
