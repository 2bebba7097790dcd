"""From a driver's ``read`` to the queue: schedule, reader thread, transform, supervisor."""
