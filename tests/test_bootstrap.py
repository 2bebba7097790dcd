"""The script ``./sensorpost``: what it makes of fresh, whole, half-made, broken and moved environments.

Each test runs the real script in a copy of a checkout whose requirements are none, so that nothing is downloaded; only
the tests marked slow make a real environment with pip in it.
"""

from __future__ import annotations

import ast
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import pytest
from support import unwatched

pytestmark = pytest.mark.xdist_group("environments")
"""Making one is the work of a processor."""
SCRIPT = Path(__file__).parent.parent / "sensorpost"

PYPROJECT = """
[project]
name = "sensorpost"
dependencies = []
[project.optional-dependencies]
demo = []
i2c = []
test = []
"""
PROGRAM = "import sys, os\nprint('gateway', *sys.argv[1:], sys.prefix, os.getcwd(), sep='|')\n"
PIP = """
import os, sys
with open(os.path.join(os.environ["CHECKOUT"], "pip.calls"), "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if os.environ.get("PIP_FAILS"):
    said = "Collecting nonsense\\nERROR: No matching distribution found for nonsense\\n"
    sys.exit(os.environ.get("PIP_SAYS", said))
"""


class Checkout:
    """A copy of the script with a program of one line beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "gateway").mkdir(parents=True)
        (folder / "constraints").mkdir()
        (folder / "gateway/__main__.py").write_text(PROGRAM)
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "constraints/constraints.txt").write_text("paho-mqtt==2.2.0\n")
        shutil.copy(SCRIPT, folder)
        self.venv = folder / ".venv"

    def start(self, *args: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``./sensorpost ARGS``."""
        return subprocess.run(
            [sys.executable, str(self.folder / "sensorpost"), *args],
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of ``start``: the Python that runs the tests makes the environments."""
        kept = {name: value for name, value in unwatched().items() if not name.startswith("SENSORPOST_")}
        return kept | {"SENSORPOST_PYTHON": sys.executable, "CHECKOUT": str(self.folder)} | changes

    def make_venv(self, *, pip: bool = True) -> None:
        """A real environment in which pip is a script that writes down its arguments: it is made in no time."""
        venv.create(self.venv, with_pip=False, symlinks=True)
        if pip:
            package = next(self.venv.glob("lib/python*/site-packages")) / "pip"
            package.mkdir()
            (package / "__init__.py").touch()
            (package / "__main__.py").write_text(PIP)

    def pip_calls(self) -> list[str]:
        """The arguments of each call of pip."""
        calls = self.folder / "pip.calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout without an environment."""
    return Checkout(tmp_path / "my checkout")


@pytest.fixture
def whole(checkout: Checkout) -> Checkout:
    """A checkout that was started once."""
    checkout.make_venv()
    assert checkout.start("run").returncode == 0
    return checkout


def test_some_packages_come_alone(checkout: Checkout) -> None:
    """Tests need them without what they ask for; others need them not at all."""
    checkout.make_venv()
    alone = checkout.folder / "constraints/alone.txt"
    alone.write_text("mfrc522-python==0.0.9\n")
    checkout.start("run")
    assert [call for call in checkout.pip_calls() if "--no-deps" in call] == []
    checkout.start("test")
    (call,) = [call for call in checkout.pip_calls() if "--no-deps" in call]
    assert call.endswith(f"--no-deps -r {alone}")


def test_it_parses_on_old_pythons() -> None:
    """It can look for a newer Python on any since 3.6, so it uses no newer syntax."""
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_first_start_installs_and_becomes_the_program(checkout: Checkout, tmp_path: Path) -> None:
    """Arguments, working directory and stdout are the program's; progress goes to stderr."""
    checkout.make_venv()
    done = checkout.start("run", "--for", "1 s", cwd=tmp_path)
    assert (done.stdout, done.returncode) == (f"gateway|run|--for|1 s|{checkout.venv}|{tmp_path}\n", 0)
    first, *_, last = done.stderr.splitlines()
    assert first == "sensorpost: installing core + i2c"
    assert last.startswith("sensorpost: ready after")
    constraints = checkout.folder / "constraints/constraints.txt"
    assert checkout.pip_calls() == [f"install --disable-pip-version-check --no-input -c {constraints}"]


def test_second_start_says_and_does_nothing(whole: Checkout) -> None:
    """When all is there neither pip nor any other program runs, and stderr stays empty."""
    done = whole.start("run")
    assert (done.stdout[:12], done.stderr) == ("gateway|run|", "")
    assert len(whole.pip_calls()) == 1


def test_no_argument_is_help(whole: Checkout) -> None:
    """``./sensorpost`` alone shows the program's help."""
    assert whole.start().stdout.startswith("gateway|--help|")


def test_extras_come_with_the_command_that_needs_them(whole: Checkout) -> None:
    """``demo`` installs the extra ``demo``, once."""
    whole.folder.joinpath("pyproject.toml").write_text(PYPROJECT.replace("demo = []", 'demo = ["a-broker>=1"]'))
    whole.start("run")
    assert "a-broker" not in whole.pip_calls()[-1]
    assert "sensorpost: installing core + demo" in whole.start("demo").stderr
    assert whole.pip_calls()[-1].endswith(" a-broker>=1")
    assert whole.start("demo").stderr == ""


def test_the_tests_run_in_several_processes(whole: Checkout) -> None:
    """What follows goes to pytest, after what asks for them; that is left out for whoever does without xdist."""
    package = next(whole.venv.glob("lib/python*/site-packages")) / "pytest"
    package.mkdir()
    (package / "__main__.py").write_text("import sys\nprint(*sys.argv[1:], sep='|')\n")
    assert whole.start("test", "-q", "tests").stdout == "-n|auto|--dist|loadgroup|-q|tests\n"
    assert whole.start("test", "-p", "no:xdist").stdout == "-p|no:xdist\n"


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints/constraints.txt"])
def test_changed_requirements_are_installed(whole: Checkout, file: str) -> None:
    """After an update of the checkout pip has another look."""
    path = whole.folder / file
    path.write_text(path.read_text() + "# changed\n")
    assert "installing core" in whole.start("run").stderr
    assert whole.start("run").stderr == ""
    assert len(whole.pip_calls()) == 2


def test_interrupted_installation_is_taken_up_again(checkout: Checkout) -> None:
    """An installation that failed is told in one line with pip's own reason, and is done at the next start."""
    checkout.make_venv()
    failed = checkout.start("demo", PIP_FAILS="1")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.splitlines()[-1] == (
        "sensorpost: pip could not install core + demo: ERROR: No matching distribution found for nonsense"
        " (all of it: .venv/sensorpost-pip.log)"
    )
    assert checkout.start("demo").returncode == 0


def test_without_a_network_it_says_so(whole: Checkout) -> None:
    """In place of pip's last line, which is about conflicts."""
    says = "WARNING: Retrying: NewConnectionError(...)\nERROR: ResolutionImpossible\n"
    done = whole.start("test", PIP_FAILS="1", PIP_SAYS=says)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "sensorpost: pip does not reach its packages: is there a network? When there is, start it again\n"
    )


