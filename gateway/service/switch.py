"""From one version to the next, and back when it does not become ready."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from gateway.service import environment, units
from gateway.service.machine import CannotError, Machine
from gateway.service.places import CLOCK, COMMAND, CURRENT, FILES, SERVICE, TIMEKEEPERS, WANTED
from gateway.service.source import Source


def switch(machine: Machine, source: Source, slot: str, before: str | None, *, start: bool) -> None:
    """Let the machine have the version in ``slot``, and run it; ``before`` is the environment of another one, if any.

    Whatever keeps it from becoming ready (``CannotError``, a full disk, Ctrl-C), the one before has all as it was.
    """
    files = _files(machine, before)
    try:
        _switch(machine, source, slot, fresh=before != slot, start=start)
    except NotReadyError as exc:
        if before in (None, slot):
            raise CannotError(with_evidence(f"it does not start; see: journalctl -u {SERVICE}", exc.reason)) from exc
        state = _back(machine, before, files, start=True)
        conclusion = f"the new version does not become ready; the one before it {state}"
        raise CannotError(with_evidence(conclusion, exc.reason)) from exc
    except BaseException:
        if before not in (None, slot) and not machine.dry:
            _back(machine, before, files, start=start)
        raise


class NotReadyError(Exception):
    """It was started, and is not ready."""

    def __init__(self, reason: str) -> None:
        """The last lines of its journal."""
        super().__init__(reason)
        self.reason = reason


def with_evidence(conclusion: str, lines: str) -> str:
    """What a person has to know, and below it, set off, what another program said of it."""
    return "\n".join([conclusion, *(f"  {line}" for line in lines.splitlines())])


def _files(machine: Machine, before: str | None) -> dict[str, str]:
    """The texts that belong to the version before: a run that was killed may have put others in their place."""
    found = {path: machine.text(path) for path in (*FILES.values(), CLOCK)}
    if before and environment.in_use(machine) != before:
        for name, path in FILES.items():
            for shipped in machine.path(before).glob(
                f"lib/python3*/site-packages/gateway/service/shipped/systemd/{name}"
            ):
                found[path] = shipped.read_text(encoding="utf-8")
    return found


def _switch(machine: Machine, source: Source, slot: str, *, fresh: bool, start: bool) -> None:
    changed = machine.changed
    for name, path in FILES.items():
        machine.write(path, source.read(f"systemd/{name}"))
    if any(machine.exists(path) for path in TIMEKEEPERS):
        machine.write(CLOCK, source.read("systemd/clock.conf"))
    machine.link(CURRENT, slot)
    machine.link(COMMAND, f"{CURRENT}/bin/sensorpost")
    machine.link(WANTED, f"/etc/systemd/system/{SERVICE}")
    if not machine.runs_systemd:
        return
    fresh = fresh or machine.changed > changed
    if fresh:
        units.learn(machine)
    if start and (fresh or not units.is_active(machine)):
        code, _ = machine.run("start it, and wait until it is ready", "systemctl", "restart", SERVICE, may_fail=True)
        if code:
            raise NotReadyError(units.why_not(machine))


def _back(machine: Machine, before: str, files: dict[str, str], *, start: bool) -> str:
    """Have all as it was, whoever is impatient; how the version before does."""
    with _undisturbed():
        machine.link(CURRENT, before)
        for path, text in files.items():
            if text:
                machine.write(path, text)
            else:
                machine.remove(path)
        if not machine.runs_systemd:
            return "is back"
        machine.run("tell systemd", "systemctl", "daemon-reload", may_fail=True)
        if start:  # a restart that was interrupted here may go on in systemd
            machine.run("start the version before it again", "systemctl", "restart", SERVICE, may_fail=True)
        return "runs again" if units.is_active(machine) else "does not start either"


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No Ctrl-C meanwhile, for us and for the programs that we start."""
    old = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
