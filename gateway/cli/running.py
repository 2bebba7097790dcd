"""Where the running gateway of a configuration answers. Finds the configuration and does not read it."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.config import source
from gateway.paths import control_socket, state_directory


def socket_of(config: Path | None) -> Path:
    """The control socket of the gateway that runs with the configuration that was asked for, or is found."""
    return control_socket(state_directory(source.find(config, os.environ, Path.cwd()), os.environ), os.environ)