def test_a_wrong_clock_is_named(whole: Checkout) -> None:
    """A certificate that is not valid yet: pip's last line is about conflicting dependencies again."""
    with (whole.folder / "constraints/constraints.txt").open("a") as file:
        file.write("click==8\n")
    said = "SSLError: certificate verify failed: certificate is not yet valid\nERROR: ResolutionImpossible\n"
    (line,) = whole.start("run", PIP_FAILS="1", PIP_SAYS=said).stderr.splitlines()[-1:]
    assert line.startswith("sensorpost: pip's server has a certificate that is not valid now, which is 2")
    assert line.endswith("set the clock (timedatectl shows it), then start it again")


def test_failed_update_is_not_taken_for_whole(whole: Checkout) -> None:
    """A failed installation over a whole one leaves no stamp behind."""
    (whole.folder / "constraints/constraints.txt").write_text("paho-mqtt==2.1.0\n")
    assert whole.start("run", PIP_FAILS="1").returncode == 1
    (whole.folder / "constraints/constraints.txt").write_text("paho-mqtt==2.2.0\n")
    assert "installing core" in whole.start("run").stderr


def test_what_is_no_environment_is_left_alone(checkout: Checkout) -> None:
    """A folder of somebody's own under the environment's name is not deleted."""
    checkout.venv.mkdir()
    (checkout.venv / "diary.txt").write_text("dear diary")
    done = checkout.start("run")
    assert done.returncode == 1
    assert done.stderr == "sensorpost: .venv is in the way: it is no virtual environment, so it is left alone\n"
    assert (checkout.venv / "diary.txt").exists()


