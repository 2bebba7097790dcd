"""gateway/iso14443.py: frames and places as the standard and the cards have them."""

from __future__ import annotations

import pytest
from support.vectors import Vector, vectors

from gateway.iso14443 import crc_a, holds_keys, sector, with_crc


@pytest.mark.parametrize("vector", [one for one in vectors("mfrc522") if one.values[0]["interface"] == "crc_a"])
def test_checksum_vectors(vector: Vector) -> None:
    """As the standard has it."""
    (expected,) = vector["expect"]["values"]
    assert crc_a(bytes.fromhex(vector["input"]["hex"])).hex() == expected["value"]


def test_a_frame() -> None:
    """HLTA, as it is in every book."""
    assert with_crc(b"\x50\x00").hex() == "500057cd"


def test_sectors() -> None:
    """Four blocks each, from the 128th on sixteen; the last block of each has its keys."""
    assert [sector(block) for block in (0, 3, 4, 127, 128, 255)] == [0, 0, 1, 31, 32, 39]
    assert [block for block in range(256) if holds_keys(block)] == [*range(3, 128, 4), *range(143, 256, 16)]
