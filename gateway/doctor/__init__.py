"""What is wrong on this machine, each with its fix: ``sensorpost doctor``."""
