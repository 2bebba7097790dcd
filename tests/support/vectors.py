"""The wire-level cases of tests/data/vectors.json, one test parameter each.

Each case has ``id``, ``device``, ``interface``, ``input`` (what is on the wire), ``expect`` (``values`` with ``name``,
``value``, ``unit`` and ``tol``, or ``error``), ``provenance`` and ``source``. A driver's test takes all cases of its
device and special-cases none.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1] / "data" / "vectors.json"

Vector = dict[str, Any]


@cache
def _all() -> list[Vector]:
    found: list[Vector] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
    return found


def vectors(*devices: str) -> list[Any]:
    """The cases of these devices as ``pytest.param``, with their ids. ``LookupError`` for a device without one."""
    for device in devices:
        if all(vector["device"] != device for vector in _all()):
            raise LookupError(f"no vectors of {device!r}")
    return [pytest.param(vector, id=vector["id"]) for vector in _all() if vector["device"] in devices]
