"""sensorpost: reads the sensors on a Raspberry Pi and puts every reading on MQTT."""

__version__ = "0.1.0"
