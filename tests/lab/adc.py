"""An MCP3008 on SPI: what somebody writes for a chip that no bundled driver knows."""

from gateway.driver import Channel, Driver, SPIDevice, SPIOptions, Values


class Adc(Driver[SPIOptions]):
    """See above."""

    options_type = SPIOptions
    channels = (Channel("level"),)
    chip: SPIDevice

    def open(self) -> None:
        """Open the device."""
        self.chip = self.spi(self.options.bus, self.options.device)

    def read(self) -> Values:
        """Channel 0, single ended."""
        answer = self.chip.transfer(bytes([1, 0x80, 0]))
        return {"level": (answer[1] & 3) << 8 | answer[2]}
