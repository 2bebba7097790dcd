"""All checks, one after the other in few words, each bounded in time and none in the way of another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Thread

from gateway import threads
from gateway.doctor import (
    broker,
    buses,
    clock,
    configuration,
    kernel,
    libraries,
    power,
    rights,
    service,
    spool,
    uart,
    usb,
)
from gateway.doctor.finding import Finding, State, unknown
from gateway.doctor.machine import Unseen
from gateway.doctor.patient import Patient

log = logging.getLogger(__name__)

PATIENCE = 7.0
"""Seconds for all of them together; they run at the same time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong."""

    name: str
    fine: str
    """What is said when nothing is."""
    look: Callable[[Patient], Iterable[Finding]]


CHECKS = (
    Check("configuration", "the configuration is valid", configuration.configuration),
    Check("spi", "SPI is there for who needs it", buses.spi),
    Check("i2c", "I2C is there for who needs it", buses.i2c),
    Check("onewire", "1-Wire is there for who needs it", buses.onewire),
    Check("overlays", "the kernel has the chips that it is to read", kernel.overlays),
    Check("clock-stretching", "no chip that this machine's I2C cannot bear", buses.clock_stretching),
    Check("serial-port", "the header's serial port is there for who needs it", uart.port),
    Check("serial-console", "no console or login on a port that a device uses", uart.console),
    Check("bluetooth", "no port that Bluetooth has, or that lacks what a device needs", uart.bluetooth),
    Check("usb-twins", "USB adapters can be told apart", usb.twins),
    Check("usb-names", "no port is configured by a number that changes", usb.names),
    Check("groups", "the gateway's user may use every device file", rights.groups),
    Check("secrets", "nobody else can read a secret", rights.secrets),
    Check("state-directory", "the state directory is the gateway's alone", rights.state),
    Check("drivers-dir", "nobody else can write drivers", rights.drivers_dir),
    Check("libraries", "what the drivers import is installed", libraries.missing),
    Check("gpio-library", "no RPi.GPIO in the way", libraries.gpio),
    Check("mfrc522-package", "one package at most is the module mfrc522", libraries.mfrc522),
    Check("power", "the supply voltage is good, and was since the start", power.supply),
    Check("temperature", "the processor is not too hot", power.heat),
    Check("disk-space", "there is room for the spool", power.card),
    Check("read-only", "the disk can be written", power.writable),
    Check("clock", "the clock can be believed", clock.clock),
    Check("rtc", "there is a clock that goes on without power", clock.rtc),
    Check("broker", "every broker lets us in and publish, and nobody else has our id", broker.broker),
    Check("encryption", "no password goes through the network in plain text", broker.plain_text),
    Check("spool", "the spool is in order", spool.spool),
    Check("spool-lock", "no other gateway has the spool", spool.sharing),
    Check("service", "the service is in order", service.service),
)
"""In the order of the report."""


@dataclass
class _Visit:
    check: Check
    patient: Patient
    found: list[Finding] = field(default_factory=list)
    thread: Thread | None = None

    def run(self) -> None:
        """In a thread of its own."""
        try:
            self.found.extend(self.check.look(self.patient))
        except Unseen as error:
            self.found.append(unknown(f"no right to look at {error}", "sudo sensorpost doctor"))
        except Exception as error:  # whatever it is, the other checks are to be made
            log.debug("the check %s failed", self.check.name, exc_info=True)
            text = " ".join(str(error).split())
            self.found.append(unknown(f"could not be looked at: {type(error).__name__}: {text}"))

    def findings(self) -> Iterator[Finding]:
        """What it has found until now; one that all is well where that is nothing."""
        found = list(self.found)
        if self.thread is not None and self.thread.is_alive():
            found.append(unknown("did not end in time"))
        for finding in found or [Finding(State.OK, self.check.fine)]:
            yield replace(finding, check=self.check.name)


def examine(patient: Patient, checks: Sequence[Check] = CHECKS, patience: float = PATIENCE) -> list[Finding]:
    """Make every check; the findings in the order of the checks. Nothing is changed. Ends within ``patience`` seconds.

    A check that hangs is told and left behind in its thread.
    """
    visits = [_Visit(check, patient) for check in checks]
    for visit in visits:
        visit.thread = threads.start(f"doctor {visit.check.name}", visit.run)
    deadline = time.monotonic() + patience
    for visit in visits:
        assert visit.thread is not None
        visit.thread.join(max(0.0, deadline - time.monotonic()))
    return [finding for visit in visits for finding in visit.findings()]
