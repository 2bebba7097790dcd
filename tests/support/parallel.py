"""The suite in several processes (pytest-xdist): how many, which tests first, and which of them alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.share import share
from support.turns import Turns

ALONE = "alone"
GATE = "SENSORPOST_TEST_GATE"
"""A folder. Runs of the suite that were given the same one leave each other's ``alone`` tests alone, too."""
IN_ONE = ("keyword", "long", "home_assistant", "lf", "trace", "collectonly")
"""Options of somebody who works on one thing, looks into it, or measures on an idle machine."""
_gate = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Have a share of the machine before the first test, and know when it is this process's turn."""
    share()
    gate = os.environ.pop(GATE, "")  # not for a suite that a test starts: it would wait for its own test
    config.stash[_gate] = gate = getattr(config, "workerinput", {}).get("gate", gate)
    if hasattr(config, "workerinput"):
        gate = gate or str(Path(config.option.basetemp).parent / "turns")  # all workers of this run have the parent
    if gate:
        config.pluginmanager.register(TakeTurns(Turns(Path(gate))), "sensorpost-turns")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker what this process was told."""
    node.workerinput["gate"] = node.config.stash[_gate]


class TakeTurns:
    """Runs each test when it is this process's turn. The waiting counts for no time limit."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Hold the room meanwhile, and between two tests that must both be alone."""
        self._turns.enter(alone=_alone(item))
        try:
            return (yield)
        finally:
            if not (_alone(item) and nextitem is not None and _alone(nextitem)):
                self._turns.leave()

    def pytest_unconfigure(self) -> None:
        """Give the files back."""
        self._turns.close()


def _alone(item: pytest.Item) -> bool:
    return item.get_closest_marker(ALONE) is not None


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What ``-n auto`` means here: most tests wait most of the time, so two for each processor, and 200 MB for each."""
    here = config.invocation_params.dir
    options = [name for name in IN_ONE if config.getoption(name, default=False)]
    several = worth_several([here / argument for argument in config.args], options)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(2 * len(os.sched_getaffinity(0)), memory // 200_000_000, 8)) if several else 0


def worth_several(chosen: Iterable[Path], options: Collection[str]) -> bool:
    """Whole folders are; a file, a test, or anything with an option that is ``IN_ONE`` goes into one process."""
    return not options and all(path.is_dir() for path in chosen)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: first what must be alone, then what takes long, so that nobody waits for it at the end."""
    if not hasattr(config, "workerinput"):
        return
    for item in filter(_alone, items):
        item.add_marker(pytest.mark.xdist_group(ALONE))
    items.sort(key=lambda item: (not _alone(item), item.get_closest_marker("slow") is None))
