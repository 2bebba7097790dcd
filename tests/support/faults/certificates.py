"""Certificates of every kind of wrongness, made with openssl: ``@pytest.mark.needs("openssl")``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.capabilities import program

_CONFIG = """
[ca]
default_ca = ours
[ours]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
LONG = ("20200101000000Z", "20991231235959Z")
OVER = ("20200101000000Z", "20210101000000Z")
TO_COME = ("20900101000000Z", "20991231235959Z")
"""What a good certificate looks like to a machine that believes it is 1970."""


class Authority:
    """A certificate authority in a folder of its own; ``file`` is what clients are to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.file = folder / "ca.pem"
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        (folder / "ca.cnf").write_text(_CONFIG.format(folder=folder))
        self._openssl("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")

    def issue(self, name: str, valid: tuple[str, str] = LONG, address: str = "IP:127.0.0.1") -> tuple[Path, Path]:
        """A server's certificate and key."""
        (self._folder / f"{name}.ext").write_text(f"subjectAltName = {address}\n")
        self._openssl("req", "-new", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signer = ("-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", f"{name}.ext")
        dates = ("-startdate", valid[0], "-enddate", valid[1])
        self._openssl("ca", "-batch", "-notext", *signer, *dates, "-in", f"{name}.csr", "-out", f"{name}.pem")
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def _openssl(self, *arguments: str) -> None:
        command = [program("openssl") or "openssl", *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr}"
