"""When a device is polled."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.reading.schedule import SECOND, Schedule, share, spread

YEAR = 365 * 86_400 * SECOND
TEN = 1_800_000_000 * SECOND
"""An instant of the wall clock that is aligned to 10 s."""


class Walk:
    """Polls on a schedule, with both clocks at hand."""

    def __init__(self, schedule: Schedule, *, boot: int = 0, wall: int = TEN) -> None:
        self.schedule = schedule
        self.boot = boot
        self.shift = wall - boot
        self.missed = 0

    @property
    def wall(self) -> int:
        """The wall clock."""
        return self.boot + self.shift

    def sleep(self) -> None:
        """Until the next poll is due, in naps of 1 s."""
        while (due := self.schedule.adjust(self.boot, self.wall)) > self.boot:
            self.boot = min(due, self.boot + SECOND)

    def poll(self, takes: int = 0) -> int:
        """Sleep, read; the wall clock's instant of the poll."""
        self.sleep()
        at = self.wall
        self.boot += takes
        self.missed += self.schedule.advance(self.boot, self.wall)
        return at


def aligned(interval: int = 10, offset: int = 0, boot: int = 0) -> Schedule:
    """A schedule on the wall clock; times in seconds."""
    return Schedule(interval * SECOND, start=0, align=True, offset=offset * SECOND, boot=boot)


def test_share_is_spread_evenly() -> None:
    """Names that differ in one digit get phases that fill the whole interval, always the same ones."""
    shares = sorted(share(f"sensor-{number}") for number in range(100))
    assert all(0 <= one < 1 for one in shares)
    assert max(b - a for a, b in zip([0.0, *shares], [*shares, 1.0], strict=True)) < 0.1
    assert share("office") == share("office")
    assert 0 <= spread("office") <= 0.2 * SECOND


def test_first_poll_is_due_at_once_and_the_second_begins_the_grid() -> None:
    """The grid is start + phase + n x interval."""
    walk = Walk(Schedule(10 * SECOND, start=0, phase=7 * SECOND, boot=0))
    assert [walk.poll() - TEN for _ in range(4)] == [0, 7 * SECOND, 17 * SECOND, 27 * SECOND]


