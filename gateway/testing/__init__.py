r"""The kit for driver authors: run one driver without threads, on hardware that a test has made up.

::

    from gateway.testing import DriverHarness, FakeHardware, FakeSerial, check_driver

    def test_reads_a_line():
        port = FakeSerial()
        with DriverHarness(Thermometer, hardware=FakeHardware(ports={"/dev/ttyUSB0": port}), port="/dev/ttyUSB0") as it:
            port.feed(b"21.5\n")
            assert it.read() == {"temperature": 21.5}

Waiting is virtual: a ``read`` that waits a second for a silent port returns at once, and ``elapsed()`` says that a
second has passed. ``docs/writing-a-driver.md`` has more.
"""

from gateway.testing.checks import check_driver, check_result
from gateway.testing.fake_gpio import FakeGPIO
from gateway.testing.fake_i2c import FakeI2C
from gateway.testing.fake_process import FakeProcess
from gateway.testing.fake_serial import FakeSerial
from gateway.testing.fake_spi import FakeSPI
from gateway.testing.fake_sysfs import FakeSysfs
from gateway.testing.fake_time import FakeTime
from gateway.testing.fakes import FakeHardware
from gateway.testing.harness import DriverHarness, Simulated, build_options, load_driver

__all__ = [
    "DriverHarness",
    "FakeGPIO",
    "FakeHardware",
    "FakeI2C",
    "FakeProcess",
    "FakeSPI",
    "FakeSerial",
    "FakeSysfs",
    "FakeTime",
    "Simulated",
    "build_options",
    "check_driver",
    "check_result",
    "load_driver",
]
