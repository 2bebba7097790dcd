"""Simulated hardware: models of devices at wire level, in real or virtual time, with everything that can go wrong.

This is what a model of a device is made of; ``docs/simulation.md`` shows how.
"""

from gateway.simulation.clockwork import RealTime, VirtualTime
from gateway.simulation.faults import Faults
from gateway.simulation.hardware import SimulatedHardware
from gateway.simulation.model import I2CModel, Model, Nack, SPIModel
from gateway.simulation.pin import Pin
from gateway.simulation.program import Program
from gateway.simulation.registers import Fifo, RegisterChip, RegisterSPI
from gateway.simulation.serial_model import AnsweringSerial, SerialModel, StreamingSerial
from gateway.simulation.tree import FileModel
from gateway.simulation.world import World

__all__ = [
    "AnsweringSerial",
    "Faults",
    "Fifo",
    "FileModel",
    "I2CModel",
    "Model",
    "Nack",
    "Pin",
    "Program",
    "RealTime",
    "RegisterChip",
    "RegisterSPI",
    "SPIModel",
    "SerialModel",
    "SimulatedHardware",
    "StreamingSerial",
    "VirtualTime",
    "World",
]
