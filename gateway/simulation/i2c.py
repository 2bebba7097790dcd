"""An I2C bus of a simulation, at the place of smbus2: chips, and multiplexers where devices are behind one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import NamedTuple

from gateway.hardware.i2c import Library, Mux
from gateway.simulation.clockwork import Time
from gateway.simulation.model import I2CModel, Nack

HANG = 1.0
"""Seconds after which the kernel gives up a bus that does not move."""


class Message:
    """What is sent or received under one address, with the names of smbus2."""

    def __init__(self, address: int, data: bytes, *, reading: bool) -> None:
        self.address = address
        self.data = data
        self.reading = reading

    @classmethod
    def write(cls, address: int, data: bytes) -> Message:
        """A message that sends."""
        return cls(address, bytes(data), reading=False)

    @classmethod
    def read(cls, address: int, size: int) -> Message:
        """A message that receives."""
        return cls(address, bytes(size), reading=True)

    def __iter__(self) -> Iterator[int]:
        return iter(self.data)


LIBRARY = Library(lambda: Message, lambda _bus, _address: None)


class _Place(NamedTuple):
    model: I2CModel
    address: int
    mux: Mux | None


class SimulatedI2CBus:
    """One bus. It is its own handle: opening and closing it changes nothing."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._places: list[_Place] = []
        self._channels: dict[int, int] = {}
        """The channels that each multiplexer leads to, as its register has them."""

    def connect(self, model: I2CModel, address: int, mux: Mux | None) -> None:
        """Put a chip on the bus, or behind a multiplexer, which is there then as well."""
        self._places.append(_Place(model, address, mux))
        if mux is not None:
            self._channels.setdefault(mux.address, 0)

    def disconnect(self, model: object) -> None:
        """Take it off."""
        self._places = [place for place in self._places if place.model is not model]

    def i2c_rdwr(self, *messages: Message) -> None:
        """Send and receive. ``OSError`` as from the kernel."""
        for message in messages:
            if any(place.model.faults.locked for place in self._places):
                self._time.waiter().wait(HANG)
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            try:
                self._carry(message)
            except Nack:
                raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO)) from None

    def close(self) -> None:
        """Nothing to close."""

    def _carry(self, message: Message) -> None:
        if message.address in self._channels:
            if message.reading:
                message.data = bytes([self._channels[message.address]]) * len(message.data)
            elif message.data:
                self._channels[message.address] = message.data[-1]
            return
        there = [place.model for place in self._places if self._is_reached(place, message.address)]
        if not there:
            raise Nack
        if not message.reading:
            for model in there:
                model.write(message.data)
            return
        answers = [self._said(model, len(message.data)) for model in there]
        message.data = bytes(self._together(column) for column in zip(*answers, strict=True))

    def _is_reached(self, place: _Place, address: int) -> bool:
        if place.address != address or place.model.faults.dead:
            return False
        return place.mux is None or bool(self._channels[place.mux.address] >> place.mux.channel & 1)

    @staticmethod
    def _said(model: I2CModel, size: int) -> bytes:
        said = model.read(size)
        if len(said) != size:
            raise AssertionError(f"{type(model).__name__}.read({size}) returned {len(said)} bytes")
        return model.faults.spoil(said)

    @staticmethod
    def _together(column: tuple[int, ...]) -> int:
        """What is on the wire when several talk at once: whoever pulls it low wins."""
        value = 0xFF
        for byte in column:
            value &= byte
        return value
