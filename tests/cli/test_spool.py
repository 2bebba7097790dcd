"""``sensorpost spool`` on a real spool: of a gateway that was stopped, and through one that runs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, free_port, wait_until

CONFIG = """
[gateway]
id = "attic"
clock = "trusted"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[spool]
keep = "{keep}"
[devices.office]
driver = "mock"
interval = "50ms"
durability = "full"
signals = {{ size = {{ shape = "constant", value = 1 }} }}
"""
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


def configure(tmp_path: Path, port: int, keep: str = "0s") -> None:
    """Write ./sensorpost.toml."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=port, keep=keep))


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """JSON lines of a command that went well."""
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def filled(sensorpost: Sensorpost, tmp_path: Path) -> Path:
    """The spool of a gateway that ran for two seconds without a broker."""
    configure(tmp_path, free_port())
    assert sensorpost("run", "--for", "2s").returncode == 0
    return tmp_path / "state" / "spool.db"


def kill_some(spool: Path, count: int) -> None:
    """Make dead letters of the oldest readings."""
    db = sqlite3.connect(spool)
    oldest = f"(SELECT id FROM log WHERE id > 0 ORDER BY id LIMIT {count})"
    db.execute(
        f"INSERT INTO dead SELECT *, 'too large for the broker', 1700000000000000000 FROM log WHERE id IN {oldest}"
    )
    db.execute(f"DELETE FROM log WHERE id IN {oldest}")
    db.commit()
    db.close()


def test_what_waits(sensorpost: Sensorpost, filled: Path) -> None:
    """For people and as JSON; the export has each reading as it will be sent, with its device."""
    (status,) = lines(sensorpost("spool", "status", "--json"))
    count = status["devices"]["office"]["queued"]
    assert count >= 10
    assert status["path"] == str(filled)
    assert [(run["last_seq"], run["queued"], run["exact"]) for run in status["runs"]] == [
        ({"office": count}, count, True)
    ]
    text = sensorpost("spool", "status").stdout
    assert f"{filled}: " in text
    assert ["office", str(count), "0", "0"] in [line.split()[:4] for line in text.splitlines()]
    readings = lines(sensorpost("spool", "export"))
    assert [reading["seq"] for reading in readings] == list(range(1, count + 1))
    assert set(readings[0]) == {"device", "time", "run", "seq", "size"}
    assert lines(sensorpost("spool", "export", "--what", "kept")) == []


def test_dead_letters_without_a_gateway(sensorpost: Sensorpost, filled: Path) -> None:
    """Listed with the reason, tried again, deleted: the file is changed under its lock."""
    kill_some(filled, 3)
    first = lines(sensorpost("spool", "dead-letters", "--json"))[0]
    assert (first["device"], first["seq"], first["reason"]) == ("office", 1, "too large for the broker")
    assert (first["reading"]["size"], first["since"]) == (1, "2023-11-14T22:13:20.000Z")
    told = sensorpost("spool", "dead-letters")
    assert told.stdout.splitlines()[0].endswith("seq 1: too large for the broker")
    assert told.stderr == "sensorpost spool retry sends them again; spool purge dead deletes them\n"
    assert sensorpost("spool", "retry").stdout == "office: 3 readings will be sent again\n"
    assert lines(sensorpost("spool", "dead-letters", "--json")) == []
    kill_some(filled, 2)
    assert lines(sensorpost("spool", "purge", "dead", "--yes", "--json")) == [{"device": "office", "readings": 2}]
    (status,) = lines(sensorpost("spool", "status", "--json"))
    assert [(run["dead"], run["dropped"]) for run in status["runs"]] == [(0, 2)]
    again = sensorpost("spool", "purge", "dead", "--yes")
    assert (again.stdout, again.stderr) == ("", "there are none\n")


def test_waiting_readings_can_be_deleted(sensorpost: Sensorpost, filled: Path) -> None:
    """Never without being asked to; they count as dropped."""
    asked = sensorpost("spool", "purge", "queued")
    assert asked.returncode == 2
    assert "say --yes where nobody can be asked" in asked.stderr
    (before,) = lines(sensorpost("spool", "status", "--json"))
    assert sensorpost("spool", "purge", "queued", "--yes").returncode == 0
    (after,) = lines(sensorpost("spool", "status", "--json"))
    assert (after["devices"], after["oldest"]) == ({}, None)
    assert after["runs"][0]["dropped"] == before["runs"][0]["queued"]
    assert "nothing waits, nothing is dead, nothing is kept" in sensorpost("spool", "status").stdout
    assert filled.exists()


def test_what_cannot_be_done_is_said_in_one_line(sensorpost: Sensorpost, tmp_path: Path) -> None:
    """No spool yet, a broken one, nothing kept."""
    configure(tmp_path, free_port())
    spool = tmp_path / "state" / "spool.db"
    for command in (["status"], ["export"], ["retry"]):
        done = sensorpost("spool", *command)
        assert (done.returncode, done.stderr) == (
            1,
            f"sensorpost: {spool}: there is no spool yet; the gateway makes it at its first start\n",
        )
    done = sensorpost("spool", "resend", "--since", "1h")
    assert done.returncode == 1
    assert 'set [spool] keep, for example keep = "7d"' in done.stderr
    spool.parent.mkdir()
    spool.write_bytes(b"this is no database" * 100)
    for command in (["status"], ["retry"]):
        done = sensorpost("spool", *command)
        assert done.returncode == 1
        assert done.stderr.startswith(f"sensorpost: {spool}: file is not a database; ")
        assert done.stderr.count("\n") == 1


def test_through_the_running_gateway(
    sensorpost: Sensorpost, start: Start, make_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """What is kept goes out again as history; the ledger has it as waiting and then as acknowledged again."""
    broker = make_mosquitto()
    configure(tmp_path, broker.port, keep="1h")
    gateway = start("run")

    def figures() -> dict[str, int]:
        done = sensorpost("spool", "--json", "-c", "sensorpost.toml", "status")
        share = json.loads(done.stdout)["devices"].get("office", {}) if done.returncode == 0 else {}
        return {"queued": 0, "kept": 0, **share}

    wait_until(lambda: figures()["kept"] >= 20, 20.0, "readings that are kept")
    listener = subprocess.Popen(
        ["mosquitto_sub", "-p", str(broker.port), "-t", "sensorpost/attic/office/history", "-C", "1", "-W", "20"],
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: "office/history" in broker.log(), 20.0, "the subscription")
    done = lines(sensorpost("spool", "resend", "--since", "1h", "--json"))
    assert done[0]["device"] == "office"
    assert done[0]["readings"] >= 20
    out, _ = listener.communicate(timeout=30)
    history = json.loads(out)
    assert [reading["seq"] for reading in history[:5]] == [1, 2, 3, 4, 5]
    wait_until(lambda: figures()["queued"] < 5, 20.0, "all acknowledged again")
    purged = lines(sensorpost("spool", "purge", "kept", "--yes", "--json"))
    assert purged[0]["readings"] >= 20
    gateway.terminate()
    assert gateway.wait(30) == 0
