"""Odd surroundings: no streams, a log that nobody reads, no home, a folder that is gone, a locale without ü (60)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.faults import Fleet, Site

MakeSite = Callable[..., Site]
ODDITIES: Mapping[str, str] = {
    "umask": "umask 000",
    "locale": "export LC_ALL=C LANG=C PYTHONUTF8=0",
    "zone": "export TZ=Asia/Kathmandu",
    "home": "unset HOME",
    "folder": "mkdir gone && cd gone && rmdir ../gone",
    "closed": "exec >&- 2>&-",
    "unread": "mkfifo unread && exec 9<>unread 2>unread && head -c 65536 /dev/zero >&9",
    "full": "exec >/dev/full 2>/dev/full",
}
"""What a shell does before it becomes the gateway."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("umask", "locale", "zone", "home", "folder", "closed"),
        *(pytest.param((name,), marks=pytest.mark.long) for name in ODDITIES if name not in ("full", "unread")),
        ("full",),
        ("unread",),
    ],
    ids="+".join,
)
def test_it_works_in_odd_surroundings(make_site: MakeSite, names: tuple[str, ...]) -> None:
    """Readings arrive, the stop is clean, and its files are for nobody else."""
    script = "; ".join(ODDITIES[name] for name in names)
    devices = Fleet(devices=1, rate=20, more='name = "Küche"').text()
    site = make_site(devices, wrap=("sh", "-c", f'{script}; exec "$@"', "sh"))
    site.start(wait=False)
    site.recorder.wait_delivered(10)
    names_told = [device["name"] for device in site.recorder.gateway_says("devices").values()]
    site.stop()
    verdict = site.judge()
    assert names_told == ["Küche"]
    assert (verdict.lost, verdict.violations) == ([], [])
    files = [path for path in site.gateway.state_dir.iterdir() if path.is_file()]
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in files} == {path.name: "0o0" for path in files}
    assert oct(site.gateway.state_dir.stat().st_mode & 0o077) == "0o0"
    assert Path(site.gateway.spool).stat().st_size > 0
