"""Install, run again, upgrade, go back, uninstall: what is left on the machine after each.

Programs are played here (conftest.py); .ci/run does the same in a bare Debian with the real ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from support.service_machine import SOURCE, FakeMachine, newer

from gateway.service.beginning import Beginning
from gateway.service.install import install
from gateway.service.machine import CannotError
from gateway.service.places import CLOCK, CONFIG, CURRENT, FILES, SLOTS, UNIT
from gateway.service.state import state
from gateway.service.uninstall import uninstall

RFID = '[devices.door]\ndriver = "mfrc522"\n'


def everything(root: Path) -> list[str]:
    """All files and links below a root, but not those inside an environment."""
    found = (path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(str(path.relative_to(root)) for path in found if "/venv-" not in str(path.relative_to(root)))


def test_a_first_installation(machine: FakeMachine) -> None:
    """User, groups, folders, environment, unit, a sample that only root and the service can read; and it is started."""
    assert install(machine, SOURCE) == []
    assert everything(machine.root) == sorted(
        [
            *(path.lstrip("/") for path in FILES.values()),
            "etc/group",
            "etc/passwd",
            "etc/sensorpost/.installed.json",
            "etc/sensorpost/sensorpost.toml",
            "etc/systemd/system/multi-user.target.wants/sensorpost.service",
            "opt/sensorpost/venv",
            "usr/local/bin/sensorpost",
        ]
    )
    assert machine.path(CONFIG).stat().st_mode & 0o777 == 0o640
    assert machine.path("/var/lib/sensorpost").stat().st_mode & 0o777 == 0o700
    assert [line.split(":")[0] for line in machine.text("/etc/group").splitlines()] == [
        *("root", "dialout"),
        *("spi", "i2c", "gpio", "input", "sensorpost"),
    ]
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert machine.commands[-1] == "systemctl restart sensorpost.service"
    (pip,) = [line for line in machine.commands if " pip install " in line]
    assert pip.endswith(" ".join(["-c", f"{SLOTS[0]}/constraints.txt", *SOURCE.needs[""], *SOURCE.needs["i2c"]]))
    assert state(machine)["installed"] == SOURCE.version
    assert state(machine)["pid"] == 7


def test_a_second_time_nothing_is_done(machine: FakeMachine) -> None:
    """Nor is the service restarted; from the installed copy it is the same program."""
    install(machine, SOURCE)
    site = next(machine.path(CURRENT).parent.glob("venv-a/lib/*/site-packages"))
    copy = dataclasses.replace(SOURCE, packages=site, shipped=site / "gateway/service/shipped")
    for source in (SOURCE, copy):
        machine.changed, machine.lines[:], machine.commands[:] = 0, [], []
        install(machine, source)
        assert (machine.changed, machine.lines) == (0, [])
        assert not [line for line in machine.commands if "restart" in line]


def test_a_configuration_to_begin_with(machine: FakeMachine) -> None:
    """In place of the sample, with its secret, which nobody else can read; never over one that is there."""
    secret = "/etc/sensorpost/mqtt-password"
    assert install(machine, SOURCE, first=Beginning({CONFIG: "# first\n", secret: "hunter2\n"})) == []
    assert machine.path(secret).stat().st_mode & 0o777 == 0o640
    (left,) = install(machine, SOURCE, first=Beginning({CONFIG: "# second\n"}))
    assert left == "/etc/sensorpost/sensorpost.toml is there already and stays as it is"
    assert machine.text(CONFIG) == "# first\n"


def test_a_configuration_that_was_cut_off(machine: FakeMachine) -> None:
    """The file itself comes last, so that the next run does not take one without its secrets for a whole one."""
    machine.path("/etc/sensorpost/zone-key").mkdir(parents=True)
    first = Beginning({CONFIG: "# first\n", "/etc/sensorpost/zone-key": "hunter2\n"})
    with pytest.raises(OSError, match="zone-key"):
        install(machine, SOURCE, first=first)
    assert not machine.exists(CONFIG)


@pytest.mark.parametrize(
    "do", [lambda machine: install(machine, SOURCE), lambda machine: uninstall(machine, purge=True)]
)
def test_two_at_once(machine: FakeMachine, do: Callable[[FakeMachine], object]) -> None:
    """The second is told, and has changed nothing."""
    before = everything(machine.root)
    with FakeMachine(machine.root).alone(), pytest.raises(CannotError, match="another installation is under way"):
        do(machine)
    assert everything(machine.root) == before
    do(machine)


def test_a_dry_run_changes_nothing(root: Path) -> None:
    """And tells what a real one does, line by line; so does that of a removal."""
    before = everything(root)
    machine = FakeMachine(root, dry=True, systemd=True)
    install(machine, SOURCE)
    assert everything(root) == before
    assert "would make the user sensorpost" in machine.lines
    assert "would start it, and wait until it is ready" in machine.lines
    told = machine.lines
    machine = FakeMachine(root, systemd=True)
    install(machine, SOURCE)
    assert told == [f"would {line}" for line in machine.lines]
    dry = FakeMachine(root, dry=True, systemd=True)
    uninstall(dry, purge=True)
    machine.lines.clear()
    uninstall(machine, purge=True)
    assert dry.lines == [f"would {line}" for line in machine.lines]


def test_an_upgrade_keeps_the_configuration(machine: FakeMachine, tmp_path: Path) -> None:
    """It is built beside the old one, which stays for a way back."""
    install(machine, SOURCE)
    machine.path(CONFIG).write_text("# mine\n")
    install(machine, newer(tmp_path))
    assert str(machine.path(CURRENT).readlink()) == SLOTS[1]
    assert machine.path(SLOTS[0]).is_dir()
    assert machine.text(CONFIG) == "# mine\n"
    assert state(machine)["installed"] == "9.9.9"


def test_a_version_that_does_not_become_ready(machine: FakeMachine, tmp_path: Path) -> None:
    """The one before is started again, with its own unit; the reason from the journal is shown."""
    install(machine, SOURCE)
    unit = machine.text(UNIT)
    source = newer(tmp_path)
    (source.shipped / "systemd/sensorpost.service").write_text("[Service]\nExecStart=/bin/false\n")
    machine.starts = False
    machine.answers["journalctl"] = (0, "sensorpost: a mistake")
    with pytest.raises(CannotError, match=r"^the new version does not become ready; .*\n  .* a mistake$"):
        install(machine, source)
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert machine.text(UNIT) == unit
    assert machine.commands.count("systemctl restart sensorpost.service") == 3


def test_a_version_that_refuses_the_configuration(machine: FakeMachine, tmp_path: Path) -> None:
    """What runs is not even stopped."""
    install(machine, SOURCE)
    machine.commands.clear()
    machine.answers[f"{SLOTS[1]}/bin/sensorpost check"] = (78, "sensorpost.toml:3: gone")
    with pytest.raises(CannotError, match=r"^the new version refuses .*\n  sensorpost\.toml:3: gone$"):
        install(machine, newer(tmp_path))
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert not [line for line in machine.commands if "restart" in line]


def test_a_reader_on_spi(machine: FakeMachine) -> None:
    """The library without what it asks for; spidev as a wheel, else the system's, which the environment then sees."""
    install(machine, SOURCE)
    machine.path(CONFIG).write_text(RFID)
    machine.commands.clear()
    machine.answers["--only-binary :all:"] = (1, "no matching distribution")
    install(machine, SOURCE)
    assert any(line.endswith("--no-deps mfrc522-python==0.0.9") for line in machine.commands)
    assert "include-system-site-packages = true" in machine.text(f"{SLOTS[1]}/pyvenv.cfg")
    assert not [line for line in machine.commands if "RPi" in line]


