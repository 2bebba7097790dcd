"""Fixtures for the tests of delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.delivery import LinkDriver
from support.fake_broker import FakeBroker
from support.publishing import Rig

MakeBroker = Callable[..., FakeBroker]
MakeLink = Callable[..., LinkDriver]
MakeRig = Callable[..., Rig]


@pytest.fixture
def make_link(fake: MakeBroker) -> Iterator[MakeLink]:
    """Make links that a test drives: ``make_link(broker.url, protocol="5")``; ended after the test."""
    made: list[LinkDriver] = []

    def make(*urls: str, **more: object) -> LinkDriver:
        made.append(LinkDriver(*urls, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for driver in made:
        driver.end()


@pytest.fixture
def rig(fake: MakeBroker) -> Iterator[MakeRig]:
    """Make publishers, not started: ``rig(broker.url, window=20).start()``; ended after the test."""
    made: list[Rig] = []

    def make(*urls: str, **more: object) -> Rig:
        made.append(Rig(*urls, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for publisher in made:
        publisher.stop(flush=0.1)
