"""TLS towards the broker, and why a connection could not be made, in words for people."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path


class Unusable(Exception):
    """A file that the configuration names cannot be used; the text says which and why."""


def tls_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """A verifying context, TLS 1.2 or newer. The same one until a file changes: reading them is slow on a Pi.

    So a certificate that was renewed, or the system's authorities after an upgrade, count from the next connection on.
    """
    system = ssl.get_default_verify_paths()
    files = [ca_file] if ca_file else [system.cafile, system.capath]
    stamps = tuple(_stamp(Path(file)) for file in (*files, cert_file, key_file) if file)
    return _context(ca_file, cert_file, key_file, stamps)


@lru_cache(maxsize=4)
def _context(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None, _stamps: tuple[object, ...]
) -> ssl.SSLContext:
    with _naming("ca_file", ca_file):
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 refuses authorities whose certificate does not say what its key is for. Those that mosquitto's own
    # guide makes (mosquitto-tls(7)) do not, and every Python before took them. It is about form: trust is checked.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if cert_file:
        with _naming("cert_file and key_file", cert_file):
            context.load_cert_chain(cert_file, key_file)
    return context


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What is different once the file is another one, or has another content."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


@contextlib.contextmanager
def _naming(key: str, path: Path | None) -> Iterator[None]:
    """What goes wrong here is told with the setting and the file that are the cause."""
    try:
        yield
    except OSError as exc:  # SSLError is one
        raise Unusable(f"TLS: {key} {path}: {explain(exc).removeprefix('TLS: ')}") from exc


def explain(error: BaseException) -> str:
    """Why a connection could not be made, in a few words."""
    if isinstance(error, socket.gaierror):
        return f"host name not found ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: the broker's certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer within the connect timeout"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"
