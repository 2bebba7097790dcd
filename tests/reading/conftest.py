"""Companies of readers, stopped after the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.company import Company
from support.lodging import Lodging, devices, tiny

from gateway.config.settings import DeviceSettings


@pytest.fixture
def hire(finally_do: Callable[[Callable[[], object]], None]) -> Callable[..., Company]:
    """Make companies that are stopped after the test, whatever becomes of it."""

    def make(*devices: DeviceSettings, **more: Any) -> Company:
        company = Company(*devices, **more)
        finally_do(lambda: company.stop(1.0))
        return company

    return make


@pytest.fixture
def lodge(tmp_path: Path, finally_do: Callable[[Callable[[], object]], None]) -> Callable[..., Lodging]:
    """``lodge("return ...")``: a process with a tiny driver whose ``read`` has this body, open; gone after the test."""

    def make(read: str, *, options: str = "", hardware: str = "real", opened: bool = True, **bodies: str) -> Lodging:
        folder = tiny(tmp_path, read, **bodies)
        (settings,) = devices(folder, f'[devices.office]\ndriver = "tiny"\n{options}')
        lodging = Lodging(settings, hardware)
        finally_do(lodging.leave)
        if opened:
            lodging.open()
        return lodging

    return make
