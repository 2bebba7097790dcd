"""What durability costs: ``PYTHONPATH=. python benchmarks/throughput.py [READINGS] [ROUNDS]``, default 30000 and 5.

Three contestants send the same readings of 100 devices to one mosquitto, QoS 1 and 1000 in flight, each in a process of
its own: a bare paho loop that encodes a reading, publishes it and waits when the window is full; our queue and
publisher with ``memory``; and with ``full``, where each reading is committed and synced before it is sent. They take
turns, and what is printed is readings a second from the first one to the last acknowledgement (median of the rounds)
and the ratio to the bare loop of the same round. The spool lies where ``TMPDIR`` says.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.app import Gateway
from gateway.config.load import loads
from gateway.delivery.payload import encode
from gateway.delivery.queue import DeviceQueue
from gateway.driver import Kind
from gateway.reading.reading import Reading, Sample

PORT = 18_932
DEVICES = 100
WINDOW = 1000
CONTESTANTS = ("paho", "memory", "full")


def bare_paho(count: int) -> float:
    """Readings a second of a loop that knows nothing but paho."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(0)
    room = threading.Semaphore(WINDOW)
    up = threading.Event()
    client.on_publish = lambda *_: room.release()
    client.on_connect = lambda *_: up.set()
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    up.wait()
    began = time.perf_counter()
    for number in range(count):
        device = f"m{number % DEVICES}"
        sample = Sample((("temperature", 21.5), ("humidity", 40.2)), time.time_ns(), time.monotonic_ns(), None)
        body = encode(Reading(device, "k7fp2qza", number // DEVICES + 1, Kind.SAMPLED, sample))
        room.acquire()
        client.publish(f"sensorpost/bench/{device}", body, qos=1, retain=True)
    for _ in range(WINDOW):
        room.acquire()
    took = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    return count / took


def publisher(count: int, durability: str, folder: Path) -> float:
    """Readings a second of our queue and publisher, fed by a thread as fast as there is room."""
    tables = "".join(f'[devices.m{number}]\ndriver = "mock"\nenabled = false\n' for number in range(DEVICES))
    settings = loads(
        f'[gateway]\nid = "bench"\nclock = "trusted"\n[mqtt]\nurl = "mqtt://127.0.0.1:{PORT}"\nlive_window = "1h"\n'
        f'[spool]\ndurability = "{durability}"\n{tables}'
    )
    gateway = Gateway(settings, state_dir=folder)
    queues: dict[str, DeviceQueue] = {name: gateway._roster.queue(name) for name in gateway._roster.boards()}  # noqa: SLF001 (in the readers' place)
    stop = threading.Event()
    runner = threading.Thread(target=gateway.run, args=(stop,))
    runner.start()
    while not gateway._link.up:  # noqa: SLF001
        time.sleep(0.01)
    generations = {name: queue.claim(Kind.SAMPLED) for name, queue in queues.items()}
    began = time.perf_counter()
    names = list(queues)
    for number in range(count):
        name = names[number % DEVICES]
        if number % 2000 == 0:
            while gateway._store.queued > 4000:  # noqa: SLF001
                time.sleep(0.001)
        sample = Sample((("temperature", 21.5), ("humidity", 40.2)), time.time_ns(), time.monotonic_ns(), None)
        queues[name].put(generations[name], sample)
    while sum(queue.ledger.snapshot().acked for queue in queues.values()) < count:
        time.sleep(0.002)
    took = time.perf_counter() - began
    stop.set()
    runner.join()
    dropped = sum(sum(queue.ledger.snapshot().dropped.values()) for queue in queues.values())
    assert dropped == 0, f"{dropped} dropped"
    return count / took


def contest(name: str, count: int) -> float:
    """One contestant in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(count)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--one"]:
        name, count = sys.argv[2], int(sys.argv[3])
        with tempfile.TemporaryDirectory() as folder:
            print(bare_paho(count) if name == "paho" else publisher(count, name, Path(folder)))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "broker.conf"
        config.write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        with subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL) as broker:
            time.sleep(0.3)
            rates: dict[str, list[float]] = {contestant: [] for contestant in CONTESTANTS}
            for _ in range(rounds):
                for contestant in CONTESTANTS:
                    rates[contestant].append(contest(contestant, count))
            broker.terminate()
    print("contestant  readings/s  ratio to paho (least to greatest)")
    for contestant, measured in rates.items():
        ratios = [one / bare for one, bare in zip(measured, rates["paho"], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{contestant:<10} {statistics.median(measured):>11.0f}  {spread}")


if __name__ == "__main__":
    main()
