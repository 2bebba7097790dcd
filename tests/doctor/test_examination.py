"""A whole machine: what is well is not mentioned, six things that are wrong are named with their fixes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from support import Mosquitto
from support.capabilities import program
from support.sickbed import PI5, Sickbed

from gateway.cli.doctor import show
from gateway.delivery.trial import try_broker
from gateway.doctor.examination import CHECKS, Check, examine
from gateway.doctor.finding import Finding, State, hint, problem
from gateway.doctor.machine import Unseen
from gateway.doctor.patient import Patient

DEVICES = """
[devices.front-door]
driver = "mfrc522"
[devices.office]
driver = "bme280"
[devices.meter]
driver = "modbus"
port = "/dev/serial0"
unit = 1
profile = "sdm120"
[devices.fridge]
driver = "ds18b20"
id = "28-0000075a1b2c"
"""


def test_a_machine_on_which_all_is_well(bed: Sickbed) -> None:
    """Every check is fine, none is silent, and each has its own name."""
    findings = examine(bed.patient('[mqtt]\nurl = "mqtt://broker.lan"\n' + DEVICES))
    assert [finding for finding in findings if finding.state is not State.OK] == []
    assert [finding.check for finding in findings] == [check.name for check in CHECKS]
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_nothing_is_written(bed: Sickbed) -> None:
    """The tree is afterwards what it was before, access times aside."""

    def state() -> list[tuple[str, int, int]]:
        files = (path.lstat() for path in bed.root.rglob("*"))
        return sorted((str(one.st_ino), one.st_mtime_ns, one.st_size) for one in files)

    patient = bed.patient(DEVICES)
    before = state()
    examine(patient)
    assert state() == before


@pytest.mark.needs("mosquitto")
def test_six_things_wrong(
    bed: Sickbed, make_mosquitto: Callable[..., Mosquitto], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly these six, each with its fix; the broker is a real one."""
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    command = [program("mosquitto_passwd") or "mosquitto_passwd", "-b", str(passwords), "pi", "right"]
    subprocess.run(command, check=True, capture_output=True)
    broker = make_mosquitto("allow_anonymous false", f"password_file {passwords}")
    bed.file("/proc/device-tree/model", PI5 + "\0")
    bed.link("/dev/serial0", "/dev/ttyAMA0")
    bed.file("/boot/firmware/config.txt", "#dtparam=spi=on\ndtparam=i2c_arm=on\ndtparam=uart0=on\ndtoverlay=w1-gpio\n")
    bed.remove("/dev/spidev0.0")
    bed.file("/proc/cmdline", "console=ttyAMA0,115200 console=tty1 root=PARTUUID=1")
    bed.file("/etc/group", "pi:x:1000:\ndialout:x:20:pi\nspi:x:993:pi\ni2c:x:994:\ngpio:x:995:pi\n")
    bed.installed(rpi_gpio="0.7.1", mfrc522_python="0.0.9")
    bed.file("/sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    bed.probes["try_broker"] = try_broker
    mqtt = f'[mqtt]\nurl = "{broker.url}"\nusername = "pi"\npassword = {{ file = "mqtt-password" }}\n'
    bed.file("/etc/sensorpost/mqtt-password", "wrong", 0o600)
    findings = examine(bed.patient(mqtt + DEVICES))
    show(findings)
    pip = "/opt/venv/bin/python -m pip"
    assert {finding.check: finding.fix for finding in findings if finding.state is not State.OK} == {
        "spi": "sudo raspi-config nonint do_spi 0 && sudo reboot",
        "serial-console": "sudo raspi-config nonint do_serial_cons 1 && sudo reboot",
        "groups": "sudo usermod -aG i2c pi; then log out and in again",
        "gpio-library": f"{pip} uninstall -y RPi.GPIO && {pip} install rpi-lgpio",
        "power": "use the official power supply (5 V 3 A; Pi 5: 5 A) with its own cable, and take USB devices off",
        "broker": "is it the password of pi at this broker? A new one, where that is mosquitto: "
        "sudo mosquitto_passwd /etc/mosquitto/passwd pi && sudo systemctl reload mosquitto",
    }
    text = capsys.readouterr().out
    assert text.splitlines()[-1] == f"{len(CHECKS) - 6} checks found nothing wrong"
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert text.replace(str(broker.port), "1883") == page.split("<!-- six -->\n```text\n")[1].split("```")[0]


def test_a_check_that_hangs_or_breaks_is_told(bed: Sickbed) -> None:
    """The others are made, and it ends in time."""
    release = threading.Event()

    def hang(_: Patient) -> Iterable[Finding]:
        yield hint("before")
        release.wait(10.0)

    def breaks(_: Patient) -> Iterable[Finding]:
        raise ValueError("two\nlines")

    def closed(_: Patient) -> Iterable[Finding]:
        raise Unseen("/secret")

    checks = [Check("a", "-", hang), Check("b", "-", breaks), Check("c", "-", closed), Check("d", "fine", lambda _: ())]
    began = time.monotonic()
    findings = examine(bed.patient(), checks, patience=0.2)
    release.set()
    assert time.monotonic() - began < 5.0
    assert [(one.check, str(one.state), one.text) for one in findings] == [
        ("a", "hint", "before"),
        ("a", "unknown", "did not end in time"),
        ("b", "unknown", "could not be looked at: ValueError: two lines"),
        ("c", "unknown", "no right to look at /secret"),
        ("d", "ok", "fine"),
    ]


def test_as_json() -> None:
    """The four keys."""
    assert problem("what", "how").as_json() == {"check": "", "state": "problem", "text": "what", "fix": "how"}
