"""The control socket against clients that are careless or hostile: who gets in, and what they can do from there."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from support.waiting import wait_until

from gateway.status import control
from gateway.status.control import ControlError, ControlServer, Request, call, encoded

from .conftest import NOBODY

Finally = Callable[[Callable[[], object]], None]


def find(request: Request) -> Iterator[dict[str, Any]]:
    """As every verb does with the name of a device that is not there."""
    yield from ()
    raise ControlError(f"there is no {request['device']}")


def number(request: Request) -> Iterator[dict[str, Any]]:
    """A verb whose answer is no JSON."""
    yield {"n": float(request["n"])}


@pytest.fixture
def path(open_folder: Path) -> Iterator[Path]:
    """The socket of a server with the verbs above."""
    server = ControlServer(open_folder / "control.sock", {"find": find, "number": number})
    server.start()
    yield open_folder / "control.sock"
    server.stop()


def ask(path: Path, line: bytes) -> list[bytes]:
    """Send a line as it is; all that comes back."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(line)
        with sock.makefile("rb") as lines:
            return lines.readlines()


def connect(path: Path, group: int) -> str:
    """As another user with this group; what goes wrong."""
    words = ["socat", "-u", "OPEN:/dev/null", f"UNIX-CONNECT:{path}"]
    options: dict[str, Any] = {"user": NOBODY, "group": group, "extra_groups": []}
    return subprocess.run(words, check=False, capture_output=True, text=True, **options).stderr


@pytest.mark.needs("root", "socat")
def test_another_user_is_not_let_in(path: Path) -> None:
    """0660: the gateway's user and group alone."""
    assert "Permission denied" in connect(path, NOBODY)
    assert connect(path, path.stat().st_gid) == ""


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 60_000 + b"\n",
        b'{"verb":' * 8_000 + b"\n",
        b'{"verb":"find","device":' + b"9" * 60_000 + b"}\n",
        b'{"verb":"find","device":"\\ud800"}\n',
        b'{"verb":"find","device":"a\\u0000\\u001b[2J\\nx"}\n',
        b'{"verb":"find"}\n',
        b'{"verb":"number","n":"nan"}\n',
        b'{"verb":"number","n":1e999}\n',
        b'{"verb":"number","n":{}}\n',
        b"\0" * 100 + b"\n",
        b"\xff\xfe\n",
    ],
    ids=["deep", "deep objects", "digits", "surrogate", "controls", "none", "nan", "inf", "type", "nul", "bytes"],
)
def test_whatever_is_asked_is_refused_in_one_line(
    path: Path, line: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Printable ASCII, no traceback on stderr, and the next request is served."""
    caplog.set_level(logging.CRITICAL)
    answer = ask(path, line)[-1]
    assert json.loads(answer)["ok"] is False
    assert answer.isascii()
    assert answer.decode().rstrip("\n").isprintable()
    with pytest.raises(ControlError, match="there is no office"):
        list(call(path, {"verb": "find", "device": "office"}))
    assert capfd.readouterr().err == ""


def test_an_answer_that_is_no_json_becomes_a_refusal() -> None:
    """Whatever a verb yields."""
    for value in (float("inf"), {1, 2}, b"x"):
        (only,) = encoded([{"n": value}, {"ok": True}])
        assert json.loads(only)["ok"] is False


def test_a_flood_of_connections_takes_no_more_than_its_seats(path: Path, finally_do: Finally) -> None:
    """The threads are bounded; whoever comes too late is told; and when the flood is over, all is as before."""
    before = threading.active_count()
    idle = []
    for _ in range(10 * control.MOST_CLIENTS):
        sock = socket.socket(socket.AF_UNIX)
        finally_do(sock.close)
        sock.connect(str(path))
        sock.settimeout(10)
        idle.append(sock)
    told = [sock.recv(1000) for sock in idle[control.MOST_CLIENTS :]]
    assert {json.loads(line)["error"] for line in told} == {control.BUSY}
    assert threading.active_count() <= before + control.MOST_CLIENTS
    with pytest.raises(ControlError):
        list(call(path, {"verb": "find", "device": "office"}))
    for sock in idle:
        sock.close()
    wait_until(lambda: threading.active_count() == before)
    with pytest.raises(ControlError, match="there is no office"):
        list(call(path, {"verb": "find", "device": "office"}))


def test_a_socket_that_takes_no_more_is_a_gateway_that_is_busy(tmp_path: Path) -> None:
    """And none that does not run: somebody would then do on the spool's file what is the gateway's to do."""
    with socket.socket(socket.AF_UNIX) as mute, socket.socket(socket.AF_UNIX) as first:
        mute.bind(str(tmp_path / "control.sock"))
        mute.listen(0)
        first.connect(str(tmp_path / "control.sock"))
        with pytest.raises(ControlError, match="try again"):
            list(call(tmp_path / "control.sock", {"verb": "find"}))


def test_a_client_that_sends_byte_by_byte_has_one_time_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the whole request: each byte does not buy it another."""
    monkeypatch.setattr(control, "PATIENCE", 0.3)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.settimeout(0.05)
        began, ended = time.monotonic(), False
        while not ended and time.monotonic() - began < 10:
            try:
                sock.sendall(b"x")
                ended = sock.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:  # it was closed with a byte of ours unread
                ended = True
        assert ended
        assert time.monotonic() - began < 5


def test_a_client_that_takes_no_answer_gives_its_seat_back(
    tmp_path: Path, finally_do: Finally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for more than a socket holds, and reads none of it."""
    monkeypatch.setattr(control, "PATIENCE", 0.2)
    server = ControlServer(tmp_path / "control.sock", {"all": lambda _: repeat({"n": 1})})
    server.start()
    finally_do(server.stop)
    before = threading.active_count()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / "control.sock"))
        sock.sendall(b'{"verb":"all"}\n')
        wait_until(lambda: threading.active_count() == before + 1)
        wait_until(lambda: threading.active_count() == before)


def test_a_socket_in_a_public_folder_is_not_followed_elsewhere(tmp_path: Path, finally_do: Finally) -> None:
    """A link in its place is replaced; what it led to is left alone."""
    target = tmp_path / "precious"
    target.write_text("keep me")
    path = tmp_path / "control.sock"
    path.symlink_to(target)
    server = ControlServer(path, {"find": find})
    server.start()
    finally_do(server.stop)
    assert target.read_text() == "keep me"
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o660