def test_beside_chrony_the_kernel_may_be_asked(machine: FakeMachine) -> None:
    """Else readings would be marked unsynced for ever."""
    machine.path("/usr/sbin").mkdir(parents=True)
    machine.path("/usr/sbin/chronyd").touch()
    install(machine, SOURCE)
    assert "ProtectClock=no" in machine.text(CLOCK)


def test_without_systemd(root: Path) -> None:
    """All is there for the next boot, and it says so."""
    machine = FakeMachine(root)
    assert install(machine, SOURCE) == [
        "systemd does not run in an image, so nothing was started: the service starts with the next boot"
    ]
    assert not [line for line in machine.commands if "systemctl" in line]
    assert state(machine)["active"] is None


def test_without_a_python(machine: FakeMachine) -> None:
    """One line that says what to install."""
    machine.answers["import sys, importlib.util"] = (0, "3 9 True True")
    machine.path("/usr/bin").mkdir(parents=True)
    machine.path("/usr/bin/apt-get").touch()
    with pytest.raises(CannotError, match=r"python3 is 3.9.*: apt install python3 python3-venv"):
        install(machine, SOURCE)
    assert machine.lines == []  # a package more would be no help
    machine.answers["import sys, importlib.util"] = (0, "3 11 True False")
    with pytest.raises(CannotError, match=r"^/usr/bin/python3 cannot make environments, .*: apt install python3-venv$"):
        install(machine, SOURCE)
    assert machine.lines[-1] == "install the Debian package python3-venv"


