"""What is installed: this very program, be it a checkout or a wheel, with the versions that it was tested with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shlex
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from gateway import __version__

PACKAGES = ("gateway", "drivers")
SHIPPED = "service/shipped"
"""Below ``gateway`` in a wheel: what is beside it in a checkout."""
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
SCRIPT = """\
#!{python} -P
import sys
from gateway.__main__ import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The sources at one place."""

    packages: Path
    """The folder that holds the packages."""
    shipped: Path
    """The folder that holds ``systemd``, ``constraints`` and ``config``."""
    needs: dict[str, list[str]]
    """Requirements of the core (``""``) and of each extra."""
    version: str = __version__

    @classmethod
    def of_this_program(cls) -> Source:
        """Where this module comes from."""
        package = Path(__file__).parents[1]
        project = package.parent / "pyproject.toml"
        if project.exists() and (package.parent / "systemd").is_dir():
            table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
            return cls(package.parent, package.parent, {"": table["dependencies"], **table["optional-dependencies"]})
        return cls(package.parent, package / SHIPPED, _needs(importlib.metadata.requires("sensorpost") or []))

    @property
    def program(self) -> str:
        """How a person starts it as root, also when the service has gone."""
        if self.packages == self.shipped:
            return f"sudo {shlex.quote(str(self.packages / 'sensorpost'))}"
        return "in a checkout, sudo ./sensorpost"

    def read(self, name: str) -> str:
        """The text of a shipped file."""
        return (self.shipped / name).read_text(encoding="utf-8")

    def fingerprint(self) -> str:
        """Of everything that is installed."""
        found = hashlib.sha256()
        for package in PACKAGES:
            for path in sorted((self.packages / package).rglob("*")):
                inside = path.relative_to(self.packages)
                shipped = inside.is_relative_to(f"gateway/{SHIPPED}")
                if path.is_file() and path.suffix != ".pyc" and not shipped:
                    found.update(f"{inside}\0".encode() + path.read_bytes())
        units = sorted(path.name for path in (self.shipped / "systemd").iterdir() if path.is_file())
        for name in ("constraints/constraints.txt", "config/service.toml", *(f"systemd/{name}" for name in units)):
            found.update(self.read(name).encode())
        return found.hexdigest()[:16]

    def copy_to(self, site: Path, script: Path, python: str) -> None:
        """Put packages and shipped files into an environment's ``site-packages``, and the command beside its Python."""
        for package in PACKAGES:
            shutil.rmtree(site / package, ignore_errors=True)
            _copy_folder(self.packages / package, site / package)
        shipped = site / "gateway" / SHIPPED
        for name in ("systemd", "constraints/constraints.txt", "config/service.toml"):
            if not (shipped / name).exists():
                (shipped / name).parent.mkdir(parents=True, exist_ok=True)
                copy = _copy_folder if (self.shipped / name).is_dir() else shutil.copyfile
                copy(self.shipped / name, shipped / name)
        info = site / f"sensorpost-{self.version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(self._metadata(), encoding="utf-8")
        (info / "INSTALLER").write_text("sensorpost service\n")
        script.write_text(SCRIPT.format(python=python))
        script.chmod(0o755)

    def _metadata(self) -> str:
        lines = ["Metadata-Version: 2.1", "Name: sensorpost", f"Version: {self.version}"]
        for extra, needs in self.needs.items():
            lines += [f"Provides-Extra: {extra}"] if extra else []
            for need in needs:
                name, _, marker = (part.strip() for part in need.partition(";"))
                markers = [f"({marker})" if marker else "", f'extra == "{extra}"' if extra else ""]
                condition = " and ".join(filter(None, markers))
                lines.append(f"Requires-Dist: {name}{f'; {condition}' if condition else ''}")
        return "\n".join(lines) + "\n"


def _copy_folder(here: Path, there: Path) -> None:
    """Contents without modes: those of a checkout may keep the service out, or let anybody write what it runs."""
    shutil.copytree(here, there, ignore=NOT_COPIED, copy_function=shutil.copyfile)
    for path in (there, *(path for path in there.rglob("*") if path.is_dir())):
        path.chmod(0o755)


def _needs(requires: list[str]) -> dict[str, list[str]]:
    """Sorted by extra; other markers stay where they are."""
    found: dict[str, list[str]] = {"": []}
    for line in requires:
        extra = re.search(r"""\s*(?:\band\s+|;\s*)extra\s*==\s*['"]([\w-]+)['"]\s*$""", line)
        text = line[: extra.start()] if extra else line
        found.setdefault(extra[1] if extra else "", []).append(text.strip())
    return found
