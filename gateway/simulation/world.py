"""Everything that is simulated in one run: the time, the buses, and the models on them."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.driver import DeviceUnavailable
from gateway.hardware.i2c import I2CHandle, Mux, the_mux
from gateway.hardware.i2c import make_buses as make_i2c_buses
from gateway.hardware.machine import Machine
from gateway.hardware.protocols import Pull
from gateway.hardware.serial import RealSerialPort
from gateway.hardware.shared_serial import Line, make_ports
from gateway.hardware.spi import SPIHandle
from gateway.hardware.spi import make_buses as make_spi_buses
from gateway.simulation.clockwork import RealTime, Time
from gateway.simulation.files import Files
from gateway.simulation.i2c import LIBRARY, SimulatedI2CBus
from gateway.simulation.line import SimulatedLine
from gateway.simulation.model import Model
from gateway.simulation.pin import Pin
from gateway.simulation.program import Program
from gateway.simulation.serial_model import SerialModel
from gateway.simulation.spi import SimulatedSelect
from gateway.simulation.tree import FileModel


class World:
    """One simulated machine, for all devices of a run. A model's ``attach`` puts its device into it."""

    def __init__(self, time: Time | None = None, seed: int = 1) -> None:
        self.time: Time = time or RealTime()
        self.seed = seed
        self.files = Files()
        """The machine's files, for all devices."""
        self._lock = threading.RLock()
        self._buses: dict[int, SimulatedI2CBus] = {}
        self._selects: dict[tuple[int, int], Any] = {}
        self._lines: dict[str, SimulatedLine] = {}
        self._pins: dict[int, Pin] = {}
        self._programs: dict[str, Program] = {}
        self.machine = Machine(
            i2c=make_i2c_buses(self._open_bus, library=LIBRARY),
            spi=make_spi_buses(self._open_select),
            shared_ports=make_ports(),
            open_port=self._open_port,
            open_input=self._open_input,
            open_output=self._open_output,
            start=self._start,
            sysfs=self.files,
            advice=lambda _: "",
        )

    def dice(self, name: str) -> random.Random:
        """Chance that is the same in every run with the same seed."""
        return random.Random(f"{self.seed}/{name}")  # noqa: S311 (repeatable is the point)

    # For models -------------------------------------------------------------------------------------------------------

    def connect(self, model: Model, options: Any) -> None:
        """Put a model where a driver's options say: ``port``, ``bus`` and ``address``, or ``bus`` and ``device``."""
        port = getattr(options, "port", None)
        if isinstance(model, FileModel):
            self.connect_files(model)
        elif isinstance(model, SerialModel):
            self.connect_serial(model, str(port))
        elif hasattr(options, "address"):
            mux, channel = getattr(options, "mux", None), getattr(options, "mux_channel", None)
            self.connect_i2c(model, options.bus, options.address, mux=mux, mux_channel=channel)
        elif hasattr(options, "device"):
            self.connect_spi(model, options.bus, options.device)
        else:
            raise TypeError(f"no place for {type(model).__name__} in {options}: use connect_i2c(...) and the like")

    def connect_i2c(
        self, model: Any, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None
    ) -> None:
        """Put an I2C chip on a bus; ``mux`` and ``mux_channel``: behind a TCA9548A."""
        where: Mux | None = the_mux(mux, mux_channel)
        model.joined(self.time, self.dice(f"i2c {bus} {address} {mux} {mux_channel}"))
        with self._lock:
            self._buses.setdefault(bus, SimulatedI2CBus(self.time)).connect(model, address, where)

    def connect_spi(self, model: Any, bus: int, device: int) -> None:
        """Put a chip behind a chip select; it has ``transfer``."""
        model.joined(self.time, self.dice(f"spi {bus} {device}"))
        with self._lock:
            self._selects[bus, device] = model

    def connect_serial(self, model: SerialModel, port: str) -> None:
        """Put a device on a serial line, beside others that are there already."""
        model.joined(self.time, self.dice(f"serial {port} {len(self._lines)}"))
        with self._lock:
            line = self._lines.setdefault(port, SimulatedLine(port, self.time))
            line.models.append(model)
            model.line = line

    def connect_files(self, model: FileModel) -> None:
        """Put the files of what the kernel has a driver for into the machine."""
        model.joined(self.time, self.dice(f"files {type(model).__name__}"))
        model.root = self.files
        model.power_on()

    def pin(self, number: int) -> Pin:
        """A pin of the header: ``set`` what is connected to it does, ``written`` and ``on_write`` for an output."""
        with self._lock:
            if number not in self._pins:
                self._pins[number] = Pin()
                self._pins[number].time = self.time.waiter()
            return self._pins[number]

    def add_program(self, name: str, program: Program) -> None:
        """Have a program that drivers can start by this name, or by the whole command with spaces in between."""
        program.time = self.time.waiter()
        self._programs[name] = program

    def disconnect(self, model: object) -> None:
        """Take a model off, wherever it is."""
        with self._lock:
            for bus in self._buses.values():
                bus.disconnect(model)
            self._selects = {place: one for place, one in self._selects.items() if one is not model}
            for line in self._lines.values():
                line.models = [one for one in line.models if one is not model]
        if isinstance(model, FileModel):
            model.unplug()

    # At the place of the libraries ------------------------------------------------------------------------------------

    def _open_bus(self, number: int) -> I2CHandle:
        with self._lock:
            if number not in self._buses:
                raise _missing()
            return self._buses[number]

    def _open_select(self, bus: int, device: int) -> SPIHandle:
        with self._lock:
            if (bus, device) not in self._selects:
                raise _missing()
            return SimulatedSelect(self._selects[bus, device])

    def _open_port(self, port: str, line: Line, timeout: float) -> RealSerialPort:
        with self._lock:
            found = self._lines.get(port) or SimulatedLine(port, self.time)  # without a device on it, it is gone
        return found.open(line, timeout)

    def _open_input(self, owner: str, pin: int, *, pull: Pull, active_low: bool, debounce: float) -> Pin:
        del owner
        opened = self.pin(pin)
        opened.open(pull=pull, active_low=active_low, debounce=debounce)
        return opened

    def _open_output(self, owner: str, pin: int, *, initial: bool, active_low: bool) -> Pin:
        del owner
        opened = self.pin(pin)
        opened.open(active_low=active_low)
        opened.write(initial)
        return opened

    def _start(self, command: Sequence[str], env: Mapping[str, str] | None, line_limit: int) -> Program:
        del line_limit
        program = self._programs.get(" ".join(command)) or self._programs.get(command[0])
        if program is None:
            raise DeviceUnavailable(f"there is no program {command[0]} in the simulation")
        program.open(command, env)
        return program


def _missing() -> OSError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
