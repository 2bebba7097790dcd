"""Answers on their way to the broker."""

from __future__ import annotations

from gateway.delivery.commands.answers import MOST, Answers
from gateway.delivery.message import Message


def answer(number: int, topic: str = "a") -> Message:
    """One of them."""
    return Message(topic, str(number).encode(), retain=False)


def test_each_is_sent_in_its_order() -> None:
    """One of a topic at a time; those of another need not wait for it."""
    answers = Answers()
    assert not answers
    for one in (answer(1), answer(2), answer(3, "b")):
        answers.add(one)
    assert [answers.next_message(), answers.next_message(), answers.next_message()] == [answer(1), answer(3, "b"), None]
    answers.settled("a")
    assert answers.next_message() == answer(2)
    assert answers


def test_what_could_not_be_sent_is_the_next() -> None:
    """And a message that is none of ours is left to others."""
    answers = Answers()
    answers.add(answer(1))
    answers.add(answer(2))
    first = answers.next_message()
    assert first is not None
    assert answers.put_back(first)
    assert not answers.put_back(answer(9, "other"))
    assert answers.next_message() is first


def test_a_connection_that_breaks_loses_none() -> None:
    """What was in flight goes out again, before the others."""
    answers = Answers()
    for one in (answer(1), answer(2)):
        answers.add(one)
    answers.next_message()
    answers.closed()
    assert answers.next_message() == answer(1)
    answers.settled("a")
    assert answers.next_message() == answer(2)


def test_a_broker_that_is_away_fills_no_memory() -> None:
    """The oldest make room."""
    answers = Answers()
    for number in range(MOST + 10):
        answers.add(answer(number))
    first = answers.next_message()
    assert first is not None
    assert first.payload == b"10"
