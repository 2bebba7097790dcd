"""The environment of programs that tests start."""

from __future__ import annotations

import os
from collections.abc import Mapping


def unwatched(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``environ`` without what makes a program count its own coverage: for tests of what a program loads or costs."""
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}
