"""A stream of frames with garbage in between, sent through a real pty to a driver that must not be fooled."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.driver import BadReading, Driver
from gateway.hardware.real import RealHardware
from gateway.testing import DriverHarness
from support.pty import PtyPair


def noise(rng: random.Random, frames: Sequence[bytes]) -> bytes:
    """What is on a bad line: nothing, random bytes, the beginning or the end of a frame, one with a bit turned over."""
    frame = rng.choice(frames)
    cut = rng.randrange(1, len(frame))
    turned = bytearray(frame)
    turned[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
    return rng.choice([b"", b"", rng.randbytes(rng.randrange(1, 40)), frame[:cut], frame[cut:], bytes(turned)])


def send_noisy(
    pty: PtyPair, driver: type[Driver[Any]], options: Mapping[str, Any], frames: Sequence[bytes], seed: int = 1
) -> tuple[list[Any], int]:
    """All readings that a driver makes of these frames with noise between them, and how many it called bad."""
    rng = random.Random(seed)
    stream = b"".join(noise(rng, frames) + frame for frame in frames)
    readings: list[Any] = []
    bad = 0
    with DriverHarness(driver, hardware=RealHardware("test"), port=pty.path, **options) as it:
        sender = threading.Thread(target=pty.feed, args=(stream,))
        sender.start()
        try:
            quiet = 0
            while quiet < 2:
                try:
                    result = it.read()
                except BadReading:
                    bad += 1
                    continue
                quiet = quiet + 1 if result is None else 0
                readings += [result] if isinstance(result, Mapping) else result or []
        finally:
            sender.join()
    return readings, bad


def count_wrong(readings: Sequence[Any], expected: Sequence[Any]) -> int:
    """How many readings are not among the expected ones, or not in their order."""
    wrong = at = 0
    for reading in readings:
        try:
            at = expected.index(reading, at) + 1
        except ValueError:
            wrong += 1
    return wrong
