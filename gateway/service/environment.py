"""The virtual environments: two places, one of them in use, so that an upgrade never changes what runs."""

from __future__ import annotations

import os
import time

from gateway.service.machine import CannotError, Machine, last_words
from gateway.service.places import COMMAND, CURRENT, HOME, SLOTS, STAMP
from gateway.service.requirements import Wanted
from gateway.service.source import Source

PYTHONS = ("/usr/bin/python3", *(f"/usr/bin/python3.{minor}" for minor in (13, 12, 11)), "/usr/local/bin/python3")
"""Not one in somebody's home: the service cannot see it."""
ASK = (
    "import sys, importlib.util as u; "
    "print(*sys.version_info[:2], sys.prefix == sys.base_prefix, "
    "bool(u.find_spec('ensurepip') and u.find_spec('venv')))"
)
PIP = ("-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "-q")

ROOM = 100_000_000
"""Bytes that must be free: an environment has some 50 MB, and pip needs room to work."""
WRONG_TIME = ("certificate is not yet valid", "certificate has expired")
"""A Pi has no clock of its own: without a network it begins where it stopped."""
NO_NETWORK = ("Failed to establish a new connection", "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError")


def in_use(machine: Machine) -> str | None:
    """The environment that the service runs from."""
    link = machine.path(CURRENT)
    target = str(link.readlink()) if link.is_symlink() else ""
    return target if target in SLOTS and machine.exists(f"{target}/bin/sensorpost") else None


def is_whole(machine: Machine, slot: str, mark: str) -> bool:
    """Whether an environment is there that was made from that, and that starts."""
    if machine.text(f"{slot}/{STAMP}") != mark:
        return False
    return machine.ask(f"{slot}/bin/sensorpost", "--version")[0] == 0


def other(slot: str | None) -> str:
    """The place for the next one."""
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]


def find_python(machine: Machine) -> tuple[str, str]:
    """A Python of the system that can make environments, and its version; ``python3-venv`` is installed if need be."""
    for again in (False, True):
        old, bare = [], []
        for python in PYTHONS:
            code, answer = machine.ask(python, "-I", "-c", ASK)
            if code:
                continue
            major, minor, system, whole = answer.split()
            if (int(major), int(minor)) < (3, 11) or system != "True":
                old.append(f"{python} is {major}.{minor}")
            elif whole == "True" or (machine.dry and again):
                return python, f"{major}.{minor}"
            else:
                bare.append(python)
        if again or (old and not bare) or not machine.exists("/usr/bin/apt-get"):
            break
        apt(machine, "python3-venv")
    if bare:
        raise CannotError(f"{bare[0]} cannot make environments, and apt could not help: apt install python3-venv")
    raise CannotError(
        f"no Python of the system's from 3.11 on that can make environments ({'; '.join(old) or 'there is none'}): "
        "apt install python3 python3-venv (Debian 12, Raspberry Pi OS bookworm or newer)"
    )


def apt(machine: Machine, package: str) -> int:
    """Install a Debian package; its exit status."""
    get = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q")
    machine.run("update the list of packages", *get, "update", may_fail=True)
    command = (*get, "install", "-y", "--no-install-recommends", package)
    return machine.run(f"install the Debian package {package}", *command, may_fail=True)[0]


def stamp(source: Source, wanted: Wanted, python: str) -> str:
    """What an environment was made from; another one is made when it differs."""
    return f"{source.version} {source.fingerprint()} {python} {wanted}\n"


def build(machine: Machine, slot: str, source: Source, wanted: Wanted, *, python: str, mark: str) -> None:
    """Make an environment anew. The one in use is left alone. ``CannotError`` when something is missing."""
    if source.packages.resolve().is_relative_to(machine.path(slot)):
        raise CannotError(f"{slot} has to be made anew, and this program runs from it: start {COMMAND}, or a checkout")
    machine.folder(HOME, 0o755)
    machine.remove(slot)
    _room(machine)
    machine.run(f"make the environment {slot} with {python}", python, "-I", "-m", "venv", slot)
    own = f"{slot}/bin/python"
    machine.write(f"{slot}/constraints.txt", source.read("constraints/constraints.txt"))
    needs = [need for extra in ("", *wanted.extras) for need in source.needs[extra]]
    names = ", ".join(need.partition(">")[0].partition("=")[0] for need in needs)
    _pip(machine, f"install {names}", own, "-c", f"{slot}/constraints.txt", *needs)
    for package in wanted.alone:
        _pip(machine, f"install {package} by itself", own, "--no-deps", package)
    if wanted.spi:
        _spidev(machine, slot, own)
    if machine.told(f"copy sensorpost {source.version} into it"):
        version = machine.ask(own, "-I", "-c", "import sys; print('python%d.%d' % sys.version_info[:2])")[1]
        site = machine.path(f"{slot}/lib/{version}/site-packages")
        source.copy_to(site, machine.path(f"{slot}/bin/sensorpost"), own)
        for package in ("gateway", "drivers"):  # the service may not write there
            machine.ask(own, "-I", "-m", "compileall", "-q", f"{slot}/lib/{version}/site-packages/{package}")
        code, answer = machine.ask(f"{slot}/bin/sensorpost", "--version")
        if code:
            raise CannotError(f"the new environment does not work: {answer}")
        os.sync()  # what bears the stamp is whole, also after a power cut
    machine.write(f"{slot}/{STAMP}", mark)


def _room(machine: Machine) -> None:
    """``CannotError`` where an environment would fill the disk: pip's own words would not say so."""
    place = next((path for path in (HOME, HOME.rpartition("/")[0]) if machine.exists(path)), "/")  # in a dry run
    if (free := machine.free(place)) < ROOM:
        raise CannotError(
            f"only {free / 1e6:.0f} MB are free at {place}, and {ROOM / 1e6:.0f} MB are needed: "
            "sudo apt clean; sudo journalctl --vacuum-size=100M; sudo du -xh / | sort -h | tail -20 shows the rest"
        )


def _pip(machine: Machine, what: str, own: str, *arguments: str) -> None:
    """Let pip install something. Without a network it speaks of conflicting dependencies."""
    code, output = machine.run(what, own, *PIP, *arguments, may_fail=True)
    if not code:
        return
    if any(words in output for words in WRONG_TIME):
        now = time.strftime("%Y-%m-%d %H:%M %Z")
        raise CannotError(
            f"pip's server has a certificate that is not valid now, which is {now} here: if that is wrong, "
            "set the clock (timedatectl shows it), then run this again"
        )
    if any(words in output for words in NO_NETWORK):
        raise CannotError("pip does not reach its packages: is there a network? When there is, run this again")
    raise CannotError(f"pip could not {what} ({code}): {last_words(output)}")


def _spidev(machine: Machine, slot: str, own: str) -> None:
    """A wheel where there is one, else the system's, else word of what is missing."""
    wheel = ("--only-binary", ":all:", "-c", f"{slot}/constraints.txt", "spidev")
    code, _ = machine.run("install spidev, if there is a wheel for this machine", own, *PIP, *wheel, may_fail=True)
    if machine.dry or code == 0:
        return
    if machine.ask("/usr/bin/python3", "-I", "-c", "import spidev")[0] and apt(machine, "python3-spidev"):
        raise CannotError(
            "there is no wheel of spidev for this machine, and no Debian package: apt install python3-spidev"
        )
    settings = f"{slot}/pyvenv.cfg"
    text = machine.text(settings).replace("include-system-site-packages = false", "include-system-site-packages = true")
    machine.write(settings, text)
