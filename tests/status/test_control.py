"""The control socket, over a real socket."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.status.control import ControlError, ControlServer, NotRunning, Request, call


def count(request: Request) -> Iterator[dict[str, Any]]:
    """As many lines as asked for."""
    for number in range(int(request["count"])):
        yield {"n": number}


def refuse(_request: Request) -> Iterator[dict[str, Any]]:
    """One line, then a reason."""
    yield {"n": 0}
    raise ControlError("not today")


def broken(_request: Request) -> Iterator[dict[str, Any]]:
    """A bug."""
    yield from ()
    raise RuntimeError("oops")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """The socket of a server with the three verbs above."""
    server = ControlServer(tmp_path / "run" / "control.sock", {"count": count, "refuse": refuse, "broken": broken})
    server.start()
    yield tmp_path / "run" / "control.sock"
    server.stop()
    assert not (tmp_path / "run" / "control.sock").exists()


def test_an_answer_has_any_number_of_lines(path: Path) -> None:
    """None, too."""
    assert list(call(path, {"verb": "count", "count": 3})) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert list(call(path, {"verb": "count", "count": 0})) == []


def test_a_refusal_comes_after_what_was_answered(path: Path) -> None:
    """With the gateway's reason."""
    lines = call(path, {"verb": "refuse"})
    assert next(lines) == {"n": 0}
    with pytest.raises(ControlError, match="not today"):
        next(lines)


def test_a_bug_in_a_verb_ends_the_answer_and_nothing_else(path: Path) -> None:
    """The next request is served."""
    with pytest.raises(ControlError, match="RuntimeError: oops"):
        list(call(path, {"verb": "broken"}))
    assert list(call(path, {"verb": "count", "count": 1})) == [{"n": 0}]


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[]\n", b'{"verb":[]}\n', b"\xff\n", b'{"verb":"rm"}\n'])
def test_rubbish_is_told_the_verbs(path: Path, line: bytes) -> None:
    """One line, and the connection ends."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(line)
        answer = sock.makefile("rb").read()
    assert answer.count(b"\n") == 1
    assert b"broken, count, refuse" in answer


def test_a_request_without_an_end_is_cut(path: Path) -> None:
    """Its length is bounded, whatever a client sends."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b"x" * 65_536)
        assert b'"ok": false' in sock.makefile("rb").readline()


def test_only_owner_and_group_may_ask(path: Path) -> None:
    """0660 (contract section 1), in a folder that was made for it with 0700."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_without_a_gateway_it_says_so(tmp_path: Path) -> None:
    """No socket, and a socket that nobody listens on any more."""
    with pytest.raises(NotRunning):
        list(call(tmp_path / "control.sock", {"verb": "count"}))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(NotRunning):
        list(call(tmp_path / "dead.sock", {"verb": "count"}))


def test_the_socket_of_a_killed_gateway_is_replaced(tmp_path: Path) -> None:
    """Its file is still there."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    server = ControlServer(tmp_path / "control.sock", {"count": count})
    server.start()
    assert list(call(tmp_path / "control.sock", {"verb": "count", "count": 1})) == [{"n": 0}]
    server.stop()


def test_a_gateway_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    """The limit is the caller's."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "control.sock"))
        mute.listen()
        with pytest.raises(ControlError, match=r"did not answer within 0\.1 s"):
            list(call(tmp_path / "control.sock", {"verb": "count"}, timeout=0.1))
