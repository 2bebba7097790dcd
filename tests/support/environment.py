"""The environment of programs that tests start."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping


def unwatched(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``environ`` without what makes a program count its own coverage: for tests of what a program loads or costs."""
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}


def remembering(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` for programs that start often: they compile our modules once, and not into the checkout."""
    cache = f"{tempfile.gettempdir()}/sensorpost-pycache-{os.geteuid()}"
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": cache}
