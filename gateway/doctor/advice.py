"""What to do about a broker that was not reached, or does not let us in. For ``doctor`` and ``init``."""

from __future__ import annotations

from gateway.config.settings import Endpoint
from gateway.delivery.trial import Trial

LOCAL = ("localhost", "127.0.0.1", "::1")


def advice(trial: Trial, endpoint: Endpoint, username: str | None) -> str:
    """One line, with something to paste where there is."""
    host, port = endpoint.host, endpoint.port
    match trial.failed_at:
        case "name":
            way = "An IP address in url works without names"
            return f"getent hosts {host}; is the name right, and is there a network? {way}"
        case "tls":
            return _tls(trial.reason, f"openssl s_client -connect {host}:{port} </dev/null")
        case "login":
            return _login(username)
        case "network":
            return _network(host, port)
    return f"is it an MQTT broker that listens on port {port}? With TLS the url begins with mqtts:// or wss://"


def _login(username: str | None) -> str:
    if username is None:
        return 'username = "..." and password = { file = "..." } in [mqtt]: this broker wants them'
    way = f"sudo mosquitto_passwd /etc/mosquitto/passwd {username} && sudo systemctl reload mosquitto"
    return f"is it the password of {username} at this broker? A new one, where that is mosquitto: {way}"


def _network(host: str, port: int) -> str:
    if host in LOCAL:
        way = "sudo apt install -y mosquitto && sudo systemctl enable --now mosquitto"
        return f"{way}; or the url of another broker in [mqtt]"
    listens = f"does it listen for others than its own machine (mosquitto: listener {port} 0.0.0.0)?"
    return f"nc -vz {host} {port}; does the broker run, and {listens}"


def _tls(reason: str, look: str) -> str:
    words = reason.lower()
    if "mismatch" in words or "not valid for" in words:
        return f"the certificate is for another name: {look} shows which; use that in url"
    if "self-signed" in words or "self signed" in words or "unable to get" in words:
        return 'ca_file = "/etc/sensorpost/ca.pem" in [mqtt]: the authority that signed the broker\'s certificate'
    if "expired" in words or "not yet valid" in words:
        return "date: is this machine's clock right? Else the broker needs a new certificate"
    return f"{look}: is that the broker's port for TLS?"
