"""gateway/simulation/visitors.py: who is there at which time."""

from __future__ import annotations

import random

from gateway.simulation.visitors import PAUSE, STAY, Visitors


def seen(seed: int, step: float = 0.05) -> list[str]:
    """Who is there, look by look; nobody is an empty text."""
    visitors = Visitors(random.Random(seed), "a", "b", "c")
    return ["".join(visitors(step * index)) for index in range(round(300 / step))]


def test_one_after_the_other_with_pauses() -> None:
    """Nobody at first; each for a while; all of them in time."""
    looks = seen(1)
    assert not any(looks[: round(PAUSE[0] / 0.05)])
    assert set(looks) == {"", "a", "b", "c"}
    lengths, last = [], ""
    for one in looks:
        if one != last:
            lengths.append((last, 0))
        last = one
        lengths[-1:] = [(last, lengths[-1][1] + 1)] if lengths else [(last, 1)]
    stays = [0.05 * count for who, count in lengths[:-1] if who]
    assert all(STAY[0] - 0.1 <= stay <= STAY[1] + 0.1 for stay in stays)


def test_the_same_for_a_seed() -> None:
    """Also when it is looked at less often; another one for another seed."""
    assert seen(1) == seen(1)
    assert seen(1)[::20] == seen(1, 1.0)
    assert seen(1) != seen(2)
