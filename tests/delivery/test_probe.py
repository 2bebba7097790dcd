"""Finding the reading that makes a broker drop the connection, without a broker."""

from __future__ import annotations

from gateway.delivery.lanes import CHUNK_ROWS, Send, Way
from gateway.delivery.probe import MOMENT_NS, MOST_SUSPECTS, Probe
from gateway.delivery.store import Row
from gateway.driver import Kind


def send(*ids: int) -> Send:
    """A message with these rows."""
    rows = tuple(Row(i, "d", "r", i, Kind.SAMPLED, "B/d", True, False, b"{}", 0) for i in ids)
    return Send(Way.LATE if len(rows) > 1 else Way.LIVE, "B/d", b"{}", retain=False, rows=rows, device="d")


def control(topic: str = "B/gateway/state") -> Send:
    """A message without readings."""
    return Send(Way.CONTROL, topic, b"online", retain=True)


def test_a_drop_without_readings_in_flight_means_nothing() -> None:
    """A connection that ends while only status is under way leaves the window as it is."""
    probe = Probe()
    message = control()
    assert probe.dropped([message]) == [message]
    assert probe.window(1000) == 1000


def test_a_drop_narrows_the_window_and_acknowledgements_widen_it() -> None:
    """One at a time after a drop, then twice as many with each acknowledgement."""
    probe = Probe()
    probe.dropped([send(1), send(2)])
    widths = []
    for _ in range(12):
        widths.append(probe.window(1000))
        assert probe.acked() == []
    assert widths == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]


def test_arrays_are_halved_until_one_reading_is_left() -> None:
    """The reading at fault is found inside an array, too."""
    probe = Probe()
    sizes = []
    while probe.chunk > 1:
        probe.dropped([send(*range(1, probe.chunk + 1))])
        sizes.append(probe.chunk)
    assert sizes == [50, 25, 12, 6, 3, 1]


def test_the_third_drop_makes_a_suspect_and_the_next_acknowledgement_a_dead_letter() -> None:
    """Alone in flight at three drops, and then another was acknowledged."""
    probe = Probe()
    poison = send(7)
    assert probe.dropped([poison]) == [poison]
    assert probe.dropped([poison]) == [poison]
    assert probe.dropped([poison]) == []
    assert probe.set_aside == {7}
    assert probe.acked() == [poison]
    assert probe.set_aside == set()


def test_an_acknowledgement_in_between_does_not_excuse_it() -> None:
    """Other readings that pass while the window is still narrow prove nothing for the one at fault."""
    probe = Probe()
    poison = send(7)
    for _ in range(2):
        probe.dropped([poison])
        assert probe.acked() == []
    assert probe.dropped([poison]) == []


def test_a_broker_that_takes_nothing_kills_no_reading() -> None:
    """Suspects without any acknowledgement after them go back."""
    probe = Probe()
    suspects = [send(i) for i in range(1, MOST_SUSPECTS + 1)]
    for suspect in suspects:
        for _ in range(3):
            probe.dropped([suspect])
    assert probe.acquitted(nothing_else=False) == suspects
    assert probe.set_aside == set()
    assert probe.acquitted(nothing_else=True) == []


def test_a_lonely_suspect_goes_back_when_nothing_else_is_left() -> None:
    """With nothing else to send there is nothing that could prove it."""
    probe = Probe()
    for _ in range(3):
        probe.dropped([send(1)])
    assert probe.acquitted(nothing_else=False) == []
    assert len(probe.acquitted(nothing_else=True)) == 1


def test_a_long_good_time_forgets_strikes() -> None:
    """Two drops years apart do not add up."""
    probe = Probe()
    once = send(1)
    probe.dropped([once])
    probe.dropped([once])
    for _ in range(20):
        probe.acked()
    assert probe.chunk == CHUNK_ROWS
    assert probe.dropped([once]) == [once]


def test_what_is_acknowledged_before_each_drop_is_found_and_nothing_beside_it() -> None:
    """As mosquitto does with MQTT 3.1.1: PUBACK, then the end; what was sent in between has no part in it."""
    probe = Probe()
    large, innocent = control("B/large"), control()
    probe.answered(large, 0)
    probe.dropped([innocent], 1)
    for _ in range(2):
        assert probe.may_send(0)
        probe.answered(large, 0)
        assert not probe.may_send(1)
        probe.dropped([], 1)
    assert probe.muted == {"B/large"}
    assert probe.may_send(2)


def test_what_the_connection_outlives_is_acquitted() -> None:
    """The one that was acknowledged before a drop was only near: after its moment on trial the next one may go."""
    probe = Probe()
    near, poison = control(), control("B/poison")
    for number in range(3):
        probe.answered(near, 0)
        assert probe.may_send(1) == (number != 1)
        assert probe.may_send(MOMENT_NS)
        probe.dropped([poison], 1 if number == 0 else MOMENT_NS)
    assert probe.muted == {"B/poison"}
