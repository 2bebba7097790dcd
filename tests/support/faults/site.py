"""A broker, a gateway and the oracle that knows what is missing, for one test."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from typing import Any

from gateway.delivery.spool.view import View
from support.brokers import Mosquitto
from support.faults.configs import BASE, Fleet, config
from support.faults.gateway_process import GatewayProcess
from support.faults.oracle import Oracle, Verdict
from support.faults.recorder import Recorder
from support.faults.spool_content import read_spool
from support.waiting import wait_until

ORACLE_BROKER = (
    "log_type notice",  # the default of the suite, every packet, would be the slowest part
    "persistence true",
    "queue_qos0_messages true",
    "max_queued_messages 0",
)
"""For a mosquitto that may be killed without the oracle missing anything that was acknowledged.

What is published is in the subscriber's socket before it is acknowledged, and while it is away it is queued.
"""


class Site:
    """Nothing runs but the broker and the oracle until ``start``."""

    def __init__(
        self,
        folder: Path,
        devices: Fleet | str | None = None,
        *,
        broker: Mosquitto | None = None,
        host: str = "127.0.0.1",
        mqtt: str = "",
        more: str = "",
        **process: Any,
    ) -> None:
        """``host``: the broker as the gateway sees it. ``process``: see GatewayProcess."""
        self.broker = broker or Mosquitto(folder / "broker", *ORACLE_BROKER)
        if not self.broker.running:
            self.broker.start()
        self.recorder = Recorder(self.broker.port, BASE)
        self.oracle = Oracle()
        self.run_of_life: dict[int, str] = {}
        text = config(self.broker.port, devices or Fleet(), host=host, mqtt=mqtt, more=more)
        self.gateway = GatewayProcess(folder / "gateway", text, **process)

    def start(self, *, wait: bool = True) -> None:
        """Start the gateway; its copies are told from those of the one before."""
        self.recorder.begin_life()
        self.gateway.start(wait=wait)

    def kill(self) -> None:
        """SIGKILL to the gateway, and a look into what it leaves."""
        self.note_run()
        self.gateway.kill()
        self.oracle.look(read_spool(self.gateway.spool))

    def stop(self, timeout: float = 15.0) -> float:
        """SIGTERM to the gateway, which has to end with 0; the seconds that it took."""
        self.note_run()
        code, seconds = self.gateway.terminate(timeout)
        log = self.gateway.log()
        assert code == 0, f"exit code {code}:\n{log[-3000:]}"
        assert "Traceback" not in log, log[-3000:]
        self.oracle.look(read_spool(self.gateway.spool))
        return seconds

    def waiting(self) -> list[dict[str, Any]]:
        """The readings in the spool, oldest first, also while the gateway runs."""
        with contextlib.suppress(FileNotFoundError), View(self.gateway.spool) as view:
            return [entry.reading for entry in view.queued() if entry.reading is not None]
        return []

    def save_session(self) -> None:
        """Have the broker write its database now, so that it knows the oracle's session when it was killed."""
        database = self.broker.folder / "mosquitto.db"
        before = database.stat().st_mtime_ns if database.exists() else 0
        self.broker.send_signal(signal.SIGUSR1)
        wait_until(lambda: database.exists() and database.stat().st_mtime_ns > before, 20.0, "the broker's database")

    def restart_broker(self) -> None:
        """Start it again after ``broker.kill``; return when the oracle is subscribed."""
        before = self.recorder.subscriptions
        self.broker.start()
        self.recorder.wait_subscribed(before + 1)

    def drain(self, timeout: float = 60.0) -> None:
        """Start the gateway if need be, and wait until nothing of any earlier run waits in the spool."""
        if not self.gateway.running:
            self.start()
        self.recorder.wait_delivered(1, timeout)
        wait_until(self._drained, timeout, "no row of an earlier run in the spool")

    def finish(self, timeout: float = 60.0) -> Verdict:
        """Let everything drain, stop the gateway, and judge."""
        self.drain(timeout)
        self.stop()
        return self.judge()

    def judge(self) -> Verdict:
        """The verdict on what is known now, with no gateway running; waits for what is on its way to the oracle."""
        self.recorder.wait_quiet()
        return self.oracle.verdict(self.recorder.record, self.run_of_life)

    def close(self) -> None:
        """End whatever runs."""
        self.gateway.kill()
        self.recorder.close()
        self.broker.kill()

    def note_run(self) -> None:
        """The gateway is about to be ended by the test itself: remember which run this life was."""
        self.run_of_life[self.recorder.life] = self.gateway.run_id

    def _drained(self) -> bool:
        runs = self.recorder.gateway_says("runs")
        return runs is not None and all(run["queued"] == 0 for run in runs)
