"""What the tests share: brokers, ptys, a subscriber, virtual time, and the watch for leaks.

Tests import the types from here (``from support import FakeClock, Mosquitto``) and ask for the fixtures by name; they
are in :mod:`support.plugin`, which ``tests/conftest.py`` loads.
"""

from support.brokers import Broker, Mosquitto, Nats
from support.clock import FakeClock
from support.environment import unwatched
from support.pty import PtyPair
from support.share import free_port
from support.subscriber import Message, Subscriber
from support.waiting import wait_until

__all__ = [
    "Broker",
    "FakeClock",
    "Message",
    "Mosquitto",
    "Nats",
    "PtyPair",
    "Subscriber",
    "free_port",
    "unwatched",
    "wait_until",
]