def test_second_poll_keeps_half_an_interval_from_the_first() -> None:
    """A phase of nearly nothing does not poll a device twice in quick succession."""
    walk = Walk(Schedule(10 * SECOND, start=0, phase=SECOND // 100, boot=0))
    assert [walk.poll() - TEN for _ in range(3)] == [0, 10_010_000_000, 20_010_000_000]


@given(st.lists(st.integers(0, 9 * SECOND), max_size=50))
def test_slow_reads_never_shift_the_grid(times: list[int]) -> None:
    """Every poll stays on its instant however long the earlier ones took, and none is missed below the interval."""
    walk = Walk(Schedule(10 * SECOND, start=0, phase=5 * SECOND, boot=0))
    walk.poll()
    for number, takes in enumerate(times):
        assert walk.poll(takes) - TEN == (5 + 10 * number) * SECOND
    assert walk.missed == 0


def test_missed_polls_are_counted_and_never_caught_up() -> None:
    """A read of 25 s at an interval of 10 s misses two polls; the next one is on the grid."""
    walk = Walk(Schedule(10 * SECOND, start=0, phase=0, boot=0))
    walk.poll()
    walk.poll(takes=25 * SECOND)
    assert walk.missed == 2
    assert walk.poll() - TEN == 40 * SECOND
    assert walk.missed == 2


def test_an_hour_of_sleep_costs_one_late_poll() -> None:
    """After SIGSTOP or suspend one poll comes at once, then the grid."""
    walk = Walk(Schedule(10 * SECOND, start=0, phase=0, boot=0))
    walk.poll()
    walk.boot += 3600 * SECOND + 1
    assert walk.poll() - TEN == 3600 * SECOND + 1
    assert walk.poll() - TEN == 3610 * SECOND
    assert walk.missed == 359


def test_reopened_device_is_polled_at_once_and_returns_to_the_grid() -> None:
    """The time without a device is not counted as missed."""
    schedule = Schedule(10 * SECOND, start=0, phase=3 * SECOND, boot=0)
    walk = Walk(schedule)
    walk.poll()
    walk.boot = 1000 * SECOND
    schedule.begin(walk.boot)
    assert [walk.poll() - TEN for _ in range(2)] == [1000 * SECOND, 1013 * SECOND]
    assert walk.missed == 0


def test_aligned_polls_are_on_the_wall_clock() -> None:
    """10:00:00, 10:00:10 and so on after a first poll at once; `offset` moves them."""
    walk = Walk(aligned(), wall=TEN + 3_700_000_000)
    assert [walk.poll() - TEN for _ in range(3)] == [3_700_000_000, 10 * SECOND, 20 * SECOND]
    walk = Walk(aligned(offset=2), wall=TEN + 3_700_000_000)
    assert [walk.poll() - TEN for _ in range(3)] == [3_700_000_000, 12 * SECOND, 22 * SECOND]


def test_aligned_slow_read_misses() -> None:
    """The same rule as on the grid."""
    walk = Walk(aligned())
    walk.poll()
    walk.poll(takes=25 * SECOND)
    assert walk.missed == 2
    assert walk.poll() - TEN == 40 * SECOND


def test_aligned_polls_survive_any_jump_of_the_wall_clock() -> None:
    """A jump by a second or a year, forward or back, costs at most two intervals of silence and one extra poll."""
    for jump in (-YEAR, -3600 * SECOND, -12 * SECOND, -3 * SECOND, 3 * SECOND, 12 * SECOND, 3600 * SECOND, YEAR, 7):
        for nap in range(1, 10):
            walk = Walk(aligned())
            polls = []
            for number in range(12):
                if number == 5:
                    walk.boot += nap * SECOND
                    walk.shift += jump
                walk.poll()
                polls.append(walk.boot)
            gaps = [b - a for a, b in itertools.pairwise(polls)]
            assert max(gaps) <= 20 * SECOND, jump
            assert sum(gap < 9 * SECOND for gap in gaps) <= 1, jump
            assert walk.missed == 0, jump
            assert walk.wall % (10 * SECOND) == 0, jump


def test_aligned_hourly_polls_notice_a_jump_while_they_wait() -> None:
    """The clock is set ten minutes before a poll that is due in an hour: the poll is at the new full hour."""
    hour = 3600 * SECOND
    walk = Walk(Schedule(hour, start=0, align=True, boot=0), wall=TEN + hour - TEN % hour)
    walk.poll()
    walk.boot += 600 * SECOND
    walk.shift += 40 * 60 * SECOND
    at = walk.poll()
    assert at % hour == 0
    assert walk.boot == 1200 * SECOND


def test_wall_clock_that_is_set_again_and_again_cannot_silence_a_device() -> None:
    """Set back by 6 s every second, it still is polled within two intervals."""
    walk = Walk(aligned())
    walk.poll()
    begun = walk.boot
    while walk.schedule.adjust(walk.boot, walk.wall) > walk.boot:
        walk.boot += SECOND
        walk.shift -= 6 * SECOND
    assert walk.boot - begun <= 20 * SECOND


@given(st.integers(-400, 400))
def test_slewed_wall_clock_neither_doubles_nor_skips_a_poll(parts: int) -> None:
    """With a wall clock that runs up to 400 ppm off, as NTP makes it, a minute's polls stay one per instant."""
    walk = Walk(aligned(interval=60))
    polls = []
    for _ in range(30):
        before = walk.boot
        polls.append(walk.poll())
        walk.shift += (walk.boot - before) * parts // 1_000_000
    instants = [math.floor(at / (60 * SECOND) + 0.5) for at in polls]
    assert [b - a for a, b in itertools.pairwise(instants)] == [1] * 29
    assert walk.missed == 0
