"""TLS: certificate and host name are always checked, on each kind of connection, and nothing switches that off."""

from __future__ import annotations

import ast
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.faults import Fleet, GatewayProcess, config
from support.faults.certificates import Authority
from support.waiting import wait_until

from gateway.delivery.tls import tls_context

ROOT = Path(__file__).resolve().parents[2]
Serve = Callable[[tuple[Path, Path]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer handshakes with a certificate, on a port; what a client sends afterwards is kept in ``serve.heard``."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(pair: tuple[Path, Path], oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.minimum_version = oldest
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    client.settimeout(5)
                    with client, suppress(OSError), context.wrap_socket(client, server_side=True) as secure:
                        heard.append(secure.recv(1000))

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return int(listener.getsockname()[1])

    heard: list[bytes] = []
    start.heard = heard  # type: ignore[attr-defined]
    yield start
    for listener in listeners:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(10)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("scheme", ["mqtts", "wss"])
def test_a_bad_certificate_is_told_nothing(
    serve: Serve, tmp_path: Path, make_gateway: Callable[[str], GatewayProcess], scheme: str
) -> None:
    """Neither the user nor the password reaches it, and the log says what is wrong; over websockets, too."""
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    ports = serve(ours.issue("x", address="IP:192.0.2.1")), serve(other.issue("y"))
    urls = [f"{scheme}://127.0.0.1:{port}" for port in ports]
    text = config(0, Fleet(devices=1, rate=5), mqtt=f'ca_file = "{ours.file}"\nusername = "pi"\npassword = "hunter2"')
    gateway = make_gateway(text.replace('url = "mqtt://127.0.0.1:0"', f"urls = {urls}"))
    gateway.start()
    gateway.wait_log(f":{ports[0]}.*certificate is not accepted .*mismatch", 20.0)
    gateway.wait_log(f":{ports[1]}.*certificate is not accepted .*issuer", 20.0)
    assert gateway.terminate()[0] == 0
    assert b"".join(serve.heard) == b""  # type: ignore[attr-defined]


def test_the_context_verifies() -> None:
    """The system's authorities where none are given; no version before 1.2."""
    context = tls_context(None, None, None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.needs("openssl")
def test_an_authority_made_at_home_is_accepted(serve: Serve, tmp_path: Path) -> None:
    """One as mosquitto's guide makes it, which Python 3.13 by itself refuses: its certificate names no key usage."""
    ours = Authority(tmp_path / "ours")
    port = serve(ours.issue("broker"))
    context = tls_context(ours.file, None, None)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(b"hello")
    wait_until(lambda: serve.heard == [b"hello"])  # type: ignore[attr-defined]


@pytest.mark.needs("openssl")
def test_an_authority_that_is_named_is_the_only_one(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a certificate of one that the system trusts is not the broker at home."""
    ours, public = Authority(tmp_path / "ours"), Authority(tmp_path / "public")
    monkeypatch.setenv("SSL_CERT_FILE", str(public.file))
    port = serve(public.issue("broker"))
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        tls_context(None, None, None).wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.version()
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="issuer"),
    ):
        tls_context(ours.file, None, None).wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.needs("openssl")
def test_a_renewed_file_counts_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    """The same context while the files are the same; another one when one of them was replaced under its name."""
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(old.file.read_bytes())
    port = serve(new.issue("broker"))
    before = tls_context(trusted, None, None)
    assert tls_context(trusted, None, None) is before
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="issuer"),
    ):
        before.wrap_socket(plain, server_hostname="127.0.0.1")
    (tmp_path / "next.pem").write_bytes(new.file.read_bytes())
    (tmp_path / "next.pem").replace(trusted)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        tls_context(trusted, None, None).wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.version()


def test_no_key_switches_it_off() -> None:
    """Nothing in the configuration is called insecure, verify or the like."""
    schema = (ROOT / "config" / "sensorpost.schema.json").read_text()
    keys = set(json.loads(schema)["properties"]["mqtt"]["properties"])
    assert "ca_file" in keys
    assert not [key for key in keys if re.search(r"insecure|verify|check|self_signed|tls_version", key)]


def test_no_line_switches_it_off() -> None:
    """Not anywhere in our sources."""
    names = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "tls_insecure_set", "check_hostname"}
    for room in ("gateway", "drivers"):
        for path in (ROOT / room).rglob("*.py"):
            used = {node.attr for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Attribute)}
            assert not used & names, path