def test_moved_checkout_works_offline(whole: Checkout, tmp_path: Path) -> None:
    """After a move the program is found at its new place, and so is the Python that its scripts name."""
    tool = whole.venv / "bin/tool"
    tool.write_text(f"#!{whole.venv}/bin/python\nprint('works')\n")
    tool.chmod(0o755)
    moved = tmp_path / "moved"
    whole.folder.rename(moved)
    whole.folder, whole.venv = moved, moved / ".venv"
    done = whole.start("run")
    assert done.stdout == f"gateway|run|{moved}/.venv|{moved}\n"
    assert "making" not in done.stderr
    assert subprocess.run([moved / ".venv/bin/tool"], capture_output=True, text=True, check=True).stdout == "works\n"
    assert whole.start("run").stderr == ""


def test_program_in_the_working_directory_is_not_taken(whole: Checkout, tmp_path: Path) -> None:
    """A folder ``gateway`` where the user stands is not the gateway."""
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway/__main__.py").write_text("raise SystemExit('the wrong one')")
    assert whole.start("run", cwd=tmp_path).stdout.startswith("gateway|run|")


def test_environment_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    """SENSORPOST_VENV names the environment's folder, relative to where the user stands."""
    checkout.venv = tmp_path / "other"
    checkout.make_venv()
    done = checkout.start("run", cwd=tmp_path, SENSORPOST_VENV="other")
    assert done.stdout == f"gateway|run|{tmp_path}/other|{tmp_path}\n"
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.needs("root")
def test_after_sudo_the_environment_is_the_owners(checkout: Checkout) -> None:
    """Links are changed themselves, not the system's Python behind them."""
    checkout.make_venv()
    os.chown(checkout.folder, 1234, 1234)
    (checkout.folder / "gateway/__init__.py").touch()
    assert checkout.start(PYTHONDONTWRITEBYTECODE="").returncode == 0
    assert not list(checkout.folder.glob("gateway/__pycache__"))
    made = [checkout.venv, checkout.folder / ".venv.lock", *checkout.venv.rglob("*")]
    assert {path.lstat().st_uid for path in made} == {1234}
    assert Path(sys.executable).resolve().stat().st_uid != 1234


def test_a_python_that_is_too_old_is_named(checkout: Checkout, tmp_path: Path) -> None:
    """The one line says which Pythons there are and what is needed."""
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\necho 3.9 1 /usr/bin/python3.9\n")
    old.chmod(0o755)
    done = checkout.start("run", SENSORPOST_PYTHON=str(old))
    assert done.returncode == 1
    assert done.stderr == (
        f"sensorpost: SENSORPOST_PYTHON={old} must be Python 3.11 or newer (/usr/bin/python3.9 is 3.9);"
        " Debian 12, Raspberry Pi OS bookworm and all newer ones have it\n"
    )


def test_pythons_that_do_not_run_are_passed_over(checkout: Checkout, tmp_path: Path) -> None:
    """A shim that is there but refuses (pyenv) does not stop the search, and a Python without pip comes last."""
    folder = tmp_path / "bin"
    folder.mkdir()
    answers = {"python3.13": "exit 127", "python3.12": "echo 3.12 0 /no/pip", "python3.11": "echo 3.11 1 /right/one"}
    for name, line in answers.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    done = checkout.start("run", SENSORPOST_PYTHON="", PATH=str(folder))
    assert "making .venv with Python 3.11" in done.stderr
    assert "/right/one -m venv failed" in done.stderr


