"""What is connected to this machine, and how each thing is read. Nothing here changes a device."""