def test_uninstall_leaves_data_and_purge_nothing(machine: FakeMachine, root: Path) -> None:
    """Configuration, readings and their user stay; with --purge, also later, not even they."""
    before = everything(root)
    install(machine, SOURCE)
    machine.path("/var/lib/sensorpost/spool.db").touch()
    (left,) = uninstall(machine, purge=False)
    assert left.startswith("left: /etc/sensorpost, /var/lib/sensorpost and their user")
    assert "systemctl stop sensorpost.service" in machine.commands
    kept = ["etc/sensorpost/.installed.json", "etc/sensorpost/sensorpost.toml", "var/lib/sensorpost/spool.db"]
    assert everything(root) == sorted([*before, *kept])
    assert uninstall(machine, purge=True) == []
    assert everything(root) == before
    assert machine.text("/etc/group") == "root:x:{}:\ndialout:x:20:pi\n".format(machine.number("group", "root"))
    machine.changed = 0
    uninstall(machine, purge=True)
    assert machine.changed == 0


def test_what_is_not_ours_stays(machine: FakeMachine) -> None:
    """A command of that name that somebody else put there."""
    place = machine.path("/usr/local/bin/sensorpost")
    place.parent.mkdir(parents=True)
    place.write_text("theirs")
    with pytest.raises(CannotError, match="is not ours"):
        install(machine, SOURCE)
    uninstall(machine, purge=True)
    assert place.read_text() == "theirs"


def test_a_disk_that_is_full(machine: FakeMachine) -> None:
    """Said before the environment is begun: pip and venv would speak of something else."""
    machine.room = 3_000_000
    dry = FakeMachine(machine.root, dry=True)
    dry.room = machine.room
    with pytest.raises(CannotError, match="only 3 MB are free at /, and 100 MB are needed: "):
        install(dry, SOURCE)
    with pytest.raises(CannotError, match="only 3 MB are free at /opt/sensorpost, and 100 MB are needed: "):
        install(machine, SOURCE)
    assert not machine.path(SLOTS[0]).exists()


def test_without_a_network(machine: FakeMachine) -> None:
    """A line of ours, since pip's last one is about conflicts; what was made is taken away by a purge all the same."""
    before = machine.text("/etc/group")
    machine.answers[" pip install "] = (1, "WARNING: NewConnectionError\nERROR: ResolutionImpossible\n")
    with pytest.raises(CannotError, match=r"pip does not reach its packages: is there a network\?"):
        install(machine, SOURCE)
    machine.answers[" pip install "] = (1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid\nERROR: No\n")
    with pytest.raises(CannotError, match="if that is wrong, set the clock"):
        install(machine, SOURCE)
    machine.answers[" pip install "] = (1, "ERROR: No space left on device\n")
    with pytest.raises(CannotError, match=r"pip could not install paho-mqtt.* \(1\): ERROR: No space left on device"):
        install(machine, SOURCE)
    uninstall(machine, purge=True)
    assert machine.text("/etc/group") == before
