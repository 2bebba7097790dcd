"""From the queue to the broker: queue, store, publisher, MQTT."""