def test_bare_debian_without_rights_is_told_the_line_to_type(checkout: Checkout, tmp_path: Path) -> None:
    """Without ensurepip, and without apt, one line says what to type."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho 3.11 0 {python}\n")
    python.chmod(0o755)
    (tmp_path / "python3").symlink_to(python)
    done = checkout.start("run", SENSORPOST_PYTHON=str(python), PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"sensorpost: {python} cannot make virtual environments yet. Type this, then start again:"
        " sudo apt install python3-venv ca-certificates"
    )


def test_two_starts_at_once_wait_for_each_other(checkout: Checkout) -> None:
    """A start that finds another one setting up says so, waits, and then needs to do nothing."""
    checkout.make_venv()
    with (checkout.folder / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, str(checkout.folder / "sensorpost"), "run"]
        starts = [
            subprocess.Popen(
                command,
                cwd=checkout.folder,
                env=checkout.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for start in starts:
            assert start.stderr is not None
            assert start.stderr.readline() == "sensorpost: another start is setting up .venv; waiting for it\n"
    outputs = [start.communicate(timeout=60) for start in starts]
    assert [out[:12] for out, _ in outputs] == ["gateway|run|", "gateway|run|"]
    assert len(checkout.pip_calls()) == 1


def test_ctrl_c_ends_quietly(checkout: Checkout) -> None:
    """An interrupt while it waits ends it with 130 and no traceback."""
    checkout.make_venv()
    with (checkout.folder / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = subprocess.Popen(
            [sys.executable, str(checkout.folder / "sensorpost"), "run"],
            cwd=checkout.folder,
            env=checkout.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert start.stderr is not None
        assert "waiting" in start.stderr.readline()
        start.send_signal(signal.SIGINT)
        assert start.communicate(timeout=30)[1] == ""
    assert start.returncode == 130


def test_read_only_checkout_is_one_line(checkout: Checkout) -> None:
    """Where nothing can be written, the operating system's reason is the answer."""
    done = checkout.start("run", SENSORPOST_VENV="/proc/nowhere/venv")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("sensorpost: ")
    assert "/proc/nowhere" in line


@pytest.mark.needs("root")
def test_somebody_elses_checkout_is_one_line(checkout: Checkout) -> None:
    """Another user who starts what is not set up yet is told what would be."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder, "sensorpost")
        shutil.copytree(checkout.folder, theirs)
        Path(folder).chmod(0o755)
        done = subprocess.run(
            [theirs / "sensorpost", "doctor"],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},  # a Python that everybody may run
            cwd=theirs,
            user=65534,
            group=65534,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "sensorpost: .venv has to be set up, and you may not write there: "
        "start it once as its owner, or name a folder of yours with SENSORPOST_VENV\n"
    )


@pytest.mark.parametrize("damage", ["no pip", "python gone", "another python"])
def test_broken_environment_is_made_anew(checkout: Checkout, tmp_path: Path, damage: str) -> None:
    """The folder that a bare Debian leaves, and what an upgrade of the system leaves, are mended."""
    checkout.make_venv(pip=damage != "no pip")
    if damage == "python gone":
        (checkout.venv / "bin/python").unlink()
        (checkout.venv / "bin/python").symlink_to("/usr/bin/python3.0")
    elif damage == "another python":  # its packages are in the folder of the old version
        next(checkout.venv.glob("lib/python*")).rename(checkout.venv / "lib/python3.0")
    quick = tmp_path / "python"  # its module venv makes an environment with our short pip
    other = Checkout(tmp_path / "other")
    other.make_venv()
    quick.write_text(
        f'#!/bin/sh\n[ "$2" = venv ] || exec echo 3.11 1 "$0"\n'
        f'cp -a "{other.venv}" "$3" && sed -i "s|{other.venv}|$3|" "$3/pyvenv.cfg"\n'
    )
    quick.chmod(0o755)
    done = checkout.start("run", SENSORPOST_PYTHON=str(quick))
    assert "sensorpost: mending .venv, which is not whole" in done.stderr.splitlines()
    assert done.stdout.startswith("gateway|run|")
    assert checkout.start("run").stderr == ""


@pytest.mark.slow
def test_a_real_environment_is_made_from_nothing(checkout: Checkout) -> None:
    """With the real venv and the real pip, over the folder without pip that a bare Debian leaves."""
    (checkout.folder / "pyproject.toml").write_text(PYPROJECT.replace("[]", '["pip"]', 1))
    checkout.make_venv(pip=False)
    done = checkout.start("run")
    assert done.stdout.startswith("gateway|run|")
    assert "sensorpost: mending .venv, which is not whole" in done.stderr.splitlines()
    assert checkout.start("run").stderr == ""
