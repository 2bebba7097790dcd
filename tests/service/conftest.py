"""An empty image, and the machine that it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.service_machine import FakeMachine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An image with nothing but the two files that name users and groups."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text(f"root:x:{os.getuid()}:0::/root:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:{os.getgid()}:\ndialout:x:20:pi\n")
    return root


@pytest.fixture
def machine(root: Path) -> FakeMachine:
    """That image as a machine on which systemd runs."""
    return FakeMachine(root, systemd=True)
