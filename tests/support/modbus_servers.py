"""Real Modbus servers (pymodbus): on a serial line, and on the network."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import free_port
from support.pty import PtyPair

Registers = Mapping[int, Mapping[int, Sequence[int]]]
"""Unit to address to the registers from there."""


@contextmanager
def serial_line(folder: Path, units: Registers, *, echo: bool = False) -> Iterator[PtyPair]:
    """A line with these devices; the port is for the driver. ``echo``: as of an adapter that hears itself."""
    ours, theirs = PtyPair(folder / "line"), PtyPair(folder / "devices")
    stop_reading, stop = os.pipe()
    wire = threading.Thread(target=_pass_on, args=(ours, theirs, stop_reading, frozenset(units), echo))

    def make(devices: list[Any]) -> Any:
        from pymodbus.server import ModbusSerialServer  # noqa: PLC0415 (slow, and few tests need it)

        return ModbusSerialServer(devices, port=theirs.path, baudrate=9600)

    try:
        with _running(make, units):
            wire.start()
            yield ours
    finally:
        os.write(stop, b"x")
        wire.join()
        os.close(stop)
        os.close(stop_reading)
        ours.unplug()
        theirs.unplug()


@contextmanager
def tcp_server(units: Registers) -> Iterator[int]:
    """A server with these devices; its port."""
    port = free_port()

    def make(devices: list[Any]) -> Any:
        from pymodbus.server import ModbusTcpServer  # noqa: PLC0415 (slow, and few tests need it)

        return ModbusTcpServer(devices, address=("127.0.0.1", port))

    with _running(make, units):
        yield port


@contextmanager
def _running(make: Callable[[list[Any]], Any], units: Registers) -> Iterator[None]:
    from pymodbus.simulator import DataType, SimData, SimDevice  # noqa: PLC0415 (slow, and few tests need it)

    devices = [
        SimDevice(
            id=unit,
            simdata=[
                SimData(address, values=list(values), datatype=DataType.REGISTERS) for address, values in blocks.items()
            ],
        )
        for unit, blocks in units.items()
    ]
    loop = asyncio.new_event_loop()
    started = threading.Event()
    servers: list[Any] = []

    async def serve() -> None:
        servers.append(make(devices))
        await servers[0].serve_forever(background=True)
        started.set()
        await servers[0].serving

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(10), "the Modbus server did not start"
        yield
    finally:
        asyncio.run_coroutine_threadsafe(servers[0].shutdown(), loop)
        thread.join(10)


def _pass_on(ours: PtyPair, theirs: PtyPair, stop: int, units: frozenset[int], echo: bool) -> None:  # noqa: FBT001 (private)
    """Be the two wires of the line. What is for a unit that is not there is not for the server, which would answer."""
    a, b = ours._master, theirs._master
    while stop not in (ready := select.select([a, b, stop], [], [])[0]):
        for one in ready:
            data = os.read(one, 4096)
            if one == b or data[0] in units:
                os.write(b if one == a else a, data)
            if echo and one == a:
                os.write(a, data)
